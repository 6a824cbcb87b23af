"""Reads web archives, WARC and WACZ: each page that was captured is an article, as it was captured last."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import BytesIO, StringIO
from typing import Any

from index.read.formats.pages import NO_TEXT
from index.read.plain import Source
from index.read.zipped import sound
from index.types import BadInput, digest

KINDS = {  # by type of content: the ending whose reader is for it
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/rtf": ".rtf",
    "text/rtf": ".rtf",
    "application/epub+zip": ".epub",
}
BEGIN = re.compile(rb"\x1f\x8b\x08|WARC/1\.\d\r\n")
DAMAGED = 100  # records, after which a file is given up: behind each, the rest is looked through
BLOCK = 1_000_000  # bytes

Captures = dict[str, tuple[str, int, str]]  # by hash of the address: when, where in the file, what (a digest)


def read_warc(file: Source) -> Iterator[tuple[Any, str]]:
    """Yield the article of each page in a WARC file, gzipped or not."""
    yield from _articles(file, [file])


def read_wacz(file: Source) -> Iterator[tuple[Any, str]]:
    """Yield the article of each page in the WARC files of a WACZ file."""
    with sound("WACZ file"), zipfile.ZipFile(file) as packed:
        held = [name for name in packed.namelist() if re.fullmatch(r"archive/.+\.warc(?:\.gz)?", name)]
        if not held:
            raise ValueError("no web archive: it holds no archive/*.warc.gz")
        yield from _articles(file, [Source(packed.open(name)) for name in held])


def _articles(file: Source, parts: list[Source]) -> Iterator[tuple[Any, str]]:
    """Look through all records for the last capture of each address, and yield the articles of these."""
    last, told, before = Captures(), set[str](), Captures()
    for number, part in enumerate(parts):
        for at, record in _records(part):
            yield None, ""  # a sign of life
            if isinstance(record, BadInput):
                if before and last[next(iter(before))][1] == number << 50 | at:  # it broke off
                    last |= before
            elif _kind(record):
                when = record.rec_headers.get_header("WARC-Date") or ""
                what = record.rec_headers.get_header("WARC-Payload-Digest") or f"{number} {at}"
                before = {(key := _key(record)): last.get(key, ("", -1, ""))}
                if when >= before[key][0]:
                    last[key] = when, number << 50 | at, what
    for number, part in enumerate(parts):
        for at, record in _records(part):
            if isinstance(record, BadInput):
                yield record, f"byte {at}"
                continue
            kind, content = _kind(record), _content(record)
            if not kind:
                yield None, ""
                file.skipped.update([content] if content else [])
                continue
            _, place, what = last[_key(record)]
            if place != number << 50 | at:
                continue
            if what in told:
                file.skipped["pages captured again"] += 1
                continue
            told.add(what)
            yield from _read(record, kind, file)
    if all(place < 0 for _, place, _ in last.values()):
        raise ValueError("no page in it can be read: look at what was captured")


def _key(record: Any) -> str:
    return digest(_address(record), 8)


def _address(record: Any) -> str:
    return str(record.rec_headers.get_header("WARC-Target-URI") or "").strip("<>")


def _content(record: Any) -> str:
    """Return the type of what was captured, the status where that is not 200; empty where nothing was."""
    if record.rec_type not in ("response", "resource", "conversion"):
        return ""
    http = record.http_headers
    if http and (status := http.get_statuscode()) != "200":
        return f"pages of status {status[:3]}"
    said = (http or record.rec_headers).get_header("Content-Type") or "pages of no type"
    return str(said).partition(";")[0].strip().lower()


def _kind(record: Any) -> str:
    """Return the ending whose reader is for a record, empty for one that is no article."""
    from index.read.formats import READERS

    content = _content(record)
    kind = ".txt" if (record.rec_type, content) == ("conversion", "text/plain") else KINDS.get(content, "")
    return kind if kind in READERS else ""


def _read(record: Any, kind: str, file: Source) -> Iterator[tuple[Any, str]]:
    from index.read.formats import READERS

    reader, most = READERS[kind]
    address = _address(record)
    try:
        for fields, place in reader(Source(BytesIO(_payload(record, int(most * 1e6))))):
            own = {"url": address} if address.startswith("http") and not place else {}
            item = {**fields, **own} if isinstance(fields, dict) else fields
            yield item, ", ".join(filter(None, (address, place)))
    except (BadInput, ValueError) as error:
        if str(error) == NO_TEXT:  # menus
            file.skipped["pages without the text of an article"] += 1
        else:
            yield BadInput(str(error)), address


def _payload(record: Any, most: int) -> bytes:
    """Return what was captured, its encodings undone. Raises ValueError where that is damaged or larger."""
    http = record.http_headers
    zipped = http and (http.get_header("Content-Encoding") or "").lower() == "br"
    if zipped:
        http.replace_header("Content-Encoding", "identity")  # warcio would let it grow
    with redirect_stderr(StringIO()):  # it prints what is damaged
        data: bytes = record.content_stream().read(most + 1)
    if zipped:
        import brotli

        try:
            data = brotli.Decompressor().process(data, output_buffer_limit=most + 1)
        except brotli.error as error:
            raise ValueError(f"a damaged page ({error}): capture it again") from error
    if len(data) > most:
        raise ValueError(f"it has over {most / 1e6:,.0f} MB, which are the most")
    return data


def _records(file: Source) -> Iterator[tuple[int, Any]]:
    """Yield each record with its place in the file, in place of a damaged one why it cannot be read.

    Of one that breaks off that is told behind it, with its place. Then the next beginning of a record is looked for.
    """
    from warcio.archiveiterator import WARCIterator
    from warcio.exceptions import ArchiveLoadFailed

    start: int | None = _next(file, 0)
    if start is None:
        raise ValueError("no WARC file: no record begins in it")
    told = False  # of damage, behind which no record has been read yet
    for _ in range(DAMAGED):
        if start is None:
            return
        file.seek(start)
        found = WARCIterator(file)  # ARC has no sure beginning: damage reads as one
        why, at = "", start
        while not why:
            at, record = found.offset, None
            try:
                with redirect_stderr(StringIO()):
                    record = next(found, None)
                    at = found.offset
                if record is None:
                    break
                yield at, record
                told = False
                with redirect_stderr(StringIO()):
                    while record.raw_stream.read(BLOCK):
                        pass
                if getattr(record.raw_stream, "limit", 0) > 0:
                    why = "it breaks off"
            except (ArchiveLoadFailed, AttributeError, EOFError, OSError, TypeError, ValueError) as error:
                why = " ".join(str(error).split()) or "it breaks off"
        if not why:
            return
        if record or not told:
            yield (
                at + (record is None),
                BadInput(f"a damaged record, there or behind ({why[:99]}): capture the page again"),
            )
        told = True
        start = _next(file, at + 1)
    raise ValueError(f"over {DAMAGED} records are damaged: fetch the file again")


def _next(file: Source, start: int) -> int | None:
    """Return where a record begins at or behind a place in the file, None where none does."""
    file.seek(start)
    kept = b""
    while block := file.read(BLOCK):
        if found := BEGIN.search(kept + block):
            return start - len(kept) + found.start()
        start, kept = start + len(block), (kept + block)[-9:]
    return None
