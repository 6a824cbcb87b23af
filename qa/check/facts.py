"""What can be told of a sentence without understanding it: its numbers, days and names, and what it denies."""

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from index.text import lists
from index.text.days import DATE, NEAR, WEEKDAYS, Day, dates, meant, same_day, written
from index.text.names import country, names, root, subjects, words
from index.text.numbers import Number, numbers
from index.text.terms import content_terms

TOLERANCE = 0.05  # of a number that is said to be about right
NEGATION = re.compile(rf"{lists.pattern('denials')}|n['’]t\b", re.I)
NEGATED = 4  # content words after a negation that it speaks of
CLAUSE = re.compile(r"[,;:.!?()–—]|\b(?:but|although|though|while|whereas|and)\b", re.I)
PAIRS = [[content_terms(side) for side in pair.split("/")] for pair in lists.lines("opposites")]
OPPOSITES = [sides for pair in PAIRS for sides in (pair, pair[::-1])]


class Facts(NamedTuple):
    """The facts of a text: numbers with their units, days, and names as folded words."""

    numbers: frozenset[Number]
    days: frozenset[Day]
    names: frozenset[str]


@lru_cache(maxsize=4096)
def facts(text: str) -> Facts:
    """Return the facts that a sentence or a few of them state."""
    rest = DATE.sub(" ", text)
    return Facts(frozenset(numbers(rest)), frozenset(dates(text)), frozenset(names(rest)))


def lacking(claim: Facts, evidence: Facts, said: set[str], near: set[str], published: date | None) -> list[str]:
    """Return what a claim states and its evidence does not: numbers, days and names, in words for people.

    `said` are the words of the evidence, `near` those of its whole article, with headline, outlet and authors too.
    """
    missing = []
    for value, unit, about in sorted(claim.numbers):
        same = {v for v, u, _ in evidence.numbers if unit in (u, "") or (u == "" and unit not in "%$€£¥")}
        held = value in same or (about and any(abs(v - value) <= TOLERANCE * v for v in same))
        year = not unit and 1900 <= value <= 2100 and f"{value:g}" in near
        if value != 1 and not held and not year:
            missing.append(f"{value:,.12g}{' ' * unit.isalpha()}{unit}")
    told = evidence.days | meant(said, published)
    missing += [written(day) for day in sorted(claim.days, key=str) if not any(same_day(day, other) for other in told)]
    roots = {root(term) for term in near}
    dated = [(year or (published.year if published else 0), month, day) for year, month, day in evidence.days]
    weekdays = {WEEKDAYS[date(*day).weekday()] for day in dated if day[0]} | said.intersection(WEEKDAYS)
    weekdays |= {WEEKDAYS[(published + timedelta(NEAR[word])).weekday()] for word in said & {*NEAR} if published}
    if weekdays:  # else the day of publication, which is among the words of the article, may be the one meant
        roots -= {root(day) for day in WEEKDAYS}
    return missing + [name for name in sorted(claim.names - weekdays) if root(name) not in roots]


def other_subject(claim: str, evidence: str) -> str | None:
    """Return what the evidence says that somebody did of whom the claim says it of another; None where it does not.

    A capital stands for its country: "Kyiv accepted" is no other than "Ukraine accepted".
    """
    theirs = {stem: (_countries(name), whole) for name, verb, whole in subjects(evidence) if (stem := _stem(verb))}
    said = _countries(evidence)
    for name, verb, _ in subjects(claim):
        if (stem := _stem(verb)) in theirs and not _countries(name) & (theirs[stem][0] | said):
            return theirs[stem][1]
    return None


def _stem(verb: str) -> str:
    return min(content_terms(verb), default="")


def _countries(text: str) -> set[str]:
    return {country(word) for word in words(text)}


def denies(claim: str, evidence: str) -> str | None:
    """Return a word that only one of two sentences denies, or None where they agree.

    A negation speaks of the few content words behind it, to the end of its clause.
    """
    ours, theirs = content_terms(claim), content_terms(evidence)
    denied, denied_there = _denied(claim), _denied(evidence)
    return min((denied & theirs - denied_there) | (denied_there & ours - denied), default=None)


def opposes(claim: str, evidence: str) -> str | None:
    """Return a word of a claim whose opposite stands in its evidence, where the word itself does not; or None."""
    ours, theirs = content_terms(claim), content_terms(evidence)
    for one, other in OPPOSITES:
        if (word := one & ours) and other & theirs - ours and not one & theirs:
            return min(word)
    return None


def _denied(text: str) -> set[str]:
    denied: set[str] = set()
    for match in NEGATION.finditer(text):
        clause = CLAUSE.split(text[match.end() :], maxsplit=1)[0].split()
        content = [word for word in clause if content_terms(word)][:NEGATED]
        denied |= content_terms(" ".join(content))
    return denied
