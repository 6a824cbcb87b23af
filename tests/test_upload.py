"""What is added over HTTP: files and records, whatever they are called and hold; and Word files, read and refused."""

import gzip
import io
import json
import random
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from fastapi.testclient import TestClient
from httpx_sse import EventSource
from web import web

from index.encoder import Encoder
from index.read import whole_text
from index.types import BadInput, UnknownArticle
from qa import Desk
from qa.rerank import Reranker
from qa.web import problems
from qa.web.app import build_app
from qa.web.users import ACCOUNTS, HASHER, Account

STORY = "Bridge closes\n\nThe Fennick bridge closed on Monday after an inspector found cracks in two of its bearings."
TOLD = "The Fennick bridge closed on Monday after an inspector found cracks in two of its bearings."

NOTHING = 'the body holds nothing to add: send {"articles": [{"title": "…", "text": "…"}]} or {"urls": […]}'
PARAGRAPHS = "".join(f"<p>{TOLD} It opens again on {day} June.</p>" for day in range(1, 6))
PAGE = "# Bridge\n\n" + "\n".join(f"{TOLD} It opens again on {day} June." for day in range(1, 6))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reranker: Reranker) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("uploads") / "archive", encoder, reranker) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(desk: Desk) -> Iterator[TestClient]:
    with TestClient(build_app(desk), base_url="http://127.0.0.1") as opened:
        yield opened


def word(*, body: Any = None, **properties: Any) -> bytes:
    document, file = docx.Document(), io.BytesIO()
    for name, value in ({"title": "", "author": ""} | properties).items():
        setattr(document.core_properties, name, value)
    if body:
        body(document)
    document.save(file)
    return file.getvalue()


def send(client: TestClient, *files: tuple[str, bytes | str], **form: str) -> dict[str, Any]:
    answered = client.post("/api/articles", files=[("files", file) for file in files], data=form)
    assert answered.status_code == 200, answered.text
    report: dict[str, Any] = answered.json()
    return report


def test_files_are_added_and_known_again_by_their_names(client: TestClient, desk: Desk) -> None:
    report = send(client, ("bridge.txt", STORY), ("photo.png", b"\x89PNG"), ("empty.txt", ""), outlet="Gazette")
    assert (report["added"], report["passages"], report["unchanged"]) == (1, 1, 0)
    reasons = {one["source"]: one["reason"] for one in report["rejected"]}
    assert reasons.keys() == {"photo.png", "empty.txt"}
    assert reasons["photo.png"].startswith("not a known kind of file: use .txt, .md, .html")
    assert reasons["empty.txt"] == "it has no text"
    [found] = desk.articles(q="bridge CLOSES", outlets="gazette")
    assert (found["id"], found["title"], found["outlet"]) == ("bridge.txt", "Bridge closes", "Gazette")
    assert send(client, ("bridge.txt", STORY), outlet="Gazette")["unchanged"] == 1
    report = send(client, ("bridge.txt", STORY.replace("Monday", "Tuesday")), outlet="Gazette")
    assert (report["changed"], report["rejected"]) == (1, [])
    assert "on Tuesday" in desk.article("bridge.txt").text
    assert "on Monday" in desk.article("bridge.txt@1").text
    with pytest.raises(UnknownArticle, match=r"no version of an article is bridge\.txt@7; of this one there are: 1, 2"):
        desk.show("bridge.txt@7")


def test_the_same_name_twice_at_once_is_told(client: TestClient) -> None:
    report = send(client, ("twice.txt", STORY), ("deep/down/twice.txt", STORY.replace("two", "three")))
    reason = "duplicate id twice.txt: see twice.txt"
    assert (report["added"], report["rejected"]) == (1, [{"source": "twice.txt", "reason": reason}])


@pytest.mark.parametrize(
    "name",
    ["../../escaped.txt", "..\\..\\escaped.txt", "/etc/escaped.txt", "C:\\escaped.txt", "..", ".", "/", "a\0.txt",
     "x" * 300 + ".txt", "ы" * 150 + ".txt", "two\r\nlines.txt", "\u202efdp.txt", "-rf.txt", "~root.txt", "$(id).txt",
     "lock", "archive.sqlite3"],
)  # fmt: skip
def test_hostile_names_do_no_harm(client: TestClient, desk: Desk, name: str) -> None:
    folder = desk.index.folder.parent
    before = set(folder.rglob("*"))
    report = send(client, (name, STORY))
    assert report["added"] + report["changed"] + report["unchanged"] + len(report["rejected"]) == 1
    assert all("/tmp/" not in str(one) and "\n" not in one["reason"] for one in report["rejected"])
    assert not {"/", "\\", "\0"} & set("".join(article["id"] for article in desk.articles()))
    assert not [path for path in set(folder.rglob("*")) - before if path.suffix == ".txt"]


def test_a_name_that_is_not_utf8(client: TestClient) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="caf\xe9\xff.txt"\r\n\r\n' + STORY.encode()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    report = client.post("/api/articles", content=body + b"\r\n--x--\r\n", headers=headers).json()
    assert report["added"] + len(report["rejected"]) == 1


