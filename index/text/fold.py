"""Text without what does not change its words: case, accents, the shape of marks, white space, invisible characters."""

import re
import unicodedata

import regex

# Soft hyphens, zero-width characters, marks of direction; signs of Arabic numbers, which also format, are none of them.
INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
# Accents without a letter of their own, as in "Зеле́нский": what stands behind them would be another word.
STRESS = regex.compile(r"(?<=[\p{Latin}\p{Greek}\p{Cyrillic}])\p{Mn}+")
COMBINING = regex.compile(r"\P{ccc=0}+")
# Full-width and mathematical forms, ligatures; but not "²", "½" or "…", which say more than "2", "1/2" and "...".
FORMS = regex.compile(r"(?V1)[\p{dt=Wide}\p{dt=Narrow}\p{dt=Font}[\p{L}&&\p{dt=Compat}]]+")
POWER = re.compile(r"(?<=\b10)[⁰¹²³⁴-⁹]+")  # of ten: "10⁶" is "10^6", not "106"
MARKS = str.maketrans("‘’‚‛′“”„‟″«»–—‑‒―−", '\'\'\'\'\'"""""""------')


def fold(text: str) -> tuple[str, list[int]]:
    """Return a text folded for comparison, accents kept apart, and for each character its place in the original."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text.translate(MARKS)):
        if character > "\x7f" and INVISIBLE.match(character):
            continue
        plain = " " if character.isspace() else unicodedata.normalize("NFKD", character).casefold()
        if character > "\x7f" and unicodedata.category(character) == "No" and "".join([*folded[-1:], plain]).isdigit():
            plain = f"^{plain}"  # "10⁶" is not "106"
        if plain != " " or folded[-1:] != [" "]:
            folded += plain
            places += [place] * len(plain)
    return "".join(folded), places


def clean(text: str) -> str:
    """Return a text as it reads: without invisible characters, its letters in their usual forms, accents composed."""
    if text.isascii():
        return text
    usual = FORMS.sub(lambda letters: unicodedata.normalize("NFKC", letters[0]), INVISIBLE.sub("", text))
    usual = POWER.sub(lambda power: f"^{unicodedata.normalize('NFKC', power[0])}", usual)
    return str(STRESS.sub("", unicodedata.normalize("NFC", usual)))


def words(text: str) -> list[str]:
    """Return the words of a text in order, without case, accents and punctuation."""
    plain = COMBINING.sub("", unicodedata.normalize("NFKD", clean(text)))
    return re.findall(r"[^\W_]+", plain.casefold())
