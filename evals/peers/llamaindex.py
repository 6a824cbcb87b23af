"""LlamaIndex: nodes with vectors of their own, and a retriever of an index."""

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from llama_index.core import MockEmbedding, QueryBundle, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores import ExactMatchFilter, MetadataFilters

from evals.scale import BATCH, Peer, Row
from index.encoder import Vectors


def llama_index(folder: Path) -> Peer:
    """Open its index: over Chroma where its package for that is installed, else over its own store."""
    own, there = not find_spec("llama_index.vector_stores"), folder.exists()
    context = StorageContext.from_defaults(persist_dir=str(folder) if own and there else None)
    if not own:
        from llama_index.vector_stores.chroma import ChromaVectorStore

        store = ChromaVectorStore.from_params(collection_name="passages", persist_dir=str(folder))
        context = StorageContext.from_defaults(vector_store=store)
    opened = load_index_from_storage if own and there else partial(VectorStoreIndex, [])
    index: Any = opened(storage_context=context, embed_model=MockEmbedding(embed_dim=1))  # which is never asked

    def kept(_: object = None) -> None:
        if own:
            context.persist(str(folder))

    def add(rows: Iterator[Row]) -> None:
        while some := [*islice(rows, BATCH)]:
            index.insert_nodes([
                TextNode(
                    id_=one.id, text=of.text[one.start : one.end], metadata={"outlet": of.outlet},
                    relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=one.article_id)},
                    embedding=vector.tolist(),
                ) for of, one, vector in some
            ])  # fmt: skip
        kept()

    def search(asked: str, vector: Vectors, top: int, outlet: str) -> list[str]:
        only = MetadataFilters(filters=[ExactMatchFilter(key="outlet", value=outlet)]) if outlet else None
        retriever = index.as_retriever(similarity_top_k=top, filters=only)
        return [hit.node_id for hit in retriever.retrieve(QueryBundle(asked, embedding=vector.tolist()))]

    return add, search, lambda rows: kept(index.delete_ref_doc(rows[0][1].article_id, delete_from_docstore=True))
