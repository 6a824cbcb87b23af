"""The dense index in a Chroma server finds what the embedded one does; a server may end, return, or lose its disk."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import chromadb
import httpx
import numpy as np
import pytest
import test_alongside
import test_index
from conftest import REPOSITORY, SEEDS, serving
from starlette.testclient import TestClient
from test_alongside import ROWS
from test_index import found, write
from test_telemetry import figures

from index.alongside.readonly import ReadOnlyIndex
from index.beyond.served import ServedIndex, place
from index.encoder import MULTILINGUAL, Encoder
from index.encoder.reencode import reencode
from index.health.backup import backup, restore
from index.ingest import ingest
from index.scan import Scan
from index.sync import Index, silent
from index.types import BadInput, Unreachable
from qa import Desk
from qa.doors.cli import main
from qa.rerank import Reranker
from qa.web.app import build_app


class Server:
    """Chroma's own server on a free port, `chroma run`, that is killed and started again."""

    def __init__(self, disk: Path) -> None:
        self.disk = disk
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [Path(sys.executable).with_name("chroma"), "run", "--path", self.disk, "--port", str(self.port)]
        self.process = subprocess.Popen([*command, "--host", "127.0.0.1"], stdout=subprocess.DEVNULL)
        for _ in range(600):
            try:
                httpx.get(f"{self.address}/api/v2/heartbeat")
                return
            except httpx.TransportError:
                assert self.process.poll() is None
                time.sleep(0.1)
        raise AssertionError("chroma run does not answer")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @property
    def client(self) -> chromadb.api.ClientAPI:
        return chromadb.HttpClient("127.0.0.1", self.port)

    def names(self) -> list[str]:
        return sorted(collection.name for collection in self.client.list_collections())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of many archives, which is there all the time."""
    server = Server(tmp_path_factory.mktemp("chroma"))
    yield server
    server.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of one test's own."""
    server = Server(tmp_path / "chroma")
    yield server
    server.kill()


@pytest.fixture
def index(tmp_path: Path, encoder: Encoder, shared: Server) -> Iterator[Index]:
    with Index(tmp_path / "archive", encoder, vectors=shared.address) as opened:
        yield opened
        assert isinstance(opened.dense, ServedIndex)
        assert opened.doctor().ok


@pytest.fixture
def folder(tmp_path: Path, encoder: Encoder, shared: Server) -> Path:
    """An archive of three articles whose vectors are served; nobody has it open."""
    with Index(tmp_path / "archive", encoder, vectors=shared.address) as index:
        ingest(index, [write(tmp_path / "in", ROWS)])  # type: ignore[arg-type]
    return tmp_path / "archive"


# The tests of the embedded index, which pytest finds here too: their `index` is this file's.
test_counts = test_index.test_ingest_counts_and_search_finds
test_filters = test_index.test_filters_hold_in_both_indexes
test_scores = test_index.test_scores_are_cosines_and_bm25
test_versions = test_index.test_changed_articles_become_new_versions
test_prune = test_index.test_prune_removes_what_the_source_no_longer_holds
test_removal = test_index.test_removed_articles_leave_nothing_behind


def test_who_writes_and_who_reads_find_the_same(folder: Path, encoder: Encoder) -> None:
    test_alongside.test_what_is_found_by_vectors(folder, encoder, Index, ServedIndex)
    test_alongside.test_what_is_found_by_vectors(folder, encoder, ReadOnlyIndex, ServedIndex)
    with Index(folder, encoder) as index, ReadOnlyIndex(folder, encoder) as beside:
        assert isinstance(beside.dense, ServedIndex)
        index._rebuild("dense")
        assert isinstance(beside.dense, ServedIndex)
        index.archive.set_meta("opened", "x y")  # by which the collection is another archive's
    with ReadOnlyIndex(folder, encoder) as beside:
        assert isinstance(beside.dense, Scan)


