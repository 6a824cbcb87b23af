"""Reads article files. One file here for each family of formats; what they find becomes an `Article` in one place."""

import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from index.read import fields as table
from index.read import pages, plain, records, wire, word
from index.read.notes import Notes
from index.text.cut import is_caption, sentences
from index.text.datelines import dateline
from index.text.days import appeared, parse_date
from index.types import Article, BadInput, Place, Rejected, translated

# A reader takes an open file and yields, for each article, its fields and its place within the file ("" or "line 3").
# A BadInput in place of the fields rejects that article alone; a ValueError that is raised ends the file.
# The number is the megabytes it may have: JSON of many small objects takes 25 times as much memory.
READERS: dict[str, tuple[Callable[[plain.Source], Iterator[tuple[Any, str]]], float]] = {
    ".txt": (plain.read, 5),
    ".md": (pages.read_markdown, 5),
    ".html": (pages.read_html, 20),
    ".htm": (pages.read_html, 20),
    ".docx": (word.read_word, 20),
    ".json": (records.read_json, 50),
    ".jsonl": (records.read_lines, inf),
    ".jsonl.gz": (partial(records.read_lines, packed=True), inf),
    ".csv": (records.read_csv, 50),
    ".tsv": (records.read_csv, 50),
}
RECORDS = (".json", ".jsonl", ".jsonl.gz", ".csv", ".tsv")  # whose fields have names of anyone's choice
SKIPPED = re.compile(r"README|LICENSE|questions.*\.jsonl$|\.|~\$")  # Beside articles, but not articles.
ARCHIVE = "archive.sqlite3"  # A folder that holds one is an archive of ours: its files are no articles either.
LEFT_OUT = "what is published has no such mark, so change or remove it where it is wrong"
TITLE_CHARACTERS = 120
FIELD_CHARACTERS = 2000
TEXT_CHARACTERS = 1_000_000  # A minute of encoding; live coverage of a day has 200,000.
CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ud800-\udfff"  # The last stand for bytes of a name that are not UTF-8.
CUT_OFF = re.compile(  # as news services and feeds end what they shorten: "… [+1834 chars]", "… Continue reading"
    r"(\s*(?:…|\.{3})?\s*[\[(](?:\+?[\d,]+ (?:more )?char(?:acter)?s?|…|\.{3}|(?:text )?truncated)[\])]"
    r"|\s*(?:…|\.{3})\s*(?:Continue reading|Read (?:more|on|(?:the )?(?:full|whole|entire))\b).{0,200})$|(?:…|\.{3})$",
    re.I,
)
BEHIND = re.compile(r"^(.+\S)\s+[-–—|]\s+(\S.*?)$")  # the outlet, as services put it behind a title
UNPRINTABLE = re.compile(rf"[{CONTROL}\t\n\u2028\u2029]")


class Empty(BadInput):
    """A folder that holds no articles."""


class Found(NamedTuple):
    """An article or a rejection; its place, also for people; the share of all bytes read by then, 0…1."""

    item: Article | Rejected
    at: Place
    source: str
    share: float


class Known(NamedTuple):
    """What the user says of articles that do not say it: outlet, year of a dateline; and of names, theirs: ours."""

    outlet: str | None = None
    year: int | None = None
    names: Mapping[str, str] = {}


def read(paths: Iterable[str | Path], known: Known | None = None, notes: Notes | None = None) -> Iterator[Found]:
    """Yield every article below the paths in a stable order, and what is rejected.

    What is passed over or not used, and what leaves articles incomplete, is added to the notes.
    """
    known, notes = known or Known(), notes or Notes()
    unmet = set(known.names)
    table.check(known.names)
    if known.year is not None and not 1000 <= known.year <= 9999:
        raise BadInput(f"the year {known.year} is none: write it with four digits")
    files: list[tuple[Path, Path, int]] = []  # (path asked for, file at or below it, its size)
    for given in paths:
        try:
            with translated(BadInput, "cannot be read", OSError, RuntimeError):  # RuntimeError: no such user's home
                root = Path(given).expanduser()
                below = _files(root, notes)
                files += [(root, path, path.stat().st_size if os.access(path, os.R_OK) else 0) for path in below]
        except BadInput as error:
            where = ("", "") if isinstance(error, Empty) else (real(given), "")
            yield Found(_rejected(str(given), error), where, str(given), 0.0)
    total, before = sum(size for _, _, size in files) or 1, 0
    for root, path, size in files:
        origin = str(root.resolve())
        file = path.name if path == root else path.relative_to(root).as_posix()
        for fields, place, position in _records(path, root, notes):
            source, default_id = (f"{path}, {place}", f"{file}#{place}") if place else (str(path), file)
            try:
                record, not_used = fields, set[str]()
                if _suffix(path) in RECORDS and isinstance(record, Mapping):
                    unmet -= unmet and table.met(record, unmet)
                    fields, not_used = table.named(record, known.names)
                if isinstance(record, Mapping) and (other := table.other({**record, "text": fields.get("text")})):
                    notes.add("left out", file, f"{other}: {LEFT_OUT}")
                    continue
                notes.not_used |= not_used
                if record is not fields and not fields["text"]:
                    raise BadInput(f"it has no text: {table.textless(record, not_used)}")
                item: Article | Rejected = _article(fields, default_id, known, path.name, notes)
            except BadInput as error:
                item = _rejected(source, error)
            yield Found(item, (origin, file), source, (before + min(position, size)) / total)
        before += size
    for theirs in sorted(unmet):
        notes.add("not found", f"--map {theirs}={known.names[theirs]}", "no record has this field: look at its name")


