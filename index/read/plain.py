"""Reads plain text as it lies about in newsrooms: pasted articles whose date and outlet stand in the prose."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from datetime import date
from typing import Any, BinaryIO

from index.text.cut import is_caption
from index.text.days import MONTH_DAY, WEEKDAY, day_or_none

PLACE = r"[A-Z][A-Za-z .'-]{2,40}"
NAME = r"[A-Z][\w&'-]*(?:\.[A-Z]\w*)?(?: [A-Z][\w&'-]*){0,3}"

# "date 2025-04-18 In Paris, …" or a line of its own that is a date.
HEADER = re.compile(
    rf"\s*(?:(?:date|published|posted|updated)\b\s*:?\s*|(?=[^\n]{{,40}}\n))"
    rf"(\d{{4}}-\d\d-\d\d|(?:{WEEKDAY},? )?{MONTH_DAY},? \d{{4}})\b[ \t]*[-–—|:,.]?\s*",
    re.IGNORECASE,
)
WEEKDAY_AND_DAY = re.compile(rf"\b({WEEKDAY}),? ({MONTH_DAY})\b(?:,? (\d{{4}}))?")
DATED_LINE = re.compile(  # "PARIS, April 18, 2025 (Reuters) - …", or a line that is a date
    rf"^(?:{PLACE}, |(?:{WEEKDAY},? )?)({MONTH_DAY},? \d{{4}})(?: \([^)]+\) ?[-–—]|\s*$)", re.MULTILINE
)
OUTLET_TRACES = (
    # PARIS, April 18 (Reuters) -
    re.compile(rf"^{PLACE}(?:, {MONTH_DAY}(?:,? \d{{4}})?)? \(({NAME})\) ?[-–—]", re.MULTILINE),
    re.compile(rf"\breports? ({NAME})\.(?=\s|\Z)"),  # …, reports UNN.
    re.compile(rf"(?:, |\A)({NAME}) reports\.(?=\s|\Z)"),  # …, UNN reports.
    re.compile(r"\b(?:Photo|Image|Source): ?(\w[\w-]*\.[A-Za-z]{2,})\s*$", re.MULTILINE),  # Photo: Novyny.LIVE
)
LEAD_PARAGRAPHS = 4


def decode(data: bytes) -> str:
    """Return the text of a file: by its byte order mark, as UTF-8, or in the encoding that it looks like.

    Raises ValueError when the bytes are no text.
    """
    encoding = "utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if data.startswith((BOM_UTF8, BOM_UTF16_LE, BOM_UTF16_BE)):
            raise ValueError(f"not {encoding} text (byte {error.start}): convert it to UTF-8") from error
        from charset_normalizer import from_bytes

        best = from_bytes(data).best()
        if best is None:
            raise ValueError("not text in any known encoding: convert it to UTF-8") from error
        text = str(best)
    if "\0" in text:
        raise ValueError("not a text file: it holds zero bytes")
    return text


def read(file: BinaryIO) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the one article of a text file: title, date and outlet where the text shows them."""
    text = _unwrapped(decode(file.read()))
    published: date | None = None
    if (header := HEADER.match(text)) and (published := day_or_none(header[1])):
        text = text[header.end() :]
    lines = [line.strip() for line in text.split("\n")]
    body = [line for line in lines if line and not is_caption(line)]
    title = body[0] if len(body) > 1 and _is_headline(body[0]) else ""
    if title:
        text = "\n".join(lines[lines.index(title) + 1 :])
    lead = "\n".join([line for line in lines if line][:LEAD_PARAGRAPHS])
    outlet = next((match[1] for trace in OUTLET_TRACES if (match := trace.search(lead))), None)
    yield {"title": title, "text": text, "published": published or _dateline(lead), "outlet": outlet}, ""


def _unwrapped(text: str) -> str:
    """Join lines that were broken at a fixed width; blank lines then part the paragraphs."""
    text = re.sub(r"\r\n?", "\n", text)
    lines = [line for line in text.split("\n") if line.strip()]
    broken = [line for line in lines if 45 <= len(line) <= 100]
    if "\n\n" in text.strip() and len(lines) > 3 and len(broken) > len(lines) / 2:
        return re.sub(r"(?<=\S)[ \t]*\n[ \t]*(?=\S)", " ", text)
    return text


def _is_headline(line: str) -> bool:
    return len(line.split()) > 1 and len(line) <= 160 and not re.search(r"[.:;,]['\"”’]?$", line)


def _dateline(lead: str) -> date | None:
    """Return the day of a dateline, or of "on Friday, April 18": the latest past year in which the weekday fits."""
    if (dated := DATED_LINE.search(lead)) and (found := day_or_none(dated[1])):
        return found
    for weekday, day, year in WEEKDAY_AND_DAY.findall(lead):
        this_year = date.today().year
        for candidate in [int(year)] if year else range(this_year, this_year - 12, -1):
            found = day_or_none(f"{day} {candidate}")
            if found and found <= date.today() and f"{found:%A}" == weekday:
                return found
    return None
