"""Tables that are derived from the archive, in its file: kept in step like the indexes, and built again at any time."""

from collections.abc import Sequence
from typing import Protocol

from index.archive import Archive
from index.tables.copies import Copies


class Table(Protocol):
    """What is known of articles beside their words. Another `rules`, a number of its version, builds it anew.

    `script` drops and creates its SQL tables. `unsound` is a query that counts the rows that are missing or left over.
    """

    name: str
    rules: str
    script: str
    unsound: str

    def apply(self, archive: Archive, ids: Sequence[str]) -> None:
        """Take out what is held of these articles, and put in what the archive holds of them. Repeating it is safe."""


TABLES: tuple[Table, ...] = (Copies(),)
