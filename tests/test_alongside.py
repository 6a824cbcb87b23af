"""Reading alongside: while another process writes an archive, and where nothing can be written."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from conftest import BEFORE_4, REPOSITORY, SEEDS

from index import lexical
from index.alongside.readonly import ReadOnlyIndex
from index.dense import DenseIndex
from index.encoder import Encoder
from index.ingest import ingest
from index.scan import COMPARED, Scan
from index.sync import Index
from index.tables import TABLES, derive
from index.types import ArchiveError, ArchiveInUse, BadInput, Filters
from qa import Desk
from qa.doors.cli import main
from qa.rerank import Reranker

ROWS = [
    {"id": "quay", "title": "Quay opens", "outlet": "Kelm Post", "published": "2025-04-18", "authors": ["A. Roth"],
     "text": "The new quay of Kelmouth opened on Friday. \"We waited ten years,\" said Mayor Ida Brandt."},
    {"id": "hail", "title": "Hail", "outlet": "Orsk Echo", "published": "2025-05-01", "text": "Hail fell on Orsk."},
    {"id": "mill", "title": "A mill", "outlet": "kelm post", "text": "Nobody knows who sold the mill of Kelmouth."},
]  # fmt: skip
HOLDER = "import sys; from index.sync import Index; i = Index(sys.argv[1]); i.dense; print('held', flush=True); input()"


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Let another process hold an archive, with all that it opens, and serve nobody; give its number."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": REPOSITORY}
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == b"held\n"
        yield process.pid
        process.communicate(b"\n")


@contextmanager
def unwritable(folder: Path) -> Iterator[Path]:
    """Give a folder where nothing of it can be written, also by root."""
    mount = folder.parent / "medium"
    mount.mkdir()
    if subprocess.run(["mount", "--bind", str(folder), str(mount)], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(mount)], check=True)
        yield mount
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], check=True)


def state(folder: Path) -> dict[str, bytes]:
    """Return all files of an archive save what SQLite and tantivy keep for readers in common memory."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith("-shm"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.name != ".tantivy-meta.lock"}


@pytest.fixture
def folder(tmp_path: Path, encoder: Encoder) -> Path:
    """An archive of a few articles, one of them in two versions, that nobody has open."""
    source = tmp_path / "articles.jsonl"
    for text in ("The quay of Kelmouth will open.", ROWS[0]["text"]):
        source.write_text("".join(json.dumps(row) + "\n" for row in ({**ROWS[0], "text": text}, *ROWS[1:])))
        with Index(tmp_path / "archive", encoder) as index:
            ingest(index, [source])
    return tmp_path / "archive"


@pytest.mark.parametrize(("opened", "kind"), [(Index, DenseIndex), (ReadOnlyIndex, Scan)])
def test_what_is_found_by_vectors(folder: Path, encoder: Encoder, opened: Callable[..., Index], kind: type) -> None:
    with opened(folder, encoder) as index:
        assert isinstance(index.dense, kind)
        assert len(index.dense) == len(index.scan) == 3
        [vector] = encoder.encode(["When did the quay open?"])
        keys = {key: article.id for key, (article, _) in index.archive.passages(index.archive.passage_ids()).items()}

        def find(top: int = 9, only: list[str] | None = None, **filters: object) -> list[str]:
            found = index.scan.search(vector, top, Filters(**filters), only)  # type: ignore[arg-type]
            assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
            for key, score in found:
                assert score == pytest.approx(float(index.archive.vectors([key])[0] @ vector), abs=1e-4)
            return [keys[key] for key, _ in found]

        assert [key for key, _ in index.dense.search(vector, 9)] == [key for key, _ in index.scan.search(vector, 9)]
        assert find()[0] == "quay"
        assert sorted(find()) == ["hail", "mill", "quay"]
        assert find(top=1) == ["quay"]
        assert sorted(find(outlets=("KELM POST", "nobody"))) == ["mill", "quay"]
        assert find(since=date(2025, 4, 19)) == ["hail"]
        assert find(until=date(2025, 4, 30)) == ["quay"]
        assert find(since=date(2025, 4, 18), until=date(2025, 4, 18), outlets=("Orsk Echo",)) == []
        [mill] = [key for key, article in keys.items() if article == "mill"]
        assert find(only=[mill]) == ["mill"]
        assert find(only=[mill], since=date(2025, 1, 1)) == []


