"""The signs of all vectors: by them `index.scan` tells at once which of a million passages are worth comparing.

A bit for each number of a vector, whether it is above the mean of all. Yamada et al. (2021, "Efficient Passage
Retrieval with Hashing for Open-domain Question Answering") find candidates in the same way and compare them exactly.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.archive import Archive
from index.encoder import Vectors

SAMPLE = 4096  # vectors of which the mean is taken
GROWN = 4  # times as many articles as when it was taken last, it is taken anew
FEW = 200  # articles, whose passages are all compared exactly, whatever their signs
MEAN, TAKEN, LAST, BEGUN = "signs:mean", "signs:taken", "signs:last", "signs:begun"  # in `meta`
VECTORS = """SELECT p.article_id, p.id, v.vector FROM json_each(?) JOIN passages p ON p.article_id = value
    JOIN vectors v ON v.key = p.vector WHERE p.version IS NULL AND length(v.vector) > 0"""
KEEP = """INSERT INTO signs (article_id, sequence, outlet, published, language, ids, bits) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (article_id) DO UPDATE SET sequence = excluded.sequence, outlet = excluded.outlet,
    published = excluded.published, language = excluded.language, ids = excluded.ids, bits = excluded.bits"""


def signs(vectors: Vectors, mean: Vectors | float) -> NDArray[np.uint64]:
    """Return a bit for each number of vectors, shape (vectors, dimensions / 64, rounded up)."""
    above = np.asarray(vectors > mean)
    return np.packbits(np.pad(above, ((0, 0), (0, -above.shape[1] % 64))), axis=1).view(np.uint64)


def mean_of(archive: Archive) -> Vectors | float:
    """Return the mean of the vectors as it was last taken."""
    kept = archive.meta(MEAN)
    return np.array(json.loads(kept), np.float32) if kept else 0.0


class Signs(NamedTuple):
    """The table."""

    name: str = "signs"
    rules: str = "1"
    script: str = Path(__file__).with_name("signs.sql").read_text("utf-8")

    def apply(self, archive: Archive, ids: Sequence[str]) -> None:
        """Bring the table up to date with these articles, or with all where the mean is taken anew."""
        mean, sequence = mean_of(archive), int(archive.meta(LAST) or 0) + 1
        archive.set_meta(LAST, str(sequence))
        if not archive.read("SELECT 1 FROM signs LIMIT 1"):
            archive.set_meta(BEGUN, str(sequence))  # what others hold in memory is of another table
        [(count,)], taken = archive.read("SELECT count(*) FROM articles"), int(archive.meta(TAKEN) or FEW)
        if late := archive.waiting():  # the mean is that of what is encoded
            count -= count * late // archive.read("SELECT count(*) FROM vectors")[0][0]
        if count >= GROWN * taken or (isinstance(mean, float) and count > FEW):
            rows = archive.read(
                "SELECT vector FROM vectors WHERE length(vector) > 0 ORDER BY key LIMIT ?", SAMPLE
            )  # keys are hashes
            mean = np.mean([np.frombuffer(row[0], "<f4") for row in rows], axis=0)
            archive.set_meta(MEAN, json.dumps([round(float(number), 6) for number in mean]))
            archive.set_meta(TAKEN, str(count))
            ids = [row[0] for row in archive.read("SELECT id FROM articles UNION SELECT article_id FROM signs")]
        for start in range(0, len(ids), 1000):
            self._keep(archive, ids[start : start + 1000], mean, sequence)

    def _keep(self, archive: Archive, ids: Sequence[str], mean: Vectors | float, sequence: int) -> None:
        held = defaultdict[str, list[tuple[str, bytes]]](list)
        for article_id, key, vector in archive.read(VECTORS, json.dumps(ids)):
            held[article_id].append((key, vector))
        query = "SELECT id, outlet, published, language FROM articles WHERE id IN (SELECT value FROM json_each(?))"
        known = {key: about for key, *about in archive.read(query, json.dumps(ids))}
        rows = []
        for article_id in ids:
            keys = [key for key, _ in held[article_id]]
            blob = b"".join(vector for _, vector in held[article_id])
            bits = signs(np.frombuffer(blob, "<f4").reshape(len(keys), -1), mean).tobytes() if keys else b""
            about = known.get(article_id, (None, None, None))
            rows.append((article_id, sequence, *about, " ".join(keys), bits))
        archive.change(KEEP, rows)
