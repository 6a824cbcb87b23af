"""Spans by OpenTelemetry: how long each step takes, with numbers. Where no exporter is set, nothing is done.

No text of questions, articles or answers is in them, nor of errors, which may quote one.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.trace import Span, StatusCode

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
SPANS = trace.get_tracer("copydesk")


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


@contextmanager
def step(name: str, **counts: int) -> Iterator[None]:
    """Let a block be a span below the one it is in, with these numbers."""
    with SPANS.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
        count(**counts)
        try:
            yield
        except Exception as error:  # whatever it is: it is noted, and raised on
            fail(span, error)
            raise


def count(**counts: int) -> None:
    """Give the span that this is in numbers."""
    trace.get_current_span().set_attributes({f"copydesk.{name}": number for name, number in counts.items()})


def fail(span: Span, error: Exception) -> None:
    """Give a span the kind of error that it ended with."""
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(StatusCode.ERROR)


def carry(request: Any) -> None:
    """Tell who gets an HTTP request of httpx in which span it is made: a hook of its clients."""
    propagate.inject(request.headers)


def carrier() -> dict[str, str]:
    """Return what tells another process in which span something is done."""
    propagate.inject(headers := dict[str, str]())
    return headers


def carried(headers: Mapping[str, str]) -> None:
    """Let what a thread does from now on be below the span that these headers tell of, if any."""
    context.attach(propagate.extract(headers))


def flush() -> None:
    """Send what was gathered: this process may end at any moment."""
    getattr(trace.get_tracer_provider(), "force_flush", bool)()
