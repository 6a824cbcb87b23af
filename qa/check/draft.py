"""Checks a whole text: its sentences one after the other, and the citations that they share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from index.search import search
from index.text import language
from index.text.cut import sentences
from index.text.speech import goes_on, speaker
from index.text.terms import content_terms
from index.types import Article, BadInput, Hit, Query
from qa.check.spans import Verdict, find
from qa.check.verify import quotations, said_by
from qa.request import QUESTION_WORDS, go_on, is_text
from qa.types import UNSUPPORTED, Checked, Citation, Sentence, cite

if TYPE_CHECKING:
    from qa.desk import Desk

CHECKED_CHARACTERS = 200_000
CHECKED_ARTICLES = 6  # in which a sentence of a draft is looked for
FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*$|\Z)", re.M | re.S)
# A line that states nothing: a heading of Markdown (with #, underlined or in bold), "Sources:", a rule. What ends as a
# sentence does is one, also in bold or above a rule: a gate must not pass it over.
HEADING = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t].*|\*\*[^*\n]*[^*\n.!?]\*\*|[^\n]*[^\n.!?]\n[ \t]*(?:=+|-{3,})|[^\n.!?]{1,60}:"
    r"|[-*_=# \t]+)[ \t]*$",
    re.M,
)
LEAD_IN = re.compile(r"[^.!?:]{1,80}:")  # "Here is the summary:"
BULLET = re.compile(r"^(?:[-*•–>]|\d{1,2}[.)]|#+)\s+|\*\*|__")
NUMBERED = re.compile(r"^[ \t]*\d{1,2}[.)][ \t]+", re.M)  # else "1." were a sentence


class Draft:
    """Sentences with their verdicts, and the citations in the order of their first use."""

    def __init__(self) -> None:
        self.sentences: list[Sentence] = []
        self.citations: dict[tuple[str, str, int, int], Citation] = {}

    def add(self, text: str, verdict: Verdict, at: int | None = None) -> tuple[str, list[Citation]]:
        """Take in a sentence; return its marks, which stand at this place, and the citations new with it."""
        known = len(self.citations)
        for s in verdict.spans:
            self.citations.setdefault(s.place, cite(s.article, s.field, s.start, s.end, len(self.citations) + 1))
        numbers = tuple(self.citations[span.place].n for span in verdict.spans)
        marks = [f"[{number}]" for number in numbers] or [UNSUPPORTED]
        ends = list(accumulate(map(len, marks), initial=at or 0))
        places = () if at is None else tuple(pairwise(ends))
        self.sentences.append(Sentence(text, numbers, verdict.support, verdict.why, places, verdict.rule))
        return "".join(marks), list(self.citations.values())[known:]


def statements(text: str) -> list[str]:
    """Return the sentences of a text without what states nothing: code, headings, bullets."""
    prose = NUMBERED.sub("", HEADING.sub("\n", FENCE.sub("\n", text)))
    said: list[str] = []
    for span in sentences(prose, quotations=True):
        sentence = BULLET.sub("", prose[span.start : span.end]).strip()
        if any(map(str.isalnum, sentence)) and not LEAD_IN.fullmatch(sentence):
            if said and goes_on(said[-1], sentence):
                sentence = f"{said.pop()} {sentence}"
            said.append(sentence)
    return said


def check(desk: Desk, text: str, named: list[Article]) -> Iterator[float | Checked]:
    """Check a text sentence by sentence against the named articles, or else those of the archive that speak of it.

    Yields the share that is done, and last the result. Raises BadInput for a text that states nothing, or of more than
    200,000 characters.
    """
    if is_text(text) and len(text) > CHECKED_CHARACTERS:
        raise BadInput(f"the text has {len(text):,} characters: check at most {CHECKED_CHARACTERS:,} at once")
    if not is_text(text) or not (said := statements(text)):
        raise BadInput("the text is empty: give it some sentences to check")
    draft = Draft()
    found: list[Article] = []
    for number, sentence in enumerate(said, 1):
        go_on()
        found = named or _about(desk, sentence, found)
        draft.add(sentence, desk.verify(sentence, found))
        yield number / len(said)
    yield Checked(draft.sentences, tuple(draft.citations.values()))


def elsewhere(desk: Desk, claim: str, articles: Sequence[Article]) -> str:
    """Return where in the archive a quotation stands that is in none of these articles; "" for an invented one."""
    for quotation in quotations(claim):
        if not find(quotation, articles) and (place := find(quotation, _about(desk, quotation, []))):
            who, article = speaker(said_by(place)), place.article
            by = f", said there by {who}" if who else ""
            return f"“{quotation}” stands in another article, “{article.title or article.id}”{by}"
    return ""


def _about(desk: Desk, sentence: str, before: list[Article]) -> list[Article]:
    """Return the articles that may support a sentence; the first of those `before` know its "he" and "it"."""
    hits: list[Hit] = []
    with desk.reading():
        for wanted in (sentence, *quotations(sentence)):
            words = " ".join(wanted.split()[:QUESTION_WORDS])
            query = Query(words, language=language.of(words))
            known = content_terms(words, query.language)
            hits += search(desk.index, query, top=2 * CHECKED_ARTICLES) if known else []
    articles = dict.fromkeys(hit.article for hit in hits)
    return [*articles][:CHECKED_ARTICLES] + [article for article in before[:2] if article not in articles]
