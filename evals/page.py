"""The page's tab that evaluates: question sets are run on the served desk, one at a time, watched and compared."""

import json
import re
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from statistics import mean
from typing import Any

import gradio as gr
from jinja2 import Template

from evals.metrics import LOSSES, QUOTED_FROM, Scores, over
from evals.questions import Question, questions_of, read_questions
from evals.report import figures
from evals.run import SUMMARY, Row, absent, differences, read_rows, run
from index.sync import silent
from index.types import BadInput, CopydeskError
from qa import kept
from qa.desk import Desk
from qa.doors.show import figure
from qa.locale import DEFAULT, Words, chosen
from qa.page.place import PRIVATE, Place, user
from qa.page.render import pages
from qa.service import Service

SEEDS = Path(__file__).parent.parent / "seeds" / "questions.jsonl"  # where this is a checkout
RATED, FOLDER = "what you rated", "evals"  # in the archive's folder


@cache
def page(words: Words) -> Template:
    """Return the template of the tab in a language."""
    return pages(words).from_string(Path(__file__).with_name("page.html").read_text("utf-8"))


class Runs:
    """The runs of a desk, each kept in a folder of its archive: one at a time, and questions are answered meanwhile.

    `name` is the one that runs, or ran last, `scores` those of its questions that were asked; `said` is how it ended.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk, self.folder = desk, desk.index.folder / FOLDER
        self.stop, self._lock, self._thread = threading.Event(), threading.Lock(), threading.Thread()
        self.name, self.said, self.total, self.scores = "", "", 0, list[Scores]()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def start(self, what: str, questions: Sequence[Question], llm: str) -> None:
        """Begin to ask questions, called `what`, and come back at once. Raises BadInput where a run is going on."""
        words = "-".join(re.findall(r"\w+", f"{Path(what).stem} {llm}"))[:80]
        with self._lock:
            if self.running:
                raise BadInput(f"{self.name} is going on: stop it, or wait for its end")
            self.stop.clear()
            self.name, self.total, self.scores = f"{datetime.now():%Y-%m-%d %H.%M.%S} {words}", len(questions), []
            self.said = absent(self.desk, questions) or ""
            self._thread = threading.Thread(target=self._run, args=(questions, llm), daemon=True)
            self._thread.start()

    def _run(self, questions: Sequence[Question], llm: str) -> None:
        def seen(row: Row) -> None:
            self.scores.append(row["scores"])
            if self.stop.is_set():
                raise CopydeskError(f"stopped after {len(self.scores):,} of {self.total:,} questions")

        try:
            run(self.desk, questions, self.folder / self.name, llm, silent, seen=seen)
        except CopydeskError as error:
            self.said = str(error)

    def shown(
        self, name: str | None, other: str | None, fresh: bool = True, words: Words = DEFAULT
    ) -> list[Any]:  # fmt: skip
        """Return what the tab shows; without `fresh`, while one is going on, only how far it is."""
        partial = figures(over(self.scores, mean)) if self.scores and self.running else []
        status = page(words).render(run=self, partial=partial)
        if self.running and not fresh:
            return [status, *[gr.skip()] * 5]
        name = name if fresh else self.name
        names = sorted((path.name for path in self.folder.glob("*/")), reverse=True)
        name, other = name if name in names else next(iter(names), None), other if other in names else None
        report = self._report(name, other, words) if name else ""
        others = gr.Dropdown(choices=["", *(one for one in names if one != name)], value=other or "")
        runs = gr.Dropdown(choices=names, value=name), others
        return [status, gr.Button(visible=self.running), gr.Timer(active=self.running), *runs, report]

    def _report(self, name: str, other: str | None, words: Words) -> str:
        """Return a run as HTML, beside another where one is named."""
        out, failed, apart, rows = self.folder / name, "", Row(), list[Row]()
        try:
            rows += read_rows(out)
            apart = differences(self.folder / other, out)["metrics"] if other else {}
        except BadInput as error:
            failed = str(error)
        done = json.loads((out / SUMMARY).read_bytes()) if (out / SUMMARY).exists() else {}
        told = figures(done or (over([row["scores"] for row in rows], mean) if rows else {}))
        lost = {step: [row for row in rows if row["loss"] == step] for step in LOSSES}
        known = {"name": name, "other": other, "failed": failed, "done": done, "number": len(rows)}
        return page(words).render(known, told=told, apart=apart, lost=lost, figure=figure, quoted_from=QUOTED_FROM)


def tab(place: Place) -> None:
    """Build the tab in the page that is being built. Where there are users, it is the editors'."""
    service, runs, label = place.service, Runs(place.service.desk), place.label
    with gr.Row(elem_classes="bar filters"):
        sets = gr.Dropdown([], label=label("Questions"), scale=4)
        model = gr.Dropdown([*service.models], label=label("Model"), visible=len(service.models) > 1, scale=2)
        start = gr.Button(label("Run"), elem_classes="strong", scale=0, min_width=90)
        stop = gr.Button(label("Stop"), visible=False, scale=0, min_width=90)
    with gr.Accordion(label("Other questions"), open=False), gr.Column(elem_classes="takes"):
        pick = gr.HTML(apply_default_css=False)
        text = gr.Textbox(label=label("Questions, an object of JSON on each line"), value="", lines=3, max_lines=8)
    status = gr.HTML(elem_classes="view", apply_default_css=False)
    with gr.Row(elem_classes="bar filters"):
        name, other = (
            gr.Dropdown([], label=label("Run"), scale=3),
            gr.Dropdown([], label=label("Compared with"), scale=3),
        )
    report = gr.HTML(elem_classes="view", apply_default_css=False)
    timer = gr.Timer(1.0, active=False)
    state = [status, stop, timer, name, other, report]

    def editors(event: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        def guarded(request: gr.Request, *values: Any) -> list[Any]:
            words = chosen(request)
            try:
                if (who := user(request)).role != "editor":
                    raise BadInput("only editors evaluate: ask one of them")
                return event(who.name, *values, words=words) if event is begin else event(*values, words=words)
            except CopydeskError as error:
                return [page(words).render(notice=str(error)), *[gr.skip()] * 5]

        return guarded

    def begin(owner: str, what: str | None, pasted: str | None, llm: str | None, other: str, words: Words) -> list[Any]:
        if llm and llm not in service.models:
            raise BadInput(f"{llm} is not offered here: use {' or '.join(service.models)}")
        questions = _questions(service, what or "", pasted or "", owner)
        runs.start("dropped" if pasted else what or "", questions, llm or service.models[0])
        return runs.shown(runs.name, other, words=words)

    def end(words: Words) -> list[Any]:
        runs.stop.set()
        return runs.shown(None, None, fresh=False, words=words)

    def opened(request: gr.Request) -> list[Any]:
        asked, who, words = request.query_params, user(request), chosen(request)
        known = [*_sets(service, who.name)] if who.role == "editor" else []
        shown = editors(runs.shown)(request, asked.get("run"), asked.get("with"))
        offered = [(words._("what you rated") if name == RATED else name, name) for name in known]
        return [page(words).render(pick=True), gr.Dropdown(choices=offered, value=next(iter(known), None)), *shown]

    start.click(editors(begin), [sets, text, model, other], state, **PRIVATE)
    stop.click(editors(end), None, state, **PRIVATE)
    gr.on([name.input, other.input], editors(runs.shown), [name, other], state, show_progress="hidden", **PRIVATE)
    look: Any = {"show_progress": "hidden", **PRIVATE}
    timer.tick(editors(partial(runs.shown, fresh=False)), [name, other], state, **look)
    place.page.load(opened, None, [pick, sets, *state], **look)


def _sets(service: Service, owner: str) -> dict[str, Path | None]:
    """Return what can be chosen: question files in the archive's folder, the seeds' own, and what a user rated."""
    files = [*sorted(service.desk.index.folder.glob("*.jsonl")), *[SEEDS] * SEEDS.exists()]
    rated = dict.fromkeys([RATED] * bool(service.kept.rated(owner)))
    return {f"{path.parent.name}/{path.name}": path for path in files} | rated


def _questions(service: Service, what: str, pasted: str, owner: str) -> list[Question]:
    """Return the questions that were dropped or else chosen. Raises BadInput for what is not as specified."""
    if pasted.strip():
        return questions_of(pasted.encode("utf-8", "replace").split(b"\n"), "what was dropped")
    if path := _sets(service, owner).get(what):
        return read_questions(path)
    if what != RATED:
        raise BadInput("choose questions, or drop a file of them")
    return questions_of((json.dumps(row).encode() for row in kept.questions_of(service.kept.rated(owner))), RATED)
