"""Tables in which an article hangs on one that was published before it: what hangs together is a group.

An article hangs on the best of the earlier ones that share keys with it. So it does not matter in which order they are
ingested, one that is removed only sets free what hung on it, and each costs the same in an archive of any size.
"""

import heapq
import json
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from index.archive import Archive
from index.types import Article

COMMON = 100  # A key of as many articles, in the days that count, tells nothing.
CANDIDATES = 16  # compared, of those that share the most
EVER = 4_000_000  # days
SQL = Path(__file__).parent

Rarity = Callable[[int | str], float]  # how much a key tells: the logarithm of one in how many articles has it


class Kept(NamedTuple):
    """What is compared of an article: under which keys it is found, and what `score` needs beside them."""

    article: Article
    keys: frozenset[int | str]
    facts: Any

    @property
    def order(self) -> tuple[date, int, str]:
        """Which of two came first: undated ones are last, of one day's the longest is the report."""
        return self.article.published or date.max, -len(self.article.text), self.article.id


class Chain(NamedTuple):
    """Such a table: what is kept of an article, how well one follows an earlier one (0: not), and within how long.

    By the sketches of two, which the table holds, `may` tells which are not worth being read and compared.
    """

    name: str
    rules: str
    keep: Callable[[Archive, Article], Kept]
    score: Callable[[Kept, Kept, Rarity], float]
    days: int = EVER
    sketch: Callable[[Kept], bytes] = lambda _: b""
    may: Callable[[bytes, bytes], bool] = lambda *_: True
    key: str = "TEXT"  # what its keys are in SQL

    @property
    def script(self) -> str:
        return self._sql("chain")

    def _sql(self, file: str) -> str:
        return (SQL / f"{file}.sql").read_text("utf-8").replace("chain", self.name).replace("KIND", self.key)

    def group(self, archive: Archive, article_id: str) -> list[str]:
        """Return the articles that hang together with one, itself too, the one on which all others hang first."""
        return [row[0] for row in archive.read(self._sql("group"), article_id)]

    def apply(self, archive: Archive, ids: Sequence[str]) -> None:
        """Bring the table up to date with these articles."""
        chain, those = self.name, "IN (SELECT value FROM json_each(?))"
        [(count,)] = archive.read("SELECT count(*) FROM articles")
        near = f"SELECT article_id FROM {chain}_keys WHERE key = ? AND day BETWEEN ? AND ? LIMIT {COMMON}"
        free = f"UPDATE {chain} SET earlier = NULL, score = 0 WHERE earlier {those} RETURNING article_id"
        freed = [row[0] for row in archive.read(free, json.dumps(ids))]
        for table in (chain, f"{chain}_keys"):
            archive.read(f"DELETE FROM {table} WHERE article_id {those}", json.dumps(ids))

        rare, asked = dict[int | str, float](), set[int | str]()  # what is compared now is counted at once

        def rarity(key: int | str) -> float:
            if key not in rare:
                rows = archive.read(self._sql("rarity"), json.dumps([key, *(asked - rare.keys() - {key})]))
                rare.update((key, math.log((count + 1) / max(1, number))) for key, number in rows)
            return rare[key]

        kept = cache(lambda article: self.keep(archive, article))
        for new in map(kept, filter(None, map(archive.article, dict.fromkeys([*ids, *freed])))):
            day = new.article.published.toordinal() if new.article.published else 0
            own = self.sketch(new)
            put = f"INSERT INTO {chain} (article_id, sketch) VALUES (?, ?) ON CONFLICT DO NOTHING"
            archive.read(put, new.article.id, own)
            rows = [(key, day, new.article.id) for key in new.keys]
            archive.change(f"INSERT INTO {chain}_keys VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows)
            asked |= new.keys
            shared = defaultdict[str, float](float)
            for key in new.keys:
                found = archive.read(near, key, day - self.days, day + self.days)
                for (other,) in found if len(found) < COMMON or self.days == EVER else ():
                    shared[other] += rarity(key)
            best = heapq.nlargest(CANDIDATES, {*shared} - {new.article.id}, key=lambda key: (shared[key], key))
            sketches = archive.read(
                f"SELECT article_id, sketch FROM {chain} WHERE article_id {those}", json.dumps(best)
            )
            best = [other for other, sketch in sketches if self.may(own, sketch)]
            others = [*map(kept, filter(None, map(archive.article, best)))]
            asked |= {key for other in others for key in other.keys}
            for other in others:
                earlier, later = sorted((new, other), key=lambda kept: kept.order)
                row = earlier.article.id, self.score(later, earlier, rarity), later.article.id
                archive.read(f"UPDATE {chain} SET earlier = ?, score = ?2 WHERE article_id = ?3 AND score < ?2", *row)
