"""Real parts for every test: the bundled encoder and reranker are loaded once, archives live in temporary folders."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from postgres import Server
from postgres import serving as database_server

from index.alongside import open_index
from index.encoder import Encoder, load_encoder
from index.sync import Index, silent
from qa import Desk
from qa.doors.cli import main
from qa.rerank import Reranker, load_reranker
from qa.types import Answer, as_json

if TYPE_CHECKING:
    from playwright.sync_api import Page

os.environ["HF_HUB_OFFLINE"] = "1"
REPOSITORY = Path(__file__).parent.parent
SEEDS = REPOSITORY / "seeds"
Run = Callable[..., tuple[int, str, str]]
SHARED = REPOSITORY.parent / "shared"
# What takes long and has a shorter like: `make torture` runs it.
LONG = pytest.mark.skipif(not os.environ.get("COPYDESK_TORTURE"), reason="long: make torture runs it")
BEFORE_4 = """
    ALTER TABLE articles DROP COLUMN language; ALTER TABLE articles DROP COLUMN pages;
    ALTER TABLE versions DROP COLUMN language; ALTER TABLE versions DROP COLUMN pages; DROP TABLE sources;
    ALTER TABLE passages DROP COLUMN checksum; ALTER TABLE vectors DROP COLUMN checksum;
"""  # takes out of an archive what format 4 added


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="session")
def reranker() -> Reranker:
    return load_reranker("bundled")


@pytest.fixture
def run(archive: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line on the `archive` of the test file: status, stdout, stderr."""

    def call(*words: str, data: Path = archive) -> tuple[int, str, str]:
        status = main(["--data", str(data), *words])
        return (status, *capsys.readouterr())

    return call


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a file that says BOTH on both databases: what an archive does, it does in each."""
    if "index" in metafunc.fixturenames and getattr(metafunc.module, "BOTH", False):
        metafunc.parametrize("index", ("sqlite", "postgresql"), indirect=True)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with database_server() as running:
        yield running


@pytest.fixture
def index(request: pytest.FixtureRequest, tmp_path: Path, encoder: Encoder) -> Iterator[Index]:
    where: str | Path = tmp_path / "archive"
    if getattr(request, "param", "") == "postgresql":
        where = request.getfixturevalue("server").make()
        (tmp_path / "archive").mkdir()
    with open_index(where, encoder, silent, cache=tmp_path / "archive") as opened:
        yield opened


@pytest.fixture
def desk(tmp_path: Path, encoder: Encoder, reranker: Reranker) -> Iterator[Desk]:
    with Desk(tmp_path / "archive", encoder, reranker) as opened:
        yield opened


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reranker: Reranker) -> Iterator[Desk]:
    """A desk that holds the seeds; tests only read from it."""
    with Desk(tmp_path_factory.mktemp("seeded"), encoder, reranker) as opened:
        opened.ingest([SEEDS])
        yield opened


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reranker: Reranker) -> Path:
    """An archive that holds the seeds and an article with hostile names; the service has it open."""
    folder = tmp_path_factory.mktemp("served")
    hostile = folder / "hostile.json"
    hostile.write_text(
        json.dumps({"id": "a/b?c#d", "title": "<b>Bold</b> claims", "text": "A <script>x()</script> claim."})
    )
    with Desk(folder / "archive", encoder, reranker) as desk:
        desk.ingest([SEEDS, hostile])
    return folder / "archive"


@contextmanager
def serving(archive: Path | str, *options: str, under: Sequence[str] = ()) -> Iterator[str]:
    """Run `copydesk serve` on a free port until the block ends, `under` another program, and give its address."""
    command = [*under, sys.executable, "-m", "qa", "--data", str(archive), "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.fullmatch(r"Copydesk serves \d+ articles at (http://\S+) \(Ctrl-C stops it\)\n", line)
            assert found, line
            yield found[1]
            os.killpg(process.pid, signal.SIGINT)  # the whole group, as a terminal's Ctrl-C does
            assert process.wait(timeout=30) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def service(archive: Path) -> Iterator[str]:
    """The address of a running service."""
    with serving(archive) as address:
        yield address


@contextmanager
def running(desk: Desk) -> Iterator[str]:
    """Serve a desk in this process until the block ends, and give its address."""
    import uvicorn

    from qa.web.app import build_app

    server = uvicorn.Server(uvicorn.Config(build_app(desk), log_level="warning", timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reranker: Reranker) -> Iterator[Desk]:
    """A desk that holds the seeds and is one test file's own: its tests exchange its model."""
    with Desk(tmp_path_factory.mktemp("own"), encoder, reranker) as opened:
        opened.ingest([SEEDS])
        yield opened


@pytest.fixture(scope="module")
def address(own: Desk) -> Iterator[str]:
    with running(own) as served:
        yield served


@contextmanager
def browsing(address: str) -> Iterator[Page]:
    """Open a page in a real browser; fail where it asked for anything but what is at this address."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page()
        outside: list[str] = []
        page.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else outside.append(r.url))
        page.on("console", lambda said: outside.append(said.text) if "Content Security" in said.text else None)
        yield page
        browser.close()
    assert outside == []


def shown(answer: Answer) -> str:
    """Return an answer as the page shows it."""
    from qa.page.render import turn_html  # gradio takes seconds to import

    return turn_html({"n": 1, "asked": {"question": answer.question}, "answer": as_json(answer), "faults": ()})
