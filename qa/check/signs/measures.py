"""What the numbers of a text in any language count: units and currencies, by CLDR's names and those of two lists."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from babel import Locale

from index.text import lists
from index.text.terms import terms
from qa.check.signs import locale_of, valued, written
from qa.check.signs.words import MARKS, UNSPACED, plain

KINDS = re.compile(
    r"(?:length|area|volume|mass|duration|power|speed|energy-kilowatt)-(?!.*(?:-person|point$|solar|earth))"
)
PERCENT, METRIC = "concentr-percent", {"mass-tonne": "mass-ton"}
SHORT = 2  # letters of an abbreviation
NEXT = re.compile(r"[ -]([^\W\d_]{3,})(?!\w)")
CURRENCY = re.compile(r"[A-Z]{3}")
Units = frozenset[str]


@lru_cache(maxsize=4096)
def measured(text: str, code: str) -> frozenset[tuple[float, Units]]:
    """Return the numbers of a text, each with what it may count by CLDR's names; with none where no unit stands."""
    found = valued(plain(text), code)
    return frozenset((value, _behind(behind, code) or _before(before, code)) for value, _, before, behind in found)


def other_units(claim: str, code: str, said: str, there: str) -> list[str]:
    """Return the numbers of a claim that evidence in a language has, but each time with another unit; with theirs."""
    theirs = measured(said, there)
    wrong = set()
    for value, units in measured(claim, code):
        same = [other for known, other in theirs if known == value]
        if units and same and all(other and not other & units for other in same):
            wrong.add((value, units))
    ordered = sorted(wrong, key=lambda found: found[0])
    return [written(claim, one, lambda text: measured(text, code)) for one in ordered]


def _behind(text: str, code: str) -> Units:
    pattern, meanings = _forms(code)
    found = pattern.match(MARKS.sub("'", text).casefold())
    if not found:
        first = NEXT.match(text)
        return _inflected(code).get(_stem(first[1], code), frozenset()) if first else frozenset()
    if found["form"] in meanings:
        return meanings[found["form"]]
    return frozenset().union(*(units for stem, units in _stems().items() if found["form"].startswith(stem)))


@cache
def _inflected(code: str) -> dict[str, Units]:
    """Return the units of a language by the stems of the words for them: "dniach" is a form of "dni"."""
    found: dict[str, Units] = {}
    for form, units in _forms(code)[1].items() if code not in UNSPACED else ():
        if form.isalpha() and len(form) > SHORT:
            found[_stem(form, code)] = found.get(_stem(form, code), frozenset()) | units
    return found


def _stem(word: str, code: str) -> str:
    return min(terms(word, code), default="")


def _before(text: str, code: str) -> Units:
    """Return the currency whose symbol or code stands before a number."""
    last = re.search(r"([^\s\d\w]|(?<!\w)[a-z]{3}) ?$", text.casefold())
    units = _forms(code)[1].get(last[1], frozenset()) if last else frozenset()
    return frozenset(filter(CURRENCY.fullmatch, units))


@cache
def _stems() -> dict[str, Units]:
    """Return the beginnings of words for currencies."""
    found: dict[str, set[str]] = {}
    for word, name in _called():
        if word.endswith("*"):
            found.setdefault(word.rstrip("*"), set()).add(name)
    return {stem: frozenset(names) for stem, names in found.items()}


def _called() -> Iterator[tuple[str, str]]:
    for line in lists.lines("currencies"):
        name, _, said = line.partition(":")
        yield from ((word.casefold(), name) for word in said.split())


@cache
def _forms(code: str) -> tuple[re.Pattern[str], dict[str, Units]]:
    """Return what finds a unit behind a number in a language, and what each of its forms may mean."""
    found: dict[str, set[str]] = {}
    known = locale_of(code)
    for form, name in [*_units(known), *_currencies(known)] if known else ():
        found.setdefault(MARKS.sub("'", plain(form)).strip().casefold(), set()).add(METRIC.get(name, name))
    for line in lists.lines("units-abroad"):
        words, _, names = line.partition(":")
        of, form = words.split(" ", 1)
        if of == code:
            found.setdefault(plain(form).casefold(), set()).update(names.split())
    for word, name in _called():
        if not word.endswith("*"):
            found.setdefault(word, set()).add(name)
    found.pop("", None)
    exact = map(re.escape, sorted(found, key=len, reverse=True))
    words = "|".join([*exact, *(rf"{re.escape(stem)}\w*" for stem in _stems())])
    end = "" if code in UNSPACED else r"(?!\w)"
    pattern = re.compile(rf" ?-?(?:d'|d[ei] )?(?P<form>{words}){end}")
    return pattern, {form: frozenset(names) for form, names in found.items()}


def _units(known: Locale) -> Iterator[tuple[str, str]]:
    """Yield the forms of CLDR's units; lengths of time in full, where it has them so: "m" and "кв." may be anything."""
    for name, widths in known._data["unit_patterns"].items():  # Babel writes units, and does not list their forms
        forms = {width: set(_written(widths.get(width, {}))) for width in ("long", "short")}
        if name.startswith("duration") and forms["long"]:
            del forms["short"]
        if KINDS.match(name) or name == PERCENT:
            yield from ((form, name) for found in forms.values() for form in found)


def _written(patterns: dict[str, Any]) -> Iterator[str]:
    for count, pattern in patterns.items():
        if count != "per" and isinstance(pattern, str):
            yield pattern.replace("{0}", "").strip()


def _currencies(known: Locale) -> Iterator[tuple[str, str]]:
    """Yield symbols, codes, and those names that are one word."""
    for name in dict.fromkeys(name for _, name in _called()):
        yield name, name
        yield known.currency_symbols.get(name, name), name
        forms = known._data["currency_names_plural"].get(name, {}).values()
        yield from ((form, name) for form in forms if " " not in form)
