"""What stands beside a verb, and in which place: who does it, to whom, where; read from a sentence's grammar."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from typing import TYPE_CHECKING

from index.text import lists
from index.text.fold import words
from index.text.names import country, is_noun
from index.text.terms import alike, terms

if TYPE_CHECKING:
    from index.text.syntax import Token

SUBJECT, OBJECT, IS = "subject", "object", "is"
ROLES = {
    "nsubj": SUBJECT, "csubj": SUBJECT, "nsubjpass": OBJECT, "dobj": OBJECT, "dative": "to",
    "attr": IS, "acomp": IS, "oprd": IS,
}  # fmt: skip
LEANING = {"PRP", "PRP$", "WP", "WDT", "EX", "DT"}  # tags of words that stand for something named elsewhere
NONE = {"no", "none", "nobody", "nothing", "neither", "nor", "hardly", "without"}
SHARES = {word: rank for rank, line in enumerate(lists.lines("shares")) for word in line.split()}
CALENDAR = {*calendar.day_name, *calendar.month_name}
PARTS = {"aux", "auxpass", "amod", "compound", "prep", "mark", "case"}  # as these a verb has no places of its own


def below(token: Token, *relations: str) -> list[Token]:
    """Return the tokens that hang directly on one by any of these relations."""
    return [child for child in token.children if child.dep_ in relations]


def is_verb(token: Token) -> bool:
    """Tell whether a token is a verb with places of its own, or the noun that a headline hangs on."""
    if token.dep_ == "ROOT":
        return token.pos_ not in ("PUNCT", "SPACE")
    if token.lemma_ in ("go", "have") and below(token, "xcomp"):  # "is going to come"
        return False
    return token.pos_ in ("VERB", "AUX") and token.dep_ not in PARTS


def stem_of(token: Token) -> str:
    behind = (child.lower_ for child in below(token, "prt"))
    return " ".join([min(alike(terms(token.lemma_)), default=token.lower_), *behind])


def places_of(verb: Token) -> Iterator[tuple[str, Token]]:
    """Yield the nouns beside a verb, each with its place; a verb without subject has that of the verb it hangs on."""
    passive = below(verb, "auxpass", "nsubjpass", "agent") or (verb.dep_ == "acl" and verb.tag_ == "VBN")
    found = [(place, head) for child in verb.children for place, head in _beside(child)]
    doer = OBJECT if passive else SUBJECT
    if not any(place == doer for place, _ in found):
        found += [(doer, head) for head in _inherited(verb)]
    for place, head in found:
        if head.tag_ in ("WP", "WDT", "WRB") and verb.dep_ == "relcl":  # who did it: the noun before
            head = verb.head
        for one in (head, *head.conjuncts):
            if one == head or one.pos_ != "VERB":
                yield place, one
                yield from ((place, child) for child in below(one, "appos"))
                yield from ((f"{place} {where}", inner) for child in one.children for where, inner in _behind(child))


def _beside(child: Token) -> Iterator[tuple[str, Token]]:
    if child.dep_ in ROLES and child.pos_ != "ADP":  # "to" Norland is a dative too
        yield ROLES[child.dep_], child
    else:
        yield from _behind(child)


def _behind(child: Token) -> Iterator[tuple[str, Token]]:
    """Yield the nouns behind a preposition, or before an apostrophe, with it: "ahead of Carr" is ahead."""
    if child.dep_ == "poss":
        yield "of", child
    elif child.dep_ in ("prep", "advmod", "dative", "agent"):
        place = SUBJECT if child.dep_ == "agent" else child.lower_
        inner = (head for behind in below(child, "prep") for head in below(behind, "pobj"))
        yield from ((place, head) for head in (*below(child, "pobj"), *inner))


def _inherited(verb: Token) -> list[Token]:
    """Return who does what a verb without a subject tells: "refused to pay", "came and saw", "asked him to go"."""
    if verb.i and verb.nbor(-1).text == ",":  # another may stand before the comma
        return []
    if verb.dep_ in ("conj", "xcomp", "advcl", "pcomp", "prep") and verb.head != verb:
        told = next((token for token in (verb.head, *verb.head.ancestors) if token.pos_ in ("VERB", "AUX")), verb)
        # "asked him to go", "accused him of going"; but "left after warning him"
        passed = verb.dep_ == "xcomp" or (verb.dep_ == "pcomp" and verb.head.lower_ in ("of", "from", "for"))
        objects = below(told, "dobj") if passed else []
        return objects or below(told, "nsubj", "nsubjpass") or ([] if told == verb else _inherited(told))
    return [verb.head] if verb.dep_ in ("acl", "relcl") else []


def names_of(head: Token) -> Iterator[str]:
    """Yield the roots of a name: of the words that make it."""
    if is_name(head):
        parts = [*filter(is_name, below(head, "compound", "flat"))]
        own = [part for part in parts if not is_noun(part.text)]  # not the Mayor of "Mayor Berg"
        yield from (country(word) for part in (*own, head) for word in words(part.text))
        if parts:
            yield "".join(part.text[0].lower() for part in (*parts, head))  # FAA


def is_name(token: Token) -> bool:
    inside = token.i > token.sent.start and token.text[:1].isupper()
    if token.text in CALENDAR:
        return False
    return token.pos_ == "PROPN" or (inside and token.is_alpha and token.tag_ not in LEANING)


def leans(head: Token) -> bool:
    """Tell whether a word stands for what is named elsewhere, or for nothing."""
    return head.tag_ in LEANING or head.lower_ in NONE or head.lower_ in SHARES
