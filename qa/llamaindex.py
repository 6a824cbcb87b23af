"""Our retriever and query engine as LlamaIndex parts, for programs that are built with it."""

import asyncio
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from index.types import Hit
from qa.desk import Desk
from qa.types import as_json


class CopydeskRetriever(BaseRetriever):
    """Retrieves the passages of `Desk.search`; the options are those of that method.

    Each node holds the passage's text, its exact offsets in the article, and the article's metadata.
    """

    def __init__(self, desk: Desk, **options: Any) -> None:
        self._desk, self._options = desk, options
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(hit) for hit in self._desk.search(query_bundle.query_str, **self._options)]


class CopydeskQueryEngine(BaseQueryEngine):
    """Answers as `Desk.ask` does; the options are those of that method.

    The response's `metadata["answer"]` is the whole Answer as JSON, its `source_nodes` the retrieved passages.
    """

    def __init__(self, desk: Desk, **options: Any) -> None:
        self._desk, self._options = desk, options
        super().__init__(callback_manager=None)

    def _query(self, query_bundle: QueryBundle) -> Response:
        answer = self._desk.ask(query_bundle.query_str, **self._options)
        return Response(answer.text, [_node(hit) for hit in answer.retrieved], {"answer": as_json(answer)})

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}


def _node(hit: Hit) -> NodeWithScore:
    place, document = hit.passage, as_json(hit)
    meta = {name: document[name] for name in ("article_id", "title", "outlet", "published", "url")}
    node = TextNode(id_=place.id, text=hit.text, start_char_idx=place.start, end_char_idx=place.end, metadata=meta)
    return NodeWithScore(node=node, score=hit.score)
