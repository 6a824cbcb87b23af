"""What /metrics tells of a service, for Prometheus: how many, how long, and never what was asked or by whom."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response

from qa.service import Outcome, Service

TEXT = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120)


class Metrics:
    """The figures of one service, in a registry of their own."""

    def __init__(self, service: Service) -> None:
        self._registry = own = CollectorRegistry()
        self._questions = Counter("copydesk_questions", "Questions that ended, by outcome", ["outcome"], registry=own)
        self._seconds = Histogram(
            "copydesk_question_seconds", "From a question to the end of its answer", registry=own, buckets=SECONDS
        )
        for name, about, value in (
            ("questions_in_progress", "Questions that are being answered or wait", lambda: len(service.asking)),
            ("articles", "Articles in the archive", lambda: service.desk.index.archive.counts()[0]),
            ("passages", "Passages in the archive", lambda: service.desk.index.archive.counts()[1]),
            ("ingestions", "Ingestions that ended since the service began", lambda: service.desk.ingestions),
        ):
            Gauge(f"copydesk_{name}", about, registry=own).set_function(value)
        service.watchers.append(self._ended)

    def _ended(self, outcome: Outcome, seconds: float) -> None:
        self._questions.labels(outcome).inc()
        if outcome in ("answered", "declined"):
            self._seconds.observe(seconds)

    def response(self) -> Response:
        """Return all figures as they are now."""
        return Response(generate_latest(self._registry), media_type=TEXT)
