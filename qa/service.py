"""What is served: one desk, asked by many at a time. Every door of a running service asks through here."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal

from index.beyond.served import Served
from index.health.files import TALKS
from index.shared import is_shared
from index.types import BadInput, CopydeskError
from qa.ask import events
from qa.desk import Desk
from qa.kept import Kept
from qa.request import Asker, AskRequest, CheckRequest, Gone, go_on
from qa.types import Answer, Checked, Event, Translation

LOOK_SECONDS = 1.0  # for a server of vectors to say that it is there
MOST = 64  # questions and drafts that are worked on or wait at a time


class Busy(CopydeskError):
    """As many questions and drafts are being worked on as can wait. `seconds` is when to come again."""

    def __init__(self, most: int = MOST, seconds: int = 5) -> None:
        super().__init__(f"{most} questions are being answered: ask again in {seconds} seconds")
        self.seconds = seconds


Outcome = Literal["answered", "declined", "invalid", "busy", "left", "failed"]
OUTCOMES: dict[type[CopydeskError], Outcome] = {
    BadInput: "invalid", Busy: "busy", Gone: "left", CopydeskError: "failed",
}  # fmt: skip


@dataclass(frozen=True)
class TranslateRequest:
    """A text, such as a quotation, to be translated into a language, by its code; `llm` is one that is offered."""

    __pydantic_config__ = CheckRequest.__pydantic_config__

    text: str
    language: str
    llm: str | None = None


@dataclass(frozen=True)
class User:
    """Who asks: a name, "" where there are no users, and whether they may change the archive."""

    name: str = ""
    role: Literal["reader", "editor"] = "editor"


@dataclass(frozen=True)
class Service:
    """A desk that is served, what people keep with it, and the models that their questions may name.

    A visitor must not spend the operator's keys, or find out which files there are. Of each question that ends,
    `watchers` are told how (an Outcome), after how many seconds, and the Answer if there is one.
    """

    desk: Desk
    kept: Kept
    models: tuple[str, ...] = ("quotes",)
    most: int = MOST
    watchers: list[Callable[[Outcome, float, Answer | None], None]] = field(default_factory=list)
    asking: set[Asker] = field(init=False, default_factory=set)  # those whose questions are being answered
    _door: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)

    def away(self) -> str | None:
        """Return why no question can be answered now, if the archive or the server of its vectors is away."""
        try:
            self.desk.index.archive.meta("encoder")
            if isinstance(home := self.desk.index.homes.get("dense"), Served):
                home.check(LOOK_SECONDS)
        except CopydeskError as error:
            return str(error)
        return None

    def events(self, request: AskRequest, asker: Asker | None = None) -> Generator[Event, None, None]:
        """Yield what `Desk.events` does, until it is closed or the `asker` leaves, who is then no longer counted.

        Raises BadInput for a model that is not offered, Busy where too many ask, Gone after the asker has left.
        """
        self._check_offered(request.llm_url or request.llm)
        started, asker = time.perf_counter(), asker or Asker()
        outcome: Outcome = "left"
        answer: Answer | None = None
        try:
            self._let_in(asker)
            with closing(events(self.desk, request)) as told:
                for event in told:
                    go_on()
                    if isinstance(event, Answer):
                        answer = event
                        outcome = "answered" if event.answered else "declined"
                    yield event
        except CopydeskError as error:
            outcome = next(outcome for kind, outcome in OUTCOMES.items() if isinstance(error, kind))
            if outcome == "failed":
                logging.getLogger(__name__).error("a question failed: %s", error)
            raise
        finally:
            asker.leave()
            for watcher in self.watchers:
                watcher(outcome, time.perf_counter() - started, answer)

    def checking(self, request: CheckRequest, asker: Asker | None = None) -> Generator[float | Checked, None, None]:
        """Yield what `Desk.checking` does, as `events` does, without a word to `watchers`."""
        asker = asker or Asker()
        try:
            self._let_in(asker)
            yield from self.desk.checking(request.text, articles=request.articles)
        finally:
            asker.leave()

    @property
    def translator(self) -> Any:
        """Who translates where none is named: the desk's own model, or the first that is offered; None without one."""
        return next((one for one in (self.desk.llm, *self.models) if one != "quotes"), None)

    def translating(self, request: TranslateRequest, asker: Asker | None = None) -> Generator[Translation, None, None]:
        """Yield what `Desk.translate` returns, as `checking` does."""
        self._check_offered(request.llm)
        asker = asker or Asker()
        try:
            self._let_in(asker)
            yield self.desk.translate(request.text, request.language, llm=request.llm or self.translator)
        finally:
            asker.leave()

    def _check_offered(self, llm: object) -> None:
        if llm and llm not in self.models:
            raise BadInput(f"{llm} is not offered here: use {' or '.join(self.models)}")

    def _let_in(self, asker: Asker) -> None:
        with self._door:
            if len(self.asking) >= self.most:
                raise Busy(self.most)
            self.asking.add(asker)
        asker.then(lambda: self.asking.discard(asker))


def open_service(desk: Desk, allowed: Sequence[str] = ()) -> Service:
    """Return a desk as a service: its own model, `quotes` and the `allowed` ones may be named.

    What people say is kept beside the archive, or in its database. Raises BadInput for a folder that is read-only.
    """
    archive = desk.index.archive
    if is_shared(archive.address):
        kept = Kept(archive)  # type: ignore[arg-type]
    else:
        archive.check_writable()
        kept = Kept(desk.index.folder / TALKS)
    offered = dict.fromkeys(spec for spec in ("quotes", desk.llm, *allowed) if isinstance(spec, str))
    return Service(desk, kept, tuple(offered))
