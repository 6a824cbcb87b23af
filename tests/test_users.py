"""Who may come in: users and their roles, signing in and out, and that what one of them keeps is no other's."""

import asyncio
import io
import json
import re
import shutil
import stat
import statistics
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from conftest import Run, browsing, serving
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.testclient import TestClient
from test_guard import requests_of

from index.health.files import TALKS
from index.types import BadInput
from qa import Desk
from qa.kept import Kept
from qa.service import User
from qa.types import Answer, as_json
from qa.web.app import build_app
from qa.web.guard import check_host
from qa.web.signin import FREE, MOST, PAUSE_SECONDS, SESSION_SECONDS, SignIn
from qa.web.users import HASHER, accounts, proves

ANNA, BOB = ("anna", "correct horse"), ("bob", "battery staple")
READS = ("GET", "HEAD", "OPTIONS", "TRACE", "DELETE")
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("users") / "users.json"
    roles = (ANNA, "editor"), (BOB, "reader")
    path.write_text(json.dumps({name: {"role": role, "hash": HASHER.hash(word)} for (name, word), role in roles}))
    return path


@pytest.fixture(scope="module")
def app(seeded: Desk, users: Path) -> FastAPI:
    return build_app(seeded, token="the token", users=users)


@pytest.fixture
def browser(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1")


def sign_in(browser: TestClient, user: tuple[str, str] = ANNA, to: str = "/api/articles") -> httpx.Response:
    return browser.post("/login", data={"name": user[0], "password": user[1], "to": to}, follow_redirects=False)


def test_users_on_the_command_line(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "new"

    def users(*words: str, said: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        return run("users", *words, data=data)

    assert users("list", "--json") == (0, '{\n  "users": []\n}\n', "")
    assert users("add", "anna", "--role", "editor", said="correct horse\n") == (0, "anna (editor)\n", "")
    assert users("add", "bob", said="battery staple") == (0, "anna (editor)\nbob (reader)\n", "")
    assert stat.S_IMODE((data / "users.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert [path.name for path in data.iterdir()] == ["users.json"]
    before = accounts(data / "users.json")
    assert proves("correct horse", before["anna"].hash)
    assert "correct" not in (data / "users.json").read_text()
    assert users("add", "anna", said="another word\n")[0] == 0
    assert proves("another word", accounts(data / "users.json")["anna"].hash)
    assert users("remove", "anna") == (0, "bob (reader)\n", "")
    refused = "copydesk: there is no user anna: copydesk users list prints them\n"
    assert users("remove", "anna") == (2, "", refused)
    assert users("add", "eve", said="seven77\n")[2] == (
        "copydesk: a password has at least 8 characters: take a longer one\n"
    )
    for name in ("a:b", "", "a b", "a\n", "../x", "x" * 65):
        assert users("add", name, said="long enough\n")[0] == 2
    assert list(accounts(data / "users.json")) == ["bob"]
    monkeypatch.setenv("COPYDESK_USERS", str(tmp_path / "elsewhere.json"))
    assert users("add", "carl", said="long enough\n") == (0, "carl (reader)\n", "")
    assert (tmp_path / "elsewhere.json").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"a": {"role": "chief", "hash": "x"}}', '{"a": 1}', "{}", None])
def test_a_file_that_lets_nobody_in(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "users.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadInput, match=r"users\.json holds no users.*: copydesk users add NAME [ \w]+$"):
        check_host("127.0.0.1", None, path)


def test_any_address_is_served_to_users(users: Path) -> None:
    check_host("0.0.0.0", None, users)
    with pytest.raises(BadInput, match=r"^--host 0\.0\.0\.0 lets other machines in: give an --auth-token"):
        check_host("0.0.0.0", None)


def test_a_browser_signs_in_and_out(browser: TestClient) -> None:
    asked = browser.get("/?tab=ask&q=a%22b", headers=HTML)
    assert asked.status_code == 401
    assert '<input name="password" type="password"' in asked.text
    assert 'name="to" value="/?tab=ask&amp;q=a%22b"' in asked.text
    wrong = sign_in(browser, ("anna", "battery staple"))
    unknown = sign_in(browser, ("nobody", "battery staple"))
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.text == unknown.text.replace("nobody", "anna")
    assert "That is not a user’s name and password." in wrong.text
    assert browser.get("/api/articles").status_code == 401
    opened = sign_in(browser)
    assert (opened.status_code, opened.headers["location"]) == (303, "/api/articles")
    cookie = opened.headers["set-cookie"]
    assert re.fullmatch(r"copydesk=[\w-]{43}; HttpOnly; Path=/; SameSite=strict", cookie)
    assert len(browser.get("/api/articles").json()["articles"]) == 6
    assert "You are signed in as anna (editor)." in browser.get("/login").text
    old = browser.cookies["copydesk"]
    sign_in(browser)
    assert browser.cookies["copydesk"] != old
    assert browser.post("/logout", headers=HTML).status_code == 401
    assert browser.get("/api/articles").status_code == 401  # the cookie is still sent
    secure = TestClient(browser.app, base_url="https://127.0.0.1")
    assert "; Secure" in sign_in(secure).headers["set-cookie"]


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "/\r\nX: y", "", "/a b"])
def test_signing_in_leads_to_no_other_service(browser: TestClient, to: str) -> None:
    assert sign_in(browser, to=to).headers["location"] == "/"


def test_a_link_from_elsewhere_is_asked_for_again(browser: TestClient) -> None:
    """The cookie is not sent with it, so who is signed in would see the form."""
    elsewhere = HTML | {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert '<meta http-equiv="refresh" content="0">' in browser.get("/?q=a", headers=elsewhere).text
    assert "http-equiv" not in browser.get("/?q=a", headers=HTML | {"Sec-Fetch-Site": "same-origin"}).text


def test_programs_sign_in_by_each_request(browser: TestClient) -> None:
    def status(**asked: Any) -> int:
        return browser.get("/healthz", **asked).status_code

    assert status(auth=ANNA) == 200
    assert status(auth=("anna", "correct horsf")) == 401
    assert status(auth=("", "the token")) == 200
    assert status(auth=("", "correct horse")) == 401
    for sent in ("Bearer the token", "bearer the token", "Bearer anna:correct horse", "Bearer bob:battery staple"):
        assert status(headers={"Authorization": sent}) == 200
    for sent in (
        "Bearer",
        "Bearer ",
        "Bearer correct horse",
        "Basic",
        "Basic !",
        "Basic YW5uYQ==",
        "Basic /w==",
        "x y",
    ):
        assert status(headers={"Authorization": sent}) == 401
    refused = browser.get("/healthz")
    assert refused.headers["www-authenticate"] == 'Basic realm="Copydesk"'
    assert "or NAME:PASSWORD as the token (COPYDESK_TOKEN)" in refused.text
    page = browser.get("/healthz", headers={"Sec-Fetch-Site": "same-origin"})
    assert page.headers["www-authenticate"] == "Bearer"  # no window of the browser's own


def test_a_right_password_is_proved_once(browser: TestClient) -> None:
    """Argon2 takes 64 MiB and a tenth of a second: a program that asks 50 times does not wait for it 50 times."""
    started = time.process_time()
    HASHER.hash("anything else")
    once = time.process_time() - started
    assert browser.get("/healthz", auth=BOB).status_code == 200
    started = time.process_time()
    for _ in range(50):
        assert browser.get("/healthz", auth=BOB).status_code == 200
    assert time.process_time() - started < 50 * once / 2


def enter(signin: SignIn, name: str, password: str, host: str = "192.0.2.1") -> User | int:
    """Send a request with a name and a password from an address; return who that is, or the status of the refusal."""
    sent = b64encode(f"{name}:{password}".encode())
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"authorization", b"Basic " + sent)]}
    try:
        return asyncio.run(signin.admit(Request(scope | {"client": (host, 1)})))[0]
    except HTTPException as refused:
        return refused.status_code


def test_nobody_learns_which_names_there_are(users: Path) -> None:
    def seconds(name: str) -> float:
        taken = []
        for n in range(5):
            started = time.process_time()
            assert enter(signin, name, f"wrong {n}") == 401
            taken.append(time.process_time() - started)
        return statistics.median(taken)

    signin = SignIn(users, None)
    assert 0.5 < seconds("anna") / seconds("nobody") < 2


def test_wrong_attempts_are_slowed(tmp_path: Path) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    names = ["anna", "bob", *(f"user{n}" for n in range(FREE[1]))]
    hashes = {name: quick.hash("battery staple" if name == "bob" else "correct horse") for name in names}
    users = tmp_path / "users.json"
    users.write_text(json.dumps({name: {"role": "reader", "hash": hashes[name]} for name in names}))
    hour = [0.0]
    signin = SignIn(users, "the token", lambda: hour[0])
    assert enter(signin, *BOB) == User("bob", "reader")
    for n in range(FREE[0]):
        assert enter(signin, "anna", f"wrong {n}") == 401
        assert enter(signin, "nobody", f"wrong {n}") == 401  # nor does this one tell that there is none of that name
    for name in ("anna", "nobody"):
        assert enter(signin, name, "correct horse") == 429
    assert enter(signin, *BOB) == User("bob", "reader")
    assert enter(signin, *ANNA, host="192.0.2.2") == User("anna", "reader")
    for n in range(FREE[1] - 2 * FREE[0]):
        assert enter(signin, f"user{n}", "wrong") == 401
    assert enter(signin, *BOB) == 429  # an address that tries every name
    assert enter(signin, "", "the token") == 429
    hour[0] += PAUSE_SECONDS
    assert enter(signin, *ANNA) == User("anna", "reader")
    for n in range(FREE[0]):
        enter(signin, "anna", f"wrong {n}", f"2001:db8:0:1::{n}")
    assert enter(signin, *ANNA, host="2001:db8:0:1:ffff::1") == 429  # of the same customer
    assert enter(signin, *ANNA, host="2001:db8:0:2::1") == User("anna", "reader")


def test_what_strangers_send_fills_no_memory() -> None:
    signin = SignIn(None, "the token")
    signin._failed |= dict.fromkeys(range(2 * MOST), (1, 0.0))
    enter(signin, "", "wrong")
    assert len(signin._failed) <= MOST + 2


def test_who_is_slowed_is_told(browser: TestClient, users: Path) -> None:
    for n in range(FREE[0]):
        assert sign_in(browser, ("eve", f"wrong {n}")).status_code == 401
    slowed = sign_in(browser, ("eve", "wrong"))
    assert slowed.status_code == 429
    assert re.search(r"too many wrong attempts: try again in \d+ s", slowed.text)
    program = browser.get("/healthz", auth=("eve", "wrong"))
    assert program.status_code == 429
    assert PAUSE_SECONDS - 60 < int(program.headers["retry-after"]) <= PAUSE_SECONDS


def test_sessions_end(users: Path, tmp_path: Path) -> None:
    """After half a day without a request, and at once for who is removed or has another password or role."""

    def who() -> User | int:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", cookie)]}
        try:
            return asyncio.run(signin.admit(Request(scope)))[0]
        except HTTPException as refused:
            return refused.status_code

    async def sent() -> dict[str, Any]:
        return {"type": "http.request", "body": b"name=anna&password=correct+horse"}

    held, path, hour = json.loads(users.read_text()), tmp_path / "users.json", [0.0]
    path.write_text(users.read_text())
    signin = SignIn(path, None, lambda: hour[0])
    scope = {"type": "http", "method": "POST", "path": "/login", "headers": [], "query_string": b"", "server": ("x", 1)}
    _, opened = asyncio.run(signin.admit(Request(scope, sent)))
    assert opened is not None
    cookie = opened.headers["set-cookie"].partition(";")[0].encode()
    hour[0] += SESSION_SECONDS
    assert who() == User("anna", "editor")
    hour[0] += SESSION_SECONDS
    assert who() == User("anna", "editor")
    path.write_text(json.dumps(held | {"anna": held["anna"] | {"role": "reader"}}))
    assert who() == User("anna", "reader")
    path.write_text(json.dumps(held | {"anna": held["bob"]}))
    assert who() == 401
    path.write_text(json.dumps({"bob": held["bob"]}))
    assert who() == 401
    path.write_text(users.read_text())
    assert who() == User("anna", "editor")
    hour[0] += SESSION_SECONDS + 1
    assert who() == 401


def test_a_file_of_users_that_breaks_lets_nobody_in(seeded: Desk, users: Path, tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    path.write_text(users.read_text())
    browser = TestClient(build_app(seeded, users=path), base_url="http://127.0.0.1")
    sign_in(browser)
    path.write_text("{")
    assert browser.get("/api/articles").status_code == 503
    damaged = "nobody can come in: copydesk users list says what is wrong with the file of users"
    assert browser.get("/api/articles").json()["error"] == damaged


def test_readers_change_nothing_in_the_archive(browser: TestClient, seeded: Desk) -> None:
    """They may try every route that takes more than a question, by every method that it has."""
    before = seeded.articles()
    sent = {"articles": [{"id": "new", "title": "New", "text": "A bridge closed on Monday."}]}
    assert browser.post("/api/articles", json=sent, auth=BOB).status_code == 403
    assert browser.post("/api/articles", files={"file": ("new.txt", b"A bridge closed.")}, auth=BOB).status_code == 403
    for method, path in requests_of(browser.app):
        if path.startswith("/api/articles") and method != "GET":
            at = path.replace("{article_id:path}", "truce-minerals")
            assert browser.request(method, at, json=sent, auth=BOB).status_code in (403, 405)
    assert seeded.articles() == before
    assert browser.delete("/api/articles/none", auth=ANNA).status_code == 404
    assert browser.post("/api/search", json={"question": "minerals"}, auth=BOB).status_code == 200


def test_the_command_line_and_a_browser_sign_in(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("größere Pferde\n"))
    assert run("users", "add", "anna", data=tmp_path)[0] == 0
    with serving(tmp_path) as address:  # on loopback, and asked for nonetheless
        for name in ("talks.sqlite3", "talks.sqlite3-wal", "users.json"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        assert httpx.get(f"{address}/healthz").status_code == 401
        said = run("articles", "list", data=tmp_path)[2]
        assert said.endswith("or NAME:PASSWORD as the token (COPYDESK_TOKEN)\n")
        monkeypatch.setenv("COPYDESK_TOKEN", "anna:größere Pferde")
        assert json.loads(run("articles", "list", "--json", data=tmp_path)[1])["articles"] == []
        if shutil.which("chromium"):
            check_in_a_browser(address)


def check_in_a_browser(address: str) -> None:
    from playwright.sync_api import expect

    with browsing(address) as page:
        page.goto(f"{address}/?tab=ask&q=a")
        page.get_by_label("Name").fill("anna")
        page.keyboard.press("Tab")
        page.keyboard.type("a wrong word")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("That is not a user’s name and password.")
        page.keyboard.type("größere Pferde")  # the name stands there still
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{address}/?tab=ask&q=a")
        page.locator("#who").get_by_text("anna").click(timeout=60_000)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Password")).to_be_visible()
        page.goto(address)
        expect(page.get_by_label("Password")).to_be_visible()


SECRET = "Xylophon harvest in Atlantis"


@pytest.fixture
def talk(app: FastAPI, seeded: Desk) -> Iterator[tuple[Kept, str]]:
    """A conversation that Anna keeps: the file as it is open elsewhere, and its id."""
    kept = Kept(seeded.index.folder / TALKS)
    talk = kept.begin("anna", SECRET).id
    kept.add("anna", talk, {"question": SECRET}, as_json(Answer(SECRET, True, SECRET, (), (), None, (), "quotes")))
    kept.rate("anna", talk, 1, True)
    yield kept, talk
    for owner in ("anna", "bob"):
        for left in kept.talks(owner):
            kept.delete(owner, left.id)
    kept.close()


def state(kept: Kept, talk: str) -> object:
    return kept.talk("anna", talk), kept.turns("anna", talk)


def test_a_conversation_is_found_by_its_owner_alone(talk: tuple[Kept, str]) -> None:
    kept, name = talk
    before = state(kept, name)
    for method, *rest in (("talk",), ("turns",), ("add", {}, {}), ("cut", 1), ("rename", "x"), ("delete",),
                          ("rate", 1, False)):  # fmt: skip
        for owner in ("bob", ""):
            with pytest.raises(BadInput, match="there is no such conversation"):
                getattr(kept, method)(owner, name, *rest)
    assert (kept.talks("bob", "xylophon"), state(kept, name)) == ([], before)


def test_no_route_gives_another_s_conversation(app: FastAPI, talk: tuple[Kept, str]) -> None:
    """Every route with a part in its path, by every method, sent by Bob with what names Anna's conversation."""
    kept, name = talk
    browser = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    assert SECRET in browser.get(f"/api/talks/{name}", auth=ANNA).text
    before = state(kept, name)
    known = {"{n}": "1", "{form}": "md"}
    for method, path in requests_of(app):
        if "{" in path and not path.startswith(("/gradio_api", "/assets", "/static", "/svelte")):
            at = re.sub(r"\{[^}]*\}", lambda part: known.get(part[0], name), path)
            for body in (
                ({"title": "x"}, {"good": False, "faults": []}) if method in ("POST", "PUT", "PATCH") else (None,)
            ):
                said = browser.request(method, at, json=None if method in READS else body, auth=BOB)
                assert not said.is_success or not path.startswith("/api/talks"), (method, at)
                assert SECRET not in said.text
    for path in ("/", f"/?talk={name}", "/config", "/api/talks", "/api/talks?q=Xylophon", "/api/ratings.jsonl"):
        assert SECRET not in browser.get(path, auth=BOB).text
    assert state(kept, name) == before


def test_no_event_of_the_page_gives_another_s_conversation(app: FastAPI, talk: tuple[Kept, str]) -> None:
    """Every event of every tab, sent by Bob with what names Anna's conversation; one of them shows it to Anna."""
    kept, name = talk
    told = {"talk": name, "open": name, "n": 2, "good": False, "faults": [], "title": "x", "search": ""}
    told["asked"] = {"question": "?"}

    def said(user: tuple[str, str], event: dict[str, Any]) -> str:
        session = f"{user[0]}{event['id']}"
        body = {"fn_index": event["id"], "session_hash": session, "event_data": told, "trigger_id": None}
        data = {"data": [name for _ in event["inputs"]]}
        joined = browser.post("/gradio_api/queue/join", params={"talk": name}, json=body | data, auth=user)
        assert joined.status_code == 200
        with browser.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}, auth=user) as stream:
            return "".join(stream.iter_text())

    before = state(kept, name)
    with TestClient(app, base_url="http://127.0.0.1") as browser:
        events = [event for event in browser.get("/config", auth=BOB).json()["dependencies"] if event["backend_fn"]]
        for event in events:
            answered = said(BOB, event)
            assert "process_completed" in answered, event
            assert SECRET not in answered, event
        assert state(kept, name) == before
        assert any(SECRET in said(ANNA, event) for event in events)
