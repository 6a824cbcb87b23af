"""What the reader learns from: pairs of a question or claim and a text, of reports made for it and of public sets."""

import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from heapq import nlargest
from pathlib import Path
from typing import Any, NamedTuple

from evals.sets import ragtruth, read_json
from index.encoder import Encoder
from index.text.terms import content_terms
from index.types import Article, digest
from qa.check.verify import evidence, in_order

REPORTS = Path(__file__).parent / "reports.jsonl.gz"
NUMBER = re.compile(r"(?<![\w.,-])\d[\d,]*(?:\.\d+)?(?![\w%])")
OWN = 2  # other sentences of its report beside which a question is put
NEAR_OTHERS = 0.5  # share of the nearly answered questions put beside another sentence, too
LIKE = 6  # sentences of other reports with most of a question's words, of which it is put beside one
UNPROVEN = 0.4  # share of the true claims put beside what does not prove them, too
ALONE = 0.6  # share of the sentences without their headline before them
Report = dict[str, Any]


class Example(NamedTuple):
    """A question (`answers`) or claim and a text, whether it holds, and where in the text the answer stands."""

    task: str
    first: str
    text: str
    holds: bool
    span: tuple[int, int] | None = None


def reports() -> list[Report]:
    """Return the invented reports, each with questions that it answers and nearly answers, true and false claims."""
    with gzip.open(REPORTS, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def questions(made: Sequence[Report], rng: random.Random) -> Iterator[Example]:
    """Yield each question with the sentence that answers it, with others of its report, and with like ones of others.

    Without the last, words in common with a question would tell what does not answer: near misses have them.
    """
    places = [(n, i) for n, report in enumerate(made) for i in range(len(report["text"]))]
    held = [content_terms(made[n]["text"][i]) for n, i in places]
    for n, report in enumerate(made):
        text: list[str] = report["text"]

        def shown(i: int, of: Report = report) -> str:
            return str(of["text"][i]) if rng.random() < ALONE else f"{of['title']}. {of['text'][i]}"

        for asked in report["qa"]:
            for i in [i for i in asked["s"] if asked["a"] in text[i]]:
                whole = shown(i)
                start = whole.index(asked["a"], whole.index(text[i]))
                yield Example("answers", asked["q"], whole, True, (start, start + len(asked["a"])))
            others = [i for i in range(len(text)) if i not in asked["s"] and asked["a"] not in text[i]]
            for i in rng.sample(others, min(OWN, len(others))):
                yield Example("answers", asked["q"], shown(i), False)
            wanted = content_terms(asked["q"])
            elsewhere = [place for place, (m, _) in enumerate(places) if m != n]
            like = nlargest(LIKE, elsewhere, key=lambda place: len(wanted & held[place]))
            for m, i in (places[place] for place in (rng.choice(like), rng.choice(elsewhere))):
                yield Example("answers", asked["q"], shown(i, made[m]), False)
        for asked in report["near"]:
            near = report["qa"][asked["twin"]]["s"]
            others = [i for i in range(len(text)) if i not in near]
            some = rng.sample(others, min(1, len(others))) if rng.random() < NEAR_OTHERS else []
            for i in near[:OWN] + some:
                yield Example("answers", asked["q"], shown(i), False)


def claims(made: Sequence[Report], rng: random.Random) -> Iterator[Example]:
    """Yield each claim with the sentences that prove it or seem to, among others; and copies, true and changed.

    Without the copies, words in common with a text would tell what does not follow: false claims stay close to it.
    """
    for report in made:
        text: list[str] = report["text"]

        def beside(own: Sequence[int], without: bool = False, text: list[str] = text) -> str:
            others = [i for i in range(len(text)) if i not in own]
            some = rng.sample(others, min(max(rng.randrange(5), without), len(others)))
            return " ".join(text[i] for i in sorted({*some} if without else {*own, *some}))

        for claim in report["true"]:
            yield Example("supports", claim["c"], beside(claim["s"]), True)
            if rng.random() < UNPROVEN and len(text) > len(claim["s"]):
                yield Example("supports", claim["c"], beside(claim["s"], True), False)
        for claim in report["false"]:
            yield Example("supports", claim["c"], beside(claim["s"]), False)
        one, *two = rng.sample(range(len(text)), 3)
        yield Example("supports", text[one], beside([one]), True)
        yield Example("supports", text[one], beside([one], True), False)
        first, second = (text[i] for i in sorted(two))
        joined = first.rstrip(".") + rng.choice([", and ", "; ", " while "]) + second
        yield Example("supports", joined, beside(two), True)
        if changed := _changed(text[two[0]], rng):
            yield Example("supports", changed, beside([two[0]]), False)


def _changed(sentence: str, rng: random.Random) -> str:
    """Return a sentence with one of its numbers exchanged, "" where it has none."""
    found = list(NUMBER.finditer(sentence))
    if not found:
        return ""
    at = rng.choice(found)
    value = float(at[0].replace(",", ""))
    near = [value - 3, value - 2, value - 1, value + 1, value + 2]
    other = rng.choice(near if 1900 <= value <= 2100 else [value + rng.randint(1, 9), value * 2, value / 2])
    said = f"{other:,.1f}" if "." in at[0] else f"{other:,.0f}"
    said = said if "," in at[0] else said.replace(",", "")
    return "" if said == at[0] else sentence[: at.start()] + said + sentence[at.end() :]


def public(folder: Path, encoder: Encoder, rng: random.Random) -> Iterator[Example]:
    """Yield the examples of the public sets in a folder: SQuAD 2, NLI, and sentences of models with people's verdicts.

    Of RAGTruth a third of the sources is left out, see `reported`: figures are told of those.
    """
    for row in read_json(folder / "reader" / "pairs.jsonl.gz"):
        start = row["sentence"].find(row.get("answer") or "\0")
        span = (start, start + len(row["answer"])) if start >= 0 else None
        yield Example("answers", row["answerable"], row["sentence"], True, span)
        yield Example("answers", row["unanswerable"], row["sentence"], False)
    for row in read_json(folder / "claims" / "nli_mixed.jsonl.gz"):
        yield Example("supports", row["claim"], row["text"], row["supported"])
    for name in ("ragtruth_summary", "ragtruth_qa"):
        judged = [*_judged(folder / "claims" / f"{name}.jsonl.gz", encoder, rng)]
        false = [example for example in judged if not example.holds]
        true = [example for example in judged if example.holds]
        yield from (*false, *rng.sample(true, min(len(true), 2 * len(false) + 100)))


def reported(source: str) -> bool:
    """Tell whether figures are told of a source of RAGTruth: a third of them, which nothing is learnt from."""
    return int(digest(source, 2), 16) % 3 == 0


def _judged(path: Path, encoder: Encoder, rng: random.Random) -> Iterator[Example]:
    for [source], claims in ragtruth.load(path):
        if not reported(source["id"]):
            article = Article(source["id"], "", source["text"])
            for claim in claims:
                read = evidence(claim["text"], [article], encoder)[: rng.choice([3, 4, 5])]
                yield Example("supports", claim["text"], in_order(read), claim["supported"])
