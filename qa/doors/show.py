"""What people see in a terminal. Everything is printed from the same documents that --json prints."""

import atexit
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from datetime import date, datetime
from functools import cache
from itertools import zip_longest
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress import Progress, TaskID
from rich.text import Text

from index.sync import Progress as Report
from index.sync import silent
from index.types import CopydeskError
from qa.types import PASSED, UNSURE, bold

Document = dict[str, Any]
SHOWN = 20  # names on a line of a report
SUPPORT = {"unsupported": "red", "partial": "yellow"}


@cache
def console() -> Console:
    """Return a console on stdout: colours and at most 100 columns on a terminal, plain unbroken lines elsewhere."""
    out = Console(highlight=False)
    return Console(highlight=False, width=min(out.width, 100) if out.is_terminal else 10_000)


def say(*parts: str | Text | tuple[str, str], style: str = "", wrap: bool = True) -> None:
    """Print a line of parts: texts, or (text, style). Nothing in them is taken for markup."""
    console().print(Text.assemble(*parts, style=style), soft_wrap=not wrap)


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


def by(source: Document, apart: str = " · ") -> str:
    """Return who published something, when, and on which page, where it has one: UNN · 18 April 2025 · p. 3."""
    return f"{source['outlet'] or 'unknown outlet'}{apart}{day(source['published'])}{page(source, apart)}"


def page(source: Document, apart: str = " · ") -> str:
    """Return the page that a citation names, behind a mark: " · p. 3", or ""."""
    return f"{apart}p. {number}" if (number := source.get("page")) else ""


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


def held(checked: Document) -> int:
    """Return how many sentences of a checked text are verbatim or supported."""
    return sum(sentence["support"] in PASSED for sentence in checked["sentences"])


def follow(events: Iterable[tuple[str, Document]], quiet: bool) -> Document:
    """Return the answer at the end of its events; on a terminal its text is shown meanwhile, as it is written.

    Raises CopydeskError where they end in an error, or in none.
    """
    out = console()
    written, sentences = "", list[Document]()
    with nullcontext() if quiet or not out.is_terminal else Live(console=out, transient=True) as live:
        for kind, document in events:
            if kind == "error":
                raise CopydeskError(document["error"])
            if kind == "answer":
                return document
            if kind == "withdrawn":
                written, sentences = "", []
            written += document["text"] if kind == "text" else ""
            sentences += [document] if kind == "sentence" else []
            if live:
                live.update(Text("\n") + _marked(written, sentences))
    raise CopydeskError("the answer ended before it was complete: ask again")


def origin(sentence: Document, citations: Sequence[Document]) -> str:
    """Return where a sentence of an answer comes from: "Pell Courier, 3 February 2025; in 2 independent reports"."""
    cited = [c for c in citations if c["n"] in sentence["citations"]]
    told = dict.fromkeys(by(c, ", ") for c in cited)
    held, who = sentence["stands_in"], f"said by {sentence['speaker']}; " if sentence["speaker"] else ""
    if not (told and held):
        return f"{who}{'; '.join(told)}"
    count = f"in {held['groups']} independent reports, the first of {day(held['first'])}"
    if held["groups"] < 2:
        others = [outlet for outlet in held["outlets"] if outlet not in {c["outlet"] for c in cited}]
        count = f"one report, also in {', '.join(others)}" if others else "in this report only"
    return f"{who}{' and '.join(told)}; {count}"


def around(answer: Document) -> list[str]:
    """Return lines on what stands beside an answer: the sources that differ, what it replaces."""
    marks = {c["n"]: f"[{c['n']}]" for c in answer["citations"]}
    where = {c["n"]: c["outlet"] or "unknown outlet" for c in answer["citations"]}
    lines = list[str]()
    for conflict in answer["conflicts"]:
        sides = (f"{side['value']} {marks[n]} {where[n]}" for side in conflict["sides"] for n in side["citations"])
        lines.append(f"Sources differ: {' · '.join(sides)}")
    for before in answer["earlier"]:
        [n] = before["citations"]
        lines.append(f"Earlier: “{' '.join(before['text'].split())}” {marks[n]} {where[n]}, {day(before['date'])}")
    return lines


def unsure(answer: Document) -> str:
    """Return a line for an answer that is likelier beside the point than right, or ""."""
    doubtful = answer["answered"] and answer["confidence"] < UNSURE and answer["llm"] == "quotes"
    return "Perhaps not what was asked: fewer than half of such answers are right." if doubtful else ""


