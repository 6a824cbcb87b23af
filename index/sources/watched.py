"""What is watched, in the archive's table `sources`, each with what the last look at it left."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from index.archive import Archive
from index.read import real
from index.read.article import UNPRINTABLE
from index.sources import address
from index.sources.fetch import parsed
from index.types import BadInput, shown

LOCAL = ("folder", "file")
NAMES = ("address", "kind", "added", "checked", "due", "failures", "failure", "state")
COLUMNS = ", ".join(NAMES)
LISTED = f"""SELECT {COLUMNS}, coalesce(articles, 0) FROM sources
    LEFT JOIN (SELECT root, count(*) AS articles FROM articles GROUP BY root) AS counted
    ON root = address ORDER BY address"""
ADD = """INSERT INTO sources (address, kind, added, state) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (address)
    DO UPDATE SET state = excluded.state,
    due = CASE WHEN sources.failures > 0 OR ?5 = 1 THEN NULL ELSE sources.due END"""
NOTE = """UPDATE sources SET kind = ?2, checked = ?4, due = ?5, failures = ?6, failure = ?7, state = ?8
    WHERE address = ?1"""


@dataclass
class Source:
    """A folder, file, feed, sitemap or page, an "address" until it was read; times are UTC, as ISO has them.

    `state` is a JSON object: outlet, private and every (minutes), as it was added with; what a `Visit` left (visit);
    the seconds between two looks (interval) and what its host asks for (asked); the folder's own number (inode); and
    what could not be used (rejected: reason by source).
    """

    address: str  # without what is secret in it, or a path without links
    kind: str
    added: str
    checked: str | None = None
    due: str | None = None  # None: now
    failures: int = 0  # in a row
    failure: str | None = None
    state: dict[str, Any] = field(default_factory=dict)


def stamp(moment: datetime | None = None) -> str:
    return (moment or datetime.now(UTC)).isoformat(timespec="seconds")


class Sources:
    """The sources of an archive. What is secret in an address is known while the process lives, and never stored.

    `options` are what others are added with while somebody watches, None while nobody does.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive, self._whole = archive, dict[str, str]()
        self.options: dict[str, Any] | None = None

    def add(self, given: str | Path, now: bool = False, **options: Any) -> None:
        """Watch a file, folder or address from now on, or with other options; look at it `now`, or when it is due.

        Raises BadInput for what cannot be watched.
        """
        key, url = self._key(given), address(given)
        found = self.get(key)
        if url:
            try:
                parsed(url)
            except BadInput as error:
                raise BadInput(f"{key}: {error}") from error
            self._whole[key] = url
        elif UNPRINTABLE.search(key):
            raise BadInput(f"{UNPRINTABLE.sub('�', key)}: its name is not UTF-8 or holds control characters: rename it")
        elif not found and not os.path.exists(key):
            raise BadInput(f"{given}: no such file or folder: look at the path")
        kind = "address" if url else "folder" if os.path.isdir(key) else "file"
        state = (found.state if found else {}) | options
        with self._archive.transaction():
            self._archive.change(ADD, [(key, kind, stamp(), json.dumps(state), int(now))])

    def take(self, given: str | Path | Iterable[str | Path], now: bool, **options: Any) -> None:
        """Add sources while somebody watches. Raises BadInput where there is nothing to watch, or no such interval."""
        if (every := options["every"]) is not None and not 0.1 <= every <= 1440:
            raise BadInput(f"{every:g} minutes are no interval: give .1 to 1440")
        self.options = options
        for source in [given] if isinstance(given, str | Path) else given:
            self.add(source, now, **options)
        if not self.known():
            raise BadInput("nothing is watched yet: name a folder, a file or an address")

    def remove(self, given: Iterable[str | Path]) -> int:
        """Forget sources, whose articles stay; return how many. Raises BadInput for one that is not known."""
        with self._archive.transaction():
            keys = dict.fromkeys(map(self._key, given))
            for key in keys:
                if not self.get(key):
                    raise BadInput(f"{key} is not watched: copydesk sources lists what is")
            self._archive.change("DELETE FROM sources WHERE address = ?", [(key,) for key in keys])
        return len(keys)

    def note(self, source: Source) -> None:
        """Store what a look has left, where the source was not removed meanwhile."""
        with self._archive.transaction():
            self._archive.change(NOTE, [(*(asdict(source) | {"state": json.dumps(source.state)}).values(),)])

    def get(self, key: str) -> Source | None:
        rows = self._archive.read(f"SELECT {COLUMNS} FROM sources WHERE address = ?", key)
        found = [dict(zip(NAMES, row, strict=True)) | {"state": json.loads(row[-1])} for row in rows]
        return Source(**found[0]) if found else None

    def known(self) -> list[tuple[str, str, str | None]]:
        """Return the address, the kind and the time at which it is due of every source, those due longest first."""
        return self._archive.read("SELECT address, kind, due FROM sources ORDER BY coalesce(due, ''), added")

    def listed(self, local: bool = True) -> list[dict[str, Any]]:
        """Return all that people see of each source; without `local`, of those that are addresses."""
        listed = []
        for row in self._archive.read(LISTED):
            one = dict(zip((*NAMES, "articles"), row, strict=True))
            rejected = json.loads(one.pop("state")).get("rejected", {})
            one["rejected"] = [{"source": source, "reason": why} for source, why in rejected.items()]
            listed += [one] * (local or one["kind"] not in LOCAL)
        return listed

    def failing(self) -> int:
        """Return of how many the last look failed."""
        return int(self._archive.read("SELECT count(*) FROM sources WHERE failures > 0")[0][0])

    def whole(self, source: Source) -> str:
        """Return a source's address as it was given. Raises BadInput where its key is not known any more."""
        if "=***" in (whole := self._whole.get(source.address, source.address)):
            raise BadInput("a key in it is not kept: give the whole address again, copydesk watch ADDRESS")
        return whole

    def files(self, root: str) -> list[str]:
        """Return the files below a folder that are in the archive."""
        return [file for (file,) in self._archive.read("SELECT DISTINCT file FROM articles WHERE root = ?", root)]

    def _key(self, given: str | Path) -> str:
        return shown(url) if (url := address(given)) else real(given)
