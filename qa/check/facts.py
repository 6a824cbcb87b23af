"""The facts of a text that can be told without understanding it: numbers, days, names; and which of them lack."""

from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from index.text.days import DATE, NEAR, WEEKDAYS, Day, dates, meant, same_day, written
from index.text.names import names, root
from index.text.numbers import Number, numbers

TOLERANCE = 0.05  # of a number that is said to be about right


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
