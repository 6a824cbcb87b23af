"""The running service: its page in a real browser, its API, and the command line that asks it."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import REPOSITORY, SEEDS, browsing, serving

QUESTION = "On what date did Ukraine accept a complete ceasefire in Jeddah?"


def test_health_and_articles(service: str) -> None:
    assert httpx.get(f"{service}/healthz").json() == {"ok": True, "articles": 7, "passages": 8}
    assert len(httpx.get(f"{service}/api/articles").json()["articles"]) == 7
    assert httpx.get(f"{service}/api/articles/a%2Fb%3Fc%23d").json()["title"] == "Bold claims"


def test_asking_over_http(service: str) -> None:
    answer = httpx.post(
        f"{service}/api/ask", json={"question": QUESTION, "outlets": ["Kyiv Bulletin"]}, timeout=60
    ).json()
    assert answer["answered"] is True
    for citation in answer["citations"]:
        shown = httpx.get(f"{service}/api/articles/{citation['article_id'].replace('/', '%2F')}").json()
        assert shown[citation["field"]][citation["start"] : citation["end"]] == citation["quote"]
    hits = httpx.post(f"{service}/api/search", json={"question": "minerals", "top": 1}, timeout=60).json()["hits"]
    assert [hit["article_id"] for hit in hits] == ["truce-minerals"]


FIELDS = (
    "outlets, authors, languages, since, until, question, asked, as_of, top, choices, llm, llm_url, history, strict, "
    "stream"
)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"question": ""}, "the question is empty: ask something in words"),
        ({"question": "Who?", "since": "then"}, "'then' is not a date: write it as YYYY-MM-DD"),
        ({"question": "Who?", "tpo": 3}, f"tpo is no field: use {FIELDS}"),
        ({}, "question: Field required"),
    ],
)
def test_bad_requests_are_told_in_one_line(service: str, body: dict[str, Any], error: str) -> None:
    response = httpx.post(f"{service}/api/ask", json=body)
    assert (response.status_code, response.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    "sent",
    [{"content": "{bad"}, {"content": b"{bad"}, {"content": b"3"},
     {"content": b"\xff\xfe{"}, {"content": b""}, {"data": {"question": "Who?"}}, {"json": [1]},
     {"content": b"[" * 100_000}, {"files": {"question": b"Who?"}}, {"content": '{"question": "Who?"}'}],
)  # fmt: skip
@pytest.mark.parametrize(("route", "field"), [("ask", "question"), ("search", "question"), ("check", "text")])
def test_what_is_no_json_object_is_told_in_one_line(service: str, sent: dict[str, Any], route: str, field: str) -> None:
    headers = {"Content-Type": "application/json"} if isinstance(sent.get("content"), bytes) else {}
    response = httpx.post(f"{service}/api/{route}", **sent, headers=headers)
    error = f'the body is no JSON object: send {{"{field}": "…"}} with Content-Type: application/json'
    assert (response.status_code, response.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", "/api/ask", "POST"), ("PUT", "/api/articles/a", "DELETE, GET"), ("PUT", "/api/articles", "GET, POST"),
     ("DELETE", "/healthz", "GET"), ("GET", "/api/nothing", None), ("POST", "/nothing", None), ("GET", "/api/", None),
     ("GET", "/api/ask/", None), ("GET", "/static/nothing.js", None)],
)  # fmt: skip
def test_other_paths_and_methods_are_told_in_one_line(service: str, method: str, path: str, allow: str | None) -> None:
    response = httpx.request(method, f"{service}{path}")
    error = f"nothing is at {path}: /api/docs lists what there is"
    if allow:
        error = f"{path} takes no {method}: use {allow.replace(', ', ' or ')}"
    assert (response.status_code, response.json()["error"]) == (405 if allow else 404, error)
    assert response.headers.get("allow") == allow


def test_an_unknown_article(service: str) -> None:
    assert httpx.get(f"{service}/api/articles/none").status_code == 404
    error = "no article has the id none: copydesk articles list prints the ids"
    assert httpx.get(f"{service}/source/none").json()["error"] == error


def test_the_command_line_asks_the_service(service: str, archive: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "qa", "--data", str(archive), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    answer = json.loads(run("ask", QUESTION, "--json").stdout)
    assert "March 11" in answer["text"]
    assert len(json.loads(run("articles", "list", "--json").stdout)["articles"]) == 7
    assert json.loads(run("articles", "show", "a/b?c#d", "--json").stdout)["id"] == "a/b?c#d"
    refused = run("ask", "", "--json")
    assert (refused.returncode, refused.stderr) == (2, "copydesk: the question is empty: ask something in words\n")
    refused = run("ask", "Who?", "--outlet", "\udcff")  # a byte that is no character
    assert refused.stderr == "copydesk: outlets is neither a string nor a list of strings\n"
    started = time.perf_counter()
    refused = run("ingest", str(SEEDS))
    assert refused.returncode == 2
    assert f"serving at {service}" in refused.stderr
    assert time.perf_counter() - started < 15


def test_a_port_in_use(service: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qa", "--data", str(tmp_path), "serve", "--port", service.rsplit(":", 1)[1]]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.endswith(": choose another with --host or --port\n")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")
def test_ctrl_c_ends_a_service_whose_page_is_open(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qa", "--data", str(tmp_path), "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().split(" at ")[1].split()[0]
    with browsing(address) as page:
        page.goto(address)
        page.get_by_placeholder("Ask about the news in the archive").wait_for()
        page.wait_for_timeout(1000)  # its heartbeat is a response that never ends
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    new = f"copydesk: no archive at {tmp_path}: a new, empty one is made there\n"
    assert (process.returncode, said) == (0, new)


@pytest.mark.parametrize(("host", "address"), [("::1", "http://[::1]:"), ("::", "http://[::1]:")])
def test_an_address_that_is_announced_answers(tmp_path: Path, host: str, address: str) -> None:
    with serving(tmp_path, "--host", host, "--auth-token", "t") as announced:
        assert announced.startswith(address)
        assert httpx.get(f"{announced}/healthz", headers={"Authorization": "Bearer t"}).json()["ok"] is True


def test_make_ask_beside_make_serve(service: str, archive: Path) -> None:
    """What `make ask` runs for an archive that is there is `copydesk ask` alone: an ingestion would be refused."""
    del service
    plan = subprocess.run(
        ["make", "-n", "ask", "Q=Who?", f"DATA={archive}"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert " ingest " not in plan.stdout
    assert f'copydesk --data {archive} ask "Who?"' in plan.stdout
