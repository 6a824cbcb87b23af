"""How sure a figure is, and whether two runs differ by more than chance. Computed by scipy."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Literal

import numpy as np

from evals.metrics import LOWER_IS_BETTER, Scores

RESAMPLES = 2000
SEED = 20221  # The same intervals for the same results, always.
LEVEL = 0.95
Verdict = Literal["same", "noise", "better", "worse"]


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the bootstrap interval (95 %, percentile) of a mean; None below two values."""
    from scipy.stats import bootstrap

    if len(values) < 2:
        return None
    rng = np.random.default_rng(SEED)
    found = bootstrap((values,), np.mean, n_resamples=RESAMPLES, confidence_level=LEVEL, method="percentile", rng=rng)
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


@dataclass(frozen=True)
class Difference:
    """A metric in two runs of the same `n` questions. `p` is McNemar's, for metrics that are 0 or 1 a question.

    `gained` and `lost` are the ids of the questions that became better and worse from the first run to the second.
    The verdict is "noise" where McNemar's p is 5 % or more, or, without one, where the interval holds 0.
    """

    metric: str
    n: int
    first: float
    second: float
    difference: float
    interval: tuple[float, float] | None
    p: float | None
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    verdict: Verdict


def mcnemar(gained: int, lost: int) -> float:
    """Return the exact two-sided p of McNemar's test: `gained` against `lost` among the pairs that differ."""
    from scipy.stats import binomtest

    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def compare(first: dict[str, Scores], second: dict[str, Scores]) -> list[Difference]:
    """Return the difference in each metric over the questions that both runs, by question id, have values for."""
    names = dict.fromkeys(name for run in (first, second) for row in run.values() for name in row)
    found = []
    for name in names:
        both = [(k, a, b) for k in first if k in second and (a := first[k].get(name)) is not None
                and (b := second[k].get(name)) is not None]  # fmt: skip
        if not both:
            continue
        _, before, after = zip(*both, strict=True)
        changes = [b - a for a, b in zip(before, after, strict=True)]
        sign = -1 if name in LOWER_IS_BETTER else 1
        gained, lost = (tuple(key for key, a, b in both if way * (b - a) > 0) for way in (sign, -sign))
        p = mcnemar(len(gained), len(lost)) if {*before, *after} <= {0.0, 1.0} else None
        bounds = interval(changes)
        by_chance = p >= 1 - LEVEL if p is not None else bounds is None or bounds[0] <= 0 <= bounds[1]
        means = mean(before), mean(after), mean(changes)
        verdict: Verdict = "noise" if by_chance else "better" if sign * means[2] > 0 else "worse"
        found.append(Difference(name, len(both), *means, bounds, p, gained, lost, verdict if any(changes) else "same"))
    return found
