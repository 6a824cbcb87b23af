"""Reads article files. One file here for each family of formats; what they find becomes an `Article` in one place."""

import gzip
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from math import inf
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from index.read import html, markdown, plain, records
from index.text.cut import is_caption, sentences
from index.text.days import parse_date
from index.types import Article, BadInput, Rejected, translated

# A reader takes an open file and yields, for each article, its fields and its place within the file ("" or "line 3").
# A BadInput in place of the fields rejects that article alone; a ValueError that is raised ends the file.
# The number is the megabytes it may have: JSON of many small objects takes 25 times as much memory.
READERS: dict[str, tuple[Callable[[BinaryIO], Iterator[tuple[Any, str]]], float]] = {
    ".txt": (plain.read, 5),
    ".md": (markdown.read, 5),
    ".html": (html.read, 20),
    ".htm": (html.read, 20),
    ".json": (records.read_json, 50),
    ".jsonl": (lambda file: records.read_jsonl(records.lines(file, file)), inf),
    ".jsonl.gz": (
        lambda file: records.read_jsonl(records.lines(cast(BinaryIO, gzip.GzipFile(fileobj=file)), file)),
        inf,
    ),
    ".csv": (records.read_csv, 50),
}
SKIPPED = ("README*", "LICENSE*", "questions*.jsonl", ".*")  # Beside articles, but not articles.
ARCHIVE = "archive.sqlite3"  # A folder that holds one is an archive of ours: its files are no articles either.
TITLE_CHARACTERS = 120
FIELD_CHARACTERS = 2000
TEXT_CHARACTERS = 1_000_000  # A minute of encoding; live coverage of a day has 200,000.
CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ud800-\udfff"  # The last stand for bytes of a name that are not UTF-8.
UNPRINTABLE = re.compile(rf"[{CONTROL}\t\n\u2028\u2029]")


@dataclass(frozen=True)
class Found:
    """An article or a rejection: the path it was asked for by, its file below that, and its place for people.

    `share` tells how much of all the bytes to be read had been read by then, 0…1.
    """

    item: Article | Rejected
    root: str
    file: str
    source: str
    share: float


def read(paths: Iterable[str | Path], outlet: str | None = None) -> Iterator[Found]:
    """Yield every article below the paths in a stable order, and whatever is rejected, with the reason.

    `outlet` is given to articles that name none.
    """
    files: list[tuple[Path, Path, int]] = []  # (path asked for, file at or below it, its size)
    for given in paths:
        try:
            with translated(BadInput, "cannot be read", OSError, RuntimeError):  # RuntimeError: no such user's home
                root = Path(given).expanduser()
                files += [(root, path, path.stat().st_size if os.access(path, os.R_OK) else 0) for path in _files(root)]
        except BadInput as error:
            yield Found(_rejected(str(given), error), str(given), "", str(given), 0.0)
    total, before = sum(size for _, _, size in files) or 1, 0
    for root, path, size in files:
        origin = str(root.resolve())
        file = path.name if path == root else path.relative_to(root).as_posix()
        for item, source, position in _read_file(path, root, file, outlet):
            yield Found(item, origin, file, source, (before + min(position, size)) / total)
        before += size


def _files(root: Path) -> list[Path]:
    """List the article files at or below a path, each once, and what `_readable` rejects. Raises BadInput for none."""
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
    archives = {path.parent for path in root.rglob(ARCHIVE)}
    paths = (path for path in root.rglob("*") if archives.isdisjoint(path.parents) and not _skipped(path, root))
    below = [path for path in paths if (_closed(path, root) if os.path.isdir(path) else _suffix(path))]
    if not below:
        raise BadInput(f"no article files in it ({kinds})")
    return sorted({os.path.realpath(path): path for path in sorted(below, key=os.path.islink, reverse=True)}.values())


def _suffix(path: Path) -> str | None:
    name = path.name.lower()
    return next((suffix for suffix in READERS if name.endswith(suffix)), None)


def _skipped(path: Path, root: Path) -> bool:
    return any(fnmatch(part, pattern) for part in path.relative_to(root).parts for pattern in SKIPPED)


def _leads_out(path: Path, root: Path) -> bool:
    return path != root and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _closed(folder: Path, root: Path) -> bool:
    return _leads_out(folder, root) or not os.access(folder, os.R_OK | os.X_OK)


