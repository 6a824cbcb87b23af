"""The routes of the archive: what it holds, found, listed and shown, and what is added to it or removed."""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncGenerator, Callable
from dataclasses import MISSING, dataclass, fields
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, BinaryIO

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.sse import EventSourceResponse
from pydantic import Field, create_model
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from index.ingest import IngestReport
from index.read import whole_text
from index.read.article import UNPRINTABLE
from index.sync import Progress
from index.tables.related import Related
from index.text.addresses import on_web
from index.types import BadInput, Listed, Rejected, digest, shown
from qa.desk import Desk
from qa.locale import ENGLISH, chosen
from qa.request import ArticlesRequest, QuotesRequest, SearchRequest, TimelineRequest, parameter
from qa.types import Citation, Found, Said, Sentence, Timeline, as_json
from qa.web.streams import event, to_its_end

Checks = create_model("Checks", sentences=list[Sentence], citations=list[Citation])
Hits = create_model("Hits", hits=list[Found], total=int)
Quotes = create_model("Quotes", quotes=list[Said], total=int)
Articles = create_model("Articles", articles=list[Listed], total=int)
Whole = create_model("Whole", **Listed.__annotations__, authors=list[str], text=str, **Related.__annotations__)
Sources = create_model("Sources", sources=list[dict[str, Any]])
Removed = create_model("Removed", removed=int)
Text = create_model("Text", text=str)
NAME_BYTES = 200  # of a file; systems take 255
FILE = {"type": "object", "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                                         "outlet": {"type": "string"}}}  # fmt: skip
RECORDS = {"type": "object", "properties": {"articles": {"type": "array"}, "outlet": {"type": "string"},
                                            "urls": {"type": "array", "items": {"type": "string"}}},
           "example": {"articles": [{"title": "Bridge closes", "text": "The bridge closed on Monday."}]}}  # fmt: skip
FORM: dict[str, Any] = {"multipart/form-data": {"schema": FILE}}
FILED = {"requestBody": {"content": FORM}}
BODIES = {"requestBody": {"content": FORM | {"application/json": {"schema": RECORDS}}}}
ADDED = {"content": {EventSourceResponse.media_type: {}}, "description": "The report, or events: progress and report"}
LATER = {"model": IngestReport, "description": "The report; the server of vectors gets them when it is back"}
Upload = tuple[str, BinaryIO]  # the name of a file, and its content


@dataclass(frozen=True)
class Watching:
    """The body of POST /api/sources."""

    address: str


def editor(http: Request) -> None:
    """Refuse whoever may only read."""
    if (user := http.state.user).role != "editor":
        raise HTTPException(403, f"{user.name} is a reader: only editors change the archive")


EDITORS = [Depends(editor)]


def find_routes(app: FastAPI, desk: Desk) -> None:
    """Add what finds passages, days and quotations, by a body or by an address that can be linked."""
    built: Any = desk  # whose methods take a request that is built

    def search(request: SearchRequest) -> Response:
        """Find passages, best first; of more than `top`, or `limit`, `offset` gives the next."""
        return JSONResponse(built.search(request).document("hits"))

    def timeline(request: TimelineRequest) -> Response:
        """Tell what happened, oldest first, each day with its citation."""
        return JSONResponse(as_json(built.timeline(request)))

    def quotes(request: QuotesRequest) -> Response:
        """Find who said what: nearest to `about`, or else newest first."""
        return JSONResponse(built.quotes(request).document("quotes"))

    def articles(request: ArticlesRequest) -> Response:
        """List articles, the last published first."""
        return JSONResponse(built.articles(request).document("articles"))

    for route, request, found, body in (
        (search, SearchRequest, Hits, {"question": "Who led the delegation?", "limit": 5}),
        (timeline, TimelineRequest, Timeline, {"question": "What happened in Paris in April 2025?"}),
        (quotes, QuotesRequest, Quotes, {"speaker": "Andriy Yermak", "about": "a ceasefire"}),
    ):
        path = f"/api/{route.__name__}"
        app.post(path, response_model=found, tags=["search"], openapi_extra=example(body))(route)
        app.get(path, response_model=found, tags=["search"])(_addressed(route, request))
    app.get("/api/articles", response_model=Articles, tags=["articles"])(_addressed(articles, ArticlesRequest))


def source_routes(app: FastAPI, desk: Desk) -> None:
    """Add what lists, adds and forgets the sources that the archive is kept in step with."""

    @app.get("/api/sources", response_model=Sources, tags=["articles"])
    def sources(http: Request) -> JSONResponse:
        """List what is watched, with its state and failures; to readers, addresses alone."""
        return JSONResponse({"sources": desk.sources.listed(local=http.state.user.role == "editor")})

    @app.post("/api/sources", response_model=Sources, tags=["articles"], dependencies=EDITORS,
              openapi_extra=example({"address": "https://pell.example/news.xml"}))  # fmt: skip
    def watch(given: Watching, http: Request) -> JSONResponse:
        """Watch an address from now on, where the service was started with --watch; editors may."""
        if desk.sources.options is None:
            raise BadInput("nothing is watched here: start it with copydesk serve --watch")
        if not on_web(given.address):
            raise BadInput("only addresses are added here: name folders of its machine with copydesk serve --watch")
        desk.sources.add(given.address, now=True, **desk.sources.options)
        return sources(http)

    @app.delete("/api/sources/{address:path}", response_model=Removed, tags=["articles"], dependencies=EDITORS)
    def forget(address: str) -> dict[str, int]:
        """Watch a source no longer; its articles stay; editors may."""
        return {"removed": desk.sources.remove([address])}


def article_routes(app: FastAPI, desk: Desk) -> None:
    """Add what shows, adds and removes articles, and reads a file of text."""

    @app.get("/api/articles/{article_id:path}", response_model=Whole, tags=["articles"])
    def article(article_id: str) -> JSONResponse:
        """Show an article by its id or url, or a version of it by ID@1."""
        return JSONResponse(desk.show(article_id))

    @app.delete("/api/articles/{article_id:path}", response_model=Removed, tags=["articles"], dependencies=EDITORS)
    def remove(article_id: str) -> dict[str, int]:
        """Remove an article for good, its earlier versions too; editors may."""
        return {"removed": desk.remove([article_id])}

    @app.post("/api/articles", response_model=IngestReport, tags=["articles"], dependencies=EDITORS,
              openapi_extra=BODIES, responses={200: ADDED, 202: LATER})  # fmt: skip
    async def add(http: Request) -> Response:
        """Add articles as files, as JSON or by addresses; editors may. What cannot be used is told, with its reason.

        A file without ids and urls is known by its name: the same name again is a change. Where text/event-stream is
        accepted, progress is told meanwhile, and the report last. Where the server of vectors is away, what was sent
        is in the archive, and 202 and `late` say that it is not found by them yet.
        """
        given, words = await _uploads(http), chosen(http)

        def work(tell: Progress | None = None) -> dict[str, Any]:
            report = _ingested(desk, *given, tell).document()
            for one in report["rejected"] if words.code != ENGLISH else ():
                one["said"] = words.said(one["reason"])
            return report

        if EventSourceResponse.media_type in http.headers.get("accept", ""):
            return EventSourceResponse(to_its_end(_told(work)))
        report = await asyncio.to_thread(work)
        return JSONResponse(report, 202 if "late" in report else 200)

    @app.post("/api/text", response_model=Text, tags=["answers"], openapi_extra=FILED)
    async def text(http: Request) -> Response:
        """Return the text of a file (.txt, .md, .html, .docx, .odt, .rtf, .eml …), such as a draft to be checked."""
        [(name, content), *_], *_ = await _uploads(http)
        return JSONResponse({"text": await asyncio.to_thread(whole_text, name, content.read())})


async def _uploads(http: Request) -> tuple[list[Upload], list[str], str | None]:
    """Return the files of a request, its addresses, and the outlet of what names none; JSON is named by its hash."""
    kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = await http.form()
        files = [(part.filename or "", part.file) for _, part in form.multi_items() if isinstance(part, UploadFile)]
        if not files:
            raise BadInput("no file is in the form: send one or more, each with its name")
        return files, [], str(form.get("outlet") or "") or None
    if kind != "application/json":
        raise HTTPException(415, "send files as multipart/form-data, or articles as application/json")
    try:
        given = json.loads(await http.body())
    except (ValueError, RecursionError):
        given = None
    held = {name: given[name] for name in ("articles", "urls") if name in given} if isinstance(given, dict) else {}
    urls = held.get("urls", [])
    if (
        not held
        or not all(isinstance(each, list) for each in held.values())
        or not all(isinstance(url, str) for url in urls)
    ):
        raise BadInput(
            'the body holds nothing to add: send {"articles": [{"title": "…", "text": "…"}]} or {"urls": […]}'
        )
    records, outlet = json.dumps(held.get("articles")), given.get("outlet")
    uploads: list[Upload] = [(f"{digest(records, 8)}.json", BytesIO(records.encode()))] if "articles" in held else []
    return uploads, urls, outlet if isinstance(outlet, str) else None


def _ingested(
    desk: Desk, uploads: list[Upload], urls: list[str], outlet: str | None, tell: Progress | None
) -> IngestReport:
    """Ingest addresses, and files by the names that they have where they come from: no other name is told."""
    paths: list[str | Path] = [url for url in urls if on_web(url.lower())]
    refused = [Rejected(shown(url), "no http or https address: write it whole") for url in urls if url not in paths]
    with TemporaryDirectory(prefix="copydesk-") as folder:
        for number, (said, content) in enumerate(uploads):
            name = said.replace("\\", "/").rpartition("/")[2]
            if name in ("", ".", "..") or UNPRINTABLE.search(name) or len(name.encode()) > NAME_BYTES:
                why = f"its name is none, holds control characters or has over {NAME_BYTES} bytes: rename it"
                refused.append(Rejected(UNPRINTABLE.sub("�", said)[:NAME_BYTES], why))
                continue
            path = Path(folder, str(number), name)
            path.parent.mkdir()
            with path.open("wb") as file:
                shutil.copyfileobj(content, file)
            paths.append(path)
        report = desk.ingest(paths, outlet=outlet, progress=tell)
    own = re.compile(rf"{re.escape(folder)}/\d+/")
    report.rejected = [*refused, *(Rejected(own.sub("", r.source), own.sub("", r.reason)) for r in report.rejected)]
    return report


async def _told(work: Callable[[Progress], dict[str, Any]]) -> AsyncGenerator[bytes, None]:
    """Yield the progress of some work as events, and last its report; who leaves does not stop it."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[tuple[str, dict[str, Any]] | None]()

    def tell(task: str, share: float) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, ("progress", {"task": task, "share": share}))

    working = asyncio.ensure_future(asyncio.to_thread(work, tell))
    working.add_done_callback(lambda _: queue.put_nowait(None))
    while progress := await queue.get():
        yield event(*progress)
    yield event("report", working.result())


def example(body: dict[str, Any]) -> dict[str, Any]:
    """Return what says in the documentation what a body looks like."""
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


def _addressed(route: Callable[[Any], Response], request: type) -> Callable[..., Response]:
    """Return a route for GET, which builds its request of the parameters of an address; outlet may occur repeatedly."""
    ours, known = dict[str, str](), dict[str, Any]()
    for field in fields(request):
        name = parameter(field)
        one: Any = int if type(field.default) is int else int | None if name == "limit" else str | None
        held = Field(... if field.default is MISSING else field.default, description=field.metadata.get("help"))
        ours[name], known[name] = field.name, (list[str] if field.default == () else one, held)
    parameters = create_model(f"{request.__name__}Query", __config__={"extra": "forbid"}, **known)

    def call(given: Any) -> Response:
        return route(request(**{ours[name]: value for name, value in dict(given).items()}))

    call.__annotations__["given"] = Annotated[parameters, Query()]
    call.__doc__, call.__name__ = route.__doc__, route.__name__
    return call
