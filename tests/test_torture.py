"""Nothing is lost, doubled or left to be mended by hand, however processes end and in whatever order things happen."""

import gzip
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from conftest import BEFORE_4, LONG, REPOSITORY, serving
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from index.encoder import Encoder
from index.ingest import ingest
from index.search import search
from index.sync import Index
from index.types import Query
from qa import Desk
from qa.rerank import Reranker

WHOLE = os.environ.get("COPYDESK_TORTURE") == "1"
pytestmark = pytest.mark.torture


def rows(path: Path, texts: dict[str, str]) -> Path:
    path.write_text("".join(json.dumps({"id": key, "title": key, "text": text}) + "\n" for key, text in texts.items()))
    return path


def stored(index: Index) -> dict[str, str]:
    """Return the text of every article by id."""
    query = "SELECT id, text FROM articles JOIN texts USING (id, version)"
    return dict(index.archive.read(query))


def sound(index: Index) -> None:
    """All stores agree: the archive, both indexes and the tables."""
    health = index.doctor()
    assert health.problems == []
    assert health.passages == health.dense == health.lexical


def copydesk(data: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "qa", "--data", str(data), *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


KILLED = """
import sys
import index.ingest
from index.sync import Index
index.ingest.BATCH_CHARACTERS = 1500
what, data, source = sys.argv[1:]
with Index(data) as opened:
    print("open", flush=True)
    if what == "remove":
        for article_id in sorted(opened.archive.known())[::3]:
            opened.remove([article_id])
    elif what == "repair":
        for n in range(20):
            opened._rebuild("dense"), opened._rebuild("lexical")
    elif what == "watch":
        from threading import Event
        from index.sources import changes, watch, watched
        changes.QUIET, sources = 0, watched.Sources(opened.archive)
        sources.add(source)
        bring = lambda *given, **options: index.ingest.ingest(opened, *given, **options)
        [*watch.Watch(sources, bring, data, Event(), once=True, pause=0.1).looks()]
    else:
        index.ingest.ingest(opened, [source], prune=what == "prune")
"""
PADDING = " A clerk of the town wrote it down." * 5
WAYS = ("ingest", "remove", "prune", "repair", "watch")
PRUNING = ("prune", "watch")


def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path, encoder: Encoder) -> None:
    """What is killed is killed wherever it is; the next command works, and all that was written before is found."""
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    print(f"seed {seed}")
    source, number = tmp_path / "in.jsonl", 0
    texts: dict[str, str] = {}  # as the source has them
    for turn in range(50 if WHOLE else 1):
        what = WAYS[turn % len(WAYS)] if turn else "ingest"
        if what in ("ingest", *PRUNING):
            for key in rng.sample(sorted(texts), len(texts) // 3):
                if what in PRUNING:
                    del texts[key]
                else:
                    texts[key] += " It was changed."
            fresh = range(number, number := number + 40)
            texts |= {f"a{n:05}": f"The quay number{n} of Kelmouth was sold for grain.{PADDING}" for n in fresh}
        with Index(tmp_path / "archive", encoder) as index:
            before = stored(index)
        given = [sys.executable, "-c", KILLED, what, str(tmp_path / "archive"), str(rows(source, texts))]
        with subprocess.Popen(given, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"open\n"
            time.sleep(rng.uniform(0, 4))
            process.kill()
        with Index(tmp_path / "archive", encoder) as index:
            held = stored(index)
            assert index.archive.read("SELECT id FROM articles GROUP BY id HAVING count(*) > 1") == []
            if what in ("ingest", *PRUNING):
                lost = {key for key in before if key not in held}
                assert lost <= (before.keys() - texts.keys() if what in PRUNING else set())
                assert all(held[key] in (texts.get(key), before.get(key)) for key in held)
            else:
                assert held.items() <= before.items()
                assert len(held) == len(before) or what == "remove"
            for key in rng.sample(sorted(held), min(8, len(held))):
                with index.reading():  # as every question does
                    best = search(index, Query(f"number{int(key[1:])}"), 3)
                assert best[0].article.id == key
            if held:
                sound(index)
            ingest(index, [source], prune=True)
            assert stored(index) == texts
            sound(index)


WORDS = ("quarrel", "thistle", "harbour", "lantern", "copper", "meadow")  # and each text has a word of its own


class Model(RuleBasedStateMachine):
    """An archive against a dictionary."""

    encoder: Encoder

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="copydesk-model-"))
        self.index = Index(self.folder / "archive", self.encoder)
        self.texts: dict[str, str] = {}
        self.earlier: dict[str, int] = {}  # how many versions came before
        self.number = 0

    def text(self, word: str) -> str:
        self.number += 1
        return f"The {word} of Kelmouth met zq{self.number}x on Monday."

    def ingested(self, texts: dict[str, str], prune: bool = False) -> None:
        path = rows(self.folder / "in.jsonl", texts)
        report = ingest(self.index, [path], prune=prune)
        assert report.added == len(texts.keys() - self.texts.keys())
        assert report.changed == sum(self.texts.get(key, text) != text for key, text in texts.items())
        assert report.rejected == []
        for key in texts.keys() & self.texts.keys():
            self.earlier[key] += self.texts[key] != texts[key]
        gone = self.texts.keys() - texts.keys() if prune else set()
        assert sorted(report.removed_ids) == sorted(gone)
        self.texts = {key: text for key, text in {**self.texts, **texts}.items() if key not in gone}
        self.earlier = {key: self.earlier.get(key, 0) for key in self.texts}

    @initialize()
    def begin(self) -> None:
        self.ingested({"first": self.text("quay")})

    @rule(keys=st.sets(st.sampled_from("abcdefgh"), min_size=1, max_size=3), word=st.sampled_from(WORDS))
    def add_or_change(self, keys: set[str], word: str) -> None:
        self.ingested({key: self.text(word) for key in sorted(keys)})

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        if self.texts:
            key = data.draw(st.sampled_from(sorted(self.texts)))
            self.ingested({key: self.texts[key]})

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if self.texts:
            key = data.draw(st.sampled_from(sorted(self.texts)))
            self.index.remove([key])
            del self.texts[key], self.earlier[key]

    @rule(data=st.data(), word=st.sampled_from(WORDS))
    def prune(self, data: st.DataObject, word: str) -> None:
        kept = data.draw(st.sets(st.sampled_from(sorted(self.texts)))) if self.texts else set()
        self.ingested({key: self.texts[key] for key in sorted(kept)} | {"pruned": self.text(word)}, prune=True)

    @rule()
    def restart(self) -> None:
        self.index.close()
        self.index = Index(self.folder / "archive", self.encoder)

    @rule(data=st.data())
    def find(self, data: st.DataObject) -> None:
        if self.texts:
            key = data.draw(st.sampled_from(sorted(self.texts)))
            [word] = re.findall(r"zq\d+x", self.texts[key])
            found = [hit.text for hit in search(self.index, Query(word), 9)]
            assert found[0] == self.texts[key]
            assert sum(word in text for text in found) == 1

    @invariant()
    def the_same(self) -> None:
        assert stored(self.index) == self.texts
        versions = self.index.archive.read("SELECT id, count(*) FROM versions GROUP BY id")
        assert dict(versions) == {key: count for key, count in self.earlier.items() if count}
        assert len(self.index.dense) == len(self.index.lexical) == len(self.texts)

    def teardown(self) -> None:
        self.index.close()
        shutil.rmtree(self.folder)


