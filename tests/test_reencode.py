"""Another encoder for an archive: cut off and gone on with, beside who asks and who writes, and its name."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from zlib import crc32

import httpx
import numpy as np
import pytest
from conftest import LONG, REPOSITORY, SEEDS, Run, running

from index.alongside.readonly import ReadOnlyIndex
from index.encoder import DEFAULT_ENCODER, INT8, MULTILINGUAL, Encoder, Symmetric, Vectors, full_name
from index.encoder.hub import SentenceTransformerEncoder
from index.encoder.reencode import reencode, remark, unfinished
from index.ingest import ingest
from index.search import search
from index.sync import Index
from index.tables import TABLES
from index.types import ArchiveError, BadInput, DiskError, ModelError, Query
from index.weights import bundled
from qa import Desk
from qa.doors.cli import main
from qa.rerank import Reranker

WORDS = ["harbour", "mill", "quarry", "council", "bridge", "storm", "ferry", "grain", "budget", "strike", "tram"]
WHOLE = bool(os.environ.get("COPYDESK_TORTURE"))
SEED = int(os.environ.get("COPYDESK_SEED", random.randrange(10**6)))


class Quick(Symmetric):
    """An encoder that keeps what it encoded, in a file too, and fails or waits when told to."""

    def __init__(self, name: str, size: int = 32, most: float = 1e9, log: Path | None = None, wait: float = 0) -> None:
        self.name, self.size, self.most, self.log, self.wait = name, size, most, log, wait
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        found = [np.random.default_rng(crc32(f"{self.name}{text}".encode())).normal(size=self.size) for text in texts]
        return np.array([one / np.linalg.norm(one) for one in found], np.float32).reshape(len(texts), self.size)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        if len(self.texts) + len(texts) > self.most:
            raise KeyboardInterrupt
        time.sleep(self.wait)
        self.texts += texts
        if self.log:
            with self.log.open("a") as log:
                log.writelines(json.dumps(text) + "\n" for text in texts)
        return self.encode(texts)

    def count(self, texts: Sequence[str]) -> list[int]:
        return [200] * len(texts)  # each sentence is a passage


def rows(first: int, last: int) -> list[dict[str, str]]:
    chance = random.Random(first)
    return [
        {"id": f"a{n}", "title": f"Report {n}", "outlet": f"Post {n % 3}", "published": f"2025-03-{n % 28 + 1:02}",
         "text": "\n".join(f"{' '.join(chance.choices(WORDS, k=9)).capitalize()} {n}." for _ in range(10))}
        for n in range(first, last)
    ]  # fmt: skip


def write(path: Path, articles: Sequence[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in articles))
    return path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive by the encoder `old`: 30 articles, 300 passages, and ten of an earlier version."""
    folder = tmp_path_factory.mktemp("built")
    with Index(folder / "archive", Quick("old")) as index:
        ingest(index, [write(folder / "in.jsonl", rows(0, 30))])
        ingest(index, [write(folder / "in.jsonl", [{**rows(0, 1)[0], "text": "The mill was sold."}])])
    return folder / "archive"


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "archive")


def places(index: Index) -> list[object]:
    return index.archive.read('SELECT id, article_id, start, "end", since, replaced, version FROM passages ORDER BY 1')


def assert_whole(index: Index, encoder: Quick) -> None:
    """Check that every passage has this encoder's vector, nothing else is kept, and all is sound."""
    assert index.archive.meta("encoder") == encoder.name
    ids = index.archive.passage_ids()
    texts = {key: f"{a.title}, {a.outlet}, {a.published:%d %B %Y}\n{a.text[p.start : p.end]}"
             for key, (a, p) in index.archive.passages(ids).items()}  # fmt: skip
    assert np.allclose(index.archive.vectors(ids), encoder.encode([texts[key] for key in ids]), atol=1e-6)
    assert index.archive.read("SELECT count(*) FROM vectors") == [(len({*texts.values()}),)]
    tables = {row[0] for row in index.archive.read("SELECT name FROM sqlite_master")}
    assert not {name for name in tables if "rekeyed" in name or "new" in name}
    assert unfinished(index) == ""
    hit = search(index, Query("Which council sold the mill?"))[0]
    assert texts[hit.passage.id]
    health = index.doctor()
    assert health.problems == []
    assert len([*index.folder.glob("dense-*")]) == 1


