"""Opens what office programs and publishers zip, with care for what would fill the memory or lead out of the file."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from lxml import etree

GROWTH, UNZIPPED_BYTES = 100, 100_000_000  # Texts unzip to ten times their size, what fills the memory to a thousand.


@contextmanager
def sound(kind: str) -> Iterator[None]:
    """Raise ValueError for what libraries raise where a file is not of this kind, damaged or locked."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, AttributeError, NotImplementedError, RuntimeError,
            SyntaxError, TypeError) as error:  # fmt: skip
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
