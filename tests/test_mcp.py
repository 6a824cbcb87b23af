"""An archive as MCP tools and resources, asked by the SDK's own client: over HTTP, over stdio, beside a service."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import SEEDS, running
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from scripted import Scripted

from qa import Desk

QUESTION = "On what date did Ukraine accept a complete ceasefire in Jeddah?"
TOOLS = ["search", "fetch", "read_article", "ask", "check", "quotes", "timeline"]


def asked(server: Any, ask: Callable[[Client], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with Client(server) as client:
            return await ask(client)

    return asyncio.run(run())


def copydesk(archive: Path) -> Any:
    return stdio_client(StdioServerParameters(command=sys.executable, args=["-m", "qa", "--data", str(archive), "mcp"]))


@pytest.fixture(params=["http", "stdio"])
def server(request: pytest.FixtureRequest) -> Any:
    """The address of /mcp of a running service, or the process that a client starts."""
    if request.param == "http":
        return f"{request.getfixturevalue('service')}/mcp"
    return copydesk(request.getfixturevalue("alone"))


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory, encoder: Any, reranker: Any) -> Path:
    """An archive that no process holds."""
    folder = tmp_path_factory.mktemp("alone") / "archive"
    with Desk(folder, encoder, reranker) as desk:
        desk.ingest([SEEDS])
    return folder


def test_every_tool_reads_only_says_what_it_takes_and_gives_what_it_says(server: Any) -> None:
    async def ask(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == TOOLS
        for tool in tools.values():
            assert tool.annotations.read_only_hint is True
            assert tool.description
            assert tool.input_schema["type"] == tool.output_schema["type"] == "object"
        assert tools["ask"].input_schema["properties"]["since"]["description"] == "published on this day or later"
        asks: dict[str, dict[str, Any]] = {
            "search": {"question": "minerals", "top": 3},
            "fetch": {"id": "truce-minerals"},
            "read_article": {"id": "truce-minerals"},
            "ask": {"question": QUESTION, "outlets": ["Kyiv Bulletin"]},
            "check": {"text": "Ukraine accepted such a ceasefire in Jeddah on March 11."},
            "quotes": {"about": "ceasefire", "top": 2},
            "timeline": {"question": "What happened to the ceasefire?"},
        }
        said: dict[str, Any] = {}
        for name, arguments in asks.items():
            called = await client.call_tool(name, arguments)  # the client holds the result against the schema
            assert not called.is_error, called.content
            said[name] = called.structured_content
            assert json.loads(called.content[0].text) == said[name]
        assert said["search"]["results"][0]["id"] == "truce-minerals"
        assert {hit["article_id"] for hit in said["search"]["hits"]} == {one["id"] for one in said["search"]["results"]}
        assert said["fetch"] == said["read_article"]
        assert set(said["fetch"]) == {"id", "title", "text", "url", "metadata"}
        citation = said["ask"]["citations"][0]
        article = (await client.call_tool("fetch", {"id": citation["article_id"]})).structured_content
        assert article["text"][citation["start"] : citation["end"]] == citation["quote"]
        assert "March 11" in said["ask"]["text"]
        assert said["check"]["sentences"][0]["support"] == "verbatim"
        assert len(said["quotes"]["quotes"]) == 2
        assert said["timeline"]["events"]
        assert (await client.call_tool("fetch", {"id": "none"})).is_error
        [whole] = (await client.read_resource("article://truce-minerals")).contents
        assert whole.text == said["fetch"]["text"]

    asked(server, ask)


def test_articles_are_resources(service: str) -> None:
    async def ask(client: Client) -> None:
        [template] = (await client.list_resource_templates()).resource_templates
        assert template.uri_template == "article://{id}"
        assert (await client.list_resources()).resources == []
        [whole] = (await client.read_resource("article://truce-minerals")).contents
        fetched = await client.call_tool("fetch", {"id": "truce-minerals"})
        assert whole.text == fetched.structured_content["text"]
        with pytest.raises(MCPError, match=r"^no article has the id none: copydesk articles list prints the ids$"):
            await client.read_resource("article://none")

    asked(f"{service}/mcp", ask)


def test_errors_are_one_line(service: str) -> None:
    async def ask(client: Client) -> None:
        for name, arguments, error in (
            ("ask", {"question": ""}, "the question is empty: ask something in words"),
            ("ask", {"question": "Who?", "tpo": 3}, "tpo: Unexpected keyword argument"),
            ("ask", {}, "question: Field required"),
            ("ask", {"question": "Who?", "llm": "openai:gpt"}, "openai:gpt is not offered here: use quotes"),
            ("ask", {"question": "Who?", "llm_url": "http://[::1]"}, "http://[::1] is not offered here: use quotes"),
            ("fetch", {"id": "none"}, "no article has the id none: copydesk articles list prints the ids"),
            ("erase", {}, f"erase is no tool: use {', '.join(TOOLS)}"),
        ):
            called = await client.call_tool(name, arguments)
            assert called.is_error
            assert called.content[0].text == error

    asked(f"{service}/mcp", ask)


def test_an_id_with_signs_is_a_resource_too(service: str) -> None:
    async def ask(client: Client) -> Any:
        found = await client.call_tool("fetch", {"id": "a/b?c#d"})
        assert found.structured_content["url"] == "article://a%2Fb%3Fc%23d"
        return await client.read_resource(found.structured_content["url"])

    assert asked(f"{service}/mcp", ask).contents[0].text == "A <script>x()</script> claim."


def test_older_clients_are_served_too(service: str) -> None:
    async def run() -> list[str]:
        async with Client(f"{service}/mcp", mode="legacy") as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    assert asyncio.run(run()) == TOOLS


def test_the_guard_stands_before_it(service: str, tmp_path: Path) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert httpx.post(f"{service}/mcp", json=body, headers=headers).status_code == 403


def test_nothing_but_the_protocol_is_on_stdout(alone: Path) -> None:
    who = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": who}
    called = {"name": "ask", "arguments": {"question": QUESTION}}
    ask = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": called}
    sent = (hello, {"jsonrpc": "2.0", "method": "notifications/initialized"}, ask)
    command = [sys.executable, "-m", "qa", "--data", str(alone), "mcp"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **pipes) as run:
        run.stdin.write("".join(json.dumps(message) + "\n" for message in sent))
        run.stdin.flush()
        assert [json.loads(run.stdout.readline())["id"] for _ in range(2)] == [1, 2]
        run.stdin.close()
        assert run.wait(timeout=30) == 0
        assert (run.stdout.read(), run.stderr.read()) == ("", "")


def test_a_service_that_holds_the_archive_is_named(service: str, archive: Path) -> None:
    command = [sys.executable, "-m", "qa", "--data", str(archive), "mcp"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"copydesk: the archive is served at {service}: give MCP clients {service}/mcp\n"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_who_leaves_is_worked_for_no_more(tmp_path: Path, encoder: Any, reranker: Any, mode: str) -> None:
    writing, closed = threading.Event(), threading.Event()

    def script() -> Iterator[str]:
        try:
            while True:
                writing.set()
                yield "Ukraine accepted a complete ceasefire in Jeddah on March 11 "
                time.sleep(0.2)
        finally:
            closed.set()

    async def leave(address: str) -> None:
        async with Client(f"{address}/mcp", mode=mode) as client:
            asking = asyncio.create_task(client.call_tool("ask", {"question": QUESTION}))
            assert await asyncio.to_thread(writing.wait, 30)
            asking.cancel()

    with Desk(tmp_path / "archive", encoder, reranker, llm=Scripted(script=script)) as desk:
        desk.ingest([SEEDS])
        with running(desk) as address:
            asyncio.run(leave(address))
            assert closed.wait(2)
