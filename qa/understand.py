"""Reads from a question what is known of the articles that answer it: their outlets and days, and its own parts."""

import re
from collections.abc import Iterable
from datetime import date

from index.read.dates import parse_date
from index.read.plain import MONTHS
from index.types import BadInput, Filters, Query

# A question in these words is about current news even when nobody says when it was asked.
NOW = re.compile(r"\b(?:today|yesterday|tonight|latest|recent|recently|currently|this (?:week|month|year))\b", re.I)
DAY = re.compile(rf"\b{MONTHS} \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}})?|\b\d{{1,2}} {MONTHS}(?: \d{{4}})?")
CLAUSE = re.compile(
    r"[;?]|,(?!\d)|(?<=[a-z”\"’]\.)\s|\b(?:while|whereas|but|versus|compared to)\b"
    r"|\band (?=(?:the|an?|another|by|according|is|was|did|does|has)\b)"
)
CLAUSE_WORDS = 4  # Shorter ones say too little to be searched for.


def understand(question: str, filters: Filters, asked: date | None, outlets: Iterable[str]) -> Query:
    """Return what to search for; `outlets` are those of the archive, `asked` is the day the question is put."""
    if asked is None and NOW.search(question):
        asked = date.today()
    named = tuple(outlet for outlet in outlets if _names(question, outlet))
    # Where no report is named, its clauses speak of one article, and searching for them apart finds others (§7).
    clauses = CLAUSE.split(question) if named else []
    parts = tuple(clause.strip() for clause in clauses if len(clause.split()) >= CLAUSE_WORDS)
    days = tuple(day for match in DAY.finditer(question) if (day := _day(match[0])))
    return Query(question, filters, asked, parts if len(parts) > 1 else (), named, days)


def _names(question: str, outlet: str) -> bool:
    """Tell whether a question names an outlet, which may be longer: "Fox News" for "FOX News - Health"."""
    name = re.split(r" [|–-] |: ", outlet)[0]
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", question, re.I)
    return found is not None and found[0][0].isupper() and not found[0].islower()


def _day(text: str) -> tuple[int | None, int, int] | None:
    dated = re.search(r"\d{4}$", text)
    try:
        day = parse_date(text if dated else f"{text} 2000")
    except BadInput:
        return None
    return day.year if dated else None, day.month, day.day
