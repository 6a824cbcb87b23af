"""Renders a run as one self-contained HTML page: no script of others, no network, readable in light and dark."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evals.metrics import LOSSES, Result, by_depth, calibration, fold, loss, right, trade_off
from qa.doors.show import day, figure

TEMPLATE = Path(__file__).with_name("report.html")
BARS = 24  # of the latency distribution


def render(summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], results: Sequence[Result]) -> str:
    """Return the report: headline figures with intervals, curves, losses, then every question to open."""
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"day": day, "pieces": _pieces, "figures": figures, "right": right, "loss": loss}
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    seconds = [result.seconds for result in results]
    return template.render(
        summary=summary,
        steps={step: words for step, (words, _) in LOSSES.items()},
        depth=by_depth(results),
        trade_off=trade_off(results),
        calibration=calibration(results),
        unanswerable=any(not result.question.answerable for result in results),
        slowest=max(seconds),
        latency=np.histogram(seconds, BARS, (0, max(seconds)))[0].tolist(),
        rows=list(zip(rows, results, strict=True)),
    )


def figures(summary: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    """Return what a summary, or one of its groups, has values for: (name, figure, its two bounds where known)."""
    intervals = summary.get("intervals", {})
    return [
        (name, figure(name, value), [figure(name, bound) for bound in intervals.get(name) or ()])
        for name, value in summary.items()
        if not isinstance(value, dict) and value is not None
    ]


def _pieces(text: str, result: Result) -> list[str]:
    """Cut the accepted answers out of a text; every second piece is one."""
    accepted = [re.escape(answer) for part in result.question.answers for answer in part if fold(answer)]
    return re.split(rf"(?i)\b({'|'.join(accepted)})(?!\w)", text) if accepted else [text]
