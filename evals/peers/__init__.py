"""What LlamaIndex and txtai cost on an archive's own passages and vectors, each used as its documentation has it."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.bench import timed
from evals.cost import ADDED, FILTERS, FIRST, OUTLET, Line, exact, right, spread
from evals.peers.llamaindex import llama_index
from evals.peers.txtai import txtai
from evals.scale import BATCH, PASSAGES, Peer, Row
from index.archive import Archive
from index.encoder import Vectors
from index.search import POOL

SIMPLE = 20_000  # passages up to which LlamaIndex's own store is asked: all in lists of Python, kept as one JSON
PATIENCE = 900  # seconds to build in
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
