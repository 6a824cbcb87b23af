"""Where sentences of Chinese and Japanese end, which have no spaces and keep what is said within their own."""

import re
from collections.abc import Iterator

from index.text import lists

CLOSERS, STOPS, QUOTES, BRACKETED = '」』”’）)》〉】］]"', "。！？!?…」』”", '「『“"（(', 300
PAIRS = dict(zip('「『“‘（(《〈【［["', CLOSERS, strict=True))
STOP = re.compile(
    r"(?:[。！？｡]|(?<![A-Za-z])[!?]|…|(?<![A-Za-zＡ-Ｚａ-ｚ])．(?!\d)|(?<=[\u3040-\u9fff])\.(?!\w))[。！？!?…]*[」』”’）)》】]*"
)
CLAUSE = re.compile(r"[^\W_]*$")
GOES_ON = {
    "ja": re.compile(
        r"[、，,；：・）」』―—–を]|[のはがに](?=[\u30a1-\u30fa\u4e00-\u9fff])|など|って|と(?:い|言|聞|尋|思|問|の|叫|話|語|し|も|、)"
    ),
    "zh": re.compile(r"[、，,；：·）”』—–]|的"),
}
AFTER = {  # behind a quotation: a particle, if it does not begin another word
    "ja": re.compile(
        rf"(?!{'|'.join(lists.lines('openers-japanese'))})[とのをがはにもでだやへか（。]|な[どんの]|から|まで|より|らし|です|って"
    ),
    "zh": re.compile(r"[（。]"),
}
SAYING = (  # and not the ends of "知道" and "小说"
    rf"(?<![知报街轨频渠通隧航赛小据传学访顾])(?:{'|'.join(lists.lines('saying-chinese'))})"
    "(?:[道着了过]|我|他|她|记者|大家)*"
)
TELLS = re.compile(rf"[：:]$|，$(?<=[\u4e00-\u9fff]，)|{SAYING}$")
TOLD = re.compile(rf"[^。！？；：“”「」，]{{0,20}}{SAYING}[。，！？；]|[^。！？；：“”「」]{{0,25}}{SAYING}[。！？]")


def ideographic(line: str, code: str) -> Iterator[int]:
    """Yield where sentences of Chinese and Japanese end; none ends inside brackets or quotation marks."""
    covered = bytearray(len(line) + 1)
    quotations = []
    for start, end in _pairs(line):
        if not covered[start] and end - start <= BRACKETED:
            covered[start:end] = b"\1" * (end - start)
            if line[start] in QUOTES:
                quotations.append((start, end))
    for stop in STOP.finditer(line):
        clause = CLAUSE.search(line, max(0, stop.start() - 9), stop.start())
        brief = stop[0][0] == "…" and clause is not None and len(clause[0]) < 4  # "他……他走了"
        if not covered[stop.start()] and not brief and not GOES_ON[code].match(line, stop.end()):
            yield stop.end()
    later, goes_on = len(line), True  # where the quotation behind begins, and whether its sentence goes on behind it
    for start, end in reversed(quotations):
        before = line[max(0, start - 12) : start].rstrip()
        told = before[-1:] not in (":", "：") and TOLD.match(line, end) is not None
        opens = before[-1:] in STOPS or TELLS.search(before) is not None
        if later != end:  # else both are one
            goes_on = told or not opens or any(r.match(line, end) for r in (GOES_ON[code], AFTER[code]))
        later = start
        if not goes_on and line[start:end].rstrip(CLOSERS)[-1:] in STOPS:
            yield end


def _pairs(line: str) -> list[tuple[int, int]]:
    """Return where brackets and quotation marks open and have closed, in the order in which they open."""
    opened: list[int] = []
    pairs = []
    for place, mark in enumerate(line):
        back = next((n for n in (1, 2, 3) if n <= len(opened) and PAIRS[line[opened[-n]]] == mark), 0)
        if back:  # what lies between was left open
            pairs.append((opened[-back], place + 1))
            del opened[-back:]
        elif mark in PAIRS:
            opened.append(place)
    return sorted(pairs)
