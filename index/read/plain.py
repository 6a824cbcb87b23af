"""Reads plain text as it lies about in newsrooms: pasted articles whose title, date and outlet stand in the prose."""

import io
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from email.utils import parseaddr
from itertools import islice, pairwise
from typing import Any

from index.read import wire
from index.read.fields import fold
from index.text import lists
from index.text.cut import is_caption
from index.text.days import MONTH_DAY, WEEKDAY, day_or_none, in_numbers

MEANT = {"iso-8859-1": "cp1252", "iso-8859-9": "cp1254", "gb2312": "gb18030", "shift_jis": "cp932"}  # as browsers do
SAMPLE = 200_000  # bytes that chardet looks at
MARKS = {BOM_UTF8: "utf-8-sig", BOM_UTF16_LE: "utf-16", BOM_UTF16_BE: "utf-16"}
OTHER = r"[\u0370-\u1fff]"  # a letter of Greek, Cyrillic, Arabic, …

LATIN = r"[A-Za-zÀ-ɏ]"
NAME = r"[A-Z][\w&'-]*(?:\.[A-Z]\w*)?(?: [A-Z][\w&'-]*){0,3}"

# A line that declares the day, "Published on 18 April 2025, 10:30 BST", or that is one, after a place perhaps;
# behind a label, text may follow: "date 2025-04-18 In Paris, …".
DAY = (
    rf"(?:(?:(?:{WEEKDAY}|Mon|Tue|Wed|Thu|Fri|Sat|Sun)[.,]{{0,2}} )?{MONTH_DAY},? \d{{4}}|"
    rf"\d{{4}}[-/]\d\d[-/]\d\d|\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}})(?!\d)"
)
CLOCK = r"(?:at )?\d{1,2}[:.]\d\d(?::\d\d)?(?: ?[ap]\.?m\b\.?)?(?: ?\(?(?:[A-Z]{1,5}|hrs|Uhr)\b\)?)?"
LABEL = r"(?:(?:date|first) )?(?:published|posted)|date(?: of publication)?|publication date"
CHANGED = r"(?:last )?(?:updated|modified|edited)"
DATED = re.compile(
    rf"\W*(?:(?i:(?P<label>{LABEL})|(?P<changed>{CHANGED}))\b(?i: on)?\s*:?\s*"
    rf"|(?P<before>(?!By )(?:(?!{WEEKDAY})[A-Z][\w.'’-]+,? ){{1,3}}))?"
    rf"(?:{CLOCK}\W+)?(?P<day>(?i:{DAY}))(?:[T ,|–-]*{CLOCK})?[ \t]*[-–—|:,.)]*\s*(?P<rest>.*)"
)
CAPITALISED = r"(?:[^\W\d_a-z][\w.'’-]*|and|&|de|van|von|der|al|bin)"
BYLINE = re.compile(
    rf"(?:[Bb]y|BY|Author:) ({CAPITALISED}(?:,? (?!{WEEKDAY}){CAPITALISED}){{1,9}})(?: in \w+)?"
    rf"(?P<rest>[,.]? [–—-]? ?{DAY})?"
)
OUTLET_LINE = re.compile(
    r"(?:[A-Z][\w.&'’-]*|of|and|&)(?: (?:[A-Z][\w.&'’-]*|of|and|&)){0,3}"
    rf"|(?!{LATIN}|\d)\w[\w.&'’«»\"-]*(?: [\w.&'’«»\"-]+){{0,3}}(?<![.!?])"  # "Сумський оглядач"
)
MASTHEAD = re.compile(rf"(?:[\w.]+ ){{0,4}}?(?:{lists.pattern('mastheads')}|\w+\.(?:com|org|net|co\.uk))")
OUTLET_TRACES = (
    re.compile(rf"\breports? ({NAME})\.(?=\s|\Z)"),  # …, reports UNN.
    re.compile(rf"(?:, |\A)({NAME}) reports\.(?=\s|\Z)"),  # …, UNN reports.
    re.compile(r"\b(?:Photo|Image|Source): ?(\w[\w-]*\.[A-Za-z]{2,})\s*$", re.MULTILINE),  # Photo: Novyny.LIVE
)
SAID_ON = re.compile(  # "…, he said on Friday, April 18.", but nothing that is to come or long past
    rf"{lists.pattern('saying')}(?:(?!\b(?:will|would|that|until)\b)[^.\n]){{0,80}}? on ({WEEKDAY}),? ({MONTH_DAY})"
    r"(?!,? \d{4})(?=[.,]?\s*$)",
    re.MULTILINE,
)
MAIL = re.compile(
    rf"[\s>*_]*({'|'.join(lists.meanings('mail'))}|embargo\w*(?: until)?)[\s*_]*:[\s*_]*(.*?)[\s*_]*", re.IGNORECASE
)
FORWARDED = re.compile(r"(?:(?:re|fwd?|aw|wg|tr|rv): *)+", re.IGNORECASE)
ALONE = re.compile(r"(?![A-Z]{1,5}$)[^\W\d_][\w'’-]{2,}[!?]?")  # a headline of one word; of few capitals, an agency
LEAD_PARAGRAPHS = 4
UNREADABLE = "write it as YYYY-MM-DD"
HEAD_LINES = 20  # at most above a text


