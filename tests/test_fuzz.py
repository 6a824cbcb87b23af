"""Malformed files of every kind: each is read or refused in one line, in time and memory; what is beside goes in."""

import csv
import gzip
import io
import json
import os
import random
import re
import time
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest
from reportlab.pdfgen.canvas import Canvas
from warcio.warcwriter import WARCWriter

from index.read import read
from index.read.child import MEGABYTES, _idle, readings
from index.read.formats import READERS
from index.types import Article, Rejected

SEED = int(os.environ.get("COPYDESK_SEED") or random.randrange(10**6))
FILES = 2000 // len(READERS) + 1 if os.environ.get("COPYDESK_TORTURE") else 4  # of each kind
LEAD = "The Fennick bridge closed on Monday after an inspector found cracks in two of its bearings."
MORE = "It opens again in June, the council said. Buses go by way of Aldby until then."
HTML = (
    f"<html lang='en'><head><title>Bridge closes</title><meta property='article:published_time' content='2025-04-18'>"
    f"</head><body><article><h1>Bridge closes</h1><p>{LEAD}</p><p>{MORE}</p><table><tr><th>Day</th><th>Cars</th></tr>"
    f"<tr><td>Monday</td><td>400</td></tr></table></article></body></html>"
)
RECORD = {
    "id": "a",
    "title": "Bridge closes",
    "text": f"{LEAD}\n{MORE}",
    "published": "2025-04-18",
    "authors": ["A. B."],
}
FEED = (
    "<?xml version='1.0'?><rss version='2.0'><channel><title>Post</title><item><title>Bridge</title><link>"
    f"https://post.example/a</link><description>&lt;p&gt;{LEAD} {MORE}&lt;/p&gt;</description></item></channel></rss>"
)
FODT = (
    '<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text>'
    f"<text:h>Bridge closes</text:h><text:p>{LEAD}</text:p></office:text></office:body></office:document>"
)


def zipped(**parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return out.getvalue()


def word() -> bytes:
    document, out = docx.Document(), io.BytesIO()
    document.add_heading("Bridge closes", 1)
    document.add_paragraph(LEAD)
    document.save(out)
    return out.getvalue()


def pdf() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out)
    for _ in range(2):
        canvas.drawString(72, 700, LEAD)
        canvas.drawString(72, 680, MORE)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def warc(packed: bool = False) -> bytes:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=packed)
    payload = io.BytesIO(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + HTML.encode())
    writer.write_record(writer.create_warc_record("https://post.example/a", "response", payload=payload))
    return out.getvalue()


