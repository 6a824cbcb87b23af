"""Our retriever, query engine and check as LlamaIndex parts, for programs that are built with it."""

import asyncio
import re
from collections.abc import AsyncGenerator, Generator, Sequence
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.evaluation import BaseEvaluator, EvaluationResult
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from index.types import BadInput, Hit
from qa.desk import Desk
from qa.types import PASSED, REFUSED, Answer, Citation, as_json

MARKS = re.compile(r" ?\[(?:\d+|unsupported)\]")  # of an answer: they are no part of what it states


class CopydeskRetriever(BaseRetriever):
    """Retrieves the passages of `Desk.search`; the options are those of that method.

    Each node holds the passage's text, its exact offsets in the article, and the article's metadata.
    """

    def __init__(self, desk: Desk, **options: Any) -> None:
        self._desk, self._options = desk, options
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(hit) for hit in self._desk.search(query_bundle.query_str, **self._options)]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class CopydeskQueryEngine(BaseQueryEngine):
    """Answers as `Desk.ask` does; the options are those of that method.

    `source_nodes[n - 1]` is the citation `[n]`: the quotation, its offsets in the article's `field`, and whose it is.
    `metadata` has the whole Answer as JSON in `answer`, and the passages as nodes in `retrieved`. With `streaming`, a
    response gives the text as it comes, and has these at its end.
    """

    def __init__(self, desk: Desk, streaming: bool = False, **options: Any) -> None:
        self._desk, self._streaming, self._options = desk, streaming, options
        super().__init__(callback_manager=None)

    def _query(self, query_bundle: QueryBundle) -> Response | StreamingResponse:
        if self._streaming:
            return StreamingResponse(*self._told(query_bundle.query_str))
        answer = self._desk.ask(query_bundle.query_str, **self._options)
        return Response(answer.text, *_beside(answer))

    async def _aquery(self, query_bundle: QueryBundle) -> Response | AsyncStreamingResponse:
        if not self._streaming:
            answer = await self._desk.aask(query_bundle.query_str, **self._options)
            return Response(answer.text, *_beside(answer))
        told, nodes, meta = self._told(query_bundle.query_str)

        async def text() -> AsyncGenerator[str, None]:
            while (piece := await asyncio.to_thread(next, told, None)) is not None:
                yield piece

        return AsyncStreamingResponse(text(), nodes, meta)

    def _told(self, question: str) -> tuple[Generator[str, None, None], list[NodeWithScore], dict[str, Any]]:
        nodes, meta = list[NodeWithScore](), dict[str, Any]()  # filled in at the end of the text

        def text() -> Generator[str, None, None]:
            for event in self._desk.stream(question, **self._options):
                if isinstance(event, str):
                    yield event
                else:
                    nodes[:], found = _beside(event)
                    meta.update(found)

        return text(), nodes, meta

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}


class CopydeskEvaluator(BaseEvaluator):
    """Tells by `Desk.check` how faithful a response is: its score is the share of sentences that articles support.

    It passes from `threshold` on, and says of each other sentence what is wrong with it. Contexts are not asked for:
    a response is held against the whole archive, or the `articles` that are named.
    """

    def __init__(self, desk: Desk, threshold: float = 1.0, articles: Sequence[str] = ()) -> None:
        self._desk, self._threshold, self._articles = desk, threshold, articles

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts: dict[str, Any]) -> None:
        """It has none."""

    async def aevaluate(
        self, query: str | None = None, response: str | None = None, contexts: Sequence[str] | None = None, **_: Any
    ) -> EvaluationResult:
        said, result = (
            MARKS.sub("", response or ""),
            EvaluationResult(query=query, response=response, contexts=contexts),
        )
        try:
            if REFUSED.rstrip(".") in said:
                raise BadInput("a refusal states nothing that could be checked")
            checked = await asyncio.to_thread(self._desk.check, said, articles=self._articles)
        except BadInput as error:
            return result.model_copy(update={"invalid_result": True, "invalid_reason": str(error)})
        failed = [f"{one.text} ({one.why})" for one in checked if one.support not in PASSED]
        score = 1 - len(failed) / len(checked)
        found = {"score": score, "passing": score >= self._threshold, "feedback": "\n".join(failed)}
        return result.model_copy(update=found)


def _beside(answer: Answer) -> tuple[list[NodeWithScore], dict[str, Any]]:
    meta = {"answer": as_json(answer), "retrieved": list(map(_node, answer.retrieved))}
    return list(map(_cited, answer.citations)), meta


def _node(hit: Hit) -> NodeWithScore:
    place, document = hit.passage, as_json(hit)
    meta = {name: document[name] for name in ("article_id", "title", "outlet", "published", "url")}
    meta |= {"page": number} if (number := hit.article.page(place.start)) else {}
    node = TextNode(id_=place.id, text=hit.text, start_char_idx=place.start, end_char_idx=place.end, metadata=meta)
    return NodeWithScore(node=node, score=hit.score)


def _cited(citation: Citation) -> NodeWithScore:
    meta = as_json(citation)
    text, start, end = (meta.pop(name) for name in ("quote", "start", "end"))
    return NodeWithScore(node=TextNode(text=text, start_char_idx=start, end_char_idx=end, metadata=meta))
