"""How a command opens its archive, or asks who holds it, and prints what comes back."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from index.encoder.reencode import remark
from index.encoder.waiting import left
from index.health.spans import export
from index.read import ARCHIVE
from index.shared import is_shared, local
from index.types import ArchiveInUse, BadInput
from qa.desk import Desk
from qa.doors import show
from qa.doors.client import request
from qa.doors.show import Document

Print = Callable[[Document], None]
Ask = Callable[[Desk], Document]
AskService = Callable[[str, str, Any], Document]  # its address, path and body


def emit(args: argparse.Namespace, document: Document, print_for_people: Print) -> None:
    """Print a result as JSON, or as people read it."""
    if args.json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        print_for_people(document)


def open_desk(args: argparse.Namespace, create: bool = False, read_only: bool = False) -> Desk:
    """Open the archive that the arguments name, with progress on stderr where people look at it."""
    if not create and not holds_archive(args):
        raise BadInput(f"no archive at {args.data}: copydesk ingest makes one, --data names another")
    export()
    settings = ("llm", "llm_url", "judge", "strict", "reranker", "allow_private", "vectors")
    given = {name: value for name in settings if (value := getattr(args, name, None)) is not None}
    progress = show.progress(quiet=args.json)
    desk = Desk(args.data, encoder=args.encoder, progress=progress, read_only=read_only, cache=args.cache, **given)
    if not create:
        remind(desk)
    return desk


def remind(desk: Desk) -> None:
    """Say on stderr where an archive is in other languages than its encoder knows, and what is not encoded yet."""
    for told in filter(None, (remark(desk.index), left(desk.index))):
        print(f"copydesk: {told}", file=sys.stderr)


def folder(args: argparse.Namespace) -> Path:
    """Return the folder of the archive that the arguments name. Raises BadInput for one in a database."""
    if not args.data:
        raise BadInput("--data is empty: name the folder of the archive")
    return local(args.data)


def holds_archive(args: argparse.Namespace) -> bool:
    """Tell whether there is an archive, or what is left of one whose file is lost."""
    if is_shared(args.data):
        from index.shared.postgres import holds  # its driver need not be installed

        return holds(args.data)
    return (folder(args) / ARCHIVE).exists() or any(folder(args).glob("dense-[0-9]*"))


def read(
    args: argparse.Namespace, tell: Print, ask: Ask, path: str, body: Any = None, there: AskService = request
) -> Document:
    """Print and return what the desk says, or the service that holds the archive: it is asked at `path` with `body`.

    The archive is opened for reading only where another process holds it and serves nobody, or nothing can be written.
    """
    shared = is_shared(args.data)
    file = Path() if shared else folder(args) / ARCHIVE
    still = file.exists() and not all(os.access(place, os.W_OK) for place in (file, file.parent))
    try:
        with open_desk(args, read_only=still and not shared) as desk:
            if shared:
                desk.index.yields = True  # type: ignore[attr-defined]
            document = ask(desk)
    except ArchiveInUse as error:
        if error.address is None:
            print(f"copydesk: the archive is being written by {error.holder}: read as it was at the last batch",
                  file=sys.stderr)  # fmt: skip
            with open_desk(args, read_only=True) as desk:
                document = ask(desk)
        else:
            for name in ("llm_url", "judge", "reranker"):  # a service has its own
                if getattr(args, name, None):
                    served = f"the archive is served at {error.address}"
                    raise BadInput(f"{served}: --{name.replace('_', '-')} is for copydesk serve then") from error
            document = there(error.address, path, body)
    emit(args, document, tell)
    return document
