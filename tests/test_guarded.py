"""What is sent, hidden, planted or altered to get in, and what must not get out: every door, in both directions."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from itertools import islice, product, zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from conftest import REPOSITORY, Run
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from index.encoder import DEFAULT_ENCODER, MULTILINGUAL, load_encoder
from index.text.days import shifted
from index.types import BadInput, CopydeskError, ModelError, shown
from index.weights import BUNDLED
from qa import Desk
from qa.llm.judge import load_judge
from qa.rerank import load_reranker
from qa.web.app import build_app
from qa.web.mcp import TOOLS

SEED = int(os.environ.get("COPYDESK_SEED", time.time_ns() % 10**6))
MANY = 2000 if os.environ.get("COPYDESK_TORTURE") else 60
# Of the processor. The longest question has the reader read sixteen pairs of 384 tokens, which takes 5 s of one core.
SECONDS, ANSWERED_SECONDS = 2.0, 10.0
ODD = [
    *(
        "\ud800",
        "a\ud800b \x00\x1b\u202e",
        "0001-01-01",
        "9999-12-31",
        "2025-02-30",
        "",
        " ",
        "²",
        "' OR 1 --",
        "\u2028",
    ),
    *("“" * 40_000, "中" * 100_000, "a@" * 50_000, "9" * 5000, "(" * 50_000, "and " * 299, "llamacpp:/etc/passwd"),
]
TURNS: list[object] = [
    [{"role": "user", "content": text}] * n for text in ("\ud800", "She left. " * 3000) for n in (1, 300)
]
SHAPES: list[object] = [*ODD, 0, -1, 1.5, True, None, 2**63, [], {}, [[]], [None], ["\ud800"], ["x"] * 20_000, *TURNS]
# What only JSON can say, and what its parser must not die of.
RAW = [*map(json.dumps, SHAPES), "NaN", "-Infinity", "1e400", "9" * 5000, "[" * 50_000 + "]" * 50_000,
       '{"a":' * 50_000 + "1" + "}" * 50_000, '"' + "x" * 3_000_000 + '"']  # fmt: skip
JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
FIRST = {"question": "Who won?", "text": "Kyiv won.", "input": "Who won?", "title": "A talk", "good": True, "id": "x"}
Fields = list[tuple[str, str, tuple[str, ...]]]  # of a route: method, path and the names of what it takes


def routes(app: FastAPI) -> Fields:
    """Return each route that takes JSON, and each tool of MCP, which has its name for a path."""
    known, found = app.openapi(), []
    for path, operations in known["paths"].items():
        for method, said in operations.items():
            schema = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            schema = known["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
            if schema.get("properties"):
                found.append((method, re.sub(r"\{\w+\}", "1", path), tuple(schema["properties"])))
    return found + [
        ("", tool, tuple(TypeAdapter(form).json_schema()["properties"])) for tool, (form, *_) in TOOLS.items()
    ]


def sent(browser: TestClient, method: str, path: str, fields: dict[str, str]) -> None:
    """Send fields, each as JSON: it is answered, or refused by a problem document of one line, in little time."""
    body = f"{{{', '.join(f'{json.dumps(name)}: {raw}' for name, raw in fields.items())}}}"
    if not method:
        call = f'{{"name": "{path}", "arguments": {body}}}'
        method, path, body = "post", "/mcp", f'{{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {call}}}'
    began = time.process_time()
    said = browser.request(method, path, content=body, headers=JSON)
    most = ANSWERED_SECONDS if said.status_code == 200 else SECONDS
    assert time.process_time() - began < most, (path, body[:200])
    assert said.status_code < 500, (path, body[:200], said.text)
    if said.status_code >= 400 and path != "/mcp":
        told = said.json()["error"] if path.startswith("/v1/") else said.json()
        told = told["message"] if path.startswith("/v1/") else told["detail"]
        assert told.isprintable()
        assert 0 < len(told) <= 1000


@pytest.fixture(scope="module")
def browser(own: Desk) -> Iterator[TestClient]:
    own.warm_up()
    with TestClient(build_app(own), base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def test_no_body_breaks_a_route(browser: TestClient) -> None:
    """Every field of every route and tool, with what it does not expect, alone and together."""
    every = [route for route in routes(browser.app) if route[1] != "/api/articles"]  # type: ignore[arg-type]
    assert {path for _, path, _ in every} >= {
        "/api/ask",
        "/v1/responses",
        "/api/talks/1",
        "/api/talks/1/1/rating",
        "check",
    }
    print(f"COPYDESK_SEED={SEED}: {MANY:,} bodies for {len(every)} routes and tools")

    @seed(SEED)
    @settings(max_examples=MANY, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def send(data: st.DataObject) -> None:
        method, path, names = data.draw(st.sampled_from(every))
        odd = st.dictionaries(st.sampled_from([*names, "\ud800"]), st.sampled_from(RAW), min_size=1, max_size=2)
        first = {name: json.dumps(value) for name, value in FIRST.items() if name in names}
        sent(browser, method, path, first | data.draw(odd))

    send()


@pytest.mark.parametrize("path", ["/api/ask", "/v1/responses", "/mcp", "/api/articles"])
@pytest.mark.parametrize("raw", [*RAW[-7:], "{", "\ud800", ""])
def test_what_is_no_object_is_refused(browser: TestClient, path: str, raw: str) -> None:
    said = browser.post(path, content=raw.encode("utf-8", "surrogatepass"), headers=JSON)
    assert said.status_code in (400, 413, 422)
    assert len(said.text) < 5000


def test_a_model_that_is_none_is_refused_whatever_its_name(browser: TestClient) -> None:
    body = json.dumps({"model": "\ud800", "input": "Who won?"})
    said = browser.post("/v1/responses", content=body, headers=JSON)
    assert (said.status_code, said.json()["error"]["code"]) == (404, "model_not_found")
    assert said.json()["error"]["message"] == "? is not offered here: use copydesk or quotes"


ASKED = ("talks?q", "talks?limit", "articles?q", "articles?since", "search?question", "quotes?top", "quotes?speaker",
         "timeline?question=Who&asked", "articles/x?y")  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_addresses_with_anything_in_them(browser: TestClient, asked: str) -> None:
    for text in [*ODD, "a " * 5000, "\0", str(2**63)]:
        began = time.process_time()
        said = browser.get(f"/api/{asked}={quote(text.encode('utf-8', 'replace')[:6000])}")
        assert said.status_code < 500, (text[:50], said.text)
        assert time.process_time() - began < (ANSWERED_SECONDS if said.status_code == 200 else SECONDS), text[:50]


def test_a_form_of_any_length_is_not_read(browser: TestClient) -> None:
    """What a draft's reader would refuse is not taken in first."""
    began = time.process_time()
    said = browser.post("/api/text", files={"file": ("a.txt", b"A b. " * 5_000_000)})
    assert (said.status_code, said.json()["detail"]) == (
        413, "the body has over 20,000,000 bytes, which are the most that /api/text takes: send less",
    )  # fmt: skip
    assert time.process_time() - began < SECONDS


