"""Copies and updates made of real reports (skipped where the development data is not there): how many are found."""

import gzip
import json
import random
import re
from collections.abc import Callable
from datetime import date

import pytest
from conftest import SHARED

from index.tables.copies import COPIES
from index.text.cut import sentences
from index.types import Article

REALTIMEQA, LEE = SHARED / "data/realtimeqa/articles.jsonl.gz", SHARED / "data/lee_news"
SEED = 7
SYNONYMS = {
    "said": "stated", "people": "persons", "after": "following", "about": "around", "also": "too", "more": "further",
    "big": "large", "began": "started", "told": "informed", "near": "close to", "shows": "indicates", "get": "obtain",
    "many": "numerous", "while": "as", "because": "since", "but": "yet", "home": "house", "killed": "slain",
    "has": "had", "is": "remains", "are": "remain", "was": "had been", "were": "had been", "will": "is to",
}  # fmt: skip
SMALL = {"The", "A", "An", "In", "On", "At", "It", "He", "She", "They", "But", "And", "We", "As", "For", "This", "That"}

pytestmark = pytest.mark.skipif(not REALTIMEQA.exists(), reason="the development data is not there")
Edit = Callable[[random.Random, list[str]], list[str] | None]  # of the sentences of a text; None where it has no place


def texts(every: int = 16) -> list[str]:
    """Return real reports: 50 of three or four sentences, and one in `every` of the longer ones."""
    with gzip.open(REALTIMEQA, "rt") as lines:
        long = [json.loads(line)["text"] for number, line in enumerate(lines) if number % every == 0]
    return [
        *filter(None, (LEE / "lee.cor").read_text("latin-1").split("\n")),
        *(text for text in long if len(text) > 1000),
    ]


def cut(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]


def rewritten(sentence: str) -> str:
    """Say a sentence otherwise: some words exchanged, its last clause put first."""
    said = re.sub(r"\w+", lambda word: SYNONYMS.get(word[0], word[0]), sentence)
    front, comma, back = said.rstrip(".").rpartition(", ")
    if comma and re.search("[a-z]", front) and not re.search(r"[\"“”\d]", said):
        first, _, rest = front.partition(" ")
        said = f"{back[:1].upper()}{back[1:]}, {first.lower() if first in SMALL else first} {rest}."
    return said


def copied(_: random.Random, said: list[str]) -> list[str]:
    return [
        "By Jo Lee",
        f"LUND, May 3 (Northern Wire) - {said[0]}",
        *said[1:],
        "Reporting by Jo Lee; editing by Ann Ray",
    ]


def halved(_: random.Random, said: list[str]) -> list[str]:
    return said[: (len(said) + 1) // 2]


def paraphrased(chance: random.Random, said: list[str]) -> list[str]:
    can = [number for number, sentence in enumerate(said) if rewritten(sentence) != sentence]
    some = {*chance.sample(can, min(len(can), max(1, len(said) // 10)))}
    return [rewritten(sentence) if number in some else sentence for number, sentence in enumerate(said)]


def renumbered(chance: random.Random, said: list[str]) -> list[str] | None:
    return _replaced(chance, said, r"(?<![\w.,:/-])\d{1,3}(?![\w.,:/-])", lambda found: str(int(found) + 3))


def renamed(chance: random.Random, said: list[str]) -> list[str] | None:
    return _replaced(chance, said, r"(?<=[a-z] )[A-Z][a-z]{4,}(?![\w’'-])(?! [A-Z])", lambda _: "Zervas")


def _replaced(chance: random.Random, said: list[str], what: str, by: Callable[[str], str]) -> list[str] | None:
    places = [(number, found) for number, one in enumerate(said) for found in re.finditer(what, one) if "@" not in one]
    if not places:
        return None
    number, found = chance.choice(places)
    changed = said[number][: found.start()] + by(found[0]) + said[number][found.end() :]
    return [*said[:number], changed, *said[number + 1 :]]


def joined(one: str, other: str, days: int = 1) -> bool:
    """Tell whether the second of two texts, some days later, is found, and found to be a copy of the first."""
    articles = (Article(n, n, t, n, date(2026, 5, d)) for n, t, d in (("a", one, 3), ("b", other, 3 + days)))
    earlier, later = sorted((COPIES.keep(None, article) for article in articles), key=lambda kept: kept.order)
    return bool(earlier.keys & later.keys) and COPIES.score(later, earlier, float) > 0


@pytest.mark.parametrize(
    ("edit", "least", "most"),
    [(copied, 0.98, 1), (halved, 0.98, 1), (paraphrased, 0.98, 1), (renumbered, 0, 0), (renamed, 0, 0)],
)
def test_copies_are_found_and_updates_are_none(edit: Edit, least: float, most: float) -> None:
    chance = random.Random(SEED)
    pairs = [("\n\n".join(said), edit(chance, said)) for said in map(cut, texts()) if len(said) > 2]
    edited = [(text, "\n\n".join(other)) for text, other in pairs if other and "\n\n".join(other) != text]
    found = [joined(text, other) for text, other in edited]
    share = sum(found) / len(found)
    print(f"{edit.__name__}: {share:.3f} of {len(found)} (seed {SEED})")
    assert least <= share <= most


def test_reports_of_the_same_are_no_copies() -> None:
    """Of the 50 news texts that people compared: none is a copy of another, however like they are."""
    said = [*filter(None, (LEE / "lee.cor").read_text("latin-1").split("\n"))]
    assert not [(one, other) for n, one in enumerate(said) for other in said[:n] if joined(one, other)]
