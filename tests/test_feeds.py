"""Feeds as files: RSS, RDF and Atom, whole and broken."""

import json
import time
from datetime import date
from pathlib import Path

import pytest
from conftest import SHARED
from test_intake import found, one

from index.types import Article

LEAD = "The ferry Linnet ran aground off Aldby on Sunday."
NEXT = "All 212 passengers were brought ashore."
CONTENT = f"<p>{LEAD}</p><p>{NEXT}</p>"
TABLE = "<table><tr><th>Deck</th><th>People</th></tr><tr><td>Upper</td><td>112</td></tr></table>"
FERRY = Article(
    "nw-4711",
    "Ferry aground & afloat",
    f"{LEAD}\n\n{NEXT}",
    "Harbour Post",
    date(2026, 5, 3),
    "https://harbour.example/ferry",
    ("Mia Holm",),
)
SUMMARY = "cut off: {} (perhaps a summary alone): ingest the whole text"
SPACES = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'


def rss(*items: str, head: str = "<title>Harbour Post - World</title><link>https://harbour.example/</link>") -> str:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0" {SPACES}><channel>{head}{inside}</channel></rss>'


SAID = (
    "<title>Ferry aground &amp;amp; afloat</title><link>/ferry</link><guid isPermaLink='false'>nw-4711</guid>"
    "<dc:creator>Mia Holm</dc:creator><pubDate>Sun, 03 May 2026 23:30:00 +0200</pubDate>"
    "<atom:updated xmlns:atom='http://www.w3.org/2005/Atom'>2026-05-09T08:00:00Z</atom:updated>"
)
WHOLE = f"{SAID}<description>Aground.</description><content:encoded><![CDATA[{CONTENT}]]></content:encoded>"


@pytest.mark.parametrize("name", ["a.xml", "a.rss", "a.RDF", "a.atom"])
def test_an_item_of_rss_with_its_whole_content(tmp_path: Path, name: str) -> None:
    assert found(tmp_path / name, rss(WHOLE)) == ([FERRY], [], [])


def test_atom(tmp_path: Path) -> None:
    entry = (
        "<title type='html'>Ferry aground &amp;amp; afloat</title><link href='https://harbour.example/ferry'/>"
        "<id>nw-4711</id><author><name>Mia Holm</name></author><published>2026-05-03T23:30:00+02:00</published>"
        "<updated>2026-05-09T08:00:00Z</updated><summary>Aground.</summary><content type='xhtml'>"
        f"<div xmlns='http://www.w3.org/1999/xhtml'>{CONTENT}</div></content>"
    )
    feed = "<feed xmlns='http://www.w3.org/2005/Atom'><title>Harbour Post</title><entry>{}</entry></feed>"
    assert one(tmp_path / "a.atom", feed.format(entry)) == FERRY
    articles, _, lines = found(tmp_path / "a.atom", feed.format(entry.replace("published>", "issue>")))
    assert articles[0].published is None
    assert lines == [
        "undated: a.atom (only a change, 2026-05-09T08:00:00Z, has a day): give that of publication as published"
    ]


def test_rdf_with_a_day_of_dublin_core(tmp_path: Path) -> None:
    feed = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        f'{SPACES}><channel rdf:about="https://harbour.example/"><title>Harbour Post</title></channel>'
        f'<item rdf:about="nw-4711"><title>Ferry aground &amp; afloat</title><link>{FERRY.url}</link>'
        f"<dc:date>2026-05-03</dc:date><dc:creator>Mia Holm</dc:creator>"
        f"<content:encoded><![CDATA[{CONTENT}]]></content:encoded></item></rdf:RDF>"
    )
    assert one(tmp_path / "a.rdf", feed) == FERRY


def test_what_may_be_a_summary_is_told(tmp_path: Path) -> None:
    articles, rejected, lines = found(tmp_path / "a.rss", rss(f"{SAID}<description>{LEAD}</description>"))
    assert ([article.text for article in articles], rejected, lines) == ([LEAD], [], [SUMMARY.format("a.rss")])
    long = "".join(f"&lt;p&gt;{LEAD} It is report {n}.&lt;/p&gt;" for n in range(30))
    assert found(tmp_path / "a.rss", rss(f"{SAID}<description>{long}</description>"))[1:] == ([], [])


