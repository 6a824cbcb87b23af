"""The facts of a text that can be told without understanding it: numbers, days, names; and which of them lack."""

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from index.text.days import DATE, WEEKDAYS, Day, dates, meant, same_day, weekday, written
from index.text.names import names, root
from index.text.numbers import Number, numbers


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
