"""Answers without a language model: up to three verbatim sentences, each cited to the character, or a refusal."""

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from textwrap import shorten
from typing import NamedTuple

from index.text import lists
from index.text.names import capitalised
from index.text.syntax import parse
from index.text.terms import alike, content_terms, share, terms
from qa.check.clauses import clauses
from qa.check.draft import Draft
from qa.check.rules import OPPOSITES, denies, opposes
from qa.check.spans import Verdict
from qa.check.verify import logistic
from qa.steps.evidence import Candidate, Evidence
from qa.steps.newest import another_fate, first, mends, misreports, naming, near, newest, replaces, sides, stems_of
from qa.steps.understand import KINDS, NAME_PREFIX, covered, fits, kind, values
from qa.types import REFUSED, Citation, Outcome, Phrase, Piece, RefusalReason, cite

# How sentences are chosen and when none is: measured in evals/EXPERIMENTS.md, tuned on two thirds of the questions.
SENTENCES = 3


class Worth(NamedTuple):
    """What makes a sentence worth quoting: weights of what is known of it."""

    answers: float  # the reader's logit
    logit: float  # the cross-encoder's
    passage: float  # the score of its passage
    title: float  # being a headline, which states the news whole, where its sentences lean on each other
    fit: float  # holding the kind of thing asked for: a number, a day, a name
    words: float  # the share of the question's words that it holds
    headed: float  # and of those that only its headline does
    lead: float  # standing at the head of its article
    same: float  # each sentence chosen from the same article before, against it
    far: float  # A further sentence is left out when the best is this much better.


CROSS_ENCODER = Worth(0.0, 1.0, 0.8, 4.0, 3.0, 0.0, 0.0, 0.0, 2.0, 12.0)
READER = Worth(1.0, 0.0, 0.3, 0.1, 1.0, 1.0, -1.5, 0.3, 0.5, 2.0)
LEAD = 400  # characters at the head of an article
TOLD_FAR = 1.0  # that, where the best is a figure of which the reader is sure
HEADLINE_WORDS = 0.65  # of a headline's words, that a sentence holds which says it again
FATE = 2.0  # of telling of the hurt where the dead are asked for, against a sentence
MENDED, ERRED = 1.0, 2.0
BESIDE = 0.0  # the reader's logit of a further sentence from which its phrase is marked: below, .3 of them are right
SAME_WORDS = 0.7  # share of a sentence's words that one chosen before holds, at which it says nothing new
LOGIT_MIN = -6.0  # No sentence below this is quoted, even beside a good one.
# The cross-encoder alone takes what is on the subject for what answers. So the logit that the best sentence needs is -2
# where its article holds every content word and name of the question, 1 where it lacks half of the words, and 3 more
# for half of the names.
LOGIT_WITH_ALL, LOGIT_PER_WORDS, LOGIT_PER_NAMES = -2.0, 6.0, 6.0
SURE_ENOUGH = 0.5
# With the reader: log odds that what is quoted is right, a logistic regression on development questions, §21, on what
# `signals` returns and a constant.
SURE_BY_READER = (0.43, 0.13, 1.23, -0.5, -0.47, -1.65, -3.0, -0.71)  # that of unknown names is set by hand
SURE_ENOUGH_BY_READER = 0.18
NEAR = 300  # characters of the article before a sentence, or below a headline, that go with it
OLD_DAYS = 90  # An article so much older than the day of a question knows as little of its news as any older one.
CLOSEST = 3
WHY = re.compile(r"why\b|how come\b|what (?:caused|made|led)\b|for what reason", re.I)
REASON = re.compile(lists.pattern("reasons"), re.I)
PRESUMED = re.compile(r"(?:why|when|where) (?:is|are|was|were|did|does|do|has|have|had) ([^?]+)\?*", re.I)
TITLE_CHARACTERS = 90  # of the headline that a refusal names


def write(evidence: Evidence) -> Generator[Piece, None, Outcome]:
    """Yield up to three sentences as they stand in the articles, with our own marks, or that there is no answer."""
    if not sure(evidence) or (evidence.chosen is None and _denied(evidence)):
        said = _missing(evidence) if evidence.chosen is None else REFUSED
        return (yield from refuse(said, "below_threshold" if evidence.hits else "no_evidence"))
    text, draft = "", Draft()
    for candidate in evidence.chosen or _choose(evidence):
        text += f"{' ' * bool(text)}{candidate.text} "
        text += draft.add(candidate.text, Verdict("verbatim", (candidate,)), len(text))[0]
        if candidate.phrase and (len(draft.sentences) == 1 or (candidate.answers or 0) >= BESIDE):
            draft.sentences[-1] = replace(draft.sentences[-1], answer=Phrase(*candidate.phrase))
    yield text
    yield from draft.citations.values()
    yield from draft.sentences
    return Outcome()


