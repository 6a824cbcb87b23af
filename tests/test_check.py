"""Texts that are checked, and answers that come in pieces: by the command line and by the service."""

from __future__ import annotations

import io
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from conftest import SEEDS, Run, browsing
from scripted import Scripted

from index.encoder import Encoder
from index.types import CopydeskError
from qa import BadInput, Desk
from qa.doors.client import stream
from qa.rerank import Reranker
from qa.web.app import build_app

QUESTION = "On what date did Ukraine accept a complete ceasefire in Jeddah?"
VERBATIM = "Ukraine accepted such a ceasefire in Jeddah on March 11."
WRONG = "The ceasefire began on May 9."
DRAFT = f"{VERBATIM} {WRONG}\n\nMarco Rubio sat in the session. {VERBATIM}\n"
UNKNOWN = "no article has the id x: copydesk articles list prints the ids"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reranker: Reranker) -> Path:
    folder = tmp_path_factory.mktemp("checked")
    with Desk(folder, encoder, reranker) as desk:
        desk.ingest([SEEDS])
    return folder


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.txt"
    path.write_text(DRAFT)
    return path


def refused(output: tuple[int, str, str]) -> str:
    """Return the one line that a refused command prints."""
    status, out, err = output
    assert (status, out, err.count("\n")) == (2, "", 1)
    return err.removeprefix("copydesk: ").strip()


def assert_checked(document: dict[str, Any], show: Callable[[str], dict[str, Any]]) -> None:
    """Check the form of a checked text, and that every citation is exact."""
    assert set(document) == {"sentences", "citations"}
    for sentence in document["sentences"]:
        assert set(sentence) == {"text", "citations", "support", "why", "rule"}
        assert sentence["support"] in ("verbatim", "supported", "partial", "unsupported")
        assert bool(sentence["citations"]) == (sentence["support"] != "unsupported")
    assert [c["n"] for c in document["citations"]] == list(range(1, len(document["citations"]) + 1))
    for c in document["citations"]:
        assert set(c) == {
            "n", "article_id", "title", "outlet", "published", "url", "quote", "field", "start", "end",
            "corrected_by",
            "page",
            "language",
        }  # fmt: skip
        assert show(c["article_id"])[c["field"]][c["start"] : c["end"]] == c["quote"] != ""


# The command line


def test_check_as_json(run: Run, draft: Path) -> None:
    status, out, err = run("check", str(draft), "--json")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert_checked(document, lambda key: json.loads(run("articles", "show", key, "--json")[1]))
    sentences = document["sentences"]
    assert [s["text"] for s in sentences] == [VERBATIM, WRONG, "Marco Rubio sat in the session.", VERBATIM]
    assert [s["support"] for s in sentences][:2] == ["verbatim", "unsupported"]
    assert sentences[2]["support"] in ("supported", "partial")
    assert sentences[1]["why"] == "not in the evidence: 9 May"
    assert sentences[0]["citations"] == sentences[3]["citations"] == [1]
    assert document["citations"][0]["published"] == "2025-04-18"


def test_check_of_standard_input(archive: Path) -> None:
    command = [sys.executable, "-m", "qa", "--data", str(archive), "check", "-", "--json"]
    given = f"\ufeff{VERBATIM} Größe.".encode()
    result = subprocess.run(command, input=given, capture_output=True, check=True)
    document = json.loads(result.stdout)
    assert [(s["text"], s["support"]) for s in document["sentences"]] == [
        (VERBATIM, "verbatim"),
        ("Größe.", "unsupported"),
    ]
    assert result.stderr == b""


