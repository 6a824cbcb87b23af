"""Under which address of the web each article is stored, however it is written: so that no page is stored twice."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from index.archive import Archive
from index.text.addresses import address, on_web


class Addresses(NamedTuple):
    """The table, of articles whose ids are addresses."""

    name: str = "addresses"
    rules: str = "1"
    script: str = """DROP TABLE IF EXISTS addresses;
        CREATE TABLE addresses (article_id TEXT PRIMARY KEY, address TEXT NOT NULL);
        CREATE INDEX addresses_address ON addresses (address)"""

    def apply(self, archive: Archive, ids: Sequence[str]) -> None:
        """Bring the table up to date with these articles."""
        archive.read("DELETE FROM addresses WHERE article_id IN (SELECT value FROM json_each(?))", json.dumps(ids))
        held = "SELECT id FROM articles WHERE id IN (SELECT value FROM json_each(?))"
        rows = [(key, address(key)) for (key,) in archive.read(held, json.dumps(ids)) if on_web(key)]
        archive.change("INSERT INTO addresses VALUES (?, ?)", rows)
