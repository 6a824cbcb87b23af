"""Tells which of several reports' sentences says how things stand: later ones replace what earlier ones had."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache

from index.text import lists
from index.text.cut import sentences
from index.text.days import dates
from index.text.fold import words
from index.text.names import capitalised, is_verb
from index.text.numbers import SAID, numbers
from index.text.speech import SAYS
from index.text.terms import alike, content_terms, share, terms
from index.types import Article
from qa.steps.converse import FILLERS
from qa.steps.evidence import Candidate
from qa.steps.understand import fits, kind, values

# A later report's figure takes the place of an earlier one's: where the reader takes it for so much worse an answer at
# most, or SAME_LOSS where it says that as many did what is asked, "died"; within such a factor; where the later report
# has such a share of the question's things that the earlier one has. EXPERIMENTS.md, §25.
UPDATE_LOSS, SAME_LOSS, UPDATE_RATIO, SAID_SHARE = 2.0, 6.0, 20.0, 0.85
OTHERS_LOSS = {
    "day": 1.0,
    "name": 1.0,
    "any": 0.0,
    "number": 0.0,
}  # of the logit, no figure asked

# Another source's figure of the same time: at most so many, near so many characters in one article; within such a
# factor; of such a share of the words where two outlets tell it; of such a logit, beside the first and at least.
SIDES, NEAR, SIDE_RATIO, SAID_ALIKE, SIDE_LOSS, SIDE_LEAST = 2, 400, 6.0, 0.5, 3.0, -0.5
VARIED, VARIED_WORDS = (
    0.7,
    6,
)  # of the words of two sentences that differ in a name; how many these have
PUNCTUATION = ".,;:!?()“”\"'"
CLAIM = re.compile(rf"{SAYS}|\baccording to\b|{lists.pattern('claiming')}", re.I)
# "The company put the number at 1,140", "; the city spoke of 12,000"
CLAIMING = re.compile(
    r"(?:^|[;,] (?:while |but |and |whereas )?)(?!(?:That|This|It|He|She|They|There|Of|At|In|On)\b)"
    rf"(?P<who>(?:[^,;]|, who [^,;]+,|, which [^,;]+,){{2,80}}?) {lists.pattern('claiming')} (?P<figure>[^;]*)"
)
COUNTED = re.compile(
    rf"(?:\d[\d.,]*|{lists.pattern('number-words')})(?: (?:million|billion|thousand|percent|per cent))?"
    r" (?:such )?([a-z]+)"
)
MORE = {"more", "another", "further", "other", "others", "additional"}  # "three more bodies" is no other toll

# What was wrong, what is right instead, and the headline of a notice.
ERRED = re.compile(lists.pattern("erred"), re.I)
NOT_THIS = rf", not (?:the )?(?:[$€£]?\d|{lists.pattern('number-words')})"  # "31,500, not 48,000 as we reported"
MENDED = re.compile(rf"{lists.pattern('mended')}|{NOT_THIS}", re.I)
NOTICE = re.compile(r"\W*(?:corrections?|clarifications?|retraction|withdrawn|corrected)\b", re.I)
REPORTED = re.compile(r"\b(?:reported|stated|said|gave|wrote|put)\b(?! (?:on|in|at) \w+day\b)")
OF_ERRORS = re.compile(  # in a question
    r"\b(?:wrong\w*|withdr[ae]w\w*|retract\w*|correct\w*|revis\w*|first|original\w*|initial\w*|error|mistake)\b", re.I
)


def misreports(candidate: Candidate, question: str) -> bool:
    """Tell whether a sentence repeats what was wrong, and is not asked about that."""
    if MENDED.search(candidate.said) or OF_ERRORS.search(question):
        return False
    wrong = candidate.ties.wrong if candidate.ties else ()
    notice = NOTICE.match(candidate.article.title) and REPORTED.search(candidate.said)
    withdrawn = any(values(figure) & values(candidate.said) for figure in wrong)
    return bool(notice or ERRED.search(candidate.said) or withdrawn)


def mends(candidate: Candidate) -> bool:
    """Tell whether a sentence says what is right where something wrong was reported."""
    return bool(MENDED.search(candidate.said))


def first(question: str, pick: Candidate, among: Sequence[Candidate]) -> Candidate:
    """Return the sentence of the earliest report that a sentence replaces, itself where it replaces none."""
    near = (pick.answers or 0.0) - UPDATE_LOSS
    before = [c for c in among if (c.answers or 0.0) >= near and replaces(question, pick, c, date.max, anyhow=True)]
    return min(before, key=lambda c: c.article.published or date.max, default=pick)


def newest(question: str, pick: Candidate, among: Sequence[Candidate], latest: date | None) -> Candidate:
    """Return the sentence that says of what a sentence says how it stands by the last report up to a day."""
    if latest and misreports(pick, question):  # what the notice that takes it back has instead
        notices = {pick.article.id, pick.ties and pick.ties.corrected_by}
        right = [c for c in among if c.article.id in notices and mends(c) and fits(question, c.text)]
        pick = max(right, key=lambda c: c.answers or 0.0, default=pick)
    best, asked, passed = max(c.logit for c in among), kind(question), {pick.place}
    while True:
        later = [
            c
            for c in among
            if c.place not in passed
            and replaces(question, c, pick, latest, anyhow=asked != "number" and c.logit >= best - OTHERS_LOSS[asked])
        ]
        if not later:
            return pick
        now = pick
        pick = max(later, key=lambda c: (explicit(question, c, now), c.article.published or date.min, c.answers or 0.0))
        passed.add(pick.place)


def replaces(question: str, later: Candidate, earlier: Candidate, latest: date | None, anyhow: bool = False) -> bool:
    """Tell whether a later report's sentence answers with what the earlier report, of one story, does not have."""
    days = earlier.article.published, later.article.published
    if not (latest and days[0] and days[1] and days[1] <= latest and earlier.article != later.article):
        return False
    if misreports(later, question) or not comparable(question, earlier, later):
        return False
    if not same_story(question, earlier, later):
        return False
    mended = days[0] == days[1] and mends(later)  # of one day only what says so is later
    if (days[0] < days[1] or mended) and explicit(question, later, earlier):
        return True
    if not (days[0] < days[1] and fits(question, later.text, f"{earlier.article.title}\n{earlier.article.text}")):
        return False
    loss = UPDATE_LOSS if not _done(question) & later.terms else SAME_LOSS
    return anyhow or (kind(question) == "number" and (later.answers or 0.0) >= (earlier.answers or 0.0) - loss)


