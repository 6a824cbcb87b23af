"""The dialect of OpenAI's clients: chat completions and responses, whole or streamed, with citations as annotations."""

import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from starlette.exceptions import HTTPException

from index.types import BadInput, CopydeskError
from qa.page.render import source_path
from qa.request import AskRequest
from qa.service import Busy, Service
from qa.types import Answer, Citation, Event, Sentence, Withdrawn, as_json
from qa.web.streams import answered, told

logger = logging.getLogger(__name__)
Document = dict[str, Any]
DEFAULT = "copydesk"  # the name of whatever model the service answers with
APART = "\n\n---\n\n"  # What was sent of a model's thought cannot be taken back: the answer comes behind this.
USAGE = dict.fromkeys(("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens"), 0)
REQUEST = TypeAdapter(AskRequest)


class Message(BaseModel):
    """A turn of a conversation, or what else a client puts among them, which is passed over."""

    role: str = ""
    content: str | list[Document] | None = None


class Options(BaseModel):
    """How an answer is sent; what else stands here are options of the question, as in /api/ask."""

    model_config = ConfigDict(extra="allow")
    footnotes: bool = False
    citations: Literal["char_location"] | None = None


class Asked(BaseModel):
    """What both routes take; other parameters (temperature, tools) say nothing to an archive, and are passed over."""

    model: str = DEFAULT
    stream: bool | None = False
    stream_options: Document | None = None
    copydesk: Options = Options()


class Chat(Asked):
    """The last message of a user is the question, those before it are the history."""

    messages: list[Message]


class Respond(Asked):
    """As `Chat`; nothing of a response is kept, so all that came before stands in `input`."""

    input: str | list[Message]
    previous_response_id: str | None = None


_both: Any = {"id": str, "object": str, "model": str, "usage": Document, "copydesk": Answer}
Completion = create_model("Completion", created=int, choices=list[Document], **_both)
Responded = create_model("Responded", created_at=int, status=str, output=list[Document], **_both)
Models = create_model("Models", object=str, data=list[Document])


class UnknownModel(BadInput):
    """A model that is not offered."""


INVALID = (400, "invalid_request_error", "invalid_value")
REFUSED: dict[type[Exception], tuple[int, str, str]] = {  # the first that fits: its status, type and code
    UnknownModel: (404, "invalid_request_error", "model_not_found"),
    Busy: (429, "rate_limit_error", "rate_limit_exceeded"),
    **dict.fromkeys((BadInput, RequestValidationError, ValidationError, HTTPException), INVALID),
    CopydeskError: (503, "server_error", "unavailable"),
    Exception: (500, "server_error", "internal_error"),
}


