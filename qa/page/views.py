"""The tabs that show what happened and who said what. Each view has an address of its own, and can be taken along."""

import csv
import html
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

import gradio as gr

from index.types import CopydeskError
from qa.doors.show import day
from qa.page.place import PRIVATE, Place
from qa.page.render import PAGES, source_path
from qa.request import TOP_MAX
from qa.types import as_json

Given = Mapping[str, Any]  # what a view was asked for, by the names in its address
FIRST = 20  # quotations that are shown at once
DATED = "YYYY-MM-DD"  # the page's script makes date pickers of these boxes
MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet would begin to compute


def timeline(place: Place) -> None:
    """Build the tab in the page that is being built."""
    with gr.Row(elem_classes="bar filters"):
        question = gr.Textbox(
            label="What happened", placeholder="the talks in Paris, or: in Paris in April", scale=6, max_lines=1
        )
        show = gr.Button("Show", variant="primary", scale=1, min_width=90)
    with gr.Row(elem_classes="bar filters"):
        outlets = gr.Dropdown([], multiselect=True, label="Outlets", scale=2)
        days = {name: gr.Textbox(label=label, placeholder=DATED, elem_classes="date", max_lines=1, min_width=140)
                for name, label in (("since", "From"), ("until", "Until"), ("as_of", "As of"))}  # fmt: skip

    def body(given: Given, base: str) -> str:
        asked = {("question" if name == "q" else name): value for name, value in given.items()}
        found = as_json(place.service.desk.timeline(**asked))
        told = [(event, found["citations"][event["citations"][0] - 1]) for event in found["events"]]
        months = [
            (month, list(rows)) for month, rows in groupby(told, lambda one: day(one[0]["date"]).split(" ", 1)[1])
        ]
        lines = [(event["date"], event["text"], cited) for event, cited in told]
        return PAGES.get_template("timeline.html").render(
            months=months, number=len(told), files=_files(f"Timeline: {given['q']}", lines, base)
        )

    empty = "Name an event, a person or a place, with a period if you like: what the articles tell of it is set in the "
    empty += "order of its days, each with its source."
    _view(place, "timeline", {"q": question, "outlets": outlets, **days}, show, body, empty)
    place.page.load(lambda: gr.Dropdown(choices=place.service.desk.outlets()), None, outlets, **PRIVATE)


def quotes(place: Place) -> None:
    """Build the tab in the page that is being built."""
    with gr.Row(elem_classes="bar filters"):
        speaker = gr.Textbox(label="Speaker", placeholder="a person or a body", scale=3, max_lines=1)
        about = gr.Textbox(label="About", placeholder="what it is about", scale=4, max_lines=1)
        show = gr.Button("Show", variant="primary", scale=1, min_width=90)

    def body(given: Given, base: str) -> str:
        found = [as_json(said) for said in place.service.desk.quotes(**given, top=TOP_MAX)]
        parts = [[list(said) for _, said in groupby(part, lambda one: (one["speaker"], one["article_id"]))]
                 for part in (found[:FIRST], found[FIRST:])]  # fmt: skip
        lines = [(said["speaker"] or "nobody named", said["quote"], said) for said in found]
        title = " ".join(["Quotations", *(f"{name} {value}" for name, value in given.items())])
        return PAGES.get_template("quotes.html").render(
            parts=parts, number=len(found), most=TOP_MAX, files=_files(title, lines, base)
        )

    empty = (
        "Name who speaks, or what is spoken of: what the articles quote and report of it is listed with its source. "
    )
    empty += "With neither, “Show” lists the newest."
    _view(place, "quotes", {"speaker": speaker, "about": about}, show, body, empty, bare=True)


def _view(
    place: Place, name: str, boxes: Mapping[str, Any], show: gr.Button, body: Callable[[Given, str], str], empty: str,
    bare: bool = False,
) -> None:  # fmt: skip
    """Show the body for what is in the boxes, or in the address of the page; `bare` where nothing need be given."""
    shown = gr.HTML(_notice(empty), elem_classes="view")

    def answer(request: gr.Request, *values: Any) -> str:
        given = {key: value for key, value in zip(boxes, values, strict=True) if value}
        if not bare and not given.get(next(iter(boxes))):
            return _notice(empty)
        try:
            inside = body(given, str(request.base_url))
        except CopydeskError as error:
            inside = _notice(str(error))
        link = f"/?{urlencode({'tab': name} | given, doseq=True)}"
        return PAGES.get_template("view.html").render(inside=inside, link=link)

    def opened(request: gr.Request) -> Iterator[list[Any]]:
        asked = request.query_params
        if asked.get("tab", "").casefold() != name or not any(asked.get(key) for key in boxes):
            return
        lists = {key: isinstance(box, gr.Dropdown) for key, box in boxes.items()}
        values = [asked.getlist(key) if several else asked.get(key, "") for key, several in lists.items()]
        yield [*values, _notice("Reading the archive…")]
        yield [*values, answer(request, *values)]

    asking = [show.click, *(box.submit for box in boxes.values() if isinstance(box, gr.Textbox))]
    gr.on(asking, answer, [*boxes.values()], shown, show_progress="minimal", **PRIVATE)
    place.page.load(opened, None, [*boxes.values(), shown], show_progress="hidden", **PRIVATE)


def _notice(said: str) -> str:
    return f'<p class="notice" role="status">{html.escape(said)}</p>'


def _files(title: str, lines: Sequence[tuple[str, str, Mapping[str, Any]]], base: str) -> dict[str, str]:
    """Return the addresses of the view as files: what its lines begin with, what they say, and their sources."""
    table, links = io.StringIO(), [base.rstrip("/") + _path(cited) for _, _, cited in lines]
    rows = [(head, said, c["outlet"], c["published"], c["title"], link)
            for (head, said, c), link in zip(lines, links, strict=True)]  # fmt: skip
    csv.writer(table).writerows([("what", "text", "outlet", "published", "title", "source"), *map(_cells, rows)])
    points = (f"- **{_plain(head)}** {_plain(said)} ([{_plain(outlet or 'unknown outlet')}, {day(published)}]({link}))"
              for head, said, outlet, published, _, link in rows)  # fmt: skip
    texts = {"Markdown": ("md", "\n".join([f"# {_plain(title)}", "", *points, ""])), "CSV": ("csv", table.getvalue())}
    return {
        f"{kind}.{end}": f"data:text/{kind.lower()};charset=utf-8,{quote(text)}" for kind, (end, text) in texts.items()
    }


def _path(cited: Mapping[str, Any]) -> str:
    return source_path(cited["article_id"], cited.get("field", "text"), cited["start"], cited["end"])


def _cells(row: Iterable[str | None]) -> list[str]:
    return [f"'{cell}" if cell.startswith(FORMULA) else cell for cell in (value or "" for value in row)]


def _plain(text: str) -> str:
    """Return a text as Markdown that is nothing but this text, in one line."""
    return MARKDOWN.sub(r"\\\1", " ".join(text.split()))
