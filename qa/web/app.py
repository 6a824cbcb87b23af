"""The HTTP API and the web page on one port."""

import logging
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import uvicorn
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.sse import EventSourceResponse
from fastapi_offline import FastAPIOffline
from pydantic import create_model

from index.encoder.reencode import remark
from index.sync import Index
from index.types import BadInput, Unreachable
from qa.desk import Desk
from qa.doors.show import remarks
from qa.doors.stop import Stopped, end, end_soon
from qa.locale import chosen
from qa.page import mount
from qa.page.render import source_page
from qa.request import AskRequest, CheckRequest, Strings
from qa.service import Service, TranslateRequest, open_service
from qa.types import Answer, Event, Translation, as_json, kind
from qa.web import mcp, openai, talks
from qa.web.articles import Checks, article_routes, example, find_routes, source_routes
from qa.web.guard import Guard, check_host
from qa.web.problems import REFUSALS, Bounds, refusing
from qa.web.streams import event, last, stop, to_its_end, told
from qa.web.telemetry import Metrics

SWITCH_SECONDS = 0.0003  # after which a thread lets another on: who adds an article is held up less by who asks
LOOKS = 4  # at the archive and the server of its vectors at a time, in threads that nothing else fills
STILL = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"  # a page that loads and runs nothing


@dataclass(frozen=True)
class Asking(AskRequest):
    """The body of /api/ask. With `stream`, the answer comes as server-sent events: text, citation, sentence, answer."""

    stream: bool = False


State = create_model("State", ok=bool, articles=int, passages=int, waiting=(int | None, None),
                     remark=(str | None, None), vectors=(str | None, None))  # fmt: skip
Status = create_model("Status", status=Literal["ok", "degraded"])
ABOUT = "Answers from an archive of news articles, every sentence with its source. Refusals are problem documents."
SENT = {"description": "The answer, or with `stream` its events", "content": {EventSourceResponse.media_type: {}}}


def build_app(
    desk: Desk, host: str = "127.0.0.1", token: str | None = None, allowed: Strings = (), users: Path | None = None,
    names: Sequence[str] = (),
) -> FastAPI:  # fmt: skip
    """Return the service of one open desk: the API, the pages of sources, and the web UI at /; see `Guard`.

    Questions may name the desk's own model, `quotes`, and the `allowed` ones.
    """
    app, service = _bare(), open_service(desk, allowed)
    app.get("/metrics", include_in_schema=False)(Metrics(service).response)

    _state_routes(app, service)
    _answer_routes(app, service)
    find_routes(app, desk)
    article_routes(app, desk)
    source_routes(app, desk)

    @app.get("/source/{article_id:path}", response_class=HTMLResponse, tags=["articles"])
    def source(
        article_id: str,
        http: Request,
        field: Literal["text", "title"] = "text",
        start: int = 0,
        end: int = 0,
        also: str = "",
    ) -> HTMLResponse:
        """Show an article as a page, [start, end) marked, and lightly what `also` names, text:120-245,title:0-9."""
        words = chosen(http)
        noted = remarks(desk.show(article_id), words._, words.day)
        page = source_page(desk.article(article_id), field, start, end, noted, also, words)
        return HTMLResponse(page, headers={"content-security-policy": STILL})

    app.include_router(talks.routes(service))
    mcp.add_route(openai.add_routes(app, service), service)
    # The guard stands before all that FastAPI has: its own middlewares tell anybody of errors and large bodies.
    app.middleware_stack = Guard(refusing(mount(app, service)).build_middleware_stack(), host, token, users, names)
    return app


def _bare() -> FastAPI:
    """Return a service without routes of its own."""
    # FastAPI's own documentation loads its scripts from two hosts outside.
    addresses = {"docs_url": "/api/docs", "static_url": "/api/docs/files", "openapi_url": "/api/openapi.json"}
    about = {"title": "Copydesk", "description": ABOUT, "version": version("copydesk")}
    untold = {
        "exclude": lambda _: True
    }  # FastAPI's own spans, also of the page, hold paths and queries: what was asked
    app = FastAPIOffline(redoc_url=None, responses=REFUSALS, telemetry=untold, **about, **addresses)
    app.add_middleware(Bounds)
    return app


def _state(index: Index, away: Callable[[], str | None]) -> dict[str, Any]:
    (articles, passages), vectors = index.archive.counts(), away()
    counts = {"articles": articles, "passages": passages, "waiting": index.archive.waiting() or None}
    return {"ok": not vectors, **counts, "remark": remark(index) or None, "vectors": vectors}


