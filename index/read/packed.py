"""Reads ZIP files: each file in one by the reader of its own kind."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from math import inf
from pathlib import PurePosixPath
from typing import Any

from index.read import formats
from index.read.article import UNPRINTABLE
from index.read.plain import Source
from index.types import BadInput

SKIPPED = re.compile(r"README|LICENSE|questions.*\.jsonl$|\.|~\$|__MACOSX$")  # Beside articles, but not articles.
GROWTH = 100  # Texts unzip to ten times their size, what fills the memory or the disk to a thousand.
FILES = 100_000  # in a ZIP file: of each, half a kilobyte is held


def members(file: Source) -> Iterator[tuple[str, Source | BadInput]]:
    """Yield the name and the content of each file in a ZIP file, or why it cannot be read; others are counted.

    Raises ValueError where the whole cannot be read, or is made to fill the memory.
    """
    try:
        with zipfile.ZipFile(file) as packed:
            _check(packed.infolist(), file.seek(0, 2))
            for info in packed.infolist():
                name = _name(info)
                parts = PurePosixPath(name).parts
                if info.is_dir() or any(map(SKIPPED.match, set(parts) - {".."})):
                    continue
                kind = suffix(name)
                if not kind:
                    file.skipped[PurePosixPath(name).suffix.lower()] += 1
                elif reason := _unread(info, name, parts, kind):
                    yield name, BadInput(reason)
                else:
                    with packed.open(info) as content, Source(content) as source:
                        yield name, source
    except (zipfile.BadZipFile, NotImplementedError, UnicodeError) as error:
        raise ValueError(f"no ZIP file, or a damaged one ({error}): pack it again") from error


def read_zip(file: Source) -> Iterator[tuple[Any, str, str]]:
    """Yield fields and place of each article in a ZIP file, and the ending of the file in it that holds the article."""
    for name, source in members(file):
        if isinstance(source, BadInput):
            yield source, name, ""
            continue
        try:
            for fields, place in formats.READERS[suffix(name)][0](source):
                yield fields, ", ".join(filter(None, (name, place))), suffix(name)
        except (BadInput, ValueError) as error:
            yield BadInput(str(error)), name, ""
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            yield BadInput(f"damaged in the ZIP file ({error}): pack it again"), name, ""
        file.guessed, file.skipped = source.guessed or file.guessed, file.skipped + source.skipped


# As in `formats`; read_zip tells a third thing of each article.
READERS: dict[str, tuple[Callable[[Source], Iterator[tuple[Any, ...]]], float]]
READERS = {**formats.READERS, ".zip": (read_zip, inf)}


def suffix(name: str) -> str:
    """Return the ending by which a file's reader is found, empty where there is none."""
    return next((ending for ending in READERS if name.lower().endswith(ending)), "")


def _check(infos: list[zipfile.ZipInfo], size: int) -> None:
    """Raise ValueError for a bomb. No more is ever unzipped of a file than it is said to have."""
    if len(infos) > FILES:
        raise ValueError(f"it holds over {FILES:,} files: unpack it")
    whole = sum(info.file_size for info in infos)
    if whole > max(1_000_000, GROWTH * size):
        raise ValueError(f"it unzips to {whole / 1e6:,.0f} MB, over {GROWTH} times its size, as no articles do")
    ordered = sorted(infos, key=lambda info: info.header_offset)
    if any(one.header_offset + one.compress_size > other.header_offset for one, other in pairwise(ordered)):
        raise ValueError("its files overlap, as nothing packs them: look into it")


def _name(info: zipfile.ZipInfo) -> str:
    """Return a name, which many write in UTF-8 and do not say so."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return name.replace("\\", "/")


def _unread(info: zipfile.ZipInfo, name: str, parts: tuple[str, ...], kind: str) -> str:
    """Say why a file is not read, empty where it is."""
    most = READERS[kind][1]
    if UNPRINTABLE.search(name) or ".." in parts or name.startswith("/"):
        return "its name leads out of the ZIP file or holds control characters: pack it again"
    if kind == ".zip":
        return "a ZIP file in a ZIP file: unpack it"
    if info.flag_bits & 1:
        return "it is locked by a password: unpack it"
    return (
        f"it has {info.file_size / 1e6:,.1f} MB and {most} are the most: split it"
        if info.file_size > most * 1e6
        else ""
    )
