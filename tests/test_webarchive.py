"""Web archives: WARC, gzipped or not, WET, and WACZ."""

import gzip
import io
import zipfile
from datetime import date
from pathlib import Path

import brotli
import pytest
from test_intake import found
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from index.read import Known, read
from index.read.notes import Notes

URL = "https://harbour.example/"
PROSE = "The town of Lund opened a library on Monday, in which nine thousand books stand on {} shelves. Readers pay."
MENU = "<html><body><nav><a href='/a'>News</a> <a href='/b'>Sport</a></nav></body></html>"


def page(kind: str, day: str = "2026-05-03") -> bytes:
    story = "".join(f"<p>{PROSE.format(kind)} Part {n}.</p>" for n in range(4))
    meta = f'<meta property="article:published_time" content="{day}">'
    head = f"<title>The {kind} library</title>{meta}"
    body = f"<article><h1>The {kind} library</h1>{story}</article>"
    return f"<html><head>{head}</head><body>{body}</body></html>".encode()


class Web:
    """A WARC file in the making."""

    def __init__(self, zipped: bool = True) -> None:
        self.file = io.BytesIO()
        self.writer = WARCWriter(self.file, gzip=zipped)

    def add(
        self, path: str, body: bytes, kind: str = "text/html", status: str = "200 OK", when: str = "2026-06-01",
        record: str = "response", **headers: str,
    ) -> "Web":  # fmt: skip
        said = [("Content-Type", kind), *((name.replace("_", "-"), value) for name, value in headers.items())]
        http = StatusAndHeaders(status, said, protocol="HTTP/1.1") if record in ("response", "revisit") else None
        self.writer.write_record(
            self.writer.create_warc_record(
                path if ":" in path else URL + path,
                record,
                payload=io.BytesIO(body),
                http_headers=http,
                warc_content_type="" if http else kind,
                warc_headers_dict={"WARC-Date": f"{when}T00:00:00Z"},
            )
        )
        return self

    def data(self) -> bytes:
        return self.file.getvalue()


def texts(path: Path, data: bytes) -> dict[str | None, str]:
    """Return by address of which shelves each article speaks."""
    articles, rejected, _ = found(path, data)
    assert rejected == []
    return {article.url: article.title for article in articles}


@pytest.mark.parametrize("zipped", [True, False])
def test_pages_are_articles_and_the_rest_is_counted(tmp_path: Path, zipped: bool) -> None:
    web = Web(zipped).add("oak", page("oak")).add("gone", b"no", status="404 Not Found")
    for number in range(1000):
        web.add(f"{number}.png", b"\x89PNG", "image/png")
    web.add("menu", MENU.encode()).add("oak", b"via: a", "application/warc-fields", record="metadata")
    path = tmp_path / f"a.warc{'.gz' * zipped}"
    path.write_bytes(web.data())
    notes = Notes()
    (only,) = read([path], Known(), notes)
    assert (only.item.id, only.item.url, only.item.published) == (f"{URL}oak", f"{URL}oak", date(2026, 5, 3))
    assert only.source == f"{path}, {URL}oak"
    assert dict(notes.skipped) == {
        "image/png": 1000, "pages of status 404": 1, "pages without the text of an article": 1,
    }  # fmt: skip


def test_the_last_capture_of_an_address_is_the_article(tmp_path: Path) -> None:
    web = Web().add("a", page("pine"), when="2026-06-02").add("a", page("steel"), when="2026-06-03")
    web.add("a", page("oak"), when="2026-06-01").add("a", page("steel"), when="2026-06-04", record="revisit")
    assert texts(tmp_path / "a.warc.gz", web.data()) == {f"{URL}a": "The steel library"}


def test_the_same_page_at_several_addresses_is_taken_once(tmp_path: Path) -> None:
    web = Web().add("a", page("pine")).add("a?from=feed", page("pine"))
    assert texts(tmp_path / "a.warc.gz", web.data()) == {f"{URL}a": "The pine library"}


@pytest.mark.parametrize("name", ["gzip", "br", "deflate"])
def test_encodings_of_content_are_undone(tmp_path: Path, name: str) -> None:
    import zlib

    packs = {"gzip": gzip.compress, "br": brotli.compress, "deflate": zlib.compress}
    web = Web().add("a", packs[name](page("glass")), Content_Encoding=name)
    assert texts(tmp_path / "a.warc.gz", web.data()) == {f"{URL}a": "The glass library"}
    quick = brotli.Compressor(quality=2)
    grown = b"".join(quick.process(bytes(10_000_000)) for _ in range(100)) + quick.finish()  # a gigabyte
    bomb = grown if name == "br" else packs[name](b"<p>" + b" " * 200_000_000)
    _, rejected, _ = found(tmp_path / "a.warc.gz", Web().add("a", bomb, Content_Encoding=name).data())
    assert rejected == ["it has over 20 MB, which are the most"]


def test_texts_and_resources(tmp_path: Path) -> None:
    wet = Web().add("a", f"Town gets a library\n\n{PROSE.format('oak')}".encode(), "text/plain", record="conversion")
    articles, rejected, _ = found(tmp_path / "a.warc.gz", wet.data())
    assert ([(one.url, one.title) for one in articles], rejected) == ([(f"{URL}a", "Town gets a library")], [])
    own = Web().add("b", page("oak"), record="resource").add("urn:x:1", page("pine"), record="resource")
    assert texts(tmp_path / "b.warc.gz", own.data()) == {f"{URL}b": "The oak library", None: "The pine library"}


def test_a_damaged_record_is_rejected_alone(tmp_path: Path) -> None:
    webs = [Web().add(kind, page(kind)) for kind in ("oak", "pine", "glass")]
    parts = [bytearray(web.data()) for web in webs]
    parts[1][200:260] = bytes(60)
    articles, rejected, _ = found(tmp_path / "a.warc.gz", b"".join(parts))
    assert [article.title for article in articles] == ["The oak library", "The glass library"]
    assert [reason[:17] for reason in rejected] == ["a damaged record,"]
    whole = b"".join(web.data() for web in webs)
    plain = Web(zipped=False).add("a", page("oak")).add("a", page("pine"), when="2026-06-09").data()
    articles, rejected, _ = found(tmp_path / "a.warc", plain[: plain.index(b"Part 3", plain.index(b"The pine"))])
    assert ([article.title for article in articles], [reason[18:43] for reason in rejected]) == (
        ["The oak library"], ["there or behind (it break"],
    )  # fmt: skip
    articles, rejected, _ = found(tmp_path / "a.warc.gz", whole[:-100])
    assert ([article.title[4:-8] for article in articles], len(rejected)) == (["oak", "pine"], 1)


@pytest.mark.parametrize("data", [b"", b"hello", bytes(100_000), gzip.compress(b"hello"), b"WARC/1.0\r\n" * 10_000])
def test_what_is_no_web_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    articles, rejected, _ = found(tmp_path / "a.warc.gz", data)
    assert articles == []
    assert rejected


def test_wacz(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        packed.writestr("datapackage.json", "{}")
        packed.writestr("archive/a.warc.gz", Web().add("a", page("oak")).add("b", page("pine")).data())
        packed.writestr("archive/b.warc.gz", Web().add("a", page("steel"), when="2026-07-01").data())
    assert texts(tmp_path / "a.wacz", held.getvalue()) == {
        f"{URL}a": "The steel library",
        f"{URL}b": "The pine library",
    }
    why = "no WACZ file, a damaged or a locked one (File is not a zip file): save it again"
    assert found(tmp_path / "a.wacz", b"PK")[1] == [why]
