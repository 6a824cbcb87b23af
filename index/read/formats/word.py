"""Reads Word files: their paragraphs, headings and tables become a small page, which is read as Markdown's are."""

import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from html import escape
from io import BytesIO
from typing import Any

from index.read.formats.pages import of_blocks
from index.read.plain import Source

GROWTH, UNZIPPED_BYTES = 100, 100_000_000  # Texts unzip to ten times their size, what fills the memory to a thousand.
BLOCKS = ".//*[self::w:p or self::w:tbl][not(ancestor::w:tbl or ancestor::w:txbxContent)]"  # no text boxes
RUNS = ".//w:r[not(ancestor::w:del or ancestor::w:moveFrom or ancestor::w:txbxContent)]"  # what stands, not what stood
HEADINGS = {"Title": "h1", **{f"Heading {level}": f"h{level}" for level in range(1, 7)}}


def read_word(file: Source) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the article of a Word file; what its properties say of it counts where its text does not say it."""
    data = file.read()
    try:
        with zipfile.ZipFile(BytesIO(data)) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > UNZIPPED_BYTES or size > max(1_000_000, GROWTH * len(data)):
            raise ValueError(f"it unzips to {size / 1e6:,.0f} MB, as no articles do: look into it")
        html, title, author, created = _page(data)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, AttributeError, NotImplementedError, RuntimeError,
            SyntaxError, TypeError) as error:  # fmt: skip  # as python-docx and lxml fail on what is damaged
        raise ValueError(f"no Word file, a damaged or a locked one ({error}): save it again as .docx") from error
    fields = of_blocks(html, {} if html.startswith("<h") else {"title": title})
    said = {"title": title, "authors": author, "published": created and created.date()}
    yield said | {name: value for name, value in fields.items() if value}, ""


def _page(data: bytes) -> tuple[str, str, str, datetime | None]:
    """Return the text of a file as HTML, and its title, author and day as its properties have them."""
    import docx
    from docx.text.paragraph import Paragraph
    from docx.text.run import Run

    document = docx.Document(BytesIO(data))

    def inline(paragraph: Any) -> str:
        said = ""
        for run in (Run(element, document) for element in paragraph.xpath(RUNS)):
            if not (run.font.hidden or run.font.strike):
                text = escape(run.text).replace("\n", "<br>")
                said += f"<sup>{text}</sup>" if run.font.superscript else text
        return said

    def block(element: Any) -> str:
        if element.tag.endswith("}p"):
            tag = HEADINGS.get(getattr(Paragraph(element, document._body).style, "name", None) or "", "p")
            return f"<{tag}>{inline(element)}</{tag}>" if element.xpath(RUNS) else ""
        rows = (
            "".join(f"<td>{' '.join(map(inline, cell.xpath('.//w:p')))}</td>" for cell in row.xpath("./w:tc"))
            for row in element.xpath("./w:tr")
        )
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"

    known = document.core_properties
    html = "".join(map(block, document.element.body.xpath(BLOCKS)))
    return html, known.title, known.author, known.created
