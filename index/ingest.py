"""Brings an archive up to date with files and folders."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from index.archive import Entry, content_hash, vector_key
from index.encoder import Vectors, encoded_text
from index.read import Found, read
from index.sync import Index
from index.text.cut import passages
from index.types import Article, Place, Rejected

BATCH_CHARACTERS = 1_000_000  # About 1,250 passages, encoded and written together; a crash loses 60 s at most.
ENCODE_TEXTS = 256  # Encoded between two signs of progress, sorted by length so that little is padding.


@dataclass
class IngestReport:
    """What an ingestion did. `passages` counts those written; `seconds` is wall time."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    passages: int = 0
    seconds: float = 0.0


def ingest(index: Index, paths: Iterable[str | Path], outlet: str | None = None, prune: bool = False) -> IngestReport:
    """Add what is new, replace what changed, and with `prune` remove what these paths no longer hold.

    Unchanged articles are recognised by hash. Inputs that cannot be used are in the report and stop nothing. Every
    batch is durable: an interrupted run is continued by running it again. `outlet` is given to articles that name none.
    """
    started = time.perf_counter()
    report = IngestReport()
    known = index.archive.known()
    seen: dict[str, Found] = {}  # by article id
    spoilt: set[Place] = set()  # where something could not be read: nothing of it is pruned
    batch: list[tuple[Article, Place]] = []
    waiting, written = 0, 0.0  # characters in the batch; share of the input that is in the archive
    for found in read(paths, outlet):
        article = found.item
        if isinstance(article, Article) and (reason := _taken(article.id, found, seen, known)):
            article = Rejected(found.source, reason)
        if isinstance(article, Rejected):
            report.rejected.append(article)
            spoilt.add(found.at)
            continue
        seen[article.id] = found
        if article.id in known and known[article.id][0] == content_hash(article):
            report.unchanged += 1
            continue
        report.changed += article.id in known
        report.added += article.id not in known
        batch.append((article, found.at))
        waiting += len(article.text)
        if waiting > BATCH_CHARACTERS:
            report.passages += _write(index, batch, written, found.share)
            batch, waiting, written = [], 0, found.share
    report.passages += _write(index, batch, written, 1.0)
    index.archive.move((key, *found.at) for key, found in seen.items() if key in known)
    if prune:
        roots = {found.at[0] for found in seen.values()}
        lost = (key for key, (_, at) in known.items() if at[0] in roots and key not in seen)
        report.removed = index.remove([key for key in lost if spoilt.isdisjoint(_around(*known[key][1]))])
    report.seconds = time.perf_counter() - started
    return report


def _around(root: str, file: str) -> list[Place]:
    """Return a place and the folders that it is in."""
    return [(root, file), *((root, str(folder)) for folder in PurePosixPath(file).parents)]


def _taken(key: str, found: Found, seen: Mapping[str, Found], known: Mapping[str, tuple[str, Place]]) -> str | None:
    """Say who has this id already: an article of this run or, where only its place gives an id, another folder's file.

    When that file is gone, the folder was moved, and the article is the same one.
    """
    if key in seen:
        return f"duplicate id {key}: see {seen[key].source}"
    if key not in known or not (key == found.at[1] or key.startswith(f"{found.at[1]}#")):
        return None
    taken, own = (Path(root) if Path(root).is_file() else Path(root, file) for root, file in (known[key][1], found.at))
    other = taken != own and taken.exists()
    return f"the id {key} belongs to {taken}: give one of the two an id or url" if other else None


def _write(index: Index, batch: Sequence[tuple[Article, Place]], start: float, end: float) -> int:
    """Split, encode and store a batch, the input from share `start` to `end`; return its number of passages."""
    if not batch:
        return 0
    texts: dict[str, str] = {}  # by vector key
    entries: list[Entry] = []
    for article, at in batch:
        encoded = [(passage, encoded_text(article, passage)) for passage in passages(article, index.encoder.count)]
        keyed = [(passage, vector_key(index.encoder.name, text), text) for passage, text in encoded]
        texts |= {key: text for _, key, text in keyed}
        entries.append(Entry(article, [(passage, key) for passage, key, _ in keyed], at))
    for key in index.archive.known_vectors(texts):
        del texts[key]
    longest = sorted(texts, key=lambda key: -len(texts[key]))
    vectors: dict[str, Vectors] = {}
    for done in range(0, len(longest), ENCODE_TEXTS):
        index.progress("ingest", start + (end - start) * done / len(longest))
        keys = longest[done : done + ENCODE_TEXTS]
        vectors.update(zip(keys, index.encoder.encode([texts[key] for key in keys]), strict=True))
    index.progress("ingest", end)
    index.archive.write(entries, vectors)
    index.catch_up()
    return sum(len(entry.passages) for entry in entries)
