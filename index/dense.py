"""The dense index: vectors in Chroma, by cosine. Derived from the archive; may be deleted at any time.

Chroma does not write its files atomically: after a crash a folder may fail to load or end the process in native
code. So `probe` tries a folder in a child process, and the remedy is always to build it again from the archive.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from index.encoder import Vectors
from index.types import REPAIR, ArchiveError, Article, Filters, Passage, disk_error, translated

PROBE_SECONDS = 120


@contextmanager
def _translated(folder: Path, foreign: tuple[type[Exception], ...]) -> Iterator[None]:
    with translated(ArchiveError, "the dense index fails", *foreign, mend=REPAIR):
        try:
            yield
        except foreign as error:
            if failed := disk_error(folder, error):
                raise failed from error
            raise


class DenseIndex:
    """Passages by their vectors. Chroma allows one process a folder; the archive's lock keeps a second one out."""

    def __init__(self, folder: Path, vectors: Callable[[Sequence[str]], Vectors]) -> None:
        """Open or create a folder; `vectors` gives the vectors of passages by their ids, as the archive does."""
        import chromadb  # 0.9 s
        from chromadb.config import Settings
        from chromadb.errors import ChromaError

        foreign = ChromaError, ValueError, OSError
        self._translated = partial(_translated, folder, foreign)
        with self._translated():
            # One client a folder and process: Chroma shares its state between clients of one path.
            self._client = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
            self._collection = self._client.get_or_create_collection(
                "passages", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
            )
        self._vectors = vectors

    def __len__(self) -> int:
        with self._translated():
            return int(self._collection.count())

    def close(self) -> None:
        self._client.close()

    def apply(self, removed: Sequence[str], added: Sequence[tuple[Article, Passage]]) -> None:
        """Remove passages by id, and add or replace others: up to 5,461, Chroma's limit. Repeating changes nothing."""
        added = [one for one in added if not one[1].replaced]  # so that no search needs a filter for what stands
        with self._translated():
            if removed:
                self._collection.delete(ids=list(removed))
            if added:
                ids = [passage.id for _, passage in added]
                # Only what filters need. Chroma's range filters take numbers: a date is its ordinal, 0 when unknown.
                known = [
                    {"outlet": (a.outlet or "").casefold(), "published": a.published.toordinal() if a.published else 0}
                    for a, _ in added
                ]
                self._collection.upsert(ids=ids, embeddings=self._vectors(ids), metadatas=known)

    def search(
        self, vector: Vectors, top: int, filters: Filters, only: list[str] | None = None
    ) -> list[tuple[str, float]]:
        """Return up to `top` (passage id, cosine similarity), best first; of all passages, or `only` these."""
        where = _where(filters)
        with self._translated():
            found = self._collection.query([vector], ids=only, n_results=top, where=where, include=["distances"])
        [ids], [distances] = found["ids"], found["distances"]
        return [(passage_id, 1.0 - distance) for passage_id, distance in zip(ids, distances, strict=True)]


def _where(filters: Filters) -> dict[str, object] | None:
    clauses: list[dict[str, object]] = []
    if filters.outlets:
        clauses.append({"outlet": {"$in": [outlet.casefold() for outlet in filters.outlets]}})
    if filters.since or filters.until:
        clauses.append({"published": {"$gte": (filters.since or date.min).toordinal()}})
        clauses.append({"published": {"$lte": (filters.until or date.max).toordinal()}})
    return {"$and": clauses} if len(clauses) > 1 else next(iter(clauses), None)


def probe(folder: Path) -> int:
    """Open, count and query a folder in a child process; return how many passages it holds.

    A damaged folder can end the process that opens it, or hang it: only the child dies, within two minutes, and
    ArchiveError says how.
    """
    command = [sys.executable, "-m", "index.dense", str(folder)]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ArchiveError(f"it did not answer within {PROBE_SECONDS} s") from error
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["no message"]
        raise ArchiveError(f"it does not open: {lines[-1]} (exit status {result.returncode})")
    return int(result.stdout)


if __name__ == "__main__":  # what `probe` runs
    index = DenseIndex(Path(sys.argv[1]), lambda ids: np.empty((len(ids), 0), np.float32))
    for vector in index._collection.peek(1)["embeddings"]:
        index.search(np.asarray(vector, np.float32), 10, Filters())
    print(len(index))
