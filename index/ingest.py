"""Brings an archive up to date with files, folders and addresses."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from index.archive import Entry, content_hash, vector_key
from index.beyond.cluster import Cluster
from index.encoder import Encoder, Vectors, encoded_text, load_encoder
from index.health.spans import SPANS, count, step
from index.read import Found, read, real, wire
from index.read.article import Known
from index.read.notes import Notes
from index.read.places import Places, path
from index.sources import Visit, address
from index.sources.fetch import Client
from index.sync import Index, Progress
from index.text.addresses import on_web
from index.text.cut import passages
from index.types import Article, BadInput, Place, Rejected

BATCH_CHARACTERS = 300_000  # About 375 passages, encoded and written together; a crash loses two such at most.
BATCH_SECONDS = 60.0  # after which what a slow host has given so far is written
LATE = "what was written stays: the server gets its vectors with the next question, or run it again"
NOWHERE: Place = ("", "")  # of a folder that holds no articles
PIECE_CHARACTERS = 50_000  # About 60 passages, that a worker of one core prepares in 3 s, and loses if it is killed.
PIECES_AHEAD = 4  # of a worker, so that it has work while others' is written
ENCODE_TEXTS = 256  # Encoded between two signs of progress, sorted by length so that little is padding.


class Batch(NamedTuple):
    """Articles with their places, and the shares of the input that end before and with them."""

    articles: Sequence[tuple[Article, Place]]
    start: float
    end: float


class Prepared(NamedTuple):
    """What is written of a batch: new vectors by their keys, and texts of those that were stored already."""

    entries: list[Entry]
    vectors: dict[str, Vectors]
    known: dict[str, str]


@dataclass
class IngestReport:
    """What an ingestion did. `passages` counts those written; `seconds` is wall time, `encoder` the archive's.

    `not_used` are names of fields of records that nothing is made of, `skipped` counts files of other kinds by ending,
    `incomplete` has a line for each kind of thing that articles lack, and how to mend it. `late` says why the dense
    index does not have all of it yet, where its server is away, and `waiting` how many passages are yet to be encoded.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    passages: int = 0
    seconds: float = 0.0
    removed_ids: list[str] = field(default_factory=list)
    not_used: list[str] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)
    encoder: str | None = None
    late: str = ""
    waiting: int = 0

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON has it, `late` and `waiting` where something is."""
        return {name: value for name, value in asdict(self).items() if value or name not in ("late", "waiting")}

    def counts(self) -> dict[str, int]:
        """Return how many articles were added, changed, left, removed and rejected, and how many passages written."""
        names = ("added", "changed", "unchanged", "removed", "passages")
        return {name: getattr(self, name) for name in names} | {"rejected": len(self.rejected)}

    def wrote(self, written: Sequence[Entry], batch: Sequence[object], places: Places) -> None:
        """Add what was written of a batch; another process had the rest written meanwhile."""
        changed = sum(places.known(entry.article.id) is not None for entry in written)
        self.changed, self.added = self.changed + changed, self.added + len(written) - changed
        self.unchanged += len(batch) - len(written)
        self.passages += sum(len(entry.passages) for entry in written)


@step("ingest")
def ingest(
    index: Index, paths: Iterable[str | Path | Visit | list[Found]], outlet: str | None = None, prune: bool = False,
    year: int | None = None, map: Mapping[str, str] | None = None,  # noqa: A002
    progress: Progress | None = None, allow_private: bool = False, follow_links: bool = False,
    only: Callable[[Path], bool] | None = None, cluster: Cluster | None = None, quick: bool = False,
) -> IngestReport:  # fmt: skip
    """Add what is new, replace what changed, and with `prune` remove what these paths no longer hold.

    A path may be an address, of a private network with `allow_private`, a visit to one, or what a visit found; what is
    gone from the web stays. Of files, those that `only` lets through are read; links out of a folder with
    `follow_links`. Unchanged articles are recognised by hash, a file without id or url by where it lies, from whichever
    folder above it is read. Inputs that cannot be used are in the report and stop nothing. Every batch is durable: an
    interrupted run is continued by running it again. `outlet` is given to articles that name none, `year` to datelines
    without one; `map` gives for names of fields which of ours they are, before the table of text/lists/fields.txt.
    `progress`, or the index's, is told how far it is. The workers of a `cluster` read files and encode, in any order.
    What is `quick` encodes nothing: words alone find what it adds, until `encode_waiting` has encoded that.
    """
    index.archive.check_writable()
    started = time.perf_counter()
    report = IngestReport()
    index.catch_up_tables()
    places, paths, tell = Places(index.archive), list(paths), progress or index.progress
    seen: dict[str, Found] = {}  # by article id
    spoilt: set[str] = set()  # where something could not be read: nothing of it is pruned
    notes = Notes()
    found = _found(paths, Known(outlet, year, map or {}, follow_links), notes, tell, allow_private, only, cluster)
    batches = _batches(found, index, places, seen, spoilt, notes, report, prune)
    for prepared in _anywhere(index, batches, tell, cluster) if cluster else _here(index, batches, tell, quick):
        report.wrote(_store(index, prepared), prepared.entries, places)
    index.archive.move((key, *found.at) for key, found in seen.items() if places.known(key))
    if prune:
        report.removed_ids = places.lost({real(root) for root in paths if isinstance(root, str | Path)}, seen, spoilt)
        report.removed = index.remove(report.removed_ids)
    report.not_used, report.skipped, report.incomplete = sorted(notes.not_used), dict(notes.skipped), notes.lines()
    report.encoder = index.archive.meta("encoder")
    if index.archive.meta("applied:dense") and index.archive.pending("dense")[0]:  # of this run, or an earlier one
        index.catch_up()
    report.waiting = index.archive.waiting()
    report.late = index.late and f"{index.late}; {LATE}"
    report.seconds = time.perf_counter() - started
    count(**report.counts())
    return report


def _found(
    paths: Sequence[str | Path | Visit | list[Found]], known: Known, notes: Notes, tell: Progress, allow_private: bool,
    only: Callable[[Path], bool] | None, cluster: Cluster | None,
) -> Iterator[Found]:  # fmt: skip
    """Yield what files and folders hold, then what addresses lead to, each of which counts as much as all the files."""
    names = [given for given in paths if isinstance(given, str | Path)]
    files = [name for name in names if not address(name)]
    visits = [given for given in paths if isinstance(given, Visit | list)]
    if there := [at for name in names if (at := address(name))]:
        client = Client(allow_private)
        visits += [Visit(at, client) for at in there]
    before = bool(files or not visits)
    parts = before + len(visits)
    if before:
        look = cluster.read if cluster else None
        yield from (found._replace(share=found.share / parts) for found in read(files, known, notes, only, look))
    for number, visit in enumerate(visits, before):
        for found in visit if isinstance(visit, list) else visit.read(known, notes):
            share = (number + found.share) / parts
            tell("fetch", min(share, 0.99))
            yield found._replace(share=share)
    if visits:
        tell("fetch", 1.0)


def _placed(
    found: Found, places: Places, seen: Mapping[str, Found], index: Index, notes: Notes
) -> Article | Rejected | None:
    """Return an article under its id, why it cannot have it, or None where this run has the article already.

    The day that an earlier run gave its dateline, by --year, stays while its text does.
    """
    if isinstance(article := found.item, Rejected):
        return article
    given, article = article.id, replace(article, id=places.id_of(article, found.at, seen))
    there = seen[article.id].at if article.id in seen else NOWHERE
    if there[0] != found.at[0] and path(there) == path(found.at):  # the same file, below another of the given folders
        return None
    if on_web(there[1]) and on_web(found.at[1]) and getattr(seen[article.id].item, "text", "") == article.text:
        return None  # the same page, by another of its addresses
    if copied := places.copy_of(article, given, found):
        notes.add("stored once", found.at[1], f"{found.source} repeats {copied}: take the copies out")
        return None
    if reason := places.taken(article.id, found, seen):
        return Rejected(found.source, reason)
    held = index.archive.article(article.id) if not article.published and places.known(article.id) else None
    if held and held.published and held.text == article.text:
        told = wire.told({"text": held.text}, "", held.published.year)
        if told.get("published") == held.published:
            notes.take_back("undated", found.at[1])
            return replace(article, published=held.published)
    return article


def _batches(
    every: Iterable[Found], index: Index, places: Places, seen: dict[str, Found], spoilt: set[str], notes: Notes,
    report: IngestReport, prune: bool,
) -> Iterator[Batch]:  # fmt: skip
    """Yield what is to be written of what was found; note what is not."""
    batch: list[tuple[Article, Place]] = []
    waiting, before = 0, 0.0  # characters in the batch; share of the input before it
    begun = time.perf_counter()
    for found in every:
        article = _placed(found, places, seen, index, notes)
        if article is None:
            continue
        if isinstance(article, Rejected):
            if not (prune and found.at == NOWHERE):
                report.rejected.append(article)
            spoilt.add(path(found.at))
            continue
        seen[article.id] = found
        known = places.known(article.id)
        if known and known[0] == content_hash(article):
            report.unchanged += 1
            continue
        batch.append((article, found.at))
        waiting += len(article.text)
        if waiting > BATCH_CHARACTERS or time.perf_counter() - begun > BATCH_SECONDS:
            yield _suited(Batch(batch, before, found.share), index, begun)
            batch, waiting, before, begun = [], 0, found.share, time.perf_counter()
    if batch:
        yield _suited(Batch(batch, before, 1.0), index, begun)


def _suited(batch: Batch, index: Index, begun: float) -> Batch:
    """Let a new archive take its encoder by what was read since `begun`."""
    took = int((time.perf_counter() - begun) * 1_000_000_000)
    with SPANS.start_as_current_span("read", start_time=time.time_ns() - took):
        count(articles=len(batch.articles), characters=sum(len(article.text) for article, _ in batch.articles))
    index.suit([article for article, _ in batch.articles])
    return batch


def _cut(encoder: Encoder, batch: Batch) -> tuple[list[Entry], dict[str, str]]:
    """Cut the articles of a batch into passages; return them, and what is encoded by the key of its vector."""
    every: dict[str, str] = {}
    entries: list[Entry] = []
    with step("split", articles=len(batch.articles)):
        for article, at in batch.articles:
            encoded = [(passage, encoded_text(article, passage)) for passage in passages(article, encoder.count)]
            keyed = [(passage, vector_key(encoder.name, text), text) for passage, text in encoded]
            every |= {key: text for _, key, text in keyed}
            entries.append(Entry(article, [(passage, key) for passage, key, _ in keyed], at))
        count(passages=sum(len(entry.passages) for entry in entries))
    return entries, every


def _encode(encoder: Encoder, texts: Mapping[str, str], tell: Callable[[float], None]) -> dict[str, Vectors]:
    """Return the vectors of texts; `tell` which share of them is done."""
    longest = sorted(texts, key=lambda key: -len(texts[key]))
    vectors: dict[str, Vectors] = {}
    with step("encode", texts=len(longest)):
        for done in range(0, len(longest), ENCODE_TEXTS):
            tell(done / len(longest))
            keys = longest[done : done + ENCODE_TEXTS]
            vectors.update(zip(keys, encoder.encode_document([texts[key] for key in keys]), strict=True))
    tell(1.0)
    return vectors


def _here(index: Index, batches: Iterable[Batch], tell: Progress, quick: bool) -> Iterator[Prepared]:
    """Yield batches as they are encoded; meanwhile the next one is read and cut, and the last one is written."""
    ended = Event()

    def told(batch: Batch, share: float) -> None:
        if ended.is_set():
            raise CancelledError
        tell("ingest", batch.start + (batch.end - batch.start) * share)

    with ThreadPoolExecutor(1) as ahead, ExitStack() as last:
        last.callback(ended.set)
        before: Callable[[], Prepared] | None = None
        for batch in batches:
            entries, every = _cut(index.encoder, batch)
            known = index.archive.known_vectors(every)
            unknown = {} if quick else {key: text for key, text in every.items() if key not in known}
            under_way = ahead.submit(copy_context().run, _encode, index.encoder, unknown, partial(told, batch))
            if before:
                yield before()
            before = partial(_encoded, entries, under_way, {key: every[key] for key in known})
        if before:
            yield before()


def _encoded(entries: list[Entry], vectors: Future[dict[str, Vectors]], known: dict[str, str]) -> Prepared:
    return Prepared(entries, vectors.result(), known)


def _anywhere(index: Index, batches: Iterable[Batch], tell: Progress, cluster: Cluster) -> Iterator[Prepared]:
    """Yield what workers prepare, as it comes; as much together as is written together where nobody else works."""
    pieces = ((_loadable(index.encoder), piece) for batch in batches for piece in _pieces(batch))
    entries, vectors, waiting, begun, share = list[Entry](), dict[str, Vectors](), 0, time.perf_counter(), 0.0
    for (_, piece), prepared in cluster.map(_prepare_there, pieces, PIECES_AHEAD):
        done = prepared or _prepare(index.encoder, piece)
        entries, vectors = entries + done.entries, vectors | done.vectors
        waiting += sum(len(entry.article.text) for entry in done.entries)
        tell("ingest", share := max(share, piece.end))
        if waiting > BATCH_CHARACTERS or time.perf_counter() - begun > BATCH_SECONDS:
            yield Prepared(entries, vectors, {})
            entries, vectors, waiting, begun = [], {}, 0, time.perf_counter()
    if entries:
        yield Prepared(entries, vectors, {})


def _loadable(encoder: Encoder) -> str:
    if not type(encoder).__module__.startswith("index.encoder."):
        raise BadInput(f"workers cannot load the encoder {encoder.name}, an object: give one by its name")
    return encoder.name


def _pieces(batch: Batch) -> Iterator[Batch]:
    """Yield what a worker takes of a batch at a time."""
    start, waiting, share = 0, 0, (batch.end - batch.start) / len(batch.articles)
    for end, (article, _) in enumerate(batch.articles, 1):
        waiting += len(article.text)
        if waiting > PIECE_CHARACTERS or end == len(batch.articles):
            yield Batch(batch.articles[start:end], batch.start + share * start, batch.start + share * end)
            start, waiting = end, 0


def _prepare_there(task: tuple[str, Batch]) -> Prepared:
    return _prepare(_loaded(task[0]), task[1])


def _prepare(encoder: Encoder, batch: Batch) -> Prepared:
    entries, every = _cut(encoder, batch)
    return Prepared(entries, _encode(encoder, every, lambda _: None), {})


_loaded = cache(load_encoder)  # once a worker


def _store(index: Index, prepared: Prepared) -> list[Entry]:
    """Write what was prepared, all or nothing; return what another process has not written meanwhile."""
    entries, vectors, known = prepared
    total = sum(len(entry.passages) for entry in entries)
    # Not while texts are cut and encoded, so that others may remove articles meanwhile.
    with step("store", articles=len(entries), passages=total), index.archive.writing():
        lost = list(known.keys() - index.archive.known_vectors(known))  # with what was removed
        vectors.update(zip(lost, index.encoder.encode_document([known[key] for key in lost]), strict=True))
        index.archive.check_size(vectors.values())
        with step("write"):
            written = index.archive.write(entries, vectors)
        with step("index"):
            index.catch_up()
    return written
