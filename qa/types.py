"""What an answer is made of. `as_json` gives the documents of the command line and of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import PlainSerializer, TypeAdapter, ValidationError

from index.types import Article, BadInput, Hit

Support = Literal["verbatim", "supported", "partial", "unsupported"]
PASSED: tuple[Support, ...] = ("verbatim", "supported")  # the support of a sentence that stands
RefusalReason = Literal["no_evidence", "below_threshold", "model_declined", "language", "no_question"]
REFUSED = "The archive does not answer this question."  # also what a model is told to say then
UNSURE = 0.5  # below this `confidence` an answer in sentences of articles is likelier wrong than right
UNSUPPORTED = "[unsupported]"  # the mark of a sentence that no article supports


@dataclass(frozen=True)
class Citation:
    """A quotation and its place: `getattr(article, field)[start:end] == quote`, to the character, always.

    `corrected_by` is the id of the latest article that corrects or withdraws what this one says, where one does,
    `page` the page on which the quotation begins, from 1, in an article of a file that has pages, `language` the code
    of the article's.
    """

    n: int
    article_id: str
    title: str
    outlet: str | None
    published: date | None
    url: str | None
    quote: str
    field: Literal["text", "title"]
    start: int
    end: int
    corrected_by: str | None = None
    page: int | None = None
    language: str | None = None


@dataclass(frozen=True)
class Standing:
    """In how many independent reports a sentence stands, copies being one; their outlets, and the first one's day."""

    groups: int
    outlets: tuple[str, ...]
    first: date | None


@dataclass(frozen=True)
class Earlier:
    """What a later report's sentence replaces, as it was told, with its day."""

    text: str
    date: date | None
    citations: tuple[int, ...]


@dataclass(frozen=True)
class Side:
    """A figure of one source, and where it stands."""

    value: str
    citations: tuple[int, ...]


@dataclass(frozen=True)
class Conflict:
    """What sources tell differently at the same time."""

    about: str
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Phrase:
    """Where in a sentence stands what was asked for: `sentence.text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True)
class Sentence:
    """A sentence of an answer or a draft, with the numbers of the citations that support it, and how.

    `why` says in words for people what is missing where it is not wholly supported. `marks` are the places in the
    answer's text, [start, end), of what marks it: one for each citation, or that of "[unsupported]". Brackets elsewhere
    are text. A draft has none. `rule` is in a word why it does not stand: nothing (that can be checked), unsaid,
    partly, doubts (the evidence has), quotation (found nowhere), elsewhere (is it), missing (a number, day or name),
    misplaced (a number), another (did it), speaker (is none of it), cut (off), or that it denies, opposes, widens or
    reorders the evidence. `answer` is the phrase that answers, where a sentence is quoted for one. `stands_in` tells in
    which of the reports found an answer's sentence stands; `speaker` names who says it, where the sentence
    itself says only "he" or "she".
    """

    text: str
    citations: tuple[int, ...]
    support: Support
    why: str = ""
    marks: tuple[tuple[int, int], ...] = ()
    rule: str = ""
    answer: Phrase | None = None
    stands_in: Standing | None = None
    speaker: str | None = None


OF_ANSWERS = ("marks", "answer", "stands_in", "speaker")  # what a checked sentence does not have


class Checked(list[Sentence]):
    """The sentences of a checked text, in order, and the citations that their numbers name."""

    def __init__(self, sentences: Iterable[Sentence], citations: tuple[Citation, ...]) -> None:
        super().__init__(sentences)
        self.citations = citations


T = TypeVar("T")


class Page(list[T]):
    """Some of what was found, in order; `total` is how many there are in all."""

    def __init__(self, found: Iterable[T], total: int) -> None:
        super().__init__(found)
        self.total = total

    def document(self, name: str) -> dict[str, Any]:
        """Return what the command line and HTTP print, under a name of what was found."""
        return {name: list(map(as_json, self)), "total": self.total}


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer, and the closest that the archive holds."""

    reason: RefusalReason
    closest: tuple[Citation, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a passage stands that was retrieved, and the score that ranked it."""

    article_id: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Found:
    """A passage that a search found, as a document."""

    article_id: str
    title: str
    outlet: str | None
    published: date | None
    url: str | None
    start: int
    end: int
    text: str
    score: float
    language: str | None = None


@dataclass(frozen=True)
class Said:
    """What an article quotes or reports: `quote` is its `text[start:end]`; `direct` where that is in quotation marks.

    `text[speaker_start:speaker_end]` names who says it, by a pronoun perhaps; `speaker` is who that is.
    """

    article_id: str
    title: str
    outlet: str | None
    published: date | None
    speaker: str | None
    speaker_start: int | None
    speaker_end: int | None
    cue: str
    quote: str
    start: int
    end: int
    direct: bool


def _places(hits: tuple[Hit, ...]) -> list[Place]:
    return [Place(hit.article.id, hit.passage.start, hit.passage.end, hit.score) for hit in hits]


@dataclass(frozen=True)
class Answer:
    """An answer, or a refusal. `retrieved` are the passages in the order they were ranked, best first.

    `confidence`, 0…1, is how sure the desk is that the archive answers; `quotes` refuses below .5, or, with the trained
    reader, whose confidence is how likely what is quoted is right, below .18. `choice` is the one
    of the choices offered with the question that the evidence speaks for. `rewritten` is the question that was searched
    for, where it followed on others. `invented_markers` counts the model's references to evidence that does not exist.
    `broken` says why the model broke off, where it did: then the answer is what it had written. `earlier` is what the
    answer replaces, `conflicts` what sources tell differently at the same time; both have citations of their own.
    `understood` is what was read from the question: its kind, outlets, days, parts. `as_of` is the day of which it was
    asked.
    """

    question: str
    answered: bool
    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    refusal: Refusal | None
    retrieved: Annotated[tuple[Hit, ...], PlainSerializer(_places, list[Place])]
    llm: str
    confidence: float = 0.0
    choice: str | None = None
    rewritten: str | None = None
    invented_markers: int = 0
    broken: str | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)
    earlier: tuple[Earlier, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    understood: dict[str, Any] = field(default_factory=dict)
    as_of: date | None = None


@dataclass(frozen=True)
class Translation:
    """A text in the language of this code, as a model wrote it: not checked, and no quotation."""

    text: str
    language: str
    llm: str


@dataclass(frozen=True)
class Withdrawn:
    """Takes back all of an answer that was told before: it was the model's thought, of which only the end is marked."""


@dataclass(frozen=True)
class Dated:
    """What happened on a day: a sentence as an article has it, and the numbers of its citations."""

    date: date
    text: str
    citations: tuple[int, ...]


@dataclass(frozen=True)
class Timeline:
    """What happened, oldest first, and the citations that its numbers name; `total` events, of which these are some."""

    events: tuple[Dated, ...]
    citations: tuple[Citation, ...]
    total: int = 0


Piece = str | Citation | Sentence | Withdrawn  # of an answer that is being written
Event = Piece | Answer


@dataclass(frozen=True)
class Outcome:
    """What a writer of answers has to say beside what it wrote; see `Answer`."""

    refusal: RefusalReason | None = None
    invented_markers: int = 0
    broken: str | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)


