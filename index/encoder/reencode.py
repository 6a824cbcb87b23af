"""Encodes an archive with another encoder, while the vectors that it has serve questions.

The new ones are kept in tables of their own in the archive's file, under the keys of those that they will replace: what
a run that was cut off had encoded stays, what is ingested meanwhile lacks one and what is removed leaves one over.
Passages stay as they were cut, though another encoder counts other tokens: what cites them stays right.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from index.archive import EVERY, ROW, WHOLE, Archive, article_of, vector_key
from index.encoder import ENGLISH, Encoder, encoded_text, full_name, load_encoder
from index.sync import Index, Progress, name_of
from index.tables.signs import MEAN, TAKEN
from index.types import ArchiveError, Article, BadInput, Passage, translated

TEXTS = 64  # that are encoded between two writes, and that who is cut off loses
BEGUN = "reencode"  # in `meta`: the encoder that new vectors are of
BEGIN = """CREATE TABLE IF NOT EXISTS rekeyed (old TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS vectors_new (key TEXT PRIMARY KEY, vector BLOB NOT NULL, checksum INTEGER NOT NULL
    DEFAULT 0)"""  # the second is to be `vectors`
DROP = f"DROP TABLE IF EXISTS rekeyed; DROP TABLE IF EXISTS vectors_new; DELETE FROM meta WHERE key = '{BEGUN}'"
LACKING = f"""SELECT rowid, vector, version, id, article_id, start, "end" FROM passages
    WHERE rowid > ? AND NOT EXISTS (SELECT 1 FROM rekeyed WHERE old = vector) ORDER BY rowid LIMIT {TEXTS}"""
LEFT = """SELECT count(*) FROM (SELECT DISTINCT vector FROM passages) AS texts
    WHERE NOT EXISTS (SELECT 1 FROM rekeyed WHERE old = vector)"""
VERSION = f"""SELECT {WHOLE} FROM {EVERY} a JOIN texts USING (id, version)
    WHERE a.id = ?1 AND a.version = coalesce(?2, (SELECT version FROM articles WHERE id = ?1))"""
NEW = """SELECT v.vector FROM json_each(?) wanted JOIN passages p ON p.id = wanted.value
    JOIN rekeyed made ON made.old = p.vector JOIN vectors_new v ON v.key = made.key ORDER BY wanted.key"""
# A passage that was altered must not count as sound from now on.
REKEY = f"""UPDATE passages SET vector = made.key, checksum = CASE WHEN checksum = {ROW}
    THEN {ROW.replace("vector", "made.key")} ELSE checksum END FROM rekeyed made WHERE made.old = passages.vector"""
SWITCH = f"""{REKEY}; DROP TABLE vectors; ALTER TABLE vectors_new RENAME TO vectors; DROP TABLE rekeyed;
    CREATE INDEX vectors_length ON vectors (length(vector));
    DELETE FROM vectors WHERE key NOT IN (SELECT vector FROM passages);
    DELETE FROM meta WHERE key IN ('{BEGUN}', 'rules:stories', 'rules:signs', '{MEAN}', '{TAKEN}')"""  # told by vectors


@dataclass(frozen=True)
class Reencoded:
    """What was done: texts `encoded` now, and `kept` of an earlier run that was cut off; `seconds` is wall time."""

    encoder: str
    before: str
    passages: int
    encoded: int
    kept: int
    seconds: float


def reencode(
    index: Index, encoder: Encoder | str, progress: Progress | None = None,
    alone: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Reencoded:  # fmt: skip
    """Encode all passages with another encoder, and put it in the place of the archive's own.

    May be cut off at any point: run again, it goes on. What another encoder had begun is dropped. Questions are
    answered with the old vectors until all new ones stand; `alone` is a context in which nobody searches. Raises
    BadInput where it is the archive's encoder already.
    """
    archive, started, tell = index.archive, time.perf_counter(), progress or index.progress
    archive.check_writable()
    name, before, begun = name_of(encoder), full_name(archive.meta("encoder") or ""), archive.meta(BEGUN)
    if name == before:
        _begin(archive, None)
        dropped = f"; what was begun with {begun} is dropped" if begun else ""
        raise BadInput(f"{index.folder} has the encoder {name} already: there is nothing to encode{dropped}")
    encoder = load_encoder(name) if isinstance(encoder, str) else encoder
    if begun != name:
        if begun:
            encoder.encode_query([name])  # what was begun is not dropped for a server that is not there
        _begin(archive, name)
    [(kept,)] = archive.read("SELECT count(*) FROM vectors_new")
    encoded = _encode(archive, encoder, tell)
    with alone():
        index.catch_up()  # who searches from now on does not wait for who writes, who will wait for them
    with archive.writing():
        encoded += _encode(archive, encoder, tell)
        index.exchange(encoder, partial(archive.vectors, query=NEW), partial(_run, archive, SWITCH), alone)
        index.catch_up_tables()
        return Reencoded(name, before, archive.counts()[1], encoded, kept, time.perf_counter() - started)


def remark(index: Index) -> str:
    """Say of an archive that is mostly in other languages that its encoder knows English only; "" of any other."""
    if (name := full_name(index.archive.meta("encoder") or "")) not in ENGLISH:
        return ""
    query = "SELECT count(*), count(CASE WHEN language != 'en' THEN 1 END) FROM articles"
    [(articles, others)] = index.archive.read(query)
    told = f"{others:,} of {articles:,} articles are not in English, all that the encoder {name} knows"
    return f"{told}: copydesk reencode --encoder multilingual changes it" if 2 * others > articles else ""


def unfinished(index: Index) -> str:
    """Say of an archive that another encoder's vectors are not complete; "" of any other."""
    name = index.archive.meta(BEGUN)
    return f"encoding with {name} was cut off: copydesk reencode --encoder {name} goes on" if name else ""


def _begin(archive: Archive, name: str | None) -> None:
    """Drop what was begun, and make room for the vectors of this encoder, if any."""
    with archive.transaction():
        _run(archive, DROP)
        if name:
            _run(archive, BEGIN)
            archive.set_meta(BEGUN, name)


def _run(archive: Archive, script: str) -> None:
    for statement in script.split(";"):
        archive.read(statement)


def _encode(archive: Archive, encoder: Encoder, progress: Progress) -> int:
    """Encode what lacks a vector, some texts at a time; return how many they were."""
    [(left,)] = archive.read(LEFT)
    [(held,)] = archive.read("SELECT count(*) FROM rekeyed")
    last, done = 0, 0
    while True:
        last, texts = _lacking(archive, last)
        if not texts:
            return done
        keys = {old: vector_key(encoder.name, text) for old, text in texts.items()}
        vectors = encoder.encode_document([*texts.values()])
        archive.check_size(vectors, "vectors_new")
        with archive.transaction():
            archive.keep(dict(zip(keys.values(), vectors, strict=True)), "vectors_new")
            archive.change("INSERT INTO rekeyed VALUES (?, ?)", keys.items())
        done += len(texts)
        progress("reencode", min(1.0, (held + done) / (held + left)))


def _lacking(archive: Archive, last: int) -> tuple[int, dict[str, str]]:
    """Return some texts whose passages lack a vector, by the keys of the old ones, and the last of these passages."""
    with archive.snapshot():
        rows = archive.read(LACKING, last)
        return (rows[-1][0] if rows else last), texts_of(archive, [row[1:] for row in rows])


def texts_of(archive: Archive, rows: Sequence[Any]) -> dict[str, str]:
    """Return what is encoded of passages by the keys of their vectors; a row is a key, a version, and the passage."""

    @cache
    def article(article_id: str, version: int | None) -> Article:
        return article_of(*archive.read(VERSION, article_id, version)[0])

    damaged = translated(ArchiveError, f"{archive.path} is damaged", LookupError, TypeError, ValueError,
                         mend="copydesk doctor says where")  # fmt: skip
    with damaged:
        places = ((row[0], article(row[3], row[1]), Passage(*row[2:])) for row in rows)
        return {key: encoded_text(whole, part) for key, whole, part in places}
