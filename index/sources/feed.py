"""Reads feeds, RSS, RDF, Atom and JSON Feed: which articles there are, and what is said of each."""

import re
from collections.abc import Mapping
from email.utils import parseaddr
from io import BytesIO
from typing import Any

from index.read.article import CUT_OFF
from index.read.fields import named
from index.read.formats.feeds import entries
from index.read.formats.records import read_json
from index.read.plain import Source
from index.sources.fetch import Fetched
from index.sources.page import SNIFFED, Item, day, root
from index.types import digest, shown

ROOTS = ("rss", "feed", "rdf", "channel")
JSON_FEED = re.compile(rb'"version"\s*:\s*"https:\\?/\\?/jsonfeed\.org\\?/version')
CONTENT = ("content", "content_html", "content_text")
WHOLE, SUMMARY = 200, 1000  # characters from which a content, or what is called a summary, is taken for a whole text


def items(fetched: Fetched) -> list[Item] | None:
    """Return the items of a feed in its order, the newest first as a rule; None of anything else."""
    if root(fetched.data) in ROOTS:
        kind = f"{fetched.kind}; charset={fetched.charset}" if fetched.charset else fetched.kind
        found = entries(fetched.data, {"content-type": kind, "content-location": fetched.url})
    elif JSON_FEED.search(fetched.data[:SNIFFED]):
        found = [dict(one) for one, _ in read_json(Source(BytesIO(fetched.data))) if isinstance(one, Mapping)]
    else:
        return None
    return [_item(entry) for entry in found]


def _item(entry: Mapping[str, Any]) -> Item:
    """Return an entry as an item, whose whole text is its content, or a summary that is as long, if not cut off."""
    said, _ = named(entry, {})
    url, text = str(said["url"] or ""), str(said["text"] or "")
    names = said["authors"] if isinstance(said["authors"], list) else [said["authors"] or ""]
    authors = tuple(filter(None, (parseaddr(name)[0] if "@" in name else name for name in map(str, names))))
    told = {"outlet": said["outlet"], "published": day(said["published"]), "authors": authors}
    long = len(text) > (WHOLE if any(map(entry.get, CONTENT)) else SUMMARY)
    key = shown(url or str(said["id"] or said["title"] or digest(text, 8)))
    fields = {**said, "authors": list(authors), "outlet": None, "id": key, "url": shown(url) or None}
    changes = (said["title"], text, *map(entry.get, ("published", "updated", "date_modified", "summary")))
    return Item(url, key, digest(repr(changes), 8), told, fields if long and not CUT_OFF.search(text[-300:]) else None)
