"""Opens what is zipped, also by office programs, with care for what would fill the memory or lead out of the file."""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from lxml import etree

from index.read.article import UNPRINTABLE
from index.read.plain import Source
from index.types import BadInput

SKIPPED = re.compile(r"README|LICENSE|questions.*\.jsonl$|\.|~\$|__MACOSX$")  # Beside articles, but not articles.
FILES = 100_000  # in a ZIP file: of each, half a kilobyte is held
GROWTH, UNZIPPED_BYTES = 100, 100_000_000  # Texts unzip to ten times their size, what fills the memory to a thousand.


@contextmanager
def sound(kind: str) -> Iterator[None]:
    """Raise ValueError for what libraries raise where a file is not of this kind, damaged or locked."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, AttributeError, NotImplementedError, RuntimeError,
            SyntaxError, TypeError, etree.LxmlError) as error:  # fmt: skip
        raise ValueError(f"no {kind}, a damaged or a locked one ({error}): save it again") from error


def opened(data: bytes) -> zipfile.ZipFile:
    """Return a file that is zipped. Raises ValueError for one that would fill the memory."""
    packed = zipfile.ZipFile(BytesIO(data))
    size = sum(part.file_size for part in packed.infolist())
    if size > UNZIPPED_BYTES or size > max(1_000_000, GROWTH * len(data)):
        raise ValueError(f"it unzips to {size / 1e6:,.0f} MB, as no articles do: look into it")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in packed.infolist()):
        raise NotImplementedError("packed as no office program does it")
    return packed


def tree(xml: bytes, recover: bool = False) -> Any:
    """Return the root of an XML document; no entity is replaced, nothing else is opened.

    libxml2 ends at 256 elements within each other, and at 10 MB of one text.
    """
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, remove_comments=True, remove_pis=True, recover=recover
    )
    return etree.fromstring(xml, parser)


def members(file: Source, limits: Mapping[str, float]) -> Iterator[tuple[str, str, Source | BadInput]]:
    """Yield name, ending and content of each file in a ZIP file, or why it cannot be read; other kinds are counted.

    `limits` are the megabytes that a file may have, by its ending.

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
                kind = next((ending for ending in limits if name.lower().endswith(ending)), "")
                if not kind:
                    file.skipped[PurePosixPath(name).suffix.lower()] += 1
                elif reason := _unread(info, name, parts, limits[kind]):
                    yield name, kind, BadInput(reason)
                else:
                    with packed.open(info) as content, Source(content) as source:
                        yield name, kind, source
    except (zipfile.BadZipFile, NotImplementedError, UnicodeError) as error:
        raise ValueError(f"no ZIP file, or a damaged one ({error}): pack it again") from error


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


def _unread(info: zipfile.ZipInfo, name: str, parts: tuple[str, ...], most: float) -> str:
    """Say why a file is not read, empty where it is."""
    if UNPRINTABLE.search(name) or ".." in parts or name.startswith("/"):
        return "its name leads out of the ZIP file or holds control characters: pack it again"
    if name.lower().endswith(".zip"):
        return "a ZIP file in a ZIP file: unpack it"
    if info.flag_bits & 1:
        return "it is locked by a password: unpack it"
    return (
        f"it has {info.file_size / 1e6:,.1f} MB and {most} are the most: split it"
        if info.file_size > most * 1e6
        else ""
    )
