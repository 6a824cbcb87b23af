"""Versions: a question as of a day is answered from what stood then, any other from what stands now."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import BEFORE_4

from index.archive import Archive
from index.encoder import Encoder
from index.ingest import ingest
from index.search import search
from index.sync import Index
from index.types import BadInput, Filters, Query, UnknownArticle
from qa import Desk
from qa.doors.cli import main
from qa.types import Answer
from qa.web.app import build_app

TODAY = datetime.now(UTC).date()
BEFORE = TODAY - timedelta(days=1)
QUESTION = "How many people were injured in the Lund tram crash?"
FIRST = "Seven people were injured in the Lund tram crash."
SECOND = "Nine people were injured in the Lund tram crash."
CRASH = {"id": "crash", "title": "Tram crash in Lund", "outlet": "Skåne Post", "published": "2025-03-03"}
OTHER = {"id": "rain", "title": "Rain", "outlet": "Skåne Post", "published": "2025-02-01", "text": "Rain fell on Lund."}
BOTH = True  # databases


def put(into: Desk | Index, folder: Path, *rows: dict[str, str | None]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    index = into.index if isinstance(into, Desk) else into
    ingest(index, [folder])


def told(into: Desk | Index, question: str = QUESTION, **filters: object) -> list[tuple[str, str]]:
    """What a search finds of the crash: ids and texts."""
    index = into.index if isinstance(into, Desk) else into
    hits = search(index, Query(question, Filters(**filters)))  # type: ignore[arg-type]
    return [(hit.article.id, hit.text) for hit in hits if hit.article.id.startswith("crash")]


def as_of(into: Desk | Index, day: date) -> list[tuple[str, str]]:
    return told(into, as_of=day, until=day)


def holds(desk: Desk, answer: Answer) -> bool:
    return bool(answer.citations) and all(
        desk.show(c.article_id)[c.field][c.start : c.end] == c.quote for c in answer.citations
    )


@pytest.fixture
def changed(desk: Desk, tmp_path: Path) -> Desk:
    """A desk whose article said seven, and says nine since today."""
    put(desk, tmp_path / "in", {**CRASH, "text": FIRST}, OTHER)
    put(desk, tmp_path / "in", {**CRASH, "text": SECOND}, OTHER)
    return desk


def test_an_answer_is_from_the_version_that_stood_then(changed: Desk) -> None:
    then = changed.ask(QUESTION, as_of=BEFORE)
    assert then.sentences[0].text == FIRST
    assert then.citations[0].article_id == "crash@1"
    assert holds(changed, then)
    for now in (changed.ask(QUESTION), changed.ask(QUESTION, as_of=TODAY), changed.ask(QUESTION, until=BEFORE)):
        assert now.sentences[0].text == SECOND
        assert now.citations[0].article_id == "crash"
        assert holds(changed, now)
        assert "Seven" not in json.dumps([hit.text for hit in now.retrieved])
    assert not changed.ask(QUESTION, as_of="2025-03-02").answered
    timeline = changed.timeline("timeline of the Lund tram crash", as_of=BEFORE)
    assert [event.text for event in timeline.events] == [FIRST]


def test_a_version_of_a_later_day_stands_from_that_day(index: Index, tmp_path: Path) -> None:
    put(index, tmp_path / "in", {**CRASH, "text": FIRST})
    put(index, tmp_path / "in", {**CRASH, "text": SECOND, "published": "2025-03-05"})
    assert as_of(index, date(2025, 3, 2)) == []
    assert as_of(index, date(2025, 3, 3)) == as_of(index, date(2025, 3, 4)) == [("crash@1", FIRST)]
    assert as_of(index, date(2025, 3, 5)) == told(index) == [("crash", SECOND)]


def test_of_many_versions_one_stands_on_each_day(index: Index, tmp_path: Path) -> None:
    """The third was published before the second, so it stands since it was ingested, and the fourth on the same day."""
    texts = [f"{number} people were injured in the Lund tram crash." for number in ("Two", "Three", "Four", "Five")]
    for text, day in zip(texts, ("03", "05", "04", "04"), strict=True):
        put(index, tmp_path / "in", {**CRASH, "text": text, "published": f"2025-03-{day}"})
    stood = [as_of(index, date(2025, 3, day)) for day in range(2, 8)]
    first, second = [("crash@1", texts[0])], [("crash@2", texts[1])]
    assert stood == [[], first, first, second, second, second]
    assert as_of(index, BEFORE) == second
    assert as_of(index, TODAY) == told(index) == [("crash", texts[3])]
    assert index.doctor().ok


def test_a_version_that_takes_an_earlier_text_up_again(index: Index, tmp_path: Path) -> None:
    for text, day in ((FIRST, "03"), (SECOND, "04"), (FIRST, "05")):
        put(index, tmp_path / "in", {**CRASH, "text": text, "published": f"2025-03-{day}"})
    stood = [as_of(index, date(2025, 3, day)) for day in (3, 4, 5)]
    assert stood == [[("crash@1", FIRST)], [("crash@2", SECOND)], [("crash", FIRST)]]


def test_undated_articles_stand_on_no_day(index: Index, tmp_path: Path) -> None:
    undated = {**CRASH, "published": None}
    put(index, tmp_path / "in", {**undated, "text": FIRST})
    put(index, tmp_path / "in", {**undated, "text": SECOND})
    assert as_of(index, BEFORE) == as_of(index, TODAY) == []
    assert told(index) == [("crash", SECOND)]
    put(index, tmp_path / "in", {**CRASH, "text": SECOND})  # its day is known now: it is the first that stands
    assert as_of(index, date(2025, 3, 3)) == told(index) == [("crash", SECOND)]


def test_filters_hold_of_the_version_and_add_nothing_to_scores(index: Index, tmp_path: Path) -> None:
    put(index, tmp_path / "in", {**CRASH, "text": FIRST}, OTHER)
    put(index, tmp_path / "in", {**CRASH, "text": FIRST, "outlet": "Lund Times"}, OTHER)
    assert as_of(index, BEFORE) == [("crash@1", FIRST)]
    assert told(index, as_of=BEFORE, outlets=("Lund Times",)) == []
    assert told(index, as_of=BEFORE, outlets=("Skåne Post",)) == [("crash@1", FIRST)]
    now, then = (index.lexical.search(QUESTION, 9, Filters(as_of=day)) for day in (None, BEFORE))
    assert [score for _, score in now] == pytest.approx([score for _, score in then])


def test_counts_are_of_what_stands(changed: Desk) -> None:
    health = changed.index.doctor()
    assert (health.ok, health.articles, health.passages, health.dense, health.lexical) == (True, 2, 2, 2, 2)
    assert [(a["id"], a["passages"]) for a in changed.articles()] == [("crash", 1), ("rain", 1)]
    assert changed.index.archive.counts() == (2, 2)


@pytest.mark.parametrize("name", ["dense", "lexical"])
def test_an_index_that_was_lost_has_earlier_versions_again(tmp_path: Path, encoder: Encoder, name: str) -> None:
    with Index(tmp_path / "archive", encoder) as index:
        put(index, tmp_path / "in", {**CRASH, "text": FIRST}, OTHER)
        put(index, tmp_path / "in", {**CRASH, "text": SECOND}, OTHER)
    for path in (tmp_path / "archive" / f"{name}-1").rglob("*"):
        if path.is_file():
            path.write_bytes(b"damaged" * 100)
    with Index(tmp_path / "archive", encoder) as index:
        assert not index.doctor().ok
        assert index.doctor(repair=True).ok
        assert as_of(index, BEFORE) == [("crash@1", FIRST)]
        assert told(index) == [("crash", SECOND)]


def test_removing_an_article_removes_its_versions(changed: Desk) -> None:
    for one in ("crash@1", "crash@2"):
        with pytest.raises(BadInput, match=f"{one} is one version: remove the article, which removes all of them"):
            changed.remove(one)
    assert changed.remove("crash") == 1
    assert told(changed) == as_of(changed, BEFORE) == []
    assert changed.index.archive.read("SELECT count(*) FROM vectors") == [(1,)]
    assert changed.index.archive.read("SELECT count(*) FROM passages") == [(1,)]
    assert changed.index.doctor().ok
    with pytest.raises(UnknownArticle):
        changed.show("crash@1")


CHANGED = """
import os, signal, sys
from index.ingest import ingest
from index.sync import Index
Index.catch_up = lambda self: os.kill(os.getpid(), signal.SIGKILL)  # between the archive and what is derived from it
with Index(sys.argv[1]) as opened:
    ingest(opened, [sys.argv[2]])