def ask(address: str) -> httpx.Response:
    return httpx.post(f"{address}/api/ask", json={"question": "Where did hail fall?"}, timeout=60)


def test_a_server_ends_and_returns_while_the_archive_is_served(server: Server, tmp_path: Path) -> None:
    archive, files = tmp_path / "archive", write(tmp_path / "in", ROWS)  # type: ignore[arg-type]
    assert main(["--data", str(archive), "--vectors", server.address, "ingest", str(files)]) == 0
    late = {"articles": ("late.txt", "Thunder rolled over Brenzlau late on Monday.")}
    with serving(archive) as address:
        assert "Hail fell on Orsk." in ask(address).json()["text"]
        server.kill()
        for _ in range(2):
            refused = ask(address)
            assert refused.status_code == 503
            assert refused.json()["detail"].startswith(f"no Chroma server answers at {server.address}, which has the ")
        assert httpx.get(f"{address}/api/articles").json()["total"] == 3
        added = httpx.post(f"{address}/api/articles", files=late, timeout=60)
        assert (added.status_code, added.json()["added"]) == (202, 1)
        assert added.json()["late"].startswith(f"no Chroma server answers at {server.address}")
        assert figures(address)["ingested_articles_total", "added"] == 1
        away = httpx.get(f"{address}/healthz")
        assert (away.status_code, away.json()["ok"], away.json()["articles"]) == (503, False, 4)
        assert away.json()["vectors"].startswith(f"no Chroma server answers at {server.address}")
        server.start()
        assert httpx.get(f"{address}/healthz").json() == {"ok": True, "articles": 4, "passages": 4}
        assert "Hail fell on Orsk." in ask(address).json()["text"]
        hits = httpx.post(f"{address}/api/search", json={"question": "thunder"}, timeout=60).json()["hits"]
        assert hits[0]["text"].startswith("Thunder rolled")
        server.kill()
        shutil.rmtree(server.disk)
        server.start()
        assert [ask(address).status_code for _ in range(2)][-1] == 200
        [name] = server.names()
        assert server.client.get_collection(name).count() == 4
        server.kill()
    with serving(archive) as address:  # begun without it
        assert ask(address).status_code == 503
        server.start()
        assert "Hail fell on Orsk." in ask(address).json()["text"]


def test_balancers_are_told_without_a_token(
    server: Server, tmp_path: Path, encoder: Encoder, reranker: Reranker
) -> None:
    with Desk(tmp_path / "archive", encoder, reranker, vectors=server.address) as desk:
        browser = TestClient(build_app(desk, token="open sesame"), base_url="http://127.0.0.1")

        def told() -> list[tuple[int, dict[str, str]]]:
            return [(said.status_code, said.json()) for said in map(browser.get, ("/readyz", "/livez"))]

        assert told() == [(200, {"status": "ok"})] * 2
        assert browser.get("/healthz").status_code == 401
        server.process.send_signal(signal.SIGSTOP)  # connections are taken, and nothing is said
        started = time.monotonic()
        assert told() == [(503, {"status": "degraded"}), (200, {"status": "ok"})]
        known = browser.get("/healthz", headers={"Authorization": "Bearer open sesame"})
        assert known.json()["vectors"].startswith(f"no Chroma server answers at {server.address}")
        assert time.monotonic() - started < 4
        server.process.send_signal(signal.SIGCONT)
        assert told()[0][0] == 200


