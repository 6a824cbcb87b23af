"""What stands beside an answer, at every door: what it replaces, who differs, in how many reports it stands."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, shown
from fastapi.testclient import TestClient

from index.encoder import Encoder
from qa import Desk
from qa.doors.show import around, origin
from qa.llamaindex import CopydeskQueryEngine
from qa.rerank import Reranker
from qa.web.app import build_app

NAMES = ("published", "outlet", "title", "text")
REPORTS = [  # one outlet is "<b>x": tags in fields are taken out when they come in, what is written for them is read
    ("2025-05-02", "Halvik Post", "Fire at Halvik cannery kills three",
     "Three people died in a fire at the Halvik cannery on Friday, police said."),
    ("2025-05-05", "&lt;b&gt;x", "Another victim &lt;i&gt;of the Halvik fire",
     "Nine people died in the fire at the Halvik cannery, the hospital said on Monday."),
    ("2025-07-10", "Morn Times", "Strike at the Lux works",
     "The union counted 2,400 strikers at the Lux works. The company put the number at 1,140. Work goes on."),
    ("2025-06-01", "Sundal Herald", "Sundal boat fair draws 48,000",
     "The Sundal boat fair drew 48,000 people, the organisers said on Sunday."),
    ("2025-06-05", "Sundal Herald", "Correction: Sundal boat fair",
     "We reported on 1 June that the Sundal boat fair drew 48,000 people. That is wrong: the correct "
     "number is 31,500."),
]  # fmt: skip
DIED = "How many people died in the fire at the Halvik cannery?"
STRUCK = "How many strikers were there at the Lux works?"
CAME = "How many people came to the Sundal boat fair?"
NINE = "Nine people died in the fire at the Halvik cannery, the hospital said on Monday."
EARLIER = {"text": "Fire at Halvik cannery kills three", "date": "2025-05-02", "citations": [2]}
DIFFER = {
    "about": STRUCK,
    "sides": [{"value": "2,400", "citations": [1]}, {"value": "1,140", "citations": [2]}],
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reranker: Reranker) -> Path:
    folder = tmp_path_factory.mktemp("beside")
    rows = [{"id": str(n)} | dict(zip(NAMES, report, strict=True)) for n, report in enumerate(REPORTS)]
    (folder / "reports.json").write_text(json.dumps(rows))
    with Desk(folder / "archive", encoder, reranker) as desk:
        desk.ingest([folder / "reports.json"])
    return folder / "archive"


def assert_said(died: Any, struck: Any, came: Any) -> None:
    """Check the documents of the three questions, which are the same at every door."""
    assert died["sentences"][0]["text"] == NINE
    assert died["sentences"][0]["stands_in"] == {"groups": 1, "outlets": ["<b>x"], "first": "2025-05-05"}
    assert died["earlier"] == [EARLIER]
    assert died["citations"][1]["quote"] == EARLIER["text"]
    assert died["conflicts"] == came["conflicts"] == []
    assert struck["conflicts"] == [DIFFER]
    assert struck["understood"] == {"kind": "number"}
    assert {c["corrected_by"] for c in came["citations"]} == {"4", None}
    assert (died["as_of"], struck["as_of"]) == (None, "2025-08-01")


def test_the_documents_of_the_command_line_and_of_http_hold_it(run: Run, archive: Path) -> None:
    asked = ([DIED], [STRUCK, "--as-of", "2025-08-01"], [CAME])
    assert_said(*(json.loads(run("ask", *words, "--json")[1]) for words in asked))
    with Desk(archive) as desk:
        client = TestClient(build_app(desk), base_url="http://127.0.0.1")
        bodies = ({"question": DIED}, {"question": STRUCK, "as_of": "2025-08-01"}, {"question": CAME})
        assert_said(*(client.post("/api/ask", json=body).json() for body in bodies))
        of_engine = (
            CopydeskQueryEngine(desk, **options).query(question).metadata["answer"]
            for question, options in ((DIED, {}), (STRUCK, {"as_of": "2025-08-01"}), (CAME, {}))
        )
        assert_said(*of_engine)
        before = client.post("/api/ask", json={"question": DIED, "as_of": "2025-05-04"}).json()
        assert (before["earlier"], before["sentences"][0]["text"]) == ([], REPORTS[0][3])
        wrong = client.post("/api/ask", json={"question": DIED, "as_of": "then"})
        assert wrong.json()["error"] == "'then' is not a date: write it as YYYY-MM-DD"


def test_the_terminal_tells_it(run: Run) -> None:
    _, out, err = run("ask", DIED)
    assert err == ""
    told = " ".join(out.split())
    assert f"{NINE} [1] (<b>x, 5 May 2025; in this report only)" in told
    assert "Earlier: “Fire at Halvik cannery kills three” [2] Halvik Post, 2 May 2025" in told
    assert "Sources differ" not in told
    told = " ".join(run("ask", STRUCK)[1].split())
    assert "Sources differ: 2,400 [1] Morn Times · 1,140 [2] Morn Times" in told
    assert "Earlier" not in told
    assert "– corrected by 4" in " ".join(run("ask", CAME)[1].split())
    assert "Three people died" in run("ask", DIED, "--as-of", "2025-05-04")[1]


def test_the_page_tells_it_and_escapes_what_came_from_outside(archive: Path) -> None:
    with Desk(archive) as desk:
        page = shown(desk.ask(DIED))
        assert "&lt;b&gt;x · 5 May" in page
        assert "<span>in this report only</span>" in page
        assert "<p>Fire at Halvik cannery kills three</p>" in page.partition("<b>Earlier reports said</b>")[2]
        assert "<b>x" not in page
        assert "<i>of" not in page
        page = shown(desk.ask(STRUCK))
        assert re.findall("<strong>(.*)</strong>", page) == ["2,400", "1,140"]
        assert 'href="/source/4" target="source">by this' in shown(desk.ask(CAME))


CITED = [
    {"n": 1, "outlet": "Morn Times", "published": "2025-05-05"},
    {"n": 2, "outlet": None, "published": None},
    {"n": 3, "outlet": "Morn Times", "published": "2025-05-05"},
]


@pytest.mark.parametrize(
    ("speaker", "numbers", "stands_in", "said"),
    [
        (None, [1], {"groups": 1, "outlets": ["Morn Times"], "first": "2025-05-05"},
         "Morn Times, 5 May 2025; in this report only"),
        (None, [1, 3], {"groups": 1, "outlets": ["Morn Times"], "first": "2025-05-05"},
         "Morn Times, 5 May 2025; in this report only"),
        (None, [1], {"groups": 1, "outlets": ["Coast Wire", "Morn Times"], "first": "2025-05-04"},
         "Morn Times, 5 May 2025; one report, also in Coast Wire"),
        (None, [1], {"groups": 3, "outlets": [], "first": "2025-05-01"},
         "Morn Times, 5 May 2025; in 3 independent reports, the first of 1 May 2025"),
        (None, [1, 2], {"groups": 2, "outlets": [], "first": None},
         "Morn Times, 5 May 2025 and unknown outlet, undated; in 2 independent reports, the first of undated"),
        (None, [1, 2], None, "Morn Times, 5 May 2025; unknown outlet, undated"),
        (None, [], None, ""),
        ("Ida Roe", [1], {"groups": 1, "outlets": ["Morn Times"], "first": "2025-05-05"},
         "said by Ida Roe; Morn Times, 5 May 2025; in this report only"),
    ],
)  # fmt: skip
def test_where_a_sentence_comes_from(
    speaker: str | None, numbers: list[int], stands_in: dict[str, Any] | None, said: str
) -> None:
    assert origin({"speaker": speaker, "citations": numbers, "stands_in": stands_in}, CITED) == said


def test_lines_beside_an_answer() -> None:
    sides = [{"value": "9,000", "citations": [1, 2]}, {"value": "12,000", "citations": [3]}]
    answer = {
        "citations": CITED,
        "conflicts": [{"about": "How many?", "sides": sides}],
        "earlier": [{"text": "Some\n8,000  came.", "date": None, "citations": [2]}],
    }
    assert around(answer) == [
        "Sources differ: 9,000 [1] Morn Times · 9,000 [2] unknown outlet · 12,000 [3] Morn Times",
        "Earlier: “Some 8,000 came.” [2] unknown outlet, undated",
    ]
    assert around({"citations": [], "conflicts": [], "earlier": []}) == []
