"""The official OpenAI client and LlamaIndex's, unchanged, against a running service; and what each event is."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from conftest import SEEDS
from fastapi.testclient import TestClient
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from openai import AsyncOpenAI, BadRequestError, NotFoundError, OpenAI
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseOutputText
from scripted import Scripted

from index.encoder import Encoder
from qa import Desk
from qa.rerank import Reranker
from qa.web.app import build_app
from qa.web.openai import failure

QUESTION = "On what date did Ukraine accept a complete ceasefire in Jeddah?"
ASKED: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
OUTLET = {"copydesk": {"outlets": ["Kyiv Bulletin"]}}


@pytest.fixture
def client(service: str) -> OpenAI:
    return OpenAI(base_url=f"{service}/v1", api_key="none", max_retries=0)


def assert_opens_the_source(service: str, text: str, start: int, end: int, url: str, answer: dict[str, Any]) -> None:
    """Check that an annotation stands at a mark, and its address shows the quotation with that number."""
    assert text[start:end].strip("[]").isdigit()
    citation = answer["citations"][int(text[start + 1 : end - 1]) - 1]
    assert url.startswith(f"{service}/source/")
    assert unquote(urlsplit(url).path.removeprefix("/source/")) == citation["article_id"]
    assert urlsplit(url).fragment == "quote"
    shown = httpx.get(url)
    assert shown.status_code == 200
    assert f'<mark id="quote">{citation["quote"][:20]}' in shown.text


# Chat completions


def test_a_completion_has_its_citations_as_annotations(service: str, client: OpenAI) -> None:
    said = client.chat.completions.create(model="copydesk", messages=ASKED, temperature=0, tools=[], extra_body=OUTLET)
    [choice] = said.choices
    text, answer = choice.message.content, said.copydesk
    assert (choice.finish_reason, said.model, said.usage.total_tokens) == ("stop", "copydesk", 0)
    assert text == answer["text"]
    assert "March 11" in text
    assert {citation["outlet"] for citation in answer["citations"]} == {"Kyiv Bulletin"}
    assert len(choice.message.annotations) == sum(len(sentence["citations"]) for sentence in answer["sentences"]) > 0
    for note in choice.message.annotations:
        assert note.type == "url_citation"
        place = note.url_citation
        assert_opens_the_source(service, text, place.start_index, place.end_index, place.url, answer)


def test_a_completion_is_streamed(service: str, client: OpenAI) -> None:
    whole = client.chat.completions.create(model="quotes", messages=ASKED, extra_body=OUTLET)
    options: Any = {"include_usage": True}
    chunks = [
        *client.chat.completions.create(
            model="quotes", messages=ASKED, stream=True, stream_options=options, extra_body=OUTLET
        )
    ]
    assert {type(chunk) for chunk in chunks} == {ChatCompletionChunk}
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert text == whole.choices[0].message.content
    notes = [note for chunk in chunks[:-1] for note in getattr(chunk.choices[0].delta, "annotations", None) or ()]
    assert notes == [note.to_dict() for note in whole.choices[0].message.annotations]
    assert [chunk.choices[0].finish_reason for chunk in chunks[-3:-1]] == [None, "stop"]
    assert chunks[-2].copydesk["text"] == text
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], 0)


def test_async_clients_get_the_same(service: str, client: OpenAI) -> None:
    async def ask() -> tuple[str, str]:
        async with AsyncOpenAI(base_url=f"{service}/v1", api_key="none") as there:
            whole = await there.chat.completions.create(model="copydesk", messages=ASKED)
            stream = await there.chat.completions.create(model="copydesk", messages=ASKED, stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
            return whole.choices[0].message.content, text

    assert asyncio.run(ask()) == (said := client.responses.create(input=QUESTION).output_text, said)


def test_parts_of_text_and_a_history(client: OpenAI) -> None:
    messages: Any = [
        *ASKED,
        {"role": "assistant", "content": "On March 11. [1]"},
        {"role": "tool", "tool_call_id": "1", "content": "nothing"},
        {"role": "user", "content": [{"type": "text", "text": "Who proposed"}, {"type": "text", "text": "it?"}]},
    ]
    answer = client.chat.completions.create(model="copydesk", messages=messages).copydesk
    assert answer["question"] == "Who proposed it?"
    assert "Jeddah" in answer["rewritten"]


def test_footnotes_and_anthropics_citations_where_they_are_wanted(client: OpenAI) -> None:
    wanted = {"copydesk": {"footnotes": True, "citations": "char_location"}}
    said = client.chat.completions.create(model="copydesk", messages=ASKED, extra_body=wanted)
    message, answer = said.choices[0].message, said.copydesk
    text, _, notes = message.content.rpartition("\n\n")
    assert text == answer["text"]
    assert [line.split()[0] for line in notes.splitlines()] == [f"[{c['n']}]" for c in answer["citations"]]
    documents = list(dict.fromkeys(c["article_id"] for c in answer["citations"]))
    assert len(message.citations) == len(message.annotations)
    for located, note in zip(message.citations, message.annotations, strict=True):
        place = note.url_citation
        cited = answer["citations"][int(text[place.start_index + 1 : place.end_index - 1]) - 1]
        assert located == {
            "type": "char_location", "cited_text": cited["quote"], "document_title": cited["title"], "file_id": None,
            "document_index": documents.index(cited["article_id"]),
            "start_char_index": cited["start"], "end_char_index": cited["end"],
        }  # fmt: skip
    [*_, part] = client.responses.create(input=QUESTION, extra_body=wanted).output[0].content
    assert part.citations == message.citations


def test_a_refusal_is_an_answer(client: OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "Who won the Champions League final?"}]
    said = client.chat.completions.create(model="copydesk", messages=messages)
    assert said.choices[0].message.content == "The archive does not answer this question."
    assert said.choices[0].message.annotations == []
    assert said.copydesk["answered"] is False


# Responses


def test_a_response_has_its_citations_as_annotations(service: str, client: OpenAI) -> None:
    said = client.responses.create(model="copydesk", input=ASKED, instructions="Be brief.", extra_body=OUTLET)
    assert (said.status, said.error, said.usage.total_tokens) == ("completed", None, 0)
    [part] = said.output[0].content
    assert isinstance(part, ResponseOutputText)
    assert part.text == said.output_text == said.copydesk["text"]
    for note in part.annotations:
        assert_opens_the_source(service, part.text, note.start_index, note.end_index, note.url, said.copydesk)
    assert part.annotations


def test_a_response_is_streamed(client: OpenAI) -> None:
    whole = client.responses.create(input=QUESTION)
    with client.responses.stream(model="copydesk", input=QUESTION) as stream:  # the client's own bookkeeping of events
        events = [*stream]
        final = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = list(dict.fromkeys(event.type.removeprefix("response.") for event in events))
    assert kinds == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta",
        "output_text.annotation.added", "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert final.output_text == whole.output_text
    assert final.output[0].content[0].annotations == whole.output[0].content[0].annotations
    notes = [event.annotation for event in events if event.type == "response.output_text.annotation.added"]
    assert notes == [note.to_dict() for note in whole.output[0].content[0].annotations]


# LlamaIndex


def test_llamaindex_talks_to_it_unchanged(service: str, client: OpenAI) -> None:
    llm = OpenAILike(model="copydesk", api_base=f"{service}/v1", api_key="none", is_chat_model=True)
    asked = [ChatMessage(role="user", content=QUESTION)]
    text = client.responses.create(input=QUESTION).output_text
    assert llm.chat(asked).message.content == text
    assert [*llm.stream_chat(asked)][-1].message.content == text
    assert llm.complete(QUESTION).text == text

    async def ask() -> str:
        whole = await llm.achat(asked)
        *_, last = [piece async for piece in await llm.astream_chat(asked)]
        assert whole.message.content == last.message.content
        return last.message.content

    assert asyncio.run(ask()) == text


# Refusals


def test_refusals_have_openais_form(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["copydesk", "quotes"]
    with pytest.raises(NotFoundError) as unknown:
        client.chat.completions.create(model="gpt-5", messages=ASKED)
    assert unknown.value.body == {
        "message": "gpt-5 is not offered here: use copydesk or quotes",
        "type": "invalid_request_error", "param": None, "code": "model_not_found",
    }  # fmt: skip
    system: Any = [{"role": "system", "content": "Be brief."}]
    image: Any = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://192.0.2.1"}}]}]
    for messages, extra, error in (
        (system, {}, "there is no message of a user: the last one is the question"),
        (image, {}, "messages.0.content.list[Part].0.text: Field required"),
        (ASKED, {"since": "then"}, "'then' is not a date: write it as YYYY-MM-DD"),
        (ASKED, {"tpo": 3}, "tpo: Unexpected keyword argument"),
        (ASKED, {"citations": "page"}, "copydesk.citations: Input should be 'char_location'"),
        (ASKED, {"llm_url": "http://192.0.2.1"}, "http://192.0.2.1 is not offered here: use quotes"),
        ("Who?", {}, "messages: Input should be a valid list"),
    ):
        with pytest.raises(BadRequestError) as refused:
            client.chat.completions.create(model="copydesk", messages=messages, extra_body={"copydesk": extra})
        assert refused.value.body["message"] == error
        assert refused.value.type == "invalid_request_error"
    with pytest.raises(BadRequestError, match="responses are not kept"):
        client.responses.create(input=QUESTION, previous_response_id="resp_1")


@pytest.mark.parametrize("body", [b"{bad", b"", b"[1]", b'{"messages": [{"role": "user", "content": "\\ud800"}]}'])
def test_what_is_no_request_is_refused_in_the_same_form(service: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    refused = httpx.post(f"{service}/v1/chat/completions", content=body, headers=headers)
    assert refused.status_code == 400
    assert refused.json()["error"]["type"] == "invalid_request_error"
    assert "\n" not in refused.json()["error"]["message"]


def test_too_many_questions_and_failures_have_their_kind() -> None:
    told = {status: failure("why", status)["error"] for status in (400, 413, 404, 429, 503)}
    assert {status: (one["type"], one["code"]) for status, one in told.items()} == {
        400: ("invalid_request_error", "invalid_value"), 413: ("invalid_request_error", "invalid_value"),
        404: ("invalid_request_error", "model_not_found"), 429: ("rate_limit_error", "rate_limit_exceeded"),
        503: ("server_error", "unavailable"),
    }  # fmt: skip


# What only a model does

VERBATIM = "Ukraine accepted such a ceasefire in Jeddah on March 11."
Post = Callable[[Callable[[], Iterable[str]], str, dict[str, Any]], httpx.Response]


@pytest.fixture
def post(tmp_path: Path, encoder: Encoder, reranker: Reranker) -> Post:
    """What a request for a stream gets, given how the model writes, the path and the body."""

    def call(script: Callable[[], Iterable[str]], path: str, body: dict[str, Any]) -> httpx.Response:
        with Desk(tmp_path / "archive", encoder, reranker, llm=Scripted(script=script)) as desk:
            desk.ingest([SEEDS])
            client = TestClient(build_app(desk), base_url="http://127.0.0.1")
            return client.post(f"/v1/{path}", json=body | {"stream": True})

    return call


def documents(response: httpx.Response) -> list[dict[str, Any]]:
    *sent, last, _ = response.text.split("\n\n")
    assert last == "data: [DONE]"
    return [json.loads(lines.rpartition("data: ")[2]) for lines in sent]


def test_what_was_sent_of_a_thought_stands_apart_and_annotations_count_it(post: Post) -> None:
    written = ("Let me think. It was in March, ", "I am sure. </think>\n", VERBATIM)
    sent = documents(post(lambda: written, "chat/completions", {"messages": ASKED}))
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in sent)
    thought, _, answer = text.partition("\n\n---\n\n")
    assert thought.startswith("Let me think.")
    assert answer == sent[-1]["copydesk"]["text"] == f"{VERBATIM} [1]"
    [note] = sent[-1]["choices"][0]["delta"]["annotations"]
    assert text[note["url_citation"]["start_index"] : note["url_citation"]["end_index"]] == "[1]"


def test_an_answer_that_breaks_off_is_incomplete(post: Post) -> None:
    def script() -> Iterator[str]:
        yield f"{VERBATIM} It was "
        raise ConnectionError("cable cut")

    *_, last = documents(post(script, "responses", {"input": QUESTION}))
    assert (last["type"], last["response"]["status"]) == ("response.incomplete", "incomplete")
    assert "cable cut" in last["response"]["copydesk"]["broken"]
    *_, last = documents(post(script, "chat/completions", {"messages": ASKED}))
    assert last["choices"][0]["finish_reason"] == "length"


def test_a_model_that_cannot_be_reached_is_refused_before_the_stream(post: Post) -> None:
    def script() -> Iterator[str]:
        raise ConnectionError("no route")
        yield ""

    for path, body in (("responses", {"input": QUESTION}), ("chat/completions", {"messages": ASKED})):
        refused = post(script, path, body)
        assert (refused.status_code, refused.json()["error"]["type"]) == (503, "server_error")
        assert "no route" in refused.json()["error"]["message"]
