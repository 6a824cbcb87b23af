"""Spans of questions by OpenTelemetry's conventions for generative AI. Where no exporter is set, nothing is done.

A question is a span with one below it for each of its steps. No text of questions, articles or answers is in them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace import Span

from index.health.spans import SPANS, fail
from qa.types import Answer, Event

STEPS = ("rewrite", "retrieve", "rerank", "answer")  # as they follow each other


class Turns(threading.Semaphore):
    """Who search, read or check at a time, in the order in which they came, and which threads wait.

    One has the processor while the other waits for indexes, and of many who ask at once each gets its first words
    before the first one's sentences are checked.
    """

    most = 2

    def __init__(self) -> None:
        super().__init__(self.most)
        self.waiting = set[int]()

    def __enter__(self, *given: Any) -> bool:
        self.waiting.add(threading.get_ident())
        try:
            return self.acquire(*given)
        finally:
            self.waiting.discard(threading.get_ident())


def traced(told: Generator[Event, None, None]) -> Generator[Event, None, None]:
    """Let the events of a question be a span, from the first to the last."""
    begun, span = time.time_ns(), SPANS.start_span("invoke_agent copydesk")
    span.set_attributes({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "copydesk"})
    try:
        for event in _within(span, told):
            if isinstance(event, Answer):
                _steps(span, begun, event)
            yield event
    except Exception as error:  # whatever it is: it is noted, and raised on
        fail(span, error)
        raise
    finally:
        told.close()
        span.end()


def _within(span: Span, told: Generator[Event, None, None]) -> Generator[Event, None, None]:
    """Yield events, each of which is made within a span: a thread may have others between two of them."""
    within = trace.set_span_in_context(span)
    while True:
        before = context.attach(within)
        try:
            event = next(told, None)
        finally:
            context.detach(before)
        if event is None:
            return
        yield event


def _steps(span: Span, begun: int, answer: Answer) -> None:
    """Give a question's span what its answer tells, and a span for each step, by the answer's timings."""
    model = {"gen_ai.request.model": answer.llm, "gen_ai.provider.name": answer.llm.partition(":")[0]}
    span.set_attributes(model if answer.llm != "quotes" else {})
    span.set_attribute("copydesk.answered", answer.answered)
    for step in (step for step in STEPS if step in answer.timings_ms):
        writes = step == "answer" and answer.llm != "quotes"
        name = f"chat {answer.llm}" if writes else step
        known = {"gen_ai.operation.name": "chat"} | model if writes else {}
        known |= {"gen_ai.operation.name": "retrieval"} if step == "retrieve" else {}
        within = trace.set_span_in_context(span)
        part = SPANS.start_span(name, within, attributes=known, start_time=begun)
        begun += int(answer.timings_ms[step] * 1_000_000)
        part.end(begun)
