"""The web page: a chat, and beside it the source that a click on [n] opens, the quoted sentence marked."""

import html
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read once, when gradio is imported

import gradio as gr

from index.types import CopydeskError
from qa.compose import UNSUPPORTED
from qa.desk import Desk
from qa.source import source_path
from qa.types import Answer, Citation

CSS = Path(__file__).with_name("page.css")
MASTHEAD = """<h1>Copydesk</h1><p>Ask your archive. Every sentence of an answer is checked against the articles; click
its number to read it there.</p>"""
PLACEHOLDER = "Ask about the news in the archive"
EMPTY = """<!DOCTYPE html><meta name="color-scheme" content="light dark"><body style="font:15px/1.6 system-ui;
padding:2rem;opacity:.65">Click a number such as [1] in an answer: the article opens here, with the quoted sentence
marked.</body>"""


def answer_html(answer: Answer) -> str:
    """Return an answer as HTML in which each [n] opens its source; everything that came from outside is escaped."""
    if answer.refusal:
        body = f'<span class="refusal">{html.escape(answer.text)}</span>'
        listed = [f"{_source(c, 'closest')}<br>“{html.escape(c.quote)}”" for c in answer.refusal.closest]
    else:
        body = text_html(answer.text, answer.citations)
        listed = [_source(c, f"[{c.n}]") for c in answer.citations]
    listed += [
        f'<span class="{said.support}">{said.support}: “{html.escape(said.text)}”: {html.escape(said.why)}</span>'
        for said in answer.sentences
        if said.why
    ]
    understood = f'<p class="understood">Understood as: {html.escape(answer.rewritten)}</p>' if answer.rewritten else ""
    return f"{understood}{body}<ol>{''.join(f'<li>{item}</li>' for item in listed)}</ol>"


def text_html(text: str, citations: Sequence[Citation]) -> str:
    """Return an answer's text, as far as it is written, with links for its marks."""
    links = {f"[{c.n}]": _link(c, f"[{c.n}]") for c in citations}
    links[UNSUPPORTED] = '<b class="unsupported">not in the articles</b>'
    marked = re.sub(r"\[\w+\]", lambda mark: links.get(mark[0], mark[0]), html.escape(text))
    return marked.replace("\n", "<br>")


def _link(citation: Citation, mark: str) -> str:
    path = source_path(citation.article_id, citation.field, citation.start, citation.end)
    return f'<a class="cite" href="{html.escape(path)}" target="source">{mark}</a>'


def _source(citation: Citation, mark: str) -> str:
    day = f"{citation.published:%-d %B %Y}" if citation.published else "undated"
    about = html.escape(f"{citation.outlet or 'unknown outlet'}, {day}: {citation.title}")
    return f"{_link(citation, mark)} {about}"


def mount(app: FastAPI, desk: Desk) -> FastAPI:
    """Put the page of an open desk at / of an app; whatever routes the app has keep working."""

    def reply(
        question: str, history: list[Any], turns: list[dict[str, str]], outlets: list[str], since: str, until: str
    ) -> Iterator[Any]:
        before, history = turns, [*history, {"role": "user", "content": question}]
        yield "", [*history, _message("Reading the archive…")], turns
        written, citations = "", list[Citation]()
        try:
            for event in desk.events(
                question, history=before, outlets=outlets, since=since or None, until=until or None
            ):
                if isinstance(event, Answer):
                    turns = [*before, {"role": "user", "content": event.rewritten or question},
                             {"role": "assistant", "content": event.text}]  # fmt: skip
                    yield gr.skip(), [*history, _message(answer_html(event))], turns
                    return
                written += event if isinstance(event, str) else ""
                citations += [event] if isinstance(event, Citation) else []
                yield gr.skip(), [*history, _message(text_html(written, citations))], gr.skip()
        except CopydeskError as error:
            yield gr.skip(), [*history, _message(html.escape(str(error)))], gr.skip()

    with gr.Blocks(title="Copydesk", fill_height=True, fill_width=True, analytics_enabled=False) as page:
        gr.HTML(MASTHEAD, elem_id="masthead")
        with gr.Row(equal_height=False):
            with gr.Column(scale=6, min_width=340):
                chat = gr.Chatbot(show_label=False, height="60vh", buttons=[], feedback_options=None, layout="panel")
                with gr.Row():
                    box = gr.Textbox(placeholder=PLACEHOLDER, show_label=False, scale=8, autofocus=True)
                    send = gr.Button("Ask", variant="primary", scale=1, min_width=90)
                with gr.Accordion("Only articles of…", open=False), gr.Row():
                    outlets = gr.Dropdown([], multiselect=True, label="Outlets")
                    since = gr.Textbox(label="Since", placeholder="2025-04-01")
                    until = gr.Textbox(label="Until", placeholder="2025-04-30")
            with gr.Column(scale=5, min_width=320):
                frame = f'<iframe name="source" title="Source" srcdoc="{html.escape(EMPTY)}"></iframe>'
                gr.HTML(frame, elem_id="source")
        turns = gr.State([])
        asked = [box, chat, turns, outlets, since, until]
        gr.on([box.submit, send.click], reply, asked, [box, chat, turns], show_progress_on=chat)
        page.load(lambda: _welcome(desk), None, [outlets, chat])
    font = ("system-ui", "sans-serif")
    theme = gr.themes.Default(primary_hue="slate", font=font, font_mono=("ui-monospace", "monospace"))
    mounted: FastAPI = gr.mount_gradio_app(app, page, path="/", theme=theme, css_paths=CSS, footer_links=[])
    return mounted


def _message(content: str) -> dict[str, Any]:
    return {"role": "assistant", "content": gr.HTML(f'<div class="answer">{content}</div>')}


def _welcome(desk: Desk) -> tuple[gr.Dropdown, gr.Chatbot]:
    """Fill in what the archive holds: the outlets to choose from, and what an empty chat says."""
    outlets, articles = desk.outlets(), desk.articles()
    held = "The archive is empty. Fill it with `copydesk ingest FOLDER`, then reload this page."
    if articles:
        days = sorted(article["published"] for article in articles if article["published"])
        span = f", published {days[0]} to {days[-1]}" if days else ""
        held = f'<div style="padding: 1rem"><b>{len(articles):,} articles</b> from {len(outlets)} outlets{span}.</div>'
    return gr.Dropdown(choices=outlets), gr.Chatbot(placeholder=held)
