"""An archive in PostgreSQL: many machines read and write it, and what one does the others have."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from conftest import REPOSITORY, SEEDS, serving
from postgres import PASSWORD, Server, within
from starlette.testclient import TestClient
from test_reencode import Quick
from test_served import Server as Chroma

from index.archive import SORTS
from index.encoder import MULTILINGUAL, Encoder
from index.encoder.reencode import reencode
from index.ingest import ingest
from index.search import search
from index.shared.machine import SharedIndex
from index.shared.sql import postgres
from index.sources.watched import Sources
from index.sync import Index
from index.types import ArchiveError, BadInput, Filters, Query, Unreachable
from qa import Desk
from qa.doors.cli import main
from qa.kept import Kept
from qa.rerank import Reranker
from qa.service import open_service
from qa.web.app import build_app
from qa.web.telemetry import Metrics

Open = Callable[[], SharedIndex]


@pytest.fixture
def data(server: Server) -> str:
    return server.make()


@pytest.fixture
def machine(data: str, tmp_path: Path, encoder: Encoder) -> Iterator[Open]:
    """Opens the archive as one more machine."""
    opened: list[SharedIndex] = []

    def another() -> SharedIndex:
        opened.append(SharedIndex(data, encoder, cache=tmp_path / f"machine-{len(opened)}"))
        return opened[-1]

    yield another
    for one in opened:
        one.close()


def write(folder: Path, *ids: str, text: str = "Rain fell on Lviv.") -> Path:
    folder.mkdir(exist_ok=True)
    rows = [{"id": one, "title": f"News of {one}", "published": "2025-05-01", "text": f"{text} {one}."} for one in ids]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def found(index: SharedIndex, question: str = "rain on Lviv") -> set[str]:
    with index.reading():
        return {hit.article.id for hit in search(index, Query(question))}


def test_what_one_writes_the_others_find_and_what_it_removes_they_do_not(machine: Open, tmp_path: Path) -> None:
    one, two = machine(), machine()
    assert found(two) == found(two) == set()
    ingest(one, [write(tmp_path / "in", "a", "b")])
    assert found(two) == found(one) == {"a", "b"}
    assert [path.name for path in two.folder.glob("dense-*")] == ["dense-2"]  # built once, of nothing, and followed
    ingest(two, [write(tmp_path / "in", "a", text="Snow fell on Lviv.")])
    one.remove(["b"])
    assert found(two) == found(one) == {"a"}
    assert [article.text for article in two.archive.versions("a")] == ["Rain fell on Lviv. a."]
    assert two.doctor().ok
    assert one.archive.article("a") == two.archive.article("a")


def test_who_reads_sees_one_state(machine: Open, tmp_path: Path) -> None:
    one, two = machine(), machine()
    ingest(one, [write(tmp_path / "in", "a")])
    assert found(two) == {"a"}
    with two.reading():
        assert two.archive.counts() == (1, 1)
        ingest(one, [write(tmp_path / "in", "a", "b")])
        one.remove(["a"])
        assert [listed.id for listed in two.archive.listed()] == ["a"]
        assert [hit.article.id for hit in search(two, Query("rain on Lviv"))] == ["a"]
    assert found(two) == {"b"}


def test_each_machine_has_its_vectors_in_a_server(data: str, tmp_path: Path, encoder: Encoder) -> None:
    chroma = Chroma(tmp_path / "chroma")
    opened = [SharedIndex(data, encoder, cache=tmp_path / name, vectors=chroma.address) for name in ("one", "two")]
    one, two = opened
    try:
        ingest(one, [write(tmp_path / "in", "a", "b")])
        assert found(two) == found(one) == {"a", "b"}
        ingest(two, [write(tmp_path / "in", "a", "b", "c")])
        assert found(one) == found(two) == {"a", "b", "c"}
        assert len(one.dense) == len(two.dense) == 3
        assert len(chroma.names()) == 2
        assert not [*one.folder.glob("dense-*")]
        assert one.doctor().ok
        chroma.kill()
        with pytest.raises(Unreachable):
            found(one)
        with one.reading():  # who does not search is not kept from it
            assert one.archive.counts() == (3, 3)
        chroma.start()
        assert found(one) == {"a", "b", "c"}
    finally:
        for index in opened:
            index.close()
        chroma.kill()
    with pytest.raises(BadInput, match="no address of a Chroma server"):
        SharedIndex(data, encoder, vectors="news")


def test_a_new_archive_has_the_encoder_that_its_first_articles_need(data: str, tmp_path: Path) -> None:
    with SharedIndex(data, cache=tmp_path / "one") as one, SharedIndex(data, cache=tmp_path / "two") as two:
        ingest(one, [write(tmp_path / "in", "a", text="У Львові йшов дощ, і вулиці були мокрі.")])
        ingest(two, [write(tmp_path / "also", "b", text="Rain fell on Lviv, and the streets were wet.")])
        assert one.encoder.name == two.encoder.name == MULTILINGUAL
        assert found(one, "дощ у Львові") == found(two, "дощ у Львові") == {"a", "b"}


def test_derived_tables_are_the_same_in_both_databases(machine: Open, tmp_path: Path, encoder: Encoder) -> None:
    rows = [{"id": f"https://news.example/{n}?utm_source=x", "title": f"Report {n}", "outlet": "Alpha" if n % 2 else "",
             "text": f"Rain fell on Lviv, day {n}.", "published": "2025-05-01"} for n in range(230)]  # fmt: skip
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    held = "SELECT article_id, outlet, published, ids, bits FROM signs ORDER BY article_id"
    query = encoder.encode_query(["What was on day 7?"])[0]
    with Index(tmp_path / "archive", encoder) as here:
        there = machine()
        for index in (here, there):
            ingest(index, [file])
            index.remove([rows[3]["id"]])
            again = tmp_path / "again.json"
            again.write_text(json.dumps(rows[5] | {"id": "https://www.news.example/5", "text": "Snow fell on Lviv."}))
            assert ingest(index, [again]).changed == 1
        for table in (held, "SELECT * FROM addresses ORDER BY article_id", "SELECT article_id, sketch FROM copies "
                      "ORDER BY article_id"):  # fmt: skip
            assert here.archive.read(table) == there.archive.read(table)
        for filters in (Filters(), Filters(outlets=("alpha",))):
            best = dict(here.scan.search(query, 9, filters))
            assert dict(there.scan.search(query, 9, filters)) == pytest.approx(best)
        assert len(there.scan.search(query, 999, Filters(outlets=("alpha",)))) == 114


LISTS = [
    {"id": "a", "title": "Zoo", "text": "One.", "outlet": "beta", "published": "2025-01-02", "authors": ["Ann"]},
    {"id": "b", "title": "apple 100% \\", "text": "Two.", "outlet": "Alpha", "authors": ["ann", "Bo"]},
    {"id": "C", "title": "Öl_für Kyiv", "text": "Three.", "published": "2025-01-02"},
    {"id": "d", "title": "Äpfel", "text": "Four\0 and more.", "outlet": "alpha", "published": "2024-01-02"},
    {"id": "e", "title": "Київ", "text": "Five.", "outlet": "Київ", "published": "2025-03-02", "url": "http://x.y/e"},
]


def test_lists_are_the_same_in_both_databases(machine: Open, tmp_path: Path, encoder: Encoder) -> None:
    file = tmp_path / "lists.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in LISTS))
    filters = (
        Filters(), Filters(outlets=("ALPHA",)), Filters(authors=("Ann",)), Filters(since=date(2024, 6, 1)),
        Filters(until=date(2025, 1, 2)),
    )  # fmt: skip
    with Index(tmp_path / "archive", encoder) as here:
        there = machine()
        for index in (here, there):
            ingest(index, [file])
            index.archive.set_meta("test", "1")
        assert there.archive.known() == here.archive.known()
        assert [there.archive.article(row["id"]) for row in LISTS] == [here.archive.article(row["id"]) for row in LISTS]
        for name in ("outlets", "languages", "span", "counts"):
            assert getattr(there.archive, name)() == getattr(here.archive, name)(), name
        for sort, flipped in ((sort, flipped) for sort in SORTS for flipped in (False, True)):
            for given in filters:
                for words in ((), ("A",), ("öl_",), ("100%", "\\"), ("КИЇВ",), ("nothing\0",)):
                    pages = [
                        archive.page(*archive.where(given, words), sort, flipped, limit, 1)
                        for archive in (here.archive, there.archive)
                        for limit in (None, 2)
                    ]
                    assert pages[: len(pages) // 2] == pages[len(pages) // 2 :], (sort, flipped, given, words)


def test_what_is_watched_is_known_to_all(machine: Open, tmp_path: Path) -> None:
    one, two = Sources(machine().archive), Sources(machine().archive)
    folder = write(tmp_path / "in", "a")
    one.add(folder, outlet="Times")
    one.add("https://news.example/feed")
    source = two.get(str(folder.resolve()))
    assert source
    source.due, source.failures = "2030-01-01T00:00:00+00:00", 1
    two.note(source)
    assert [address for address, *_ in one.known()] == ["https://news.example/feed", str(folder.resolve())]
    one.add(folder)
    assert [due for *_, due in two.known()] == [None, None]
    assert [(one["kind"], one["articles"]) for one in two.listed()] == [("folder", 0), ("address", 0)]
    assert two.remove([folder]) == 1
    assert one.get(str(folder.resolve())) is None


INGEST = "import sys; from qa.doors.cli import main; sys.exit(main(sys.argv[1:]))"


def started(data: str, *words: str, script: str = INGEST) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, "--json", *words]
    where = os.environ | {"COPYDESK_DATA": data}
    return subprocess.Popen(
        command, env=where, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_that_ingest_the_same_write_each_article_once(data: str, machine: Open, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", *map(str, range(200)))
    both = [started(data, "ingest", str(folder)) for _ in range(2)]
    reports = [json.loads(one.communicate(timeout=300)[0]) for one in both]
    assert sum(report["added"] for report in reports) == 200
    assert sum(report["unchanged"] for report in reports) == 200
    archive = machine().archive
    assert archive.read("SELECT count(*), max(version) FROM articles") == [(200, 1)]
    assert archive.read("SELECT count(*) FROM versions") == [(0,)]
    assert archive.read("SELECT count(*) FROM passages") == [(200,)]
    assert archive.read("SELECT count(*) FROM copies") == [(200,)]


KILLED = """
import sys, time
from index.archive import Archive
from index.shared.postgres import Postgres
from index.ingest import ingest
from index.shared.machine import SharedIndex
class Slow(Postgres):
    def keep(self, *given):
        super().keep(*given)
        self.read("INSERT INTO meta VALUES ('half', '1')")
        print("within", flush=True)
        time.sleep(60)