def real(path: str | Path) -> str:
    """Return where a path leads to, as the places of articles have it."""
    return os.path.realpath(os.path.expanduser(path))


def whole_text(name: str, data: bytes) -> str:
    """Return the text of a file of prose, a draft say, as its reader has it. Raises BadInput for any other."""
    suffix = _suffix(Path(name))
    reader, most = READERS.get(suffix, (None, 0.0))
    if suffix in RECORDS or not reader:
        raise BadInput(f"not a known kind of text: use {', '.join(kind for kind in READERS if kind not in RECORDS)}")
    if len(data) > most * 1e6:
        raise BadInput(f"it has {len(data) / 1e6:,.1f} MB and {most} are the most: split it")
    with translated(BadInput, "it cannot be read", ValueError):
        if suffix in (".txt", ".md"):
            return plain.decode(data)
        found = [fields for fields, _ in reader(plain.Source(io.BytesIO(data)))]
    heads = [f"# {one['title']}" if one["title"] else "" for one in found]  # no sentence of a draft
    texts = [one["text"].removeprefix(f"{one['title']}\n") for one in found]
    told = (part for both in zip(heads, texts, strict=True) for part in both)
    return "\n\n".join(filter(None, told))


def _files(root: Path, notes: Notes) -> list[Path]:
    """List the article files at or below a path, each once, and what `_records` rejects. Raises BadInput for none.

    Hidden files, those beside articles and those of an archive are left alone, files of other kinds counted.
    """
    kinds = ", ".join(READERS)
    if str(root).lower().startswith(("http:/", "https:/")):
        raise BadInput("web addresses cannot be read yet: save the page and ingest the file")
    if not root.exists():
        raise BadInput("no such file or folder")
    if not root.is_dir():
        if not _suffix(root):
            raise BadInput(f"not a known kind of file: use {kinds}")
        return [root]
    os.listdir(root)  # rglob passes over what may not be read
    archives, below = {path.parent for path in root.rglob(ARCHIVE)}, list[Path]()
    for path in sorted(root.rglob("*"), key=os.path.islink, reverse=True):  # a link is the file that it leads to
        if not archives.isdisjoint(path.parents) or any(map(SKIPPED.match, path.relative_to(root).parts)):
            continue
        if os.path.isdir(path):
            below += [path] * (_leads_out(path, root) or not os.access(path, os.R_OK | os.X_OK))
        elif _suffix(path):
            below.append(path)
        elif path.is_file():
            notes.skipped[path.suffix.lower()] += 1
    if not below:
        raise Empty(f"no article files in it ({kinds})")
    return sorted({os.path.realpath(path): path for path in below}.values())


def _suffix(path: Path) -> str:
    return next((suffix for suffix in READERS if path.name.lower().endswith(suffix)), "")


def _leads_out(path: Path, root: Path) -> bool:
    return path != root and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _records(path: Path, root: Path, notes: Notes) -> Iterator[tuple[Any, str, int]]:
    """Yield (fields, or the BadInput that they are; their place in the file; bytes read so far) for each record."""
    try:
        with translated(BadInput, "cannot be read", OSError):
            if UNPRINTABLE.search(f"{path}{root.resolve()}"):
                raise BadInput("its name is not UTF-8 or holds control characters: rename it")
            if _leads_out(path, root):
                raise BadInput("a link out of the folder: ingest what it leads to by its own path")
            size = path.stat().st_size
            if path.is_dir():
                raise BadInput("a folder that may not be read: allow it, or name it with a dot to leave it out")
            if not path.is_file():
                raise BadInput("a pipe, socket or device: save what it yields in a file")
            reader, most = READERS[_suffix(path)]
            if size > most * 1e6:
                found = f"it has {size / 1e6:,.1f} MB and {most} are the most"
                raise BadInput(f"{found}: split it, or make it a .jsonl file")
            with plain.Source(io.FileIO(path)) as stream:
                for fields, place in reader(stream):
                    yield fields, place, stream.tell()
                if stream.guessed:
                    notes.add("encoding guessed", path.name, f"{stream.guessed}: save it as UTF-8")
    except (BadInput, ValueError) as error:
        yield BadInput(str(error)), "", 0


