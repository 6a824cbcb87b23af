"""Measures the check: claims that are known to be supported or not go through `Desk.check`, the way a draft does."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from evals.run import PASSED, SUMMARY, collect
from index.types import BadInput, translated
from qa.desk import Desk
from qa.types import as_json


@dataclass(frozen=True)
class Claim:
    """A text of one or more sentences, the article that it is checked against, and whether that supports all of it."""

    id: str
    text: str
    article: str
    supported: bool
    group: str = ""


def run_claims(
    desk: Desk,
    claims: Sequence[Claim],
    out: Path,
    settings: Mapping[str, Any],
    progress: Callable[[str, float], None],
    restart: bool = False,
) -> dict[str, Any]:
    """Check the claims in order and write into the folder `out`, a line as soon as one is done; return the summary.

    A run that was interrupted goes on. A claim passes where each of its sentences is verbatim or supported.
    """
    with translated(BadInput, f"{out} cannot be written", OSError):
        rows = collect(desk, claims, partial(_row, desk), out, settings, progress, restart)
        summary = summarise(rows) | {"settings": dict(settings)}
        (out / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return summary


def _row(desk: Desk, claim: Claim) -> dict[str, Any]:
    started = time.perf_counter()
    checked = desk.check(claim.text, articles=[claim.article])
    seconds = time.perf_counter() - started
    exact = [getattr(desk.article(c.article_id), c.field)[c.start : c.end] == c.quote for c in checked.citations]
    passed = all(sentence.support in PASSED for sentence in checked)
    return {**vars(claim), "passed": passed, "exact_quotes": sum(exact), "quotes": len(exact),
            "ms_per_sentence": round(seconds * 1000 / len(checked), 1), "result": as_json(checked)}  # fmt: skip


def summarise(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return both error rates, what follows from them, and the time a sentence takes."""
    good = [row["passed"] for row in rows if row["supported"]]
    bad = [row["passed"] for row in rows if not row["supported"]]
    if not good or not bad:
        raise BadInput("the claims are all of one kind: both error rates need supported and unsupported ones")
    passed_wrongly, stripped_wrongly = mean(bad), 1 - mean(good)
    quotes = sum(row["quotes"] for row in rows)
    p50, p95 = np.percentile([row["ms_per_sentence"] for row in rows], (50, 95)).tolist()
    groups = dict.fromkeys(row["group"] for row in rows if row["group"])
    return {
        "claims": len(rows),
        "balanced_accuracy": 1 - (passed_wrongly + stripped_wrongly) / 2,
        "f1_supported": 2 * sum(good) / (sum(good) + sum(bad) + len(good)),
        "passed_wrongly": passed_wrongly,
        "stripped_wrongly": stripped_wrongly,
        "quote_exact": sum(row["exact_quotes"] for row in rows) / quotes if quotes else None,
        "ms_per_sentence_p50": p50,
        "ms_per_sentence_p95": p95,
        "groups": {group: {"passed": mean(row["passed"] for row in rows if row["group"] == group)} for group in groups},
    }
