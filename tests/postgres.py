"""A PostgreSQL server of Debian's, started for the tests in a temporary folder."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
PASSWORD = "s3cret-of-the-tests"


class Server:
    """A server on a free port; it refuses to run as root."""

    def __init__(self) -> None:
        if not BINARIES:
            pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
        pytest.importorskip("psycopg", reason="pip install 'copydesk[postgres]'")
        self.binaries, self.folder = BINARIES[-1], Path(mkdtemp(prefix="copydesk-pg-"))
        self.as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] * (os.getuid() == 0)
        if self.as_user:
            shutil.chown(self.folder, "postgres", "postgres")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "password").chmod(0o644)
        made = ["initdb", "-D", "data", "-U", "copydesk", "-A", "scram-sha-256", "--pwfile=password", "-E", "UTF8"]
        self._run(*made, "--locale=C.UTF-8", "--no-sync")
        self.start()

    def _run(self, name: str, *words: str) -> None:
        command = [*self.as_user, str(self.binaries / name), *words]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=on"
        command = [
            *self.as_user,
            str(self.binaries / "pg_ctl"),
            "-D",
            "data",
            "-l",
            "log",
            "-w",
            "-o",
            options,
            "start",
        ]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        self._run("pg_ctl", "-D", "data", "-m", "fast", "-w", "stop")

    def address(self, database: str = "postgres", password: str = PASSWORD) -> str:
        return f"postgresql://copydesk:{password}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as db:
            cursor = db.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def make(self) -> str:
        """Make a database, and return its address."""
        name = f"news_{secrets.token_hex(4)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.address(name)


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


def within(seconds: float, told: object) -> float:
    """Wait until something is so, and return after how many seconds it was."""
    started = time.monotonic()
    while not told():  # type: ignore[operator]
        assert time.monotonic() - started < seconds, "it did not come"
        time.sleep(0.05)
    return time.monotonic() - started
