"""A disk that is full, or refuses to be written: no half article, the disk is named, and all is sound after."""

import json
import os
import random
import shutil
import subprocess
import sys
from errno import EDQUOT, EIO, ENOSPC
from pathlib import Path

import pytest
from conftest import LONG, REPOSITORY

from index.encoder import Encoder
from index.ingest import ingest
from index.search import search
from index.sync import Index
from index.types import Query

WHOLE = os.environ.get("COPYDESK_TORTURE") == "1"
WRITES = 2  # of some 500, in a short run
MENDS = "make room there, or mend the disk, and run it again; what was written stays"
ARTICLES = 6


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that, loaded before all others, lets a disk refuse writes."""
    if not (compiler := shutil.which("cc")):
        pytest.skip("needs a C compiler: apt-get install gcc")
    library = tmp_path_factory.mktemp("refusing") / "refusing.so"
    source = Path(__file__).with_name("refusing.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    return library


def articles(folder: Path, first: int, last: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"id": str(n), "title": f"Quay {n}", "text": f"The quay number{n} of Kelmouth."} for n in range(first, last)
    ]
    (folder / f"{first}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.mark.parametrize("before", [0, 3] if WHOLE else [3])
def test_every_write_may_fail(refusing: Path, tmp_path: Path, encoder: Encoder, before: int) -> None:
    """Of a new archive, and of one that holds articles; from a write on, or at one alone."""
    if before:
        with Index(tmp_path / "archive", encoder) as index:
            ingest(index, [articles(tmp_path / "in", 0, before)])
    articles(tmp_path / "in", before, ARTICLES)

    def refused(*runs: str) -> list[dict[str, object]]:
        command = [sys.executable, str(Path(__file__).with_name("refused.py")), str(tmp_path), *runs]
        given = os.environ | {"LD_PRELOAD": str(refusing), "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    [undisturbed] = refused("0:0:0")
    assert undisturbed["error"] is None
    writes = int(str(undisturbed["writes"]))
    seed = random.randrange(10**6)
    print(f"seed {seed}: {writes} writes")
    rng = random.Random(seed)
    chosen = range(1, writes + 1) if WHOLE else sorted(rng.sample(range(1, writes + 1), WRITES))
    runs = [f"{n}:{int(code == EIO)}:{code}" for n in chosen for code in [rng.choice((ENOSPC, EDQUOT, EIO))]]
    for told in refused(*runs):
        assert told["kind"] in ("DiskError", None), told
        assert told["kind"] is None or str(told["error"]).endswith(MENDS), told
        with Index(tmp_path / str(told["run"]), encoder) as index:  # there is room again
            kept = index.archive.counts()[0]
            assert kept in (before, ARTICLES), told  # a batch is there, or is not
            assert ingest(index, [tmp_path / "in"]).added == ARTICLES - kept, told
            for n in range(ARTICLES):
                assert search(index, Query(f"quay number{n}"), 1)[0].article.id == str(n), told
            assert index.doctor().problems == [], told
        shutil.rmtree(tmp_path / str(told["run"]))


def test_a_small_disk_is_full(tmp_path: Path) -> None:
    """As people meet it: the command ends with 2 and a line that names the disk; with room again, it goes on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount")
    command = [sys.executable, "-m", "qa", "--data", str(disk / "archive"), "--json"]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *words], capture_output=True, text=True, check=False, cwd=REPOSITORY)

    try:
        full = run("ingest", str(articles(tmp_path / "in", 0, 40)))
        assert (full.returncode, full.stderr.count("\n")) == (2, 1), full.stderr
        assert "no space left on the disk" in full.stderr
        assert "index" not in full.stderr.replace(str(tmp_path), "")
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert run("ingest", str(tmp_path / "in")).returncode == 0
        assert json.loads(run("doctor").stdout)["articles"] == 40
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@LONG
@pytest.mark.torture
def test_a_file_may_not_grow(tmp_path: Path) -> None:
    """A quota, or a limit of the shell: SIGXFSZ is ignored by Python, and the write fails."""
    source = articles(tmp_path / "in", 0, 40)
    command = f"ulimit -f 200; exec {sys.executable} -m qa --data {tmp_path / 'archive'} ingest {source}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "cannot be written: " in done.stderr
    assert done.stderr.endswith(MENDS + "\n")
    again = [sys.executable, "-m", "qa", "--data", str(tmp_path / "archive")]
    assert subprocess.run([*again, "ingest", str(tmp_path / "in")], check=False, cwd=REPOSITORY).returncode == 0
    assert subprocess.run([*again, "doctor"], check=False, cwd=REPOSITORY).returncode == 0
