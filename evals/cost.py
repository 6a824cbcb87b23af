"""Measures what an archive costs at its size: `measure`, for `evals.scale`. All times are of one run on one machine."""

import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from evals.bench import timed
from evals.scale import OUTLETS, Source, recombined
from index.archive import Archive, Entry
from index.encoder import Vectors, encoded_text
from index.search import POOL, search
from index.sync import Index, silent
from index.tables import TABLES, derive
from index.types import Filters, Query
from qa.desk import Desk

FIRST = 10  # hits that are compared with an exact scan's
ADDED = 10  # articles, one after the other
ENCODED = 1000  # passages that the encoder reads alone
WEEK = date(2024, 3, 4), date(2024, 3, 10)
OUTLET = ("outlet3.example",)
FILTERS = {
    "no filter": Filters(),
    "one outlet": Filters(outlets=OUTLET),
    "one week": Filters((), *WEEK),
    "both": Filters(OUTLET, *WEEK),
    "as of a day": Filters(as_of=date(2025, 1, 1)),
}
OPENED = """import sys, time; from qa.desk import Desk
started = time.perf_counter(); desk = Desk(sys.argv[1]); desk.index.encoder.encode(["a"])
loaded = time.perf_counter(); desk.ask(sys.argv[2]); print(loaded - started, time.perf_counter() - loaded)"""

Line = tuple[str, str]  # what was measured, and how much


def measure(folder: Path, found: list[Source], questions: list[str]) -> Iterator[Line]:
    """Yield each figure of an archive that `evals.scale` made. What is added is taken out again."""
    command = [sys.executable, "-c", OPENED, str(folder), questions[0]]
    loaded, answered = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    yield (
        "opening until the first answer",
        f"{loaded + answered:.1f} s, of which {loaded:.1f} until the encoder encodes",
    )
    with Desk(folder) as desk:
        desk.warm_up()
        len(desk.index.dense)  # which may be opened late
        yield from _searches(desk.index, questions)
        asked = [timed(partial(desk.ask, question)) for question in questions]
        yield "a question", spread(asked)
        alone, together = _four(desk.ask, questions)
        yield "four questions at once", f"{alone / together:.2f} times as many a minute as one after the other"
        yield from _changes(desk, found, questions)
        yield from _lists(desk.index)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield "resident memory at most", f"{peak:,.0f} MB"
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9
    yield "on the disk", f"{size:.1f} GB"


def _searches(index: Index, questions: list[str]) -> Iterator[Line]:
    """Measure a search without reranking, and how many of the first hits by vectors an exact scan has."""
    vectors = index.encoder.encode_query(questions)
    alone = {
        "Chroma alone": [timed(partial(index.dense.search, vector, POOL)) for vector in vectors],
        "tantivy alone": [timed(partial(index.lexical.search, question, POOL, Filters())) for question in questions],
    }
    for name, spent in alone.items():
        yield f"{name}, the first {POOL}", spread(spent)
    for name, filters in FILTERS.items():
        spent = [timed(partial(search, index, Query(question, filters=filters))) for question in questions]
        narrow = index.scan if filters.narrow else index.dense
        each = (
            index.scan.search(v, FIRST, filters) if filters.narrow else index.dense.search(v, FIRST) for v in vectors
        )
        same = right([{key for key, _ in some} for some in each], exact(index.archive, vectors, filters))
        yield f"search, {name}", f"{spread(spent)}; {same} ({type(narrow).__name__})"


def right(found: Iterable[set[str]], best: Iterable[set[str]]) -> str:
    """Return how many of the best are among what was found."""
    same = [len(some & those) / len(those) for some, those in zip(found, best, strict=True) if those]
    return f"{sum(same) / len(same):.3f} of the first {FIRST} are an exact scan's" if same else "none is there"


def exact(archive: Archive, vectors: Vectors, filters: Filters) -> list[set[str]]:
    """Return the ids of the nearest passages to each vector, of all that the filters let through."""
    where, values = archive.where(replace(filters, as_of=None))
    query = f"""SELECT p.rowid, p.id, v.vector FROM passages p JOIN vectors v ON v.key = p.vector
        WHERE p.rowid > ? AND p.version IS NULL AND p.article_id IN (SELECT id FROM articles WHERE {where})
        ORDER BY p.rowid LIMIT 20000"""
    best: list[list[tuple[float, str]]] = [[] for _ in vectors]
    last = 0
    while rows := archive.read(query, last, *values):
        last = rows[-1][0]
        scores = vectors @ np.frombuffer(b"".join(row[2] for row in rows), "<f4").reshape(len(rows), -1).T
        for held, own in zip(best, scores, strict=True):
            top = np.argsort(-own)[:FIRST]
            held[:] = sorted([*held, *((float(own[n]), rows[n][1]) for n in top)], reverse=True)[:FIRST]
    return [{key for _, key in held} for held in best]


