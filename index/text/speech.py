"""Speech: what stands in quotation marks, of any tradition, and which words of a text name who says it."""

import re

from index.text import lists
from index.text.names import NAME, PRONOUNS, SAID, names, words
from index.text.terms import content_terms

# A single mark is an apostrophe too. It opens before a word and closes behind one: behind an s, where it may be a
# plural's (the owners’ plan), only if no other mark closes, and if none of the words opens that begin with one.
OPENS = r"(?<![\w’'])[‘'](?=[\w“\"(\[…])(?!\d\ds?\b|n['’])"
WITHIN = r"[^‘’'\n]|(?<=\w)[’'](?=\w)"
QUOTED = re.compile(
    r"(?:[“„‟]|(?<![\w,.!?…])”(?=\w))([^“”„‟\n]+)(?:[”“]|$)"
    r"|(?<![\w,.!?…])\"(?=\S)([^\"\n]+)(?:\"(?!\w)|$)"
    r"|^([^“”\"„\n]+[.,!?…])[”\"](?!\w)"  # begun in the sentence before
    r"|«([^«»\n]+)(?:»|$)|»([^«»\n]+)[«»]|‹([^‹›\n]+)›|›([^‹›\n]+)‹|[「『]([^「」『』\n]+)(?:[」』]|$)|``(.+?)(?:''|$)|‚([^‚‘’\n]+)[‘’]"
    rf"|{OPENS}((?:{WITHIN}|(?<=s)[’'](?=\s))+?)(?<!s)[’'](?!\w)"
    rf"|{OPENS}(?!(?i:t(?:is|was|il)|em|cause|cos|bout|round|ndrangheta)\b)((?:{WITHIN})+)[’'](?!\w)",
    re.M,
)
SAYS = rf"(?:{SAID}|{lists.pattern('speaking')})"
CUE = re.compile(rf"{SAYS}|\b[Aa]ccording to\b|\b[Ii]n the words of\b")
# A full stop ends a sentence where no initial or short title stands before it.
STOP = re.compile(r"(?<!\b[A-Z])(?<!\b[A-Z][a-z])(?<!\b[A-Z][a-z]{2})[.!?][”’\"']?\s+(?=[A-Z“‘\"'])")
ASIDE = re.compile(r"\b(?:in|on|at|during|after|before|when|while|as|to|with|about|outside|by)\b|;")
LEANS = re.compile(r"\b(?:[Hh]e|[Ss]he)\b[^A-Z]*$")  # a pronoun, and no name behind it
ALONE = re.compile(rf"(?:{NAME}(?:,| and) )*{NAME}(?: (?:has|had|have|also|then|later))*\s*$")
ASKED = re.compile(rf"(?:(?:{NAME}|[Hh]e|[Ss]he|[Tt]hey|[Tt]he) (?:[\w’-]+ ){{,6}}?)?{SAYS}")
AS = re.compile(r"\W*as\b|\W*in the words of\b")  # “…”, as Lund called it
BEFORE = 2000  # characters in which a pronoun's name is looked for


def named(text: str) -> list[str]:
    """Return the names in the words of a text that tell who speaks, as they stand there."""
    found = (re.sub(r"[’']s$|\.$", "", name) for name in re.findall(NAME, text))
    known = set(names(text))
    # Right before the verb even "King" is a name, and "But" is none.
    certain = [name for name in found if words(name) & known or text.rstrip().endswith(name)]
    return [name for name in certain if name not in PRONOUNS and content_terms(name)]


def goes_on(before: str, behind: str) -> bool:
    """Tell whether a sentence only names who says the quotation that ends before it: “Who pays?” Lund asked."""
    return re.search(r"[?!.…][”“\"’'»«」]$", before) is not None and ASKED.match(behind) is not None


def speaker(text: str) -> str:
    """Return the name, of those in the words that tell who speaks, that is likeliest to be the speaker's; or ""."""
    return max(named(text.rsplit(" … ", 1)[-1]), key=lambda name: len(name.split()), default="")


def leaning(text: str, start: int, end: int) -> str:
    """Return the name of whom the sentence text[start:end] calls only "he" or "she" and says to have said it; or ""."""
    told = QUOTED.sub(" ", text[start:end])
    leans = re.search(r"\b(?:he|she)\b", told, re.I) and CUE.search(told) and not named(told)
    return speaker(last_named(text[:start])) if leans else ""


def attribution(text: str, start: int, end: int) -> str:
    """Return the words that name who says the quotation around text[start:end]; "" where nothing near does.

    For "he" and "she", and for a quotation that stands alone, these are the sentences that name somebody last before.
    """
    first = text.rfind("\n", 0, start) + 1
    line = text[first:].partition("\n")[0]
    marks = [match.span() for match in QUOTED.finditer(line)]
    here = next((n for n, (opens, closes) in enumerate(marks) if opens <= start - first < closes), None)
    if here is None:
        return ""
    opens, closes = marks[here]
    between = line[marks[here - 1][1] if here else 0 : opens].strip()
    behind = STOP.split(line[closes : marks[here + 1][0] if here + 1 < len(marks) else None], maxsplit=1)[0]
    ended = not between or between[-1] in ".!?"  # the quotation begins a sentence
    before = between if here else "" if ended else STOP.split(between)[-1]
    for side in (behind, before) if ended or AS.match(behind) else (before, behind):
        if cue := CUE.search(side):
            who = _subject(side, cue)
            return last_named(text[: first + opens]) if LEANS.search(who) else who
    return last_named(text[:first]) if not before + behind.strip() else ""


def _subject(side: str, cue: re.Match[str]) -> str:
    """Return who says it of the words beside a quotation: what stands before the verb, or else behind it."""
    before, behind = side[: cue.start()].rpartition(";")[2], side[cue.end() :]
    if not cue[0].lower().startswith(("according", "in the")) and (named(before) or LEANS.search(before)):
        alone = ALONE.search(before)  # "as Reed left, Lund said": Lund alone
        return alone[0] if alone else before
    return f"{cue[0]}{ASIDE.split(behind, maxsplit=1)[0]}"


def last_named(text: str) -> str:
    """Return the last two sentences of a text that name somebody, outside of what is quoted itself."""
    plain = QUOTED.sub(" ", text[-BEFORE:])
    naming = [sentence for sentence in re.split(rf"{STOP.pattern}|\n+", plain) if named(sentence)]
    return " … ".join(naming[-2:])
