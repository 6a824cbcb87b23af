"""The command `copydesk eval`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from evals.questions import read_questions
from evals.run import REPORT, run
from qa import show
from qa.cli import DONE, add_command, emit, open_desk


def register(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(commands, "eval", _eval, "ask a file of questions and measure the answers")
    parser.add_argument("questions", type=Path, metavar="QUESTIONS.jsonl")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where results and report are written")
    parser.add_argument("--llm", default="quotes", metavar="SPEC", help="who writes: only quotes, no model, so far")


def _eval(args: argparse.Namespace) -> int:
    questions = read_questions(args.questions)
    with open_desk(args) as desk:
        summary = dict(run(desk, questions, args.out, args.llm, show.progress(quiet=args.json)))
    emit(args, summary, lambda document: _print(document, args.out))
    return DONE


def _print(summary: dict[str, Any], out: Path) -> None:
    console = show.console()
    for name, value in summary.items():
        console.print(f"{name:<20} {show.figure(name, value):>8}")
    console.print(f"\nreport: {out / REPORT}", style="dim")
