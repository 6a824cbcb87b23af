"""Where articles lie: the same file below another folder is the same article, and prune takes what is gone."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from index.read import Found
from index.types import Article, Place

NUMBER = re.compile(r"[-#]?\d+(?:\.0)?")  # of a row or a post: every export counts from one


def on_web(key: str) -> bool:
    """Tell whether an id, or a file of a place, is an address of the web."""
    return key.startswith(("http://", "https://"))


def path(place: Place) -> str:
    """Return where a place is: the path that was asked for may be the file itself; a page is where its address says."""
    root, file = place
    if on_web(file):
        return file
    return root if not file or (root.endswith(f"/{file}") and not os.path.isdir(root)) else f"{root}/{file}"


@lru_cache(100_000)
def address(url: str) -> str:
    """Return a web address as it is compared: no scheme, www., marks of campaigns, place on the page or last slash."""
    from courlan import normalize_url  # 0.3 s

    try:
        parts = urlsplit(normalize_url(url))
    except ValueError:  # it is none
        return url
    route = parts.fragment if parts.fragment[:1] in ("!", "/") else ""  # a page of its own
    return "\0".join((parts.netloc.removeprefix("www."), parts.path.rstrip("/"), parts.query, route))


def _part(key: str, file: str) -> str | None:
    """Return which part of its file an article is, "" or "#line 3", where its id is only its place; else None."""
    part = key.removeprefix(file)
    whole = not part and not on_web(key)  # the address of a page is its own
    return part if key.startswith(file) and (whole or part.startswith("#")) else None


class Places:
    """The ids that the archive knows, with their hashes, places and urls, and what lies at these places."""

    def __init__(self, known: Mapping[str, tuple[str, Place, str | None]]) -> None:
        self.known = known
        self.paths = {key: path(place) for key, (_, place, _) in known.items()}
        self.ids: dict[str, str] = {}  # by path and part, of articles whose id is a place below any folder
        for key, at in self.paths.items():
            file, mark, part = key.rpartition("#")
            for name, of in ((key, ""), (file, mark + part)):
                if name and at.endswith(f"/{name}"):
                    self.ids[at + of] = key
        self.rows: dict[tuple[str, Article], tuple[str, str]] = {}  # where each was seen first, and its id there
        self.addresses: dict[str, str] = {}  # the ids that are one
        for key in sorted(known):
            self._once(key)

    def _once(self, key: str) -> str:
        """Return the id of this address however it is written, or the one given."""
        return self.addresses.setdefault(address(key), key) if on_web(key) else key

    def id_of(self, article: Article, at: Place, seen: Mapping[str, Found]) -> str:
        """Return an article's id: its own or, where that is a mere number of another article, its url or its file's."""
        if not NUMBER.fullmatch(article.id):
            return self._known_as(article.id, at)
        apart = self._once(article.url) if article.url else self._known_as(f"{at[1]}#{article.id}", at)
        return apart if apart in self.paths or self._is_others(article, at, seen) else article.id

    def _is_others(self, article: Article, at: Place, seen: Mapping[str, Found]) -> bool:
        """Tell whether an id is that of another url or, where one has none, of another file that is still there."""
        _, there, url = self.known.get(article.id, ("", at, article.url))
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
        if self.paths.get(key) == path(at):
            return key
        return self.ids.get(f"{path(at)}{part}", key)

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
        other = self.paths.get(key)
        if other is None or _part(key, found.at[1]) is None or other == path(found.at) or not os.path.exists(other):
            return None
        return f"the id {key} belongs to {other}: give one of the two an id or url"

    def lost(self, roots: set[str], seen: Mapping[str, Found], spoilt: set[str]) -> list[str]:
        """Return the articles at or below these paths that were not seen there, save where something was not read."""
        read_now = {path(found.at) for found in seen.values()}
        lost = []
        for key in self.paths.keys() - seen.keys():
            at = self.paths[key]
            around = {at, *map(str, PurePosixPath(at).parents)}
            if around & roots and not around & spoilt and (at in read_now or not os.path.exists(at)):
                lost.append(key)
        return sorted(lost)
