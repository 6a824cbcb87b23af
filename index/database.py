"""One SQLite file that many threads read and one at a time writes."""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zlib import crc32

from index.types import ArchiveError, ReadOnly, disk_error

LAST = """SELECT coalesce(max(number), 0) FROM (SELECT max(sequence) AS number FROM changes
    UNION ALL SELECT max(CAST(value AS INTEGER)) FROM meta WHERE key LIKE 'applied:%') AS numbers"""
HELD = "(SELECT min(CAST(value AS INTEGER)) FROM meta WHERE key LIKE 'applied:%')"  # by all who are derived
SET_META = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
SOUND = ("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOMEM", "SQLITE_READONLY")


def checksum(*values: object) -> int:
    """Return the CRC-32 of a row's values; in SQL it has the same name."""
    found = 0
    for value in values:
        found = crc32((value if isinstance(value, bytes) else str(value).encode()) + b"\0", found)
    return found


def put(table: str, columns: str, keys: int = 1) -> str:
    """Return how a row is put into a table, in place of one that has the same first columns."""
    names = columns.split()
    new = ", ".join(f"{name} = excluded.{name}" for name in names[keys:])
    values = ", ".join("?" * len(names))
    return (f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values}) "
            f"ON CONFLICT ({', '.join(names[:keys])}) DO UPDATE SET {new}")  # fmt: skip


class _Here(threading.local):
    """The connection by which a thread reads, where it writes or is within a snapshot."""

    db: sqlite3.Connection | None = None


class Database:
    """An open file with a table `meta` of keys and values, and for what is derived `changes`.

    Raises ArchiveError, in one line, where SQLite fails.

    Several threads may use it: who reads waits for nobody, who writes only for others who do, by `writing`. `mode` is
    one of SQLite's: of "ro" and "ro&immutable=1", which takes it that nobody writes, nothing is written.
    """

    BEGIN = "BEGIN"  # of what is read in one state
    FAILS: type[Exception] = sqlite3.Error

    def __init__(self, path: Path, mode: str = "rwc", opened: Callable[[], None] = lambda: None) -> None:
        """Open or create a file, mode 0600; `opened` is called before anything is written."""
        self._start(path, mode != "rwc", opened)
        self._address = f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"
        with self.translated():
            self.db: Any = self._connect()
            if not self.read_only:
                self.db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
                self.db.create_function("checksum", -1, checksum, deterministic=True)

    def _start(self, path: Path, read_only: bool, opened: Callable[[], None] = lambda: None) -> None:
        self._opened = opened
        self.path, self.read_only, self.address = path, read_only, str(path)
        self._lock = threading.RLock()
        self._here = _Here()
        self._idle = deque[sqlite3.Connection]()  # for reading, each in one thread at a time

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._address, uri=True, isolation_level=None, check_same_thread=False)

    def close(self) -> None:
        for db in (*self._idle, self.db):
            db.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if failed := disk_error(self.path, error):
                raise failed from error
            sound = getattr(error, "sqlite_errorname", "").startswith(SOUND)  # it is the disk that is full, say
            remedy = "" if sound else ": restore it from a copy, or ingest into a new folder"
            raise ArchiveError(f"{self.path}: {error}{remedy}") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within happens, or nothing; one within another is part of it."""
        with self.writing():
            if self.db.in_transaction:
                yield
                return
            self._opened()
            with self.translated(), self.db:  # sqlite3 commits at the end, or rolls back
                self.db.execute("BEGIN IMMEDIATE")
                yield

    @contextmanager
    def writing(self, wait: bool = True) -> Iterator[bool]:
        """Let a thread write alone, and read what it wrote; false where another one writes that is not waited for.

        Raises ReadOnly where the file is opened for reading only.
        """
        self.check_writable()
        if not self._lock.acquire(blocking=wait):
            yield False
            return
        try:
            with self._within(self.db):
                yield True
        finally:
            self._lock.release()

    def check_writable(self) -> None:
        """Raise ReadOnly where the file is opened for reading only."""
        if self.read_only:
            raise ReadOnly(f"{self.path} is opened for reading only: nothing in it can be changed")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let a thread read what the archive holds now, whatever others write meanwhile."""
        if self.in_one_state:
            yield
            return
        with self._reader() as db, self._within(db):
            with self.translated():
                db.execute(self.BEGIN)
            try:
                yield
            finally:
                with suppress(self.FAILS):  # where the connection is lost
                    db.rollback()

    @property
    def in_one_state(self) -> bool:
        """Whether this thread is within a snapshot, or writes."""
        return self._here.db is not None

    @contextmanager
    def _within(self, db: sqlite3.Connection) -> Iterator[None]:
        before, self._here.db = self._here.db, db
        try:
            yield
        finally:
            self._here.db = before

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._idle.pop()
        except IndexError:
            db = self._connect()
            db.execute("PRAGMA query_only = ON")
        try:
            yield db
        finally:
            self._idle.append(db)

    def read(self, query: str, *values: object) -> list[Any]:
        """Return the rows of a query."""
        with self.translated(), nullcontext(self._here.db) if self._here.db else self._reader() as db:
            return self._fetch(db, query, values)

    def _fetch(self, db: sqlite3.Connection, query: str, values: Sequence[object]) -> list[Any]:
        return db.execute(query, values).fetchall()

    def rows(self, query: str) -> Iterator[Any]:
        """Yield the rows of a query as they are read; what is no text in them has U+FFFD."""
        with self.translated(), closing(sqlite3.connect(self.path)) as db:
            db.execute("PRAGMA query_only = ON")
            db.create_function("checksum", -1, checksum, deterministic=True)
            db.text_factory = lambda told: told.decode("utf-8", "replace")
            yield from db.execute(query)

    def script(self, path: Path) -> None:
        """Run the statements of a file."""
        with self.translated():
            self.db.executescript(path.read_text("utf-8"))

    @property
    def empty(self) -> bool:
        """Whether nothing was ever written."""
        return self.read("SELECT count(*) FROM sqlite_master") == [(0,)]

    def change(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement for each row of values, within a transaction."""
        with self.translated():
            self.db.executemany(statement, rows)

    def meta(self, key: str) -> str | None:
        rows = self.read("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def set_meta(self, key: str, value: str) -> None:
        with self.transaction():
            self.change(SET_META, [(key, value)])

    # What is derived, and what it still has to do

    FORGET = f"DELETE FROM changes WHERE sequence <= {HELD}"

    def derive(self, names: Iterable[str]) -> None:
        """Keep changes, from now on, until each of these has applied them too."""
        for key in (f"applied:{name}" for name in names):
            if self.meta(key) is None:
                self.set_meta(key, "0")

    def pending(self, name: str, what: str = "passage_id") -> tuple[list[str], int]:
        """Return the passages (or articles: `article_id`) changed since it said `applied`, the last change's number."""
        last = int(self.read(LAST)[0][0])
        mark = int(self.meta(f"applied:{name}") or 0)
        changed = self.read(f"SELECT DISTINCT {what} FROM changes WHERE sequence > ?", mark)
        return [row[0] for row in changed], last

    def applied(self, name: str, sequence: int) -> None:
        """Note that `name` holds every change up to `sequence`, and forget changes that all who are derived hold."""
        with self.transaction():
            self.set_meta(f"applied:{name}", str(sequence))
            self.read(self.FORGET)

    def health(self) -> str | None:
        """Return SQLite's first complaint about the file, or None when it is sound."""
        found = " ".join(str(self.read("PRAGMA integrity_check(1)")[0][0]).split())
        return None if found == "ok" else found