ENDS = ["0001-01-01", "0001-01-02", "1582-10-10", "9999-12-30", "9999-12-31"]
WHENS = (
    *("last week", "this week", "yesterday", "tomorrow", "since Tuesday", "after Tuesday", "before Monday", "last May"),
    *("in the last 12 months", "999 days ago", "on December 31, 9999", "in 0001", "since January 1, 0001"),
)


def test_the_ends_of_the_calendar(own: Desk) -> None:
    for when, day in product(WHENS, ENDS):
        for words in ({"asked": day}, {"as_of": day}):
            own.timeline(f"What happened in Jeddah {when}?", **words)
    for first, last in product(ENDS, ENDS):
        if first <= last:
            own.search("ceasefire", since=first, until=last, asked="9999-12-31")
        else:
            with pytest.raises(BadInput, match="is after"):
                own.search("ceasefire", since=first, until=last)
    assert (shifted(date.max, 1), shifted(date.min, -1), shifted(date(2024, 3, 1), -1)) == (
        date.max, date.min, date(2024, 2, 29),
    )  # fmt: skip


OPTIONS = ("outlets", "authors", "since", "as_of", "asked", "top", "choices", "llm", "llm_url", "history", "strict")


@pytest.mark.parametrize("name", ["question", *OPTIONS, "article_id", "text", "articles", "ids", "q", "sort"])
def test_python_refuses_in_one_line(own: Desk, name: str) -> None:
    """An argument of any kind is used or refused; nothing else is raised."""
    own.llm = "quotes"
    calls = {"article_id": own.show, "text": own.check, "articles": own.quotes, "ids": own.remove}
    call: Any = (calls | {"q": own.articles, "sort": own.articles}).get(name, own.ask)
    first = {"question": "Who won in Lissen?"} if name in OPTIONS else {}
    odd: list[Any] = [*SHAPES, float("nan"), 10**5000, b"x", object(), {"x"}, date.max]
    for value in odd:
        said = ""
        try:
            call(**first, **{name: value})
        except CopydeskError as error:
            said = str(error)
        assert len(said) <= 1000
        assert said.isprintable()