def comparable(question: str, one: Candidate, other: Candidate) -> bool:
    """Tell whether two sentences may count the same: not the dead and the hurt, nor 47 million and 2.40 euros."""
    if kind(question) != "number":
        return True
    if any(another_fate(question, c.said) for c in (one, other)):
        return False
    ours, theirs = ([*numbers(_answer(c))] for c in (one, other))
    same = [(a.value, b.value) for a in ours for b in theirs if a.unit == b.unit or "" in (a.unit, b.unit)]
    return any(max(pair) <= UPDATE_RATIO * min(pair) for pair in same)


def another_fate(question: str, said: str, or_none: bool = False) -> bool:
    """Tell whether a sentence tells what befell people, and nothing of what is asked: the hurt, asked for the dead.

    With `or_none`, one that tells of no fate is none of what is asked, either.
    """
    known = lists.meanings("fates")
    asked, told = ({known[word] for word in words(text) if word in known} for text in (question, said))
    return bool(asked and (told or or_none)) and not asked & told


def _done(question: str) -> set[str]:
    """Return what a question asks how many did or suffered, "died", as stems of that meaning."""
    did = (content_terms(word) for word in words(question) if is_verb(word, "VBD", "VBN"))
    return alike(next(filter(None, did), set()))


def sides(question: str, pick: Candidate, among: Sequence[Candidate]) -> list[Candidate]:
    """Return the sentences that answer with another figure at the same time, by another source: at most two.

    They stand near the sentence in its article, "The company put the number at 1,140", or in a report of the same day
    by another outlet, which may say all but a name the same. A later day's figure is an update.
    """
    told = [c for c in among if variant(pick, c)]
    if told or kind(question) != "number" or not CLAIM.search(pick.said) or ERRED.search(pick.said):
        return told[:1]
    if MENDED.search(pick.said):
        return []
    beside = [c for c in near(pick) if _claims(question, pick, c) and _differs(pick, c)]
    others = [c for c in among if c.article != pick.article and _same_day(question, pick, c) and _differs(pick, c)]
    return [*beside, *sorted(others, key=lambda c: -(c.answers or 0.0))][:SIDES]


def near(pick: Candidate) -> Iterator[Candidate]:
    """Yield the sentences around one in its article, in order."""
    if pick.field == "title":
        return
    text = pick.article.text
    start = max(0, pick.start - NEAR)
    for span in sentences(text[start : pick.end + NEAR]):
        if (span.start or not start) and not start + span.start <= pick.start < start + span.end:
            yield replace(pick, start=start + span.start, end=start + span.end, phrase=None)


