"""A question with all that may be said with it. Every door builds one, and it is checked when it is built."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import KW_ONLY, Field, dataclass, field, fields, replace
from datetime import date
from functools import cached_property, wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, TypeVar

from index.archive import SORTS
from index.text.days import parse_date
from index.text.fold import INVISIBLE
from index.types import BadInput, CopydeskError, Filters
from qa.types import Page, no_field

if TYPE_CHECKING:
    from llama_index.core.llms import LLM
else:
    LLM = Any  # importing it takes 2 s

QUESTION_WORDS, QUESTION_CHARACTERS = 300, 3000
TOP_MAX = 100
CHOICES_MAX = 20  # each is searched for
HISTORY_TURNS, HISTORY_CHARACTERS = 200, 400_000
LIMIT_MAX, OFFSET_MAX = 100_000, 10**9

Day = date | str | None
Strings = str | Sequence[str]  # one, or a list of them
Turns = Sequence[Mapping[str, str]]

SPECS = "quotes, llamacpp:/path/model.gguf, ollama:MODEL, openai:MODEL, anthropic:MODEL or litellm:MODEL"
ADDRESS = "base URL of the model's server (OPENAI_BASE_URL, OLLAMA_HOST)"


def said(help_text: str, metavar: str | None = None, flag: str | None = None) -> dict[str, str | None]:
    """Return what the command line says of an option; a field without is none there."""
    return {"help": help_text, "metavar": metavar, "flag": flag}


def _describe(schema: dict[str, Any], request: type) -> None:
    """Say in the schema of a request what its fields say of themselves."""
    for one in fields(request):
        if one.metadata.get("help"):
            schema["properties"][one.name]["description"] = one.metadata["help"]
        elif not one.init:
            del schema["properties"][one.name]


@dataclass(frozen=True)
class Filtered:
    """Which articles: of `outlets`, by `authors`, in `languages` (codes), published `since` … `until`.

    And which of the results: `limit` of them, from `offset` on.
    """

    # Of a body of the API: a misspelt option would pass unseen.
    __pydantic_config__: ClassVar = {"extra": "forbid", "json_schema_extra": _describe}

    _: KW_ONLY
    outlets: Strings = field(default=(), metadata=said("only articles of this outlet", "NAME", "--outlet"))
    authors: Strings = field(default=(), metadata=said("only articles by this author", "NAME", "--author"))
    languages: Strings = field(
        default=(), metadata=said("only articles in this language, by its code: uk, de …", "CODE", "--language")
    )
    since: Day = field(default=None, metadata=said("published on this day or later", "DATE"))
    until: Day = field(default=None, metadata=said("published on this day or earlier", "DATE"))
    limit: int | None = None
    offset: int = 0

    def __post_init__(self) -> None:
        for name in ("outlets", "authors", "languages"):
            object.__setattr__(self, name, strings(getattr(self, name), name))
        for name, least, most in (("limit", 1, LIMIT_MAX), ("offset", 0, OFFSET_MAX), ("top", 1, TOP_MAX)):
            value = getattr(self, name, None)
            if value is not None and (type(value) is not int or not least <= value <= most):
                told = (
                    max(min(value, 10**18), -(10**18)) if type(value) is int else value
                )  # endless ones are not written
                raise BadInput(f"{name} is {told}: use {least} to {most}")
        _ = self.filters

    @cached_property
    def filters(self) -> Filters:
        """What may be searched or listed."""
        first, last = _day(self.since), _day(self.until)
        if first and last and first > last:
            raise BadInput(f"since {first} is after until {last}: no day is between them")
        languages = tuple(re.split("[-_]", code.strip().casefold())[0] for code in self.languages)  # zh of zh-CN
        if not all(languages):
            raise BadInput("the code of a language is empty: give one such as uk")
        return Filters(tuple(self.outlets), first, last, authors=tuple(self.authors), languages=languages)


@dataclass(frozen=True)
class SearchRequest(Filtered):
    """What to look for, and where.

    `asked` is the day the question is put, so that "this week" means that week (default: today). With `as_of`, only
    what stood on that day is there. `top` passages are returned, or `limit`. Raises BadInput for what cannot be asked.
    """

    question: str
    _: KW_ONLY
    asked: Day = field(default=None, metadata=said("the day of the question: what “this week” means", "DATE"))
    as_of: Day = field(default=None, metadata=said("answer from what had been published by this day", "DATE"))
    top: int = field(default=10, metadata=said("passages to return (default 10)", "N"))

    def __post_init__(self) -> None:
        object.__setattr__(self, "question", _question(self.question))
        super().__post_init__()
        _ = self.day

    @cached_property
    def filters(self) -> Filters:
        """What may be searched."""
        plain, stood = super().filters, _day(self.as_of)
        if (first := plain.since) and stood and first > stood:
            raise BadInput(f"since {first} is after {stood}, as of which is asked: nothing had been published then")
        return replace(plain, until=min(filter(None, (plain.until, stood)), default=None), as_of=stood)

    @cached_property
    def day(self) -> date | None:
        """The day on which the question is put, where it was said."""
        return _day(self.asked)


@dataclass(frozen=True)
class TimelineRequest(SearchRequest):
    """A question for what happened, `top` events at most; its period, "since January", restricts their days.

    `limit` and `offset` take some of those `top` in the order of their days.
    """

    _: KW_ONLY
    top: int = field(default=40, metadata=said("events to return (default 40)", "N"))


@dataclass(frozen=True)
class AskRequest(SearchRequest):
    """A question to be answered: of `choices`, the answer's `choice` is the one that the evidence speaks for.

    `llm` writes the answer: a spec such as `ollama:MODEL` with the `llm_url` of its server, any LlamaIndex LLM, or
    `quotes` for verbatim sentences and no model. `history` are the turns before, {"role", "content"}, oldest first; a
    question that leans on them is rewritten. With `strict`, sentences that are not supported are left out.
    """

    _: KW_ONLY
    choices: Strings = field(default=(), metadata=said("decide between these", "TEXT", "--choice"))
    llm: LLM | str | None = field(
        default=None, metadata=said(f"who writes: {SPECS} (default quotes, no model)", "SPEC")
    )
    llm_url: str | None = field(default=None, metadata=said(ADDRESS, "URL"))
    history: Turns = ()
    strict: bool | None = field(default=None, metadata=said("leave out what no article supports"))
    limit: None = field(default=None, init=False)  # an answer has no pages
    offset: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        choices = strings(self.choices, "choices")
        if len(choices) > CHOICES_MAX:
            raise BadInput(f"there are {len(choices):,} choices: offer at most {CHOICES_MAX}")
        if choices and len({choice.strip() for choice in choices} - {""}) < 2:
            raise BadInput("choices are two or more different texts in a list")
        object.__setattr__(self, "choices", choices)
        if not (self.llm is None or is_text(self.llm) or hasattr(self.llm, "stream_chat")):
            raise BadInput(f"llm is neither a spec nor a LlamaIndex LLM: use {SPECS}")
        if not (self.llm_url is None or is_text(self.llm_url)):
            raise BadInput(f"llm_url is no text: give the {ADDRESS}")
        _ = self.turns

    @cached_property
    def turns(self) -> list[tuple[str, str]]:
        """The turns before, as (role, content)."""
        pairs = []
        for turn in self.history if isinstance(self.history, Sequence) else [None]:
            role, content = (turn.get("role"), turn.get("content")) if isinstance(turn, Mapping) else (None, None)
            if role not in ("user", "assistant") or not is_text(content):
                raise BadInput('history is a list of {"role": "user" or "assistant", "content": text}')
            pairs.append((str(role), str(content)))
        if len(pairs) > HISTORY_TURNS:
            raise BadInput(f"history has {len(pairs):,} turns: send the last {HISTORY_TURNS} at most")
        if (characters := sum(len(content) for _, content in pairs)) > HISTORY_CHARACTERS:
            raise BadInput(f"history has {characters:,} characters: send at most {HISTORY_CHARACTERS:,}")
        return pairs


def parameter(option: Field[Any]) -> str:
    """Return what a field of a request is called in an address: as its flag is."""
    return (option.metadata.get("flag") or option.name).removeprefix("--")


def is_text(value: object) -> bool:
    """Tell whether a value is a string, and all of it can be written down: JSON may hold halves of characters."""
    return isinstance(value, str) and value.encode("utf-8", "replace").decode() == value


def strings(value: object, name: str) -> tuple[str, ...]:
    """Return one or several strings as a tuple. Raises BadInput for anything else."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(map(is_text, values)):
        raise BadInput(f"{name} is neither a string nor a list of strings")
    return tuple(values)


