"""Decides between choices offered with a question: the one whose words stand in a sentence that the question finds."""

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from index.text.names import capitalised, is_verb
from index.text.terms import content_terms, share, terms
from index.types import Hit, Query
from qa.check.rules import CLAUSE, NEGATION, OPPOSITES
from qa.rerank import Reranker
from qa.steps.converse import FILLERS
from qa.steps.evidence import Candidate, candidates
from qa.steps.understand import YEAR

# Measured in evals/EXPERIMENTS.md, §9.
PASSAGES = 12  # looked through for the question, and for the question together with each choice
PASSAGES_A_CHOICE = 5
SENTENCES = 12  # of these passages, holding at least half of a choice's words, that the cross-encoder reads
LEAST_SHARE = 0.5
SHARE_WEIGHT, SCORE_WEIGHT, LOGIT_WEIGHT, LOGIT_MAX = 12.0, 1.6, 0.3, 6.0
NEAR_WEIGHT, YEAR_LOSS = 3.0, 4.0  # where a sentence holds several choices; with another year than the question's
CLAUSE_LOSS, LEANING_LOSS = 0.5, 0.9
LIGHT = content_terms(" ".join(FILLERS))
ASIDE = re.compile(r", (?:who|which|whose|an?|the) [^,;]*,(?= [a-z])")  # "Storm, who had led, came second"
PRONOUN = re.compile(r"\b(?:it|they|them|he|she)\b", re.I)
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
    scored = reranker.score(query.text, [candidate.text for candidate in held])
    logits: dict[Candidate, float] = dict(zip(held, scored.tolist(), strict=True))
    shared = words[0].intersection(*words)
    apart = [own - shared or own for own in words]  # "2,200 crowns" and "2,700 crowns"
    years = {*YEAR.findall(query.text)}

    def worth(n: int, candidate: Candidate) -> float:
        rivals = [own for m, own in enumerate(apart) if shares[candidate][m] >= shares[candidate][n]]
        near = max(_near(query.text, own, candidate) for own in rivals) - _near(query.text, apart[n], candidate)
        others = {*YEAR.findall(candidate.said)}
        return (
            LOGIT_WEIGHT * min(logits[candidate], LOGIT_MAX)
            + SCORE_WEIGHT * (scores.get(candidate.hit.passage.id, 0.0) - best)
            - SHARE_WEIGHT * (1 - shares[candidate][n])
            - NEAR_WEIGHT * near
            - YEAR_LOSS * bool(years and others and not years & others)
        )

    pick = min if EXCEPT.search(query.text) else max
    return choices[pick(range(len(choices)), key=lambda n: max(worth(n, candidate) for candidate in held))]


def _near(question: str, choice: AbstractSet[str], candidate: Candidate) -> float:
    """Return how much of a question stands near the words of a choice in a sentence, at most 1; less for its opposite.

    A word counts half for each clause between; one that the sentence leaves to the headline counts for every choice.
    """
    named = content_terms(" ".join([*capitalised(question), *YEAR.findall(question)]))
    asked = {term: 2.0 if term in named else 0.5 if term in LIGHT else 1.0 for term in content_terms(question) - choice}
    clauses = [clause for clause in CLAUSE.split(ASIDE.sub("", candidate.said)) if clause.strip()]
    said, headline = [terms(clause) for clause in clauses], terms(candidate.article.title)
    verbs = (any(is_verb(word, "VBD", "VBZ") for word in clause.split()) for clause in clauses)
    leaning = [PRONOUN.search(clause) or not verb for clause, verb in zip(clauses, verbs, strict=True)]

    def held(home: int, term: str) -> float:
        if any(term in one and other & said[home] and not one & said[home] for one, other in OPPOSITES):
            return -1.0
        near = [CLAUSE_LOSS ** abs(home - n) for n, clause in enumerate(said) if term in clause]
        if home and leaning[home] and term in said[home - 1]:
            near.append(LEANING_LOSS)  # "the nurses rejected it", "Storm for his humour"
        return max(near, default=float(term in headline))

    def nearness(home: int) -> float:
        denied = NEGATION.search(clauses[home]) is not None and not NEGATION.search(question)
        return sum(worth * held(home, term) for term, worth in asked.items()) / max(1.0, sum(asked.values())) - denied

    most = max(len(choice & clause) for clause in said)
    return max(nearness(home) for home, clause in enumerate(said) if len(choice & clause) == most)
