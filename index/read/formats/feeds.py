"""Reads RSS, RDF and Atom."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import feedparser


def entries(data: bytes, said: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return the entries of a feed as feedparser has them, each with the feed's title as `feed`.

    `said` are headers with which it came: content-type has its encoding, content-location what its links begin with.
    """
    found = feedparser.parse(BytesIO(data), response_headers=dict(said or {}))
    return [{**entry, "feed": found.feed.get("title")} for entry in found.entries]
