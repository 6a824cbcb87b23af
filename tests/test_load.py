"""Many at once: questions, visitors who leave, articles that come in meanwhile."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import SEEDS
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted import Scripted

from index.types import BadInput
from qa import Desk
from qa.kept import Kept
from qa.request import AskRequest, CheckRequest
from qa.service import Busy, Service

QUESTION = "On what date did Ukraine accept a complete ceasefire in Jeddah?"


@dataclass
class Slow:
    """A model that writes a piece every 0.2 s for ever, or, `silent`, not even the first for a long time."""

    silent: bool = False
    writing: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    wakes: threading.Event = field(default_factory=threading.Event)

    def script(self) -> Iterator[str]:
        try:
            self.writing.set()
            if self.silent:
                self.wakes.wait(60)
            while True:
                yield "Ukraine accepted a complete ceasefire in Jeddah on March 11 "
                time.sleep(0.2)
        finally:
            self.closed.set()


@contextmanager
def posting(address: str, path: str, body: dict[str, Any]) -> Iterator[socket.socket]:
    """Send a request, and leave at the end of the block, whatever has been answered."""
    host, port = address.removeprefix("http://").split(":")
    sent = json.dumps(body)
    with socket.create_connection((host, int(port))) as visitor:
        head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        visitor.sendall(f"{head}Content-Length: {len(sent)}\r\n\r\n{sent}".encode())
        yield visitor


def test_a_check_ends_with_who_asked_for_it(address: str) -> None:
    draft = " ".join(f"Ukraine accepted ceasefire number {n} in Jeddah." for n in range(1000))
    with posting(address, "/api/check", {"text": draft}):
        until(lambda: told(address, "questions_in_progress") == 1)
    assert until(lambda: told(address, "questions_in_progress") == 0) < 2


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_who_leaves_is_worked_for_no_more(own: Desk, address: str, stream: bool, silent: bool) -> None:
    slow = Slow(silent)
    own.llm = Scripted(script=slow.script)
    with posting(address, "/api/ask", {"question": QUESTION, "stream": stream}) as visitor:
        assert slow.writing.wait(30)
        if stream and not silent:
            assert visitor.recv(100).startswith(b"HTTP/1.1 200")
        assert told(address, "questions_in_progress") == 1
    assert until(lambda: told(address, "questions_in_progress") == 0) < 2
    slow.wakes.set()  # what hangs ends as soon as it can
    assert slow.closed.wait(2)


class Echo(Scripted):
    """A model that writes the last word of its question."""

    def stream_chat(self, messages: Sequence[ChatMessage], **_: Any) -> Iterator[ChatResponse]:  # type: ignore[override]
        text = f"Ukraine accepted a ceasefire in Jeddah, by {(messages[-1].content or '').split()[-1]}"
        yield ChatResponse(message=ChatMessage(role="assistant", content=text), delta=text)


def test_many_ask_at_once_and_each_gets_its_own_answer(own: Desk, address: str) -> None:
    own.llm = Echo(script=tuple)
    names = [f"Name{n}x" for n in range(8)]
    waited = list[float]()

    def ask(name: str) -> str:
        body = {"question": f"When did Ukraine accept a ceasefire in Jeddah with {name}?", "stream": True}
        return httpx.post(f"{address}/api/ask", json=body, timeout=120).text

    with ThreadPoolExecutor(len(names)) as visitors:
        asked = [visitors.submit(ask, name) for name in names]
        while not all(one.done() for one in asked):
            started = time.perf_counter()
            assert httpx.get(f"{address}/healthz").json()["ok"]
            waited.append(time.perf_counter() - started)
            time.sleep(0.05)
    for name, one in zip(names, asked, strict=True):
        assert name in one.result()
        assert not [other for other in names if other != name and other in one.result()]
    # It does not wait behind questions, which takes seconds.
    assert sorted(waited)[len(waited) // 2] < 0.3


def test_no_more_than_there_is_room_for(own: Desk, tmp_path: Path) -> None:
    service = Service(own, Kept(tmp_path / "talks"), most=1)
    own.llm = Scripted(script=lambda: ["Ukraine accepted it. ", "So it did. "])
    first = service.events(AskRequest(QUESTION))
    next(first)
    with pytest.raises(Busy, match="1 questions are being answered: ask again in 5 seconds"):
        next(service.events(AskRequest(QUESTION)))
    first.close()
    assert [*service.events(AskRequest(QUESTION))]
    checked = service.checking(CheckRequest("Ukraine accepted a complete ceasefire. Nobody came."))
    next(checked)
    with pytest.raises(Busy):
        next(service.events(AskRequest(QUESTION)))
    checked.close()
    assert not service.asking
    service.kept.close()


def test_questions_are_answered_while_articles_come_in(desk: Desk, tmp_path: Path) -> None:
    desk.ingest([SEEDS])
    desk.warm_up()
    before, file = len(desk.articles()), tmp_path / "more.jsonl"
    for version in ("first", "second"):
        said = "The harbour of Lissen was closed on March {}, the {} report says. Boats wait outside for it to open. "
        texts = [said.format(n % 28 + 1, version) * (1 + n % 2) for n in range(40)]
        file.write_text("\n".join(json.dumps({"id": f"a{n}", "text": text}) for n, text in enumerate(texts)))
        coming = threading.Thread(target=desk.ingest, args=([file],))
        coming.start()
        asked = 0
        while coming.is_alive():
            answer = desk.ask("When was the harbour of Lissen closed?" if asked % 2 else QUESTION)
            for hit in answer.retrieved:  # passages of one state: no offsets of one version in the text of another
                assert hit.text[0].isupper()
                assert hit.text[-1] in '.”"…'
            assert len(desk.articles()) in (before, before + 40)
            asked += 1
        coming.join()
        assert asked > 1
    assert desk.index.doctor().ok


def test_a_question_is_a_span_with_its_steps(own: Desk) -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    own.llm = Scripted(script=lambda: ["Ukraine accepted a complete ceasefire on March 11."])
    own.ask(QUESTION)
    *steps, whole = spans.get_finished_spans()
    assert (whole.name, [step.name for step in steps]) == (
        "invoke_agent copydesk", ["retrieve", "rerank", "chat scripted"],
    )  # fmt: skip
    assert (steps[2].attributes or {})["gen_ai.request.model"] == "scripted"
    assert all(step.parent == whole.context for step in steps)
    with pytest.raises(BadInput):
        own.ask("Who won?", outlets=["No Such Outlet"])
    assert (spans.get_finished_spans()[-1].attributes or {})["error.type"] == "BadInput"
    provider.shutdown()


def told(address: str, name: str) -> float:
    """Return a figure of /metrics."""
    lines = httpx.get(f"{address}/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(f"copydesk_{name} ")).split()[1])


def until(true: Callable[[], bool]) -> float:
    """Return after how many seconds something is true."""
    started = time.perf_counter()
    while not true():
        assert time.perf_counter() - started < 5
        time.sleep(0.02)
    return time.perf_counter() - started
