"""Damage to any file of an archive: the doctor notices it, and mends what can be without encoding it again."""

import json
import os
import random
import shutil
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from conftest import BEFORE_4, LONG

from index.encoder import Symmetric, Vectors
from index.ingest import ingest
from index.search import search
from index.sync import Health, Index
from index.types import ArchiveError, Filters, Query
from qa.doors.cli import main

pytestmark = pytest.mark.torture  # short in other runs
WHOLE = bool(os.environ.get("COPYDESK_TORTURE"))
SEED = int(os.environ.get("COPYDESK_SEED", random.randrange(10**6)))
FORMS = ("truncated", "flipped", "deleted", "a folder")
WORDS = ["harbour", "mill", "quarry", "council", "bridge", "storm", "ferry", "grain", "budget", "strike", "tram"]
VARIANTS = 60 if WHOLE else 2


class Hashed(Symmetric):
    """An encoder that is quick, and counts what it encodes."""

    name = "hashed"

    def __init__(self) -> None:
        self.texts = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += len(texts)
        found = [np.random.default_rng(crc32(text.encode())).normal(size=64) for text in texts]
        return np.array([one / np.linalg.norm(one) for one in found], np.float32).reshape(len(texts), 64)

    def count(self, texts: Sequence[str]) -> list[int]:
        return [200] * len(texts)  # each sentence is a passage


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed archive with more passages than Chroma keeps in its log, an earlier version, and chains."""
    folder, chance = tmp_path_factory.mktemp("sound"), random.Random(7)
    rows = [
        {"id": f"a{n}", "title": f"Report {n}", "outlet": f"Post {n % 3}", "published": f"2025-03-{n % 28 + 1:02}",
         "text": "\n".join(f"{' '.join(chance.choices(WORDS, k=9)).capitalize()} {n}." for _ in range(30))}
        for n in range(40)
    ]  # fmt: skip
    with Index(folder / "archive", Hashed()) as index:
        for text in (rows[0]["text"], "The mill of Harlow was sold to a council."):
            rows[0]["text"] = text
            (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            ingest(index, [folder / "in.jsonl"])
        index.catch_up_tables()
        assert index.doctor() == Health(True, 40, *[index.archive.counts()[1]] * 3, problems=[])
        assert index.archive.counts()[1] > 1100
    return folder / "archive"


@pytest.fixture
def hurt(sound: Path, tmp_path: Path) -> Iterator[Path]:
    yield shutil.copytree(sound, tmp_path / "archive")
    shutil.rmtree(tmp_path / "archive")  # 60 of them


def spoil(path: Path, form: str, chance: random.Random) -> None:
    """Damage a file in one of the `FORMS`."""
    data = bytearray(path.read_bytes())
    if form == "flipped":
        for bit in chance.sample(range(len(data) * 8), chance.choice([1, 2, 10, 100])):
            data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
    elif form == "truncated":
        os.truncate(path, chance.randrange(len(data)))
    else:
        path.unlink()
        if form == "a folder":
            path.mkdir()


def answers(index: Index) -> list[str]:
    return [hit.text for hit in search(index, Query("Which harbour council sold the mill of Harlow?"))]


def test_every_file_of_both_indexes(sound: Path, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    files = [path.relative_to(sound) for name in ("dense-1", "lexical-1") for path in sorted((sound / name).rglob("*"))]
    files = [path for path in files if (sound / path).is_file()]
    every = [(path, form) for path in files for form in FORMS if (sound / path).stat().st_size or form[0] in "da"]
    chance.shuffle(every)
    with Index(shutil.copytree(sound, tmp_path / "sound"), Hashed()) as index:
        expected = answers(index)
    for path, form in (every * 9)[:VARIANTS]:
        folder = shutil.copytree(sound, tmp_path / "archive")
        spoil(folder / path, form, chance)
        encoder = Hashed()
        with Index(folder, encoder) as index:
            problem, *others = index.doctor().problems
            assert others == [], (SEED, path, form, problem)
            assert problem.startswith(f"{path.parts[0][:-2]} index: {path}"), (SEED, path, form, problem)
            assert problem.endswith("; copydesk doctor --repair rebuilds it")
            assert index.doctor(repair=True).ok, (SEED, path, form)
            assert encoder.texts == 0
            assert answers(index)[0] == expected[0]  # the graph is another one
        shutil.rmtree(folder)


ALTERED = {  # what is done to rows, and the article that is named
    "UPDATE texts SET text = replace(text, 'mill', 'kiln') WHERE id = 'a3'": "a3",
    "UPDATE texts SET text = CAST(x'ff' || text AS TEXT) WHERE id = 'a3'": "a3",
    "UPDATE articles SET title = 'Another' WHERE id = 'a3'": "a3",
    "UPDATE articles SET published = '2025-13-99' WHERE id = 'a3'": "a3",
    "UPDATE articles SET authors = 'nobody' WHERE id = 'a3'": "a3",
    "UPDATE articles SET characters = 5 WHERE id = 'a3'": "a3",
    "UPDATE articles SET version = 7 WHERE id = 'a3'": "a3",
    "UPDATE articles SET id = 'b3' WHERE id = 'a3'": "a3, b3",
    "UPDATE versions SET url = 'http://other.example' WHERE id = 'a0'": "a0",
    "UPDATE passages SET start = start + 1 WHERE article_id = 'a3'": "a3",
    "UPDATE passages SET \"end\" = 99999999 WHERE article_id = 'a3' AND start = 0": "a3",
    "UPDATE passages SET since = '1999-01-01' WHERE article_id = 'a3' AND start = 0": "a3",
    "UPDATE passages SET article_id = 'a4' WHERE article_id = 'a3' AND start = 0": "a3, a4",
    "DELETE FROM passages WHERE article_id = 'a3' AND start = 0": "a3",
    "DELETE FROM texts WHERE id = 'a3'": "a3",
    "DELETE FROM articles WHERE id = 'a3'": "a3",
}
ONE = "WHERE key = (SELECT min(key) FROM vectors)"
VECTORS = (
    f"UPDATE vectors SET vector = zeroblob(length(vector)) {ONE}",
    f"UPDATE vectors SET vector = substr(vector, 5) {ONE}",
    f"UPDATE vectors SET vector = (SELECT vector FROM vectors ORDER BY key DESC LIMIT 1) {ONE}",
    f"UPDATE vectors SET vector = 'text' {ONE}",
    f"UPDATE vectors SET key = 'another' {ONE}",
    f"DELETE FROM vectors {ONE}",
)


def alter(folder: Path, statement: str) -> None:
    """Change rows as nobody should; without sums, the rows themselves tell."""
    (folder / "archive.sums").unlink()
    with closing(sqlite3.connect(folder / "archive.sqlite3")) as file, file:
        assert file.execute(statement).rowcount > 0


def some(variants: Sequence[str], most: int) -> list[str]:
    return random.Random(SEED).sample([*variants], len(variants) if WHOLE else most)


@pytest.mark.parametrize("statement", some([*ALTERED], 2))
def test_altered_rows_are_named(hurt: Path, statement: str) -> None:
    alter(hurt, statement)
    with Index(hurt, Hashed()) as index:
        named = f"archive file: damaged are the articles {ALTERED[statement]}; restore it from a copy, or remove these"
        assert [problem for problem in index.doctor().problems if problem.startswith(named)], index.doctor().problems


@pytest.mark.parametrize("statement", some(VECTORS, 1))
def test_altered_vectors_are_encoded_again(hurt: Path, statement: str) -> None:
    query = "SELECT key, vector, checksum FROM vectors ORDER BY key"
    with closing(sqlite3.connect(hurt / "archive.sqlite3")) as file:
        before = file.execute(query).fetchall()
    alter(hurt, statement)
    encoder = Hashed()
    with Index(hurt, encoder) as index:
        assert any("damaged vectors" in problem for problem in index.doctor().problems)
        assert index.doctor(repair=True).ok
        assert encoder.texts == 1
        assert index.archive.read(query) == before


@pytest.mark.parametrize("form", [*["flipped"] * (6 if WHOLE else 1), *["truncated"] * (4 if WHOLE else 1)])
def test_the_archive_file_itself(hurt: Path, form: str) -> None:
    chance = random.Random(SEED := random.randrange(10**6))  # noqa: N806
    print(f"seed {SEED}")
    spoil(hurt / "archive.sqlite3", form, chance)
    try:
        with Index(hurt, Hashed()) as index:
            health = index.doctor()
            assert not health.ok, SEED
            assert all("\n" not in problem for problem in health.problems)
            with suppress(ArchiveError):
                index.doctor(repair=True)
    except ArchiveError:  # it does not open
        pass


@LONG
def test_bytes_that_hold_nothing_are_noticed_and_the_file_is_kept_after_a_check(hurt: Path) -> None:
    with closing(sqlite3.connect(hurt / "archive.sqlite3")) as file:
        file.execute("VACUUM")
    with Index(hurt, Hashed()) as index:
        [problem] = index.doctor().problems
        assert problem.startswith("archive file: archive.sqlite3 ")
        assert index.doctor(repair=True).ok
    with Index(hurt, Hashed()) as index:
        assert index.doctor().ok


@LONG
def test_an_article_that_was_damaged_is_removed_and_ingested_again(hurt: Path, sound: Path) -> None:
    alter(hurt, "UPDATE articles SET title = 'Another' WHERE id = 'a3'")
    with Index(hurt, Hashed()) as index:
        index.remove(["a3"])
        assert ingest(index, [sound.parent / "in.jsonl"]).added == 1
        assert index.doctor().problems == []


@pytest.mark.parametrize("left", [b"", None])
def test_an_archive_that_is_lost_is_not_made_anew(
    hurt: Path, left: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    (hurt / "archive.sqlite3").unlink()
    if left is not None:
        (hurt / "archive.sqlite3").write_bytes(left)
    what = "is gone" if left is None else "is empty"
    for words in (("ask", "Who?"), ("ingest", str(hurt.parent)), ("doctor",), ("articles", "list")):
        assert main(["--data", str(hurt), *words]) == 2
        assert capsys.readouterr().err == (
            f"copydesk: {hurt}/archive.sqlite3 {what}, but its indexes are there: "
            f"copydesk restore brings a backup back, or remove {hurt} to begin anew\n"
        )


def test_a_damaged_archive_is_one_line_for_every_command(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is hit: no exit status but 0, 1 and 2, and no internal error."""
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    for number in range(30 if WHOLE else 2):
        folder = shutil.copytree(archive, tmp_path / str(number))
        spoil(folder / "archive.sqlite3", chance.choice(["flipped", "truncated"]), chance)
        for words in (("articles", "list"), ("search", "harbour"), ("doctor",), ("doctor", "--repair")):
            assert main(["--data", str(folder), *words]) in (0, 1, 2)
            said = capsys.readouterr().err
            assert "internal error" not in said, (SEED, number, words)
            assert said.count("\n") <= 1


