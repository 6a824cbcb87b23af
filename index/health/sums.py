"""Sums of files that nobody has open, by which damage is noticed, whatever it hit."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from index.types import ArchiveError, translated

BLOCK = 1 << 20  # bytes that are read at a time; 1 GB/s in all
Sum = list[int]  # size in bytes, when it was last changed (ns), CRC-32


class Sums:
    """The sums of one file, or of all files of a folder, kept in a file: forgotten when they are opened to be written.

    A process that is killed leaves none, and nothing is compared then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before = self._read() or {}

    @property
    def kept(self) -> bool:
        return self._read() is not None

    def forget(self) -> None:
        """Note that the files may change from now on. Raises ArchiveError where the folder cannot be written."""
        with translated(ArchiveError, f"{self.path} cannot be removed", OSError):
            self.path.unlink(missing_ok=True)

    def keep(self, files: Path) -> None:
        """Keep the sums of what is closed; what was not written to since the last time is not read."""
        with suppress(OSError):  # without sums, less is noticed
            self._before = {name: _sum(path, self._before.get(name)) for name, path in _files(files).items()}
            new = self.path.with_suffix(".new")
            new.write_text(json.dumps(self._before))
            new.chmod(0o600)
            new.replace(self.path)

    def complaint(self, files: Path) -> str:
        """Return in words which file is not as it was kept, if any; one that was not kept may be there."""
        there = _files(files)
        for name, before in (self._read() or {}).items():
            if name not in there:
                return f"{name} is missing"
            try:
                size, _, found = _sum(there[name])
            except OSError as error:
                return f"{name} cannot be read ({error.strerror})"
            if [size, found] != before[::2]:
                return f"{name} was altered" if size == before[0] else f"{name} has {size} bytes, had {before[0]}"
        return ""

    def _read(self) -> dict[str, Sum] | None:
        with suppress(OSError, ValueError):
            return dict(json.loads(self.path.read_bytes()))
        return None


def _files(top: Path) -> dict[str, Path]:
    """Return a file, or those of a folder, by their names below where it lies."""
    return {path.relative_to(top.parent).as_posix(): path for path in (top, *top.rglob("*")) if path.is_file()}


def _sum(path: Path, before: Sum | None = None) -> Sum:
    stat = path.stat()
    if before and before[:2] == [stat.st_size, stat.st_mtime_ns]:
        return before
    value = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            value = crc32(block, value)
    return [stat.st_size, stat.st_mtime_ns, value]


def complaint_elsewhere(sums: Path, file: Path) -> str:
    """Return what `complaint` does, of a file that SQLite has open: closing it here would lose the locks on it."""
    command = [sys.executable, "-m", "index.health.sums", str(sums), str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    print(Sums(Path(sys.argv[1])).complaint(Path(sys.argv[2])))
