"""Many at once: questions, visitors who leave, articles that come in meanwhile."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from conftest import SEEDS, running
from scripted import Scripted

from index.encoder import Encoder
from qa import Desk
from qa.rerank import Reranker

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


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reranker: Reranker) -> Iterator[Desk]:
    """A desk that holds the seeds; tests exchange its model."""
    with Desk(tmp_path_factory.mktemp("own"), encoder, reranker) as opened:
        opened.ingest([SEEDS])
        yield opened


@pytest.fixture(scope="module")
def address(own: Desk) -> Iterator[str]:
    with running(own) as served:
        yield served


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_who_leaves_is_worked_for_no_more(own: Desk, address: str, stream: bool, silent: bool) -> None:
    slow = Slow(silent)
    own.llm = Scripted(script=slow.script)
    body = json.dumps({"question": QUESTION, "stream": stream})
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as visitor:
        head = f"POST /api/ask HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        visitor.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        assert slow.writing.wait(30)
        if stream and not silent:
            assert visitor.recv(100).startswith(b"HTTP/1.1 200")
        assert told(address, "questions_in_progress") == 1
    assert until(lambda: told(address, "questions_in_progress") == 0) < 2
    slow.wakes.set()  # what hangs ends as soon as it can
    assert slow.closed.wait(2)


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