def test_captions_tables_scripts_and_plain_text(tmp_path: Path) -> None:
    content = (
        f"{CONTENT}<script>alert('script')</script><style>p {{ color: red }}</style><figure><img src='a.jpg'>"
        f"<figcaption>The <b>Linnet</b> in 2019.</figcaption></figure><figure><figcaption>The quay. Photo: Ola Berg"
        f"</figcaption></figure>{TABLE}"
    )
    text = one(tmp_path / "a.rss", rss(f"{SAID}<content:encoded><![CDATA[{content}]]></content:encoded>")).text
    assert text == (
        f"{LEAD}\n\n{NEXT}\n\nImage: The Linnet in 2019.\n\nThe quay. Photo: Ola Berg\n\nDeck: Upper · People: 112"
    )
    entry = f"<entry><title>Ferry</title><content type='text'>{LEAD} 3 &lt; 4.\n\n{NEXT}</content></entry>"
    feed = f"<feed xmlns='http://www.w3.org/2005/Atom'>{entry}</feed>"
    assert one(tmp_path / "a.atom", feed).text == f"{LEAD} 3 < 4.\n\n{NEXT}"


def test_a_bad_item_is_rejected_alone(tmp_path: Path) -> None:
    crowded = f"&lt;p {' '.join(f'a{n}=1' for n in range(100_000))}&gt;{LEAD}&lt;/p&gt;"
    items = ("<title>Only a title</title>", WHOLE, f"<title>b</title><description>{crowded}</description>")
    articles, rejected, _ = found(tmp_path / "a.rss", rss(*items))
    assert articles == [FERRY]
    assert rejected == [
        "an item without text: copydesk ingest ADDRESS fetches the page that it leads to",
        "an element has over 1,000 attributes, as no article's has: look into it",
    ]


@pytest.mark.parametrize("spoil", ["\n\n{}", "{}</oops>", "{} & ", "\ufeff{}"])
def test_broken_feeds_are_read(tmp_path: Path, spoil: str) -> None:
    assert found(tmp_path / "a.rss", spoil.format(rss(WHOLE)))[0] == [FERRY]
    torn = rss(WHOLE, SAID.replace("4711", "4712")).replace("</channel></rss>", "")
    assert found(tmp_path / "a.rss", torn)[0] == [FERRY]


def test_json_feed(tmp_path: Path) -> None:
    item = {
        "id": "nw-4711",
        "url": FERRY.url,
        "title": FERRY.title,
        "content_html": CONTENT,
        "date_published": "2026-05-03T23:30:00+02:00",
        "authors": [{"name": "Mia Holm"}],
    }
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Harbour Post", "items": [item]}
    assert one(tmp_path / "a.json", json.dumps(feed)) == FERRY


BOMB = "<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
ATTRIBUTES = " ".join(f"a{n}='1'" for n in range(100_000))
HOSTILE = {
    "entities": rss(WHOLE.replace("Aground.", "&a9;")).replace("<rss", f"<!DOCTYPE rss [{BOMB}]><rss"),
    "a long tag": rss(f"<p{'a' * 50_000_000}>"),
    "attributes": rss(f"<p {ATTRIBUTES}>x</p>"),
    "depth": rss(f"<title>a</title><description>{'<d>' * 50_000}</description>"),
    "escaped depth": rss(f"<title>a</title><description>{'&lt;div&gt;' * 50_000}</description>"),
    "brackets": rss(f"<description>{'&lt;' * 200_000}</description>"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_feeds_end_soon(tmp_path: Path, kind: str) -> None:
    started = time.perf_counter()
    articles, rejected, _ = found(tmp_path / "a.rss", HOSTILE[kind])
    assert time.perf_counter() - started < 20
    assert len(rejected) + len(articles) == 1


FEEDS = SHARED / "data" / "feeds"


@pytest.mark.skipif(not FEEDS.exists(), reason="the development data is not here")
def test_every_feed_of_the_development_data_is_read_or_refused_with_its_reason(tmp_path: Path) -> None:
    read = 0
    for path in sorted(FEEDS.glob("*.xml")):
        articles, rejected, _ = found(tmp_path / path.name, path.read_bytes())
        assert articles or rejected, path
        assert all(rejected), path
        read += bool(articles)
        assert not any(word in f"{articles}" for word in ("<script", "onblur", "frameset", "rel=", "alert(")), path
    assert read == 7  # of 53; the others have no text
