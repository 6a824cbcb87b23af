"""Reads feeds: RSS of all versions, RDF, Atom and CDF, also broken ones. Each item is an article."""

import re
from collections.abc import Iterator
from html import escape, unescape
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

from index.read import markup
from index.read.formats import agency
from index.read.formats.pages import CONTROL, of_blocks
from index.read.plain import Source
from index.types import BadInput

ROOTS = ("rss", "rdf", "feed", "channel")
TEXTS = ("text/plain", "text/html", "application/xhtml+xml")
WHOLE = 1500  # characters from which on a description is taken for the text itself: of shorter ones few are
# feedparser takes the square of the attributes of an element, and seconds for entities that are made of others.
HOSTILE = re.compile(rb"<(?:[^<>=]*=){200}|<!ENTITY[^<>]*&\w")
NEITHER = "no feed, or a damaged one"


def read_xml(file: Source) -> Iterator[tuple[Any, str]]:
    """Yield each article of a feed or an agency's delivery, told apart by the first element."""
    from lxml import etree

    data, name = file.read(), ""
    try:
        for _, element in etree.iterparse(BytesIO(data), ("start",), recover=True, resolve_entities=False):
            name = re.sub(r".*[}:]", "", element.tag).lower()
            break
    except etree.XMLSyntaxError as error:
        raise ValueError(f"no XML, or a damaged file ({error})") from error
    if name in ("urlset", "sitemapindex"):
        raise ValueError("a sitemap, which names pages and holds none: copydesk ingest ADDRESS fetches them")
    if name in agency.ROOTS:
        yield from agency.read(data)
    elif name in ROOTS:
        yield from _items(data)
    else:
        raise ValueError(f"its first element, {name[:40] or 'none'}, is none of a feed, NewsML or NITF")


def _items(data: bytes) -> Iterator[tuple[Any, str]]:
    found = entries(data)
    if not found:
        raise ValueError("a feed without items: fetch it again")
    for number, entry in enumerate(found, 1):
        item: dict[str, Any] | BadInput
        try:
            item = of_blocks(entry.pop("html"), {ours: value for ours, value in entry.items() if value})
        except BadInput as error:
            item = error
        else:
            if not item["text"]:
                item = BadInput("an item without text: copydesk ingest ADDRESS fetches the page that it leads to")
        yield item, f"item {number}"


def entries(data: bytes) -> list[dict[str, Any]]:
    """Return what a feed says of each item: title, url, id, outlet (the feed's title), authors, published.

    `html` is its content, else its summary, not yet sanitised; `cut` is true where that may not be the whole text,
    `undated` says what day it has in place of that of publication. Raises ValueError or BadInput where it is no feed.
    """
    import feedparser

    if HOSTILE.search(data):
        raise ValueError(f"{NEITHER}: an element has over 200 attributes, or an entity is made of others")
    try:  # given as a stream: a string might be an address
        found = feedparser.parse(BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
    except (AssertionError, AttributeError, LookupError, RecursionError, TypeError) as error:
        raise ValueError(f"{NEITHER} ({error})") from error
    if not found.entries and not found.version and not found.feed:
        why = str(found.get("bozo_exception") or "nothing in it is an item")
        raise ValueError(f"{NEITHER} ({why})")
    return [_entry(entry, found.feed, found.version.startswith("atom")) for entry in found.entries]


def _entry(entry: Any, feed: Any, atom: bool) -> dict[str, Any]:
    parts = [*entry.get("content", []), entry.get("summary_detail") or {}]
    texts = [_html(part) for part in parts if part.get("type", TEXTS[1]) in TEXTS]
    html = next(filter(None, texts), "")
    day = entry.get("published") or entry.get("created") or ("" if atom else entry.get("updated"))  # as RDF has it
    link = urljoin(feed.get("link", ""), entry["link"]) if entry.get("link") else ""
    outlet = _line(entry.get("source", {}).get("title_detail")) or _line(feed.get("title_detail"))
    fields = {
        "title": _line(entry.get("title_detail")),
        "url": link if re.match(r"https?://", link) else None,
        "id": entry.get("id"),
        "outlet": re.sub(r" [-–—|] .*", "", outlet),
        "authors": [author["name"] for author in entry.get("authors", []) if author.get("name")],
        "published": day,
        "html": html,
        "cut": len(html) < WHOLE and not any(texts[:-1]),
    }
    if not day and (changed := entry.get("updated")):
        fields["undated"] = f"only a change, {changed}, has a day: give that of publication as published"
    return fields


def _html(part: Any) -> str:
    value = CONTROL.sub("", part.get("value") or "").strip()
    return f"<pre>{escape(unescape(value))}</pre>" if value and part.get("type") == TEXTS[0] else value


def _line(part: Any) -> str:
    """Return a title as plain text on one line."""
    return " ".join(" ".join(markup.blocks(_html(part or {}))[1]).split())
