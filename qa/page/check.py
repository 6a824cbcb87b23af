"""The tab that checks a draft: its sentences with their verdicts, and the evidence beside them."""

from collections.abc import Iterator

import gradio as gr

from index.types import CopydeskError
from qa.locale import chosen
from qa.page.place import LISTEN, PRIVATE, Place
from qa.page.render import pages
from qa.request import CheckRequest
from qa.types import Checked, as_json, built


def tab(place: Place) -> None:
    """Build the tab in the page that is being built."""

    def check(event: gr.EventData, request: gr.Request) -> Iterator[str]:
        """Yield how far the check is, and last its result."""
        page = pages(chosen(request)).get_template("check.html")
        yield page.render(share=0.0)
        try:
            given = {"text": event._data.get("text"), "articles": str(event._data.get("articles")).split()}
            for told in place.service.checking(built(CheckRequest, given)):
                yield page.render({"told": as_json(told)} if isinstance(told, Checked) else {"share": told})
        except CopydeskError as error:
            yield page.render(failed=str(error))

    def first(request: gr.Request) -> str:
        return pages(chosen(request)).get_template("check.html").render(form=True)

    with gr.Column(elem_id="check"):
        hub = gr.HTML(elem_id="check-hub", js_on_load=LISTEN, apply_default_css=False)
        shown = gr.HTML(apply_default_css=False)
    running = hub.show(check, None, shown, show_progress="hidden", trigger_mode="multiple", **PRIVATE)
    place.page.load(first, None, hub, show_progress="hidden", **PRIVATE)
    hub.stop(lambda: "", None, shown, cancels=[running], show_progress="hidden", **PRIVATE)
