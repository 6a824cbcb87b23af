"""Words of which one denies the other, in languages other than English."""

import re
from functools import cache, lru_cache
from itertools import permutations

from index.text import fold, lists
from qa.check.signs.words import MARKS, UNSPACED, plain, tokens

Side = re.Pattern[str]


@lru_cache(maxsize=8192)
def opposed(one: str, other: str, code: str) -> bool:
    """Tell whether one text has a word, and the other its opposite, and neither has both."""
    ours, theirs = _said(one, code), _said(other, code)
    return any(
        here.search(ours) and there.search(theirs) and not here.search(theirs) and not there.search(ours)
        for here, there in _pairs(code)
    )


def _said(text: str, code: str) -> str:
    return plain(text) if code in UNSPACED else " ".join(token.word for token in tokens(text))


@cache
def _pairs(code: str) -> list[tuple[Side, Side]]:
    rows = (line.partition(":") for line in lists.lines("opposites-abroad"))
    every = [[_side(side, code) for side in said.split("/")] for key, _, said in rows if key == code]
    return [(one, other) for sides in every for one, other in permutations(sides, 2)]


def _side(words: str, code: str) -> Side:
    if code in UNSPACED:
        return re.compile("|".join(map(re.escape, words.split())))
    folded = ("".join(fold.words(MARKS.sub("", word))) + r"\w*" * word.endswith("*") for word in words.split())
    return re.compile(rf"(?<!\w)(?:{'|'.join(folded)})(?!\w)")
