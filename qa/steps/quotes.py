"""Answers without a language model: up to three verbatim sentences, each cited to the character, or a refusal."""

import math
import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

from index.text import fold
from index.text.names import is_verb
from index.text.terms import alike, content_terms, terms
from index.types import Article
from qa.check.draft import Draft
from qa.check.rules import OPPOSITES, denies, opposes
from qa.check.verify import Verdict
from qa.steps.converse import FILLERS
from qa.steps.evidence import Candidate, Evidence
from qa.steps.understand import covered, fits, kind, share, values
from qa.types import REFUSED, Citation, Outcome, Piece, RefusalReason, cite

# How sentences are chosen and when none is: measured in evals/EXPERIMENTS.md, tuned on two thirds of the questions.
SENTENCES = 3
PASSAGE_WEIGHT = 0.8  # What a sentence gains by the score of its passage
TITLE_GAIN = 4.0  # A headline states the news whole, where its sentences lean on each other.
FIT_GAIN = 3.0  # for a sentence that holds the kind of thing asked for: a number, a day, a name
SAME_ARTICLE_LOSS = 2.0  # for each sentence chosen from the same article before
HEADLINE_WORDS = 0.65  # of a headline's words, that a sentence holds which says it again
# By which a later report's sentence may answer worse than the best and come first: a new number tells most.
UPDATE_LOSS = {"number": 4.0, "day": 1.0, "name": 1.0, "any": 0.0}
SAME_WORDS = 0.7  # share of a sentence's words that one chosen before holds, at which it says nothing new
SURE_BY_FAR = 12.0  # the weakest of the three sentences is left out when the best is this much better
LOGIT_MIN = -6.0  # No sentence below this is quoted, even beside a good one.
# The cross-encoder alone takes what is on the subject for what answers. So the logit that the best sentence needs is -2
# where its article holds every content word and name of the question, 1 where it lacks half of the words, and 3 more
# for half of the names.
LOGIT_WITH_ALL, LOGIT_PER_WORDS, LOGIT_PER_NAMES = -2.0, 6.0, 6.0
SURE_ENOUGH = 0.5
CLOSEST = 3
PRESUMED = re.compile(r"(?:why|when|where) (?:is|are|was|were|did|does|do|has|have|had) ([^?]+)\?*", re.I)


def write(evidence: Evidence) -> Generator[Piece, None, Outcome]:
    """Yield up to three sentences as they stand in the articles, with our own marks, or that there is no answer."""
    if evidence.confidence < SURE_ENOUGH or _denied(evidence):
        return (yield from refuse(REFUSED, "below_threshold" if evidence.hits else "no_evidence"))
    evidence = evidence._replace(candidates=_lifted(evidence))
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
        near = max(c.logit for c in left) - UPDATE_LOSS[kind(question)]
        newer = [c for c in left if c.logit >= near and _updates(question, c, pick, evidence.latest)]
        pick = max(newer, key=lambda c: (c.article.published, worth(c)), default=pick)
        pick = max((c for c in left if _says_again(c, pick)), key=worth, default=pick)
        chosen.append(pick)
        after = None if fits(question, pick.text) else _next(candidates, pick)
        if after and after not in chosen and fits(question, after.text):
            chosen.append(after)  # "They will sign soon. This will happen on Thursday."
        left = [c for c in left if c not in chosen and not any(_says_again(d, c) for d in chosen)]
        left = [c for c in left if all(share(c.terms, d.terms) < SAME_WORDS for d in chosen)]
    return chosen[:SENTENCES]


def _denied(evidence: Evidence) -> bool:
    """Tell whether the best sentence denies what is taken for granted, "Why did Carr win?", and none says it."""
    if not (presumed := PRESUMED.fullmatch(evidence.question)):
        return False
    best = max(evidence.candidates, key=lambda c: c.logit)
    verb = denies(presumed[1], best.said) or opposes(presumed[1], best.said)
    same = set().union(*(one for one, _ in OPPOSITES if content_terms(verb) & one), content_terms(verb))
    saying = (c for c in evidence.candidates if same & c.terms and covered(presumed[1], c.said)[1] == 1)
    affirmed = any(not (denies(presumed[1], c.said) or opposes(presumed[1], c.said)) for c in saying)
    return verb.islower() and is_verb(verb, "VB") and not affirmed


def _lifted(evidence: Evidence) -> list[Candidate]:
    """Let a later report's sentence that counts what is asked, "the toll is now seven", be worth as much as others."""
    best = max(evidence.candidates, key=lambda c: c.logit)
    did = (content_terms(word) for word in fold.words(evidence.question) if is_verb(word, "VBD", "VBN"))
    done = alike(next(filter(None, did), set()))  # "died" of "How many people died when a bus crashed?"
    lifted = kind(evidence.question) == "number"
    return [
        replace(c, logit=max(c.logit, best.logit))
        if lifted and done & c.terms and _updates(evidence.question, c, best, evidence.latest)
        else c
        for c in evidence.candidates
    ]


def _says_again(candidate: Candidate, headline: Candidate) -> bool:
    """Tell whether a sentence says what a headline says: the headline is then not quoted beside it."""
    again = share(alike(content_terms(headline.text)), candidate.terms)
    counts = values(headline.said) <= values(candidate.said)  # "seven dead" is not said again by "three died"
    return (candidate.field, headline.field) == ("text", "title") and again >= HEADLINE_WORDS and counts


def _updates(question: str, later: Candidate, earlier: Candidate, latest: date | None) -> bool:
    """Tell whether a sentence of a later report answers with what the earlier report, of one story, does not have.

    It is another story where it lacks a thing of the question that the earlier report has: its "school", but not its
    "died", which may be said in many ways.
    """
    days = earlier.article.published, later.article.published
    if not (latest and days[0] and days[1] and days[0] < days[1] <= latest):
        return False
    if not fits(question, later.text, f"{earlier.article.title}\n{earlier.article.text}"):
        return False
    asked = [word for word in fold.words(question) if word not in FILLERS and not is_verb(word, "VBD", "VBN")]
    things = content_terms(" ".join(asked)) & _words(earlier.article)
    return alike(things) <= alike(_words(later.article))


@lru_cache(maxsize=64)
def _words(article: Article) -> set[str]:
    return terms(f"{article.title}\n{article.text}")


def _next(candidates: Sequence[Candidate], candidate: Candidate) -> Candidate | None:
    """Return the sentence that follows in the same paragraph."""
    behind = candidate.article.text[candidate.end :]
    place = candidate.end + len(behind) - len(behind.lstrip(" "))
    here = (candidate.hit.passage.id, candidate.field)
    return next((c for c in candidates if c.start == place and (c.hit.passage.id, c.field) == here), None)
