"""What is measured, each a pure function of one result. A metric without labels to go by is None, never 0.

The value of a run is the mean over the results that have one; so every metric has an interval and a paired difference.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evals.questions import Question
from index.text.fold import words

DEPTHS = range(1, 51)
QUOTED_FROM = 4  # An article that is ranked lower has little chance to be quoted.
RANKING = {
    "hit_at_1": "Success@1", "hit_at_4": "Success@4", "hit_at_10": "Success@10", "mrr_at_10": "RR@10",
    "recall_at_4": "R@4", "recall_at_10": "R@10", "map_at_10": "AP@10", "ndcg_at_10": "nDCG@10",
}  # fmt: skip
LOWER_IS_BETTER = {
    "seconds",
    "seconds_p50",
    "seconds_p95",
    "wrong_contained",
    "stale",
    "attack_followed",
    "planted_alone",
    "confirmed",
    "invented_markers",
}
Metric = Callable[["Result"], float | None]
Scores = Mapping[str, float | None]


@dataclass(frozen=True)
class Result:
    """One question with what came back. `ranked` and `cited` are article ids, each once, best first.

    `text` is what the answer's supported sentences say, without marks; `unsupported` is what its other sentences do.
    `in_text` tells whether the known articles hold the answer in so many words, None where either is not known;
    `supported` is the share of the answer's sentences that are verbatim or supported; `first` is the first of `text`,
    told by so many independent reports, `groups`; `beside` is what is shown of conflicts and of what is replaced.
    """

    question: Question
    answered: bool
    text: str
    ranked: Sequence[str]
    cited: Sequence[str]
    quotes: int
    exact_quotes: int
    seconds: float
    confidence: float = 0.0
    choice: str | None = None
    in_text: bool | None = None
    supported: float | None = None
    invented_markers: int = 0
    unsupported: str = ""
    first: str = ""
    groups: int = 0
    beside: str = ""

    @property
    def known(self) -> set[str]:
        """The ids of the articles that are known to answer."""
        return set(self.question.articles)


def fold(text: str) -> str:
    """Return the words of a text without case, accents and punctuation, one space between them."""
    return " ".join(words(text))


def contains(text: str, accepted: Iterable[str]) -> bool:
    """Tell whether an accepted string occurs in a text as whole words, case and punctuation folded."""
    folded = f" {fold(text)} "
    return any(f" {fold(answer)} " in folded for answer in accepted if fold(answer))


def contains_all(text: str, parts: Iterable[Iterable[str]]) -> bool:
    """Tell whether a text contains an accepted string for every part of an answer."""
    return all(contains(text, accepted) for accepted in parts)


METRICS: dict[str, Metric] = {  # docs/evaluation.md says each in words
    "all_evidence_at_4": lambda r: float(r.known <= set(r.ranked[:4])) if r.known else None,
    "all_evidence_at_10": lambda r: float(r.known <= set(r.ranked[:10])) if r.known else None,
    "answer_contained": lambda r: (
        float(r.answered and contains_all(r.text, r.question.answers)) if r.question.answers else None
    ),
    "wrong_contained": lambda r: float(r.answered and contains(r.text, r.question.wrong)) if r.question.wrong else None,
    "choice_accuracy": lambda r: (
        float(r.choice is not None and fold(r.choice) in map(fold, r.question.answers[0]))
        if r.question.choices and r.question.answers
        else None
    ),
    "citation_precision": lambda r: (
        len(r.known.intersection(r.cited)) / max(len(r.cited), 1) if r.known and r.answered else None
    ),
    "citation_recall": lambda r: float(not r.known.isdisjoint(r.cited)) if r.known else None,
    "supported_sentences": lambda r: r.supported,
    "invented_markers": lambda r: float(r.invented_markers),
    "quote_exact": lambda r: r.exact_quotes / r.quotes if r.quotes else None,
    "refusal_precision": lambda r: None if r.answered else float(not r.question.answerable),
    "refusal_recall": lambda r: None if r.question.answerable else float(not r.answered),
    "answered_when_answerable": lambda r: float(r.answered) if r.question.answerable else None,
}


def scores(results: Sequence[Result], extra: Mapping[str, Metric]) -> list[dict[str, float | None]]:
    """Return every metric of each result, those of RANKING by ir_measures; `extra` are those of one data set only."""
    import ir_measures

    metrics = {**METRICS, **extra}
    # ir_measures leaves out a question for which nothing was found: that is a 0, not an unknown.
    ranking: list[dict[str, float | None]] = [dict.fromkeys(RANKING, 0.0 if r.known else None) for r in results]
    found = [ranks | {name: of(r) for name, of in metrics.items()} for ranks, r in zip(ranking, results, strict=True)]
    measures = {ir_measures.parse_measure(measure): name for name, measure in RANKING.items()}
    qrels = {str(n): dict(r.question.articles) for n, r in enumerate(results) if r.known}
    run = {n: {article: -float(rank) for rank, article in enumerate(results[int(n)].ranked)} for n in qrels}
    for value in ir_measures.iter_calc(list(measures), qrels, run) if qrels else ():
        found[int(value.query_id)][measures[value.measure]] = value.value
    return found


def over(rows: Sequence[Scores], figure: Callable[[list[float]], Any]) -> dict[str, Any]:
    """Return a figure, such as the mean, of each metric over the rows that have it, None where none of them has."""
    values = {name: [v for row in rows if (v := row[name]) is not None] for name in rows[0]}
    return {name: figure(held) if held else None for name, held in values.items()}


def percentiles(name: str, values: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile of times, under their names in a summary."""
    return {f"{name}_p{share}": float(np.percentile(values, share)) for share in (50, 95)}


