"""What is told to those who keep an archive running: spans by OTLP, figures for Prometheus, and who asks for these."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from conftest import REPOSITORY, SEEDS, serving
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families
from test_remote import Handler, vectors

from qa import Desk

QUESTION = "On what date did Ukraine accept a complete ceasefire in Jeddah?"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@dataclass
class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes spans by OTLP, as a collector does."""

    spans: list[Any] = field(default_factory=list)

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.spans += [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    server, receiver = grpc.server(futures.ThreadPoolExecutor(2)), Receiver()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(receiver, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    yield receiver
    server.stop(None)


class Noting(Handler):
    """An embeddings server that notes in which span it was asked."""

    def do_POST(self) -> None:  # noqa: N802
        self.server.spans.append(self.headers["traceparent"])
        super().do_POST()


@pytest.fixture
def encoding(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Noting) as server:
        server.asked, server.reply, server.spans = [], vectors, []
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        yield server.spans
        server.shutdown()


def counts(span: Any) -> dict[str, int]:
    return {one.key.removeprefix("copydesk."): one.value.int_value for one in span.attributes}


def test_an_ingestion_is_a_span_with_its_steps(receiver: Receiver, encoding: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The bridge at Orvik opened on Monday.\n\nBoats wait.")
    (tmp_path / "b.txt").write_text("")
    command = ["--data", str(tmp_path / "archive"), "--encoder", "openai:letters", "ingest", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "qa", *command], cwd=REPOSITORY, env=os.environ, timeout=120)
    assert done.returncode == 1
    spans = {span.name: span for span in receiver.spans}
    assert len(spans) == len(receiver.spans)
    name_of = {span.span_id: span.name for span in receiver.spans}
    assert {span.name: name_of.get(span.parent_span_id) for span in receiver.spans} == {
        "ingest": None, "read": "ingest", "split": "ingest", "encode": "ingest", "store": "ingest", "write": "store",
        "index": "store",
    }  # fmt: skip
    assert counts(spans["ingest"]) == {
        "added": 1, "changed": 0, "unchanged": 0, "removed": 0, "rejected": 1, "passages": 1,
    }  # fmt: skip
    assert counts(spans["split"]) == {"articles": 1, "passages": 1}
    assert counts(spans["encode"]) == {"texts": 1}
    # The server of embeddings is told in which span it is asked.
    [told] = encoding
    assert told.split("-")[1:3] == [spans["encode"].trace_id.hex(), spans["encode"].span_id.hex()]
    assert b"Orvik" not in b"".join(span.SerializeToString() for span in receiver.spans)


def test_a_question_is_below_the_span_of_who_asks(
    receiver: Receiver, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ingest([SEEDS])
    desk.close()
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    with serving(desk.index.folder) as address:
        asked = {"json": {"question": QUESTION}, "headers": {"traceparent": f"00-{TRACE}-{PARENT}-01"}}
        assert httpx.post(f"{address}/api/ask", timeout=60, **asked).json()["answered"]
        assert httpx.get(f"{address}/api/articles?q=Jeddah").json()["total"]
    [*steps, whole] = [span for span in receiver.spans if span.trace_id.hex() == TRACE]
    assert (whole.name, whole.parent_span_id.hex()) == ("invoke_agent copydesk", PARENT)
    assert [(step.name, step.parent_span_id) for step in steps] == [
        (name, whole.span_id) for name in ("retrieve", "rerank", "answer")
    ]
    assert b"Jeddah" not in b"".join(span.SerializeToString() for span in receiver.spans)


def figures(address: str) -> dict[tuple[str, ...], float]:
    """Return what /metrics tells, by name and labels."""
    told = httpx.get(f"{address}/metrics").text
    samples = [sample for family in text_string_to_metric_families(told) for sample in family.samples]
    return {(sample.name.removeprefix("copydesk_"), *sample.labels.values()): sample.value for sample in samples}


def test_the_figures_of_questions_and_articles(own: Desk, address: str, tmp_path: Path) -> None:
    own.index.archive.derive(["a third index"])  # which applies nothing
    before = figures(address)
    assert before["refusals_total", "no_evidence"] == before["index_lag", "dense"] == 0
    asked = [QUESTION, "What is the recipe of the sauce?"]
    answers = [httpx.post(f"{address}/api/ask", json={"question": one}, timeout=60).json() for one in asked]
    (tmp_path / "more.json").write_text(json.dumps([{"id": "o", "text": "The bridge at Orvik opened."}, {"id": "p"}]))
    own.ingest([tmp_path])
    now = figures(address)
    rose = {key: now[key] - before[key] for key in before if now[key] != before[key]}
    held = [sentence["support"] for one in answers for sentence in one["sentences"]]
    assert rose["questions_total", "answered"] == rose["questions_total", "declined"] == 1
    assert rose["refusals_total", answers[1]["refusal"]["reason"]] == 1
    assert rose["sentences_total", "verbatim"] == held.count("verbatim") > 0
    assert all(rose["step_seconds_count", step] == 2 for step in ("retrieve", "rerank", "answer"))
    assert rose["ingested_articles_total", "added"] == rose["ingested_articles_total", "rejected"] == 1
    assert rose["ingested_passages_total",] == rose["passages",] == rose["articles",] == rose["ingestions",] == 1
    assert rose["index_lag", "a third index"] == 1
    assert now["index_lag", "dense"] == now["index_lag", "lexical"] == now["index_lag", "copies"] == 0


def test_who_waits_for_a_turn_is_counted(own: Desk, address: str) -> None:
    with own.reading(), own.reading():
        late = threading.Thread(target=own.search, args=[QUESTION])
        late.start()
        while not own.turns.waiting:
            late.join(0.01)
        assert figures(address)["questions_waiting",] == 1
    late.join()
    assert figures(address)["questions_waiting",] == 0


def test_sources_that_fail_are_counted(own: Desk, address: str) -> None:
    for name in ("feed", "page"):
        own.sources.add(f"https://news.example/{name}")
    assert figures(address)["sources_failing",] == 0
    source = own.sources.get("https://news.example/feed")
    assert source
    source.failures = 2
    own.sources.note(source)
    assert figures(address)["sources_failing",] == 1


def test_what_is_shown_and_warned_of_is_told(address: str) -> None:
    told = {name if name.startswith("process") else f"copydesk_{name}" for name, *_ in figures(address)}
    dashboard = json.loads((REPOSITORY / "docs/dashboard.json").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = {name for text in shown for name in re.findall(r"\b(?:copydesk|process)_\w+", text)}
    assert asked <= told
    assert all(text.count("{job=~") == len(re.findall(r"\b(?:copydesk|process)_", text)) for text in shown)
    rules = (REPOSITORY / "docs/alerts.yaml").read_text()
    assert set(re.findall(r"\bcopydesk_\w+", rules)) <= told
    # What is told is shown, but for what Prometheus' client adds.
    added = re.compile(r"_(created|sum|count)$|^process_")
    assert {name for name in told if not added.search(name)} <= asked
