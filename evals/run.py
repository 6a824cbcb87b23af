"""Asks every question of a set, or checks every claim, and writes down what came back and what it is worth."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from typing import Any

from evals import sets
from evals.claims import Claim, summarise_claims
from evals.metrics import LOSSES, Metric, Result, contains_all, loss, over, percentiles, scores
from evals.questions import IN_FILES, Question, as_row, parse
from evals.report import render
from evals.stats import compare, interval
from index.read.formats.records import read_jsonl
from index.sync import Progress
from index.types import BadInput, digest, translated
from qa.desk import Desk
from qa.request import TOP_MAX
from qa.types import PASSED, Citation, as_json

RESULTS, SUMMARY, REPORT, SETTINGS = "results.jsonl", "summary.json", "report.html", "run.json"
CONTEXT_CHARACTERS = 240  # kept on each side of a quotation
PASSAGES_KEPT = 10  # with their text, of the up to 100 that are kept by their place

Asked = Sequence[Question] | Sequence[Claim]
Row = dict[str, Any]


def run(
    desk: Desk, asked: Asked, out: Path, llm: str, tell: Progress, restart: bool = False, name: str = "",
    seen: Callable[[Row], object] = bool, **rules: str,
) -> dict[str, Any]:  # fmt: skip
    """Ask the questions, or check the claims, in order and write into the folder `out`; return the summary.

    `name` is the data set's; `rules` are the desk's own, such as its judge: a run is told from others by them.
    results.jsonl gets a line for each as soon as it is answered: a run that was interrupted is continued, and a
    finished one is only summed up again. A folder whose run had other questions, articles or model is refused,
    unless `restart` gives leave to replace it. Then come summary.json and, for questions, report.html, run.trec and
    qrels.trec. `seen` gets each row; what it or `tell` raises stops the run.
    """
    settings = check(out, asked, restart, desk, llm=llm, **rules)
    extra = sets.metrics(name)
    written, mode = out / RESULTS, "wb" if restart else "ab"
    writing = partial(translated, BadInput, f"{out} cannot be written", OSError)
    with writing(), written.open(mode) as lines:
        (out / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        done = {row["id"]: row for row in read_rows(out)}
        lines.truncate(written.read_bytes().rfind(b"\n") + 1)  # what follows was cut off
    left = [item for item in asked if item.id not in done]
    if left:
        desk.warm_up()  # or the first would be charged with loading the models
    for row in done.values():
        seen(row)
    for item in left:
        tell("questions", len(done) / len(asked))
        with translated(BadInput, f"{item.id} could not be asked", OSError, mend="run it again to go on"):
            done[item.id] = _checked(desk, item) if isinstance(item, Claim) else _answered(desk, item, llm, extra)
        with writing(), written.open("ab") as lines:
            lines.write(json.dumps(done[item.id], ensure_ascii=False).encode() + b"\n")
        seen(done[item.id])
    tell("questions", 1.0)
    rows = [done[item.id] for item in asked]
    results = [] if isinstance(asked[0], Claim) else [_result(row) for row in rows]
    summary = summarise(results, scores(results, extra)) if results else summarise_claims(rows)
    summary["settings"] = settings
    with writing():
        if results:
            (out / REPORT).write_text(render(summary, rows, results), encoding="utf-8")
            _write_trec(out, results)
        (out / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return summary


def check(out: Path, asked: Asked, restart: bool, desk: Desk | None, **writer: str) -> dict[str, str | None]:
    """Make the folder of a run; return what the run is asked to do, and of which articles where `desk` has questions.

    Raises BadInput where the folder holds answers of another run, or of no run at all.
    """
    rows = [as_row(item) if isinstance(item, Question) else vars(item) for item in asked]
    settings: dict[str, str | None] = {"questions": digest(json.dumps(rows), 8), **writer}
    settings["copydesk"] = version("copydesk")
    if desk and isinstance(asked[0], Question):
        ids = sorted(desk.index.archive.passage_ids())  # which are digests of what they hold
        settings |= {"articles": digest(json.dumps(ids), 8), "encoder": desk.index.archive.meta("encoder")}
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
    if other := ", ".join(name for name, value in settings.items() if before.get(name) != value):
        raise BadInput(f"{out} holds a run with other {other}: name another --out, or replace it with --restart")
    return settings


def absent(desk: Desk, asked: Asked) -> str | None:
    """Say which of the articles that the questions name the archive does not hold; None where it has all."""
    named = dict.fromkeys(name for item in asked if isinstance(item, Question) for name in item.articles)
    held = desk.index.archive.known()
    lost = [name for name in named if name not in held and not desk.index.archive.article(name)]
    if not lost:
        return None
    return (
        f"{len(named) - len(lost) or 'none'} of the {len(named)} articles that the questions name are in the archive: "
        f"the others, such as {lost[0]}, count as not found; ingest them or name another --data"
    )


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


def differences(first: Path, second: Path) -> Row:
    """Return how two runs differ, as a document: each metric over the questions that are in both, by id and words."""
    try:
        runs = [{f"{row['id']}: {row['question']}": row["scores"] for row in read_rows(out)} for out in (first, second)]
    except (KeyError, TypeError) as error:
        raise BadInput(f"{first} or {second} holds something else: compare takes two --out folders") from error
    metrics = {d.metric: asdict(d) for d in compare(*runs)}
    if not metrics:
        raise BadInput(f"{first} and {second} have no question in common, by id and words")
    both = len(runs[0].keys() & runs[1].keys())
    return {"first": str(first), "second": str(second), "questions": both, "metrics": metrics}


def _checked(desk: Desk, claim: Claim) -> Row:
    """Return a claim with what the check says of it: it passes where each of its sentences is verbatim or supported."""
    started = time.perf_counter()
    checked = desk.check(claim.text, articles=[claim.article])
    seconds = time.perf_counter() - started
    passed = all(sentence.support in PASSED for sentence in checked)
    return {**vars(claim), "passed": passed, "exact_quotes": _exact(desk, checked.citations),
            "quotes": len(checked.citations), "ms_per_sentence": round(seconds * 1000 / len(checked), 1),
            "rules": [sentence.rule for sentence in checked if sentence.support not in PASSED],
            "result": as_json(checked)}  # fmt: skip


def _answered(desk: Desk, question: Question, llm: str, extra: Mapping[str, Metric]) -> Row:
    """Return all that is needed to look into a failure, and to continue the run: question, answer and passages.

    Known articles may be given by id or by url, and get their ids; one that is not in the archive stays a miss.
    """
    started = time.perf_counter()
    given = {name: getattr(question, name) for name in ("asked", "as_of", "outlets", "languages", "choices")}
    answer = desk.ask(question.question, top=TOP_MAX, llm=llm, **given)
    seconds = time.perf_counter() - started
    known = {name: desk.index.archive.article(name) for name in question.articles}
    grades = {article.id if article else name: question.articles[name] for name, article in known.items()}
    texts = "\n".join(f"{article.title}\n{article.text}" for article in known.values() if article)
    document = as_json(answer)
    for c in document["citations"] or (document["refusal"] or {}).get("closest", []):
        whole = getattr(desk.article(c["article_id"]), c["field"])
        c["before"] = whole[max(0, c["start"] - CONTEXT_CHARACTERS) : c["start"]]
        c["after"] = whole[c["end"] : c["end"] + CONTEXT_CHARACTERS]
    row = as_row(replace(question, articles=grades)) | {
        "ranked": list(dict.fromkeys(hit.article.id for hit in answer.retrieved)),
        "cited": list(dict.fromkeys(citation.article_id for citation in answer.citations)),
        "exact_quotes": _exact(desk, answer.citations),
        "seconds": round(seconds, 4),
        "in_text": contains_all(texts, question.answers) if question.articles and question.answers else None,
        "result": document,
        "passages": [as_json(hit) for hit in answer.retrieved[:PASSAGES_KEPT]],
    }
    result = _result(row)
    return row | {"scores": scores([result], extra)[0], "loss": loss(result)}


def _exact(desk: Desk, citations: Sequence[Citation]) -> int:
    """Return how many quotations stand in their article at their offsets."""
    return sum(getattr(desk.article(c.article_id), c.field)[c.start : c.end] == c.quote for c in citations)


def _result(row: Row) -> Result:
    """Reduce a row to what the metrics need."""
    document = row["result"]
    said = [(sentence["support"] != "unsupported", sentence["text"]) for sentence in document["sentences"]]
    text, unsupported = (" ".join(text for supported, text in said if supported is wanted) for wanted in (True, False))
    first: Row = next((s for s in document["sentences"] if s["support"] != "unsupported"), {})
    shown = [n for conflict in document.get("conflicts", ()) for side in conflict["sides"] for n in side["citations"]]
    shown += [n for one in document.get("earlier", ()) for n in one["citations"]]
    beside = " ".join(c["quote"] for c in document["citations"] if c["n"] in shown)
    stands = [float(sentence["support"] in PASSED) for sentence in document["sentences"]]
    return Result(
        parse({name: row[name] for name in IN_FILES}), document["answered"], text, row["ranked"],
        row["cited"], len(document["citations"]), row["exact_quotes"], row["seconds"], document["confidence"],
        document["choice"], row["in_text"], mean(stands) if stands else None, document.get("invented_markers", 0),
        unsupported, first.get("text", ""), (first.get("stands_in") or {}).get("groups", 0), beside,
    )  # fmt: skip


def _write_trec(out: Path, results: Sequence[Result]) -> None:
    """Write what was found and what is known as trec_eval reads them: no white space within a field."""
    found = [(r.question.id, "Q0", article, rank, f"{1 / rank:.6f}", "copydesk")
             for r in results for rank, article in enumerate(r.ranked, 1)]  # fmt: skip
    grades = [(r.question.id, 0, *graded) for r in results for graded in r.question.articles.items()]
    for name, rows in (("run.trec", found), ("qrels.trec", grades)):
        lines = (" ".join("_".join(str(field).split()) for field in row) + "\n" for row in rows)
        (out / name).write_text("".join(lines), encoding="utf-8")


def summarise(results: Sequence[Result], rows: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    """Return the summary of results with their scores, `rows`: metrics with intervals, times, losses, any groups."""
    if all(result.question.answerable for result in results):  # then there is nothing to refuse
        rows = [{**row, "refusal_precision": None} for row in rows]
    lost = Counter(loss(result) for result in results)
    summary = {
        "questions": len(results),
        **over(rows, mean),
        **percentiles("seconds", [result.seconds for result in results]),
        "losses": {step: lost[step] for step in LOSSES},
        "intervals": over(rows, interval),
    }
    groups = {
        group: over([row for result, row in zip(results, rows, strict=True) if result.question.group == group], mean)
        for group in dict.fromkeys(result.question.group for result in results)
        if group
    }
    return summary | ({"groups": groups} if groups else {})
