"""The lock and the note of who holds an archive: whatever stands in their place, nothing beyond them is touched."""

import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from conftest import SEEDS

from index.lock import ArchiveLock
from index.sync import Index
from index.types import ArchiveError, ArchiveInUse
from qa.doors.cli import main

ODD: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("precious\n" * 1000),
    "bytes": lambda path: path.write_bytes(bytes(range(256))),
    "link": lambda path: path.symlink_to(path.parent.parent / "elsewhere"),
    "link to nothing": lambda path: path.symlink_to(path.parent.parent / "nothing"),
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "loop": lambda path: path.symlink_to(path.name),
    "folder": lambda path: path.mkdir(),
    "folder with files": lambda path: (path.mkdir(), (path / "kept").write_text("kept")),
    "pipe": os.mkfifo,
    "socket": lambda path: socket.socket(socket.AF_UNIX).bind(str(path)),
}


@pytest.mark.parametrize("name", ["lock", "owner.json", "owner.json.new"])
@pytest.mark.parametrize("odd", ODD)
def test_whatever_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, odd: str) -> None:
    (tmp_path / "elsewhere").write_text("precious")
    (folder := tmp_path / "a").mkdir()
    monkeypatch.chdir(folder)  # the address of a socket is short
    ODD[odd](folder / name)
    started = time.perf_counter()
    refused = ""
    try:
        Index(folder).close()
    except ArchiveError as error:
        refused = str(error)
    if refused or "folder" in odd:
        place = re.escape(str(folder / name))
        assert re.fullmatch(rf"{place} cannot be written: [\w ]+; remove it", refused)
        assert name == "lock" or "folder" in odd
    assert time.perf_counter() - started < 2
    assert (tmp_path / "elsewhere").read_text() == "precious"
    assert not (tmp_path / "nothing").exists()
    if odd == "folder with files":
        assert (folder / name / "kept").read_text() == "kept"
    elif odd == "text" and name == "lock":
        assert (folder / name).read_text() == "precious\n" * 1000


@pytest.mark.parametrize("odd", ODD)
def test_whatever_stands_there_while_another_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    (tmp_path / "elsewhere").write_text('{"pid": 1, "address": "http://127.0.0.1:1"}')
    (folder := tmp_path / "a").mkdir()
    monkeypatch.chdir(folder)
    lock = ArchiveLock(folder)
    (folder / "owner.json").unlink()
    ODD[odd](folder / "owner.json")
    started = time.perf_counter()
    with pytest.raises(ArchiveInUse) as refused:
        ArchiveLock(folder)
    assert time.perf_counter() - started < 2
    assert str(refused.value) == f"the archive {folder} is in use by another process: stop it or wait for it"
    assert refused.value.address is None
    lock.release()  # which is no reason to fail
    assert (tmp_path / "elsewhere").exists()


def test_a_note_is_there_whole_or_not(tmp_path: Path) -> None:
    """Whoever looks while it is written reads the old one or the new one."""
    lock = ArchiveLock(tmp_path)
    read, over = list[object](), threading.Event()

    def look() -> None:
        while not over.is_set():
            read.append(json.loads((tmp_path / "owner.json").read_text()))

    looking = threading.Thread(target=look)
    looking.start()
    for n in range(300):
        lock.announce(f"http://127.0.0.1:{n}")
    over.set()
    looking.join()
    assert len(read) > 50
    assert oct((tmp_path / "owner.json").stat().st_mode)[-3:] == "600"
    lock.release()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock"]


def test_writes_of_a_second_process_are_refused_in_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Index(tmp_path):
        for words in (
            ("ingest", str(SEEDS)),
            ("articles", "remove", "a"),
            ("doctor", "--repair"),
            ("serve", "--port", "0"),
        ):
            started = time.perf_counter()
            assert main(["--data", str(tmp_path), *words]) == 2
            assert time.perf_counter() - started < 2
            told = f"the archive {tmp_path} is in use by process {os.getpid()}: stop it or wait for it"
            assert capsys.readouterr().err == f"copydesk: {told}\n"


@pytest.mark.parametrize("kind", ["application/json", "text/html", "text/event-stream"])
def test_a_foreign_service_gets_no_token(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever serves at the address that was announced, as another program may now do."""
    heard = list[str]()

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.path} {self.headers}")
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(b'[{"hello": 1}]')

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("COPYDESK_TOKEN", "hush-hush")
    with Index(tmp_path / "a") as index:
        index.lock.announce(address)
        for words in (("ask", "Who met in Paris?"), ("articles", "list"), ("articles", "show", "a")):
            said = f"copydesk: what answers at {address} is no service of Copydesk: stop who announced it\n"
            assert main(["--data", str(tmp_path / "a"), *words]) == 2
            assert capsys.readouterr().err == said
    server.shutdown()
    assert heard
    assert "hush-hush" not in "".join(heard)