def cite(article: Article, field: Literal["text", "title"], start: int, end: int, n: int) -> Citation:
    """Quote a span of an article. Raises ValueError for a span that is empty or not wholly within the field."""
    whole = getattr(article, field)
    if not 0 <= start < end <= len(whole):
        raise ValueError(f"{article.id}: {field}[{start}:{end}] is not a span of {len(whole)} characters")
    meta = (article.id, article.title, article.outlet, article.published, article.url)
    page = article.page(start) if field == "text" else None
    return Citation(n, *meta, whole[start:end], field, start, end, page=page, language=article.language)


def bold(text: str, marks: Sequence[Sequence[int]], start: int, end: int) -> tuple[int, int]:
    """Return where a phrase of a quoted sentence stands in the answer: the sentence ends a space before its marks."""
    begin = marks[0][0] - 1 - len(text)
    return begin + start, begin + end


def as_json(value: Any) -> dict[str, Any]:
    """Return the JSON document of any of these, or of any dataclass; {"text"} of a piece of text."""
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, Checked):
        unmarked = [{key: said for key, said in as_json(s).items() if key not in OF_ANSWERS} for s in value]
        return {"sentences": unmarked, "citations": list(map(as_json, value.citations))}
    if isinstance(value, Hit):
        a, passage = value.article, value.passage
        meta = (a.id, a.title, a.outlet, a.published, a.url)
        value = Found(*meta, passage.start, passage.end, value.text, value.score, a.language)
    document: dict[str, Any] = _adapter(type(value)).dump_python(value, mode="json")
    return document


_adapter: Callable[[type], TypeAdapter[Any]] = cache(TypeAdapter)


def built(form: type, given: Any) -> Any:
    """Build a request from a document. Raises BadInput in one line for what does not fit its form."""
    try:
        return _adapter(form).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def no_field(name: str, known: Iterable[str]) -> str:
    """Return what is said of a field that a request does not have."""
    return f"{name} is no field: use {', '.join(known)}"


def kind(event: Event) -> str:
    """Return what an event of an answer in the making is called: text, citation, sentence or answer."""
    return "text" if isinstance(event, str) else type(event).__name__.lower()
