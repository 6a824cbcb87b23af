"""Where an index lies: a folder beside the archive, whose files are compared with their sums before they are used."""

import shutil
from pathlib import Path

from index.archive import Archive
from index.dense import DenseIndex
from index.health.probe import probe
from index.health.sums import Sums
from index.lexical import LexicalIndex
from index.types import ArchiveError, translated

Part = DenseIndex | LexicalIndex


class Folders:
    """The folders NAME-1, NAME-2 … of which an index, `dense` or `lexical`, has one; built again, it has the next."""

    def __init__(self, folder: Path, name: str, archive: Archive) -> None:
        self._folder, self._name, self._archive = folder, name, archive
        self._sums = Sums(folder / f"{name}.sums")

    def at(self, number: str) -> Path:
        return self._folder / f"{self._name}-{number}"

    def next(self, number: str) -> str:
        """Return a number that no folder has had: Chroma remembers what it had open under a path."""
        held = (folder.name.rpartition("-")[2] for folder in self._folder.glob(f"{self._name}-[0-9]*"))
        return str(1 + max(map(int, filter(str.isdecimal, [number, *held]))))

    def sweep(self, number: str | None = None) -> None:
        """Remove what is left of the index in other folders than this one."""
        for folder in {*self._folder.glob(f"{self._name}-[0-9]*")} - {self.at(number or "")}:
            shutil.rmtree(folder, ignore_errors=True)

    def complain(self, number: str) -> None:
        """Raise ArchiveError where a file is not as it was when it was closed."""
        if self.at(number).exists() and (why := self._sums.complaint(self.at(number))):
            raise ArchiveError(why)

    def open(self, number: str) -> Part:
        """Open the index. Raises ArchiveError where it is damaged, and has to be built again."""
        if why := self._sums.complaint(self.at(number)):  # all of them may be gone
            raise ArchiveError(why)
        if self._name == "dense" and self.at(number).exists() and not self._sums.kept:  # the last process was killed
            probe(self._name, self.at(number), self._archive, whole=False)
        return self.make(number)

    def make(self, number: str) -> Part:
        folder = self.at(number)
        self._sums.forget()  # Chroma writes when it opens, too
        with translated(ArchiveError, f"{folder} cannot be written", OSError):
            folder.mkdir(0o700, exist_ok=True)
            folder.chmod(0o700)
        return LexicalIndex(folder) if self._name == "lexical" else DenseIndex(folder, self._archive.vectors)

    def held(self, number: str, whole: bool) -> int:
        """Return how many passages a closed index holds, see `probe`."""
        if not self.at(number).exists():
            return 0
        self._sums.forget()
        held = probe(self._name, self.at(number), self._archive, whole)
        self.keep(number)  # Chroma wrote when it was opened
        return held

    def keep(self, number: str) -> None:
        """Keep the sums of an index that is closed."""
        self._sums.keep(self.at(number))
