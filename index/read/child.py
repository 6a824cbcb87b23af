"""Reads files in a process of its own, so that what takes too long or too much, or crashes, ends that file alone."""

import atexit
import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

from index.types import BadInput

SECONDS = 8  # of the processor between two records of a file: of what is no bomb, a page in 1 s at most
MEGABYTES = 512
CODE = 48  # of these, which the system does not count as data
TIRED = 256  # megabytes after which another takes its place: what one file leaves behind, the next would be short of
MEND = "split it, or save it in another format"


class Reading(NamedTuple):
    """The fields of a record, or the BadInput that they are; its place; the ending of what held it; bytes read by then.

    Without a place and an ending it is a remark on the file: its kind and what is told, see `Notes`.
    """

    fields: Any
    place: str = ""
    kind: str = ""
    position: int = 0


class File(NamedTuple):
    """A file to be read, its kind (an ending) and bytes, or why it is not."""

    path: Path
    kind: str
    size: int = 0
    bad: str = ""


class _Child:
    """A process `python -m index.read`: it is told files, one at a time, and tells what they hold, in lines of JSON."""

    def __init__(self) -> None:
        home = {"PYTHONPATH": str(Path(__file__).parents[2]), "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-P", "-m", "index.read"]  # nothing of the working folder is imported
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | home,
            start_new_session=True,
        )  # fmt: skip

    def read(self, path: Path, kind: str) -> Iterator[Reading]:
        """Yield what a file holds. Raises ValueError where it cannot be read, or not to its end."""
        assert self._process.stdin
        assert self._process.stdout
        self.free = False
        self._process.stdin.write(json.dumps([str(path), kind]).encode() + b"\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            said = json.loads(line)
            if "end" in said:
                self.free = said["peak"] < TIRED
                if said["end"]:
                    raise ValueError(said["end"])
                return
            if said:
                bad = said.pop("bad", None)
                yield Reading(**said, fields=BadInput(bad)) if bad else Reading(**said)
        status = self._process.wait()
        if status in (-signal.SIGPROF, -signal.SIGALRM):
            raise ValueError(f"its reading took over {SECONDS} s: {MEND}")
        raise ValueError(f"its reading ended by itself (exit status {status}), for want of memory perhaps: {MEND}")

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


_idle = deque[_Child]()


@atexit.register
def _end() -> None:
    while _idle:
        _idle.pop().end()


def readings(path: Path, kind: str) -> Iterator[Reading]:
    """Yield what a file holds, read by the reader for its kind, an ending. Raises ValueError, in one line."""
    try:
        child = _idle.pop()
    except IndexError:
        child = _Child()
    try:
        yield from child.read(path, kind)
    finally:
        if child.free and not _idle:
            _idle.append(child)
        else:  # it died, or whoever asked does not wait for the end
            child.end()


def held(data: bytes, kind: str) -> Iterator[Reading]:
    """Yield what a file of these bytes holds, as `readings` does."""
    with NamedTemporaryFile(prefix="copydesk-") as copy:
        copy.write(data)
        copy.flush()
        yield from readings(Path(copy.name), kind)


def contents(file: File, data: bytes | None = None) -> Iterator[Reading]:
    """Yield what a file holds, or its `data`, and last why there is nothing or no more of it, where that is so."""
    try:
        if file.bad:
            raise ValueError(file.bad)
        yield from readings(file.path, file.kind) if data is None else held(data, file.kind)
    except ValueError as error:
        yield Reading(BadInput(str(error)))
