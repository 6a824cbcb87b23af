"""The archive: articles, their earlier versions, passages and vectors in one database. It alone is the truth.

Its SQL is written once, for SQLite: what PostgreSQL says otherwise, `index/shared/sql.py` rewrites.

What is derived from it, such as both search indexes, has a name. Each write adds rows to `changes` in the same
transaction; who has applied them says so with `applied`, and what it has not is handed out again, after a crash too.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from index.database import checksum, put
from index.encoder import Vectors
from index.encoder.stored import NONE, WAITING, Stored
from index.types import ArchiveError, Article, BadInput, Filters, Listed, Passage, Place, digest, translated

SCHEMA_VERSION = "4"
SCRIPTS: dict[str | None, str] = {  # by format, or none
    "": "schema.sql", "1": "upgrade-1.sql", "2": "upgrade-2.sql", "3": "upgrade-3.sql",
}  # fmt: skip
DROP_UNUSED = """DELETE FROM vectors WHERE key IN (SELECT value FROM json_each(?))
    AND NOT EXISTS (SELECT 1 FROM passages WHERE passages.vector = vectors.key)"""
CHANGED = "INSERT INTO changes (passage_id, article_id) SELECT id, article_id FROM passages WHERE article_id = ?"
KEEP = """UPDATE passages SET id = id || '@' || ?2, version = ?2, replaced = ?3,
    checksum = checksum(id || '@' || ?2, article_id, start, "end", vector, since, ?3, ?2)
    WHERE article_id = ?1 AND version IS NULL"""
ROW = 'checksum(id, article_id, start, "end", vector, since, replaced, version)'  # of a passage
PUT_ARTICLE = put("articles", "id version hash title outlet published url authors root file added characters language "
                  "pages")  # fmt: skip
PUT_TEXT = put("texts", "id version text", 2)
PUT_PASSAGE = put("passages", 'id article_id start "end" vector since replaced version checksum')
EVERY = "(SELECT * FROM versions UNION ALL SELECT * FROM articles)"
LISTED = "a.id, title, outlet, published, url"
WHOLE = f"{LISTED}, authors, language, pages, text"  # what `article_of` takes
# How a list may be sorted, by indexes (schema.sql, indexes.sql); each column in its own direction.
SORTS = {
    "published": "published DESC, id ASC",
    "title": "title COLLATE NOCASE ASC, id ASC",
    "outlet": "outlet COLLATE NOCASE ASC, published DESC, id ASC",
    "added": "added DESC, id ASC",
}
ALL = 1 << 62  # SQLite says -1, PostgreSQL does not
LIKE = r"title LIKE ? ESCAPE '\'"
FEW = 5000  # articles, of 100,000: the list of those whose title holds a rare word in 50 ms in place of 300


class Entry(NamedTuple):
    """An article on its way in, its passages, each with the key of its vector, and where it was read."""

    article: Article
    passages: Sequence[tuple[Passage, str]]
    place: Place


def content_hash(article: Article) -> str:
    """Return the hash by which an article counts as unchanged: all that is stored of it save its id."""
    fields: list[object] = [
        article.title,
        article.text,
        article.outlet,
        str(article.published),
        article.url,
        article.authors,
    ]
    fields += [article.pages] * bool(article.pages)
    return digest(json.dumps(fields), 16)


def article_of(
    key: str, title: str, outlet: str | None, published: str | None, url: str | None, authors: str,
    language: str | None, pages: str, text: str,
) -> Article:  # fmt: skip
    """Return the article of a row. Raises ValueError or TypeError for one that was altered."""
    names, begins = tuple(json.loads(authors)), tuple(json.loads(pages))
    return Article(key, title, text, outlet, _day(published), url, names, language, begins)


def vector_key(encoder: str, text: str) -> str:
    """Return the key under which the vector of a text is kept: a hash of the encoder's name and the text."""
    return digest(f"{encoder}\0{text}", 16)


