"""Reads JSON, JSON Lines (also gzipped) and CSV: one object or row an article."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from index.read.plain import decode
from index.types import BadInput

csv.field_size_limit(100_000_000)  # The default of 131,072 characters is shorter than a live-coverage page.
LINE_BYTES = 10_000_000  # A million characters, each written as \u00e9, take six.
GROWTH = 100  # Articles unzip to four to ten times the size, what is made to fill the memory to a thousand.


def read_json(file: BinaryIO) -> Iterator[tuple[Any, str]]:
    """Yield the article of a JSON file, or each of a list of them, or of a list under "articles"."""
    content = _parse(decode(file.read(), file.name))
    if isinstance(content, dict) and isinstance(content.get("articles"), list):
        content = content["articles"]
    if isinstance(content, list):
        yield from ((item, f"item {number}") for number, item in enumerate(content, 1))
    else:
        yield content, ""


def read_lines(file: BinaryIO, packed: bool = False) -> Iterator[tuple[Any, str]]:
    """Yield the article of each line of a file of JSON Lines, which may be gzipped."""
    return read_jsonl(_lines(file, gzip.GzipFile(fileobj=file) if packed else file))


def _lines(file: BinaryIO, content: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    """Yield the lines of a file's content, at most LINE_BYTES + 1 of each."""
    size, whole = 0, True
    while part := content.readline(LINE_BYTES + 1):
        size += len(part)
        if size > 1_000_000 and size > GROWTH * file.tell():
            raise ValueError(f"it unzips to over {GROWTH} times its size, as no articles do: look into it")
        if whole:
            yield part
        whole = len(part) <= LINE_BYTES or part.endswith(b"\n")


def read_jsonl(lines: Iterable[bytes]) -> Iterator[tuple[Any, str]]:
    """Yield the article of each line; a bad one is rejected alone."""
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_BYTES:
                yield BadInput(f"it has over {LINE_BYTES:,} bytes: give each article its own line"), f"line {number}"
            elif line.strip():
                yield _parse(line), f"line {number}"
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        yield BadInput(f"the gzip file is damaged after this line: {error}"), f"line {number}"


def _parse(text: str | bytes) -> Any:
    """Return what a JSON text holds, or the BadInput that it is."""
    try:
        return json.loads(text, parse_constant=int)  # int("NaN") raises ValueError
    except UnicodeDecodeError as error:
        return BadInput(f"not UTF-8 text (byte {error.start} of the line)")
    except json.JSONDecodeError as error:
        return BadInput(f"not JSON: {error}")
    except (ValueError, RecursionError):
        return BadInput("it holds NaN, a number of over 4,300 digits or hundreds of nested lists: write strings")


def read_csv(file: BinaryIO) -> Iterator[tuple[dict[str, Any] | BadInput, str]]:
    """Yield the article of each row; the first row names the columns, `text` among them."""
    rows = csv.DictReader(io.StringIO(decode(file.read(), file.name), newline=""), strict=True)
    try:
        rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
        if "text" not in rows.fieldnames:
            found = ", ".join(rows.fieldnames)[:200] or "it is empty"
            raise ValueError(f"no column named text in the first row (commas part them): {found}")
        for row in rows:  # values without a column stand under None
            yield BadInput("more values than columns") if None in row else row, f"line {rows.line_num}"
    except csv.Error as error:
        raise ValueError(f"not CSV: line {rows.line_num}: {error}") from error
