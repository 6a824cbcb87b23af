"""The clauses of a text: who did what to whom, by whose word, and whether it is denied or left open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from index.text import lists
from index.text.names import is_noun
from index.text.syntax import parse
from index.text.terms import alike, terms
from qa.check.grammar import (
    IS,
    NONE,
    OBJECT,
    SHARES,
    SUBJECT,
    is_name,
    is_verb,
    leans,
    names_of,
    places_of,
    stem_of,
)
from qa.check.spans import content

if TYPE_CHECKING:
    from index.text.syntax import Doc, Token

GOVERNED = {"ccomp", "xcomp", "pcomp", "acl", "parataxis", "csubj"}  # what depends on a word that may deny or doubt it
CONVERSES = {
    verb: (other.split()[0], dict(move.split("=") for move in other.split()[1:]))
    for verb, _, other in (line.partition(": ") for line in lists.lines("converses"))
}
DENYING, DOUBTING = {*lists.lines("denying")}, {*lists.lines("doubting")}
SPEAKING = {stem for name in ("saying", "speaking") for word in lists.lines(name) for stem in terms(word)}
CALLING = {stem for word in lists.lines("calling") for stem in terms(word)}
TELLING = {"warn", "argue", "suggest"}  # with a sentence behind them they only tell who speaks
ANYONE = content(f"people persons anyone anybody someone somebody nobody none {' '.join(SHARES)}")
ELSE = "else"  # the place of all names that go with a verb
TITLE = ""  # the text of a clause that is a name and what it is called
SOME = 3  # the line of shares.txt that "not all" means
NAMED_WORDS = 6  # of who says something, in a verdict
CERTAIN, COMING, OPEN = 0, 1, 2  # told as a fact, to come, left open
Names = frozenset[str]


class Clause(NamedTuple):
    """What one verb, or a headline's noun, says: its stem, and what stands in each place beside it.

    A place is "subject" (who did it, also in the passive), "object" (to whom), "is", a preposition, or a preposition
    behind a noun in one of these: "subject in".
    """

    verb: str
    heads: Mapping[str, frozenset[str]]  # the stems of the nouns in a place
    names: Mapping[str, Names]
    about: frozenset[str]  # stems of all that it says
    denied: str  # the word by which it is denied, "" for none
    certain: int
    doubt: str  # the word by which it is not certain
    speaker: Names  # of whose word it is; also of who "called it reckless"
    shares: Mapping[str, int]  # how many of the nouns in a place: a line of shares.txt
    text: str
    finite: bool = True  # it states something by itself: not "to pay", nor a question
    by: str = ""  # the speaker as he is called there


@lru_cache(maxsize=4096)
def clauses(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a sentence."""
    verbs = {token for token in parse(text) if is_verb(token)}
    return (*(clause for verb in sorted(verbs) for clause in _clauses(verb, verbs)), *_titles(parse(text)))


def _clauses(verb: Token, verbs: set[Token]) -> Iterator[Clause]:
    """Yield what a verb says, of each of its subjects: "Norland and Maravia sent boats" are two."""
    own = [token for token in verb.subtree if next(t for t in (token, *token.ancestors) if t in verbs) == verb]
    places: dict[str, list[Token]] = {}
    for place, head in places_of(verb):
        places.setdefault(place, []).append(head)
    stem = stem_of(verb)
    if stem == "be" and IS in places:
        stem = stem_of(places[IS][0])
    stem, moves = CONVERSES.get(stem, (stem, {}))
    moves = moves or {f"{IS} of": OBJECT}  # "the captain of Marlow"
    places = {moves.get(place, place): heads for place, heads in places.items()}
    certain, doubt = max(_doubts(verb), key=lambda found: found[0])
    inherited = {token for heads in places.values() for head in heads for token in head.subtree if token not in own}
    if named := [token for token in own if is_name(token)]:
        places[ELSE] = named
    by = _speaker(verb) or next(iter(places.get(SUBJECT, ())) if stem in CALLING else iter(()), None)
    whole = Clause(
        stem,
        {place: frozenset(stem_of(head) for head in heads if not leans(head)) for place, heads in places.items()},
        {
            place: found
            for place, heads in places.items()
            if (found := frozenset(n for h in heads for n in names_of(h)))
        },
        frozenset(content(" ".join(token.text for token in [*own, *inherited] if token.pos_ != "PROPN")) - ANYONE),
        _denied(verb, places),
        certain,
        doubt,
        frozenset(_named(by)) if by else frozenset(),
        {place: share for place, heads in places.items() if (share := _share(heads[0])) is not None},
        verb.doc[min(t.i for t in own) : max(t.i for t in own) + 1].text,
        _finite(verb) and verb.sent[-1].text != "?",
        _text(by) if by else "",
    )
    subjects = [head for head in places.get(SUBJECT, ()) if head.dep_ != "appos"]
    for one in subjects if len(subjects) > 1 else ():
        called = [one, *(child for child in one.children if child.dep_ == "appos")]
        names = {**whole.names, SUBJECT: frozenset(name for head in called for name in names_of(head))}
        heads = {**whole.heads, SUBJECT: frozenset(map(stem_of, called))}
        yield whole._replace(heads=heads, names={place: found for place, found in names.items() if found})
    if len(subjects) < 2:
        yield whole


