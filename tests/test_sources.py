"""Articles from addresses: pages and files, feeds and sitemaps, of a real server on this machine."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pytest
from conftest import SHARED, Run
from web import Web, web

from index.ingest import ingest
from index.read.article import Known
from index.read.notes import Notes
from index.sources import Visit, address
from index.sources.fetch import Client
from index.sync import Index
from index.types import Article, Rejected

BRIDGE = "The Fennick bridge closed on Monday after an inspector found cracks in two of its bearings."
FERRY = "The ferry between Pell and Fennick sails again from Friday, the harbour master said after the storm."
PLAIN = f"Bridge closes\n\n{BRIDGE}"
HOSTED = [
    FERRY, "Its hull was mended in the yard at Orlow, where eleven men worked through two nights.",
    "Tickets that were bought for the days of the storm can be used until the end of the year.",
]  # fmt: skip


def page(title: str, *texts: str, head: str = "", body: str = "") -> bytes:
    told = "".join(f"<p>{text}</p>" for text in texts or (BRIDGE, "It opens again in June, the council said."))
    return (
        f"<html><head><title>{title}</title>{head}</head><body><nav><a href='/'>Home</a></nav>{body}"
        f"<article><h1>{title}</h1>{told}</article></body></html>"
    ).encode()


def rss(base: str, *items: str, title: str = "Pell Courier") -> tuple[int, dict[str, str], bytes]:
    xml = f"""<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>{title}</title><link>{base}</link>
        {"".join(f"<item>{item}</item>" for item in items)}</channel></rss>"""
    return 200, {"Content-Type": "application/rss+xml"}, xml.encode()


def sitemap(*entries: str, root: str = "urlset") -> tuple[int, dict[str, str], bytes]:
    news = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    inner = "".join(
        f"<{'url' if root == 'urlset' else 'sitemap'}>{entry}</{'url' if root == 'urlset' else 'sitemap'}>"
        for entry in entries
    )
    xml = f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" {news}>{inner}</{root}>'
    return 200, {"Content-Type": "application/xml"}, xml.encode()


@pytest.fixture
def served() -> Iterator[Web]:
    with web() as opened:
        yield opened


class Looked:
    """What a visit found: articles, rejections by source, remarks, and the visit itself."""

    def __init__(self, visit: Visit, known: Known | None = None) -> None:
        notes = Notes()
        self.visit, self.found = visit, [*visit.read(known or Known(), notes)]
        self.articles = [one.item for one in self.found if isinstance(one.item, Article)]
        self.rejected = {one.item.source: one.item.reason for one in self.found if isinstance(one.item, Rejected)}
        self.notes, self.state = notes.lines(), json.loads(json.dumps(visit.state))


def look(address: str, state: dict[str, Any] | None = None, most: int = 1000, **known: Any) -> Looked:
    return Looked(Visit(address, Client(True, pause=0), state, most), Known(**known))


def test_what_is_an_address() -> None:
    assert address("https://pell.example/a") == address(Path("https://pell.example/a")) == "https://pell.example/a"
    assert address("ftp://pell.example/a") == "ftp://pell.example/a"
    assert address("file:///etc/passwd") == "file:///etc/passwd"
    assert [address(path) for path in ("a/b.txt", "C:\\a", "/http://x", Path("http"), "~/a", "mailto:a@b.c")] == [
        None
    ] * 6


# Pages and files


def test_a_page_is_an_article_under_its_last_address(served: Web) -> None:
    head = '<meta property="og:site_name" content="Pell Courier"><meta name="author" content="Anna Berg">'
    dated = '<meta property="article:published_time" content="2025-04-18T09:00:00Z">'
    served.pages |= {"/old": (301, {"Location": "/new?utm_source=x"}, b""),
                     "/new?utm_source=x": page("Bridge closes", head=head + dated)}  # fmt: skip
    looked = look(served.url("/old"))
    [article] = looked.articles
    assert (article.title, article.outlet, article.published) == ("Bridge closes", "Pell Courier", date(2025, 4, 18))
    assert article.text == f"{BRIDGE}\nIt opens again in June, the council said."
    assert article.authors == ("Anna Berg",)
    assert article.id == article.url == served.url("/new?utm_source=x")
    assert looked.visit.state["kind"] == "page"


@pytest.mark.parametrize(("said", "own"), [
    ("http://127.0.0.1:{port}/articles/bridge", "http://127.0.0.1:{port}/articles/bridge"),
    ("http://www.127.0.0.1/articles/bridge", "http://www.127.0.0.1/articles/bridge"),
    ("https://post.example/bridge", None), ("http://127.0.0.1:{port}/", None),
    ("http://127.0.0.1.evil.example/a", None), ("javascript:alert(1)", None), ("http://[", None),
])  # fmt: skip
def test_a_page_has_its_canonical_address_where_that_is_of_its_site(said: str, own: str | None, served: Web) -> None:
    served.pages["/a"] = page("Bridge closes", head=f'<link rel="canonical" href="{said.format(port=served.port)}">')
    [article] = look(served.url("/a")).articles
    assert article.id == article.url == (own.format(port=served.port) if own else served.url("/a"))
    assert article.outlet == "127.0.0.1"


def test_a_page_in_another_encoding_is_read_as_its_host_says(served: Web) -> None:
    text = "Über die Brücke in Fennick fährt seit Montag niemand, weil zwei ihrer Lager Risse haben, sagt die Stadt. €"
    for charset in ("windows-1252", "iso-8859-15", "utf-16-le", "utf-8"):
        headers = {"Content-Type": f"text/html; charset={charset}"}
        served.pages["/a"] = (200, headers, page("Brücke", text).decode().encode(charset))
        assert text in look(served.url("/a")).articles[0].text
    served.pages["/a"] = (200, {"Content-Type": "text/html; charset=iso-8859-1"}, page("Brücke", text))  # and is UTF-8
    assert text in look(served.url("/a")).articles[0].text


def word() -> bytes:
    document, file = docx.Document(), io.BytesIO()
    document.add_heading("Bridge closes")
    document.add_paragraph(BRIDGE)
    document.save(file)
    return file.getvalue()


@pytest.mark.parametrize(("path", "kind", "body"), [
    ("/a.docx", "application/octet-stream", word()), ("/a", "text/html", word()),
    ("/a.txt", "text/plain", PLAIN.encode()), ("/a", "text/plain", PLAIN.encode()),
    ("/a.md", "text/plain", f"# {PLAIN}".encode()), ("/a", "text/markdown", f"# {PLAIN}".encode()),
    ("/a.html", "text/plain", page("Bridge closes", BRIDGE)),
    ("/a.pdf", "application/pdf", page("Bridge closes", BRIDGE)),
    ("/a", "", page("Bridge closes", BRIDGE)), ("/a", "image/png", page("Bridge closes", BRIDGE)),
    ("/a?x=y", "application/json", json.dumps({"title": "Bridge closes", "text": BRIDGE}).encode()),
])  # fmt: skip
def test_a_file_is_told_by_what_it_is_and_by_what_is_said_of_it(path: str, kind: str, body: bytes, served: Web) -> None:
    served.pages[path] = (200, {"Content-Type": kind}, body)
    [article] = look(served.url(path)).articles
    assert (article.title, article.text) == ("Bridge closes", BRIDGE)
    assert article.id == article.url == served.url(path)


@pytest.mark.parametrize(("path", "kind", "body", "told"), [
    ("/a", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(99), "it is no text (image/png): .txt, .md, .html"),
    ("/a", "text/html", b"", "no article text can be made out in this page"),
    ("/a.mp3", "audio/mpeg", b"ID3" + bytes(99), "it is no text (audio/mpeg)"),
    ("/a.html", "video/mp4", bytes(99), "it is no text (video/mp4)"),
    ("/a", "application/octet-stream", bytes(99), "it is no text (application/octet-stream)"),
    ("/a", "application/json", b"{", "not JSON"),
])  # fmt: skip
def test_what_cannot_be_read_is_told(path: str, kind: str, body: bytes, told: str, served: Web) -> None:
    served.pages[path] = (200, {"Content-Type": kind}, body)
    looked = look(served.url(path))
    assert looked.articles == []
    assert told in looked.rejected[served.url(path)]


def test_records_of_an_address_keep_their_ids_and_others_have_their_place_there(served: Web) -> None:
    table = io.StringIO()
    csv.writer(table).writerows([["title", "text", "url"], ["A", BRIDGE, ""], ["B", FERRY, "https://pell.example/b"]])
    served.pages["/a.csv"] = (200, {"Content-Type": "text/csv"}, table.getvalue().encode())
    first, second = look(served.url("/a.csv")).articles
    assert (first.id, first.url) == (served.url("/a.csv#line 2"), served.url("/a.csv"))
    assert (second.id, second.url) == ("https://pell.example/b", "https://pell.example/b")


def test_a_page_that_holds_no_article_names_its_feed(served: Web) -> None:
    feed = '<link rel="alternate" type="application/rss+xml" title="News" href="/news.xml?key=s3cret">'
    served.pages["/"] = page("Home", "Menu", head=feed)
    told = look(served.url("/")).rejected[served.url("/")]
    assert told.endswith(f"; its feed is {served.url('/news.xml?key=***')}")


def test_a_visit_that_finds_nothing_new_says_so(served: Web) -> None:
    served.pages["/a"] = (200, {"ETag": '"1"', "Content-Type": "text/html"}, page("Bridge closes"))
    first = look(served.url("/a"))
    assert first.state == {"kind": "page", "etag": '"1"', "modified": ""}
    served.pages["/a"] = (304, {}, b"")
    again = look(served.url("/a"), first.state)
    assert (again.found, again.state, again.visit.failure) == ([], first.state, "")


def test_an_address_that_fails_tells_when_to_come_again(served: Web) -> None:
    served.pages["/a"] = (503, {"Retry-After": "600"}, b"")
    looked = look(served.url("/a"), {"kind": "page", "etag": '"1"'})
    assert looked.rejected == {served.url("/a"): "127.0.0.1 cannot answer now (503): try again in 600 seconds"}
    assert (looked.visit.failure, looked.visit.seconds) == (looked.rejected[served.url("/a")], 600.0)
    assert looked.state == {"kind": "page", "etag": '"1"'}


# Feeds


def items(served: Web) -> list[str]:
    whole = "".join(f"&lt;p&gt;{text}&lt;/p&gt;" for text in HOSTED)
    return [
        f"<title>Bridge closes</title><link>{served.url('/bridge')}</link>"
        "<pubDate>Fri, 18 Apr 2025 10:00:00 GMT</pubDate><author>anna@pell.test (Anna Berg)</author>"
        "<description>A summary.</description>",
        f"<title>Ferry sails</title><link>{served.url('/gone')}</link><pubDate>Sat, 19 Apr 2025 10:00:00 GMT</pubDate>"
        f"<dc:creator>Ben Orlow</dc:creator><content:encoded>{whole}</content:encoded>",
        f"<title>Market opens</title><link>{served.url('/market')}</link><description>Only this.</description>",
        f"<title>A talk</title><link>{served.url('/talk.mp3')}</link><content:encoded>{whole} …</content:encoded>",
        "<title>No link</title><description>Nothing.</description>",
    ]


def test_a_feed_brings_each_items_page_or_its_whole_text(served: Web) -> None:
    served.pages |= {"/feed": rss(served.url("/"), *items(served)), "/bridge": page("Bridge closes"),
                     "/talk.mp3": (200, {"Content-Type": "audio/mpeg"}, b"ID3" + bytes(99))}  # fmt: skip
    looked = look(served.url("/feed"))
    bridge, ferry = looked.articles
    assert (bridge.outlet, bridge.published, bridge.authors) == ("Pell Courier", date(2025, 4, 18), ("Anna Berg",))
    assert bridge.text.startswith(f"{BRIDGE}\n")
    assert bridge.id == bridge.url == served.url("/bridge")
    assert (ferry.title, ferry.outlet, ferry.published) == ("Ferry sails", "Pell Courier", date(2025, 4, 19))
    assert (ferry.authors, ferry.text.split("\n\n")) == (("Ben Orlow",), HOSTED)
    assert ferry.id == ferry.url == served.url("/gone")
    assert looked.rejected == {
        served.url("/market"): "there is no such page (404): look at the address",
        served.url("/talk.mp3"): looked.rejected[served.url("/talk.mp3")],
        "No link": "it has no link, and not its whole text: look for it where it was published",
    }
    assert "it is no text (audio/mpeg)" in looked.rejected[served.url("/talk.mp3")]
    assert [round(one.share, 1) for one in looked.found] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert looked.state["kind"] == "feed"
    assert [one.outlet for one in look(served.url("/feed"), outlet="Gazette").articles] == ["Gazette"] * 2


def test_a_feed_is_gone_on_with(served: Web) -> None:
    """Only what is new or changed is fetched again; what fails three times, while unchanged, no more."""
    served.pages |= {"/feed": rss(served.url("/"), *items(served)[:3]), "/bridge": page("Bridge closes")}
    state: dict[str, Any] = {}
    for _ in range(3):
        served.asked.clear()
        state = look(served.url("/feed"), state).state
        assert "/market" in served.paths()
    assert ("/bridge" in served.paths(), state.get("etag")) == (False, "")
    served.asked.clear()
    assert look(served.url("/feed"), state).found == []
    assert served.paths() == ["/feed"]
    changed = [item.replace("Only this.", "Now more.").replace("A summary.", "Another.") for item in items(served)[:3]]
    served.pages |= {"/feed": rss(served.url("/"), *changed), "/market": page("Market opens")}
    looked = look(served.url("/feed"), state)
    assert [one.title for one in looked.articles] == ["Bridge closes", "Market opens"]
    assert look(served.url("/feed"), looked.state).found == []


def test_what_fails_for_a_while_is_tried_for_as_long(served: Web) -> None:
    served.pages |= {"/feed": rss(served.url("/"), *items(served)[:1]), "/bridge": (500, {}, b"")}
    state: dict[str, Any] = {}
    for _ in range(5):
        state = look(served.url("/feed"), state).state
        assert "etag" not in state
    served.pages["/bridge"] = page("Bridge closes")
    assert [one.title for one in look(served.url("/feed"), state).articles] == ["Bridge closes"]


def test_a_visit_that_breaks_off_is_gone_on_with(served: Web) -> None:
    listed = [f"<title>Story {n}</title><link>{served.url(f'/{n}')}</link>" for n in range(5)]
    served.pages |= {"/feed": rss(served.url("/"), *listed), **{f"/{n}": page(f"Story {n}") for n in range(5)}}
    visit = Visit(served.url("/feed"), Client(True, pause=0))
    reading = visit.read(Known(), Notes())
    assert [getattr(next(reading).item, "title", "") for _ in range(2)] == ["Story 0", "Story 1"]
    reading.close()  # before anybody has said that the second is stored
    looked = look(served.url("/feed"), json.loads(json.dumps(visit.state)))
    assert [one.title for one in looked.articles] == ["Story 1", "Story 2", "Story 3", "Story 4"]


def test_only_the_newest_of_a_long_feed_are_read(served: Web) -> None:
    listed = [f"<title>Story {n}</title><link>{served.url(f'/{n}')}</link>" for n in range(5)]
    served.pages |= {"/feed": rss(served.url("/"), *listed), **{f"/{n}": page(f"Story {n}") for n in range(5)}}
    looked = look(served.url("/feed"), most=2)
    assert [one.title for one in looked.articles] == ["Story 0", "Story 1"]
    assert (
        f"left out: {served.url('/feed')} (only the newest 2 are read): give the addresses of older ones"
        in looked.notes
    )


def test_atom_and_json_feeds_are_read(served: Web) -> None:
    atom = f"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Pell Courier</title>
        <entry><title>Bridge closes</title><link href="{served.url("/bridge")}"/><id>urn:1</id>
        <published>2025-04-18T10:00:00Z</published><author><name>Anna Berg</name></author></entry></feed>"""
    item = {"id": 1, "url": served.url("/bridge"), "title": "Bridge closes", "date_published": "2025-04-18T10:00:00Z",
            "authors": [{"name": "Anna Berg"}]}  # fmt: skip
    told = {"version": "https://jsonfeed.org/version/1.1", "title": "Pell Courier", "items": [item]}
    served.pages |= {"/atom": (200, {"Content-Type": "text/xml"}, atom.encode()), "/bridge": page("Bridge closes"),
                     "/json": (200, {"Content-Type": "application/feed+json"}, json.dumps(told).encode())}  # fmt: skip
    for path in ("/atom", "/json"):
        [article] = look(served.url(path)).articles
        assert (article.outlet, article.published, article.authors) == (
            "Pell Courier",
            date(2025, 4, 18),
            ("Anna Berg",),
        )
        assert article.url == served.url("/bridge")