def _four(ask: Callable[[str], object], questions: list[str]) -> tuple[float, float]:
    """Return the seconds of questions one after the other, and of four at a time."""
    alone = timed(lambda: [*map(ask, questions)])
    with ThreadPoolExecutor(4) as threads:
        return alone, timed(lambda: [*threads.map(ask, questions)])


def _changes(desk: Desk, found: list[Source], questions: list[str]) -> Iterator[Line]:
    """Measure what is added and removed, with the vectors given: alone, while questions run, and in a batch."""
    index, [(there,)] = desk.index, desk.index.archive.read("SELECT count(*) FROM articles")
    made = [recombined(found, index.encoder.name, there + 10**9 + number) for number in range(2 * ADDED)]
    adding = [timed(partial(_add, index, [one])) for one in made[:ADDED]]
    stop = threading.Event()
    asking = threading.Thread(target=lambda: [desk.ask(q) for q in questions * 1000 if not stop.is_set()])
    asking.start()
    meanwhile = [timed(partial(_add, index, [one])) for one in made[ADDED:]]
    stop.set()
    asking.join()
    yield "adding one article", f"{median(adding) * 1000:.0f} ms median; {median(meanwhile) * 1000:.0f} while one asks"
    removing = [timed(partial(index.remove, [entry.article.id])) for entry, _ in made]
    yield "removing one", f"{median(removing) * 1000:.0f} ms median"
    made = [recombined(found, index.encoder.name, there + 2 * 10**9 + number) for number in range(10_000 // 9)]
    batches = [made[start : start + 140] for start in range(0, len(made), 140)]  # as long as `ingest` makes them
    spent = sum(timed(partial(_add, index, batch)) for batch in batches)
    passages = sum(len(entry.passages) for entry, _ in made)
    texts = [encoded_text(entry.article, passage) for entry, _ in made for passage, _ in entry.passages][:ENCODED]
    encoding = timed(partial(index.encoder.encode_document, texts)) * passages / len(texts)
    told = f"{encoding:.0f} s to encode them, {spent:.1f} s beside it to store, index and derive"
    yield f"the last {passages:,} passages", f"{told}: {encoding / (encoding + spent):.3f} of the encoder alone"
    index.remove([entry.article.id for entry, _ in made])
    entries = [entry for entry, _ in made[:ADDED]]
    for table in TABLES:
        index.archive.write(entries, _vectors(made[:ADDED]))
        spent = timed(partial(derive, index.archive, table, silent)) / ADDED
        yield f"table {table.name}", f"{spent * 1000:.1f} ms an article"
    index.catch_up()
    index.remove([entry.article.id for entry in entries])


def _add(index: Index, made: Iterable[tuple[Entry, dict[str, Vectors]]]) -> None:
    index.archive.write([entry for entry, _ in made], _vectors(made))
    index.catch_up()


def _vectors(made: Iterable[tuple[Entry, dict[str, Vectors]]]) -> dict[str, Vectors]:
    return {key: vector for _, some in made for key, vector in some.items()}


def _lists(index: Index) -> Iterator[Line]:
    """Measure what the page's table of the archive asks for."""
    archive, [(total,)] = index.archive, index.archive.read("SELECT count(*) FROM articles")
    everything: tuple[str, list[object]] = archive.where(Filters())
    asked = {
        f"{sort}, {name}": (everything, sort, offset)
        for sort in ("published", "title", "outlet", "added") for name, offset in (("first", 0), ("last", total - 25))
    } | {
        "search": (archive.where(Filters(), ["president"]), "published", 0),
        "search, outlet": (archive.where(Filters(outlets=(f"outlet{OUTLETS - 1}.example",)), ["win"]), "title", 0),
    }  # fmt: skip
    spent = {
        name: timed(partial(archive.page, *where, sort, limit=25, offset=offset))
        for name, (where, sort, offset) in asked.items()
    }
    worst = max(spent, key=lambda name: spent[name])
    yield "archive table", f"{median(spent.values()) * 1000:.0f} ms median, {spent[worst] * 1000:.0f} at most ({worst})"
    greeting = timed(lambda: (archive.counts(), archive.outlets(), archive.span(), archive.languages()))
    yield "counts, outlets, days, languages", f"{greeting * 1000:.0f} ms"


def spread(values: list[float]) -> str:
    """Return the median and 95th percentile of seconds, told in milliseconds."""
    return f"{median(values) * 1000:.1f} ms median, {sorted(values)[int(0.95 * len(values))] * 1000:.1f} p95"
