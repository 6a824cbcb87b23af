"""Articles that are found at once by their words, and encoded later: as if they had been encoded at once."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest
from conftest import REPOSITORY, SEEDS, serving
from test_reencode import SEED, WHOLE, Quick, assert_whole, rows, write
from test_served import Server

from index.alongside.readonly import ReadOnlyIndex
from index.encoder import Encoder
from index.encoder.reencode import reencode
from index.encoder.waiting import TEXTS, encode_waiting, left
from index.ingest import ingest
from index.search import search
from index.sync import Index
from index.types import Filters, Query
from qa import Desk
from qa.doors.cli import main
from qa.page.archive import view
from qa.service import User, open_service

BOTH = True
QUESTIONS = [Query("Which council sold the mill?"), Query("harbour storm", Filters(outlets=("Post 1",))), Query("tram")]


def found(index: Index) -> list[list[tuple[str, float]]]:
    """Return what is found for some questions."""
    return [[(hit.passage.id, round(hit.score, 4)) for hit in search(index, query, 10)] for query in QUESTIONS]


def derived(index: Index) -> list[object]:
    """Return the passages, the vectors and what is derived of them, save when it was."""
    stories = "SELECT article_id, earlier FROM stories ORDER BY 1"
    queries = 'SELECT id, start, "end", vector FROM passages ORDER BY 1', "SELECT key, vector FROM vectors ORDER BY 1"
    signs = "SELECT article_id, ids, bits FROM signs ORDER BY 1"
    return [[tuple(map(str, row)) for row in index.archive.read(query)] for query in (*queries, signs, stories)]


def test_what_is_encoded_later_is_as_if_it_had_been_at_once(index: Index, tmp_path: Path, encoder: Encoder) -> None:
    first, second = write(tmp_path / "1.jsonl", rows(0, 6)), write(tmp_path / "2.jsonl", rows(6, 9))
    changed = write(tmp_path / "3.jsonl", [{**rows(2, 3)[0], "text": "The ferry of Harlow came late."}])
    with Index(tmp_path / "plain", encoder) as plain:
        for path in (first, second, changed):
            ingest(plain, [path])
        plain.remove(["a4", "a7"])
        expected, whole = found(plain), derived(plain)
    ingest(index, [first])
    report = ingest(index, [second], quick=True)
    assert (report.added, index.archive.waiting()) == (3, report.passages)
    assert left(index).startswith(f"{report.passages} passages wait for their vectors")
    assert {a.id for a, _ in index.archive.passages([key for key, _ in found(index)[0]]).values()} & {"a6", "a7", "a8"}
    assert ingest(index, [second], quick=True).unchanged == 3
    ingest(index, [changed], quick=True)  # an earlier version keeps its vectors
    index.remove(["a4", "a7"])
    assert index.doctor().problems == []
    assert encode_waiting(index) > 0
    assert (index.archive.waiting(), left(index), encode_waiting(index)) == (0, "", 0)
    assert found(index) == expected
    assert derived(index) == whole
    assert index.doctor().problems == []


def test_the_newest_are_encoded_first_and_each_text_once(tmp_path: Path) -> None:
    with Index(tmp_path / "archive", old := Quick("old")) as index:
        ingest(index, [write(tmp_path / "in.jsonl", rows(0, 30))], quick=True)
        assert (old.texts, index.archive.waiting(), len(index.dense), len(index.lexical)) == ([], 300, 0, 300)
        assert len(search(index, QUESTIONS[0])) > 10
        with ReadOnlyIndex(tmp_path / "archive", old) as beside:
            assert found(beside) == found(index)
        stop = Event()
        encode_waiting(index, lambda *_: stop.set(), stop)
        days = [text.split(", ")[2].split("\n")[0] for text in old.texts]
        assert days == sorted(days, reverse=True, key=lambda day: time.strptime(day, "%d %B %Y"))
        assert index.archive.waiting() == 300 - TEXTS == 300 - len(index.dense)
        old.texts.clear()
        # What is ingested otherwise meanwhile brings its vector to all that wait for it.
        twin = {**rows(0, 1)[0], "id": "twin"}
        ingest(index, [write(tmp_path / "twin.jsonl", [twin])])
        assert len(old.texts) == 10
        assert index.archive.waiting() == 300 - TEXTS - 10
        assert len(index.dense) == TEXTS + 20
        assert index.doctor().problems == []
    with Index(tmp_path / "archive", old) as index:
        ingest(index, [write(tmp_path / "twin.jsonl", [{**twin, "title": "Other"}])], quick=True)  # ids stay
        assert index.archive.waiting() == 300 - TEXTS
        assert index.doctor().problems == []
        encode_waiting(index)
        assert len(old.texts) == len({*old.texts}) == 300 - TEXTS + 10
        assert_whole(index, old)


def test_another_encoder_finds_nothing_left(tmp_path: Path) -> None:
    with Index(tmp_path / "archive", Quick("old")) as index:
        ingest(index, [write(tmp_path / "in.jsonl", rows(0, 3))], quick=True)
        reencode(index, new := Quick("new", 48))
        assert (index.archive.waiting(), len(new.texts)) == (0, 30)
        assert_whole(index, new)
        ingest(index, [write(tmp_path / "more.jsonl", rows(3, 5))], quick=True)
        assert encode_waiting(index) == 20
        assert_whole(index, new)


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from test_reencode import Quick
from index.encoder.waiting import encode_waiting
from index.ingest import ingest
from index.sync import Index
with Index(sys.argv[1], Quick("old", log=Path(sys.argv[2]), wait=.2)) as index:
    print("held", flush=True)
    ingest(index, [sys.argv[3]], quick=True)
    encode_waiting(index)
"""