class Dialect(APIRoute):
    """A route that refuses in OpenAI's form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except (CopydeskError, RequestValidationError, ValidationError, HTTPException) as error:
                status, document = _refusal(error)
                headers = {"retry-after": str(error.seconds)} if isinstance(error, Busy) else None
                return JSONResponse(document, status, headers)

        return handler


def _refusal(error: Exception) -> tuple[int, Document]:
    why, (status, kind, code) = str(error), next(said for of, said in REFUSED.items() if isinstance(error, of))
    if isinstance(error, RequestValidationError | ValidationError):
        first = error.errors()[0]
        why = f"{'.'.join(str(part) for part in first['loc'] if part != 'body') or 'body'}: {first['msg']}"
    elif isinstance(error, HTTPException):  # a body that is no JSON, or too long
        status, why = error.status_code, str(error.detail)
    why = why.encode("utf-8", "replace").decode()  # halves of characters, told again
    return status, {"error": {"message": why, "type": kind, "param": None, "code": code}}


def add_routes(app: FastAPI, service: Service) -> None:
    """Let programs that speak to OpenAI ask a service, at /v1."""

    def models() -> JSONResponse:
        known = [{"id": name, "object": "model", "created": 0, "owned_by": DEFAULT} for name in offered]
        return JSONResponse({"object": "list", "data": known})

    async def complete(body: Chat, http: Request) -> Response:
        return await _answered(service, body.messages, Completing(body, http))

    async def respond(body: Respond, http: Request) -> Response:
        if body.previous_response_id:
            raise BadInput("responses are not kept: send what came before in input, without previous_response_id")
        said = [Message(role="user", content=body.input)] if isinstance(body.input, str) else body.input
        return await _answered(service, said, Responding(body, http))

    offered = (DEFAULT, *service.models)
    routes = (("GET", "models", models, Models), ("POST", "chat/completions", complete, Completion),
              ("POST", "responses", respond, Responded))  # fmt: skip
    for method, path, route, form in routes:
        named: Any = {"methods": [method], "response_model": form, "route_class_override": Dialect}
        app.router.add_api_route(f"/v1/{path}", route, **named)


async def _answered(service: Service, said: list[Message], reply: "Completing | Responding") -> Response:
    asked = _request(service, reply.body, said)
    if not reply.body.stream:
        answer = await answered(service, asked, reply.http)
        whole: tuple[Event, ...] = (answer.text, *answer.citations, *answer.sentences, answer)
        for event in whole:
            reply.take(event)
        return JSONResponse(reply.whole())
    events = told(service, asked, reply.http)
    first = await anext(events)  # what cannot be answered is refused with its own status
    return EventSourceResponse(_sent(reply, first, events))


async def _sent(
    reply: "Completing | Responding", first: Event, rest: AsyncGenerator[Event, None]
) -> AsyncIterator[bytes]:
    def event(document: Document) -> bytes:
        return format_sse_event(event=document.get("type"), data_str=json.dumps(document, ensure_ascii=False))

    try:
        async with aclosing(rest):
            for document in (*reply.begin(), *reply.told(*reply.take(first))):
                yield event(document)
            async for piece in rest:
                for document in reply.told(*reply.take(piece)):
                    yield event(document)
        for document in reply.end():
            yield event(document)
    except Exception as error:  # the outermost door of a stream: logged whole, told in one line
        if not isinstance(error, CopydeskError):
            logger.exception("an answer broke off")
        yield event(_refusal(error)[1])
    yield format_sse_event(data_str="[DONE]")


def _request(service: Service, body: Asked, said: list[Message]) -> AskRequest:
    """Return the question of a conversation, with the turns before it and its options."""
    if body.model not in (offered := (DEFAULT, *service.models)):
        raise UnknownModel(f"{body.model} is not offered here: use {' or '.join(offered)}")
    turns = [{"role": m.role, "content": _text(m.content)} for m in said if m.role in ("user", "assistant")]
    while turns and turns[-1]["role"] != "user":
        turns.pop()
    if not turns:
        raise BadInput("there is no message of a user: the last one is the question")
    llm = None if body.model == DEFAULT else body.model
    own = {"question": turns.pop()["content"], "history": turns, "llm": llm}
    return REQUEST.validate_python((body.copydesk.model_extra or {}) | own)


def _text(content: str | list[Document] | None) -> str:
    """Return what a message says, which may come in parts."""
    parts = content if isinstance(content, list) else [{"text": content or ""}]
    if not all(isinstance(part.get("text"), str) for part in parts):
        raise BadInput("a message holds something else than text: send parts of type text")
    return "\n".join(part["text"] for part in parts)


@dataclass
class _Reply:
    """An answer in the making, as it is sent: its text so far, and where in it which citation is marked."""

    body: Asked
    http: Request
    key: str = field(default_factory=lambda: uuid4().hex)
    made: int = field(default_factory=lambda: int(time.time()))
    text: str = ""
    answer: Document = field(default_factory=dict)
    cited: dict[int, Citation] = field(default_factory=dict)
    marked: list[tuple[int, int, int]] = field(default_factory=list)  # number, start and end in the text
    start: int = 0  # of the answer: behind what was withdrawn

    def take(self, event: Event) -> tuple[str, int]:
        """Take in an event; return the text that is new with it, and how many of the annotations."""
        more, known = "", len(self.marked)
        if isinstance(event, str):
            more = event
        elif isinstance(event, Withdrawn):
            more, self.start = APART, len(self.text + APART)
        elif isinstance(event, Citation):
            self.cited[event.n] = event
        elif isinstance(event, Sentence):
            places = zip(event.citations, event.marks, strict=False)  # "[unsupported]" is a mark without citation
            self.marked += [(n, self.start + start, self.start + end) for n, (start, end) in places]
        else:
            self.answer = as_json(event)
            if event.citations and self.body.copydesk.footnotes:
                notes = (f"[{c.n}] {c.title}, {c.outlet}, {c.published}: “{c.quote}”" for c in event.citations)
                more = "\n\n" + "\n".join(notes)
        self.text += more
        return more, len(self.marked) - known

    def annotations(self, new: int = 0, within: str = "") -> Document:
        """Return the annotations, or the last so many `new` ones; with Anthropic's citations where they are wanted."""
        notes, located = list[Document](), list[Document]()
        documents = list(dict.fromkeys(one.article_id for one in self.cited.values()))
        for n, start, end in self.marked[-new:]:
            c = self.cited[n]
            url = str(self.http.base_url).rstrip("/") + source_path(c.article_id, c.field, c.start, c.end)
            place = {"start_index": start, "end_index": end, "title": c.title, "url": url}
            notes.append({"type": "url_citation"} | ({within: place} if within else place))
            document = {"document_index": documents.index(c.article_id), "document_title": c.title, "file_id": None}
            span = {"cited_text": c.quote, "start_char_index": c.start, "end_char_index": c.end}
            located.append({"type": "char_location"} | document | span)
        return {"annotations": notes} | ({"citations": located} if self.body.copydesk.citations else {})


