"""Real parts for every test: the bundled encoder and reranker are loaded once, archives live in temporary folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index.encoder import Encoder, SentenceTransformerEncoder
from index.index import Index
from qa import Desk
from qa.cli import main
from qa.rerank import OnnxReranker, Reranker

os.environ["HF_HUB_OFFLINE"] = "1"
REPOSITORY = Path(__file__).parent.parent
SEEDS = REPOSITORY / "seeds"
Run = Callable[..., tuple[int, str, str]]
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return SentenceTransformerEncoder()


@pytest.fixture(scope="session")
def reranker() -> Reranker:
    return OnnxReranker()


@pytest.fixture
def run(archive: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line on the `archive` of the test file: status, stdout, stderr."""

    def call(*words: str, data: Path = archive) -> tuple[int, str, str]:
        status = main(["--data", str(data), *words])
        return (status, *capsys.readouterr())

    return call


@pytest.fixture
def index(tmp_path: Path, encoder: Encoder) -> Iterator[Index]:
    with Index(tmp_path / "archive", encoder) as opened:
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
