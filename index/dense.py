"""The dense index: vectors in Chroma, by cosine. Derived from the archive; may be deleted at any time.

Chroma does not write its files atomically: after a crash a folder may fail to load or end the process in native
code. So it is tried in a child process (`index/health/probe.py`), and always built again from the archive.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from index.encoder import Vectors
from index.types import REPAIR, ArchiveError, Article, Filters, Passage, disk_error, translated

COLLECTION = "passages-2"  # An index that knows of articles what filters needed before is empty, and is built again.
SPACE = {"hnsw": {"space": "cosine"}}


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

    lost = False  # whether it has to be opened again

    def __init__(self, folder: Path, vectors: Callable[[Sequence[str]], Vectors]) -> None:
        """Open or create a folder; `vectors` gives the vectors of passages by their ids, as the archive does."""
        import chromadb  # 0.9 s
        from chromadb.config import Settings
        from chromadb.errors import ChromaError

        foreign = ChromaError, ValueError, OSError
        self._translated: Callable[[], AbstractContextManager[None]] = partial(_translated, folder, foreign)
        settings = Settings(anonymized_telemetry=False)
        with self._translated():
            # One client a folder and process: Chroma shares its state between clients of one path.
            try:
                self._client = chromadb.PersistentClient(str(folder), settings)
            except AttributeError:  # of an earlier opening that failed in this process; what it left is gone now
                self._client = chromadb.PersistentClient(str(folder), settings)
            with ExitStack() as failing:
                failing.callback(self.close)
                self._collection = self._client.get_or_create_collection(
                    COLLECTION, configuration=SPACE, embedding_function=None
                )
                self._most = self._client.get_max_batch_size()
                failing.pop_all()
        self.vectors = vectors

    def __len__(self) -> int:
        with self._translated():
            return int(self._collection.count())

    def close(self) -> None:
        self._client.close()

    def apply(self, removed: Sequence[str], added: Sequence[tuple[Article, Passage]]) -> None:
        """Remove passages by id, and add or replace others. Repeating changes nothing."""
        added = [one for one in added if not one[1].replaced]  # so that no search needs a filter for what stands
        with self._translated():
            for start in range(0, len(removed), self._most):
                self._collection.delete(ids=list(removed[start : start + self._most]))
            for start in range(0, len(added), self._most):
                ids = [passage.id for _, passage in added[start : start + self._most]]
                known = [_known(article) for article, _ in added[start : start + self._most]]
                self._collection.upsert(ids=ids, embeddings=self.vectors(ids), metadatas=known)

    def walk(self) -> None:
        """Search for a passage that is held: of a damaged folder, that may end the process."""
        with self._translated():
            for vector in self._collection.peek(1)["embeddings"]:
                self.search(vector, 10, Filters())

    def lacks(self, held: Sequence[tuple[Article, Passage]]) -> int:
        """Return how many of these passages it does not hold as they are."""
        # Of an article whose language the archive does not know, as older formats did not, any will do.
        those = {
            passage.id: {name: value for name, value in _known(article).items() if value or name != "language"}
            for article, passage in held
            if not passage.replaced
        }
        if not those:
            return 0
        vectors = self.vectors([*those])
        with self._translated():
            found = self._collection.get([*those], include=["embeddings", "metadatas"])
        expected = dict(zip(those, vectors, strict=True))
        there = zip(found["ids"], found["embeddings"], found["metadatas"], strict=True)
        right = (
            known | those[key] == known and np.allclose(held, expected[key], atol=1e-4) for key, held, known in there
        )
        return len(those) - sum(map(bool, right))

    def search(
        self, vector: Vectors, top: int, filters: Filters, only: list[str] | None = None
    ) -> list[tuple[str, float]]:
        """Return up to `top` (passage id, cosine similarity), best first; of all passages, or `only` these."""
        where = _where(filters)
        with self._translated():
            found = self._collection.query([vector], ids=only, n_results=top, where=where, include=["distances"])
        [ids], [distances] = found["ids"], found["distances"]
        return [(passage_id, 1.0 - distance) for passage_id, distance in zip(ids, distances, strict=True)]


def _known(article: Article) -> dict[str, object]:
    """Return what filters need. Chroma's range filters take numbers: a date is its ordinal, 0 when unknown."""
    published = article.published.toordinal() if article.published else 0
    return {
        "outlet": (article.outlet or "").casefold(), "published": published, "language": article.language or "",
    }  # fmt: skip


def _where(filters: Filters) -> dict[str, object] | None:
    clauses: list[dict[str, object]] = []
    if filters.outlets:
        clauses.append({"outlet": {"$in": [outlet.casefold() for outlet in filters.outlets]}})
    if filters.languages:
        clauses.append({"language": {"$in": [*filters.languages]}})
    if filters.since or filters.until:
        clauses.append({"published": {"$gte": (filters.since or date.min).toordinal()}})
        clauses.append({"published": {"$lte": (filters.until or date.max).toordinal()}})
    return {"$and": clauses} if len(clauses) > 1 else next(iter(clauses), None)
