"""What is refused, as problem documents (RFC 9457), whoever refuses: a route, FastAPI, Gradio or the guard."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import create_model
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.types import BadInput, CopydeskError, ReadOnly, UnknownArticle, told
from qa.kept import UnknownTalk
from qa.locale import ENGLISH, chosen
from qa.service import Busy
from qa.types import no_field
from qa.web.openai import DIALECT, UnknownModel, failure

PROBLEM = "application/problem+json"
BODY_BYTES = 4_000_000  # a draft may have 200,000 characters, each of four bytes and escaped
UPLOAD_BYTES = {"/api/articles": 100_000_000, "/api/text": 20_000_000}  # of forms; no reader takes a longer draft
# The first that fits; what the framework raises has its own.
STATUS = {
    UnknownArticle: 404, UnknownTalk: 404, UnknownModel: 404, Busy: 429, ReadOnly: 403, BadInput: 400,
    RequestValidationError: 400, CopydeskError: 503, HTTPException: 0, Exception: 500,
}  # fmt: skip
SCHEMA = create_model("Problem", type=str, title=str, status=int, detail=str, instance=str, error=str,
                      said=(str | None, None))  # fmt: skip
DOCUMENT = {"content": {PROBLEM: {"schema": SCHEMA.model_json_schema()}}}
# What each route may answer but for its result, for the documentation.
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": HTTPStatus(status).phrase} | DOCUMENT for status in (400, 401, 403, 404, 413, 429, 503)
} | {"default": {"description": "Any other refusal"} | DOCUMENT}


class Problem(Response):
    """A refusal in one line: `detail` and, as it was called before, `error`; `said` is it in the reader's language."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status_code=status)
        self.detail, self.extra = told(detail), headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, at = self.status_code, quote(scope["path"], safe="/:@!$&'()*+,;=", errors="replace")
        said = {"status": status, "detail": self.detail, "instance": at, "error": self.detail}
        document: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase} | said
        form, words = PROBLEM, chosen(HTTPConnection(scope))
        document |= {"said": words.said(self.detail)} if words.code != ENGLISH else {}
        if scope["path"].startswith(DIALECT):
            document, form = failure(self.detail, status), "application/json"
        await JSONResponse(document, status, self.extra, form)(scope, receive, send)


class Bounds:
    """ASGI middleware: a body of more bytes than a path takes is refused, whether or not its length is declared."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, headers = (
            scope.get("path", ""),
            Headers(scope=scope) if "path" in scope else Headers(),
        )  # none at the start
        files = headers.get("content-type", "").lower().startswith("multipart/")
        most = (
            UPLOAD_BYTES.get(path, BODY_BYTES) if files else BODY_BYTES
        )  # JSON is parsed while everybody waits: 0.05 s for so much
        held, why = 0, f"the body has over {most:,} bytes, which are the most that {path} takes: send less"

        async def counted() -> Message:
            nonlocal held
            message = await receive()
            held += len(message.get("body", b""))
            if held > most:
                raise HTTPException(413, why)
            return message

        declared = headers.get("content-length", "")
        await (Problem(413, why) if declared.isdecimal() and int(declared) > most else self._app)(scope, counted, send)


def refusing(app: FastAPI) -> FastAPI:
    """Let an app, and Gradio's, which answers where no route of ours does, refuse by problem documents."""
    own = [route for route in app.routes if isinstance(route, APIRoute)]
    for part in (app, *(getattr(route, "app", None) for route in app.routes)):
        for kind in STATUS if isinstance(part, FastAPI) else ():
            part.add_exception_handler(kind, partial(_refuse, own))  # type: ignore[union-attr]
    return app


def _refuse(routes: Sequence[APIRoute], request: Request, error: Exception) -> Problem:
    """Return why something is refused or has failed."""
    why, path, headers = str(error), request.scope["path"], dict[str, str]()
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    status = error.status_code if isinstance(error, HTTPException) else status
    if isinstance(error, RequestValidationError | HTTPException) and status == 400:
        why = _invalid(error, request)
    elif isinstance(error, HTTPException):
        why = f"nothing is at {path}: /api/docs lists what there is" if status == 404 else str(error.detail)
        wrong = status in (404, 405)  # in its path, or in its method alone
        if partly := [route for route in routes if wrong and route.matches(request.scope)[0] is Match.PARTIAL]:
            methods = sorted({method for route in partly for method in route.methods or ()})
            status, headers = 405, {"allow": ", ".join(methods)}
            why = f"{path} takes no {request.method}: use {' or '.join(methods)}"
    elif isinstance(error, Busy):
        headers = {"retry-after": str(error.seconds)}
    elif status == 500:  # logged whole by the server
        why = f"internal error ({type(error).__name__}): see the log"
    return Problem(status, why, headers)


def _invalid(error: RequestValidationError | HTTPException, request: Request) -> str:
    """Return what is wrong with what was sent, and how to mend it."""
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "type": "json_invalid"}
    name = ".".join(map(str, first["loc"][1:]))
    body = getattr(request.scope.get("endpoint"), "__annotations__", {}).get("request")
    known = [field for field in fields(body) if field.init] if is_dataclass(body) else []
    if known and (first["type"] == "json_invalid" or not name):
        leading = next((field for field in known if not field.kw_only), known[0]).name
        return f'the body is no JSON object: send {{"{leading}": "…"}} with Content-Type: application/json'
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        named = [field.name for field in known]
        return no_field(name, named) if known else f"{name} is no field: /api/docs lists what there is"
    return f"{name or 'body'}: {first.get('msg') or getattr(error, 'detail', error)}"
