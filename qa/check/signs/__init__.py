"""What can be compared in any language: its words, numbers, months, days of the week, and how often it denies.

Months, days of the week and words of scale ("млн", "Mio.", "万") are CLDR's, by Babel; numerals and words that deny are
in index/text/lists. Nothing here knows grammar.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, NamedTuple

from babel import Locale, UnknownLocaleError, localedata

from index.text import fold, lists
from index.text.days import Day
from qa.check.signs.words import ARTICLE, LEAST, MARKS, SCRIPTS, UNSPACED, Token, plain, script, tokens

DIGITS = r"(?<!\d)\d+(?:(?:[ .,'٬](?=\d{3}(?!\d)))\d{3})*(?:[.,٫・·]\d+)?"
GROUP = re.compile(r"(?<=\d)[ .,'٬](?=\d{3}(?!\d))")
NUMERALS = re.compile(
    r"(?<!\d)[〇一二三四五六七八九十百千两]+(?=[人名年月日号件个個つ歳岁校台头頭票次回度位戸户天周倍割成点分万億亿])"
)
MOST_WRITTEN = 16  # words, of Chinese and Japanese characters, of a number with its unit
BESIDE = 24  # characters beside a number in which its unit stands
ERA = re.compile(r"令和(\d+)年")
READS_WORDS = {"fr", "de", "es", "it", "pt", "nl", "ca", "en"}  # text_to_num
WHOLE = r"(?![^\W\d_])"
SMALL = 12
DAY_BEFORE, DAY_BEHIND = re.compile(r"\d\.? $"), re.compile(r"(?:\.,?|,) ?\d")  # else "so" were Sunday, "mar" Tuesday


class Signs(NamedTuple):
    """What a text states that can be compared: values, months, days of months, days of the week (Monday is 0)."""

    numbers: frozenset[float]
    counted: frozenset[float]  # those in digits, and the large ones: "two" may be said as "both", or not at all
    months: frozenset[int]
    dates: frozenset[tuple[int, int]]  # month, day
    weekdays: frozenset[int]


@lru_cache(maxsize=4096)
def signs(text: str, code: str) -> Signs:
    """Return what a text in this language states that can be compared."""
    whole = plain(text)
    words = tokens(text)
    months = _named(whole, words, "months", code)
    dates = set()
    for place, end, month in months:
        before = re.findall(r"(\d{1,2})\D{0,5}$", whole[:place])
        near = before or re.findall(r"^\D{0,4}(\d{1,2})(?![\d.:])", whole[end:])
        dates |= {(month, int(day)) for day in near if 1 <= int(day) <= 31}
    numbered = [(int(m[1]), m[2]) for m in re.finditer(r"(?<!\d)(\d{1,2})月(?:(\d{1,2})[日号])?", whole)]
    dates |= {(month, int(day)) for month, day in numbered if day}
    numbers: dict[float, bool] = {}  # whether each is said in words alone
    for value, word in _numbers(whole, code):
        numbers[value] = numbers.get(value, True) and word
    return Signs(
        frozenset(numbers),
        frozenset(value for value, word in numbers.items() if value > SMALL or not word),
        frozenset({month for *_, month in months} | {month for month, _ in numbered}),
        frozenset(dates),
        frozenset(day for *_, day in _named(whole, words, "days", code)),
    )


def written(text: str, value: object, read: Callable[[str], Collection[object]]) -> str:
    """Return how a text writes a value: the fewest of its words in which it is read, too."""
    words, whole = tokens(text), plain(text)
    for length in range(1, MOST_WRITTEN):
        for first, last in zip(words, words[length - 1 :], strict=False):
            if value in read(said := whole[first.start : last.end]):
                return said
    return text


def days(text: str, code: str) -> list[Day]:
    """Return the days that a text in this language names by month and day, with the year where it has only one."""
    years = {int(year) for year in re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", plain(text))}
    year = min(years) if len(years) == 1 else None
    return [(year, *of_year) for of_year in sorted(signs(text, code).dates)]


@lru_cache(maxsize=8192)
def counts(text: str, code: str) -> tuple[tuple[float, str], ...]:
    """Return the numbers of a text that stand before a word, each with it; "9,5 zł" and "nueve horas"."""
    if code in UNSPACED:
        return ()
    whole = _in_digits(plain(text), code)
    words = tokens(whole)
    found = [(value, end) for value, _, end in _figures(whole, code)] + _in_words(whole, code)
    behind = {token.start: token.word for token in words if len(token.word) >= LEAST and token.word.isalpha()}
    return tuple((value, behind[end + 1]) for value, end in found if end + 1 in behind and whole[end] in " -")


@lru_cache(maxsize=65536)
def numeral(word: str, code: str) -> bool:
    """Tell whether a folded word of a language says a number, or is a part of one, as "hundred" is."""
    from text_to_num import text2num

    with suppress(ValueError):
        return word in _numerals(code) or (code in READS_WORDS and text2num(word, code) >= 0)
    return False


def _in_digits(text: str, code: str, least: int = 0) -> str:
    """Return a text with the numbers in words, from `least` on, as digits, where text_to_num knows the language."""
    if code not in READS_WORDS:
        return text
    from text_to_num import alpha2digit

    read, behind = "", 0
    for _, start, end in _figures(text, code):  # "million" behind digits would be a number of its own
        if start >= behind:
            read, behind = f"{read}{alpha2digit(text[behind:start], code, least)}{text[start:end]}", end
    return f"{read}{alpha2digit(text[behind:], code, least)}"


def _in_words(text: str, code: str) -> list[tuple[float, int]]:
    """Return the numerals of the list in a text, and where they end; "тридцять одна" is one."""
    found: list[tuple[float, int]] = []
    last = None
    for token in tokens(text):
        values = _numerals(code).get(token.word, set())
        for value in values:
            tens = found.pop()[0] if last and last % 10 == 0 and value < 10 and found else 0.0
            found.append((tens + value, token.end))
        last = max(values, default=None)
    return found


def denials(text: str, code: str) -> list[tuple[int, int]]:
    """Return where a text denies, in `plain` of it."""
    pattern = _denying(code)
    return [m.span() for m in pattern.finditer(plain(text).lower()) if m[1]] if pattern else []


def syllables(code: str) -> tuple[str, ...]:
    """Return with what a word of a language begins that denies the rest of it."""
    return tuple(word.rstrip("-") for word in _negations(code) if word.endswith("-"))


@cache
def _negations(code: str) -> list[str]:
    entries = (line.partition(":") for line in lists.lines("negations"))
    return [word for key, _, said in entries if key == code for word in said.split()]


@cache
def _denying(code: str) -> re.Pattern[str] | None:
    known = [word for word in sorted(_negations(code), key=len, reverse=True) if not word.endswith("-")]
    parts = {
        denies: "|".join(
            re.escape(word.rstrip("!")).replace(r"\*", r"\w*").replace("_", " ")
            for word in known
            if denies is (word[-1] != "!")
        )
        for denies in (True, False)
    }
    words, others = parts[True], parts[False]
    if not words:
        return None
    pattern = rf"{others or '(?!)'}|({words})"
    if code in UNSPACED:
        return re.compile(pattern)
    return re.compile(rf"(?<!\w){'و?' if code == 'ar' else ''}(?:{pattern})(?!\w)")


def _numbers(text: str, code: str) -> Iterator[tuple[float, bool]]:
    """Yield the numbers of a text, each with its scale, and whether it is written in words."""
    return ((value, word) for value, word, *_ in valued(text, code))


def valued(text: str, code: str) -> Iterator[tuple[float, bool, str, str]]:
    """Yield the numbers of a text, whether each is written in words, and what stands close before and behind it."""

    def beside(start: int, end: int, whole: str = text) -> tuple[str, str]:
        return whole[max(0, start - BESIDE) : start], whole[end : end + BESIDE]

    yield from ((value, True, *beside(end, end)) for value, end in _in_words(text, code))
    yield from ((float(int(m[1]) + 2018), True, "", "") for m in ERA.finditer(text))
    yield from ((_kanji(m[0]), True, *beside(*m.span())) for m in NUMERALS.finditer(text))
    yield from ((value, False, *beside(start, end)) for value, start, end in _figures(text, code))
    said = _in_digits(text, code, 2)
    yield from ((value, True, *beside(start, end, said)) for value, start, end in _figures(said, code))


def _figures(text: str, code: str) -> Iterator[tuple[float, int, int]]:
    """Yield each number in digits with its scale, and where it stands."""
    found: list[tuple[float, int, int]] = []
    last = -1  # 4億6000万 is one number
    for match in re.finditer(DIGITS, text):
        digits = re.sub(r"[,٫・·]", ".", GROUP.sub("", match[0]))
        scale, end = _scale(text, match.end(), code)
        value, start = float(digits) * scale, match.start()
        if start == last:
            total, start, _ = found.pop()
            value += total
        found.append((round(value, 6), start, end))
        last = end if scale > 1 and code in UNSPACED else -1
    yield from found


def _kanji(text: str) -> float:
    value, digit = 0.0, 0.0
    for character in text.replace("两", "二"):
        number = unicodedata.numeric(character)
        value, digit = (value + (digit or 1) * number, 0) if number >= 10 else (value, digit * 10 + number)
    return value + digit


def _scale(text: str, end: int, code: str) -> tuple[float, int]:
    rest = text[end : end + 20].casefold()
    for word, scale in _scales(code):
        if found := re.match(rf" ?{re.escape(word)}{'' if code in UNSPACED else WHOLE}", rest):
            return scale, end + found.end()
    return 1.0, end


@cache
def _numerals(code: str) -> dict[str, set[float]]:
    found: dict[str, set[float]] = {}
    for line in lists.lines("numerals"):
        key, _, said = line.partition(":")
        of, value = key.split()
        for word in said.split() if of == code else ():
            found.setdefault("".join(fold.words(MARKS.sub("", word))), set()).add(float(value))
    return found


@cache
def _scales(code: str) -> list[tuple[str, float]]:
    """Return the words of scale of a language, longest first."""
    found = {"千": 1000.0} if code in ("ja", "zh") else {}
    for formats in locale_of(code).compact_decimal_formats.values() if locale_of(code) else ():
        for patterns in formats.values():
            for power, pattern in patterns.items():
                zeros = str(pattern.pattern).count("0")
                word = re.sub(r"[0'\s]", "", str(pattern.pattern)).casefold()
                if word and word != "." and zeros:
                    found[word] = float(power) / 10 ** (zeros - 1)
                    found[word.rstrip(".")] = found[word]
    return sorted(found.items(), key=lambda entry: -len(entry[0]))


@cache
def locale_of(code: str) -> Any:
    try:
        return Locale.parse(code)
    except (UnknownLocaleError, ValueError):
        return None


@cache
def _calendar(code: str, kind: str) -> tuple[tuple[str, int], ...]:
    """Return the words for months or days of the week in a language and its regions, folded, with their numbers."""
    regions = [name for name in localedata.locale_identifiers() if name.partition("_")[0] == code]
    found = set()
    for locale in filter(None, map(locale_of, regions)):
        for forms in getattr(locale, kind).values():
            for width, names in forms.items():
                if width == "wide" or (width == "abbreviated" and code in ("zh", "fr", "es", "pt", "de", "it")):
                    stop = "." if width == "abbreviated" and code not in UNSPACED else ""
                    found |= {(_joined(name) + stop, number) for number, name in names.items()}
    return tuple((name, n) for name, n in sorted(found) if len(name) > 1 and not name[0].isdigit())


def _joined(text: str) -> str:
    return " ".join(fold.words(MARKS.sub("", text.rstrip("."))))


def _named(text: str, words: Sequence[Token], kind: str, code: str) -> list[tuple[int, int, int]]:
    """Return where a text names one of these, and which; what is short ends with a stop, and has a day beside it."""
    found = []
    for called, number in _calendar(code, kind):
        name, short = called.rstrip("."), called.endswith(".")
        if SCRIPTS.match(name) and script(name) == "cjk":
            found += [(m.start(), m.end(), number) for m in re.finditer(re.escape(name.removesuffix("日")), text)]
            continue
        first, _, second = name.partition(" ")
        for n, token in enumerate(words):
            if second:
                if token.word == first and words[n + 1 : n + 2] and words[n + 1].word == second:
                    found.append((token.start, words[n + 1].end, number))
            elif short:
                before = kind == "months" and DAY_BEFORE.search(text, 0, token.start)
                if token.word == name and (before or DAY_BEHIND.match(text, token.end)):
                    found.append((token.start, token.end, number))
            elif _form(token.word, name):
                found.append((token.start, token.end, number))
    return found


@lru_cache(maxsize=65536)
def _form(word: str, name: str) -> bool:
    """Tell whether a word is a form of the name of a month or a day: "середу", "Dienstagabend", "بالثلاثاء"."""
    if word == name or (name[0] >= "\u0600" and ARTICLE.sub("", word) == ARTICLE.sub("", name)):
        return True
    longer = len(word) - len(name)
    if len(name) < 4 or longer > 6:
        return False
    return (word.startswith(name) and len(name) > 5) or (word.startswith(name[:-1]) and longer <= (len(name) > 6))
