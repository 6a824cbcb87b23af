"""The archive: articles, their earlier versions, passages and vectors in one SQLite file. It alone is the truth.

Both search indexes are derived from it. Each write adds rows to `changes` in the same transaction; an index that
has applied them says so with `applied`, and what it has not is handed out again, after a crash too.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from index.encoder import Vectors
from index.types import ArchiveError, Article, Passage, digest

SCHEMA_VERSION = "1"
SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, hash TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
    outlet TEXT, published TEXT, url TEXT, authors TEXT NOT NULL, root TEXT NOT NULL, file TEXT NOT NULL,
    added TEXT NOT NULL);
CREATE TABLE versions AS SELECT * FROM articles;
CREATE UNIQUE INDEX versions_article ON versions (id, version);
CREATE TABLE passages (
    id TEXT PRIMARY KEY, article_id TEXT NOT NULL REFERENCES articles (id), start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, vector TEXT NOT NULL);
CREATE INDEX passages_article ON passages (article_id);
CREATE INDEX passages_vector ON passages (vector);
CREATE TABLE vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE changes (sequence INTEGER PRIMARY KEY AUTOINCREMENT, passage_id TEXT NOT NULL);
INSERT INTO meta VALUES ('schema', '{SCHEMA_VERSION}');
COMMIT;
"""
DROP_UNUSED_VECTORS = "DELETE FROM vectors WHERE key NOT IN (SELECT vector FROM passages)"
ARTICLE_COLUMNS = "id, title, text, outlet, published, url, authors"
Place = tuple[str, str]  # the ingested path, and the file below it


@dataclass(frozen=True)
class Entry:
    """An article on its way in: its passages, the key of each passage's vector, and where it was read."""

    article: Article
    passages: Sequence[Passage]
    vector_keys: Sequence[str]
    root: str
    file: str


def content_hash(article: Article) -> str:
    """Return the hash by which an article counts as unchanged: all that is stored of it save its id."""
    fields = [article.title, article.text, article.outlet, str(article.published), article.url, article.authors]
    return digest(json.dumps(fields), 16)


def vector_key(encoder: str, text: str) -> str:
    """Return the key under which the vector of a text is kept: a hash of the encoder's name and the text."""
    return digest(f"{encoder}\0{text}", 16)


