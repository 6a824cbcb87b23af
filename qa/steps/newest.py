"""Tells which of several reports' sentences says how things stand: later ones replace what earlier ones had."""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from index.text import lists
from index.text.days import dates
from index.text.fold import words
from index.text.names import capitalised, is_verb
from index.text.terms import alike, content_terms, share, terms
from index.types import Article
from qa.steps.converse import FILLERS
from qa.steps.evidence import Candidate
from qa.steps.understand import fits, kind, values

UPDATE_LOSS = 2.0  # by which the reader may take a later report's sentence for a worse answer than the one it replaces
LOSS = {"day": 1.0, "name": 1.0, "any": 0.0, "number": 0}
SAME_LOSS = 6.0  # where it says that as many did what is asked, "died"
SAID_SHARE = 0.85  # of the question's things in the earlier report, that the later one of the same story has too
ERRED = re.compile(lists.pattern("erred"), re.I)  # tells what was said wrongly
MENDED = re.compile(lists.pattern("mended"), re.I)  # tells what is right instead
OF_ERRORS = re.compile(r"\b(?:wrong\w*|withdr[ae]w\w*|retract\w*|correct\w*|revis\w*|first|original\w*|initial\w*|error|mistake)\b", re.I)


def misreports(candidate: Candidate, question: str) -> bool:
    """Tell whether a sentence repeats what was wrong, and is not asked about that."""
    erred = ERRED.search(candidate.said) and not MENDED.search(candidate.said)
    return bool(erred) and not OF_ERRORS.search(question)


def mends(candidate: Candidate) -> bool:
    """Tell whether a sentence says what is right where something wrong was reported."""
    return bool(MENDED.search(candidate.said))


def first(question: str, pick: Candidate, among: Sequence[Candidate]) -> Candidate:
    """Return the sentence of the earliest report that a sentence replaces, itself where it replaces none."""
    before = [c for c in among if replaces(question, pick, c, date.max)]
    return min(before, key=lambda c: c.article.published or date.max, default=pick)


def newest(question: str, pick: Candidate, among: Sequence[Candidate], latest: date | None) -> Candidate:
    """Return the sentence that says of what a sentence says how it stands by the last report up to a day."""
    best = max(c.logit for c in among)
    later = [c for c in among if replaces(question, c, pick, latest) or (kind(question) != "number" and c.logit >= best - LOSS[kind(question)] and replaces(question, c, pick, latest, True))]
    if not later:
        return pick
    return newest(question, max(later, key=lambda c: (explicit(question, c, pick), c.article.published or date.min, c.answers or 0.0)), among, latest)


def replaces(question: str, later: Candidate, earlier: Candidate, latest: date | None, anyhow: bool = False) -> bool:
    """Tell whether a later report's sentence answers with what the earlier report, of one story, does not have."""
    days = earlier.article.published, later.article.published
    if not (latest and days[0] and days[1] and days[1] <= latest and earlier.article != later.article):
        return False
    if misreports(later, question) or not same_story(question, earlier.article, later.article):
        return False
    if days[0] <= days[1] and explicit(question, later, earlier):
        return True
    if not (days[0] < days[1] and fits(question, later.text, f"{earlier.article.title}\n{earlier.article.text}")):
        return False
    loss = UPDATE_LOSS if not _done(question) & later.terms else SAME_LOSS
    return anyhow or (kind(question) == "number" and (later.answers or 0.0) >= (earlier.answers or 0.0) - loss)


def _done(question: str) -> set[str]:
    """Return what a question asks how many did or suffered, "died", as stems of that meaning."""
    did = (content_terms(word) for word in words(question) if is_verb(word, "VBD", "VBN"))
    return alike(next(filter(None, did), set()))


def explicit(question: str, later: Candidate, earlier: Candidate) -> bool:
    """Tell whether a sentence names the value of another and one besides: "moved from 12 June to 26 June"."""
    asked = kind(question)
    if asked not in ("number", "day"):
        return False
    mine, theirs = _values(asked, later.said), _values(asked, _answer(earlier))
    known = _values(asked, f"{earlier.article.title}\n{earlier.article.text}")
    return bool(mine & theirs) and bool(mine - known)


def _answer(candidate: Candidate) -> str:
    return candidate.text[slice(*candidate.phrase)] if candidate.phrase else candidate.said


@lru_cache(maxsize=512)
def _values(asked: str, text: str) -> frozenset[object]:
    return frozenset(day[1:] for day in dates(text)) if asked == "day" else values(text)


def same_story(question: str, earlier: Article, later: Article) -> bool:
    """Tell whether a report lacks none of the names, and not most of the things, of the question that another has."""
    held, kept = _words(earlier), alike(_words(later))
    names = {stem for name in capitalised(question) for stem in content_terms(name)} & held
    naming = (w for w in re.findall(r"\w+", question) if w.casefold() not in FILLERS and not is_verb(w, "VBD", "VBN"))
    things = content_terms(" ".join(naming)) & held  # its "school", but not its "died", which is said in many ways
    return alike(names) <= kept and share(alike(things), kept) >= SAID_SHARE


@lru_cache(maxsize=64)
def _words(article: Article) -> set[str]:
    return terms(f"{article.title}\n{article.text}")