def _rejected(source: str, error: Exception) -> Rejected:
    return Rejected(UNPRINTABLE.sub("�", source), UNPRINTABLE.sub("�", str(error))[:300])  # can be shown, on one line


def _article(fields: object, default_id: str, known: Known, name: str, notes: Notes) -> Article:
    """Build the article that a record describes. Raises BadInput for one that is none."""
    if isinstance(fields, BadInput):
        raise fields
    if not isinstance(fields, Mapping):
        raise BadInput("not an article: expected an object with at least a text")
    said = f"{fields.get('title')} {fields.get('text')}"
    if (whole := plain.mended(said)) != said:
        odd = next((p for p in zip(said.split(), whole.split(), strict=False) if p[0] != p[1]), ("spaces",))
        notes.add("encoding mended", name, f"{' read as '.join(odd)}: export it as UTF-8 if that is wrong")
    fields = wire.told({**fields, "text": _clean(fields.get("text"), "text", TEXT_CHARACTERS)}, name, known.year)
    text = fields["text"]
    if not text:
        raise BadInput("it has no text")
    first, _, rest = text.partition("\n")
    if rest and "" != table.fold(first[:500]) == table.fold(str(fields.get("title") or "")):
        text = rest.strip()
    if cut := CUT_OFF.search(text, max(0, len(text) - 300)):
        notes.add("cut off", name, f"{cut[0].strip()}: ingest the whole text")
        text = _untorn(text[: cut.start()].rstrip()) if cut[1] else text
    url = _clean(fields.get("url"), "url") or None
    published = fields.get("published")
    day = None if published in (None, "") else parse_date(published)
    if day and not appeared(day):
        fields["undated"], day = f"{day} is no day of publication: write it as YYYY-MM-DD", None
    if day is None:
        notes.add("undated", name, fields.get("undated") or "nothing declares the day: give it as published")
    if until := fields.get("embargo"):
        notes.add("embargoed", name, f"{until}: no day of publication, so take it out where it is still to come")
    outlet = _clean(fields.get("outlet"), "outlet") or _clean(known.outlet, "outlet")
    if url and not outlet:
        with translated(BadInput, f"its url {url[:99]!r} is not one", ValueError):
            outlet = table.host(url)
    title = _clean(fields.get("title"), "title")
    behind = BEHIND.search(title)
    return Article(
        id=_clean(fields.get("id"), "id") or url or default_id,
        title=(behind[1] if behind and table.fold(behind[2]) == table.fold(outlet) else title) or _derived_title(text),
        text=text,
        outlet=outlet or None,
        published=day,
        url=url,
        authors=_authors(fields.get("authors")),
    )


def _clean(value: object, name: str, most: int = FIELD_CHARACTERS) -> str:
    """Return a field as clean text: no control characters, lone surrogates or Windows line ends; one line if short."""
    if value is None:
        return ""
    if not isinstance(value, str) and not (name == "id" and type(value) is int):
        raise BadInput(f"its {name} is a {type(value).__name__}, not a string")
    text = str(value) if name in ("id", "url") else plain.mended(str(value))
    text = re.sub(r"\r\n?|\u2028|\u2029|\x85", "\n", text)
    text = re.sub(f"[{CONTROL}]", "", text)
    text = text.strip() if name == "text" else " ".join(text.split())
    if len(text) > most:  # A mistake most likely; and a shortened id or url would be another article's.
        raise BadInput(f"its {name} has {len(text):,} characters and {most:,} are the most: shorten or split it")
    return text


def _untorn(text: str) -> str:
    """Return a text that was cut off without the sentence that it was cut off in, where there are others."""
    if not text or re.search(r"[.!?…][\"'”’)]*$", text):
        return text
    start = max(0, len(text) - FIELD_CHARACTERS)
    return text[: start + sentences(text[start:])[-1].start].rstrip() or f"{text}…"


def _derived_title(text: str) -> str:
    """Return an untitled article's first real sentence, shortened at a space where it is long."""
    lines = [line for line in text.split("\n") if len(line.split()) > 3 and not is_caption(line)]
    first = (lines[0] if lines else text.split("\n")[0])[:2000]  # a million take minutes
    first = first[sent.end :] if (sent := dateline(first)) else first
    line = next((first[s.start : s.end] for s in sentences(first) if s.end - s.start > 20), first.strip())
    cut = line[:TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:–—-") + "…"
    return line if len(line) <= TITLE_CHARACTERS else cut


def _authors(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    names = re.split(r"[;,]| and | & ", value) if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput("its authors are not a list of names")
    return tuple(dict.fromkeys(filter(None, (wire.person(_clean(name, "authors")) for name in names))))
