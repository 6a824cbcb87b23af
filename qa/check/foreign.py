"""Does an article in any language say this? By its words, and by what can be compared: numbers, days, names, denials.

A claim that is nearly a sentence of the article and differs in one of these is false; one that adds none, and whose
words or meaning are there, is supported. There is no grammar here: what is said of another, or is said otherwise in
other words, is not seen.
"""

import math
import re
from calendar import day_name, month_name
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np

from index.encoder import MULTILINGUAL, Encoder, Vectors
from index.text.days import WEEKDAYS, weekday
from index.text.fold import clean
from index.types import Article
from qa.check.signs import Signs, Token, denials, language, plain, same_word, script, signs, tokens
from qa.check.spans import NOTHING, UNSAID, Span, Verdict, source

READ = 16  # sentences whose vectors are compared: those with most of the claim's words
SPANS, GAIN = 3, 0.08  # sentences that may support a claim between them, and what each adds of its words
AROUND = 2  # sentences before and behind in which a fact may stand
OTHER_WORDS = 0.3  # share of its words that a claim has in common with an article of its own language
LONG = 5
WHOLE = 8  # letters of a claim that stands somewhere word for word, not by chance
ALIKE = {"cjk": 0.6, "": 0.55}  # share of a claim's words that one sentence has in this order: nearly that sentence
LOCAL = {"cjk": 8, "": 5}  # words, or characters, in which the two may differ for one to be in the other's place
JOINED = 0.12  # what two sentences must hold more than one
UNCASED = {"cjk": 2, "arabic": 4}  # letters of what may be a name
FEW = 3  # words between which a number stands for another
NOUNS = "de", "lb"  # which are all capitalised
NEARLY = 0.7  # of a claim's words; where another stands in place of one, that may be a name
WORDS = 0.1  # what their share is worth beside the cosine, which is .88 and more for what is said, .80 for any other
SUPPORTED, PARTIAL = 0.9, 0.87
ABROAD = 0.84  # of the cosine alone, of two languages
BY_WORDS = 0.55, 0.25  # of the share alone, where the encoder knows English only
CLAUSE = re.compile(r"[,;:.!?\n،؛、，。；：！？–—]")  # what parts clauses
KNOWS = "the check knows this language by words, numbers, days, names and denials alone"


class Alignment(NamedTuple):
    """A claim beside a sentence: the share of its words that they have in one order, and the places where they differ.

    A place is what stands in the claim and what in the sentence, between words of both.
    """

    covered: float
    ours: tuple[Token, ...]
    theirs: tuple[Token, ...]
    places: list[tuple[range, range]]


def of(article: Article) -> str:
    """Return the language of an article, "en" where it cannot be told."""
    return article.language or language(clean(article.text)) or "en"


def english(claim: str, article: Article) -> bool:
    """Tell whether both are in English, or in no language that can be told."""
    return of(article) == "en" and same(claim, article)


def same(claim: str, article: Article) -> bool:
    """Tell whether claim and article are in one language, as far as this can be told."""
    if script(claim) != script(clean(article.text[:3000])):
        return False
    if len(claim.split()) < LONG and script(claim) == "latin":  # of fewer words the detector is not to be believed
        return True
    if language(claim) in ("", of(article)):
        return True
    theirs = {token.word for span in sentences(article) for token in tokens(span.said)}
    ours = tokens(claim)
    return sum(token.word in theirs for token in ours) > OTHER_WORDS * len(ours)


@lru_cache(maxsize=512)
def sentences(article: Article) -> tuple[Span, ...]:
    """Return the sentences of an article, and its title."""
    return tuple(source(article).spans)


