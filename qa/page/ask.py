"""The tab that answers: conversations, which are kept, and the one that is open."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import gradio as gr
from markupsafe import Markup

from index.types import BadInput, CopydeskError
from qa.kept import Kept, Turn
from qa.locale import Words, chosen
from qa.page.place import PRIVATE, Place, user
from qa.page.render import pages, turn_html
from qa.request import ASKER, HISTORY_CHARACTERS, HISTORY_TURNS, Asker, AskRequest, Gone
from qa.service import Service
from qa.types import Answer, Citation, Event, Sentence, Withdrawn, as_json, built

FILTERS = ("outlets", "authors", "languages", "since", "until", "as_of", "llm", "strict")
ROLES = ("user", "assistant")
Shown = tuple[Any, Any, Any]  # the conversation, the turn that is written, the conversations
EVERY = 0.04  # seconds between two states that are sent of an answer that is being written
NEWS, NEWEST = 5, 20  # examples on an empty page, each of a story of its own, and the articles that they are taken from
# What the page's script tells: it sets off "tell" at the form, with what is to be done.
LISTEN = """element.addEventListener("tell", (event) => trigger(event.detail.act, event.detail));
["ask", "stop", "open", "search", "rename", "delete", "rate"];"""


def part(words: Words) -> Any:
    """Return the parts of the tab, in a language."""
    return pages(words).get_template("ask.html").module


@dataclass
class Draft:
    """An answer that is being written, as the events tell it."""

    request: AskRequest
    text: str = ""
    citations: list[Citation] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    answer: Answer | None = None

    def take(self, event: Event) -> None:
        """Add what an event tells."""
        if isinstance(event, Answer):
            self.answer = event
        elif isinstance(event, str):
            self.text += event
        elif isinstance(event, Citation):
            self.citations.append(event)
        elif isinstance(event, Sentence):
            self.sentences.append(event)
        elif isinstance(event, Withdrawn):
            self.text, self.citations, self.sentences = "", [], []

    def document(self, broken: str | None = None) -> dict[str, Any]:
        """Return the answer as JSON; where it is not complete, what there is of it."""
        parts = self.text.strip(), tuple(self.sentences), tuple(self.citations)
        held = Answer(self.request.question, True, *parts, None, (), "", broken=broken)
        return as_json(self.answer or held)


def asked(told: Mapping[str, Any], before: Sequence[Turn]) -> tuple[dict[str, Any], AskRequest]:
    """Return what a page asks, and the request. Raises BadInput for what cannot be asked."""
    given = {name: told[name] for name in ("question", *FILTERS) if told.get(name)}
    turns = [(turn.asked["question"], turn.answer["text"]) for turn in before]
    history = [{"role": role, "content": text} for pair in turns for role, text in zip(ROLES, pair, strict=True)]
    history = history[-HISTORY_TURNS:]  # the last of a long conversation
    while sum(len(turn["content"]) for turn in history) > HISTORY_CHARACTERS:
        del history[:2]
    return given, built(AskRequest, given | {"history": history})


def _reply(
    place: Place, owner: str, told: Mapping[str, Any], asker: Asker, words: Words
) -> Iterator[Shown]:  # fmt: skip
    """Yield what the page shows while a question is answered.

    What is shown when it ends is kept, also where it is stopped or breaks off. With `n`, that turn is asked anew.
    """
    kept, talk, last, _ = place.service.kept, _text(told, "talk"), 0.0, words._
    given: Mapping[str, Any] = told.get("asked") or {}
    turn: dict[str, Any] = {"n": 1, "asked": given, "talk": talk, "good": None, "faults": (), "at": time.time()}
    try:
        turns = kept.turns(owner, talk) if talk else []
        before = turns[: (told.get("n") or len(turns) + 1) - 1]
        turn["n"] = len(before) + 1
        turn["asked"], request = asked(given, before)
        draft = Draft(request)
        talk = turn["talk"] = talk or kept.begin(owner, request.question).id
    except CopydeskError as error:
        yield gr.skip(), _failed(turn, str(error), words), gr.skip()
        return

    def keep(document: dict[str, Any]) -> str:
        if not document["text"]:
            return _failed(turn, broken, words)
        if told.get("n"):
            kept.cut(owner, talk, turn["n"])
        turn["n"] = kept.add(owner, talk, turn["asked"], document)  # another window may have asked meanwhile
        return turn_html(turn | {"answer": document}, words)

    def working(said: str) -> str:
        return turn_html(turn | {"answer": draft.document(), "working": said}, words)

    shown = _log(kept, owner, talk, before, words), working(_("Reading the archive")), _list(kept, owner, talk, words)
    yield shown
    broken, context = "you stopped it", copy_context()
    context.run(ASKER.set, asker)  # each step of this generator may be taken in another thread
    events = place.service.events(request, asker)
    try:
        while event := context.run(next, events, None):
            draft.take(event)
            if draft.text and not (draft.answer or asker.gone) and time.monotonic() - last > EVERY:
                yield gr.skip(), working(_("Writing")), gr.skip()
                last = time.monotonic()
    except Gone:
        pass
    except CopydeskError as error:
        broken = str(error)
    finally:  # a reader who stops it or leaves ends this generator where it is
        asker.leave()
        context.run(events.close)
        final = draft.document(None if draft.answer else broken) | _seen(place.service, draft.answer)
        complete = keep(final)
    yield gr.skip(), complete, _list(kept, owner, talk, words)


def _seen(service: Service, answer: Answer | None) -> dict[str, Any]:
    """Return what is shown beside an answer: how many stories were read, and the authors of what is cited."""
    if answer is None:
        return {}
    found = {hit.article.id: hit.article for hit in answer.retrieved}
    with service.desk.index.reading():
        stories = {service.desk.index.ties(key, answer.as_of).story or key for key in found}
    cited = {c.article_id for c in (*answer.citations, *(answer.refusal.closest if answer.refusal else ()))}
    return {"stories": len(stories), "authors": {key: [*found[key].authors] for key in cited & {*found}}}


def _failed(turn: Mapping[str, Any], why: str, words: Words) -> str:
    empty = as_json(Answer("", False, "", (), (), None, (), ""))
    return turn_html({**turn, "answer": empty, "failed": why}, words)


def _log(kept: Kept, owner: str, talk: str, turns: Sequence[Turn], words: Words) -> str:
    shown = [turn_html({**turn.__dict__, "talk": talk}, words) for turn in turns]
    return str(part(words).log(kept.talk(owner, talk), map(Markup, shown)))


def _list(kept: Kept, owner: str, talk: str, words: Words, search: str = "") -> str:
    return str(part(words).talks(kept.talks(owner, search), talk, search))


def _text(told: Mapping[str, Any], name: str) -> str:
    """Return a text that the page tells; what else a browser may send there is none."""
    return value if isinstance(value := told.get(name), str) else ""


def _welcome(service: Service, words: Words, failed: str = "") -> str:
    """Return what an empty conversation shows: what the archive holds, and its newest stories as examples."""
    desk = service.desk
    articles, _ = desk.index.archive.counts()
    stories, news = set[frozenset[str]](), list[dict[str, Any]]()
    for one in desk.articles(limit=NEWEST):
        with desk.index.reading():
            story = desk.index.ties(one["id"]).story or frozenset([one["id"]])
        if story not in stories and one["title"] and len(news) < NEWS:
            stories.add(story)
            news.append(one)
    first, last = (day and day.isoformat() for day in desk.index.archive.span())
    return str(
        part(words).welcome(articles, len(desk.outlets()), first, last, news, failed, desk.index.archive.waiting())
    )


class Events:
    """What the page sets off. Who does it comes with the request, all else, checked here, with the event."""

    def __init__(self, place: Place) -> None:
        self.place, self.kept = place, place.service.kept
        self.askers: dict[str | None, Asker] = {}  # by the session of the page
        self.away = WeakSet[Asker]()  # whose page shows another conversation by now

    def form(self, words: Words) -> str:
        service = self.place.service
        given = service.desk.outlets(), [*service.desk.languages()], service.models, bool(service.translator)
        return str(part(words).form(*given))

    def opened(self, owner: str, talk: str, words: Words) -> Shown:
        try:
            turns = self.kept.turns(owner, talk) if talk else []
            log = _log(self.kept, owner, talk, turns, words) if talk else _welcome(self.place.service, words)
        except BadInput as error:
            log = _welcome(self.place.service, words, str(error))
        return log, "", _list(self.kept, owner, talk, words)

    def reply(self, event: gr.EventData, request: gr.Request) -> Iterator[Shown]:
        session, asker = request.session_hash, Asker()
        self.stop(request)
        self.askers[session] = asker
        asker.then(lambda: self.askers.pop(session) if self.askers.get(session) is asker else None)
        for shown in _reply(self.place, user(request).name, event._data, asker, chosen(request)):
            if self.askers.get(session, asker) is asker and asker not in self.away:  # else another has taken its place
                yield shown

    def stop(self, request: gr.Request) -> None:
        if asker := self.askers.get(request.session_hash):
            asker.leave()

    def open(self, event: gr.EventData, request: gr.Request) -> Shown:
        if asker := self.askers.get(request.session_hash):
            self.away.add(asker)
            asker.leave()
        return self.opened(user(request).name, _text(event._data, "talk"), chosen(request))

    def first(self, request: gr.Request) -> tuple[Any, ...]:
        words = chosen(request)
        talk = request.query_params.get("talk", "")
        return str(part(words).side()), self.form(words), *self.opened(user(request).name, talk, words)

    def search(self, event: gr.EventData, request: gr.Request) -> str:
        told = event._data
        return _list(self.kept, user(request).name, _text(told, "talk"), chosen(request), _text(told, "search"))

    def rename(self, event: gr.EventData, request: gr.Request) -> str:
        owner, told = user(request).name, event._data
        self.kept.rename(owner, _text(told, "talk"), _text(told, "title"))
        return _list(self.kept, owner, _text(told, "open"), chosen(request))

    def delete(self, event: gr.EventData, request: gr.Request) -> Shown:
        owner, talk, current = user(request).name, _text(event._data, "talk"), _text(event._data, "open")
        self.kept.delete(owner, talk)
        words = chosen(request)
        if talk == current:
            return self.opened(owner, "", words)
        return gr.skip(), gr.skip(), _list(self.kept, owner, current, words)

    def rate(self, event: gr.EventData, request: gr.Request) -> None:
        told = event._data
        self.kept.rate(user(request).name, _text(told, "talk"), told["n"], told["good"], told["faults"])


def tab(place: Place) -> None:
    """Build the tab in the page that is being built."""
    on = Events(place)
    with gr.Row(elem_id="ask"):
        with gr.Column(elem_id="side"):
            side = gr.HTML(apply_default_css=False)
            talks = gr.HTML(elem_id="talks", apply_default_css=False)
        with gr.Column(elem_id="main"):
            log = gr.HTML(elem_id="log", apply_default_css=False)
            # A component of its own: while an answer is written, those before it are not sent again.
            live = gr.HTML(elem_id="live", apply_default_css=False)
            hub = gr.HTML(elem_id="form", apply_default_css=False, js_on_load=LISTEN)
    shown, quiet = [log, live, talks], PRIVATE | {"show_progress": "hidden"}
    each = quiet | {"trigger_mode": "multiple"}
    running = hub.ask(on.reply, None, shown, **each)
    hub.stop(on.stop, None, None, **quiet)  # what there is by then is shown at the end
    hub.open(on.open, None, shown, cancels=[running], **each)
    hub.search(on.search, None, talks, trigger_mode="always_last", **quiet)
    hub.rename(on.rename, None, talks, **each)
    hub.delete(on.delete, None, shown, **each)
    hub.rate(on.rate, None, None, **each)
    place.page.load(on.first, None, [side, hub, *shown], **quiet)
