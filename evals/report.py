"""Renders a run as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.metrics import Result, contains
from qa.show import day, figure

TEMPLATE = Path(__file__).with_name("report.html")


def render(summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], results: Sequence[Result]) -> str:
    """Return the report: headline figures, then every question with its answer, sources and verdict."""
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["day"] = day
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    figures = [(name, figure(name, value)) for name, value in summary.items()]
    verdicts = [_verdict(result) for result in results]
    return template.render(figures=figures, rows=list(zip(rows, verdicts, results, strict=True)))


def _verdict(result: Result) -> tuple[str, str]:
    """Return (class, words) for one question: good, bad or unknown."""
    question = result.question
    if not question.answerable:
        return ("bad", "should have refused") if result.answered else ("good", "rightly refused")
    if not result.answered:
        return "bad", "refused"
    if question.answers:
        right = contains(result.text, question.answers)
        return ("good", "answer contained") if right else ("bad", "answer not contained")
    if question.articles:
        right = bool(set(result.cited) & set(question.articles))
        return ("good", "known article cited") if right else ("bad", "known article not cited")
    return "unknown", "no label"
