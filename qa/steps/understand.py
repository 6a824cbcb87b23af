"""Reads from a question what is known of what answers it: the articles' outlets and days, the kind of thing, names."""

import re
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from index.encoder import ENGLISH
from index.text import language, lists
from index.text.days import WHEN, dates
from index.text.fold import clean
from index.text.names import capitalised
from index.text.numbers import SAID, numbers
from index.text.terms import alike, content_terms, share, terms
from index.types import BadInput, Query
from qa.check.signs import days as foreign_days
from qa.locale import DEFAULT
from qa.request import SearchRequest
from qa.steps.apart import apart
from qa.types import RefusalReason

# A question in these words is about current news even when nobody says when it was asked.
NOW = re.compile(r"\b(?:today|yesterday|tonight|latest|recent|recently|currently|this (?:week|month|year))\b", re.I)
# Asks for an earlier report than the latest.
EARLIER = re.compile(r"\b(?:first|initial\w*|original\w*|earlier|previous\w*|then)\b", re.I)
CLAUSE = re.compile(
    r"[;?]|,(?!\d)|(?<=[a-z”\"’]\.)\s|\b(?:while|whereas|but|versus|compared to)\b"
    r"|\band (?=(?:the|an?|another|by|according|is|was|did|does|has)\b)"
)
CLAUSE_WORDS = 4  # Shorter ones say too little to be searched for.
NAME_PREFIX = 4
# Behind these stands what belongs to what is asked for: "what is the reason for the cost" asks for no number.
OF_IT = r"(?:of|for|that|behind|about|in|on|by|to|from|with|at|did|does|do|said|and) "
IS = r"(?:is|was|were|are|did|has|have|will)"
KINDS = {
    "number": r"\bhow (?:many|much|long|old|far|tall|high|often|big|large)\b|\bwhat (?:percent|share)"
    r"|\bwhat (?:does|did|would|will|do) [^?]*\b(?:cost|amount to)\b"
    rf"|\b(?:what|which) (?:{IS} )?(?:(?!{OF_IT})[\w'’-]+ ){{0,5}}?{lists.pattern('amounts')}",
    "day": r"\bwhen\b|\bhow soon\b|"
    rf"\b(?:what|which) (?:{IS} )?(?:(?!{OF_IT})[\w'’-]+ ){{0,4}}?(?:date|day|year|month|time)\b",
    "name": r"\bwho(?:se|m)?\b|\bwhere\b|\bwhich\b|\bwhat (?:country|city|state|company|team)\b",
}

YEAR = re.compile(r"\b(?:19|20)\d\d\b")
ABOUT = re.compile(rf"(?:{'|'.join(lists.lines('about'))}) ([^(),;?]+?)[ ?.!]*", re.I)
SMALL_TALK = re.compile(rf"(?:[^\w?]*{lists.pattern('small-talk')})+[^\w?]*", re.I)


def decline(question: str, encoder: str) -> tuple[str, RefusalReason] | None:
    """Return why a question is not searched for, and what that is called; None for one that is."""
    if SMALL_TALK.fullmatch(question):
        return "That is no question: ask something about the articles in the archive.", "no_question"
    code, script = language.of(question), language.script(clean(question))
    if encoder not in ENGLISH or code == "en" or (code is None and script == "LATIN"):
        return None
    name = DEFAULT.language(code) or script.title()
    mend = "ask in English, or run copydesk reencode --encoder multilingual"
    return f"Questions in {name} are not understood by this archive's encoder: {mend}.", "language"


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
    present = request.day or ((request.filters.as_of or date.today()) if NOW.search(question) else None)
    named = tuple(outlet for outlet in outlets if _names(question, outlet))
    # Where no report is named, its clauses speak of one article, and searching for them apart finds others (§7).
    clauses = apart(question) or (CLAUSE.split(question) if named else [])
    parts = tuple(clause.strip() for clause in clauses if len(clause.split()) >= CLAUSE_WORDS)
    parts, code = parts if len(parts) > 1 else (), language.of(question)
    days = dates(question) if code in (None, "en") else foreign_days(question, code)
    return Query(question, request.filters, present, parts, named, tuple(days), code)


def read_from(query: Query) -> dict[str, Any]:
    """Return what was read from a question beside its words: what is there of kind, outlets, days and parts.

    And its `language`, where that is known and not English.
    """
    days = [date(year, month, day).isoformat() if year else f"--{month:02}-{day:02}" for year, month, day in query.days]
    told: dict[str, Any] = {"kind": kind(query.text), "outlets": list(query.outlets), "days": days}
    told |= {"parts": list(query.parts), "language": query.language if query.language != "en" else None}
    return {name: value for name, value in told.items() if value and value != "any"}


def topic(question: str) -> str | None:
    """Return what a question asks to be told about, whatever there is: "Anything on the Orla dam?"; else None."""
    found = ABOUT.fullmatch(question)
    return found[1] if found and content_terms(found[1]) else None


def _names(question: str, outlet: str) -> bool:
    """Tell whether a question names an outlet, which may be longer: "Fox News" for "FOX News - Health"."""
    name = re.split(r" [|–-] |: ", outlet)[0]
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", question, re.I)
    return found is not None and found[0][0].isupper() and not found[0].islower()


def kind(question: str) -> str:
    """Return what a question asks for: a "number", "day" or "name", or "any" where its words do not tell."""
    return next((name for name, pattern in KINDS.items() if re.search(pattern, question, re.I)), "any")


def fits(question: str, sentence: str, known: str = "") -> bool:
    """Tell whether a sentence holds the kind of thing asked for that neither the question nor what is known holds."""
    expected = kind(question)
    if expected in ("any", "day"):
        return expected == "any" or any(found[0] not in known for found in WHEN.finditer(clean(sentence)))
    undated = WHEN.sub(" ", clean(sentence))
    if expected == "number":
        return SAID.search(undated) is not None and not (known and values(undated) <= values(known))
    held = terms(f"{question}\n{known}")
    return any(not held >= terms(word) for word in capitalised(undated))


@lru_cache(maxsize=64)
def values(text: str) -> frozenset[float]:
    """Return the numbers of a text."""
    return frozenset(number.value for number in numbers(text))


def covered(question: str, text: str) -> tuple[float, float]:
    """Return the shares of a question's content words, and of its names, that a text holds; 1.0 where it has none.

    Names are capitalised words that begin no sentence, save abbreviations such as US; "India" is found in "Indian".
    """
    content, held = alike(content_terms(question)), alike(terms(text))
    begun = [] if question.isupper() else [word.casefold()[:NAME_PREFIX] for word in capitalised(question)]
    named = {name for name in begun if len(name) == NAME_PREFIX}
    of_names = share(named, {term[:NAME_PREFIX] for term in terms(text)}) if named else 1.0
    return share(content, held) if content else 1.0, of_names