def _marked(written: str, sentences: Iterable[Document]) -> Text:
    text = Text(written)
    for sentence in sentences:
        for start, end in sentence["marks"]:
            text.stylize("bold cyan" if sentence["citations"] else "bold red", start, end)
        if sentence["answer"]:
            text.stylize("bold", *bold(sentence["text"], sentence["marks"], **sentence["answer"]))
    return text


def _print_source(mark: str, source: Document, title: str, quoted: str, place: str) -> None:
    """One source: outlet, date and headline behind a mark, then the quoted text and its place, indented."""
    out = console()
    head = Text.assemble((source["outlet"] or "unknown outlet", "bold"), f" · {day(source['published'])}{page(source)}")
    head.append(title and f" · {title}", "dim")
    first = (mark, "bold cyan")
    for text in (head, Text(quoted, "italic"), Text(place, "dim")):
        for line in text.wrap(out, max(out.width - len(mark), 20)):
            line.rstrip()
            say(first, line)
            first = (" " * len(mark), "")
    say()


def _print_citations(heading: str, citations: Sequence[Document], mark: str = "[{}] ") -> None:
    if citations:
        say(f"\n{heading}", style="bold")
    for c in citations:
        quoted = f"“{' '.join(c['quote'].split())}”" + (
            f" – corrected by {later}" if (later := c["corrected_by"]) else ""
        )
        title = c["title"] if c["field"] == "text" else ""
        _print_source(mark.format(c["n"]), c, title, quoted, c["url"] or c["article_id"])


def print_answer(answer: Document) -> None:
    say()
    if answer["rewritten"]:
        say(f"Understood as: {answer['rewritten']}\n", style="dim")
    if doubt := unsure(answer):
        say(f"{doubt}\n", style="yellow")
    said = [sentence for sentence in answer["sentences"] if sentence["citations"] and sentence["marks"]]
    text = _marked(answer["text"], answer["sentences"])
    parts = text.divide([sentence["marks"][-1][1] for sentence in said])
    for part, sentence in zip_longest(parts, said):
        if part.plain.strip():
            part.append(f" ({origin(sentence, answer['citations'])})" if sentence else "", "dim")
            say(part[len(part.plain) - len(part.plain.lstrip()) :], style="" if answer["answered"] else "yellow")
    for line in around(answer):
        say(f"\n{line}", style="yellow" if line.startswith("Sources") else "")
    if answer["choice"]:
        say("\nChoice: ", (answer["choice"], "bold"))
    for sentence in answer["sentences"]:
        if sentence["why"]:
            shown, support = textwrap.shorten(sentence["text"], 60, placeholder=" …"), sentence["support"]
            say(f"\n{support}: “{shown}”: {sentence['why']}", style=SUPPORT.get(support, "yellow"))
    if answer["broken"]:
        say(f"\nThe answer broke off: {answer['broken']}", style="red")
    if answer["answered"]:
        _print_citations("Sources", answer["citations"])
    else:
        _print_citations("Closest in the archive", answer["refusal"]["closest"], "  · ")


def print_checked(checked: Document) -> None:
    for sentence in checked["sentences"]:
        style = SUPPORT.get(sentence["support"], "green")
        marks = "".join(f"[{number}]" for number in sentence["citations"])
        say((f"{sentence['support']:<12}", style), sentence["text"], (f"  {marks}", "cyan"))
        if sentence["why"]:
            say(f"{'':<12}{sentence['why']}", style=style)
    say(f"\n{held(checked):,} of {len(checked['sentences']):,} sentences are supported", style="bold")
    _print_citations("Sources", checked["citations"])


def print_hits(found: Document) -> None:
    if not found["hits"]:
        say("Nothing found.", style="yellow")
    for number, hit in enumerate(found["hits"], 1):
        quoted = textwrap.shorten(hit["text"], 300, placeholder=" …")
        place = f"{hit['article_id']} {hit['start']}–{hit['end']}  {hit['score']:.2f}"
        _print_source(f"{number:>3}. ", hit, hit["title"], quoted, place)


def print_timeline(found: Document) -> None:
    if not found["events"]:
        say("Nothing found.", style="yellow")
    for event in found["events"]:
        marks = "".join(f"[{number}]" for number in event["citations"])
        say((f"{day(event['date'])}: ", "bold"), event["text"], (f" {marks}", "cyan"))
    _print_citations("Sources", found["citations"])


def print_quotes(found: Document) -> None:
    if not found["quotes"]:
        say("Nothing found.", style="yellow")
    for said in found["quotes"]:
        who = said["speaker"] or "nobody named"
        say((who, "bold"), (f" · {said['cue']} · ", "dim"), by(said, ", "))
        say("  ", (" ".join(said["quote"].split()), "italic" if said["direct"] else ""))
        say(f"  {said['article_id']} {said['start']}–{said['end']}\n", style="dim", wrap=False)


