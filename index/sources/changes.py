"""Which files changed, as the system tells it."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from threading import Event
from typing import Any

from watchfiles import watch

QUIET = 2.0  # seconds for which a file that was being written is left alone
POLL = 30.0  # seconds between two looks at folders of which the system tells nothing


class Changes:
    """Follows files and folders, save what is `ours`, until `stop` is set. `pending` are files that are being written.

    Where the system cannot tell what changes, `polled` says why, and they are looked at twice a minute.
    """

    def __init__(self, stop: Event, ours: str, pause: float) -> None:
        self._stop, self._ours, self._pause, self.polled = stop, ours, pause, ""
        self._roots = dict[str, tuple[int, int]]()
        self._told: Iterator[set[Any]] | None = None
        self.pending = dict[str, float]()  # since when

    def follow(self, roots: Iterable[str]) -> set[str]:
        """Follow these, and return which of them came, went or are others than they were."""
        now = dict[str, tuple[int, int]]()
        for root in roots:
            with suppress(OSError):
                found = os.stat(root)
                now[root] = found.st_dev, found.st_ino
        if anew := {root for root, _ in now.items() ^ self._roots.items()}:
            self._roots, self._told, self.polled = now, None, ""
        return anew

    def quiet(self) -> set[str]:
        """Wait for up to `pause` seconds, and return the paths that changed and have been left alone since."""
        told, now = self._next(), time.monotonic()
        self.pending |= {path: now for _, path in told if not f"{path}/".startswith(f"{self._ours}/")}
        quiet = {path for path, since in self.pending.items() if now - since >= QUIET}
        for path in quiet:
            del self.pending[path]
        return quiet

    def settled(self, path: str) -> bool:
        """Tell whether a file can be read, or will be when it is quiet."""
        with suppress(OSError):  # whoever reads it says so
            if path in self.pending or abs(time.time() - os.stat(path).st_mtime) < QUIET:
                self.pending.setdefault(path, time.monotonic())
                return False
        return True

    def _next(self) -> set[Any]:
        for polling in (None, True) if self._roots else ():
            try:
                self._told = self._told or watch(
                    *self._roots, watch_filter=None, stop_event=self._stop, rust_timeout=int(self._pause * 1000),
                    yield_on_timeout=True, force_polling=polling, poll_delay_ms=int(POLL * 1000),
                    ignore_permission_denied=True,
                )  # fmt: skip
                return next(self._told, set())
            except (OSError, RuntimeError) as error:  # the limit of watches is reached, say
                self._told, self.polled = None, str(error)
        self._stop.wait(self._pause)
        return set()
