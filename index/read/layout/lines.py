"""Sets the pieces of text that lie about on pages in reading order: lines, columns, rows of tables."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median
from typing import NamedTuple

from index.read import markup

GAP = 0.8  # of the size, at most between words of a line; LaTeX sets columns 1.0 apart
WIDE, MARKED = 2.0, 4.0  # where the file has a blank between the words of a justified line; behind the mark of a list
EDGE, EDGE_STRIPS, NEAR = 0.15, 3, 2  # running heads: share of the page, strips, pages on which they repeat
APART, HEAD_WORDS = 1.6, 12  # of its size from the text; words at most where numbers count
HYPHEN = "\ufffe"  # PDFium's, for a hyphen at the end of a line
BULLET = re.compile(r"(?:[•▪◦‣●○■□–—*·-]|\(?(?:\d{1,2}|[a-z])[.)])(?:\s|$)")
RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
NUMBERED = re.compile(
    r"\W*(?:(?:page|seite|p\.|s\.) ?)?(\d{1,3}|[ivxl]{1,6})(?:\W{1,3}(?:(?:of|von|de) )?\d{1,4})?\W*", re.I
)
PRINTED = re.compile(r"\d{1,2}[./]\d{1,2}[./]\d{2,4}, \d{1,2}:\d\d\b")  # as browsers head what they print
NUMBER = re.compile(r"\d{1,5}")

Span = tuple[float, float, float]  # from where to where, and the size


class Piece(NamedTuple):
    """A run of text of one look; x from the left, y of its baseline from below, in points.

    `apart` is what stands before it in the file; what only PDFium makes of a gap is a tab, or the end of a line.
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    apart: str


@dataclass(eq=False)
class Line:
    """Pieces side by side, as far as they belong together."""

    pieces: list[Piece]
    text: str = ""
    note: bool = False  # begins with a raised mark

    def __post_init__(self) -> None:
        sizes = Counter[float]()
        for piece in self.pieces:
            sizes[piece.size] += len(piece.text)
        self.size = sizes.most_common(1)[0][0]
        self.bold = all(piece.bold for piece in self.pieces)
        self.x0, self.x1 = min(p.x0 for p in self.pieces), max(p.x1 for p in self.pieces)
        self.y = next(p.y for p in self.pieces if p.size == self.size)

    def holds(self, piece: Piece) -> bool:
        """Tell whether a piece that follows in the file goes on with the line."""
        last, size = self.pieces[-1], max(self.size, piece.size)
        small = min(last.size, piece.size) < 0.85 * size
        level = abs(piece.y - last.y) < (0.7 if small else 0.2) * size
        apart = max(piece.x0 - last.x1, last.x0 - piece.x1)
        ahead = piece.x0 > last.x0 or bool(RTL.search(piece.text + last.text))
        marked = len(self.pieces) == 1 and bool(BULLET.fullmatch(last.text))
        wide = MARKED if marked else WIDE if piece.apart in ("", " ") else GAP
        return level and ahead and -0.5 * size < apart < wide * size

    def write(self) -> None:
        """Make its text of its pieces, powers in raised digits and without the marks of footnotes."""
        if len(RTL.findall("".join(p.text for p in self.pieces))) < len(self.pieces):
            self.pieces.sort(key=lambda piece: piece.x0)
        for number, piece in enumerate(self.pieces):
            before = self.pieces[number - 1] if number else piece
            gap = max(piece.x0 - before.x1, before.x0 - piece.x1)
            said = piece.text
            if piece.size < 0.85 * self.size and piece.y > self.y + 0.1 * self.size:
                follows = self.pieces[number + 1 : number + 2]
                behind = follows[0].text if follows and not follows[0].apart else ""
                said = markup.raised(said, self.text[-20:], behind) if number else ""
                self.note |= not number
            blank = piece.apart == " " or (piece.apart and gap > (0.1 if "\t" in piece.apart else 0.2) * self.size)
            self.text += " " * bool(said and self.text and blank) + said


