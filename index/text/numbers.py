"""Numbers with what they count, in digits or in words."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from unicodedata import numeric

from index.text import lists

TOLERANCE = 0.05  # of a number that is said to be about right
SCALES = {f"{10**n}": 10.0**n for n in (3, 6, 9, 12)} | {word: float(n) for word, n in lists.meanings("scales").items()}
MONEY = r"[$€£¥₹₽₴]"
TO = r" ?(?:[-–‑]|to|or|and) ?"
FIGURE = re.compile(
    rf"(?P<before>{MONEY}|\b(?:eur|usd|gbp|rs)\b\.?)? ?(?<![a-z\d])"
    r"(?P<value>(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?|\d+(?:\.\d+)?)(?!\d|\d*s\b))(?:(?:st|nd|rd|th)\b)?"
    rf"(?: ?(?P<scale>{'|'.join(sorted(SCALES, key=len, reverse=True))})\b)?(?: ?(?:us |u\.s\. )?"
    rf"(?P<after>%(?:-points?)?|{MONEY}|°[cf]?|(?!(?:to|or|and)\b)[a-z]+(?:-[a-z]+|/h\b|[²³]|[23]\b)?))?"
)
LENGTHS = {"tall", "high", "long", "wide", "deep", "thick", "above", "below", "away", "from"}  # "80m tall" is metres
# 9pm, 9:30 p.m., 21:30, and the 7 of "7 to 9pm".
TIME = re.compile(
    r"(?<![\d.:,])(\d{1,2})(?:[:.]([0-5]\d))? ?(?:([ap])\.?m\b\.?|(?<=:\d\d)(?![:.]?\d)|(?<=:\d\d )(?!\d)|"
    rf"(?={TO}\d{{1,2}}(?:[:.]\d\d)? ?[ap]\.?m\b))"
)
# Of votes and scores the order counts, save in a defeat, which is written either way.
PAIR = re.compile(r"(?<![\w.,:/–-])(\d{1,3})(?: votes?)? ?(?:[-–]|to|against) ?(\d{1,3})(?![\w:/–%-]|[.,]\d)")
LOST = re.compile(r"\b(?:los[est]\w*|defeat\w*|beaten|down)\b[^.;]{,40}$")
VAGUE = re.compile(r"\b(tens of |hundreds of )?(dozen|hundred|thousand|million|billion)s\b")
AT_LEAST = {"dozen": 24, "hundred": 100, "thousand": 1e3, "million": 1e6, "billion": 1e9}
AT_LEAST |= {"": 1, "tens of ": 10, "hundreds of ": 100}
PART = re.compile(r"\b(a|\d+) (?:(quarter)|(\d+)(?:rd|th))(?:s\b|(?= of\b))")
SAID = re.compile(rf"\d|{lists.pattern('number-words')}", re.I)  # a sentence that says some number
ABOUT = re.compile(r"\b(?:about|around|roughly|approximately|nearly|almost|over|some|more than|less than|at least)\b")
JOINED = r"(\b(?:per|percentage|basis|square|sq|cubic)|%)\.? (?=cent\b|point|k?m\b|kilomet|met|mile|f[eo]?o?t)"
GROUPED = r"(?<![\d.,])(\d{1,3})(?: (\d{3})|\.(\d{3})(?=\.?\d{3}))(?:[ .]?(\d{3}))?(?:[ .]?(\d{3}))?(?![.,]?\d)"
POWER = re.compile(r"(?:(\d+(?:\.\d+)?) ?[×x] ?)?\b10\^(\d{1,2})\b")
MONEYS = dict(zip("$€£¥₹₽₴", ["dollars", "euros", "pounds", "yen", "rupees", "roubles", "hryvnias"], strict=True))
BIG = {"k": "thousand", "m": "million", "b": "billion", "t": "trillion"}
SHORT = r"k|mln|bn|bln|tn|trn"
SUM = rf"(?:\b[A-Z]{{1,2}})?({MONEY}) ?(\d+(?:[.,]\d+)*)(?:[- ]?([mbtr]+illion|thousand|(?:{SHORT}|m|b)\b))?"
SPOKEN: list[tuple[str, Callable[[re.Match[str]], str]]] = [  # what is written short, and how it is said
    (SUM, lambda m: f"{m[2]} {f'{BIG[m[3][0]]} ' if m[3] else ''}{MONEYS[m[1]]}"),
    (rf"(?<=\d) ?({SHORT})\b", lambda m: f" {BIG[m[1][0]]}"),
    (r"(?<![\d,.])(\d{1,3})[ ,](\d)00[ ,]000\b(?![ ,]\d{3})", lambda m: f"{m[1]}.{m[2]} million".replace(".0", "")),
    (r"\b(1[3-9]|2[0-3]):([0-5]\d)(?![:.]?\d)", lambda m: f"{int(m[1]) - 12}{f':{m[2]}' if int(m[2]) else ''}pm"),
]  # fmt: skip
SPELLED = [  # how a number may be written, and how it is read here
    (r"\s|(?<=\w)[-‑](?=[a-z])", " "),
    (JOINED, r"\1-"),  # a unit of two words
    (r" (?:per|an) hour\b", "/h"),
    (r"\bhalf an? (?=[mb]illion|trillion|thousand|dozen)", "0.5 "),
    (r"(?<!second )(?<!first )(?<!tter )\bhalf of\b", "about 50% of"),
    (GROUPED, r"\1\2\3\4\5"),
]


class Number(NamedTuple):
    """A value, its unit, and between what it may lie where it is said to be only about right.

    The unit is as in lists/units.txt, "" for none, "m?" for millions that may be metres, "time" for the time of day in
    hours, "time?" where it may be twelve hours later, "to 2" for the 9 of "9 votes to 2".
    """

    value: float
    unit: str
    least: float
    most: float

    def __str__(self) -> str:
        if self.unit.startswith("time"):
            return f"{int(self.value)}:{round(self.value % 1 * 60):02d}"
        unit = self.unit.removeprefix("m?")
        return f"{self.value:,.15g}{' ' * unit[:1].isalpha()}{unit}"

    def held(self, others: Iterable["Number"]) -> bool:
        """Tell whether one of the numbers of some evidence is this one."""
        if self.unit.startswith("to "):
            return (float(self.unit[3:]), f"to {self.value:g}") not in {(n.value, n.unit) for n in others}
        return any(self._is(other) for other in others)

    def _is(self, other: "Number") -> bool:
        units, difference = {self.unit, other.unit}, self.value - other.value
        if units & {"time", "time?"}:
            return units <= {"time", "time?"} and difference % (12 if "time?" in units else 24) == 0
        if units == {"m", "m?"}:
            return min(self.value, other.value) * 1e6 == max(self.value, other.value)
        ours, theirs = (unit.removeprefix("m?") for unit in (self.unit, other.unit))
        counts_the_same = ours in (theirs, "") or (theirs == "" and ours.isalpha())
        return counts_the_same and (difference == 0 or self.least <= other.value <= self.most)


def spoken(text: str) -> str:
    """Return a text with what is written short as a network knows it: "€1.3bn" is "1.3 billion euros", 17:00 5pm."""
    for pattern, reading in SPOKEN:
        text = re.sub(pattern, reading, text)
    return text


def in_digits(text: str) -> str:
    """Return a text, in small letters, with the numbers in words as digits."""
    from text_to_num import alpha2digit

    return str(alpha2digit(text, "en", 0))


def numbers(text: str) -> Iterator[Number]:
    """Yield the numbers of a text without its dates; "twenty-five per cent" is 25 %."""
    spelled = text.lower()
    for pattern, reading in SPELLED:
        spelled = re.sub(pattern, reading, spelled)
    spelled = re.sub(r"(\d*) ?([¼½¾⅓⅔])", lambda m: f"{int(m[1] or 0) + numeric(m[2]):.4g}", spelled)
    spelled = POWER.sub(lambda m: f"{float(m[1] or 1) * 10 ** int(m[2]):.0f}", spelled)
    for match in VAGUE.finditer(spelled):
        least = AT_LEAST[match[2]] * AT_LEAST[match[1] or ""]
        yield Number(least, "", least, least * 1000)
    digits = in_digits(VAGUE.sub(" ", spelled))
    digits = re.sub(r"(\d) and a half\b", r"\1.5", digits)
    digits = PART.sub(_percent, digits)
    for match in TIME.finditer(digits):
        hour, half = int(match[1]), match[3]
        value = (hour % 12 + 12 * (half == "p") if half else hour) + int(match[2] or 0) / 60
        yield Number(value, "time" if half or hour > 12 else "time?", value, value)
    digits = TIME.sub(" ; ", digits)
    for match in PAIR.finditer(digits):
        if not LOST.search(digits[: match.start()]):
            yield Number(float(match[1]), f"to {int(match[2])}", 0, 0)
    yield from _figures(digits)


def _percent(part: re.Match[str]) -> str:
    return f"about {100 * float(part[1].replace('a', '1')) / (float(part[3] or 4) or 1):.3g}%"


def _figures(digits: str) -> Iterator[Number]:
    """Yield the figures of a text; of "10 to 15 million euros" the first has what the second has, save a year."""
    found = list(FIGURE.finditer(digits))
    for match, before, behind in zip(found, [None, *found], [*found[1:], None], strict=False):
        scale, money, after = match["scale"], match["before"], match["after"]
        bare = not (scale or after or 1900 <= float(match["value"].replace(",", "")) <= 2100)
        if bare and behind and re.fullmatch(TO, digits[match.end() : behind.start()]):
            scale, after, money = behind["scale"], behind["after"], money or behind["before"]
        elif before and not money and re.fullmatch(TO, digits[before.end() : match.start()]):
            money = before["before"]
        unit = lists.meanings("units").get(money or after or "", "")
        value = round(float(match["value"].replace(",", "")) * SCALES.get(scale or "", 1), 6)
        if scale == "m" and not unit:
            value, unit = (value / 1e6, "m") if after in LENGTHS else (value, "m?")
        about = TOLERANCE * value * bool(ABOUT.search(digits[max(0, match.start() - 12) : match.start()]))
        yield Number(value, unit, value - about, value + about)