class Archive:
    """One open archive file. Raises ArchiveError, in one line, where it cannot be opened or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._translated():
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            if not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                self._db.executescript(SCHEMA)
            # Each question asks for the outlets: without an index that reads through the text of every article.
            self._db.execute("CREATE INDEX IF NOT EXISTS articles_outlet ON articles (outlet)")
            found = self.meta("schema")
        if found != SCHEMA_VERSION:
            raise ArchiveError(f"{path} has archive format {found}, this version reads {SCHEMA_VERSION}: ingest anew")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            sound = isinstance(error, sqlite3.OperationalError)  # the disk is full, say
            remedy = "" if sound else ": restore it from a copy, or ingest into a new folder"
            raise ArchiveError(f"{self.path}: {error}{remedy}") from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated(), self._db:  # sqlite3 commits at the end, or rolls back
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def _read(self, query: str, *values: object) -> list[Any]:
        with self._translated():
            return self._db.execute(query, values).fetchall()

    def meta(self, key: str) -> str | None:
        rows = self._read("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def set_meta(self, key: str, value: str) -> None:
        with self._translated():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def health(self) -> str | None:
        """Return SQLite's first complaint about the file, or None when it is sound."""
        found = str(self._read("PRAGMA quick_check(1)")[0][0])
        return None if found == "ok" else found

    # Articles

    def known(self) -> dict[str, tuple[str, Place]]:
        """Return the content hash and the place of every article by id, as it was last read."""
        rows = self._read("SELECT id, hash, root, file FROM articles")
        return {key: (found, (root, file)) for key, found, root, file in rows}

    def write(self, entries: Iterable[Entry], vectors: dict[str, Vectors]) -> None:
        """Add or change articles in one transaction, keeping the version that each replaces."""
        with self._transaction():
            blobs = [(key, vector.astype("<f4").tobytes()) for key, vector in vectors.items()]
            self._db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", blobs)
            for entry in entries:
                a, version = entry.article, self._retire(entry.article.id) + 1
                day, now = a.published and a.published.isoformat(), datetime.now(UTC).isoformat(timespec="seconds")
                content = (a.title, a.text, a.outlet, day, a.url, json.dumps(a.authors))
                row = (a.id, version, content_hash(a), *content, entry.root, entry.file, now)
                self._db.execute(f"INSERT OR REPLACE INTO articles VALUES (?{', ?' * (len(row) - 1)})", row)
                parts = zip(entry.passages, entry.vector_keys, strict=True)
                rows = [(p.id, a.id, p.start, p.end, key) for p, key in parts]
                self._db.executemany("INSERT INTO passages VALUES (?, ?, ?, ?, ?)", rows)
                self._db.executemany("INSERT INTO changes (passage_id) VALUES (?)", [(p.id,) for p in entry.passages])
            self._db.execute(DROP_UNUSED_VECTORS)

    def move(self, places: Iterable[tuple[str, str, str]]) -> None:
        """Note (article id, root, file): where an unchanged article was last seen."""
        with self._transaction():
            self._db.executemany("UPDATE articles SET root = ?2, file = ?3 WHERE id = ?1", places)

    def remove(self, ids: Sequence[str]) -> None:
        """Remove articles with all their versions, passages and vectors."""
        with self._transaction():
            for article_id in ids:
                self._retire(article_id)
                self._db.execute("DELETE FROM articles WHERE id = ?", (article_id,))
                self._db.execute("DELETE FROM versions WHERE id = ?", (article_id,))
            self._db.execute(DROP_UNUSED_VECTORS)

    def _retire(self, article_id: str) -> int:
        """Copy an article to the versions and take its passages out; return its version, 0 when it is new."""
        row = self._db.execute("SELECT version FROM articles WHERE id = ?", (article_id,)).fetchone()
        if row is None:
            return 0
        self._db.execute("INSERT INTO versions SELECT * FROM articles WHERE id = ?", (article_id,))
        self._db.execute("INSERT INTO changes (passage_id) SELECT id FROM passages WHERE article_id = ?", (article_id,))
        self._db.execute("DELETE FROM passages WHERE article_id = ?", (article_id,))
        return int(row[0])

    def article(self, article_id: str) -> Article | None:
        """Return an article by its id, or by its url where no id matches."""
        for column in ("id", "url"):
            if rows := self._read(f"SELECT {ARTICLE_COLUMNS} FROM articles WHERE {column} = ?", article_id):
                return _article(rows[0])
        return None

    def articles(self) -> list[tuple[Article, int]]:
        """Return every article with its number of passages, newest first."""
        passages = "(SELECT count(*) FROM passages p WHERE p.article_id = a.id)"
        rows = self._read(f"SELECT {ARTICLE_COLUMNS}, {passages} FROM articles a ORDER BY published DESC, id")
        return [(_article(row[:7]), row[7]) for row in rows]

    def outlets(self) -> list[str]:
        """Return the outlets of all articles, the most frequent first."""
        query = "SELECT outlet FROM articles WHERE outlet IS NOT NULL GROUP BY outlet ORDER BY count(*) DESC, outlet"
        return [row[0] for row in self._read(query)]

    def versions(self, article_id: str) -> list[Article]:
        """Return the earlier versions of an article, oldest first."""
        query = f"SELECT {ARTICLE_COLUMNS} FROM versions WHERE id = ? ORDER BY version"
        return [_article(row) for row in self._read(query, article_id)]

    # Passages and vectors

    def counts(self) -> tuple[int, int]:
        """Return the numbers of articles and of passages."""
        [(articles, passages)] = self._read("SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM passages)")
        return articles, passages

    def passage_count(self, article_id: str) -> int:
        return int(self._read("SELECT count(*) FROM passages WHERE article_id = ?", article_id)[0][0])

    def passages(self, ids: Sequence[str]) -> dict[str, tuple[Article, Passage]]:
        """Return passages by id, each with its article; ids the archive does not hold are left out."""
        query = 'SELECT p.id, article_id, start, "end" FROM json_each(?) JOIN passages p ON p.id = value'
        passages = [Passage(*row) for row in self._read(query, json.dumps(list(ids)))]
        article = cache(self.article)  # one object for all passages of an article
        return {passage.id: (found, passage) for passage in passages if (found := article(passage.article_id))}

    def passage_ids(self) -> list[str]:
        return [row[0] for row in self._read("SELECT id FROM passages ORDER BY rowid")]

    def known_vectors(self, keys: Iterable[str]) -> set[str]:
        """Return which of these vector keys are stored, so that no text is encoded twice."""
        return {key for key in keys if self._read("SELECT 1 FROM vectors WHERE key = ?", key)}

    def vectors(self, passage_ids: Sequence[str]) -> Vectors:
        """Return the stored vectors of passages, shape (len(passage_ids), dimensions), float32."""
        query = """SELECT vector.vector FROM json_each(?) wanted JOIN passages p ON p.id = wanted.value
            JOIN vectors vector ON vector.key = p.vector ORDER BY wanted.key"""
        rows = self._read(query, json.dumps(list(passage_ids)))
        return np.vstack([np.frombuffer(row[0], dtype="<f4") for row in rows])

    # What the derived indexes still have to do

    def pending(self, index: str) -> tuple[list[str], int]:
        """Return the passages, each once, changed since this index said `applied`, and the last change's number."""
        last = int(self._read("SELECT coalesce(max(seq), 0) FROM sqlite_sequence")[0][0])
        mark = int(self.meta(f"applied:{index}") or 0)
        changed = self._read("SELECT DISTINCT passage_id FROM changes WHERE sequence > ?", mark)
        return [row[0] for row in changed], last

    def applied(self, index: str, sequence: int) -> None:
        """Note that an index holds every change up to `sequence`, and forget changes that both hold."""
        with self._transaction():
            self.set_meta(f"applied:{index}", str(sequence))
            marks = [int(row[0]) for row in self._db.execute("SELECT value FROM meta WHERE key LIKE 'applied:%'")]
            if len(marks) == 2:
                self._db.execute("DELETE FROM changes WHERE sequence <= ?", (min(marks),))


def _article(row: Sequence[Any]) -> Article:
    key, title, text, outlet, published, url, authors = row
    day = date.fromisoformat(published) if published else None
    return Article(key, title, text, outlet, day, url, tuple(json.loads(authors)))
