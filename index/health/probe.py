"""Tries an index in a process of its own, which damage may end or hang."""

import os
import subprocess
import sys
from pathlib import Path

from index.archive import Archive
from index.dense import DenseIndex
from index.lexical import LexicalIndex, torn
from index.shared import is_shared
from index.types import ArchiveError

SECONDS = 600  # that a probe may take: 30,000 passages are compared in some seconds
BLOCK = 1000  # passages that are compared at a time


def probe(name: str, folder: Path, archive: Archive, whole: bool = True) -> int:
    """Open an index, `dense` or `lexical`, and return how many passages it holds; `whole`, compare it with the archive.

    Raises ArchiveError, which says what is wrong, where it does not open or agree: only the child dies of it.
    """
    command = [sys.executable, "-m", "index.health.probe", name, str(folder), "whole" * whole]
    where = os.environ | {"COPYDESK_DATA": archive.address}  # an address may hold a password, commands are seen by all
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=where)
    except subprocess.TimeoutExpired as error:
        raise ArchiveError(f"it did not answer within {SECONDS} s") from error
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["no message"]
        raise ArchiveError(f"it does not open: {lines[-1]} (exit status {result.returncode})")
    return int(result.stdout)


def _try(name: str, folder: Path, address: str, whole: bool) -> int:
    if is_shared(address):
        from index.shared.postgres import Postgres  # a part that need not be installed

    archive = Postgres(address, read_only=True) if is_shared(address) else Archive(Path(address), "ro")
    if name == "lexical" and (why := torn(folder)):
        raise ArchiveError(why)
    return compare(DenseIndex(folder, archive.vectors) if name == "dense" else LexicalIndex(folder), archive, whole)


def compare(index: DenseIndex | LexicalIndex, archive: Archive, whole: bool) -> int:
    """Return how many passages an open index holds. Raises ArchiveError where, on the `whole`, they are others."""
    if isinstance(index, DenseIndex):
        index.walk()
    ids = archive.passage_ids() if whole else []
    for start in range(0, len(ids), BLOCK):
        held = archive.passages(ids[start : start + BLOCK])
        if wrong := index.lacks([*held.values()]):
            raise ArchiveError(f"{wrong} of its passages are not as the archive has them")
    return len(index)


if __name__ == "__main__":
    try:
        print(_try(sys.argv[1], Path(sys.argv[2]), os.environ["COPYDESK_DATA"], bool(sys.argv[3])))
    except ArchiveError as error:
        sys.exit(str(error))