def _day(value: Day) -> date | None:
    return None if value is None else parse_date(value)


def _question(question: object, name: str = "question") -> str:
    """Return a question, or what else is looked for, in one line of printable characters."""
    if not isinstance(question, str):
        raise BadInput(f"the {name} is a {type(question).__name__}, not a string")
    question = " ".join("".join(c if c.isprintable() else " " for c in INVISIBLE.sub("", question)).split())
    if not any(map(str.isalnum, question)):
        raise BadInput(f"the {name} is empty: ask something in words")
    if (words := len(question.split())) > QUESTION_WORDS:
        raise BadInput(f"the {name} has {words:,} words: ask in at most {QUESTION_WORDS}")
    if len(question) > QUESTION_CHARACTERS:
        raise BadInput(f"the {name} has {len(question):,} characters: ask in at most {QUESTION_CHARACTERS:,}")
    return question


@dataclass(frozen=True)
class QuotesRequest(Filtered):
    """Whose words to look for: those of a `speaker`, `about` something, in `articles` by id; by default in all.

    Raises BadInput for what cannot be looked for.
    """

    _: KW_ONLY
    speaker: str | None = field(default=None, metadata=said("only what this person or body says", "NAME"))
    about: str | None = field(default=None, metadata=said("only what is said of this, nearest first", "TEXT"))
    articles: Strings = field(default=(), metadata=said("only what this article says", "ID", "--article"))
    top: int = field(default=10, metadata=said("quotations to return (default 10)", "N"))

    def __post_init__(self) -> None:
        for name in ("speaker", "about"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, _question(value, name))
        object.__setattr__(self, "articles", strings(self.articles, "articles"))
        super().__post_init__()