def _readable(path: Path, root: Path) -> Path:
    """Return the path of a file that can be read to its end. Raises BadInput or OSError for what is none."""
    if UNPRINTABLE.search(f"{path}{root.resolve()}"):
        raise BadInput("its name is not UTF-8 or holds control characters: rename it")
    if _leads_out(path, root):
        raise BadInput("a link out of the folder: ingest what it leads to by its own path")
    size = path.stat().st_size
    if path.is_dir():
        raise BadInput("a folder that may not be read: allow it, or name it with a dot to leave it out")
    if not path.is_file():
        raise BadInput("a pipe, socket or device: save what it yields in a file")
    if size > (most := READERS[_suffix(path) or ""][1]) * 1e6:
        raise BadInput(f"it has {size / 1e6:,.1f} MB and {most} are the most: split it, or make it a .jsonl file")
    return path


def _read_file(path: Path, root: Path, file: str, outlet: str | None) -> Iterator[tuple[Article | Rejected, str, int]]:
    """Yield (article or rejection, where it stands, bytes read so far) for each record of a file."""
    try:
        with translated(BadInput, "cannot be read", OSError), _readable(path, root).open("rb") as stream:
            for fields, place in READERS[_suffix(path) or ""][0](stream):
                source, default_id = (f"{path}, {place}", f"{file}#{place}") if place else (str(path), file)
                try:
                    yield _article(fields, default_id, outlet), source, stream.tell()
                except BadInput as error:
                    yield _rejected(source, error), source, stream.tell()
    except (BadInput, ValueError) as error:
        yield _rejected(str(path), error), str(path), 0


def _rejected(source: str, error: Exception) -> Rejected:
    return Rejected(UNPRINTABLE.sub("�", source), UNPRINTABLE.sub("�", str(error))[:300])  # can be shown, on one line


def _article(fields: object, default_id: str, outlet: str | None) -> Article:
    """Build the article that a record describes. Raises BadInput for one that is none."""
    if isinstance(fields, BadInput):
        raise fields
    if not isinstance(fields, Mapping):
        raise BadInput("not an article: expected an object with at least a text")
    text = _clean(fields.get("text"), "text", TEXT_CHARACTERS)
    if not text:
        raise BadInput("it has no text")
    url = _clean(fields.get("url"), "url") or None
    published = fields.get("published")
    return Article(
        id=_clean(fields.get("id"), "id") or url or default_id,
        title=_clean(fields.get("title"), "title") or _derived_title(text),
        text=text,
        outlet=_clean(fields.get("outlet"), "outlet") or _clean(outlet, "outlet") or (_host(url) if url else None),
        published=None if published in (None, "") else parse_date(published),
        url=url,
        authors=_authors(fields.get("authors")),
    )


def _clean(value: object, name: str, most: int = FIELD_CHARACTERS) -> str:
    """Return a field as clean text: no control characters, lone surrogates or Windows line ends; one line if short."""
    if value is None:
        return ""
    if not isinstance(value, str) and not (name == "id" and type(value) is int):
        raise BadInput(f"its {name} is a {type(value).__name__}, not a string")
    text = re.sub(r"\r\n?|\u2028|\u2029|\x85", "\n", str(value))
    text = re.sub(f"[{CONTROL}]", "", text)
    text = text.strip() if name == "text" else " ".join(text.split())
    if len(text) > most:  # A mistake most likely; and a shortened id or url would be another article's.
        raise BadInput(f"its {name} has {len(text):,} characters and {most:,} are the most: shorten or split it")
    return text


def _derived_title(text: str) -> str:
    """Return an untitled article's first real sentence, shortened at a space where it is long."""
    lines = [line for line in text.split("\n") if len(line.split()) > 3 and not is_caption(line)]
    first = (lines[0] if lines else text.split("\n")[0])[:2000]  # a million take minutes
    line = next((first[s.start : s.end] for s in sentences(first) if s.end - s.start > 20), first.strip())
    if len(line) <= TITLE_CHARACTERS:
        return line
    return line[:TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:–—-") + "…"


def _host(url: str) -> str | None:
    with translated(BadInput, f"its url {url[:99]!r} is not one", ValueError):
        host = urlsplit(url).hostname
    return host.removeprefix("www.") if host else None


def _authors(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    names = re.split(r"[;,]", value) if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput("its authors are not a list of names")
    return tuple(filter(None, (_clean(name, "authors") for name in names)))
