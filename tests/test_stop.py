"""Ending when told to: by SIGTERM and Ctrl-C, soon, with nothing announced, and at once when told twice."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from conftest import LONG, REPOSITORY

from index.encoder import Encoder
from index.ingest import ingest
from index.lock import ArchiveLock
from index.sync import Index

SECONDS = 3.0
STATUS = {signal.SIGTERM: 143, signal.SIGINT: 130}
FEW = [*STATUS] if os.environ.get("COPYDESK_TORTURE") else [signal.SIGTERM]
STOPPED = "copydesk: stopped; what was written stays, run it again to go on\n"


@pytest.fixture
def archive(tmp_path: Path, encoder: Encoder) -> Path:
    (tmp_path / "storm.txt").write_text("A storm broke the pier of Kelmouth on Monday. The mayor closed the harbour.")
    rows = [{"id": str(n), "text": f"Report {n} of Kelmouth tells of grain and of ships. " * 30} for n in range(3000)]
    (tmp_path / "many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = [{"id": str(n), "question": f"What broke the pier of Kelmouth {n} times?"} for n in range(3000)]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    with Index(tmp_path / "archive", encoder) as index:
        ingest(index, [tmp_path / "storm.txt"])
    return tmp_path / "archive"


@contextmanager
def started(archive: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command, and wait until it has the archive."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "qa", "--data", str(archive), *words]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=REPOSITORY) as process:
        try:
            while not (archive / "owner.json").exists():
                assert process.poll() is None, process.communicate()
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


def free(archive: Path) -> None:
    assert not (archive / "owner.json").exists()
    ArchiveLock(archive).release()


@pytest.mark.parametrize("signum", FEW)
@pytest.mark.parametrize("command", ["ingest", "eval", "mcp"])
def test_a_command_ends_soon_and_leaves_nothing(archive: Path, command: str, signum: signal.Signals) -> None:
    files = archive.parent
    words = {
        "ingest": ("ingest", str(files / "many.jsonl"), "--json"), "mcp": ("mcp",),
        "eval": ("eval", str(files / "questions.jsonl"), "--out", str(files / "out"), "--json"),
    }[command]  # fmt: skip
    with started(archive, *words) as process:
        time.sleep(2)
        process.send_signal(signum)
        begun = time.perf_counter()
        if command == "mcp":  # whose client keeps its end open
            process.wait(30)
        _, said = process.communicate()
        assert time.perf_counter() - begun < SECONDS
        assert process.returncode == STATUS[signum]
        assert said in (STOPPED, "")
    free(archive)


@pytest.mark.parametrize("signum", FEW)
def test_a_service_ends_soon_and_so_do_its_streams(archive: Path, signum: signal.Signals) -> None:
    with started(archive, "serve", "--port", "0") as process:
        assert process.stdout is not None
        address = process.stdout.readline().split(" at ")[1].split()[0]
        assert json.loads((archive / "owner.json").read_text())["address"] == address
        told = list[int]()

        def listen() -> None:
            asked = {"text": " ".join(f"The pier of Kelmouth broke {n} times." for n in range(5000))}
            with suppress(httpx.HTTPError):  # or it is cut off
                told.append(httpx.post(f"{address}/api/check", json=asked, timeout=60).status_code)

        listener = threading.Thread(target=listen)
        listener.start()
        time.sleep(2)
        process.send_signal(signum)
        begun = time.perf_counter()
        _, said = process.communicate()
        assert time.perf_counter() - begun < SECONDS
        listener.join()
        assert told in ([], [503])
        assert process.returncode == {signal.SIGTERM: 143, signal.SIGINT: 0}[signum]
        assert said in (STOPPED if signum == signal.SIGTERM else "", "")
    free(archive)


def test_ctrl_c_while_a_command_is_imported() -> None:
    command = [sys.executable, "-v", "-m", "qa", "articles", "list"]  # -v tells what is imported
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("import 'index.types'"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "copydesk: stopped\n" in said
    assert "Traceback" not in said


@LONG
@pytest.mark.torture
def test_a_second_signal_ends_at_once(archive: Path) -> None:
    with started(archive, "serve", "--port", "0") as process:
        assert process.stdout is not None
        host, port = process.stdout.readline().split(" at http://")[1].split()[0].split(":")
        with socket.create_connection((host, int(port))) as visitor:  # whose request is never complete
            visitor.sendall(b"POST /api/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n")
            time.sleep(1)
            process.terminate()
            time.sleep(0.2)
            process.terminate()
            begun = time.perf_counter()
            assert process.wait(10) == 143
            assert time.perf_counter() - begun < 0.7  # a shut-down in order waits for a second
    free(archive)
