"""Keeps a second process away from an archive that is open, and tells it whom to ask."""

from __future__ import annotations

import json
import os
from pathlib import Path

from filelock import FileLock, Timeout

from index.types import ArchiveError, ArchiveInUse

WAIT_SECONDS = 1.0


class ArchiveLock:
    """An exclusive lock on an archive's folder, held until `release` or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._owner = folder / "owner.json"
        self._lock = FileLock(folder / "lock")
        try:
            self._lock.acquire(timeout=WAIT_SECONDS)
        except Timeout as error:
            raise self._in_use(folder) from error
        except OSError as error:
            raise ArchiveError(f"{folder} cannot be written: {error.strerror or error}") from error
        self.announce(None)

    def announce(self, address: str | None) -> None:
        """Write down who holds the archive, and the http address it answers on while it serves."""
        self._owner.write_text(json.dumps({"pid": os.getpid(), "address": address}))

    def release(self) -> None:
        self._owner.unlink(missing_ok=True)
        self._lock.release()

    def _in_use(self, folder: Path) -> ArchiveInUse:
        try:
            owner = json.loads(self._owner.read_text())
        except (OSError, ValueError):
            owner = {}
        address = owner.get("address")
        holder = f"process {owner.get('pid', 'unknown')}" + (f", serving at {address}" if address else "")
        return ArchiveInUse(f"the archive {folder} is in use by {holder}: stop it or wait for it", address)
