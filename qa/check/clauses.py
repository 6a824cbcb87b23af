"""The clauses of a text: who did what to whom, by whose word, and whether it is denied or left open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
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
    below,
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
NOBODY: Names = frozenset()


class Clause(NamedTuple):
    """What one verb, or a headline's noun, says: its stem, and what stands in each place beside it.

    A place is "subject" (who did it, also in the passive), "object" (to whom), "is", a preposition, or a preposition
    behind a noun in one of these: "subject in".
    """

    verb: str
    heads: Mapping[str, Names]  # the stems of the nouns in a place
    names: Mapping[str, Names]
    about: Names  # stems of all that it says
    text: str
    denied: str = ""  # the word by which it is denied, "" for none
    certain: int = CERTAIN
    doubt: str = ""  # the word by which it is not certain
    speaker: Names = NOBODY  # of whose word it is; also of who "called it reckless"
    by: str = ""  # the speaker as he is called there
    shares: Mapping[str, int] = MappingProxyType({})  # how many of the nouns in a place: a line of shares.txt
    finite: bool = True  # it states something by itself: not "to pay", nor a question


Clauses = Sequence[Clause]


@lru_cache(maxsize=4096)
def clauses(text: str) -> Clauses:
    """Return the clauses of a sentence."""
    verbs = {token for token in parse(text) if is_verb(token)}
    return (*(clause for verb in sorted(verbs) for clause in _clauses(verb, verbs)), *_titles(parse(text)))


def _clauses(verb: Token, verbs: set[Token]) -> Iterator[Clause]:
    """Yield what a verb says, of each of its subjects: "Norland and Maravia sent boats" are two."""
    own = [token for token in verb.subtree if next(t for t in (token, *token.ancestors) if t in verbs) == verb]
    beside = [*places_of(verb)]
    stem = stem_of(verb)
    if stem == "be":
        stem = next((stem_of(head) for place, head in beside if place == IS), stem)
    stem, moves = CONVERSES.get(stem, (stem, {}))
    moves = moves or {f"{IS} of": OBJECT}  # "the captain of Marlow"
    places: dict[str, list[Token]] = defaultdict(list)
    for place, head in beside:
        places[moves.get(place, place)].append(head)
    certain, doubt = max(_doubts(verb), key=lambda found: found[0])
    by = _speaker(verb) or next((head for head in places[SUBJECT] if stem in CALLING), None)
    whole = Clause(
        stem,
        heads={},
        names={},
        about=_about({*own, *(token for heads in places.values() for head in heads for token in head.subtree)}),
        text=verb.doc[min(own).i : max(own).i + 1].text,
        denied=_denied(verb, places),
        certain=certain,
        doubt=doubt,
        speaker=frozenset(_named(by)) if by else NOBODY,
        by=_text(by) if by else "",
        shares={place: share for place, heads in places.items() if heads and (share := _share(heads[0])) is not None},
        finite=_finite(verb) and verb.sent[-1].text != "?",
    )
    places[ELSE] = [*filter(is_name, own)]
    subjects = [[head, *below(head, "appos")] for head in places[SUBJECT] if head.dep_ != "appos"]
    for who in subjects or [places[SUBJECT]]:
        told = {**places, SUBJECT: who}.items()
        yield whole._replace(
            heads={place: frozenset(stem_of(head) for head in heads if not leans(head)) for place, heads in told},
            names={place: frozenset(name for head in heads for name in names_of(head)) for place, heads in told},
        )


def _about(tokens: Iterable[Token]) -> Names:
    """Return the stems of what some tokens say, names and words for anyone aside."""
    return frozenset(content(" ".join(token.text for token in tokens if token.pos_ != "PROPN")) - ANYONE)


def _text(head: Token) -> str:
    """Return a noun, or the name behind it, with what belongs to it, if that is short, and the name that goes on."""
    head = next(filter(is_name, below(head, "appos")), head)
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
    own += [t.lower_ for t in verb.head.children if t.lower_ == "yet" and verb.head.lemma_ == "have"]
    at = verb
    while True:
        own += [t.lower_ for t in at.children if t.dep_ == "neg"]
        own += [t.lower_ for t in below(at, "advmod", "preconj") if t.lower_ in NONE]
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
        above = _above(at)
        for child in at.children:
            word = child.lower_
            if child.dep_ == "aux" and word in ("would", "could") and _says(above):  # "will" and "can"
                yield COMING if word == "would" else CERTAIN if below(at, "neg") else OPEN, word
            elif child.dep_ in ("aux", "advmod", "mark", "acomp", "amod") and _is_any(child, DOUBTING):
                yield OPEN, word
            elif child.dep_ == "aux" and word in ("will", "shall", "must", "’ll", "'ll"):
                yield COMING, word
            elif child.dep_ == "advcl":
                yield from ((OPEN, t.text) for t in below(child, "mark") if t.lower_ in ("if", "unless"))
        governed = at.dep_ in GOVERNED  # and not only joined to it: "proposed by the one and accepted by the other"
        if not governed and not (at.dep_ == "conj" and not below(at, "nsubj")):
            break
        told = at.dep_ in ("ccomp", "parataxis") and above.lemma_ in TELLING
        not_denied = _is_any(above, DENYING) and below(above, "neg")  # "did not deny"
        if governed and (not_denied or (_is_any(above, DOUBTING) and not told)):
            yield OPEN, above.lower_
        if above.lemma_ == "go" and at.dep_ == "xcomp":
            yield COMING, "going to"
        at = above


def _finite(verb: Token) -> bool:
    """Tell whether a verb states something by itself: "to pay" and "by paying" do not."""
    if verb.dep_ in ("ROOT", "acl", "conj") and verb.tag_ in ("VBN", "VBD"):
        return True
    return any("Fin" in token.morph.get("VerbForm", []) for token in (verb, *below(verb, "aux", "auxpass")))


def _above(token: Token) -> Token:
    """Return what a verb hangs on: of "accused of stealing" the accusing."""
    return token.head.head if token.head.pos_ == "ADP" else token.head


def _is_any(token: Token, known: set[str]) -> bool:
    return bool({token.lower_, token.lemma_.lower(), stem_of(token)} & known)


def _says(verb: Token) -> bool:
    return bool(alike(terms(verb.lemma_)) & SPEAKING)


def _speaker(verb: Token) -> Token | None:
    """Return the noun for those by whose word a clause is told; none for what the text tells itself."""
    at = verb
    while True:
        according = (child for child in at.children if child.lower_ == "according")
        heads = [token for child in according for token in child.subtree if token.dep_ == "pobj"]
        if at.dep_ in ("ccomp", "parataxis") and _says(at.head):
            heads = [head for place, head in places_of(at.head) if place == SUBJECT]
        if heads or at.dep_ not in {*GOVERNED, "conj"}:
            return next(iter(heads), None)
        at = at.head


def _named(head: Token) -> Iterator[str]:
    """Yield the names of somebody, and the nouns by which he is called: "the mayor" of Mayor Berg."""
    for one in (head, *below(head, "appos")) if not leans(head) else ():
        yield from names_of(one)
        for part in (one, *below(one, "compound", "nmod")):
            if part.pos_ == "NOUN" or is_noun(part.text):
                yield f"the {stem_of(part)}"


def _share(head: Token) -> int | None:
    """Return how many of a noun are meant, as a line of shares.txt, if it is said: "all of the members", "not all"."""
    own = below(head, "det", "predet", "amod", "nummod", "quantmod", "neg", "preconj")
    told = [token.lower_ for token in (*own, head, *(inner for child in own for inner in child.children))]
    shares = [SHARES[word] for word in told if word in SHARES]
    return (SOME if "not" in told else min(shares)) if shares else None


def _titles(doc: Doc) -> Iterator[Clause]:
    """Yield who is called what: "captain Luka Rieger", "Anton Brey, the chairman", as clauses."""
    for token in doc:
        if token.pos_ == "PROPN" and token.dep_ not in ("compound", "flat"):
            called, own = below(token, "appos", "compound", "amod", "nmod"), frozenset(names_of(token))
            if token.dep_ == "appos":
                called += [token.head, *below(token.head, "appos")]
            for noun in (noun for noun in called if noun.pos_ == "NOUN"):
                inner = (t for t in noun.subtree if t.dep_ in ("compound", "poss", "pobj") and t.head != token)
                whose = frozenset(name for t in inner for name in names_of(t)) - own
                heads = {SUBJECT: frozenset({stem_of(token)})}
                yield Clause(stem_of(noun), heads, {SUBJECT: own, OBJECT: whose}, _about(noun.subtree), TITLE)
