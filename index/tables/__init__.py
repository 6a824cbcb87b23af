"""Tables that are derived from the archive, in its file: kept in step like the indexes, and built again at any time.

Each has a `name`, the version of its `rules`, of which another builds it anew with its `script`, and `apply`, which
takes out what is held of some articles and puts in what the archive holds of them; repeating it is safe.
"""

from collections.abc import Callable

from index.archive import Archive
from index.tables.addresses import Addresses
from index.tables.chains import Chain
from index.tables.copies import COPIES
from index.tables.notices import Notices
from index.tables.signs import Signs
from index.tables.stories import STORIES
from index.types import ArchiveError

DERIVE_ARTICLES = 1000  # between two signs of progress

Table = Chain | Notices | Signs | Addresses
TABLES: tuple[Table, ...] = (COPIES, STORIES, Notices(), Signs(), Addresses())


def derive(archive: Archive, table: Table, progress: Callable[[str, float], None], anew: bool = False) -> None:
    """Apply to a table what has changed, or build it anew, in one transaction with its mark."""
    name = table.name
    anew = anew or archive.meta(f"rules:{name}") != table.rules
    ids, sequence = archive.pending(name, "article_id")
    if anew:
        ids = [row[0] for row in archive.read("SELECT id FROM articles ORDER BY published, id")]
    elif not ids:
        return
    with archive.transaction():
        for statement in table.script.split(";") if anew else ():
            archive.read(statement)
        for start in range(0, len(ids), DERIVE_ARTICLES):
            table.apply(archive, ids[start : start + DERIVE_ARTICLES])
            if len(ids) > DERIVE_ARTICLES:
                progress(f"{name} table", min(1.0, (start + DERIVE_ARTICLES) / len(ids)))
        archive.set_meta(f"rules:{name}", table.rules)
        archive.set_meta(f"rows:{name}", _rows(archive, table))
        archive.applied(name, sequence)


def lag(archive: Archive) -> dict[str, int]:
    """Return how many changes each who is derived, indexes and tables, has not applied yet, by its name."""
    late = "(SELECT count(*) FROM changes WHERE sequence > CAST(value AS INTEGER))"
    rows = archive.read(f"SELECT substr(key, 9), {late} FROM meta WHERE key LIKE 'applied:%' ORDER BY 1")
    return dict(rows)


def complaint(archive: Archive, table: Table) -> str:
    """Return in words what is wrong with a table, if anything; one not built yet is built when it is used."""
    if archive.meta(f"rules:{table.name}") != table.rules:
        return ""
    try:
        held, rows = _rows(archive, table), archive.meta(f"rows:{table.name}")
    except ArchiveError as error:
        return str(error)
    sound = held == rows and not archive.pending(table.name)[0]
    return "" if sound else f"it holds {held} of {rows} rows"


def _rows(archive: Archive, table: Table) -> str:
    return str(archive.read(f"SELECT count(*) FROM {table.name}")[0][0])
