"""Conversations over HTTP: read, renamed, deleted, rated, and taken away as files. Each is its owner's own."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import create_model

from index.types import digest
from qa.export import FORMS
from qa.kept import Fault, Talk, Turn
from qa.request import SearchRequest
from qa.service import Service, User

Form = Literal["md", "html", "docx"]
Number = Annotated[int, Path(ge=1, le=10**9)]  # of a turn


@dataclass(frozen=True)
class Renaming:
    """Another name for a conversation."""

    __pydantic_config__ = SearchRequest.__pydantic_config__

    title: str


@dataclass(frozen=True)
class Rating:
    """Whether an answer was good, and what was wrong with it; null takes it back."""

    __pydantic_config__ = SearchRequest.__pydantic_config__

    good: bool | None
    faults: tuple[Fault, ...] = ()


Talks = create_model("Talks", talks=list[Talk])
Whole = create_model("Conversation", **Talk.__annotations__, turns=list[Turn])
Done = create_model("Done", ok=bool)


def routes(service: Service) -> APIRouter:
    """Return the routes of what a service keeps."""
    router, kept = APIRouter(prefix="/api", tags=["conversations"]), service.kept

    @router.get("/talks", response_model=Talks)
    def talks(
        http: Request,
        q: str = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    ) -> dict[str, Any]:
        return {"talks": kept.talks(_owner(http), q, limit, offset)}

    @router.get("/talks/{talk}.{form}", response_class=Response)
    def talk_file(talk: str, form: Form, http: Request) -> Response:
        return _file(kept.talk(_owner(http), talk).title, kept.turns(_owner(http), talk), form, http)

    @router.get("/talks/{talk}/{n}.{form}", response_class=Response)
    def turn_file(talk: str, n: Number, form: Form, http: Request) -> Response:
        turn = kept.turn(_owner(http), talk, n)
        return _file(turn.answer["question"], [turn], form, http)

    @router.get("/talks/{talk}", response_model=Whole)
    def read(talk: str, http: Request) -> JSONResponse:
        turns = kept.turns(_owner(http), talk)
        return JSONResponse(asdict(kept.talk(_owner(http), talk)) | {"turns": list(map(asdict, turns))})

    @router.patch("/talks/{talk}", response_model=Done)
    def rename(talk: str, request: Renaming, http: Request) -> dict[str, bool]:
        kept.rename(_owner(http), talk, request.title)
        return {"ok": True}

    @router.delete("/talks/{talk}", response_model=Done)
    def delete(talk: str, http: Request) -> dict[str, bool]:
        kept.delete(_owner(http), talk)
        return {"ok": True}

    @router.post("/talks/{talk}/{n}/rating", response_model=Done)
    def rate(talk: str, n: Number, request: Rating, http: Request) -> dict[str, bool]:
        kept.rate(_owner(http), talk, n, request.good, request.faults)
        return {"ok": True}

    @router.get("/ratings.jsonl", response_class=Response)
    def ratings(http: Request) -> Response:
        rows = {row["id"]: row for row in map(question, kept.rated(_owner(http)))}
        lines = "".join(f"{json.dumps(row)}\n" for row in rows.values())
        return Response(lines, media_type="application/jsonl", headers=_named("ratings", "jsonl"))

    return router


def question(turn: Turn) -> dict[str, Any]:
    """Return a rated turn as a line of a question file; the same question, asked the same way, has the same id."""
    asked, answer = turn.asked, turn.answer
    row: dict[str, Any] = {"question": answer["rewritten"] or answer["question"]}
    row |= {name: asked[name] for name in ("outlets", "choices", "asked", "as_of") if asked.get(name)}
    row["id"] = digest(json.dumps(row, sort_keys=True), 6)
    phrases = [s["text"][s["answer"]["start"] : s["answer"]["end"]] for s in answer["sentences"] if s["answer"]]
    cited = list(dict.fromkeys(n for sentence in answer["sentences"] for n in sentence["citations"]))
    articles = list(dict.fromkeys(c["article_id"] for n in cited for c in answer["citations"] if c["n"] == n))
    if turn.good:
        row |= {"answerable": answer["answered"], "articles": articles, "answer": phrases[:1]}
    if "should have refused" in turn.faults:
        row["answerable"] = False
    if "wrong answer" in turn.faults:
        row["wrong"] = phrases[:1] or [s["text"] for s in answer["sentences"][:1]]
    if "wrong source" in turn.faults:
        row["notes"] = {"wrong source": articles}
    return row


def _owner(http: Request) -> str:
    user: User = http.state.user
    return user.name


def _file(title: str, turns: list[Turn], form: Form, http: Request) -> Response:
    make, kind = FORMS[form]
    return Response(make(title, turns, str(http.base_url).rstrip("/")), media_type=kind, headers=_named(title, form))


def _named(title: str, ending: str) -> dict[str, str]:
    """Return the header that gives a download its name: words alone, no path."""
    name = re.sub(r"[^\w]+", "-", title)[:80].strip("-") or "answer"
    plain = re.sub(r"[^\w]+", "-", name, flags=re.ASCII).strip("-") or "answer"
    encoded = quote(name.encode("utf-8", "replace"))
    return {"content-disposition": f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{encoded}.{ending}"}
