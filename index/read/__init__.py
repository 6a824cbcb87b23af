"""Reads article files. `formats` has a file for each; what they find becomes an `Article` in one place, `article`."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from index.read import fields as table
from index.read import plain
from index.read.article import UNPRINTABLE, Known, as_article
from index.read.child import File, Reading, contents, held
from index.read.formats import PROSE, READERS, RECORDS, suffix
from index.read.notes import Notes
from index.read.wire import PAGE
from index.read.zipped import SKIPPED
from index.types import Article, BadInput, Place, Rejected, translated

ARCHIVE = "archive.sqlite3"  # A folder that holds one is an archive of ours: its files are no articles either.
LEFT_OUT = "what is published has no such mark, so change or remove it where it is wrong"


Look = Callable[[Iterable[File]], Iterable[Iterable[Reading]]]  # what each file holds, in order


class Empty(BadInput):
    """A folder that holds no articles."""


class Found(NamedTuple):
    """An article or a rejection; its place, also for people; the share of all bytes read by then, 0…1."""

    item: Article | Rejected
    at: Place
    source: str
    share: float


def read(
    paths: Iterable[str | Path], known: Known | None = None, notes: Notes | None = None,
    only: Callable[[Path], bool] | None = None, look: Look | None = None,
) -> Iterator[Found]:  # fmt: skip
    """Yield every article below the paths in a stable order, and what is rejected; of files that `only` lets through.

    What is passed over or not used, and what leaves articles incomplete, is added to the notes. `look` reads files
    elsewhere.
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
                below = [path for path in _files(root, known.links, notes) if not only or only(path)]
                files += [(root, path, _size(path)) for path in below]
        except BadInput as error:
            where = ("", "") if isinstance(error, Empty) else (real(given), "")
            yield Found(_rejected(str(given), error), where, str(given), 0.0)
    total, before = sum(size for _, _, size in files) or 1, 0
    asked = (_asked(path, root, known.links) for root, path, _ in files)
    for (root, path, size), told in zip(files, look(asked) if look else map(contents, asked), strict=True):
        origin = str(root.resolve())
        file = path.name if path == root else path.relative_to(root).as_posix()
        for fields, place, kind, position in _records(told, path, notes):
            source, default_id = (f"{path}, {place}", f"{file}#{place}") if place else (str(path), file)
            try:
                record, not_used = fields, set[str]()
                if kind in RECORDS and isinstance(record, Mapping):
                    unmet -= unmet and table.met(record, unmet)
                    fields, not_used = table.named(record, known.names)
                if isinstance(record, Mapping) and (other := table.other({**record, "text": fields.get("text")})):
                    notes.add("left out", file, f"{other}: {LEFT_OUT}")
                    continue
                notes.not_used |= not_used
                if record is not fields and not fields["text"]:
                    raise BadInput(f"it has no text: {table.textless(record, not_used)}")
                item: Article | Rejected = as_article(fields, default_id, known, path.name, notes)
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
    if (kind := suffix(name)) not in PROSE:
        raise BadInput(f"not a known kind of text: use {', '.join(PROSE)}")
    if len(data) > (most := PROSE[kind][1]) * 1e6:
        raise BadInput(f"it has {len(data) / 1e6:,.1f} MB and {most} are the most: split it")
    with translated(BadInput, "it cannot be read", ValueError):
        if kind in (".txt", ".md"):
            return plain.decode(data)
        found = [reading.fields for reading in held(data, kind) if reading.kind]
    whole = [one for one in found if not isinstance(one, BadInput)]
    if found and not whole:
        raise found[0]
    heads = [f"# {one['title']}" if one.get("title") else "" for one in whole]  # no sentence of a draft
    texts = [one["text"].removeprefix(f"{one.get('title')}\n").replace(PAGE, "") for one in whole]
    told = (part for both in zip(heads, texts, strict=True) for part in both)
    return "\n\n".join(filter(None, told))


def _files(root: Path, links: bool, notes: Notes) -> list[Path]:
    """List the article files at or below a path, each once, and what `_asked` rejects. Raises BadInput for none.

    Hidden files, those beside articles and those of an archive are left alone, files of other kinds counted; links out
    of a folder are followed where `links` says so.
    """
    kinds = ", ".join(READERS)
    if not root.exists():
        raise BadInput("no such file or folder")
    if not root.is_dir():
        if not suffix(root.name):
            raise BadInput(f"not a known kind of file: use {kinds}")
        return [root]
    os.listdir(root)  # a folder below that may not be read is rejected alone
    found, folders, seen = dict[str, Path](), [root], set[str]()
    while folders:
        folder = folders.pop()
        if (whither := os.path.realpath(folder)) in seen:
            continue
        seen.add(whither)
        try:
            names = [name for name in os.listdir(folder) if not SKIPPED.match(name)]
        except OSError:
            found[whither] = folder
            continue
        for path in map(folder.joinpath, names if ARCHIVE not in names else ()):
            out = path.is_symlink() and _leads_out(path, root)
            if os.path.isdir(path):
                if links or not path.is_symlink():
                    folders.append(path)
                elif out:
                    found[str(path)] = path
            elif suffix(path.name):
                whither = os.path.realpath(path)
                if whither not in found or not path.is_symlink():  # a link is the file that it leads to
                    found[whither] = path
            elif path.is_file():
                notes.skipped[path.suffix.lower()] += 1
    if not found:
        raise Empty(f"no article files in it ({kinds})")
    return sorted(found.values())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # `_asked` tells why
        return 0


def _leads_out(path: Path, root: Path) -> bool:
    return path != root and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _asked(path: Path, root: Path, links: bool) -> File:
    """Return a file to be read, or why it is not."""
    kind = suffix(path.name)
    try:
        with translated(BadInput, "cannot be read", OSError):
            if UNPRINTABLE.search(f"{path}{root.resolve()}"):
                raise BadInput("its name is not UTF-8 or holds control characters: rename it")
            if not links and _leads_out(path, root):
                raise BadInput("a link out of the folder: ingest what it leads to, or give --follow-links")
            size = path.stat().st_size
            if path.is_dir():
                raise BadInput("a folder that may not be read: allow it, or name it with a dot to leave it out")
            if not path.is_file():
                raise BadInput("a pipe, socket or device: save what it yields in a file")
            if size > (most := READERS[kind][1]) * 1e6:
                found = f"it has {size / 1e6:,.1f} MB and {most} are the most"
                raise BadInput(f"{found}: split it, or make it a .jsonl file")
    except (BadInput, ValueError) as error:
        return File(path, kind, bad=str(error))
    return File(path, kind, size)


def _records(told: Iterable[Reading], path: Path, notes: Notes) -> Iterator[Reading]:
    """Yield each record of a file, or why there is none, and note what is remarked on it."""
    for reading in told:
        if reading.kind or isinstance(reading.fields, BadInput):
            yield reading
        elif reading.fields[0] == "skipped":
            notes.skipped.update(reading.fields[1])
        else:
            notes.add(reading.fields[0], path.name, reading.fields[1])


def _rejected(source: str, error: Exception) -> Rejected:
    return Rejected(UNPRINTABLE.sub("�", source), UNPRINTABLE.sub("�", str(error))[:300])  # can be shown, on one line
