"""Keeps a second process away from an archive that is open, and tells it whom to ask."""

import json
import os
import re
import socket
from contextlib import ExitStack, suppress
from errno import EISDIR, ELOOP, ENXIO
from fcntl import LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from index.types import ArchiveError, ArchiveInUse, disk_error

WAIT_SECONDS = 1.0
ADDRESS = re.compile(r"http://(?:([\w.-]+)|\[([\da-fA-F:]+)\]):\d{1,5}", re.ASCII)
OWNER_BYTES = 10_000


class ArchiveLock:
    """An exclusive lock on an archive's folder, held until `release` or until the process ends, however it ends.

    Whatever stands in place of its two files, nothing beyond them is read or written.
    """

    def __init__(self, folder: Path, wait: float = WAIT_SECONDS) -> None:
        self._owner = folder / "owner.json"
        self._lock = FileLock(folder / "lock")
        try:
            self._lock.acquire(timeout=wait)
            self.announce(None)
        except Timeout as error:
            holder, address = self._holder()
            serving = f", serving at {address}" if address else ""
            message = f"the archive {folder} is in use by {holder}{serving}: stop it or wait for it"
            raise ArchiveInUse(message, address, holder) from error
        except OSError as error:
            self._lock.release()
            place, odd = error.filename2 or error.filename or folder, error.errno in (EISDIR, ELOOP, ENXIO)
            message = f"{place} cannot be written: {error.strerror}{'; remove it' if odd else ''}"
            raise disk_error(folder, error) or ArchiveError(message) from error
        HELD.add(self)

    def _holder(self) -> tuple[str, str | None]:
        """Return who holds the archive, and where it answers; whatever else stands in the file is not believed."""
        owner: Any = None
        with suppress(OSError, ValueError, RecursionError), open(self._owner, "rb", opener=_open) as file:
            owner = json.loads(file.read(OWNER_BYTES))  # the other process may be about to write it, or to end
        pid, address = map(owner.get, ("pid", "address")) if isinstance(owner, dict) else (None, None)
        served = ADDRESS.fullmatch(address) if isinstance(address, str) else None
        here = served and _is_here(served[1] or served[2])
        return f"process {pid}" if type(pid) is int else "another process", address if here else None

    def announce(self, address: str | None) -> None:
        """Write down who holds the archive, and the http address it answers on while it serves."""
        written = self._owner.with_name("owner.json.new")
        written.unlink(missing_ok=True)  # of a process that was killed
        with open(written, "x", opener=_open) as file:
            json.dump({"pid": os.getpid(), "address": address}, file)
        written.replace(self._owner)

    def release(self) -> None:
        HELD.discard(self)
        with suppress(OSError):  # something else stands there now
            self._owner.unlink(missing_ok=True)
        self._lock.release()


HELD = set[ArchiveLock]()  # by this process


def withdraw() -> None:
    """Take back what this process has announced, which is about to end."""
    for lock in HELD:
        with suppress(OSError):
            lock._owner.unlink(missing_ok=True)


def _open(path: str, flags: int) -> int:
    """Open a file: no link, and nothing, such as a pipe, that lets one wait."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)


def share(folder: Path) -> BinaryIO | None:
    """Keep writers out, not readers, until the result is closed; None where there is no lock, or it is held."""
    with suppress(OSError), ExitStack() as opened:
        lock = opened.enter_context(open(folder / "lock", "rb", opener=_open))
        flock(lock, LOCK_SH | LOCK_NB)
        opened.pop_all()
        return lock
    return None


def _is_here(host: str) -> bool:
    """Tell whether an address is this machine's own: questions, and with them the token, go nowhere else."""
    with suppress(OSError, UnicodeError):
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
        return True
    return False
