"""Where articles lie: the same file below another folder is the same article, and prune takes what is gone."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from index.archive import Archive
from index.read import Found
from index.text.addresses import address, on_web
from index.types import Article, Place

Known = tuple[str, Place, str | None]

NUMBER = re.compile(r"[-#]?\d+(?:\.0)?")  # of a row or a post: every export counts from one


def path(place: Place) -> str:
    """Return where a place is: the path that was asked for may be the file itself; a page is where its address says."""
    root, file = place
    if on_web(file):
        return file
    return root if not file or (root.endswith(f"/{file}") and not os.path.isdir(root)) else f"{root}/{file}"


def _part(key: str, file: str) -> str | None:
    """Return which part of its file an article is, "" or "#line 3", where its id is only its place; else None."""
    part = key.removeprefix(file)
    whole = not part and not on_web(key)  # the address of a page is its own
    return part if key.startswith(file) and (whole or part.startswith("#")) else None


class Places:
    """What the archive knew when a run began: ids with their hashes, places and urls, and what lies at these places."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._known: dict[str, Known | None] = {}  # what was asked for
        self.rows: dict[tuple[str, Article], tuple[str, str]] = {}  # where each was seen first, and its id there
        self.addresses: dict[str, str] = {}  # the ids that are one

    def known(self, key: str) -> Known | None:
        """Return an article's hash, place and url; what is written later in this run is not known."""
        if key not in self._known:
            self._known[key] = self._archive.known(key).get(key)
        return self._known[key]

    def _path(self, key: str) -> str | None:
        known = self.known(key)
        return path(known[1]) if known else None

    def _once(self, key: str) -> str:
        """Return the id of this address however it is written, or the one given."""
        if not on_web(key):
            return key
        at = address(key)
        if at not in self.addresses:
            rows = self._archive.read("SELECT min(article_id) FROM addresses WHERE address = ?", at)
            self.addresses[at] = rows[0][0] or key
        return self.addresses[at]

    def id_of(self, article: Article, at: Place, seen: Mapping[str, Found]) -> str:
        """Return an article's id: its own or, where that is a mere number of another article, its url or its file's."""
        if not NUMBER.fullmatch(article.id):
            return self._known_as(article.id, at)
        apart = self._once(article.url) if article.url else self._known_as(f"{at[1]}#{article.id}", at)
        return apart if self.known(apart) or self._is_others(article, at, seen) else article.id

    def _is_others(self, article: Article, at: Place, seen: Mapping[str, Found]) -> bool:
        """Tell whether an id is that of another url or, where one has none, of another file that is still there."""
        _, there, url = self.known(article.id) or ("", at, article.url)
        if (found := seen.get(article.id)) and isinstance(found.item, Article):
            there, url = found.at, found.item.url
        if url and article.url:
            return address(url) != address(article.url)
        return path(there) != path(at) and os.path.exists(path(there))

    def _known_as(self, key: str, at: Place) -> str:
        """Return the id under which the archive has the same part of the same file, or the one given."""
        part = _part(key, at[1])
        if part is None:
            return self._once(key)
        there = path(at)
        below = ["/".join(there.split("/")[n:]) + part for n in range(1, there.count("/") + 1)]  # any folder above it
        return next((name for name in (key, *reversed(below)) if self._path(name) == there), key)

    def copy_of(self, article: Article, given: str, found: Found) -> str | None:
        """Return where this run has the same article: the same row, or the same text at the same address.

        `given` is the id that its file gives; where both give the same, `taken` says so.
        """
        row = replace(article, id="") if _part(given, found.at[1]) else replace(article, url=None)
        first, also = self.rows.setdefault((path(found.at) * (not row.id), row), (found.source, given))
        return first if also != given else None

    def taken(self, key: str, found: Found, seen: Mapping[str, Found]) -> str | None:
        """Say who has this id already: an article of this run or, where only its place gives it, another folder's file.

        When that file is gone, the folder was moved, and the article is the same one.
        """
        if key in seen:
            return f"duplicate id {key}: see {seen[key].source}"
        other = self._path(key)
        if other is None or _part(key, found.at[1]) is None or other == path(found.at) or not os.path.exists(other):
            return None
        return f"the id {key} belongs to {other}: give one of the two an id or url"

    def lost(self, roots: set[str], seen: Mapping[str, Found], spoilt: set[str]) -> list[str]:
        """Return the articles at or below these paths that were not seen there, save where something was not read."""
        read_now = {path(found.at) for found in seen.values()}
        lost = []
        for key, (_, place, _) in self._archive.known().items():
            if key in seen:
                continue
            at = path(place)
            around = {at, *map(str, PurePosixPath(at).parents)}
            if around & roots and not around & spoilt and (at in read_now or not os.path.exists(at)):
                lost.append(key)
        return sorted(lost)