@pytest.mark.parametrize(
    "words",
    [["ask", "\udce9\udcff"], ["ask", "Who won?", "--outlet", "\udce9"], ["ask", "Who won?", "--asked", "9999-12-31"],
     ["ask", "Who won?", "--since", "0001-01-01", "--until", "\udce9"], ["search", "Who won?", "--top", "9" * 5000],
     ["ask", "Who won?", "--choice", "\udce9"], ["articles", "show", "\udce9"], ["ask", "Who won?", "--llm", "\udce9"],
     ["ask", "Who won?", "--llm", "openai:x", "--llm-url", "\udce9"], ["timeline", "now?", "--asked", "9999-12-31"],
     ["ask", "x" * 100_000], ["check", "\udce9"], ["quotes", "--speaker", "\udce9"], ["quotes", "--top", "nan"]],
)  # fmt: skip
def test_the_command_line_refuses_in_one_line(words: list[str], run: Run) -> None:
    status, _, said = run(*words)
    assert status in (0, 2)
    assert said.count("\n") <= 1
    assert "internal error" not in said
    said.encode()


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("https://user:pass@host.example/v1", "https://host.example/v1"),
        ("https://token@host.example/v1", "https://host.example/v1"),
        ("https://us%40er:p:a@ss@host.example", "https://host.example"),
        ("ftp://user:pa/s#s?@host.example/", "ftp://host.example/"),
        ("//user:pass@host.example", "//host.example"),
        ("no server at http://u:p@[::1]:8080/v1: start it", "no server at http://[::1]:8080/v1: start it"),
        ("https://h.example/f?a=b&api_key=k3y&c=d#x", "https://h.example/f?a=b&api_key=***&c=d#x"),
        ("https://h.example/?X-Amz-Signature=ab%2F&b=c", "https://h.example/?X-Amz-Signature=***&b=c"),
        ("https://h.example/#access_token=t", "https://h.example/#access_token=***"),
        *[(same, same) for same in (
            "https://social.example/@name and https://h.example:80/@name",
            "https://h.example/?keyword=a&tokens=2&monkey=b&author=c",
            "mail anna@harlow.example // who wrote",
        )],
    ],
)  # fmt: skip
def test_addresses_are_shown_without_their_secrets(said: str, seen: str) -> None:
    assert shown(said) == seen


def test_keys_of_the_environment_are_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    monkeypatch.setenv("COPYDESK_TOKEN", "anna:long-password")
    monkeypatch.setenv("SHORT_KEY", "the")
    assert shown("the key sk-0123456789 of anna:long-password") == "the key *** of ***"


ALTERED = """
import sys
from qa import Desk
from index.types import CopydeskError
from index.encoder.bundled import MiniLm, MiniLmInt8, MultilingualE5
from index.text import language, quotations, syntax
from qa.languages.reader import ManyReader
from qa.rerank import load_reranker
for load in (MiniLm, MiniLmInt8, MultilingualE5, ManyReader, lambda: syntax.parse("Berg left."),
             lambda: load_reranker("bundled"),
             lambda: load_reranker("ms-marco-MiniLM-L-12-v2"), quotations._taggers,
             lambda: language.of("Der Bau dauerte zwei Jahre, teilte die Stadt am Freitag mit.")):
    try:
        load()
    except CopydeskError as error:
        print(error)
"""


PARTS = {"minilm-graph": DEFAULT_ENCODER, "minilm-int8-graph": DEFAULT_ENCODER, "e5-graph": MULTILINGUAL}


