"""Names: the words that are some, who says something, and what two forms of a name have in common."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

import regex

from index.text import fold, lists, numbers, terms
from index.text.syntax import hidden

UPPER = "A-Z" + "".join(filter(str.isupper, map(chr, range(0xC0, 0x530))))  # Latin, Greek and Cyrillic capitals
NAME = rf"[{UPPER}][\w’'.-]*(?: [{UPPER}][\w’'.-]*)*"
OF = r"(?:of |for |and |the |& ?)*"  # between two words of a name
RUN = re.compile(rf"[{UPPER}][\w’'-]*(?: {OF}[{UPPER}][\w’'-]*)+")
RUN_BEFORE, RUN_AFTER = re.compile(rf"[{UPPER}][\w.’'-]* {OF}$"), re.compile(rf"(?:[’']s)? {OF}[{UPPER}]")
INITIALS = re.compile(rf"(?<=\b[{UPPER}])\.(?=[{UPPER}]\b)|(?<=\b[{UPPER}]\.[{UPPER}])\.")  # "U.S." is the name "US"
WORD = re.compile(r"[^\W\d_][\w’'-]*")
INSIDE = re.compile(r"[\w,;)’'\"”] ?[\"“‘(]?$")  # what matches this before a word does not begin a sentence
WITHIN = regex.compile(r"(?<=[\w,;:)’'\"] )[\"“‘(]?(\p{Lu}[\w’'-]*)")
PARTICLES = rf"(?:{lists.pattern('particles')} )*"
PROPER = r"(?:(?:(?:\p{Lu}|St|Mr|Mrs|Ms|Dr)\.)+(?= ?\p{Lu})|(?:[a-z]{1,2}[-’'])?\p{Lu}[\w’'-]*)"  # "J.", "al-Rashid"
WHOLE = regex.compile(rf"(?<![\w’'-]){PARTICLES}{PROPER}(?: {OF}{PARTICLES}{PROPER})*")
FUNCTION_WORDS = {*" ".join(lists.lines("function-words")).split()}
MIXED = re.compile(r"(?=(?:.*[A-Z]){3})[A-Za-z]+|[A-Z]{2,}s")  # "APhA", "TVs": an abbreviation is its capitals
NAMED_PLURALS = {"marines", "forces", "airlines", "airways", "treasuries", "states"}  # behind "U.S." part of a name
PRONOUNS = {"He", "She", "They", "It", "We", "I", "You", "Who", "The", "A", "One"}
SAID = lists.pattern("saying")
ENDING = re.compile(r"(?:[’']s?|s)?$|(?:ese|ish|ian|an|ain|ia|on|land|[aeiony]+)(?:[’']s|s)?$")


@cache
def _lexicon() -> Any:
    with hidden("spacy"):  # which it offers itself to
        import lemminflect  # 0.7 s with its dictionary
    return lemminflect


def words(text: str) -> set[str]:
    """Return the folded words of a text, and the initials of the names in it."""
    plain = INITIALS.sub("", fold.clean(text))
    runs = ("".join(word[0] for word in run.split() if word[0].isupper()) for run in RUN.findall(plain))
    # "Members of the Federal Aviation Administration" has FAA in it.
    tails = (run[start:] for run in runs for start in range(max(1, len(run) - 1)))
    return {*fold.words(plain), *(word for tail in tails for word in fold.words(tail))}


def capitalised(text: str) -> list[str]:
    """Return the capitalised words of a text that begin no sentence; quick, and blind for names that do."""
    return list(WITHIN.findall(text))


def names(text: str) -> Iterator[str]:
    """Yield the folded words of names: capitalised, and no English words where these begin a sentence or a title."""
    text = INITIALS.sub("", text)
    if text.isupper():
        return
    for match in WORD.finditer(text):
        before, after = text[: match.start()], text[match.end() :]
        doubtful = not INSIDE.search(before) or RUN_AFTER.match(after) or RUN_BEFORE.search(before)
        for part in re.sub(r"[’']s$", "", match[0]).split("-"):
            plain = part.casefold()
            if plain in lists.meanings("units"):  # Fahrenheit
                continue
            known = _lexicon().getAllLemmas(plain) or plain in FUNCTION_WORDS or numbers.SAID.fullmatch(part)
            if part[:1].isupper() and len(part) > 1 and not (known and doubtful and not part.isupper()):
                yield from words("".join(filter(str.isupper, part)) if MIXED.fullmatch(part) else part)


def runs(text: str) -> list[str]:
    """Return the names of a text whole, as they stand there; what begins a sentence, and is English, is none."""
    found = []
    for match in WHOLE.finditer(text):
        first, _, rest = (name := re.sub(r"[’']s?$", "", match[0])).partition(" ")
        if not INSIDE.search(text[: match.start()]) and not first.isupper():
            if not terms.content_terms(first):  # "The", "Who"
                name = rest
            elif not rest and _lexicon().getAllLemmas(first.casefold()):
                name = ""
        found += [name] * (name not in {"", *PRONOUNS})
    return found


@lru_cache(maxsize=4096)
def is_verb(word: str, *tags: str) -> bool:
    """Tell whether a word is a form of a verb that has one of these tags of the Penn treebank."""
    lemmas = _lexicon().getAllLemmas(word).get("VERB", ())
    return any(word in _lexicon().getInflection(lemma, tag) for lemma in lemmas for tag in tags)


@lru_cache(maxsize=4096)
def lemmas(word: str) -> frozenset[str]:
    """Return the words of which a word may be a form: "lost" is one of "lose"."""
    return frozenset(lemma for found in _lexicon().getAllLemmas(word).values() for lemma in found)


def is_plural(word: str) -> bool:
    """Tell whether a word, capitalised or not, is the plural of an English noun: "Officials", not "Senate"."""
    plain = word.casefold()
    singulars = {*_lexicon().getAllLemmas(plain).get("NOUN", ())} - {plain}
    return bool(singulars) and plain not in NAMED_PLURALS


def is_noun(word: str) -> bool:
    """Tell whether a word, capitalised or not, is an English noun, or one and a verb: "Minister", not "Lind"."""
    return {"NOUN"} <= {*_lexicon().getAllLemmas(word.casefold())} <= {"NOUN", "VERB"}


def classes(word: str) -> tuple[str, str]:
    """Return which word classes an English word in lower case may be of, and its lemma, as a verb if it is one."""
    lemmas = _lexicon().getAllLemmas(word)
    return "".join(sorted(of[:2] for of in lemmas)), [*lemmas.get("VERB", ()), *lemmas.get("NOUN", ()), word][0]


def surname(name: str) -> str:
    """Return the part of a name that tells two presidents apart: its last word."""
    parts = [part for part in name.split() if part.rstrip(".") not in ("Jr", "Sr", "II", "III")]
    return (parts or [name])[-1]


@lru_cache(maxsize=65536)
def root(word: str) -> str:
    """Return what a name has in common with the words made from it: "ukrain" of Ukraine, Ukrainian and Ukrainians."""
    word = lists.meanings("countries").get(word, word)
    return ENDING.sub("", word) if len(ENDING.sub("", word)) > 2 else word


def country(word: str) -> str:
    """Return the root of a name, for a capital that of its country."""
    return root(lists.meanings("capitals").get(word, word))
