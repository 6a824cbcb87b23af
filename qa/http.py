"""The HTTP API and the web page on one port."""

import json
import logging
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import suppress
from itertools import chain
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import iterate_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, ConfigDict

from index.types import BadInput, CopydeskError, UnknownArticle
from qa.desk import Desk, Event
from qa.guard import Guard, check_host
from qa.source import source_page
from qa.types import as_json, kind

logger = logging.getLogger(__name__)


class Question(BaseModel):
    """The body of /api/search."""

    model_config = ConfigDict(extra="forbid")

    question: str
    outlets: list[str] = []
    since: str | None = None
    until: str | None = None
    asked: str | None = None
    top: int = 10


class Asking(Question):
    """The body of /api/ask. With `stream`, the answer comes as server-sent events: text, citation, sentence, answer."""

    choices: list[str] = []
    llm: str | None = None
    history: list[dict[str, str]] = []
    strict: bool | None = None
    stream: bool = False


class Draft(BaseModel):
    """The body of /api/check."""

    model_config = ConfigDict(extra="forbid")

    text: str
    articles: list[str] = []


STILL = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"  # a page that loads and runs nothing


def build_app(desk: Desk, host: str = "127.0.0.1", token: str | None = None) -> FastAPI:
    """Return the service of one open desk: the API, the pages of sources, and the web UI at /; see `Guard`."""
    from qa.ui import mount  # gradio takes seconds to import

    # FastAPI's own documentation loads its scripts from two hosts outside.
    app = FastAPIOffline(
        "/api/docs", None, title="Copydesk", openapi_url="/api/openapi.json", static_url="/api/docs/files"
    )
    app.add_middleware(Guard, host=host, token=token)

    @app.exception_handler(CopydeskError)
    def refuse(_: Request, error: CopydeskError) -> JSONResponse:
        status = 404 if isinstance(error, UnknownArticle) else 400 if isinstance(error, BadInput) else 503
        return JSONResponse({"error": str(error)}, status_code=status)

    @app.exception_handler(RequestValidationError)
    def misread(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"][1:])) or "body"
        return JSONResponse({"error": f"{place}: {first['msg']}"}, status_code=400)

    @app.get("/healthz")
    def health() -> dict[str, Any]:
        articles, passages = desk.index.archive.counts()
        return {"ok": True, "articles": articles, "passages": passages}

    @app.post("/api/ask", response_model=None)
    def ask(question: Asking) -> dict[str, Any] | StreamingResponse:
        if (question.llm or "").startswith("llamacpp:") and question.llm != desk.llm:
            raise BadInput(f"{question.llm} is not what this service runs: start it with copydesk serve --llm")
        options = question.model_dump(exclude={"stream"})
        if not question.stream:
            return as_json(desk.ask(**options))
        events = desk.events(**options)
        first = next(events)  # what cannot be asked or answered is refused with its own status
        return StreamingResponse(_sent(first, events), media_type="text/event-stream")

    @app.post("/api/check")
    def check(draft: Draft) -> dict[str, Any]:
        return as_json(desk.check(draft.text, articles=draft.articles))

    @app.post("/api/search")
    def search(question: Question) -> dict[str, Any]:
        return {"hits": [as_json(hit) for hit in desk.search(**question.model_dump())]}

    @app.get("/api/articles")
    def articles() -> dict[str, Any]:
        return {"articles": desk.articles()}

    @app.get("/api/articles/{article_id:path}")
    def article(article_id: str) -> dict[str, Any]:
        return desk.show(article_id)

    @app.delete("/api/articles/{article_id:path}")
    def remove(article_id: str) -> dict[str, Any]:
        return {"removed": desk.remove([article_id])}

    @app.get("/source/{article_id:path}", response_class=HTMLResponse)
    def source(article_id: str, field: Literal["text", "title"] = "text", start: int = 0, end: int = 0) -> HTMLResponse:
        page = source_page(desk.article(article_id), field, start, end)
        return HTMLResponse(page, headers={"content-security-policy": STILL})

    return mount(app, desk)


async def _sent(first: Event, events: Generator[Event, None, None]) -> AsyncIterator[str]:
    """Yield events in the form in which they are sent; what fails on the way is the last of them."""
    try:
        async for event in iterate_in_threadpool(chain([first], events)):
            yield f"event: {kind(event)}\ndata: {json.dumps(as_json(event), ensure_ascii=False)}\n\n"
    except CopydeskError as error:
        yield f"event: error\ndata: {json.dumps({'error': str(error)})}\n\n"
    except Exception as error:  # the outermost door of a stream: logged whole, told in one line
        logger.exception("an answer broke off")
        yield f"event: error\ndata: {json.dumps({'error': f'internal error ({error}): see the log'})}\n\n"
    finally:
        events.close()  # A reader who left would else leave the model writing until garbage is collected.


class _Server(uvicorn.Server):
    """Open pages hold connections that never end: at the end they are cut off, and that is no error to be told."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def serve(desk: Desk, host: str, port: int, token: str | None = None) -> None:
    """Serve an archive until Ctrl-C. Other commands find the address in the archive's folder meanwhile.

    Raises BadInput where the port is taken, and where others could reach `host` without a token.
    """
    check_host(host, token)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:  # before anything is loaded, so that a port in use is told at once
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise BadInput(f"cannot listen on {host}:{port} ({error}): choose another with --host or --port") from error
    with listener:
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        address = f"http://{f'[{reached}]' if ':' in reached else reached}:{listener.getsockname()[1]}"
        desk.warm_up()
        config = uvicorn.Config(build_app(desk, host, token), log_level="warning", timeout_graceful_shutdown=1)
        desk.index.lock.announce(address)
        print(f"Copydesk serves {desk.index.archive.counts()[0]:,} articles at {address} (Ctrl-C stops it)", flush=True)
        with suppress(KeyboardInterrupt):  # uvicorn has shut down in order when it raises this
            _Server(config).run(sockets=[listener])
