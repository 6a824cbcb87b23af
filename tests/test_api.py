"""What programs meet: models that the operator allowed, odd characters, what each route says of itself."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from conftest import SEEDS
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks

from index.encoder import Encoder
from qa import Desk
from qa.rerank import Reranker
from qa.service import Busy
from qa.web import problems
from qa.web.app import build_app

CHECKS = [
    not_a_server_error, checks.content_type_conformance, checks.response_headers_conformance,
    checks.response_schema_conformance, checks.status_code_conformance,
]  # fmt: skip


def test_only_models_that_the_operator_allowed(seeded: Desk) -> None:
    client = TestClient(build_app(seeded, allowed=["ollama:small"]), base_url="http://127.0.0.1")
    for body in ({"llm": "openai:gpt"}, {"llm": "llamacpp:/etc/passwd"}, {"llm_url": "http://192.0.2.1"}):
        refused = client.post("/api/ask", json={"question": "Who?"} | body)
        named = next(iter(body.values()))
        error = f"{named} is not offered here: use quotes or ollama:small"
        assert (refused.status_code, refused.json()["error"]) == (400, error)
    assert client.post("/api/ask", json={"question": "Who led?", "llm": "quotes"}).status_code == 200


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/api/ask", r'{"question": "Who led \ud800 it?", "outlets": ["\udfff"]}'),
        ("/api/ask", r'{"question": "Who led it?", "llm": "\ud800"}'),
        ("/api/ask", r'{"question": "Who led it?", "history": [{"role": "user", "content": "\ud800"}]}'),
        ("/api/ask", r'{"question": "Who led it?", "\ud800": 1}'),
        ("/api/search", r'{"question": "Who led it?", "since": "\ud800"}'),
        ("/api/check", r'{"text": "Kyiv accepted \ud800 it."}'),
        ("/api/check", r'{"text": "Kyiv accepted it.", "articles": ["\ud800"]}'),
    ],
)
def test_halves_of_characters_are_refused_in_one_line(seeded: Desk, route: str, body: str) -> None:
    client = TestClient(build_app(seeded), base_url="http://127.0.0.1")
    refused = client.post(route, content=body.encode(), headers={"content-type": "application/json"})
    assert refused.status_code == 400
    assert refused.json()["error"].count("\n") == 0


def test_every_route_says_what_it_does_and_what_comes_back(seeded: Desk) -> None:
    schema = build_app(seeded).openapi()
    for path, methods in schema["paths"].items():
        for method, about in methods.items():
            known = about["responses"]
            assert "204" in known or known["200"]["content"], f"{method} {path}"
            if not path.startswith("/v1/"):  # whose clients know refusals of another form
                assert problems.PROBLEM in known["404"]["content"], f"{method} {path}"
            if path.startswith("/api/") and about["tags"] != ["conversations"]:
                assert about["description"], f"{method} {path}"
                body = about.get("requestBody", {}).get("content", {}).get("application/json")
                assert body is None or "example" in body or "example" in body["schema"], f"{method} {path}"
    answer = schema["components"]["schemas"]["Answer"]["properties"]
    assert answer["retrieved"]["items"] == {"$ref": "#/components/schemas/Place"}
    asked = schema["components"]["schemas"]["Asking"]["properties"]
    assert asked["outlets"]["description"] == "only articles of this outlet"
    assert "limit" not in asked


@pytest.fixture(scope="module")
def own(encoder: Encoder, reranker: Reranker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk whose archive may be changed."""
    with Desk(tmp_path_factory.mktemp("api"), encoder, reranker) as desk:
        desk.ingest([SEEDS])
        yield desk