def test_records_are_added_as_json(client: TestClient, desk: Desk) -> None:
    records = [{"id": "b", "title": "Bridge", "text": TOLD, "published": "2025-04-18"}, {"text": TOLD.upper()}, 3]
    report = client.post("/api/articles", json={"articles": records, "outlet": "Gazette"}).json()
    assert (report["added"], len(report["rejected"])) == (2, 1)
    assert report["rejected"][0]["source"].endswith(".json, item 3")
    again = client.post("/api/articles", json={"articles": records, "outlet": "Gazette"}).json()
    assert (again["unchanged"], again["added"]) == (2, 0)
    other = client.post("/api/articles", json={"articles": [{"text": STORY.replace("two", "six")}]}).json()
    assert (other["added"], other["changed"]) == (1, 0)
    assert desk.article("b").published == date(2025, 4, 18)


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({"json": {}}, 400, NOTHING),
        ({"json": {"articles": "/etc/passwd"}}, 400, NOTHING),
        ({"json": ["x"]}, 400, NOTHING),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, NOTHING),
        ({"json": {"urls": [["https://news.example/a"]]}}, 400, NOTHING),
        ({"json": {"urls": "https://news.example/a"}}, 400, NOTHING),
        ({"data": {"outlet": "x"}}, 415, "send files as multipart/form-data, or articles as application/json"),
        ({"files": {"outlet": (None, "x")}}, 400, "no file is in the form: send one or more, each with its name"),
    ],
)
def test_what_is_no_upload(client: TestClient, sent: dict[str, Any], status: int, error: str) -> None:
    refused = client.post("/api/articles", **sent)
    assert (refused.status_code, refused.headers["content-type"]) == (status, problems.PROBLEM)
    assert refused.json()["error"] == error


def test_addresses_are_addresses_and_no_files(client: TestClient) -> None:
    urls = ["/etc/passwd", "file:///etc/passwd", "seeds", "http:///etc/passwd", "http://anna:s3cret@localhost/a"]
    report = client.post("/api/articles", json={"urls": urls}).json()
    reasons = {one["source"]: one["reason"] for one in report["rejected"]}
    assert (report["added"], len(reasons)) == (0, 5)
    assert all(reasons[url] == "no http or https address: write it whole" for url in urls[:3])
    assert "localhost (127.0.0.1) is not on the public internet" in reasons["http://localhost/a"]


def test_what_an_address_leads_to_is_added(tmp_path: Path, encoder: Encoder, reranker: Reranker) -> None:
    with Desk(tmp_path, encoder, reranker, allow_private=True) as desk, web() as served:
        client = TestClient(build_app(desk), base_url="http://127.0.0.1")
        served.pages["/a"] = f"<article><h1>Bridge</h1>{PARAGRAPHS}</article>".encode()
        body = {"urls": [served.url("/a")], "outlet": "Gazette"}
        assert client.post("/api/articles", json=body).json()["added"] == 1
        assert desk.article(served.url("/a")).outlet == "Gazette"
        told = client.post("/api/articles", json=body, headers={"Accept": "text/event-stream"}).text
    assert 'data: {"task": "fetch", "share": 1.0}' in told
    assert '"unchanged": 1' in told


