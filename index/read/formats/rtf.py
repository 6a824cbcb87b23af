"""Reads RTF by its control words, which striprtf lists; a small page is made of it, as of Word's files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from striprtf.striprtf import charset_map, destinations, specialchars

from index.read.formats.pages import CONTROL, of_document
from index.read.plain import Source
from index.text.days import day_or_none

TOKEN = re.compile(
    r"\\([a-z]{1,32})(-?\d{1,9})? ?|((?:\\'[0-9a-f]{2})+)|\\(.)|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.I | re.S
)
TITLE = re.compile(r"\{\\s(\d{1,5})\b[^{}]*[ }]Title;\}")  # the number of this style
INFO = ("title", "author", "yr", "mo", "dy")  # the last three of creatim
UNSEEN = {*destinations, "listtext"} - {*INFO, "creatim"}  # of which no text stands
ENDS = {"par", "sect", "page", "\n", "\r"}  # of a paragraph
GONE = {"v", "deleted", "strike", "striked"}
ENCODINGS = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
DEEP = 1000  # groups within each other; programs write dozens


@dataclass(frozen=True)
class State:
    """What holds in a group: where its text goes ("text", a name of INFO, or nowhere), its font, how it looks."""

    into: str = "text"
    font: int = -1
    skipped: int = 1  # characters behind one of Unicode, for programs that do not know it
    gone: frozenset[str] = frozenset()
    raised: bool = False


def read_rtf(file: Source) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the article of an RTF file; what it says of itself counts where its text does not say it."""
    text = file.read().decode("latin-1").lstrip()
    if not text.startswith("{\\rtf"):
        raise ValueError("no RTF, as its first characters say: give it the ending of what it is")
    page = Page(text)
    html = CONTROL.sub("", page.html.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    day = day_or_none("-".join(page.info[part].zfill(2) for part in ("yr", "mo", "dy")))
    yield of_document(html, {"title": page.info["title"], "authors": page.info["author"], "published": day}), ""


class Page:
    """The HTML that is made of a file, and what it says of itself. Raises ValueError for one that breaks off."""

    def __init__(self, text: str) -> None:
        self.info, self.html = dict.fromkeys(INFO, ""), ""
        self._titled = next((int(found[1]) for found in TITLE.finditer(text)), -1)
        self._blocks, self._said, self._rows, self._row = list[str](), list[str](), list[str](), list[str]()
        self._tag, self._cell, self._inside = "p", "td", False
        self._encoding, self._fonts, self._font, self._raw = "cp1252", dict[int, str](), -1, bytearray()
        self._read(text)
        self._inside = False
        self._end()
        self.html = "".join(self._blocks)

    def _read(self, text: str) -> None:
        state, around, at, skip = State(), list[State](), 0, 0
        while found := TOKEN.match(text, at):
            at = found.end()
            word, number, codes, char, brace, run = found.groups()
            if codes or run:
                raw = bytes.fromhex(codes.replace("\\'", "")) if codes else run.encode("latin-1")
                self._raw += raw[skip:]
                skip = max(0, skip - len(raw))
            elif word or char or brace:
                self._decode(state)
                skip = 0
            if brace == "{":
                around.append(state)
                if len(around) > DEEP:
                    raise ValueError(f"over {DEEP:,} groups lie within each other, as in no text: save it again")
            elif brace:
                state = around.pop()
                if not around:
                    return
            elif word == "bin":
                at += max(0, int(number or 0))
            elif word == "u" and number:
                self._put(chr(int(number) % 0x10000), state)
                skip = state.skipped
            elif char == "*":
                state = replace(state, into="")
            elif word or char:
                state = self._obeyed(word or char, None if number is None else int(number), state)
        raise ValueError("it breaks off: save it again as .rtf")

    def _obeyed(self, word: str, number: int | None, state: State) -> State:
        """Return what holds behind a control word."""
        if word in UNSEEN:
            return replace(state, into="")
        if word in ("title", "author", "creatim"):
            return replace(state, into=word)
        if word in GONE:
            return replace(state, gone=state.gone - {word} if number == 0 else state.gone | {word})
        if word in ("super", "nosupersub", "sub"):
            return replace(state, raised=word == "super" and number != 0)
        if word == "plain":
            return replace(state, gone=frozenset(), raised=False, font=self._font)
        if word == "uc":
            return replace(state, skipped=min(max(number or 0, 0), 9))
        if word in ("f", "deff"):
            self._font = self._font if word == "f" else number or 0
            return replace(state, font=number or 0)
        if word == "fcharset":
            self._fonts[state.font] = charset_map.get(number, "")
        elif word == "ansicpg" or word in ENCODINGS:
            self._encoding = ENCODINGS.get(word, f"cp{number}")
        elif state.into == "creatim" and word in INFO:
            self.info[word] = str(number)
        elif word in ENDS or word not in specialchars or word in ("cell", "row"):
            if state.into == "text":
                self._laid_out(word, number or 0)
        else:
            self._put(" " if word == "nestcell" else specialchars[word], state)
        return state

    def _laid_out(self, word: str, number: int) -> None:
        """End a paragraph, a cell or a row, or note what the next is."""
        if word in ENDS:
            self._end()
        elif word == "pard":
            self._tag, self._inside = "p", False
        elif word == "intbl":
            self._inside = True
        elif word == "outlinelevel" and number < 9:
            self._tag = f"h{min(number, 5) + 1}"
        elif word == "s" and number == self._titled:
            self._tag = "h1"
        elif word in ("trowd", "trhdr"):
            self._cell = "th" if word == "trhdr" else "td"
        elif word == "cell":
            self._row.append("".join(self._said))
            self._said.clear()
        elif word == "row":
            self._rows.append("".join(f"<{self._cell}>{cell}</{self._cell}>" for cell in self._row))
            self._row.clear()

    def _end(self) -> None:
        """End a paragraph; within a table it is part of a cell, and what stands outside one ends it."""
        if self._inside:
            self._said.append(" ")
            return
        if self._rows:
            self._blocks.append(f"<table>{''.join(f'<tr>{row}</tr>' for row in self._rows)}</table>")
            self._rows.clear()
        if (said := "".join(self._said)).strip():
            self._blocks.append(f"<{self._tag}>{said}</{self._tag}>")
        self._said.clear()

    def _decode(self, state: State) -> None:
        if self._raw:
            try:
                said = self._raw.decode(self._fonts.get(state.font) or self._encoding, "replace")
            except LookupError:  # Python has no such encoding
                said = self._raw.decode("cp1252", "replace")
            self._raw.clear()
            self._put(said, state)

    def _put(self, said: str, state: State) -> None:
        if state.into in INFO:
            self.info[state.into] += said
        elif state.into == "text" and not state.gone:
            text = escape(said).replace("\n", "<br>")
            self._said.append(f"<sup>{text}</sup>" if state.raised else text)
