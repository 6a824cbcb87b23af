"""The HTTP API and the web page on one port."""

import json
import logging
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse, format_sse_event
from fastapi_offline import FastAPIOffline
from pydantic import create_model
from starlette.exceptions import HTTPException
from starlette.routing import Match

from index.tables.related import Related
from index.types import BadInput, CopydeskError, Listed, UnknownArticle
from qa.desk import Desk
from qa.doors.show import remarks
from qa.kept import UnknownTalk
from qa.request import AskRequest, QuotesRequest, SearchRequest, Strings, TimelineRequest
from qa.service import Busy, open_service
from qa.telemetry import export
from qa.types import Answer, Citation, Event, Found, Said, Sentence, Timeline, as_json, kind
from qa.web import mcp, openai, talks
from qa.web.guard import Guard, check_host
from qa.web.streams import answered, told
from qa.web.telemetry import Metrics

logger = logging.getLogger(__name__)
BODY_BYTES = 4_000_000  # a draft may have 200,000 characters, each of four bytes and escaped
STILL = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"  # a page that loads and runs nothing


@dataclass(frozen=True)
class Asking(AskRequest):
    """The body of /api/ask. With `stream`, the answer comes as server-sent events: text, citation, sentence, answer."""

    stream: bool = False


@dataclass(frozen=True)
class Checking:
    """The body of /api/check."""

    __pydantic_config__ = SearchRequest.__pydantic_config__

    text: str
    articles: Strings = ()


# What comes back, where it is no answer.
Hits = create_model("Hits", hits=list[Found])
Quotes = create_model("Quotes", quotes=list[Said])
Articles = create_model("Articles", articles=list[Listed])
Whole = create_model("Whole", **Listed.__annotations__, authors=list[str], text=str, **Related.__annotations__)
Checks = create_model("Checks", sentences=list[Sentence], citations=list[Citation])
Removed = create_model("Removed", removed=int)
State = create_model("State", ok=bool, articles=int, passages=int)
Refused = create_model("Refused", error=str)
# The first that fits; what the framework raises has its own.
STATUS = {
    UnknownArticle: 404,
    UnknownTalk: 404,
    BadInput: 400,
    RequestValidationError: 400,
    Busy: 429,
    CopydeskError: 503,
    HTTPException: 0,
}


def build_app(
    desk: Desk, host: str = "127.0.0.1", token: str | None = None, allowed: Strings = (), users: Path | None = None
) -> FastAPI:
    """Return the service of one open desk: the API, the pages of sources, and the web UI at /; see `Guard`.

    Questions may name the desk's own model, `quotes`, and the `allowed` ones.
    """
    from qa.page import mount  # gradio takes seconds to import
    from qa.page.render import source_page

    app, service = _bare(), open_service(desk, allowed)

    metrics = Metrics(service)
    app.get("/metrics", include_in_schema=False)(metrics.response)

    @app.get("/healthz", response_model=State)
    async def health() -> dict[str, int]:
        articles, passages = desk.index.archive.counts()
        return {"ok": True, "articles": articles, "passages": passages}

    @app.post("/api/ask", response_model=Answer)
    async def ask(request: Asking, http: Request) -> JSONResponse | EventSourceResponse:
        if not request.stream:
            return JSONResponse(as_json(await answered(service, request, http)))
        events = told(service, request, http)
        first = await anext(events)  # what cannot be asked or answered is refused with its own status
        return EventSourceResponse(_sent(first, events))

    @app.post("/api/check", response_model=Checks)
    def check(request: Checking) -> JSONResponse:
        return JSONResponse(as_json(desk.check(request.text, articles=request.articles)))

    @app.post("/api/search", response_model=Hits)
    def search(request: SearchRequest) -> JSONResponse:
        return JSONResponse({"hits": [as_json(hit) for hit in desk.hits(request)]})

    @app.post("/api/timeline", response_model=Timeline)
    def timeline(request: TimelineRequest) -> JSONResponse:
        return JSONResponse(as_json(desk.timeline(**asdict(request))))

    @app.post("/api/quotes", response_model=Quotes)
    def quotes(request: QuotesRequest) -> JSONResponse:
        return JSONResponse({"quotes": list(map(as_json, desk.quotes(**asdict(request))))})

    @app.get("/api/articles", response_model=Articles)
    def articles() -> dict[str, Any]:
        return {"articles": desk.articles()}

    @app.get("/api/articles/{article_id:path}", response_model=Whole)
    def article(article_id: str) -> JSONResponse:
        return JSONResponse(desk.show(article_id))

    @app.delete("/api/articles/{article_id:path}", response_model=Removed)
    def remove(article_id: str) -> dict[str, int]:
        return {"removed": desk.remove([article_id])}

    @app.get("/source/{article_id:path}", response_class=HTMLResponse)
    def source(
        article_id: str, field: Literal["text", "title"] = "text", start: int = 0, end: int = 0, also: str = ""
    ) -> HTMLResponse:
        page = source_page(desk.article(article_id), field, start, end, remarks(desk.show(article_id)), also)
        return HTMLResponse(page, headers={"content-security-policy": STILL})

    app.include_router(talks.routes(service))
    mcp.add_route(openai.add_routes(app, service), service)
    return _guarded(mount(app, service), host, token, users)


