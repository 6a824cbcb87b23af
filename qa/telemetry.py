"""Spans of questions by OpenTelemetry's conventions for generative AI. Where no exporter is set, nothing is done.

A question is a span with one below it for each of its steps. No text of questions, articles or answers is in them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from contextlib import closing
from functools import wraps
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode

from qa.request import AskRequest
from qa.types import Answer, Event

if TYPE_CHECKING:
    from qa.desk import Desk

Told = Callable[["Desk", AskRequest], Generator[Event, None, None]]
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
STEPS = ("rewrite", "retrieve", "rerank", "answer")  # as they follow each other
OPERATIONS = {"retrieve": "retrieval", "answer": "chat"}  # where the conventions have a name


def export() -> None:
    """Send spans by OTLP where the environment says to which address."""
    if not any(map(os.environ.get, ENDPOINTS)):
        return
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = os.environ.get("OTEL_SERVICE_NAME", "copydesk")
    provider = TracerProvider(resource=Resource.create({"service.name": named}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def traced(events: Told) -> Told:
    """Let a question be a span, from its first event to its last."""

    @wraps(events)
    def tell(desk: Desk, request: AskRequest) -> Generator[Event, None, None]:
        begun = time.time_ns()
        known = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "copydesk"}
        span = trace.get_tracer("copydesk").start_span("invoke_agent copydesk", attributes=known)
        try:
            with closing(events(desk, request)) as told:
                for event in told:
                    if isinstance(event, Answer):
                        _steps(span, begun, event)
                    yield event
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise
        finally:
            span.end()

    return tell


def _steps(span: Span, begun: int, answer: Answer) -> None:
    """Give a question's span what its answer tells, and a span for each step, by the answer's timings."""
    model = {"gen_ai.request.model": answer.llm, "gen_ai.provider.name": answer.llm.partition(":")[0]}
    span.set_attributes(model if answer.llm != "quotes" else {})
    span.set_attributes({"copydesk.answered": answer.answered, "copydesk.citations": len(answer.citations)})
    tracer, within = trace.get_tracer("copydesk"), trace.set_span_in_context(span)
    for step in (step for step in STEPS if step in answer.timings_ms):
        operation = OPERATIONS.get(step, "")
        writes = operation == "chat" and answer.llm != "quotes"
        name = f"chat {answer.llm}" if writes else step
        known = model if writes else {}
        known |= {"gen_ai.operation.name": operation} if operation == "retrieval" or writes else {}
        part = tracer.start_span(name, within, attributes=known, start_time=begun)
        begun += int(answer.timings_ms[step] * 1_000_000)
        part.end(begun)