def test_an_archive_gets_another_encoder(folder: Path) -> None:
    with Index(folder, Quick("old")) as index:
        before = places(index)
        told: list[tuple[str, float]] = []
        done = reencode(index, new := Quick("new", 48), lambda *said: told.append(said))
        assert (done.encoder, done.before, done.passages, done.encoded, done.kept) == ("new", "old", 291, 301, 0)
        assert told[-1] == ("reencode", 1.0)
        assert [share for _, share in told] == sorted(share for _, share in told)
        assert sorted(new.texts) == sorted({*new.texts})
        assert places(index) == before
        assert_whole(index, new)
        ingest(index, [write(folder.parent / "more.jsonl", rows(40, 42))])
        assert len(new.texts) == 321
    with Index(folder, new) as index:  # a process that begins anew
        assert_whole(index, new)
        assert len(index.archive.passage_ids()) == 321
    with pytest.raises(ArchiveError, match=r"encoder new, not old: open it with .*: copydesk reencode --encoder old$"):
        Index(folder, Quick("old"))


def test_an_encoder_that_is_none_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not bundled"):
        Index(tmp_path, "nonsense")
    with Index(tmp_path) as index:
        assert index.archive.meta("encoder") is None


def test_what_was_cut_off_goes_on_and_encodes_nothing_twice(folder: Path) -> None:
    """With articles that come, change and go meanwhile."""
    with Index(folder, Quick("old")) as index:
        first = Quick("new", 48, most=150)
        with pytest.raises(KeyboardInterrupt):
            reencode(index, first)
        assert len(first.texts) == 128
        assert index.archive.meta("encoder") == "old"
        assert unfinished(index) == "encoding with new was cut off: copydesk reencode --encoder new goes on"
    source = folder.parent / "more.jsonl"
    with Index(folder, Quick("old")) as index:
        assert index.doctor().problems == []
        assert search(index, Query("Which council sold the mill?"))
        index.remove(["a0", "a1", "a25"])
        changed = {**rows(3, 4)[0], "text": "The ferry of Harlow came late. Nobody knows why."}
        ingest(index, [write(source, [*rows(1, 2), changed, *rows(40, 43)])])  # a1 again
        assert index.doctor().problems == []
        done = reencode(index, second := Quick("new", 48))
        assert done.kept == 128
        assert done.encoded == len(second.texts)
        assert not {*first.texts} & {*second.texts}
        assert len(second.texts) == len({*second.texts})
        assert_whole(index, second)


def test_what_another_encoder_began_is_dropped(folder: Path) -> None:
    with Index(folder, Quick("old")) as index:
        with pytest.raises(KeyboardInterrupt):
            reencode(index, Quick("new", most=150))
        with pytest.raises(ModelError):
            reencode(index, "nowhere/nothing")
        assert unfinished(index).startswith("encoding with new was cut off")
        with pytest.raises(BadInput, match=r"has the encoder old already: .*; what was begun with new is dropped$"):
            reencode(index, Quick("old"))
        with pytest.raises(BadInput, match=r"has the encoder old already: there is nothing to encode$"):
            reencode(index, Quick("old"))
        with pytest.raises(KeyboardInterrupt):
            reencode(index, Quick("new", most=150))
        assert reencode(index, Quick("other", 16)).kept == 0
        assert search(index, Query("Which council sold the mill?"))
        old = Quick("old")
        assert reencode(index, old).encoded == 301  # and back
        assert_whole(index, old)


def test_a_model_whose_vectors_are_longer_now(folder: Path) -> None:
    with Index(folder, Quick("old")) as index:
        with pytest.raises(KeyboardInterrupt):
            reencode(index, Quick("new", 48, most=150))
        with pytest.raises(ModelError, match=r"vectors have 49 numbers, those in .* 48: it is another model now"):
            reencode(index, Quick("new", 49))
    with Index(folder, Quick("old", 33)) as index:
        for use in (
            lambda: search(index, Query("Who?")),
            lambda: ingest(index, [write(folder.parent / "more.jsonl", rows(40, 42))]),
        ):
            with pytest.raises(ModelError, match=r"the encoder's vectors have 33 numbers, those in .* 32"):
                use()
        assert index.archive.counts()[0] == 30


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from test_reencode import Quick
from index.encoder.reencode import reencode
from index.sync import Index
from index.tables import TABLES
with Index(sys.argv[1], Quick("old")) as index:
    print("held", flush=True)
    reencode(index, Quick("new", 48, log=Path(sys.argv[2]), wait=.2))