import index.shared.machine as machine
machine.Postgres = Slow
ingest(SharedIndex(sys.argv[2], cache=sys.argv[3]), [sys.argv[4]])
"""


def test_of_a_writer_that_is_killed_nothing_is_left(data: str, machine: Open, tmp_path: Path) -> None:
    one = machine()
    folder = write(tmp_path / "in", "a", "b")
    with started(data, data, str(tmp_path / "killed"), str(folder), script=KILLED) as process:
        assert process.stdout
        assert process.stdout.readline() == "within\n"
        assert one.archive.meta("half") is None
        with one.archive.writing(wait=False) as alone:
            assert not alone
        process.send_signal(signal.SIGKILL)
        process.wait()
    started_at = time.monotonic()
    assert ingest(one, [folder]).added == 2
    assert time.monotonic() - started_at < 10
    assert one.archive.meta("half") is None
    assert found(one) == {"a", "b"}


def test_a_server_that_goes_and_comes_back(server: Server, data: str, machine: Open, tmp_path: Path) -> None:
    one = machine()
    ingest(one, [write(tmp_path / "in", "a")])
    assert found(one) == {"a"}
    server.sql("SELECT pg_terminate_backend(pid, 9999) FROM pg_stat_activity WHERE pid != pg_backend_pid() "
               "AND application_name = 'copydesk'")  # fmt: skip
    assert found(one) == {"a"}
    ingest(one, [write(tmp_path / "in", "a", "b")])
    server.stop()
    try:
        with pytest.raises(ArchiveError, match="see that the server runs") as error:
            found(one)
        assert PASSWORD not in str(error.value)
        with pytest.raises(ArchiveError, match="see that the server runs"):
            ingest(one, [write(tmp_path / "in", "c")])
    finally:
        server.start()
    assert found(one) == {"a", "b"}
    assert ingest(one, [tmp_path / "in"]).added == 1


def test_figures_are_told_while_the_database_is_away(
    server: Server, data: str, tmp_path: Path, encoder: Encoder, reranker: Reranker
) -> None:
    with Desk(data, encoder, reranker, cache=tmp_path) as desk:
        metrics, browser = Metrics(open_service(desk, ())), TestClient(build_app(desk), base_url="http://127.0.0.1")
        assert b"\ncopydesk_archive_up 1.0\n" in metrics.response().body
        server.stop()
        try:
            told = bytes(metrics.response().body)
            assert b"\ncopydesk_archive_up 0.0\n" in told
            assert b'copydesk_questions_total{outcome="failed"} 0.0' in told
            assert b"\ncopydesk_articles " not in told
            assert [browser.get(path).status_code for path in ("/readyz", "/healthz", "/livez")] == [503, 503, 200]
        finally:
            server.start()


def test_a_connection_that_is_cut_while_it_writes(server: Server, machine: Open, tmp_path: Path) -> None:
    one = machine()

    def cut() -> None:
        with one.archive.transaction():
            one.archive.set_meta("half", "1")
            server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'")
            one.archive.set_meta("other", "1")

    with pytest.raises(ArchiveError, match="what was written stays"):
        cut()
    assert ingest(one, [write(tmp_path / "in", "a")]).added == 1
    assert one.archive.meta("half") is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((PASSWORD, "wr0ng-passw0rd"), "the password in PGPASSWORD or ~/.pgpass"),
        ((r"/news_\w+", "/nothing"), "createdb makes it"),
        ((r"127.0.0.1:\d+", "127.0.0.1:1"), "see that the server runs"),
        ((r":\d+/", ":notaport/"), "give postgresql://HOST/DB"),
    ],
)
@pytest.mark.parametrize("command", [("ask", "Who?"), ("ingest", str(SEEDS)), ("serve", "--port", "0")])
def test_what_cannot_be_opened_is_one_line(
    data: str, change: tuple[str, str], told: str, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    address = re.sub(*change, data)
    assert main(["--data", address, *command]) == 2
    line = capsys.readouterr().err
    assert told in line
    assert "?" not in line  # of the sentences of PostgreSQL's client, one
    assert line.count("\n") == 1
    assert PASSWORD not in line
    assert "wr0ng" not in line


def test_what_does_not_apply_names_what_does(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], encoder: Encoder, reranker: Reranker
) -> None:
    for command in ("backup", "restore"):
        assert main(["--data", data, command, str(tmp_path / "file")]) == 2
        assert "pg_dump" in capsys.readouterr().err
    assert main(["--data", data, "ask", "Who?"]) == 2
    assert "copydesk ingest makes one" in capsys.readouterr().err
    cache = ["--cache", str(tmp_path / "cache")]
    assert main(["--data", data, *cache, "ingest", str(SEEDS)]) == 0
    assert not (tmp_path / "cache").exists()  # who ingests needs no indexes
    capsys.readouterr()
    assert main(["--data", data, *cache, "--json", "doctor"]) == 0
    health = json.loads(capsys.readouterr().out)
    assert (health["ok"], health["articles"], health["dense"]) == (True, 6, health["passages"])
    assert "pg_dump" in health["remarks"][0]
    with Desk(data, encoder, reranker, cache=tmp_path / "cache") as desk:
        with pytest.raises(BadInput, match="pg_dump"):
            desk.backup(tmp_path / "file")
        answer = desk.ask("Who led the Ukrainian delegation in Paris?")
        citation = answer.citations[0]
        assert desk.show(citation.article_id)["text"][citation.start : citation.end] == citation.quote


def test_a_machine_that_was_gone_for_long_builds_its_indexes_anew(
    data: str, tmp_path: Path, machine: Open, encoder: Encoder
) -> None:
    one, folder = machine(), tmp_path / "in"
    ingest(one, [write(folder, "a")])
    with SharedIndex(data, encoder, cache=tmp_path / "gone") as gone:
        assert found(gone) == {"a"}
        name = gone.archive.notes["machine"]
    marks = f"SELECT count(*) FROM meta WHERE key LIKE 'applied:%@{name}'"
    ingest(one, [write(folder, "a", "b")])
    assert one.archive.read("SELECT count(*) FROM changes")[0][0] > 0  # they are kept for it
    assert one.archive.read(marks) == [(2,)]
    one.archive.run("UPDATE meta SET value = '2020-01-01' WHERE key = ?", f"seen:{name}")
    one.archive.be_seen()
    assert one.archive.read(marks) == [(0,)]
    ingest(one, [write(folder, "a", "b", "c")])
    assert one.archive.read("SELECT count(*) FROM changes") == [(0,)]
    with SharedIndex(data, encoder, cache=tmp_path / "gone") as back:
        assert found(back) == {"a", "b", "c"}
        assert [path.name for path in back.folder.glob("dense-*")] == ["dense-3"]  # after the first, and this
        assert back.archive.read(marks) == [(2,)]


def test_two_processes_of_a_machine_have_folders_of_their_own(data: str, tmp_path: Path, encoder: Encoder) -> None:
    with SharedIndex(data, encoder, cache=tmp_path) as one, SharedIndex(data, encoder, cache=tmp_path) as two:
        ingest(one, [write(tmp_path / "in", "a")])
        assert found(one) == found(two) == {"a"}
        assert {one.folder.name[-2:], two.folder.name[-2:]} == {"-1", "-2"}
    with SharedIndex(data, encoder, cache=tmp_path, read_only=True) as reader:
        assert found(reader) == {"a"}
        with pytest.raises(BadInput, match="for reading only"):
            ingest(reader, [write(tmp_path / "in", "b")])


def test_the_others_follow_another_encoder(data: str, tmp_path: Path) -> None:
    quick = Quick("quick")
    with SharedIndex(data, quick, cache=tmp_path / "1") as one, SharedIndex(data, quick, cache=tmp_path / "2") as two:
        ingest(one, [write(tmp_path / "in", "a", "b")])
        assert found(two) == found(one) == {"a", "b"}
        two._given, other = None, Quick("other")  # as where nobody names an encoder
        assert reencode(one, other).encoded == 2
        two._encoder = other  # which could not be loaded by its name
        assert found(two) == found(one) == {"a", "b"}
        assert two.archive.meta("encoder:dense") == "other"
        assert one.doctor().ok
        assert two.doctor().ok


def test_conversations_are_the_same_wherever_one_asks(machine: Open) -> None:
    one, two = Kept(machine().archive), Kept(machine().archive)  # type: ignore[arg-type]
    talk = one.begin("anna", "ÜBER die Straße, ΑΘΗΝΑ")
    one.add("anna", talk.id, {"question": "Who met \ud83d?\0"}, {"text": "Umerov met Witkoff. [1]"})
    assert two.add("anna", talk.id, {"question": "And then?"}, {"text": "They left."}) == 2
    for words, expected in (("über STRASSE", 1), ("witkoff", 1), ("αθηνα", 1), ("then umerov", 1), ("rain", 0)):
        assert len(two.talks("anna", words)) == expected, words
    assert two.turns("anna", talk.id)[0].asked == {"question": "Who met \ud83d?\0"}
    two.rate("anna", talk.id, 2, False, ["wrong source"])
    assert [(turn.n, turn.good) for turn in one.rated()] == [(2, False)]
    assert one.talks("ben") == []
    two.delete("anna", talk.id)
    assert one.rated() == []


def test_services_find_within_two_seconds_what_another_process_has_ingested(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", data, "ingest", str(write(tmp_path / "in", "a"))]) == 0
    said = f"--cache={tmp_path / 'cache'}"
    with serving(data, said) as first, serving(data, said, "--read-only") as second:
        assert main(["--data", data, "ingest", str(write(tmp_path / "in", "a", "b"))]) == 0
        body = {"question": "Rain on Lviv b"}
        for address in (first, second):
            took = within(2, lambda at=address: "b" in httpx.post(f"{at}/api/search", json=body, timeout=60).text)
            print(f"found after {took:.2f} s")
        sent = {"json": {"articles": [{"text": "Snow fell."}]}}
        for method, path, body_of in (("DELETE", "/a", {}), ("POST", "", sent)):
            refused = httpx.request(method, f"{second}/api/articles{path}", headers={"origin": second}, **body_of)
            assert refused.status_code == 403
            assert refused.json()["detail"].endswith(" is opened for reading only: nothing in it can be changed")
        capsys.readouterr()
        assert main(["--data", data, said, "--json", "search", "Rain on Lviv b"]) == 0  # the first service is asked
        assert "b" in {hit["article_id"] for hit in json.loads(capsys.readouterr().out)["hits"]}
        assert len([*(tmp_path / "cache").iterdir()]) == 2
        httpx.delete(f"{first}/api/articles/b")
        within(2, lambda: "News of b" not in httpx.post(f"{second}/api/search", json=body, timeout=60).text)


@pytest.mark.parametrize(
    ("sqlite", "expected"),
    [
        ("SELECT ? FROM t WHERE a = ?2 AND b = ? AND a < ?1", "SELECT $1 FROM t WHERE a = $2 AND b = $3 AND a < $1"),
        ("ORDER BY +published DESC, id ASC", "ORDER BY published DESC NULLS LAST, id ASC"),
        ("ORDER BY outlet COLLATE NOCASE ASC", "ORDER BY lower(outlet) ASC NULLS FIRST"),
        ("SET checksum = checksum(id, \"end\") WHERE title LIKE ?", "SET checksum = 0 WHERE title ILIKE $1"),
        ("CREATE TABLE t (key TEXT, v BLOB) WITHOUT ROWID", 'CREATE TABLE t (key TEXT COLLATE "C", v BYTEA)'),
        ("CAST(value AS INTEGER)", "CAST(value AS BIGINT)"),
    ],
)  # fmt: skip
def test_what_postgresql_says_otherwise(sqlite: str, expected: str) -> None:
    assert postgres(sqlite) == expected