@pytest.fixture(scope="module")
def client(own: Desk) -> Iterator[TestClient]:
    with TestClient(build_app(own), base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


@pytest.mark.parametrize(
    ("query", "titles", "total"),
    [
        ("limit=2", ["Multinational", "After Paris: "], 6),
        ("limit=2&offset=4", ["Talks in Pari", "Ukraine accep"], 6),
        ("q=PARIS+talks&sort=title", ["Talks in Pari", "Yermak: Paris"], 2),
        ("sort=-title&limit=1", ["Yermak: Paris"], 6),
        ("author=olena+marchuk&sort=-published", ["Ukraine accep", "Yermak: Paris"], 2),
        ("outlet=kyiv+bulletin&outlet=UNN&until=2025-04-01", ["Ukraine accep"], 1),
        ("q=100%25", [], 0),
        ("q=_", [], 0),
        ("outlet=none", [], 0),
    ],
)
def test_lists_have_pages_and_filters(client: TestClient, query: str, titles: list[str], total: int) -> None:
    document = client.get(f"/api/articles?{query}").json()
    assert ([article["title"][:13] for article in document["articles"]], document["total"]) == (titles, total)


@pytest.mark.parametrize(
    ("route", "body", "query"),
    [
        ("search", {"question": "ceasefire", "authors": ["Olena Marchuk"]}, "question=ceasefire&author=Olena+Marchuk"),
        ("timeline", {"question": "What happened in April 2025?"}, "question=What+happened+in+April+2025%3F"),
        ("quotes", {"about": "a ceasefire", "outlets": ["Kyiv Bulletin"]}, "about=a+ceasefire&outlet=Kyiv+Bulletin"),
    ],
)  # fmt: skip
def test_what_is_found_has_pages_and_an_address(client: TestClient, route: str, body: Any, query: str) -> None:
    whole = client.post(f"/api/{route}", json=body | {"limit": 2}).json()
    first, second = (client.get(f"/api/{route}?{query}&limit=1&offset={offset}").json() for offset in (0, 1))
    [name] = {"hits", "events", "quotes"} & whole.keys()
    assert whole["total"] == first["total"] >= 2
    if name == "events":  # whose citations are numbered anew
        assert [one["text"] for one in whole[name]] == [first[name][0]["text"], second[name][0]["text"]]
        assert second[name][0]["citations"] == [1]
    else:
        assert whole[name] == first[name] + second[name]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("search?question=x&limt=3", "limt is no field: /api/docs lists what there is"),
        ("search?question=x&limit=0", "limit is 0: use 1 to 100000"),
        ("search", "question: Field required"),
        ("search?question=x&author=Nobody", "no article is by Nobody: copydesk articles show ID prints who wrote one"),
        ("articles?sort=size", "sort is size: use published, title, outlet, added, or -title to turn it round"),
        ("articles?offset=-1", "offset is -1: use 0 to 1000000000"),
        ("timeline?question=x&since=2025-05-02&until=2025-05-01",
         "since 2025-05-02 is after until 2025-05-01: no day is between them"),
    ],
)  # fmt: skip
def test_refusals_are_problem_documents(client: TestClient, path: str, error: str) -> None:
    refused = client.get(f"/api/{path}")
    assert refused.headers["content-type"] == problems.PROBLEM
    assert refused.json() == {
        "type": "about:blank", "title": "Bad Request", "status": 400, "detail": error, "error": error,
        "instance": f"/api/{path.partition('?')[0]}",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/%C3%A9%00", 404), ("PUT", "/api/ask", 405), ("GET", "/api/articles/none", 404),
        ("GET", "/gradio_api/queue/data", 400), ("POST", "/gradio_api/queue/join", 400), ("GET", "/page/none.js", 404),
        ("GET", "/gradio_api/file=/etc/passwd", 404), ("GET", "/api/talks/none", 404), ("GET", "/assets/none.js", 404),
        ("POST", "/gradio_api/reset", 400), ("GET", "/source/none", 404), ("POST", "/api/text", 415),
    ],
)  # fmt: skip
def test_every_part_refuses_in_one_form(client: TestClient, method: str, path: str, status: int) -> None:
    refused = client.request(method, path)
    assert (refused.status_code, refused.headers["content-type"]) == (status, problems.PROBLEM)
    document = refused.json()
    assert (document["status"], document["instance"]) == (status, path)
    assert document["detail"] == document["error"] != ""
    assert "\n" not in document["detail"]


def test_bodies_have_bounds(client: TestClient) -> None:
    for content in (b" " * 4_000_001, (b" " * 1_000_000 for _ in range(5))):
        refused = client.post("/api/check", content=content)
        assert refused.status_code == 413
        assert refused.json()["detail"].startswith(
            "the body has over 4,000,000 bytes, which are the most that /api/check"
        )


@pytest.mark.parametrize(
    ("history", "error"),
    [
        ([{"role": "user", "content": "Who?"}] * 201, "history has 201 turns: send the last 200 at most"),
        ([{"role": "user", "content": "w" * 200_001}] * 2, "history has 400,002 characters: send at most 400,000"),
    ],
)
def test_a_history_has_bounds(client: TestClient, history: Any, error: str) -> None:
    assert client.post("/api/ask", json={"question": "Who?", "history": history}).json()["error"] == error


def test_who_is_one_too_many_is_told_when_to_come_again() -> None:
    app = FastAPI()

    @app.get("/busy")
    def busy() -> None:
        raise Busy

    refused = TestClient(problems.refusing(app)).get("/busy")
    assert (refused.status_code, refused.headers["retry-after"], refused.json()["title"]) == (
        429,
        "5",
        "Too Many Requests",
    )


def test_what_fails_unforeseen_is_told_in_one_line() -> None:
    app = FastAPI()

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("a secret")

    failed = TestClient(problems.refusing(app), raise_server_exceptions=False).get("/broken")
    assert (failed.status_code, failed.headers["content-type"]) == (500, problems.PROBLEM)
    assert failed.json()["detail"] == "internal error (ZeroDivisionError): see the log"


def test_no_request_finds_an_error_or_a_response_that_the_documentation_denies(own: Desk) -> None:
    """Whatever schemathesis makes of the documentation: 15 requests a route, of one seed."""
    app = build_app(own)
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app
    statuses = dict[str, Counter[int]]()

    def ask(case: Any) -> None:
        response = case.call(base_url="http://127.0.0.1", session=session)
        statuses.setdefault(case.operation.label, Counter())[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    bounded = settings(
        max_examples=15, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    with asgi.get_client(app) as session:
        for found in schema.get_all_operations():
            seed(1)(bounded(given(case=found.ok().as_strategy())(ask)))()
    assert len(statuses) > 15
    assert all({200, 400} <= statuses[f"POST /api/{name}"].keys() for name in ("ask", "check", "search", "quotes"))
