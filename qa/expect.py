"""What a question expects: the kind of thing that answers it, and the names that its evidence must speak of."""

from __future__ import annotations

import re
from typing import Literal

from index.lexical import content_terms, terms
from index.read.plain import MONTHS, WEEKDAY

NAME_PREFIX = 4
Kind = Literal["number", "day", "name", "any"]

DATE = re.compile(
    rf"\b{MONTHS} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?\b|\b\d{{1,2}} {MONTHS}(?: \d{{4}})?\b|\b(?:19|20)\d\d\b"
    rf"|\b{MONTHS}(?= |$)(?<!May )|\b{WEEKDAY}\b|\d{{1,2}}:\d\d\b"
)
TIME = re.compile(
    r"\b(?:today|tomorrow|yesterday|tonight|spring|summer|fall|autumn|winter|night|morning"
    r"|hours?|days?|weeks?|months?|years?)\b",
    re.IGNORECASE,
)
NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    r"|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?"
    r"|millions?|billions?|trillions?|dozens?|half|third|quarter|double|twice|triple|no|none|neither)\b",
    re.IGNORECASE,
)
KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "number",
        re.compile(r"\bhow (?:many|much|long|old|far|tall|high|often|big|large)\b|\bwhat (?:percent|share)", re.I),
    ),
    ("day", re.compile(r"\bwhen\b|\bhow soon\b|\b(?:what|which) (?:date|day|year|month|time)\b", re.I)),
    ("name", re.compile(r"\bwho(?:se|m)?\b|\bwhere\b|\bwhich\b|\bwhat (?:country|city|state|company|team)\b", re.I)),
)


def kind(question: str) -> Kind:
    """Return what a question asks for; "any" where its words do not tell."""
    return next((name for name, pattern in KINDS if pattern.search(question)), "any")


def fits(question: str, sentence: str) -> bool:
    """Tell whether a sentence holds the kind of thing asked for that the question does not hold itself."""
    expected = kind(question)
    if expected == "day":
        return bool(DATE.search(sentence) or TIME.search(sentence))
    if expected == "number":
        return bool(NUMBER.search(DATE.sub(" ", sentence)))
    if expected == "name":
        known = terms(question)
        return any(not known >= terms(word) for word in _capitalised(DATE.sub(" ", sentence)))
    return True


def covered(question: str, text: str) -> tuple[float, float]:
    """Return the shares of a question's content words, and of its names, that a text holds; 1.0 where it has none.

    Names are capitalised words that begin no sentence, save abbreviations such as US; "India" is found in "Indian".
    """
    held = terms(text)
    content = content_terms(question)
    named = set() if question.isupper() else {word.casefold()[:NAME_PREFIX] for word in _capitalised(question)}
    named = {name for name in named if len(name) == NAME_PREFIX}
    prefixes = {term[:NAME_PREFIX] for term in held}
    return _share(content, held), _share(named, prefixes)


def _share(wanted: set[str], held: set[str]) -> float:
    return len(wanted & held) / len(wanted) if wanted else 1.0


def _capitalised(text: str) -> list[str]:
    return re.findall(r"(?<=[\w,;:)’'\"] )[\"“‘(]?([A-Z][\w’'-]*)", text)
