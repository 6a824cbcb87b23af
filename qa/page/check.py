"""The tab that checks a draft: its sentences with their verdicts, and the evidence beside them."""

from collections.abc import Iterator

import gradio as gr

from index.types import CopydeskError
from qa.page.place import LISTEN, PRIVATE, Place
from qa.page.render import PAGES
from qa.request import CheckRequest
from qa.types import Checked, as_json, built


def tab(place: Place) -> None:
    """Build the tab in the page that is being built."""
    page = PAGES.get_template("check.html")

    def check(event: gr.EventData) -> Iterator[str]:
        """Yield how far the check is, and last its result."""
        yield page.render(share=0.0)
        try:
            given = {"text": event._data.get("text"), "articles": str(event._data.get("articles")).split()}
            for told in place.service.checking(built(CheckRequest, given)):
                yield page.render({"told": as_json(told)} if isinstance(told, Checked) else {"share": told})
        except CopydeskError as error:
            yield page.render(failed=str(error))

    with gr.Column(elem_id="check"):
        hub = gr.HTML(page.render(form=True), elem_id="check-hub", js_on_load=LISTEN, apply_default_css=False)
        shown = gr.HTML(apply_default_css=False)
    running = hub.show(check, None, shown, show_progress="hidden", trigger_mode="multiple", **PRIVATE)
    hub.stop(lambda: "", None, shown, cancels=[running], show_progress="hidden", **PRIVATE)
