"""What addresses of the web lead to: `fetch` gets it, and there is a file for each kind of place."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from index.read import Found
from index.read.article import Known, as_article
from index.read.notes import Notes
from index.sources import feed, page, sitemap
from index.sources.fetch import Client, Fetched, Later
from index.sources.page import Item, Read
from index.types import Article, BadInput, Rejected, shown

MOST = 1000  # pages of a feed or sitemap that a visit reads, the newest
TTL = re.compile(rb"<ttl>\s*(\d{1,6})\s*</ttl>")  # of a feed, in minutes
TRIES = 3  # visits in which an item that cannot be used is looked at
ADDRESS = re.compile(r"(https?):/+(?=[^/])|[a-z][a-z0-9+.-]+://", re.I)  # a Path has lost a slash; C:\ is none


def address(given: str | Path) -> str | None:
    """Return what is given where it is an address, of whatever scheme; None where it is a path."""
    found = ADDRESS.match(str(given))
    return (f"{found[1]}://" if found[1] else found[0]) + str(given)[found.end() :] if found else None


class Visit:
    """One look at an address: a page or any file, a feed, or a sitemap, whichever comes back.

    `state` is what the last visit left, {} at first: a JSON object without secrets, of kind (page, feed or sitemap),
    etag, modified and the items seen. It is kept up as `read` goes, so that a visit that broke off is gone on with.
    After `read`, `failure` says why the address itself could not be read, and `seconds` how long its host asks to wait:
    0 where it does not say, or nothing has changed.
    """

    def __init__(self, address: str, client: Client, state: Mapping[str, Any] | None = None, most: int = MOST) -> None:
        self.address, self.client, self.most = address, client, most
        self.state: dict[str, Any] = dict(state or {})
        self.failure, self.seconds = "", 0.0

    def read(self, known: Known, notes: Notes) -> Iterator[Found]:
        """Yield the articles that are new or changed there, and what cannot be used, with the reason."""
        try:
            self.client.login(self.address)
            if fetched := self.client.get(self.address, self.state.get("etag", ""), self.state.get("modified", "")):
                told = TTL.search(fetched.data)
                self.seconds = max(fetched.seconds, 60.0 * int(told[1]) if told else 0.0)
                yield from self._read(sitemap.unpacked(fetched), known, notes)
        except BadInput as error:
            self.failure, self.seconds = str(error), error.seconds if isinstance(error, Later) else 0.0
            yield self._rejected(self.address, error)

    def _read(self, fetched: Fetched, known: Known, notes: Notes) -> Iterator[Found]:
        now = {"etag": fetched.etag, "modified": fetched.modified}
        if page.root(fetched.data) in sitemap.ROOTS:
            items, refused = sitemap.pages(self.client, fetched, self.most)
            yield from (Found(one, (shown(self.address), ""), one.source, 0.0) for one in refused)
            yield from self._items("sitemap", items, now, known, notes)
        elif (listed := feed.items(fetched)) is not None:
            yield from self._items("feed", listed, now, known, notes)
        else:
            self.state = {"kind": "page"}
            for item, url in page.articles(fetched, known, notes, {}):
                now = now if isinstance(item, Article) else {}  # what cannot be used is told again
                yield self._found(item, url, 1.0)
            self.state |= now

    def _items(
        self, kind: str, items: list[Item], now: Mapping[str, str], known: Known, notes: Notes
    ) -> Iterator[Found]:
        if len(items) > self.most:
            told = f"only the newest {self.most:,} are read: give the addresses of older ones"
            notes.add("left out", shown(self.address), told)
        before = self.state.get("items", {})
        seen = {item.key: before[item.key] for item in items[: self.most] if item.key in before}  # stamp, tries
        self.state = {"kind": kind, "items": seen}
        due = [item for item in items[: self.most] if _due(item, seen)]
        for number, item in enumerate(due, 1):
            stamp, tries = seen.get(item.key, (item.stamp, 0))
            tries *= stamp == item.stamp  # what has changed is looked at anew
            seen[item.key] = [item.stamp, max(tries, 1)]
            try:
                for read in _articles(self.client, item, known, notes):
                    yield self._found(*read, number / len(due))
                seen[item.key] = [item.stamp, 0]
            except BadInput as error:
                seen[item.key][1] = max(tries, 1) if isinstance(error, Later) else tries + 1
                yield self._rejected(item.url or item.key, error, number / len(due))
        if not any(_due(item, seen) for item in items[: self.most]):
            self.state |= now

    def _found(self, item: Article | Rejected, url: str, share: float) -> Found:
        return Found(item, (shown(self.address), url), url, share)

    def _rejected(self, url: str, error: BadInput, share: float = 1.0) -> Found:
        return Found(Rejected(shown(url), str(error)), (shown(self.address), ""), shown(url), share)


def _due(item: Item, seen: Mapping[str, Any]) -> bool:
    stamp, tries = seen.get(item.key, ("", 1))
    return bool(stamp != item.stamp or 0 < tries < TRIES)


def _articles(client: Client, item: Item, known: Known, notes: Notes) -> list[Read]:
    """Return what stands on the page of an item, or else what the item itself holds, where that is a whole text."""
    known = known._replace(outlet=known.outlet or item.said.get("outlet"))
    try:
        if not item.url:
            raise BadInput("it has no link, and not its whole text: look for it where it was published")
        fetched = client.get(item.url)
        if not fetched or (item.whole and page.ending(fetched) != ".html"):
            raise BadInput("it is no page")
        read = list(page.articles(fetched, known, notes, item.said))
        refused = [one.item.reason for one in read if isinstance(one.item, Rejected)]
        if refused and len(refused) == len(read):
            raise BadInput(refused[0])
    except BadInput:
        if not item.whole:
            raise
        read = [Read(as_article(item.whole, item.key, known, item.key, notes), item.key)]
    return read
