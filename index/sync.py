"""An archive with its encoder and its two search indexes, which are kept in step with it and sound."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import cast

from index.archive import Archive
from index.beyond.served import Served, home
from index.dense import DenseIndex
from index.encoder import DEFAULT_ENCODER, Encoder, Vectors, full_name, load_encoder, suited
from index.health.files import shut
from index.health.folders import Folders, Part
from index.health.rows import Damage, Health, examine, mend
from index.health.sums import Sums, complaint_elsewhere
from index.lexical import LexicalIndex
from index.lock import WAIT_SECONDS, ArchiveLock
from index.read import ARCHIVE
from index.scan import Scan
from index.tables import TABLES, complaint, derive
from index.tables.related import Related, Ties, related, ties
from index.types import ArchiveError, Article, CopydeskError, DiskError, UnknownArticle, Unreachable, translated

PARTS = ("dense", "lexical")
APPLY_PASSAGES = 5000

Progress = Callable[[str, float], None]  # what is going on, and the share of it that is done, 0…1


def name_of(encoder: Encoder | str) -> str:
    """Return the name under which an archive keeps an encoder."""
    return full_name(encoder) if isinstance(encoder, str) else encoder.name


def silent(task: str, share: float) -> None:
    """Report no progress."""


class Index(AbstractContextManager["Index"]):
    """Opens or creates an archive folder, alone: a second process gets ArchiveInUse. A context manager.

    Opening is cheap. The encoder and the indexes load on first use, and then catch up with the
    archive where the last process ended before they could, or are built again where they were lost. Without an
    `encoder`, an archive has its own; without `vectors` (an address, or "folder") its dense index is where it was.
    """

    def __init__(
        self, folder: str | Path, encoder: Encoder | str | None = None, progress: Progress = silent,
        vectors: str | None = None,
    ) -> None:  # fmt: skip
        self._set(folder, encoder, progress)
        self._take(self.folder)
        try:
            self.archive = self._open_archive(self.folder / ARCHIVE)
            self.archive.derive((*PARTS, *(table.name for table in TABLES)))
            self._check_encoder()
            self._find_homes(vectors)
        except CopydeskError:
            self.lock.release()
            raise

    def _set(self, folder: str | Path, encoder: Encoder | str | None, progress: Progress) -> None:
        self.folder, self.progress = Path(folder).expanduser(), progress
        self.late, self.homes = "", dict[str, Folders | Served]()  # why the dense index follows later; where both are
        self._given, self._encoder = encoder, encoder or DEFAULT_ENCODER
        self._parts: dict[str, Part] = {}

    def _find_homes(self, vectors: str | None) -> None:
        dense, lexical = (Folders(self.folder, name, self.archive) for name in PARTS)
        self.homes = {"dense": home(self.archive, dense, vectors), "lexical": lexical}

    def _take(self, folder: Path, wait: float = WAIT_SECONDS) -> None:
        """Keep others away from a folder, which is made. Raises ArchiveInUse where another process has it."""
        with translated(ArchiveError, f"{folder} cannot be created", OSError):
            folder.mkdir(0o700, parents=True, exist_ok=True)
        self.lock, self.folder = ArchiveLock(folder, wait), folder
        self._sums = Sums(folder / "archive.sums")

    def _check_encoder(self) -> None:
        """Take the archive's encoder where none was given. Raises ArchiveError where it has another."""
        built = full_name(self.archive.meta("encoder") or "")
        if self._given is None and built not in ("", name_of(self._encoder)):
            self._encoder = built
        name = name_of(self._encoder)
        if not built and self._given and not self.archive.read_only:
            self.archive.set_meta("encoder", self.encoder.name)  # loaded, or a slip of the pen would be kept
        elif built not in ("", name):
            raise ArchiveError(f"{self.folder} was built with the encoder {built}, not {name}: open it with "
                               f"--encoder {built}, or change it: copydesk reencode --encoder {name}")  # fmt: skip

    def suit(self, articles: Sequence[Article]) -> None:
        """Take for a new archive, where none was named, the encoder that its first articles need."""
        if self.archive.meta("encoder") is None:
            self._encoder = suited(articles)
            self.archive.set_meta("encoder", self._encoder)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close everything and let others in, whatever fails."""
        with ExitStack() as last:
            last.callback(self.lock.release)
            last.callback(self._close_archive)
            self._close_parts()

    def _close_archive(self) -> None:
        self.archive.close()
        if not self.folder.joinpath(f"{ARCHIVE}-wal").exists():  # which another process that reads keeps
            self._sums.keep(self.archive.path)

    def _open_archive(self, path: Path) -> Archive:
        """Open the archive's file, closed to others. Raises ArchiveError where only its indexes are left."""
        empty = not (path.exists() and path.stat().st_size)
        if empty and any(self.folder.glob("dense-[0-9]*")):
            what = "is empty" if path.exists() else "is gone"
            mend = f"copydesk restore brings a backup back, or remove {self.folder} to begin anew"
            raise ArchiveError(f"{path} {what}, but its indexes are there: {mend}")
        shut(self.folder)
        return Archive(path, opened=self._sums.forget)

    @property
    def encoder(self) -> Encoder:
        if isinstance(self._encoder, str):
            self._encoder = load_encoder(self._encoder)
        return self._encoder

    @property
    def dense(self) -> DenseIndex:
        return cast(DenseIndex, self._part("dense"))

    @property
    def opens_late(self) -> bool:
        """Whether the dense index is not open and would take seconds, while `scan` is there after one."""
        return self.lexical.large and "dense" not in self._parts and isinstance(self.homes["dense"], Folders)

    @cached_property
    def scan(self) -> Scan:
        return Scan(self.archive)

    @property
    def lexical(self) -> LexicalIndex:
        return cast(LexicalIndex, self._part("lexical"))

    def remove(self, ids: Sequence[str]) -> int:
        """Remove articles, with their earlier versions, from the archive and both indexes; return how many."""
        if ids:
            with self.archive.writing():
                self.archive.remove(ids)
                self.catch_up()
        return len(ids)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let a thread read one state of the archive and its tables, whatever is ingested meanwhile."""
        if not self.archive.in_one_state:
            self.refresh()
        with self.archive.snapshot():
            yield

    def refresh(self) -> None:
        """Apply what is not applied yet and a reader needs."""
        self.catch_up_tables()

    def catch_up(self) -> None:
        """Apply to both indexes and to the derived tables what the archive holds and they do not yet."""
        with self.archive.writing():
            self._catch_up("lexical", self._part("lexical"))
            self.catch_up_tables()
            self.late = ""
            try:
                self._catch_up("dense", self._part("dense"))
            except Unreachable as error:  # it gets what it lacks when it is used next
                self.late = str(error)

    def catch_up_tables(self) -> None:
        """Apply to the derived tables what the archive holds and they do not yet: some milliseconds an article.

        Where another thread is writing, it will do so, and a table that is there is used as it is.
        """
        built = all(self.archive.meta(f"rules:{table.name}") == table.rules for table in TABLES)
        with self.archive.writing(wait=not built) as alone:
            for table in TABLES if alone else ():
                derive(self.archive, table, self.progress)

    def article(self, name: str) -> Article:
        """Return an article by its id or url, or a version of it by ID@1. Raises UnknownArticle when there is none."""
        if found := self.archive.version(name) or self.archive.article(name):
            return found
        if held := self.archive.article(name.rpartition("@")[0]):
            there = ", ".join(map(str, range(1, len(self.archive.versions(held.id)) + 2)))
            raise UnknownArticle(f"no version of an article is {name}; of this one there are: {there}")
        raise UnknownArticle(f"no article has the id {name}: copydesk articles list prints the ids")

    def ties(self, article_id: str, as_of: date | None = None) -> Ties:
        """Return what tied an article to others by a day, or does now, in 2 ms."""
        with self.reading():
            return ties(self.archive, article_id, as_of)

    def related(self, article: Article) -> Related:
        """Return what is known of an article beside its words: copies, story, corrections, changes."""
        with self.reading():
            return related(self.archive, article)

    def doctor(self, repair: bool = False) -> Health:
        """Check the archive file, indexes and tables; with `repair`, mend what can be.

        What is derived is built again, damaged vectors are encoded again. Without it nothing is changed, save that what
        a process that ended left to be applied is applied, as at any opening.
        """
        self._close_parts()
        damage, altered = self._examine()
        articles, passages = self.archive.counts()
        whole = not (damage.file or damage.articles)
        late = whole and not altered  # what is left to be applied may be
        for table in TABLES if late else ():
            with suppress(ArchiveError):  # told below
                derive(self.archive, table, self.progress)
        held, problems = dict.fromkeys(PARTS, 0), dict[str, str]()
        for name in PARTS:
            try:
                held[name] = self._held(name, whole, late)
                if held[name] != (due := self.archive.due(name)) or self.archive.pending(name)[0]:
                    problems[name] = f"it holds {held[name]} of {due} passages"
            except ArchiveError as error:
                problems[name] = str(error)
        tables = {table: why for table in TABLES if (why := complaint(self.archive, table))}
        if repair and (problems or tables or altered or damage.file or damage.vectors):
            mend(self.archive, self.encoder, damage, self.progress)
            for table in TABLES if altered or damage.file else tables:
                derive(self.archive, table, self.progress, anew=True)
            self._sums.forget()  # it is taken as it is, and its sums are kept when it is closed
            for name in PARTS if damage.vectors else problems:
                self._parts[name] = self._rebuild(name)
            return self.doctor()
        said = {f"{name} index": why for name, why in problems.items()}
        said |= {f"{table.name} table": why for table, why in tables.items()}
        listed = [f"{what}: {why}; copydesk doctor --repair rebuilds it" for what, why in said.items()]
        listed += damage.told()
        if altered:
            listed.append(f"archive file: {altered} after it was closed; copydesk doctor --repair checks and keeps it")
        return Health(not listed, articles, passages, **held, problems=listed)

    def _examine(self) -> tuple[Damage, str]:
        """Return what is wrong with the archive's rows, and with its file."""
        return examine(self.archive, self.progress), complaint_elsewhere(self._sums.path, self.archive.path)

    def _held(self, name: str, whole: bool, late: bool) -> int:
        """Return how many passages an index holds. Raises ArchiveError where it is not as it should be.

        The `whole` of it is compared with the archive; what is `late` is applied before.
        """
        self.homes[name].complain(self._number(name))
        if late and self.archive.pending(name)[0]:
            self._part(name)
            self._close_parts()
        return self.homes[name].held(self._number(name), whole)

    def _close_parts(self) -> None:
        for name, part in self._parts.items():
            if isinstance(part, DenseIndex):
                part.close()
            self.homes[name].keep(self._number(name))
        self._parts.clear()

    # How an index is kept in step with the archive

    def exchange(
        self, encoder: Encoder, vectors: Callable[[Sequence[str]], Vectors], switch: Callable[[], None],
        alone: Callable[[], AbstractContextManager[object]],
    ) -> None:  # fmt: skip
        """Build a dense index of these vectors, and put it and an encoder in the place of the present ones.

        What is in the archive's file changes in one transaction, by `switch`; `alone`, in which nobody searches.
        """
        home, number = self.homes["dense"], self._next("dense")
        home.sweep(self._number("dense"))
        part = home.make(number)
        assert isinstance(part, DenseIndex)
        with ExitStack() as failing:
            failing.callback(part.close)
            part.vectors = vectors
            self._catch_up("dense", part, everything=True)
            with alone():
                with self.archive.transaction():
                    switch()
                    self.archive.set_meta("dense", number)
                    self.archive.set_meta("encoder", encoder.name)
                part.vectors, self._given, self._encoder = self.archive.vectors, encoder, encoder
                before, self._parts["dense"] = self.dense, part
                before.close()
            failing.pop_all()
        home.sweep(number)

    def _number(self, name: str) -> str:
        return self.archive.meta(name) or "1"

    def _next(self, name: str) -> str:
        return self.homes[name].next(self._number(name))

    def _part(self, name: str) -> Part:
        if name not in self._parts or self._parts[name].lost:
            with self.archive.writing():
                if name not in self._parts or self._parts[name].lost:
                    self._parts[name] = self._open(name)
        return self._parts[name]

    def _open(self, name: str) -> Part:
        """Open an index and bring it up to date; build it again if it is lost or will not open."""
        try:
            part = self.homes[name].open(self._number(name))
        except (DiskError, Unreachable):  # nothing could be built there either
            raise
        except ArchiveError:
            return self._rebuild(name)
        if self._agrees(name, part):
            return part
        if isinstance(part, DenseIndex):
            part.close()
        return self._rebuild(name)

    def _agrees(self, name: str, part: Part) -> bool:
        """Bring an index up to date, and tell whether it holds as many passages as it has to."""
        self._catch_up(name, part)
        return len(part) == self.archive.due(name)

    def _rebuild(self, name: str) -> Part:
        """Build an index from the archive in a new place, and remove the old one; cut off, the next opening does it."""
        number = self._next(name)
        self.archive.set_meta(name, number)
        part = self.homes[name].make(number)
        self._catch_up(name, part, everything=True)
        self.homes[name].sweep(number)  # only now what it replaces
        return part

    def _catch_up(self, name: str, part: Part, everything: bool = False) -> None:
        """Make an index agree with the archive about what has changed, or everything, whatever it held of it."""
        changed, sequence = self.archive.pending(name)
        ids = self.archive.passage_ids() if everything else changed
        for start in range(0, len(ids), APPLY_PASSAGES):
            some = ids[start : start + APPLY_PASSAGES]
            with self.archive.snapshot():
                held = self.archive.passages(some)
                part.apply([passage_id for passage_id in some if passage_id not in held], list(held.values()))
            if len(ids) > APPLY_PASSAGES:
                self.progress(f"{name} index", (start + len(some)) / len(ids))
        if str(sequence) != self.archive.meta(f"applied:{name}"):
            self.archive.applied(name, sequence)
