"""Takes apart a question that asks two things in one: of two bodies, of two rounds, of before and after."""

import re

from index.text.names import is_verb, runs

# A question of its own behind the first: "…, and how many did the ministry give?"
CLAUSE = re.compile(r",? and (?=(?:by |in |on |at |to )?(?:what|who|whom|whose|which|when|where|why|how)\b)", re.I)
CHANGE = re.compile(
    r"how (?P<aux>did|has|have|had) (?P<what>.+?) (?:chang|develop|evolv|mov|shift)\w*(?P<when> .+?)?\?*", re.I
)
SPAN = re.compile(r"(?:.*?\b)?(?:between (?P<one>.+?) and (?P<other>.+)|from (?P<first>.+?) to (?P<last>.+))")
PREPOSITIONS = "according to|by|for|from|in|on|at|to|with|before|after|under"
# What is coordinated, with what both have in common before and behind it.
PAIRS = [
    re.compile(r"(?P<before>.*?\b)(?P<one>first|former|old|original|initial|earlier|previous) and (?:\w+ ){0,2}?"
               r"(?P<other>second|last|latter|latest|new|final|corrected|current|third)\b(?P<behind>.*?)\?*"),
    re.compile(r"(?P<before>.*?\b)(?P<one>before) and (?P<other>after|since)\b(?P<behind>.*?)\?*"),
    re.compile(rf"(?P<before>.*?\b(?P<prep>{PREPOSITIONS}) )(?P<one>(?:(?!\band\b).)+?),? and (?P=prep) "
               r"(?P<other>(?:\S+ ){0,4}?\S+?)(?P<behind> (?:in|on|by|for) [^?]+|)\?*"),
    re.compile(r"(?P<before>.*\baccording to )(?P<one>.+?),? and (?:to )?(?P<other>.+?)(?P<behind>)\?*"),
]  # fmt: skip
DID = re.compile(r"(.*?\b(?:did|does|do) )([^,?]+?) and ([^,?]+)\?*")  # …the one and the other do it
NAMED_WORDS = 6  # that a name or a body may have
WITHIN = re.compile(r"\b(?:that|who|which|between|from|to|by|in|after|before)\b")  # what is said of, not who does it
DETERMINERS = {"the", "a", "an", "its", "his", "her", "their", "both"}


def apart(question: str) -> list[str]:
    """Return the two questions that one asks, each complete as far as the words of the whole make it; else none."""
    if found := CHANGE.fullmatch(question):
        return _change(found["what"], found["when"] or "")
    if len(clauses := CLAUSE.split(question, maxsplit=1)) == 2 and min(len(c.split()) for c in clauses) > 3:
        one, other = (clause.strip(" ?,") for clause in clauses)
        names = [name for name in runs(one) if name not in other]
        return [f"{one}?", f"{other}{' of ' * bool(names)}{' and '.join(names)}?"]
    pairs = PAIRS if " and " in question and " between " not in question else []
    for found in filter(None, (pair.fullmatch(question) for pair in pairs)):
        sides = found["one"], found["other"]
        if all(len(side.split()) <= NAMED_WORDS for side in sides):
            return [f"{found['before']}{side}{found['behind']}?" for side in sides]
    if (did := DID.fullmatch(question)) and not WITHIN.search(did[2]):
        before, one, rest = did.groups()
        words = rest.split()
        for n in range(1, min(len(words), NAMED_WORDS + 1)):
            named = {*words[:n]} - DETERMINERS and not WITHIN.search(" ".join(words[:n]))
            if named and words[n].islower() and is_verb(words[n], "VB") and len(one.split()) <= NAMED_WORDS:
                return [f"{before}{side} {' '.join(words[n:])}?" for side in (one, " ".join(words[:n]))]
    return []


def _change(what: str, when: str) -> list[str]:
    """Return what was before and what has become of what changed."""
    if span := SPAN.fullmatch(when):
        times = span["one"] or span["first"], span["other"] or span["last"]
        return [f"What was {what} in {time}?" for time in times]
    return [f"What was {what} before?", f"What is {what} now{when}?"]
