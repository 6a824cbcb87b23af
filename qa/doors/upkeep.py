"""Commands that keep an archive: doctor, backup, restore, encode, reencode."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from index.encoder.reencode import remark, unfinished
from index.encoder.waiting import left
from index.health.backup import Report, backup, restore
from index.ingest import LATE
from index.shared import is_shared
from index.types import BadInput, CopydeskError
from qa.doors import show
from qa.doors.cli import DONE, SOME_REJECTED, add_command
from qa.doors.opening import emit, folder, holds_archive, open_desk


def register(commands: Any) -> None:
    doctor = add_command(commands, "doctor", _doctor, "check the archive and its indexes")
    doctor.add_argument("--repair", action="store_true", help="mend what can be, rebuild what is derived")
    saving = add_command(commands, "backup", _backup, "copy the archive into one file, also while it is served")
    restoring = add_command(commands, "restore", _restore, "make an archive of a backup")
    saving.add_argument("--replace", action="store_true", help="write over an earlier backup")
    add_command(commands, "encode", _encode, "encode what ingest --quick left, newest first")
    add_command(commands, "reencode", _reencode, "encode the archive with another encoder (--encoder NAME)")
    for command in (saving, restoring):
        command.add_argument("file", metavar="FILE", type=Path)


def _doctor(args: argparse.Namespace) -> int:
    with open_desk(args) as desk:
        health = desk.index.doctor(args.repair)
        theirs = "the database is not checked here: pg_amcheck does it, pg_dump copies it" * is_shared(args.data)
        remarks = [told for told in (remark(desk.index), unfinished(desk.index), left(desk.index), theirs) if told]
        waiting = desk.index.archive.waiting()
    more = {name: value for name, value in (("waiting", waiting), ("remarks", remarks)) if value}
    emit(args, asdict(health) | more, _print_health)
    return DONE if health.ok else SOME_REJECTED


def _encode(args: argparse.Namespace) -> None:
    with open_desk(args) as desk:
        done = {"encoded": desk.encode_waiting(), "waiting": desk.index.archive.waiting()}
        late = desk.index.late
    emit(args, done, lambda done: show.say(f"{done['encoded']:,} texts encoded; {done['waiting']:,} passages wait."))
    if late:
        raise CopydeskError(f"{late}; {LATE}")


def _reencode(args: argparse.Namespace) -> None:
    if not (name := args.encoder):
        names = "multilingual, english, english-int8, openai:MODEL, a folder or a hub id"
        raise BadInput(f"reencode needs --encoder NAME: {names}")
    args.encoder = None  # it is opened with its own
    with open_desk(args, create=holds_archive(args)) as desk:
        done = desk.reencode(name)
    emit(args, asdict(done), _print_reencoded)


def _backup(args: argparse.Namespace) -> None:
    if (file := args.file.expanduser()).exists() and not args.replace:
        raise BadInput(f"{file} is there already: name another, or give --replace to write over an earlier backup")
    _tell(args, backup(folder(args), file, show.progress(quiet=args.json)))


def _restore(args: argparse.Namespace) -> None:
    report = restore(folder(args), args.file.expanduser(), show.progress(quiet=args.json))
    with open_desk(args) as desk:
        desk.index.catch_up()
    _tell(args, report)


def _tell(args: argparse.Namespace, report: Report) -> None:
    emit(args, report, lambda _: print("{articles:,} articles, {bytes:,} bytes: {file}".format(**report)))


def _print_health(health: show.Document) -> None:
    show.say(" · ".join(f"{health[name]:,} {name}" for name in ("articles", "passages", "dense", "lexical")))
    for problem in health["problems"]:
        show.say(problem, style="red")
    for said in health.get("remarks", ()):
        show.say(said, style="yellow")
    if health["ok"]:
        show.say("The archive and both indexes are sound.", style="green")


def _print_reencoded(done: show.Document) -> None:
    kept = f", {done['kept']:,} were already" * bool(done["kept"])
    told = f"{done['passages']:,} passages have the encoder {done['encoder']} in place of {done['before']}."
    show.say(f"{done['encoded']:,} texts encoded in {done['seconds']:.1f} s{kept}: {told}")
