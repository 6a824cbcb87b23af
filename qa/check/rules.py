"""What speaks against a sentence, told by rules: each compares it with its evidence, clause by clause.

A rule speaks only where a clause of the evidence is about what the claim is about, and says another thing of it. What
each catches, and which true sentences it takes for false, is measured in evals/EXPERIMENTS.md.
"""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from index.text import lists
from index.text.days import DATE
from index.text.names import country, names, subjects, triples, words
from index.text.numbers import SAID, numbers
from qa.check.spans import content

NEGATION = re.compile(
    rf"{lists.pattern('denials')}(?!-| (?:only|just|merely|necessarily|contest|matter|doubt|longer the)\b)|n['’]t\b",
    re.I,
)
HEDGED = re.compile(lists.pattern("hedges"), re.I)
NEGATIVE = re.compile(lists.pattern("negatives"), re.I)
DOUBT = re.compile(rf"(?i:{lists.pattern('doubts')})|\bmay\b(?= [a-z])")
ROW = " · "  # between the cells of a table's row, which is one clause
CLAUSE = re.compile(r"[;:!?()–—\n]|[,.](?!\d)|\b(?:but|although|though|while|whereas|and|when|because)\b", re.I)
PAIRS = [[content(side) for side in pair.split("/")] for pair in lists.lines("opposites")]
OPPOSITES = [sides for pair in PAIRS for sides in (pair, pair[::-1])]
ORDER = re.compile(r"\b(before|after)\b", re.I)
# How many of some: what stands further down says less.
SHARES = [
    re.compile(rf"\b(?:{words})\b(?: of)?(?: the| its| their)? (\w+)", re.I)
    for words in ("all|every|each|both", "most|(?:the|a) majority|nearly all", "half", "some|several|few|many|part|one")
]
PARTICLE = re.compile(r"not|never|cannot|n['’]t", re.I)
DENIED = {"deny", "denies", "denied"}
CONDITIONS = {"if", "unless"}
UNITS = lists.meanings("units")
BARE = "?"  # the unit of a number that ends its clause: "prosecutors asked for nine years, the court gave six"
SCOPE = 4  # content words behind "no", "denied" or "would" of which it speaks; "not" speaks of the first
BESIDE, SHARED = 3, 2  # content words on either side, of which so many in common make two words be of the same
MOSTLY = 0.75  # share of a claim's words that makes it be what is said under a condition
ALIKE = 0.5  # share of a clause's words that makes two clauses be about the same
NEAR = 0.25  # the share that is enough where only that clause has the name of the claim's
FARTHER = 0.5  # by how much less a clause with the claimed number may be about the same as one with another number


def denies(claim: str, evidence: str) -> str:
    """Return the word that only one of two texts denies, "" where they agree."""
    for one, other in ((claim, evidence), (evidence, claim)):
        negatives = [{word.lower() for word in NEGATIVE.findall(text)} for text in (other, one)]
        if NEGATION.search(other) or negatives[0] - negatives[1]:
            continue
        words = _content(other)
        for word, stem, beside, shared in _denied(one):
            if any(stem == s and _alike(beside, _beside(words, n), shared) for n, (_, s) in enumerate(words)):
                return word
    return ""


def doubts(claim: str, evidence: str) -> str:
    """Return the word by which the evidence leaves open what the claim states, "" where it does not."""
    ours = content(claim)
    if DOUBT.search(claim) or HEDGED.search(claim):
        return ""
    for clause in _clauses(evidence):
        for match in DOUBT.finditer(clause):
            if match[0].lower() in CONDITIONS:
                rest = evidence.replace(clause, " ")
                if _share(ours, content(rest)) >= MOSTLY:
                    return match[0]
            else:
                about, behind = content(clause.replace(match[0], " ")), _content(clause[match.end() :])[:SCOPE]
                said = behind or _content(clause[: match.start()])[-SCOPE:]  # "the cause is not known"
                alike = max(_share(about, ours), 0.0 if behind else _share(ours, about))
                if alike >= ALIKE and any(stem in ours for _, stem in said):
                    return match[0]
    return ""


def opposes(claim: str, evidence: str) -> str:
    """Return a word of a claim whose opposite stands in its evidence among like words, and the word nowhere; or ""."""
    ours, theirs = _content(claim), _content(evidence)
    held = {stem for _, stem in theirs}
    for n, (word, stem) in enumerate(ours):
        for one, other in OPPOSITES:
            if stem in one and not one & held:
                for m, (_, there) in enumerate(theirs):
                    if there in other and _alike(_beside(ours, n), _beside(theirs, m)):
                        return word
    return ""


def misplaced(claim: str, evidence: str) -> str:
    """Return the clause of the evidence that says what a claim says, or of whom, with another number; or "".

    The claimed number then stands there in a clause about something else, or about somebody else.
    """
    theirs = [_counted(clause) for clause in _clauses(evidence)]
    for clause in _clauses(claim):
        of, who, values, _ = _counted(clause)
        for value, unit in values:
            held = [c for c in theirs if c.values & {(value, unit), (value, BARE)}]
            others = [c for c in theirs if c not in held and any(u in (unit, BARE) for _, u in c.values)]
            least = max((_share(of, c.about) for c in held), default=1.0)
            for other in others if held and unit else ():
                alike = _share(of, other.about)
                named = who & other.names and all(c.names and not who & c.names for c in held)
                if alike - least >= FARTHER or (named and alike >= NEAR):
                    return other.text.strip()
    return ""


