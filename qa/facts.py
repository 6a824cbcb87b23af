"""What can be told of a sentence without understanding it: its numbers, days and names, and what it denies."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from index.lexical import content_terms
from index.read.dates import parse_date
from index.read.plain import MONTHS
from index.types import BadInput
from qa.expect import NUMBER as SPELLED

Day = tuple[int | None, int, int]  # year where it is said, month, day

DATE = re.compile(
    rf"\b{MONTHS} \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}}\b)?|\b\d{{1,2}}(?:st|nd|rd|th)? {MONTHS}(?:,? \d{{4}}\b)?"
    r"|\b\d{4}-\d\d-\d\d\b"
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NEAR = {"today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1}  # days from the one of publication
SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9, "tn": 1e12} | {f"{10**n}": 10.0**n for n in (3, 6, 9, 12)}
UNITS = {  # what a number may count, by the words that say so; other nouns are compared as words
    "%": "% percent percentage pct", "$": "$ dollar dollars usd", "€": "€ euro euros", "£": "£ pound pounds sterling",
    "¥": "¥ yen yuan", "cm": "cm centimeter centimeters centimetre centimetres",
    "mm": "mm millimeter millimeters millimetre millimetres", "km": "km kilometer kilometers kilometre kilometres",
    "mile": "mile miles mph", "m": "meter meters metre metres", "foot": "foot feet ft",
    "g": "g gram grams", "kg": "kg kilogram kilograms kilo kilos",
    "lb": "lb lbs", "ton": "ton tons tonne tonnes", "l": "liter liters litre litres", "gallon": "gallon gallons",
    "degree": "° degree degrees", "second": "second seconds", "minute": "minute minutes", "hour": "hour hours",
    "day": "day days", "week": "week weeks", "month": "month months",
    "year": "year years", "decade": "decade decades",
}  # fmt: skip
UNIT = {word: unit for unit, words in UNITS.items() for word in words.split()}
NUMBER = re.compile(
    r"(?P<before>[$€£¥])? ?(?P<value>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?:st|nd|rd|th)?\b"
    r"(?: ?(?P<scale>1000(?:000){0,3}|bn|tn|mn|k|m|b)\b)?(?: ?(?:us |u\.s\. )?(?P<after>%|°|[a-z]+))?"
)
ABOUT = re.compile(r"\b(?:about|around|roughly|approximately|nearly|almost|over|some|more than|less than|at least)\b")
TOLERANCE = 0.05  # of a number that is said to be about right
NEGATION = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|neither|nor|without|cannot|hardly|den(?:y|ie[sd])|refus\w+|reject\w*"
    r"|fail(?:s|ed|ing)?)\b|n['’]t\b", re.I)  # fmt: skip
NEGATED = 4  # content words after a negation that it speaks of
CLAUSE = re.compile(r"[,;:.!?()–—]|\b(?:but|although|though|while|whereas|and)\b", re.I)
OPPOSITES = [
    [content_terms(side) for side in pair.split("/")]
    for pair in """
