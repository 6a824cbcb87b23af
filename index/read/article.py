"""Makes an `Article` of the fields that a reader found, whatever the format, or says what is wrong with them."""

import re
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from index.read import fields as table
from index.read import plain, wire
from index.read.notes import Notes
from index.read.wire import PAGE
from index.text import language
from index.text.cut import is_caption, sentences
from index.text.datelines import dateline
from index.text.days import appeared, parse_date
from index.types import Article, BadInput, translated

TITLE_CHARACTERS = 120
FIELD_CHARACTERS = 2000
TEXT_CHARACTERS = 1_000_000  # A minute of encoding; live coverage of a day has 200,000.
CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ud800-\udfff"  # The last stand for bytes of a name that are not UTF-8.
# Tags, which no reader sees and which can spell whole sentences; those behind a black flag make it Scotland's.
# Soft hyphens, zero-width spaces and what turns letters round stay: a text is kept to the character.
TAGS = re.compile("(\U0001f3f4[\U000e0061-\U000e007a]{2,6}\U000e007f)|[\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]+")
CUT_OFF = re.compile(  # as news services and feeds end what they shorten: "… [+1834 chars]", "… Continue reading"
    r"(\s*(?:…|\.{3})?\s*[\[(](?:\+?[\d,]+ (?:more )?char(?:acter)?s?|…|\.{3}|(?:text )?truncated)[\])]"
    r"|\s*(?:…|\.{3})\s*(?:Continue reading|Read (?:more|on|(?:the )?(?:full|whole|entire))\b).{0,200})$|(?:…|\.{3})$",
    re.I,
)
BEHIND = re.compile(r"^(.+\S)\s+[-–—|]\s+(\S.*?)$")  # the outlet, as services put it behind a title
UNPRINTABLE = re.compile(rf"[{CONTROL}\t\n\u2028\u2029]")


class Known(NamedTuple):
    """What the user says of articles that do not say it: outlet, year of a dateline; and of names, theirs: ours.

    With `links`, links out of a folder are followed.
    """

    outlet: str | None = None
    year: int | None = None
    names: Mapping[str, str] = {}
    links: bool = False


def as_article(fields: object, default_id: str, known: Known, name: str, notes: Notes) -> Article:
    """Build the article that a record describes. Raises BadInput for one that is none."""
    if isinstance(fields, BadInput):
        raise fields
    if not isinstance(fields, Mapping):
        raise BadInput("not an article: expected an object with at least a text")
    said = f"{fields.get('title')} {fields.get('text')}"
    if (whole := plain.mended(said)) != said:
        odd = next((p for p in zip(said.split(), whole.split(), strict=False) if p[0] != p[1]), ("spaces",))
        notes.add("encoding mended", name, f"{' read as '.join(odd)}: export it as UTF-8 if that is wrong")
    fields = wire.told({**fields, "text": _clean(fields.get("text"), "text", TEXT_CHARACTERS)}, name, known.year)
    text = fields["text"]
    if not text:
        raise BadInput("it has no text")
    first, _, rest = text.partition("\n")
    if rest and PAGE not in first and "" != table.fold(first[:500]) == table.fold(str(fields.get("title") or "")):
        text = rest.strip()
    if cut := CUT_OFF.search(text, max(0, len(text) - 300)):
        notes.add("cut off", name, f"{cut[0].strip()}: ingest the whole text")
        text = _untorn(text[: cut.start()].rstrip()) if cut[1] else text
    elif fields.get("cut"):
        notes.add("cut off", name, "perhaps a summary alone: ingest the whole text")
    text, pages = _paged(text, fields.get("page", 0))
    url = _clean(fields.get("url"), "url") or None
    published = fields.get("published")
    day = None if published in (None, "") else parse_date(published)
    if day and not appeared(day):
        fields["undated"], day = f"{day} is no day of publication: write it as YYYY-MM-DD", None
    if day is None:
        notes.add("undated", name, fields.get("undated") or "nothing declares the day: give it as published")
    if until := fields.get("embargo"):
        notes.add("embargoed", name, f"{until}: no day of publication, so take it out where it is still to come")
    outlet = _clean(fields.get("outlet"), "outlet") or _clean(known.outlet, "outlet")
    if url and not outlet:
        with translated(BadInput, f"its url {url[:99]!r} is not one", ValueError):
            outlet = table.host(url)
    title = _clean(fields.get("title"), "title")
    behind = BEHIND.search(title)
    return Article(
        pages=pages,
        language=language.of_article(text, fields.get("language")),
        id=_clean(fields.get("id"), "id") or url or default_id,
        title=(behind[1] if behind and table.fold(behind[2]) == table.fold(outlet) else title) or _derived_title(text),
        text=text,
        outlet=outlet or None,
        published=day,
        url=url,
        authors=_authors(fields.get("authors")),
    )


def _clean(value: object, name: str, most: int = FIELD_CHARACTERS) -> str:
    """Return a field as clean text: no control characters, lone surrogates or Windows line ends; one line if short."""
    if value is None:
        return ""
    if not isinstance(value, str) and not (name == "id" and type(value) is int):
        raise BadInput(f"its {name} is a {type(value).__name__}, not a string")
    text = str(value) if name in ("id", "url") else plain.mended(str(value))
    text = re.sub(r"\r\n?|\u2028|\u2029|\x85", "\n", text)
    text = text.replace("\f", PAGE) if name == "text" else text
    text = TAGS.sub(r"\1", re.sub(f"[{CONTROL}]", "", text))
    text = text.strip() if name == "text" else " ".join(text.split())
    if len(text) > most:  # A mistake most likely; and a shortened id or url would be another article's.
        raise BadInput(f"its {name} has {len(text):,} characters and {most:,} are the most: shorten or split it")
    return text


def _paged(text: str, number: int) -> tuple[str, tuple[int, ...]]:
    """Return a text without the marks of its pages, and where each page begins in it, from a known one on."""
    first, *others = text.split(PAGE)
    every = [first, *others] if first.strip() else others
    text = "".join(every).strip()
    starts = accumulate((len(page) for page in every[:-1]), initial=0)
    before = (0,) * (number - 1)
    return text, (*before, *(start for start in starts if start < len(text))) if others or number else ()


def _untorn(text: str) -> str:
    """Return a text that was cut off without the sentence that it was cut off in, where there are others."""
    if not text or re.search(r"[.!?…][\"'”’)]*$", text):
        return text
    start = max(0, len(text) - FIELD_CHARACTERS)
    return text[: start + sentences(text[start:])[-1].start].rstrip() or f"{text}…"


def _derived_title(text: str) -> str:
    """Return an untitled article's first real sentence, shortened at a space where it is long."""
    lines = [line for line in text.split("\n") if len(line.split()) > 3 and not is_caption(line)]
    first = (lines[0] if lines else text.split("\n")[0])[:2000]  # a million take minutes
    first = first[sent.end :] if (sent := dateline(first)) else first
    line = next((first[s.start : s.end] for s in sentences(first) if s.end - s.start > 20), first.strip())
    cut = line[:TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:–—-") + "…"
    return line if len(line) <= TITLE_CHARACTERS else cut


def _authors(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    names = re.split(r"[;,]| and | & ", value) if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput("its authors are not a list of names")
    return tuple(dict.fromkeys(filter(None, (wire.person(_clean(name, "authors")) for name in names))))
