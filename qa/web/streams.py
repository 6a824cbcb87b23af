"""Questions that are asked for a request: worked on in threads of their own, told on the event loop, ended with it."""

import asyncio
import contextvars
import json
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

from fastapi import Request
from fastapi.sse import format_sse_event

from index.types import CopydeskError
from qa.request import ASKER, Asker, AskRequest, Gone
from qa.service import Service
from qa.types import Answer, Event

logger = logging.getLogger(__name__)


async def told(service: Service, request: AskRequest, http: Request) -> AsyncGenerator[Event, None]:
    """Yield what `Service.events` does; a client that goes away stops it at once. To be closed: see `aclosing`.

    Raises what that raises, and `Gone`, a CopydeskError that nobody reads, where the client has left.
    """
    asker, loop = Asker(), asyncio.get_running_loop()
    queue = asyncio.Queue[Event | Exception]()

    def work() -> None:
        ASKER.set(asker)
        with suppress(RuntimeError):  # the loop has ended, and the service with it
            try:
                for event in service.events(request, asker):
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
            if isinstance(event, Answer):
                return
    finally:
        watch.cancel()
        asker.leave()


async def _watch(http: Request, queue: asyncio.Queue[Event | Exception]) -> None:
    """End the question of a client that goes away; a body that is still to come is not wanted."""
    while (await http.receive())["type"] != "http.disconnect":
        pass
    queue.put_nowait(Gone())


async def answered(service: Service, request: AskRequest, http: Request) -> Answer:
    """Return the answer at the end of `told`."""
    async with aclosing(told(service, request, http)) as events:
        *_, answer = [event async for event in events]
    assert isinstance(answer, Answer)
    return answer


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
