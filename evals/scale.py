"""Cost against size: `python -m evals.scale CORPUS FOLDER [SIZE…]` grows an archive and measures it at each size.

Its articles are those of the corpus cut at passages and recombined, with names, days and figures exchanged; its
vectors are the encoder's for the corpus, and near neighbours of these for what is recombined, so that a million takes
an hour and no night. The archive stays in the folder, and is grown further by another run.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from index.archive import Archive, Entry, vector_key
from index.encoder import Vectors, encoded_text
from index.ingest import ingest
from index.sync import Index
from index.text.names import capitalised
from index.types import Article, Passage, digest

SIZES = 10_000, 100_000, 1_000_000
BATCH, EVERY = 5000, 50_000  # passages that are written together, and after which indexes follow
QUESTIONS = 40  # the newest headlines of the corpus
PASSAGES = 9  # of an article, about
NEAR = 0.9  # cosine of a recombined passage's vector and that from which it was made, about
OUTLETS, DAYS, FIRST = 20, 3 * 365, date(2023, 1, 1)
NAME = re.compile(r"\b[A-Z][a-z]{3,}\b")


Row = tuple[Article, Passage, Vectors]
# What others do: add passages and let the disk have them; find ids by question, vector, top, outlet; remove an article.
Peer = tuple[Callable[[Iterator[Row]], object], Callable[..., list[str]], Callable[[Sequence[Row]], object]]


class Source(NamedTuple):
    """An article of the corpus: the texts of its passages, and their vectors."""

    article: Article
    texts: list[str]
    vectors: Vectors


def sources(archive: Archive) -> list[Source]:
    """Return the articles of an archive that was ingested, with their passages."""
    found = []
    for listed in archive.listed():
        ids = [row[0] for row in archive.read("SELECT id FROM passages WHERE article_id = ? ORDER BY start", listed.id)]
        held = archive.passages(ids)
        if ids:
            article = held[ids[0]][0]
            texts = [article.text[passage.start : passage.end] for _, passage in (held[key] for key in ids)]
            found.append(Source(article, texts, archive.vectors(ids)))
    return found


def recombined(found: list[Source], encoder: str, number: int) -> tuple[Entry, dict[str, Vectors]]:
    """Return the article of a number, always the same one: the head of one source and the tail of another."""
    chance = Random(number)  # noqa: S311 - the same articles each time
    one, two = chance.sample(found, 2)
    head, tail = one.texts[: PASSAGES // 2 + 1], two.texts[-(PASSAGES // 2) :]
    vectors = np.vstack([one.vectors[: len(head)], two.vectors[-len(tail) :]])
    noise = np.random.default_rng(number).standard_normal(vectors.shape).astype(np.float32)
    noise *= np.sqrt(1 / NEAR**2 - 1) / np.linalg.norm(noise, axis=1, keepdims=True)
    vectors = vectors + noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = sorted({*capitalised(" ".join([*head, *tail]))})
    others = sorted({*capitalised(" ".join(chance.choice(found).texts))}) or names
    renamed = {name: chance.choice(others) for name in names}
    texts = [_exchanged(text, renamed, chance) for text in (*head, *tail)]
    article = Article(
        f"https://outlet{chance.randrange(OUTLETS)}.example/{number}", _exchanged(one.article.title, renamed, chance),
        "\n\n".join(texts), published=FIRST + timedelta(chance.randrange(DAYS)), language="en",
    )  # fmt: skip
    article = replace(article, outlet=article.id.split("/")[2], url=article.id)
    passages = list(_placed(article, texts))
    keys = [vector_key(encoder, encoded_text(article, passage)) for passage in passages]
    entry = Entry(article, [*zip(passages, keys, strict=True)], ("", article.id))
    return entry, dict(zip(keys, vectors, strict=True))


def _exchanged(text: str, renamed: dict[str, str], chance: Random) -> str:
    text = NAME.sub(lambda name: renamed.get(name[0], name[0]), text)
    return re.sub(r"\d", lambda _: str(chance.randrange(1, 10)), text)


def _placed(article: Article, texts: list[str]) -> Iterator[Passage]:
    version, start = digest(f"{article.id}\0{article.text}", 16), 0
    for text in texts:
        yield Passage(digest(f"{start}:{start + len(text)}\0{version}", 12), article.id, start, start + len(text))
        start += len(text) + 2


def grow(index: Index, found: list[Source], size: int) -> None:
    """Add recombined articles to an archive until it has as many passages."""
    [(number,)], held = index.archive.read("SELECT count(*) FROM articles"), index.archive.counts()[1]
    while held < size:
        more = min(BATCH, size - held) // PASSAGES + 1
        made = [recombined(found, index.encoder.name, number + n) for n in range(more)]
        number, held = number + len(made), held + sum(len(entry.passages) for entry, _ in made)
        index.archive.write([entry for entry, _ in made], {key: one for _, own in made for key, one in own.items()})
        if size <= held or held % EVERY < BATCH:
            index.catch_up()
        print(f"\r{held:,} of {size:,} passages", end="" if held < size else "\n", file=sys.stderr)


def main(corpus: str, folder: Path, sizes: Sequence[int]) -> None:
    """Grow an archive to each size, and print what it costs there."""
    from evals.cost import measure
    from evals.peers import alongside

    with Index(folder / "corpus") as index:
        ingest(index, [corpus])
        encoder = index.encoder
        found, ask = (
            sources(index.archive),
            [listed.title for listed in index.archive.page("1", [], limit=QUESTIONS)[0]],
        )
    for size in sizes:
        with Index(folder / "archive", encoder) as index:
            grow(index, found, size)
        print(f"\n{size:,} passages")
        others = alongside(folder / "archive" / "archive.sqlite3", ask, encoder.encode_query(ask))
        for what, much in chain(measure(folder / "archive", found, ask), others):
            print(f"{what:46} {much}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3 or not all(map(str.isdecimal, sys.argv[3:])):
        sys.exit("scale: name articles, a folder for the archives, and sizes if not 10000 100000 1000000")
    main(sys.argv[1], Path(sys.argv[2]), [*map(int, sys.argv[3:])] or SIZES)
