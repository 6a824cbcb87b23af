"""What is served: one desk, asked by many at a time. Every door of a running service asks through here."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal

from index.types import BadInput, CopydeskError
from qa.ask import events
from qa.desk import Desk
from qa.kept import Kept
from qa.request import AskRequest
from qa.types import Answer, Event

MOST = 64  # questions that are answered or wait at a time
ARCHIVE_TALKS = "talks.sqlite3"  # in the archive's folder


class Busy(CopydeskError):
    """As many questions are being answered as can wait. `seconds` is when to come again."""

    def __init__(self, seconds: int = 5) -> None:
        super().__init__(f"{MOST} questions are being answered: ask again in {seconds} seconds")
        self.seconds = seconds


@dataclass(frozen=True)
class User:
    """Who asks: a name, "" where there are no users, and whether they may change the archive."""

    name: str = ""
    role: Literal["reader", "editor"] = "editor"


@dataclass(frozen=True)
class Service:
    """A desk that is served, what people keep with it, and the models that their questions may name.

    A visitor must not spend the operator's keys, or find out which files there are.
    """

    desk: Desk
    kept: Kept
    models: tuple[str, ...] = ("quotes",)
    most: int = MOST
    _room: threading.BoundedSemaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_room", threading.BoundedSemaphore(self.most))

    def events(self, request: AskRequest) -> Generator[Event, None, None]:
        """Yield what `Desk.events` does. Raises BadInput for a model that is not offered, Busy where too many ask."""
        if request.llm_url or (request.llm and request.llm not in self.models):
            raise BadInput(f"{request.llm_url or request.llm} is not offered here: use {' or '.join(self.models)}")
        if not self._room.acquire(blocking=False):
            raise Busy
        try:
            with closing(events(self.desk, request)) as told:
                yield from told
        finally:
            self._room.release()

    def answer(self, request: AskRequest) -> Answer:
        """Return the answer at the end of `events`."""
        *_, answer = self.events(request)
        assert isinstance(answer, Answer)
        return answer


def open_service(desk: Desk, allowed: Sequence[str] = ()) -> Service:
    """Return a desk as a service: its own model, `quotes` and the `allowed` ones may be named."""
    offered = dict.fromkeys(spec for spec in ("quotes", desk.llm, *allowed) if isinstance(spec, str))
    return Service(desk, Kept(desk.index.folder / ARCHIVE_TALKS), tuple(offered))
