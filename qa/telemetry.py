"""Spans of questions by OpenTelemetry's conventions for generative AI. Where no exporter is set, nothing is done.

A question is a span with one below it for each of its steps. No text of questions, articles or answers is in them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator

from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode

from qa.types import Answer, Event

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
STEPS = ("rewrite", "retrieve", "rerank", "answer")  # as they follow each other


def export() -> None:
    """Send spans by OTLP where the environment says to which address."""
    if not any(map(os.environ.get, ENDPOINTS)):
        return
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    os.environ.setdefault("OTEL_SERVICE_NAME", "copydesk")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def traced(told: Generator[Event, None, None]) -> Generator[Event, None, None]:
    """Let the events of a question be a span, from the first to the last."""
    begun, span = time.time_ns(), trace.get_tracer("copydesk").start_span("invoke_agent copydesk")
    span.set_attributes({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "copydesk"})
    try:
        for event in told:
            if isinstance(event, Answer):
                _steps(span, begun, event)
            yield event
    except Exception as error:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        told.close()
        span.end()


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
        part = trace.get_tracer("copydesk").start_span(name, within, attributes=known, start_time=begun)
        begun += int(answer.timings_ms[step] * 1_000_000)
        part.end(begun)
