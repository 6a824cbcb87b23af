"""Reads JSON, JSON Lines (also gzipped) and CSV: one object or row an article."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from index.read.decode import decode
from index.types import BadInput

csv.field_size_limit(100_000_000)  # The default of 131,072 characters is shorter than a live-coverage page.


def read_json(file: BinaryIO) -> Iterator[tuple[Any, str]]:
    """Yield the article of a JSON file, or each of a list of them, or of a list under "articles"."""
    try:
        content = json.loads(decode(file.read()))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if isinstance(content, dict) and isinstance(content.get("articles"), list):
        content = content["articles"]
    if isinstance(content, list):
        yield from ((item, f"item {number}") for number, item in enumerate(content, 1))
    else:
        yield content, ""


def read_jsonl(lines: Iterable[bytes]) -> Iterator[tuple[Any, str]]:
    """Yield the article of each line of a file, gzipped or not; a bad line is rejected alone."""
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _parse(line), f"line {number}"
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        yield BadInput(f"the gzip file is damaged after this line: {error}"), f"line {number}"


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return BadInput(f"not UTF-8 text (byte {error.start} of the line)")
    except (json.JSONDecodeError, RecursionError) as error:
        return BadInput(f"not JSON: {error}")


def read_csv(file: BinaryIO) -> Iterator[tuple[dict[str, Any] | BadInput, str]]:
    """Yield the article of each row; the first row names the columns, `text` among them."""
    rows = csv.DictReader(io.StringIO(decode(file.read()), newline=""), strict=True)
    try:
        rows.fieldnames = names = [(name or "").strip().lower() for name in rows.fieldnames or []]
        if "text" not in names:
            found = ", ".join(names)[:200] or "it is empty"
            raise ValueError(f"no column named text in the first row (commas part them): {found}")
        for row in rows:
            yield BadInput("more values than columns") if None in row else row, f"line {rows.line_num}"
    except csv.Error as error:
        raise ValueError(f"not CSV: line {rows.line_num}: {error}") from error
