"""An archive in PostgreSQL, which many machines read and write, each with indexes of its own."""

from pathlib import Path

from index.types import BadInput

SCHEMES = "postgresql://", "postgres://"


def is_shared(data: str | Path) -> bool:
    """Tell whether an archive is named by the address of a database."""
    return str(data).startswith(SCHEMES)


def local(data: str | Path) -> Path:
    """Return the folder of an archive. Raises BadInput where it is in a database."""
    if is_shared(data):
        raise BadInput("this archive is in PostgreSQL: pg_dump copies it, pg_restore brings it back, and files beside "
                       "it, such as that of --users, are named")  # fmt: skip
    return Path(data).expanduser()
