"""Metrics against numbers computed by hand, question files and data sets as specified or refused, and runs."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SEEDS

from evals import sets
from evals.metrics import Result, by_depth, calibration, contains, fold, loss, scores, trade_off
from evals.questions import Question, as_row, parse, read_questions
from evals.run import _result as reduced
from evals.run import absent, read_rows, run
from evals.run import summarise as summarise_scored
from evals.sets.multihoprag import published_map
from evals.stats import compare, interval, mcnemar
from index.encoder import Encoder
from index.sync import silent
from index.types import BadInput
from qa import Desk
from qa.rerank import OnnxReranker


def summarise(results: Sequence[Result]) -> dict[str, Any]:
    return summarise_scored(results, scores(results, {}))


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
    known = {"confidence", "choice", "in_text"} & question.keys()
    found = {name: question.pop(name) for name in known}
    question["articles"] = dict.fromkeys(question.pop("articles", ()), 1)  # type: ignore[call-overload]
    question["answers"] = (answers,) if (answers := question.pop("answers", ())) else ()
    asked = Question(name, f"{name}?", **question)  # type: ignore[arg-type]
    return Result(asked, answered, text, tuple(ranked), tuple(cited), len(cited), len(cited), seconds, **found)  # type: ignore[arg-type]


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
    assert summary["recall_at_10"] == pytest.approx((1 + 1 / 2 + 0 + 0) / 4)
    assert summary["all_evidence_at_10"] == pytest.approx(1 / 4)  # of the second, one of two is found
    assert summary["map_at_10"] == pytest.approx((1 + (1 / 3) / 2) / 4)


def test_depth_by_hand() -> None:
    curves = by_depth([result("1", ranked="abc", articles=("b", "c")), result("2", ranked="xyz", articles=("a",))])
    assert curves["hit"][:4] == [0, 1 / 2, 1 / 2, 1 / 2]
    assert curves["recall"][:4] == [0, 1 / 4, 1 / 2, 1 / 2]


def test_the_published_map_by_hand() -> None:
    # Two of three facts, second and fifth: (1/2 + 1/5) / 3; each counts 1 / its rank, however many came before.
    assert published_map(result("1", ranked="xayzb", articles=("a", "b", "c"))) == pytest.approx((1 / 2 + 1 / 5) / 3)
    assert published_map(result("2", ranked="x")) is None


def test_answers_of_several_parts_and_wrong_ones() -> None:
    both = parse({"id": 1, "question": "Where?", "answer": [["Paris", "Lutetia"], ["London"]], "wrong": "Rome"})
    assert both.answers == (("Paris", "Lutetia"), ("London",))
    texts = {"In Lutetia and London.": (1.0, 0.0), "In Paris.": (0.0, 0.0), "Rome, London": (0.0, 1.0)}
    for text, expected in texts.items():
        [row] = scores([Result(both, True, text, (), (), 0, 0, 1.0)], {})
        assert (row["answer_contained"], row["wrong_contained"]) == expected


def test_choices_by_hand() -> None:
    choices = [
        result("1", answers=("Honda",), choices=("Ford", "Honda"), choice="Honda"),
        result("2", answers=("Ford",), choices=("Ford", "Honda"), choice="Honda"),
        result("3", answers=("Ford",), choices=("Ford", "Honda")),  # none decided: wrong
        result("4", answers=("Ford",)),  # not a multiple choice
    ]
    assert summarise(choices)["choice_accuracy"] == pytest.approx(1 / 3)


def test_each_loss_has_its_step() -> None:
    known = {"answers": ("Rubio",), "articles": ("a",)}
    steps = [
        (result("1", text="It was Rubio", **known), None),
        (result("2", text="no", ranked="abc", in_text=False, **known), "not_in_text"),
        (result("3", text="no", ranked="bc", in_text=True, **known), "not_retrieved"),
        (result("4", text="no", ranked="bcdea", in_text=True, **known), "ranked_low"),
        (result("5", text="no", ranked="bcda", in_text=True, **known), "sentence_not_chosen"),
        (result("6", answered=False, ranked="a", in_text=True, **known), "refused"),
        (result("7", answered=True, answerable=False), "not_refused"),
        (result("8", answered=False, answerable=False), None),
        (result("9", answered=True), None),  # no label
        (result("10", text="no", answers=("Rubio",)), "not_said"),
    ]
    assert [loss(r) for r, _ in steps] == [step for _, step in steps]
    assert {step: n for step, n in summarise([r for r, _ in steps])["losses"].items() if n} == {
        "not_in_text": 1, "not_retrieved": 1, "ranked_low": 1, "refused": 1, "sentence_not_chosen": 1, "not_refused": 1,
        "not_said": 1,
    }  # fmt: skip


def test_what_confidence_is_worth_by_hand() -> None:
    """Of two answers at .82 and .88 one is right, of two at .41 none; what has no label tells nothing."""
    said = [(0.82, "Paris"), (0.88, "Rome"), (0.41, "Rome"), (0.41, "Oslo")]
    results = [result("1", answers=("Paris",), text=text, confidence=sure) for sure, text in said]
    results += [result("2", answers=("Paris",), answered=False, confidence=0.2), result("3", confidence=0.9)]
    assert calibration(results) == [(pytest.approx(0.41), 0.0), (pytest.approx(0.85), 0.5)]
    assert calibration([]) == []


def test_the_refusal_trade_off_by_hand() -> None:
    held = [
        result("1", confidence=0.9),
        result("2", confidence=0.4),
        result("3", confidence=0.6, answerable=False),
        result("4", confidence=0.2, answerable=False),
    ]
    assert trade_off(held) == [(0, 1), (1 / 2, 1), (1 / 2, 1 / 2), (1, 1 / 2)]
    sure = [
        result("1", confidence=0.9, text="a", answers=("a",)),
        result("2", confidence=0.1, text="b", answers=("a",)),
    ]
    assert trade_off(sure) == [(0, 1 / 2), (1 / 2, 1)]


def test_mcnemar_and_differences_by_hand() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 0) == pytest.approx(2 / 2**5)  # two-sided: all five heads, or all five tails
    assert mcnemar(3, 1) == pytest.approx(2 * (4 + 1) / 2**4)
    first = {str(n): {"m": 0.0, "seconds": 2.0} for n in range(8)}
    second = {str(n): {"m": float(n < 6), "seconds": 1.0} for n in range(8)} | {"new": {"m": 0.0, "seconds": 1.0}}
    m, seconds = compare(first, second)
    assert (m.n, m.first, m.second, m.difference, m.p) == (8, 0.0, 0.75, 0.75, 2 / 2**6)
    assert (len(m.gained), len(m.lost), m.verdict) == (6, 0, "better")
    assert (seconds.difference, seconds.interval, seconds.p, seconds.verdict) == (-1.0, (-1.0, -1.0), None, "better")
    same, _ = compare(first, {"0": {"m": 1.0, "seconds": 3.0}, "1": {"m": 0.0, "seconds": 1.0}})
    assert (same.n, same.p, same.verdict) == (2, 1.0, "noise")


def test_an_interval_narrows_with_more_questions() -> None:
    assert interval([1.0]) is None
    few, many = interval([0.0, 1.0] * 5), interval([0.0, 1.0] * 500)
    assert few is not None
    assert many is not None
    assert few[0] < many[0] < 0.5 < many[1] < few[1]


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
    assert scores([result("5", answered=False)], {})[0]["refusal_precision"] == 0.0  # as a row of results.jsonl
    assert summary["refusal_recall"] == pytest.approx(1 / 2)


def test_what_has_no_label_is_null() -> None:
    summary = summarise([result("1", seconds=2.0)])
    assert {name for name, value in summary.items() if value is None} == {
        "hit_at_1", "hit_at_4", "hit_at_10", "mrr_at_10", "recall_at_4", "recall_at_10", "map_at_10", "ndcg_at_10",
        "all_evidence_at_4", "all_evidence_at_10", "answer_contained", "wrong_contained", "choice_accuracy",
        "citation_precision", "citation_recall", "supported_sentences", "quote_exact",
        "refusal_precision", "refusal_recall",
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
        '{"id": 1, "question": "Who?", "answer": "A", "asked": "2022-06-16"}\n\n{"id": "b", "question": "Why?"}\n'
    )
    one, two = read_questions(path)
    assert (one.id, one.answers, one.answerable) == ("1", (("A",),), True)
    assert parse(as_row(one)) == one
    assert one.asked is not None
    assert two == Question("b", "Why?")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1 is not JSON: Expecting property name"),
        ('{"id": null, "question": "Who?"}', 'line 1: expected an object with "id" and "question"'),
        ('{"id": 1, "question": " ?"}', "line 1: the question is empty: ask something in words"),
        ('{"id": 1, "question": "Who?", "answerable": "false"}', "line 1: answerable is neither true nor false"),
        (
            '{"id": 1, "question": "Who?", "articles": {"a": 0}}',
            "line 1: articles: grades are whole numbers",
        ),
        (
            '{"id": 1, "question": "Who?", "choices": ["a", "a"]}',
            "line 1: choices are two or more different texts in a list",
        ),
        ("[]", 'line 1: expected an object with "id" and "question"'),
        ('{"id": 1}', 'line 1: expected an object with "id" and "question"'),
        ('{"id": 1, "question": "Who?", "anwser": "A"}', "line 1: unknown field anwser: use id,"),
        (
            '{"id": 1, "question": "Who?", "answer": {"text": "A"}}',
            "line 1: answer is neither a string nor a list of strings",
        ),
        (
            '{"id": 1, "question": "Who?"}\n{"id": 2, "question": "Who?", "answer": [""]}',
            "q.jsonl, line 2: answer has '', which nothing can be told by: mend it, or leave answer out",
        ),
        ('{"id": 1, "question": "Who?", "answer": ""}', "line 1: answer has ''"),
        ('{"id": 1, "question": "Who?", "answer": ["Rask", " – "]}', "line 1: answer has ' – '"),
        ('{"id": 1, "question": "Who?", "answer": [["Rask"], "…"]}', "line 1: answer has '…'"),
        ('{"id": 1, "question": "Who?", "answer": "The"}', "line 1: answer has 'The'"),
        ('{"id": 1, "question": "Who?", "answer": [["Rask"], []]}', "line 1: a part of the answer is empty"),
        ('{"id": 1, "question": "Who?", "wrong": "?!"}', "line 1: wrong has '?!'"),
        ('{"id": 1, "question": "Who?", "articles": [""]}', "line 1: articles has ''"),
        ('{"id": 1, "question": "Who?", "outlets": " "}', "line 1: outlets has ' '"),
        ('{"id": 1, "question": "Who?", "asked": "then"}', "line 1: 'then' is not a date"),
        ('{"id": 1, "question": "Who?"}\n{"id": 1, "question": "Who?"}', "line 2: the id 1 stands there twice"),
        ("", "holds no questions"),
    ],
)
def test_question_files_that_are_not(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(line)
    with pytest.raises(BadInput) as refused:
        read_questions(path)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("0", (("0",),)),
        ("42", (("42",),)),
        ("1.5", (("1.5",),)),
        ("7.0", (("7",),)),
        ("-3", (("-3",),)),
        ("true", (("true",),)),
        ("false", (("false",),)),
        ('[0, "none"]', (("0", "none"),)),
        ("[[3, 3.0], [true]]", (("3", "3"), ("true",))),
        ("null", ()),
        ("[]", ()),
    ],
)
def test_an_answer_may_be_any_scalar(answer: str, accepted: tuple[tuple[str, ...], ...]) -> None:
    row = json.loads(f'{{"id": 1, "question": "How many?", "answer": {answer}, "wrong": 9, "choices": [9, 10]}}')
    read = parse(row)
    assert (read.answers, read.wrong, read.choices) == (accepted, ("9",), ("9", "10"))
    assert parse(as_row(read)) == read


def lines(path: Path, *rows: object) -> None:
    """Write a JSON Lines file."""
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_realtimeqa_is_read_as_published(tmp_path: Path) -> None:
    link = "https://www.news.example/2022/06/12/show/index.html"
    asked = {"question_id": "20220617_0", "question_date": "2022/06/16", "question_sentence": "Which show returns?"}
    lines(
        tmp_path / "20220617_qa.jsonl",
        asked | {"choices": ["A", "B"], "answer": ["1"], "evidence": f'<a href="{link}">B</a> is back.'},
    )
    lines(tmp_path / "20220617_qa_nota.jsonl", {"not": "read"})
    lines(
        tmp_path / "20220617_gold.jsonl", {"question_id": "20220617_0", "search_result": [{"url": link, "text": "B."}]}
    )
    again = {"url": "https://news.example/2022/06/12/show/", "text": "Other words.", "title": "B is back"}
    lines(tmp_path / "20220617_gcs.jsonl", {"question_id": "20220617_0", "search_result": [again]})
    [article], [question] = sets.load("realtimeqa", tmp_path)
    assert (article["id"], article["title"], article["text"]) == ("news.example/2022/06/12/show", "B is back", "B.")
    assert (question["answer"], question["asked"], question["articles"]) == (["B"], "2022/06/16", [article["id"]])


def test_multihoprag_with_and_without_its_corpus(tmp_path: Path) -> None:
    said = {"url": "u1", "title": "T", "source": "Daily", "published_at": "2023-09-26T17:01:22+00:00"}
    fact = said | {"fact": "F.", "author": "A"}
    query = {"query": "Q?", "question_type": "inference_query", "answer": "X", "evidence_list": [fact]}
    null = {"query": "N?", "question_type": "null_query", "answer": "Insufficient information.", "evidence_list": []}
    lines(tmp_path / "queries.jsonl", query, null)
    lines(tmp_path / "facts.jsonl", fact)
    [article], [one, two] = sets.load("multihoprag", tmp_path)
    assert (article["text"], one["articles"], two["answerable"]) == ("F.", [article["id"]], False)
    (tmp_path / "corpus.json").write_text(json.dumps([said | {"body": "Whole."}]))
    [article], [one, _] = sets.load("multihoprag", tmp_path)
    assert (article["id"], article["text"], one["articles"]) == ("u1", "Whole.", ["u1"])
    assert sets.metrics("multihoprag") == {"published_map_at_10": published_map}


def test_rgb_abilities_have_passages_of_their_own(tmp_path: Path) -> None:
    row = {"id": 0, "query": "Where?", "answer": "Tampa", "positive": ["In Tampa."] * 3, "negative": ["Elsewhere."] * 9}
    lines(tmp_path / "en_fact.json", row | {"fakeanswer": "Rome", "positive_wrong": ["In Rome."]})
    articles, questions = sets.load("rgb", tmp_path / "en_fact.json")
    held = {q["group"]: [a["text"] for a in articles if a["outlet"] in q["outlets"]] for q in questions}
    assert held == {
        "refusal": ["Elsewhere."] * 5,
        "noise": ["In Tampa."] * 2 + ["Elsewhere."] * 3,
        "counterfactual": ["In Rome."] + ["Elsewhere."] * 4,
    }
    refusal, noise, counterfactual = questions
    assert (refusal["answerable"], noise["articles"], counterfactual["wrong"]) == (
        False, ["noise-0-0", "noise-0-1"], ["Rome"],
    )  # fmt: skip
    lines(tmp_path / "en_int.json", row | {"answer": [["a", "b"], "c"], "positive": [["P1", "P2"], ["P3"]]})
    _, questions = sets.load("rgb", tmp_path / "en_int.json")
    assert parse(questions[1]).answers == (("a", "b"), ("c",))


def test_squad_is_read_as_published_and_flat(tmp_path: Path) -> None:
    asked = {
        "id": "q",
        "question": "What?",
        "answers": [{"text": "X"}, {"text": "."}, {"text": "X"}],
        "is_impossible": False,
    }
    none = {"id": "r", "question": "Why?", "answers": [], "is_impossible": True}
    page = {"title": "Some_page", "paragraphs": [{"context": "It is X.", "qas": [asked, none]}]}
    (tmp_path / "dev.json").write_text(json.dumps({"version": "v2.0", "data": [page]}))
    [article], [one, two] = sets.load("squad2", tmp_path / "dev.json")
    assert (article["title"], one["answer"], one["articles"]) == ("Some page", ["X"], [article["id"]])
    assert two == {"id": "r", "question": "Why?", "answerable": False}
    lines(tmp_path / "flat.jsonl", asked | {"context": "It is X.", "answers": ["X"]})
    assert sets.load("squad2", tmp_path / "flat.jsonl")[1] == [one]


def test_beir_folders_keep_grades(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "corpus.jsonl.gz", "wt") as corpus:
        corpus.write('{"_id": "d1", "title": "T", "text": "Words."}\n{"_id": "d2", "title": "", "text": " "}\n')
    lines(tmp_path / "queries.jsonl", {"_id": "q1", "text": "words"}, {"_id": "q2", "text": "not judged"})
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td9\t0\n")
    articles, questions = sets.load("beir", tmp_path)
    assert articles == [{"id": "d1", "title": "T", "text": "Words."}]
    assert questions == [{"id": "q1", "question": "words", "articles": {"d1": 2}}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("squad2", None, "cannot be read: No such file or directory"),
        ("squad2", "[1, 2", "is not the JSON that squad2 publishes"),
        ("squad2", '{"id": 1}', "does not look like squad2 (KeyError"),
        ("squad2", '{"id": 1, "context": null}', "does not look like squad2 (AttributeError"),
        ("rgb", "[]", "holds no articles of rgb"),
        ("beir", None, "holds no corpus.jsonl or corpus.jsonl.gz"),
    ],
)
def test_what_is_not_that_set_is_refused(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadInput) as refused:
        sets.load(name, path)
    assert message in str(refused.value)


def test_a_run_that_was_killed_goes_on_where_it_was(seeded: Desk, tmp_path: Path) -> None:
    questions = [
        parse({"id": n, "question": q, "answer": "x"}) for n, q in enumerate(("Who led it?", "Who met?", "Why?"))
    ]
    run(seeded, questions, tmp_path, "quotes", silent)
    whole = (tmp_path / "results.jsonl").read_text()
    first, second, _ = whole.splitlines(keepends=True)
    (tmp_path / "results.jsonl").write_text(first + second[:100])  # killed while it wrote the second line
    asked: list[float] = []
    summary = run(seeded, questions, tmp_path, "quotes", lambda _, share: asked.append(share))
    assert asked == [1 / 3, 2 / 3, 1.0]
    assert (tmp_path / "results.jsonl").read_text().startswith(first)  # to the hundredth of a second: not asked again
    assert [row["id"] for row in read_rows(tmp_path)] == ["0", "1", "2"]
    assert run(seeded, questions, tmp_path, "quotes", silent) == summary
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "results.jsonl").write_text("mine\n")
    with pytest.raises(BadInput, match=r"holds a results.jsonl of something else: name another --out, or --restart"):
        run(seeded, questions, tmp_path / "other", "quotes", silent)
    with pytest.raises(BadInput, match="--llm gpt is not understood"):
        run(seeded, questions, tmp_path / "new", "gpt", silent)
    assert run(seeded, questions[:1], tmp_path / "new", "quotes", silent)["questions"] == 1  # nothing was asked there
    with pytest.raises(BadInput, match="holds a run with other questions: name another --out, or replace it"):
        run(seeded, questions[:2], tmp_path, "quotes", silent)
    assert run(seeded, questions[:2], tmp_path, "quotes", silent, restart=True)["questions"] == 2


def test_marks_and_unsupported_sentences_do_not_count_as_said(seeded: Desk, tmp_path: Path) -> None:
    asked = {"id": 1, "question": "Who proposed the ceasefire that Kyiv accepted in Jeddah?"}
    run(seeded, [parse(asked | {"answer": ["1", "2", "3"]})], tmp_path, "quotes", silent)
    [row] = read_rows(tmp_path)
    assert "[1]" in row["result"]["text"]  # the figure stands in no sentence, only in the mark
    assert (row["scores"]["answer_contained"], row["result"]["answered"]) == (0.0, True)

    def said(*sentences: tuple[str, str]) -> Result:
        held = [{"text": text, "citations": [], "support": support} for text, support in sentences]
        result = row["result"] | {"sentences": held, "text": " ".join(text for text, _ in sentences)}
        return reduced(row | {"result": result, "answer": [["Rask"]], "wrong": ["Lind"]})

    [both, true, false, partly] = scores(
        [
            said(("Rask did.", "unsupported"), ("Lind did.", "unsupported")),
            said(("Rask did.", "verbatim"), ("Lind did.", "unsupported")),
            said(("Rask did.", "unsupported"), ("Lind did.", "supported")),
            said(("Perhaps Rask did.", "partial")),
        ],
        {},
    )
    assert [(r["answer_contained"], r["wrong_contained"]) for r in (both, true, false, partly)] == [
        (0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 0.0),
    ]  # fmt: skip


def test_known_articles_that_are_not_there_are_told_first(seeded: Desk) -> None:
    held = seeded.articles()[0]["id"]
    none, some = ({"id": 1, "question": "Who?", "articles": ids} for ids in (["x", "y"], ["x", held]))
    assert absent(seeded, [parse(none)]) == (
        "none of the 2 articles that the questions name are in the archive: the others, such as x, count as not found; "
        "ingest them or name another --data"
    )
    assert (absent(seeded, [parse(some)]) or "").startswith("1 of the 2 articles that the questions name are in the")
    assert absent(seeded, [parse(none | {"articles": [held]})]) is None
    assert absent(seeded, [parse({"id": 1, "question": "Who?"})]) is None


class Full(OnnxReranker):
    """A reranker whose disk is full once a question is asked."""

    def score(self, question: str, texts: Sequence[str]) -> Any:
        if question.startswith("Who"):
            raise OSError(28, "No space left on device")
        return super().score(question, texts)


def test_an_error_of_the_system_that_is_not_of_the_folder_is_not_said_to_be(
    seeded: Desk, tmp_path: Path, encoder: Encoder
) -> None:
    question = parse({"id": 1, "question": "Who led the delegation?"})
    with Desk(tmp_path / "archive", encoder, Full()) as full:
        full.ingest([SEEDS])
        with pytest.raises(BadInput, match=r"^1 could not be asked: No space left on device; run it again to go on$"):
            run(full, [question], tmp_path / "a", "quotes", silent)
    (tmp_path / "b" / "summary.json").mkdir(parents=True)  # cannot be written
    with pytest.raises(BadInput, match="b cannot be written: Is a directory"):
        run(seeded, [question], tmp_path / "b", "quotes", silent)


def test_a_planted_claim_by_hand(tmp_path: Path) -> None:
    """Alone where nothing of the others is shown; confirmed where several reports count for it."""
    case: dict[str, Any] = {
        "id": "x",
        "question": "How many fell?",
        "answer": ["three"],
        "wrong": ["ninety"],
        "group": "stuffed",
        "outlets": "five",
        "day": "2025-05-06",
        "honest": ["Three fell."] * 3,
        "planted": ["Ninety fell."],
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(case))
    articles, [asked] = sets.load("planted", tmp_path / "a.jsonl")
    assert articles[3]["text"] == "How many fell? many fell. " * 2 + "Ninety fell."
    assert len({article["outlet"] for article in articles}) == len(articles) == 8
    begun, metrics = replace(result("x"), question=parse(asked), first="Ninety fell."), sets.metrics("planted")

    def scored(one: Result) -> list[float | None]:
        return [metrics[name](one) for name in ("planted_alone", "others_beside", "confirmed")]

    assert scored(begun) == [1.0, 0.0, 0.0]
    assert scored(replace(begun, beside="Three fell.", groups=2)) == [0.0, 1.0, 1.0]
    assert scored(replace(begun, first="Three fell.", groups=2)) == [0.0, None, 0.0]
