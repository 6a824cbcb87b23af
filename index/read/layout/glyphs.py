"""Takes the pieces of visible text off a page of a PDF file, with where they stand and how they look."""

import ctypes
import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby, pairwise
from math import atan2, degrees, hypot
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

from index.read.layout.lines import HYPHEN, Piece

Box = tuple[float, float, float, float]  # left, bottom, right, top, in points from the lower left
Colour = tuple[int, ...]
Shape = tuple[Box, Colour | None]  # with what it is filled, if that is known
Run = tuple[int, Piece]  # how many quarters its text is turned to the left, and its piece as if it were not
SHAPES = 5000  # of a page, at most, that are looked at
CORNERS = 6  # of a rectangle, at most, as it is drawn
WHITE, LIKE = (255, 255, 255), 24  # of 255: colours that differ less cannot be told apart
SKEW = 8  # degrees from upright, or from a quarter turn; what is skewed more is a stamp across the page
OURS = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\uf0b7": "•", "\uf0a7": "•"}
CHARACTERS = str.maketrans({**OURS, "\xa0": " ", "\x02": HYPHEN})
SPOILT = re.compile(r"[\x00-\x08\x0e-\x1f\ue000-\uf8ff\uffff]|[\xad\ufffe](?!\Z)")
RUN, DIGITS = re.compile(r"\S+(?: \S+)*"), re.compile(r"(?<!\d)(?<!\d[.,])\d{1,3}(?!\d)")
BOLD = re.compile(rb"bold|black|heavy|demi", re.I)
# As pypdfium2 has it, but with addresses in place of pointers: they can be compared, and take a third of the time.
owner = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)(
    ctypes.cast(pdfium.FPDFText_GetTextObject, ctypes.c_void_p).value or 0
)


class Look(NamedTuple):
    """What the text of an object has in common; `turn` is None where it is skewed."""

    unseen: bool
    colour: Colour
    size: float
    bold: bool
    turn: int | None


def turned(x: float, y: float, quarters: int) -> tuple[float, float]:
    """Return a place as it is when text that is turned so many quarters to the left is turned back."""
    return ((x, y), (y, -x), (-x, -y), (-y, x))[quarters]


def shapes(page: Any) -> list[Shape]:
    """Return the pictures and filled shapes of a page, with the colour of rectangles."""
    found = list[Shape]()
    for number in range(min(pdfium.FPDFPage_CountObjects(page), SHAPES)):
        one = pdfium.FPDFPage_GetObject(page, number)
        kind, colour = pdfium.FPDFPageObj_GetType(one), None
        if kind == pdfium.FPDF_PAGEOBJ_PATH:
            mode, stroked = ctypes.c_int(), ctypes.c_int()
            pdfium.FPDFPath_GetDrawMode(one, mode, stroked)
            *rgb, alpha = _fill(one)
            if not mode.value or alpha < 128:
                continue
            colour = tuple(rgb) if pdfium.FPDFPath_CountSegments(one) <= CORNERS else ()
        elif kind != pdfium.FPDF_PAGEOBJ_IMAGE and not (kind == pdfium.FPDF_PAGEOBJ_FORM and _pictures(one)):
            continue
        box = [ctypes.c_float() for _ in range(4)]
        if pdfium.FPDFPageObj_GetBounds(one, *box):
            left, bottom, right, top = (side.value for side in box)
            found.append(((left, bottom, right, top), colour))
    return found


def _pictures(form: Any) -> bool:
    """Tell whether there is a picture among the objects that are drawn as one."""
    inside = (pdfium.FPDFFormObj_GetObject(form, n) for n in range(min(pdfium.FPDFFormObj_CountObjects(form), SHAPES)))
    return any(pdfium.FPDFPageObj_GetType(one) == pdfium.FPDF_PAGEOBJ_IMAGE for one in inside)


def _fill(one: Any) -> Colour:
    parts = [ctypes.c_uint() for _ in range(4)]
    pdfium.FPDFPageObj_GetFillColor(one, *parts)
    return tuple(part.value for part in parts)