"""


def cut_off(folder: Path, after: float, how: signal.Signals) -> bool:
    """Encode in another process until it is cut off; tell whether it had ended before."""
    command = [sys.executable, "-c", SCRIPT, str(folder), str(folder.parent / "log")]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "cwd": REPOSITORY}
    with subprocess.Popen(command, **pipe) as process:  # type: ignore[call-overload]
        process.stdout.readline()
        time.sleep(after)
        process.send_signal(how)
        process.communicate()
        return bool(process.returncode == 0)


@pytest.mark.torture
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT] if WHOLE else [signal.SIGKILL])
def test_a_process_that_is_killed_goes_on(folder: Path, how: signal.Signals) -> None:
    """At any moment, also while the new index is built and takes its place."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    for number in range(30 if WHOLE else 2):
        data = shutil.copytree(folder, folder.parent / f"{number}" / "archive")
        after = chance.uniform(0.3, 2.5) if number else 0.5
        ended = cut_off(data, after, how)
        log = data.parent / "log"
        encoded = log.read_text().splitlines() if log.exists() else []
        with closing(sqlite3.connect(data / "archive.sqlite3")) as db:
            [(name,)] = db.execute("SELECT value FROM meta WHERE key = 'encoder'")
        assert name == "new" or not ended, (SEED, number)
        with Index(data, Quick(name, 48 if name == "new" else 32)) as index:
            assert search(index, Query("Which council sold the mill?")), (SEED, number)
            if name == "old":
                reencode(index, new := Quick("new", 48))
                twice = len(encoded) + len(new.texts) - 301
                assert 0 <= twice <= 64, (SEED, number)  # what was encoded and not written yet
            assert_whole(index, Quick("new", 48))
        shutil.rmtree(data.parent)


def test_a_disk_that_is_full(folder: Path, tmp_path: Path) -> None:
    (disk := tmp_path / "disk").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1800k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    try:
        data = shutil.copytree(folder, disk / "archive")
        with (
            Index(data, Quick("old")) as index,
            pytest.raises(DiskError, match="no space left on the disk: make room there, or mend the disk, and run it"),
        ):
            reencode(index, Quick("new", 2048))
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        with Index(data, Quick("old")) as index:
            assert index.doctor().problems == []
            new = Quick("new", 2048)
            assert 0 < reencode(index, new).encoded < 301
            assert_whole(index, new)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_questions_are_answered_all_the_while(folder: Path, reranker: Reranker) -> None:
    """By the desk itself and by whoever reads alongside, from the old vectors until there are new ones."""
    asked: dict[str, int] = {"desk": 0, "beside": 0}
    faults: list[BaseException] = []
    ended = threading.Event()

    def asking(name: str, ask: Callable[[], object]) -> None:
        while not ended.is_set():
            try:
                assert ask()
                asked[name] += 1
            except BaseException as error:  # noqa: BLE001
                faults.append(error)
                return

    new = Quick("new", 48, wait=0.3)
    with (
        Desk(folder, Quick("old"), reranker) as desk, Late(folder, [Quick("old"), new]) as beside,
        ReadOnlyIndex(folder, Quick("old")) as named,
    ):  # fmt: skip
        question = Query("Which council sold the mill?")
        asks = {"desk": lambda: desk.search(question.text), "beside": lambda: _asked(beside, question)}
        threads = [threading.Thread(target=asking, args=one) for one in asks.items()]
        for thread in threads:
            thread.start()
        assert desk.reencode(new).encoded == 301
        meanwhile = dict(asked)
        time.sleep(0.5)
        ended.set()
        for thread in threads:
            thread.join()
        assert faults == []
        assert min(meanwhile.values()) > 0
        assert min(asked[name] - meanwhile[name] for name in asked) > 0
        assert beside.encoder.name == desk.index.encoder.name == "new"
        with pytest.raises(ArchiveError, match="built with the encoder new, not old"):
            _ = named.encoder
        assert_whole(desk.index, new)


class Late(ReadOnlyIndex):
    """Reads alongside with encoders that no name leads to."""

    def __init__(self, folder: Path, encoders: Sequence[Encoder]) -> None:
        self.by_name = {encoder.name: encoder for encoder in encoders}
        super().__init__(folder)

    @property
    def encoder(self) -> Encoder:
        self._check_encoder()
        self._encoder = self.by_name.get(self._encoder, self._encoder) if isinstance(self._encoder, str) else (
            self._encoder
        )  # fmt: skip
        assert not isinstance(self._encoder, str)
        return self._encoder


def _asked(index: Index, query: Query) -> object:
    with index.reading():
        return search(index, query)


