"""Asks every question of a set, and writes down what came back and what it is worth."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from evals.metrics import LOSSES, Metric, Result, Scores, contains_all, loss, over, scores
from evals.questions import IN_FILES, Question, as_row, parse
from evals.report import render
from evals.stats import interval
from index.read.records import read_jsonl
from index.types import BadInput, digest, translated
from qa.desk import Desk
from qa.request import TOP_MAX
from qa.types import Answer, as_json

RESULTS, SUMMARY, REPORT, SETTINGS, TREC_RUN, TREC_QRELS = (
    "results.jsonl", "summary.json", "report.html", "run.json", "run.trec", "qrels.trec",
)  # fmt: skip
CONTEXT_CHARACTERS = 240  # kept on each side of a quotation
PASSED = ("verbatim", "supported")
PASSAGES_KEPT = 10  # with their text, of the up to 100 that are kept by their place

Row = dict[str, Any]


def run(
    desk: Desk,
    questions: Sequence[Question],
    out: Path,
    llm: str,
    progress: Callable[[str, float], None],
    restart: bool = False,
    extra: Mapping[str, Metric] | None = None,
    rules: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Ask the questions in order and write into the folder `out`; return the summary.

    `rules` are the desk's own, such as its judge: a run is told from others by them.

    results.jsonl gets a line a question as soon as it is answered: a run that was interrupted is continued, and a
    finished one is only summed up again. A folder whose run had other questions, articles or model is refused,
    unless `restart` gives leave to replace it. Then come summary.json, report.html, run.trec and qrels.trec.
    """
    articles = digest(json.dumps(sorted(desk.index.archive.passage_ids())), 8)  # the ids are digests of what they hold
    settings = check(
        out,
        questions,
        {"llm": llm, **(rules or {})},
        restart,
        articles=articles,
        encoder=desk.index.archive.meta("encoder"),
    )
    extra = extra or {}
    with translated(BadInput, f"{out} cannot be written", OSError):

        def ask(q: Question) -> Row:
            started = time.perf_counter()
            answer = desk.ask(q.question, asked=q.asked, outlets=q.outlets, choices=q.choices, top=TOP_MAX, llm=llm)
            row = _row(desk, q, answer, time.perf_counter() - started)
            result = _result(row)
            return row | {"scores": scores([result], extra)[0], "loss": loss(result)}

        ordered = collect(desk, questions, ask, out, settings, progress, restart)
        results = [_result(row) for row in ordered]
        summary = summarise(results, scores(results, extra)) | {"settings": settings}
        (out / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        (out / REPORT).write_text(render(summary, ordered, results), encoding="utf-8")
        _write_trec(out / TREC_RUN, [
            (r.question.id, "Q0", article, rank, f"{1 / rank:.6f}", "copydesk")
            for r in results for rank, article in enumerate(r.ranked, 1)
        ])  # fmt: skip
        grades = [(r.question.id, 0, *graded) for r in results for graded in r.question.articles.items()]
        _write_trec(out / TREC_QRELS, grades)
    return summary


def collect(
    desk: Desk,
    asked: Sequence[Any],
    ask: Callable[[Any], Row],
    out: Path,
    settings: Mapping[str, Any],
    progress: Callable[[str, float], None],
    restart: bool,
) -> list[Row]:
    """Return the rows of what is asked, in order; those that the folder holds already are not asked again.

    Each has an `id`, as its row has, and is written down as soon as it is answered.
    """
    if restart:
        (out / RESULTS).unlink(missing_ok=True)
    (out / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    with (out / RESULTS).open("ab") as lines:
        rows = {row["id"]: row for row in read_rows(out)}
        lines.truncate((out / RESULTS).read_bytes().rfind(b"\n") + 1)  # what follows was cut off
        left = [item for item in asked if item.id not in rows]
        if left:
            desk.warm_up()  # or the first would be charged with loading the models
        for item in left:
            progress("questions", len(rows) / len(asked))
            rows[item.id] = ask(item)
            lines.write(json.dumps(rows[item.id], ensure_ascii=False).encode() + b"\n")
            lines.flush()
    progress("questions", 1.0)
    return [rows[item.id] for item in asked]


def summarise(results: Sequence[Result], rows: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    """Return the summary of a run: every metric with its interval, the times, the losses, and groups where there are.

    `rows` are the scores of the results.
    """
    if all(result.question.answerable for result in results):  # then there is nothing to refuse
        rows = [{**row, "refusal_precision": None} for row in rows]
    p50, p95 = np.percentile([result.seconds for result in results], (50, 95)).tolist()
    lost = Counter(loss(result) for result in results)
    summary = {"questions": len(results), **over(rows, mean), "seconds_p50": p50, "seconds_p95": p95}
    summary |= {"losses": {step: lost[step] for step in LOSSES}, "intervals": over(rows, interval)}
    groups: dict[str, list[Scores]] = {}
    for result, row in zip(results, rows, strict=True):
        groups.setdefault(result.question.group, []).append(row)
    groups.pop("", None)
    if groups:
        summary["groups"] = {group: over(held, mean) for group, held in groups.items()}
    return summary


def read_rows(out: Path) -> Iterator[Row]:
    """Yield the rows of a run, without a last line that was cut off. Raises BadInput where there is no run."""
    try:
        *lines, _ = (out / RESULTS).read_bytes().split(b"\n")
    except OSError as error:
        raise BadInput(f"{out} holds no run ({RESULTS}: {error.strerror or error})") from error
    for row, place in read_jsonl(lines):
        if isinstance(row, BadInput):
            raise BadInput(f"{out / RESULTS}, {place} is damaged: start over with --restart") from row
        yield row


def check(
    out: Path, questions: Sequence[Any], writer: Mapping[str, str], restart: bool, **archive: str | None
) -> dict[str, str | None]:
    """Make the folder of a run; return what the run is asked to do, as far as that can be told without its archive.

    Raises BadInput where the folder holds answers of another run, or of no run at all.
    """
    asked = digest(json.dumps([as_row(q) if isinstance(q, Question) else vars(q) for q in questions]), 8)
    settings = {"questions": asked, **writer, "copydesk": version("copydesk"), **archive}
    if out.is_file():
        raise BadInput(f"{out} is a file: name a folder with --out")
    with translated(BadInput, f"{out} cannot be written", OSError):
        out.mkdir(parents=True, exist_ok=True)
        if restart or not (out / RESULTS).exists() or not (out / RESULTS).stat().st_size:
            return settings
        try:
            before = json.loads((out / SETTINGS).read_bytes())
        except (FileNotFoundError, ValueError) as error:
            raise BadInput(f"{out} holds a {RESULTS} of something else: name another --out, or --restart") from error
    if other := [name for name, value in settings.items() if before.get(name) != value]:
        raise BadInput(
            f"{out} holds a run with other {', '.join(other)}: name another --out, or replace it with --restart"
        )
    return settings


def _row(desk: Desk, question: Question, answer: Answer, seconds: float) -> Row:
    """Return all that is needed to look into a failure, and to continue the run: question, answer and passages.

    Known articles may be given by id or by url, and get their ids; one that is not in the archive stays a miss.
    """
    known = {name: desk.index.archive.article(name) for name in question.articles}
    grades = {article.id if article else name: question.articles[name] for name, article in known.items()}
    texts = "\n".join(f"{article.title}\n{article.text}" for article in known.values() if article)
    exact = [getattr(desk.article(c.article_id), c.field)[c.start : c.end] == c.quote for c in answer.citations]
    document = as_json(answer)
    for c in document["citations"] or (document["refusal"] or {}).get("closest", []):
        whole = getattr(desk.article(c["article_id"]), c["field"])
        c["before"] = whole[max(0, c["start"] - CONTEXT_CHARACTERS) : c["start"]]
        c["after"] = whole[c["end"] : c["end"] + CONTEXT_CHARACTERS]
    return as_row(replace(question, articles=grades)) | {
        "ranked": list(dict.fromkeys(hit.article.id for hit in answer.retrieved)),
        "cited": list(dict.fromkeys(citation.article_id for citation in answer.citations)),
        "exact_quotes": sum(exact),
        "seconds": round(seconds, 4),
        "in_text": contains_all(texts, question.answers) if question.articles and question.answers else None,
        "result": document,
        "passages": [as_json(hit) for hit in answer.retrieved[:PASSAGES_KEPT]],
    }


def _result(row: Row) -> Result:
    """Reduce a row to what the metrics need."""
    document = row["result"]
    return Result(
        parse({name: row[name] for name in IN_FILES}), document["answered"], document["text"], tuple(row["ranked"]),
        tuple(row["cited"]), len(document["citations"]), row["exact_quotes"], row["seconds"],
        document["confidence"], document["choice"], row["in_text"],
        mean(s["support"] in PASSED for s in document["sentences"]) if document["sentences"] else None,
        document.get("invented_markers", 0),
    )  # fmt: skip


def _write_trec(path: Path, rows: Iterable[tuple[object, ...]]) -> None:
    """Write rows as trec_eval reads them: no white space within a field."""
    lines = (" ".join("_".join(str(field).split()) for field in row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