@pytest.mark.torture
def test_a_process_that_is_killed_goes_on(tmp_path: Path) -> None:
    """At any moment: while articles are written, between that and their encoding, and amid it."""
    print(f"seed {SEED}")
    chance, source = random.Random(SEED), write(tmp_path / "in.jsonl", rows(0, 60))
    with Index(tmp_path / "plain", Quick("old")) as plain:
        ingest(plain, [source])
        expected, whole = found(plain), derived(plain)
    for number in range(20 if WHOLE else 3):
        data, log = tmp_path / f"{number}", tmp_path / f"{number}.log"
        command = [sys.executable, "-c", SCRIPT, str(data), str(log), str(source)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=REPOSITORY) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(chance.uniform(0.1, 3))
            process.send_signal(signal.SIGKILL)
        encoded = log.read_text().splitlines() if log.exists() else []
        with Index(data, old := Quick("old")) as index:
            ingest(index, [source], quick=True)
            assert index.archive.waiting() + len(index.dense) == len(index.lexical) == 600, (SEED, number)
            assert search(index, QUESTIONS[0]), (SEED, number)
            encode_waiting(index)
            assert 0 <= len(encoded) + len(old.texts) - 600 <= TEXTS, (SEED, number)
            assert (found(index), derived(index)) == (expected, whole), (SEED, number)
            assert_whole(index, old)
        shutil.rmtree(data)


@pytest.fixture
def chroma(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "chroma")
    yield server
    server.kill()


def test_vectors_by_address_come_later_too(tmp_path: Path, chroma: Server) -> None:
    with Index(tmp_path / "archive", Quick("old"), vectors=chroma.address) as index:
        ingest(index, [write(tmp_path / "in.jsonl", rows(0, 3))], quick=True)
        assert (len(index.dense), len(index.lexical)) == (0, 30)
        assert search(index, QUESTIONS[0])
        encode_waiting(index)
        assert len(index.dense) == 30
        assert index.doctor().problems == []


def test_commands_tell_what_waits_and_a_service_encodes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "archive"), "--json"]
    assert main([*data, "ingest", str(SEEDS), "--quick"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["waiting"] == json.loads(said.out)["passages"]
    assert "passages wait for their vectors, and are found by words alone: copydesk encode goes on" in said.err
    assert main([*data, "doctor"]) == 0
    health = json.loads(capsys.readouterr().out)
    assert (health["ok"], health["dense"], health["waiting"]) == (True, 0, health["passages"])
    with Desk(tmp_path / "archive") as desk:
        assert desk.ask("What was discussed in Paris?").answered
    shutil.copytree(tmp_path / "archive", tmp_path / "served")
    assert main([*data, "encode"]) == 0
    assert json.loads(capsys.readouterr().out) == {"encoded": health["waiting"], "waiting": 0}
    assert main(["--data", str(tmp_path / "new"), "ingest", str(SEEDS), "--quick"]) == 0
    assert "wait to be encoded: copydesk serve does so, or copydesk encode" in capsys.readouterr().out.replace(
        "\n", " "
    )
    with Desk(tmp_path / "new") as desk:
        page = view(open_service(desk, ()), User(), {"tab": "archive"})
        assert f"{desk.index.archive.waiting()} passages are not encoded yet, and are found by words alone" in page
    with serving(tmp_path / "served") as address:
        for _ in range(300):
            if "waiting" not in httpx.get(f"{address}/healthz").json():
                break
            time.sleep(0.1)
        assert "copydesk_passages_waiting 0.0" in httpx.get(f"{address}/metrics").text
    with Index(tmp_path / "archive") as here, Index(tmp_path / "served") as there:
        assert derived(here) == derived(there)
        assert here.archive.waiting() == there.archive.waiting() == 0
