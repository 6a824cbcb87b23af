"""Asks every question of a file, and writes down what came back and what it is worth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from evals.metrics import Result, summarise
from evals.questions import Question
from evals.report import render
from index.types import BadInput, CopydeskError
from qa.desk import TOP_MAX, Desk
from qa.types import Answer, as_json

RESULTS, SUMMARY, REPORT = "results.jsonl", "summary.json", "report.html"


def run(
    desk: Desk, questions: Sequence[Question], out: Path, llm: str, progress: Callable[[str, float], None]
) -> Mapping[str, float | int | None]:
    """Ask the questions in order; write results.jsonl as they come, then summary.json and report.html.

    Each line of results.jsonl holds the question, the Answer, and the seconds it took.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        desk.warm_up()  # or the first question would be charged with loading the models
        rows: list[dict[str, Any]] = []
        results: list[Result] = []
        with (out / RESULTS).open("w", encoding="utf-8") as lines:
            for number, question in enumerate(questions):
                progress("questions", number / len(questions))
                started = time.perf_counter()
                answer = desk.ask(question.question, asked=question.asked, top=TOP_MAX, llm=llm)
                seconds = time.perf_counter() - started
                results.append(_result(desk, question, answer, seconds))
                rows.append({**_as_row(question), "seconds": round(seconds, 4), "result": as_json(answer)})
                lines.write(json.dumps(rows[-1], ensure_ascii=False) + "\n")
        progress("questions", 1.0)
        summary = summarise(results)
        (out / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        (out / REPORT).write_text(render(summary, rows, results), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror or error}") from error
    return summary


def _as_row(question: Question) -> dict[str, Any]:
    return {**asdict(question), "asked": question.asked and question.asked.isoformat()}


def _result(desk: Desk, question: Question, answer: Answer, seconds: float) -> Result:
    """Reduce an answer to what the metrics need; known articles may be given by id or by url."""
    exact = 0
    for citation in answer.citations:
        whole = str(getattr(desk.article(citation.article_id), citation.field))
        exact += whole[citation.start : citation.end] == citation.quote
    return Result(
        replace(question, articles=tuple(_id(desk, article) for article in question.articles)),
        answer.answered,
        answer.text,
        tuple(dict.fromkeys(hit.article.id for hit in answer.retrieved)),
        tuple(dict.fromkeys(citation.article_id for citation in answer.citations)),
        len(answer.citations),
        exact,
        seconds,
    )


def _id(desk: Desk, article: str) -> str:
    try:
        return desk.article(article).id
    except CopydeskError:
        return article  # not in this archive: it stays a label, and a miss
