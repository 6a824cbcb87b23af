"""What kind of thing a question asks for, and whether a sentence has it, in languages other than English.

Questions are known by lists of expressions, as are reasons, places and, of languages without capitals, persons. Numbers
and days are read as the check reads them; words for times, "вчора", "Wochen", are dateparser's.
"""

import re
from functools import cache, lru_cache
from importlib import import_module
from itertools import pairwise
from typing import Any

from index.text import lists
from index.text.terms import content_terms
from qa.check.against import NOUNS
from qa.check.signs import signs
from qa.check.signs.words import MARKS, UNSPACED, language, plain, same_word, tokens
from qa.steps import understand

KINDS = ("number", "day", "reason", "person", "place")
CLOCK = re.compile(r"(?<!\d)(?:[01]?\d|2[0-3])[:.h時点时](?:[0-5]\d|半)?(?!\d)")
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
TIMES = "year month week day hour"  # dateparser's names
FOREIGN_NAME = re.compile(
    r"[ァ-ヴー]{2,}[・＝][ァ-ヴー]{2,}|[一-龥]{1,4}·[一-龥]{1,4}"
)  # レイモンド・スミス, 约翰·史密斯


def kind(question: str, code: str | None) -> str:
    """Return what a question in a language asks for: one of KINDS, or "any" where its words do not tell."""
    if code in (None, "en") and (known := understand.kind(question)) in KINDS:
        return known
    found = [
        (match.start(), -len(match[0]), kind)
        for kind in (*KINDS, "any")
        if (pattern := _pattern("kinds-asked", code or "en", kind)) and (match := pattern.search(_said(question)))
    ]
    return min(found)[2] if found else "any"


def has(wanted: str, question: str, sentence: str, code: str) -> bool:
    """Tell whether a sentence in a language has a thing of this kind that the question has not."""
    if wanted == "number":
        return bool(_numbers(sentence, code) - _numbers(question, language(question)))
    if wanted == "day":
        return bool(_days(sentence, code) - _days(question, language(question)))
    if wanted == "person" and (code in NOUNS or any(token.capital for token in tokens(sentence))):
        return bool(_names(question, sentence, code))
    told = _pattern("kinds-told", code, wanted)
    return bool(told and told.search(_said(sentence))) or (wanted == "person" and bool(FOREIGN_NAME.search(sentence)))


@lru_cache(maxsize=4096)
def _numbers(text: str, code: str) -> frozenset[float]:
    """Return the numbers of a text that are no days and no years."""
    found = signs(text, code)
    dated = {float(day) for _, day in found.dates} | {float(month) for month in found.months}
    return found.numbers - dated - {float(year) for year in YEAR.findall(plain(text))}


@lru_cache(maxsize=4096)
def _days(text: str, code: str) -> frozenset[object]:
    """Return what tells when: days and months, years, times of the day, words such as "tomorrow"."""
    found, said = signs(text, code), _said(text)
    named = {*(("month", n) for n in found.months), *(("weekday", n) for n in found.weekdays), *found.dates}
    said_times = pattern.findall(said) if (pattern := _times(code)) else []
    return frozenset({*named, *YEAR.findall(said), *CLOCK.findall(said), *said_times})


def _names(question: str, sentence: str, code: str) -> list[str]:
    """Return the capitalised words of a sentence that are likely names and are not in the question.

    Where nouns are capitalised, too, those are names that stand beside another, and are no "Der".
    """
    words, asked = tokens(sentence), [token.word for token in tokens(question)]
    if code in NOUNS:
        pairs = [(one, other) for one, other in pairwise(words) if one.capital and other.capital and other.inside]
        found = [token.word for pair in pairs if content_terms(pair[0].word, code) for token in pair]
    else:
        found = [token.word for token in words if token.capital and token.inside and len(token.word) > 1]
    return [word for word in found if not any(same_word(word, other) for other in asked)]


def _said(text: str) -> str:
    return MARKS.sub("'", plain(text)).casefold()


@cache
def _pattern(name: str, code: str, kind: str) -> re.Pattern[str] | None:
    rows = (line.partition(":") for line in lists.lines(name))
    said = [entry.strip() for key, _, entries in rows if key == f"{code} {kind}" for entry in entries.split(";")]
    return _any(said, code)


def _any(said: list[str], code: str) -> re.Pattern[str] | None:
    entries = [re.escape(_said(entry)).replace(r"\*", r"\w*") for entry in sorted(said, key=len, reverse=True)]
    if not entries:
        return None
    joined = "|".join(entries)
    return re.compile(joined if code in UNSPACED else rf"(?<!\w){'[وف]?' if code == 'ar' else ''}(?:{joined})(?!\w)")


@cache
def _times(code: str) -> re.Pattern[str] | None:
    """Return what finds words for days relative to now, and for lengths of time."""
    try:
        info: dict[str, Any] = import_module(f"dateparser.data.date_translation_data.{code}").info
    except ModuleNotFoundError:
        return None
    relative = [word for words in info.get("relative-type", {}).values() for word in words]
    lasting = [word for name in TIMES.split() for word in info.get(name, [])]
    return _any([word for word in (*relative, *lasting) if len(word) > (1 if code in UNSPACED else 2)], code)
