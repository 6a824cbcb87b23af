"""Does an article in any language say this? By its words, and by what can be compared: numbers, days, names, denials.

A claim that is nearly a sentence of the article and differs in one of these is false; one that adds none, and whose
words or meaning are there, is supported. There is no grammar here: what is said of another, or is said otherwise in
other words, is not seen.
"""

import math
import re
from collections.abc import Hashable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import cast

import numpy as np

from index.encoder import MULTILINGUAL, Encoder, Vectors
from index.text.days import WEEKDAYS, weekday
from index.text.fold import clean
from index.text.terms import content_terms, terms
from index.types import Article
from qa.check.against import AGAINST, KNOWS, NOUNS, holds, of, sentences
from qa.check.signs import Signs, denials, signs, written
from qa.check.signs.measures import other_units
from qa.check.signs.names import same_name
from qa.check.signs.words import language, plain, same_word, script, tokens
from qa.check.spans import NOTHING, UNSAID, Span, Verdict, source
from qa.types import Support

READ = 16  # sentences whose vectors are compared: those with most of the claim's words
READ_ABROAD = 48  # where they have no words in common: all of the first articles
SPANS, GAIN = 3, 0.08  # sentences that may support a claim between them, and what each adds of its words
AROUND = 2  # sentences before and behind in which a fact may stand
OTHER_WORDS = 0.3  # share of its words that a claim has in common with an article of its own language
LONG = 5
WHOLE = 8  # letters of a claim that stands somewhere word for word, not by chance
FEWEST = 3.0
WORDS = 0.1  # what their share is worth beside the cosine, which is .88 and more for what is said, .80 for any other
SUPPORTED, PARTIAL = 0.9, 0.87
ABROAD = 0.84  # of the cosine alone, of two languages
CALLED = re.compile(r"[一-龥々ァ-ヴー・]{2,}(?=氏|さん|容疑者|被告)")
BLANK = re.compile(r"\s")
BY_WORDS = 0.55, 0.25  # of the share alone, where the encoder knows English only


def english(claim: str, article: Article) -> bool:
    """Tell whether both are in English, or in no language that can be told."""
    return of(article) == "en" and same(claim, article)


def states(claim: str) -> bool:
    """Tell whether a claim is in Chinese or Japanese, of which English knows no word."""
    return script(claim) == "cjk"


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


def judge(claim: str, articles: Sequence[Article], encoder: Encoder) -> Verdict:
    """Return how far articles support a claim that is not in English, or not in their language.

    Where those in its own language speak of it, and none in another is nearer, what they say decides.
    """
    if not tokens(claim):
        return NOTHING
    own = [article for article in articles if same(claim, article)]
    verdict, near = _judge(claim, own, encoder) if own else (UNSAID, 0.0)
    if len(own) == len(articles) or verdict.support != "unsupported":
        return verdict
    other, there = _abroad(claim, [article for article in articles if article not in own], encoder)
    decided = near >= PARTIAL and near >= there and verdict.rule != UNSAID.rule
    return other if not decided and (other.support == "partial" or verdict.rule == UNSAID.rule) else verdict


def _judge(claim: str, articles: Sequence[Article], encoder: Encoder) -> tuple[Verdict, float]:
    """Return what articles in the language of a claim say of it, and how near that is."""
    letters = sum(map(str.isalnum, claim))
    places = filter(None, (source(article).find(claim) for article in articles if letters >= WHOLE))
    if found := next((place for place in places if not _denied_around(place)), None):
        return Verdict("verbatim", (found,)), 1.0
    chosen, share, near = evidence(claim, articles, encoder)
    if not chosen:
        return UNSAID, 0.0
    against = _contradicted(claim, chosen)
    if against and against.support == "unsupported":
        return against, near or 0.0
    score, (supported, partial) = (share, BY_WORDS) if near is None else (near + WORDS * share, (SUPPORTED, PARTIAL))
    if score < partial:
        return UNSAID, near or 0.0
    if against or score < supported:
        why = against.why if against else f"only partly said there: {KNOWS}"
        return Verdict("partial", tuple(chosen), why, "partly"), near or 0.0
    return Verdict("supported", tuple(chosen), KNOWS), near or 0.0


def _contradicted(claim: str, chosen: Sequence[Span]) -> Verdict | None:
    """Return what speaks against a claim in the article of its evidence: "partial" where it may be said otherwise."""
    article = chosen[0].article
    code = of(article)
    whole = "\n".join(span.said for span in sentences(article))
    missing = lacking(claim, code, signs(_around(chosen), code), article, signs(whole, code))
    missing += other_units(claim, code, whole, code)
    if missing:
        return Verdict("unsupported", (), f"not in the evidence: {', '.join(missing)}", "missing", tuple(chosen))
    if names := unknown_names(claim, article):
        return Verdict("unsupported", (), f"not in the article: {', '.join(names)}", "missing", tuple(chosen))
    rule, why = next((told for by in AGAINST if (told := by(claim, code, article))[0]), ("", ""))
    if not rule and (names := other_names(claim, article)):
        rule, why = "partly", f"the article has another form of {', '.join(names)}, or another name"
    support: Support = "partial" if rule == "partly" else "unsupported"
    return Verdict(support, (), why, rule, tuple(chosen)) if rule else None


