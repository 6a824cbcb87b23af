"""Keeps an archive in step with folders, feeds, sitemaps and pages: one loop, in the thread of who asks for it."""

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from index.ingest import IngestReport
from index.read import Found
from index.read.article import Known
from index.read.notes import Notes
from index.read.zipped import SKIPPED
from index.sources import Visit
from index.sources.changes import POLL, Changes
from index.sources.fetch import Client, Later
from index.sources.watched import LOCAL, Source, Sources, stamp
from index.types import ArchiveError, BadInput, Rejected

DAY = 86_400.0
MINUTES = {"feed": 15, "folder": 1440, "file": 1440}  # between two looks; of a folder the system tells what changes
USUAL, SLOWER = 60, 1.5  # minutes, of any other; by how much longer it is while nothing changes
RETRY = 300.0  # seconds after a first failure
BATCH = 50  # items of a visit that are stored together
KEPT = 20  # rejections of a source
ONCE = 60.0  # seconds for which files that are being written are waited for
Ingest = Callable[..., IngestReport]


@dataclass
class Looked:
    """What a look at a source brought: numbers of articles, what could not be used, why it failed, what to know."""

    address: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    failure: str = ""
    remark: str = ""

    def take(self, report: IngestReport) -> None:
        self.added, self.changed = self.added + report.added, self.changed + report.changed
        self.removed, self.rejected = self.removed + report.removed, self.rejected + report.rejected
        self.remark = report.late or self.remark


def utc() -> datetime:
    return datetime.now(UTC)