def test_altered_passages_do_not_become_sound(folder: Path) -> None:
    (folder / "archive.sums").unlink()
    with closing(sqlite3.connect(folder / "archive.sqlite3")) as file, file:
        file.execute("UPDATE passages SET since = '1999-01-01' WHERE article_id = 'a3' AND start = 0")
    with Index(folder, Quick("old")) as index:
        reencode(index, Quick("new"))
        [problem] = index.doctor().problems
        assert problem.startswith("archive file: damaged are the articles a3; ")
    with closing(sqlite3.connect(folder / "archive.sqlite3")) as file, file:
        file.execute("DELETE FROM texts WHERE id = 'a3'")
    with (
        Index(folder, Quick("new")) as index,
        pytest.raises(ArchiveError, match=r"damaged.*copydesk doctor says where"),
    ):
        reencode(index, Quick("old"))


# The command, and names


def test_the_command_on_the_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str], encoder: Encoder) -> None:
    data = tmp_path / "archive"

    def run(*words: str, status: int = 0) -> tuple[str, str]:
        assert main(["--data", str(data), *words]) == status
        said = capsys.readouterr()
        return said.out, said.err

    missing = f"copydesk: no archive at {data}: copydesk ingest makes one, --data names another\n"
    assert run("reencode", "--encoder", "multilingual", status=2) == ("", missing)
    with Index(data, encoder) as index:
        ingest(index, [SEEDS])
    out, err = run("reencode", "--encoder", "multilingual", "--json")
    done = json.loads(out)
    assert err == ""
    assert done.pop("seconds") > 0
    assert done == {"encoder": MULTILINGUAL, "before": DEFAULT_ENCODER, "passages": 7, "encoded": 7, "kept": 0}
    assert json.loads(run("doctor", "--json")[0])["ok"]
    question = "Коли Україна погодилася на повне припинення вогню в Джидді?"
    for named in ((), ("--encoder", "multilingual"), ("--encoder", MULTILINGUAL)):  # its own, where none is named
        hits = json.loads(run("search", question, "--json", *named)[0])["hits"]
        assert "jeddah-ceasefire" in [hit["article_id"] for hit in hits[:4]]
    assert run("search", "Who?", "--encoder", "english", status=2)[1] == (
        f"copydesk: {data} was built with the encoder {MULTILINGUAL}, not {DEFAULT_ENCODER}: open it with --encoder "
        f"{MULTILINGUAL}, or change it: copydesk reencode --encoder {DEFAULT_ENCODER}\n"
    )
    assert run("reencode", "--encoder", "multilingual", status=2)[1] == (
        f"copydesk: {data} has the encoder {MULTILINGUAL} already: there is nothing to encode\n"
    )
    assert run("reencode", "--encoder", "none/such", status=2)[1] == (
        "copydesk: encoder 'none/such' is not bundled (multilingual, english, english-int8), not a local folder "
        "and not downloaded\n"
    )
    assert "reencode needs --encoder NAME: multilingual, english" in run("reencode", status=2)[1]
    with Desk(data) as desk:
        assert desk.index.encoder.name == MULTILINGUAL
    assert run("reencode", "--encoder", "english")[0].startswith("7 texts encoded in ")


def test_an_archive_goes_to_int8_and_back(tmp_path: Path, encoder: Encoder) -> None:
    question = "When did Ukraine agree to a full ceasefire in Jeddah?"

    def asked() -> tuple[str, Vectors, list[str]]:
        with Desk(tmp_path) as desk:  # opened with the encoder that it has
            vectors = desk.index.archive.vectors(desk.index.archive.passage_ids())
            return desk.index.encoder.name, vectors, [hit.passage.id for hit in search(desk.index, Query(question))]

    with Desk(tmp_path, "english-int8") as desk:
        desk.ingest([SEEDS])
    name, before, found = asked()
    assert name == INT8
    with Desk(tmp_path) as desk:
        done = desk.reencode("english")
        assert (done.before, done.encoder, done.encoded) == (INT8, DEFAULT_ENCODER, 7)
    name, whole, same = asked()
    assert (name, same[0]) == (DEFAULT_ENCODER, found[0])
    assert 0.98 < (before * whole).sum(axis=1).min() < 0.9999
    with Desk(tmp_path) as desk:
        assert desk.reencode("english-int8").encoder == INT8
        assert desk.index.doctor().problems == []
    name, again, _ = asked()
    assert name == INT8
    assert (again == before).all()


