"""The words of a text in any language, as they are compared: folded, with their places, and by their beginnings."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from index.text import fold
from index.text import language as languages

SCRIPTS = re.compile(
    r"(?P<cjk>[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])|(?P<arabic>[\u0600-\u06ff])|(?P<latin>[a-zà-ɏ])"
)
CJK = r"\u3005\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{CJK}]|\d+|(?:(?![{CJK}])[^\W\d_])+(?:['’ʼ](?![{CJK}])[^\W\d_]+)?")
LEAST = 3  # letters that two forms of a word have in common
ENDING = 3, 0.6  # at most so many letters may differ at the end of a word, and at least this share must not
ARTICLE = re.compile(r"^[وفبكلس]?(?:ال|لل)|^[وف](?=\w{3})|^[بكلس](?=\w{4})")  # what Arabic writes before a word
PARTICIPLE = re.compile(r"^ge(?=\w{4,}(?:t|en)$)")  # "gesperrt" is a form of "sperrte"
MARKS = re.compile(r"['’ʼ]")
UNSPACED = "zh", "ja", "ko"


class Token(NamedTuple):
    """A word as it stands in a text, [start, end), and folded; of Chinese and Japanese a character is one."""

    word: str
    start: int
    end: int
    capital: bool
    inside: bool  # no sentence begins with it


@lru_cache(maxsize=4096)
def language(text: str) -> str:
    """Return the language of a text; "" where that is not sure."""
    return languages.of(text) or ""


@lru_cache(maxsize=4096)
def script(text: str) -> str:
    """Return the script of most of a text's letters: "cjk", "arabic", "latin", or "" for any other."""
    kinds = [m.lastgroup or "" for m in SCRIPTS.finditer(text.casefold())]
    letters = max(1, sum(map(str.isalpha, text)))
    return next((kind for kind in ("cjk", "arabic", "latin") if kinds.count(kind) * 2 > letters), "")


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return a text as it is compared: digits are ASCII's, spaces are spaces, and there are no vowel signs."""
    return "".join(_plain(c) for c in fold.clean(text) if unicodedata.category(c) != "Mn")


def _plain(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return " " if character.isspace() else character


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[Token, ...]:
    """Return the words of a text, in order, with their places in `plain` of it."""
    found = []
    for match in WORD.finditer(text := plain(text)):
        inside = re.search(r"[\w,;)’'\"”»] ?[\"“„«‘(]?$", text[max(0, match.start() - 3) : match.start()])
        word = "".join(fold.words(MARKS.sub("", match[0])))
        found += [Token(word, *match.span(), match[0][0].isupper(), inside is not None)] if word else []
    return tuple(found)


@lru_cache(maxsize=65536)
def same_word(one: str, other: str) -> bool:
    """Tell whether two folded words are forms of one, as far as their beginnings tell."""
    if one == other:
        return True
    if not (one.isalpha() and other.isalpha()) or min(len(one), len(other)) < LEAST:
        return False
    if SCRIPTS.match(one) and "\u0600" <= one[0] <= "\u06ff":
        one, other = ARTICLE.sub("", one), ARTICLE.sub("", other)
    one, other = PARTICIPLE.sub("", one), PARTICIPLE.sub("", other)
    common = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    longest = max(len(one), len(other))
    return common >= LEAST and longest - common <= ENDING[0] and common >= ENDING[1] * longest