def judge(claim: str, articles: Sequence[Article], encoder: Encoder) -> Verdict:
    """Return how far articles support a claim that is not in English, or not in their language."""
    if not tokens(claim):
        return NOTHING
    own = [article for article in articles if same(claim, article)]
    letters = sum(map(str.isalnum, claim))
    places = filter(None, (source(article).find(claim) for article in own if letters >= WHOLE))
    if found := next((place for place in places if not _denied_around(place)), None):
        return Verdict("verbatim", (found,))
    chosen, share, near = evidence(claim, own or articles, encoder)
    if not chosen:
        return UNSAID
    article = chosen[0].article
    code, theirs = (of(article) if own else language(claim)), of(article)
    around = _around(chosen)
    if missing := lacking(signs(claim, code), signs(around, theirs), article):
        return Verdict("unsupported", (), f"not in the evidence: {', '.join(missing)}", "missing", tuple(chosen))
    if not own:
        why = "claim and article are in two languages: numbers and days agree, no more was compared"
        return Verdict("partial", tuple(chosen), why, "partly") if near is not None and near >= ABROAD else UNSAID
    if names := unknown_names(claim, article):
        return Verdict("unsupported", (), f"not in the article: {', '.join(names)}", "missing", tuple(chosen))
    rule, why = against(claim, code, article)
    if rule in ("denies", "another", "missing"):
        return Verdict("unsupported", (), why, rule, tuple(chosen))
    # A reader of many languages belongs here: the logit of `supports(claim, in_order(chosen))` in place of this sum.
    score, (supported, partial) = (share, BY_WORDS) if near is None else (near + WORDS * share, (SUPPORTED, PARTIAL))
    if score < partial:
        return UNSAID
    if rule or score < supported:
        return Verdict("partial", tuple(chosen), why or f"only partly said there: {KNOWS}", "partly")
    return Verdict("supported", tuple(chosen), KNOWS)


def evidence(claim: str, articles: Sequence[Article], encoder: Encoder) -> tuple[list[Span], float, float | None]:
    """Return the sentences that say most of a claim, the share of its words there, and the cosine of the best one.

    Words weigh by how rare they are in these articles. The cosine is None where the encoder knows English only.
    """
    pool = [span for article in articles for span in sentences(article)]
    wanted = dict.fromkeys(token.word for token in tokens(claim))
    held = {span: {word for word in wanted if _holds(span.said, word)} for span in pool}
    rare = {word: math.log((len(pool) + 1) / (0.5 + sum(word in words for words in held.values()))) for word in wanted}
    whole = sum(rare.values()) or 1.0

    def share(words: set[str]) -> float:
        return sum(rare[word] for word in words) / whole

    best = sorted(pool, key=lambda span: share(held[span]), reverse=True)[:READ]
    near: dict[Span, float] = {}
    if encoder.name == MULTILINGUAL:
        own = _vectors(cast(Hashable, encoder), claim)
        near = {span: float(np.dot(own, _vectors(cast(Hashable, encoder), span.said))) for span in best}
    elif best and not held[best[0]]:
        return [], 0.0, None
    best.sort(key=lambda span: near.get(span, 0.0) + (WORDS if near else 1) * 2 * share(held[span]), reverse=True)
    chosen = best[:1]
    told = set(held[chosen[0]]) if chosen else set()
    while chosen and len(chosen) < SPANS:
        span = max((s for s in best if s.article == chosen[0].article), key=lambda s: share(held[s] - told))
        if share(held[span] - told) < GAIN:
            break
        chosen.append(span)
        told |= held[span]
    return chosen, share(told), max(near.values()) if near else None


@lru_cache(maxsize=65536)
def _holds(said: str, word: str) -> bool:
    return any(same_word(word, token.word) for token in tokens(said))


@lru_cache(maxsize=4096)
def _vectors(encoder: Hashable, text: str) -> Vectors:
    return cast(Encoder, encoder).encode([text])[0:1].ravel()


def _around(chosen: Sequence[Span]) -> str:
    """Return what stands around the evidence, with the title."""
    every = sentences(chosen[0].article)
    near = {n + more for n, s in enumerate(every) if s in chosen for more in range(-AROUND, AROUND + 1)}
    return "\n".join(s.said for n, s in enumerate(every) if n in near or s.field == "title")


