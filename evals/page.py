"""The page's tab that evaluates."""

import gradio as gr

from qa.page.place import Place


def tab(place: Place) -> None:
    """Build the tab in the page that is being built."""
    gr.Markdown(f"{place.service.desk.index.archive.counts()[0]:,} articles")
