"""What speaks against a claim that is not in English: a sentence of the article that it nearly is, clauses, counts."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from textwrap import shorten
from typing import NamedTuple

from index.text import lists
from index.text.fold import clean
from index.text.terms import content_terms
from index.types import Article
from qa.check.signs import Signs, counts, denials, signs, syllables, written
from qa.check.signs.opposites import opposed
from qa.check.signs.words import UNSPACED, Token, language, plain, same_word, script, tokens
from qa.check.spans import Span, source

LONG = 5
ALIKE = {"cjk": 0.6, "": 0.55}  # share of a claim's words that one sentence has in this order: nearly that sentence
LOCAL = {"cjk": 8, "": 5}  # words, or characters, in which the two may differ for one to be in the other's place
JOINED = 0.12  # what two sentences must hold more than one
NAME = re.compile(r"[\u30a1-\u30fc\u3400-\u9fff]{2}")  # what a Japanese name has
UNCASED = {"cjk": 2, "arabic": 4}  # letters of what may be a name
FEW = 3  # words between which a number stands for another
VERY_NEARLY = 0.85  # of a claim's characters
NEARLY = 0.7  # of a claim's words; where another stands in place of one, that may be a name
CLAUSE = re.compile(r"(?:(?<!\d)\.|[,;:!?\n،؛、，。；：！？–—])(?!\d)|\.(?!\s*\w)")  # what parts clauses
FIRST = re.compile(r"\W*(\w+)")
SHORT = 3  # words of a clause that is not compared
# Of the letters of two clauses, and of the article's, what both must hold for the one to say or deny the other:
# §30 of evals/EXPERIMENTS.md.
SAYS, SAID, TURNED = 0.62, 0.6, 0.5  # the last where they have opposites
NEAR_BY = 25  # characters behind a denial
BEFORE = 3  # characters before a number that go with it
WORD_FOR_WORD = 0.85
MOST = 0.6  # of the letters of what is denied, which one sentence has
WHOLE = 8  # letters of a clause that is denied, and stands in another without the denial
LIGHT, HEAVY = 0.4, 1.5  # letters for which a character of hiragana counts, and any other that is a word
NOUNS = "de", "lb"  # which are all capitalised
KNOWS = "the check knows this language by words, numbers, days, names and denials alone"


class Alignment(NamedTuple):
    """A claim beside a sentence: the share of its words that they have in one order, and the places where they differ.

    A place is what stands in the claim and what in the sentence, between words of both.
    """

    covered: float
    ours: tuple[Token, ...]
    theirs: tuple[Token, ...]
    places: list[tuple[range, range]]


class Clause(NamedTuple):
    """A clause, its words without those that deny, and whether there are any."""

    text: str
    words: tuple[str, ...]
    denies: bool


def of(article: Article) -> str:
    """Return the language of an article, "en" where it cannot be told."""
    return article.language or language(clean(article.text)) or "en"


@lru_cache(maxsize=512)
def sentences(article: Article) -> tuple[Span, ...]:
    """Return the sentences of an article, and its title."""
    return tuple(source(article).spans)


@lru_cache(maxsize=65536)
def holds(said: str, word: str) -> bool:
    return any(same_word(word, token.word) for token in tokens(said))


def align(claim: str, said: str) -> Alignment:
    """Lay a claim beside a sentence, word by word; in Chinese and Japanese, character by character."""
    ours, theirs = tokens(claim), tokens(said)
    known = dict.fromkeys(token.word for token in theirs)
    keys = [t.word if t.word in known else next((w for w in known if same_word(t.word, w)), t.word) for t in ours]
    matcher = SequenceMatcher(None, keys, [token.word for token in theirs], autojunk=False)
    places = [(range(a, b), range(c, d)) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal"]
    held = sum(block.size for block in matcher.get_matching_blocks())
    return Alignment(held / max(1, len(ours)), ours, theirs, places)


def against(claim: str, code: str, article: Article) -> tuple[str, str]:
    """Return the rule by which the sentence that a claim nearly is speaks against it, and why; "" for none."""
    every = [span.said for span in sentences(article)]
    pairs = [f"{one}\n{other}" for one, other in pairwise(every)]  # a claim may join two
    laid = {said: align(claim, said) for said in (*every, *pairs)}
    said = max(laid, key=lambda said: laid[said].covered - JOINED * ("\n" in said))
    beside, kind = laid[said], script(claim)
    if beside.covered < ALIKE.get(kind, ALIKE[""]):
        return "", ""
    doubtful = ""
    denied, denied_there = denials(claim, code), denials(said, code)
    for here, there in beside.places:
        if max(len(here), len(there)) > LOCAL.get(kind, LOCAL[""]) or _apart(said, beside, here, there):
            continue
        ours, theirs = [beside.ours[n] for n in here], [beside.theirs[n] for n in there]
        words, others = _text(claim, ours), _text(said, theirs)
        if (within(denied, ours) != within(denied_there, theirs)) != opposed(words, others, code):
            return "denies", f"one of claim and article denies: “{words or '…'}”, there “{others or '…'}”"
        if not (ours and theirs):
            continue
        few = max(len(ours), len(theirs)) <= FEW * (1 + (kind == "cjk"))
        if _elsewhere(claim, here, beside.ours, every):
            continue
        if (few and _differ(signs(words, code), signs(others, code))) or _names(
            ours, theirs, of(article), beside.covered
        ):
            return "another", f"“{words}” stands for “{others}” of the article"
        if kind == "cjk" and _one_sign(words, others, code) and beside.covered >= VERY_NEARLY:
            doubtful = doubtful or f"“{words}” stands for “{others}” of the article: {KNOWS}"
        if kind == "arabic" and not here.start and len(here) == 1 and words in plain(said):  # the verb, before its noun
            continue
        if min(len(words), len(others)) >= UNCASED.get(kind, len(claim)) and not _grammar(words, others, code):
            if any(words in other for other in every):
                return "another", f"“{words}” stands for “{others}” of the article"
            if beside.covered >= NEARLY:
                doubtful = doubtful or f"“{words}” stands for “{others}” of the article: {KNOWS}"
    return ("partly", doubtful) if doubtful else ("", "")


def denied(claim: str, code: str, article: Article) -> tuple[str, str]:
    """Return whether a clause of the article says what one of a claim denies, in whatever order, or the other way."""
    for clause in clauses(claim, code):
        if len(clause.words) < SHORT:
            continue
        alike = [(_alike(clause, one), one, span) for span in sentences(article) for one in clauses(span.said, code)]
        (both, theirs), there, span = max(alike, key=lambda found: found[0])
        # Where both deny, each in a clause of its own, one says otherwise what the other says, save word for word.
        alone = bool(denials(claim, code)) != bool(denials(span.said, code)) or both >= WORD_FOR_WORD
        turned = opposed(clause.text, there.text, code)
        differ = turned if clause.denies == there.denies else alone and not turned
        if differ and not turned:  # what is denied must be said in the other
            one, other = (clause, there) if clause.denies else (there, clause)
            word = _denied_word(claim if clause.denies else span.said, one, code)
            differ = any(same_word(word, held) for held in other.words)
        if differ and both >= (TURNED if turned else SAYS) and theirs >= (TURNED if turned else SAID):
            return "denies", f"one of claim and article denies: “{clause.text}”, there “{there.text}”"
    return "", ""


def _denied_word(text: str, clause: Clause, code: str) -> str:
    """Return the first word that a clause of a text denies, or the last one, where none stands behind."""
    places = denials(text, code)
    words = [t for t in _content(text, code) if t.word in clause.words and not within(places, [t])]
    behind = (t.word for t in words if any(0 < t.start - end < NEAR_BY for _, end in places))
    return next(behind, words[-1].word if words else "")


def undenied(claim: str, code: str, article: Article) -> tuple[str, str]:
    """Return whether all of a clause that the article denies stands in a clause of the claim that denies nothing."""
    for clause in clauses(claim, code):
        for span in sentences(article) if not clause.denies else ():
            for there in clauses(span.said, code):
                if there.denies and sum(map(len, there.words)) >= WHOLE and _stands_in(there.words, clause.words):
                    return "denies", f"one of claim and article denies: “{clause.text}”, there “{there.text}”"
    return "", ""


def _stands_in(words: Sequence[str], whole: Sequence[str]) -> bool:
    """Tell whether two words or more stand in others in one piece."""
    runs = (whole[n : n + len(words)] for n in range(len(whole) - len(words) + 1))
    return len(words) > 1 and any(all(map(same_word, words, run)) for run in runs)


def denied_alone(claim: str, code: str, article: Article) -> tuple[str, str]:
    """Return whether a claim denies, in words that the article has, what the sentence with most of these does not."""
    every, places = sentences(article), denials(claim, code)
    content = [token for token in _content(claim, code) if not within(places, [token])] if places else []
    behind = {token.word for token in content if token.start > places[0][1]}
    for clause in clauses(claim, code) if content else ():
        words = [token.word for token in content if token.word in clause.words]
        if not clause.denies or not words or not all(any(holds(span.said, word) for span in every) for word in words):
            continue
        held = {span.said: [word for word in words if holds(span.said, word)] for span in every}
        said = max(held, key=lambda said: sum(map(_weight, held[said])))
        near = len(held[said]) > 1 and (behind or {words[-1]}).intersection(clause.words) <= {*held[said]}
        most = near and sum(map(_weight, held[said])) >= MOST * sum(map(_weight, words))
        if most and not denials(said, code) and not opposed(claim, said, code):
            return "partly", f"the claim denies, the article does not: “{shorten(said, 100, placeholder=' …')}”"
    return "", ""


def _content(text: str, code: str) -> list[Token]:
    """Return the words of a text that say something of its subject; each of a language without spaces."""
    whole = plain(text)
    return [t for t in tokens(text) if code in UNSPACED or content_terms(whole[t.start : t.end], code)]


def opposite(claim: str, code: str, article: Article) -> tuple[str, str]:
    """Return whether a claim has "unharmed" where the article has "harmed" alone, or the other way."""
    held = {token.word for span in sentences(article) for token in tokens(span.said) if not token.capital}
    for word in (token.word for token in tokens(claim) if len(token.word) >= LONG and not token.capital):
        for syllable in syllables(code) if not any(same_word(word, other) for other in held) else ():
            wanted = word.removeprefix(syllable) if word.startswith(syllable) else syllable + word
            there = [span for span in sentences(article) if holds(span.said, wanted)]
            found = next((t.word for span in there for t in tokens(span.said) if same_word(wanted, t.word)), "")
            alone = not denials(claim if found.startswith(syllable) else "\n".join(s.said for s in there), code)
            if found[:1] == wanted[0] and alone:
                return "denies", f"one of claim and article denies: “{word}”, there “{found}”"
    return "", ""


def counted(claim: str, code: str, article: Article) -> tuple[str, str]:
    """Return whether a claim counts something that the article counts, too, and never so."""
    theirs = [(span.said, *count) for span in sentences(article) for count in counts(span.said, code)]
    for number, word in counts(claim, code):
        others = [count for count in theirs if count[1] > 1 and same_word(word, count[2])]
        if number > 1 and others and number not in {other for _, other, _ in others}:
            ours, there = _counted(claim, number, word, code), _counted(*others[0], code)
            return "another", f"“{ours}” stands for “{there}” of the article"
    return "", ""


def _counted(text: str, number: float, word: str, code: str) -> str:
    """Return a number and what it counts as a text writes them."""
    what = next(plain(text)[t.start : t.end] for t in tokens(text) if t.word == word)
    return f"{written(text, number, lambda said: signs(said, code).numbers)} {what}"


@lru_cache(maxsize=8192)
def clauses(text: str, code: str) -> tuple[Clause, ...]:
    """Return the clauses of a text, as far as its punctuation parts them."""
    places, whole = denials(text, code), plain(text)
    ends = [match.start() for match in CLAUSE.finditer(whole)]
    found: list[Clause] = []
    for start, end in pairwise([0, *ends, len(whole)]):
        words = tuple(t.word for t in tokens(text) if start <= t.start < end and not within(places, [t]))
        denies = any(start <= a < end for a, _ in places)
        first = FIRST.match(whole, start, end)
        if first and first[1] in lists.lines("subordinating"):  # it is false that …
            denies |= any(clause.denies for clause in found)
        found.append(Clause(whole[start:end].strip(" ,;:،؛、，；：–—"), words, denies))
    return tuple(found)


def _alike(one: Clause, other: Clause) -> tuple[float, float]:
    """Return the share of the letters of two clauses, and of the second, that stand in words of both."""
    whole, there = sum(map(_weight, one.words)), sum(map(_weight, other.words))
    ours = sum(_weight(word) for word in one.words if any(same_word(word, w) for w in other.words))
    theirs = sum(_weight(word) for word in other.words if any(same_word(word, w) for w in one.words))
    return (ours + theirs) / max(1, whole + there), theirs / max(1, there)


def _weight(word: str) -> float:
    if len(word) > 1 or word.isascii():
        return len(word) - 1
    return LIGHT if "\u3040" <= word <= "\u309f" else HEAVY


def _apart(said: str, beside: Alignment, here: range, there: range) -> bool:
    """Tell whether a place is a clause of the sentence by itself, which the claim has left out."""
    words, text = beside.theirs, plain(said)
    before = text[words[there.start - 1].end : words[there.start].start] if there and there.start else ","
    behind = text[words[there.stop - 1].end : words[there.stop].start] if there.stop < len(words) else ","
    return not here and bool(CLAUSE.search(before) and CLAUSE.search(behind))


def _text(text: str, words: Sequence[Token]) -> str:
    return plain(text)[words[0].start : words[-1].end] if words else ""


def within(places: Sequence[tuple[int, int]], words: Sequence[Token]) -> int:
    """Return how many of these places of a text have one of the words in them."""
    return sum(any(word.start < end and start < word.end for word in words) for start, end in places)


def _elsewhere(claim: str, here: range, words: Sequence[Token], every: Sequence[str]) -> bool:
    """Tell whether an article has what stands in a place, with what goes before it, or the rest of a name behind it.

    "総工費は186億円" is said there, though not in the nearest sentence; so is "Étienne Charvet" of "M. Charvet".
    """
    if script(claim) == "cjk":
        return here.start >= BEFORE and _text(claim, words[here.start - BEFORE : here.stop]) in plain("\n".join(every))
    named = words[here.start : here.stop + 1]
    return (
        len(named) == 2 == len(here) + 1
        and all(t.capital for t in named)
        and _text(claim, named) in plain("\n".join(every))
    )


def _one_sign(words: str, others: str, code: str) -> bool:
    """Tell whether one Chinese character stands for one or two, neither of them a particle: 王志远 for 林志远."""
    short = min(len(words), len(others)) == 1 and len(words + others) <= FEW
    return code == "zh" and short and not _grammar(words, others, code) and (words + others).isalpha()


def _grammar(words: str, others: str, code: str) -> bool:
    """Tell whether one of two texts is no name, of which nobody writes a part in such characters."""
    if code == "ja":
        return not (NAME.search(words) and NAME.search(others))
    return code == "zh" and not {*lists.lines("particles-chinese")}.isdisjoint(words + others)


def _differ(ours: Signs, theirs: Signs) -> bool:
    """Tell whether two texts that stand in one place have other numbers, months or days of the week."""
    return any(one and other and not one & other for one, other in zip(ours, theirs, strict=True))


def _names(ours: Sequence[Token], theirs: Sequence[Token], code: str, covered: float) -> bool:
    """Tell whether a name stands in the place of another."""
    here, there = (
        [t.word for t in words if t.capital and (t.inside or (len(t.word) > 3 and all(w.capital for w in words)))]
        for words in (ours, theirs)
    )
    if code in NOUNS and covered < NEARLY and min(len(here), len(there)) < 2:
        return False
    return bool(here and there) and not any(same_word(one, other) for one in here for other in there)


AGAINST = against, denied, undenied, opposite, counted, denied_alone  # what speaks against a claim
