"""The path of a question, from what was asked to the finished answer."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import fields
from datetime import date
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from index.search import search
from index.text.terms import content_terms
from qa.languages import quotes as languages
from qa.llm.compose import compose
from qa.llm.prompt import QUESTION_TOKENS
from qa.request import AskRequest, TimelineRequest
from qa.steps import quotes
from qa.steps.choose import choose
from qa.steps.converse import points, rewrite
from qa.steps.evidence import Evidence, Writer, leads, read, tied
from qa.steps.rank import collapse, rerank
from qa.steps.sources import beside
from qa.steps.timeline import asks, tell, timeline
from qa.steps.understand import EARLIER, covered, decline, read_from, topic, understand
from qa.telemetry import traced
from qa.types import Answer, Citation, Event, Outcome, Piece, Refusal, Sentence, Withdrawn

if TYPE_CHECKING:
    from qa.desk import Desk

# A model is asked where the desk is at least this sure: the words of a question off the subject are rarely all there.
ASK_FROM = 0.05
EVENTS = 8  # told where a question asks what happened


def events(desk: Desk, request: AskRequest) -> Generator[Event, None, None]:
    """Yield and raise what `Desk.events` does."""
    return traced(_path(desk, request))


def _path(desk: Desk, request: AskRequest) -> Generator[Event, None, None]:
    clock = {"": time.perf_counter()}  # when each step was done
    model = desk.model(request.llm, request.llm_url)
    declined = decline(request.question, desk.index.encoder.name)
    evidence, choice = Evidence(request.question, [], [], 0.0), None
    told: list[Piece] = []
    if not declined:
        ask = model and (lambda said: model.write(said, QUESTION_TOKENS))
        readings = [rewrite(request.question, request.turns, ask), request.question]
        if request.turns:
            clock["rewrite"] = time.perf_counter()
        with desk.reading():
            evidence, choice = _found(desk, request, readings[: 1 if points(request.question) else 2], clock)
    write: Writer = quotes.write
    if model and evidence.confidence >= ASK_FROM:
        write = partial(compose, model, desk.verify, desk.strict if request.strict is None else request.strict)
    elif not declined and asks(request.question):
        with desk.reading():
            happened = timeline(desk.index, _as_timeline(request, evidence.question), desk.outlets())
        write = partial(tell, happened) if happened.events else write
    outcome = yield from _kept(quotes.refuse(*declined) if declined else write(evidence), told)
    said = [piece for piece in told if isinstance(piece, Sentence)]
    cited = [piece for piece in told if isinstance(piece, Citation)]
    with desk.reading():
        around = beside(evidence, said, cited, partial(desk.index.ties, as_of=request.filters.as_of))
    yield from around.citations[len(cited) :]
    clock["answer"] = time.perf_counter()
    laps = {step: round((end - start) * 1000, 1) for (_, start), (step, end) in pairwise(clock.items())}
    yield Answer(
        request.question,
        outcome.refusal is None,
        "".join(piece for piece in told if isinstance(piece, str)).strip(),
        around.sentences,
        around.citations,
        Refusal(outcome.refusal, quotes.closest(evidence)) if outcome.refusal else None,
        tuple(evidence.hits[: request.top]),
        model.name if model else "quotes",
        evidence.confidence,
        choice,
        evidence.question if evidence.question != request.question else None,
        outcome.invented_markers,
        outcome.broken,
        laps | outcome.timings_ms,
        around.earlier,
        around.conflicts,
        dict(evidence.understood),
        request.filters.as_of,
    )


def _as_timeline(request: AskRequest, question: str) -> TimelineRequest:
    given = {field.name: getattr(request, field.name) for field in fields(TimelineRequest)}
    return TimelineRequest(**given | {"question": question, "top": EVENTS})


def _found(
    desk: Desk, request: AskRequest, readings: Sequence[str], clock: dict[str, float]
) -> tuple[Evidence, str | None]:
    """Return what there is to answer from, and the choice: of the reading whose article has most of its words."""
    found: list[tuple[Evidence, str | None]] = []
    for question in dict.fromkeys(readings):
        # "And turnout?" asks for what is said of it, with what was carried, too.
        about = topic(request.question if question.startswith(request.question.rstrip(" ?.!")) else question)
        query = understand(question, request, desk.outlets())
        first = bool(EARLIER.search(question)) and not query.parts
        dated = query.days or query.outlets or query.parts or first
        latest = None if dated else query.present or date.max
        hits = collapse(search(desk.index, query), newest=not query.days)
        clock["retrieve"] = time.perf_counter()
        look = partial(search, desk.index)
        choice = choose(desk.reranker, query, request.choices, hits, look) if request.choices else None
        ties = partial(desk.index.ties, as_of=request.filters.as_of)
        foreign = languages.read(desk.many, desk.index.encoder, query, hits) if desk.many else []
        candidates = tied(read(desk.reranker, query, hits) if languages.english(query) else [], ties)
        hits = rerank(query, hits, [*candidates, *foreign])
        candidates = (leads(about, hits) if about else []) or candidates
        clock["rerank"] = time.perf_counter()
        rarity = desk.index.lexical.rarity(content_terms(question))
        sure = quotes.confidence(candidates, rarity, request.day)
        own = Evidence(question, hits, candidates, sure, latest, query.parts, first, read_from(query))
        found.append((languages.better(own, query, foreign, ties), choice))

    firsts = [max(e.candidates, key=lambda c: c.logit).article if e.candidates else None for e, _ in found]

    def held(n: int) -> tuple[float, bool]:
        text = f"{article.title} {article.text}" if (article := firsts[n]) else ""
        return covered(request.question, text)[0], quotes.sure(found[n][0])

    best = max(range(len(found)), key=held)
    if len(set(firsts)) == len(found) or held(-1) < held(0):
        return found[best]
    # Where both find the same article, what was carried is not needed to find it, only to leave others out.
    (whole, _), (bare, choice) = found[0], found[-1]
    named = {c.article: covered(whole.question, f"{c.article.title} {c.article.text}")[1] for c in bare.candidates}
    kept = [c for c in bare.candidates if not firsts[0] or named[c.article] >= named[firsts[0]]]
    return bare._replace(candidates=kept), choice


def _kept(pieces: Generator[Piece, None, Outcome], told: list[Piece]) -> Generator[Piece, None, Outcome]:
    """Pass pieces on and keep them; return what their writer returns."""
    try:
        while True:
            told.append(next(pieces))
            yield told[-1]
            if isinstance(told[-1], Withdrawn):
                told.clear()
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    finally:
        pieces.close()
