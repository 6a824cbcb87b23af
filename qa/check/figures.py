"""What can be told of a text without understanding it: its numbers, days and names, and what each figure is said of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import accumulate, combinations, islice, takewhile
from typing import TYPE_CHECKING, NamedTuple

from index.text import lists
from index.text.days import DATE, WEEKDAYS, Day, dates, meant, same_day, weekday, written
from index.text.fold import words
from index.text.names import country, names, root
from index.text.numbers import Number, numbers
from index.text.syntax import parse
from index.text.terms import alike, terms
from qa.check.grammar import LEANING, OBJECT, SUBJECT, is_name, is_verb, names_of, places_of, stem_of
from qa.check.spans import content

if TYPE_CHECKING:
    from index.text.syntax import Token

ROW = " · "  # between the cells of a table's row
TIMES = {"once": "1 time", "twice": "2 times", "thrice": "3 times"}
TOGETHER = re.compile(lists.pattern("together"), re.I)
# What stands before a difference, "rose by", "a lead of", and behind one, "60 more".
BY = re.compile(
    r"\b(?:ris|ros|gr[eo]w|increas|climb|f[ae]ll|drop|declin|decreas|slip|w[oi]n|led|up|down|ahead)\w*"
    r"(?: \w+){0,3}? by\b"
    r"|\b(?:lead|margin|gap|difference|majority)\b[^.;]{0,30}? (?:of|was|is|by)\b",
    re.I,
)
MORE = re.compile(r"\b(?:more|fewer|less|higher|lower|larger|smaller|longer|shorter|older|younger|ahead|above|below)\b")
NEXT = 30  # characters in which the number of these stands
ITSELF = content("company firm group maker club team party agency")  # may be what a name stands for
YEAR = re.compile(r"(?:19|20)\d\d")
RATE = re.compile(r"(?:per|an?|each|every) (hour|day|night|week|month|year|share|head|person)\b")


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
    for number in sorted(claim.numbers):
        year = not number.unit and 1900 <= number.value <= 2100 and f"{number.value:g}" in near
        if number.value != 1 and not number.held(evidence.numbers) and not year:
            missing.append(str(number))
    told = evidence.days | meant(said, published)
    missing += [written(day) for day in sorted(claim.days, key=str) if not any(same_day(day, other) for other in told)]
    roots = {root(term) for term in near}
    weekdays = ({weekday(day, published) for day in told} - {""}) | said.intersection(WEEKDAYS)
    if weekdays:  # else the day of publication, which is among the words of the article, may be the one meant
        roots -= {root(day) for day in WEEKDAYS}
    return missing + [name for name in sorted(claim.names - weekdays) if root(name) not in roots]


class Figure(NamedTuple):
    """A number and what it is said of: names or nouns of who has it, what is counted, the verb, the years."""

    number: Number
    who: frozenset[str]
    what: frozenset[str]
    verb: frozenset[str] = frozenset()
    year: frozenset[str] = frozenset()
    rate: frozenset[str] = frozenset()


@lru_cache(maxsize=4096)
def figures(text: str) -> tuple[Figure, ...]:
    """Return the figures of a sentence, years and days aside."""
    if ROW in text:
        return tuple(_cells(text))
    doc = parse(text)
    verbs = {token for token in doc if is_verb(token)}
    dated = [doc.char_span(*match.span(), alignment_mode="expand") for match in DATE.finditer(doc.text)]
    days = {t for span in dated if span for t in span}
    firsts = [t for t in doc if _is_figure(t) and t not in days and not (t.i and _is_figure(t.nbor(-1)))]
    years, part = defaultdict(set), [*accumulate(map(_ends_part, doc))]
    for year in (t for t in doc if firsts and YEAR.fullmatch(t.text)):
        # Its own part of the sentence, else the number before it, else the one behind: "In 2021, 61 percent came."
        nearest = min(firsts, key=lambda t: (part[t.i] != part[year.i], t.i > year.i, abs(t.i - year.i)))
        years[nearest].add(year.text)
    return tuple(figure for token in firsts if (figure := _figure(token, verbs, frozenset(years[token]))))


def _ends_part(token: Token) -> bool:
    return token.text in (",", ";") or token.pos_ == "CCONJ"


def _is_figure(token: Token) -> bool:
    """Tell whether a token is a number that counts something: no year, and not that of "Week 10"."""
    before = token.nbor(-1) if token.i else token
    named = before.pos_ == "PROPN" and before == token.head
    number = token.tag_ == "CD" or (token.like_num and token.text.isdigit()) or token.lower_ in TIMES
    return number and not named and not YEAR.fullmatch(token.text)


def _cells(text: str) -> Iterator[Figure]:
    """Yield the numbers of a table's rows, each said of its row's first cell and of the head of its column."""
    for row in text.split("\n"):
        cells = [cell.partition(": ")[::2] for cell in row.split(ROW)]
        who = frozenset(n for word in words(cells[0][1]) for n in (country(word), *terms(word)))
        for head, cell in cells[1:]:
            for number in numbers(cell):
                yield Figure(number, who, frozenset(alike(terms(head))))


def _figure(token: Token, verbs: set[Token], years: frozenset[str]) -> Figure | None:
    doc = token.doc
    first = token.i - (token.i > 0 and doc[token.i - 1].is_currency)
    said = TIMES.get(token.lower_, doc[first : token.i + 5].text)
    found = next(numbers(said), None)
    if found is None or token.lower_ == "one":
        return None
    verb = next((t for t in token.ancestors if t in verbs), token)
    chain = [token, *takewhile(lambda t: t != verb, token.ancestors)]
    counted = token.head if token.dep_ == "nummod" else None
    if counted and any(child.lower_ in ("the", "these", "both") for child in counted.children):  # known before
        return None
    what = [counted, *(t for t in counted.subtree if t.dep_ == "pobj" and t.head.lower_ == "of")] if counted else []
    rate = RATE.search(doc[token.i : token.i + 6].text)
    who = next(filter(None, _bearers(token, chain, verb)), frozenset())
    counts = frozenset(map(stem_of, what)) or frozenset(terms("times") if token.lower_ in TIMES else ())
    does = frozenset({stem_of(verb)} if verb != token else ())
    return Figure(found, who, counts, does, years, frozenset({rate[1]} if rate else ()))


def _bearers(token: Token, chain: list[Token], verb: Token) -> Iterator[frozenset[str]]:
    """Yield of whom a number may be said, the surest first: "Holt, 52", "7,105 for Beck"."""
    doc, within = token.doc, (token.head if token.dep_ == "nummod" else token)
    ends = [t.i for t in doc if _ends_part(t)]
    joined = next((i for i in ends if i >= token.i), len(doc))  # "two goals and Rieger one"
    start = max((i + 1 for i in ends if i < token.i), default=0)
    yield _called(t for t in chain if is_name(t))
    yield _called(t for t in within.subtree if is_name(t) and t.i < joined)
    yield _called(t for t in chain[-1].subtree if is_name(t) and t.i < joined)
    yield _called(t for t in doc[start : token.i] if is_name(t))
    behind = [i for i in ends if i > token.i and doc[i].pos_ != "CCONJ"]
    if len(behind) > 1 and doc[behind[0]].text == ",":  # "7,105 for the incumbent, Tom Beck,"
        aside = doc[behind[0] + 1 : behind[1]]
        yield _called(aside) if all(map(is_name, aside)) else frozenset()
    if verb != token:
        heads = [head for place, head in places_of(verb) if place in (SUBJECT, OBJECT) and head not in chain]
        yield _called(head for head in heads if head.pos_ != "NUM" and head.tag_ not in LEANING)


def _called(tokens: Iterable[Token]) -> frozenset[str]:
    """Return the stems of nouns and the roots of names."""
    return frozenset(name for token in tokens for name in (stem_of(token), *names_of(token)))


def misplaced(claim: str, evidence: Sequence[str]) -> str:
    """Return the sentence in which a number of the claim is said of another, and another number of whom it is said."""
    rows = [said for said in evidence if ROW in said]
    evidence = [said for said in evidence if ROW not in said] + ["\n".join(rows)] * bool(rows)
    everywhere = [figure for sentence in evidence for figure in figures(sentence)]
    for ours in figures(claim):
        misfit, fit = "", False
        for sentence in evidence:
            theirs = figures(sentence)
            holders = [f for f in theirs if ours.number.held([f.number])]
            rivals = [f for f in theirs if f not in holders and f.number.unit in (ours.number.unit, "")]
            if ours.number.unit and not any(f.who & ITSELF for f in holders):
                rivals += [
                    f for f in everywhere if f.number.unit == ours.number.unit and not ours.number.held([f.number])
                ]
            fits = [_same(ours, f, rivals) for f in holders]
            fit |= True in fits
            misfit = misfit or (sentence if False in fits else "")
        if misfit and not fit:
            return misfit
    return ""


def derived(claim: str, evidence: Sequence[str]) -> set[Number]:
    """Return the numbers of a claim that are the sum or the difference of two numbers of a sentence, if it says so."""
    apart = [n for by in BY.finditer(claim) for n in islice(numbers(claim[by.end() : by.end() + NEXT]), 1)]
    before = (claim[max(0, more.start() - NEXT) : more.start()] for more in MORE.finditer(claim))
    apart += [n for text in before for n in [*numbers(text)][-1:]]
    said = [(n, -1) for n in apart] + [(n, 1) for n in numbers(claim) if TOGETHER.search(claim)]
    found = set()
    for number, sign in said:
        for sentence in evidence:
            pairs = combinations([n for n in numbers(DATE.sub(" ", sentence)) if n.unit in (number.unit, "")], 2)
            if any(number.least <= abs(a.value + sign * b.value) <= number.most for a, b in pairs):
                found.add(number)
    return found


def _same(ours: Figure, theirs: Figure, rivals: Sequence[Figure]) -> bool | None:
    """Tell whether a number is said of the same in two sentences, as far as others tell; None for unknown."""
    dated = theirs.year or any(ours.year & rival.year for rival in rivals)
    if ours.year and dated and not ours.year & theirs.year:
        return False
    if ours.rate and theirs.rate and ours.rate != theirs.rate:
        return False
    for kind in ("who", "what", "verb"):
        own, its = getattr(ours, kind), getattr(theirs, kind)
        if own & its:
            return True
        told = own and its and not (kind == "verb" and ours.who)  # "put at" and "estimated" are the same of one
        if told and any(own & getattr(rival, kind) for rival in rivals):
            return False
    return None