def _text(head: Token) -> str:
    """Return a noun, or the name behind it, with what belongs to it, if that is short, and the name that goes on."""
    head = next((child for child in head.children if child.dep_ == "appos" and is_name(child)), head)
    first, last = head.left_edge.i, head.right_edge.i
    if last - first >= NAMED_WORDS:
        first = last = head.i
    while last + 1 < len(head.doc) and head.doc[last].text[:1].isupper() and head.doc[last + 1].text[:1].isupper():
        last += 1  # "Mayor Per Holm", of which "per" may be read as a preposition
    return str(head.doc[first : last + 1].text)


def _denied(verb: Token, places: Mapping[str, list[Token]]) -> str:
    """Return the word that denies a verb: its own, that of who or what is none, or of the verb that it hangs on."""
    heads = [head for place in (SUBJECT, OBJECT, IS) for head in places.get(place, ()) if head.dep_ != "conj"]
    own = [t.lower_ for head in heads for t in (head, *head.children) if t.lower_ in NONE]
    own += [t.lower_ for head in heads for t in head.children if t.lower_ == "not" and _share(head) is None]
    if verb.head.lemma_ == "have" and (yet := [t.lower_ for t in verb.head.children if t.lower_ == "yet"]):
        own += yet
    at = verb
    while True:
        own += [
            t.lower_ for t in at.children if t.dep_ == "neg" or (t.lower_ in NONE and t.dep_ in ("advmod", "preconj"))
        ]
        above = _above(at)
        if at.dep_ not in GOVERNED or above.i > at.i or not _is_any(above, DENYING):
            return own[0] if len(own) % 2 else ""
        own.append(above.lower_)
        at = above


def _doubts(verb: Token) -> Iterator[tuple[int, str]]:
    """Yield how certain a clause is, by each word that tells it."""
    yield CERTAIN, ""
    at = verb
    for _ in range(4):
        for child in at.children:
            if child.dep_ == "aux" and child.lower_ in ("would", "could") and _says(_above(at)):
                level = COMING if child.lower_ == "would" else CERTAIN if _not(at) else OPEN  # "will" and "can"
                yield level, child.lower_
            elif child.dep_ in ("aux", "advmod", "mark", "acomp", "amod") and _is_any(child, DOUBTING):
                yield OPEN, child.lower_
            elif child.dep_ == "advcl" and any(
                t.dep_ == "mark" and t.lower_ in ("if", "unless") for t in child.children
            ):
                yield OPEN, next(t.text for t in child.children if t.dep_ == "mark")
            elif child.dep_ == "aux" and child.lower_ in ("will", "shall", "must", "’ll", "'ll"):
                yield COMING, child.lower_
        if at.dep_ not in GOVERNED and not (at.dep_ == "conj" and not any(c.dep_ == "nsubj" for c in at.children)):
            break
        above = _above(at)
        governed = at.dep_ in GOVERNED  # and not only joined to it: "proposed by the one and accepted by the other"
        if (
            governed
            and _is_any(above, DOUBTING)
            and not (at.dep_ in ("ccomp", "parataxis") and above.lemma_ in TELLING)
        ):
            yield OPEN, above.lower_
        if above.lemma_ == "go" and at.dep_ == "xcomp":
            yield COMING, "going to"
        if governed and _is_any(above, DENYING) and _not(above):
            yield OPEN, above.lower_  # "did not deny"
        at = above


