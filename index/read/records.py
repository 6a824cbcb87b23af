"""Reads JSON, JSON Lines (also gzipped) and CSV: one object or row an article."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.read.decode import decode

NOT_AN_OBJECT = "not an article: expected an object with at least a text"
csv.field_size_limit(100_000_000)  # The default of 131,072 characters is shorter than a live-coverage page.


def read_json(path: Path) -> Iterator[tuple[dict[str, Any] | str, str, int]]:
    """Yield the article of a JSON file, or each of a list of them, or of a list under "articles"."""
    try:
        content = json.loads(decode(path.read_bytes()))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if isinstance(content, dict) and isinstance(content.get("articles"), list):
        content = content["articles"]
    size = path.stat().st_size
    if not isinstance(content, list):
        yield (content if isinstance(content, dict) else NOT_AN_OBJECT), "", size
        return
    for number, item in enumerate(content, 1):
        yield (item if isinstance(item, dict) else NOT_AN_OBJECT), f"item {number}", size


def read_jsonl(path: Path) -> Iterator[tuple[dict[str, Any] | str, str, int]]:
    """Yield the article of each line; a bad line is rejected alone."""
    with path.open("rb") as raw, gzip.open(raw) if path.suffix.lower() == ".gz" else raw as lines:
        number = 0
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _parse(line), f"line {number}", raw.tell()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            yield f"the gzip file is damaged after this line: {error}", f"line {number}", 0


def _parse(line: bytes) -> dict[str, Any] | str:
    try:
        item = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return f"not UTF-8 text (byte {error.start} of the line)"
    except (json.JSONDecodeError, RecursionError) as error:
        return f"not JSON: {error}"
    return item if isinstance(item, dict) else NOT_AN_OBJECT


def read_csv(path: Path) -> Iterator[tuple[dict[str, Any] | str, str, int]]:
    """Yield the article of each row; the first row names the columns, `text` among them."""
    text = decode(path.read_bytes())
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [(name or "").strip().lower() for name in rows.fieldnames or []]
        if "text" not in names:
            raise ValueError(
                f"no column named text in the first row (commas part them): {', '.join(names)[:200] or 'it is empty'}"
            )
        rows.fieldnames = names
        size = path.stat().st_size
        for row in rows:
            place = f"line {rows.line_num}"
            yield ("more values than columns" if None in row else row), place, size
    except csv.Error as error:
        raise ValueError(f"not CSV: line {rows.line_num}: {error}") from error
