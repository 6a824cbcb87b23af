"""Reads feeds, RSS, RDF, Atom and JSON Feed: which articles there are, and what is said of each."""

import re
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parseaddr
from io import BytesIO
from typing import Any

from index.read.article import CUT_OFF
from index.read.fields import named
from index.read.formats.feeds import ROOTS, entries
from index.read.formats.pages import of_blocks
from index.read.formats.records import read_json
from index.read.plain import Source
from index.sources.fetch import Fetched
from index.sources.page import SNIFFED, Item, day, decoded, root
from index.types import BadInput, digest, shown, translated

JSON_FEED = re.compile(rb'"version"\s*:\s*"https:\\?/\\?/jsonfeed\.org\\?/version')
MOST_BYTES = 10_000_000  # feedparser takes a second for each million
WHOLE = 200  # characters from which on a content is taken for the whole text


def items(fetched: Fetched) -> list[Item] | None:
    """Return the items of a feed in its order, the newest first as a rule; None of anything else."""
    is_xml, is_json = root(fetched.data) in ROOTS, JSON_FEED.search(fetched.data[:SNIFFED])
    if (is_xml or is_json) and len(fetched.data) > MOST_BYTES:
        raise BadInput(f"a feed of over {MOST_BYTES / 1e6:,.0f} MB: give the addresses of its pages, or their sitemap")
    if is_xml:
        data = fetched.data if b"encoding=" in fetched.data[:100] else decoded(fetched)
        with translated(BadInput, "it cannot be read", ValueError):
            return [_item(_told(entry)) for entry in entries(data)]
    if is_json:
        found = [one for one, _ in read_json(Source(BytesIO(fetched.data))) if isinstance(one, Mapping)]
        return [_item(named(one, {})[0] | {"cut": not {"content_html", "content_text"} & one.keys()}) for one in found]
    return None


def _told(entry: dict[str, Any]) -> dict[str, Any]:
    html = entry.pop("html")
    with suppress(BadInput):  # which its page is not
        return of_blocks(html, {name: value for name, value in entry.items() if value})
    return entry


def _item(said: Mapping[str, Any]) -> Item:
    url, text, names = said.get("url") or "", said.get("text") or "", said.get("authors") or []
    authors = [parseaddr(name)[0] if "@" in name else name for name in ([names] if isinstance(names, str) else names)]
    told = {"outlet": said.get("outlet"), "published": day(said.get("published")), "authors": [*filter(None, authors)]}
    key = shown(url or str(said.get("id") or said.get("title") or digest(text, 8)))
    stamp = digest(repr((said.get("title"), said.get("published"), text)), 8)
    whole = {**said, **told, "id": key, "url": shown(url) or None, "published": said.get("published"), "outlet": None}
    cut = said.get("cut") or len(text) < WHOLE or CUT_OFF.search(text[-300:])
    return Item(url, key, stamp, told, None if cut else whole)