def print_articles(listed: Document) -> None:
    for article in listed["articles"]:
        published, outlet = (article["published"] or "undated   ", "cyan"), (article["outlet"] or "–", "bold")
        language = f" · {article['language']}" if article["language"] else ""
        say(published, "  ", outlet, (language, "dim"), f" · {article['title']}")
        passages = f"{article['passages']:,} passage{'s' * (article['passages'] != 1)}"
        sizes = f"{article['characters']:,} characters in {passages}"
        say(f"            {article['id']}  ({sizes})", style="dim", wrap=False)
    say(f"{len(listed['articles']):,} articles", style="dim")


def remarks(article: Document, _: Callable[[str], str] = str, day: Callable[[str | None], str] = day) -> list[str]:
    """Return lines on what else the archive knows of an article: who carries and corrects it, what was changed."""
    others = [(_("copy of"), article["copy_of"]), *((_("carried by"), copy) for copy in article["carried_by"])]
    forms = {
        "correction": (_("correction by"), _("correction of")),
        "withdrawal": (_("withdrawal by"), _("withdrawal of")),
    }
    others += [(forms[said["kind"]][0], said["article"]) for said in article["corrected_by"]]
    others += [(forms[said["kind"]][1], said["article"]) for said in article["corrects"]]
    where = ((how, a, a["outlet"] or _("unknown outlet")) for how, a in others if a)
    told = [(how, a["title"], outlet, day(a["published"]), a["id"]) for how, a, outlet in where]
    lines = [f"{how}: {' · '.join(rest)}" for how, *rest in told]
    nothing = _("(nothing)")
    changes = [
        (_("changed on {day}").format(day=day(c["since"])) if c["since"] else _("changed"), c)
        for c in article["changes"]
    ]
    return lines + [f"{when}: {c['before'] or nothing} → {c['after'] or nothing}" for when, c in changes]


def print_article(article: Document) -> None:
    say(article["title"], style="bold")
    first, last = article["pages"].count(0), len(article["pages"])
    pages = f"pages {first}–{last}" if last > first else f"page {last}" if last else ""
    by = (
        article["outlet"],
        day(article["published"]),
        ", ".join(article["authors"]),
        article["language"],
        article["url"],
    )
    say(" · ".join(filter(None, (*by, pages))), style="dim")
    for remark in remarks(article):
        say(remark, style="yellow")
    say("\n", re.sub(r"\n+", "\n\n", article["text"]))


def print_ingest(report: Document) -> None:
    counts = (f"{report[name]:,} {name}" for name in ("added", "changed", "unchanged", "removed") if report[name])
    articles = ", ".join(counts) or "no articles"
    late, by = report.get("waiting", 0), f", encoded by {report['encoder']}" if report["passages"] else ""
    by = f"; {late:,} wait to be encoded: copydesk serve does so, or copydesk encode" if late else by
    say(f"{articles}; {report['passages']:,} passages written in {report['seconds']:.1f} s{by}")
    skipped = ", ".join(
        f"{number:,} {kind or 'without an ending'}" for kind, number in sorted(report["skipped"].items())
    )
    for what, names in (("removed", report["removed_ids"]), ("not used", report["not_used"]), ("skipped", [skipped])):
        if any(names):
            more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
            say(f"{what}: {', '.join(names[:SHOWN])}{more}", style="dim", wrap=False)
    for rejected in report["rejected"]:
        say(f"rejected {rejected['source']}: {rejected['reason']}", style="yellow")


def print_models(listed: Document) -> None:
    for model in listed["models"]:
        mark = ("ready  ", "green") if model["ready"] else ("–      ", "dim")
        say(mark, (model["spec"], "bold"), "  ", (model["detail"], "dim"), wrap=False)


def state(source: Document) -> str:
    """Return how it is with what is watched: feed · 12 articles · read 4 May 12:03 · next 4 May 12:18."""
    count = f"{source['articles']:,} article{'s' * (source['articles'] != 1)}"
    when = [f"{said} {moment(source[at])}" for said, at in (("read", "checked"), ("next", "due")) if source[at]]
    times = f"failed {source['failures']} time{'s' * (source['failures'] > 1)}: {source['failure']}"
    return " · ".join([source["kind"], count, *(when or ["not read yet"]), *[times] * bool(source["failures"])])


def moment(stamp: str) -> str:
    """Return an ISO time as this machine's clock has it: 18 April 12:03."""
    return f"{datetime.fromisoformat(stamp).astimezone():%-d %B %H:%M}"