rise rose risen increase increased grow grew gain up higher/fall fell fallen decrease decreased shrink shrank drop
dropped decline declined down lower cut loss; win won victory/lose lost defeat; add added/remove removed;
accept agree agreed approve approved back backed support supported endorse/reject refuse refused oppose veto;
allow permit let/ban bar barred forbid forbidden prohibit block; include/exclude; expand/shrink contract;
begin began begun start open launch/end stop finish close shut; keep kept retain/delete deleted remove discard;
guilty convicted convict/acquitted acquit innocent cleared;
buy bought purchase acquire/sell sold; arrive enter entered join joined/leave left depart quit;
more most many/fewer less least few; above over/below under; men man male/women woman female;
alive survive survived/dead died killed; succeed succeeded success/fail failed failure; best/worst;
largest biggest highest large big high/smallest lowest small low; strong strengthen/weak weaken;
arrest detain jailed/release freed free; north northern/south southern; east eastern/west western;
hire hired appoint/fire fired dismiss; import/export; public/private; major/minor;
praise praised/criticise criticize condemn; brother/sister; son/daughter; father/mother; king/queen; husband/wife;
voluntary optional/mandatory compulsory; local/national international; domestic/foreign;
possible likely/impossible unlikely; legal/illegal; peace/war; advance attack/retreat withdraw;
deny denied/admit confess confirm; proud/ashamed; friend ally/enemy; positive/negative; true/false
""".split(";")  # noqa: SIM905  readable as prose
]
PRONOUNS = {"He", "She", "They", "It", "We", "I", "You", "Who", "The", "A", "One"}
CAPITALS = {"kyiv": "ukraine", "moscow": "russia", "kremlin": "russia", "washington": "us", "london": "uk",
            "beijing": "china", "paris": "france", "berlin": "germany", "tokyo": "japan", "brussels": "eu"}  # fmt: skip
SUBJECT = re.compile(r"\b([A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*) (?:has |have |had |also |then )?([a-z]{3,}ed)\b")
INITIALS = re.compile(r"(?<=\b[A-Z])\.(?=[A-Z]\b)|(?<=\b[A-Z]\.[A-Z])\.")  # "U.S." is the name "US"
RUN = re.compile(r"[A-Z][\w’'-]*(?: (?:of |for |and |the |& ?)*[A-Z][\w’'-]*)+")
RUN_BEFORE, RUN_AFTER = (
    re.compile(r"[A-Z][\w.’'-]* (?:of |for |and |the )*$"),
    re.compile(r"(?:[’']s)? (?:of |for |and |the )*[A-Z]"),
)
WORD = re.compile(r"[^\W\d_][\w’'-]*")
ENDING = re.compile(r"(?:[’']s?|s)?$|(?:ese|ish|ian|an|ain|ia|on|land|[aeiony]+)(?:[’']s|s)?$")
ALIASES = {"usa": "us", "america": "us", "american": "us", "britain": "uk", "british": "uk", "french": "france",
           "polish": "poland", "dutch": "netherlands", "danish": "denmark", "greek": "greece", "swiss": "switzerland",
           "spanish": "spain", "swedish": "sweden", "welsh": "wales", "chinese": "china"}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """The facts of a text: numbers with their units, days, and names as folded words."""

    numbers: frozenset[tuple[float, str, bool]]  # value, unit or "", and whether it is only about right
    days: frozenset[Day]
    names: frozenset[str]


@lru_cache(maxsize=4096)
def facts(text: str) -> Facts:
    """Return the facts that a sentence or a few of them state."""
    text = INITIALS.sub("", text)
    rest = DATE.sub(" ", text)
    return Facts(frozenset(_numbers(rest)), frozenset(dates(text)), frozenset(_names(rest)))


def dates(text: str) -> list[Day]:
    """Return the days that a text names by month and day, in order."""
    return [day for match in DATE.finditer(text) if (day := _day(match[0]))]


def _day(text: str) -> Day | None:
    dated = re.search(r"\b\d{4}\b", text)
    try:
        day = parse_date(text if dated else f"{text} 2000")
    except BadInput:
        return None
    return day.year if dated else None, day.month, day.day


def _numbers(text: str) -> Iterator[tuple[float, str, bool]]:
    from text_to_num import alpha2digit

    spelled = re.sub(r"(?<=\w)[-‑](?=[a-z])", " ", text.lower()).replace("per cent", "percent")
    digits: str = alpha2digit(spelled, "en", 0)
    for match in NUMBER.finditer(digits):
        value = float(match["value"].replace(",", "")) * SCALES.get(match["scale"] or "", 1)
        unit = UNIT.get(match["before"] or match["after"] or "", "")
        yield value, unit, bool(ABOUT.search(digits[max(0, match.start() - 12) : match.start()]))


def _names(text: str) -> Iterator[str]:
    """Yield the words of names: capitalised, and no English words where these begin a sentence or a title does."""
    from lemminflect import getAllLemmas  # 0.7 s with its dictionary

    if text.isupper():
        return
    for match in WORD.finditer(text):
        before, after = text[: match.start()], text[match.end() :]
        starts = not re.search(r"[\w,;:)’'\"”] ?[\"“‘(]?$", before)
        in_run = RUN_AFTER.match(after) or RUN_BEFORE.search(before)
        for part in re.sub(r"[’']s$", "", match[0]).split("-"):
            known = getAllLemmas(part.casefold()) or SPELLED.fullmatch(part)
            if part[:1].isupper() and len(part) > 1 and not (known and (starts or in_run) and not part.isupper()):
                yield from words(part)


def words(text: str) -> set[str]:
    """Return the words of a text without case and accents, and the initials of the names in it."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", INITIALS.sub("", text)) if not unicodedata.combining(c))
    runs = ("".join(word[0] for word in run.split() if word[0].isupper()) for run in RUN.findall(plain))
    return set(re.findall(r"[^\W_]+", plain.casefold())) | {initials.casefold() for initials in runs}


