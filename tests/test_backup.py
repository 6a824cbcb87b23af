"""Backups: one file of all that cannot be made again, made while others write, put back whole or not at all."""

import json
import os
import random
import shutil
import sqlite3
import stat
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run
from test_damage import Hashed, answers

from index.health.backup import backup, restore
from index.ingest import ingest
from index.sync import Index, silent
from index.types import ArchiveInUse, BadInput
from qa import Desk
from qa.doors.cli import main
from qa.kept import Kept


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An open archive with an earlier version, a conversation and users."""
    folder = tmp_path_factory.mktemp("held")
    with Index(folder / "archive", Hashed()) as index:
        for text in ("The mill burnt.", "The mill of Harlow burnt down, the council said."):
            rows = [{"id": "mill", "text": text}, {"id": "ferry", "text": "A ferry left the harbour."}]
            (folder / "in.json").write_text(json.dumps(rows))
            ingest(index, [folder / "in.json"])
        kept = Kept(folder / "archive" / "talks.sqlite3")
        kept.begin("anna", "Mills")
        (folder / "archive" / "users.json").write_text('{"anna": {"role": "reader", "hash": "x"}}')
        yield index
        kept.close()


@pytest.fixture
def file(held: Index, tmp_path: Path) -> Path:
    backup(held.folder, tmp_path / "backup.zip", silent)
    return tmp_path / "backup.zip"


def test_what_is_restored_answers_the_same(held: Index, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = backup(held.folder, file := tmp_path / "backup.zip", silent)
    finally:
        os.umask(before)
    assert made == {"file": str(file), "articles": 2, "bytes": file.stat().st_size}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert restore(tmp_path / "new", file, silent) == made
    encoder = Hashed()
    with Index(tmp_path / "new", encoder) as index:
        assert answers(index) == answers(held)
        assert index.archive.versions("mill") == held.archive.versions("mill")
        assert encoder.texts == 1  # the question
        assert index.doctor().problems == []
    assert [talk.title for talk in Kept(tmp_path / "new" / "talks.sqlite3").talks("anna")] == ["Mills"]
    assert (tmp_path / "new" / "users.json").read_bytes() == (held.folder / "users.json").read_bytes()
    assert [path for path in (tmp_path / "new").iterdir() if path.stat().st_mode & 0o77] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.zip", "new"]


def test_a_backup_holds_one_state_while_others_write(tmp_path: Path) -> None:
    rows = [{"id": str(n), "text": f"Report {n} of the harbour."} for n in range(400)]
    with Index(tmp_path / "archive", Hashed()) as index:

        def write() -> None:
            for n in range(0, 400, 40):
                (tmp_path / "in.json").write_text(json.dumps(rows[: n + 40]))
                ingest(index, [tmp_path / "in.json"])

        writer = threading.Thread(target=write)
        writer.start()
        found = []
        while writer.is_alive():
            if (index.archive.path).exists():
                found.append(int(backup(index.folder, tmp_path / "backup.zip", silent)["articles"]))
        writer.join()
        assert all(articles % 40 == 0 for articles in found)
        assert found == sorted(found)
    restore(tmp_path / "new", tmp_path / "backup.zip", silent)
    with Index(tmp_path / "new", Hashed()) as index:
        assert index.archive.counts()[0] == found[-1]
        assert index.doctor(repair=True).ok


def test_the_command_line_and_python(archive: Path, service: str, run: Run, tmp_path: Path) -> None:
    """While the archive is served, too."""
    status, out, _ = run("backup", "--json", str(tmp_path / "a.zip"))
    made = json.loads(out)
    assert (status, made["file"], made["articles"] > 1) == (0, str(tmp_path / "a.zip"), True)
    assert run("restore", str(tmp_path / "a.zip"), data=tmp_path / "new")[0] == 0
    assert json.loads(run("doctor", "--repair", "--json", data=tmp_path / "new")[1])["ok"] is True
    assert "a.zip is there already: name another, or give --replace" in run("backup", str(tmp_path / "a.zip"))[2]
    assert run("backup", "--replace", str(tmp_path / "a.zip"))[0] == 0
    status, out, err = run("restore", str(tmp_path / "a.zip"))
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    with Desk(tmp_path / "new") as desk:
        assert desk.backup(tmp_path / "b.zip")["articles"] == made["articles"]
    assert run("backup", str(tmp_path / "c.zip"), data=tmp_path / "none")[2] == (
        f"copydesk: no archive at {tmp_path / 'none'}: --data names another\n"
    )


def test_nothing_is_written_over(held: Index, file: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveInUse):
        restore(held.folder, file, silent)
    for name in ("archive.sqlite3", "talks.sqlite3", "users.json"):
        (folder := tmp_path / f"of {name}").mkdir()
        shutil.copy(held.folder / name, folder / name)
        if name.startswith("archive"):
            (folder / name).write_bytes(b"no archive")
        before = (folder / name).read_bytes()
        if name.startswith("talks"):
            shutil.copy(held.folder / f"{name}-wal", folder / f"{name}-wal")
        with pytest.raises(BadInput, match=rf"{name} is there already: name another --data, or move it away"):
            restore(folder, file, silent)
        if not name.startswith("talks"):  # whose log is read
            assert (folder / name).read_bytes() == before
    (tmp_path / "letter.txt").write_text("Dear Anna")
    with pytest.raises(BadInput, match=r"letter\.txt is no backup of an archive, or it is damaged"):
        backup(held.folder, tmp_path / "letter.txt", silent)
    assert (tmp_path / "letter.txt").read_text() == "Dear Anna"
    backup(held.folder, file, silent)  # but over an earlier backup


def test_an_archive_that_was_lost_is_restored(tmp_path: Path, file: Path, held: Index) -> None:
    with Index(tmp_path / "archive", Hashed()) as index:
        ingest(index, [held.folder.parent / "in.json"])
    os.truncate(tmp_path / "archive" / "archive.sqlite3", 0)
    restore(tmp_path / "archive", file, silent)
    with Index(tmp_path / "archive", Hashed()) as index:
        assert answers(index) == answers(held)
        assert index.doctor().problems == []


def forged(file: Path, path: Path, **others: bytes) -> Path:
    """Write a backup again with other files in it."""
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(path, "w") as target:
        held = {name: source.read(name) for name in source.namelist()} | others
        for name, data in held.items():
            target.writestr(name, data)
    return path


def test_foreign_files_are_refused(file: Path, tmp_path: Path) -> None:
    about = json.loads(zipfile.ZipFile(file).read("copydesk.json"))

    def told(**changed: object) -> bytes:
        return json.dumps(about | changed).encode()

    (tmp_path / "empty.zip").write_bytes(b"")
    (tmp_path / "text.zip").write_bytes(b"no zip" * 100)
    bad = [
        tmp_path / "none.zip", tmp_path, tmp_path / "empty.zip", tmp_path / "text.zip",
        forged(file, tmp_path / "1.zip", **{"../escaped": b"x"}),
        forged(file, tmp_path / "2.zip", **{"../e": b"x", "copydesk.json": told(files=[*about["files"], "../e"])}),
        forged(file, tmp_path / "3.zip", **{"copydesk.json": told(files=["archive.sqlite3"])}),
        forged(file, tmp_path / "4.zip", **{"copydesk.json": told(articles=3)}),
        forged(file, tmp_path / "5.zip", **{"copydesk.json": b"[]"}),
        forged(file, tmp_path / "6.zip", **{"copydesk.json": told(files=7)}),
        forged(file, tmp_path / "7.zip", **{"archive.sqlite3": b"no archive"}),
        forged(file, tmp_path / "8.zip", **{"copydesk.json": told(more=1)}),
    ]  # fmt: skip
    for path in bad:
        with pytest.raises(BadInput) as refused:
            restore(tmp_path / "new", path, silent)
        assert str(refused.value).startswith(str(path))
        assert "\n" not in str(refused.value)
        assert not (tmp_path / "new").exists()
    assert not list(tmp_path.rglob("e*scaped")) + list(tmp_path.rglob("e"))


def test_a_damaged_backup_is_refused(held: Index, file: Path, tmp_path: Path) -> None:
    """Flipped bits either do not change what is restored (dates in the zip, say), or are noticed."""
    chance, data = random.Random(SEED := random.randrange(10**6)), file.read_bytes()  # noqa: N806
    print(f"seed {SEED}")
    whole = {name: zipfile.ZipFile(file).read(name) for name in ("users.json", "archive.sqlite3")}
    refused = 0
    for _ in range(40):
        spoilt = bytearray(data)
        for bit in chance.sample(range(len(data) * 8), chance.choice([1, 10, 100])):
            spoilt[bit // 8] ^= 1 << bit % 8
        file.write_bytes(spoilt if chance.random() < 0.8 else data[: chance.randrange(len(data))])
        try:
            restore(tmp_path / "new", file, silent)
        except BadInput:
            refused += 1
            assert not (tmp_path / "new").exists()
        else:
            assert {name: (tmp_path / "new" / name).read_bytes() for name in whole} == whole
            shutil.rmtree(tmp_path / "new")
    assert refused > 30


def test_a_damaged_archive_is_not_backed_up(held: Index, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    for left in (b"", b"no archive" * 999):
        (tmp_path / "archive" / "archive.sqlite3").write_bytes(left)
        assert main(["--data", str(tmp_path / "archive"), "backup", str(tmp_path / "backup.zip")]) == 2
        assert not (tmp_path / "backup.zip").exists()
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(tmp_path / "archive" / "archive.sqlite3").execute("SELECT 1 FROM articles")


def test_what_is_restored_is_sound(tmp_path: Path, run: Run, archive: Path) -> None:
    assert run("backup", str(tmp_path / "a.zip"))[0] == 0
    assert run("restore", str(tmp_path / "a.zip"), data=tmp_path / "again")[0] == 0
    status, out, _ = run("doctor", data=tmp_path / "again")
    assert (status, "sound" in out) == (0, True), out
