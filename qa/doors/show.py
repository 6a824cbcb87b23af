"""What people see in a terminal. Everything is printed from the same documents that --json prints."""

import atexit
import re
import sys
import textwrap
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import date
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress import Progress, TaskID
from rich.text import Text

from index.sync import Progress as Report
from index.sync import silent
from index.types import CopydeskError

Document = dict[str, Any]


def console() -> Console:
    """Return a console on stdout: colours and at most 100 columns on a terminal, plain unbroken lines elsewhere."""
    out = Console(highlight=False)
    return Console(highlight=False, width=min(out.width, 100) if out.is_terminal else 10_000)


def progress(quiet: bool) -> Report:
    """Return a progress report as bars on stderr, or one that says nothing where stderr is not a terminal."""
    if quiet or not sys.stderr.isatty():
        return silent
    bars = Progress(console=Console(stderr=True), transient=True)
    atexit.register(bars.stop)  # an interrupted one would leave the terminal without its cursor
    tasks: dict[str, TaskID] = {}

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
    if name.startswith("ms_"):
        return f"{value:.0f} ms"
    if name.startswith(("mrr", "map", "ndcg", "published", "invented")):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.1%}"


def _print_source(mark: str, source: Document, title: str, quoted: str, place: str) -> None:
    """One source: outlet, date and headline behind a mark, then the quoted text and its place, indented."""
    out = console()
    head = Text.assemble((source["outlet"] or "unknown outlet", "bold"), f" · {day(source['published'])}")
    head.append(title and f" · {title}", "dim")
    first = Text(mark, "bold cyan")
    for text in (head, Text(quoted, "italic"), Text(place, "dim")):
        for line in text.wrap(out, max(out.width - len(mark), 20)):
            line.rstrip()
            out.print(Text.assemble(first, line))
            first = Text(" " * len(mark))
    out.print()


SUPPORT = {"unsupported": "red", "partial": "yellow"}


def follow(events: Iterable[tuple[str, Document]], quiet: bool) -> Document:
    """Return the answer at the end of its events; on a terminal its text is shown meanwhile, as it is written."""
    out = console()
    written = "\n"
    with nullcontext() if quiet or not out.is_terminal else Live(console=out, transient=True) as live:
        for kind, document in events:
            if kind == "answer":
                return document
            written += document["text"] if kind == "text" else ""
            if live:
                live.update(_marked(written))
    raise CopydeskError("the answer ended before it was complete: ask again")


def _marked(written: str) -> Text:
    text = Text(written)
    text.highlight_regex(r"\[\d+\]", "bold cyan")
    text.highlight_regex(r"\[unsupported\]", "bold red")
    return text


def print_answer(answer: Document) -> None:
    out = console()
    text, cited, heading = _marked(answer["text"]), answer["citations"], "Sources"
    if not answer["answered"]:
        cited, heading, text.style = answer["refusal"]["closest"], "Closest in the archive", "yellow"
    out.print()
    if answer["rewritten"]:
        out.print(Text(f"Understood as: {answer['rewritten']}\n", "dim"))
    out.print(text)
    if answer["choice"]:
        out.print(Text.assemble("\nChoice: ", (answer["choice"], "bold")))
    for sentence in answer["sentences"]:
        if sentence["why"]:
            shown = textwrap.shorten(sentence["text"], 60, placeholder=" …")
            out.print(
                Text(
                    f"\n{sentence['support']}: “{shown}”: {sentence['why']}", SUPPORT.get(sentence["support"], "yellow")
                )
            )
    if answer["broken"]:
        out.print(Text(f"\nThe answer broke off: {answer['broken']}", "red"))
    if cited:
        out.print(f"\n{heading}", style="bold")
    for citation in cited:
        _print_citation(f"[{citation['n']}] " if answer["answered"] else "  · ", citation)


def _print_citation(mark: str, citation: Document) -> None:
    title = citation["title"] if citation["field"] == "text" else ""
    quoted = f"“{' '.join(citation['quote'].split())}”"
    _print_source(mark, citation, title, quoted, citation["url"] or citation["article_id"])


def print_checked(checked: Document) -> None:
    out = console()
    for sentence in checked["sentences"]:
        style = SUPPORT.get(sentence["support"], "green")
        marks = " " + "".join(f"[{number}]" for number in sentence["citations"])
        out.print(Text.assemble((f"{sentence['support']:<12}", style), sentence["text"], " ", (marks, "cyan")))
        if sentence["why"]:
            out.print(Text(f"{'':<12}{sentence['why']}", style))
    held = sum(sentence["support"] in ("verbatim", "supported") for sentence in checked["sentences"])
    out.print(f"\n{held:,} of {len(checked['sentences']):,} sentences are supported", style="bold")
    if checked["citations"]:
        out.print("\nSources", style="bold")
    for citation in checked["citations"]:
        _print_citation(f"[{citation['n']}] ", citation)


def print_hits(found: Document) -> None:
    if not found["hits"]:
        console().print("Nothing found.", style="yellow")
    for number, hit in enumerate(found["hits"], 1):
        quoted = textwrap.shorten(hit["text"], 300, placeholder=" …")
        place = f"{hit['article_id']} {hit['start']}–{hit['end']}  {hit['score']:.2f}"
        _print_source(f"{number:>3}. ", hit, hit["title"], quoted, place)


def print_articles(listed: Document) -> None:
    out = console()
    for article in listed["articles"]:
        head = Text.assemble((article["published"] or "undated   ", "cyan"), "  ", (article["outlet"] or "–", "bold"))
        out.print(head.append(f" · {article['title']}"))
        passages = f"{article['passages']:,} passage{'s' * (article['passages'] != 1)}"
        sizes = f"{article['characters']:,} characters in {passages}"
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


def print_models(listed: Document) -> None:
    out = console()
    for model in listed["models"]:
        mark = Text("ready  ", "green") if model["ready"] else Text("–      ", "dim")
        out.print(Text.assemble(mark, (model["spec"], "bold"), "  ", (model["detail"], "dim")), soft_wrap=True)


def print_health(health: Document) -> None:
    out = console()
    names = ("articles", "passages", "dense", "lexical")
    out.print(" · ".join(f"{health[name]:,} {name}" for name in names))
    for problem in health["problems"]:
        out.print(Text(problem, "red"))
    if health["ok"]:
        out.print("The archive and both indexes are sound.", style="green")
