"""The dialect of OpenAI's clients: chat completions and responses, whole or streamed, with citations as annotations."""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import BaseModel, BeforeValidator, ConfigDict, create_model

from index.types import BadInput
from qa.doors.show import page
from qa.page.render import source_path
from qa.request import AskRequest
from qa.service import Service
from qa.types import Answer, Event, Withdrawn, as_json, built
from qa.web.streams import last, to_its_end, told

Document = dict[str, Any]
DEFAULT = "copydesk"  # the name of whatever model the service answers with
APART = "\n\n---\n\n"  # What was sent of a model's thought cannot be taken back: the answer comes behind this.
# Tokens are not counted. The names are those of both routes: clients pass over those that they do not know.
USAGE = dict.fromkeys(("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens"), 0)
MOST = 10_000  # messages, or parts of one
CODES = {404: "model_not_found", 429: "rate_limit_exceeded", 503: "unavailable", 500: "internal_error"}


def _few(given: Any) -> Any:
    """Refuse an endless list before each of its entries is refused, which takes seconds."""
    if isinstance(given, list) and len(given) > MOST:
        raise ValueError(f"it has {len(given):,} entries and {MOST:,} are the most")
    return given


class Part(BaseModel):
    text: str  # other parts of a message say nothing to an archive


class Message(BaseModel):
    role: str = ""  # clients put calls of tools among the messages, too: those are passed over
    content: Annotated[list[Part] | str | None, BeforeValidator(_few)] = None

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.content) if isinstance(self.content, list) else self.content or ""


class Options(BaseModel):
    """How an answer is sent; what else stands here are options of the question, as in /api/ask."""

    model_config = ConfigDict(extra="allow")
    footnotes: bool = False
    citations: Literal["char_location"] | None = None


class Asked(BaseModel):
    """What a route takes: `messages` or `input`. The last of a user is the question, those before are the history.

    What else clients send (temperature, tools) says nothing to an archive, and is passed over.
    """

    messages: Annotated[list[Message], BeforeValidator(_few)] = []
    input: Annotated[list[Message] | str, BeforeValidator(_few)] = []
    model: str = DEFAULT
    stream: bool | None = False
    stream_options: Document | None = None
    previous_response_id: str | None = None
    copydesk: Options = Options()


Told = create_model("Told", id=str, object=str, model=str, usage=Document, copydesk=Answer)


DONE = format_sse_event(data_str="[DONE]")
DIALECT = "/v1/"  # what begins so is answered, and refused, as OpenAI does


class UnknownModel(BadInput):
    """No model of this name answers here."""


def failure(why: str, status: int) -> Document:
    """Return a refusal in OpenAI's form."""
    kind = "invalid_request_error" if status < 429 else "rate_limit_error" if status == 429 else "server_error"
    return {"error": {"message": why, "type": kind, "param": None, "code": CODES.get(status, "invalid_value")}}


# What these routes send, for the documentation.
FAILED = create_model("Failed", error=Document)
SENT: dict[int | str, Any] = {200: {"content": {EventSourceResponse.media_type: {}}}}
FAILURES: dict[int | str, Any] = {key: {"model": FAILED} for key in (400, 401, 403, 404, 413, 429, 503, "default")}


def add_routes(app: FastAPI, service: Service) -> FastAPI:
    """Let programs that speak to OpenAI ask a service, at /v1; return the app."""
    offered = (DEFAULT, *service.models)

    @app.get("/v1/models", responses=FAILURES)
    def models() -> Document:
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": DEFAULT} for name in offered]
        return {"object": "list", "data": listed}

    @app.post("/v1/chat/completions", response_model=Told, responses=SENT | FAILURES)
    async def complete(body: Asked, http: Request) -> Response:
        return await answer(Completing(body, http))

    @app.post("/v1/responses", response_model=Told, responses=SENT | FAILURES)
    async def respond(body: Asked, http: Request) -> Response:
        return await answer(Responding(body, http))

    async def answer(reply: Some) -> Response:
        if reply.body.model not in offered:
            raise UnknownModel(f"{reply.body.model} is not offered here: use {' or '.join(offered)}")
        asked = _request(reply.body)
        if reply.body.stream:
            events = told(partial(service.events, asked), reply.http)
            first = await anext(events)  # what cannot be answered is refused with its own status
            sent = _sent(reply, first, events)
            return EventSourceResponse(to_its_end(sent, lambda *why: _events(failure(*why)) + DONE))
        whole = await last(partial(service.events, asked), reply.http)
        reply.take(whole.text)
        reply.take(whole)
        return JSONResponse(reply.whole())

    return app