def variant(pick: Candidate, other: Candidate) -> tuple[str, str] | None:
    """Return the names or figures in which two reports of a day tell the same in the same words but for these.

    Each is as it stands there; None where they are of one article, of two days, or differ in more or in nothing.
    """
    apart = pick.article.id != other.article.id and pick.article.published == other.article.published
    ours, theirs = pick.said.split(), other.said.split()
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    if not apart or min(len(ours), len(theirs)) < VARIED_WORDS or matcher.ratio() < VARIED:
        return None
    known = {*words(f"{pick.article.outlet} {other.article.outlet}")}
    for how, i, j, k, m in matcher.get_opcodes():
        both = " ".join(ours[i:j]).strip(PUNCTUATION), " ".join(theirs[k:m]).strip(PUNCTUATION)
        telling = all(re.search(r"[A-Z]", side) or SAID.search(side) for side in both)
        differ = not {*words(both[0])} & {*words(both[1])}
        if how == "replace" and telling and differ and not {*words(" ".join(both))} & known:
            return both
    return None


def _claims(question: str, pick: Candidate, other: Candidate) -> bool:
    """Tell whether a sentence is somebody's figure of what is asked, or says not of what."""
    found = CLAIMING.search(other.said)
    if not found or not SAID.search(found["figure"]):
        return False
    of = {noun for noun in COUNTED.findall(found["figure"]) if content_terms(noun) or noun in MORE}
    known = pick.terms | alike(content_terms(question))
    return not (another_fate(question, other.said) or of & MORE) and all(content_terms(noun) <= known for noun in of)


def _same_day(question: str, pick: Candidate, other: Candidate) -> bool:
    day, outlet = pick.article.published, pick.article.outlet
    return bool(
        day
        and day == other.article.published
        and outlet != other.article.outlet
        and other.phrase
        and (share(content_terms(pick.said), other.terms) >= SAID_ALIKE or CLAIM.search(other.said))
        and (other.answers or 0.0) >= max((pick.answers or 0.0) - SIDE_LOSS, SIDE_LEAST)
        and not another_fate(question, other.said)
        and same_story(question, pick, other)
    )


def _differs(pick: Candidate, other: Candidate) -> bool:
    """Tell whether a sentence has a number that may be of the same, in the stead of the one that answers."""
    if ERRED.search(other.said) or MENDED.search(other.said):
        return False
    [ours, *_], theirs = [*numbers(_answer(pick)), None], [*numbers(_answer(other))]
    if not ours or ours.value in values(other.said) or values(pick.said) >= values(other.said):
        return False
    same = [n for n in theirs if n.unit == ours.unit or (n.unit == "" and ours.unit != "%")]
    return any(1 < max(n.value, ours.value) / (min(n.value, ours.value) or 1e-9) <= SIDE_RATIO for n in same)


def explicit(question: str, later: Candidate, earlier: Candidate) -> bool:
    """Tell whether a sentence names the value of another and one besides: "moved from 12 June to 26 June"."""
    asked = kind(question)
    if asked not in ("number", "day"):
        return False
    mine, theirs = _values(asked, later.said), _values(asked, _answer(earlier))
    if asked == "number":  # the 820 of "820 of its 900 drivers"
        theirs = frozenset(n.value for n in [*numbers(_answer(earlier))][:1])
    known = _values(asked, f"{earlier.article.title}\n{earlier.article.text}")
    return bool(mine & theirs) and bool(mine - known)


def _answer(candidate: Candidate) -> str:
    return candidate.text[slice(*candidate.phrase)] if candidate.phrase else candidate.said


@lru_cache(maxsize=512)
def _values(asked: str, text: str) -> frozenset[object]:
    return frozenset(day[1:] for day in dates(text)) if asked == "day" else values(text)


def same_story(question: str, earlier: Candidate, later: Candidate) -> bool:
    """Tell whether a report lacks none of the names, and few of the things, of the question that another has.

    Two reports of one event may be of different things in it: being of one story in the archive's table is not enough.
    """
    held, kept = stems_of(earlier.article), alike(stems_of(later.article))
    names = {stem for name in capitalised(question) for stem in content_terms(name)} & held
    things = (
        content_terms(" ".join(w for w in naming(question) if not is_verb(w, "VBD", "VBN"))) & held
    )  # its "school", but not its "died", which is said in many ways
    if not names | things:  # "How many died?"
        return bool(earlier.ties and later.ties and earlier.ties.story & later.ties.story)
    return alike(names) <= kept and (not things or share(alike(things), kept) >= SAID_SHARE)


def naming(question: str) -> list[str]:
    """Return the words of a question, as it has them, that may name something: "latest" and "report" do not."""
    return [word for word in re.findall(r"\w+", question) if word.casefold() not in FILLERS]


@lru_cache(maxsize=64)
def stems_of(article: Article) -> set[str]:
    """Return the stems of an article and its headline."""
    return terms(f"{article.title}\n{article.text}")