class Source(io.BufferedReader):
    """An open file, the encoding in which it was read where that is a guess, and how many of what it passed over.

    `remarks` are a reader's on what it left out: what was found, and behind a colon how to mend it.
    """

    guessed = ""

    def __init__(self, raw: Any) -> None:
        super().__init__(raw)
        self.remarks = list[str]()
        self.skipped = Counter[str]()


def decode(data: bytes, source: Source | None = None, declared: str = "") -> str:
    """Return the text of a file: by its byte order mark, as UTF-8, as it declares, or in what it looks like.

    A guess is noted at the file. Raises ValueError when the bytes are no text.
    """
    marked = next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), "")
    for encoding in [marked] if marked else ["utf-8", MEANT.get(declared.lower(), declared)]:
        with suppress(UnicodeError, LookupError):
            text = data.decode(encoding)
            break
    else:
        if marked:
            raise ValueError(f"not {marked} text, as its first bytes say: convert it to UTF-8")
        text, encoding = _guessed(data)
        if source:
            source.guessed = encoding
    if "\0" in text:
        raise ValueError("not a text file: it holds zero bytes")
    return text


def _guessed(data: bytes) -> tuple[str, str]:
    """Return the text and its encoding: the likeliest in which words do not mix Latin letters with others."""
    from chardet import detect_all

    damaged = data.decode("utf-8", "replace")
    if sum(char > "\x7f" for char in damaged) > 3 * damaged.count("�"):
        return damaged, "damaged UTF-8"
    for guess in detect_all(data[:SAMPLE], ignore_threshold=True, include_encodings=lists.lines("encodings")):
        with suppress(UnicodeError):
            text = data.decode(guess["encoding"] or "utf-8")
            mixed = re.findall(f"[A-Za-z]{OTHER}|{OTHER}[A-Za-z]", text[:SAMPLE])
            if len(mixed) <= len(re.findall(OTHER * 2, text[:SAMPLE])):
                return text, str(guess["encoding"])
    raise ValueError("not text in any known encoding: convert it to UTF-8")


def mended(text: str) -> str:
    """Return a text whose UTF-8 was once read as something else, "cafÃ©", as it was, "café"."""
    from ftfy import TextFixerConfig, fix_encoding  # 0.1 s

    return text if text.isascii() else str(fix_encoding(text, TextFixerConfig(fix_c1_controls=False)))


def read(file: Source) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the one article of a text file: title, date, authors and outlet where the text shows them."""
    yield of_text(decode(file.read(), file), {}), ""


def of_text(text: str, known: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a pasted article; what its lines say counts before what is known of it."""
    sent, text = mailed(text)
    told, text = wire.heads(_unwrapped(text))
    lines = [line.strip() for line in text.split("\n")]
    lead = "\n".join([line for line in lines if line][:LEAD_PARAGRAPHS])
    outlet = next((match[1] for trace in OUTLET_TRACES if (match := trace.search(lead))), None)
    fields, text = head(lines, known | told | sent)
    return {"published": _said_on(lead), "outlet": outlet, **fields, "text": text}


def mailed(text: str) -> tuple[dict[str, Any], str]:
    """Return what the lines of a mail declare that stand above a report, in any order, and the report."""
    said, lines, below, ours = dict[str, str](), text.strip().splitlines(), 0, ""
    above = list[str]()  # a masthead
    for number, line in enumerate(lines[:HEAD_LINES], 1):
        if label := MAIL.fullmatch(line[:2000]):
            ours, below = lists.meanings("mail").get(label[1].lower(), "embargo"), number
            said.setdefault(ours, label[2])
        elif line[:1].isspace() and line.strip() and below == number - 1:
            said[ours], below = f"{said[ours]} {line.strip()}", number
        elif not below and number < 4:
            above.append(line)
        elif line.strip(" -=_") and not wire.is_slug(line):
            break
    if not said.get("title") and len(said) < 2:
        return {}, text
    fields: dict[str, Any] = {ours: said[ours] for ours in ("title", "embargo") if said.get(ours)}
    if "title" in fields:
        fields["title"] = FORWARDED.sub("", fields["title"], count=1)
    if day := said.get("published"):
        found = day_or_none(day)
        fields |= {"published": found} if found else {"undated": f"{day} may be two days or is none: {UNREADABLE}"}
    name = parseaddr(said.get("authors", ""))[0] or said.get("authors", "")
    if MASTHEAD.fullmatch(name):
        fields["outlet"] = name
    elif BYLINE.fullmatch(f"By {name}"):
        fields["authors"] = [name]
    return fields, "\n".join([*(line for line in above if line[:1] != "-"), *lines[below:]])