def test_a_feed_cannot_lead_into_a_private_network(served: Web) -> None:
    """The feed stands where it may be read, what it names does not."""
    from test_fetch import PUBLIC, Names, Wires

    served.pages["/feed"] = rss("http://pell.example/", "<title>A</title><link>http://127.0.0.1/latest/meta-data</link>",
                                "<title>B</title><link>file:///etc/passwd</link>")  # fmt: skip
    wires = Wires(served)
    looked = Looked(Visit("http://pell.example/feed", Client(pause=0, resolve=Names(pell=[[PUBLIC]]), network=wires)))
    assert "is not on the public internet" in looked.rejected["http://127.0.0.1/latest/meta-data"]
    assert (looked.articles, {*wires.made}) == ([], {PUBLIC})


def test_a_feed_that_is_none_is_told(served: Web) -> None:
    for body in (
        b"<rss",
        b"<rss><channel>" + b"<item " + b"a='1' " * 100_000 + b"/></channel></rss>",
        b"<feed>" * 50_000,
    ):
        served.pages["/feed"] = (200, {"Content-Type": "application/rss+xml"}, body)
        looked = look(served.url("/feed"))
        assert looked.articles == []
    entities = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    feed = f'<!DOCTYPE rss [<!ENTITY a "ha">{entities}]><rss><channel><title>&j;</title></channel></rss>'
    served.pages["/feed"] = (200, {}, feed.encode())
    assert look(served.url("/feed")).articles == []


