"""An encoder that a server runs: what it is sent and makes of the answer, and in one line whatever fails."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from conftest import SEEDS

from index.encoder import load_encoder
from index.types import BadInput, CopydeskError, ModelError
from qa.doors.cli import main

KEY = "sk-a-key-that-nobody-may-see"
Reply = tuple[int, Any]


class Server(ThreadingHTTPServer):
    """Speaks the embeddings API: `reply` makes of a request's body a status and a document."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []  # path, authorization, body
        self.reply: Callable[[Any], Reply] = vectors
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, self.headers["authorization"], body))
        status, document = self.server.reply(body)
        sent = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (("content-type", "application/json"), ("content-length", str(len(sent)))):
            self.send_header(name, value)
        if status == 307:
            self.send_header("location", "http://localhost:9/v1/embeddings")
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def vectors(body: Any, size: int = 8) -> Reply:
    """Return vectors that count letters, in another order than was asked, and longer than 1."""
    rows = [[float(text.lower().count(letter)) for letter in "etaoinshrdlu"[:size]] for text in body["input"]]
    data = [{"object": "embedding", "index": n, "embedding": [*row[:-1], row[-1] + 1]} for n, row in enumerate(rows)]
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    return 200, {"object": "list", "data": data[::-1], "model": body["model"], "usage": usage}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server() as served:
        thread = Thread(target=served.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("OPENAI_BASE_URL", served.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield served
        served.shutdown()
        thread.join()


def test_what_is_sent_and_what_comes_back(server: Server) -> None:
    encoder = load_encoder("openai:letters")
    texts = [f"The ferry {n} came late. " * n for n in range(1, 70)]
    found = encoder.encode_document(texts)
    assert found.shape == (69, 8)
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    wanted = np.array([row["embedding"] for row in vectors({"input": texts, "model": ""})[1]["data"][::-1]])
    assert np.allclose(found, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-6)
    assert [len(body["input"]) for _, _, body in server.asked] == [32, 32, 5]
    assert {(path, key) for path, key, _ in server.asked} == {("/v1/embeddings", f"Bearer {KEY}")}
    assert {(body["model"], body["encoding_format"]) for _, _, body in server.asked} == {("letters", "float")}
    assert encoder.encode([]).shape == (0, 8)
    encoder.encode_query(["", "half \ud800 of a character", "x" * 9000])
    assert server.asked[-1][2]["input"] == [" ", "half ? of a character", "x" * 6000]
    assert encoder.count(["Kelmouth", "буря", ""]) == [2, 2, 0]


def said(status: int, message: str = "said so") -> Callable[[Any], Reply]:
    return lambda body: (status, {"error": {"message": message}})


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (said(401, f"wrong key {KEY}"), "{at} refused the key for openai:m: set OPENAI_API_KEY to a valid one"),
        (said(404), "{at} has no openai:m (said so): name a model that makes embeddings, or set OPENAI_BASE_URL to"),
        (said(400, f"no {KEY}"), "{at} refused openai:m with status 400 (no ***): mend that, and run it again"),
        (said(307), "{at} sends openai:m on to another address: set OPENAI_BASE_URL to the right one"),
        (lambda body: (200, {"data": []}), "{at} answers as no server of embeddings does (0 vectors for 1 texts)"),
        (lambda body: (200, ["?"]), "{at} answers as no server of embeddings does ("),
        (lambda body: (200, {"data": [{"index": 0, "embedding": [0, 0]}]}), "{at} answers as no server of embeddings "),
        (lambda body: (200, {"data": [{"index": 0, "embedding": ["x"]}]}), "{at} answers as no server of embeddings "),
        (lambda body: (200, {"data": [{"index": 0}]}), "{at} answers as no server of embeddings does ("),
    ],
)
def test_each_failure_is_one_line(server: Server, reply: Callable[[Any], Reply], told: str) -> None:
    server.reply = reply
    with pytest.raises(ModelError) as failure:
        load_encoder("openai:m").encode_query(["Who?"])
    assert str(failure.value).startswith(told.format(at=server.url))
    assert KEY not in str(failure.value)


def test_a_server_that_is_busy_is_asked_again(server: Server) -> None:
    replies = [said(503), said(429), vectors]
    server.reply = lambda body: replies.pop(0)(body)
    assert load_encoder("openai:m").encode_document(["Who?"]).shape == (1, 8)
    assert len(server.asked) == 3
    server.reply = said(429)
    with pytest.raises(ModelError, match=r"has no room for openai:m now \(said so\): wait, or raise the account's"):
        load_encoder("openai:m").encode_query(["Who?"])


def test_vectors_that_have_another_length_now(server: Server) -> None:
    encoder = load_encoder("openai:m")
    encoder.encode(["Who?"])
    server.reply = lambda body: vectors(body, 9)
    with pytest.raises(ModelError, match="the vectors of openai:m had 8 numbers, and have 9 now"):
        encoder.encode(["Who?"])


def test_what_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ModelError, match=r"^openai:m needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL to the"):
        load_encoder("openai:m")
    with pytest.raises(BadInput, match="openai: names no model"):
        load_encoder("openai:")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(
        ModelError, match=r"no server can be reached at http://127.0.0.1:9/v1: start it, or set OPENAI_"
    ):
        load_encoder("openai:m").encode_query(["Who?"])
    for odd in ("ftp://there", "127.0.0.1:9", "http://:99999"):
        monkeypatch.setenv("OPENAI_BASE_URL", odd)
        with pytest.raises(CopydeskError, match=f"OPENAI_BASE_URL {odd} is not understood"):
            load_encoder("openai:m")


def test_an_archive_by_a_server(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "archive"

    def run(*words: str, status: int = 0) -> Any:
        assert main(["--data", str(data), *words, "--json"]) == status
        held = capsys.readouterr()
        assert KEY not in held.out + held.err
        return json.loads(held.out) if status == 0 else held.err

    assert run("ingest", str(SEEDS), "--encoder", "openai:letters")["added"] == 6
    assert run("search", "ceasefire in Jeddah")["hits"]
    assert run("doctor")["ok"]
    server.reply = lambda body: vectors(body, 9)
    another = "the encoder's vectors have 9 numbers, those in"
    assert run("search", "ceasefire in Jeddah", status=2).startswith(f"copydesk: {another}")
    assert run("reencode", "--encoder", "openai:more")["encoder"] == "openai:more"
    assert run("search", "ceasefire in Jeddah")["hits"]
    assert run("doctor")["ok"]
    assert not [path for path in data.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    server.reply = said(500)
    assert "refused openai:more with status 500" in run("search", "ceasefire in Jeddah", status=2)
