"""Orders what was found: copies of one report count once, and its best sentence tells how well a passage answers."""

from collections.abc import Sequence
from dataclasses import replace

from index.text import fold
from index.types import Hit, Query
from qa.steps.evidence import Candidate

LOGIT_MAX = 4.0  # The cross-encoder is sure of too much: above this it does not tell right from wrong.
LOGIT_UNREAD = -11.0  # what the cross-encoder gives to a sentence on another subject
LOGIT_WEIGHT, FUSED_WEIGHT = 0.5, 16.0
OUTLET_LOSS = 1.6  # for each article of the outlet that is ranked before it, where a question names several
SHINGLE_WORDS = 5
COPY_SHARE = 0.7  # Of its word runs that a passage shares with a better one to count as its copy.
COMPARED = 40


def collapse(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits without passages that copy a better one from another article, as wire reports are copied."""
    kept: list[tuple[Hit, set[tuple[str, ...]]]] = []  # with their runs of words
    for hit in hits[:COMPARED]:
        words = fold.words(hit.text)
        size = min(SHINGLE_WORDS, len(words)) or 1
        own = {tuple(words[i : i + size]) for i in range(len(words) - size + 1)} or {(hit.text,)}
        others = [other for better, other in kept if better.article.id != hit.article.id]
        if all(len(own & other) < COPY_SHARE * len(own) for other in others):
            kept.append((hit, own))
    return [hit for hit, _ in kept] + list(hits[COMPARED:])


def rerank(query: Query, hits: Sequence[Hit], candidates: Sequence[Candidate]) -> list[Hit]:
    """Return the hits ordered anew by their fused score and the best sentence read of each.

    The score becomes that sum, about -10…40; what was not read counts as if it did not answer.
    """
    logits = dict.fromkeys((hit.passage.id for hit in hits), LOGIT_UNREAD)
    for c in candidates:
        logits[c.hit.passage.id] = max(logits[c.hit.passage.id], min(c.logit, LOGIT_MAX))
    scored = [replace(h, score=FUSED_WEIGHT * h.score + LOGIT_WEIGHT * logits[h.passage.id]) for h in hits]
    scored.sort(key=lambda hit: (-hit.score, hit.passage.id))
    return _spread(scored) if len(query.outlets) > 1 else scored


def _spread(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits anew so that each of several outlets has its turn: a question that names two wants both."""
    left, ranked = list(hits), list[Hit]()
    before: dict[str | None, set[str]] = {hit.article.outlet: set() for hit in hits}

    def score(hit: Hit) -> float:
        return hit.score - OUTLET_LOSS * len(before[hit.article.outlet] - {hit.article.id})

    while left:
        best = max(left, key=score)
        left.remove(best)
        ranked.append(replace(best, score=score(best)))
        before[best.article.outlet].add(best.article.id)
    return ranked