def of_another(claim: str, evidence: str) -> str:
    """Return what the evidence says that somebody did of whom the claim says it of another; "" where it does not.

    A capital stands for its country: "Kyiv accepted" is no other than "Ukraine accepted".
    """
    known = {country(word) for word in names(evidence)}
    did = [(_stem(verb), _countries(name), whole) for name, verb, whole in subjects(evidence)]
    theirs = {stem: (who, whole) for stem, who, whole in did if stem and who & known}
    affirmed = (c for c in _clauses(evidence) if not (NEGATION.search(c) or NEGATIVE.search(c)))
    said = {word for clause in affirmed for word in _countries(clause)}
    named = {country(word) for word in names(claim)}
    for name, verb, _ in subjects(claim):
        who = _countries(name)
        if who & named and (stem := _stem(verb)) in theirs and not who & (theirs[stem][0] | said):
            return theirs[stem][1]
    return ""


def reversed_roles(claim: str, evidence: str) -> str:
    """Return what the evidence says that one did to another, where the claim has it the other way round; or ""."""
    ours, theirs = (
        {(_countries(who), _stem(verb), _countries(whom)): whole for who, verb, whom, whole in triples(text)}
        for text in (claim, evidence)
    )
    return next((theirs[key[::-1]] for key in ours if key not in theirs and key[::-1] in theirs), "")


def reorders(claim: str, evidence: str) -> str:
    """Return "before" or "after" of a claim where the evidence has the other between the same things; or ""."""
    for ours in ORDER.finditer(claim):
        for theirs in ORDER.finditer(evidence):
            if ours[1].lower() != theirs[1].lower():
                behind = [content(CLAUSE.split(t[m.end() :])[0]) for t, m in ((claim, ours), (evidence, theirs))]
                if behind[0] and _share(behind[0], behind[1]) > ALIKE:
                    return ours[1]
    return ""


def widens(claim: str, evidence: str) -> str:
    """Return the "all members" of a claim where its evidence speaks of some members; "" where it does not."""
    theirs = [{_stem(match[1]) for match in share.finditer(evidence)} - {""} for share in SHARES]
    for rank, share in enumerate(SHARES):
        for match in share.finditer(claim):
            as_many, fewer = (set().union(*part) for part in (theirs[: rank + 1], theirs[rank + 1 :]))
            if _stem(match[1]) in fewer - as_many:
                return match[0]
    return ""


@lru_cache(maxsize=1024)
def _clauses(text: str) -> tuple[str, ...]:
    lines = ([line] if ROW in line else CLAUSE.split(line) for line in text.split("\n"))
    return tuple(clause for line in lines for clause in line if clause.strip())


def _denied(text: str) -> Iterator[tuple[str, str, set[str], int]]:
    """Yield the words that a text denies, their stems, the stems beside them, and how many of these must agree."""
    for clause in _clauses(text):
        said = _content(clause)
        for match in NEGATION.finditer(clause):
            behind = len(_content(clause[: match.end()]))
            scope = 1 if PARTICLE.fullmatch(match[0]) else SCOPE
            shared = 1 if match[0].lower() in DENIED else SHARED
            for n in range(behind, min(behind + scope, len(said))):
                yield *said[n], _beside(said, n) - content(match[0]), shared


@lru_cache(maxsize=4096)
def _content(text: str) -> tuple[tuple[str, str], ...]:
    """Return the content words of a text in order with their stems; words such as "immediately" are none."""
    found = ((word, _stem(word)) for word in re.findall(r"\w+", text) if not (word.endswith("ly") and word.islower()))
    return tuple((word, stem) for word, stem in found if stem)


def _beside(said: Sequence[tuple[str, str]], n: int) -> set[str]:
    return {stem for _, stem in (*said[max(0, n - BESIDE) : n], *said[n + 1 : n + 1 + BESIDE])}


def _alike(one: set[str], other: set[str], shared: int = SHARED) -> bool:
    return len(one & other) >= min(shared, len(one), len(other))


class _Counted(NamedTuple):
    """A clause: the stems of what it is about, the names among them, and its numbers with their units."""

    about: frozenset[str]
    names: frozenset[str]
    values: frozenset[tuple[float, str]]
    text: str


@lru_cache(maxsize=4096)
def _counted(clause: str) -> _Counted:
    undated = DATE.sub(" ", clause)
    bare = {value for value, *_ in numbers(undated.split()[-1])} if undated.strip() else set()
    values = frozenset(
        (value, unit or (BARE if value in bare else ""))
        for value, unit, *_ in numbers(undated)
        if unit or not 1900 <= value <= 2100  # a year
    )
    said = (stem for word, stem in _content(undated) if not SAID.search(word) and word.lower() not in UNITS)
    return _Counted(frozenset(said), frozenset(map(country, names(undated))), values, clause)


def _share(wanted: AbstractSet[str], held: AbstractSet[str]) -> float:
    return len(wanted & held) / max(1, len(wanted))


def _stem(word: str) -> str:
    return min(content(word), default="")


def _countries(text: str) -> frozenset[str]:
    return frozenset(map(country, words(text)))
