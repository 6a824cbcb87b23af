"""Dense search without Chroma, which no two processes may open: the archive's own vectors, compared one by one."""

import json
from heapq import nlargest

import numpy as np

from index.archive import Archive
from index.encoder import Vectors
from index.types import Filters

BLOCK = 4096  # passages that are compared at a time: 6 MB of vectors
CURRENT = """SELECT p.rowid, p.id, v.vector FROM passages p JOIN vectors v ON v.key = p.vector
    WHERE p.rowid > ? AND p.version IS NULL"""
FILTERED = " AND p.article_id IN (SELECT id FROM articles WHERE {})"
ONLY = " AND p.id IN (SELECT value FROM json_each(?))"


class ExactIndex:
    """Passages by their vectors, as DenseIndex has them."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __len__(self) -> int:
        return self._archive.counts()[1]

    def search(
        self, vector: Vectors, top: int, filters: Filters, only: list[str] | None = None
    ) -> list[tuple[str, float]]:
        """Return up to `top` (passage id, cosine similarity), best first; of all passages, or `only` these."""
        query, values = CURRENT, list[object]()
        if filters != Filters():
            where, values = self._archive.where(filters)
            query += FILTERED.format(where)
        if only is not None:
            query, values = query + ONLY, [*values, json.dumps(only)]
        best, last = list[tuple[str, float]](), 0
        with self._archive.snapshot():
            while rows := self._archive.read(f"{query} ORDER BY p.rowid LIMIT {BLOCK}", last, *values):
                last, *_ = rows[-1]
                block = np.frombuffer(b"".join(row[2] for row in rows), dtype="<f4").reshape(len(rows), -1)
                scores = block @ vector / (np.linalg.norm(block, axis=1) * np.linalg.norm(vector))
                found = zip((row[1] for row in rows), map(float, scores), strict=True)
                best = nlargest(top, [*best, *found], key=lambda one: one[1])
        return best
