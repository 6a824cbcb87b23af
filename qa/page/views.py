"""The tabs that show what happened and who said what, each view at an address of its own."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from index.types import CopydeskError
from qa.locale import chosen
from qa.page.place import PRIVATE, Place
from qa.page.render import pages
from qa.request import TOP_MAX
from qa.types import as_json

QUIET: Any = {"show_progress": "hidden", **PRIVATE}
BOX: Any = {"max_lines": 1, "min_width": 160}
SHOW: Any = {"elem_classes": "strong", "scale": 0, "min_width": 110}


def timeline(place: Place) -> None:
    """Build the tab in the page that is being built."""
    label = place.label
    with gr.Row(elem_classes="bar filters"):
        example = label("an event, or: in Paris in April")
        question = gr.Textbox(label=label("What happened"), placeholder=example, scale=6, **BOX)
        show = gr.Button(label("Show"), **SHOW)
    with gr.Row(elem_classes="bar filters"):
        outlets = gr.Dropdown([], multiselect=True, label=label("Outlets"), scale=2)
        languages = _languages(place)
        named = {"since": label("From"), "until": label("Until"), "as_of": label("As of")}
        days = {
            name: gr.Textbox(label=said, elem_classes="date", **BOX) for name, said in named.items()
        }  # see views.js

    def told(given: dict[str, Any]) -> Mapping[str, Any] | None:
        return as_json(place.service.desk.timeline(given.pop("q"), **given)) if "q" in given else None

    _view(place, "timeline", {"q": question, "outlets": outlets, "languages": languages, **days}, show, told)
    place.page.load(lambda: gr.Dropdown(choices=place.service.desk.outlets()), None, outlets, **QUIET)


def quotes(place: Place) -> None:
    """Build the tab in the page that is being built."""
    label = place.label
    with gr.Row(elem_classes="bar filters"):
        who, what = label("a person or a body"), label("what is spoken of")
        speaker = gr.Textbox(label=label("Speaker"), placeholder=who, scale=3, **BOX)
        about = gr.Textbox(label=label("About"), placeholder=what, scale=4, **BOX)
        languages = _languages(place)
        show = gr.Button(label("Show"), **SHOW)

    def told(given: dict[str, Any]) -> Mapping[str, Any]:
        return place.service.desk.quotes(**given, top=TOP_MAX).document("quotes")

    _view(place, "quotes", {"speaker": speaker, "about": about, "languages": languages}, show, told)


def _languages(place: Place) -> gr.Dropdown:
    """Add the box of the languages of articles, where these have several."""
    box = gr.Dropdown([], multiselect=True, label=place.label("Languages"), visible=False, scale=1)

    def offered(request: gr.Request) -> gr.Dropdown:
        known = [(chosen(request).language(code), code) for code in place.service.desk.languages()]
        return gr.Dropdown(choices=known, visible=len(known) > 1)

    place.page.load(offered, None, box, **QUIET)
    return box


def _view(
    place: Place, name: str, boxes: Mapping[str, Any], show: gr.Button,
    told: Callable[[dict[str, Any]], Mapping[str, Any] | None],
) -> None:  # fmt: skip
    """Show what is told of what is in the boxes, or of what the address of the page has for them, by their names."""
    shown = gr.HTML(elem_classes="view", apply_default_css=False)

    def answer(request: gr.Request, *values: Any) -> str:
        template = pages(chosen(request)).get_template(f"{name}.html")
        given = {key: value for key, value in zip(boxes, values, strict=True) if value}
        link = f"/?{urlencode({'tab': name} | given, doseq=True)}"
        try:
            return template.render(told=told(given), link=link)
        except CopydeskError as error:
            return template.render(failed=str(error), link=link)

    def opened(request: gr.Request) -> Iterator[list[Any]]:
        asked = request.query_params
        template = pages(chosen(request)).get_template(f"{name}.html")
        yield [*[gr.skip()] * len(boxes), template.render()]
        if asked.get("tab", "").casefold() == name and any(map(asked.get, boxes)):
            values = [(asked.getlist if isinstance(box, gr.Dropdown) else asked.get)(key) for key, box in boxes.items()]
            yield [*values, template.render(reading=True)]
            yield [*values, answer(request, *values)]

    asking = [show.click, *(box.submit for box in boxes.values() if isinstance(box, gr.Textbox))]
    gr.on(asking, answer, [*boxes.values()], shown, show_progress="minimal", **PRIVATE)
    place.page.load(opened, None, [*boxes.values(), shown], **QUIET)
