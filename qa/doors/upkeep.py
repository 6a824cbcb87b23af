"""Commands that keep an archive: doctor, backup, restore."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from index.health.backup import Report, backup, restore
from qa.doors import show
from qa.doors.cli import DONE, SOME_REJECTED, add_command
from qa.doors.opening import emit, folder, open_desk


def register(commands: Any) -> None:
    doctor = add_command(commands, "doctor", _doctor, "check the archive and its indexes")
    doctor.add_argument("--repair", action="store_true", help="mend what can be, rebuild what is derived")
    saving = add_command(commands, "backup", _backup, "copy the archive into one file, also while it is served")
    restoring = add_command(commands, "restore", _restore, "make an archive of a backup")
    for command in (saving, restoring):
        command.add_argument("file", metavar="FILE", type=Path)


def _doctor(args: argparse.Namespace) -> int:
    with open_desk(args) as desk:
        health = desk.index.doctor(args.repair)
    emit(args, asdict(health), show.print_health)
    return DONE if health.ok else SOME_REJECTED


def _backup(args: argparse.Namespace) -> None:
    _tell(args, backup(folder(args), args.file.expanduser(), show.progress(quiet=args.json)))


def _restore(args: argparse.Namespace) -> None:
    report = restore(folder(args), args.file.expanduser(), show.progress(quiet=args.json))
    with open_desk(args) as desk:
        desk.index.catch_up()
    _tell(args, report)


def _tell(args: argparse.Namespace, report: Report) -> None:
    emit(args, report, lambda _: print("{articles:,} articles, {bytes:,} bytes: {file}".format(**report)))
