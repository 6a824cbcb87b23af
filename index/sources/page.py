"""Reads what stands behind one address, whatever kind of file it is."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import filetype

from index.read import read
from index.read.article import Known
from index.read.fields import host
from index.read.formats import READERS
from index.read.notes import Notes
from index.sources.fetch import Fetched
from index.text.days import appeared, day_or_none
from index.types import Article, BadInput, Rejected, shown

SNIFFED = 8192  # bytes
TYPES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt", "text/markdown": ".md",
    "application/json": ".json", "application/ld+json": ".json", "application/feed+json": ".json",
    "application/x-ndjson": ".jsonl", "application/jsonl": ".jsonl", "text/csv": ".csv",
    "text/tab-separated-values": ".tsv", "message/rfc822": ".eml", "application/mbox": ".mbox",
    "text/rtf": ".rtf", "application/warc": ".warc",
}  # fmt: skip
ABOVE = re.compile(rb"<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^\[>]*(?:\[.*?\])?\s*>|\x00", re.S | re.I)  # \0: of UTF-16
ROOT = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*<(?:[\w.-]+:)?([a-z][\w.-]*)", re.I)
HTML = {"html", "head", "body", "title", "meta", "link", "script", "div", "p", "h1"}
TEXTS = (".html", ".txt", ".md", ".json", ".jsonl", ".csv", ".tsv")
OTHERS = re.compile(r"(?:image|audio|video|font)/")
FEED = re.compile(
    rb"""<link\b(?=[^>]{0,500}\brel=["']?alternate)(?=[^>]{0,500}\btype=["']?application/(?:rss|atom|feed\+json))"""
    rb"""[^>]{0,500}\bhref=["']?([^"'\s>]{1,500})""",
    re.I,
)
SITES = re.compile(r"^(?:www|m|mobile|amp)\.")


class Item(NamedTuple):
    """A page that a feed or a sitemap names, what tells a change of it, and what is said of it there.

    `said` has outlet, published (a date) and authors where they are known; `whole` are the fields of an article where
    its text is whole.
    """

    url: str
    key: str  # by which it is known again, without secrets
    stamp: str
    said: Mapping[str, Any]
    whole: Mapping[str, Any] | None = None


class Read(NamedTuple):
    """An article of an address or why it is none, and the address that is its own."""

    item: Article | Rejected
    url: str


def root(data: bytes) -> str:
    """Return the name of the first element of a file, "" where it does not begin with one."""
    found = ROOT.match(ABOVE.sub(b"", data[:SNIFFED]))
    return found[1].decode().lower() if found else ""


def ending(fetched: Fetched) -> str:
    """Return the ending of a file like this, of those that there are readers for; "" for any other."""
    named = next((kind for kind in READERS if urlsplit(fetched.url).path.lower().endswith(kind)), "")
    begins, element = f".{filetype.guess_extension(fetched.data[:SNIFFED])}", root(fetched.data)
    declared = TYPES.get(fetched.kind, "")
    if element in HTML:
        return ".html"
    if begins in READERS and not (begins == ".zip" and named):  # as .wacz is
        return begins
    if element and declared in ("", ".txt") and ".xml" in READERS:
        return ".xml"
    if named and (declared == ".txt" or not (declared or OTHERS.match(fetched.kind))):
        return named
    return declared if declared in READERS else ""


def articles(fetched: Fetched, known: Known, notes: Notes, said: Mapping[str, Any]) -> Iterator[Read]:
    """Yield what stands behind an address. Raises BadInput where it is of no kind that is read.

    `said` has what is known of it from elsewhere, published (a date) and authors, where it does not say them itself.
    """
    suffix = ending(fetched)
    if not suffix:
        raise BadInput(f"it is no text ({fetched.kind or 'of no type'}): {', '.join(READERS)} are read")
    known = known._replace(outlet=known.outlet or host(fetched.url))
    stem = PurePosixPath(unquote(urlsplit(fetched.url).path)).name.removesuffix(suffix)
    name = re.sub(r"[^\w.,-]|^[.~]", "-", stem)[:60] + suffix
    with TemporaryDirectory(prefix="copydesk-") as folder:
        path = Path(folder, name)
        path.write_bytes(decoded(fetched) if suffix in TEXTS else fetched.data)
        for found in read([path], known, notes):
            if isinstance(found.item, Rejected):
                reason = found.item.reason + (_feeds(fetched) if suffix == ".html" else "")
                yield Read(Rejected(found.item.source.replace(str(path), fetched.url), reason), fetched.url)
                continue
            if found.item.published is None and said.get("published"):
                notes.take_back("undated", name)
            item = found.item
            if "." in (item.outlet or "") and str(item.outlet) in str(item.url):  # a mere host, or anybody's
                item = replace(item, outlet=known.outlet)
            yield _at_home(item, name, fetched.url, suffix == ".html", said)


def day(said: object) -> date | None:
    """Return the day that a feed or a sitemap names, None where it can be no day of publication."""
    found = day_or_none(str(said or ""))
    return found if found and appeared(found) else None


def _at_home(article: Article, name: str, url: str, page: bool, said: Mapping[str, Any]) -> Read:
    """Return an article under its own address: a page's canonical one, if that is of the same site, else the last."""
    if page and article.url and _same_site(shown(article.url), url):
        url = shown(article.url)
    day, authors = article.published or said.get("published"), article.authors or said.get("authors") or ()
    article = replace(article, published=day, authors=tuple(authors))
    unnamed = article.id == name or article.id.startswith(f"{name}#")  # by its file: "#item 3"
    if page or unnamed:
        article = replace(article, id=url + article.id.removeprefix(name) * unnamed, url=url)
    return Read(article, url)


def _same_site(said: str, url: str) -> bool:
    """Tell whether a page may say that an address is its own: one of its site, and not the front page for all."""
    own = urlsplit(url)
    front = said.rstrip("/").count("/") < 3 and own.path.strip("/")
    return _site(said) == SITES.sub("", own.hostname or "") and not front


def _site(url: str) -> str:
    try:
        return SITES.sub("", host(url))
    except ValueError:  # it is no address
        return ""


def _feeds(fetched: Fetched) -> str:
    """Return where a page says that its feed is."""
    found = FEED.search(fetched.data)
    return f"; its feed is {shown(urljoin(fetched.url, found[1].decode('utf-8', 'replace')))}" if found else ""


def decoded(fetched: Fetched) -> bytes:
    """Return a text in UTF-8 where its host says that it is in another encoding; what is UTF-8 is left."""
    try:
        fetched.data.decode()
    except UnicodeDecodeError:
        with suppress(LookupError, UnicodeDecodeError):
            return fetched.data.decode(fetched.charset or "utf-8").encode()
    return fetched.data