class Archive(Stored):
    """One open archive file. Raises ArchiveError, in one line, where it cannot be opened or written."""

    def __init__(self, path: Path, mode: str = "rwc", opened: Callable[[], None] = lambda: None) -> None:
        super().__init__(path, mode, opened)
        self._prepare()

    def _prepare(self) -> None:
        """Make the tables, or bring those of an older format up to date. Raises ArchiveError where that cannot be."""
        found = "" if self.empty else self.meta("schema")
        if self.read_only and found in SCRIPTS:
            older = f"{self.path} has archive format {found or 0}, this version reads {SCHEMA_VERSION}"
            raise ArchiveError(f"{older}: run copydesk ingest once, which brings it up to date")
        while script := SCRIPTS.get(found):
            self._opened()
            self.script(Path(__file__).with_name(script))
            found = self.meta("schema")
        if found != SCHEMA_VERSION:
            raise ArchiveError(
                f"{self.path} has archive format {found}, this version reads {SCHEMA_VERSION}: ingest anew"
            )
        if not self.read_only:
            self.script(Path(__file__).with_name("indexes.sql"))

    def _sound(self) -> AbstractContextManager[None]:
        what = f"{self.path} holds a row that was altered"
        return translated(ArchiveError, what, ValueError, TypeError, mend="copydesk doctor names it")

    # Articles

    def known(self, article_id: str | None = None) -> dict[str, tuple[str, Place, str | None]]:
        """Return the content hash, the place and the url of every article by id, or of one, as it was last read."""
        one = [] if article_id is None else [article_id]
        rows = self.read(f"SELECT id, hash, root, file, url FROM articles {'WHERE id = ?' * len(one)}", *one)
        return {key: (found, (root, file), url) for key, found, root, file, url in rows}

    def write(self, entries: Iterable[Entry], vectors: dict[str, Vectors]) -> list[Entry]:
        """Add or change articles in one transaction, keeping the version that each replaces.

        What another process has written since it was looked for is left as it is. Return those that were written.
        """
        written, now = [], datetime.now(UTC).isoformat(timespec="seconds")
        with self.transaction():
            self.keep(vectors)
            for entry in entries:
                a, hashed = entry.article, content_hash(entry.article)
                if self.read("SELECT 1 FROM articles WHERE id = ? AND hash = ?", a.id, hashed):
                    continue
                written.append(entry)
                if late := {key: NONE for _, key in entry.passages if key not in vectors}:  # or it is kept already
                    self.keep(late)
                day = str(a.published or "") or None
                before, since = self._retire(a.id, day, now[:10])
                row = (a.id, before + 1, hashed, a.title, a.outlet, day, a.url, json.dumps(a.authors),
                       *entry.place, now, len(a.text), a.language, json.dumps(a.pages))  # fmt: skip
                self.change(PUT_ARTICLE, [row])
                self.change(PUT_TEXT, [(a.id, before + 1, a.text)])
                rows = [(p.id, a.id, p.start, p.end, key, since, None, None) for p, key in entry.passages]
                self.change(PUT_PASSAGE, [(*row, checksum(*row)) for row in rows])
                self.read(f"{CHANGED} AND version IS NULL", a.id)
        return written

    def move(self, places: Iterable[tuple[str, str, str]]) -> None:
        """Note (article id, root, file): where an unchanged article was last seen."""
        with self.transaction():
            self.change("UPDATE articles SET root = ?2, file = ?3 WHERE id = ?1", places)

    def remove(self, ids: Sequence[str]) -> None:
        """Remove articles with all their versions, passages and vectors."""
        with self.transaction():
            those = [(article_id,) for article_id in ids]
            self.change(CHANGED, those)
            take = "DELETE FROM passages WHERE article_id = ? RETURNING vector"
            unused = [row[0] for article_id in ids for row in self.read(take, article_id)]
            for table in ("articles", "versions", "texts"):
                self.change(f"DELETE FROM {table} WHERE id = ?", those)
            self.read(DROP_UNUSED, json.dumps(unused))

    def _retire(self, article_id: str, published: str | None, today: str) -> tuple[int, str | None]:
        """Make an article, with its passages, the earlier version of the next, which was published then.

        Return its version, 0 when there is none, and the day since which the next one stands.
        """
        copy = "INSERT INTO versions SELECT * FROM articles WHERE id = ? RETURNING version"
        if not (kept := self.read(copy, article_id)):
            return 0, published
        version, current = kept[0][0], "article_id = ? AND version IS NULL"
        stood = self.read(f"SELECT max(since) FROM passages WHERE {current}", article_id)[0][0] or ""
        since = max(today, stood) if stood and (published or "") <= stood else published
        self.read(f"{CHANGED} AND version IS NULL", article_id)
        self.read(KEEP, article_id, version, since)
        self.read(f"{CHANGED} AND version = ?", article_id, version)
        return version, since

    def article(self, article_id: str) -> Article | None:
        """Return an article by its id, or by its url where no id matches."""
        found = self._articles("articles", "id = ?", article_id) or self._articles("articles", "url = ?", article_id)
        return found[0] if found else None

    def version(self, address: str) -> Article | None:
        """Return a version of an article, current or earlier, by ID@1, its id then; no other article has that id."""
        article_id, _, number = address.rpartition("@")
        where = "id = ? AND CAST(a.version AS TEXT) = ? AND NOT EXISTS (SELECT 1 FROM articles WHERE id = ?)"
        found = self._articles(EVERY, where, article_id, number, address)
        return replace(found[0], id=address) if found else None

    def current(self, article_id: str) -> str:
        """Return the id of the article that has this one, or of a version of which it is."""
        held = self.read("SELECT 1 FROM articles WHERE id = ?", article_id)
        return article_id if held else article_id.rpartition("@")[0]

    def versions(self, article_id: str) -> list[Article]:
        """Return the earlier versions of an article, oldest first."""
        return self._articles("versions", "id = ?", article_id)

    def stood(self, article_id: str) -> list[tuple[int | None, str | None, str | None]]:
        """Return an article's versions, oldest first: number (None: current), since when and until when each stands."""
        stood = "SELECT version, since, replaced FROM passages WHERE article_id = ? GROUP BY version, since, replaced"
        return self.read(f"{stood} ORDER BY version IS NULL, version", article_id)

    def _articles(self, table: str, where: str, *values: str) -> list[Article]:
        rows = f"SELECT {WHOLE} FROM {table} a JOIN texts USING (id, version) WHERE a.{where} ORDER BY version"
        with self._sound():
            return [article_of(*row) for row in self.read(rows, *values)]

    def listed(self, article_id: str | None = None) -> list[Listed]:
        """Return what is known of every article save its text, newest first; or of one."""
        return self.page("id = ?" if article_id else "TRUE", list(filter(None, [article_id])))[0]

    def page(
        self, where: str, values: Sequence[object], sort: str = "published", flipped: bool = False,
        limit: int | None = None, offset: int = 0,
    ) -> tuple[list[Listed], int]:  # fmt: skip
        """Return some of the articles of a clause, see `where`, by one of `SORTS`, and how many there are in all."""
        order = re.sub("ASC|DESC", lambda found: "DESC" if (found[0] == "ASC") == flipped else "ASC", SORTS[sort])
        held = "(SELECT count(*) FROM passages p WHERE p.article_id = a.id AND p.version IS NULL)"
        [(total,)] = self.read(f"SELECT count(*) FROM articles WHERE {where}", *values)
        few = "+" * (total < FEW)  # these are found and then sorted; more are met soon enough in their order
        some = f"(SELECT * FROM articles WHERE {where} ORDER BY {few}{order} LIMIT ? OFFSET ?)"  # whose passages count
        query = f"SELECT {LISTED}, characters, {held}, language FROM {some} a ORDER BY {order}"
        rows = self.read(query, *values, ALL if limit is None else limit, offset)
        with self._sound():
            return [Listed(key, title, outlet, _day(day), *others) for key, title, outlet, day, *others in rows], total

    def where(self, filters: Filters, words: Sequence[str] = ()) -> tuple[str, list[object]]:
        """Return in SQL, with its values, which articles a filter lets through, with these words in their titles."""
        clauses, values = ["TRUE"], list[object]()
        for column, wanted in (("outlet", filters.outlets), ("authors", filters.authors)):
            if wanted:
                names = {name.casefold() for name in wanted}
                rows = self.read(f"SELECT DISTINCT {column} FROM articles WHERE {column} IS NOT NULL")
                each = ((held, json.loads(held) if column == "authors" else [held]) for (held,) in rows)
                clauses.append(f"{column} IN (SELECT value FROM json_each(?))")
                values.append(json.dumps([held for held, those in each if names & {*map(str.casefold, those)}]))
        if filters.languages:
            self.check_languages(filters.languages)
            clauses.append("language IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(filters.languages))
        for sign, day in ((">=", filters.since), ("<=", filters.until)):
            clauses += [f"published {sign} ?"] * bool(day)
            values += [str(day)] * bool(day)
        for word in (re.sub(r"([%_\\])", r"\\\1", word) for word in words):
            spelt = {word} if word.isascii() else {word.lower(), word.upper(), word.capitalize()}  # LIKE folds ASCII
            clauses.append(f"({' OR '.join([LIKE] * len(spelt))})")
            values += [f"%{one}%" for one in spelt]
        return " AND ".join(clauses), values

    def span(self) -> tuple[date | None, date | None]:
        """Return the days of the earliest and of the latest article; None where no article has one."""
        [days] = self.read("SELECT min(published), max(published) FROM articles")
        return _day(days[0]), _day(days[1])

    def outlets(self) -> list[str]:
        """Return the outlets of all articles, the most frequent first."""
        query = "SELECT outlet FROM articles WHERE outlet IS NOT NULL GROUP BY outlet ORDER BY count(*) DESC, outlet"
        return [row[0] for row in self.read(query)]

    def languages(self) -> dict[str, int]:
        """Return the languages of articles, the most frequent first, with their numbers of articles."""
        query = "SELECT language, count(*) FROM articles WHERE language IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        return dict(self.read(query))

    def check_languages(self, wanted: Sequence[str]) -> None:
        """Raise BadInput where no article is in one of these: nothing would be found, and nobody told why."""
        known = self.languages() if wanted else {}
        for language in (one for one in wanted if one not in known):
            raise BadInput(f"no article is in the language {language}: the archive has {', '.join(known) or 'none'}")

    # Passages and vectors

    def counts(self) -> tuple[int, int]:
        """Return the numbers of articles and of their passages, without those of earlier versions."""
        query = """SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM passages)
            - (SELECT count(*) FROM passages WHERE version IS NOT NULL)"""
        [(articles, passages)] = self.read(query)
        return articles, passages

    def due(self, index: str) -> int:
        """Return how many passages an index has to hold: the dense one those that wait for no vector."""
        late = f"SELECT count(*) FROM {WAITING} WHERE p.version IS NULL"
        return self.counts()[1] - (self.read(late)[0][0] if index == "dense" else 0)

    def passages(self, ids: Sequence[str]) -> dict[str, tuple[Article, Passage]]:
        """Return passages by id, each with its article, in its version; ids the archive does not hold are left out.

        So are versions where another article has the id ID@1.
        """
        query = """SELECT p.id, article_id || coalesce('@' || version, ''), start, "end", since, replaced
            FROM json_each(?) wanted JOIN passages p ON p.id = wanted.value ORDER BY wanted.key"""
        with self._sound():
            passages = [Passage(*row[:4], *map(_day, row[4:])) for row in self.read(query, json.dumps(list(ids)))]
        those = json.dumps([passage.article_id for passage in passages])
        current = {a.id: a for a in self._articles("articles", "id IN (SELECT value FROM json_each(?))", those)}
        version = cache(self.version)  # one object for all passages of an article
        found = ((version(p.article_id) if p.replaced else current.get(p.article_id), p) for p in passages)
        return {passage.id: (article, passage) for article, passage in found if article}

    def passages_by(self, authors: Sequence[str]) -> list[str]:
        """Return the ids of all passages of articles by any of these authors. Raises BadInput where there are none."""
        where, values = self.where(Filters(authors=tuple(authors)))
        rows = self.read(f"SELECT p.id FROM passages p JOIN articles a ON a.id = article_id WHERE {where}", *values)
        if not rows:
            raise BadInput(f"no article is by {' or '.join(authors)}: copydesk articles show ID prints who wrote one")
        return [row[0] for row in rows]

    def passage_ids(self) -> list[str]:
        """Return the ids of all passages, those of earlier versions too."""
        return [row[0] for row in self.read("SELECT id FROM passages ORDER BY rowid")]


def _day(published: str | None) -> date | None:
    return date.fromisoformat(published) if published else None
