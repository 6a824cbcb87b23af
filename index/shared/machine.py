"""One machine of several that share an archive: its two indexes, in a folder of its own, follow what any writes."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from itertools import count
from pathlib import Path
from threading import Event, RLock, Thread

from index.beyond.served import FOLDER, Served, place
from index.encoder import Encoder, Vectors, full_name
from index.health.folders import Part
from index.health.rows import Damage, Health
from index.shared.postgres import Postgres
from index.sync import PARTS, Index, Progress, name_of, silent
from index.tables import TABLES
from index.types import ArchiveInUse, Article, CopydeskError, Unreachable, digest

SECOND = 1.0  # between two looks at what others wrote; how long a question waits for another thread that applies it
DAY = 86_400  # looks
NEVER = "-1"  # applied by an index that is being built


def caches() -> Path:
    """Return the folder below which indexes are kept where nobody says otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "copydesk"


class SharedIndex(Index):
    """An archive in PostgreSQL, and this process's own indexes of it, which are opened when they are first searched.

    They lie in a folder below `cache` named after the archive, or beside it where another process has that one. Who
    ingests needs none: what it wrote, others apply within a second, or before their next question.
    """

    archive: Postgres
    yields = False  # whether a service that runs here is asked in place of building indexes beside its own

    def __init__(
        self, address: str, encoder: Encoder | str | None = None, progress: Progress = silent,
        cache: str | Path | None = None, read_only: bool = False, vectors: str | None = None,
    ) -> None:  # fmt: skip
        self._set("", encoder, progress)
        self._vectors = vectors
        server = place(vectors or FOLDER)  # what is none is told now, not when it is used
        self._ours, self._ended = RLock(), Event()
        self._thread: Thread | None = None  # where a folder is taken
        self._seen: object = None  # the archive's state that is applied here
        self.archive = Postgres(address, read_only)
        self.homes |= {"dense": Served(server, self.archive)} if server else {}  # until its folder is taken
        try:
            if not read_only:
                self.archive.be_seen()
                self.archive.derive(table.name for table in TABLES)
            with self.archive.transaction() if self._is_new() else nullcontext():  # two may open it at a time
                self._check_encoder()
            self.base = Path(cache or caches()).expanduser() / digest(self.archive.meta("archive") or "", 8)
            self.folder = self.base
        except CopydeskError:
            self.archive.close()
            raise

    def _is_new(self) -> bool:
        return not (self.archive.read_only or self.archive.meta("encoder"))

    def suit(self, articles: Sequence[Article]) -> None:
        with self.archive.transaction() if self._is_new() else nullcontext():
            super().suit(articles)
        self._check_encoder()  # another machine may have been first

    def close(self) -> None:
        """Close everything, and let another process have this one's folder."""
        self._ended.set()
        if self._thread:
            self._thread.join(5 * SECOND)
        with ExitStack() as last:
            if self._thread:
                last.callback(self.lock.release)
            last.callback(self.archive.close)
            self._close_parts()

    def use_folder(self) -> None:
        """Take a folder that no other process has, and follow in it, from now on, what others write."""
        with self._ours:
            for number in () if self._thread else count(1):
                try:
                    self._take(self.base.with_name(f"{self.base.name}-{number}"), wait=0)
                except ArchiveInUse as error:
                    if self.yields and error.address:
                        raise
                    continue
                with ExitStack() as failing:
                    failing.callback(self.lock.release)
                    self.archive.note_in(self.folder)
                    self._find_homes(self._vectors)
                    self.archive.be_seen()
                    failing.pop_all()
                self._thread = Thread(target=self._follow, name="follow", daemon=True)
                self._thread.start()
                return

    def _follow(self) -> None:
        for look in count(1):
            if self._ended.wait(SECOND):
                return
            with suppress(CopydeskError):  # who asks is told
                self.refresh()
                if look % DAY == 0:
                    self.archive.be_seen()

    def refresh(self) -> None:
        """Apply what others wrote to the tables, and to the indexes that are open: nothing new costs one query."""
        state = self.archive.state()
        if state == self._seen:
            return
        if not self.archive.read_only:
            self.catch_up_tables()
        if not self._ours.acquire(timeout=SECOND):
            return
        try:
            for name in [*self._parts]:
                with suppress(Unreachable):  # who searches is told
                    self._part(name)
            self._seen = state
        finally:
            self._ours.release()

    def catch_up(self) -> None:
        """Apply to the tables what the archive holds; indexes follow when they are searched."""
        self.catch_up_tables()

    def _part(self, name: str) -> Part:
        """Return an index, which within a snapshot stays as it is."""
        if name in self._parts and self.archive.in_one_state and not self._parts[name].lost:
            return self._parts[name]
        with self._ours:
            self.use_folder()
            if name not in self._parts or self._parts[name].lost:
                self._parts[name] = self._open(name)
            elif self._lost(name):
                before, self._parts[name] = self._parts[name], self._rebuild(name)
                if name == "dense":
                    before.close()  # type: ignore[union-attr]
            else:
                self._catch_up(name, self._parts[name])
            return self._parts[name]

    def _open(self, name: str) -> Part:
        return self._rebuild(name) if self._lost(name) else super()._open(name)

    def _lost(self, name: str) -> bool:
        """Tell whether an index cannot follow: changes were forgotten, or the archive has another encoder."""
        last, encoder, gone = self.archive.state()
        if full_name(encoder) != name_of(self._encoder):
            self._check_encoder()
        mark = self.archive.meta(f"applied:{name}")
        other = name == "dense" and self.archive.meta("encoder:dense") != encoder
        return mark is None or not gone <= int(mark) <= last or other

    def _agrees(self, name: str, part: Part) -> bool:
        with self.archive.snapshot():  # others write meanwhile
            return super()._agrees(name, part)

    def _rebuild(self, name: str) -> Part:
        last, encoder, _ = self.archive.state()
        self.archive.register(name, last)  # from here on changes are kept for it
        self.archive.set_meta(f"applied:{name}", NEVER)  # where it is cut off, it begins anew
        part = super()._rebuild(name)
        if self.archive.meta(f"applied:{name}") == NEVER:  # there was nothing to apply
            self.archive.applied(name, last)
        if name == "dense":
            self.archive.set_meta("encoder:dense", encoder)
        return part

    def exchange(
        self, encoder: Encoder, vectors: Callable[[Sequence[str]], Vectors], switch: Callable[[], None],
        alone: Callable[[], AbstractContextManager[object]],
    ) -> None:  # fmt: skip
        with self._ours:
            self._part("dense")
            self.archive.set_meta("encoder:dense", "")  # where it is cut off, it is built anew
            super().exchange(encoder, vectors, switch, alone)
            self.archive.set_meta("encoder:dense", encoder.name)

    def _examine(self) -> tuple[Damage, str]:
        return Damage(), ""

    def doctor(self, repair: bool = False) -> Health:
        """Check this machine's indexes and the tables, while nobody writes; the database is PostgreSQL's to check."""
        for name in PARTS:
            if self.archive.meta(f"applied:{name}") is None:  # it was never needed here
                self._part(name)
        with self.archive.writing(), self._ours:  # in this order everywhere
            return super().doctor(repair)
