"""Answers without a language model: up to three verbatim sentences, each cited to the character, or a refusal."""

import math
from collections.abc import Generator, Sequence

from qa.check.draft import Draft
from qa.check.verify import Verdict
from qa.steps.evidence import Candidate, Evidence
from qa.steps.understand import covered, fits, share
from qa.types import REFUSED, Citation, Outcome, Piece, RefusalReason, cite

# How sentences are chosen and when none is: measured in evals/EXPERIMENTS.md, tuned on two thirds of the questions.
SENTENCES = 3
PASSAGE_WEIGHT = 0.8  # What a sentence gains by the score of its passage
TITLE_GAIN = 4.0  # A headline states the news whole, where its sentences lean on each other.
FIT_GAIN = 3.0  # for a sentence that holds the kind of thing asked for: a number, a day, a name
SAME_ARTICLE_LOSS = 2.0  # for each sentence chosen from the same article before
SAME_WORDS = 0.7  # share of a sentence's words that one chosen before holds, at which it says nothing new
SURE_BY_FAR = 12.0  # the weakest of the three sentences is left out when the best is this much better
LOGIT_MIN = -6.0  # No sentence below this is quoted, even beside a good one.
# The cross-encoder alone takes what is on the subject for what answers. So the logit that the best sentence needs is -2
# where its article holds every content word and name of the question, 1 where it lacks half of the words, and 3 more
# for half of the names.
LOGIT_WITH_ALL, LOGIT_PER_WORDS, LOGIT_PER_NAMES = -2.0, 6.0, 6.0
SURE_ENOUGH = 0.5
CLOSEST = 3


def write(evidence: Evidence) -> Generator[Piece, None, Outcome]:
    """Yield up to three sentences as they stand in the articles, with our own marks, or that there is no answer."""
    if evidence.confidence < SURE_ENOUGH:
        return (yield from refuse(REFUSED, "below_threshold" if evidence.hits else "no_evidence"))
    text, draft = "", Draft()
    for candidate in _choose(evidence):
        text += f"{' ' * bool(text)}{candidate.text} "
        text += draft.add(candidate.text, Verdict("verbatim", (candidate,)), len(text))[0]
    yield text
    yield from draft.citations.values()
    yield from draft.sentences
    return Outcome()


def refuse(text: str, reason: RefusalReason) -> Generator[Piece, None, Outcome]:
    """Yield why there is no answer."""
    yield text
    return Outcome(reason)


def closest(evidence: Evidence) -> tuple[Citation, ...]:
    """Return what comes closest to an answer, where none is given."""
    if evidence.confidence >= SURE_ENOUGH:  # though a model declined
        return _cited(_choose(evidence))
    return _cited(sorted(evidence.candidates, key=lambda candidate: -candidate.logit)[:CLOSEST])


def _cited(candidates: Sequence[Candidate]) -> tuple[Citation, ...]:
    return tuple(cite(c.article, c.field, c.start, c.end, n) for n, c in enumerate(candidates, 1))


def confidence(candidates: Sequence[Candidate]) -> float:
    """Return how sure, 0…1, one candidate is, for how far its article is on the subject that it was read for."""
    margin = -math.inf
    for part, article in {(c.part, c.article) for c in candidates}:
        words, names = covered(part, f"{article.title} {article.text} {article.outlet}")
        least = LOGIT_WITH_ALL + LOGIT_PER_WORDS * (1 - words) + LOGIT_PER_NAMES * (1 - names)
        best = max(c.logit for c in candidates if (c.part, c.article) == (part, article))
        margin = max(margin, best - least)
    return round(1 / (1 + math.exp(-margin)), 4)


def _choose(evidence: Evidence) -> list[Candidate]:
    """Pick up to three, best first, none saying what another says; from other articles by preference."""
    question, candidates = evidence.question, evidence.candidates
    scores = {hit.passage.id: hit.score for hit in evidence.hits}
    best = max(scores.values())

    def worth(candidate: Candidate) -> float:
        return (
            candidate.logit
            + PASSAGE_WEIGHT * (scores[candidate.hit.passage.id] - best)
            + TITLE_GAIN * (candidate.field == "title")
            + FIT_GAIN * fits(question, candidate.text)
            - SAME_ARTICLE_LOSS * sum(c.article.id == candidate.article.id for c in chosen)
        )

    chosen: list[Candidate] = []
    left = [c for c in candidates if c.logit >= LOGIT_MIN]
    while left and len(chosen) < SENTENCES:
        pick = max(left, key=worth)
        if chosen and worth(pick) < worth(chosen[0]) - SURE_BY_FAR:
            break
        chosen.append(pick)
        after = None if fits(question, pick.text) else _next(candidates, pick)
        if after and after not in chosen and fits(question, after.text):
            chosen.append(after)  # "They will sign soon. This will happen on Thursday."
        left = [c for c in left if c not in chosen and all(share(c.terms, d.terms) < SAME_WORDS for d in chosen)]
    return chosen[:SENTENCES]


def _next(candidates: Sequence[Candidate], candidate: Candidate) -> Candidate | None:
    """Return the sentence that follows in the same paragraph."""
    behind = candidate.article.text[candidate.end :]
    place = candidate.end + len(behind) - len(behind.lstrip(" "))
    here = (candidate.hit.passage.id, candidate.field)
    return next((c for c in candidates if c.start == place and (c.hit.passage.id, c.field) == here), None)