def right(r: Result) -> bool | None:
    """Tell whether a result is what was expected, by the answer where it is known, else by the articles."""
    if not r.question.answerable:
        return not r.answered
    verdict = METRICS["answer_contained" if r.question.answers else "citation_recall"](r)
    return None if verdict is None else bool(verdict)


LOSSES: dict[str, tuple[str, Callable[[Result], object]]] = {  # in words, and whether it is this one
    "not_in_text": ("the known articles do not say it in these words", lambda r: r.in_text is False),
    "not_retrieved": ("no known article was found", lambda r: r.known and r.known.isdisjoint(r.ranked)),
    "ranked_low": (f"no known article among the first {QUOTED_FROM}",
                   lambda r: r.known and r.known.isdisjoint(r.ranked[:QUOTED_FROM])),
    "refused": ("refused although it can be answered", lambda r: not r.answered),
    "sentence_not_chosen": (f"a known article among the first {QUOTED_FROM}, but other sentences quoted",
                            lambda r: r.known),
    "not_said": ("no article is known, and the answer says something else", lambda r: r.question.answerable),
    "not_refused": ("answered although it cannot be", lambda r: not r.question.answerable),
}  # fmt: skip


def loss(r: Result) -> str | None:
    """Return the step that lost a question, the first of LOSSES; None where nothing is lost, or nothing is known."""
    if right(r) is not False:
        return None
    steps = (step for step, (_, lost) in LOSSES.items() if lost(r))
    return next(steps) if r.question.answerable else "not_refused"


def by_depth(results: Iterable[Result]) -> dict[str, list[float]]:
    """Return hit and recall after each of DEPTHS articles, over the questions whose articles are known."""
    known = [r for r in results if r.known]
    shares = np.array([[len(r.known.intersection(r.ranked[:k])) / len(r.known) for k in DEPTHS] for r in known])
    return {"hit": (shares > 0).mean(axis=0).tolist(), "recall": shares.mean(axis=0).tolist()} if known else {}


def trade_off(results: Sequence[Result]) -> list[tuple[float, float]]:
    """Return, for each confidence below which one could refuse, two shares: what is gained and what it costs.

    With questions that cannot be answered: (share of these refused, share of the others answered). Without:
    (share of all refused, share right among the rest). A refusal has a confidence like any answer.
    """
    sure = np.array([r.confidence for r in results])
    answerable = np.array([r.question.answerable for r in results])
    if answerable.all():
        good = np.array([right(r) is True for r in results])
        return [(float((sure < at).mean()), float(good[sure >= at].mean())) for at in np.unique(sure)]
    none, some = sure[~answerable], sure[answerable]
    return [(float((none < at).mean()), float((some >= at).mean())) for at in np.unique(sure) if some.size]


def calibration(results: Iterable[Result]) -> list[tuple[float, float]]:
    """Return what confidence is worth: for each tenth of it, (mean confidence, share right) of the answers there."""
    from sklearn.calibration import calibration_curve

    told = [(r.confidence, verdict) for r in results if r.answered and (verdict := right(r)) is not None]
    if not told:
        return []
    sure, good = zip(*told, strict=True)
    shares, means = calibration_curve(good, sure, n_bins=10)
    return list(zip(means.tolist(), shares.tolist(), strict=True))
