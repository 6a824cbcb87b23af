"""Makes a text of the lines of pages: paragraphs, words that were divided, sentences that go on over a page."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_high

from index.read.layout.lines import BULLET, HYPHEN, Leaf, Line, arrange
from index.read.wire import PAGE
from index.text.cut import is_caption
from index.text.names import lemmas

NEAR = 12  # blocks that may stand between the parts of one: notes, captions, rows of a table
HEADING = 1.15  # times the usual size
LEVEL = 1.07  # sizes that differ less are one
HYPHENS = (HYPHEN, "\xad", "‐", "-")
DIVIDED = re.compile(r"([^\W\d_]+).$")
CAPTION = re.compile(r"(?:fig(?:ure|\.)?|table|chart|map|photo|abb(?:ildung|\.)|tab(?:elle|\.)) ?\d+\s*[.:–—|]", re.I)
ENDED = re.compile(r"[.!?…:。！？؟۔][\"'”’»)\]]*$")
CJK = re.compile(r"[\u2e80-\u9fff\uf900-\uffef]")
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


@dataclass
class Block:
    """A paragraph, heading, caption, footnote or row of a table, the page on which it begins, and its look."""

    text: str
    page: int
    size: float = 1.0
    bold: bool = False
    kind: str = ""  # "row", "caption", or "note"
    full: bool = False  # its last line had no room for more
    last: int = 0  # the page on which it ends

    def __post_init__(self) -> None:
        self.last = self.last or self.page

    def like(self, other: "Block") -> bool:
        """Tell whether another looks like it, so that both may be parts of one."""
        looks = (self.kind, self.bold) == (other.kind, other.bold) and 1 / LEVEL < self.size / other.size < LEVEL
        return looks and self.kind not in ("row", "caption")

    def goes_on(self, other: "Block") -> bool:
        """Tell whether one that looks like it, in the next column or on the next page, has the rest of its sentence."""
        if BULLET.match(other.text) or not self.last <= other.page <= self.last + 1:
            return False
        if self.text[-1] in HYPHENS or other.text[0].islower():
            return self.text[-1] in HYPHENS or not (self.bold and ENDED.search(self.text[-9:]))
        return self.full and not ENDED.search(self.text[-9:])


class Words:
    """The words of a text, by which it is decided what a hyphen at the end of a line was."""

    def __init__(self, pages: Iterable[Leaf]) -> None:
        self.known = {word.lower() for page in pages for line in page.lines for word in WORD.findall(line.text)}

    def joined(self, text: str, more: str) -> str:
        """Return a text with the next line, or the next page, that goes on with it."""
        mark = PAGE if more.startswith(PAGE) else ""
        more = more.removeprefix(PAGE).lstrip()
        broken, rest = text[-1:] in HYPHENS and DIVIDED.search(text[-99:]), WORD.match(more)
        if broken and rest:
            head = text[:-1]
            return f"{head}{'-' * self._compound(text, broken[1], rest[0], text[-1])}{mark}{more}"
        text = text.replace(HYPHEN, "-")
        space = "" if text[-1:] in "-‐–—/" or (CJK.match(text[-1:]) and CJK.match(more)) else " "
        return f"{text.rstrip()}{space}{mark}{more}"

    def _compound(self, text: str, first: str, rest: str, hyphen: str) -> bool:
        whole, parts = (first + rest).lower(), f"{first}-{rest}".lower()
        if parts in self.known or (rest[0].isupper() and not first.isupper()):
            return True
        if hyphen == "\xad" or whole in self.known or lemmas(whole):
            return False
        words = first.lower(), rest.partition("-")[0].lower()
        return text[-len(first) - 2 : -len(first) - 1] == "-" or (len(first) > 2 and all(map(lemmas, words)))


def blocks(leaves: Sequence[Leaf]) -> list[Block]:
    """Return what stands on pages, in the order of reading; what goes on elsewhere is one block."""
    words, found = Words(leaves), list[Block]()
    usual = median_high([line.size for leaf in leaves for line in leaf.lines for _ in range(len(line.text) // 10 + 1)])
    for leaf in leaves:
        for column in arrange(leaf.lines):
            if isinstance(column, str):
                found.append(Block(column, leaf.number, kind="row"))
                continue
            for number, block in enumerate(_blocks(column, leaf.number, words, usual)):
                torn = not number or found[-1].kind
                if not torn or not _continued(found, block, words):
                    found.append(block)
    return found


def _continued(found: list[Block], block: Block, words: Words) -> bool:
    """Put a block behind the one that it goes on with, if there is one, and what stood between them before or after."""
    near = range(len(found) - 1, max(len(found) - NEAR, 0) - 1, -1)
    at = next((n for n in near if found[n].like(block)), -1)
    if at < 0 or not found[at].goes_on(block):
        return False
    whole, between = found[at], found[at + 1 :]
    before = [one for one in between if one.page <= whole.page == whole.last]
    after = [one for one in between if one.page == block.page and one not in before]
    if len(before) + len(after) < len(between):
        return False
    mark = PAGE * (block.page - whole.last)
    whole.text = words.joined(whole.text, mark + block.text)
    whole.last, whole.full = block.last, block.full
    found[at:] = [*before, whole, *after]
    return True


def _blocks(column: Sequence[Line], page: int, words: Words, usual: float) -> list[Block]:
    """Join the lines of a column to paragraphs."""
    found = list[Block]()
    pitches = [above.y - line.y for above, line in pairwise(column) if _alike(above, line)]
    pitch = min(sorted(pitches)[len(pitches) // 3] if pitches else 0.0, 2.5 * usual)
    for number, line in enumerate(column):
        above, near = column[number - 1] if number else line, column[max(number - 3, 0) : number + 3]
        width = max(one.x1 for one in near) - min(one.x0 for one in near)
        room = width - (above.x1 - above.x0)
        word = line.text.split(maxsplit=1)[0]
        fits = room > (len(word) + 1.5) * (line.x1 - line.x0) / len(line.text)
        ended, begins = ENDED.search(above.text[-9:]), not line.text[:1].islower()
        starts = (
            not number
            or not _alike(above, line)
            or line.note
            or BULLET.match(line.text)
            or above.y - line.y > 1.3 * max(pitch, 1.1 * line.size)
            or (begins and fits and (ended or line.size < HEADING * usual))
            or (ended and begins and line.x0 - above.x0 > 0.7 * line.size and not BULLET.match(found[-1].text))
        )
        if starts:
            kind = "note" if line.note else "caption" if CAPTION.match(line.text) or is_caption(line.text) else ""
            found.append(Block(line.text, page, line.size, line.bold, kind))
        else:
            found[-1].text = words.joined(found[-1].text, line.text)
        found[-1].full = line.x1 - line.x0 > 0.85 * width
    return found


def _alike(above: Line, line: Line) -> bool:
    return above.bold == line.bold and 1 / LEVEL < above.size / line.size < LEVEL
