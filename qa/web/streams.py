"""Questions that are asked for a request: worked on in threads of their own, told on the event loop, ended with it."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from fastapi import Request

from qa.request import ASKER, Asker, AskRequest, Gone
from qa.service import Service
from qa.types import Answer, Event


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
