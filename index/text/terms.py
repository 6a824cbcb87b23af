"""The stems by which words are searched and compared, as the lexical index has them: tantivy's analysis of English.

Other languages have Snowball's stemmers, which PyStemmer (0.7 MB) has for more of them than tantivy, endings that are
cut off, or pairs of characters.
"""

from collections.abc import Set
from contextlib import suppress
from functools import cache

import regex
import tantivy
from Stemmer import Stemmer
from stop_words import StopWordError, get_stop_words

from index.text import lists
from index.text.fold import clean

ENGLISH = None, "en"
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
# Within a Ukrainian word, in which it is no letter; vowels, which few write, and what makes a word longer.
NO_LETTER = regex.compile(r"(?<=\p{Cyrillic})['’ʼ](?=\p{Cyrillic})|(?<=[\p{Arabic}\p{Hebrew}])\p{M}+|ـ")
DIGIT = regex.compile(r"[^\P{Nd}0-9]")
SPACELESS = regex.compile(
    r"([\p{Han}\p{Hiragana}\p{Katakana}ー\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]+)"
)
HAN, GRAMMAR = regex.compile(r"\p{Han}"), regex.compile(r"\p{Hiragana}")
LONGEST = 120  # bytes
STEM = 3  # characters, of what endings are cut from


def analyzer(*stopwords: tantivy.Filter) -> tantivy.TextAnalyzer:
    """Fold case and accents, so that "Dia" finds "Día", and stem: tantivy's own "en_stem" keeps accents apart."""
    plain = tantivy.Filter.remove_long(40), tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold()
    return _built(tantivy.Tokenizer.simple(), *plain, *stopwords, tantivy.Filter.stemmer("english"))


def _built(tokenizer: tantivy.Tokenizer, *steps: tantivy.Filter) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tokenizer)
    for step in steps:
        builder = builder.filter(step)
    return builder.build()


_TERMS = analyzer()
_QUESTION = " ".join(lists.lines("question-words")).split()
_CONTENT = analyzer(tantivy.Filter.stopword("english"), tantivy.Filter.custom_stopword(_QUESTION))
_FOLDED = _built(tantivy.Tokenizer.whitespace(), tantivy.Filter.remove_long(LONGEST), tantivy.Filter.ascii_fold())


def tokens(text: str, language: str | None, content: bool = False) -> list[str]:
    """Return the words of a text in order as they are searched in its language; with `content`, those of its subject.

    Words of scripts that set no spaces, and Korean ones, are pairs of characters, Chinese characters also words.
    """
    pieces = _pieces(text)
    if content:
        kept = _stopping(language).analyze(" ".join(pieces))
        pieces = [piece for piece in kept if not GRAMMAR.search(piece)] or kept
    if name := lists.meanings("stemmers").get(language or ""):
        pieces = Stemmer(name).stemWords(pieces)  # a new one, which takes no time: no two threads may use one
    elif endings := _endings(language):
        pieces = [_cut(piece, endings) for piece in pieces]
    return _FOLDED.analyze(" ".join(pieces))


def _pieces(text: str) -> list[str]:
    """Return the words of a text in small letters, and what is searched of those of scripts without spaces."""
    plain = DIGIT.sub(lambda digit: str(int(digit[0])), NO_LETTER.sub("", clean(text)).lower())
    if not SPACELESS.search(plain):
        return list(WORD.findall(plain))
    pieces = list[str]()
    for word in WORD.findall(plain):
        for number, run in enumerate(SPACELESS.split(word)):
            if number % 2:
                signs = regex.findall(r"\X", run)
                pieces += ["".join(signs[at : at + 2]) for at in range(max(1, len(signs) - 1))]
                pieces += HAN.findall(run) if len(signs) > 1 else []
            elif run:
                pieces.append(run)
    return pieces


@cache
def _endings(language: str | None) -> frozenset[str]:
    rows = (line.partition(": ") for line in lists.lines("endings"))
    return frozenset(ending for code, _, endings in rows if code == language for ending in endings.split())


def _cut(word: str, endings: frozenset[str]) -> str:
    """Return a word without the longest ending that leaves a stem."""
    return next((word[:at] for at in range(STEM, len(word)) if word[at:] in endings), word)


@cache
def _stopping(language: str | None) -> tantivy.TextAnalyzer:
    """Return what leaves out the words of a language that say nothing of a subject: Snowball's, or stop-words'."""
    asking = [word for word, code in lists.meanings("asking").items() if code == language]
    white = tantivy.Tokenizer.whitespace()
    with suppress(ValueError):
        known = tantivy.Filter.stopword(lists.meanings("stemmers").get(language or "", ""))
        return _built(white, known, tantivy.Filter.custom_stopword(_pieces(" ".join(asking))))
    with suppress(StopWordError):
        asking += get_stop_words(language or "")
    return _built(white, tantivy.Filter.custom_stopword(_pieces(" ".join(asking))))


def terms(text: str, language: str | None = None) -> set[str]:
    """Return the stems by which the words of a text are searched, in English or another language."""
    return set(_TERMS.analyze(clean(text)) if language in ENGLISH else tokens(text, language))


def content_terms(text: str, language: str | None = None) -> set[str]:
    """Return the stems of a text's words without those that say nothing of its subject."""
    return set(_CONTENT.analyze(clean(text)) if language in ENGLISH else tokens(text, language, content=True))


_SAME = {stem: min(terms(key)) for word, key in lists.meanings("same").items() for stem in terms(word)}


def alike(stems: set[str]) -> set[str]:
    """Return stems with one for all words of a meaning: that of "die" for dead and deaths, of 13 for thirteen."""
    return {_SAME.get(stem, stem) for stem in stems}


def share(wanted: Set[str], held: Set[str]) -> float:
    """Return the share of the wanted terms that are held; 0 where none is wanted."""
    return len(wanted & held) / max(1, len(wanted))
