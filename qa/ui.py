"""The web page: a chat, and beside it the source that a click on [n] opens, the quoted sentence marked."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read once, when gradio is imported

import gradio as gr

from index.types import CopydeskError
from qa.desk import Desk
from qa.source import source_path
from qa.types import Answer, Citation

CSS = """
footer { display: none !important; }
.gradio-container { max-width: 1500px !important; margin: 0 auto !important; }
#masthead { width: min(1420px, 94vw); }
#masthead h1 { margin: 0; font: 600 1.5rem/1.2 Georgia, serif; letter-spacing: .01em; }
#masthead p { margin: .15rem 0 0; opacity: .7; }
#source iframe { width: 100%; height: calc(100vh - 120px); min-height: 420px; border: 1px solid
  var(--border-color-primary); border-radius: 8px; background: #fff; }
.answer { font-size: 1rem; line-height: 1.6; }
.answer a.cite { text-decoration: none; font-weight: 600; padding: 0 .15em; color: #2563eb; }
.answer a.cite:hover { text-decoration: underline; }
.answer ol { list-style: none; margin: .8rem 0 0; padding: .6rem 0 0; border-top: 1px solid
  var(--border-color-primary); font-size: .85rem; }
.answer li { margin: .3rem 0; }
.answer .refusal { font-style: italic; }
"""
EMPTY = """<!DOCTYPE html><meta name="color-scheme" content="light dark"><body style="font:15px/1.6 system-ui;
padding:2rem;opacity:.65">Click a number such as [1] in an answer: the article opens here, with the quoted sentence
marked.</body>"""


def answer_html(answer: Answer) -> str:
    """Return an answer as HTML in which each [n] opens its source; everything that came from outside is escaped."""
    body = html.escape(answer.text)
    if answer.answered:
        links = {c.n: f'<a class="cite" href="{_href(c)}" target="source">[{c.n}]</a>' for c in answer.citations}
        body = re.sub(r"\[(\d+)\]", lambda mark: links.get(int(mark[1]), mark[0]), body)
        listed = [_listed(citation, f"[{citation.n}]") for citation in answer.citations]
        return f'<div class="answer">{body}<ol>{"".join(listed)}</ol></div>'
    closest = answer.refusal.closest if answer.refusal else ()
    listed = [_listed(citation, "closest", f"<br>“{html.escape(citation.quote)}”") for citation in closest]
    return f'<div class="answer"><span class="refusal">{body}</span><ol>{"".join(listed)}</ol></div>'


def _href(citation: Citation) -> str:
    return html.escape(source_path(citation.article_id, citation.field, citation.start, citation.end))


def _listed(citation: Citation, mark: str, below: str = "") -> str:
    day = f"{citation.published:%-d %B %Y}" if citation.published else "undated"
    about = html.escape(f"{citation.outlet or 'unknown outlet'}, {day}: {citation.title}")
    return f'<li><a class="cite" href="{_href(citation)}" target="source">{mark}</a> {about}{below}</li>'


def build_page(desk: Desk) -> gr.Blocks:
    """Return the page of one open desk."""
    page: gr.Blocks
    with gr.Blocks(title="Copydesk", fill_height=True, fill_width=True, analytics_enabled=False) as page:
        gr.HTML(
            "<h1>Copydesk</h1><p>Ask your archive. Every sentence of an answer is quoted from an article; "
            "click its number to read it there.</p>",
            elem_id="masthead",
        )
        with gr.Row(equal_height=False):
            with gr.Column(scale=6, min_width=340):
                chat = gr.Chatbot(show_label=False, height="60vh", buttons=[], feedback_options=None, layout="panel")
                with gr.Row():
                    box = gr.Textbox(
                        placeholder="Ask about the news in the archive", show_label=False, scale=8, autofocus=True
                    )
                    send = gr.Button("Ask", variant="primary", scale=1, min_width=90)
                with gr.Accordion("Only articles of…", open=False), gr.Row():
                    outlets = gr.Dropdown([], multiselect=True, label="Outlets")
                    since = gr.Textbox(label="Since", placeholder="2025-04-01")
                    until = gr.Textbox(label="Until", placeholder="2025-04-30")
            with gr.Column(scale=5, min_width=320):
                frame = f'<iframe name="source" title="Source" srcdoc="{html.escape(EMPTY)}"></iframe>'
                gr.HTML(frame, elem_id="source")

        def put(question: str, history: list[Any]) -> tuple[str, list[Any]]:
            return "", [*history, {"role": "user", "content": question}]

        def reply(history: list[Any], outlets: list[str], since: str, until: str) -> Iterator[list[Any]]:
            question = "".join(part["text"] for part in history[-1]["content"] if part.get("type") == "text")
            yield [*history, _message('<div class="answer">Reading the archive…</div>')]
            try:
                answer = desk.ask(question, outlets=outlets, since=since or None, until=until or None)
                yield [*history, _message(answer_html(answer))]
            except CopydeskError as error:
                yield [*history, _message(f'<div class="answer">{html.escape(str(error))}</div>')]

        asked = [box, chat]
        answered = [chat, outlets, since, until]
        gr.on([box.submit, send.click], put, asked, asked, queue=False).then(reply, answered, chat)
        page.load(
            lambda: (gr.Dropdown(choices=desk.outlets()), gr.Chatbot(placeholder=_welcome(desk))), None, [outlets, chat]
        )
    return page


def _welcome(desk: Desk) -> str:
    """Return what an empty chat says: what the archive holds."""
    articles = desk.articles()
    if not articles:
        return "The archive is empty. Fill it with `copydesk ingest FOLDER`, then reload this page."
    days = sorted(article["published"] for article in articles if article["published"])
    span = f", published {days[0]} to {days[-1]}" if days else ""
    return (
        f'<div style="padding: 1rem"><b>{len(articles):,} articles</b> from {len(desk.outlets())} outlets{span}.</div>'
    )


def _message(content: str) -> dict[str, Any]:
    return {"role": "assistant", "content": gr.HTML(content)}


def mount(app: FastAPI, page: gr.Blocks) -> FastAPI:
    """Put the page at / of an app; whatever routes the app has keep working."""
    font = ("system-ui", "sans-serif")
    theme = gr.themes.Default(primary_hue="slate", font=font, font_mono=("ui-monospace", "monospace"))
    mounted: FastAPI = gr.mount_gradio_app(app, page, path="/", theme=theme, css=CSS, footer_links=[])
    return mounted
