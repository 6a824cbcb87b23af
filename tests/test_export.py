"""Conversations as files and over HTTP: what is told, and that nothing in it is taken for markup."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt

from evals.questions import read_questions
from index.health.files import TALKS
from qa import Desk
from qa.export import FORMS, html, markdown, word
from qa.kept import Kept, Turn, question_of
from qa.types import as_json
from qa.web.app import build_app

BASE = "http://127.0.0.1:7860"
QUESTION = "On what date did Ukraine accept a complete ceasefire in Jeddah?"
HOSTILE = [
    "<script>alert(1)</script>", "[a](javascript:alert(1))", "![x](http://evil.example/p.png)", "[^1]: forged",
    "# Heading", "`code` **bold** _it_", "| a | b |", "</li></ol><img src=x onerror=alert(1)>", "<http://evil.example>",
    "1. list", "&#91;1&#93; &lt;b&gt;", "{{ 7 * 7 }} {% raw %}", "a\u202eb\u0000c\ud800d\u000be", "]]></w:t><w:br/>",
    "    four\n\n---\n===", "\\[1\\] ~~~", "- item\n> quote", "$x$ --- www", "[1] [unsupported]",
]  # fmt: skip


@pytest.fixture(scope="module")
def turn(seeded: Desk) -> Turn:
    return Turn(1, {"question": QUESTION, "outlets": ["UNN"], "since": "2025-01-01"}, as_json(seeded.ask(QUESTION)))


def test_markdown_has_a_footnote_for_each_mark(turn: Turn, seeded: Desk) -> None:
    told = markdown("Jeddah", [turn, turn], BASE).decode()
    first = turn.answer["citations"][0]
    shown = seeded.show(first["article_id"])
    assert told.startswith(f"# Jeddah\n\n## {QUESTION}\n\n*Asked of: UNN · since 2025-01-01*\n\n")
    assert "**March 11**" in told
    count = len(turn.answer["citations"])
    for n in range(1, 2 * count + 1):
        assert told.count(f"[^{n}]: ") == 1
        assert f" [^{n}]" in told
    [note] = [line for line in told.splitlines() if line.startswith("[^1]: ")]
    assert f"“{shown['text'][first['start'] : first['end']]}”" in note
    assert f"({BASE}/source/{first['article_id']}?field=text&start={first['start']}&end={first['end']}#quote)" in note


class Shown(HTMLParser):
    """The tags, the addresses and the words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.hrefs, self.words = set[str](), list[str](), ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.hrefs += [value or "" for name, value in attrs if name in ("href", "src") or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words += data


def spoilt(turn: Turn, bad: str) -> Turn:
    """Return a turn in which all that comes from outside holds a hostile text."""
    cited = [c | {"title": bad, "outlet": bad, "quote": bad, "url": f"https://a.example/{bad}", "corrected_by": bad}
             for c in turn.answer["citations"]]  # fmt: skip
    beside = {
        "question": bad, "rewritten": bad, "broken": bad, "citations": cited, "text": f"{turn.answer['text']}\n{bad}",
        "earlier": [{"text": bad, "date": None, "citations": [1]}],
        "conflicts": [{"about": bad, "sides": [{"value": bad, "citations": [1]}]}],
        "sentences": [said | {"why": bad, "speaker": bad} for said in turn.answer["sentences"]],
    }  # fmt: skip
    return replace(turn, asked={"outlets": [bad], "until": bad}, answer=turn.answer | beside)


@pytest.mark.parametrize("bad", HOSTILE)
def test_nothing_from_outside_is_markup(turn: Turn, bad: str) -> None:
    good = re.sub(r"[^\n]+", "plain", bad)
    given, clean = spoilt(turn, bad), spoilt(turn, good)
    page = Shown(html(bad, [given], BASE).decode())
    assert page.tags == Shown(html(good, [clean], BASE).decode()).tags
    assert all(href.startswith((f"{BASE}/source/", "https://a.example/", "#note-")) for href in page.hrefs)

    def kinds(told: bytes) -> list[tuple[str, Any]]:
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(told.decode())
        parts = [part for token in tokens for part in (token.children or [token])]
        return [(p.type, (p.attrs or {}).get("href", "")[:18]) for p in parts if "text" not in p.type]

    assert kinds(markdown(bad, [given], BASE)) == kinds(markdown(good, [clean], BASE))
    file = Document(BytesIO(word(bad, [given], BASE)))
    plain = Document(BytesIO(word(good, [clean], BASE)))
    assert [p.style and p.style.name for p in file.paragraphs] == [p.style and p.style.name for p in plain.paragraphs]
    if bad.isprintable():
        assert page.words.count(bad) == Shown(html(good, [clean], BASE).decode()).words.count("plain") > 8
        assert file.paragraphs[0].text == bad


def test_word_has_bold_marks_and_sources(turn: Turn) -> None:
    file = Document(BytesIO(word("Jeddah", [turn], BASE)))
    runs = [run for paragraph in file.paragraphs for run in paragraph.runs]
    assert next(run.text for run in runs if run.bold) == "March 11"
    assert next(run.text.strip() for run in runs if run.font.superscript) == "1"
    links = [link for paragraph in file.paragraphs for link in paragraph.hyperlinks]
    assert links[0].text.strip() == "Read it in its place"
    assert links[0].url.startswith(f"{BASE}/source/")


def told(text: str, phrase: str) -> Turn:
    """Return a turn whose answer is a sentence, with what answers in it."""
    start = text.index(phrase)
    said = {"text": text, "citations": [], "marks": [[len(text) + 1, len(text) + 2]], "speaker": None, "why": "",
            "answer": {"start": start, "end": start + len(phrase)}}  # fmt: skip
    answer = {"question": "x", "text": f"{text} x", "sentences": [said], "citations": []}
    return Turn(1, {}, answer)


@pytest.mark.parametrize(
    ("text", "phrase", "bold"),
    [
        ("公司发布了“天眼”系统。", "“天眼”", "<strong>天眼</strong>"),
        ("Die Miete stieg um 12%ig.", "12%", "<strong>12</strong>"),
        ("Es kostete (laut Berg) 5%.", "(laut Berg)", "<strong>(laut Berg)</strong>"),
    ],
)
def test_bold_is_bold_beside_whatever_letters(text: str, phrase: str, bold: str) -> None:
    page = html("x", [told(text, phrase)], BASE).decode()
    assert bold in page
    assert "**" not in page


def test_a_text_from_right_to_left_is_one_in_files() -> None:
    file = Document(BytesIO(word("x", [told("بلغت التكلفة 240 مليون دولار.", "240 مليون دولار")], BASE)))
    assert '<p dir="auto">بلغت' in html("x", [told("بلغت التكلفة.", "التكلفة")], BASE).decode()
    kinds = [(p.text[:4], p._p.pPr is not None and bool(p._p.pPr.xpath("w:bidi"))) for p in file.paragraphs]
    assert kinds[:2] == [("x", False), ("بلغت", True)]
    assert all(run.font.rtl for run in file.paragraphs[1].runs)


def test_a_refusal_says_what_came_closest(seeded: Desk) -> None:
    refused = Turn(1, {}, as_json(seeded.ask("Who won the Champions League final?")))
    for make, _ in FORMS.values():
        told = make("x", [refused], BASE)
        told = "\n".join(p.text for p in Document(BytesIO(told)).paragraphs).encode() if make is word else told
        assert b"The archive does not answer this question." in told
        assert (b"Closest: " in told) == bool(refused.answer["refusal"]["closest"])


@pytest.fixture
def kept(desk: Desk) -> Iterator[tuple[TestClient, Kept]]:
    with TestClient(build_app(desk), base_url="http://127.0.0.1") as client:
        yield client, Kept(desk.index.folder / TALKS)


def test_conversations_over_http(kept: tuple[TestClient, Kept], turn: Turn, tmp_path: Path) -> None:
    client, store = kept
    talk = store.begin("", 'Über ../"x"\r\nSet-Cookie: a').id
    for _ in range(2):
        store.add("", talk, turn.asked, turn.answer)
    foreign = store.begin("somebody", "theirs").id
    assert [one["id"] for one in client.get("/api/talks").json()["talks"]] == [talk]
    assert client.get("/api/talks", params={"q": "nowhere"}).json() == {"talks": []}
    assert len(client.get(f"/api/talks/{talk}").json()["turns"]) == 2
    for form, (_, kind) in FORMS.items():
        for path in (f"{talk}.{form}", f"{talk}/2.{form}"):
            response = client.get(f"/api/talks/{path}")
            assert (response.status_code, response.headers["content-type"].split(";")[0]) == (200, kind)
        assert client.get(f"/api/talks/{foreign}.{form}").status_code == 404
    named = client.get(f"/api/talks/{talk}.md").headers["content-disposition"]
    assert named == "attachment; filename=\"ber-x-Set-Cookie-a.md\"; filename*=UTF-8''%C3%9Cber-x-Set-Cookie-a.md"
    assert client.get(f"/api/talks/{talk}/3.md").status_code == 404
    assert client.get(f"/api/talks/{talk}.exe").status_code == 400
    assert client.patch(f"/api/talks/{talk}", json={"title": "Jeddah"}).status_code == 204
    assert client.patch(f"/api/talks/{foreign}", json={"title": "mine"}).status_code == 404
    assert client.get(f"/api/talks/{talk}").json()["title"] == "Jeddah"
    assert client.post(f"/api/talks/{talk}/1/rating", json={"good": True}).status_code == 204
    assert client.post(f"/api/talks/{talk}/9/rating", json={"good": True}).status_code == 404
    (tmp_path / "rated.jsonl").write_bytes(client.get("/api/ratings.jsonl").content)
    [rated] = read_questions(tmp_path / "rated.jsonl")
    assert (rated.question, rated.answers, rated.outlets) == (QUESTION, (("March 11",),), ("UNN",))
    cited = {c["article_id"] for c in turn.answer["citations"]}
    assert set(rated.articles) <= cited
    assert client.delete(f"/api/talks/{foreign}").status_code == 404
    assert client.delete(f"/api/talks/{talk}").status_code == 204
    assert client.get(f"/api/talks/{talk}").json()["error"].startswith("there is no such conversation")


def test_faults_become_labels(turn: Turn) -> None:
    wrong = question_of(replace(turn, good=False, faults=("wrong answer",)))
    assert (wrong["wrong"], "answerable" in wrong) == (["March 11"], False)
    refuse = question_of(replace(turn, good=False, faults=("should have refused",)))
    assert refuse["answerable"] is False
    assert refuse["id"] == wrong["id"]
    source = question_of(replace(turn, good=False, faults=("wrong source",)))
    assert json.dumps(source["notes"]).count(turn.answer["citations"][0]["article_id"]) == 1