def _denied_around(found: Span) -> bool:
    """Tell whether a sentence of which only a part is repeated denies in the rest of it."""
    code = of(found.article)
    whole = [
        s for s in sentences(found.article) if s.field == found.field and s.start < found.end and found.start < s.end
    ]
    return sum(len(denials(s.said, code)) for s in whole) > len(denials(found.said, code))


def lacking(claim: Signs, near: Signs, article: Article) -> list[str]:
    """Return the numbers, days, months and days of the week of a claim that its evidence has not."""
    told = article.published
    # "The 18th" in a report is a day of its month, and "this year" is its year.
    numbers = claim.counted - near.numbers - ({1.0, told.year} if told else {1.0})
    missing = [f"{number:,.15g}" for number in sorted(numbers)]
    missing += [month_name[n] for n in sorted(claim.months.difference(near.months, {told.month if told else 0}))]
    if not missing:
        days = sorted(claim.dates - near.dates)
        missing = [f"{day} {month_name[month]}" for month, day in days if month in near.months]
    known = {*near.weekdays} | {WEEKDAYS.index(on) for of_year in near.dates if (on := weekday((None, *of_year), told))}
    if not known and told:
        known = {told.weekday(), (told.weekday() - 1) % 7}  # today and yesterday
    return missing + [day_name[n] for n in sorted(claim.weekdays - known)]


def unknown_names(claim: str, article: Article) -> list[str]:
    """Return the names of a claim that stand nowhere in an article: capitalised words that begin no sentence.

    German writes all nouns so: there it is the second of two such words in a row.
    """
    words = tokens(claim)
    nouns = of(article) in NOUNS
    texts = [article.outlet or "", *article.authors, *(span.said for span in sentences(article))]
    held = {token.word for text in texts for token in tokens(text)}
    return [
        token.word
        for n, token in enumerate(words)
        if token.capital
        and (words[n - 1].capital and words[n - 1].inside if nouns and n else token.inside)
        and not any(same_word(token.word, word) for word in held)
    ]


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
        if _within(denied, ours) != _within(denied_there, theirs):
            return "denies", f"one of claim and article denies: “{words or '…'}”, there “{others or '…'}”"
        if not (ours and theirs):
            continue
        few = max(len(ours), len(theirs)) <= FEW * (1 + (kind == "cjk"))
        if (few and _differ(signs(words, code), signs(others, code))) or _names(
            ours, theirs, of(article), beside.covered
        ):
            return "another", f"“{words}” stands for “{others}” of the article"
        if min(len(words), len(others)) >= UNCASED.get(kind, len(claim)):
            if any(words in other for other in every):
                return "another", f"“{words}” stands for “{others}” of the article"
            if beside.covered >= NEARLY:
                doubtful = doubtful or f"“{words}” stands for “{others}” of the article: {KNOWS}"
    return ("partly", doubtful) if doubtful else ("", "")


def _apart(said: str, beside: Alignment, here: range, there: range) -> bool:
    """Tell whether a place is a clause of the sentence by itself, which the claim has left out."""
    words, text = beside.theirs, plain(said)
    before = text[words[there.start - 1].end : words[there.start].start] if there and there.start else ","
    behind = text[words[there.stop - 1].end : words[there.stop].start] if there.stop < len(words) else ","
    return not here and bool(CLAUSE.search(before) and CLAUSE.search(behind))


def _text(text: str, words: Sequence[Token]) -> str:
    return plain(text)[words[0].start : words[-1].end] if words else ""


def _within(places: Sequence[tuple[int, int]], words: Sequence[Token]) -> int:
    """Return how many of these places of a text have one of the words in them."""
    return sum(any(word.start < end and start < word.end for word in words) for start, end in places)


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
