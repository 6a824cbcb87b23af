"""Orders what was found: copies of one report count once, then the best are read together with the question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from index.types import Hit
from qa.rerank import Reranker

RERANKED = 12  # Passages read by the cross-encoder, 85 ms each on two cores; 20 gain nothing (EXPERIMENTS.md).
LOGIT_MAX = 4.0  # The cross-encoder is sure of too much: above this it does not tell right from wrong.
FUSED_WEIGHT = 16.0
SHINGLE_WORDS = 5
COPY_SHARE = 0.7  # Of its word runs that a passage shares with a better one to count as its copy.
COMPARED = 40


def collapse(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits without passages that copy a better one from another article, as wire reports are copied."""
    kept: list[Hit] = []
    shingles: list[set[tuple[str, ...]]] = []
    for hit in hits[:COMPARED]:
        own = _shingles(hit.text)
        if not any(
            len(own & other) >= COPY_SHARE * len(own)
            for better, other in zip(kept, shingles, strict=True)
            if better.article.id != hit.article.id
        ):
            kept.append(hit)
            shingles.append(own)
    return kept + list(hits[COMPARED:])


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    size = min(SHINGLE_WORDS, len(words)) or 1
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)} or {(text,)}


def rerank(reranker: Reranker, question: str, hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits with the first few ordered anew by cross-encoder and fused score together.

    The score becomes that sum, about -10…20; the hits that were not read follow in their order, scored below.
    """
    read, rest = hits[:RERANKED], hits[RERANKED:]
    logits = reranker.score(question, [f"{hit.article.title}\n{hit.text}" for hit in read])
    scored = [
        replace(hit, score=min(float(logit), LOGIT_MAX) + FUSED_WEIGHT * hit.score)
        for hit, logit in zip(read, logits, strict=True)
    ]
    scored.sort(key=lambda hit: (-hit.score, hit.passage.id))
    floor = min((hit.score for hit in scored), default=0.0) - 1.0
    best = rest[0].score if rest else 0.0
    return scored + [replace(hit, score=floor - (best - hit.score)) for hit in rest]
