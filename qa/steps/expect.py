"""What a question expects: the kind of thing that answers it, and the names that its evidence must speak of."""

from __future__ import annotations

import re
from typing import Literal

from index.text.days import WHEN
from index.text.names import capitalised
from index.text.numbers import SAID
from index.text.terms import content_terms, terms

NAME_PREFIX = 4
Kind = Literal["number", "day", "name", "any"]

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
        return bool(WHEN.search(sentence))
    if expected == "number":
        return bool(SAID.search(WHEN.sub(" ", sentence)))
    if expected == "name":
        known = terms(question)
        return any(not known >= terms(word) for word in capitalised(WHEN.sub(" ", sentence)))
    return True


def covered(question: str, text: str) -> tuple[float, float]:
    """Return the shares of a question's content words, and of its names, that a text holds; 1.0 where it has none.

    Names are capitalised words that begin no sentence, save abbreviations such as US; "India" is found in "Indian".
    """
    held = terms(text)
    content = content_terms(question)
    named = set() if question.isupper() else {word.casefold()[:NAME_PREFIX] for word in capitalised(question)}
    named = {name for name in named if len(name) == NAME_PREFIX}
    prefixes = {term[:NAME_PREFIX] for term in held}
    return _share(content, held), _share(named, prefixes)


def _share(wanted: set[str], held: set[str]) -> float:
    return len(wanted & held) / len(wanted) if wanted else 1.0
