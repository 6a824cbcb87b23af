"""Cuts an article into sentences and passages. Every span is exact because none is ever searched for."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from index.text.datelines import dateline
from index.text.ends import ends, language
from index.types import Article, Passage, digest

PASSAGE_TOKENS = 200
SENTENCE_CHARACTERS = 600  # Longer "sentences" are tables, lists or broken text; they are cut at spaces.
NO_SPACE = re.compile(r"\S")
# Wording of a photo credit; a line that holds one describes a picture and states nothing.
CREDIT = re.compile(
    r"\b(?:Photo|Photograph|Picture|Image|Illustration|Video|Credit|Foto)s?\s*(?::|/|by\b|credit\b|courtesy\b)"
    r"|\b(?:Getty Images|AP Photo|AFP via|Shutterstock|iStock)\b.{0,40}$|^FILE\b ?[-–—:]"
)
CAPTION_CHARACTERS = 400


def is_caption(line: str) -> bool:
    """Tell whether a line of an article is the caption of a picture: short, with a photo credit."""
    return len(line) <= CAPTION_CHARACTERS and CREDIT.search(line) is not None


class Span(NamedTuple):
    """A sentence, `text[start:end]`, and the number of the paragraph it stands in."""

    start: int
    end: int
    paragraph: int


@lru_cache(512)  # one question reads the same passages again for what stands beside its answer, and so does the next
def sentences(text: str, quotations: bool = False) -> tuple[Span, ...]:
    """Return the sentences of a text in order, without surrounding white space.

    A line break always ends a sentence: readers join hard-wrapped lines before they store an article.
    With `quotations`, one that goes over several sentences is not divided, as in what is written and checked.
    A dateline is one by itself. Together the spans hold every character of `text` that is not white space.
    """
    spans: list[Span] = []
    code = language(text)
    for number, line in enumerate(re.finditer(r"[^\n]+", text)):
        sent = dateline(line[0])
        first = sent.end if sent else 0
        behind = [first + end for end in ends(line[0][first:], code, quotations)]
        for start, end in pairwise([0, *filter(None, [first]), *behind]):
            pieces = _pieces(line[0], start, end)
            spans += [Span(line.start() + left, line.start() + right, number) for left, right in pieces]
    return tuple(spans)


def _pieces(line: str, start: int, end: int) -> list[tuple[int, int]]:
    """Trim white space off line[start:end] and cut what is too long at spaces."""
    pieces: list[tuple[int, int]] = []
    while first := NO_SPACE.search(line, start, end):
        start, stop = first.start(), end
        if end - start > SENTENCE_CHARACTERS:
            space = line.rfind(" ", start + 1, start + SENTENCE_CHARACTERS)
            stop = space if space > 0 else start + SENTENCE_CHARACTERS
        pieces.append((start, start + len(line[start:stop].rstrip())))
        start = stop
    return pieces


def passages(
    article: Article, count: Callable[[Sequence[str]], list[int]], size: int = PASSAGE_TOKENS
) -> list[Passage]:
    """Cut an article into passages of at most `size` tokens, whole sentences, paragraphs kept together.

    `count` gives the encoder's tokens of each text. A paragraph that does not fit starts a new passage once the current
    one is half full; before that it is divided between sentences. A sentence longer than `size` stands alone.
    """
    spans = sentences(article.text)
    lengths = count([article.text[s.start : s.end] for s in spans])
    of_paragraph = Counter[int]()
    for span, length in zip(spans, lengths, strict=True):
        of_paragraph[span.paragraph] += length

    groups: list[list[Span]] = []
    room = 0
    for span, length in zip(spans, lengths, strict=True):
        opens = not groups or groups[-1][-1].paragraph != span.paragraph
        moves = opens and of_paragraph[span.paragraph] > room and room <= size // 2
        if not groups or length > room or moves:
            groups.append([])
            room = size
        groups[-1].append(span)
        room -= length

    places = [(group[0].start, group[-1].end) for group in groups]
    version = digest(f"{article.id}\0{article.text}", 16)
    return [Passage(digest(f"{start}:{end}\0{version}", 12), article.id, start, end) for start, end in places]
