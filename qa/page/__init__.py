"""The web page: one file a tab, and what all of them stand in. Markup is in templates/, looks and script in static/."""

from importlib.metadata import entry_points
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from qa.page import ask, views
from qa.page.place import PRIVATE, Place
from qa.service import Service

HERE = Path(__file__).parent
MASTHEAD = """<h1>Copydesk</h1><p>Ask your archive. Every sentence of an answer is checked against the articles; click
its number to read it there.</p>"""
TABS = {"Ask": ask.tab, "Timeline": views.timeline, "Quotes": views.quotes}


def mount(app: FastAPI, service: Service) -> FastAPI:
    """Put the page of a service at / of an app; whatever routes the app has keep working.

    Packages above qa add tabs by the entry point `copydesk.tabs`: a function that takes a `Place`.
    `/?tab=NAME` opens one; what else stands in an address is the tab's.
    """
    tabs = TABS | {entry.name: entry.load() for entry in entry_points(group="copydesk.tabs")}
    with gr.Blocks(title="Copydesk", fill_height=True, fill_width=True, analytics_enabled=False) as page:
        gr.HTML(MASTHEAD, elem_id="masthead")
        with gr.Tabs(elem_id="tabs") as shown:
            for name, tab in tabs.items():
                with gr.Tab(name, id=name.casefold()):
                    tab(Place(page, service))

        def select(request: gr.Request) -> gr.Tabs:
            asked = request.query_params.get("tab", "").casefold()
            return gr.Tabs(selected=asked) if asked in map(str.casefold, tabs) else gr.skip()

        page.load(select, None, shown, **PRIVATE)
    page.has_launched = True  # else Gradio copies any file of the machine that a payload names into its cache
    font = ("system-ui", "sans-serif")
    theme = gr.themes.Default(primary_hue="slate", font=font, font_mono=("ui-monospace", "monospace"))
    # As files of our own: an inline script of the head would get no nonce.
    app.mount("/page", StaticFiles(directory=HERE / "static"))
    head = HERE.joinpath("templates/head.html").read_text("utf-8")
    mounted: FastAPI = gr.mount_gradio_app(
        app, page, path="/", theme=theme, css_paths=sorted(HERE.glob("static/*.css")), head=head, footer_links=[]
    )
    return mounted
