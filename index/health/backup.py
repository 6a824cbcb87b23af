"""Copies of an archive in one file: a zip of its SQLite files, with what stands beside them and is not derived."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from struct import error as StructError  # noqa: N812
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812

from index.archive import SCHEMA_VERSION, SCRIPTS
from index.health.files import TALKS, USERS
from index.lock import ArchiveLock
from index.read import ARCHIVE
from index.types import ArchiveError, BadInput, translated

ABOUT = "copydesk.json"  # when a backup was made, and of how many articles
NAMES = ARCHIVE, TALKS, USERS
COUNTED = {ARCHIVE: "articles", TALKS: "talks"}  # what an SQLite file holds
PAGES = 5000  # of 4 kB, copied between two signs of progress
BLOCK = 1 << 20  # bytes
MEND = "copydesk doctor says what is wrong with it"
# What zipfile, json and sqlite3 raise of files that are none of ours.
FOREIGN = (
    BadZipFile, StructError, ZlibError, EOFError, LookupError, RuntimeError, TypeError, ValueError, sqlite3.Error,
)  # fmt: skip

Progress = Callable[[str, float], None]
Report = dict[str, str | int]


@dataclass(frozen=True)
class _About:
    """What a backup says of itself: when it was made, and of what."""

    made: str
    articles: int
    files: list[str]


def backup(folder: Path, file: Path, progress: Progress) -> Report:
    """Copy an archive as it is now into one file, also while others read or write it; return its name and sizes.

    It is written whole or not at all, mode 0600, in place of an earlier backup only. Raises BadInput for a name that
    cannot be used, ArchiveError for an archive that cannot be copied.
    """
    if not (folder / ARCHIVE).exists():
        raise BadInput(f"no archive at {folder}: --data names another")
    if file.exists():
        _about(file)  # nothing else is written over
    with (
        translated(BadInput, f"{file} cannot be written", OSError, mend="name one in a folder that is there and yours"),
        TemporaryDirectory(dir=file.parent, prefix=".copydesk-") as work,
    ):
        new = Path(work) / "new"
        with ZipFile(new, "w", ZIP_DEFLATED, compresslevel=1) as zipped:
            articles = 0
            for name in (name for name in (ARCHIVE, TALKS) if (folder / name).exists()):
                with translated(ArchiveError, f"{folder / name} cannot be copied", sqlite3.Error, mend=MEND):
                    _copy(folder / name, Path(work) / name, progress)
                    articles = articles or _count(Path(work) / name)
                zipped.write(Path(work) / name, name)
                (Path(work) / name).unlink()
            if (folder / USERS).exists():
                zipped.write(folder / USERS, USERS)
            about = _About(datetime.now(UTC).isoformat(timespec="seconds"), articles, zipped.namelist())
            zipped.writestr(ABOUT, json.dumps(asdict(about)))
        new.chmod(0o600)
        with new.open("rb") as written:
            os.fsync(written.fileno())
        new.replace(file)
        return {"file": str(file), "articles": articles, "bytes": file.stat().st_size}


def restore(folder: Path, file: Path, progress: Progress) -> Report:
    """Make an archive of a backup; its indexes are built when it is opened. Return its file's name and sizes.

    Everything is read and checked before anything is put in its place, the archive last. Raises BadInput for a file
    that is no backup or is damaged, and where the folder holds an archive already; ArchiveInUse, ArchiveError.
    """
    about, made = _about(file), not folder.exists()
    with translated(ArchiveError, f"{folder} cannot be written", OSError):
        folder.mkdir(0o700, parents=True, exist_ok=True)
        lock = ArchiveLock(folder)
        try:
            for name in NAMES:
                _refuse_to_replace(folder / name)
            with TemporaryDirectory(dir=folder, prefix=".restore-") as work:
                _unpack(file, Path(work), about, progress)
                for derived in (*folder.glob("dense-[0-9]*"), *folder.glob("lexical-[0-9]*")):
                    shutil.rmtree(derived, ignore_errors=True)
                for beside in (*folder.glob("*.sqlite3-*"), *folder.glob("*.sums")):  # of what is replaced
                    beside.unlink()
                for name in (name for name in reversed(NAMES) if name in about.files):
                    os.replace(Path(work) / name, folder / name)
        except BaseException:  # Ctrl-C too leaves nothing behind
            if made:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            lock.release()
    return {"file": str(file), "articles": about.articles, "bytes": file.stat().st_size}


def _copy(path: Path, copy: Path, progress: Progress) -> None:
    """Copy an SQLite file in one state, whoever writes to it meanwhile, and check what was copied."""
    with closing(sqlite3.connect(path)) as source:
        source.executescript("PRAGMA query_only = ON; BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it is one state
        with closing(sqlite3.connect(copy)) as target:

            def tell(_: int, left: int, total: int) -> None:
                progress(f"backup of {path.name}", 1 - left / (total or 1))

            source.backup(target, pages=PAGES, progress=tell)
            if (found := target.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(found)


def _count(path: Path) -> int:
    """Return how many articles or conversations a closed file holds. Raises sqlite3.Error for one that holds none."""
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute(f"SELECT count(*) FROM {COUNTED[path.name]}").fetchone()[0])


def _about(file: Path) -> _About:
    """Return what a backup says of itself, where it holds just the files that it names, and they are ours."""
    unread = translated(BadInput, f"{file} cannot be read", OSError, mend="give the path of a backup")
    with _readable(file), unread, ZipFile(file) as zipped:
        about = _About(**json.loads(zipped.read(ABOUT)))
        if {*zipped.namelist()} != {*about.files, ABOUT} or not {ARCHIVE} <= {*about.files} <= {*NAMES}:
            raise ValueError("it holds other files")
        return about


def _unpack(file: Path, work: Path, about: _About, progress: Progress) -> None:
    """Write a backup's files into a folder, and check that they are what they were."""
    with _readable(file), ZipFile(file) as zipped:
        for name in about.files:
            size, done = zipped.getinfo(name).file_size, 0
            with zipped.open(name) as source, (work / name).open("xb") as target:
                while block := source.read(BLOCK):  # to the end, where the zip's own checksum is compared
                    target.write(block)
                    progress(f"restore {name}", min(1.0, (done := done + len(block)) / size))
                os.fsync(target.fileno())
        with closing(sqlite3.connect(work / ARCHIVE)) as db:
            [found] = db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        if found not in {*SCRIPTS, SCHEMA_VERSION}:
            raise ValueError(f"its format is {found}, this version reads {SCHEMA_VERSION}")
        if _count(work / ARCHIVE) != about.articles:
            raise ValueError("articles are missing")


def _refuse_to_replace(path: Path) -> None:
    """Raise BadInput where a file holds something that a backup would replace."""
    try:
        held = path.exists() and path.stat().st_size and (path.name == USERS or _count(path))
    except sqlite3.Error:
        held = True
    if held:
        raise BadInput(f"{path} is there already: name another --data, or move it away")


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Say of whatever else than the disk goes wrong with a backup's file that it cannot be used."""
    try:
        yield
    except FOREIGN as error:
        raise BadInput(f"{file} is no backup of an archive, or it is damaged ({error}): name another") from error