def _missing(evidence: Evidence) -> str:
    """Return the refusal, and where an article has at least half of the question's words, which of them it lacks."""
    closest = max(evidence.candidates, key=lambda c: c.logit, default=None)
    read = parse(evidence.question)  # "leads" is said in many ways, and "'s" is nothing
    told = {t.text.strip("'’") for t in read if t.tag_ == "POS" or (t.pos_ == "VERB" and t.tag_ != "VBN")}
    words = {word: stems for word in naming(evidence.question) if (stems := content_terms(word))}
    if not (closest and closest.article.title and words):
        return REFUSED
    article, asked = closest.article, KINDS.get(kind(evidence.question))
    held = alike(terms(f"{article.title}\n{article.text}\n{article.outlet}"))
    lacking = [f"“{word}”" for word, stems in words.items() if not alike(stems) <= held]
    if 2 * len(lacking) > len(words):
        return REFUSED
    lacking = [word for word in lacking if word[1:-1] not in told]
    found = re.search(asked, evidence.question, re.I) if asked else None
    missing = f"nothing there of {', '.join(lacking)}" if lacking else f"not {found[0].lower() if found else 'this'}"
    title, day = shorten(article.title, TITLE_CHARACTERS, placeholder=" …"), article.published
    return f"{REFUSED[:-1]}: it has “{title}”{f' ({day:%-d %B %Y})' if day else ''}, but {missing}."


def refuse(text: str, reason: RefusalReason) -> Generator[Piece, None, Outcome]:
    """Yield why there is no answer."""
    yield text
    return Outcome(reason)


def closest(evidence: Evidence) -> tuple[Citation, ...]:
    """Return what comes closest to an answer, where none is given."""
    best = sorted(evidence.candidates, key=lambda candidate: -candidate.logit)[:CLOSEST]
    if sure(evidence):  # though a model declined
        best = [*(evidence.chosen or _choose(evidence))]
    return tuple(cite(c.article, c.field, c.start, c.end, n) for n, c in enumerate(best, 1))


def sure(evidence: Evidence) -> bool:
    """Tell whether the evidence is enough to quote from."""
    if evidence.chosen is not None:
        return bool(evidence.chosen)
    read = any(candidate.answers is not None for candidate in evidence.candidates)
    return evidence.confidence >= (SURE_ENOUGH_BY_READER if read else SURE_ENOUGH)


def confidence(candidates: Sequence[Candidate], rarity: Mapping[str, float], day: date | None) -> float:
    """Return how sure, 0…1, the surest candidate is; by the reader, how likely what is quoted is right.

    `rarity` is that of the question's words in the archive, `day` the one on which it asks for news, if it is known.
    """
    probable = [logistic(SURE_BY_READER, signals(c, rarity, day)) for c in candidates if c.answers is not None]
    for c in candidates if not probable else ():
        words, names = covered(c.part, f"{c.article.title} {c.article.text} {c.article.outlet}")
        weights = 1.0, LOGIT_PER_WORDS, LOGIT_PER_NAMES, -LOGIT_WITH_ALL
        probable.append(logistic(weights, (c.logit, words - 1, names - 1)))
    return round(max(probable, default=0.0), 4)


def signals(candidate: Candidate, rarity: Mapping[str, float], day: date | None) -> tuple[float, ...]:
    """Return what tells whether a sentence answers.

    Its logits, as an answer and as on the subject; the share of the question's words, by their rarity, that it holds
    together with what stands near it and the headline; the rarest word that these lack, and that sentence and headline
    lack; how much older than the day of the question its article is, 1 for `OLD_DAYS`; whether the question names
    what the archive does not know.
    """
    article, asked = candidate.article, content_terms(" ".join(naming(candidate.part)))
    wanted = {word: rarity.get(word, 1.0) for word in asked}
    titled = candidate.field == "title"
    near = article.text[:NEAR] if titled else article.text[max(0, candidate.start - NEAR) : candidate.end]
    own, around = (_lacking(wanted, f"{article.title} {text}") for text in (candidate.text, near))
    age = (day - article.published).days if day and article.published else 0
    share = 1 - sum(wanted[word] for word in around) / (sum(wanted.values()) or 1.0)
    rarest = (max((wanted[word] for word in lacking), default=0.0) for lacking in (around, own))
    old = min(max(age, 0) / OLD_DAYS, 1.0)
    return candidate.answers or 0.0, candidate.logit, share, *rarest, old, float(_unknown(candidate, rarity))


def _unknown(candidate: Candidate, rarity: Mapping[str, float]) -> bool:
    """Tell whether the question names what stands nowhere in the archive, and nothing like it in the article."""
    stems = (content_terms(name) for name in capitalised(candidate.part))
    names = [name for name in stems if name and all(rarity.get(stem) == 1.0 for stem in name)]
    begun = {word[:NAME_PREFIX] for word in stems_of(candidate.article)} if names else set()
    return any(stem[:NAME_PREFIX] not in begun for name in names for stem in name)


def _lacking(words: Iterable[str], text: str) -> list[str]:
    """Return those of the words, as stems, for which a text has none of the same meaning."""
    held = alike(terms(text))
    return [word for word in words if not alike({word}) <= held]


