"""What people read on the page, in each language that it has. English needs no catalogue: its strings are the keys.

A string is in a template or script of the page, behind `_`, or in said.txt, where it is what the service says in JSON,
in English at every door, with {places} for what it names. `python -m qa.locale` writes those that are new into the
catalogues, LANGUAGE/LC_MESSAGES/copydesk.po, and takes out what is said no more; tests/test_locale.py holds them to it.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any
from unicodedata import bidirectional

from babel import Locale
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

FOLDER = Path(__file__).parent
ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "uk": "Українська"}
SAID = [line for line in (FOLDER / "said.txt").read_text("utf-8").splitlines() if line and not line.startswith("#")]
COOKIE = "copydesk_language"
PLACE = re.compile(r"\\\{(\w+)\\\}")
DAY = r"\d{1,2} [A-Z][a-z]+ \d{4}"
BACKWARD = "R", "AL"  # Hebrew's letters, Arabic's: Unicode's names of their direction
PREFERRED = re.compile(r"([A-Za-z]{2,3})(?:-[\w-]+)?\s*(?:;\s*q\s*=\s*([\d.]+))?\s*(?:,|$)")


def catalogue(code: str) -> Catalog:
    """Return the catalogue of a language."""
    with (FOLDER / code / "LC_MESSAGES" / "copydesk.po").open("rb") as file:
        return read_po(file, locale=code, domain="copydesk")


class Words:
    """How one language says what the page says. Days are ISO dates."""

    def __init__(self, code: str) -> None:
        self.code, self.locale = code, Locale(code)
        self._known: NullTranslations = NullTranslations()
        self.texts: dict[str, str] = {}  # those of the page's scripts
        if code != ENGLISH:
            held, compiled = catalogue(code), BytesIO()
            write_mo(compiled, held)
            compiled.seek(0)
            self._known = GNUTranslations(compiled)
            scripted = [m for m in held if any(name.endswith(".js") for name, _ in m.locations)]
            self.texts = {str(m.id): str(m.string) for m in scripted}
        # Those that say most first: what names more is a longer form of the same.
        longest = sorted((line for line in SAID if "{" in line), key=lambda line: -len(re.sub(r"\{\w+\}", "", line)))
        self._forms = [(re.compile(PLACE.sub(_place, re.escape(line)), re.DOTALL), line) for line in longest]

    def _(self, text: str) -> str:
        """Return a string of the page."""
        return self._known.gettext(text)

    def count(self, one: str, several: str, n: int) -> str:
        """Return a string of the page that counts: the form that this number asks for."""
        return self._known.ngettext(one, several, n)

    def said(self, text: str | None) -> str:
        """Return what the service says of its own in English; what is not its own comes back as it is."""
        if not text or self.code == ENGLISH:
            return text or ""
        if text in SAID:
            return self._(text)
        for form, line in self._forms:
            if found := form.fullmatch(text):
                return self._(line).format(
                    **{name: self._named(name, held) for name, held in found.groupdict().items()}
                )
        return text

    def _named(self, name: str, held: str) -> str:
        """Return what stands in a place: a day, what the service says itself (`say…`), or what is not its own."""
        if name == "day":
            return self.day(datetime.strptime(held, "%d %B %Y").date().isoformat())
        if name == "language":
            return self.language(_codes().get(held, held))
        return self.said(held) if name.startswith("say") else held

    def day(self, published: str | None, form: str = "") -> str:
        """Return a day: 18 April 2025; in another form, of CLDR's letters, where one is given."""
        if not published:
            return self._("undated")
        return format_date(date.fromisoformat(published), form or self._("d MMMM y"), self.locale)

    def moment(self, stamp: str) -> str:
        """Return an ISO time as this machine's clock has it: 18 April 12:03."""
        at = datetime.fromisoformat(stamp).astimezone()
        day = self.day(at.date().isoformat(), self._("d MMMM"))
        return f"{day} {at:%H:%M}"

    def number(self, value: float) -> str:
        """Return a number with its digits in groups."""
        return format_decimal(value, locale=self.locale)

    def language(self, code: str | None) -> str:
        """Return the name of a language: Ukrainian for uk."""
        return str(self.locale.languages.get(code, code)) if code else ""

    def page(self, source: Mapping[str, Any], apart: str = " · ") -> str:
        """Return the page that a citation names, behind a mark: " · p. 3", or ""."""
        told = self._("p. {n}")
        return apart + told.format(n=number) if (number := source.get("page")) else ""

    def by(self, source: Mapping[str, Any], apart: str = " · ") -> str:
        """Return who published something, when, and on which page, where it has one: UNN · 18 April 2025 · p. 3."""
        outlet = isolated(source["outlet"]) or self._("unknown outlet")
        return f"{outlet}{apart}{self.day(source['published'])}{self.page(source, apart)}"


def backward(text: str) -> bool:
    """Tell whether a text is written from right to left: its first letter is that is not set apart."""
    own = re.sub("\u2068[^\u2069]*\u2069", "", text)
    return next((way != "L" for way in map(bidirectional, own) if way in ("L", *BACKWARD)), False)


def isolated(text: str | None) -> str:
    """Return a name or quotation that turns round no line in which it stands: isolated where it has such letters."""
    return f"\u2068{text}\u2069" if text and not {*map(bidirectional, text)}.isdisjoint(BACKWARD) else text or ""


@cache
def _codes() -> dict[str, str]:
    """Return the codes of languages by their English names."""
    return {name: code for code, name in Locale(ENGLISH).languages.items()}


def _place(found: re.Match[str]) -> str:
    return f"(?P<{found[1]}>{DAY if found[1] == 'day' else '.+'})"


words_of = cache(Words)
DEFAULT = words_of(ENGLISH)


def chosen(request: Any) -> Words:
    """Return the words of who sends a request: as its address asks (lang=uk), as was chosen, as the browser prefers."""
    for code in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if code in LANGUAGES:
            return words_of(code)
    asked = PREFERRED.findall(request.headers.get("accept-language", "")[:500])
    weighed = sorted(((_weight(q), code.lower()) for code, q in asked), key=lambda one: -one[0])
    return words_of(next((code for q, code in weighed if q and code in LANGUAGES), ENGLISH))


def _weight(given: str) -> float:
    try:
        return float(given or 1)
    except ValueError:
        return 0.0
