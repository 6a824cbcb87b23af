"""Places in articles, and where a text stands in one word for word."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from index.text.cut import sentences
from index.text.fold import clean, fold
from index.text.names import words
from index.text.terms import alike, content_terms, terms
from index.types import Article
from qa.check.signs import numeral
from qa.types import Support

# A number of which only a part would be found: "2 million" in "1.2 million", "16 jets" in "F-16 jets", "3" in "3%".
PART_BEFORE = ".,:/⁄-"
PART_BEHIND = re.compile(
    r"[.,:/⁄-]\d| \d{3}(?!\d)| ?(?:%|°|bn\b|per ?cent|lakh|crore|(?:hundred|thousand|million|billion|trillion)s?\b)"
)
GROUP = re.compile(r"\d \d{3}(?!\d)")  # "200 000 trees" in "1 200 000 trees"
# Of "Ninety-seven" or "treinta y dos", and of a word that is joined by a hyphen.
JOINED_BEFORE = re.compile(r"([^\W\d_]+)(?: (?:and|y|e|et|und|i) | )$")
JOINED_BEHIND = re.compile(r"(?: (?:and|y|e|et|und|i) | )([^\W\d_]+)")
WORDS = re.compile(r"[^\W\d_]+")
Field = Literal["text", "title"]


@dataclass(frozen=True)
class Span:
    """A place in an article, `getattr(article, field)[start:end]`."""

    article: Article
    field: Field
    start: int
    end: int

    @property
    def text(self) -> str:
        whole: str = getattr(self.article, self.field)
        return whole[self.start : self.end]

    @property
    def place(self) -> tuple[str, str, int, int]:
        """The article's id, the field, start and end."""
        return self.article.id, self.field, self.start, self.end

    @cached_property
    def said(self) -> str:
        """The text as it reads: what it says is taken from here, its places from `text`."""
        return clean(self.text)

    @cached_property
    def terms(self) -> set[str]:
        return alike(terms(self.text))


class Verdict(NamedTuple):
    """How far a sentence is supported, by which spans, and what speaks against it."""

    support: Support
    spans: tuple[Span, ...] = ()
    why: str = ""
    rule: str = ""  # why it does not stand, in a word: "quotation", "missing", "denies"…; see `Sentence`
    against: tuple[Span, ...] = ()  # what it spoke from


NOTHING = Verdict("unsupported", why="it states nothing that can be checked", rule="nothing")
UNSAID = Verdict("unsupported", why="the articles do not say this", rule="unsaid")


class Source:
    """An article made ready to be searched for what sentences say."""

    def __init__(self, article: Article) -> None:
        self.spans = [Span(article, "text", s.start, s.end) for s in sentences(article.text)]
        if article.title:
            self.spans.append(Span(article, "title", 0, len(article.title)))
        day = f"{article.published:%A %-d %B %Y}" if article.published else ""
        self.words = words("\n".join((article.title, article.outlet or "", *article.authors, day, article.text)))
        self._article = article
        fields: tuple[Field, ...] = ("text", "title")
        self._folded = {field: fold(getattr(article, field)) for field in fields}

    def find(self, text: str) -> Span | None:
        """Return where a text stands word for word: marks, case, white space and invisible characters aside."""
        wanted = fold(text)[0].strip(" .,;:!?\"'")
        for field, (folded, places) in self._folded.items():
            at = folded.find(wanted) if wanted else -1
            while at >= 0:
                end = at + len(wanted)
                if not _cut(folded, at, end, self._article.language or "en"):
                    return Span(self._article, field, places[at], places[end - 1] + 1)
                at = folded.find(wanted, at + 1)
        return None

    def around(self, span: Span, more: int = 0) -> list[Span]:
        """Return the sentences in which a span stands, with so many more around; with a headline, the first."""
        own = [s for s in self.spans if s.field == span.field and s.start < span.end and span.start < s.end]
        if span.field == "title":
            return [*own, *self.spans[:more]]
        first = self.spans.index(own[0])
        return self.spans[max(0, first - more) : first + len(own) + more]


def content(text: str) -> set[str]:
    """Return the stems of a text's words that say something of its subject; one for words of the same meaning."""
    return alike(content_terms(text))


def _cut(folded: str, at: int, end: int, code: str) -> bool:
    """Tell whether folded[at:end] begins or ends within a word or a number."""
    before, behind = folded[max(0, at - 1) : at], folded[end : end + 1]
    if any(character.isalnum() or unicodedata.combining(character) for character in before + behind):
        return True
    if folded[at].isdigit() and before and (before in PART_BEFORE or GROUP.match(folded, max(0, at - 2))):
        return True
    if folded[end - 1].isdigit() and PART_BEHIND.match(folded, end) is not None:
        return True
    if re.search(r"\w-$", folded[max(0, at - 2) : at]) or re.match(r"-\w", folded[end : end + 2]):
        return True
    said = WORDS.findall(folded[at:end])
    sides = (
        (said[:1], JOINED_BEFORE.search(folded[max(0, at - 40) : at])),
        (said[-1:], JOINED_BEHIND.match(folded, end)),
    )
    return any(side and all(numeral(word, code) for word in (*own, side[1])) for own, side in sides if own)


@lru_cache(maxsize=128)
def source(article: Article) -> Source:
    """Return an article made ready, from memory where something was checked against it before."""
    return Source(article)


def find(text: str, articles: Iterable[Article]) -> Span | None:
    """Return where a text stands word for word in the first of these articles that has it."""
    return next(filter(None, (source(article).find(text) for article in articles)), None)