def test_what_cannot_be_checked_is_one_line(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = tmp_path / "picture.png"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe\x00\x81")
    missing = tmp_path / "none.txt"
    mend = "give a text's file, or - and the text on standard input"
    assert refused(run("check", str(missing))) == f"{missing} cannot be read: No such file or directory; {mend}"
    assert refused(run("check", str(tmp_path))) == f"{tmp_path} cannot be read: Is a directory; {mend}"
    assert refused(run("check", str(binary))).startswith(f"{binary} cannot be read: not ")
    empty = tmp_path / "empty.txt"
    for text in ("", " \n ", " … !? "):
        empty.write_text(text)
        assert refused(run("check", str(empty))) == "the text is empty: give it some sentences to check"
    empty.write_text("word " * 50_000)
    assert refused(run("check", str(empty))) == "the text has 250,000 characters: check at most 200,000 at once"
    empty.write_text("Some text.")
    assert refused(run("check", str(empty), data=missing)).startswith(f"no archive at {missing}: ")
    assert refused(run("check", str(empty), "--judge", "gpt")).startswith("'gpt' is no judge: ")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert refused(run("check", "-")) == "the text is empty: give it some sentences to check"


# The service


class Service:
    """A running service over an archive, whose model writes what a test tells it to."""

    def __init__(self, folder: Path, encoder: Encoder, reranker: Reranker) -> None:
        self.llm = Scripted(script=lambda: [VERBATIM, " ", WRONG])
        self.desk = Desk(folder, encoder, reranker, llm=self.llm)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.desk.index.lock.announce(self.address)
        self.server = uvicorn.Server(uvicorn.Config(build_app(self.desk), log_level="error"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]})

    def __enter__(self) -> Service:
        self.thread.start()
        deadline = time.monotonic() + 30
        while not self.server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(30)
        self.listener.close()
        self.desk.close()

    def post(self, path: str, body: Any) -> httpx.Response:
        return httpx.post(f"{self.address}{path}", json=body, timeout=60, trust_env=False)

    def events(self, body: dict[str, Any]) -> list[tuple[str, Any]]:
        """Return what a question is streamed as, having made sure of the form of server-sent events."""
        response = self.post("/api/ask", body | {"stream": True})
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        *blocks, end = response.text.split("\n\n")
        assert end == ""
        events = []
        for block in blocks:
            first, second = block.split("\n")
            assert first.startswith("event: ")
            assert second.startswith("data: ")
            events.append((first.removeprefix("event: "), json.loads(second.removeprefix("data: "))))
        return events


@pytest.fixture(scope="module")
def opened(archive: Path, encoder: Encoder, reranker: Reranker) -> Iterator[Service]:
    with Service(archive, encoder, reranker) as running:
        yield running


@pytest.fixture
def service(opened: Service) -> Service:
    opened.llm.script = lambda: [VERBATIM, " ", WRONG]
    return opened


def test_check_for_people(service: Service, run: Run, draft: Path) -> None:
    status, out, err = run("check", str(draft))
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"verbatim    {VERBATIM}")
    assert lines[0].endswith(" [1]")
    assert lines[1].startswith(f"unsupported {WRONG}")
    assert lines[2].strip() == "not in the evidence: 9 May"
    assert "Sources" in lines
    assert "“Ukraine accepted such a ceasefire in Jeddah on March 11”" in out


def test_check_against_named_articles(service: Service, run: Run, draft: Path) -> None:
    document = json.loads(run("check", str(draft), "--article", "jeddah-ceasefire", "--json")[1])
    assert [s["support"] for s in document["sentences"]][2] == "unsupported"
    assert {c["article_id"] for c in document["citations"]} == {"jeddah-ceasefire"}
    words = ("--article", "jeddah-ceasefire", "--article", "https://kyivbulletin.example/2025/04/18/paris-talks-yermak")
    document = json.loads(run("check", str(draft), *words, "--json")[1])
    assert document["sentences"][0]["support"] == "verbatim"
    assert refused(run("check", str(draft), "--article", "none")) == (
        "no article has the id none: copydesk articles list prints the ids"
    )


def test_check_over_http(service: Service) -> None:
    response = service.post("/api/check", {"text": DRAFT})
    assert response.status_code == 200
    assert_checked(response.json(), service.desk.show)
    assert [s["support"] for s in response.json()["sentences"]][:2] == ["verbatim", "unsupported"]
    one = service.post("/api/check", {"text": VERBATIM, "articles": ["jeddah-ceasefire"]}).json()
    assert {c["article_id"] for c in one["citations"]} <= {"jeddah-ceasefire"}


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"text": " "}, 400, "the text is empty: give it some sentences to check"),
        ({}, 400, "text: Field required"),
        ({"text": "A.", "article": ["x"]}, 400, "article is no field: use text, articles"),
        ({"text": "Kyiv agreed.", "articles": ["x"]}, 404, UNKNOWN),
    ],
)
def test_what_cannot_be_checked_over_http(service: Service, body: dict[str, Any], status: int, error: str) -> None:
    response = service.post("/api/check", body)
    assert (response.status_code, response.json()["error"]) == (status, error)