class Watch:
    """Looks at the sources of an archive when they are due or the system tells that they changed.

    `ingest` is what `index.ingest.ingest` does with its index. No failing source keeps others waiting, and none
    is given up. With `once`, those that are due are looked at, and that is all. `pause` is how many seconds a round
    waits for changes, and between two requests to a host.
    """

    def __init__(
        self, sources: Sources, ingest: Ingest, ours: str, stop: Event, once: bool = False,
        clock: Callable[[], datetime] = utc, pause: float = 1.0,
    ) -> None:  # fmt: skip
        self._sources, self._ingest, self._stop, self._once, self._clock = sources, ingest, stop, once, clock
        self._pause, self._changes = pause, Changes(stop, ours, pause)

    def looks(self) -> Iterator[Looked]:
        """Look, and yield what each look brought, until `stop` is set."""
        ends = time.monotonic() + ONCE
        while not self._stop.is_set():
            known = self._sources.known()
            anew = self._changes.follow(address for address, kind, _ in known if kind in LOCAL)
            quiet, now = self._changes.quiet(), stamp(self._clock())
            clients = dict[bool, Client]()  # of this round, which ask for robots.txt anew
            for address, kind, due in known:
                changed = {path for path in quiet if _within(path, address)} if kind in LOCAL else set()
                whole = address in anew | changed or not due or due <= now
                if (whole or changed) and not self._stop.is_set() and (source := self._sources.get(address)):
                    looked = self._look(source, None if whole else changed, clients)
                    if whole or looked != Looked(address):
                        yield looked
            if self._once and (not self._changes.pending or time.monotonic() > ends):
                return

    def _look(self, source: Source, changed: set[str] | None, clients: dict[bool, Client]) -> Looked:
        looked, failed = Looked(source.address), None
        try:
            try:
                if source.kind in LOCAL:
                    self._read(source, changed, looked)
                else:
                    if (private := bool(source.state.get("private"))) not in clients:
                        clients[private] = Client(private, self._pause)
                    self._visit(source, clients[private], looked)
            except BadInput as error:
                failed, looked.failure = error, str(error)
            if self._stop.is_set():
                return looked  # it is gone on with at the next start
            source.failures, source.failure = (source.failures + 1, str(failed)) if failed else (0, None)
            source.checked = stamp(self._clock())
            wait = self._wait(source, bool(looked.added or looked.changed), failed)
            source.due = stamp(self._clock() + timedelta(seconds=wait))
            self._sources.note(source)
        except ArchiveError as error:  # the disk is full, say: no fault of the source
            if self._once:
                raise
            looked.failure = str(error)
            self._stop.wait(RETRY / 5)
        return looked

    def _read(self, source: Source, changed: set[str] | None, looked: Looked) -> None:
        """Read a file, or of a folder what has changed, and remove what is gone from it. Raises BadInput."""
        root, state = source.address, source.state
        try:
            inode = os.stat(root).st_ino
        except OSError as error:
            raise BadInput(f"{error.strerror}: is its drive there? Nothing of it is removed") from error
        files = self._sources.files(root) if state.get("inode", inode) != inode and source.kind == "folder" else []
        if files and not any(os.path.exists(os.path.join(root, file)) for file in files):
            raise BadInput("another folder is in its place, without any of its files: is its drive there? "
                           f"Nothing of it is removed; copydesk ingest --prune {root} does")  # fmt: skip

        def wanted(path: Path) -> bool:
            above = {str(path), *map(str, path.parents)}
            return not (changed and changed.isdisjoint(above)) and self._changes.settled(str(path))

        looked.take(self._ingest([root], outlet=state.get("outlet"), prune=True, only=wanted))
        before = state.get("rejected", {}) if changed else {}
        kept = {at: why for at, why in before.items() if not any(at.startswith(path) for path in changed or ())}
        self._keep(source, kept, looked.rejected)
        state["inode"] = inode
        if self._changes.polled and not self._once:
            looked.remark = f"the system does not tell what changes ({self._changes.polled}): read every {POLL:.0f} s"

    def _visit(self, source: Source, client: Client, looked: Looked) -> None:
        """Read what is new at an address. Its state is stored when its articles are. Raises BadInput."""
        state, batch = source.state, list[Found]()
        visit = Visit(self._sources.whole(source), client, state.get("visit"))

        def store() -> None:
            report = self._ingest([batch]) if batch else IngestReport()
            looked.take(report)
            used = {found.source for found in batch}
            kept = {at: why for at, why in state.get("rejected", {}).items() if at not in used}
            self._keep(source, kept, report.rejected)
            state["visit"], source.kind = visit.state, visit.state.get("kind", source.kind)
            self._sources.note(source)
            batch.clear()

        for found in visit.read(Known(state.get("outlet")), Notes()):
            if self._stop.is_set():
                break
            batch += [found] * (not visit.failure)
            if len(batch) >= BATCH:
                store()
        store()
        if visit.failure:
            raise Later(visit.failure, visit.seconds)
        state["asked"] = visit.seconds or state.get("asked", 0)

    def _keep(self, source: Source, kept: dict[str, str], rejected: list[Rejected]) -> None:
        told = kept | {one.source: one.reason for one in rejected}
        source.state["rejected"] = dict([*told.items()][-KEPT:])

    def _wait(self, source: Source, moved: bool, failed: BadInput | None) -> float:
        """Return in how many seconds a source is looked at again."""
        state, every = source.state, source.state.get("every")
        usual = 60.0 * (every or MINUTES.get(source.kind, USUAL))
        if failed:
            doubled = min(usual, RETRY) * 2.0 ** min(source.failures - 1, 20)
            asked = failed.seconds if isinstance(failed, Later) else 0.0
            return min(DAY, max(asked, doubled * random.uniform(0.8, 1.2)))  # noqa: S311  not all at the same time
        longer = state.get("interval", 0.0) * SLOWER
        state["interval"] = usual if moved or every or source.kind in LOCAL else min(DAY, max(usual, longer))
        return float(max(state["interval"], min(DAY, state.get("asked", 0.0))))


def _within(path: str, root: str) -> bool:
    """Tell whether a path is a root, or below it and not among the files that are left alone."""
    if path == root:
        return True
    return path.startswith(f"{root}/") and not any(map(SKIPPED.match, path[len(root) + 1 :].split("/")))
