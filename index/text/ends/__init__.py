"""Where sentences end: LanguageTool's rules by choppa, with what they miss in news as word lists."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import choppa
from choppa import SrxDocument, SrxTextIterator
from sentencex import get_sentence_boundaries

from index.text import language as languages
from index.text import lists
from index.text.ends.ideographs import ideographic
from index.text.names import UPPER, is_plural

RULES = Path(choppa.__file__).with_name("data") / "srx" / "languagetool_segment.srx"
RULED = re.compile(r'languagepattern="\(\w+\|(\w+)\)')  # its languages; sentencex knows some of all others
WINDOW = 1000  # characters that the rules see at once: their time grows with the square of a text
# More than 12 stops among 100 characters are no prose, and the rules would take minutes for it.
ODD = re.compile(r"(?=((?:[^.!?…()\[\]]{0,8}[.!?…()\[\]]){12}))")
INNER = re.compile(r"[.!?…۔؟:;](?!\d).*\w|… *$")  # Half of the lines of news have no stop within, and are one sentence.
CLOSING = r"[\"'”“’»)\]]"
QUOTED = re.compile(r"“[^“”]{1,600}”|\"[^\"]{1,600}\"|«[^«»]{1,600}»|„[^„“”]{1,600}[“”]")  # its sentences stay together
WORD = r"[^\W\d_]+(?:-[^\W\d_]+)*"
LAST = re.compile(rf"({WORD})\.{CLOSING}*$")
NEXT = rf"(?=([^\w.]{{0,3}})(?!\w\.)([{UPPER}][\w’'-]*))"  # the capitalised word behind an end, no initial
STOPPED = re.compile(rf"(?<![\w-])({WORD})\.{CLOSING}{{0,2}}\s+{NEXT}")
YEAR = re.compile(r"(?:^|[^\w\s]\s)(\w+) (?:\w+ ){0,3}[\dIVXL–-]+\s?$")  # where a clause begins with it
FIGURE = re.compile(r"(?:[\d½¼¾°%]|\b(?:tys|mln|mld|Mio|тис|тыс|млн|млрд)\.?)\s?$")
NAMED = re.compile(rf"[\w,—–-] ([{UPPER}][^\W\d_{UPPER}]+) $")  # before its initial, and not first in a sentence
JOINED = re.compile(
    rf"[{UPPER}]\.-[{UPPER}]\.$|\b[кд]\. ?[^\W\d_-]{{1,8}}\.$|[^.!?…\s]\s?\([^()]{{0,80}}[.!?…]\)$"
)  # "J.-Y.", "к. иск.", "(e.r.)"
DOTTED = re.compile(rf"(?:^|[^\w.])(?:[{UPPER}]\. ?)+$|\b(?:\w\.){{2,}}$")
INITIAL = re.compile(rf"[{UPPER}][\w.]{{0,3}}\.")
ELIDED = re.compile(r"(\w+)[’'](?=[^\W\d_])")
NUMBERED = re.compile(
    r"(?:^\W{0,3}|[:;]\s|\w{5}[.!?…]\s|\b\d{1,2}\. .{1,60},\s)\d{1,3}[.)]$"
)  # what begins an entry of a list, on a line of its own or not
ORDINAL = re.compile(r"(?:^|(\w*)[\s(])(?:\d{1,2}|[IVXL]+)\.$")
NUMBER = re.compile(r"(?:[№#]|[A-Z]\.)?\s?\d|[Nn]\.?[oº°]")
# “Who will pay?” Berg asked: the speaker belongs to what was said; and letters with stops to those before, "EE. UU.".
SAYS = rf"(?:{lists.pattern('saying')}|{lists.pattern('speaking')})"
SPEAKER = re.compile(rf"(?:(?:[A-Z][\w’'-]*\.?|the|a|an|of|[a-z]+er),? ){{1,5}}{SAYS}")
ASKED = re.compile(r"(?:[?!…]|\.\.\.)[”\"»’“']$")
HOUR = re.compile(r"\b[ap]\.m\.$")
CENTURY = re.compile(r"\b[IVXL]+\s$")
LETTERS = re.compile(rf"(?:^|\s)[{UPPER}]{{2}}\.$")
SLAVIC = ("pl", "ru", "uk")


def language(text: str) -> str:
    """Return the language of a text, by its commonest words where it is not sure; "en" where none tells."""
    if code := languages.of(text):
        return code
    known = lists.meanings("telling-words")
    counted = Counter(known[word] for word in re.findall(r"[^\W\d_]+", text[:5000].casefold()) if word in known)
    return counted.most_common(1)[0][0] if counted else "en"


@cache
def _rules() -> SrxDocument:
    return SrxDocument(ruleset=RULES)


@cache
def _ruled() -> frozenset[str]:
    return frozenset(RULED.findall(RULES.read_text("utf-8")))


@cache
def _words(name: str, key: str) -> frozenset[str]:
    """Return the words behind a key in a list of `key: words`, which may have the key on several lines."""
    entries = (line.partition(":") for line in lists.lines(name))
    return frozenset(word for known, _, said in entries if known == key for word in said.split())


@cache
def _may_end(code: str) -> re.Pattern[str]:
    phrases = (re.escape(word).replace("_", r"\s") for word in _words("may-end", code))
    return re.compile(rf"(?:(?<!\w)|(?=\W))(?:{'|'.join(phrases) or '(?!)'})\s{NEXT}")


def ends(line: str, code: str, quotations: bool = False) -> list[int]:
    """Return where the sentences of a line end, in order; white space belongs to the one before it.

    With `quotations`, what stands between two quotation marks is not divided.
    """
    if code in ("ja", "zh"):
        found = {_past_space(line, end) for end in ideographic(line, code)}
    elif not INNER.search(line):
        return [len(line)]
    elif code not in _ruled() or (sum(map(line.count, ".!?…()[]")) > 11 and ODD.search(line)):
        return [boundary["end_index"] for boundary in get_sentence_boundaries(code, line)]
    else:
        found = {end for end in _by_rules(line, code) if not _goes_on(line, end, code)}
        for stopped in STOPPED.finditer(line):
            verdict = _verdict(stopped, code)
            if verdict is not None:
                (found.add if verdict else found.discard)(stopped.end())
        for phrase in _may_end(code).finditer(line):
            if _opens(phrase[2], code) or (code in SLAVIC and not {*phrase[1]}.isdisjoint("«„“")):
                found.add(phrase.end())
    quoted_runs = QUOTED.finditer(line) if quotations else ()
    inside = {place for quoted in quoted_runs for place in range(quoted.start() + 1, quoted.end())}
    return sorted(found - inside | {len(line)})


def _past_space(line: str, end: int) -> int:
    while end < len(line) and line[end].isspace():
        end += 1
    return end


def _by_rules(line: str, code: str) -> Iterator[int]:
    start = 0
    while start < len(line):
        pieces = list(SrxTextIterator(_rules(), f"{code}_two", line[start : start + WINDOW]))
        whole = pieces[:-1] if len(pieces) > 1 and start + WINDOW < len(line) else pieces  # the last may be cut off
        for piece in whole:
            start += len(piece)
            yield start


def _opens(word: str, code: str) -> bool:
    """Tell whether a capitalised word begins a sentence and no name."""
    elided = ELIDED.match(word)
    return (elided[1] if elided else word) in _words("sentence-openers", code) or (code == "en" and is_plural(word))


def _known(word: str, code: str) -> bool:
    """Tell whether a word, or its last part, is an abbreviation that stands before a name."""
    return not _words("abbreviations", code).isdisjoint((word, word.rpartition("-")[2]))


def _verdict(stopped: re.Match[str], code: str) -> bool | None:
    """Tell whether a sentence ends behind a word with a stop and before a capital; None where the rules may tell."""
    word, marks, following = stopped[1], {*stopped[2]}, stopped[3]
    before = stopped.string[max(0, stopped.start() - 40) : stopped.start()]
    figure = FIGURE.search(before) is not None
    opens = _opens(following, code)
    if not marks.isdisjoint("¿¡—–") or (code != "en" and before.endswith("/")):  # "км/год."
        return True
    if len(word) > 3 and opens and stopped[0].rstrip().endswith(")"):
        return True
    if word in _words("last", f"{code} year") and (figure or CENTURY.search(before)):
        begun = YEAR.search(before)
        return begun is None or begun[1] not in _words("going-on", "years")
    if word in _words("last", code) or (figure and word in _words("last", f"{code} 1")):
        return code != "de" or opens or None  # whose nouns have capitals, too
    if code != "en" and len(word) == 1 and not figure:
        return _after_letter(word, before, following, code)
    if not _known(word, code):
        return None
    return before.endswith(", ") and code in SLAVIC and not marks.isdisjoint("«„“")  # "доктор наук, проф. «Почему?»"


def _after_letter(letter: str, before: str, following: str, code: str) -> bool | None:
    """Tell whether a sentence ends behind one letter with a stop: an initial, or short for a town or a street."""
    dotted, opens = before.endswith("."), _opens(following, code)
    if letter.islower():
        return (opens or None) if dotted or code not in SLAVIC else opens
    name = NAMED.search(before)
    if name is not None and not _known(name[1], code):
        court = code in SLAVIC and name[1] not in _words("going-on", "names")  # "Andrzej B.", not "John F. Kennedy"
        return opens or _known(following, code) or court
    return opens and (dotted or following not in _words("going-on", "surnames")) and not _known(letter, code)


def _goes_on(line: str, end: int, code: str) -> bool:
    """Tell whether a sentence goes on behind an end: in small letters, with its speaker, behind an abbreviation."""
    rest, before = line[end : end + 100].lstrip(), line[max(0, end - 100) : end].rstrip()
    if rest[:1].islower() or before.endswith(":"):
        return True
    last = LAST.search(before)
    word = last[1] if last else ""
    if rest and (_known(word, code) or (code == "ar" and len(word) == 1)):
        return True
    dashed = rest.lstrip("—–- ")
    return (
        (dashed != rest and dashed[:1].islower())  # and who says it
        or (ASKED.search(before) is not None and SPEAKER.match(rest) is not None)
        or (LETTERS.search(before) is not None and re.match(r"[A-Z]{2}\.", rest) is not None)
        or (HOUR.search(before) is not None and re.split(r"\W", rest, maxsplit=1)[0] in _words("going-on", "hours"))
        or (len(word) == 1 and end < len(line) and not line[end - 1].isspace())  # "C.O.B."
        or (JOINED.search(before) is not None and not _opens(_first(rest), code))
        or _counts(before, rest, code)
        or _goes_on_to(before, rest, code, word)
    )


def _goes_on_to(before: str, rest: str, code: str, word: str) -> bool:
    """Tell whether a sentence goes on to a figure, an initial, a remark in brackets."""
    counted = word.endswith("str") or any(word in _words(name, f"{code} 1") for name in ("abbreviations", "last"))
    if code == "en":  # which the library knows
        return counted and NUMBER.match(rest) is not None
    letter = len(word) == 1 and FIGURE.search(before[: before.rindex(word)]) is None
    initial = DOTTED.search(before) is not None or (letter and code in SLAVIC)
    return (
        (initial and INITIAL.match(rest) is not None)
        or ((letter or counted) and NUMBER.match(rest) is not None)  # "стр. 6", "Lindenstr. 8", "2 год. 10 хв."
        or (rest[:1] in ("(", "[") and rest[1:2].islower())
        or (code == "ar" and before.endswith("…") and before.rfind("«") > before.rfind("»"))
    )


def _counts(before: str, rest: str, code: str) -> bool:
    """Tell whether a number with a stop begins an entry of a list or is an ordinal: "am 17. 3.", "im 2. Quartal"."""
    ordinal = ORDINAL.search(before)
    if NUMBERED.search(before):
        return len(before) < 5 or (rest[:1].isalpha() and not _opens(_first(rest), code))
    if ordinal is None or re.match(r"\d{1,2}\.|[+]", rest) is not None:
        return ordinal is not None
    led = ordinal[1] or ""
    noun = before[-2].isdigit() and led[:1].isupper() and not _opens(led, code)  # "Halle 2.", but "Karl II."
    takes = (code == "de" and not noun) or (code == "pl" and led in _words("going-on", "ordinals"))
    return takes and rest[:1].isupper() and not _opens(_first(rest), code)


def _first(rest: str) -> str:
    return re.split(r"[^\w’'-]", rest, maxsplit=1)[0]
