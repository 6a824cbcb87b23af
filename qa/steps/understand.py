"""Reads from a question what is known of the articles that answer it: their outlets and days, and its own parts."""

import re
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches

from index.text.days import dates
from index.types import BadInput, Query
from qa.request import SearchRequest

# A question in these words is about current news even when nobody says when it was asked.
NOW = re.compile(r"\b(?:today|yesterday|tonight|latest|recent|recently|currently|this (?:week|month|year))\b", re.I)
CLAUSE = re.compile(
    r"[;?]|,(?!\d)|(?<=[a-z”\"’]\.)\s|\b(?:while|whereas|but|versus|compared to)\b"
    r"|\band (?=(?:the|an?|another|by|according|is|was|did|does|has)\b)"
)
CLAUSE_WORDS = 4  # Shorter ones say too little to be searched for.


def understand(question: str, request: SearchRequest, outlets: Sequence[str]) -> Query:
    """Return what to search for; `outlets` are those of the archive.

    Raises BadInput for a filter that names another outlet: nothing would be found, and nobody told why.
    """
    known = {outlet.casefold(): outlet for outlet in outlets}
    for outlet in request.filters.outlets:
        if outlet.casefold() not in known:
            close = get_close_matches(outlet.casefold(), known, 3, 0.4) or [*known][:3]
            listed = ", ".join(known[name] for name in close)
            raise BadInput(f"no article is of the outlet {outlet}" + (f": did you mean {listed}?" if listed else ""))
    present = request.day or (date.today() if NOW.search(question) else None)
    named = tuple(outlet for outlet in outlets if _names(question, outlet))
    # Where no report is named, its clauses speak of one article, and searching for them apart finds others (§7).
    clauses = CLAUSE.split(question) if named else []
    parts = tuple(clause.strip() for clause in clauses if len(clause.split()) >= CLAUSE_WORDS)
    return Query(question, request.filters, present, parts if len(parts) > 1 else (), named, tuple(dates(question)))


def _names(question: str, outlet: str) -> bool:
    """Tell whether a question names an outlet, which may be longer: "Fox News" for "FOX News - Health"."""
    name = re.split(r" [|–-] |: ", outlet)[0]
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", question, re.I)
    return found is not None and found[0][0].isupper() and not found[0].islower()
