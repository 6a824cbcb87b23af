"""Decides between choices offered with a question: the one whose words stand in a sentence that the question finds."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from index.text.terms import content_terms, terms
from index.types import Hit, Query
from qa.rerank import Reranker
from qa.steps.evidence import candidates
from qa.steps.understand import share

# Measured in evals/EXPERIMENTS.md, §9.
PASSAGES = 12  # looked through for the question, and for the question together with each choice
PASSAGES_A_CHOICE = 5
SENTENCES = 12  # of these passages, holding at least half of a choice's words, that the cross-encoder reads
LEAST_SHARE = 0.5
SHARE_WEIGHT, SCORE_WEIGHT, LOGIT_WEIGHT, LOGIT_MAX = 12.0, 1.6, 0.3, 6.0
EXCEPT = re.compile(r"\b(?:except|NOT)\b")  # asks for the choice that the evidence does not speak for


def choose(
    reranker: Reranker, query: Query, choices: Sequence[str], hits: Sequence[Hit], search: Callable[[Query], list[Hit]]
) -> str | None:
    """Return the choice that the evidence speaks for, None where no sentence holds half of the words of any.

    `hits` are those of the question; `search` looks for more with each choice.
    """
    found = {hit.passage.id: hit for hit in hits[:PASSAGES]}
    for choice in choices:
        for hit in search(replace(query, text=f"{query.text} {choice}", parts=()))[:PASSAGES_A_CHOICE]:
            found.setdefault(hit.passage.id, hit)
    scores = {hit.passage.id: hit.score for hit in hits}  # what only a choice has found counts 0
    best = max(scores.values(), default=0.0)
    words = [content_terms(choice) or terms(choice) for choice in choices]
    shares = {c: [share(wanted, c.terms) for wanted in words] for c in candidates(list(found.values()))}
    held = [candidate for candidate in shares if max(shares[candidate]) >= LEAST_SHARE]
    held = sorted(held, key=lambda candidate: -scores.get(candidate.hit.passage.id, 0.0))[:SENTENCES]
    if not held:
        return None
    logits = reranker.score(query.text, [candidate.text for candidate in held])

    def worth(n: int) -> float:
        return max(
            LOGIT_WEIGHT * min(float(logit), LOGIT_MAX)
            + SCORE_WEIGHT * (scores.get(candidate.hit.passage.id, 0.0) - best)
            - SHARE_WEIGHT * (1 - shares[candidate][n])
            for candidate, logit in zip(held, logits, strict=True)
        )

    pick = min if EXCEPT.search(query.text) else max
    return choices[pick(range(len(choices)), key=worth)]
