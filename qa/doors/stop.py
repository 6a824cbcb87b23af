"""How a command ends when it is told to: by SIGTERM, or by SIGINT, which is Ctrl-C."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from index.lock import withdraw

SECONDS = 2.0  # for what is open to be closed; an archive loses nothing when its process ends without


ending = list[int]()  # with which status, where this process was told to


class Stopped(KeyboardInterrupt):
    """This process was told to end; `status` is what it ends with, as a shell has it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.status = 128 + signum


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise Stopped at a signal, and end in any case soon after; another signal ends the process at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {signum: signal.signal(signum, _stop) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt as error:
        if isinstance(error, Stopped) or not ending:
            raise
        raise Stopped(ending[0] - 128) from error  # Ray raises its own in the place of ours
    finally:
        for signum, handler in before.items():
            if signal.getsignal(signum) is _stop:
                signal.signal(signum, handler)


def _stop(signum: int, _: FrameType | None) -> NoReturn:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda signum, _: end(128 + signum))
    stopped = Stopped(signum)
    end_soon(stopped.status)
    raise stopped


def end_soon(status: int) -> None:
    """End this process after `SECONDS` where it has not ended by itself: a thread may wait for what never comes."""
    ending.append(status)
    late = threading.Timer(SECONDS, end, [status])
    late.daemon = True
    late.start()


def end(status: int) -> None:
    """End this process at once, and leave nothing announced."""
    withdraw()
    os._exit(status)


@atexit.register
def _leave() -> None:
    """End without what Python does last: it takes all models apart, which took 6 s on a busy machine."""
    if ending:
        with suppress(OSError, ValueError):  # who read it has left
            sys.stdout.flush()
        end(ending[0])
