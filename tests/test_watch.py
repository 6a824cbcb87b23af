"""Folders, feeds and pages that stay in step by themselves: a real local server, real folders, the real command."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import LONG, REPOSITORY, Run, running, serving
from web import Web, web

from index.encoder import Encoder
from index.ingest import IngestReport, ingest
from index.sources.watch import DAY, RETRY, Looked, Watch
from index.sources.watched import Sources
from index.sync import Index
from index.types import BadInput
from qa import Desk

STORY = "The {} of Kelmouth was opened on Monday. Mayor Ida Brandt cut a ribbon before a crowd of two hundred people. "
PROMPT = 20.0  # seconds in which what happens must be told, on a busy machine


class Watcher:
    """An index that is watched by hand: each `round` is one pass, at a time that is set."""

    def __init__(self, index: Index) -> None:
        self.index, self.now, self.stop = index, datetime(2026, 5, 4, 12, tzinfo=UTC), threading.Event()
        self.sources = Sources(index.archive)

    def ingest(self, *given: Any, **options: Any) -> IngestReport:
        return ingest(self.index, *given, **options)

    def add(self, *given: str | Path, **options: Any) -> None:
        for source in given:
            self.sources.add(source, private=True, **options)

    def round(self, **later: float) -> list[Looked]:
        self.now += timedelta(**later)
        ours = str(self.index.folder)
        once = Watch(self.sources, self.ingest, ours, self.stop, once=True, clock=lambda: self.now, pause=0.05)
        return [*once.looks()]

    def wait(self, address: str) -> float:
        """Return in how many seconds a source is due."""
        source = self.sources.get(address)
        assert source is not None
        assert source.due is not None
        return (datetime.fromisoformat(source.due) - self.now).total_seconds()

    def titles(self) -> list[str]:
        return sorted(article.title for article in self.index.archive.listed())


@pytest.fixture
def watcher(index: Index) -> Watcher:
    return Watcher(index)


@pytest.fixture
def site() -> Iterator[Web]:
    with web() as served:
        served.pages["/robots.txt"] = (404, {}, b"")
        yield served


def page(name: str) -> bytes:
    story = "".join(f"<p>{STORY.format(name)}</p>" for _ in range(4))
    return f"<html><head><title>{name} opens</title></head><body><article><h1>{name} opens</h1>{story}</article></body></html>".encode()  # noqa: E501


def publish(site: Web, *names: str, **headers: str) -> str:
    """Let a feed tell of pages; answer 304 to whoever has it as it is."""
    items = "".join(f"<item><title>{name}</title><link>{site.url(f'/{name}')}</link></item>" for name in names)
    feed = f"<rss version='2.0'><channel><title>Kelm Post</title>{items}</channel></rss>".encode()
    tag = f'"{len(names)}"'

    def answer(request: Any) -> None:
        known = request.headers.get("If-None-Match") == tag
        request.send_response(304 if known else 200)
        told = {"Content-Type": "application/rss+xml", "ETag": tag, "Content-Length": "0" if known else str(len(feed))}
        for name, value in (told | headers).items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(b"" if known else feed)

    site.pages |= {f"/{name}": page(name) for name in names} | {"/feed": answer}
    return site.url("/feed")


def old(path: Path, text: str) -> Path:
    """Write a file that nobody is writing any more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (1e9, 1e9))
    return path


def test_a_feed_is_asked_ever_less_often_while_nothing_changes(watcher: Watcher, site: Web) -> None:
    feed = publish(site, "pier")
    watcher.add(feed)
    [looked] = watcher.round()
    assert looked == Looked(feed, added=1)
    assert watcher.wait(feed) == 15 * 60
    assert watcher.round(minutes=14) == []
    waits = []
    for _ in range(4):
        assert watcher.round(seconds=watcher.wait(feed)) == [Looked(feed)]
        waits.append(watcher.wait(feed) / 60)
    assert waits == pytest.approx([22.5, 33.75, 50.625, 75.9375], abs=0.02)
    assert site.paths().count("/pier") == 1
    publish(site, "pier", "dock")
    assert watcher.round(hours=2) == [Looked(feed, added=1)]
    assert watcher.wait(feed) == 15 * 60
    assert watcher.titles() == ["dock opens", "pier opens"]
    for _ in range(12):
        watcher.round(days=1)
    assert watcher.wait(feed) == DAY
    [listed] = watcher.sources.listed()
    assert (listed["kind"], listed["articles"], listed["failures"]) == ("feed", 2, 0)


