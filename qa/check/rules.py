"""What speaks against a sentence, told by rules: each compares it with its evidence, clause by clause.

A rule speaks only where a clause of the evidence is about what the claim is about, and says another thing of it. What
each catches, and which true sentences it takes for false, is measured in evals/EXPERIMENTS.md.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache

from index.text import lists
from index.text.terms import share
from qa.check.clauses import CERTAIN, ELSE, SOME, SPEAKING, TITLE, Clause, Clauses
from qa.check.grammar import IS, OBJECT, SUBJECT
from qa.check.spans import content

NEGATION = re.compile(
    rf"{lists.pattern('denials')}(?!-| (?:only|just|merely|necessarily|contest|matter|doubt|longer the)\b)|n['’]t\b",
    re.I,
)
DOUBT = re.compile(rf"(?i:{lists.pattern('doubts')})|\bmay\b(?= [a-z])")
CLAUSE = re.compile(r"[;:!?()–—\n]|[,.](?!\d)|\b(?:but|although|though|while|whereas|and|when|because)\b", re.I)
PAIRS = [[content(side) for side in pair.split("/")] for pair in lists.lines("opposites")]
OPPOSITES = [sides for pair in PAIRS for sides in (pair, pair[::-1])]
ORDER = re.compile(r"\b(before|after)\b", re.I)
# Verbs that tell little of what a clause is about.
COMMON = SPEAKING | {"be", "have", "includ", "featur", "do", "make", "take", "go", "come", "feel", "want"}
WHOM = OBJECT, "to", "from", "against", "over"  # to whom something is done: with whom is the same both ways
UNKNOWN = {"know", "clear", "establish"}
BESIDE, SHARED = 3, 2  # content words on either side, of which so many in common make two words be of the same
MOSTLY = 0.75  # share of a claim's words that makes it be what is said under a condition
ALIKE = 0.5  # share of a clause's words that makes two clauses be about the same


def denies(claim: Clauses, evidence: Clauses) -> str:
    """Return the word that only one of claim and evidence denies, "" where they agree."""
    for ours, same in _same(claim, evidence, SPEAKING):
        # "Some did" is not denied by "not all did", and what is left open denies nothing.
        told = [e for e in same if e.certain in (CERTAIN, ours.certain)]
        some = any(rank >= SOME for clause in (ours, *same) for rank in clause.shares.values())
        if told and not some and all(bool(theirs.denied) != bool(ours.denied) for theirs in told):
            return ours.denied or told[0].denied
    return ""


def doubts(claim: Clauses, evidence: Clauses) -> str:
    """Return the word by which the evidence leaves open what the claim states, "" where it does not."""
    for ours, same in _same(claim, evidence, COMMON):
        sure = [e for e in same if e.certain <= ours.certain or bool(e.denied) != bool(ours.denied)]
        if same and not sure:
            return same[0].doubt
    for ours in claim:
        for theirs in evidence if IS in ours.heads and not ours.denied else ():
            if theirs.verb in UNKNOWN and theirs.denied and ours.heads.get(SUBJECT, frozenset()) & theirs.about:
                return f"{theirs.denied} {theirs.verb}"
    return ""


def _same(claim: Clauses, evidence: Clauses, common: set[str]) -> Iterator[tuple[Clause, list[Clause]]]:
    """Yield each clause of a claim with those of the evidence that say its verb of the same, save common verbs."""
    for ours in claim:
        if ours.finite and ours.verb not in common:
            yield ours, [e for e in evidence if e.finite and e.verb == ours.verb and _agrees(ours, e)]


def opposes(claim: str, evidence: str) -> str:
    """Return a word of a claim whose opposite stands in its evidence among like words, and the word nowhere; or ""."""
    theirs = _content(evidence)
    held = {stem for _, stem, _ in theirs}
    for word, stem, beside in _content(claim):
        for one, other in OPPOSITES:
            if stem in one and not one & held:
                for _, there, near in theirs:
                    if there in other and len(beside & near) >= min(SHARED, len(beside), len(near)):
                        return word
    return ""


def of_another(claim: Clauses, evidence: Clauses) -> str:
    """Return what the evidence says of somebody of whom the claim says it of another, or the other way round; or ""."""
    for ours in claim:
        alike = [e for e in evidence if e.verb == ours.verb and ours.verb not in SPEAKING]
        same = [e for e in alike if e.finite and ours.verb not in COMMON]
        other = [] if any(_fits(ours, e) for e in same) else [e for e in same if _about(ours, e)]
        if not any(_meet(ours, e, SUBJECT, SUBJECT) for e in alike):
            other += [e for e in alike if _exchanged(ours, e)]
        if other:
            return other[0].text
    return ""


def speaks(claim: Clauses, evidence: Clauses) -> tuple[str, str]:
    """Return who says in the claim, known in the evidence, what another says there, and who; "" where they agree."""
    titles = [(e.names[SUBJECT], {f"the {stem}" for stem in (*e.about, e.verb)}) for e in evidence if e.text == TITLE]
    known = {name for theirs in evidence for names in (*theirs.names.values(), theirs.speaker) for name in names}
    told = [e for e in evidence if e.speaker]
    for ours in claim:
        wanted = ours.about - {ours.verb}
        about = [e for e in told if share(wanted, e.about) >= (ALIKE if e.verb == ours.verb else MOSTLY)]
        who = ours.speaker.union(*(names for names, called in titles if ours.speaker & called))
        if who & known and about and not any(_one(who, theirs.speaker) for theirs in about):
            return ours.by, about[0].by
    return "", ""


def _one(who: AbstractSet[str], other: AbstractSet[str]) -> bool:
    """Tell whether two are the same, by their names, or by what they are called where one has no name; or may be."""
    named = [{name for name in names if not name.startswith("the ")} for names in (who, other)]
    return bool(named[0] & named[1]) if all(named) else bool(who & other) or not any(named[1:])


def reorders(claim: str, evidence: str) -> str:
    """Return "before" or "after" of a claim where the evidence has the other between the same things; or ""."""
    for ours in ORDER.finditer(claim):
        for theirs in ORDER.finditer(evidence):
            if ours[1].lower() != theirs[1].lower():
                behind = [content(CLAUSE.split(t[m.end() :])[0]) for t, m in ((claim, ours), (evidence, theirs))]
                if behind[0] and share(behind[0], behind[1]) > ALIKE:
                    return ours[1]
    return ""


def widens(claim: Clauses, evidence: Clauses) -> str:
    """Return what the evidence says of some, or of all, where the claim says it of more or of fewer; or ""."""
    for ours in claim:
        for place, rank in ours.shares.items():
            same = [e for e in evidence if e.verb == ours.verb and place in e.shares and _about(ours, e)]
            if same and not any(e.shares[place] == rank or (rank == SOME and e.shares[place] > 0) for e in same):
                return same[0].text
    return ""


def _fits(ours: Clause, theirs: Clause) -> bool:
    """Tell whether no place has names in one clause that are in none of the other, where that place has others."""
    anywhere = frozenset[str]().union(*theirs.names.values())
    told = ((place, named) for place, named in ours.names.items() if not (place == ELSE or place.endswith(" of")))
    return all(named & anywhere for place, named in told if named and theirs.names.get(place))


def _about(ours: Clause, theirs: Clause) -> bool:
    """Tell whether one clause is of what the other is, the names and the verb aside."""
    wanted = ours.about - {ours.verb}
    if not wanted:
        return not any(theirs.heads.values()) or any(_meet(ours, theirs, place, place) for place in ours.heads)
    surely = IS in ours.heads or theirs.text == TITLE or _meet(ours, theirs, SUBJECT, SUBJECT)
    least = 1 if surely else min(SHARED, len(wanted))
    return len(wanted & theirs.about) >= max(ALIKE * len(wanted), least)


def _agrees(ours: Clause, theirs: Clause) -> bool:
    """Tell whether two clauses of one verb are of the same, as far as they say of whom."""
    both = [place for place in (SUBJECT, OBJECT) if _whole(ours, place) and _whole(theirs, place)]
    return _fits(ours, theirs) and _about(ours, theirs) and all(_meet(ours, theirs, place, place) for place in both)


def _exchanged(ours: Clause, theirs: Clause) -> bool:
    """Tell whether who did it in one clause is to whom it was done in the other, both ways."""
    return any(_meet(ours, theirs, SUBJECT, whom) and _meet(ours, theirs, whom, SUBJECT) for whom in WHOM)


def _meet(ours: Clause, theirs: Clause, place: str, there: str) -> bool:
    """Tell whether what stands in a place of one clause stands in this place of the other, or behind its object."""
    one, other = (_whole(c, p) | _whole(c, f"{OBJECT} {p}") for c, p in ((ours, place), (theirs, there)))
    return bool(one & other)


def _whole(clause: Clause, place: str) -> frozenset[str]:
    return clause.names.get(place, frozenset()) | clause.heads.get(place, frozenset())


@lru_cache(maxsize=4096)
def _content(text: str) -> tuple[tuple[str, str, set[str]], ...]:
    """Return the content words of a text in order, such as "immediately" aside, with their stems and those beside."""
    words = [
        word for word in re.findall(r"\w+", text) if content(word) and not (word.endswith("ly") and word.islower())
    ]
    stems = [min(content(word)) for word in words]
    beside = ({*stems[max(0, n - BESIDE) : n], *stems[n + 1 : n + 1 + BESIDE]} for n in range(len(words)))
    return tuple(zip(words, stems, beside, strict=True))