def test_an_upload_has_a_bound_that_is_told(client: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
        for _ in range(problems.UPLOAD_BYTES["/api/articles"] // 1_000_000 + 1):
            yield b" " * 1_000_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    declared = {"Content-Length": str(problems.UPLOAD_BYTES["/api/articles"] + 1)} | headers
    for content, given in ((endless(), headers), (b"", declared)):
        refused = client.post("/api/articles", content=content, headers=given)
        assert refused.status_code == 413
        assert "over 100,000,000 bytes" in refused.json()["detail"]
    much = client.post("/api/articles", json={"articles": [{"text": "x" * problems.BODY_BYTES}]})
    assert (much.status_code, "over 4,000,000 bytes" in much.json()["detail"]) == (413, True)


def test_progress_is_told_where_it_is_asked_for(client: TestClient) -> None:
    accept, files = (
        {"Accept": "text/event-stream"},
        [("files", ("told.txt", STORY.replace("two", "nine"))), ("files", ("b.png", b"x"))],
    )
    with client.stream("POST", "/api/articles", files=files, headers=accept) as answered:
        events = [(event.event, event.json()) for event in EventSource(answered).iter_sse()]
    assert events[0] == ("progress", {"task": "ingest", "share": 0.0})
    assert events[-1][0] == "report"
    assert (events[-1][1]["added"], events[-1][1]["rejected"][0]["source"]) == (1, "b.png")


def test_readers_change_nothing(client: TestClient, desk: Desk, tmp_path: Path) -> None:
    users = tmp_path / "users.json"
    ann = Account("reader", HASHER.hash("a long password"))
    users.write_bytes(ACCOUNTS.dump_json({"ann": ann}))
    file = {"files": ("read.txt", STORY.replace("two", "ten"))}
    send(client, ("read.txt", STORY))
    reading = TestClient(build_app(desk, users=users), base_url="http://127.0.0.1")
    reading.auth = ("ann", "a long password")
    assert reading.get("/api/articles/read.txt").json()["text"] == TOLD
    for refused in (reading.delete("/api/articles/read.txt"), reading.post("/api/articles", files=file)):
        assert (refused.status_code, refused.headers["content-type"]) == (403, problems.PROBLEM)
        assert refused.json()["detail"] == "ann is a reader: only editors change the archive"
    assert desk.article("read.txt").text == TOLD
    assert reading.post("/api/text", files=file).status_code == 200


def draft(document: Any) -> None:
    document.add_heading("Baths to stay", 0)
    document.add_paragraph("By Anna Berg")
    document.add_heading("What was decided", 2)
    said = document.add_paragraph("The council kept the baths on ")
    said.add_run("Monday").font.strike = True
    said.add_run("Tuesday")
    said.add_run("1").font.superscript = True
    said.add_run(". A <b> & a secret.").font.hidden = False
    said.add_run("Hidden.").font.hidden = True
    tracked = '<w:{0} {1} w:id="1" w:author="x"><w:r><w:{2}>{3}</w:{2}></w:r></w:{0}>'
    said._p.append(parse_xml(tracked.format("ins", nsdecls("w"), "t", " Added.")))
    said._p.append(parse_xml(tracked.format("del", nsdecls("w"), "delText", " Removed.")))
    table = document.add_table(2, 2)
    for cell, text in zip(table._cells, ("Party", "Seats", "Greens", "12"), strict=True):
        cell.text = text


def test_a_word_file_is_read_as_it_stands() -> None:
    text = whole_text("Draft.DOCX", word(body=draft))
    assert text == (
        "# Baths to stay\n\nWhat was decided\n\nThe council kept the baths on Tuesday. A <b> & a secret. Added.\n\n"
        "Party · Seats\n\nGreens · 12"
    )


def test_a_word_file_is_an_article(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "baths.docx").write_bytes(word(body=draft, title="Another", created=datetime(2025, 4, 18)))
    plain = word(
        body=lambda d: d.add_paragraph(TOLD), title="Bridge", author="Olena Marchuk", created=datetime(2025, 4, 19)
    )
    (tmp_path / "bridge.docx").write_bytes(plain)
    (tmp_path / "~$bridge.docx").write_bytes(b"the lock of an editor")
    report = desk.ingest([tmp_path])
    assert (report.added, report.rejected) == (2, [])
    baths, bridge = desk.article("baths.docx"), desk.article("bridge.docx")
    assert (baths.title, baths.authors, baths.published) == ("Baths to stay", ("Anna Berg",), date(2025, 4, 18))
    assert (bridge.title, bridge.authors, bridge.published) == ("Bridge", ("Olena Marchuk",), date(2025, 4, 19))
    assert bridge.text == TOLD


def test_damaged_word_files_are_rejected_in_one_line() -> None:
    whole, dice = word(body=draft), random.Random(5)
    damaged = [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0" * 200, whole[: len(whole) // 2], STORY.encode()]
    for _ in range(60):  # bytes of the packed parts, and of the texts within
        bad = bytearray(whole)
        for _ in range(dice.randrange(1, 20)):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        damaged.append(bytes(bad))
    with zipfile.ZipFile(io.BytesIO(whole)) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    for name in parts:
        for content in (
            None,
            b"",
            b"<x/>",
            b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            parts[name][:-9],
        ):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w") as again:
                for other, held in parts.items():
                    if other != name or content is not None:
                        again.writestr(other, (content if other == name else held) or b"")
            damaged.append(file.getvalue())
    told = list[str]()
    for data in damaged:
        try:
            whole_text("a.docx", data)
        except BadInput as error:
            told.append(str(error))
    assert len(told) > 20, "seed 5"
    assert {reason[:19] for reason in told} == {"it cannot be read: "}


def test_a_zip_bomb_is_not_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("word/document.xml", b" " * 150_000_000)
    with pytest.raises(BadInput, match="it unzips to 150 MB, as no articles do: look into it"):
        whole_text("a.docx", file.getvalue())


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.txt", STORY.encode("utf-16"), STORY),
        ("a.md", b"# Head\n\nTold **so**.", "# Head\n\nTold **so**."),
        ("a.htm", f"<html><body><article><h1>Bridge</h1>{PARAGRAPHS}</article></body></html>".encode(), PAGE),
    ],
)
def test_a_draft_is_read(client: TestClient, name: str, data: bytes, text: str) -> None:
    assert client.post("/api/text", files={"file": (name, data)}).json() == {"text": text}


def test_what_is_no_draft(client: TestClient) -> None:
    packed = gzip.compress(json.dumps({"text": STORY}).encode())
    for name, data in (("a.jsonl.gz", packed), ("a.exe", b"MZ"), ("", b"x"), ("a.txt", b"\0\0"), ("a.docx", b"PK")):
        refused = client.post("/api/text", files={"file": (name, data)})
        assert (refused.status_code, refused.json()["error"].count("\n")) == (400, 0), name