def test_an_archive_is_what_a_dictionary_would_be(encoder: Encoder) -> None:
    Model.encoder = encoder
    sequences = settings(
        max_examples=500 if WHOLE else 8, stateful_step_count=12, deadline=None, print_blob=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Model, settings=sequences)


def spoilt(folder: Path, n: int) -> None:
    """Write a file of which no article can be made, in the n-th way."""
    ways = (
        ("txt", b""), ("txt", b"\x00\x01\x02\x7f" * 50), ("json", b'{"text": "cut o'), ("json", b'{"title": "None"}'),
        ("jsonl", b"[1, 2\n"), ("csv", b"a,b\n1,2\n"), ("md", b"---\ntitle: [\n---\nText.\n"), ("html", b"<p>"),
        ("jsonl.gz", gzip.compress(b'{"text": "Rain."}')[:-9]), ("docx", b"PK\x03\x04 no zip"), ("json", b'"words"'),
        ("txt", b" \n\t\n"), ("json", b'{"text": 7}'),
    )  # fmt: skip
    suffix, content = ways[n % len(ways)]
    (folder / f"bad-{n:05}.{suffix}").write_bytes(content)


def test_many_files_some_bad_and_stopped_three_times(tmp_path: Path, encoder: Encoder) -> None:
    every, bad = (10_000, 500) if WHOLE else (120, 15)
    (folder := tmp_path / "in").mkdir()
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    print(f"seed {seed}")
    numbers = set(rng.sample(range(every), bad))
    for n in range(every):
        if n in numbers:
            spoilt(folder, n)
        else:
            (folder / f"good-{n:05}.txt").write_text(f"Quay {n}\n\nQuay {n} was sold.")
    held = 0
    for signum in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(
            [sys.executable, "-c", STOPPED, "--data", str(tmp_path / "archive"), "ingest", str(folder), "--json"],
            cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            while held < counted(tmp_path / "archive") + 1 and process.poll() is None:
                if counted(tmp_path / "archive") > held:
                    break
                time.sleep(0.02)
            process.send_signal(signum)
            _, said = process.communicate()
            assert process.returncode in (-signum, 128 + signum, 1), said
        held = counted(tmp_path / "archive")
    with Index(tmp_path / "archive", encoder) as index:
        report = ingest(index, [folder])
        assert report.unchanged == held
        assert report.added + held == every - bad
        named = {Path(one.source.split(",")[0]).name for one in report.rejected}
        assert named == {path.name for path in folder.glob("bad-*")}
        assert all(one.reason for one in report.rejected)
        assert index.archive.counts()[0] == every - bad
        sound(index)


STOPPED = """
import sys
import index.ingest
index.ingest.BATCH_CHARACTERS = 600
from qa.doors.cli import main
sys.exit(main(sys.argv[1:]))
"""


def counted(data: Path) -> int:
    """Return how many articles an archive holds that another process may write."""
    import sqlite3

    try:
        with closing(sqlite3.connect(f"file:{data / 'archive.sqlite3'}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM articles").fetchone()[0])
    except sqlite3.OperationalError:  # not yet there
        return 0


def used(pid: int) -> tuple[int, int]:
    """Return the resident kilobytes and the open descriptors of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]), len(os.listdir(f"/proc/{pid}/fd"))


@LONG
def test_many_questions_leave_nothing_behind(tmp_path: Path, encoder: Encoder, reranker: Reranker) -> None:
    """Memory is compared with what is held once each cache has been filled."""
    questions, warm = (10_000, 1_500) if WHOLE else (60, 30)
    with Desk(tmp_path / "archive", encoder, reranker) as desk:
        texts = {f"a{n}": f"The quay number{n} of Kelmouth was sold to Ida Brandt. Rain fell." for n in range(40)}
        desk.ingest([rows(tmp_path / "in.jsonl", texts)])
    with serving(tmp_path / "archive") as address, httpx.Client() as client:
        pid = json.loads((tmp_path / "archive" / "owner.json").read_text())["pid"]
        known = (0, 0)
        for n in range(questions):
            asked = {"question": f"Who bought the quay number{n % 40} in year {n} of Kelmouth?", "stream": n % 3 == 0}
            assert client.post(f"{address}/api/ask", json=asked, timeout=60).status_code == 200
            if n == warm:
                known = used(pid)
            if n % 1000 == 0 or n == questions - 1:
                print(n, *used(pid))
        memory, descriptors = used(pid)
        assert memory <= known[0] * (1.05 if WHOLE else 1.15)  # a short run has not filled every cache
        assert descriptors <= known[1] + 2


@pytest.mark.parametrize("command", ["ask", "ingest"])
def test_an_archive_of_the_previous_release_opens(
    tmp_path: Path, encoder: Encoder, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    import sqlite3

    from qa.doors.cli import main

    source = rows(tmp_path / "in.jsonl", {"quay": "The quay of Kelmouth was sold to Ida Brandt on Monday."})
    with Index(tmp_path / "archive", encoder) as index:
        ingest(index, [source])
    with sqlite3.connect(tmp_path / "archive" / "archive.sqlite3") as db:
        db.executescript(BEFORE_4 + "UPDATE meta SET value = '3' WHERE key = 'schema'")
    db.close()
    words = ("ask", "Who was the quay of Kelmouth sold to?") if command == "ask" else ("ingest", str(source))
    assert main(["--data", str(tmp_path / "archive"), "--json", *words]) == 0
    said = json.loads(capsys.readouterr().out)
    assert "Ida Brandt" in said["text"] if command == "ask" else said["unchanged"] == 1
    with Index(tmp_path / "archive", encoder) as index:
        sound(index)
