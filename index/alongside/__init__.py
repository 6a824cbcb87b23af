"""How an archive is opened: alone, or beside another process that writes it, or where nothing can be written."""

from pathlib import Path

from index.alongside.readonly import ReadOnlyIndex
from index.encoder import Encoder
from index.shared import is_shared
from index.sync import Index, Progress


def open_index(
    data: str | Path, encoder: Encoder | str | None, progress: Progress, read_only: bool = False,
    cache: str | Path | None = None, vectors: str | None = None,
) -> Index:  # fmt: skip
    """Open the archive of a folder, or of a database, whose indexes lie below `cache` then."""
    if is_shared(data):
        from index.shared.machine import SharedIndex  # its driver need not be installed

        return SharedIndex(str(data), encoder, progress, cache, read_only, vectors)
    return (ReadOnlyIndex if read_only else Index)(data, encoder, progress, vectors)
