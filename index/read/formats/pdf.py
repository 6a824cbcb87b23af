"""Reads PDF files: what can be seen of their pages, in reading order and with marks of pages; pictures by tesseract."""

import csv
import re
import shutil
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from statistics import median
from subprocess import DEVNULL, Popen, TimeoutExpired
from tempfile import TemporaryFile
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from index.read.fields import fold
from index.read.layout.flow import HEADING, blocks
from index.read.layout.glyphs import Run, runs, shapes, turned
from index.read.layout.lines import Leaf, Piece, drop_running, lines
from index.read.plain import BYLINE, Source, head
from index.read.wire import PAGE

Fields = tuple[dict[str, Any] | None, str]
SIGN = 20  # pages between two signs of life
PART = 900_000  # characters of a long file that become one article
PICTURE = 0.5  # the share of a page that its picture has, if it is one
FEW = 20  # characters on such a page: its number
HEAD_BLOCKS, INITIAL, TITLE_MOST = 8, 3, 200  # where a title is looked for; its characters, more than, and at most
NO_TITLE = re.compile(
    r"(?:microsoft (?:word|powerpoint|excel)|untitled|powerpoint presentation|slide \d+|about:blank|https?:).*"
    r"|.*\.\w{2,5}|\W*|\w*[\d_]\w*",
    re.IGNORECASE,
)
PICTURES = "pictures of text: install tesseract-ocr, which reads them, and ingest the file again"
UNREAD = "pictures that tesseract does not read: look at them"
DAMAGED = "damaged: print or save the file as PDF again"
REASONS = {
    pdfium.FPDF_ERR_SUCCESS: "it has no pages",
    pdfium.FPDF_ERR_PASSWORD: "it is locked with a password: save it without one",
    pdfium.FPDF_ERR_SECURITY: "it is locked in a way that only its own reader opens: print it as PDF",
}
DPI, PIXELS = 300, 5000  # of what tesseract is given; at most, of a side
TESSERACT = ("tesseract", "-", "-", "tsv")
SECONDS, PATIENCE = 5, 12  # of tesseract: between two signs of life, and how many it may take for a page


def read_pdf(file: Source) -> Iterator[Fields]:
    """Yield the article of a PDF file, or several of a long one, each from a page on; and signs of life.

    Text counts where it can be seen, or lies unseen over the picture of a page, as scanners put it there. Raises
    ValueError for a file that is locked, damaged or has no text.
    """
    try:
        document = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        raise ValueError(REASONS.get(error.err_code, "no PDF file, or a damaged one: save or print it anew")) from error
    try:
        yield from _articles(document, file)
    finally:
        document.close()


