"""What an answer is made of. `as_json` gives the documents of the command line and of HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from index.types import Article, Hit

Support = Literal["verbatim", "supported", "partial", "unsupported"]
RefusalReason = Literal["no_evidence", "below_threshold", "model_declined"]


@dataclass(frozen=True)
class Citation:
    """A quotation and its place: `getattr(article, field)[start:end] == quote`, to the character, always."""

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


@dataclass(frozen=True)
class Sentence:
    """A sentence of an answer or a draft, with the numbers of the citations that support it, and how.

    `why` says in words for people what is missing where it is not wholly supported.
    """

    text: str
    citations: tuple[int, ...]
    support: Support
    why: str = ""


class Checked(list[Sentence]):
    """The sentences of a checked text, in order, and the citations that their numbers name."""

    def __init__(self, sentences: Iterable[Sentence], citations: tuple[Citation, ...]) -> None:
        super().__init__(sentences)
        self.citations = citations


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer, and the closest that the archive holds."""

    reason: RefusalReason
    closest: tuple[Citation, ...] = ()


@dataclass(frozen=True)
class Answer:
    """An answer, or a refusal. `retrieved` are the passages in the order they were ranked, best first.

    `confidence`, 0…1, is how sure the desk is that the archive answers; below .5 `quotes` refuses. `choice` is the one
    of the choices offered with the question that the evidence speaks for. `rewritten` is the question that was searched
    for, where it followed on others. `invented_markers` counts the model's references to evidence that does not exist.
    """

    question: str
    answered: bool
    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    refusal: Refusal | None
    retrieved: tuple[Hit, ...]
    llm: str
    confidence: float = 0.0
    choice: str | None = None
    rewritten: str | None = None
    invented_markers: int = 0
    timings_ms: dict[str, float] = field(default_factory=dict)


def cite(article: Article, field: Literal["text", "title"], start: int, end: int, n: int) -> Citation:
    """Quote a span of an article. Raises ValueError for a span that is empty or not wholly within the field."""
    whole = getattr(article, field)
    if not 0 <= start < end <= len(whole):
        raise ValueError(f"{article.id}: {field}[{start}:{end}] is not a span of {len(whole)} characters")
    meta = (article.id, article.title, article.outlet, article.published, article.url)
    return Citation(n, *meta, whole[start:end], field, start, end)


def as_json(value: str | Answer | Checked | Citation | Sentence | Hit) -> dict[str, Any]:
    """Return the JSON document of an answer, of a checked text, or of a part of one; {"text"} of a piece of text."""
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, Checked):
        return {name: [as_json(part) for part in parts] for name, parts in
                (("sentences", value), ("citations", value.citations))}  # fmt: skip
    if isinstance(value, Answer):
        document = {name: getattr(value, name) for name in ("question", "answered", "text")}
        document["sentences"] = [asdict(sentence) for sentence in value.sentences]
        document["citations"] = [as_json(citation) for citation in value.citations]
        document["refusal"] = value.refusal and {
            "reason": value.refusal.reason,
            "closest": [as_json(citation) for citation in value.refusal.closest],
        }
        places = ("article_id", "start", "end", "score")
        document["retrieved"] = [{name: hit[name] for name in places} for hit in map(as_json, value.retrieved)]
        last = ("llm", "confidence", "choice", "rewritten", "invented_markers", "timings_ms")
        return document | {name: getattr(value, name) for name in last}
    if isinstance(value, Hit):
        article = {name: getattr(value.article, name) for name in ("title", "outlet", "url")}
        published = value.article.published and value.article.published.isoformat()
        span = {"start": value.passage.start, "end": value.passage.end, "text": value.text, "score": value.score}
        return {"article_id": value.article.id, **article, "published": published, **span}
    document = asdict(value)
    if "published" in document:
        document["published"] = document["published"] and document["published"].isoformat()
    return document


def kind(event: str | Answer | Citation | Sentence) -> str:
    """Return what an event of an answer in the making is called: text, citation, sentence or answer."""
    return "text" if isinstance(event, str) else type(event).__name__.lower()
