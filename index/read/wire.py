"""Takes off wire copy what agencies put above and below a report, and keeps what it tells: outlet, date, authors."""

import re
from datetime import date, timedelta
from itertools import takewhile
from typing import Any

from index.read.fields import fold, other
from index.text import lists
from index.text.datelines import dateline
from index.text.days import day_or_none, in_numbers

HEAD_LINES, TAIL_LINES = 15, 8
PAGE = "\ue00c"  # stands in a text where a page of its file begins, until the article is made; no white space
LABELS = tuple(entry for entry in lists.lines("slugs") if re.search("[: ]", entry))
SLUGS = {*lists.lines("slugs")} - {*LABELS}
CODED = re.compile(
    r"[A-Z]{2}-+\S.*|(?![\d/-]+$)[^\W_]+(?:[-/]+[^\W_]+){2,}/?|[A-Z]+(?:[-/]+[A-Z]+)+/?"
)  # BC-Brasov-Strike, 1st Ld
# SPA0114 GEN 0620 14 January 2026: service and number, desk, time, day.
HEADED = re.compile(r"[A-Z]{2,5} ?\d{3,5} [A-Z]{2,4} \d{4}(?: (\d{1,2} [A-Z][a-z]{2,8} \d{4}))?")
# A keyword line: BRASOV STRIKE; Ferry-Linnet, 2nd lead; Port-Strike-Ballot - CORRECTION
KEYWORD = re.compile(r"[A-Z][A-Z/ -]+|[A-Z]\w+(?:-[A-Z]\w+)+(?:, (?:\d\w\w|[Ff]irst|[Nn]ew) .*| - [A-Z]{4,}.*)?")
MASTHEAD = re.compile(rf"(?:[\w.&]+ ){{0,4}}?{lists.pattern('mastheads')}", re.IGNORECASE)
LABELLED = re.compile(r"([A-Z][A-Za-z ]{1,20}|[^\W\d_a-z][^\W\d_]{1,15} ?)(?:: +|：\s*)(\S.*)")
PREFIX = re.compile(rf"^(?:{lists.pattern('title-prefixes')}(?: \d+)? ?[-–—:] ?)+")
CORRECTION = re.compile(r"(?:corrections?|clarifications?)(?: (?:and|&) \w+)?", re.I)  # a headline of its own
SENTENCE = re.compile(r"[.!?…][\"'”’)]*$")
COPYRIGHT = re.compile(
    r"(?i:\(c\)|©|copyright)(?: (?:\(c\)|©))? ?((?:19|20)\d\d)"
    r"(?:,? (?:by )?([A-Z][\w&' ]+?)(?=[.,]|$| [Aa]ll [Rr]ights))?"
)
END = re.compile(r"[\W_]*(?i:ends?|nnnn)[\W_]*|[\W_]+(?:ends?|30|more|mf|nnnn)[\W_]+|[\W_]+")
END_BEHIND = re.compile(r"(?<=[.!?\"”’)])\s+(?:ENDS?|-+ ?30 ?-+|#\s?#\s?#|\(ENDS\)|/?NNNN)\s*$")
WORK = r"(?:additional |further )?(?:reporting|writing|written|compiled|editing|edited|translated)"
CREDIT = re.compile(
    rf"[(\[]?(?i:{WORK}(?: and {WORK})? by) [A-Z].*|"
    r"[A-Z][^.!?]*contributed (?:to this (?:report|story|article)|reporting)\b.*"
    r"|(?:[A-Z][\w.'-]+,? (?:and )?){1,4}reported from [A-Z].{0,60}"
)
CREDIT_BEHIND = re.compile(rf"(?<=[.!?\"”’])\s*[(\[]{WORK} (?:and {WORK} )?by [^()\[\]]*[)\]]\W*$", re.I)
WROTE = re.compile(r"(?:reporting|writing|written|compiled|report|story)(?: and \w+)? by (.+?)(?=;|$|[)\].]\W*$)", re.I)
SIGNED = re.compile(  # ap/jl; 06-02-25 1431EDT; ((desk@wire.example; +40 555))
    r"\W?(?:[A-Z]{2,5} )?[A-Za-z]{1,5}(?:/[A-Za-z]{1,5})+\W?|\d[\d/:. -]*(?: ?[A-Z]{3,4})?(?: \d{2,4})?|\(\(.*\)\)"
    r"|(?:\S+ ){0,4}\S+@\S+\.\w+\S*(?: \S+){0,4}"
)
FILED = {  # as US agencies sign, the month first; and as military time
    re.compile(r"(\d\d)-(\d\d)-(\d\d) \d{4}[ECMP][DS]T"): "20{2}-{0}-{1}",
    re.compile(r"(\d\d)\d{4}Z? ([A-Z]{3}) (\d\d)"): "{0} {1} 20{2}",
}
ROLE = re.compile(r"(?:[A-Z]\w+ ){0,1}(?:[Cc]orrespondent|[Ee]ditor|[Rr]eporter|[Ww]riter)s?")


