"""Opens an archive for reading only."""

import os
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from index.archive import Archive
from index.beyond.served import Served
from index.dense import DenseIndex
from index.encoder import Encoder
from index.health.folders import Folders
from index.lexical import LexicalIndex
from index.lock import share
from index.read import ARCHIVE
from index.scan import Scan
from index.sync import Index, Progress, silent
from index.tables import TABLES
from index.types import ArchiveError, BadInput, Unreachable

TRIES, WAIT_SECONDS = 3, 0.3  # while an index is built again, or what it holds changes
UNREADY = "wait for the process that writes the archive, or run copydesk ingest, which mends it"


class ReadOnlyIndex(Index):
    """An archive as it was at the last batch of whoever writes it; nothing is written, and nobody is kept out.

    Where nothing can be written, on a medium that is read-only say, nobody else may write it meanwhile. Raises
    BadInput for what would change the archive, ArchiveError for one that is of an older format or not complete.
    """

    def __init__(
        self, folder: str | Path, encoder: Encoder | str | None = None, progress: Progress = silent,
        vectors: str | None = None,
    ) -> None:  # fmt: skip
        self._set(folder, encoder, progress)
        path = self.folder / ARCHIVE
        if not path.exists():
            raise ArchiveError(f"no archive at {self.folder}: copydesk ingest makes one")
        # SQLite needs a file for readers of its log. Where it cannot be made, there is no log, unless others write.
        still = not os.access(self.folder, os.W_OK) and not Path(f"{path}-wal").exists()
        self._shared = share(self.folder) if still else None
        self.archive = Archive(path, "ro&immutable=1" if still else "ro")
        try:
            self._check_encoder()
            self._find_homes(vectors)
            rules = (self.archive.meta(f"rules:{table.name}") == table.rules for table in TABLES)
            if self.archive.counts()[0] and not all(rules):
                raise ArchiveError(f"{self.folder} has tables of another version, or none yet: {UNREADY}")
        except (ArchiveError, BadInput):
            self.close()
            raise

    def close(self) -> None:
        for part in self._parts.values():
            if isinstance(part, DenseIndex):
                part.close()
        self.archive.close()
        if self._shared:
            self._shared.close()

    @property
    def encoder(self) -> Encoder:
        self._check_encoder()  # whoever writes may have put another in its place
        return super().encoder

    @property
    def dense(self) -> DenseIndex | Scan:  # type: ignore[override]
        """The server's index, where it holds all that it should; the archive's own vectors where none may open it."""
        home, number = self.homes["dense"], self._number("dense")
        if isinstance(home, Served):
            try:
                if number not in self._parts or self._parts[number].lost:
                    self._parts = {number: home.read(number)}
                part = self._parts[number]
                assert isinstance(part, DenseIndex)
                if len(part) + len(self.archive.pending("dense")[0]) >= self.archive.due("dense"):
                    return part
            except Unreachable:
                raise
            except ArchiveError:  # it is being built again, or there is a copy's
                self._parts.clear()
        return self.scan

    @cached_property
    def lexical(self) -> LexicalIndex:
        """The lexical index as of its last commit."""
        folders = Folders(self.folder, "lexical", self.archive)
        for _ in range(TRIES):
            with suppress(ArchiveError):  # its folder is being replaced
                part = LexicalIndex(folders.at(self._number("lexical")), read_only=True)
                if len(part) + len(self.archive.pending("lexical")[0]) >= self.archive.counts()[1]:
                    return part
            if not self.archive.counts()[1]:
                return LexicalIndex(None)
            time.sleep(WAIT_SECONDS)
        raise ArchiveError(f"the lexical index does not hold every passage: {UNREADY}")

    def catch_up_tables(self) -> None:
        """Leave the tables as they are."""

    def doctor(self, repair: bool = False) -> NoReturn:  # its checks open Chroma
        raise BadInput(f"{self.folder} is opened for reading only: it cannot be checked")
