"""How an archive is opened: alone, or beside another process that writes it, or where nothing can be written."""

from pathlib import Path

from index.alongside.readonly import ReadOnlyIndex
from index.encoder import Encoder, load_encoder
from index.read import ARCHIVE
from index.shared import is_shared
from index.sync import Index, Progress


def open_index(
    data: str | Path, encoder: Encoder | str | None, progress: Progress, read_only: bool = False,
    cache: str | Path | None = None, vectors: str | None = None,
) -> Index:  # fmt: skip
    """Open the archive of a folder, or of a database, whose indexes lie below `cache` then."""
    shared = is_shared(data)
    if shared:  # its driver need not be installed
        from index.shared.machine import SharedIndex
        from index.shared.postgres import holds
    if isinstance(encoder, str) and not read_only:
        there = holds(str(data)) if shared else (Path(data).expanduser() / ARCHIVE).exists()
        encoder = encoder if there else load_encoder(encoder)  # first: of a slip of the pen nothing is left
    if shared:
        return SharedIndex(str(data), encoder, progress, cache, read_only, vectors)
    return (ReadOnlyIndex if read_only else Index)(data, encoder, progress, vectors)
