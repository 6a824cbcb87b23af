"""Evaluations on the page: chosen or dropped, watched, stopped, compared; what you rated as questions."""

import json
import shutil
import time
from pathlib import Path

import pytest
from conftest import SEEDS, browsing
from test_views import complaints

from evals.page import Runs
from evals.questions import parse, read_questions
from evals.run import differences
from index.types import BadInput
from qa import Desk
from qa.kept import Kept, question_of
from qa.types import as_json

QUESTIONS = read_questions(SEEDS / "questions.jsonl")


def wait(runs: Runs) -> None:
    while runs.running:
        time.sleep(0.05)


def test_one_run_at_a_time_is_kept_and_can_be_stopped(seeded: Desk) -> None:
    runs = Runs(seeded)
    runs.start("seeds/questions.jsonl", QUESTIONS, "quotes")
    with pytest.raises(BadInput, match="is going on: stop it, or wait for its end"):
        runs.start("other", QUESTIONS, "quotes")
    while not runs.scores:
        time.sleep(0.01)
    assert seeded.ask("Who led the delegation?").question == "Who led the delegation?"  # meanwhile
    runs.stop.set()
    wait(runs)
    assert runs.said == f"stopped after {len(runs.scores)} of 26 questions"
    assert 0 < len(runs.scores) < 26
    first = runs.name
    time.sleep(1)  # a run is named by the second
    runs.start("seeds/questions.jsonl", QUESTIONS[:3], "quotes")
    wait(runs)
    assert (runs.said, len(runs.scores)) == ("", 3)
    out = seeded.index.folder / "evals" / runs.name
    assert json.loads((out / "summary.json").read_bytes())["questions"] == 3
    assert 0 < differences(seeded.index.folder / "evals" / first, out)["questions"] <= 3
    assert "of 26 questions that were asked" not in runs.shown(first, None)[-1]
    assert "Not finished: figures of the" in runs.shown(first, None)[-1]


def test_what_was_rated_is_a_question_file(seeded: Desk, tmp_path: Path) -> None:
    kept = Kept(tmp_path / "talks.sqlite3")
    talk = kept.begin("", "Jeddah").id
    good = seeded.ask("On what date did Ukraine accept a complete ceasefire in Jeddah?")
    refused = seeded.ask("Who won the Champions League final?")
    for answer in (good, good, good, refused):
        kept.add("", talk, {"question": answer.question, "outlets": []}, as_json(answer))
    ratings = (True, ()), (False, ("wrong answer",)), (False, ("should have refused", "wrong source")), (True, ())
    for n, (rating, faults) in enumerate(ratings, 1):
        kept.rate("", talk, n, rating, faults)
    right, wrong, unanswerable, none = (parse(question_of(turn)) for turn in kept.rated())
    phrase = good.sentences[0].answer
    assert phrase
    said = good.sentences[0].text[phrase.start : phrase.end]
    cited = {n for sentence in good.sentences for n in sentence.citations}
    assert right.answers == ((said,),)
    assert {*right.articles} == {c.article_id for c in good.citations if c.n in cited}
    assert (wrong.wrong, wrong.answers, wrong.articles) == ((said,), (), {})
    assert (unanswerable.answerable, unanswerable.articles) == (False, {})
    assert (none.answerable, none.answers, none.articles) == (False, (), {})
    assert len({right.id, wrong.id, unanswerable.id}) == 1  # the last rating of a question counts
    kept.close()


DROP = """(zone, text) => {
  const held = new DataTransfer();
  held.items.add(new File([text], "dropped.jsonl"));
  zone.dispatchEvent(new DragEvent("drop", { dataTransfer: held, bubbles: true, cancelable: true }));
}"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")
def test_questions_are_dropped_watched_and_compared(service: str, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    lines = (SEEDS / "questions.jsonl").read_text("utf-8").splitlines()[:4]
    (tmp_path / "bad.jsonl").write_text("\n".join([*lines[:2], "{"]))
    (tmp_path / "good.jsonl").write_text("\n".join(lines))
    with browsing(service) as page:
        page.goto(f"{service}/?tab=evaluate")
        page.get_by_text("Other questions").click()
        pick, run = page.locator(".takes input[type=file]"), page.get_by_role("button", name="Run", exact=True)
        pick.set_input_files(tmp_path / "bad.jsonl")
        expect(page.locator(".takes [role=status]")).to_have_text("bad.jsonl was read")
        run.click()
        expect(page.locator(".notice")).to_contain_text("what was dropped, line 3 is")
        page.locator(".takes").evaluate(DROP, (tmp_path / "good.jsonl").read_text("utf-8"))
        expect(page.locator(".takes [role=status]")).to_have_text("dropped.jsonl was read")
        assert pick.evaluate("field => field.files[0].name") == "dropped.jsonl"
        name = ""
        for _ in range(2):
            page.wait_for_timeout(1000)  # a run is named by the second
            run.click()
            expect(page.locator("progress")).to_be_visible(timeout=30_000)
            expect(page.get_by_text("4 of 4 questions were asked")).to_be_visible(timeout=60_000)
            expect(page.locator(".view h2").first).not_to_have_text(name)
            name = page.locator(".view h2").first.inner_text()
        other = page.get_by_label("Compared with")
        other.click()
        page.get_by_role("option").last.click()
        expect(page.locator(".grid .badge").first).to_have_text("same", timeout=30_000)
        assert complaints(page) == []
        page.reload()
        expect(page.locator(".view h2").first).to_have_text(name, timeout=30_000)
        expect(page.locator(".grid .badge").first).to_have_text("same")