def test_an_answer_as_events(service: Service) -> None:
    events = service.events({"question": QUESTION})
    kinds = [kind for kind, _ in events]
    assert (kinds[0], kinds[-1], kinds.count("answer")) == ("text", "answer", 1)
    assert set(kinds) == {"text", "citation", "sentence", "answer"}
    answer = events[-1][1]
    assert "".join(data["text"] for kind, data in events if kind == "text") == answer["text"]
    assert [data for kind, data in events if kind == "citation"] == answer["citations"]
    whole_only = {"stands_in": None, "speaker": None}  # known once all is written
    told = [data for kind, data in events if kind == "sentence"]
    assert told == [sentence | whole_only for sentence in answer["sentences"]]
    assert answer["sentences"][0]["stands_in"]["groups"] == 2
    assert kinds.index("citation") < kinds.index("sentence")
    assert answer["text"] == f"{VERBATIM} [1] {WRONG} [unsupported]"
    whole = service.post("/api/ask", {"question": QUESTION}).json()
    assert whole.pop("timings_ms").keys() == answer.pop("timings_ms").keys()
    assert whole == answer
    assert answer["llm"] == "scripted"


def test_quotes_and_strict_as_events(service: Service) -> None:
    events = service.events({"question": QUESTION, "llm": "quotes"})
    assert events[-1][1]["llm"] == "quotes"
    assert events[0] == ("text", {"text": events[-1][1]["text"]})
    assert not any("May 9" in json.dumps(data) for _, data in service.events({"question": QUESTION, "strict": True}))


def test_a_refusal_as_events(service: Service) -> None:
    events = service.events({"question": "Who won the Champions League final?"})
    assert [kind for kind, _ in events] == ["text", "answer"]
    assert events[0][1] == {"text": "The archive does not answer this question."}
    assert events[1][1]["refusal"]["reason"] == "below_threshold"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"question": ""}, 400, "the question is empty: ask something in words"),
        ({"question": QUESTION, "llm": "magic"}, 400, "magic is not offered here: use quotes"),
        ({"question": QUESTION, "history": [{"role": "system", "content": "x"}]}, 400, "history is a list of "),
        (
            {"question": QUESTION, "llm": "llamacpp:/none.gguf"},
            400,
            "llamacpp:/none.gguf is not offered here: use quotes",
        ),
    ],
)
def test_errors_before_the_first_word_have_their_status(
    service: Service, body: dict[str, Any], status: int, error: str
) -> None:
    for streamed in (True, False):
        response = service.post("/api/ask", body | {"stream": streamed})
        assert response.status_code == status
        assert "error" in response.json()
        assert response.json()["error"].startswith(error)


def break_off() -> Iterator[str]:
    yield f"{VERBATIM} And"
    raise ConnectionError("cable cut")


def test_what_was_written_stays_when_the_model_breaks_off(service: Service, run: Run) -> None:
    service.llm.script = break_off
    events = service.events({"question": QUESTION})
    assert events[0] == ("text", {"text": VERBATIM})
    kind, answer = events[-1]
    assert (kind, answer["text"]) == ("answer", f"{VERBATIM} [1] And [unsupported]")
    assert "cable cut" in answer["broken"]
    response = service.post("/api/ask", {"question": QUESTION})
    assert (response.status_code, response.json()["broken"]) == (200, answer["broken"])
    status, out, _ = run("ask", QUESTION)
    assert status == 1
    assert VERBATIM in out
    assert f"The answer broke off: {answer['broken']}" in out