def _finite(verb: Token) -> bool:
    """Tell whether a verb states something by itself: "to pay" and "by paying" do not."""
    return any(
        "Fin" in t.morph.get("VerbForm", [])
        for t in (verb, *(c for c in verb.children if c.dep_ in ("aux", "auxpass")))
    ) or (verb.dep_ in ("ROOT", "acl", "conj") and verb.tag_ in ("VBN", "VBD"))


def _above(token: Token) -> Token:
    """Return what a verb hangs on: of "accused of stealing" the accusing."""
    return token.head.head if token.head.pos_ == "ADP" else token.head


def _not(verb: Token) -> bool:
    return any(child.dep_ == "neg" for child in verb.children)


def _is_any(token: Token, known: set[str]) -> bool:
    return bool({token.lower_, token.lemma_.lower(), stem_of(token)} & known)


def _says(verb: Token) -> bool:
    return bool(alike(terms(verb.lemma_)) & SPEAKING)


def _speaker(verb: Token) -> Token | None:
    """Return the noun for those by whose word a clause is told; none for what the text tells itself."""
    at = verb
    while True:
        according = [
            t for child in at.children if child.lower_ == "according" for t in child.subtree if t.dep_ == "pobj"
        ]
        heads = according[:1]
        if at.dep_ in ("ccomp", "parataxis") and _says(at.head):
            heads = [head for place, head in places_of(at.head) if place == SUBJECT]
        if heads or at.dep_ not in {*GOVERNED, "conj"}:
            return heads[0] if heads else None
        at = at.head


def _named(head: Token) -> Iterator[str]:
    """Yield the names of somebody, and the nouns by which he is called: "the mayor" of Mayor Berg."""
    if not leans(head):
        called = (head, *(child for child in head.children if child.dep_ == "appos"))
        yield from (name for one in called for name in names_of(one))
        parts = [
            child
            for one in called
            for child in (one, *one.children)
            if child == one or child.dep_ in ("compound", "nmod")
        ]
        yield from (f"the {stem_of(part)}" for part in parts if part.pos_ == "NOUN" or is_noun(part.text))


def _share(head: Token) -> int | None:
    """Return how many of a noun are meant, as a line of shares.txt, if it is said: "all of the members", "not all"."""
    own = [
        child
        for child in head.children
        if child.dep_ in ("det", "predet", "amod", "nummod", "quantmod", "neg", "preconj")
    ]
    told = [token.lower_ for token in (*own, head, *(inner for child in own for inner in child.children))]
    shares = [SHARES[word] for word in told if word in SHARES]
    return (SOME if "not" in told else min(shares)) if shares else None


def _titles(doc: Doc) -> Iterator[Clause]:
    """Yield who is called what: "captain Luka Rieger", "Anton Brey, the chairman", as clauses."""
    for token in doc:
        if token.pos_ == "PROPN" and token.dep_ not in ("compound", "flat"):
            own = {*names_of(token)}
            called = [
                child
                for child in token.children
                if child.dep_ in ("appos", "compound", "amod", "nmod") and child.pos_ == "NOUN"
            ]
            called += [token.head] if token.dep_ == "appos" and token.head.pos_ == "NOUN" else []
            called += (
                [child for child in token.head.children if child.dep_ == "appos" and child.pos_ == "NOUN"]
                if token.dep_ == "appos"
                else []
            )
            for noun in called:
                whose = frozenset(
                    n
                    for t in noun.subtree
                    if t.dep_ in ("compound", "poss", "pobj") and t.head != token
                    for n in names_of(t)
                )
                about = frozenset(content(" ".join(t.text for t in noun.subtree if t.pos_ != "PROPN" and t != token)))
                names = {SUBJECT: frozenset(own), OBJECT: whose - own} if whose - own else {SUBJECT: frozenset(own)}
                yield Clause(
                    stem_of(noun),
                    {SUBJECT: frozenset({stem_of(token)})},
                    names,
                    about,
                    "",
                    CERTAIN,
                    "",
                    frozenset(),
                    {},
                    TITLE,
                )