def lines(pieces: Iterable[Piece]) -> list[Line]:
    """Return the lines of a page from top to bottom, those of a row from left to right."""
    found = list[Line]()
    for piece in pieces:
        if found and found[-1].holds(piece):
            found[-1].pieces.append(piece)
        else:
            found.append(Line([piece]))
    rows = list[list[Line]]()
    for line in sorted(map(Line, (line.pieces for line in found)), key=lambda line: -line.y):
        if rows and rows[-1][0].y - line.y < 0.25 * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    whole = list[Line]()
    for row in rows:
        row.sort(key=lambda line: line.x0)
        for number, line in enumerate(row):
            last = whole[-1] if number else None
            wide = MARKED if last and len(last.pieces) == 1 and BULLET.fullmatch(last.pieces[0].text) else GAP
            near = last and -0.3 * line.size < line.x0 - last.x1 < wide * line.size
            if last and near and 0.85 < line.size / last.size < 1.18:
                whole[-1] = Line([*last.pieces, line.pieces[0]._replace(apart="\n"), *line.pieces[1:]])
            else:
                whole.append(line)
    for line in whole:
        line.write()
    return [line for line in whole if line.text.strip()]


def strips(page: Sequence[Line]) -> list[list[Line]]:
    """Return lines in strips of a page, from the top, that a blank one divides."""
    found, low = list[list[Line]](), 0.0
    for line in sorted(page, key=lambda line: -line.y - 0.5 * line.size):
        if found and line.y + 0.5 * line.size > low:
            found[-1].append(line)
            low = min(low, line.y)
        else:
            found.append([line])
            low = line.y
    return found


class Leaf(NamedTuple):
    """The text of a page that is turned alike: the page's number, from 1, lines, and where it begins and ends."""

    number: int
    lines: list[Line]
    top: float
    bottom: float
    turn: int = 0


def drop_running(leaves: Sequence[Leaf]) -> None:
    """Take what is repeated at the edges of neighbouring pages out of them, numbers counting, and their numbers."""
    found = [_edges(leaf) for leaf in leaves]
    for place, leaf in enumerate(leaves):
        near = [n for n in range(max(place - 4 * NEAR, 0), min(place + 4 * NEAR + 1, len(leaves)))
                if leaves[n].turn == leaf.turn and 0 < abs(leaves[n].number - leaf.number) <= NEAR]  # fmt: skip
        for side, edge in enumerate(found[place]):
            running = 0
            for count, (strip, apart) in enumerate(edge, 1):
                others = ((other, leaves[n].number - leaf.number) for n in near for other, _ in found[n][side])
                number = _is_number(strip, leaf.number)
                if not number and not any(_repeated(strip, *other) for other in others):
                    break
                running = count if apart or number else running
            gone = [line for strip, _ in edge[:running] for line in strip]
            if len(gone) < len(leaf.lines):
                leaf.lines[:] = [line for line in leaf.lines if line not in gone]


def _edges(leaf: Leaf) -> list[list[tuple[list[Line], bool]]]:
    """Return the outermost strips of a page, above and below, and whether there is more than a line to the next."""
    every, cut, edges = strips(leaf.lines), EDGE * (leaf.top - leaf.bottom), list[list[tuple[list[Line], bool]]]()
    for ordered in (every, every[::-1]):
        gaps = [abs(strip[0].y - inner[0].y) > APART * strip[0].size for strip, inner in pairwise(ordered)]
        ends = zip(ordered[:EDGE_STRIPS], gaps, strict=False)
        edges.append([end for end in ends if not leaf.bottom + cut < end[0][0].y < leaf.top - cut])
    return edges


def _is_number(strip: Sequence[Line], page: int) -> bool:
    """Tell whether a strip is the number of a page, with what stands beside it, or the head of what was printed."""
    numbers = [said[1] for line in strip if (said := NUMBERED.fullmatch(line.text))]
    return len(strip) == len(numbers) or str(page) in numbers or bool(PRINTED.match(strip[0].text))


