"""The web page: one file a tab, and what all of them stand in. Markup is in templates/, looks and script in static/."""

from html import escape
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles

from qa.locale import COOKIE, LANGUAGES, chosen, words_of
from qa.page import archive, ask, check, views
from qa.page.place import PRIVATE, Place, user
from qa.page.render import PAGES, pages
from qa.service import MOST, Service

STATIC = Path(__file__).parent / "static"
LINK = '<a href="?lang={0}" lang="{0}" hreflang="{0}" data-do="speak" data-code="{0}">{1}</a>'
MASTHEAD = '<h1><a href="/">Copydesk</a></h1>'
TABS = {"Ask": ask.tab, "Check": check.tab, "Timeline": views.timeline, "Quotes": views.quotes, "Archive": archive.tab}


def mount(app: FastAPI, service: Service) -> FastAPI:
    """Put the page of a service at / of an app; whatever routes the app has keep working.

    Packages above qa add tabs by the entry point `copydesk.tabs`: a function that takes a `Place`.
    `/?tab=NAME` opens one; what else stands in an address is the tab's. Every file in static/ is part of the page.
    """
    labels, translated = gr.I18n(), set[str]()

    def label(text: str) -> Any:
        translated.add(text)
        return labels(text)

    tabs = TABS | {entry.name: entry.load() for entry in entry_points(group="copydesk.tabs")}
    with gr.Blocks(title="Copydesk", fill_width=True, analytics_enabled=False) as page:
        gr.HTML(MASTHEAD, elem_id="masthead", apply_default_css=False)
        with gr.Tabs(elem_id="tabs") as shown:
            for name, tab in tabs.items():
                with gr.Tab(label(name), id=name.casefold()):
                    tab(Place(page, service, label))
        shell = gr.HTML(elem_id="shell", apply_default_css=False)
        who = gr.HTML(elem_id="who", apply_default_css=False)

        def select(request: gr.Request) -> tuple[gr.Tabs, str, str]:
            words = chosen(request)
            asked, name = request.query_params.get("tab", "").casefold(), escape(user(request).name)
            told = words._("Signed in as {name}: sign out").format(name=name)
            link = f'<a href="/login" title="{told}">{name}</a>' if name else ""
            others = "".join(LINK.format(*one) for one in LANGUAGES.items() if one[0] != words.code)
            around = pages(words).get_template("shell.html").render()
            return gr.Tabs(selected=asked) if asked in map(str.casefold, tabs) else gr.skip(), others + link, around

        page.load(select, None, [shown, who, shell], **PRIVATE)
    # Or as many questions as wait for a silent model would keep everybody else's page from opening.
    page.max_threads = page._queue.max_thread_count = 2 * MOST
    page.has_launched = True  # else Gradio copies any file of the machine that a payload names into its cache
    labels.translations = {
        code: {text: words_of(code)._(text) for text in translated} for code in LANGUAGES
    }  # fmt: skip

    @app.get("/page/words.js", include_in_schema=False)
    def script(request: Request) -> Response:
        words = chosen(request)
        shown = {words._(name): name for name in tabs}
        told = {"lang": words.code, "known": [*LANGUAGES], "texts": words.texts, "tabs": shown}
        body = PAGES.get_template("words.js").render(told=told, cookie=COOKIE)
        return Response(body, media_type="text/javascript", headers={"cache-control": "no-store"})

    # As files of our own: an inline script of the head would get no nonce, and Gradio rewrites the styles it is given.
    app.mount("/page", StaticFiles(directory=STATIC))
    names = sorted((path.name for path in STATIC.iterdir()), key=lambda name: (not name.startswith("page."), name))
    head = PAGES.get_template("head.html").render(names=names)  # what all tabs use comes first
    mounted: FastAPI = gr.mount_gradio_app(
        app, page, path="/", theme=gr.themes.Base(), head=head, footer_links=[], i18n=labels
    )
    return mounted