class Completing(_Reply):
    """A chat completion, or its chunks."""

    def _document(self, kind: str, *choices: Document, **more: Any) -> Document:
        about = {"id": f"chatcmpl-{self.key}", "object": kind, "created": self.made, "model": self.body.model}
        return about | {"choices": [{"index": 0, "finish_reason": None} | choice for choice in choices]} | more

    def _ended(self) -> Document:
        return {"finish_reason": "length" if self.answer["broken"] else "stop"}

    def whole(self) -> Document:
        message = {"role": "assistant", "content": self.text, "refusal": None} | self.annotations(0, "url_citation")
        choice = {"message": message, "logprobs": None} | self._ended()
        return self._document("chat.completion", choice, usage=USAGE, copydesk=self.answer)

    def _chunk(self, delta: Document, **more: Any) -> Document:
        return self._document("chat.completion.chunk", {"delta": delta} | more)

    def begin(self) -> list[Document]:
        return [self._chunk({"role": "assistant", "content": ""})]

    def told(self, text: str, new: int) -> list[Document]:
        marks = self.annotations(new, "url_citation") if new else {}
        return [self._chunk({"content": text} | marks)] if text or new else []

    def end(self) -> list[Document]:
        counted = (self.body.stream_options or {}).get("include_usage")
        last = [self._document("chat.completion.chunk", usage=USAGE)] if counted else []
        return [self._chunk({}, **self._ended()) | {"copydesk": self.answer}, *last]


class Responding(_Reply):
    """A response of one message, or its events."""

    sent = -1

    def _document(self, status: str, *output: Document) -> Document:
        about = {"id": f"resp_{self.key}", "object": "response", "created_at": self.made, "model": self.body.model}
        cut = {"reason": "max_output_tokens"} if status == "incomplete" else None
        never: Document = {"error": None, "parallel_tool_calls": False, "tool_choice": "none", "tools": []}
        said = {"status": status, "output": output, "incomplete_details": cut, "usage": USAGE}
        return about | never | said | ({"copydesk": self.answer} if self.answer else {})

    def _item(self, status: str, *content: Document) -> Document:
        return {"id": f"msg_{self.key}", "type": "message", "role": "assistant", "status": status, "content": content}

    def _part(self) -> Document:
        return {"type": "output_text", "text": self.text, "logprobs": []} | self.annotations()

    def whole(self) -> Document:
        status = "incomplete" if self.answer["broken"] else "completed"
        return self._document(status, self._item(status, self._part()))

    def _event(self, kind: str, **more: Any) -> Document:
        self.sent += 1
        place = {"item_id": f"msg_{self.key}", "output_index": 0, "content_index": 0}
        return {"type": f"response.{kind}", "sequence_number": self.sent} | place | more

    def begin(self) -> list[Document]:
        opened = [self._event(kind, response=self._document("in_progress")) for kind in ("created", "in_progress")]
        item = self._event("output_item.added", item=self._item("in_progress"))
        return [*opened, item, self._event("content_part.added", part=self._part())]

    def told(self, text: str, new: int) -> list[Document]:
        delta = [self._event("output_text.delta", delta=text, logprobs=[])] if text else []
        marks = enumerate(self.annotations(new)["annotations"] if new else (), len(self.marked) - new)
        kind = "output_text.annotation.added"
        return delta + [self._event(kind, annotation_index=n, annotation=mark) for n, mark in marks]

    def end(self) -> list[Document]:
        whole = self.whole()
        return [
            self._event("output_text.done", text=self.text, logprobs=[]),
            self._event("content_part.done", part=self._part()),
            self._event("output_item.done", item=whole["output"][0]),
            self._event(whole["status"], response=whole),
        ]
