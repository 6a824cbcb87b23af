"""The command `copydesk eval`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from evals import sets
from evals.claims import Claim
from evals.metrics import LOSSES, LOWER_IS_BETTER, METRICS, RANKING
from evals.questions import parse, read_questions
from evals.report import figures
from evals.run import REPORT, RESULTS, Asked, absent, check, differences, run
from index.types import BadInput, translated
from qa.doors import show
from qa.doors.cli import DONE, SOME_REJECTED, add_command, add_judge, add_options
from qa.doors.opening import emit, open_desk

GATED = ("balanced_accuracy", "f1_supported", "attack_followed", "right", "stale")  # of some data sets only
ARCHIVE = "archive"  # of a data set that brings its own articles, within --out


def register(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(commands, "eval", _eval, "ask a file of questions and measure the answers; compare two runs")
    parser.add_argument("what", nargs="+", metavar="QUESTIONS.jsonl | compare DIR DIR", help="questions, or two runs")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where results and report are written")
    add_options(parser, "llm", "llm_url", "strict")
    add_judge(parser)
    public = "a public data set, in its own files, with its articles"
    parser.add_argument("--format", choices=sets.NAMES + sets.CLAIMS, help=public)
    parser.add_argument("--restart", action="store_true", help="replace what --out holds of another run")
    worse = "exit 1 where a figure is worse than this (times: above it)"
    parser.add_argument("--fail-under", type=_limits, default={}, metavar="METRIC=X,…", help=worse)


def _eval(args: argparse.Namespace) -> int:
    if args.what[0] == "compare" and len(args.what) == 3:
        return _compare(args, *map(Path, args.what[1:]))
    if len(args.what) != 1 or not args.out:
        raise BadInput("eval takes one file of questions and --out DIR, or: compare DIR DIR")
    path, llm = Path(args.what[0]), args.llm or "quotes"
    named = ("judge", "strict", "reranker")
    rules: dict[str, Any] = {name: str(value) for name in named if (value := getattr(args, name, None))}
    articles: sets.Rows = []
    asked: Asked
    if args.format:
        articles, rows = sets.load(args.format, path)
        with translated(BadInput, f"{path}, as {args.format} publishes it", BadInput):
            asked = [Claim(**row) for row in rows] if args.format in sets.CLAIMS else [parse(row) for row in rows]
        args.data = args.out / ARCHIVE
        check(args.out, asked, args.restart, None, llm=llm, **rules)  # before its archive changes
    else:
        asked = read_questions(path)
    with open_desk(args, create=bool(args.format)) as desk:
        if articles:
            file = args.data / "articles.jsonl"
            file.write_text("".join(json.dumps(article) + "\n" for article in articles), encoding="utf-8")
            for rejected in desk.ingest([file], prune=True).rejected:
                print(f"not in the archive: {rejected.source}: {rejected.reason}", file=sys.stderr)
        if lost := absent(desk, asked):
            print(lost, file=sys.stderr)
        progress = show.progress(quiet=args.json)
        summary = run(desk, asked, args.out, llm, progress, args.restart, args.format or "", **rules)
    emit(args, summary, lambda document: _print(document, args.out))
    return _gate(summary, args.fail_under)


def _limits(text: str) -> dict[str, float]:
    """Read "hit_at_10=.95,answer_contained=.7"."""
    known = [*RANKING, *METRICS, *GATED, "seconds_p50", "seconds_p95"]
    limits: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = (word.strip() for word in part.partition("="))
        try:
            limit = float(value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} is not METRIC=NUMBER,METRIC=NUMBER") from error
        if name not in known:
            raise argparse.ArgumentTypeError(f"no metric {name}: use {', '.join(known)}")
        if name in limits or not 0 <= limit <= (1 if name not in LOWER_IS_BETTER else float("inf")):
            raise argparse.ArgumentTypeError(f"{part!r} is not one limit of {name}: shares are 0 to 1, once each")
        limits[name] = limit
    return limits


def _gate(summary: dict[str, Any], limits: dict[str, float]) -> int:
    """Return the exit status: 1 where a figure is worse than its limit, or cannot be told for want of labels."""
    status = DONE
    for name, limit in limits.items():
        if (value := summary.get(name)) is None:
            complaint = "cannot be told: no question of this run has the labels for it"
        elif value > limit if name in LOWER_IS_BETTER else value < limit:
            complaint = f"is {show.figure(name, value)}, the limit {show.figure(name, limit)}"
        else:
            continue
        print(f"{name} {complaint}", file=sys.stderr)
        status = SOME_REJECTED
    return status


def _print(summary: dict[str, Any], out: Path) -> None:
    console = show.console()
    for name, value, bounds in figures(summary):
        console.print(f"{name:<25} {value:>8}   [dim]{' to '.join(bounds)}[/dim]")
    for step, count in summary.get("losses", {}).items():
        if count:
            console.print(f"lost: {step:<19} {count:>8}   [dim]{LOSSES[step][0]}[/dim]")
    for group, values in summary.get("groups", {}).items():
        console.print(f"\n{group}", style="bold")
        for name, value, _ in figures(values):
            console.print(f"{name:<25} {value:>8}")
    console.print(f"\nreport: {out / (REPORT if 'losses' in summary else RESULTS)}", style="dim")


def _compare(args: argparse.Namespace, first: Path, second: Path) -> int:
    emit(args, differences(first, second), _print_differences)
    return DONE


def _print_differences(compared: dict[str, Any]) -> None:
    console = show.console()
    console.print(f"{compared['questions']} questions in both runs\n")
    console.print(f"{'metric':<28}first    second     95 % of the difference")
    for name, d in compared["metrics"].items():
        bounds = "{:+.3f} … {:+.3f}".format(*d["interval"]) if d["interval"] else ""
        p = "" if d["p"] is None else f"p {d['p']:.3f}"
        change = f"{show.figure(name, d['first']):>8} → {show.figure(name, d['second']):<8}"
        counts = f"+{len(d['gained'])} -{len(d['lost'])}"
        style = {"better": "green", "worse": "red"}.get(d["verdict"], "dim")
        console.print(f"{name:<25}{change} {bounds:<17} {counts:<9} {p:<8} {d['verdict']}", style=style)
