"""An archive with its encoder and its two search indexes, which are kept in step with it and sound."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import cast

from index.archive import Archive
from index.dense import DenseIndex
from index.encoder import DEFAULT_ENCODER, Encoder, Vectors, full_name, load_encoder
from index.health.files import shut
from index.health.probe import probe
from index.health.rows import Damage, Health, examine, mend
from index.health.sums import Sums, complaint_elsewhere
from index.lexical import LexicalIndex
from index.lock import WAIT_SECONDS, ArchiveLock
from index.read import ARCHIVE
from index.tables import TABLES, complaint, derive
from index.tables.related import Related, Ties, related, ties
from index.types import ArchiveError, Article, DiskError, translated

PARTS = ("dense", "lexical")
APPLY_PASSAGES = 5000  # Below Chroma's limit of 5,461 a call.

Progress = Callable[[str, float], None]  # what is going on, and the share of it that is done, 0…1
Part = DenseIndex | LexicalIndex


def name_of(encoder: Encoder | str) -> str:
    """Return the name under which an archive keeps an encoder."""
    return full_name(encoder) if isinstance(encoder, str) else encoder.name


def silent(task: str, share: float) -> None:
    """Report no progress."""


class Index(AbstractContextManager["Index"]):
    """Opens or creates an archive folder, alone: a second process gets ArchiveInUse. A context manager.

    Opening is cheap. The encoder and the indexes load on first use, and then catch up with the
    archive where the last process ended before they could, or are built again where they were lost. Without an
    `encoder`, an archive has its own.
    """

    def __init__(self, folder: str | Path, encoder: Encoder | str | None = None, progress: Progress = silent) -> None:
        self._set(folder, encoder, progress)
        self._take(self.folder)
        try:
            self.archive = self._open_archive(self.folder / ARCHIVE)
            self.archive.derive((*PARTS, *(table.name for table in TABLES)))
            self._check_encoder()
        except ArchiveError:
            self.lock.release()
            raise

    def _set(self, folder: str | Path, encoder: Encoder | str | None, progress: Progress) -> None:
        self.folder = Path(folder).expanduser()
        self.progress = progress
        self._given, self._encoder = encoder, encoder or DEFAULT_ENCODER
        self._parts: dict[str, Part] = {}

    def _take(self, folder: Path, wait: float = WAIT_SECONDS) -> None:
        """Keep others away from a folder, which is made. Raises ArchiveInUse where another process has it."""
        with translated(ArchiveError, f"{folder} cannot be created", OSError):
            folder.mkdir(0o700, parents=True, exist_ok=True)
        self.lock, self.folder = ArchiveLock(folder, wait), folder
        self._sums = {name: Sums(folder / f"{name}.sums") for name in ("archive", *PARTS)}

    def _check_encoder(self) -> None:
        """Take the archive's encoder where none was given. Raises ArchiveError where it has another."""
        built = full_name(self.archive.meta("encoder") or "")
        if self._given is None and built not in ("", name_of(self._encoder)):
            self._encoder = built
        name = name_of(self._encoder)
        if not built and not self.archive.read_only:
            self.archive.set_meta("encoder", name)
        elif built not in ("", name):
            raise ArchiveError(
                f"{self.folder} was built with the encoder {built}, not {name}: "
                f"open it with --encoder {built}, or change it: copydesk reencode --encoder {name}"
            )

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
            self._sums["archive"].keep(self.archive.path)

    def _open_archive(self, path: Path) -> Archive:
        """Open the archive's file, closed to others. Raises ArchiveError where only its indexes are left."""
        empty = not (path.exists() and path.stat().st_size)
        if empty and any(self.folder.glob("dense-[0-9]*")):
            what = "is empty" if path.exists() else "is gone"
            mend = f"copydesk restore brings a backup back, or remove {self.folder} to begin anew"
            raise ArchiveError(f"{path} {what}, but its indexes are there: {mend}")
        shut(self.folder)
        return Archive(path, opened=self._sums["archive"].forget)

    @property
    def encoder(self) -> Encoder:
        if isinstance(self._encoder, str):
            self._encoder = load_encoder(self._encoder)
        return self._encoder

    @property
    def dense(self) -> DenseIndex:
        return cast(DenseIndex, self._part("dense"))

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
            self.catch_up_tables()
        with self.archive.snapshot():
            yield

    def catch_up(self) -> None:
        """Apply to both indexes and to the derived tables what the archive holds and they do not yet."""
        with self.archive.writing():
            for name in PARTS:
                self._catch_up(name, self._part(name))
            self.catch_up_tables()

    def catch_up_tables(self) -> None:
        """Apply to the derived tables what the archive holds and they do not yet: some milliseconds an article.

        Where another thread is writing, it will do so, and a table that is there is used as it is.
        """
        built = all(self.archive.meta(f"rules:{table.name}") == table.rules for table in TABLES)
        with self.archive.writing(wait=not built) as alone:
            for table in TABLES if alone else ():
                derive(self.archive, table, self.progress)

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
                if held[name] != passages or self.archive.pending(name)[0]:
                    problems[name] = f"it holds {held[name]} of {passages} passages"
            except ArchiveError as error:
                problems[name] = str(error)
        tables = {table: why for table in TABLES if (why := complaint(self.archive, table))}
        if repair and (problems or tables or altered or damage.file or damage.vectors):
            mend(self.archive, self.encoder, damage, self.progress)
            for table in TABLES if altered or damage.file else tables:
                derive(self.archive, table, self.progress, anew=True)
            self._sums["archive"].forget()  # it is taken as it is, and its sums are kept when it is closed
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
        return examine(self.archive, self.progress), complaint_elsewhere(self._sums["archive"].path, self.archive.path)

    def _held(self, name: str, whole: bool, late: bool) -> int:
        """Return how many passages an index holds. Raises ArchiveError where it is not as it should be.

        The `whole` of it is compared with the archive; what is `late` is applied before.
        """
        folder = self._folder(name)
        if folder.exists() and (why := self._sums[name].complaint(folder)):
            raise ArchiveError(why)
        if late and self.archive.pending(name)[0]:
            self._part(name)
            self._close_parts()
            folder = self._folder(name)
        if not folder.exists():
            return 0
        self._sums[name].forget()
        held = probe(name, folder, self.archive, whole)
        self._sums[name].keep(folder)  # Chroma wrote when it was opened
        return held

    def _close_parts(self) -> None:
        for name, part in self._parts.items():
            if isinstance(part, DenseIndex):
                part.close()
            self._sums[name].keep(self._folder(name))
        self._parts.clear()

    # How an index is kept in step with the archive

    def exchange(
        self, encoder: Encoder, vectors: Callable[[Sequence[str]], Vectors], switch: Callable[[], None],
        alone: Callable[[], AbstractContextManager[object]],
    ) -> None:  # fmt: skip
        """Build a dense index of these vectors, and put it and an encoder in the place of the present ones.

        What is in the archive's file changes in one transaction, by `switch`; `alone`, in which nobody searches.
        """
        number = self._next("dense")
        self._sweep("dense")
        part = self._create("dense", number)
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
        self._sweep("dense")

    def _folder(self, name: str, number: str | None = None) -> Path:
        return self.folder / f"{name}-{number or self.archive.meta(name) or 1}"

    def _next(self, name: str) -> str:
        """Return a number that no folder of an index has had: Chroma remembers what it had open under a path."""
        held = (folder.name.rpartition("-")[2] for folder in self.folder.glob(f"{name}-[0-9]*"))
        return str(1 + max(map(int, filter(str.isdecimal, [self.archive.meta(name) or "1", *held]))))

    def _sweep(self, name: str) -> None:
        """Remove what is left of an index in other folders than its own."""
        for folder in set(self.folder.glob(f"{name}-[0-9]*")) - {self._folder(name)}:
            shutil.rmtree(folder, ignore_errors=True)

    def _create(self, name: str, number: str | None = None) -> Part:
        folder = self._folder(name, number)
        self._sums[name].forget()  # Chroma writes when it opens, too
        with translated(ArchiveError, f"{folder} cannot be written", OSError):
            folder.mkdir(0o700, exist_ok=True)
            folder.chmod(0o700)
        return LexicalIndex(folder) if name == "lexical" else DenseIndex(folder, self.archive.vectors)

    def _part(self, name: str) -> Part:
        if name not in self._parts:
            with self.archive.writing():
                if name not in self._parts:
                    self._parts[name] = self._open(name)
        return self._parts[name]

    def _open(self, name: str) -> Part:
        """Open an index and bring it up to date; build it again if it is lost or will not open."""
        try:
            folder, sums = self._folder(name), self._sums[name]
            if why := sums.complaint(folder):
                raise ArchiveError(why)
            if name == "dense" and folder.exists() and not sums.kept:  # the last process was killed
                probe(name, folder, self.archive, whole=False)
            part = self._create(name)
        except DiskError:  # nothing could be built there either
            raise
        except ArchiveError:
            return self._rebuild(name)
        if self._agrees(name, part):
            return part
        if isinstance(part, DenseIndex):
            part.close()
        return self._rebuild(name)

    def _agrees(self, name: str, part: Part) -> bool:
        """Bring an index up to date, and tell whether it holds as many passages as the archive."""
        self._catch_up(name, part)
        return len(part) == self.archive.counts()[1]

    def _rebuild(self, name: str) -> Part:
        """Build an index from the archive, in a new folder: Chroma remembers what it had open under a path.

        When it is interrupted, too few passages are in it, and the next opening builds it again.
        """
        self.archive.set_meta(name, self._next(name))
        part = self._create(name)
        self._catch_up(name, part, everything=True)
        self._sweep(name)  # only now what it replaces
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
        if ids:
            self.archive.applied(name, sequence)