def test_what_was_written_while_it_was_away_is_put_there(
    server: Server, tmp_path: Path, encoder: Encoder, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, files = tmp_path / "archive", write(tmp_path / "in", ROWS[:2])  # type: ignore[arg-type]
    with Index(archive, encoder, vectors=server.address) as index:
        ingest(index, [files])
    server.kill()
    write(files, ROWS)  # type: ignore[arg-type]
    assert main(["--data", str(archive), "ingest", str(files)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"copydesk: no Chroma server answers at {server.address}")
    assert said.endswith(
        "what was written stays: the server gets its vectors with the next question, or run it again\n"
    )
    assert said.count("\n") == 1
    assert main(["--data", str(archive), "--json", "ingest", str(files)]) == 2  # nothing is new, and it is away still
    report = json.loads(capsys.readouterr().out)
    assert (report["unchanged"], report["late"]) == (3, said.removeprefix("copydesk: ").strip())
    assert main(["--data", str(archive), "doctor"]) == 1
    assert f"dense index: no Chroma server answers at {server.address}" in capsys.readouterr().out.replace("\n", " ")
    server.start()
    assert main(["--data", str(archive), "ingest", str(files)]) == 0
    [name] = server.names()
    assert server.client.get_collection(name).count() == 3
    with Index(archive, encoder) as index:
        assert index.archive.counts() == (3, 3)
        assert found(index, "Who sold the mill?")[0] == "mill"
        assert index.doctor().ok
    server.kill()
    main(["--data", str(archive), "ingest", "--quick", str(SEEDS)])
    capsys.readouterr()
    assert main(["--data", str(archive), "encode"]) == 2  # it is done, but not where it is searched
    told = capsys.readouterr()
    assert "0 passages wait." in told.out
    assert told.err.endswith(
        "what was written stays: the server gets its vectors with the next question, or run it again\n"
    )


def test_an_archive_remembers_its_server_and_moves(
    folder: Path, encoder: Encoder, server: Server, shared: Server
) -> None:
    assert not [*folder.glob("dense*")]
    before = shared.names()
    with Index(folder, encoder, vectors=server.address) as index:
        assert len(index.dense) == 3
    assert len(server.names()) == 1
    assert len(shared.names()) == len(before) - 1
    with pytest.raises(BadInput, match="opened for reading only"):
        ReadOnlyIndex(folder, encoder, vectors="folder")
    with pytest.raises(Unreachable, match=r"no Chroma server answers at http://127\.0\.0\.1:9"):
        Index(folder, encoder, vectors="http://127.0.0.1:9")
    with Index(folder, encoder, vectors="folder") as index:
        assert found(index, "hail")[0] == "hail"
    assert server.names() == []
    with Index(folder, encoder) as index:
        assert not isinstance(index.dense, ServedIndex)
        assert index.doctor().ok


def test_copies_of_an_archive_do_not_write_to_one_collection(
    folder: Path, encoder: Encoder, shared: Server, tmp_path: Path
) -> None:
    shutil.copytree(folder, copied := tmp_path / "copied")
    backup(folder, tmp_path / "saved", silent)
    restore(restored := tmp_path / "restored", tmp_path / "saved", silent)
    before = shared.names()
    with Index(folder, encoder) as index:
        index.dense  # noqa: B018
        index.remove(["hail"])
    for other in (copied, restored):
        with Index(other, encoder) as index:
            assert len(index.dense) == len(index.lexical) == 3
            assert index.doctor().ok
    assert len(shared.names()) == len(before) + 2
    with Index(folder, encoder) as index:
        assert len(index.dense) == 2
    assert len(shared.names()) == len(before) + 2


def test_doctor_compares_what_the_server_holds(folder: Path, encoder: Encoder, shared: Server) -> None:
    with Index(folder, encoder) as index:
        collection = index.dense._collection
        ids = collection.get()["ids"]
        collection.update(ids[:1], embeddings=np.ones((1, 384)))
        health = index.doctor()
        assert [problem.split(";")[0] for problem in health.problems] == [
            "dense index: 1 of its passages are not as the archive has them"
        ]
        assert index.doctor(repair=True).ok
        shared.client.delete_collection(index.dense._collection.name)
        assert f"{shared.address} no longer holds this archive's vectors" in index.doctor().problems[0]
        assert index.doctor(repair=True).ok


def test_another_encoder_takes_its_place(folder: Path, shared: Server) -> None:
    before = shared.names()
    with Index(folder) as index:
        reencode(index, MULTILINGUAL)
        assert index.dense.search(index.archive.vectors(index.archive.passage_ids()[:1])[0], 1)
        assert index.doctor().ok
        assert len(shared.names()) == len(before)


KEY = "a-secret-of-the-server"


class Gate(BaseHTTPRequestHandler):
    """Stands before a server, as those who run one for others do, and lets in who knows the token."""

    port = 0

    def do(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        known = self.headers.get("authorization") == f"Bearer {KEY}" or self.path.endswith("heartbeat")
        if known:
            at = f"http://127.0.0.1:{self.port}{self.path}"
            told = httpx.request(self.command, at, content=body, headers={"content-type": "application/json"})
        status, said = (told.status_code, told.content) if known else (403, b'{"error": "not you"}')
        self.send_response(status)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_DELETE = do  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_tenants_databases_and_tokens(
    shared: Server, tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = chromadb.AdminClient(chromadb.Settings(
        chroma_api_impl="chromadb.api.fastapi.FastAPI", chroma_server_host="127.0.0.1",
        chroma_server_http_port=shared.port,
    ))  # fmt: skip
    admin.create_tenant("news")
    admin.create_database("desk", tenant="news")
    Gate.port, before = shared.port, shared.names()
    gate = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    threading.Thread(target=gate.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{gate.server_port}?database=desk&tenant=news"
    with pytest.raises(Unreachable, match=r"there is no use of the Chroma server at .*not you"):
        Index(tmp_path / "archive", encoder, vectors=address)
    monkeypatch.setenv("CHROMA_CLIENT_AUTH_CREDENTIALS", KEY)
    monkeypatch.setenv("CHROMA_API_KEY", "of-the-cloud-alone")
    with Index(tmp_path / "archive", encoder, vectors=address) as index:
        ingest(index, [write(tmp_path / "in", ROWS)])  # type: ignore[arg-type]
        assert found(index, "hail")[0] == "hail"
        assert index.archive.meta("vectors") == address
    assert shared.names() == before
    inside = chromadb.HttpClient("127.0.0.1", shared.port, tenant="news", database="desk")
    assert len(inside.list_collections()) == 1
    monkeypatch.setenv("CHROMA_TENANT", "nobody")  # what the address says comes first
    with Index(tmp_path / "archive", encoder) as index:
        assert len(index.dense) == 3
    with pytest.raises(Unreachable, match=r"\(Tenant \[nobody\] not found\)"):
        Index(tmp_path / "other", encoder, vectors=f"http://127.0.0.1:{gate.server_port}")
    gate.shutdown()
    gate.server_close()


@pytest.mark.parametrize(
    "address",
    ["localhost:8000", "ftp://a", "http://", "http://h:99999", "http://u:pass@h", "http://h?token=x", "http://h/x"],
)
def test_what_is_no_address(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="give --vectors http://HOST:PORT"):
        Index(tmp_path / "archive", vectors=address)
    Index(tmp_path / "archive").close()


def test_addresses_are_kept_in_one_form() -> None:
    assert place("http://Chroma/?tenant=a&database=b") == "http://chroma:8000?database=b&tenant=a"
    assert place("https://[::1]") == "https://[::1]:443"


def test_the_environment_names_a_server(server: Server, tmp_path: Path) -> None:
    environment = os.environ | {"COPYDESK_VECTORS": server.address, "COPYDESK_DATA": str(tmp_path / "archive")}
    files = write(tmp_path / "in", ROWS)  # type: ignore[arg-type]
    command = [sys.executable, "-m", "qa", "--json", "ingest", str(files)]
    done = subprocess.run(command, capture_output=True, env=environment, cwd=REPOSITORY, check=True)
    assert json.loads(done.stdout)["added"] == 3
    assert len(server.names()) == 1
