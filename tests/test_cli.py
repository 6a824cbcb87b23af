"""The command line: one JSON document or people's text on stdout, one line for an error, the exit status."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, SEEDS, Run

from index.encoder import DEFAULT_ENCODER, Encoder
from qa import Desk
from qa.doors.cli import main
from qa.rerank import Reranker


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reranker: Reranker) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    with Desk(folder, encoder, reranker) as desk:
        desk.ingest([SEEDS])
    return folder


def document(output: tuple[int, str, str], status: int = 0) -> Any:
    assert output[0] == status
    assert output[2] == ""
    return json.loads(output[1])


def refused(output: tuple[int, str, str]) -> str:
    """Return the one line that a refused command prints."""
    status, out, err = output
    assert (status, out) == (2, "")
    assert err.startswith("copydesk: ")
    assert err.count("\n") == 1
    return err.removeprefix("copydesk: ").strip()


def test_ingest_then_ingest_again(run: Run, tmp_path: Path) -> None:
    shutil.copy(SEEDS / "jeddah.jsonl", tmp_path)
    data = tmp_path / "data"
    first = document(run("ingest", str(tmp_path), "--json", data=data))
    assert first.pop("seconds") > 0
    counts = {"added": 2, "changed": 0, "unchanged": 0, "removed": 0, "rejected": [], "passages": 2}
    assert first == counts | {
        "removed_ids": [],
        "not_used": [],
        "skipped": {},
        "incomplete": [],
        "encoder": DEFAULT_ENCODER,
    }
    (tmp_path / "bad.json").write_text("{")
    again = document(run("--json", "ingest", str(tmp_path), data=data), status=1)
    assert (again["unchanged"], again["passages"]) == (2, 0)
    assert [r["source"] for r in again["rejected"]] == [str(tmp_path / "bad.json")]
    status, out, _ = run("ingest", str(tmp_path), data=data)
    assert status == 1
    assert f"rejected {tmp_path / 'bad.json'}: not JSON: " in out


def test_what_is_incomplete_is_told_in_a_line_a_kind(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_bytes("Die Bücherei in Köln öffnete, sagte Jörg.\n".encode("cp1252"))
    (folder / "b.csv").write_text("headline,body,date\nOne,Rain fell.,03/04/2025\nTwo,Snow fell.,05/06/2025\n")
    status, out, err = run("ingest", str(folder), "--map", "Fliess=text", data=tmp_path / "data")
    assert (status, "03/04/2025" in out, "not used" in out) == (0, False, False)
    told = [
        "undated: a.txt (nothing declares the day): give it as published",
        "encoding guessed: a.txt (Windows-1252): save it as UTF-8",
        "undated: 2 articles of b.csv ('03/04/2025' may be 3 April or 4 March): write it as YYYY-MM-DD",
        "not found: --map Fliess=text (no record has this field): look at its name",
    ]
    assert err == "".join(f"copydesk: {line}\n" for line in told)
    _, out, _ = run("--json", "ingest", str(folder), "--map", "Fliess=text", data=tmp_path / "data")
    assert json.loads(out)["incomplete"] == told


def test_ask_for_people(run: Run) -> None:
    status, out, err = run("ask", "When could a general truce be declared?", "--outlet", "The Dnipro Ledger")
    assert (status, err) == (0, "")
    assert out.startswith("\nA general truce could be declared as early as April 20. [1]")
    assert "[1] The Dnipro Ledger · 19 April 2025 · After Paris: truce possible by April 20" in out
    assert "\n    “A general truce could be declared as early as April 20.”\n" in out
    assert "\n    https://dniproledger.example/news/truce-minerals-dates\n" in out
    status, out, _ = run("ask", "Who won the Champions League final?")
    assert status == 0
    assert out.startswith("\nThe archive does not answer this question.\n\nClosest in the archive\n")


def test_ask_search_and_articles_as_json(run: Run) -> None:
    answer = document(run("ask", "When could a general truce be declared?", "--json", "--top", "2"))
    assert answer["answered"] is True
    assert len(answer["retrieved"]) == 2
    hits = document(run("search", "minerals", "--top", "1", "--since", "2025-04-19", "--json"))["hits"]
    assert [(h["article_id"], h["outlet"], h["published"]) for h in hits] == [
        ("truce-minerals", "The Dnipro Ledger", "2025-04-19")
    ]
    shown = document(run("articles", "show", "truce-minerals", "--json"))
    assert shown["text"][hits[0]["start"] : hits[0]["end"]] == hits[0]["text"]
    listed = document(run("articles", "list", "--json"))["articles"]
    assert len(listed) == 6
    assert set(listed[0]) == {"id", "title", "outlet", "published", "url", "characters", "passages", "language"}
    related = {"copy_of", "carried_by", "story", "corrected_by", "corrects", "changes"}
    assert set(shown) == {*listed[0], "authors", "language", "pages", "text", *related}


def test_lists_for_people(run: Run) -> None:
    assert "After Paris: truce possible" in run("articles", "list")[1]
    assert run("articles", "show", "jeddah-ceasefire")[1].startswith(
        "Ukraine accepts US ceasefire proposal in Jeddah\n"
    )
    assert "1. The Dnipro Ledger · 19 April 2025" in run("search", "minerals deal")[1]
    assert run("search", "minerals", "--since", "2030-01-01")[1] == "Nothing found.\n"


def test_doctor(run: Run) -> None:
    health = document(run("doctor", "--json"))
    assert health == {"ok": True, "articles": 6, "passages": 7, "dense": 7, "lexical": 7, "problems": []}
    assert "sound" in run("doctor")[1]


def test_a_lost_index_makes_the_doctor_report_then_repair(run: Run, archive: Path, tmp_path: Path) -> None:
    data = tmp_path / "copy"
    shutil.copytree(archive, data)
    shutil.rmtree(next(data.glob("lexical-*")))
    report = document(run("doctor", "--json", data=data), status=1)
    assert (report["ok"], report["lexical"]) == (False, 0)
    assert document(run("doctor", "--repair", "--json", data=data))["ok"] is True


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ask", ""), "the question is empty: ask something in words"),
        (("ask", "word " * 10_000), "the question has 10,000 words: ask in at most 300"),
        (("ask", "Who?", "--top", "0"), "top is 0: use 1 to 100"),
        (("ask", "Who?", "--since", "never"), "'never' is not a date: write it as YYYY-MM-DD"),
        (("ask", "Who?", "--llm", "gpt"), "--llm gpt is not understood: use quotes, llamacpp:"),
        (("ask",), "the following arguments are required: QUESTION (see copydesk ask --help)"),
        (("fly",), "argument COMMAND: invalid choice: 'fly'"),
        (("articles", "show", "none"), "no article has the id none: copydesk articles list prints the ids"),
        (("articles", "remove"), "articles remove needs an id: articles list prints them"),
        (("eval", "a.jsonl", "b.jsonl", "--out", "out"), "eval takes one file of questions and --out DIR, or: compare"),
        (("eval", "none.jsonl"), "eval takes one file of questions and --out DIR, or: compare DIR DIR"),
        (("eval", "compare", "a", "b"), "a holds no run (results.jsonl: No such file or directory)"),
        (
            ("eval", "q", "--out", "out", "--fail-under", "hits=1"),
            "argument --fail-under: no metric hits: use hit_at_1",
        ),
        (
            ("eval", "q", "--out", "out", "--fail-under", "x"),
            "argument --fail-under: 'x' is not METRIC=NUMBER,METRIC=NUMBER",
        ),
        (("eval", "none.jsonl", "--out", "out"), "none.jsonl cannot be read: No such file or directory"),
        (("serve", "--port", "99999"), "cannot listen on 127.0.0.1:99999 "),
    ],
)
def test_what_cannot_be_done_is_one_line(run: Run, words: tuple[str, ...], message: str) -> None:
    assert refused(run(*words)).startswith(message)


def test_another_encoder(run: Run, archive: Path) -> None:
    assert refused(run("ask", "Who?", "--encoder", "other")) == (
        f"{archive} was built with the encoder all-MiniLM-L6-v2, not other: "
        "open it with --encoder all-MiniLM-L6-v2, or change it: copydesk reencode --encoder other"
    )


def test_places_that_cannot_be_written(run: Run) -> None:
    assert refused(run("ingest", str(SEEDS), data=Path("/dev/null/x"))) == (
        "/dev/null/x cannot be created: Not a directory"
    )


def test_no_archive_is_not_an_empty_one(run: Run, tmp_path: Path) -> None:
    missing = tmp_path / "none"
    for words in (("ask", "Who?"), ("search", "x"), ("articles", "list"), ("doctor",)):
        message = f"no archive at {missing}: copydesk ingest makes one, --data names another"
        assert refused(run(*words, data=missing)) == message
    assert not missing.exists()
    assert main(["--data", "", "doctor"]) == 2


def test_a_choice_and_the_day_it_is_asked(run: Run) -> None:
    words = ("ask", "In which city did Ukraine accept a ceasefire this week?", "--asked", "2025-03-12")
    _, out, _ = run(*words, "--choice", "Geneva", "--choice", "Jeddah")
    assert "\nChoice: Jeddah\n" in out
    assert document(run(*words, "--choice", "Geneva", "--choice", "Jeddah", "--json"))["choice"] == "Jeddah"
    assert document(run("search", *words[1:], "--json"))["hits"][0]["published"] == "2025-03-12"


def test_an_archive_in_use(run: Run, archive: Path, encoder: Encoder) -> None:
    with Desk(archive, encoder):
        assert refused(run("articles", "remove", "a")) == (
            f"the archive {archive} is in use by process {os.getpid()}: stop it or wait for it"
        )


def test_eval_measures_the_seeds(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    summary = document(run("eval", str(SEEDS / "questions.jsonl"), "--out", str(out), "--json"))
    assert summary["questions"] == 26
    assert summary["quote_exact"] == summary["hit_at_10"] == 1.0
    assert json.loads((out / "summary.json").read_text()) == summary
    rows = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [f"seed-{n:02}" for n in range(1, 27)]
    report = (out / "report.html").read_text()
    assert "Who won the Champions League final?" in report
    assert "http" not in report.split("</style>")[0]
    assert (out / "run.trec").read_text().startswith("seed-01 Q0 ")
    assert re.match(r"seed-01 0 \S+ 1\n", (out / "qrels.trec").read_text())
    status, table, _ = run("eval", "compare", str(out), str(out))
    assert status == 0
    assert re.search(r"hit_at_10 +100.0% → 100.0% +\+0.000 … \+0.000 +\+0 -0 +p 1.000 +same", table)
    compared = document(run("eval", "compare", str(out), str(out), "--json"))
    assert compared["metrics"]["answer_contained"]["verdict"] == "same"
    limits = "hit_at_10=1,seconds_p50=0.001,choice_accuracy=.5"
    status, _, err = run("eval", str(SEEDS / "questions.jsonl"), "--out", str(out), "--fail-under", limits)
    assert status == 1
    assert re.fullmatch(r"seconds_p50 is .* s, the limit 0.00 s\nchoice_accuracy cannot be told: no question .*\n", err)


def test_eval_of_a_public_set_brings_its_articles(run: Run, tmp_path: Path) -> None:
    asked = {
        "id": "q",
        "question": "Who leads the team of inspectors?",
        "answers": ["Ada Lind"],
        "is_impossible": False,
    }
    row = asked | {"title": "Inspectors", "context": "Ada Lind leads the team of inspectors. They arrived on Monday."}
    (tmp_path / "squad.jsonl").write_text(json.dumps(row))
    out = tmp_path / "out"
    summary = document(run("eval", "--format", "squad2", str(tmp_path / "squad.jsonl"), "--out", str(out), "--json"))
    assert (summary["questions"], summary["hit_at_1"], summary["answer_contained"]) == (1, 1.0, 1.0)
    assert (out / "archive" / "archive.sqlite3").exists()


def test_the_module_is_the_command(archive: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qa", "--data", str(archive), "articles", "list", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert len(json.loads(result.stdout)["articles"]) == 6
    assert result.stderr == ""


def test_the_examples_of_the_readme_have_an_answer_in_the_seeds(run: Run) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    asked = re.findall(r'^copydesk (ask .*)$|(?:make ask Q=|Ask )"([^"]*)"', readme, re.M)
    questions = [shlex.split(command) if command else ["ask", question] for command, question in asked]
    assert len(questions) >= 4
    for words in questions:
        words = words[: words.index("--llm")] if "--llm" in words else words
        status, out, _ = run(*words, "--json")
        assert (status, json.loads(out)["answered"]) == (0, True), words


def test_an_encoder_that_is_none_leaves_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "new"), "ingest", str(SEEDS), "--encoder", "nosuch"]) == 2
    assert "encoder 'nosuch' is not bundled (multilingual, english, english-int8)" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