def _unwrapped(text: str) -> str:
    """Join lines that were broken at a fixed width, where the next word had no room and mostly no sentence ended."""
    lines = re.sub(r"\r\n?", "\n", text).split("\n")
    width = max(map(len, lines))
    full = [
        bool(line.strip() and after.strip()) and len(line.rstrip()) + 1 + len(after.split()[0]) > 0.85 * width
        for line, after in pairwise(lines)
    ]
    inside = [not after.strip()[0].isupper() for after, joined in zip(lines[1:], full, strict=True) if joined]
    if not 30 <= width <= 120 or sum(inside) * 3 < max(len(inside), 1):
        return "\n".join(lines)
    return lines[0] + "".join(
        f" {line.strip()}" if joined else f"\n{line}" for line, joined in zip(lines[1:], full, strict=True)
    )


def _said_on(lead: str) -> date | None:
    """Return the day on which the lead says that something was said: the latest past year in which its weekday fits."""
    for weekday, day in SAID_ON.findall(lead):
        for year in range(date.today().year, date.today().year - 12, -1):
            if (found := day_or_none(f"{day} {year}")) and found <= date.today() and f"{found:%A}" == weekday:
                return found
    return None


def head(lines: list[str], known: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the known fields with what the lines above a text declare, and the text.

    Days of changes and days to come are none of publication. A title is looked for where none is known.
    """
    fields = dict(known)
    queue, captions = deque(lines), list[str]()
    for _ in range(HEAD_LINES):
        while queue and not queue[0]:
            queue.popleft()
        if not queue or wire.PAGE in queue[0]:
            break
        line = queue.popleft()
        titled, below = "title" in fields, list(islice(filter(None, queue), LEAD_PARAGRAPHS))
        parts = re.split(r" +[|•·] +", line)
        if len(parts) > 1 and any(DATED.fullmatch(part) or BYLINE.fullmatch(part) for part in parts):
            queue.extendleft(reversed([part for part in parts if " " in part or DATED.fullmatch(part)]))
        elif (dated := DATED.fullmatch(in_numbers(line))) and (
            dated["label"] or dated["changed"] or not dated["rest"] or BYLINE.fullmatch(dated["rest"])
        ):
            day = day_or_none(dated["day"]) or (dated["label"] and dated["day"])  # what is none is refused later
            if day and not dated["changed"] and not (isinstance(day, date) and day > date.today()):
                fields.setdefault("published", day)
            elif not day:
                fields.setdefault("undated", f"{dated['day']} may be two days or is none: {UNREADABLE}")
            if MASTHEAD.fullmatch(named := (dated["before"] or "").strip(", ")):
                fields.setdefault("outlet", named)
            if dated["rest"]:
                queue.appendleft(dated["rest"])
        elif byline := BYLINE.fullmatch(in_numbers(line)):
            names = re.split(r",? (?:and|&) |, ", byline[1])
            fields.setdefault("authors", [name for name in names if not MASTHEAD.fullmatch(name)])
            queue.extendleft([byline["rest"].strip(" ,.–—-")] if byline["rest"] else [])
        elif titled and below and fold(line) == fold(str(fields["title"])):
            continue
        elif _is_outlet(line, below, titled):
            fields.setdefault("outlet", line)
        elif not titled and is_caption(line):
            captions.append(line)
        elif not titled and below and _is_headline(line, below) and not queue[0][:1].islower():
            fields["title"] = line
        elif not re.fullmatch(CLOCK, line):
            queue.appendleft(line)
            break
    return fields, "\n".join([*([] if "title" in fields else captions), *queue])


def _is_outlet(line: str, below: list[str], titled: bool) -> bool:
    """Tell whether a line above a text, of which a few lines are given, names the outlet."""
    if below and OUTLET_LINE.fullmatch(line) and DATED.fullmatch(in_numbers(below[0])):
        return titled or any(map(_is_headline, below[1:2]))
    headed = titled or line.startswith("The ") or any(map(_is_headline, below))
    return bool(MASTHEAD.fullmatch(line) and below and headed)


def _is_headline(line: str, below: list[str] | None = None) -> bool:
    """Tell whether a line is a headline; one word is where the lines below have no longer one, and it is no outlet."""
    if DATED.fullmatch(line) or BYLINE.fullmatch(line) or re.fullmatch(CLOCK, line):
        return False
    if below and ALONE.fullmatch(line):
        return not (MASTHEAD.fullmatch(line) or any(map(_is_headline, below[:2])))
    return len(line.split()) > 1 and len(line) <= 160 and not re.search(r"[.:;,]['\"”’]?$", line)