def test_the_command_line_gets_the_text_while_it_is_written(service: Service, run: Run) -> None:
    seen = threading.Event()

    def waits() -> Iterator[str]:
        yield VERBATIM[:24]
        assert seen.wait(20), "the text is held back"
        yield VERBATIM[24:]

    service.llm.script = waits
    with stream(service.address, "/api/ask", {"question": QUESTION}) as events:
        assert next(events) == ("text", {"text": VERBATIM[:24].rstrip()})
        seen.set()
        assert list(events)[-1][1]["text"] == f"{VERBATIM} [1]"

    status, out, err = run("ask", QUESTION, "--json")
    assert (status, err) == (0, "")
    assert (json.loads(out)["text"], json.loads(out)["llm"]) == (f"{VERBATIM} [1]", "scripted")
    where = "(Kyiv Bulletin, 18 April 2025; in 2 independent reports, the first of 18 April 2025)"
    assert run("ask", QUESTION)[1].startswith(f"\n{VERBATIM} [1] {where}\n\nSources\n[1] ")
    assert json.loads(run("ask", QUESTION, "--llm", "quotes", "--json")[1])["llm"] == "quotes"


def test_the_command_line_beside_a_service(service: Service, run: Run, draft: Path) -> None:
    document = json.loads(run("check", str(draft), "--json")[1])
    assert [s["support"] for s in document["sentences"]][:2] == ["verbatim", "unsupported"]
    for words in (("ask", "Who?", "--llm-url", "http://127.0.0.1:1"), ("check", str(draft), "--judge", "nli:x")):
        option = words[2]
        assert (
            refused(run(*words)) == f"the archive is served at {service.address}: {option} is for copydesk serve then"
        )
    assert refused(run("ask", "")) == "the question is empty: ask something in words"
    with (
        pytest.raises(CopydeskError, match="the question is empty"),
        stream(service.address, "/api/ask", {"question": ""}),
    ):
        raise AssertionError("nothing can be streamed")  # pragma: no cover


def test_a_reader_who_leaves_stops_the_model(service: Service) -> None:
    stopped = threading.Event()

    def endless() -> Iterator[str]:
        try:
            while True:
                yield "and so on "
                time.sleep(0.005)
        finally:
            stopped.set()

    service.llm.script = endless
    with stream(service.address, "/api/ask", {"question": QUESTION}) as events:
        assert next(events)[0] == "text"
    assert stopped.wait(20)


# A gate


MARKDOWN = """# Talks in Paris

Background
==========
**In short**
Sources:

- Ukraine accepted such a ceasefire in Jeddah on March 11.

```
for day in ceasefire: print("Ukraine rejected it")
```
1. Moscow accepted a ceasefire in Vienna.
"""


def test_headings_and_code_are_no_sentences(seeded: Desk) -> None:
    checked = seeded.check(MARKDOWN)
    assert [(sentence.text, sentence.support) for sentence in checked] == [
        ("Ukraine accepted such a ceasefire in Jeddah on March 11.", "verbatim"),
        ("Moscow accepted a ceasefire in Vienna.", "unsupported"),
    ]


@pytest.mark.parametrize(
    "text", ["**Moscow accepted.**", "Moscow accepted.\n---", "Moscow accepted.\n====", "> Moscow accepted."]
)
def test_a_whole_sentence_is_no_heading(seeded: Desk, text: str) -> None:
    assert [(sentence.text, sentence.support) for sentence in seeded.check(text)] == [
        ("Moscow accepted.", "unsupported")
    ]


@pytest.mark.parametrize("text", ["# Heading", "```\ncode\n```", "Sources:", "---"])
def test_a_text_that_states_nothing(seeded: Desk, text: str) -> None:
    with pytest.raises(BadInput, match="the text is empty: give it some sentences to check"):
        seeded.check(text)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ((), 0),
        (("--fail-under", "0.5"), 0),
        (("--fail-under", ".51"), 1),
        (("--strict",), 1),
        (("--fail-under", "2"), 2),
    ],
)
def test_check_can_gate(run: Run, tmp_path: Path, options: tuple[str, ...], status: int) -> None:
    (tmp_path / "draft.md").write_text(MARKDOWN)
    ended, _, said = run("check", str(tmp_path / "draft.md"), *options)
    assert ended == status
    if status == 1:
        asked = {"--strict": "100%", ".51": "51%"}[options[-1]]
        assert said == f"50% of the sentences are supported, {asked} are asked for\n"


