"""Reads article files. One file here for each family of formats; what they find becomes an `Article` in one place."""

import gzip
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from index.read import html, markdown, plain, records
from index.text.cut import is_caption, sentences
from index.text.days import parse_date
from index.types import Article, BadInput, Rejected, translated

# A reader takes an open file and yields, for each article, its fields and its place within the file ("" or "line 3").
# A BadInput in place of the fields rejects that article alone; a ValueError that is raised ends the file.
READERS: dict[str, Callable[[BinaryIO], Iterator[tuple[Any, str]]]] = {
    ".txt": plain.read,
    ".md": markdown.read,
    ".html": html.read,
    ".htm": html.read,
    ".json": records.read_json,
    ".jsonl": records.read_jsonl,
    ".jsonl.gz": lambda file: records.read_jsonl(gzip.GzipFile(fileobj=file)),
    ".csv": records.read_csv,
}
SKIPPED = ("README*", "LICENSE*", "questions*.jsonl", ".*")  # Beside articles, but not articles.
ARCHIVE = "archive.sqlite3"  # A folder that holds one is an archive of ours: its files are no articles either.
TITLE_CHARACTERS = 120


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
            root = Path(given).expanduser()
            with translated(BadInput, "cannot be read", OSError):
                files += [(root, path, path.stat().st_size) for path in _files(root)]
        except BadInput as error:
            yield Found(Rejected(str(given), str(error)), str(given), "", str(given), 0.0)
    total, before = sum(size for _, _, size in files) or 1, 0
    for root, path, size in files:
        origin = str(root.resolve())
        file = path.name if path == root else path.relative_to(root).as_posix()
        for item, source, position in _read_file(path, file, outlet):
            yield Found(item, origin, file, source, (before + min(position, size)) / total)
        before += size


def _files(root: Path) -> list[Path]:
    """List the article files at or below a path. Raises BadInput where there are none."""
    kinds = ", ".join(READERS)
    if str(root).lower().startswith(("http:/", "https:/")):
        raise BadInput("web addresses cannot be read yet: save the page and ingest the file")
    if not root.exists():
        raise BadInput("no such file or folder")
    if not root.is_dir():
        if not _suffix(root):
            raise BadInput(f"not a known kind of file: use {kinds}")
        return [root]
    archives = {path.parent for path in root.rglob(ARCHIVE)}
    paths = (path for path in sorted(root.rglob("*")) if archives.isdisjoint(path.parents))
    below = [path for path in paths if _suffix(path) and not _skipped(path, root) and path.is_file()]
    if not below:
        raise BadInput(f"no article files in it ({kinds})")
    return below


def _suffix(path: Path) -> str | None:
    name = path.name.lower()
    return next((suffix for suffix in READERS if name.endswith(suffix)), None)


def _skipped(path: Path, root: Path) -> bool:
    return any(fnmatch(part, pattern) for part in path.relative_to(root).parts for pattern in SKIPPED)


def _read_file(path: Path, file: str, outlet: str | None) -> Iterator[tuple[Article | Rejected, str, int]]:
    """Yield (article or rejection, where it stands, bytes read so far) for each record of a file."""
    try:
        with translated(BadInput, "cannot be read", OSError), path.open("rb") as stream:
            for fields, place in READERS[_suffix(path) or ""](stream):
                source, default_id = (f"{path}, {place}", f"{file}#{place}") if place else (str(path), file)
                try:
                    yield _article(fields, default_id, outlet), source, stream.tell()
                except BadInput as error:
                    yield Rejected(source, str(error)), source, stream.tell()
    except (BadInput, ValueError) as error:
        yield Rejected(str(path), str(error)), str(path), 0


def _article(fields: object, default_id: str, outlet: str | None) -> Article:
    """Build the article that a record describes. Raises BadInput for one that is none."""
    if isinstance(fields, BadInput):
        raise fields
    if not isinstance(fields, Mapping):
        raise BadInput("not an article: expected an object with at least a text")
    text = _clean(fields, "text", keep_lines=True)
    if not text:
        raise BadInput("it has no text")
    url = _clean(fields, "url") or None
    published = fields.get("published")
    return Article(
        id=_clean(fields, "id") or url or default_id,
        title=_clean(fields, "title") or _derived_title(text),
        text=text,
        outlet=_clean(fields, "outlet") or outlet or (_host(url) if url else None),
        published=None if published in (None, "") else parse_date(published),
        url=url,
        authors=_authors(fields.get("authors")),
    )


def _clean(fields: Mapping[str, Any], name: str, *, keep_lines: bool = False) -> str:
    """Return a field as clean text: no control characters, lone surrogates or Windows line ends; one line if short."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) and not (name == "id" and type(value) is int):
        raise BadInput(f"its {name} is a {type(value).__name__}, not a string")
    text = re.sub(r"\r\n?|\u2028|\u2029|\x85", "\n", str(value))
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ufeff\ud800-\udfff]", "", text)
    return text.strip() if keep_lines else " ".join(text.split())


def _derived_title(text: str) -> str:
    """Return an untitled article's first real sentence, shortened at a space where it is long."""
    lines = [line for line in text.split("\n") if len(line.split()) > 3 and not is_caption(line)]
    first = lines[0] if lines else text.split("\n")[0]
    line = next((first[s.start : s.end] for s in sentences(first) if s.end - s.start > 20), first.strip())
    if len(line) <= TITLE_CHARACTERS:
        return line
    return line[:TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:–—-") + "…"


def _host(url: str) -> str | None:
    try:
        host = urlsplit(url).hostname
    except ValueError as error:
        raise BadInput(f"its url {url!r} is not one: {error}") from error
    return host.removeprefix("www.") if host else None


def _authors(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    names = re.split(r"[;,]", value) if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput("its authors are not a list of names")
    return tuple(" ".join(name.split()) for name in names if name.strip())