# Sitemaps


def test_a_sitemap_brings_its_pages_the_last_changed_first(served: Web) -> None:
    dated = (
        "<news:news><news:publication><news:name>Pell Courier</news:name></news:publication>"
        "<news:publication_date>2025-04-18T10:00:00Z</news:publication_date><news:title>B</news:title></news:news>"
    )
    served.pages |= {"/map": sitemap("<loc>/none</loc>", "<loc>/a</loc><lastmod>2025-04-17</lastmod>",
                                     f"<loc> {served.url('/b')} </loc>{dated}"),
                     "/a": page("Story A"), "/b": page("Story B")}  # fmt: skip
    looked = look(served.url("/map"))
    assert [(one.title, one.outlet, one.published) for one in looked.articles] == [
        ("Story B", "Pell Courier", date(2025, 4, 18)), ("Story A", "127.0.0.1", None),
    ]  # fmt: skip
    assert looked.rejected == {served.url("/none"): "there is no such page (404): look at the address"}
    served.pages["/map"] = sitemap(
        "<loc>/a</loc><lastmod>2025-04-20</lastmod>", f"<loc>{served.url('/b')}</loc>{dated}"
    )
    assert [one.title for one in look(served.url("/map"), looked.state).articles] == ["Story A"]


def test_a_list_of_sitemaps_is_read_from_the_newest_on(served: Web) -> None:
    listed = [f"<loc>/{year}.xml.gz</loc><lastmod>{year}-12-31</lastmod>" for year in (2023, 2025, 2024)]
    served.pages["/index"] = sitemap(*listed, "<loc>/lost</loc>", "<loc>/index</loc>", root="sitemapindex")
    for year in (2023, 2024, 2025):
        status, _, xml = sitemap(*(f"<loc>/{year}/{n}</loc><lastmod>{year}-0{n}-01</lastmod>" for n in (1, 2)))
        served.pages |= {f"/{year}.xml.gz": (status, {"Content-Type": "application/x-gzip"}, gzip.compress(xml)),
                         **{f"/{year}/{n}": page(f"Story {year} {n}") for n in (1, 2)}}  # fmt: skip
    looked = look(served.url("/index"), most=3)
    assert [one.title for one in looked.articles] == ["Story 2025 2", "Story 2025 1", "Story 2024 2"]
    assert (looked.rejected, "/2023.xml.gz" in served.paths()) == ({}, False)
    assert any(line.startswith("left out") for line in looked.notes)
    looked = look(served.url("/index"))
    assert len(looked.articles) == 6
    assert looked.rejected == {served.url("/lost"): "there is no such page (404): look at the address"}


