"""The invented newsroom as an evaluation set: how it is read, and its metrics against numbers found by hand."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY

from evals import sets
from evals.metrics import Result, scores
from evals.questions import Question
from evals.sets.newsroom import METRICS
from index.types import BadInput
from qa.doors.cli import main

NEWSROOM = REPOSITORY / "evals" / "newsroom"
STORIES = ("lynx", "baths")
TOLL = Question("toll", "How many people died?", (("nine",),), wrong=("Twelve", "19"))
VOTES = Question(
    "votes", "How many voted yes and how many no?", (("63%", "63 percent"), ("31",)), wrong=("twenty-nine",)
)
UNKNOWN = Question("none", "How many goats died?", wrong=("nine",), answerable=False)


@pytest.mark.parametrize(
    ("question", "text", "right", "stale"),
    [
        (TOLL, "By Wednesday 9 people were dead.", 1.0, 0.0),  # nine = 9
        (TOLL, "Nine people were dead on Wednesday. A day later it was twelve.", 1.0, 0.0),  # wrong behind the answer
        (TOLL, "The ministry gave 19 dead. In truth it was nine.", 0.0, 1.0),  # wrong before it
        (TOLL, "The mayor spoke of 12 dead.", 0.0, 1.0),  # wrong alone; twelve = 12
        (TOLL, "The mayor spoke of 90 dead and of 190 hurt.", 0.0, 0.0),  # neither: 190 is not 19
        (TOLL, "", 0.0, 0.0),  # refused
        (VOTES, "Of the members, 63 per cent voted yes and 31 per cent no.", 1.0, 0.0),
        (VOTES, "Of the members, 63 % voted yes.", 0.0, 0.0),  # half of it
        (VOTES, "No said 31 per cent, not 29, and yes 63 percent.", 1.0, 0.0),  # behind one part of the answer
        (UNKNOWN, "Nine goats died.", None, None),
        (UNKNOWN, "", None, None),
    ],
)
def test_right_and_stale_by_hand(question: Question, text: str, right: float | None, stale: float | None) -> None:
    [row] = scores([Result(question, bool(text), text, (), (), 0, 0, 1.0)], METRICS)
    assert (row["right"], row["stale"]) == (right, stale)


@pytest.fixture
def two_stories(tmp_path: Path) -> Path:
    """A folder with the reports of two stories that have a file of their own, and six questions on each."""
    folder = tmp_path / "newsroom"
    for story in STORIES:
        for file in (NEWSROOM / "articles").rglob(f"*{story}*"):
            copied = folder / file.relative_to(NEWSROOM)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copied)
    rows = [json.loads(line) for line in (NEWSROOM / "questions-dev.jsonl").read_text("utf-8").splitlines()]
    asked = [row for story in STORIES for row in [r for r in rows if r["notes"]["story"] == story][:6]]
    (folder / "questions-dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked), "utf-8")
    return folder


def test_two_stories_are_read(two_stories: Path) -> None:
    articles, questions = sets.load("newsroom", two_stories)
    assert len(articles) == 9
    assert {article["outlet"] for article in articles} == {"The Pell Courier", "Brack Valley Gazette", "Northern Wire"}
    assert all(article["published"] and article["text"] for article in articles)
    assert [question["notes"]["story"] for question in questions] == ["lynx"] * 6 + ["baths"] * 6
    assert sets.load("newsroom", two_stories / "questions-dev.jsonl") == (articles, questions)  # the file does too
    with pytest.raises(BadInput, match="holds no articles, or no questions"):
        sets.load("newsroom", two_stories / "articles")


def test_the_command_measures_them(two_stories: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = ["eval", str(two_stories), "--format", "newsroom", "--out", str(out)]
    assert main([*words, "--json", "--fail-under", "quote_exact=1,stale=1"]) == 0
    summary: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (summary["questions"], summary["quote_exact"]) == (12, 1.0)
    rows = [json.loads(line) for line in (out / "results.jsonl").read_text("utf-8").splitlines()]
    for name in ("right", "stale"):
        values = [row["scores"][name] for row in rows if row["scores"][name] is not None]
        assert summary[name] == pytest.approx(sum(values) / len(values))
    assert [row["scores"]["right"] is None for row in rows] == [not row["answerable"] for row in rows]
    [dated] = [row for row in rows if row["id"] == "lynx-01"]
    assert (dated["as_of"], dated["result"]["as_of"]) == ("2025-10-16", "2025-10-16")
    assert set(summary["groups"]) == {row["group"] for row in rows}
    assert main([*words, "--fail-under", "right=1,stale=0"]) == 1  # the run is only summed up again
    assert capsys.readouterr().err.count("the limit") >= 1
