"""Keeps a second process away from an archive that is open, and tells it whom to ask."""

import json
import os
import re
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from index.types import ArchiveError, ArchiveInUse, translated

WAIT_SECONDS = 1.0
ADDRESS = re.compile(r"http://(?:([\w.-]+)|\[([\da-fA-F:]+)\]):\d{1,5}", re.ASCII)


class ArchiveLock:
    """An exclusive lock on an archive's folder, held until `release` or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._owner = folder / "owner.json"
        self._lock = FileLock(folder / "lock")
        with translated(ArchiveError, f"{folder} cannot be written", OSError):
            try:
                self._lock.acquire(timeout=WAIT_SECONDS)
            except Timeout as error:
                holder, address = self._holder()
                serving = f", serving at {address}" if address else ""
                message = f"the archive {folder} is in use by {holder}{serving}: stop it or wait for it"
                raise ArchiveInUse(message, address) from error
            self.announce(None)

    def _holder(self) -> tuple[str, str | None]:
        """Return who holds the archive, and where it answers; whatever else stands in the file is not believed."""
        owner: Any = None
        with suppress(OSError, ValueError, RecursionError):  # the other process may be about to write it, or to end
            owner = json.loads(self._owner.read_text())
        pid, address = map(owner.get, ("pid", "address")) if isinstance(owner, dict) else (None, None)
        served = ADDRESS.fullmatch(address) if isinstance(address, str) else None
        here = served and _is_here(served[1] or served[2])
        return f"process {pid}" if type(pid) is int else "another process", address if here else None

    def announce(self, address: str | None) -> None:
        """Write down who holds the archive, and the http address it answers on while it serves."""
        self._owner.write_text(json.dumps({"pid": os.getpid(), "address": address}))

    def release(self) -> None:
        self._owner.unlink(missing_ok=True)
        self._lock.release()


def _is_here(host: str) -> bool:
    """Tell whether an address is this machine's own: questions, and with them the token, go nowhere else."""
    with suppress(OSError, UnicodeError):
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
        return True
    return False