async def _sent(reply: "Some", first: Event, rest: AsyncGenerator[Event, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield _events(*reply.begin(), reply.piece(reply.take(first)))
        async for event in rest:
            if text := reply.take(event):
                yield _events(reply.piece(text))
    yield _events(*reply.end()) + DONE


def _events(*documents: Document) -> bytes:
    pairs = ((one.get("type"), json.dumps(one, ensure_ascii=False)) for one in documents)
    return b"".join(format_sse_event(event=name, data_str=data) for name, data in pairs)


def _request(body: Asked) -> AskRequest:
    """Return the question of a conversation, with the turns before it and its options."""
    if body.previous_response_id:
        raise BadInput("responses are not kept: send what came before in input, without previous_response_id")
    given = [Message(role="user", content=body.input)] if isinstance(body.input, str) else body.messages or body.input
    turns = [{"role": one.role, "content": one.text} for one in given if one.role in ("user", "assistant")]
    while turns and turns[-1]["role"] != "user":
        turns.pop()
    if not turns:
        raise BadInput("there is no message of a user: the last one is the question")
    own = {"question": turns.pop()["content"], "history": turns, "llm": None if body.model == DEFAULT else body.model}
    asked: AskRequest = built(AskRequest, (body.copydesk.model_extra or {}) | own)
    return asked


class Reply:
    """An answer in the making, as it is sent."""

    answer: Answer

    def __init__(self, body: Asked, http: Request) -> None:
        self.body, self.http, self.key, self.made = body, http, uuid4().hex, int(time.time())
        self.text = ""
        self.start = 0  # of the answer in it: behind what was withdrawn

    def take(self, event: Event) -> str:
        """Take in an event; return the text that is new with it."""
        more = event if isinstance(event, str) else ""
        if isinstance(event, Withdrawn):
            more, self.start = APART, len(self.text + APART)
        if isinstance(event, Answer):
            self.answer = event
            cited = ((c, page(as_json(c), ", ")) for c in event.citations)
            notes = (f"[{c.n}] {c.title}, {c.outlet}, {c.published}{on}: “{c.quote}”" for c, on in cited)
            more = "\n".join(("\n", *notes)) if event.citations and self.body.copydesk.footnotes else ""
        self.text += more
        return more

    def annotations(self, within: str = "") -> Document:
        """Return what the marks in the text say; with Anthropic's citations, one for each, where they are wanted."""
        notes, located, cited = list[Document](), list[Document](), {c.n: c for c in self.answer.citations}
        documents = list(dict.fromkeys(c.article_id for c in cited.values()))
        marks = (pair for s in self.answer.sentences for pair in zip(s.citations, s.marks, strict=False))
        for c, (start, end) in ((cited[n], mark) for n, mark in marks):
            url = str(self.http.base_url).rstrip("/") + source_path(c.article_id, c.field, c.start, c.end)
            place = {"start_index": self.start + start, "end_index": self.start + end, "title": c.title, "url": url}
            place |= {"page": c.page} if c.page else {}
            notes.append({"type": "url_citation"} | ({within: place} if within else place))
            document = {"document_index": documents.index(c.article_id), "document_title": c.title, "file_id": None}
            span = {"cited_text": c.quote, "start_char_index": c.start, "end_char_index": c.end}
            located.append({"type": "char_location"} | document | span)
        return {"annotations": notes} | ({"citations": located} if self.body.copydesk.citations else {})


class Completing(Reply):
    """A chat completion, or its chunks."""

    def _document(self, *choices: Document, kind: str = "chat.completion.chunk", **more: Any) -> Document:
        about = {"id": f"chatcmpl-{self.key}", "object": kind, "created": self.made, "model": self.body.model}
        return about | {"choices": [{"index": 0, "finish_reason": None} | choice for choice in choices]} | more

    def _ended(self) -> Document:
        return {"logprobs": None, "finish_reason": "length" if self.answer.broken else "stop"}

    def whole(self) -> Document:
        message = {"role": "assistant", "content": self.text, "refusal": None} | self.annotations("url_citation")
        choice = {"message": message} | self._ended()
        return self._document(choice, kind="chat.completion", usage=USAGE, copydesk=as_json(self.answer))

    def begin(self) -> list[Document]:
        return [self._document({"delta": {"role": "assistant", "content": ""}})]

    def piece(self, text: str) -> Document:
        return self._document({"delta": {"content": text}})

    def end(self) -> list[Document]:
        last = {"delta": self.annotations("url_citation")} | self._ended()
        counted = (self.body.stream_options or {}).get("include_usage")
        ended = self._document(last, copydesk=as_json(self.answer))
        return [ended, self._document(usage=USAGE)] if counted else [ended]


class Responding(Reply):
    """A response of one message, or its events."""

    sent = -1

    def _document(self, status: str, *output: Document, **more: Any) -> Document:
        about = {"id": f"resp_{self.key}", "object": "response", "created_at": self.made, "model": self.body.model}
        cut = {"reason": "max_output_tokens"} if status == "incomplete" else None
        never: Document = {"error": None, "parallel_tool_calls": False, "tool_choice": "none", "tools": []}
        return about | never | {"status": status, "output": output, "incomplete_details": cut} | more

    def _item(self, status: str, *content: Document) -> Document:
        return {"id": f"msg_{self.key}", "type": "message", "role": "assistant", "status": status, "content": content}

    def _part(self, notes: Document) -> Document:
        return {"type": "output_text", "text": self.text, "logprobs": []} | notes

    def whole(self) -> Document:
        status = "incomplete" if self.answer.broken else "completed"
        item = self._item(status, self._part(self.annotations()))
        return self._document(status, item, usage=USAGE, copydesk=as_json(self.answer))

    def _event(self, kind: str, **more: Any) -> Document:
        self.sent += 1
        place = {"item_id": f"msg_{self.key}", "output_index": 0, "content_index": 0}
        return {"type": f"response.{kind}", "sequence_number": self.sent} | place | more

    def begin(self) -> list[Document]:
        opened = [self._event(kind, response=self._document("in_progress")) for kind in ("created", "in_progress")]
        item = self._event("output_item.added", item=self._item("in_progress"))
        return [*opened, item, self._event("content_part.added", part=self._part({"annotations": []}))]

    def piece(self, text: str) -> Document:
        return self._event("output_text.delta", delta=text, logprobs=[])

    def end(self) -> list[Document]:
        whole, kind = self.whole(), "output_text.annotation.added"
        [item] = whole["output"]
        [part] = item["content"]
        notes = [self._event(kind, annotation_index=n, annotation=one) for n, one in enumerate(part["annotations"])]
        done = self._event("output_text.done", text=self.text, logprobs=[]), self._event("content_part.done", part=part)
        return [*notes, *done, self._event("output_item.done", item=item), self._event(whole["status"], response=whole)]


Some = Completing | Responding
