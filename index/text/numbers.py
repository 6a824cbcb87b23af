"""Numbers with what they count, in digits or in words."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from index.text import lists

SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9, "tn": 1e12} | {f"{10**n}": 10.0**n for n in (3, 6, 9, 12)}
FIGURE = re.compile(
    r"(?P<before>[$€£¥])? ?(?P<value>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?:st|nd|rd|th)?\b"
    r"(?: ?(?P<scale>1000(?:000){0,3}|bn|tn|mn|k|m|b)\b)?(?: ?(?:us |u\.s\. )?(?P<after>%|°|[a-z]+))?"
)
SAID = re.compile(rf"\d|{lists.pattern('number-words')}", re.I)  # a sentence that says some number
ABOUT = re.compile(r"\b(?:about|around|roughly|approximately|nearly|almost|over|some|more than|less than|at least)\b")


class Number(NamedTuple):
    """A value, its unit as in lists/units.txt or "", and whether it is said to be only about right."""

    value: float
    unit: str
    about: bool


def numbers(text: str) -> Iterator[Number]:
    """Yield the numbers of a text without its dates; "twenty-five per cent" is 25 %."""
    from text_to_num import alpha2digit

    spelled = re.sub(r"(?<=\w)[-‑](?=[a-z])", " ", text.lower()).replace("per cent", "percent")
    digits: str = alpha2digit(spelled, "en", 0)
    for match in FIGURE.finditer(digits):
        value = float(match["value"].replace(",", "")) * SCALES.get(match["scale"] or "", 1)
        unit = lists.meanings("units").get(match["before"] or match["after"] or "", "")
        yield Number(value, unit, bool(ABOUT.search(digits[max(0, match.start() - 12) : match.start()])))