def runs(page: Any, shown: Sequence[Shape], picture: bool) -> list[Run]:
    """Return the runs of text of a page that can be seen, in the order of the file; of a picture also what cannot."""
    text = page.get_textpage()
    address, count = ctypes.cast(text.raw, ctypes.c_void_p), pdfium.FPDFText_CountChars(text)
    said = text.get_text_range() if count > 0 else ""
    if len(said) != count:  # characters beyond the first 65,536, and such as have no meaning
        said = "".join(chr(pdfium.FPDFText_GetUnicode(text, n)) for n in range(count))
    edges, looks, found, apart = page.get_bbox(), dict[int, Look](), list[Run](), ""
    box_of, start_of = _measures(text)
    for one, group in groupby(range(count), _owners(said, partial(owner, address)).__getitem__):
        places = list(group)
        start = done = places[0]
        if one and one not in looks:
            looks[one] = _look(text, one, start)
        for run in RUN.finditer(said, start, places[-1] + 1) if one else ():
            look, at, apart, done = looks[one or 0], start_of(run.start()), apart + said[done : run.start()], run.end()
            marks = [n.span() for n in DIGITS.finditer(said, *run.span()) if _raised(box_of(n.start()), at, look)]
            cuts = sorted({*run.span(), *(place for mark in marks for place in mark)})
            for first, end in pairwise(cuts):
                (x0, y0, x1, y1), (a, b, c, d) = box_of(first), box_of(end - 1)
                box = min(x0, a), min(y0, b), max(x1, c), max(y1, d)
                clean = SPOILT.sub("", said[first:end].translate(CHARACTERS)).strip()
                if clean and look.turn is not None and not _hidden(look, box, edges, shown, picture):
                    x0, x1 = sorted(turned(*corner, look.turn)[0] for corner in (box[:2], box[2:]))
                    y, mark = turned(*at, look.turn)[1], (first, end) in marks
                    y, size = (y + 0.4 * look.size, 0.6 * look.size) if mark else (y, look.size)
                    found.append((look.turn, Piece(clean, x0, x1, y, size, look.bold, apart)))
                    apart = ""
        rest = said[done : places[-1] + 1]
        apart += rest if one else rest.replace(" ", "\t")  # which the file does not have
    text.close()
    return found


def _owners(said: str, owner_of: Callable[[int], int | None]) -> list[int | None]:
    """Return whose each character is, asking for few: what begins and ends in an object lies in it, save for blanks."""
    owners = list[int | None]()
    for line in re.finditer(r".+|\n", said):
        one = owner_of(line.start())
        if one == owner_of(line.end() - 1):
            owners += [one if char != " " else owner_of(place) for place, char in enumerate(line[0], line.start())]
            continue
        for word in re.finditer(r"\S+|\s", line[0]):
            start, end = line.start() + word.start(), line.start() + word.end()
            one = owner_of(start)
            owners += [one] * (end - start) if one == owner_of(end - 1) else map(owner_of, range(start, end))
    return owners


def _raised(box: Box, start: tuple[float, float], look: Look) -> bool:
    """Tell whether a digit is a raised one of its font."""
    return look.turn == 0 and box[1] - start[1] > 0.2 * look.size


def _measures(text: Any) -> tuple[Callable[[int], Box], Callable[[int], tuple[float, float]]]:
    """Return functions for the box and the origin of a character."""
    left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
    box, start = [ctypes.byref(one) for one in (left, right, bottom, top)], [ctypes.byref(one) for one in (x, y)]

    def box_of(place: int) -> Box:
        pdfium.FPDFText_GetCharBox(text, place, *box)
        return left.value, bottom.value, right.value, top.value

    def start_of(place: int) -> tuple[float, float]:
        pdfium.FPDFText_GetCharOrigin(text, place, *start)
        return x.value, y.value

    return box_of, start_of


def _look(text: Any, address: int, first: int) -> Look:
    one, matrix, name = (
        ctypes.cast(address, pdfium.FPDF_PAGEOBJECT),
        pdfium.FS_MATRIX(),
        ctypes.create_string_buffer(99),
    )
    pdfium.FPDFText_GetMatrix(text, first, matrix)
    angle = degrees(atan2(matrix.b, matrix.a))
    size = pdfium.FPDFText_GetFontSize(text, first) * hypot(matrix.c, matrix.d)
    pdfium.FPDFFont_GetBaseFontName(pdfium.FPDFTextObj_GetFont(one), name, 99)
    unseen = pdfium.FPDFTextObj_GetTextRenderMode(one) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
    skewed = abs(angle - round(angle / 90) * 90) > SKEW
    return Look(
        unseen, _fill(one), round(size, 1), bool(BOLD.search(name.value)), None if skewed else round(angle / 90) % 4
    )


def _hidden(look: Look, box: Box, edges: Box, shown: Sequence[Shape], picture: bool) -> bool:
    """Tell whether a run cannot be seen: off the page, too small, or of the colour of what it stands on."""
    left, bottom, right, top = box
    x, y = (left + right) / 2, (bottom + top) / 2
    if not (edges[0] <= x <= edges[2] and edges[1] <= y <= edges[3]) or max(look.size, top - bottom) < 1:
        return True
    if look.unseen or picture:
        return not picture
    behind: Colour | None = WHITE
    for (a, b, c, d), colour in shown:
        if a <= x <= c and b <= y <= d and d - b > 0.6 * (top - bottom):
            behind = colour
    *rgb, alpha = look.colour
    return alpha < LIKE or bool(behind and max(abs(p - q) for p, q in zip(rgb, behind, strict=True)) < LIKE)
