"""What others cost beside a search is measured on the archive's own passages; what is not installed is said."""

from importlib.util import find_spec

import pytest
from conftest import SEEDS

from evals.cost import right, spread
from evals.peers import alongside
from evals.scale import grow, sources
from index.encoder import Encoder
from index.ingest import ingest
from index.sync import Index


def test_figures_by_hand() -> None:
    assert spread([0.001, 0.002, 0.003]) == "2.0 ms median, 3.0 p95"
    assert right([{"a", "b"}, {"c"}, {"d"}], [{"a", "x"}, {"c"}, set()]) == "0.750 of the first 10 are an exact scan's"


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("peers")
    with Index(folder / "corpus", encoder) as index:
        ingest(index, [str(SEEDS)])
        found = sources(index.archive)
    with Index(folder / "archive", encoder) as index:
        grow(index, found, 300)
    asked = ["Who met in Paris?", "When did Ukraine accept a ceasefire?"]
    return dict(alongside(folder / "archive" / "archive.sqlite3", asked, encoder.encode_query(asked)))


@pytest.mark.parametrize(
    "name",
    [
        "LlamaIndex",
        pytest.param("txtai", marks=pytest.mark.skipif(not find_spec("txtai"), reason="txtai is not installed")),
    ],
)
def test_a_peer_is_built_opened_and_found_right(name: str, figures: dict[str, str]) -> None:
    own = {what.removeprefix(f"{name}: "): much for what, much in figures.items() if what.startswith(f"{name}: ")}
    assert own.keys() == {
        "built", "opening until the first answer", "the first 10", "the first 100", "the first 10, one outlet",
        "adding one article", "removing one", "memory",
    }  # fmt: skip
    for what in "the first 10", "the first 100":
        assert own[what].endswith("; 1.000 of the first 10 are an exact scan's"), own[what]
    assert float(own["memory"].split()[0].replace(",", "")) > 50


@pytest.mark.skipif(find_spec("txtai") is not None, reason="txtai is installed")
def test_what_is_not_installed_is_said(figures: dict[str, str]) -> None:
    assert figures["txtai"] == figures["txtai, hybrid"] == "not measured: No module named 'txtai'"
