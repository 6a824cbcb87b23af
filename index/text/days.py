"""Days: as values, as people write them, and as a text says them."""

import re
from calendar import month_name, monthrange
from contextlib import suppress
from datetime import UTC, date, datetime

from index.text import lists
from index.text.fold import words
from index.types import BadInput

Day = tuple[int | None, int, int]  # year where it is said, month, day
Period = tuple[date, date]  # its first day and its last

MONTH = r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
MONTH_DAY = rf"(?:{MONTH} \d{{1,2}}(?:st|nd|rd|th)?\b|\d{{1,2}}(?:st|nd|rd|th)? {MONTH})"
WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
DATE = re.compile(rf"\b{MONTH_DAY}(?:,? \d{{4}}\b)?|\b\d{{4}}-\d\d-\d\d\b|\b\d{{1,2}}\.\d{{1,2}}\.(?:19|20)\d\d\b")
# What tells when, a date or less: a year, a month, a day of the week, the time of day.
WHEN = re.compile(
    rf"{DATE.pattern}|\b(?:19|20)\d\d\b|\b{MONTH}(?= |$)(?<!May )|\b{WEEKDAY}\b|\d{{1,2}}:\d\d\b"
    r"|\b(?i:today|tomorrow|yesterday|tonight|spring|summer|fall|autumn|winter|night|morning"
    r"|hours?|days?|weeks?|months?|years?)\b"
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NEAR = {"today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1}  # days from the one of publication
COUNT = r"(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d{1,3})"
UNIT, NUMBERED = r"(?:day|week|weekend|month|year)s?", r"\d{1,2}(?:st|nd|rd|th)?"
NAMED = rf"(?:{'|'.join(month_name[1:])})"
NEARBY = rf"{'|'.join(NEAR)}|last {WEEKDAY}|{COUNT} days? (?:ago|earlier)"
ONE_DAY = re.compile(rf"\b(?:(?:{WEEKDAY},? )?(?:{DATE.pattern})|(?i:{NEARBY}|{WEEKDAY})\b)")
LONGER = rf"{COUNT} {UNIT} ago|(?:last|past|this) (?:(?:{COUNT} )?{UNIT}|{NAMED})"
TIME = rf"(?:{ONE_DAY.pattern}|\b(?:{LONGER}|{NAMED}(?:,? \d{{4}})?|(?:19|20)\d\d)\b)"
PART = rf"(?:the |early |late |mid-|first (?=week|half|days)|(?:{'|'.join(lists.lines('parts-of-periods'))}) of )*"
PERIOD = re.compile(
    rf"\b(?P<word>between|from|since|after|before|until|till|by|in|on|during|over|throughout|within|at|for) {PART}"
    rf"(?:(?P<first>{TIME}|{NUMBERED})(?: (?:and|to|until|till|through) | ?[-–] ?){PART}"
    rf"(?P<last>{TIME}|now\b|{NUMBERED}\b(?:, \d{{4}}\b)?)|(?P<time>{TIME}))|\b(?P<alone>{NEARBY}|{LONGER})\b",
    re.I,
)
WHOLE_DATES = {"REQUIRE_PARTS": ["day", "month", "year"], "PARSERS": ["absolute-time"], "DATE_ORDER": "DMY"}
ANY_MONTH = re.compile(r"\b\d{1,2}(?:\.|er|º)? (?:de |d['’])?[^\W\d_]{3,}\.?,? (?:de |del )?\d{4}(?!\d)")  # 3. Mai 2026
WRITTEN_DAY = re.compile(r"(\d{4}) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일]")
FIRST_YEAR = 1600  # in which there was no newspaper
EITHER_ORDER = re.compile(r"(?<!\d)(0?[1-9]|1[0-2])([-/])(0?[1-9]|1[0-2])\2(?:\d\d){1,2}(?!\d)")


def parse_date(value: object, english: bool = False) -> date:
    """Return the day that a value names: a date, ISO 8601, RFC 2822, "18 April 2025", "2022/01/02", "3.4.2025"…

    Seconds or milliseconds since 1970 are one, from 1973 on. Day, month and year must all be there. Between dots the
    day comes first everywhere; between strokes either may, so that "03/04/2022" names no day. Raises BadInput for that
    and for anything else. Months have names of any language, which takes time, or `english`.
    """
    if type(value) is int:
        value = max(min(value, 10**18), -(10**18))  # Python writes no endless number
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    if type(value) in (int, float, str) and (seconds := re.fullmatch(r"(\d{9,10})(\d{3})?(?:\.\d+)?", str(value))):
        return datetime.fromtimestamp(int(seconds[1]), UTC).date()
    if type(value) in (int, str) and (stamp := re.fullmatch(r"((?:19|20)\d{6})\d{6}", str(value))):
        return parse_date(stamp[1])
    if isinstance(value, str) and (text := value.strip()):
        with suppress(ValueError):
            return datetime.fromisoformat(text).date()
        if numbers := re.match(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)", text):
            with suppress(ValueError):
                return date(*map(int, numbers.groups()))
        elif len(text) < 60:
            import dateparser  # 0.2 s with its data

            either = EITHER_ORDER.search(text)
            if either and (first := int(either[1])) != (second := int(either[3])):
                meant = f"{first} {month_name[second]} or {second} {month_name[first]}"
                raise BadInput(f"{text!r} may be {meant}: write it as YYYY-MM-DD")
            found = dateparser.parse(text, languages=["en"], settings=WHOLE_DATES)
            if found or (
                not english and ANY_MONTH.search(text) and (found := dateparser.parse(text, settings=WHOLE_DATES))
            ):
                return date(found.year, found.month, found.day)
    shown = repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    raise BadInput(f"{shown if len(shown) < 60 else shown[:57] + '…'} is not a date: write it as YYYY-MM-DD")


def day_or_none(text: str, english: bool = False) -> date | None:
    """Return the day that a text names as `parse_date` takes it, or None."""
    with suppress(BadInput):
        return parse_date(text, english)
    return None


def appeared(day: date) -> bool:
    """Tell whether something can have been published on a day: not before newspapers, nor after tomorrow."""
    return day.year >= FIRST_YEAR and day <= shifted(date.today(), 2)


def shifted(day: date, days: int) -> date:
    """Return the day so many days later, or the calendar's last, or first."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def in_numbers(line: str) -> str:
    """Return a line with the days that it names by the month, in any language but English, as YYYY-MM-DD."""
    if len(line) > 200:  # each that is none takes 12 ms
        return line
    line = WRITTEN_DAY.sub(lambda said: "{:04}-{:02}-{:02}".format(*map(int, said.groups())), line)
    return ANY_MONTH.sub(lambda said: said[0] if DATE.search(said[0]) else str(day_or_none(said[0]) or said[0]), line)


def dates(text: str) -> list[Day]:
    """Return the days that a text names by month and day, in order."""
    days = []
    for said in DATE.findall(text):
        dated = re.search(r"\b\d{4}\b", said)
        if day := day_or_none(said if dated else f"{said} 2000", english=True):
            days.append((day.year if dated else None, day.month, day.day))
    return days


def has_day(text: str) -> bool:
    """Tell whether a text says a day: a date, or a word such as Thursday or yesterday."""
    return bool(dates(text) or {*WEEKDAYS, *NEAR}.intersection(words(text)))


def meant(said: set[str], published: date | None) -> set[Day]:
    """Return the days that "thursday" or "yesterday", among the folded words of an article of this day, may mean."""
    if not published:
        return set()
    shifts = {shift for word, shift in NEAR.items() if word in said}
    most = 7 if said & {"last", "next"} else 6  # "on Thursday" of a Thursday's report is that day
    shifts |= {shift for shift in range(-most, most + 1) if WEEKDAYS[shifted(published, shift).weekday()] in said}
    days = [shifted(published, shift) for shift in shifts]
    return {(day.year, day.month, day.day) for day in days}


def span(said: str, today: date) -> Period | None:
    """Return the days of a time of the past as it is said on a day: "Tuesday", "last month", "14 May", "March".

    Where it has no year it is the latest that has begun; None where no calendar has it.
    """
    from dateparser.date import DateDataParser

    text, base = said.casefold().replace("earlier", "ago"), today
    if lasting := re.fullmatch(rf"(?:last|past) ({COUNT} {UNIT})|past ({UNIT})", text):
        text = f"{lasting[1] or f'1 {lasting[2]}'} ago"
    elif text in WEEKDAYS:
        base = shifted(base, 1)  # "Thursday" is that day on a Thursday
    elif text[:5] in ("last ", "this ") and text[5:].title() in month_name[1:]:
        base, text = shifted(today.replace(day=1), -1) if text[0] == "l" else today, text[5:]
    settings = {"RELATIVE_BASE": datetime(*base.timetuple()[:3]), "PREFER_DATES_FROM": "past", "DATE_ORDER": "DMY"}
    try:
        found = DateDataParser(languages=["en"], settings=settings).get_date_data(text.replace("weekend", "week"))
    except OverflowError:  # 999 days before the year 2
        return None
    if not found.date_obj or len(text) < len("May"):
        return None
    day: date = found.date_obj.date()
    monday = shifted(day, -day.weekday())
    return {
        "lasting": (day, today),
        "week": (shifted(monday, 5 * ("end" in text)), shifted(monday, 6)),
        "month": (day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])),
        "year": (day.replace(month=1, day=1), day.replace(month=12, day=31)),
    }.get("lasting" if lasting else found.period, (day, day))


def period(question: str, today: date) -> Period | None:
    """Return the first and the last day of the time that a question is about, asked on a day; None where it says none.

    "this week", "in March", "since January", "between 3 and 9 March 2025", "before May" (from the first day there is).
    """
    found = PERIOD.search(question)
    if not found or (re.search(r"\bbetween\b", question, re.I) and not found["last"]):
        return None  # "between his arrest in June and the trial" is not June
    word, start = (found["word"] or "").casefold(), found["first"]
    end = found["last"] or found["time"] or found["alone"]
    if start and re.fullmatch(rf"{NUMBERED}(?:, \d{{4}})?", end):
        end = re.sub(rf"{NUMBERED}\b.*", end, start)  # March 3 to 9
    elif start and re.fullmatch(NUMBERED, start):
        start = re.sub(rf"{NUMBERED}\b", start, end, count=1)  # 3 to 9 March
    last = span(end, today)
    first = span(start, min(last[1], today)) if start and last else last
    if not last or not first or first[0] > last[1] or (word == "after" and last[1] >= today):
        return None
    if word in ("since", "after"):
        return (first[0] if word == "since" else shifted(last[1], 1)), today
    if word in ("before", "until", "till", "by"):
        return date.min, (shifted(first[0], -1) if word == "before" else last[1])
    return first[0], last[1]


def same_day(one: Day, other: Day) -> bool:
    """Tell whether two days may be the same: where one has no year, it is any."""
    return one[1:] == other[1:] and (one[0] == other[0] or None in (one[0], other[0]))


def weekday(day: Day, published: date | None) -> str:
    """Return the day of the week of a day, of the year of publication where it has none; "" where that is unknown."""
    with suppress(ValueError):  # no year at all, or 29 February of one that has none
        return WEEKDAYS[date(day[0] or (published.year if published else 0), *day[1:]).weekday()]
    return ""


def written(day: Day) -> str:
    """Return a day as people write it: 18 April 2025."""
    return f"{date(day[0] or 2000, *day[1:]):%-d %B}" + (f" {day[0]}" if day[0] else "")