def test_signs_tell_what_is_compared(tmp_path: Path, encoder: Encoder) -> None:
    """More passages than are compared: of vectors like an encoder's, which lie to one side, the nearest are found."""
    rng = np.random.default_rng(seed := 7)
    print(f"seed {seed}")
    count = 5 * COMPARED
    centres = rng.normal(size=(200, 96)) + 2
    vectors = (centres[rng.integers(0, 200, count)] + rng.normal(size=(count, 96)) / 3).astype("<f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with Index(tmp_path, encoder) as index:
        with index.archive.transaction():
            change = index.archive.change
            rows = ((f"v{n}", v.tobytes()) for n, v in enumerate(vectors))
            change("INSERT INTO vectors (key, vector) VALUES (?, ?)", rows)
            article = (
                "INSERT INTO articles VALUES (?, 1, '', '', ?, '2025-01-01', NULL, '[]', '', '', '', 1, 'en', '[]')"
            )
            change(article, ((f"a{n}", f"outlet {n % 2}") for n in range(count // 10)))
            passage = 'INSERT INTO passages (id, article_id, start, "end", vector) VALUES (?, ?, 0, 1, ?)'
            change(passage, ((f"p{n}", f"a{n // 10}", f"v{n}") for n in range(count)))
            index.archive.read("INSERT INTO changes (passage_id, article_id) SELECT id, article_id FROM passages")
        index.catch_up_tables()
        for half in (None, 0, 1):
            own = np.array([n for n in range(count) if half in (None, n // 10 % 2)])
            outlets = () if half is None else (f"Outlet {half}",)
            held = 0
            for n in range(0, count, count // 20):
                right = {f"p{own[m]}" for m in np.argsort(-(vectors[own] @ vectors[n]))[:10]}
                found = index.scan.search(vectors[n], 10, Filters(outlets=outlets))
                held += len(right & {key for key, _ in found})
                assert found[0][1] == pytest.approx(float(max(vectors[own] @ vectors[n])), abs=1e-5)
            assert held >= 0.98 * 10 * len(range(0, count, count // 20))


def test_a_large_dense_index_is_opened_behind_the_first_answer(
    folder: Path, encoder: Encoder, reranker: Reranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = "When did the quay open?"
    with Desk(folder, encoder, reranker) as desk:
        small = desk.ask(question)
        assert isinstance(desk.index._parts["dense"], DenseIndex)
    monkeypatch.setattr(lexical, "LARGE", 2)
    with Desk(folder, encoder, reranker) as desk:
        late = desk.ask(question)
        assert [s.text for s in late.sentences] == [s.text for s in small.sentences] != []
        assert "dense" not in desk.index._parts
        desk.warm_up()
        desk.warm_up()
        assert len(desk.index.dense) == 3
        assert not desk.index.opens_late
    with Desk(folder, encoder, reranker) as desk:
        desk.warm_up()  # and at once closed: its thread is waited for
    assert Index(folder, encoder).doctor().ok


def test_what_is_held_in_memory_follows_the_archive(folder: Path, tmp_path: Path, encoder: Encoder) -> None:
    with Index(folder, encoder) as index, ReadOnlyIndex(folder, encoder) as reader:
        [vector] = encoder.encode(["When did the quay open?"])

        def found() -> list[set[str]]:
            keys = [[key for key, _ in one.scan.search(vector, 9)] for one in (index, reader)]
            return [{article.id for article, _ in index.archive.passages(some).values()} for some in keys]

        assert found() == [{"quay", "mill", "hail"}] * 2
        index.remove(["mill"])
        assert found() == [{"quay", "hail"}] * 2
        (tmp_path / "new.jsonl").write_text(json.dumps({**ROWS[0], "id": "pier", "text": "A pier was built."}))
        ingest(index, [tmp_path / "new.jsonl"])
        assert found() == [{"quay", "hail", "pier"}] * 2
        index.doctor(repair=True)
        for table in TABLES:
            derive(index.archive, table, lambda *_: None, anew=True)
        assert found() == [{"quay", "hail", "pier"}] * 2


COMMANDS = (
    ("ask", "When did the quay of Kelmouth open?"), ("search", "hail"), ("timeline", "the quay of Kelmouth"),
    ("quotes", "--about", "quay"), ("check", "{draft}"), ("articles", "list"), ("articles", "show", "quay"),
)  # fmt: skip


def answers(
    folder: Path, capsys: pytest.CaptureFixture[str], commands: Sequence[tuple[str, ...]] = COMMANDS
) -> tuple[list[str], list[str]]:
    """Return what each command that reads prints of an archive, without times, and what it remarks."""
    draft = folder.parent / "draft.txt"
    draft.write_text("Hail fell on Orsk.")
    said, remarks = [], []
    for words in commands:
        assert main(["--data", str(folder), "--json", *(word.format(draft=draft) for word in words)]) == 0
        out, err = capsys.readouterr()
        document = json.loads(out)
        document.pop("timings_ms", None)
        said.append(json.dumps(document))
        remarks.append(err)
    return said, remarks


def test_every_command_that_reads_works_beside_who_writes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone, quiet = answers(folder, capsys)
    assert set(quiet) == {""}
    with held(folder) as holder:
        before = state(folder)
        beside, remarks = answers(folder, capsys)
        told = f"copydesk: the archive is being written by process {holder}: read as it was at the last batch\n"
        assert set(remarks) == {told}
        assert state(folder) == before
        assert main(["--data", str(folder), "ingest", str(SEEDS)]) == 2
        assert capsys.readouterr().err == (
            f"copydesk: the archive {folder} is in use by process {holder}: stop it or wait for it\n"
        )
    assert [round_scores(one) for one in beside] == [round_scores(one) for one in alone]


def round_scores(document: str) -> object:
    """Return a document whose numbers are rounded: what Chroma computes differs in the last places."""
    return json.loads(document, parse_float=lambda number: round(float(number), 3))


def test_a_medium_that_cannot_be_written_is_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = state(folder)
    with unwritable(folder) as medium:
        shown, remarks = answers(medium, capsys, (COMMANDS[0], COMMANDS[-1]))
        assert "The new quay of Kelmouth opened on Friday." in shown[0]
        assert "The new quay of Kelmouth opened on Friday." in shown[1]
        assert remarks == ["", ""]
        with Desk(medium, read_only=True), pytest.raises(ArchiveInUse):  # by whoever can
            Index(folder)
        assert main(["--data", str(medium), "ingest", str(SEEDS)]) == 2
        assert "Read-only file system" in capsys.readouterr().err
        assert state(folder) == before
        with held(folder), Desk(medium, read_only=True) as desk:  # which is written by another way
            assert len(desk.search("hail")) == 3


def test_a_desk_beside_a_writer_sees_each_batch(
    folder: Path, encoder: Encoder, reranker: Reranker, tmp_path: Path
) -> None:
    with Desk(folder, encoder, reranker) as desk, Desk(folder, encoder, reranker, read_only=True) as beside:
        assert {hit.article.id for hit in beside.search("hail")} == {"quay", "hail", "mill"}
        (tmp_path / "late.txt").write_text("A late report of thunder over Brenzlau.")
        desk.ingest([tmp_path / "late.txt"])
        desk.remove("hail")
        wait = (
            hits for _ in range(100) if "hail" not in (hits := [hit.article.id for hit in beside.search("thunder")])
        )
        assert next(wait)[0] == "late.txt"
        desk.index._rebuild("lexical")  # in another folder, while the old one is being read
        assert beside.search("thunder")[0].article.id == "late.txt"
        with Desk(folder, encoder, reranker, read_only=True) as another:
            assert another.search("thunder")[0].article.id == "late.txt"


def test_what_is_opened_for_reading_only_is_not_changed(folder: Path, encoder: Encoder, reranker: Reranker) -> None:
    from qa.service import open_service

    with Desk(folder, encoder, reranker, read_only=True) as desk:
        for change in (lambda: desk.ingest([SEEDS]), lambda: desk.remove("hail"), lambda: open_service(desk)):
            with pytest.raises(BadInput, match="is opened for reading only: nothing in it can be changed"):
                change()
        with pytest.raises(BadInput, match="it cannot be checked"):
            desk.index.doctor()
    assert not (folder / "owner.json").exists()
    assert not (folder / "talks.sqlite3").exists()


def test_what_cannot_be_read_alongside_is_told(folder: Path, encoder: Encoder, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"no archive at .*none: copydesk ingest makes one"):
        ReadOnlyIndex(tmp_path / "none", encoder)
    assert not (tmp_path / "none").exists()
    shutil.copytree(folder, older := tmp_path / "older")
    with closing(sqlite3.connect(older / "archive.sqlite3")) as db:
        db.executescript(BEFORE_4 + "UPDATE meta SET value = '3' WHERE key = 'schema'")
    with pytest.raises(ArchiveError, match="archive format 3, this version reads 4: run copydesk ingest once"):
        ReadOnlyIndex(older, encoder)
    shutil.rmtree(folder / "lexical-1")
    with (
        ReadOnlyIndex(folder, encoder) as index,
        pytest.raises(ArchiveError, match="does not hold every passage: wait"),
    ):
        _ = index.lexical
    with closing(sqlite3.connect(folder / "archive.sqlite3")) as db:
        db.execute("DELETE FROM meta WHERE key = 'rules:copies'")
        db.commit()
    with pytest.raises(ArchiveError, match="tables of another version, or none yet: wait for the process"):
        ReadOnlyIndex(folder, encoder)


def test_an_archive_without_articles_is_read(tmp_path: Path, encoder: Encoder, reranker: Reranker) -> None:
    with Index(tmp_path, encoder), Desk(tmp_path, encoder, reranker, read_only=True) as desk:
        assert desk.search("hail") == []
        assert not desk.ask("When did hail fall on Orsk?").answered