@dataclass(frozen=True)
class ArticlesRequest(Filtered):
    """Which articles to list: those whose titles hold the words of `q`, the last published first.

    `sort` may also name title or outlet, from A to Z, or added; with a hyphen before it, the list is turned round.
    Raises BadInput for what cannot be listed.
    """

    _: KW_ONLY
    q: str = field(default="", metadata=said("only articles whose title holds these words", "WORDS"))
    sort: str = field(
        default="published", metadata=said("published, title, outlet or added; -title from Z to A", "ORDER")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_text(self.q) or len(self.q.split()) > QUESTION_WORDS:
            raise BadInput(f"q is no text, or has over {QUESTION_WORDS} words")
        sort = self.sort if is_text(self.sort) else f"a {type(self.sort).__name__}"
        if sort.removeprefix("-") not in SORTS:
            raise BadInput(f"sort is {sort}: use {', '.join(SORTS)}, or -title to turn it round")


@dataclass(frozen=True)
class CheckRequest:
    """A text to be checked, against the archive or `articles` by id."""

    __pydantic_config__ = Filtered.__pydantic_config__

    text: str
    _: KW_ONLY
    articles: Strings = ()


class Gone(CopydeskError):
    """Who asked has left, and nothing more is done for the question."""

    def __init__(self) -> None:
        super().__init__("whoever asked has left")


class Asker:
    """Who waits for an answer. When they `leave`, from any thread, what was to be done `then` is done, once."""

    def __init__(self) -> None:
        self.gone = False
        self._lock, self._then = threading.Lock(), list[Callable[[], object]]()

    def then(self, do: Callable[[], object]) -> None:
        with self._lock:
            if not self.gone:
                return self._then.append(do)
        do()
        return None

    def leave(self) -> None:
        with self._lock:
            self.gone, then, self._then = True, self._then, []
        for do in then:
            do()


ASKER: ContextVar[Asker] = ContextVar("asker")  # of the question that this thread works on, where anyone can leave


def go_on() -> None:
    """Raise Gone where whoever asked has left."""
    if (asker := ASKER.get(None)) and asker.gone:
        raise Gone


P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def part(found: Sequence[T], request: SearchRequest | QuotesRequest) -> Page[T]:
    """Return the part of what was found that a request asks for."""
    return Page(found[request.offset :][: request.limit or request.top], len(found))


def builds(request: Callable[P, R]) -> Callable[[Callable[[Any, R], T]], Callable[Concatenate[Any, P], T]]:
    """Let a method that takes a request be called with the request's own arguments, which an editor then shows.

    A request that is built already is taken as it is. Raises BadInput for arguments that it does not have.
    """
    known = signature(request).parameters

    def decorate(method: Callable[[Any, R], T]) -> Callable[Concatenate[Any, P], T]:
        @wraps(method)
        def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
            built: Any = args[0] if len(args) == 1 and isinstance(args[0], Filtered | CheckRequest) else None
            for name in (name for name in kwargs if name not in known):
                raise BadInput(no_field(name, known))
            return method(self, built or request(*args, **kwargs))

        own = [Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *signature(request).parameters.values()]
        call.__signature__ = signature(method).replace(parameters=own)  # type: ignore[attr-defined]
        return call

    return decorate
