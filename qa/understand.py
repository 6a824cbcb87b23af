"""Reads from a question what is known of the articles that answer it: their outlets and days, and its own parts."""

import re
from collections.abc import Iterable
from datetime import date

from index.types import Filters, Query
from qa.facts import dates

# A question in these words is about current news even when nobody says when it was asked.
NOW = re.compile(r"\b(?:today|yesterday|tonight|latest|recent|recently|currently|this (?:week|month|year))\b", re.I)
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
    return Query(question, filters, asked, parts if len(parts) > 1 else (), named, tuple(dates(question)))


def _names(question: str, outlet: str) -> bool:
    """Tell whether a question names an outlet, which may be longer: "Fox News" for "FOX News - Health"."""
    name = re.split(r" [|–-] |: ", outlet)[0]
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", question, re.I)
    return found is not None and found[0][0].isupper() and not found[0].islower()
