"""What must not come in or get out: foreign pages, other machines, files of this one. Asked of the running service."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from conftest import serving
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.testclient import TestClient

from index.types import BadInput
from qa import Desk
from qa.web.app import build_app
from qa.web.guard import check_host, is_loopback

FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example:80"},
    {"Host": "[::ffff:192.0.2.1]"},
]
ROUTES = ["/", "/api/articles", "/api/docs", "/source/truce-minerals", "/config", "/gradio_api/info", "/theme.css"]
QUEUE = {"fn_index": 0, "session_hash": "s", "event_data": None, "trigger_id": None}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},  # a name that was made to point here
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9"},  # another page of this machine
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_foreign_names_and_pages_are_refused(service: str, route: str, headers: dict[str, str]) -> None:
    assert httpx.get(service + route, headers=headers).status_code == 403
    assert httpx.post(service + route, headers=headers).status_code == 403


@pytest.mark.parametrize("route", ROUTES)
def test_loopback_names_are_served_with_headers_that_keep_pages_in(service: str, route: str) -> None:
    port = service.rsplit(":", 1)[1]
    for name in ("127.0.0.1", "localhost", "[::1]"):
        response = httpx.get(service + route, headers={"Host": f"{name}:{port}", "Origin": f"http://{name}:{port}"})
        assert response.status_code == 200
        assert "frame-ancestors 'self'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize("origin", ["http://[", "http://[::1%]", "chrome-extension://{}", "//{}", "http://{}#"])
def test_what_is_no_origin_is_refused(service: str, origin: str) -> None:
    response = httpx.get(f"{service}/healthz", headers={"Origin": origin.format(service.removeprefix("http://"))})
    assert (response.status_code, response.headers["x-content-type-options"]) == (403, "nosniff")


@pytest.mark.parametrize(
    "host", ["a@localhost", "localhost/a", "localhost#a", "[::1].evil.example", "[::1]a", "[", "a b"]
)
def test_what_is_no_host_is_refused(service: str, host: str) -> None:
    assert httpx.get(f"{service}/healthz", headers={"Host": host}).status_code == 403


def test_no_header_leads_the_page_to_another_address(service: str) -> None:
    assert httpx.get(f"{service}/config", headers={"X-Forwarded-Host": "evil.example"}).json()["root"] == service


def test_a_link_from_elsewhere_opens_the_page(service: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert httpx.get(service, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "route", ["file=/etc/hostname", "upload", "proxy=http://127.0.0.1/", "call/reply", "run/reply", "deep_link"]
)
def test_what_gradio_has_besides_its_page_is_closed(service: str, route: str) -> None:
    for method in ("GET", "POST"):
        assert httpx.request(method, f"{service}/gradio_api/{route}").status_code == 404
        assert httpx.request(method, f"{service}//gradio_api/{route}").status_code == 404
    assert httpx.get(f"{service}/monitoring").status_code == 404


def test_no_payload_makes_the_page_read_a_file(service: str, tmp_path: Path) -> None:
    """A file named in a payload is neither copied nor shown, in whatever input and with whatever component."""
    secret = tmp_path / "secret.txt"
    secret.write_text("do not show this")
    config = httpx.get(f"{service}/config").json()
    kinds = {component["id"]: component["type"] for component in config["components"]}
    assert {kinds[n] for d in config["dependencies"] for n in d["inputs"]} <= {"textbox", "dropdown", "state"}
    for path in (str(secret), "http://192.0.2.1/"):  # Gradio would copy the one and fetch the other
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        for dependency in config["dependencies"]:
            for place in range(len(dependency["inputs"])):
                data: list[object] = ["Who proposed the ceasefire?", None, [], *[""] * 9][: len(dependency["inputs"])]
                data[place] = [{"role": "user", "content": [{"type": "file", "file": file}]}, file]
                body = QUEUE | {"data": data, "fn_index": dependency["id"]}
                refused = httpx.post(f"{service}/gradio_api/queue/join", json=body, timeout=30)
                assert refused.status_code == 403
                assert refused.json()["error"] == "the page takes texts: no file is an input of it"
    cached = Path(config.get("upload_dir") or "/tmp/gradio")
    assert not [path for path in cached.rglob("secret.txt") if path.read_text() == "do not show this"]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.5", False), ("newsroom.example", False), ("", False)],
)  # fmt: skip
def test_other_addresses_need_a_token(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
    check_host(host, "token")
    if loopback:
        check_host(host, None)
    else:
        with pytest.raises(BadInput, match="lets other machines in: give an --auth-token"):
            check_host(host, None)


def test_names_of_a_proxy_are_told(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del archive
    for odd in ("https://news.example", "news.example:443", "a b", ""):
        with pytest.raises(BadInput, match="is no name: give what stands in the address"):
            check_host("0.0.0.0", "token", None, [odd])
    with pytest.raises(BadInput, match=r"--allow-host news\.example lets other machines in"):
        check_host("127.0.0.1", None, None, ["news.example"])
    monkeypatch.setenv("COPYDESK_ALLOW_HOST", "desk.example other.example")
    with serving(tmp_path, "--auth-token", "open sesame", "--allow-host", "news.example") as address:
        for host in ("news.example", "NEWS.example:443", "desk.example", "other.example", "127.0.0.1"):
            sent = {"Authorization": "Bearer open sesame", "Host": host, "Origin": f"https://{host}"}
            assert httpx.get(f"{address}/api/articles", headers=sent).status_code == 200
        for host in ("a.news.example", "news.example.evil", "evil.example"):
            sent = {"Authorization": "Bearer open sesame", "Host": host}
            refused = httpx.get(f"{address}/api/articles", headers=sent)
            assert refused.status_code == 403
            assert "start it with --allow-host" in refused.json()["detail"]


@pytest.mark.parametrize("token", ["пароль", "two\nlines", " space", "\x7f"])
def test_a_token_that_no_header_can_carry(token: str) -> None:
    with pytest.raises(BadInput, match="the token cannot be sent as it is"):
        check_host("127.0.0.1", token)


def test_a_service_with_a_token(archive: Path, tmp_path: Path) -> None:
    del archive
    with serving(tmp_path, "--host", "0.0.0.0", "--auth-token", "open sesame") as address:
        assert address.startswith("http://127.0.0.1:")
        port = address.rsplit(":", 1)[1]
        for route in (*ROUTES, "/healthz", "/gradio_api/queue/data?session_hash=a"):
            refused = httpx.get(address + route)
            assert refused.status_code == 401
            error = "this service needs its token: send it as Authorization: Bearer TOKEN (COPYDESK_TOKEN)"
            assert refused.json()["error"] == error
        assert httpx.get(f"{address}/healthz", headers={"Authorization": "Bearer open"}).status_code == 401
        assert httpx.get(f"{address}/healthz", headers={"Authorization": "Bearer open sesame"}).status_code == 200
        assert httpx.get(f"{address}/healthz", headers={"Host": f"10.1.2.3:{port}"}).status_code == 401
        assert httpx.get(f"{address}/healthz", headers={"Host": "evil.example"}).status_code == 403
        with httpx.Client(follow_redirects=True, headers={"Accept": "text/html"}) as browser:
            assert '<input name="token"' in browser.get(address).text
            assert "That is not the token." in browser.post(f"{address}/login", data={"token": "no"}).text
            opened = browser.post(f"{address}/login", data={"token": "open sesame"})
            assert (opened.status_code, opened.url.path) == (200, "/")
            again = browser.post(f"{address}/login", data={"token": "open sesame"})  # a second page, opened before
            assert (again.status_code, again.url.path) == (200, "/")
            assert browser.get(f"{address}/healthz").json()["ok"] is True
        for kind in ("multipart/form-data", "multipart/form-data; boundary=x; charset=utf-7", "text/plain"):
            for body in (
                b"",
                b'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\n+2AA-\r\n--x--',
                b"token=%ED%A0%80",
            ):
                said = httpx.post(f"{address}/login", content=body, headers={"Content-Type": kind})
                assert said.status_code == 401
        ask = [sys.executable, "-m", "qa", "--data", str(tmp_path), "articles", "list", "--json"]
        refused = subprocess.run(ask, capture_output=True, text=True, check=False)
        assert refused.returncode == 2
        assert refused.stderr == "copydesk: this service needs its token: set COPYDESK_TOKEN to it\n"
        env = {"COPYDESK_TOKEN": "open sesame", "PATH": "/usr/bin"}
        told = subprocess.run(ask, capture_output=True, text=True, check=True, env=env)
        assert json.loads(told.stdout) == {"articles": [], "total": 0}


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[" * 100_000, b'"' + b"x" * 1_000_001 + b'"'])
def test_what_the_page_does_not_send_is_refused_before_gradio_reads_it(service: str, body: bytes) -> None:
    refused = httpx.post(f"{service}/gradio_api/queue/join", content=body)
    assert (refused.status_code, refused.json()["error"]) == (
        400, "the page sends JSON of at most a million bytes",
    )  # fmt: skip


def test_a_body_of_any_length_is_not_read(service: str) -> None:
    assert httpx.post(f"{service}/api/check", content=b'{"text": "' + b"x" * 5_000_000).status_code == 413


def requests_of(app: FastAPI) -> list[tuple[str, str]]:
    """Return each path of an app, of those mounted in it too, with each method that one may try."""

    def paths(routes: Iterable[Any], above: str) -> Iterator[str]:
        for route in routes:
            path = above + getattr(route, "path", "")
            below = getattr(route, "original_router", None) or getattr(route, "app", None)
            if hasattr(below, "routes"):
                yield from paths(below.routes, path)
            else:
                yield path + ("/page.js" if isinstance(route, Mount) else "")

    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
    return [(method, path) for path in dict.fromkeys(paths(app.routes, "")) for method in methods]


def test_no_route_answers_a_foreign_page_or_name(seeded: Desk) -> None:
    """Gradio's too, and FastAPI's: nothing is read, nothing is written. A page from here gets something else."""
    app = build_app(seeded)
    requests = [(method, re.sub(r"\{[^}]*\}", "truce-minerals", path)) for method, path in requests_of(app)]
    for known in ("/", "/api/articles/truce-minerals", "/source/truce-minerals", "/page/page.js", "/config", "/metrics",
                  "/mcp", "/v1/responses", "/gradio_api/queue/join", "/gradio_api/upload"):  # fmt: skip
        assert ("POST", known) in requests

    async def ask() -> int:
        served = httpx.ASGITransport(app, raise_app_exceptions=False)
        asked = 0
        async with httpx.AsyncClient(transport=served, base_url="http://127.0.0.1") as browser:
            for method, path in requests:
                followed = [{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}] * (method != "GET")
                for headers in FOREIGN + followed:
                    response = await browser.request(method, path, headers=headers, content=b"{}")
                    assert response.status_code == 403, (method, path, headers)
                    assert response.headers["x-content-type-options"] == "nosniff"
                    asked += 1
        return asked

    def held() -> object:
        return [path.read_bytes() for path in sorted(seeded.index.folder.glob("*.sqlite*"))], seeded.articles()

    before = held()
    print(f"{asyncio.run(ask()):,} requests to {len(requests):,} routes and methods")
    assert held() == before
    browser = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    for method, path in requests:
        if method == "HEAD":
            assert browser.request(method, path).status_code != 403, path


@pytest.mark.parametrize("host", ["[::1]", "[::1]:7860", "LOCALHOST", "127.1.2.3:1", "127.0.0.1:65535"])
def test_names_of_this_machine_are_served(service: str, host: str) -> None:
    assert httpx.get(f"{service}/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["[::ffff:127.0.0.1", "[fe80::1%25lo]", "::1", "[::2]", "[0:0:0:0:0:0:0:1].x", "2130706433", "0x7f.1", "127.1", "0",
     "localhost.", "localhost:", "localhost:a", "localhost:1:2", "127.0.0.1:123456", "localhost\t.evil.example",
     "localhost,evil.example", "evil.example\\@localhost", "xn--localhost", "локалхост", "127.0.0.1%00"],
)  # fmt: skip
def test_odd_names_are_refused(service: str, host: str) -> None:
    assert httpx.get(f"{service}/healthz", headers={b"Host": host.encode()}).status_code in (400, 403)  # 400: no HTTP


def test_every_response_keeps_its_page_in(seeded: Desk) -> None:
    """Errors, redirects, files and streams too; only the page may make functions of strings."""
    app = build_app(seeded)

    @app.get("/api/broken")
    def broken() -> None:
        raise ZeroDivisionError

    app.router.routes.insert(0, app.router.routes.pop())
    browser = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False, follow_redirects=False)
    huge = {"Content-Length": "9999999999"}
    told = {"question": "minerals", "stream": True}
    for status, method, path, sent in (
        (200, "GET", "/", {}), (200, "GET", "/api/docs", {}), (200, "GET", "/page/page.js", {}), (404, "GET", "/n", {}),
        (404, "GET", "/page/no.js", {}), (405, "PUT", "/healthz", {}), (400, "POST", "/api/ask", {"content": b"{"}),
        (303, "GET", "/login", {}), (303, "POST", "/logout", {}), (403, "GET", "/", {"headers": FOREIGN[0]}),
        (413, "POST", "/api/check", {"headers": huge}), (500, "GET", "/api/broken", {}),
        (200, "POST", "/api/ask", {"json": told}), (200, "GET", "/source/truce-minerals", {}), (200, "HEAD", "/", {}),
        (404, "GET", "/source/none", {}), (200, "GET", "/theme.css", {}), (403, "POST", "/api/check",
        {"headers": FOREIGN[0] | huge}),
    ):  # fmt: skip
        response = browser.request(method, path, **sent)
        assert (response.status_code, path) == (status, path)
        policy = response.headers["content-security-policy"]
        assert "default-src" in policy
        assert "frame-ancestors 'self'" in policy
        assert ("unsafe-eval" in policy) is (path == "/")
        assert ("nonce" in policy) is (path in ("/", "/api/docs"))
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "SAMEORIGIN"
        assert response.headers["cross-origin-resource-policy"] == "same-origin"


def test_no_address_gives_a_file_that_is_not_ours(service: str, archive: Path) -> None:
    """By Gradio's routes, and by ours for files of the page, in every way of writing it; as it stands, not tidied."""
    host, port = service.removeprefix("http://").split(":")
    up = "../" * 12
    ways = (
        str, lambda path: up + path[1:], lambda path: quote(path, safe=""), lambda path: quote(up + path[1:], safe=""),
        lambda path: quote(quote(up + path, safe=""), safe=""), lambda path: (up + path[1:]).replace("/", "\\"),
        lambda path: "%2e%2e%2f" * 12 + path[1:], lambda path: "%c0%ae%c0%ae/" * 12 + path[1:],
        lambda path: "/" + path, lambda path: f"file://{path}", lambda path: quote(f"{path}\0.js"),
    )  # fmt: skip
    gradio = ("file=", "file/", "%66ile=", "proxy=", "stream/", "component_server/", "call/", "run/", "api/",
              "custom_component/", "upload?dir=", "upload_progress?upload_id=", "deep_link?path=", "dev/reload?path=",
              "vibe-code/")  # fmt: skip
    begins = [
        f"{root}{name}" for root in ("/gradio_api/", "/", "//gradio_api/", "/x/../gradio_api/") for name in gradio
    ]
    begins += ["/static/", "/assets/", "/svelte/", "/page/", "/api/docs/files/", "/source/", "/theme.css/", "/"]
    line = HTTPConnection(host, int(port), timeout=30)
    marks = (Path("/etc/passwd").read_bytes()[:12], b"SQLite format 3")
    asked = 0
    for path in ("/etc/passwd", str(archive / "archive.sqlite3"), str(archive / "talks.sqlite3")):
        assert Path(path).exists()
        for begin, way in product(begins, ways):
            for method in ("GET", "POST"):
                line.request(method, begin + way(path), headers={"Content-Length": "0"})
                response = line.getresponse()
                said = response.read()
                assert response.status >= 400, begin + way(path)
                assert not any(mark in said for mark in marks)
                asked += 1
    print(f"{asked:,} addresses")
