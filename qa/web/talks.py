"""Conversations over HTTP: read, renamed, deleted, rated, and taken away as files. Each is its owner's own."""

import json
import re
from dataclasses import asdict
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import Field, create_model

from qa.export import FORMS
from qa.kept import Fault, Talk, Turn, questions_of
from qa.locale import chosen
from qa.service import Service


def _owner(request: Request) -> str:
    return str(request.state.user.name)


Owner = Annotated[str, Depends(_owner)]
Form = Literal["md", "html", "docx"]
Number = Annotated[int, Field(ge=0, le=10**9)]
LINES = "application/jsonl"
FILES: dict[int | str, Any] = {200: {"content": {kind: {} for _, kind in FORMS.values()}, "description": "A file"}}
Conversation = create_model("Conversation", **Talk.__annotations__, turns=list[Turn])


def routes(service: Service) -> APIRouter:
    """Return the routes of what a service keeps."""
    router, kept = APIRouter(prefix="/api", tags=["conversations"]), service.kept

    @router.get("/talks")
    def talks(owner: Owner, q: str = "", limit: Number = 50, offset: Number = 0) -> dict[str, list[Talk]]:
        return {"talks": kept.talks(owner, q, limit, offset)}

    @router.get("/talks/{talk}.{form}", response_class=Response, responses=FILES)
    def talk_file(owner: Owner, talk: str, form: Form, request: Request) -> Response:
        return _file(kept.talk(owner, talk).title, kept.turns(owner, talk), form, request)

    @router.get("/talks/{talk}/{n}.{form}", response_class=Response, responses=FILES)
    def turn_file(owner: Owner, talk: str, n: Number, form: Form, request: Request) -> Response:
        turns = kept.turns(owner, talk, n)
        return _file(turns[0].answer["question"], turns, form, request)

    @router.get("/talks/{talk}", response_model=Conversation)
    def read(owner: Owner, talk: str) -> dict[str, Any]:
        return asdict(kept.talk(owner, talk)) | {"turns": kept.turns(owner, talk)}

    @router.patch("/talks/{talk}", status_code=204)
    def rename(owner: Owner, talk: str, title: Annotated[str, Body(embed=True)]) -> None:
        kept.rename(owner, talk, title)

    @router.delete("/talks/{talk}", status_code=204)
    def delete(owner: Owner, talk: str) -> None:
        kept.delete(owner, talk)

    @router.post("/talks/{talk}/{n}/rating", status_code=204)
    def rate(
        owner: Owner, talk: str, n: Number, good: Annotated[bool | None, Body()],
        faults: Annotated[list[Fault], Body(default_factory=list)],
    ) -> None:  # fmt: skip
        kept.rate(owner, talk, n, good, faults)

    @router.get("/ratings.jsonl", response_class=Response, responses={200: {"content": {LINES: {}}}})
    def ratings(owner: Owner) -> Response:
        lines = "".join(f"{json.dumps(row)}\n" for row in questions_of(kept.rated(owner)))
        return Response(lines, media_type=LINES, headers=_named("ratings", "jsonl"))

    return router


def _file(title: str, turns: list[Turn], form: Form, request: Request) -> Response:
    make, kind = FORMS[form]
    made = make(title, turns, str(request.base_url).rstrip("/"), chosen(request))
    return Response(made, media_type=kind, headers=_named(title, form))


def _named(title: str, ending: str) -> dict[str, str]:
    """Return the header that names a download: words alone, no path."""
    plain, name = (re.sub(r"\W+", "-", title, flags=f)[:80].strip("-") or "answer" for f in (re.ASCII, re.UNICODE))
    name = quote(name.encode("utf-8", "replace"))
    return {"content-disposition": f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{name}.{ending}"}
