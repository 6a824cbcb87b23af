"""The process in which files are read, see `child`: it limits its own memory and time, and ends where they end."""

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from io import FileIO
from typing import Any

from index.read.child import CODE, MEGABYTES, SECONDS
from index.read.formats import READERS
from index.read.plain import Source
from index.types import BadInput

IDLE = 60  # seconds of the clock: the disk may be slow


def main() -> None:
    """Read one file after the other until nobody asks."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES - CODE << 20,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no record
    for line in sys.stdin.buffer:
        for message in _messages(*json.loads(line)):
            if "end" in message:
                message["peak"] = _peak()
            written = json.dumps(message, default=str).encode() + b"\n"
            _watch(0)  # who is told may be slow
            told.write(written)
            told.flush()
            _watch(SECONDS)
        _watch(0)


def _peak() -> int:
    """Return the most megabytes that this process has had; what `getrusage` tells is its parent's, too, on Linux."""
    if sys.platform == "linux":
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) >> 10 for line in status if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20


def _watch(seconds: int) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, IDLE * bool(seconds))


def _messages(path: str, kind: str) -> Iterator[dict[str, Any]]:
    _watch(SECONDS)
    try:
        with Source(FileIO(path)) as file:
            for fields, place, *inner in READERS[kind][0](file):
                found = {"bad": str(fields)} if isinstance(fields, BadInput) else {"fields": fields}
                found |= {"place": place, "kind": "".join(inner) or kind, "position": file.tell()}
                yield {} if fields is None else found
            if file.guessed:
                yield {"fields": ["encoding guessed", f"{file.guessed}: save it as UTF-8"]}
            for remark in file.remarks:
                yield {"fields": ["not read", remark]}
            yield {"fields": ["skipped", file.skipped]}
        yield {"end": ""}
    except (BadInput, ValueError, OSError) as error:
        yield {"end": getattr(error, "strerror", None) or str(error) or "it cannot be read"}
    except MemoryError:
        yield {"end": f"its reading took over {MEGABYTES} MB: split it, or save it in another format"}
    except Exception as error:  # noqa: BLE001  the outermost door: a library's own slip ends one file
        yield {"end": f"its reader fails on it ({type(error).__name__}: {error}): save it in another format"}


if __name__ == "__main__":
    main()
