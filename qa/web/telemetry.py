"""What /metrics tells of a service, for Prometheus: how many, how long, and never what was asked or by whom."""

from collections.abc import Iterator
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from index.tables import lag
from index.types import CopydeskError
from qa.service import Outcome, Service
from qa.telemetry import STEPS
from qa.types import Answer, RefusalReason, Support

TEXT = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120)
STEP_SECONDS = (0.005, 0.01, 0.02, *SECONDS)


class Metrics(Collector):
    """The figures of one service, in a registry of their own: some are counted as they come, others read when asked."""

    def __init__(self, service: Service) -> None:
        self._service, self._registry = service, (own := CollectorRegistry())
        self._questions = Counter("copydesk_questions", "Questions that ended, by outcome", ["outcome"], registry=own)
        self._seconds = Histogram(
            "copydesk_question_seconds", "From a question to the end of its answer", registry=own, buckets=SECONDS
        )
        self._steps = Histogram(
            "copydesk_step_seconds", "Of a question that ended", ["step"], registry=own, buckets=STEP_SECONDS
        )
        self._refusals = Counter("copydesk_refusals", "Questions not answered, by reason", ["reason"], registry=own)
        self._sentences = Counter("copydesk_sentences", "Sentences of answers, by support", ["support"], registry=own)
        kinds = {self._questions: get_args(Outcome), self._refusals: get_args(RefusalReason)}
        for counted, labels in (kinds | {self._sentences: get_args(Support), self._steps: STEPS}).items():
            for label in labels:
                counted.labels(label)  # 0 is told from the beginning: Prometheus sees no rise from nothing
        ProcessCollector(registry=own)
        own.register(self)
        service.watchers.append(self._ended)

    def _ended(self, outcome: Outcome, seconds: float, answer: Answer | None) -> None:
        self._questions.labels(outcome).inc()
        if answer is None:
            return
        self._seconds.observe(seconds)
        for step in (step for step in STEPS if step in answer.timings_ms):
            self._steps.labels(step).observe(answer.timings_ms[step] / 1000)
        if answer.refusal:
            self._refusals.labels(answer.refusal.reason).inc()
        for sentence in answer.sentences:
            self._sentences.labels(sentence.support).inc()

    def collect(self) -> Iterator[Metric]:
        """Yield what the archive and the desk have now."""
        desk, archive = self._service.desk, self._service.desk.index.archive
        try:
            (articles, passages), failing, late, up = archive.counts(), desk.sources.failing(), lag(archive), 1
            waiting = archive.waiting()
        except CopydeskError:  # its database is away, and who looks must see it
            (articles, passages), failing, late, up, waiting = (0, 0), 0, {}, 0, 0
        held = (
            ("articles", "Articles in the archive", articles),
            ("passages", "Passages in the archive", passages),
            ("passages_waiting", "Passages found by words alone until they are encoded", waiting),
            ("sources_failing", "Watched sources whose last look failed", failing),
        )
        for name, about, value in (
            ("archive_up", "1 where the archive can be read, 0 where its database is away", up),
            ("questions_in_progress", "Questions that are being answered or wait", len(self._service.asking)),
            ("questions_waiting", "Who waits for a turn to search, read or check", len(desk.turns.waiting)),
            *held[: len(held) * up],
            ("ingestions", "Ingestions that ended since the service began", desk.ingested["ingestions"]),
        ):
            yield GaugeMetricFamily(f"copydesk_{name}", about, value)
        yield _family(GaugeMetricFamily, "index_lag", "Changes that it has not applied yet", "index", late)
        became = {name: desk.ingested[name] for name in ("added", "changed", "unchanged", "removed", "rejected")}
        yield _family(
            CounterMetricFamily,
            "ingested_articles",
            "Articles that were read, by what became of them",
            "result",
            became,
        )
        yield CounterMetricFamily("copydesk_ingested_passages", "Passages that were written", desk.ingested["passages"])

    def response(self) -> Response:
        """Return all figures as they are now."""
        return Response(generate_latest(self._registry), media_type=TEXT)


def _family(
    kind: type[GaugeMetricFamily | CounterMetricFamily], name: str, about: str, label: str, values: dict[str, int]
) -> Metric:
    family = kind(f"copydesk_{name}", about, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
