"""Dense search among some: the signs of all vectors are held in memory, and what is near by them is compared exactly.

Chroma's filters take 51 to 211 ms of 100,000 passages, and no two processes may open it; this takes some of a million,
and each process that reads an archive has its own. See §32 of evals/EXPERIMENTS.md.
"""

import json
import threading
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.archive import Archive
from index.encoder import Vectors
from index.tables.signs import BEGUN, mean_of, signs
from index.types import Filters

COMPARED = 2000  # passages, the nearest by their signs; of a million .99 of the first ten are among them
CURRENT = """SELECT p.id, v.vector FROM json_each(?) JOIN passages p ON p.id = value JOIN vectors v ON v.key = p.vector
    WHERE p.version IS NULL AND length(v.vector) > 0"""
CHANGED = "SELECT number, sequence, outlet, published, language, ids, bits FROM signs WHERE sequence > ?"

EVERYTHING = Filters()
Whole = NDArray[np.int32]


class _Held(NamedTuple):
    """What is known of each passage, a place each; of `signs` a row for 64 numbers of a vector."""

    begun: str  # which table it is of
    sequence: int  # of the last change that is in it
    mean: Vectors | float
    ids: NDArray[np.bytes_]
    articles: Whole
    days: Whole  # ordinals, 0 where unknown
    outlets: Whole  # by `names`
    languages: Whole
    signs: NDArray[np.uint64]


class Scan:
    """All passages by their vectors. May be searched from several threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        self._names: dict[str, int] = {}  # of outlets and languages, in small letters
        self._held: _Held | None = None

    def __len__(self) -> int:
        return self._archive.counts()[1]

    def search(
        self, vector: Vectors, top: int, filters: Filters = EVERYTHING, only: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        """Return up to `top` (passage id, cosine similarity), best first; of all passages, or `only` these."""
        with self._archive.snapshot():
            held = self._current()
            places = self._places(held, filters, only)
            if len(places) > COMPARED:
                some = held.signs if len(places) == len(held.ids) else held.signs[:, places]
                distances = np.zeros(len(places), np.uint16)
                for row, word in zip(some, signs(vector[None], held.mean)[0], strict=True):
                    distances += np.bitwise_count(row ^ word)
                places = places[np.argpartition(distances, COMPARED)[:COMPARED]]
            rows = self._archive.read(CURRENT, json.dumps([key.decode() for key in held.ids[places].tolist()]))
        if not rows:
            return []
        block = np.frombuffer(b"".join(row[1] for row in rows), "<f4").reshape(len(rows), -1)
        scores = block @ vector / (np.linalg.norm(block, axis=1) * np.linalg.norm(vector))
        best = np.argsort(-scores, kind="stable")[:top]
        return [(rows[place][0], float(scores[place])) for place in best]

    def _places(self, held: _Held, filters: Filters, only: Sequence[str] | None) -> NDArray[np.intp]:
        """Return the places of what filters let through."""
        through = np.ones(len(held.ids), bool)
        for column, wanted in ((held.outlets, filters.outlets), (held.languages, filters.languages)):
            if wanted:
                through &= np.isin(column, [self._names.get(name.casefold(), -1) for name in wanted])
        if filters.since or filters.until:
            through &= (held.days >= (filters.since or date.min).toordinal()) & (held.days > 0)
            through &= held.days <= (filters.until or date.max).toordinal()
        if only is not None:
            through &= np.isin(held.ids, np.array(only, held.ids.dtype))
        return np.flatnonzero(through)

    def _current(self) -> _Held:
        """Return what the archive holds now: what has changed is read, and takes the place of what it was."""
        with self._lock:
            begun, held = self._archive.meta(BEGUN) or "", self._held
            if held is None or held.begun != begun:
                none = np.array([], np.int32)
                held = _Held(begun, 0, 0.0, np.array([], "S24"), none, none, none, none, np.empty((0, 0), "u8"))
            if not (begun and (rows := self._archive.read(CHANGED, held.sequence))):
                return held
            mean = mean_of(self._archive)
            counts = [row[5].count(" ") + bool(row[5]) for row in rows]
            numbers = [row[0] for row in rows]
            stays = ~np.isin(held.articles, numbers)

            def joined(old: Whole, new: Iterable[int]) -> Whole:
                return np.concatenate([old[stays], np.repeat(np.array([*new], np.int32), counts)])

            bits = np.frombuffer(b"".join(row[6] for row in rows), "u8")
            bits = bits.reshape(sum(counts), -1).T if len(bits) else np.empty((len(held.signs), 0), "u8")
            ids = np.array(" ".join(row[5] for row in rows if row[5]).split(), "S24")
            before = held.signs[:, stays] if stays.any() else np.empty((len(bits), 0), "u8")
            self._held = _Held(
                begun, max(row[1] for row in rows), mean, np.concatenate([held.ids[stays], ids]),
                joined(held.articles, numbers), joined(held.days, (_ordinal(row[3]) for row in rows)),
                joined(held.outlets, (self._number(row[2]) for row in rows)),
                joined(held.languages, (self._number(row[4]) for row in rows)),
                np.ascontiguousarray(np.concatenate([before, bits], axis=1)),
            )  # fmt: skip
            return self._held

    def _number(self, name: str | None) -> int:
        return self._names.setdefault(name.casefold(), len(self._names)) if name else -2


def _ordinal(day: str | None) -> int:
    return date.fromisoformat(day).toordinal() if day else 0
