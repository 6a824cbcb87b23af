"""Datelines: where, when and for which agency a report was sent, in front of its first sentence.

They stay in the text, since a third of the articles that have one name the place nowhere else; but they are no
part of the sentence behind them, so that none is quoted with it.
"""

import re
from typing import NamedTuple

from index.text.days import MONTH_DAY, WEEKDAY

DATELINE = re.compile(
    rf"\s*(?P<place>[^\W\d_](?:[^\W\d_]|[.'’/-]| (?=\S)){{1,40}}?)??(?P<where>(?:, ?[A-Z][\w.’ ]{{1,25}}?){{0,2}}?)"
    rf"(?:[,.]? ?(?:{WEEKDAY},? )?(?P<day>{MONTH_DAY}(?:,? \d{{4}})?)[,.]?)?"
    r"(?: ?(?P<open>[(/])(?P<agency>[^()/\n\d]{2,40}(?:/[^()/\n\d]{2,20})?)[)/][.:]?)?"
    r"(?P<end> ?(?:--+|[–—]+) ?| [-_] |(?(open)\s?[-:–—_]*\s|(?!)))\s*(?=[^\sa-z])"
)
SMALL = {"de", "la", "le", "of", "del", "di", "da", "do", "am", "an", "der", "el", "al", "sur", "and"}


class Dateline(NamedTuple):
    """Where it ends, its day as written, often without a year, and its agency; empty where it has none."""

    end: int
    day: str
    agency: str


def dateline(line: str) -> Dateline | None:
    """Return the dateline that a line begins with: "BRASOV, June 3 (Northern Wire) - …", "KYIV, Ukraine — …"."""
    match = DATELINE.match(line[:200])
    if match is None:
        return None
    place, day, agency = match["place"] or "", match["day"] or "", match["agency"] or ""
    dashed = bool(match["end"].strip(" :\n"))
    names = all(word in SMALL or not word[:1].islower() for word in place.split())
    known = agency[:1].isupper() or (agency.islower() and len(agency) < 5)  # dpa
    sent = known and names and (dashed or (day and place))
    told = not agency and place.isupper() and dashed and (day or match["where"] or len(place) > 4)
    return Dateline(match.end(), day, agency) if sent or told else None