def _repeated(strip: Sequence[Line], other: Sequence[Line], pages: int) -> bool:
    """Tell whether a strip stands as well so many pages later, save for numbers that count pages."""
    said, there = ("  ".join(line.text for line in one) for one in (strip, other))
    if abs(strip[0].y - other[0].y) > 4 or NUMBER.sub("", said) != NUMBER.sub("", there):
        return False
    steps = {int(b) - int(a) for a, b in zip(NUMBER.findall(said), NUMBER.findall(there), strict=False)}
    counting = len(said.split()) <= HEAD_WORDS and not said.endswith((".", "!", "?"))
    return steps <= {0, pages} if counting else said == there


def arrange(page: Sequence[Line]) -> Iterator[list[Line] | str]:
    """Yield the columns of a page in reading order, and rows of tables, each as its text."""
    for band in _bands(strips(page)):
        inside = [line for strip in band for line in strip]
        parted = [[line for line in inside if start <= line.x0 <= end] for start, end, _ in _columns(inside)]
        shared = sum(len(_columns(strip)) > 1 for strip in band)
        if len(parted) < 2:
            yield sorted(inside, key=lambda line: -line.y)
        elif _prose(parted) or shared * 2 < len(band):
            backward = len(RTL.findall("".join(line.text for line in inside))) > len(inside)
            for column in parted[:: -1 if backward else 1]:
                yield from arrange(column)
        else:
            yield from _rows(parted)


def _bands(found: list[list[Line]]) -> Iterator[list[list[Line]]]:
    """Divide strips where what is parted into columns begins and ends."""
    band, spans = list[list[Line]](), list[Span]()
    for strip in found:
        own, both = _columns(strip), _columns(strip, spans)
        if band and (len(own) > 1 or len(spans) > 1) and not len(both) > 1 < len(spans):
            heads = list[list[Line]]()  # of what comes next, above it in one of the columns
            pitch = median([a[-1].y - b[0].y for a, b in pairwise(band)] or [0.0])
            while len(band) > 2 and len(_columns(band[-1])) == 1 and band[-2][-1].y - band[-1][0].y > 1.25 * pitch:
                heads.insert(0, band.pop())
            yield band
            band, both = heads, _columns([line for one in [*heads, strip] for line in one])
        band.append(strip)
        spans = both
    if band:
        yield band


def _columns(found: Sequence[Line], spans: Sequence[Span] = ()) -> list[Span]:
    """Return from where to where lines and spans reach that no blank column divides, and their size."""
    whole = list[Span]()
    for start, end, size in sorted([*spans, *((line.x0, line.x1, line.size) for line in found)]):
        if whole and start < whole[-1][1] + 0.7 * GAP * max(size, 4):
            whole[-1] = whole[-1][0], max(whole[-1][1], end), max(whole[-1][2], size)
        else:
            whole.append((start, end, size))
    return whole


def _prose(columns: Sequence[Sequence[Line]]) -> bool:
    """Tell columns of prose, whose lines are long and fill them, from those of a table."""
    long = [lines for lines in columns if mean(len(line.text) for line in lines) > 15]
    fill = [(line.x1 - line.x0) / max(one.x1 - one.x0 for one in lines) for lines in long for line in lines]
    return len(long) > 1 and median(fill) > 0.75 and len(fill) > 0.8 * sum(map(len, columns))


def _rows(columns: Sequence[Sequence[Line]]) -> Iterator[str]:
    """Yield a line a row of a table, each cell behind its header where the first row is one."""
    rows = list[list[str]]()
    first, low = [line for lines in columns for line in lines], 0.0
    for strip in strips(first):
        cells = [" ".join(line.text for line in lines if line in strip) for lines in columns]
        pitch = low - strip[0].y
        low = strip[-1].y
        if rows and not cells[0] and pitch < 1.5 * strip[0].size:  # a cell of several lines
            rows[-1] = [" ".join(filter(None, both)) for both in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
    top = strips(first)[0]
    bold = all(line.bold for line in top) and not all(line.bold for line in first)
    figures = any(all(re.search(r"\d", row[n]) for row in rows[1:]) for n in range(len(columns)))
    headed = len(rows) > 1 and (bold or (figures and not re.search(r"\d", "".join(rows[0]))))
    names = rows[0] if headed else [""] * len(columns)
    for row in rows[headed:]:
        named = zip(names, row, strict=True)
        yield " · ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)
