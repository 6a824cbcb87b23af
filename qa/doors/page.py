"""The web page: a chat, and beside it the source that a click on [n] opens, the quoted sentence marked."""

import html
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader

from index.types import Article, CopydeskError
from qa.ask import events
from qa.desk import Desk
from qa.doors.show import around, origin
from qa.request import AskRequest
from qa.types import UNSUPPORTED, Answer, Citation, Sentence, Withdrawn, as_json, bold

HERE = Path(__file__).parent
PAGES = Environment(loader=FileSystemLoader(HERE), autoescape=True)
MASTHEAD = """<h1>Copydesk</h1><p>Ask your archive. Every sentence of an answer is checked against the articles; click
its number to read it there.</p>"""
ROLES = ("user", "assistant")
PLACEHOLDER = "Ask about the news in the archive"
EMPTY = """<!DOCTYPE html><meta name="color-scheme" content="light dark"><body style="font:15px/1.6 system-ui;
padding:2rem;opacity:.65">Click a number such as [1] in an answer: the article opens here, with the quoted sentence
marked.</body>"""


@dataclass(frozen=True)
class Turn:
    """A question, what the page shows of its answer, and the text of that once it is complete."""

    question: str
    html: str
    text: str = ""


def answer_html(answer: Answer) -> str:
    """Return an answer as HTML in which each [n] opens its source; everything that came from outside is escaped."""
    document = as_json(answer)
    origins = [origin(sentence, document["citations"]) for sentence in document["sentences"]]
    body = text_html(answer.text, answer.citations, answer.sentences, origins)
    return PAGES.get_template("answer.html").render(answer=answer, body=body, link=_link, around=around(document))


def text_html(
    text: str, citations: Sequence[Citation], sentences: Sequence[Sentence] = (), origins: Sequence[str] = ()
) -> str:
    """Return an answer's text, as far as it is written, with links for the marks of its sentences, and no others.

    The phrases that answer are bold; where each sentence comes from stands behind its marks.
    """
    links = {f"[{c.n}]": _link(c, f"[{c.n}]") for c in citations}
    links[UNSUPPORTED] = '<b class="unsupported">not in the articles</b>'
    shown = {place: links[text[slice(*place)]] for sentence in sentences for place in sentence.marks}
    for said in sentences:
        if said.answer:
            place = bold(said.text, said.marks, said.answer.start, said.answer.end)
            shown[place] = f"<b>{html.escape(text[slice(*place)])}</b>"
    for said, where in zip(sentences, origins, strict=False):
        if where and said.marks:
            shown[said.marks[-1]] += f' <small class="origin">{html.escape(where)}</small>'
    done, parts = 0, list[str]()
    for (start, end), inside in sorted(shown.items()):
        parts += html.escape(text[done:start]), inside
        done = end
    return "".join((*parts, html.escape(text[done:]))).replace("\n", "<br>")


def source_path(article_id: str, field: str, start: int, end: int) -> str:
    """Return the address of a quotation on this service."""
    return f"/source/{quote(article_id, safe='')}?field={field}&start={start}&end={end}#quote"


def source_page(article: Article, field: str, start: int, end: int, remarks: Sequence[str] = ()) -> str:
    """Return an article as a page with one span marked and remarks on it; all that came from outside is escaped."""
    whole = getattr(article, field)
    span = {"before": whole[:start], "quoted": whole[start:end], "after": whole[end:]}
    return PAGES.get_template("source.html").render(article=article, field=field, remarks=remarks, **span)


def _link(citation: Citation, mark: str) -> str:
    path = source_path(citation.article_id, citation.field, citation.start, citation.end)
    return f'<a class="cite" href="{html.escape(path)}" target="source">{mark}</a>'