def heads(text: str) -> tuple[dict[str, Any], str]:
    """Return what the lines above a report declare, and the text without slug lines; other lines stay."""
    lines, fields, kept = [line.strip() for line in text.split("\n")], dict[str, Any](), list[str]()
    agencies = {sent.agency.casefold() for line in lines[: HEAD_LINES * 2] if (sent := dateline(line))}
    agencies |= {owner.casefold() for _, owner in COPYRIGHT.findall(text)}
    for number, line in enumerate(lines):
        if PAGE in line:  # the next page is no head
            return fields, "\n".join([*_unslugged(kept), *lines[number:]])
        label, said = labelled.groups() if (labelled := LABELLED.fullmatch(line)) else ("", "")
        ours = lists.meanings("labels").get(fold(label)) or (other({label: said}) and label)
        day = day_or_none(in_numbers(said)) if ours == "published" else None
        if ours and (day or ours != "published"):  # "Data: wkrótce" is text
            fields.setdefault(ours, day or said)
        elif found := COPYRIGHT.match(line):
            _owned(found, fields)
        elif found := HEADED.fullmatch(line):
            if found[1]:
                fields.setdefault("published", day_or_none(found[1], english=True))
        elif CORRECTION.fullmatch(line) and not any(
            re.match(r"(?!By )\D*$", below)
            for below in takewhile(lambda said: not SENTENCE.search(said), filter(None, lines[number + 1 :]))
        ):  # no other headline
            fields.setdefault("title", line)
        elif is_slug(line):
            if line.casefold().startswith("embargo") and re.search(r"\d", line):
                fields.setdefault("embargo", line)
        elif line.isupper() and len(line) < 40 and MASTHEAD.fullmatch(line):
            fields.setdefault("outlet", line.title() if len(line) > 5 else line)
        elif line and line.casefold() in agencies:
            fields.setdefault("outlet", line)
        elif dateline(line) or len(line) > 160 or (SENTENCE.search(line) and len(line.split()) > 5):
            return fields, "\n".join([*_unslugged(kept), *lines[number:]])
        elif len(kept) > HEAD_LINES * 2:
            return fields, "\n".join([*kept, *lines[number:]])
        else:
            kept.append(line.removeprefix("^").removesuffix("<"))
    return fields, "\n".join(kept)


def _owned(found: re.Match[str], fields: dict[str, Any]) -> None:
    fields.setdefault("year", found[1])
    if found[2]:
        fields.setdefault("outlet", found[2])