def test_a_host_says_for_how_long_it_stays_as_it_is(watcher: Watcher, site: Web) -> None:
    feed = publish(site, "pier", Cache_Control="max-age=7200")
    watcher.add(feed)
    watcher.round()
    assert watcher.wait(feed) == 7200
    watcher.round(hours=3)  # 304, which says it too
    assert watcher.wait(feed) == 7200


def test_every_says_how_often(watcher: Watcher, site: Web) -> None:
    feed = publish(site, "pier")
    watcher.add(feed, every=5.0)
    for _ in range(3):
        watcher.round(minutes=6)
        assert watcher.wait(feed) == 300


def test_one_that_fails_is_tried_again_ever_later_and_stops_nothing(
    watcher: Watcher, site: Web, tmp_path: Path
) -> None:
    site.pages["/gone"] = (404, {}, b"")
    gone, feed = site.url("/gone"), publish(site, "pier")
    old(tmp_path / "in" / "quay.txt", STORY.format("quay"))
    watcher.add(gone, feed, tmp_path / "in")
    looked = {one.address: one for one in watcher.round()}
    assert looked[gone].failure == "there is no such page (404): look at the address"
    assert looked[feed].added == looked[str(tmp_path / "in")].added == 1
    waits = []
    for _ in range(10):
        waits.append(watcher.wait(gone))
        watcher.round(seconds=waits[-1])
    for number, wait in enumerate(waits):
        assert min(DAY, RETRY * 2**number * 0.8) - 1 <= wait <= min(DAY, RETRY * 2**number * 1.2) + 1
    site.pages["/gone"] = page("ferry")
    watcher.round(days=1)
    [listed] = [one for one in watcher.sources.listed() if one["address"] == gone]
    assert (listed["failures"], listed["failure"], listed["articles"], listed["kind"]) == (0, None, 1, "page")


def test_a_host_says_when_to_come_again(watcher: Watcher, site: Web) -> None:
    site.pages["/busy"] = (503, {"Retry-After": "40000"}, b"")
    watcher.add(busy := site.url("/busy"))
    [looked] = watcher.round()
    assert "cannot answer now (503): try again in 40,000 seconds" in looked.failure
    assert watcher.wait(busy) == 40_000


def test_what_cannot_be_used_is_kept_until_it_can(watcher: Watcher, site: Web, tmp_path: Path) -> None:
    feed = publish(site, "pier", *(f"empty{n}" for n in range(25)))
    site.pages |= {f"/empty{n}": (404, {}, b"") for n in range(25)}
    bad, folder = old(tmp_path / "in" / "bad.json", "{"), tmp_path / "in"
    old(folder / "quay.txt", STORY.format("quay"))
    watcher.add(feed, folder)
    looked = {one.address: len(one.rejected) for one in watcher.round()}
    assert looked == {feed: 25, str(folder): 1}
    kept = {one["address"]: one["rejected"] for one in watcher.sources.listed()}
    told = [
        {"source": site.url(f"/empty{n}"), "reason": "there is no such page (404): look at the address"}
        for n in range(5, 25)
    ]
    assert kept[feed] == told
    assert [one["source"] for one in kept[str(folder)]] == [str(bad)]
    old(bad, json.dumps({"title": "Quay", "text": STORY.format("quay")}))
    publish(site, "pier", *(f"empty{n}" for n in range(25)))
    watcher.round(days=2)
    assert [one["rejected"] for one in watcher.sources.listed()] == [[], []]