def test_a_damaged_or_hostile_sitemap_is_told(served: Web) -> None:
    bomb = gzip.compress(b"<urlset>" + b" " * 60_000_000)
    for body in (
        b"<urlset><url><loc>/a</loc>",
        b"<urlset>" + b"<url>" * 50_000,
        bomb,
        gzip.compress(b"<urlset/>")[:-4],
    ):
        served.pages["/map"] = (200, {"Content-Type": "application/xml"}, body)
        assert look(served.url("/map")).articles == []


# The archive, the command line, HTTP


def test_an_address_is_ingested_like_a_folder(index: Index, served: Web, tmp_path: Path) -> None:
    served.pages |= {"/feed": rss(served.url("/"), *items(served)[:2]), "/bridge": page("Bridge closes"),
                     "/bridge?utm_medium=rss": page("Bridge closes")}  # fmt: skip
    (tmp_path / "a.txt").write_text(f"Market\n\n{FERRY}")
    told: list[tuple[str, float]] = []
    report = ingest(index, [tmp_path / "a.txt", served.url("/feed"), served.url("/none")], allow_private=True,
                    progress=lambda *share: told.append(share))  # fmt: skip
    assert (report.added, [one.source for one in report.rejected]) == (3, [served.url("/none")])
    fetched = [share for task, share in told if task == "fetch"]
    assert (len(fetched), fetched) == (4, sorted(fetched))
    assert fetched[-1] == 1.0
    report = ingest(index, [served.url("/feed"), served.url("/bridge"), served.url("/bridge?utm_medium=rss")],
                    allow_private=True, prune=True)  # fmt: skip
    assert (report.added, report.changed, report.unchanged, report.removed, report.rejected) == (0, 0, 2, 0, [])
    served.pages["/feed"] = rss(served.url("/"))
    report = ingest(index, [served.url("/feed"), tmp_path], allow_private=True, prune=True)
    assert (report.removed, index.archive.counts()[0]) == (0, 3)