def lacking(claim: Facts, evidence: Facts, said: set[str], near: set[str], published: date | None) -> list[str]:
    """Return what a claim states and its evidence does not: numbers, days and names, in words for people.

    `said` are the words of the evidence, `near` those of its whole article, with headline, outlet and authors too.
    """
    missing = []
    for value, unit, about in sorted(claim.numbers):
        same = {v for v, u, _ in evidence.numbers if unit in (u, "") or (u == "" and unit not in "%$€£¥")}
        held = value in same or (about and any(abs(v - value) <= TOLERANCE * v for v in same))
        year = not unit and 1900 <= value <= 2100 and f"{value:g}" in near
        if value != 1 and not held and not year:
            missing.append(f"{value:,.12g}{' ' * unit.isalpha()}{unit}")
    told = evidence.days | _told(said, published)
    missing += [_written(day) for day in sorted(claim.days, key=str) if not any(_same(day, other) for other in told)]
    roots = {root(term) for term in near}
    dated = [(year or (published.year if published else 0), month, day) for year, month, day in evidence.days]
    weekdays = {WEEKDAYS[date(*day).weekday()] for day in dated if day[0]} | said.intersection(WEEKDAYS)
    weekdays |= {WEEKDAYS[(published + timedelta(NEAR[word])).weekday()] for word in said & {*NEAR} if published}
    if weekdays:  # else the day of publication, which is among the words of the article, may be the one meant
        roots -= {root(day) for day in WEEKDAYS}
    return missing + [name for name in sorted(claim.names - weekdays) if root(name) not in roots]


@lru_cache(maxsize=65536)
def root(word: str) -> str:
    """Return what a name has in common with the words made from it: "ukrain" of Ukraine, Ukrainian and Ukrainians."""
    word = ALIASES.get(word, word)
    return ENDING.sub("", word) if len(ENDING.sub("", word)) > 2 else word


def _told(said: set[str], published: date | None) -> set[Day]:
    """Return the days that "Thursday" or "yesterday" may mean in an article of this day."""
    if not published:
        return set()
    shifts = {shift for word, shift in NEAR.items() if word in said}
    shifts |= {shift for shift in range(-7, 8) if WEEKDAYS[(published + timedelta(shift)).weekday()] in said}
    days = [published + timedelta(shift) for shift in shifts]
    return {(day.year, day.month, day.day) for day in days}


def _same(one: Day, other: Day) -> bool:
    return one[1:] == other[1:] and (one[0] == other[0] or None in (one[0], other[0]))


def _written(day: Day) -> str:
    return f"{date(day[0] or 2000, *day[1:]):%-d %B}" + (f" {day[0]}" if day[0] else "")


def has_day(text: str) -> bool:
    """Tell whether a text says a day: a date, or a word such as Thursday or yesterday."""
    return bool(facts(text).days or words(text) & {*WEEKDAYS, *NEAR})


def other_subject(claim: str, evidence: str) -> str | None:
    """Return what the evidence says that somebody did of whom the claim says it of another; None where it does not.

    A capital stands for its country: "Kyiv accepted" is no other than "Ukraine accepted".
    """
    theirs = {verb: (names, whole) for verb, names, whole in _subjects(evidence)}
    said = {root(CAPITALS.get(word, word)) for word in words(evidence)}
    for verb, names, _ in _subjects(claim):
        if verb in theirs and not names & theirs[verb][0] and not names & said:
            return theirs[verb][1]
    return None


def _subjects(text: str) -> Iterator[tuple[str, set[str], str]]:
    """Yield the verb, as its stem, behind each name, the roots of the name, and both as they stand there."""
    for match in SUBJECT.finditer(text):
        if match[1] not in PRONOUNS and (verb := content_terms(match[2])):
            yield min(verb), {root(CAPITALS.get(word, word)) for word in words(match[1])}, match[0]


def denies(claim: str, evidence: str) -> str | None:
    """Return a word that only one of two sentences denies, or None where they agree.

    A negation speaks of the few content words behind it, to the end of its clause.
    """
    ours, theirs = content_terms(claim), content_terms(evidence)
    denied, denied_there = _denied(claim), _denied(evidence)
    return min((denied & theirs - denied_there) | (denied_there & ours - denied), default=None)


def opposes(claim: str, evidence: str) -> str | None:
    """Return a word of a claim whose opposite stands in its evidence, where the word itself does not; or None."""
    ours, theirs = content_terms(claim), content_terms(evidence)
    for one, other in (sides for pair in OPPOSITES for sides in (pair, pair[::-1])):
        if (word := one & ours) and other & theirs - ours and not one & theirs:
            return min(word)
    return None


def _denied(text: str) -> set[str]:
    denied: set[str] = set()
    for match in NEGATION.finditer(text):
        clause = CLAUSE.split(text[match.end() :], maxsplit=1)[0].split()
        content = [word for word in clause if content_terms(word)][:NEGATED]
        denied |= content_terms(" ".join(content))
    return denied