def test_a_judge_that_cannot_be_had_leaves_no_locked_archive(tmp_path: Path, encoder: Encoder) -> None:
    for judge in ("magic", "nli:", "openai"):
        with pytest.raises(BadInput):
            Desk(tmp_path, encoder, judge=judge)
    with Desk(tmp_path, encoder) as desk:
        assert desk.articles() == []


@pytest.mark.parametrize("where", ["/nofolder", "~/nofolder", "./no", "a b", "a/b/c", "EMPTY", "FILE", "no/such-model"])
def test_a_judge_that_is_nowhere_is_told_in_one_line(tmp_path: Path, encoder: Encoder, where: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    name = {"EMPTY": str(tmp_path / "empty"), "FILE": str(tmp_path / "file")}.get(where, where)
    with pytest.raises(CopydeskError) as refused:
        Desk(tmp_path / "archive", encoder, judge=f"nli:{name}")
    why = {"EMPTY": f"{name} holds no model", "no/such-model": f"{name} cannot be fetched"}
    give = "give the folder of an NLI cross-encoder, or the id of one on the Hugging Face hub"
    assert str(refused.value) == f"{why.get(where, f'no folder is at {name}')}: {give}"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")
def test_stop_on_the_page_stops_the_model_and_keeps_what_it_wrote(service: Service) -> None:
    stopped = threading.Event()

    def endless() -> Iterator[str]:
        try:
            yield f"{VERBATIM} "
            while True:
                yield "and so on "
                time.sleep(0.02)
        finally:
            stopped.set()

    service.llm.script = endless
    with browsing(service.address) as page:
        page.goto(service.address)
        box = page.get_by_placeholder("Ask about the news in the archive")
        box.fill(QUESTION)
        page.keyboard.press("Enter")
        page.get_by_text("and so on").wait_for(timeout=30_000)
        page.get_by_role("button", name="Stop").click()
        assert stopped.wait(10)
        page.get_by_role("button", name="Stop").wait_for(state="hidden")
        assert VERBATIM.rstrip(".") in page.locator(".answer").first.inner_text()
        service.llm.script = lambda: [VERBATIM]
        box.fill("And who proposed it?")
        page.keyboard.press("Enter")
        page.locator(".answer").nth(1).locator("a.cite").first.wait_for(timeout=30_000)
        assert VERBATIM.rstrip(".") in page.locator(".answer").first.inner_text()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")
def test_a_question_is_shown_as_it_was_typed(service: Service) -> None:
    typed = "<img src=x> <b>Who</b> **proposed** it?"
    service.llm.script = lambda: [VERBATIM]
    with browsing(service.address) as page:
        page.goto(service.address)
        page.get_by_placeholder("Ask about the news in the archive").fill(typed)
        page.keyboard.press("Enter")
        page.locator(".answer").first.wait_for(timeout=30_000)
        page.get_by_role("heading", name=typed).wait_for(timeout=10_000)
        assert page.locator("img[src='x']").count() == 0


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")
def test_new_on_the_page_forgets_what_was_said_and_what_is_being_written(service: Service) -> None:
    stopped = threading.Event()

    def writes_on() -> Iterator[str]:
        try:
            yield f"{VERBATIM} "
            while True:
                time.sleep(0.2)
                yield "more "
        finally:
            stopped.set()

    service.llm.script = writes_on
    with browsing(service.address) as page:
        page.goto(service.address)
        box, answers = page.get_by_placeholder("Ask about the news in the archive"), page.locator(".answer")
        box.fill(QUESTION)
        page.keyboard.press("Enter")
        page.get_by_text("more more").wait_for(timeout=60_000)
        page.get_by_role("button", name="New", exact=True).click()
        assert stopped.wait(10)
        page.get_by_role("button", name="Stop").wait_for(state="hidden")
        page.wait_for_timeout(1000)
        assert answers.count() == 0
        service.llm.script = lambda: [VERBATIM]
        box.fill("When was it?")
        page.keyboard.press("Enter")
        page.locator(".answer .line .badge").first.wait_for(timeout=60_000)
        assert answers.count() == 1
        assert "Understood as" not in answers.inner_text()
