"""Ingestion by the workers of a Ray cluster makes the same archive, whoever dies meanwhile."""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import REPOSITORY, SEEDS
from test_telemetry import Receiver, receiver

from index.beyond.cluster import Cluster
from index.encoder import Encoder
from index.ingest import IngestReport, ingest
from index.sync import Index
from index.types import BadInput, Unreachable

__all__ = ["receiver"]  # a fixture
pytestmark = pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="Ray is not there: pip install ray")
NEWSROOM = REPOSITORY / "evals" / "newsroom" / "articles"
REPORT = "The ferry {n} left Orlo on Monday. Its captain, Anna Berg, counted {n} passengers at the lock of Pell.\n\n"


@pytest.fixture(scope="module")
def cluster() -> Any:
    """Two workers of this machine, for the whole file: it takes four seconds to begin."""
    with Cluster("local") as begun:
        yield begun


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Files of several kinds, two of which cannot be read."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for n in range(12):
        (folder / f"{n}.txt").write_text(f"Ferry {n}\n\n{(REPORT.format(n=n)) * 40}")
    shutil.copy(SEEDS / "paris-talks-copy.html", folder)
    rows = [{"id": f"r{n}", "title": f"Row {n}", "text": REPORT.format(n=100 + n)} for n in range(30)]
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in [*rows, {"id": "r99"}, rows[0]]))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    (folder / "empty.txt").write_text("")
    (folder / "table.xls").write_bytes(b"not read")
    return folder


def held(index: Index) -> tuple[list[Any], dict[str, Any]]:
    """Return what an archive holds but for the order in which it came, and its vectors by their keys."""
    rows = index.archive.read("SELECT id, hash, title, root, file, characters FROM articles ORDER BY id")
    rows += index.archive.read("SELECT id, article_id, start, 'end', vector FROM passages ORDER BY id")
    vectors = index.archive.read("SELECT key, vector FROM vectors")
    return rows, {key: np.frombuffer(vector, "<f4") for key, vector in vectors}


def told(report: IngestReport) -> dict[str, Any]:
    kept = ("rejected", "not_used", "skipped", "incomplete")
    return report.counts() | {name: getattr(report, name) for name in kept}


def test_the_archive_is_the_same(tmp_path: Path, mixed: Path, cluster: Cluster) -> None:
    with Index(tmp_path / "here") as here, Index(tmp_path / "there") as there:
        one, other = ingest(here, [mixed]), ingest(there, [mixed], cluster=cluster)
        assert told(one) == told(other)
        assert [rejected.source.rpartition("/")[2] for rejected in other.rejected] == [
            "broken.pdf", "empty.txt", "rows.jsonl, line 31", "rows.jsonl, line 32",
        ]  # fmt: skip
        (rows, vectors), (rows_there, vectors_there) = held(here), held(there)
        assert (rows, vectors.keys()) == (rows_there, vectors_there.keys())
        assert all(np.allclose(vector, vectors_there[key], atol=1e-5) for key, vector in vectors.items())
        assert there.doctor().ok
        again = ingest(there, [mixed], cluster=cluster)
        assert (again.added, again.changed, again.unchanged, again.rejected) == (0, 0, other.added, other.rejected)


def workers() -> list[int]:
    """Return the processes of this one's cluster that do a task now."""
    parents, busy = dict[int, int](), list[int]()
    for process in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError):
            status = Path(f"/proc/{process}/stat").read_text()
            parents[int(process)] = int(status.rpartition(")")[2].split()[1])
            if Path(f"/proc/{process}/cmdline").read_text().startswith("ray::_run"):
                busy.append(int(process))
    return [process for process in busy if parents.get(parents[process]) == os.getpid()]


def test_workers_that_are_killed_lose_and_double_nothing(tmp_path: Path, mixed: Path, cluster: Cluster) -> None:
    killed, done = list[int](), threading.Event()

    def kill() -> None:
        while len(killed) < 3 and not done.wait(1.5):
            for process in workers()[:1]:
                os.kill(process, signal.SIGKILL)
                killed.append(process)

    killer = threading.Thread(target=kill)
    with Index(tmp_path / "archive") as index:
        killer.start()
        report = ingest(index, [mixed, NEWSROOM], cluster=cluster)
        done.set()
        killer.join()
        assert killed
        assert (report.added, len(report.rejected)) == (43 + 104, 4)
        health = index.doctor()  # texts whole, vectors undamaged, both indexes in step
        assert (health.ok, health.articles, health.passages) == (True, 43 + 104, report.passages)


def test_what_no_worker_finishes_is_left_to_who_asked(cluster: Cluster) -> None:
    assert [*cluster.map(os._exit, [1], 1)] == [(1, None)]
    assert sorted(cluster.map(abs, [-1, -2, -3], 1)) == [(-3, 3), (-2, 2), (-1, 1)]
    assert [*cluster.map(abs, [-1, -2, -3], 1, ordered=True)] == [(-1, 1), (-2, 2), (-3, 3)]
    with pytest.raises(Unreachable, match=r"^a worker of local fails \(invalid literal .*'one'\): install copydesk"):
        [*cluster.map(int, ["one"], 1)]


def test_an_encoder_that_workers_cannot_load_is_refused(tmp_path: Path, encoder: Encoder, cluster: Cluster) -> None:
    class Own:
        name = encoder.name
        encode_document = encoder.encode_document

    with (
        Index(tmp_path, Own()) as index,  # type: ignore[arg-type]
        pytest.raises(BadInput, match=r"^workers cannot load the encoder .*: give one by its name$"),
    ):
        ingest(index, [SEEDS], cluster=cluster)


@pytest.mark.parametrize("address", ["{silent}", "ray://{silent}"])
def test_where_no_cluster_is_one_line_says_so(address: str) -> None:
    """A port at which another program listens makes Ray itself wait for minutes, and end the process."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = address.format(silent=f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(Unreachable, match=rf"^no Ray cluster can be used at {address} \(.*\): start one \(ray .*"):
            Cluster(address)


def test_the_command_prints_what_it_does_without_and_workers_spans_are_its_own(
    tmp_path: Path, receiver: Receiver
) -> None:
    """Ray itself would print on the standard output."""
    words = ["--data", str(tmp_path / "archive"), "--json", "ingest", str(SEEDS), "--ray"]
    command = [sys.executable, "-m", "qa", *words]
    done = subprocess.run([*command, "local"], cwd=REPOSITORY, capture_output=True, text=True)
    assert (done.returncode, json.loads(done.stdout)["added"], done.stderr) == (0, 6, "")
    name_of = {span.span_id: span.name for span in receiver.spans}
    parents = {span.name: name_of.get(span.parent_span_id) for span in receiver.spans}
    assert {name: parents[name] for name in ("split", "encode", "store")} == dict.fromkeys(
        ("split", "encode", "store"), "ingest"
    )
    done = subprocess.run([*command, "nowhere"], cwd=REPOSITORY, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    words[1] = str(tmp_path / "new")
    done = subprocess.run([sys.executable, "-m", "qa", *words, "127.0.0.1:1"], cwd=REPOSITORY, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert not (tmp_path / "new").exists()
