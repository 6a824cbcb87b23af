"""What LlamaIndex and txtai cost on an archive's own passages and vectors, each used as its documentation has it."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from llama_index.core import MockEmbedding, QueryBundle, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores import ExactMatchFilter, MetadataFilters

from evals.bench import timed
from evals.cost import ADDED, FILTERS, FIRST, OUTLET, Line, exact, right, spread
from evals.scale import BATCH, PASSAGES
from index.archive import Archive
from index.encoder import Vectors
from index.search import POOL
from index.types import Article, Passage

SIMPLE = 20_000  # passages up to which LlamaIndex's own store is asked: all in lists of Python, kept as one JSON
PATIENCE = 900  # seconds to build in
Row = tuple[Article, Passage, Vectors]
# Adds passages and lets the disk have them; finds ids by question, vector, top and outlet; removes an article.
Peer = tuple[Callable[[Iterator[Row]], object], Callable[..., list[str]], Callable[[Sequence[Row]], object]]


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

    def add(rows: Iterator[Row]) -> None:
        while some := [*islice(rows, BATCH)]:
            index.insert_nodes([
                TextNode(
                    id_=one.id, text=of.text[one.start : one.end], metadata={"outlet": of.outlet},
                    relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=one.article_id)},
                    embedding=vector.tolist(),
                ) for of, one, vector in some
            ])  # fmt: skip
        if own:
            context.persist(str(folder))

    def search(asked: str, vector: Vectors, top: int, outlet: str) -> list[str]:
        only = MetadataFilters(filters=[ExactMatchFilter(key="outlet", value=outlet)]) if outlet else None
        retriever = index.as_retriever(similarity_top_k=top, filters=only)
        return [hit.node_id for hit in retriever.retrieve(QueryBundle(asked, embedding=vector.tolist()))]

    return add, search, lambda rows: index.delete_ref_doc(rows[0][1].article_id, delete_from_docstore=True)


def txtai(folder: Path, hybrid: bool = False) -> Peer:
    """Open its index: Faiss and SQLite, as it is by default; `hybrid` adds its index of words."""
    from txtai import Embeddings

    given = deque[Vectors]()  # in the order of the texts for which it asks
    options = {"transform": lambda texts: np.stack([given.popleft() for _ in texts])}
    index = Embeddings(method="external", content=True, hybrid=hybrid, **options)
    if folder.exists():
        index.load(str(folder), config=options)

    def documents(rows: Iterator[Row]) -> Iterator[tuple[str, dict[str, str | None], None]]:
        for of, one, vector in rows:
            given.append(vector)
            yield one.id, {"text": of.text[one.start : one.end], "outlet": of.outlet}, None

    def search(asked: str, vector: Vectors, top: int, outlet: str) -> list[str]:
        given.append(vector)
        query = "select id from txtai where similar(:asked)" + " and outlet = :outlet" * bool(outlet)
        return [hit["id"] for hit in index.search(query, top, parameters={"asked": asked, "outlet": outlet})]

    def kept(_: object) -> None:
        index.save(str(folder))

    return (
        lambda rows: kept(index.upsert(documents(rows))), search,
        lambda rows: kept(index.delete([one.id for _, one, _ in rows])),
    )  # fmt: skip


PEERS: dict[str, Callable[[Path], Peer]] = {
    "LlamaIndex": llama_index, "txtai": txtai, "txtai, hybrid": partial(txtai, hybrid=True)
}  # fmt: skip


def alongside(path: Path, questions: Sequence[str], vectors: Vectors) -> Iterator[Line]:
    """Yield the figures of each over an archive's file: built in one process, and opened in another."""
    archive = Archive(path, "ro")
    large = archive.counts()[1] > SIMPLE and not find_spec("llama_index.vector_stores")
    best = [exact(archive, vectors, FILTERS[name]) for name in ("no filter", "one outlet")]
    if large:
        yield "LlamaIndex", f"not measured over {SIMPLE:,} passages: pip install llama-index-vector-stores-chroma"
    for name in [*PEERS][large:]:
        with TemporaryDirectory(dir=path.parent.parent) as folder:
            given = name, Path(folder, "of"), path, questions, vectors, best
            try:
                for _ in "built", "used":
                    with get_context("spawn").Pool(1) as own:
                        yield from ((f"{name}: {what}", much) for what, much in own.apply(_measured, given))
            except (ModuleNotFoundError, TimeoutError) as error:
                yield name, f"not measured: {error}"


def _measured(
    name: str, folder: Path, path: Path, questions: Sequence[str], vectors: Vectors, best: list[list[set[str]]]
) -> list[Line]:
    """Build it where it is not there yet, else measure its use."""
    if not folder.exists():
        add, *_ = PEERS[name](folder)
        return [("built", f"{timed(partial(add, _rows(path))):.0f} s, {_memory()}")]
    PEERS[name](folder.with_name("empty"))  # what has to be imported
    started = time.perf_counter()
    add, search, remove = PEERS[name](folder)
    search(questions[0], vectors[0], FIRST, "")
    lines = [("opening until the first answer", f"{time.perf_counter() - started:.1f} s")]
    for top, outlet, hits in ((FIRST, "", best[0]), (POOL, "", best[0]), (FIRST, *OUTLET, best[1])):
        asked = [partial(search, *one, top, outlet) for one in zip(questions, vectors, strict=True)]
        spent, found = [timed(one) for one in asked], [{*one()[:FIRST]} for one in asked]
        same = "by words too" if "hybrid" in name else right(found, hits)
        lines.append((f"the first {top}" + ", one outlet" * bool(outlet), f"{spread(spent)}; {same}"))
    some = [*islice(_rows(path), PASSAGES)]
    copies = [
        [(of, replace(one, id=f"{n} {one.id}", article_id=f"copy {n}"), vector) for of, one, vector in some]
        for n in range(ADDED)
    ]
    lines.append(("adding one article", spread([timed(partial(add, iter(copy))) for copy in copies])))
    lines.append(("removing one", spread([timed(partial(remove, copy)) for copy in copies])))
    return [*lines, ("memory", _memory())]


def _rows(path: Path) -> Iterator[Row]:
    archive, last, started = Archive(path, "ro"), 0, time.monotonic()
    query = "SELECT rowid, id FROM passages WHERE rowid > ? AND version IS NULL ORDER BY rowid LIMIT ?"
    while rows := archive.read(query, last, BATCH):
        last, ids = rows[-1][0], [key for _, key in rows]
        held = archive.passages(ids)
        yield from ((*held[key], vector) for key, vector in zip(ids, archive.vectors(ids), strict=True))
        if time.monotonic() - started > PATIENCE:
            raise TimeoutError(f"{last:,} passages took {PATIENCE} s")


def _memory() -> str:
    held = Path("/proc/self/status").read_text().split("VmHWM:")[1]  # getrusage begins with the parent's
    return f"{int(held.split()[0]) / 1024:,.0f} MB at most"