def _articles(document: Any, file: Source) -> Iterator[Fields]:
    known, chapters, leaves, size = _info(document), _chapters(document), list[Leaf](), 0
    lost = dict[str, list[int]]()  # pages by what became of them
    for number in range(1, len(document) + 1):
        if number % SIGN == 0:
            yield None, f"page {number}"
        found = yield from _page(document, number)
        if isinstance(found, str):
            lost.setdefault(found, []).append(number)
            continue
        leaves += found
        size += _size(found)
        if size > PART:
            middle = leaves[len(leaves) // 2].number
            cut = max((at for at in chapters if middle < at <= number), default=number + 1)
            part, leaves = [one for one in leaves if one.number < cut], [one for one in leaves if one.number >= cut]
            yield None, f"page {number}"
            yield _article(part, known, f"pages {part[0].number}-{cut - 1}")
            size = _size(leaves)
    told = [f"{_ranges(pages)}: {fate}" for fate, pages in lost.items()]
    if not size and "page" not in known:
        raise ValueError("; ".join(told) or "it has no text")
    file.remarks += told
    if size:
        yield None, f"page {len(document)}"
        yield _article(leaves, known, f"pages {leaves[0].number}-{len(document)}" if "page" in known else "")


def _ranges(pages: list[int]) -> str:
    """Return pages in words: "pages 1, 3-5"."""
    told = list[str]()
    for _, run in groupby(enumerate(pages), lambda numbered: numbered[1] - numbered[0]):
        (_, first), *_, (_, last) = [*run] * 2
        told.append(f"{first}-{last}" if last > first else str(first))
    return f"page{'s' * (len(pages) > 1)} {', '.join(told)}"


def _size(leaves: Iterable[Leaf]) -> int:
    return sum(len(line.text) for leaf in leaves for line in leaf.lines)


def _info(document: Any) -> dict[str, Any]:
    """Return what a file declares: a title, an author; and, as that is no day of publication, when it was made."""
    said = {key: " ".join(document.get_metadata_value(key).split()) for key in ("Title", "Author", "CreationDate")}
    fields: dict[str, Any] = {}
    if not NO_TITLE.fullmatch(said["Title"]):
        fields["title"] = said["Title"]
    if BYLINE.fullmatch(f"By {said['Author']}"):
        fields["authors"] = [said["Author"]]
    if made := re.match(r"D:(\d{4})(\d\d)(\d\d)", said["CreationDate"]):
        fields["undated"] = f"its file is of {'-'.join(made.groups())}: give the day as published"
    return fields


def _chapters(document: Any) -> list[int]:
    """Return the pages on which the outline's highest entries begin."""
    places = (entry.get_dest() for entry in document.get_toc(max_depth=1))
    return [at + 1 for place in places if place and (at := place.get_index()) is not None]


def _article(leaves: list[Leaf], known: dict[str, Any], place: str) -> Fields:
    """Return the article that pages make; what the first of a file tells of itself, `known` has for the others."""
    drop_running(leaves)
    found = blocks(leaves)
    if "page" not in known:
        first = [block for block in found[:HEAD_BLOCKS] if block.page == found[0].page]
        sizes = Counter[float]()
        for block in found:
            sizes[block.size] += len(block.text)
        same = [block for block in first if fold(block.text) == fold(known.get("title", ""))]
        large = max(first, key=lambda block: block.size * (len(block.text) > INITIAL))
        if "title" not in known and large.size > HEADING * sizes.most_common(1)[0][0] and len(large.text) < TITLE_MOST:
            known["title"], same = large.text, [large]
        found = [block for block in found if block not in same] or found
    page = at = found[0].page
    parts = list[str]()
    for block in found:
        parts += [PAGE * (block.page - at) + block.text]
        at = max(at, block.last)
    text = "\n\n".join(parts)
    if "page" not in known:
        fields, text = head(text.split("\n"), {key: said for key, said in known.items() if key != "authors"})
        known |= fields
    known["page"] = page
    title = known.get("title", "")
    return known | {"text": text, "title": f"{title}, {place}" if title and place else title}, place


def _page(document: Any, number: int) -> Generator[Fields, None, list[Leaf] | str]:
    """Return the text of a page, that which is turned otherwise apart, or what became of it."""
    try:
        page = document[number - 1]
    except pypdfium2.PdfiumError:
        return DAMAGED
    left, bottom, right, top = page.get_bbox()
    shown = shapes(page)
    pictures = [(c - a) * (d - b) for (a, b, c, d), colour in shown if colour is None]
    picture = max(pictures, default=0.0) > PICTURE * (right - left) * (top - bottom)
    found: list[Run] | None = runs(page, shown, picture)
    if picture and sum(len(piece.text) for _, piece in found or ()) < FEW:
        if not shutil.which(TESSERACT[0]):
            return PICTURES
        if not (found := (yield from _recognised(page, number))):
            return UNREAD
    page.close()
    leaves = list[Leaf]()
    for turn in range(4):
        if pieces := [piece for quarters, piece in found or () if quarters == turn]:
            low, high = sorted(turned(x, y, turn)[1] for x, y in ((left, bottom), (right, top)))
            leaves.append(Leaf(number, lines(pieces), high, low, turn))
    return sorted(leaves, key=lambda leaf: -_size([leaf]))


def _recognised(page: Any, number: int) -> Generator[Fields, None, list[Run] | None]:
    """Return the lines that tesseract reads on a page, None where it fails; meanwhile yield signs of life."""
    scale = min(DPI / 72, PIXELS / max(page.get_size()))
    with TemporaryFile() as image, TemporaryFile() as told:
        page.render(scale=scale, grayscale=True).to_pil().save(image, "PNG")
        image.seek(0)
        with Popen(TESSERACT, stdin=image, stdout=told, stderr=DEVNULL) as process:
            for _ in range(PATIENCE):
                with suppress(TimeoutExpired):
                    process.wait(SECONDS)
                    break
                yield None, f"page {number}"
            else:
                process.kill()
                return None
        told.seek(0)
        said = told.read().decode("utf-8", "replace")
    words = list[tuple[str, list[float], str]]()
    for row in csv.DictReader(said.split("\n"), delimiter="\t", quoting=csv.QUOTE_NONE):
        if word := (row["text"] or "").strip():
            box = [int(row[name]) / scale for name in ("left", "top", "width", "height")]
            words.append((word, box, " ".join(row[name] for name in ("block_num", "par_num", "line_num"))))
    usual = median([box[3] for _, box, _ in words] or [1.0])
    found = list[Run]()
    for _, group in groupby(words, lambda word: word[2]):
        texts, boxes, _ = zip(*group, strict=True)
        high = max(box[3] for box in boxes)
        x0, x1 = min(box[0] for box in boxes), max(box[0] + box[2] for box in boxes)
        y = page.get_height() - max(box[1] + 0.8 * box[3] for box in boxes)
        size = high if high > 1.6 * usual else usual * 1.2
        found.append((0, Piece(" ".join(texts), x0, x1, y, size, False, "\n")))
    return found
