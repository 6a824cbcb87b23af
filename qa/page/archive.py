"""The tab of the archive: a list with filters, an article with all that is known of it. Its script adds and removes."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from index.types import CopydeskError
from qa.locale import DEFAULT, Words, chosen
from qa.page.place import LISTEN, PRIVATE, Place, user
from qa.page.render import pages
from qa.request import TOP_MAX
from qa.service import Service, User
from qa.types import as_json

ROWS, STORY = 50, 30  # articles on a page of the list, and of a story that are named


def view(service: Service, who: User, told: Mapping[str, Any], words: Words = DEFAULT) -> str:
    """Return the article, or else the part of the list, that an address of the tab or its script asks for."""
    desk, page = service.desk, pages(words).get_template("archive.html")
    asked = {k: v for k, v in told.items() if isinstance(v, str) and v and k not in ("tab", "act")}
    given: dict[str, Any] = {"asked": asked, "editor": who.role == "editor", "rows": ROWS}
    try:
        if "article" in asked:
            article, archive = desk.show(asked["article"]), desk.index.archive
            given["base"] = archive.current(article["id"])
            given["versions"] = archive.stood(given["base"])
            story = [one for key in article["story"][:STORY] for one in archive.listed(key)]
            given["quotes"] = desk.quotes(articles=article["id"], top=TOP_MAX) if "quotes" in asked else None
            return page.render(given, article=article, story=[as_json(one) for one in story if one.id != article["id"]])
        given |= {"outlets": desk.outlets(), "languages": [*desk.languages()]}
        given["waiting"] = desk.index.archive.waiting()
        given["sources"] = desk.sources.listed(local=given["editor"])
        offset = int(at) if (at := asked.get("offset", "")).isdecimal() else 0
        some = {name: asked[name] for name in ("q", "since", "until", "sort") if name in asked}
        listed = desk.articles(
            outlets=asked.get("outlet") or (), languages=asked.get("language") or (), offset=offset, limit=ROWS, **some
        )
        return page.render(given, listed=listed, total=listed.total, offset=offset)
    except CopydeskError as error:
        return page.render(given, failed=str(error))


def tab(place: Place) -> None:
    """Build the tab in the page that is being built."""

    def first(request: gr.Request) -> str:
        return view(place.service, user(request), request.query_params, chosen(request))

    def show(event: gr.EventData, request: gr.Request) -> str:
        return view(place.service, user(request), event._data, chosen(request))

    with gr.Column(elem_id="archive"):
        report = '<div id="archive-report" role="status"></div>'  # stays while the view below is another
        hub = gr.HTML(report, elem_id="archive-hub", js_on_load=LISTEN, apply_default_css=False)
        shown = gr.HTML(elem_id="archive-view", apply_default_css=False)
    hub.show(show, None, shown, trigger_mode="multiple", show_progress="hidden", **PRIVATE)
    place.page.load(first, None, shown, show_progress="hidden", **PRIVATE)