def _reply(
    desk: Desk, question: str, talk: list[Turn], outlets: list[str], since: str, until: str
) -> Iterator[tuple[Any, ...]]:
    """Yield what the page shows while a question is answered: the box, the chat, the conversation, the Stop button."""
    before = _messages((turn.question, turn.text) for turn in talk if turn.text)
    written, citations, sentences = "", list[Citation](), list[Sentence]()
    turn = Turn(question, "Reading the archive…")

    def shown(**state: Any) -> tuple[Any, ...]:
        # As HTML of our own: what is typed would be read as Markdown with tags.
        sides = (
            (f"<p>{html.escape(one.question)}</p>", f'<div class="answer">{one.html}</div>') for one in [*talk, turn]
        )
        pairs = ((gr.HTML(asked), gr.HTML(answer)) for asked, answer in sides)
        # Only what changes is sent: a late update of the Stop button would bring it back when it was clicked.
        return state.get("box", gr.skip()), _messages(pairs), [*talk, turn], state.get("stop", gr.skip())

    yield shown(box="", stop=gr.Button(visible=True))
    try:
        asked = AskRequest(question, history=before, outlets=outlets, since=since or None, until=until or None)
        with closing(events(desk, asked)) as told:
            for event in told:
                if isinstance(event, Answer):
                    turn = Turn(question, answer_html(event), event.text)
                else:
                    if isinstance(event, Withdrawn):
                        written, citations, sentences = "", [], []
                    written += event if isinstance(event, str) else ""
                    citations += [event] if isinstance(event, Citation) else []
                    sentences += [event] if isinstance(event, Sentence) else []
                    turn = Turn(question, text_html(written, citations, sentences))
                    yield shown()
    except CopydeskError as error:
        turn = Turn(question, f'{turn.html if written else ""}<p class="refusal">{html.escape(str(error))}</p>')
    yield shown(stop=gr.Button(visible=False))


def mount(app: FastAPI, desk: Desk) -> FastAPI:
    """Put the page of an open desk at / of an app; whatever routes the app has keep working."""

    def reply(*inputs: Any) -> Iterator[tuple[Any, ...]]:
        yield from _reply(desk, *inputs)

    with gr.Blocks(title="Copydesk", fill_height=True, fill_width=True, analytics_enabled=False) as page:
        gr.HTML(MASTHEAD, elem_id="masthead")
        with gr.Row(equal_height=False):
            with gr.Column(scale=6, min_width=340):
                chat = gr.Chatbot(show_label=False, height="60vh", buttons=[], feedback_options=None, layout="panel")
                with gr.Row():
                    box = gr.Textbox(placeholder=PLACEHOLDER, show_label=False, scale=8, autofocus=True)
                    send = gr.Button("Ask", variant="primary", scale=1, min_width=90)
                    stop = gr.Button("Stop", variant="stop", scale=1, min_width=90, visible=False)
                with gr.Accordion("Only articles of…", open=False), gr.Row():
                    outlets = gr.Dropdown([], multiselect=True, label="Outlets")
                    since = gr.Textbox(label="Since", placeholder="2025-04-01")
                    until = gr.Textbox(label="Until", placeholder="2025-04-30")
            with gr.Column(scale=5, min_width=320):
                frame = f'<iframe name="source" title="Source" srcdoc="{html.escape(EMPTY)}"></iframe>'
                gr.HTML(frame, elem_id="source")
        # The conversation is kept here, not in the chat's payload: what a browser sends as one may name files.
        talk = gr.State([])
        asked = [box, talk, outlets, since, until]
        private: Any = {"api_visibility": "private"}
        changed = [box, chat, talk, stop]
        # "multiple": a question that is sent while one is answered waits, where Gradio would drop it unseen.
        running = gr.on(
            [box.submit, send.click], reply, asked, changed, show_progress_on=chat, trigger_mode="multiple", **private
        )
        stop.click(lambda: gr.Button(visible=False), None, stop, cancels=[running], **private)
        cleared = chat.clear(lambda: None, cancels=[running], **private)
        cleared.then(lambda: ([], [], gr.Button(visible=False)), None, changed[1:], **private)
        page.load(lambda: _welcome(desk), None, [outlets, chat], **private)
    page.has_launched = True  # else Gradio copies any file of the machine that a payload names into its cache
    font = ("system-ui", "sans-serif")
    theme = gr.themes.Default(primary_hue="slate", font=font, font_mono=("ui-monospace", "monospace"))
    mounted: FastAPI = gr.mount_gradio_app(
        app, page, path="/", theme=theme, css_paths=HERE / "page.css", footer_links=[]
    )
    return mounted


def _messages(pairs: Iterable[tuple[Any, Any]]) -> list[dict[str, Any]]:
    """Return questions and answers as the chat and `history` take them."""
    return [{"role": role, "content": said} for pair in pairs for role, said in zip(ROLES, pair, strict=True)]


def _welcome(desk: Desk) -> tuple[gr.Dropdown, gr.Chatbot]:
    """Fill in what the archive holds: the outlets to choose from, and what an empty chat says."""
    outlets, (articles, _) = desk.outlets(), desk.index.archive.counts()
    held = "The archive is empty. Fill it with `copydesk ingest FOLDER`, then reload this page."
    if articles:
        first, last = desk.index.archive.span()
        span = f", published {first} to {last}" if first else ""
        held = f'<div style="padding: 1rem"><b>{articles:,} articles</b> from {len(outlets)} outlets{span}.</div>'
    return gr.Dropdown(choices=outlets), gr.Chatbot(placeholder=held)