def is_slug(line: str) -> bool:
    """Tell a line of slug words, a coded slug or a note to editors."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"\d+(?:st|nd|rd|th)?", "", line.casefold()))
    coded = bool(re.match(r"\^?(?:BC|AM|PM)-\S|[a-z]? ?\d{3,5} [a-z]|[A-Za-z]{0,3}\d{3,6}$|\d [A-Z]{3,} \w+$", line))
    first, rest = [*re.split(r",? +|,", line, maxsplit=1), ""][:2]
    coded = coded or bool(ROLE.fullmatch(line) or (CODED.fullmatch(first) and (not rest or is_slug(rest))))
    label = line.casefold().startswith(LABELS)
    return bool(coded or label or (line and set(words) <= SLUGS and (words or not re.search(r"\d", line))))


def _unslugged(kept: list[str]) -> list[str]:
    """Drop a keyword line where a headline stands below it."""
    said = [line for line in kept if line]
    keyword = len(said) > 1 and bool(KEYWORD.fullmatch(said[0])) and (len(said[0].split()) < 4 or "-" in said[0])
    headed = any(not line.isupper() and len(line.split()) > 3 and not line.startswith("By ") for line in said[1:])
    return kept[kept.index(said[0]) + 1 :] if keyword and headed else kept


def told(fields: dict[str, Any], name: str, year: int | None) -> dict[str, Any]:
    """Return an article's fields with what its head, dateline, credits and copyright line tell; `name` is its file's.

    Where a dateline has no year, the text's own copyright line has it, or the fields, the name, or the user.
    """
    declared, text = heads(fields["text"])
    declared |= {key: value for key, value in fields.items() if value not in (None, "", [])}
    lines = _untailed(text.rstrip().split("\n"), declared)
    lead = next((sent for line in lines[:HEAD_LINES] if (sent := dateline(line.strip()))), None)
    if lead and lead.agency and not declared.get("outlet"):
        declared["outlet"] = lead.agency
    if lead and not declared.get("published"):
        declared["published"] = _day(lead.day, declared.get("year"), name, year)
        declared |= {"undated": f"{lead.day} has no year: --year gives it"} if lead.day else {}
    if isinstance(title := declared.get("title"), str):
        declared["title"] = PREFIX.sub("", title)
    return {**declared, "text": "\n".join(lines).strip()}


def _untailed(lines: list[str], fields: dict[str, Any]) -> list[str]:
    """Return the lines of a text without those behind its last sentence, of which the fields are told."""
    ends = (n for n, line in enumerate(lines) if n * 2 > len(lines) and re.fullmatch(r"\W*(?:ENDS|30-)\W*", line))
    cut = next(ends, len(lines))
    for owned in filter(None, map(COPYRIGHT.search, lines[cut:])):
        _owned(owned, fields)
    lines = lines[:cut]
    for _ in range(TAIL_LINES):
        last = lines[-1].strip()
        for filed, day in ((form.fullmatch(last), day) for form, day in FILED.items()):
            if filed and not fields.get("published"):
                fields["published"] = day_or_none(day.format(*filed.groups()))
        if found := COPYRIGHT.match(last):
            _owned(found, fields)
        kept = END_BEHIND.sub("", last)
        if credit := CREDIT.fullmatch(last) or CREDIT_BEHIND.search(kept):
            _credited(credit[0], fields)
            kept = kept[: credit.start()]
        if found or END.fullmatch(last) or SIGNED.fullmatch(last) or is_slug(last):
            kept = ""
        if (last and kept == last) or (not kept and len(lines) < 2):
            break
        lines[-1:] = [kept] if kept else []
    return lines


def _credited(line: str, fields: dict[str, Any]) -> None:
    said = [name for part in WROTE.findall(line) for name in re.split(r",| and |&", part)]
    names = [name for given in said if (name := re.sub(r" (?:in|at|for) .*$", "", given).strip())]
    fields["authors"] = fields.get("authors") or names


def _day(said: str, year: object, name: str, given: int | None) -> date | None:
    """Return the day of a dateline; the file's name may have its year, or a whole day that it is close to."""
    if said and re.search(r"\d{4}", said):
        return day_or_none(said)
    whole = re.search(r"(?<!\d)((?:19|20)\d\d)([-_.]?)([01]\d)\2([0-3]\d)(?!\d{1,3}(?!\d))", name)
    filed = day_or_none(f"{whole[1]}-{whole[3]}-{whole[4]}") if whole else None
    if not said:
        return filed
    alone = re.search(r"(?<!\d)((?:19|20)\d\d)(?!\d)", name)
    found = year or (filed and filed.year) or (alone and alone[1]) or given
    day = day_or_none(f"{said} {found}") if found else None
    if day and filed and not year and day > filed + timedelta(7):  # sent in December, filed in January
        day = day_or_none(f"{said} {day.year - 1}")
    return day


def person(said: str) -> str:
    """Return an author's name of "By ANN RAY Health Correspondent", empty where only a role is said."""
    name = re.sub(
        rf"^(?:by|By|BY)\b:? *|[()]|(?:^| ){ROLE.pattern}$|^\W*(?:Newsroom|Staff|News Desk)\W*$",
        "",
        re.sub(r"\S+@\S+ *|(?:https?://|www\.)\S+", "", said),
    )
    shout = all(word.isupper() or len(word) < 4 for word in name.split()) and " " in name
    return " ".join(w.title() if w.isupper() and "." not in w and (shout or len(w) > 4) else w for w in name.split())
