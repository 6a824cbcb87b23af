"""The Model Context Protocol: an archive as tools and resources, over stdio and at /mcp."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any
from urllib.parse import quote, unquote

from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from mcp import MCPError, types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import TypeAdapter, create_model

from index.types import BadInput, CopydeskError
from qa.request import ASKER, Asker, AskRequest, CheckRequest, QuotesRequest, SearchRequest, TimelineRequest
from qa.service import Service
from qa.types import Answer, Timeline, as_json, built
from qa.web.articles import Checks, Hits, Quotes

ARTICLE = "article://"  # and an id: the address of a resource
Document = dict[str, Any]
Fetching: Any = create_model("Fetching", id=str)
Result: Any = create_model("Result", id=str, title=str, url=str)  # this, and Fetched, as ChatGPT's connectors expect it
Results = create_model("Results", results=list[Result], __base__=Hits)
Fetched = create_model("Fetched", metadata=(Document, ...), text=str, __base__=Result)
READ = "Read an article by its id: its text, and what is known of its versions, copies, story and corrections."
TOOLS: dict[str, tuple[Any, Any, str]] = {  # what each takes and gives, and says of itself
    "search": (SearchRequest, Results, "Find passages of news articles in the archive, best first."),
    "fetch": (Fetching, Fetched, READ),
    "read_article": (Fetching, Fetched, READ),
    "ask": (AskRequest, Answer, "Answer a question from the archive, each sentence with the exact words it rests on."),
    "check": (
        CheckRequest,
        Checks,
        "Check a text sentence by sentence: what the archive supports, and where it stands.",
    ),
    "quotes": (QuotesRequest, Quotes, "Find who said what, word for word, by speaker, subject and article."),
    "timeline": (TimelineRequest, Timeline, "Tell what happened, day by day, each with its source."),
}


def build_server(service: Service) -> Server:
    """Return a server of the protocol. Its tools only read, and refuse in one line."""

    async def work(http: Request | None, tool: str, given: Document) -> Document:
        ASKER.set(asker := Asker())

        async def watch() -> None:  # clients of revisions before 2026 who leave are not told of
            while not (http and await http.is_disconnected()):
                await asyncio.sleep(0.5)
            asker.leave()

        watching = asyncio.create_task(watch())
        try:
            if tool not in TOOLS:
                raise BadInput(f"{tool} is no tool: use {', '.join(TOOLS)}")
            return await run_sync(_work, service, built(TOOLS[tool][0], given), abandon_on_cancel=True)
        finally:
            watching.cancel()
            asker.leave()

    async def list_tools(*_: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=list(map(_tool, TOOLS)))

    async def call_tool(of: ServerRequestContext, called: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            given = called.arguments or {}
            if called.name == "search" and "query" in given:  # as ChatGPT's connectors call it
                given = {"question": given["query"], **{key: said for key, said in given.items() if key != "query"}}
            document = await work(of.request, called.name, given)
        except CopydeskError as error:
            return types.CallToolResult(content=[types.TextContent(text=str(error))], is_error=True)
        said = types.TextContent(text=json.dumps(document, ensure_ascii=False))
        return types.CallToolResult(content=[said], structured_content=document)

    async def list_templates(*_: Any) -> types.ListResourceTemplatesResult:
        form = types.ResourceTemplate(uri_template=f"{ARTICLE}{{id}}", name="article", description=READ)
        return types.ListResourceTemplatesResult(resource_templates=[form])

    async def read(of: ServerRequestContext, wanted: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        try:
            found = await work(of.request, "fetch", {"id": unquote(wanted.uri.removeprefix(ARTICLE))})
        except CopydeskError as error:
            raise MCPError(types.INVALID_PARAMS, str(error)) from error
        return types.ReadResourceResult(contents=[types.TextResourceContents(uri=wanted.uri, text=found["text"])])

    async def list_resources(*_: Any) -> types.ListResourcesResult:
        return types.ListResourcesResult(resources=[])  # articles are found, being too many to be listed

    return Server(
        "copydesk", version=version("copydesk"), on_list_tools=list_tools, on_call_tool=call_tool,
        on_list_resources=list_resources, on_list_resource_templates=list_templates, on_read_resource=read,
    )  # fmt: skip


def _tool(name: str) -> types.Tool:
    form, given, says = TOOLS[name]
    takes, gives = TypeAdapter(form).json_schema(), TypeAdapter(given).json_schema(mode="serialization")
    reads = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)
    return types.Tool(name=name, description=says, input_schema=takes, output_schema=gives, annotations=reads)


def _work(service: Service, asked: Any) -> Document:
    """Return what a tool gives for a request."""
    desk: Any = service.desk  # whose methods take a request that is built
    match asked:
        case AskRequest():
            *_, answer = service.events(asked, ASKER.get())  # who leaves gives way, also while a model is silent
            return as_json(answer)
        case TimelineRequest():
            return as_json(desk.timeline(asked))
        case SearchRequest():
            found: Document = desk.search(asked).document("hits")
            results = {hit["article_id"]: _result(hit["article_id"], hit) for hit in found["hits"]}
            return found | {"results": list(results.values())}
        case QuotesRequest():
            return desk.quotes(asked).document("quotes")  # type: ignore[no-any-return]
        case CheckRequest():
            *_, checked = service.checking(asked, ASKER.get())
            return as_json(checked)
    shown = desk.show(asked.id)
    return _result(shown["id"], shown) | {"text": shown.pop("text"), "metadata": shown}


def _result(article_id: str, found: Document) -> Document:
    url = found["url"] or f"{ARTICLE}{quote(article_id, safe='')}"
    return {"id": article_id, "title": found["title"], "url": url}


async def serve_stdio(service: Service) -> None:
    """Serve one client over standard input and output, until it closes them."""
    server = build_server(service)
    async with stdio_server() as (heard, said):
        await server.run(heard, said, server.create_initialization_options())


def add_route(app: FastAPI, service: Service) -> FastAPI:
    """Serve the protocol at /mcp, without sessions; return the app. Who may come in is the guard's to say."""
    unguarded = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    # As a stream, not as JSON: only so is it noticed that a client has left, and a slow answer is not cut off.
    own = build_server(service).streamable_http_app(stateless_http=True, transport_security=unguarded)
    before = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(outer: FastAPI) -> AsyncIterator[Any]:
        async with before(outer) as state, own.router.lifespan_context(own):
            yield state

    app.router.routes.extend(own.routes)
    app.router.lifespan_context = lifespan
    return app