def test_a_folder_that_vanishes_whole_loses_nothing(watcher: Watcher, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    old(folder / "a" / "pier.txt", STORY.format("pier"))
    old(folder / "quay.txt", STORY.format("quay"))
    watcher.add(folder)
    assert watcher.round() == [Looked(str(folder), added=2)]
    folder.rename(tmp_path / "away")
    [looked] = watcher.round(days=1)
    assert looked.failure == "No such file or directory: is its drive there? Nothing of it is removed"
    folder.mkdir()  # where a drive was
    [looked] = watcher.round(days=1)
    assert looked.failure.startswith("another folder is in its place, without any of its files: is its drive there?")
    assert len(watcher.titles()) == 2
    folder.rmdir()
    (tmp_path / "away").rename(folder)
    assert watcher.round() == [Looked(str(folder))]
    shutil.rmtree(folder / "a")
    assert watcher.round() == [Looked(str(folder), removed=1)]
    (folder / "quay.txt").unlink()
    assert watcher.round() == [Looked(str(folder), removed=1)]


def test_what_cannot_be_watched_is_told(watcher: Watcher, tmp_path: Path) -> None:
    for given, told in (
        (tmp_path / "none", f"{tmp_path}/none: no such file or folder: look at the path"),
        ("ftp://a.com/x", "ftp://a.com/x: only addresses that begin with http:// or https:// and a host are read"),
    ):  # fmt: skip
        with pytest.raises(BadInput) as error:
            watcher.add(given)
        assert str(error.value) == told
    with pytest.raises(BadInput, match=r"https://example\.com/ is not watched: copydesk sources lists what is"):
        watcher.sources.remove(["https://example.com/"])


def test_secrets_are_used_and_never_stored(watcher: Watcher, site: Web) -> None:
    site.pages["/feed?key=s3cretkey"] = page("pier")
    given = site.url("/feed?key=s3cretkey").replace("//", "//anna:s3cretword@")
    watcher.add(given)
    [looked] = watcher.round()
    assert looked == Looked(site.url("/feed?key=***"), added=1)
    assert dict(site.asked)["/feed?key=s3cretkey"]["authorization"].startswith("Basic ")
    assert "s3cret" not in json.dumps(watcher.sources.listed())
    for file in watcher.index.folder.glob("archive*"):
        assert b"s3cret" not in file.read_bytes()
    again = Watcher(watcher.index)  # the next process
    again.now = watcher.now
    [looked] = again.round(days=1)
    assert looked.failure == "a key in it is not kept: give the whole address again, copydesk watch ADDRESS"
    again.add(given)
    assert again.round() == [Looked(site.url("/feed?key=***"))]


def test_what_was_stopped_is_gone_on_with(watcher: Watcher, site: Web) -> None:
    """A visit of many pages ends in the middle: what it has is in, and the rest comes at the next start."""
    names = [f"pier{n}" for n in range(6)]
    feed = publish(site, *names)

    def last(request: Any) -> None:
        watcher.stop.set()
        request.send_response(500)
        request.end_headers()

    site.pages["/pier3"] = (200, {"Content-Type": "text/html"}, page("pier3"))
    watcher.add(feed)
    site.pages["/pier2"] = last
    watcher.round()
    assert watcher.titles() == ["pier0 opens", "pier1 opens"]
    watcher.stop.clear()
    site.pages["/pier2"] = page("pier2")
    watcher.round()
    assert watcher.titles() == [f"{name} opens" for name in names]
    assert [site.paths().count(f"/{name}") for name in names[:2]] == [1, 1]


@contextmanager
def looking(desk: Desk, *sources: str | Path, **options: Any) -> Iterator[Callable[..., Looked]]:
    """Watch in a thread; give what waits for a look that brought something."""
    stop, told, seen = threading.Event(), list[Looked](), 0
    looks = desk.watch(sources, stop=stop, **options)
    thread = threading.Thread(target=lambda: [told.append(looked) for looked in looks])
    thread.start()

    def next_one() -> Looked:
        nonlocal seen
        ends = time.monotonic() + PROMPT
        while len(told) <= seen:
            assert time.monotonic() < ends, "nothing is told"
            time.sleep(0.05)
        seen += 1
        return told[seen - 1]

    try:
        yield next_one
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def test_a_folder_is_in_step(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    old(folder / "pier.txt", STORY.format("pier"))
    (folder / "README").write_text("No article.")
    with looking(desk, folder) as told:
        assert told() == Looked(str(folder), added=1)
        (folder / "new").mkdir()
        with (folder / "new" / "quay.txt").open("w") as file:  # it is being written for longer than a moment
            for _ in range(12):
                file.write(STORY.format("quay"))
                file.flush()
                time.sleep(0.3)
        assert told() == Looked(str(folder), added=1)
        [quay] = [desk.article(one["id"]) for one in desk.articles() if one["id"].endswith("quay.txt")]
        assert (quay.id, quay.text.count("quay")) == ("new/quay.txt", 12)
        (folder / "pier.txt").write_text(STORY.format("ferry"))
        assert told() == Looked(str(folder), changed=1)
        (folder / "new").rename(folder / "other")
        looked = told()
        assert (looked.added + looked.changed, looked.removed) == (1, 1)
        (folder / "pier.txt").unlink()
        assert told() == Looked(str(folder), removed=1)
        (folder / "bad.json").write_text("{")
        assert [one.source for one in told().rejected] == [str(folder / "bad.json")]
        folder.rename(tmp_path / "away")
        assert "is its drive there?" in told().failure
        (tmp_path / "away").rename(folder)
        assert [one.source for one in told().rejected] == [str(folder / "bad.json")]
    assert desk.index.doctor().ok


@LONG
@pytest.mark.torture
def test_an_archive_in_its_own_folder_wakes_nobody(desk: Desk, tmp_path: Path) -> None:
    old(tmp_path / "pier.txt", STORY.format("pier"))
    with looking(desk, tmp_path) as told:
        assert told() == Looked(str(tmp_path), added=1)
        time.sleep(5)
        old(tmp_path / "quay.txt", STORY.format("quay"))
        assert told() == Looked(str(tmp_path), added=1)


COMMAND = (sys.executable, "-m", "qa", "--data")


@contextmanager
def command(archive: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*COMMAND, str(archive), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          cwd=REPOSITORY) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def test_the_command_watches_is_stopped_and_goes_on(archive_beside: Path, run: Run, site: Web, tmp_path: Path) -> None:
    folder, feed = tmp_path / "in", publish(site, "pier")
    old(folder / "quay.txt", STORY.format("quay"))
    with command(archive_beside, "watch", str(folder), feed, "--allow-private") as process:
        assert process.stderr is not None
        lines = {process.stderr.readline().split(" ", 1)[1] for _ in range(2)}
        assert lines == {f"{folder}: 1 added\n", f"{feed}: 1 added\n"}
        status, out, err = run("sources", "--json", data=archive_beside)  # beside it
        assert (status, err.startswith("copydesk: the archive is being written by process")) == (0, True)
        assert [(one["kind"], one["articles"]) for one in json.loads(out)["sources"]] == [("folder", 1), ("feed", 1)]
        process.send_signal(signal.SIGTERM)
        begun = time.perf_counter()
        assert process.stderr.read() == "copydesk: stopped; what was written stays, run it again to go on\n"
        assert (process.wait(), time.perf_counter() - begun < 3) == (143, True)
    old(folder / "dock.txt", STORY.format("dock"))
    with command(archive_beside, "watch") as process:
        assert process.stderr is not None
        assert process.stderr.readline().endswith(f" {folder}: 1 added\n")  # the feed is not due
        process.kill()
    assert site.paths().count("/feed") == 1
    assert run("sources", "remove", feed, data=archive_beside) == (0, "1 removed; the articles stay\n", "")
    assert run("watch", "--once", data=archive_beside)[0] == 0
    status, out, _ = run("sources", data=archive_beside)
    assert (status, out.startswith(f"{folder} · folder · 2 articles · read ")) == (0, True)
    assert len(json.loads(run("articles", "list", "--json", data=archive_beside)[1])["articles"]) == 3


def test_once_looks_and_ends(archive_beside: Path, run: Run, site: Web, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "pier.txt").write_text(STORY.format("pier"))  # just now
    status, out, err = run("watch", str(tmp_path / "in"), site.url("/none"), "--once", "--json", data=archive_beside)
    assert status == 1  # private addresses are not let in
    assert [(one["articles"], one["failures"]) for one in json.loads(out)["sources"]] == [(1, 0), (0, 1)]
    assert f"{tmp_path / 'in'}: 1 added\n" in err
    assert "is not on the public internet: --allow-private lets private hosts in\n" in err
    told = "copydesk: 0 minutes are no interval: give .1 to 1440\n"
    assert run("watch", "--every", "0", data=archive_beside) == (2, "", told)


def test_nothing_to_watch_is_told(archive_beside: Path, run: Run) -> None:
    told = f"copydesk: no archive at {archive_beside}: copydesk ingest makes one, --data names another\n"
    for command in ("watch", "sources"):
        assert run(command, data=archive_beside) == (2, "", told)
    Index(archive_beside).close()
    told = "copydesk: nothing is watched yet: name a folder, a file or an address\n"
    assert run("watch", data=archive_beside) == (2, "", told)
    assert run("sources", data=archive_beside) == (0, "Nothing is watched.\n", "")


@pytest.fixture
def archive_beside(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def archive(archive_beside: Path) -> Path:
    """What `run` reads where no other is named."""
    return archive_beside


def test_a_service_watches(archive_beside: Path, site: Web, tmp_path: Path) -> None:
    folder, feed = tmp_path / "in", publish(site, "pier")
    old(folder / "quay.txt", STORY.format("quay"))
    with serving(archive_beside, "--watch", str(folder), "--allow-private") as address:

        def listed(count: int) -> list[dict[str, Any]]:
            ends = time.monotonic() + PROMPT
            while time.monotonic() < ends:
                sources = httpx.get(f"{address}/api/sources").json()["sources"]
                if sum(one["articles"] for one in sources) == count:
                    break
                time.sleep(0.2)
            return [*sources]

        assert [(one["address"], one["kind"]) for one in listed(1)] == [(str(folder), "folder")]
        posted = httpx.post(f"{address}/api/sources", json={"address": feed})
        assert [one["address"] for one in posted.json()["sources"]] == [str(folder), feed]
        old(folder / "dock.txt", STORY.format("dock"))
        assert [one["articles"] for one in listed(3)] == [2, 1]
        refused = httpx.post(f"{address}/api/sources", json={"address": "/etc"})
        assert (refused.status_code, "only addresses are added here" in refused.json()["error"]) == (400, True)
        removed = httpx.delete(f"{address}/api/sources/{feed.replace('/', '%2F')}")
        assert removed.json() == {"removed": 1}
        assert [one["address"] for one in listed(2)] == [str(folder)]
        assert httpx.get(f"{address}/healthz").json()["articles"] == 3


@LONG
@pytest.mark.torture
def test_a_service_that_watches_nothing_says_so(desk: Desk) -> None:
    with running(desk) as address:
        assert httpx.get(f"{address}/api/sources").json() == {"sources": []}
        refused = httpx.post(f"{address}/api/sources", json={"address": "https://example.com/feed"})
        told = "nothing is watched here: start it with copydesk serve --watch"
        assert (refused.status_code, refused.json()["error"]) == (400, told)


def test_the_page_shows_sources(desk: Desk, site: Web) -> None:
    from qa.page.archive import view
    from qa.service import User, open_service

    site.pages["/gone"] = (404, {}, b"")
    [*desk.watch([site.url("/gone")], allow_private=True, once=True)]
    shown = view(open_service(desk), User(), {})
    assert "Sources that are watched" in shown
    assert "failed 1 time: there is no such page (404): look at the address" in shown


@LONG
@pytest.mark.torture
def test_killed_at_any_moment_nothing_is_lost_or_doubled(archive_beside: Path, encoder: Encoder, site: Web) -> None:
    """kill -9 before, while and after the articles of a visit are stored."""
    names = [f"pier{n}" for n in range(4)]
    feed = publish(site, *names)
    for seconds in (3.0, 6.0, 8.0):
        with command(archive_beside, "watch", feed, "--allow-private", "--every", ".1") as process:
            time.sleep(seconds)
            process.kill()
    with command(archive_beside, "watch", feed, "--allow-private", "--once") as process:
        assert process.wait(60) == 0
    with Index(archive_beside, encoder) as index:
        assert sorted(article.title for article in index.archive.listed()) == [f"{name} opens" for name in names]
        assert [index.archive.versions(article.id) for article in index.archive.listed()] == [[]] * 4
        assert index.doctor().ok