def test_a_page_that_changed_is_a_new_version(index: Index, served: Web) -> None:
    for text in (BRIDGE, FERRY):
        served.pages["/a"] = page("Bridge closes", text)
        report = ingest(index, [served.url("/a")], allow_private=True)
    assert (report.added, report.changed) == (0, 1)
    assert [one.text for one in index.archive.versions(served.url("/a"))] == [BRIDGE]


def test_the_command_line_takes_addresses(run: Run, served: Web, tmp_path: Path) -> None:
    served.pages["/a?token=s3cret"] = page("Bridge closes")
    given = served.url("/a?token=s3cret").replace("//", "//anna:s3cret@")
    archive = tmp_path / "archive"
    status, out, err = run("--json", "ingest", given, "ftp://pell.example/a", data=archive)
    assert status == 1
    assert [one["reason"] for one in json.loads(out)["rejected"]] == [
        "127.0.0.1 (127.0.0.1) is not on the public internet: --allow-private lets private hosts in",
        "only addresses that begin with http:// or https:// and a host are read",
    ]
    status, more, err = run("--json", "ingest", given, "--allow-private", data=archive)
    assert (status, json.loads(more)["added"]) == (0, 1)
    kept = b"".join(path.read_bytes() for path in archive.rglob("*") if path.is_file())
    assert b"s3cret" not in kept
    assert "s3cret" not in out + more + err


