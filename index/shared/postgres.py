"""One PostgreSQL database that many threads of many machines read, and one at a time writes."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from select import POLLIN, poll
from socket import gethostname
from typing import Any, cast

from index.archive import Archive
from index.database import HELD, LAST, SET_META
from index.shared.sql import postgres
from index.sync import PARTS
from index.types import ArchiveError, BadInput, DiskError, digest, shown, translated

try:
    import psycopg
    import psycopg.types.string
    from psycopg.conninfo import conninfo_to_dict
    from psycopg.pq import TransactionStatus
except ImportError as error:
    raise BadInput("an archive in PostgreSQL needs a driver: pip install 'copydesk[postgres]'") from error

WRITER = 0x636F7079  # the advisory lock of who writes; each database has its own
IDLE = TransactionStatus.IDLE
MOST = 8  # connections that are kept for reading
OURS = *PARTS, "id", "opened", "vectors"  # what is noted of them is each machine's own
DAYS = 30  # after which a machine that was not seen is gone, and builds its indexes anew where it comes back
OWN = Path(__file__).with_name("postgres.sql")
MADE_BY = OWN, OWN.parents[1] / "schema.sql", OWN.parents[1] / "indexes.sql"
STATE = f"""SELECT ({LAST}), (SELECT value FROM meta WHERE key = 'encoder'),
    (SELECT value FROM meta WHERE key = 'forgotten')"""
# Forget changes, and note up to which: a machine that has not applied those builds its indexes anew.
FORGET = f"""WITH gone AS (DELETE FROM changes WHERE sequence <= {HELD} RETURNING sequence)
    INSERT INTO meta SELECT 'forgotten', CAST(max(sequence) AS TEXT) FROM gone HAVING count(*) > 0
    ON CONFLICT (key) DO UPDATE SET value = excluded.value"""
LEAVE = """WITH gone AS (DELETE FROM meta WHERE key LIKE 'seen:%' AND value < ? RETURNING substr(key, 6) AS machine)
    DELETE FROM meta USING gone WHERE key LIKE 'applied:%' AND split_part(key, '@', 2) = machine"""
# What a machine that lost its network is told by: the server frees its lock, a reader asks no more.
ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "connect_timeout": 10}
SETTINGS = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
# How to mend what a server says, by its words.
MENDS = {
    r"password|authentication|no pg_hba": "name the user in the address, the password in PGPASSWORD or ~/.pgpass",
    r"invalid \w+ value": "give postgresql://HOST/DB",
    r"database .* does not exist": "createdb makes it",
    r"role .* does not exist": "createuser makes it",
    r"permission denied": "let its owner GRANT that to the user of the address",
    r"has no equivalent": "createdb --encoding UTF8 --template template0 makes one that holds all scripts",
    r"No space left|could not extend": "make room on the server's disk, and run it again; what was written stays",
    r"": "see that the server runs and is reached, and try again; what was written stays",
}


class _Text(psycopg.adapt.Dumper):
    """Texts, of a type that the server need not guess; it takes no NUL, in whose place is one character too."""

    oid = psycopg.postgres.types["text"].oid

    def dump(self, obj: str) -> bytes:
        return obj.replace("\0", "\N{REPLACEMENT CHARACTER}").encode()


class Postgres(Archive):
    """An archive at an address, postgresql://USER@HOST/DB, whose password is in no message.

    Several threads may use it, as they do a `Database`. Who writes does so alone among all machines: `writing` holds an
    advisory lock of its connection, which the server frees where that is lost, and rolls back what was begun.
    """

    BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    FAILS, FORGET = psycopg.Error, FORGET

    def __init__(self, address: str, read_only: bool = False) -> None:
        """Open a database, and make the archive's tables where there are none."""
        self._reach(address, read_only)
        made = digest("".join(path.read_text("utf-8") for path in MADE_BY), 8)
        if read_only:
            self._prepare()
        elif self.empty or self.meta("made") != made:
            with self.transaction():  # alone: others may open it, too
                self._prepare()
                self.set_meta("made", made)
                if not self.meta("archive"):
                    self.set_meta("archive", token_hex(8))

    # Connections

    def _reach(self, address: str, read_only: bool = False) -> None:
        where = "it is no address of a database: give postgresql://HOST/DB"
        try:
            self._given = conninfo_to_dict(address)
        except psycopg.Error as error:
            raise BadInput(f"{shown(address)[:100]}: {where}") from error
        # It is told in messages where a file has its path.
        self._start(cast(Path, shown(address)), read_only)
        self.address = address
        self.notes = dict[str, str]()  # of the indexes of this machine, which are no part of the archive
        self._noted: Path | None = None
        with self.translated():
            self.db = self._connect()

    def _connect(self) -> Any:
        given: dict[str, Any] = ALIVE | self._given | {"application_name": "copydesk", "client_encoding": "utf8"}
        db = psycopg.connect(autocommit=True, cursor_factory=psycopg.RawCursor, **given)
        db.adapters.register_dumper(str, _Text)
        db.execute(SETTINGS)
        return db

    @contextmanager
    def translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            mend = next(mend for words, mend in MENDS.items() if re.search(words, str(error)))
            said = str(error).partition("\n")[0]  # what follows are guesses, and each host that was tried
            raise ArchiveError(f"{self.path}: {said}; {mend}") from error

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        with self.translated():
            db = next(self._idling(), None) or self._connect()
        try:
            yield db
        finally:
            if db.info.transaction_status == IDLE and len(self._idle) < MOST:
                self._idle.append(db)
            else:
                db.close()

    def _idling(self) -> Iterator[Any]:
        with suppress(IndexError):
            while True:
                if _lives(db := self._idle.pop()):
                    yield db

    # What is read and written

    @contextmanager
    def writing(self, wait: bool = True) -> Iterator[bool]:
        """Let a thread write alone among all machines, as `Database.writing` does among threads."""
        self.check_writable()
        if not self._lock.acquire(blocking=wait):
            yield False
            return
        try:
            if self._here.db is self.db:
                yield True
            elif not self._hold(wait):
                yield False
            else:
                try:
                    with self._within(self.db):
                        yield True
                finally:
                    with suppress(psycopg.Error):  # the server has freed it, where the connection is lost
                        self.db.execute("SELECT pg_advisory_unlock($1)", [WRITER])
        finally:
            self._lock.release()

    def _hold(self, wait: bool) -> bool:
        with self.translated():
            if not _lives(self.db):
                self.db = self._connect()
            lock = "pg_advisory_lock($1) IS NOT NULL" if wait else "pg_try_advisory_lock($1)"
            return bool(self.db.execute(f"SELECT {lock}", [WRITER]).fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.writing():
            if self.db.info.transaction_status != IDLE:
                yield
                return
            with self.translated(), self.db.transaction():
                yield

    def read(self, query: str, *values: object) -> list[Any]:
        if not self._here.db:
            try:
                with self._reader() as db:
                    return self._fetch(db, query, values)
            except psycopg.OperationalError:  # That connection was lost, and with it those that wait: once more.
                with suppress(IndexError):
                    while True:
                        self._idle.pop().close()
        return super().read(query, *values)

    def _fetch(self, db: Any, query: str, values: Sequence[object]) -> list[Any]:
        cursor = db.execute(postgres(query), values or None, binary=True)
        return cursor.fetchall() if cursor.description else []

    def change(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        with self.translated():
            self.db.cursor().executemany(postgres(statement), rows)

    def script(self, path: Path) -> None:
        with self.translated():
            self.db.execute(postgres(path.read_text("utf-8")))
            if path.name == "schema.sql":
                self.db.execute(OWN.read_text("utf-8"))

    @property
    def empty(self) -> bool:
        return self.read("SELECT to_regclass('meta') IS NULL") == [(True,)]

    def run(self, query: str, *values: object) -> list[Any]:
        """Run one statement as a transaction of its own, whatever its thread reads: of what is no article."""
        with self.translated(), self._reader() as db:
            return self._fetch(db, query, values)

    def make(self, script: str) -> None:
        """Make tables where they are not there, one process at a time."""
        with self.translated(), self._reader() as db:
            db.execute(f"SELECT pg_advisory_xact_lock({WRITER + 1}); {postgres(script)}")

    # What is derived, here and on other machines

    def meta(self, key: str) -> str | None:
        return self.notes.get(key) if key.rpartition(":")[2] in OURS else super().meta(key)

    def set_meta(self, key: str, value: str) -> None:
        if key.rpartition(":")[2] not in OURS:
            super().set_meta(key, value)
            return
        assert self._noted
        self.notes[key] = value
        new = self._noted.with_suffix(".new")
        with translated(DiskError, f"{self._noted} cannot be written", OSError):
            new.write_text(json.dumps(self.notes))
            new.replace(self._noted)

    def note_in(self, folder: Path) -> None:
        """Keep what is known of this machine's indexes in their folder."""
        self._noted = folder / "notes.json"
        with suppress(OSError, ValueError):
            self.notes = dict(json.loads(self._noted.read_bytes()))
        self.notes.setdefault("machine", f"{gethostname()}-{token_hex(4)}")

    def state(self) -> tuple[int, str, int]:
        """Return the number of the last change, the encoder, and the last change that is not there any more."""
        [(last, encoder, gone)] = self.read(STATE)
        return int(last), encoder or "", int(gone or 0)

    def applied(self, name: str, sequence: int) -> None:
        if name not in PARTS:
            super().applied(name, sequence)
            return
        self.set_meta(f"applied:{name}", str(sequence))
        self.register(name, sequence)

    def register(self, name: str, sequence: int) -> None:
        """Tell the others that this machine's index needs the changes after one."""
        self.run(SET_META, f"applied:{name}@{self.notes['machine']}", str(sequence))
        self.be_seen()

    def be_seen(self) -> None:
        """Note that this machine is there, and keep changes no longer for those that are gone for long."""
        now = datetime.now(UTC)
        if "machine" in self.notes:
            self.run(SET_META, f"seen:{self.notes['machine']}", now.isoformat(timespec="seconds"))
        self.run(LEAVE, (now - timedelta(days=DAYS)).isoformat(timespec="seconds"))


def _lives(db: Any) -> bool:
    """Tell whether an idle connection is one still: the server says something on it only where it ends it."""
    if not db.closed:
        told = poll()
        told.register(db.fileno(), POLLIN)
        if not told.poll(0):
            return True
        db.close()
    return False


def holds(address: str) -> bool:
    """Tell whether a database has an archive."""
    archive = Postgres.__new__(Postgres)
    archive._reach(address)
    try:
        return not archive.empty
    finally:
        archive.close()