"""


def test_a_process_killed_between_archive_and_indexes(tmp_path: Path, encoder: Encoder) -> None:
    with Index(tmp_path / "archive", encoder) as index:
        put(index, tmp_path / "in", {**CRASH, "text": FIRST}, OTHER)
    (tmp_path / "in" / "rows.jsonl").write_text(json.dumps({**CRASH, "text": SECOND}) + "\n")
    command = [sys.executable, "-c", CHANGED, str(tmp_path / "archive"), str(tmp_path / "in")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    with Index(tmp_path / "archive", encoder) as index:
        assert told(index) == [("crash", SECOND)]
        assert as_of(index, BEFORE) == [("crash@1", FIRST)]
        index.catch_up()
        assert index.doctor().ok


def test_each_version_has_an_address(changed: Desk) -> None:
    texts = {key: changed.show(key)["text"] for key in ("crash@1", "crash@2", "crash")}
    assert texts == {"crash@1": FIRST, "crash@2": SECOND, "crash": SECOND}
    shown = changed.show("crash@1")
    assert (shown["id"], shown["characters"]) == ("crash@1", len(FIRST))
    assert shown["story"] == changed.show("crash")["story"]
    [(_, since, _)] = changed.index.archive.stood("crash")[-1:]
    assert since
    assert shown["changes"] == [{"before": FIRST, "after": SECOND, "since": since}]
    for unknown in ("crash@3", "crash@0", "crash@", "@1", "crash@x", "nobody@1", "crash@99999999999999999999"):
        with pytest.raises(UnknownArticle):
            changed.article(unknown)


def test_an_id_that_looks_like_a_version_is_an_article(changed: Desk, tmp_path: Path) -> None:
    own = {"id": "crash@1", "title": "Tram crash", "published": "2025-03-04", "text": "Trams run in Lund again."}
    put(changed, tmp_path / "more", own)
    assert changed.show("crash@1")["text"] == own["text"]
    assert as_of(changed, BEFORE) == [("crash@1", own["text"])]
    assert told(changed) == [("crash", SECOND), ("crash@1", own["text"])]
    assert changed.index.doctor().ok
    assert changed.remove("crash@1") == 1
    assert as_of(changed, BEFORE) == [("crash@1", FIRST)]


def test_what_an_article_says_of_its_mistake_is_not_known_before(desk: Desk, tmp_path: Path) -> None:
    put(desk, tmp_path / "in", {**CRASH, "text": FIRST})
    noted = f"{SECOND}\nCorrection: An earlier version of this article said that seven people were injured."
    put(desk, tmp_path / "in", {**CRASH, "text": noted})
    assert desk.index.ties("crash").wrong == ("seven",)
    assert desk.index.ties("crash@1").wrong == ()
    assert [one.id for one in desk.index.ties("crash@1").copies] == ["crash"]
    assert desk.ask(QUESTION, as_of=BEFORE).sentences[0].text == FIRST
    assert desk.ask(QUESTION).sentences[0].text == SECOND


def test_the_doors_show_a_version(changed: Desk) -> None:
    from fastapi.testclient import TestClient

    client = TestClient(build_app(changed), base_url="http://127.0.0.1")
    answer = client.post("/api/ask", json={"question": QUESTION, "as_of": str(BEFORE)}).json()
    [cited, *_] = answer["citations"]
    assert client.get(f"/api/articles/{cited['article_id']}").json()["text"] == FIRST
    page = client.get(f"/source/{cited['article_id']}", params={"start": cited["start"], "end": cited["end"]})
    assert f'<mark id="quote">{FIRST}</mark>' in page.text
    assert client.delete("/api/articles/crash@1").status_code == 400


def test_the_command_line_shows_a_version(changed: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    changed.close()
    folder = str(changed.index.folder)
    assert main(["--data", folder, "articles", "show", "crash@1"]) == 0
    assert capsys.readouterr().out.endswith(f"{FIRST}\n")
    assert main(["--data", folder, "ask", QUESTION, "--as-of", str(BEFORE)]) == 0
    assert FIRST in capsys.readouterr().out


def test_an_archive_of_an_older_format_knows_since_when_its_versions_stand(tmp_path: Path, encoder: Encoder) -> None:
    """Made by taking out of an archive what format 3 added: passages of earlier versions were not kept before."""
    path = tmp_path / "archive" / "archive.sqlite3"
    with Index(tmp_path / "archive", encoder) as index:
        put(index, tmp_path / "in", {**CRASH, "text": FIRST}, OTHER)
        put(index, tmp_path / "in", {**CRASH, "text": SECOND}, OTHER)
    with closing(sqlite3.connect(path)) as old:
        old.executescript(f"""{BEFORE_4}
            DELETE FROM passages WHERE version IS NOT NULL;
            DROP INDEX passages_version; DROP INDEX passages_earlier;
            CREATE INDEX passages_article ON passages (article_id);
            ALTER TABLE passages DROP COLUMN since; ALTER TABLE passages DROP COLUMN replaced;
            ALTER TABLE passages DROP COLUMN version; ALTER TABLE changes DROP COLUMN article_id;
            UPDATE meta SET value = '2' WHERE key = 'schema';
        """)
    with closing(sqlite3.connect(path)) as old:
        old.execute("UPDATE articles SET added = '2025-04-01T10:00:00+00:00' WHERE id = 'crash'")
        old.commit()
    archive = Archive(path)
    held = archive.passages(archive.passage_ids()).values()
    archive.close()
    assert {article.id: passage.since for article, passage in held} == {
        "crash": date(2025, 4, 1),
        "rain": date(2025, 2, 1),
    }
    with Index(tmp_path / "archive", encoder) as index:
        assert index.doctor(repair=True).ok  # its lexical index, too, is of the older format in truth
        assert told(index) == [("crash", SECOND)]
        assert as_of(index, date(2025, 3, 31)) == []
        assert as_of(index, date(2025, 4, 1)) == [("crash", SECOND)]
