"""Metrics against numbers computed by hand, and question files that are as specified or refused."""

from pathlib import Path

import pytest

from evals.metrics import Result, contains, fold, summarise
from evals.questions import Question, read_questions
from index.types import BadInput


def result(
    name: str,
    ranked: str = "",
    cited: str = "",
    text: str = "",
    answered: bool = True,
    seconds: float = 1.0,
    **question: object,
) -> Result:
    """One result; articles are single letters."""
    asked = Question(name, f"{name}?", **question)  # type: ignore[arg-type]
    return Result(asked, answered, text, tuple(ranked), tuple(cited), len(cited), len(cited), seconds)


def test_ranking_by_hand() -> None:
    summary = summarise(
        [
            result("1", ranked="abc", articles=("a",)),  # first: 1
            result("2", ranked="abc", articles=("c", "x")),  # third: 1/3
            result("3", ranked="abcdefghijk", articles=("k",)),  # eleventh: 0
            result("4", ranked="", articles=("a",)),  # nothing found: 0
            result("5", ranked="abc"),  # no label: does not count
        ]
    )
    assert summary["hit_at_1"] == pytest.approx(1 / 4)
    assert summary["hit_at_4"] == pytest.approx(2 / 4)
    assert summary["hit_at_10"] == pytest.approx(2 / 4)
    assert summary["mrr_at_10"] == pytest.approx((1 + 1 / 3) / 4)


def test_answers_and_citations_by_hand() -> None:
    summary = summarise(
        [
            result("1", cited="ab", text="It was Andriy Yermak. [1]", answers=("andriy yermak",), articles=("a",)),
            result("2", cited="c", text="It was not. [1]", answers=("Rubio", "Marco"), articles=("a", "b")),
            result("3", answered=False, text="Rubio", answers=("Rubio",), articles=("a",)),
        ]
    )
    assert summary["answer_contained"] == pytest.approx(1 / 3)
    assert summary["citation_precision"] == pytest.approx((1 / 2 + 0) / 2)
    assert summary["citation_recall"] == pytest.approx(1 / 3)
    assert summary["quote_exact"] == 1.0


def test_refusal_by_hand() -> None:
    summary = summarise(
        [
            result("1", answered=False, answerable=False),
            result("2", answered=True, answerable=False),
            result("3", answered=False),
            result("4", answered=True),
        ]
    )
    assert summary["refusal_precision"] == pytest.approx(1 / 2)
    assert summary["refusal_recall"] == pytest.approx(1 / 2)


def test_what_has_no_label_is_null() -> None:
    summary = summarise([result("1", seconds=2.0)])
    assert {name for name, value in summary.items() if value is None} == {
        "hit_at_1", "hit_at_4", "hit_at_10", "mrr_at_10", "answer_contained", "citation_precision",
        "citation_recall", "quote_exact", "refusal_precision", "refusal_recall",
    }  # fmt: skip
    assert summary["seconds_p50"] == summary["seconds_p95"] == 2.0


def test_times_are_percentiles() -> None:
    summary = summarise([result(str(n), seconds=float(n)) for n in range(1, 102)])
    assert (summary["seconds_p50"], summary["seconds_p95"]) == (51.0, 96.0)


def test_folding() -> None:
    assert fold("“Día de los Muertos,” 5.9 — U.S.") == "dia de los muertos 5 9 u s"
    assert contains("The quake's magnitude was 5.9.", ["5.9"])
    assert not contains("It took 15 days.", ["5"])
    assert not contains("anything", ["…"])


def test_question_files(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        '{"id": 1, "question": "Who?", "answer": "A", "asked": "2022-06-16"}\n\n{"id": "b", "question": "?"}\n'
    )
    one, two = read_questions(path)
    assert (one.id, one.answers, one.answerable) == ("1", ("A",), True)
    assert one.asked is not None
    assert two == Question("b", "?")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: Expecting property name"),
        ("[]", 'line 1: expected an object with "id" and "question"'),
        ('{"id": 1}', 'line 1: expected an object with "id" and "question"'),
        ('{"id": 1, "question": "?", "anwser": "A"}', "line 1: unknown field anwser: use answer,"),
        ('{"id": 1, "question": "?", "answer": 7}', "line 1: answer is neither a string nor a list of strings"),
        ('{"id": 1, "question": "?", "asked": "then"}', "line 1: 'then' is not a date"),
        ('{"id": 1, "question": "?"}\n{"id": 1, "question": "?"}', "line 2: the id 1 stands there twice"),
        ("", "holds no questions"),
    ],
)
def test_question_files_that_are_not(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(line)
    with pytest.raises(BadInput) as refused:
        read_questions(path)
    assert message in str(refused.value)