def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    names = {"multilingual": MULTILINGUAL, "english": DEFAULT_ENCODER, DEFAULT_ENCODER: DEFAULT_ENCODER,
             "english-int8": INT8, INT8: INT8, "model": str(tmp_path / "model"), "org/model": "org/model",
             "openai:a//b": "openai:a//b"}  # fmt: skip
    assert {name: full_name(name) for name in names} == names
    with Index(tmp_path / "archive", "multilingual") as index:
        assert index.archive.meta("encoder") == MULTILINGUAL
    for held in (MULTILINGUAL, "multilingual"):  # as earlier archives have it
        for name in ("multilingual", MULTILINGUAL, None):
            with Index(tmp_path / "archive", name) as index:
                index.archive.set_meta("encoder", held)
                index._check_encoder()


def test_the_prompts_of_a_model_of_ones_own(tmp_path: Path) -> None:
    folder = shutil.copytree(bundled(DEFAULT_ENCODER) or "", tmp_path / "model")
    plain = SentenceTransformerEncoder(str(folder))
    texts = ["What broke the pier?", "A storm broke the pier."]
    assert np.allclose(plain.encode_query(texts), plain.encode_document(texts))
    config = folder / "config_sentence_transformers.json"
    said = json.loads(config.read_text()) if config.exists() else {}
    config.write_text(json.dumps(said | {"prompts": {"query": "query: ", "passage": "passage: "}}))
    own = SentenceTransformerEncoder(str(folder))
    for encode, prompt in ((own.encode_query, "query: "), (own.encode_document, "passage: "), (own.encode, "")):
        assert np.allclose(encode(texts), plain.encode([prompt + text for text in texts]), atol=1e-6)


# Languages


def spoken(folder: Path, languages: Sequence[str | None]) -> Path:
    """Make an archive of articles in these languages."""
    with Index(folder, "english") as index, index.archive.transaction():
        index.archive.change(
            "INSERT INTO articles VALUES (?, 1, '', '', NULL, NULL, NULL, '[]', '', '', '', 4, ?, '[]')",
            ((str(n), language) for n, language in enumerate(languages)),
        )
        index.archive.change("INSERT INTO texts VALUES (?, 1, 'text')", ((str(n),) for n in range(len(languages))))
        for table in TABLES:  # that hold nothing of these
            for statement in table.script.split(";"):
                index.archive.read(statement)
            index.archive.set_meta(f"rules:{table.name}", table.rules)
            index.archive.set_meta(f"rows:{table.name}", "0")
    return folder


TOLD = ("3 of 5 articles are not in English, all that the encoder all-MiniLM-L6-v2 knows: "
        "copydesk reencode --encoder multilingual changes it")  # fmt: skip


def test_an_archive_of_other_languages_says_so_once(tmp_path: Path, run: Run, encoder: Encoder) -> None:
    for languages in (["en", "uk"], [None, None, "uk"], []):
        with Index(spoken(tmp_path / str(len(languages)), languages), "english") as index:
            assert remark(index) == ""
    data = spoken(tmp_path / "mostly", ["en", "uk", "de", "ja", None])
    for words in (("articles", "list"), ("articles", "list", "--json"), ("doctor",)):
        _, out, err = run(*words, data=data)
        assert err == f"copydesk: {TOLD}\n"
        assert (TOLD in out) == (words == ("doctor",))  # where it is also among what was found
    assert json.loads(run("doctor", "--json", data=data)[1])["remarks"] == [TOLD]
    with Desk(data, encoder) as desk, running(desk) as address:
        assert httpx.get(f"{address}/healthz").json() == {"ok": True, "articles": 5, "passages": 0, "remark": TOLD}
    for name, told in ((INT8, f"copydesk: {TOLD.replace(DEFAULT_ENCODER, INT8)}\n"), (MULTILINGUAL, "")):
        with Index(data) as index, index.archive.transaction():
            index.archive.set_meta("encoder", name)
        assert run("articles", "list", data=data)[2] == told


def test_an_ingestion_into_a_new_archive_says_so(tmp_path: Path, run: Run) -> None:
    text = "У понеділок буря зруйнувала причал, і міський голова закрив порт до кінця тижня."
    (tmp_path / "a.txt").write_text(text)
    status, _, err = run("ingest", "--encoder", "english", str(tmp_path / "a.txt"), data=tmp_path / "archive")
    assert (status, err.count("1 of 1 articles are not in English")) == (0, 1)


@LONG
def test_languages_of_many_articles_are_counted_at_once(tmp_path: Path) -> None:
    with Index(spoken(tmp_path / "many", ["uk"] * 100_000), "english") as index:
        begun = time.perf_counter()
        assert remark(index).startswith("100,000 of 100,000 articles")
        assert time.perf_counter() - begun < 0.1