def test_an_archive_of_the_previous_release_is_sound(hurt: Path) -> None:
    with closing(sqlite3.connect(hurt / "archive.sqlite3")) as file, file:
        file.executescript(f"{BEFORE_4} UPDATE meta SET value = '3' WHERE key = 'schema'")
    for path in hurt.glob("*.sums"):
        path.unlink()
    with Index(hurt, Hashed()) as index:
        assert index.doctor().problems == []


def test_nobody_else_reads_an_archive(tmp_path: Path, sound: Path) -> None:
    def modes(folder: Path) -> set[tuple[str, int]]:
        files = [path for path in folder.iterdir() if path.is_file()]
        return {(path.name, stat.S_IMODE(path.stat().st_mode)) for path in files if path.stat().st_mode & 0o77}

    before = os.umask(0)
    try:
        with Index(tmp_path / "new", Hashed()) as index:
            index.lexical.search("mill", 1, Filters())
            assert modes(tmp_path / "new") == set()
            assert {
                stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new", tmp_path / "new" / "lexical-1")
            } == {0o700}
        old = shutil.copytree(sound, tmp_path / "old")
        for path in (old, *old.rglob("*")):
            path.chmod(0o777)
        with Index(old, Hashed()):
            assert modes(old) == set()
            assert stat.S_IMODE(old.stat().st_mode) == 0o700
    finally:
        os.umask(before)
