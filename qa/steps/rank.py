"""Orders what was found: copies of one report count once, and its best sentence tells how well a passage answers."""

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from functools import lru_cache

from index.text import fold
from index.text.names import capitalised
from index.text.numbers import SAID, numbers
from index.text.terms import content_terms
from index.types import Hit, Query
from qa.steps.evidence import Candidate

LOGIT_MAX = 4.0  # The cross-encoder is sure of too much: above this it does not tell right from wrong.
LOGIT_UNREAD = -11.0  # what the cross-encoder gives to a sentence on another subject
LOGIT_WEIGHT, FUSED_WEIGHT = 0.5, 16.0
OUTLET_LOSS = 1.6  # for each article of the outlet that is ranked before it, where a question names several
SHINGLE_WORDS = 5
COPY_SHARE = 0.7  # Of its word runs that a passage shares with a better one to count as its copy.
COMPARED, NEAREST = 40, 5  # passages that are compared with one another; of those that one repeats, with how many
LATER_GAIN = 0.1  # of a fused score: what a later report gains over one that it repeats with another number
DATELINE = re.compile(r"^[^.\n]{0,60}? [-–—]{1,2} ")


def collapse(hits: Sequence[Hit], newest: bool = True) -> list[Hit]:
    """Return the hits without passages that copy a better one from another article, as wire reports are copied.

    One that repeats most of another and changes a fact is no copy: both stay, with `newest` the later one first.
    """
    kept: list[tuple[Hit, set[tuple[str, ...]]]] = []  # with their runs of words
    scores = {hit.passage.id: hit.score for hit in hits}
    for hit in hits[:COMPARED]:
        words = fold.words(hit.text)
        size = min(SHINGLE_WORDS, len(words)) or 1
        own = {tuple(words[i : i + size]) for i in range(len(words) - size + 1)} or {(hit.text,)}
        shared = ((len(own & other), better) for better, other in kept if better.article.id != hit.article.id)
        found = sorted((one for one in shared if one[0] >= COPY_SHARE * len(own)), key=lambda one: -one[0])
        alike = [better for _, better in found]
        if not all(_changes(hit, better) for better in alike[:NEAREST]):
            continue
        kept.append((hit, own))
        for better in alike if newest else ():
            if (one := hit.article.published) and (other := better.article.published) and one != other:
                later, earlier = (hit, better) if one > other else (better, hit)
                scores[later.passage.id] = max(scores[later.passage.id], scores[earlier.passage.id] + LATER_GAIN)
    left = [replace(hit, score=scores[hit.passage.id]) for hit in [hit for hit, _ in kept] + [*hits[COMPARED:]]]
    return sorted(left, key=lambda hit: -hit.score)


def _changes(hit: Hit, better: Hit) -> bool:
    """Tell whether a passage says a number or a name otherwise than the article that it repeats, or, later, a word."""
    own, held = DATELINE.sub("", hit.text), f"{better.article.title}\n{better.article.text}"
    if new := _values(own) - _values(DATELINE.sub("", better.text)):  # which mostly has them, and is read already
        new -= _values(held)
    if new:
        return True
    said, before = _words(own), _words(DATELINE.sub("", better.text))
    fresh = {*said}.difference(_words(held), fold.words(f"{hit.article.outlet} {better.article.outlet}"))
    named = fresh.intersection(fold.words(" ".join(capitalised(own))))
    later = hit.article.published != better.article.published and content_terms(" ".join(fresh))
    if not (named or later):  # as in most, and finding out what stands in whose place takes long
        return False
    blocks = SequenceMatcher(None, before, said, autojunk=False).get_opcodes()
    other = {word for kind, _, _, i, j in blocks if kind == "replace" for word in said[i:j] if not SAID.search(word)}
    return bool(named & other or (later and content_terms(" ".join(fresh & other))))


@lru_cache(4 * COMPARED)
def _values(text: str) -> set[float]:
    """Return the numbers of a text, read once for all that it is compared with."""
    return {number.value for number in numbers(text)}


_words = lru_cache(4 * COMPARED)(fold.words)


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
