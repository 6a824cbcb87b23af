"""The files of an archive, which other users of the machine may not read."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from index.read import ARCHIVE

TALKS, USERS = "talks.sqlite3", "users.json"  # beside it, and not derived from it
FILES = f"{ARCHIVE}*", f"{TALKS}*", USERS, "lock", "owner.json", "*.sums"


def shut(folder: Path) -> None:
    """Give an archive's files the mode 0600 and its folder 0700, whatever the umask; make its first file so.

    A folder that was there before, with files of others, is left as it is when an archive is made in it.
    """
    with suppress(OSError):  # another user's, or on a disk without modes
        there, about = set(os.listdir(folder)), folder.stat()
        shared = about.st_mode & stat.S_ISVTX  # /tmp, say
        if (ARCHIVE in there or there <= {"lock", "owner.json"}) and not shared:
            folder.chmod(0o700)
        os.close(os.open(folder / ARCHIVE, os.O_CREAT | os.O_WRONLY, 0o600))
        for path in (path for pattern in FILES for path in folder.glob(pattern)):
            if path.is_file() and not path.is_symlink():
                path.chmod(0o600)
