"""What a question expects: the kind of thing that answers it, and the names that its evidence must speak of."""

import re

from index.text.days import WHEN
from index.text.names import capitalised
from index.text.numbers import SAID
from index.text.terms import content_terms, terms

NAME_PREFIX = 4
KINDS = {
    "number": r"\bhow (?:many|much|long|old|far|tall|high|often|big|large)\b|\bwhat (?:percent|share)",
    "day": r"\bwhen\b|\bhow soon\b|\b(?:what|which) (?:date|day|year|month|time)\b",
    "name": r"\bwho(?:se|m)?\b|\bwhere\b|\bwhich\b|\bwhat (?:country|city|state|company|team)\b",
}


def kind(question: str) -> str:
    """Return what a question asks for: a "number", "day" or "name", or "any" where its words do not tell."""
    return next((name for name, pattern in KINDS.items() if re.search(pattern, question, re.I)), "any")


def fits(question: str, sentence: str) -> bool:
    """Tell whether a sentence holds the kind of thing asked for that the question does not hold itself."""
    expected = kind(question)
    if expected in ("any", "day"):
        return expected == "any" or bool(WHEN.search(sentence))
    undated = WHEN.sub(" ", sentence)
    if expected == "number":
        return bool(SAID.search(undated))
    known = terms(question)
    return any(not known >= terms(word) for word in capitalised(undated))


def share(wanted: set[str], held: set[str]) -> float:
    """Return the share of the wanted terms that are held; 0 where none is wanted."""
    return len(wanted & held) / max(1, len(wanted))


def covered(question: str, text: str) -> tuple[float, float]:
    """Return the shares of a question's content words, and of its names, that a text holds; 1.0 where it has none.

    Names are capitalised words that begin no sentence, save abbreviations such as US; "India" is found in "Indian".
    """
    content, held = content_terms(question), terms(text)
    begun = [] if question.isupper() else [word.casefold()[:NAME_PREFIX] for word in capitalised(question)]
    named = {name for name in begun if len(name) == NAME_PREFIX}
    of_names = share(named, {term[:NAME_PREFIX] for term in held}) if named else 1.0
    return share(content, held) if content else 1.0, of_names
