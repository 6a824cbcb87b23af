"""Whether the archive's file holds what was written to it: SQLite's own check, hashes of articles, checksums."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from index.archive import EVERY, ROW, WHOLE, Archive, article_of, content_hash
from index.database import checksum
from index.encoder import Encoder, encoded_text
from index.types import ArchiveError

Progress = Callable[[str, float], None]  # as in index/sync.py
NAMED = 5  # articles, of those that are damaged
ENCODED = 256  # vectors between two signs of progress
# Each version of each article, the current one without a `number`, with the places of its passages.
VERSIONS = f"""SELECT a.hash, a.characters, a.number, {WHOLE}, (SELECT json_group_array(json_array(start, "end"))
        FROM (SELECT * FROM passages p WHERE article_id = a.id AND p.version IS number ORDER BY start))
    FROM (SELECT *, version AS number FROM versions UNION ALL SELECT *, NULL FROM articles) a
    LEFT JOIN texts USING (id, version)"""
STRAY = f"""SELECT article_id FROM passages WHERE checksum IS NOT {ROW}
    UNION SELECT article_id FROM passages WHERE article_id NOT IN (SELECT id FROM articles)
    UNION SELECT id FROM versions WHERE id NOT IN (SELECT id FROM articles)
    UNION SELECT id FROM texts t
        WHERE NOT EXISTS (SELECT 1 FROM {EVERY} a WHERE a.id = t.id AND a.version = t.version)"""
UNUSED = "SELECT key FROM vectors WHERE NOT EXISTS (SELECT 1 FROM passages WHERE vector = key)"
MISSING = "SELECT DISTINCT vector FROM passages WHERE vector NOT IN (SELECT key FROM vectors)"


@dataclass(frozen=True)
class Health:
    """How many articles and passages the archive and each index hold, and what is wrong, if anything."""

    ok: bool
    articles: int
    passages: int
    dense: int
    lexical: int
    problems: list[str]


@dataclass
class Damage:
    """What is wrong with an archive's file: in words what SQLite says, articles by id, vectors by key."""

    file: str = ""
    articles: list[str] = field(default_factory=list)
    vectors: list[str] = field(default_factory=list)

    def told(self) -> Iterator[str]:
        """Yield what is wrong, and how to mend it."""
        if self.file:
            yield f"archive file: {self.file}; copydesk doctor --repair tries to mend it, else restore it from a copy"
        if self.articles:
            more = f" and {len(self.articles) - NAMED} more" if len(self.articles) > NAMED else ""
            yield (
                f"archive file: damaged are the articles {', '.join(self.articles[:NAMED])}{more}; "
                "restore it from a copy, or remove these and ingest them again"
            )
        if self.vectors:
            yield f"archive file: damaged vectors ({len(self.vectors)}); copydesk doctor --repair encodes them again"


def examine(archive: Archive, progress: Progress) -> Damage:
    """Read the whole file, a row at a time: 30,000 passages in some seconds."""
    found = Damage()
    try:
        found.file = archive.health() or ""
        found.vectors = [row[0] for query in (UNUSED, MISSING) for row in archive.rows(query)]
        found.vectors += _vectors(archive)
        found.articles = [row[0] for row in archive.rows(STRAY)]
        total = sum(archive.counts()) or 1
        for number, (hashed, characters, version, *row, spans) in enumerate(archive.rows(VERSIONS)):
            if number % 1000 == 0:
                progress("doctor", min(number / total, 0.99))
            if not _holds(hashed, characters, row, json.loads(spans), version is not None):
                found.articles.append(row[0])
    except ArchiveError as error:
        found.file = found.file or str(error)
    progress("doctor", 1.0)
    found.articles = sorted(set(found.articles))
    return found


def _vectors(archive: Archive) -> Iterator[str]:
    """Yield the keys of vectors that are not what was stored, or not as long as most."""
    every = "SELECT length(vector) FROM vectors WHERE length(vector) > 0 GROUP BY 1 ORDER BY count(*) DESC"
    lengths = [0, *[row[0] for row in archive.rows(every)]][:2]  # 0: it is encoded later
    for key, vector, kept in archive.rows("SELECT key, vector, checksum FROM vectors"):
        sound = isinstance(vector, bytes) and len(vector) in lengths and kept == checksum(key, vector)
        if not sound or len(vector) % 4 or not np.isfinite(np.frombuffer(vector, "<f4")).all():
            yield key


def _holds(hashed: str, characters: int, row: Sequence[str], spans: Sequence[tuple[int, int]], earlier: bool) -> bool:
    """Tell whether a row is the article that its hash is of, and its passages hold all of its text."""
    with suppress(ValueError, TypeError):
        article = article_of(*row)
        if characters != len(article.text) or hashed != content_hash(article):
            return False
        if earlier and not spans:  # archives of format 2 kept no passages of earlier versions
            return True
        places = [(0, 0), *spans, (characters, characters)]
        between = "".join(article.text[before[1] : after[0]] for before, after in pairwise(places))
        return not between.strip() and all(0 <= start <= end <= characters for start, end in places)
    return False


def mend(archive: Archive, encoder: Encoder, damage: Damage, progress: Progress) -> None:
    """Build SQLite's own indexes again, and replace damaged vectors by what the encoder makes of their passages.

    Raises ArchiveError where the file is not sound then. Vectors of no passage go.
    """
    if damage.file:
        with archive.transaction():
            archive.read("REINDEX")
        if complaint := archive.health():
            raise ArchiveError(f"{archive.path}: {complaint}: restore it from a copy")
    for start in range(0, len(damage.vectors), ENCODED):
        wanted = json.dumps(damage.vectors[start : start + ENCODED])
        with archive.transaction():
            archive.read("DELETE FROM vectors WHERE key IN (SELECT value FROM json_each(?))", wanted)
            of = "SELECT id, vector FROM passages WHERE vector IN (SELECT value FROM json_each(?))"
            keys = dict(archive.read(of, wanted))
            texts = {keys[key]: encoded_text(*held) for key, held in archive.passages([*keys]).items()}
            archive.keep(dict(zip(texts, encoder.encode_document([*texts.values()]), strict=True)))
        progress("vectors", min(1.0, (start + ENCODED) / len(damage.vectors)))
