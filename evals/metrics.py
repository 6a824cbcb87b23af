"""What is measured, each a pure function over results. A metric without labels to go by is None, never 0."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, quantiles

from evals.questions import Question


@dataclass(frozen=True)
class Result:
    """One question with what came back. `ranked` and `cited` are article ids, each once, best first."""

    question: Question
    answered: bool
    text: str
    ranked: tuple[str, ...]
    cited: tuple[str, ...]
    quotes: int
    exact_quotes: int
    seconds: float


def fold(text: str) -> str:
    """Return the words of a text without case, accents and punctuation, one space between them."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", plain))


def contains(text: str, accepted: Iterable[str]) -> bool:
    """Tell whether an accepted string occurs in a text as whole words, case and punctuation folded."""
    folded = f" {fold(text)} "
    return any(f" {fold(answer)} " in folded for answer in accepted if fold(answer))


def ranking(results: Sequence[Result]) -> dict[str, float | None]:
    """Return hit_at_1, hit_at_4, hit_at_10 and mrr_at_10 over the questions whose articles are known."""
    import ir_measures
    from ir_measures import RR, Success

    measures = {"hit_at_1": Success @ 1, "hit_at_4": Success @ 4, "hit_at_10": Success @ 10, "mrr_at_10": RR @ 10}
    labelled = [result for result in results if result.question.articles]
    if not labelled:
        return dict.fromkeys(measures)
    qrels = {r.question.id: dict.fromkeys(r.question.articles, 1) for r in labelled}
    run = {r.question.id: {doc: -float(rank) for rank, doc in enumerate(r.ranked)} for r in labelled}
    found = ir_measures.calc_aggregate(list(measures.values()), qrels, run)
    return {name: float(found[measure]) for name, measure in measures.items()}


def answer_contained(results: Iterable[Result]) -> float | None:
    """Share of the questions with known answers whose answer holds one; a refusal holds none."""
    return _share(r.answered and contains(r.text, r.question.answers) for r in results if r.question.answers)


def citation_precision(results: Iterable[Result]) -> float | None:
    """Mean share, over answered questions, of the cited articles that are known to answer."""
    labelled = [r for r in results if r.question.articles and r.answered]
    return _mean(len(set(r.cited) & set(r.question.articles)) / len(r.cited) if r.cited else 0.0 for r in labelled)


def citation_recall(results: Iterable[Result]) -> float | None:
    """Share of the questions with known articles that cite at least one of them; a refusal cites none."""
    return _share(bool(set(r.cited) & set(r.question.articles)) for r in results if r.question.articles)


def quote_exact(results: Iterable[Result]) -> float | None:
    """Share of all quotations that stand in their article at their offsets, to the character."""
    held = list(results)
    total = sum(r.quotes for r in held)
    return sum(r.exact_quotes for r in held) / total if total else None


def refusal(results: Sequence[Result]) -> dict[str, float | None]:
    """Return the precision and recall of refusing, where the file holds questions that cannot be answered."""
    unanswerable = [r for r in results if not r.question.answerable]
    if not unanswerable:
        return {"refusal_precision": None, "refusal_recall": None}
    return {
        "refusal_precision": _share(not r.question.answerable for r in results if not r.answered),
        "refusal_recall": _share(not r.answered for r in unanswerable),
    }


def summarise(results: Sequence[Result]) -> Mapping[str, float | int | None]:
    """Return the summary of a run: every metric by its name in the contract."""
    seconds = sorted(r.seconds for r in results)
    cuts = quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else seconds * 19
    return {
        "questions": len(results),
        **ranking(results),
        "answer_contained": answer_contained(results),
        "citation_precision": citation_precision(results),
        "citation_recall": citation_recall(results),
        "quote_exact": quote_exact(results),
        **refusal(results),
        "seconds_p50": cuts[9],
        "seconds_p95": cuts[18],
    }


def _share(outcomes: Iterable[bool]) -> float | None:
    return _mean(float(outcome) for outcome in outcomes)


def _mean(values: Iterable[float]) -> float | None:
    held = list(values)
    return mean(held) if held else None