def _abroad(claim: str, articles: Sequence[Article], encoder: Encoder) -> tuple[Verdict, float]:
    """Return what can be told of a claim by articles in another language, and how near they are.

    That is whether numbers, units and days contradict it.
    """
    chosen, _, near = evidence(claim, articles, encoder, READ_ABROAD)
    if near is None or near < ABROAD:
        return UNSAID, near or 0.0
    article, code = chosen[0].article, language(claim)
    whole = "\n".join(span.said for span in sentences(article))
    around, every, ours = signs(_around(chosen), of(article)), signs(whole, of(article)), signs(claim, code)
    missing = lacking(claim, code, around, article, every) + other_units(claim, code, whole, of(article))
    if missing:
        why = f"not in the evidence: {', '.join(missing)}"
        return Verdict("unsupported", (), why, "missing", tuple(chosen)), near
    if any(ours) and ours.numbers <= around.numbers | every.numbers:
        why = "claim and article are in two languages: numbers and days agree, no more was compared"
    else:
        why = "claim and article are in two languages: no numbers or days could be compared"
    return Verdict("partial", tuple(chosen), why, "partly"), near


def evidence(
    claim: str, articles: Sequence[Article], encoder: Encoder, read: int = READ
) -> tuple[list[Span], float, float | None]:
    """Return the sentences that say most of a claim, the share of its words there, and the cosine of the best one.

    Words weigh by how rare they are in these articles. The cosine is None where the encoder knows English only.
    """
    pool = [span for article in articles for span in sentences(article)]
    wanted = dict.fromkeys(token.word for token in tokens(claim))
    held = {span: {word for word in wanted if holds(span.said, word)} for span in pool}
    rare = {word: math.log((len(pool) + 1) / (0.5 + sum(word in words for words in held.values()))) for word in wanted}
    whole = sum(rare.values()) or 1.0

    def share(words: set[str]) -> float:
        return sum(rare[word] for word in words) / whole

    best = sorted(pool, key=lambda span: share(held[span]), reverse=True)[:read]
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


def lacking(claim: str, code: str, near: Signs, article: Article, whole: Signs) -> list[str]:
    """Return the numbers, days, months and days of the week of a claim that its evidence has not, as it writes them."""
    told, ours = article.published, signs(claim, code)
    # "The 18th" in a report is a day of its month, and "this year" is its year.
    numbers = ours.counted - near.numbers - ({1.0, told.year} if told else {1.0})
    # Of the smallest a count is not always told; the others stand somewhere in an article of this language.
    numbers |= {number for number in ours.numbers if number > FEWEST} - whole.numbers
    missing = [written(claim, n, lambda said: signs(said, code).numbers) for n in sorted(numbers)]
    months = ours.months.difference(near.months, {told.month if told else 0})
    missing += [written(claim, n, lambda said: signs(said, code).months) for n in sorted(months)]
    if not missing:
        told_days = {day for _, day in near.dates}
        days = [(m, day) for m, day in sorted(ours.dates - near.dates) if m in near.months or day in told_days]
        missing = [written(claim, day, lambda said: signs(said, code).dates) for day in days]
    known = {*near.weekdays} | {WEEKDAYS.index(on) for of_year in near.dates if (on := weekday((None, *of_year), told))}
    if not known and told:
        known = {told.weekday(), (told.weekday() - 1) % 7}  # today and yesterday
    missing += [written(claim, n, lambda said: signs(said, code).weekdays) for n in sorted(ours.weekdays - known)]
    return [*dict.fromkeys(missing)]


def unknown_names(claim: str, article: Article) -> list[str]:
    """Return the names of a claim that stand nowhere in an article, as it writes them.

    These are capitalised words that begin no sentence; where all nouns are so, the second of two in a row. In Japanese
    it is what stands before "Mr".
    """
    words, code, held = tokens(claim), of(article), _words(article)
    nouns, texts = code in NOUNS, _texts(article)
    if code == "ja":
        whole = BLANK.sub("", "".join(texts))
        return [name for name in CALLED.findall(BLANK.sub("", plain(claim))) if name not in whole]
    forms = terms(" ".join(texts), code)
    return [
        plain(claim)[token.start : token.end]
        for n, token in enumerate(words)
        if token.capital
        and (words[n - 1].capital and words[n - 1].inside if nouns and n else token.inside)
        and not any(same_word(token.word, word) for word in held)
        and not terms(token.word, code) & forms
    ]


def other_names(claim: str, article: Article) -> list[str]:
    """Return the surnames of a claim of which an article has only the beginning: “Krummer” for Krumm."""
    found, code = [], of(article)
    for before, token in pairwise(tokens(claim)):
        if before.capital and token.capital and token.inside and content_terms(before.word, code):
            alike = {word for word in _words(article) if same_word(token.word, word)}
            if alike and not any(same_name(token.word, word, code) for word in alike):
                found.append(plain(claim)[token.start : token.end])
    return found


def _texts(article: Article) -> list[str]:
    return [article.outlet or "", *article.authors, *(span.said for span in sentences(article))]


@lru_cache(maxsize=512)
def _words(article: Article) -> frozenset[str]:
    return frozenset(token.word for text in _texts(article) for token in tokens(text))