def table(delimiter: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([["title", "text"], ["Bridge", LEAD], ["Ferry", MORE]])
    return out.getvalue().encode()


def mail() -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "Post <a@post.example>", "Bridge closes"
    message.set_content(f"{LEAD}\n\n{MORE}")
    message.add_alternative(HTML, subtype="html")
    message.add_attachment(word(), maintype="application", subtype="octet-stream", filename="a.docx")
    return message.as_bytes()


CONTAINER = '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>'
OPF = '<package><manifest><item id="a" href="a.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>'
LINES = b"".join(json.dumps(RECORD | {"id": str(n)}).encode() + b"\n" for n in range(3))
GOOD: dict[str, Callable[[], bytes]] = {
    ".txt": lambda: f"Bridge closes\n18 April 2025\n\n{LEAD}\n{MORE}".encode(),
    ".md": lambda: (
        f"---\ntitle: Bridge closes\npublished: 2025-04-18\n---\n# Bridge\n\n{LEAD}\n\n| a | b |\n|-|-|\n|1|2|".encode()
    ),
    ".json": lambda: json.dumps([RECORD]).encode(),
    ".jsonl": lambda: LINES,
    ".jsonl.gz": lambda: gzip.compress(LINES),
    ".csv": lambda: table(","),
    ".tsv": lambda: table("\t"),
    ".rtf": lambda: (
        rb"{\rtf1\ansi{\info{\title Bridge}}" + LEAD.encode() + rb"\par {\b b}\u8217 ?" + MORE.encode() + b"}"
    ),
    ".odt": lambda: zipped(
        **{
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": FODT.replace("office:document", "office:document-content"),
        }
    ),
    ".fodt": FODT.encode,
    ".epub": lambda: zipped(**{"META-INF/container.xml": CONTAINER, "a.opf": OPF, "a.xhtml": HTML}),
    ".pdf": pdf,
    ".eml": mail,
    ".mbox": lambda: b"From a@post.example Fri Apr 18 10:00:00 2025\n" + mail() + b"\n\n" + b"From b\n" + mail(),
    ".warc": warc,
    ".warc.gz": lambda: warc(packed=True),
    ".wacz": lambda: zipped(**{"archive/a.warc": warc().decode()}),
    ".zip": lambda: zipped(**{"a.html": HTML, "b.txt": LEAD, "c.jsonl": LINES.decode()}),
}
LIKE = {".htm": HTML, ".html": HTML, ".xml": FEED, ".rss": FEED, ".atom": FEED, ".rdf": FEED}
FILLED = b"<[{(\"'`*_|\\&%=\0\xff\xfe\xef\xbb\xbf,;:/-+#"


def good(kind: str) -> bytes:
    if kind in LIKE:
        return LIKE[kind].encode()
    return GOOD[kind]() if kind in GOOD else word() if kind[:2] == ".d" else GOOD[".odt"]()


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """Return a file that is altered in one to four ways."""
    for _ in range(chance.randint(1, 4)):
        start, length = chance.randrange(len(data) + 1), chance.choice((1, 4, 40, 400))
        part = data[start : start + length]
        what = chance.choice(("cut", "drop", "flip", "fill", "repeat", "move"))
        if what == "cut":
            data = data[:start]
        elif what == "drop":
            data = data[:start] + data[start + length :]
        elif what == "flip":
            data = data[:start] + bytes(byte ^ (1 << chance.randrange(8)) for byte in part) + data[start + length :]
        elif what == "fill":
            data = data[:start] + bytes([chance.choice(FILLED)]) * length * length + data[start:]
        elif what == "repeat":
            data = data[:start] + part * chance.choice((2, 50, 2000)) + data[start:]
        else:
            data = data[start:] + data[:start]
    return data


def memory() -> int:
    """Return the most megabytes that the process that reads has had, 0 where it has ended."""
    if not _idle:
        return 0
    status = Path(f"/proc/{_idle[0]._process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) >> 10  # type: ignore[index]


@pytest.mark.parametrize("kind", [*READERS])
def test_good_examples_are_read(tmp_path: Path, kind: str) -> None:
    (tmp_path / f"a{kind}").write_bytes(good(kind))
    found = [one.item for one in read([tmp_path])]
    assert any("Fennick bridge closed on Monday" in one.text for one in found if isinstance(one, Article)), found


def test_what_a_large_file_leaves_behind_is_not_missing_to_the_next(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"text,title\n{'A b. ' * 6_000_000},T\n")
    assert [*readings(tmp_path / "a.csv", ".csv")]
    assert not _idle  # another process takes its place
    (tmp_path / "a.pdf").write_bytes(good(".pdf"))
    assert "Fennick bridge" in str([*readings(tmp_path / "a.pdf", ".pdf")])
    assert _idle


@pytest.mark.torture
@pytest.mark.parametrize("kind", [*READERS])
def test_malformed_files(tmp_path: Path, kind: str) -> None:
    chance = random.Random(f"{SEED}{kind}")
    print(f"seed {SEED}")
    for number in range(FILES):
        (tmp_path / f"{number}{kind}").write_bytes(spoilt(good(kind), chance))
    (tmp_path / "beside.txt").write_text(LEAD)
    started = time.process_time()
    found = [one.item for one in read([tmp_path])]
    assert any(isinstance(one, Article) and one.id == "beside.txt" for one in found)
    for one in found:
        if isinstance(one, Rejected):
            assert "\n" not in one.reason
            assert 8 < len(one.reason) <= 300
            assert "its reader fails on it" not in one.reason, one
    assert memory() <= MEGABYTES
    assert time.process_time() - started <= 10 * (FILES + 1)
