"""Questions that are asked for a request: worked on in threads of their own, told on the event loop, ended with it."""

import asyncio
import contextvars
import json
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, suppress
from typing import Any, TypeVar
from weakref import WeakSet

from fastapi import Request
from fastapi.sse import format_sse_event

from index.health.spans import carried
from index.types import ArchiveError, CopydeskError
from qa.request import ASKER, Asker, Gone
from qa.types import Answer, Checked, Translation

logger = logging.getLogger(__name__)
T = TypeVar("T")
_asked = WeakSet[asyncio.Queue[Any]]()  # by each of those whose questions are worked on


async def told(ask: Callable[[Asker], Iterator[T]], http: Request) -> AsyncGenerator[T, None]:
    """Yield what is told to an asker; a client that goes away stops it at once. To be closed: see `aclosing`.

    Raises what that raises, and `Gone`, a CopydeskError that nobody reads, where the client has left.
    """
    asker, loop = Asker(), asyncio.get_running_loop()
    queue = asyncio.Queue[T | Exception]()
    _asked.add(queue)

    def work() -> None:
        ASKER.set(asker)
        carried(http.headers)
        with suppress(RuntimeError):  # the loop has ended, and the service with it
            try:
                for event in ask(asker):
                    loop.call_soon_threadsafe(queue.put_nowait, event)
            except Exception as error:  # noqa: BLE001  raised below
                loop.call_soon_threadsafe(queue.put_nowait, error)

    # Not of a pool, whose threads those that wait for a silent model would fill.
    threading.Thread(target=contextvars.copy_context().run, args=(work,), name="question", daemon=True).start()
    watch = asyncio.create_task(_watch(http, queue))
    try:
        while True:
            event = await queue.get()
            if isinstance(event, Exception):
                raise event
            yield event
            if isinstance(event, Answer | Checked | Translation):
                return
    finally:
        watch.cancel()
        asker.leave()


async def _watch(http: Request, queue: asyncio.Queue[Any]) -> None:
    """End the question of a client that goes away; a body that is still to come is not wanted."""
    while (await http.receive())["type"] != "http.disconnect":
        pass
    queue.put_nowait(Gone())


async def last(ask: Callable[[Asker], Iterator[Any]], http: Request) -> Any:
    """Return the Answer, what was Checked or the Translation, at the end of `told`."""
    async with aclosing(told(ask, http)) as events:
        *_, done = [event async for event in events]
    return done


def stop() -> None:
    """End every question that is worked on, since the service ends; who asked is told so."""
    for queue in [*_asked]:
        queue.put_nowait(ArchiveError("the service is stopping: ask again when it runs"))


def event(name: str, document: object) -> bytes:
    """Return an event in the form in which it is sent."""
    return format_sse_event(event=name, data_str=json.dumps(document, ensure_ascii=False))


def failed(why: str, _: int) -> bytes:
    """Return the event of what fails."""
    return event("error", {"error": why})


async def to_its_end(
    sent: AsyncGenerator[bytes, None], failed: Callable[[str, int], bytes] = failed
) -> AsyncGenerator[bytes, None]:
    """Yield what is sent; what fails on the way is the last of it, told by its reason and status."""
    try:
        async with aclosing(sent):
            async for part in sent:
                yield part
    except CopydeskError as error:
        yield failed(str(error), 503)
    except Exception as error:  # the outermost door of a stream: logged whole, told in one line
        logger.exception("a stream broke off")
        yield failed(f"internal error ({type(error).__name__}): see the log", 500)
