"""What the reader learns from: pairs of a question or claim and a text, of reports made for it and of public sets."""

import gzip
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from evals.sets import Rows, ragtruth, read_json
from index.encoder import Encoder
from index.text.names import runs, words
from index.types import Article, digest
from qa.check.grammar import CALENDAR
from qa.check.verify import evidence, in_order

REPORTS = Path(__file__).parent / "reports.jsonl.gz"
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w%]|[.,]\d)")
# Sentences of its report, most like it, that do not answer a question: one that has an answer, and one that has none.
OWN = {True: 1, False: 2}
LIKE = 6  # most like sentences of other reports, of which a question is put beside one
CHANCE = 0.25  # share of the questions put beside a sentence by chance, too
EXCHANGED = 4  # sentences and true claims of a report with something in them exchanged
WITHIN = 0.6  # share of these where both stand in the sentence, if two do
BESIDE = r"(?:{0}|{1}),? (?:and|or|with) (?:{0}|{1})"  # their order tells nothing
UNPROVEN = 0.4  # share of the true claims put beside what does not prove them, too
ALONE = 0.6  # share of the sentences without their headline before them
SENTENCES = (3, 4, 5)  # that a claim of a public set is read beside
RAGTRUTH = ("ragtruth_summary", "ragtruth_qa")
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


def questions(made: Sequence[Report], encoder: Encoder, rng: random.Random) -> Iterator[Example]:
    """Yield each question with the sentences that answer it, and with those most like it of its report and of others.

    The likest are what a ranking brings: among many sentences one nearly always looks like an answer.
    """
    places = [(n, i) for n, report in enumerate(made) for i in range(len(report["text"]))]
    vectors = encoder.encode([made[n]["text"][i] for n, i in places])

    def shown(n: int, i: int) -> str:
        text = str(made[n]["text"][i])
        return text if rng.random() < ALONE else f"{made[n]['title']}. {text}"

    for n, report in enumerate(made):
        text: list[str] = report["text"]
        asked = [(own["q"], own["s"], own["a"]) for own in report["qa"]]
        asked += [(own["q"], [], "") for own in report["near"]]
        for (question, own, answer), near in zip(asked, encoder.encode([q for q, *_ in asked]), strict=True):
            holding = [i for i in own if answer in text[i]]
            for i in holding:
                whole = shown(n, i)
                start = whole.index(answer, whole.index(text[i]))
                yield Example("answers", question, whole, True, (start, start + len(answer)))
            order = [places[k] for k in np.argsort(-(vectors @ near))[: LIKE + len(text)]]
            others = [(m, i) for m, i in order if m == n and i not in own and not (answer and answer in text[i])]
            like = [place for place in order if place[0] != n][:LIKE]
            chosen = [*others[: OWN[bool(own)]], rng.choice(like)]
            chosen += [rng.choice(places)] if rng.random() < CHANCE else []
            for m, i in chosen:
                yield Example("answers", question, shown(m, i), False)
        for missed in report["near"]:  # beside what answers the question that it is like, whatever its words
            for i in report["qa"][missed["twin"]]["s"][:2]:
                yield Example("answers", missed["q"], shown(n, i), False)


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
        said = [(text[i], [i]) for i in range(len(text))] + [(claim["c"], claim["s"]) for claim in report["true"]]
        for claim, own in rng.sample(said, EXCHANGED):
            if changed := exchanged(claim, text, rng):
                yield Example("supports", changed, beside(own), False)
                yield Example("supports", claim, beside(own), True)
        one, *two = rng.sample(range(len(text)), 3)
        yield Example("supports", text[one], beside([one], True), False)
        first, second = (text[i] for i in sorted(two))
        joined = first.rstrip(".") + rng.choice([", and ", "; ", " while "]) + second
        yield Example("supports", joined, beside(two), True)


def exchanged(claim: str, text: Sequence[str], rng: random.Random) -> str:
    """Return a claim with two of its names or numbers exchanged, or one put for another of its report; or ""."""
    found = [(find(claim), dict.fromkeys(find(" ".join(text)))) for find in (runs, NUMBER.findall)]
    choices = [(a, b) for own, held in found for a in own for b in held if _another(a, b)]
    within = [
        (a, b) for a, b in choices if b in claim and not re.search(BESIDE.format(re.escape(a), re.escape(b)), claim)
    ]
    choices = [(a, b) for a, b in choices if b not in claim]
    if not (choices or within):
        return ""
    a, b = rng.choice(within if within and (not choices or rng.random() < WITHIN) else choices)
    either = rf"(?<![\w.,])(?:{re.escape(a)}|{re.escape(b)})(?!\w|[.,]\d)"
    return re.sub(either, lambda found: b if found[0] == a else a, claim)


def _another(a: str, b: str) -> bool:
    """Tell whether two names or numbers are two things of one kind: not Berg and Anna Berg, no day, no year for 3."""
    if {a, b} & CALENDAR or words(a) & words(b):
        return False
    if a[0].isdigit() or b[0].isdigit():
        return a[0].isdigit() and b[0].isdigit() and len(a) == len(b)
    return len(a.split()) == len(b.split())


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
    judged = [[*_judged(ragtruth.load(folder / "claims" / f"{name}.jsonl.gz"), encoder, rng)] for name in RAGTRUTH]
    texts = {row["n"]: row["text"] for row in read_json(folder / "claims" / "summedits_other_texts.jsonl.gz")}
    edits = read_json(folder / "claims" / "summedits_other.jsonl.gz")
    summaries = (
        ([{"id": f"edits {row['text']}", "text": texts[row["text"]]}], [{**row, "text": row["claim"]}]) for row in edits
    )
    for claims in (*judged, [*_judged(summaries, encoder, rng)]):
        false = [example for example in claims if not example.holds]
        true = [example for example in claims if example.holds]
        yield from (*false, *rng.sample(true, min(len(true), 2 * len(false) + 100)))


def reported(source: str) -> bool:
    """Tell whether figures are told of a source of RAGTruth: a third of them, which nothing is learnt from."""
    return int(digest(source, 2), 16) % 3 == 0


def _judged(rows: Iterable[tuple[Rows, Rows]], encoder: Encoder, rng: random.Random) -> Iterator[Example]:
    for [source], claims in rows:
        if not reported(source["id"]):
            article = Article(source["id"], "", source["text"])
            for claim in claims:
                read = evidence(claim["text"], [article], encoder).read[: rng.choice(SENTENCES)]
                yield Example("supports", claim["text"], in_order(read), claim["supported"])
