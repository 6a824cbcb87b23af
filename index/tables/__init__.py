"""Tables that are derived from the archive, in its file: kept in step like the indexes, and built again at any time."""

from collections.abc import Sequence
from typing import Protocol

from index.archive import Archive
from index.tables.copies import COPIES
from index.tables.notices import Notices
from index.tables.stories import STORIES


class Table(Protocol):
    """What is known of articles beside their words. Other `rules`, their version, build it anew with its `script`."""

    @property
    def name(self) -> str: ...
    @property
    def rules(self) -> str: ...
    @property
    def script(self) -> str: ...

    def apply(self, archive: Archive, ids: Sequence[str]) -> None:
        """Take out what is held of these articles, and put in what the archive holds of them. Repeating it is safe."""


TABLES: tuple[Table, ...] = (COPIES, STORIES, Notices())
