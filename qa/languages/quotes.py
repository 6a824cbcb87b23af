"""Sentences that answer where question or article is not English: chosen by vectors and the reader of many languages.

The kind of thing asked for is known in the languages of `kinds`. What the English path knows besides (parts of a
question, what was asked before, reports that were corrected) is not done.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from os.path import commonprefix

import numpy as np

from index.encoder import Encoder, likeness
from index.tables.related import Ties
from index.types import Article, Hit, Query
from qa.check.signs.words import plain, tokens
from qa.check.verify import logistic
from qa.languages.kinds import has, kind
from qa.languages.reader import ManyReader
from qa.steps import quotes
from qa.steps.evidence import PHRASE_LEAST, READ_PASSAGES, Candidate, Evidence, candidates, tied

READ_HITS = 20
READ_SENTENCES = 14
SENTENCES = 3
# Measured in evals/EXPERIMENTS.md, §29 and §30, tuned on the development questions of evals/languages.
NEAR_WEIGHT, PASSAGE_WEIGHT, TITLE_WEIGHT = 8.0, 3.0, -0.5  # beside the reader's logit
KIND_WEIGHT = 1.0  # of having the number, day, reason, person or place asked for
FAR = 2.5  # A further sentence is left out when the best is worth this much more.
LEAST, LEAST_ACROSS = 1.5, 0.0  # what the best must be worth, in the language of the question and in another
SURE_ENOUGH = 0.5
NOUNS = "de", "lb"  # whose nouns all have capitals
VOWELS = re.compile("[aeiouyаеиіоуюяєїйьъыэё]")
ENDING = 2  # consonants by which two forms of a name may differ


def english(query: Query) -> bool:
    """Tell whether a question is in English, as far as is known."""
    return query.language in (None, "en")


def read(reader: ManyReader, encoder: Encoder, query: Query, hits: Sequence[Hit]) -> list[Candidate]:
    """Return the sentences and headlines of these hits (best first) that are nearest to the question, scored.

    Of an English question, those of hits in other languages. `answers` is the reader's logit with nearness and the
    passage's score in it; `logit` the reader's of the subject.
    """
    hits = [hit for hit in hits[:READ_HITS] if not english(query) or hit.article.language not in (None, "en")]
    found = candidates(hits[:READ_PASSAGES])
    if not found:
        return []
    texts = [c.text if c.field == "title" else f"{c.article.title}\n{c.text}" for c in found]
    nearness = likeness(encoder, encoder.encode_query([query.text]), encoder.encode_document(texts))[0].tolist()
    top, asked = max(hit.score for hit in hits), kind(query.text, query.language)
    gains = [
        NEAR_WEIGHT * near
        + PASSAGE_WEIGHT * (c.hit.score - top)
        + KIND_WEIGHT * has(asked, query.text, c.text, c.article.language or "en")
        for c, near in zip(found, nearness, strict=True)
    ]
    best = [(found[n], gains[n]) for n in np.argsort(np.negative(gains))[:READ_SENTENCES]]
    said = [c.text if c.field == "title" else f"{c.article.title.rstrip('.')}. {c.text}" for c, _ in best]
    answers, subject = reader.answers(query.text, said).tolist(), reader.score(query.text, said).tolist()
    scored = []
    for (c, gain), text, own, logit in zip(best, said, answers, subject, strict=True):
        worth = own + gain + TITLE_WEIGHT * (c.field == "title")
        phrase = reader.phrase(query.text, text, len(text) - len(c.text)) if own >= PHRASE_LEAST else None
        scored.append(replace(c, part=query.text, logit=logit, answers=worth, phrase=phrase))
    return scored


def confidence(scored: Sequence[Candidate], query: Query) -> float:
    """Return how sure, 0…1, it is that one of these answers a question.

    Any article has numbers and days: having the kind of thing asked for tells which sentence answers, not whether.
    """
    asked, own = kind(query.text, query.language), query.language or "en"

    def sure(c: Candidate) -> float:
        if c.article.language == own and strangers(query.text, c.article):
            return 0.0
        least = LEAST if c.article.language == own else LEAST_ACROSS
        gained = KIND_WEIGHT * has(asked, query.text, c.text, c.article.language or "en")
        return logistic((1.0, -least), (_worth(c) - gained,))

    return round(max(map(sure, scored), default=0.0), 4)


@lru_cache(1024)
def strangers(question: str, article: Article) -> list[str]:
    """Return the names in a question of which an article in its language has none that begins alike."""
    said = plain(question)
    asked = [t.word for t in tokens(question) if t.capital and t.inside and not said[t.start : t.end].isupper()]
    if not asked or article.language in NOUNS:
        return []
    whole = "\n".join([article.title, article.outlet or "", *article.authors, article.text])
    held = {_consonants(token.word) for token in tokens(whole) if token.capital}
    return [name for name in asked if len(own := _consonants(name)) > 1 and not any(_alike(own, one) for one in held)]


def _consonants(name: str) -> str:
    """Return a folded name without what changes within it: "Києві" is "Київ"."""
    return VOWELS.sub("", name)


def _alike(one: str, other: str) -> bool:
    longest = max(len(one), len(other))
    return len(commonprefix([one, other])) >= max(2, longest - ENDING)  # noqa: RUF071 - no paths


def better(own: Evidence, query: Query, foreign: Sequence[Candidate], ties: Callable[[str], Ties]) -> Evidence:
    """Return the evidence of English articles, or that of the others where the question is theirs or they answer it."""
    sure, ranked = confidence(foreign, query), sorted(foreign, key=_worth, reverse=True)
    if english(query):
        best = max((c.answers or 0.0 for c in own.candidates), default=0.0)
        if sure < SURE_ENOUGH or (quotes.sure(own) and best > _worth(ranked[0])):
            return own
    chosen = [c for c in ranked if _worth(c) >= _worth(ranked[0]) - FAR][:SENTENCES] if sure >= SURE_ENOUGH else []
    return own._replace(
        candidates=tied(foreign, ties), confidence=sure, parts=(), first=False, chosen=tied(chosen, ties)
    )


def _worth(candidate: Candidate) -> float:
    return candidate.answers or 0.0
