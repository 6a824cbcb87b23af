"""What people see in a terminal. Everything is printed from the same documents that --json prints."""

from __future__ import annotations

import re
import sys
import textwrap
from datetime import date
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from index.index import Progress as Report
from index.index import silent

Document = dict[str, Any]


def console() -> Console:
    """Return a console on stdout: colours and at most 100 columns on a terminal, plain unbroken lines elsewhere."""
    out = Console(highlight=False)
    return Console(highlight=False, width=min(out.width, 100) if out.is_terminal else 10_000)


_bars: list[Progress] = []


def stop_progress() -> None:
    """Stop the bars, or an interrupted one would leave the terminal without its cursor."""
    for bars in _bars:
        bars.stop()


def progress(quiet: bool) -> Report:
    """Return a progress report as bars on stderr, or one that says nothing where stderr is not a terminal."""
    if quiet or not sys.stderr.isatty():
        return silent
    parts = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    bars = Progress(*parts, console=Console(stderr=True), transient=True)
    tasks: dict[str, TaskID] = {}
    _bars.append(bars)

    def report(task: str, share: float) -> None:
        if task not in tasks:
            bars.start()
            tasks[task] = bars.add_task(task, total=1.0)
        bars.update(tasks[task], completed=share)
        if share >= 1.0:
            bars.remove_task(tasks.pop(task))
            if not tasks:
                bars.stop()

    return report


def day(published: str | None) -> str:
    """Return an ISO date as 18 April 2025."""
    return f"{date.fromisoformat(published):%-d %B %Y}" if published else "undated"


def figure(name: str, value: float | None) -> str:
    """Return a metric as people read it: shares in per cent, times in seconds, – where there is no label."""
    if value is None:
        return "–"
    if name.startswith("seconds"):
        return f"{value:.2f} s"
    if name.startswith("mrr"):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.1%}"


def _print_source(out: Console, citation: Document, mark: str) -> None:
    """One source: outlet, date and headline, then the quoted sentence and the address, indented."""
    head = Text.assemble((citation["outlet"] or "unknown outlet", "bold"), f" · {day(citation['published'])}")
    if citation["field"] == "text":
        head.append(f" · {citation['title']}", "dim")
    indented(out, head, len(mark), Text(mark, "bold cyan"))
    below = Text(f"“{' '.join(citation['quote'].split())}”", "italic")
    below.append(f"\n{citation['url'] or citation['article_id']}", "not italic dim")
    indented(out, below, len(mark))
    out.print()


def indented(out: Console, text: Text, columns: int, first: Text | None = None) -> None:
    """Print wrapped text with every line indented, or behind `first`, and without trailing spaces."""
    for line in text.wrap(out, max(out.width - columns, 20)):
        line.rstrip()
        out.print((first or Text(" " * columns)) + line)
        first = None


def print_answer(answer: Document) -> None:
    out = console()
    out.print()
    if not answer["answered"]:
        out.print(Text(answer["text"], "yellow"))
        if answer["refusal"]["closest"]:
            out.print("\nClosest in the archive", style="bold")
            for citation in answer["refusal"]["closest"]:
                _print_source(out, citation, "  · ")
        return
    text = Text(answer["text"])
    text.highlight_regex(r"\[\d+\]", "bold cyan")
    out.print(text)
    out.print("\nSources", style="bold")
    for citation in answer["citations"]:
        _print_source(out, citation, f"[{citation['n']}] ")


def print_hits(found: Document) -> None:
    out = console()
    if not found["hits"]:
        out.print("Nothing found.", style="yellow")
    for number, hit in enumerate(found["hits"], 1):
        head = Text.assemble((f"{number:>3}. ", "bold cyan"), (hit["outlet"] or "unknown outlet", "bold"))
        head.append(f" · {day(hit['published'])} · {hit['title']}")
        head.append(f"  {hit['score']:.2f}", "dim")
        out.print(head)
        indented(out, Text(textwrap.shorten(hit["text"], 300, placeholder=" …")), 5)
        indented(out, Text(f"{hit['article_id']} {hit['start']}–{hit['end']}", "dim"), 5)
        out.print()


def print_articles(listed: Document) -> None:
    out = console()
    for article in listed["articles"]:
        head = Text.assemble((article["published"] or "undated   ", "cyan"), "  ", (article["outlet"] or "–", "bold"))
        out.print(head.append(f" · {article['title']}"))
        sizes = (
            f"{article['characters']:,} characters in {article['passages']:,} passage{'s' * (article['passages'] != 1)}"
        )
        out.print(Text(f"            {article['id']}  ({sizes})", "dim"), soft_wrap=True)
    out.print(f"{len(listed['articles']):,} articles", style="dim")


def print_article(article: Document) -> None:
    out = console()
    out.print(Text(article["title"], "bold"))
    by = ", ".join(article["authors"])
    parts = (article["outlet"], day(article["published"]), by, article["url"])
    out.print(Text(" · ".join(part for part in parts if part), "dim"))
    out.print()
    out.print(Text(re.sub(r"\n+", "\n\n", article["text"])))


def print_ingest(report: Document) -> None:
    out = console()
    counts = (f"{report[name]:,} {name}" for name in ("added", "changed", "unchanged", "removed") if report[name])
    articles = ", ".join(counts) or "no articles"
    out.print(f"{articles}; {report['passages']:,} passages written in {report['seconds']:.1f} s")
    for rejected in report["rejected"]:
        out.print(Text(f"rejected {rejected['source']}: {rejected['reason']}", "yellow"))


def print_health(health: Document) -> None:
    out = console()
    names = ("articles", "passages", "dense", "lexical")
    out.print(" · ".join(f"{health[name]:,} {name}" for name in names))
    for problem in health["problems"]:
        out.print(Text(problem, "red"))
    if health["ok"]:
        out.print("The archive and both indexes are sound.", style="green")