def _bare() -> FastAPI:
    """Return a service without routes of its own."""
    refusals: Any = {status: {"model": Refused} for status in (400, 401, 403, 404, 429, 503)}
    # FastAPI's own documentation loads its scripts from two hosts outside.
    addresses = {"docs_url": "/api/docs", "static_url": "/api/docs/files", "openapi_url": "/api/openapi.json"}
    return FastAPIOffline(redoc_url=None, title="Copydesk", responses=refusals, max_body_size=BODY_BYTES, **addresses)


def _guarded(app: FastAPI, host: str, token: str | None, users: Path | None) -> FastAPI:
    """Put the guard before all of FastAPI; let an app and Gradio's, behind it, refuse in one form: {"error": why}."""
    own = [route for route in app.routes if isinstance(route, APIRoute)]
    for part in (app, *(getattr(route, "app", None) for route in app.routes)):
        for failure in STATUS if isinstance(part, FastAPI) else ():
            part.add_exception_handler(failure, partial(_refuse, own))  # type: ignore[union-attr]
    app.middleware_stack = Guard(app.build_middleware_stack(), host, token, users)
    return app


def _refuse(routes: Sequence[APIRoute], request: Request, error: Exception) -> JSONResponse:
    """Return a refusal in one line; what was sent, and is told again, may hold halves of characters."""
    why, path, headers = str(error), request.scope["path"], dict[str, str]()
    if isinstance(error, Busy):
        headers = {"retry-after": str(error.seconds)}
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    status = error.status_code if isinstance(error, HTTPException) else status
    if isinstance(error, RequestValidationError | HTTPException) and status == 400:
        why = _invalid(error, request)
    elif isinstance(error, HTTPException):
        why = f"nothing is at {path}: /api/docs lists what there is" if status == 404 else str(error.detail)
        if partly := [route for route in routes if route.matches(request.scope)[0] is Match.PARTIAL]:
            methods = sorted({method for route in partly for method in route.methods or ()})
            status, headers = 405, {"allow": ", ".join(methods)}
            why = f"{path} takes no {request.method}: use {' or '.join(methods)}"
    why = why.encode("utf-8", "replace").decode()
    return JSONResponse(openai.failure(why, status) if path.startswith("/v1/") else {"error": why}, status, headers)


def _invalid(error: RequestValidationError | HTTPException, request: Request) -> str:
    """Return what is wrong with what was sent, and how to mend it."""
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "type": "json_invalid"}
    name = ".".join(map(str, first["loc"][1:]))
    body = request.scope["endpoint"].__annotations__.get("request")
    known = [field.name for field in fields(body)] if is_dataclass(body) else []
    if known and (first["type"] == "json_invalid" or not name):
        return f'the body is no JSON object: send {{"{known[0]}": "…"}} with Content-Type: application/json'
    if first["type"] == "unexpected_keyword_argument":
        return f"{name} is no field: use {', '.join(known)}"
    return f"{name or 'body'}: {first.get('msg', error)}"


async def _sent(first: Event, rest: AsyncGenerator[Event, None]) -> AsyncIterator[bytes]:
    """Yield events in the form in which they are sent; what fails on the way is the last of them."""

    def event(name: str, document: dict[str, Any]) -> bytes:
        return format_sse_event(event=name, data_str=json.dumps(document, ensure_ascii=False))

    try:
        async with aclosing(rest):
            yield event(kind(first), as_json(first))
            async for piece in rest:
                yield event(kind(piece), as_json(piece))
    except CopydeskError as error:
        yield event("error", {"error": str(error)})
    except Exception as error:  # the outermost door of a stream: logged whole, told in one line
        logger.exception("an answer broke off")
        yield event("error", {"error": f"internal error ({error}): see the log"})


def serve(
    desk: Desk, host: str, port: int, token: str | None = None, allowed: Strings = (), users: Path | None = None
) -> None:
    """Serve an archive until Ctrl-C. Other commands find the address in the archive's folder meanwhile.

    Raises BadInput where the port is taken, and where others could reach `host` without a token or a user's name.
    """
    check_host(host, token, users)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:  # before anything is loaded, so that a port in use is told at once
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise BadInput(f"cannot listen on {host}:{port} ({error}): choose another with --host or --port") from error
    with listener:
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        address = f"http://{f'[{reached}]' if ':' in reached else reached}:{listener.getsockname()[1]}"
        desk.warm_up()
        export()
        app = build_app(desk, host, token, allowed, users)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        # Open pages hold connections that never end: at the end they are cut off, and that is no error to be told.
        logging.getLogger("uvicorn.error").addFilter(lambda _: not server.should_exit)
        desk.index.lock.announce(address)
        print(f"Copydesk serves {desk.index.archive.counts()[0]:,} articles at {address} (Ctrl-C stops it)", flush=True)
        with suppress(KeyboardInterrupt):  # uvicorn has shut down in order when it raises this
            server.run(sockets=[listener])
