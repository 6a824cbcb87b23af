"""The commands that keep an archive in step with what it is made of: watch and sources, and serve --watch."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from index.sync import silent
from index.types import BadInput, CopydeskError
from qa.desk import Desk
from qa.doors import show
from qa.doors.cli import add_command
from qa.doors.opening import emit, open_desk, read
from qa.doors.stop import Stopped, ending

if TYPE_CHECKING:
    from index.sources.watch import Looked

NAMED = 5  # rejected files of a look
LOOK_SECONDS = 60.0  # between two looks for what waits


def register(commands: Any) -> None:
    watch = add_command(commands, "watch", _watch, "keep in step with folders, files, feeds, sitemaps and pages")
    watch.add_argument(
        "sources", nargs="*", metavar="SOURCE", help="folders, files and addresses; those known are, too"
    )
    watch.add_argument("--once", action="store_true", help="look at these, and at those that are due, and end")
    watch.add_argument("--every", type=float, metavar="MINUTES", help="how often (default: as often as it changes)")
    watch.add_argument("--outlet", metavar="NAME", help="the outlet of articles that name none")
    watch.add_argument("--allow-private", action="store_true", help="read addresses of private networks too")
    sources = add_command(commands, "sources", _sources, "list what is watched, or forget some of it")
    sources.add_argument("action", nargs="?", choices=("list", "remove"), default="list")
    sources.add_argument("addresses", nargs="*", metavar="ADDRESS")


def _watch(args: argparse.Namespace) -> int:
    """Watch until the process is told to end, or look `--once`; return 1 where something could not be used then."""
    told = 0
    with open_desk(args, create=bool(args.sources)) as desk:
        try:
            for looked in desk.watch(args.sources, args.outlet, every=args.every, once=args.once):
                _tell(looked)
                told = 1 if looked.failure or looked.rejected else told
        except KeyboardInterrupt as error:  # watchfiles tells that a signal came, and not which
            raise Stopped(ending[0] - 128) from error
        if args.json:
            emit(args, {"sources": desk.sources.listed()}, _print_sources)
    return told


@contextmanager
def watching(desk: Desk, args: argparse.Namespace) -> Iterator[None]:
    """Watch in a thread what --watch of a service says, until the block ends."""
    if args.watch is None:
        yield
        return
    stop = threading.Event()
    looks = desk.watch(args.watch, stop=stop)
    thread = threading.Thread(target=lambda: [*map(_tell, looks)], name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(1)  # what a host is slow to say is not waited for


@contextmanager
def encoding(desk: Desk) -> Iterator[None]:
    """Encode in a thread what waits for its vector, also what other machines leave, until the block ends."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                desk.encode_waiting(silent, stop)
            except CopydeskError as error:  # a server that is away, say
                print(f"copydesk: {error}", file=sys.stderr)
            stop.wait(LOOK_SECONDS)

    thread = threading.Thread(target=work, name="encode", daemon=True)
    if not desk.index.archive.read_only:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if thread.ident:
            thread.join()


def _sources(args: argparse.Namespace) -> None:
    """List what is watched, or forget some of it."""
    if bool(args.addresses) != (args.action == "remove"):
        raise BadInput("copydesk sources lists what is watched, copydesk sources remove ADDRESS forgets it")
    if args.action == "list":
        read(args, _print_sources, lambda desk: {"sources": desk.sources.listed()}, "/api/sources")
        return
    with open_desk(args) as desk:
        removed = desk.sources.remove(args.addresses)
    emit(args, {"removed": removed}, lambda _: print(f"{removed} removed; the articles stay"))


def _tell(looked: Looked) -> None:
    counts = {name: getattr(looked, name) for name in ("added", "changed", "removed")} | {
        "rejected": len(looked.rejected)
    }
    told = [f"{number:,} {name}" for name, number in counts.items() if number]
    told = [", ".join(told)] * bool(told) + [said for said in (looked.failure, looked.remark) if said]
    lines = [f"{datetime.now():%H:%M} {looked.address}: {'; '.join(told) or 'nothing new'}"]
    lines += [f"  rejected {one.source}: {one.reason}" for one in looked.rejected[:NAMED]]
    lines += ["  copydesk sources lists the others"] * (len(looked.rejected) > NAMED)
    print("\n".join(lines), file=sys.stderr, flush=True)


def _print_sources(listed: show.Document) -> None:
    if not listed["sources"]:
        show.say("Nothing is watched.", style="yellow")
    for source in listed["sources"]:
        show.say((source["address"], "bold"), f" · {show.state(source)}", wrap=False)
        for rejected in source["rejected"]:
            show.say(f"  rejected {rejected['source']}: {rejected['reason']}", style="yellow")
