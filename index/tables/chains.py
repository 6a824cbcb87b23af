"""Tables in which an article hangs on one that was published before it: what hangs together is a group.

An article hangs on the best of the earlier ones that share keys with it. So it does not matter in which order they are
ingested, one that is removed only sets free what hung on it, and each costs the same in an archive of any size.
"""

import heapq
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from index.archive import Archive
from index.types import Article

COMMON = 100  # A key of more articles than this, in the days that count, tells nothing.
CANDIDATES = 16  # compared, of those that share the most
EVER = 4_000_000  # days

Rarity = Callable[[int | str], float]  # how much a key tells: the logarithm of one in how many articles has it


class Kept(NamedTuple):
    """What is compared of an article: under which keys it is found, and what `score` needs to know beside them."""

    article: Article
    keys: frozenset[int | str]
    facts: Any

    @property
    def order(self) -> tuple[date, int, str]:
        """Which of two came first: undated ones are last, of one day's the longest is the report."""
        return self.article.published or date.max, -len(self.article.text), self.article.id


class Chain:
    """One such table. A class below it says what is kept of an article, and how well one follows an earlier one."""

    name: str
    rules: str
    days = EVER  # that may lie between the two

    def __init__(self) -> None:
        keys, held = f"{self.name}_keys", f"SELECT article_id FROM {self.name}"
        self.script = f"""DROP TABLE IF EXISTS {self.name}; DROP TABLE IF EXISTS {keys};
            CREATE TABLE {self.name} (article_id TEXT PRIMARY KEY, earlier TEXT, score REAL NOT NULL);
            CREATE INDEX {self.name}_earlier ON {self.name} (earlier);
            CREATE TABLE {keys} (key, day INTEGER, article_id TEXT, PRIMARY KEY (key, day, article_id)) WITHOUT ROWID;
            CREATE INDEX {keys}_article ON {keys} (article_id)"""
        self.unsound = f"""SELECT (SELECT count(*) FROM articles WHERE id NOT IN ({held}))
            + (SELECT count(*) FROM {self.name} WHERE article_id NOT IN (SELECT id FROM articles))"""

    def keep(self, archive: Archive, article: Article) -> Kept:
        """Return what is compared of an article."""
        raise NotImplementedError

    def score(self, later: Kept, earlier: Kept, rarity: Rarity) -> float:
        """Return how well an article follows an earlier one, 0 where it does not."""
        raise NotImplementedError

    def apply(self, archive: Archive, ids: Sequence[str]) -> None:
        """See `Table`."""
        given = json.dumps(ids)
        those = "IN (SELECT value FROM json_each(?))"
        freed = archive.read(f"SELECT article_id FROM {self.name} WHERE earlier {those}", given)
        for table in (self.name, f"{self.name}_keys"):
            archive.read(f"DELETE FROM {table} WHERE article_id {those}", given)
        archive.change(f"UPDATE {self.name} SET earlier = NULL, score = 0 WHERE article_id = ?", freed)
        count = archive.counts()[0]

        @cache
        def rarity(key: int | str) -> float:
            some = f"SELECT 1 FROM {self.name}_keys WHERE key = ? LIMIT 1000"
            return math.log((count + 1) / archive.read(f"SELECT max(1, count(*)) FROM ({some})", key)[0][0])

        @cache
        def kept(article_id: str) -> Kept | None:
            article = archive.article(article_id)
            return self.keep(archive, article) if article else None

        for article_id in dict.fromkeys([*ids, *(row[0] for row in freed)]):
            if new := kept(article_id):
                archive.read(f"INSERT OR IGNORE INTO {self.name} VALUES (?, NULL, 0)", article_id)
                day = new.article.published.toordinal() if new.article.published else 0
                rows = [(key, day, article_id) for key in new.keys]
                archive.change(f"INSERT OR IGNORE INTO {self.name}_keys VALUES (?, ?, ?)", rows)
                self._hang(archive, new, filter(None, map(kept, self._near(archive, new, day, rarity))), rarity)

    def _near(self, archive: Archive, new: Kept, day: int, rarity: Rarity) -> list[str]:
        """Return the articles that share the rarest keys with a new one, within the days that count."""
        shared = defaultdict[str, float](float)
        near = f"SELECT article_id FROM {self.name}_keys WHERE key = ? AND day BETWEEN ? AND ? LIMIT {COMMON}"
        for key in new.keys:
            found = archive.read(near, key, day - self.days, day + self.days)
            for (other,) in found if len(found) < COMMON or self.days == EVER else ():
                shared[other] += rarity(key)
        return heapq.nlargest(CANDIDATES, shared.keys() - {new.article.id}, key=lambda other: (shared[other], other))

    def _hang(self, archive: Archive, new: Kept, others: Iterable[Kept], rarity: Rarity) -> None:
        for other in others:
            earlier, later = sorted((new, other), key=lambda kept: kept.order)
            score = self.score(later, earlier, rarity)
            row = earlier.article.id, score, later.article.id
            archive.read(f"UPDATE {self.name} SET earlier = ?, score = ?2 WHERE article_id = ?3 AND score < ?2", *row)


def group(archive: Archive, name: str, article_id: str) -> list[str]:
    """Return the articles that hang together with one, itself too, the one on which all others hang first."""
    up = f"""WITH RECURSIVE up (id, step) AS (SELECT ?, 0 UNION
        SELECT earlier, step + 1 FROM up JOIN {name} ON article_id = id WHERE earlier IS NOT NULL)"""
    down = f"""down (id) AS (SELECT * FROM (SELECT id FROM up ORDER BY step DESC LIMIT 1)
        UNION SELECT article_id FROM down JOIN {name} ON earlier = id)"""
    return [row[0] for row in archive.read(f"{up}, {down} SELECT id FROM down", article_id)]
