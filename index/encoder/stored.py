"""Vectors in the archive's file, each under a hash of its text and encoder; empty of what is encoded later."""

import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from index.database import Database, checksum
from index.encoder import Vectors
from index.types import ArchiveError, ModelError, translated

NONE = np.empty(0, np.float32)  # is kept in the place of a vector that a text waits for
EMPTY = "length(v.vector) = 0"
WAITING = f"vectors v JOIN passages p ON p.vector = v.key AND {EMPTY}"
STORED = """SELECT vector.vector FROM json_each(?) wanted JOIN passages p ON p.id = wanted.value
    JOIN vectors vector ON vector.key = p.vector ORDER BY wanted.key"""
KEEP = """INSERT INTO {} AS held VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE
    SET vector = excluded.vector, checksum = excluded.checksum WHERE length(held.vector) = 0"""
STILL = f"json_each(?) wanted JOIN vectors v ON v.key = wanted.value AND +{EMPTY}"  # not by the index of lengths
CAME = "="  # before a passage in `changes` of which nothing is new save that its vector is there
ARRIVED = f"""INSERT INTO changes (passage_id, article_id)
    SELECT '{CAME}' || p.id, p.article_id FROM {STILL} JOIN passages p ON p.vector = v.key"""


class Stored(Database):
    """The archive's vectors."""

    def keep(self, vectors: Mapping[str, Vectors], table: str = "vectors") -> None:
        """Keep vectors by their keys, those that are not there already; within a transaction.

        Who is derived is told of passages that waited for theirs.
        """
        blobs = ((key, vector.astype("<f4").tobytes()) for key, vector in vectors.items())
        rows = ((key, blob, checksum(key, blob)) for key, blob in blobs)
        if table == "vectors":
            self.read(ARRIVED, json.dumps([key for key, vector in vectors.items() if len(vector)]))
        self.change(KEEP.format(table), rows)

    def known_vectors(self, keys: Iterable[str]) -> set[str]:
        """Return which of these vector keys are stored, so that no text is encoded twice."""
        held = f"SELECT v.key FROM json_each(?) wanted JOIN vectors v ON v.key = wanted.value WHERE NOT {EMPTY}"
        return {row[0] for row in self.read(held, json.dumps([*keys]))}

    def still_waiting(self, keys: Iterable[str]) -> set[str]:
        """Return which of these vector keys wait for their vectors."""
        return {row[0] for row in self.read(f"SELECT v.key FROM {STILL}", json.dumps([*keys]))}

    def check_size(self, vectors: Iterable[Vectors], table: str = "vectors") -> None:
        """Raise ModelError where these are not as long as those that are stored: a server may exchange its model."""
        [(held,)] = self.read(f"SELECT max(length(vector)) / 4 FROM {table}")
        if held and (sizes := {len(vector) for vector in vectors} - {held}):
            told = f"the encoder's vectors have {max(sizes)} numbers, those in {self.path} {held}"
            raise ModelError(f"{told}: it is another model now, under the same name; copydesk reencode changes to one")

    def vectors(self, passage_ids: Sequence[str], query: str = STORED) -> Vectors:
        """Return the stored vectors of passages, shape (len(passage_ids), dimensions), float32.

        Of what waits for its own it is 0 in all dimensions; where all wait, there are none.
        """
        rows = self.read(query, json.dumps(list(passage_ids)))
        with translated(ArchiveError, f"{self.path} holds a row that was altered", ValueError,
                        mend="copydesk doctor names it"):  # fmt: skip
            if len(rows) < len(passage_ids):
                raise ValueError("a passage without a vector")
            size = max(len(row[0]) for row in rows)
            return np.vstack([np.frombuffer(row[0] or bytes(size), dtype="<f4") for row in rows])

    def pending(self, name: str, what: str = "passage_id") -> tuple[list[str], int]:
        """Return what `Database.pending` does; to the words' index it is all the same whether a vector is there."""
        changed, last = super().pending(name, what)
        some = (key for key in changed if name != "lexical" or not key.startswith(CAME))
        return (changed if what != "passage_id" else [*dict.fromkeys(key.removeprefix(CAME) for key in some)]), last

    def waiting(self) -> int:
        """Return how many passages wait for their vectors; of one text, which is rare, they count once."""
        return int(self.read(f"SELECT count(*) FROM vectors v WHERE {EMPTY}")[0][0])