# Real pages and feeds, where they are

DEVELOPMENT = SHARED / "data"
needs_data = pytest.mark.skipif(not DEVELOPMENT.exists(), reason=f"needs the development data in {DEVELOPMENT}")


@needs_data
def test_every_real_feed_is_read_or_refused_with_its_reason(served: Web) -> None:
    feeds = sorted((DEVELOPMENT / "feeds").glob("*.xml"))
    assert len(feeds) == 53
    for feed in feeds:
        served.pages["/feed"] = (200, {"Content-Type": "application/xml"}, feed.read_bytes())
        client = Client(True, pause=0, resolve=lambda *_: ["127.0.0.1"], whole=2.0)
        looked = Looked(Visit(served.url("/feed"), client))
        assert looked.visit.state["kind"] == "feed" or looked.visit.failure, feed.name
        assert all(reason and "\n" not in reason for reason in looked.rejected.values()), feed.name


@needs_data
def test_every_real_page_is_an_article_when_it_is_fetched(served: Web) -> None:
    pages = sorted((DEVELOPMENT / "html").glob("*.html"))
    for number, file in enumerate(pages):
        served.pages[f"/{number}"] = (200, {"Content-Type": "text/html"}, file.read_bytes())
        assert look(served.url(f"/{number}")).articles[0].url == served.url(f"/{number}"), file.name
    assert len(pages) == 25
