"""The dense index: vectors in Chroma, by cosine. Derived from the archive; may be deleted at any time.

Chroma does not write its files atomically: after a crash a folder may fail to load or end the process in native
code. So it is tried in a child process (`index/health/probe.py`), and always built again from the archive.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from index.encoder import Vectors
from index.types import REPAIR, ArchiveError, Article, Passage, disk_error, translated

COLLECTION = "passages-3"  # An index of an earlier version is empty by this name, and is built again.
# As many candidates are looked at: of 50,000 recombined passages .96 of the first ten are right with Chroma's 100.
SPACE = {"hnsw": {"space": "cosine", "ef_search": 300}}


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
                ids = np.array([passage.id for _, passage in added[start : start + self._most]])
                vectors = self.vectors(ids.tolist())
                there = vectors.any(axis=1)  # what waits for its vector is not held, nor with an earlier one
                if not there.all():
                    self._collection.delete(ids=ids[~there].tolist())
                if there.any():
                    self._collection.upsert(ids=ids[there].tolist(), embeddings=vectors[there])

    def walk(self) -> None:
        """Search for a passage that is held: of a damaged folder, that may end the process."""
        with self._translated():
            for vector in self._collection.peek(1)["embeddings"]:
                self.search(vector, 10)

    def lacks(self, held: Sequence[tuple[Article, Passage]]) -> int:
        """Return how many of these passages it does not hold as they are."""
        those = [passage.id for _, passage in held if not passage.replaced]
        if not those:
            return 0
        expected = {key: vector for key, vector in zip(those, self.vectors(those), strict=True) if vector.any()}
        with self._translated():
            found = self._collection.get(those, include=["embeddings"])
        there = [one for one in zip(found["ids"], found["embeddings"], strict=True) if one[0] in expected]
        return len(expected) - sum(np.allclose(held, expected[key], atol=1e-4) for key, held in there)

    def search(self, vector: Vectors, top: int) -> list[tuple[str, float]]:
        """Return up to `top` (passage id, cosine similarity), best first; of some alone, see `index.scan`."""
        with self._translated():
            found = self._collection.query([vector], n_results=top, include=["distances"])
        [ids], [distances] = found["ids"], found["distances"]
        return [(passage_id, 1.0 - distance) for passage_id, distance in zip(ids, distances, strict=True)]