def _state_routes(app: FastAPI, service: Service) -> None:
    """Add what tells whether the service works: to balancers, which have no token, that alone."""
    index = service.desk.index
    look = partial(run_sync, limiter=CapacityLimiter(LOOKS))

    @app.get("/healthz", response_model=State, response_model_exclude_none=True, tags=["service"])
    async def health(response: Response) -> dict[str, Any]:
        """Tell that the service works, how much the archive holds, and if its encoder does not know its languages.

        While the server of its `vectors` is away no question is answered: its status is 503 then.
        """
        state: dict[str, Any] = await look(_state, index, service.away)
        response.status_code = 200 if state["ok"] else 503
        return state

    @app.get("/readyz", response_model=Status, tags=["service"])
    async def ready() -> JSONResponse:
        """Tell anybody whether questions are answered now (200) or not (503), within two seconds."""
        away = await look(service.away)
        return JSONResponse({"status": "degraded" if away else "ok"}, 503 if away else 200)

    @app.get("/livez", response_model=Status, tags=["service"])
    async def alive() -> JSONResponse:
        """Tell anybody that the process works, whatever is away that it needs."""
        return JSONResponse({"status": "ok"})


def _answer_routes(app: FastAPI, service: Service) -> None:
    """Add what answers, checks and translates."""
    asked = example({"question": "Who led the delegation?", "outlets": ["UNN"], "since": "2025-04-01"})

    @app.post("/api/ask", response_model=Answer, tags=["answers"], responses={200: SENT}, openapi_extra=asked)
    async def ask(request: Asking, http: Request) -> JSONResponse | EventSourceResponse:
        """Answer a question, every sentence tied to its source; what cannot be answered is refused in the answer."""
        if not request.stream:
            return JSONResponse(as_json(await last(partial(service.events, request), http)))
        events = told(partial(service.events, request), http)
        first = await anext(events)  # what cannot be asked or answered is refused with its own status
        return EventSourceResponse(to_its_end(_sent(first, events)))

    draft = example({"text": "Kyiv accepted a complete ceasefire."})

    @app.post("/api/check", response_model=Checks, tags=["answers"], openapi_extra=draft)
    async def check(request: CheckRequest, http: Request) -> JSONResponse:
        """Check any text, sentence by sentence, against the archive or `articles` by id."""
        return JSONResponse(as_json(await last(partial(service.checking, request), http)))

    passage = example({"text": "Kyiv accepted a complete ceasefire.", "language": "uk"})

    @app.post("/api/translate", response_model=Translation, tags=["answers"], openapi_extra=passage)
    async def translate(request: TranslateRequest, http: Request) -> JSONResponse:
        """Translate a passage by a language model, where one is offered: not checked, and no quotation."""
        return JSONResponse(as_json(await last(partial(service.translating, request), http)))


async def _sent(first: Event, rest: AsyncGenerator[Event, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield event(kind(first), as_json(first))
        async for piece in rest:
            yield event(kind(piece), as_json(piece))


def serve(
    desk: Desk, host: str, port: int, token: str | None = None, allowed: Strings = (), users: Path | None = None,
    names: Sequence[str] = (),
) -> None:  # fmt: skip
    """Serve an archive until Ctrl-C. Other commands find the address in the archive's folder meanwhile.

    Raises BadInput where the port is taken, and where others could reach `host` without a token or a user's name;
    Stopped at SIGTERM.
    """
    check_host(host, token, users, names)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:  # before models are loaded, so that a port in use is told at once
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise BadInput(f"cannot listen on {host}:{port} ({error}): choose another with --host or --port") from error
    with listener:
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        address = f"http://{f'[{reached}]' if ':' in reached else reached}:{listener.getsockname()[1]}"
        try:
            desk.warm_up()
        except Unreachable as error:  # it is told so to whoever asks, until it is there
            print(f"copydesk: {error}", file=sys.stderr)
        app = build_app(desk, host, token, allowed, users, names)
        sys.setswitchinterval(SWITCH_SECONDS)
        server = _Server(uvicorn.Config(app, log_config=None, log_level="warning", timeout_graceful_shutdown=1))
        # Open pages hold connections that never end: at the end they are cut off, and that is no error to be told.
        logging.getLogger("uvicorn.error").addFilter(lambda _: not server.should_exit)
        desk.index.lock.announce(address)
        print(f"Copydesk serves {desk.index.archive.counts()[0]:,} articles at {address} (Ctrl-C stops it)", flush=True)
        server.run(sockets=[listener])
        if server.signum == signal.SIGTERM:
            raise Stopped(server.signum)


class _Server(uvicorn.Server):
    """A server that shuts down in order at a first signal, and at once at a second one."""

    signum: int | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        status = 0 if sig == signal.SIGINT else Stopped(sig).status
        if self.should_exit:
            end(status)
        end_soon(status)
        stop()
        self.signum, self.should_exit = sig, True
