"""Reads sitemaps and lists of them, of news too: which pages a site has, and since when they are as they are."""

import heapq
import zlib
from collections.abc import Iterator
from io import BytesIO
from urllib.parse import urljoin

from lxml import etree

from index.sources.fetch import Client, Fetched, gunzipped
from index.sources.page import Item, day, root
from index.types import BadInput, Rejected, shown

ROOTS = ("urlset", "sitemapindex")
MAPS = 50  # read of a list, the newest first


def unpacked(fetched: Fetched) -> Fetched:
    """Return a gzipped sitemap, which may be served as any file, unpacked; anything else as it is."""
    if fetched.data.startswith(b"\x1f\x8b"):
        try:
            inner = fetched._replace(data=b"".join(gunzipped([fetched.data])))
        except zlib.error as error:
            raise BadInput(f"the gzip file is damaged ({error}): tell who serves it") from error
        return inner if root(inner.data) in ROOTS else fetched
    return fetched


def pages(client: Client, fetched: Fetched, most: int) -> tuple[list[Item], list[Rejected]]:
    """Return the pages of a sitemap, or of those that a list of sitemaps names, and the sitemaps that cannot be read.

    The last changed come first; one more than `most` says that there are more.
    """
    found, rejected, now = list[Item](), list[Rejected](), fetched
    waiting, known = list[tuple[str, str]](), {fetched.url}  # since when, address
    for _ in range(MAPS):
        for kind, said in _entries(now):
            url, since = urljoin(now.url, said.get("loc", "")), said.get("lastmod") or said.get("publication_date", "")
            if kind == "url":
                told = {"outlet": said.get("name"), "published": day(said.get("publication_date"))}
                found.append(Item(url, shown(url), since, told))
            elif url not in known:
                waiting.append((since, url))
                known.add(url)
        found = heapq.nlargest(most + 1, found, key=lambda item: item.stamp)
        if not waiting or (len(found) > most and max(waiting)[0]):
            break
        waiting.remove(newest := max(waiting))
        try:
            now = unpacked(client.get(newest[1]) or now)
        except BadInput as error:
            rejected.append(Rejected(shown(newest[1]), str(error)))
            now = now._replace(data=b"<urlset/>")
    return found, rejected


def _entries(fetched: Fetched) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield "url" or "sitemap" for each entry of a sitemap, and what it holds. Raises BadInput for damaged ones."""
    parts = etree.iterparse(
        BytesIO(fetched.data), tag=("{*}url", "{*}sitemap"), resolve_entities=False, no_network=True, recover=True
    )
    try:
        for _, element in parts:
            every = [*element, *(inner for news in element.iterfind("{*}news") for inner in news.iter("{*}*"))]
            yield etree.QName(element).localname, {etree.QName(e).localname: (e.text or "").strip() for e in every}
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise BadInput(f"the sitemap is damaged ({error}): tell who serves it") from error