def test_altered_models_are_refused(tmp_path: Path) -> None:
    """A byte of each file that makes or steers a bundled model, in a copy of its package that is found first."""
    for package in {package for rows in BUNDLED.values() for package, *_ in rows}:
        home = Path(str(find_spec(package).origin)).parent  # type: ignore[union-attr]
        shutil.copytree(home, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    run = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(tmp_path)}}
    done = subprocess.run([sys.executable, "-c", ALTERED], capture_output=True, text=True, check=True, **run)  # type: ignore[call-overload]
    assert done.stdout == ""
    rows = dict[str, list[tuple[str, Path]]]()
    for name, files in BUNDLED.items():  # of an encoder's two parts the graph is looked at last
        encoder = PARTS.get(name, name)
        rows.setdefault(encoder, []).extend((name, tmp_path.joinpath(*row[:3])) for row in files)
    for each in islice(zip_longest(*rows.values()), None if MANY > 60 else 3):  # one file of each model at a time
        altered = {path: (name, path.read_bytes()) for name, path in filter(None, each)}
        for path, (_, whole) in altered.items():
            path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        done = subprocess.run([sys.executable, "-c", ALTERED], capture_output=True, text=True, check=True, **run)  # type: ignore[call-overload]
        for path, (name, whole) in altered.items():
            assert f"{path} is not the published {name}: its sha256 is" in done.stdout
            path.write_bytes(whole)


def test_no_model_of_ones_own_runs_code(tmp_path: Path) -> None:
    def folder(name: str, **files: str) -> Path:
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / file.replace("_json", ".json").replace("_bin", ".bin")).write_text(content)
        return tmp_path / name

    config = json.dumps({"model_type": "bert", "auto_map": {"AutoModel": "own.Model"}})
    modules = json.dumps([{"idx": 0, "name": "0", "path": "", "type": "os.system"}])
    for path, file in (
        (folder("pickle", config_json="{}", pytorch_model_bin="x"), "pytorch_model.bin"),
        (folder("auto", config_json=config), "config.json"),
        (folder("foreign", modules_json=modules), "modules.json"),
        (folder("damaged", config_json="[" * 50_000), "config.json"),
    ):
        for load in (load_encoder, load_reranker, lambda name: load_judge(f"nli:{name}")):
            with pytest.raises(ModelError) as refused:
                load(str(path))  # type: ignore[operator]
            assert file in str(refused.value)
            assert str(refused.value).isprintable()


UNPICKLED = """
import sys
seen = []
sys.addaudithook(lambda event, args: seen.append(args) if event == "pickle.find_class" else None)
from qa import Desk
with Desk(sys.argv[1]) as desk:
    desk.ingest(["seeds"])
    desk.ask("Who proposed the ceasefire in Jeddah?")
    desk.check("Kyiv accepted a complete ceasefire.")
    desk.quotes(speaker="Yermak")
    desk.timeline("What happened in Jeddah in March?")
print(seen)
"""


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    words = [sys.executable, "-c", UNPICKLED, str(tmp_path / "archive")]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.splitlines()[-1] == "[]"


SECRET, PASSWORD = "sk-5ecre7-0123456789", "pa55-w0rd-of-anna"


def test_no_secret_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    login = f"http://anna:{PASSWORD}@"
    for url in (f"{login}127.0.0.1:9/v1", f"{login}[/v1", f"http://127.0.0.1:9/v1?api_key={SECRET}"):
        status, out, err = run("ask", "Who proposed the ceasefire in Jeddah?", "--llm", "openai:x", "--llm-url", url)
        assert (status, out) == (2, "")
        assert err.startswith("copydesk: ")
        assert SECRET not in err
        assert PASSWORD not in err
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://anna:{PASSWORD}@127.0.0.1:9/v1")
    assert PASSWORD not in "".join(map(str, run("models")))


def test_the_log_of_an_internal_error_holds_no_secret(tmp_path: Path) -> None:
    """It is the owner's alone."""
    (tmp_path / "broken.py").write_text(
        "def register(commands):\n    import os\n    raise ZeroDivisionError('a key ' + os.environ['OPENAI_API_KEY'])\n"
    )
    entry = tmp_path / "broken-1.dist-info"
    entry.mkdir()
    (entry / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (entry / "entry_points.txt").write_text("[copydesk.commands]\nbroken = broken\n")
    env = os.environ | {"OPENAI_API_KEY": SECRET, "PYTHONPATH": f"{tmp_path}:{REPOSITORY}", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "qa", "models"], capture_output=True, text=True, check=False, env=env, cwd=REPOSITORY
    )
    assert done.returncode == 2
    [log] = tmp_path.glob("copydesk-*.log")
    assert log.stat().st_mode & 0o777 == 0o600
    assert "ZeroDivisionError: a key ***" in log.read_text()
    assert done.stderr == f"copydesk: internal error (ZeroDivisionError: a key ***); see {log}\n"
