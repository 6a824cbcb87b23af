"""The tab that answers: a conversation, and beside it the source that a click on a mark opens."""

import html
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from index.types import CopydeskError
from qa.desk import Desk
from qa.page.place import PRIVATE, Place
from qa.page.render import answer_html, text_html
from qa.request import AskRequest
from qa.types import Answer, Citation, Sentence, Withdrawn

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


def _reply(
    place: Place, question: str, talk: list[Turn], outlets: list[str], since: str, until: str
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
        with closing(place.service.events(asked)) as told:
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


def tab(place: Place) -> None:
    """Build the tab in the page that is being built."""

    def reply(*inputs: Any) -> Iterator[tuple[Any, ...]]:
        yield from _reply(place, *inputs)

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
    changed = [box, chat, talk, stop]
    # "multiple": a question that is sent while one is answered waits, where Gradio would drop it unseen.
    running = gr.on(
        [box.submit, send.click], reply, asked, changed, show_progress_on=chat, trigger_mode="multiple", **PRIVATE
    )
    stop.click(lambda: gr.Button(visible=False), None, stop, cancels=[running], **PRIVATE)
    cleared = chat.clear(lambda: None, cancels=[running], **PRIVATE)
    cleared.then(lambda: ([], [], gr.Button(visible=False)), None, changed[1:], **PRIVATE)
    place.page.load(lambda: _welcome(place.service.desk), None, [outlets, chat], **PRIVATE)


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
