"""What programs meet: models that the operator allowed, odd characters, what each route says of itself."""

import pytest
from fastapi.testclient import TestClient

from qa import Desk
from qa.web.app import build_app


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


def test_every_route_says_what_comes_back(seeded: Desk) -> None:
    schema = build_app(seeded).openapi()
    for path, methods in schema["paths"].items():
        for method, about in methods.items():
            content = about["responses"]["200"]["content"]
            told = content.get("application/json", {}).get("schema") or content.get("text/html")
            assert told, f"{method} {path}"
    answer = schema["components"]["schemas"]["Answer"]["properties"]
    assert answer["retrieved"]["items"] == {"$ref": "#/components/schemas/Place"}
