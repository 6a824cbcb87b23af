"""Text without what does not change its words: case, accents, the shape of marks, white space, invisible characters."""

import re
import unicodedata

INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))  # soft hyphen, zero-width characters
MARKS = str.maketrans("‘’‚‛′“”„‟″«»–—‑‒―−", '\'\'\'\'\'"""""""------')


def fold(text: str) -> tuple[str, list[int]]:
    """Return a text folded for comparison, accents kept apart, and for each character its place in the original."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text.translate(MARKS)):
        if ord(character) in INVISIBLE:
            continue
        plain = " " if character.isspace() else unicodedata.normalize("NFKD", character).casefold()
        if plain != " " or folded[-1:] != [" "]:
            folded += plain
            places += [place] * len(plain)
    return "".join(folded), places


def words(text: str) -> list[str]:
    """Return the words of a text in order, without case, accents and punctuation."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", plain.casefold())