def _choose(evidence: Evidence) -> list[Candidate]:
    """Pick up to three, best first, none saying what another says; from other articles by preference."""
    question, candidates = evidence.question, evidence.candidates
    scores = {hit.passage.id: hit.score for hit in evidence.hits}
    best = max(scores.values())
    held = {c: _held(c) for c in candidates}
    counted = kind(question) == "number" and bool(evidence.latest)
    by = CROSS_ENCODER if any(c.answers is None for c in candidates) else READER

    def worth(candidate: Candidate) -> float:
        return (
            by.answers * (candidate.answers or 0.0)
            + by.logit * candidate.logit
            + by.passage * (scores[candidate.hit.passage.id] - best)
            + by.title * (candidate.field == "title")
            + by.fit * fits(candidate.part, candidate.text)
            + by.words * held[candidate][0]
            + by.headed * held[candidate][1]
            - FATE * another_fate(candidate.part, candidate.said)
            + (MENDED * mends(candidate) - ERRED * misreports(candidate, question) if counted else 0.0)
            + by.lead * (candidate.field == "text" and candidate.start < LEAD)
            - by.same * sum(c.article.id == candidate.article.id for c in chosen)
        )

    chosen: list[Candidate] = []
    left = [c for c in candidates if c.logit >= LOGIT_MIN or (counted and mends(c))]
    parts = [part for part in evidence.parts if any(c.part == part for c in left)]
    while left and len(chosen) < SENTENCES:
        due = [part for part in parts if part not in {c.part for c in chosen}]  # of the questions in one
        pick = max([c for c in left if not due or c.part == due[0]] or left, key=worth)
        told = (counted and (chosen or [pick])[0].answers) or 0.0  # a figure that answers needs little beside it
        far = by.far if told <= 0 else TOLD_FAR
        if chosen and not due and worth(pick) < worth(chosen[0]) - far:
            break
        pick = first(question, pick, left) if evidence.first else newest(question, pick, left, evidence.latest)
        pick = max((c for c in left if _says_again(c, pick)), key=worth, default=pick)
        chosen.append(pick)
        beside = sides(pick.part, pick, candidates) if len(chosen) == 1 else []  # who says otherwise
        if not fits(pick.part, pick.text) or _unexplained(pick):
            beside += _completes(pick)
        chosen += [c for c in beside if c.place not in {d.place for d in chosen}]
        quoted = {c.place for c in chosen}
        left = [c for c in left if c.place not in quoted and not any(_says_again(d, c) for d in chosen)]
        left = [c for c in left if not replaces(question, pick, c, evidence.latest)]
        if counted:
            left = [c for c in left if not (misreports(c, question) or another_fate(c.part, c.said, or_none=True))]
        left = [c for c in left if all(share(c.terms, d.terms) < SAME_WORDS for d in chosen)]
    return chosen[:SENTENCES]


def _held(candidate: Candidate) -> tuple[float, float]:
    """Return the share of the question's words that a sentence holds, and of those that only its headline does."""
    wanted = content_terms(candidate.part)
    own = share(wanted, candidate.terms)
    return own, share(wanted, candidate.terms | alike(terms(candidate.article.title))) - own


def _denied(evidence: Evidence) -> bool:
    """Tell whether the best sentence denies what is taken for granted, "Why did Carr win?", and none says it."""
    if not (presumed := PRESUMED.fullmatch(evidence.question)):
        return False
    taken = [clause._replace(finite=True) for clause in clauses(presumed[1])]

    def denied(candidate: Candidate) -> bool:
        return bool(denies(taken, clauses(candidate.said)) or opposes(presumed[1], candidate.said))

    verbs = {clause.verb for clause in taken}
    same = verbs.union(*(one for one, other in OPPOSITES if verbs & (one | other)))
    saying = [c for c in evidence.candidates if same & c.terms and covered(presumed[1], c.said)[1] == 1]
    return denied(max(evidence.candidates, key=lambda c: c.logit)) and all(map(denied, saying))


def _says_again(candidate: Candidate, headline: Candidate) -> bool:
    """Tell whether a sentence says what a headline says: the headline is then not quoted beside it."""
    again = share(alike(content_terms(headline.text)), candidate.terms)
    counts = values(headline.said) <= values(candidate.said)  # "seven dead" is not said again by "three died"
    return (candidate.field, headline.field) == ("text", "title") and again >= HEADLINE_WORDS and counts


def _unexplained(candidate: Candidate) -> bool:
    """Tell whether a sentence says what is asked why, and gives no reason."""
    return bool(WHY.match(candidate.part)) and not REASON.search(candidate.said)


def _completes(candidate: Candidate) -> list[Candidate]:
    """Return the sentence next to one that has what it lacks: who "she" is, when "this" will be, why it was."""
    around = list(near(candidate))
    before = [c for c in around if c.end <= candidate.start]
    behind = [c for c in around if c.start >= candidate.end]
    if _unexplained(candidate):
        return ([c for c in behind if REASON.search(c.said)] or behind)[:1]
    named = kind(candidate.part) == "name"
    return [c for c in (before[::-1] if named else behind[:1]) if fits(candidate.part, c.text)][:1]
