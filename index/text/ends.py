"""Where sentences end: LanguageTool's rules by choppa, with what they miss in news as word lists."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import choppa
from choppa import SrxDocument, SrxTextIterator
from sentencex import get_sentence_boundaries

from index.text import lists
from index.text.names import is_plural

RULES = Path(choppa.__file__).with_name("data") / "srx" / "languagetool_segment.srx"
WINDOW = 1000  # characters that the rules see at once: their time grows with the square of a text
# More than 12 stops among 100 characters are no prose, and the rules would take minutes for it.
ODD = re.compile(r"(?=((?:[^.!?…()\[\]]{0,8}[.!?…()\[\]]){12}))")
LAST = re.compile(r"([^\W\d_]+)\.$")
QUOTED = re.compile(r"“[^“”]{1,600}”|\"[^\"]{1,600}\"|«[^«»]{1,600}»|„[^„“”]{1,600}[“”]")  # its sentences stay together
OPENERS = {*" ".join(lists.lines("sentence-openers")).split()}
MAY_END = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, lists.lines('may-end')))})(?= \W{{0,3}}([A-Z][\w’'-]*))")
# “Who will pay?” Berg asked: the speaker belongs to what was said; and letters with stops to those before, "EE. UU.".
SAYS = rf"(?:{lists.pattern('saying')}|{lists.pattern('speaking')})"
SPEAKER = re.compile(rf"(?:(?:[A-Z][\w’'-]*|the|a|an|of|[a-z]+er),? ){{1,5}}{SAYS}")
LETTERS = re.compile(r"(?:^|\s)[A-Z]{2}\.$")


@cache
def _rules() -> SrxDocument:
    return SrxDocument(ruleset=RULES)


@cache
def _abbreviations(code: str) -> frozenset[str]:
    entries = (line.partition(":") for line in lists.lines("abbreviations"))
    return frozenset(word for key, _, said in entries if key == code for word in said.split())


def language(text: str) -> str:
    """Return the language of a text by its commonest words, "en" where none tells."""
    known = lists.meanings("telling-words")
    counted = Counter(known[word] for word in re.findall(r"[^\W\d_]+", text[:5000].casefold()) if word in known)
    return counted.most_common(1)[0][0] if counted else "en"


def ends(line: str, code: str, quotations: bool = False) -> list[int]:
    """Return where the sentences of a line end, in order; white space belongs to the one before it.

    With `quotations`, what stands between two quotation marks is not divided.
    """
    if ODD.search(line):
        return [boundary["end_index"] for boundary in get_sentence_boundaries(code, line)]
    found = {end for end in _by_rules(line, code) if not _goes_on(line, end, code)}
    found |= {match.end() for match in MAY_END.finditer(line) if match[1] in OPENERS or is_plural(match[1])}
    quoted_runs = QUOTED.finditer(line) if quotations else ()
    inside = {place for quoted in quoted_runs for place in range(quoted.start() + 1, quoted.end())}
    return sorted(found - inside | {len(line)})


def _by_rules(line: str, code: str) -> Iterator[int]:
    start = 0
    while start < len(line):
        pieces = list(SrxTextIterator(_rules(), f"{code}_two", line[start : start + WINDOW]))
        whole = pieces[:-1] if len(pieces) > 1 and start + WINDOW < len(line) else pieces  # the last may be cut off
        for piece in whole:
            start += len(piece)
            yield start


def _goes_on(line: str, end: int, code: str) -> bool:
    """Tell whether a sentence goes on behind an end: in small letters, with its speaker, behind an abbreviation."""
    rest, last = line[end:].lstrip(), LAST.search(line, max(0, end - 40), len(line[:end].rstrip()))
    short = last is not None and last[1] in _abbreviations(code)
    before = line[max(0, end - 6) : end].rstrip()
    return (
        rest[:1].islower()
        or (before[-2:-1] in "?!…" and before[-1:] in '”"»’“' and SPEAKER.match(rest) is not None)
        or (LETTERS.search(before) is not None and re.match(r"[A-Z]{2}\.", rest) is not None)
        or (short and bool(rest))
        or (last is not None and len(last[1]) < 6 and last[1].islower() and rest[:1].isdigit() and code != "en")
    )
