"""Reads JSON, JSON Lines (also gzipped) and CSV: one object or row an article."""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any

from index.read.fields import fold, table, unpacked
from index.read.plain import MARKS, SAMPLE, Source, decode
from index.types import BadInput

csv.field_size_limit(100_000_000)  # The default of 131,072 characters is shorter than a live-coverage page.
LIST = re.compile(r'(?:\A\s*|"([^"]{1,40})"\s*:\s*)\[\s*(?=\{)')  # of records
BETWEEN = re.compile(r"\s*,?\s*")
LINE_BYTES = 10_000_000  # A million characters, each written as \u00e9, take six.
LOOKED = 20  # times a file is looked through for the ends of its bad rows
GROWTH = 100  # Articles unzip to four to ten times the size, what is made to fill the memory to a thousand.


def read_json(file: Source) -> Iterator[tuple[Any, str]]:
    """Yield the article of a JSON file, or each of a list of them or of an envelope; it may hold JSON Lines too."""
    text = decode(file.read(), file)
    content = _parse(text)
    if isinstance(content, BadInput) and isinstance(_parse(text.lstrip().partition("\n")[0]), dict):
        yield from read_lines(Source(BytesIO(text.encode("utf-8", "surrogatepass"))))
        return
    whole = _begun(text, content) if isinstance(content, BadInput) else content
    found = list(unpacked(whole))
    yield from ((item, "" if found == [content] else f"item {number}") for number, item in enumerate(found, 1))
    if whole is not content and found != [content]:
        yield BadInput(f"{content}: what stands before is read, so export the rest again"), f"item {len(found) + 1}"


def _begun(text: str, why: BadInput) -> Any:
    """Return what a file holds whose list of records breaks off or is spoilt, up to there, or why it is no JSON."""
    lists = (found for found in LIST.finditer(text) if not found[1] or [(fold(found[1]),)] in table()["envelope"])
    if not (start := next(lists, None)):
        return why
    end = at = start.end()
    decoder = json.JSONDecoder(parse_constant=int)
    with suppress(ValueError, RecursionError):
        while text[at : at + 1] == "{":
            end = decoder.raw_decode(text, at)[1]
            at = BETWEEN.search(text, end).end()  # type: ignore[union-attr]  # it matches anything
    closed = (_parse(f"{text[:end]}]{'}' * depth}") for depth in range(4))
    return next((content for content in closed if not isinstance(content, BadInput)), why)


def read_lines(file: Source, packed: bool = False) -> Iterator[tuple[Any, str]]:
    """Yield the article of each line of a file of JSON Lines, which may be gzipped."""
    for content, place in read_jsonl(_lines(file, gzip.GzipFile(fileobj=file) if packed else file)):
        yield from ((item, place) for item in unpacked(content))


def _lines(file: Source, content: Source | gzip.GzipFile) -> Iterator[bytes]:
    """Yield the lines of a file's content in UTF-8, at most LINE_BYTES + 1 of each."""
    size, whole, start = 0, True, content.read(SAMPLE)
    content.seek(0)
    with suppress(ValueError):  # what is no text in any encoding is rejected line by line
        decode(start.rpartition(b"\n")[0] or start.rpartition(b" ")[0], file)
    encoding = next((name for mark, name in MARKS.items() if start.startswith(mark)), file.guessed)
    other = io.TextIOWrapper(content, encoding.removeprefix("damaged "), "replace", "\n") if encoding else None
    while part := other.readline(LINE_BYTES + 1).encode() if other else content.readline(LINE_BYTES + 1):
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


def read_csv(file: Source) -> Iterator[tuple[dict[str, Any] | BadInput, str]]:
    """Yield the article of each row; the first row names the columns, which commas, semicolons, tabs or | part.

    A row that is not CSV is rejected alone, and what follows is read from the next line on.
    """
    lines = io.StringIO(decode(file.read(), file), newline="").readlines()
    start = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith("sep=")), len(lines))
    try:
        delimiter = csv.Sniffer().sniff("".join(lines[start : start + 1]), ",;\t|").delimiter
    except csv.Error:  # a single column
        delimiter = ","
    columns: list[str] = []
    again = False  # after a bad row, whose rest may look like rows
    for row, number in _rows(lines, start, delimiter):
        if not columns and isinstance(row, list):
            columns = [name.strip() for name in row]
        elif isinstance(row, BadInput):
            if not columns:
                raise ValueError(str(row))
            again = True
            yield row, f"line {number}"
        elif row and not (again and len(row) != len(columns)):
            again = False
            row += [""] * (len(columns) - len(row))
            cells = dict(zip(columns, row, strict=False))
            yield cells if len(row) == len(columns) else BadInput("more values than columns"), f"line {number}"


def _rows(lines: list[str], start: int, delimiter: str) -> Iterator[tuple[list[str] | BadInput, int]]:
    """Yield each row with the number of its last line; in place of one that is not CSV why, with that of its first."""
    looked = 0  # at lines that turned out to belong to no row
    while start < len(lines):
        rest = (lines[number] for number in range(start, len(lines)))
        rows = csv.reader(rest, delimiter=delimiter, strict=True)
        read = 0
        try:
            for row in rows:
                read = rows.line_num
                yield row, start + read
            return
        except csv.Error as error:
            looked += rows.line_num - read
            start += read + 1
            yield BadInput(f"not CSV: {error}: write each quotation mark in a value twice"), start
            if looked > LOOKED * len(lines) + 1000:
                raise ValueError(
                    f"over {LOOKED} rows leave a quotation mark open: write each in a value twice"
                ) from error
