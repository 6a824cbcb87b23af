"""Reads what was found: the sentences that may be quoted, each with how well it answers by itself."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Protocol

from index.text.cut import is_caption, sentences
from index.text.terms import content_terms, terms
from index.types import Article, Hit, Query
from qa.rerank import Reranker
from qa.steps.expect import fits
from qa.types import Outcome, Piece

# The cross-encoder is the slow part: it reads 16 short texts, 0.3 s on two cores, chosen by their words from the best
# passages of 8 articles. 12 whole passages and all sentences of the best four took 1.7 s and chose no better (§8).
READ_PASSAGES = 8
READ_SENTENCES = 16
FIT_WORTH, TITLE_WORTH, SCORE_WORTH = 0.5, 0.3, 0.8  # against 1 for a sentence with all words of the question
CHROME = re.compile(
    r"\b(?:video player|(?:this|your) ad|ad feedback|newsletters?|subscribe|sign up|all rights reserved|cookies?"
    r"|contributed to this (?:report|story|article)|click here|follow (?:us|him|her|them) on)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Candidate:
    """A sentence or headline that may be quoted, with the hit that brought it.

    `logit` is the cross-encoder's, for `part`: the question, or the part of it that the sentence speaks of most.
    """

    hit: Hit
    field: Literal["text", "title"]
    start: int
    end: int
    part: str = ""
    logit: float = 0.0

    @property
    def text(self) -> str:
        whole: str = getattr(self.hit.article, self.field)
        return whole[self.start : self.end]


@dataclass(frozen=True)
class Evidence:
    """What an answer may be written from: passages in their order, the sentences read of them, and how sure they make.

    `question` is complete in itself; `confidence`, 0…1, is how sure the desk is that there is an answer among them.
    """

    question: str
    hits: Sequence[Hit]
    candidates: Sequence[Candidate]
    confidence: float


class Writer(Protocol):
    """From evidence to an answer. `quotes` is one, a language model another."""

    def __call__(self, evidence: Evidence) -> Generator[Piece, None, Outcome]:
        """Yield the text as it comes, with marks such as [1], and each Citation and Sentence as soon as it is there."""
        ...


def read(reranker: Reranker, query: Query, hits: Sequence[Hit]) -> list[Candidate]:
    """Return the sentences and headlines of these hits (best first) that speak most of the question, scored."""
    wanted = {part: content_terms(part) for part in query.parts or (query.text,)}
    best = max((hit.score for hit in hits), default=0.0)

    def share(part: str, candidate: Candidate) -> float:
        return len(wanted[part] & terms(candidate.text)) / max(1, len(wanted[part]))

    def promise(candidate: Candidate) -> float:
        return (
            max(share(part, candidate) for part in wanted)
            + FIT_WORTH * fits(query.text, candidate.text)
            + TITLE_WORTH * (candidate.field == "title")
            + SCORE_WORTH * (candidate.hit.score - best)
        )

    promising = sorted(candidates(_evidence(hits)), key=promise, reverse=True)[:READ_SENTENCES]
    spoken = [max(wanted, key=partial(share, candidate=candidate)) for candidate in promising]
    scored: list[Candidate] = []
    for part in wanted:
        own = [candidate for candidate, of in zip(promising, spoken, strict=True) if of == part]
        # Alone: with its headline before it, a sentence is no better chosen and takes twice the time.
        logits = reranker.score(part, [candidate.text for candidate in own])
        scored += [replace(c, part=part, logit=float(logit)) for c, logit in zip(own, logits, strict=True)]
    return scored


def _evidence(hits: Sequence[Hit]) -> list[Hit]:
    """Return the few passages to quote from: the best of each article, and more of them where articles are few."""
    firsts = {hit.passage.article_id: hit for hit in reversed(hits)}.values()
    others = [hit for hit in hits if hit not in firsts]
    return [*sorted(firsts, key=lambda hit: -hit.score), *others][:READ_PASSAGES]


def candidates(hits: Sequence[Hit]) -> list[Candidate]:
    """Return what may be quoted: sentences that state something, and the headlines over them."""
    found: list[Candidate] = []
    titled: set[str] = set()
    for hit in hits:
        article = hit.article
        if article.id not in titled and article.title.rstrip("…") not in article.text:
            titled.add(article.id)
            found.append(Candidate(hit, "title", 0, len(article.title)))
        for span in sentences(hit.text):
            candidate = Candidate(hit, "text", hit.passage.start + span.start, hit.passage.start + span.end)
            if _states(article, candidate):
                found.append(candidate)
    return found


def _states(article: Article, candidate: Candidate) -> bool:
    """Tell a statement from captions, headings, questions and the chrome of web pages."""
    text = candidate.text
    line_start = article.text.rfind("\n", 0, candidate.start) + 1
    line_end = article.text.find("\n", candidate.end)
    line = article.text[line_start : line_end if line_end >= 0 else None]
    return (
        len(text.split()) >= 4
        and (text[-1] in ".!…\"'”’)" or len(text.split()) > 8)
        and not text.rstrip("\"'”’ ").endswith("?")
        and not CHROME.search(text)
        and not is_caption(line)
    )
