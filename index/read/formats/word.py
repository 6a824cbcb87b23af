"""Reads Word files: their paragraphs, headings and tables become a small page, which is read as Markdown's are."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from html import escape
from io import BytesIO
from typing import Any

from lxml.etree import QName

from index.read import zipped
from index.read.formats.pages import of_document
from index.read.plain import Source

KINDS = ("ms-word.document.macroEnabled", "ms-word.template.macroEnabledTemplate",
         "openxmlformats-officedocument.wordprocessingml.template")  # fmt: skip  # .docm, .dotm, .dotx
FALLBACK = "ancestor::*[local-name() = 'Fallback']"  # what is there twice, for old programs
BLOCKS = f".//*[self::w:p or self::w:tbl][not(ancestor::w:tbl or {FALLBACK})]"  # text boxes below their paragraph
GONE = "ancestor::w:del or ancestor::w:moveFrom or ancestor::w:rt or ancestor::w:sdt[w:sdtPr/w:showingPlcHdr]"
RUNS = f".//w:r[not({GONE} or {FALLBACK})]"  # what stands, not what stood; no prompts
ROWS, CELLS = (f"w:{tag} | w:sdt/w:sdtContent/w:{tag}" for tag in ("tr[not(w:trPr/w:del)]", "tc"))
OFF = ("0", "false", "off", "none")
BLANK = ("Word Document", "python-docx", date(2013, 12, 23))  # what python-docx says where nobody said anything
CHAIN = 20  # styles at most that one is based on


def read_word(file: Source) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the article of a Word file; what its properties say of it counts where its text does not say it."""
    from docx.opc.part import PartFactory
    from docx.package import Package
    from docx.parts.document import DocumentPart

    PartFactory.part_type_for |= {f"application/vnd.{kind}.main+xml": DocumentPart for kind in KINDS}
    data = file.read()
    with zipped.sound("Word file"):
        zipped.opened(data)
        document = Package.open(BytesIO(data)).main_document_part.document
        html, known = _page(document), document.core_properties
        said = {"title": known.title, "authors": known.author, "published": known.created and known.created.date()}
        said = {name: value for name, value in said.items() if value not in BLANK}
    yield of_document(html, said), ""


def _page(document: Any) -> str:
    """Return the text of a document as HTML."""
    from docx.text.run import Run

    styles = {style.style_id: style for style in document.styles}

    @cache
    def styled(name: str, kind: str, depth: int = CHAIN) -> dict[str, str]:
        """Return what a style says, and those that it is based on."""
        if name not in styles or not depth:
            return {}
        base = getattr(styles[name].base_style, "style_id", "")
        return styled(base, kind, depth - 1) | _said(styles[name].element, kind)

    def formed(element: Any, kind: str) -> dict[str, str]:
        own = _said(element, kind)
        return styled(own.get(f"{kind[0]}Style", ""), kind) | own

    def inline(paragraph: Any) -> str:
        said, level = "", paragraph.xpath("count(ancestor::w:txbxContent)")
        for run in paragraph.xpath(f"{RUNS}[count(ancestor::w:txbxContent) = {level}]"):
            form = formed(run, "rPr")
            if all(form.get(gone, "0") in OFF for gone in ("vanish", "strike", "dstrike")):
                text = escape(Run(run, document).text).replace("\n", "<br>")
                said += f"<sup>{text}</sup>" if form.get("vertAlign") == "superscript" else text
        return said

    def block(element: Any) -> str:
        if element.tag.endswith("}tbl"):
            return _table(element, inline, styles)
        style, form = element.style or "", formed(element, "pPr")
        name = ((styles[style].name if style in styles else style) or "").casefold()
        if name.startswith("toc "):
            return ""
        named = re.fullmatch(r"heading ?([1-9])", name)
        level = form.get("outlineLvl") or (str(int(named[1]) - 1) if named else "")
        tag = "h1" if name == "title" else f"h{min(int(level), 5) + 1}" if level in [*"012345678"] else "p"
        return f"<{tag}>{said}</{tag}>" if (said := inline(element)).strip() else ""

    return "".join(map(block, document.element.body.xpath(BLOCKS)))


def _said(element: Any, kind: str) -> dict[str, str]:
    """Return the properties of an element, of a run (rPr) or paragraph (pPr), by their names; "on" without a value."""
    found = element.xpath(f"w:{kind}[1]/*")
    return {QName(child).localname: child.get(f"{{{QName(child).namespace}}}val", "on") for child in found}


def _table(table: Any, inline: Any, styles: Any) -> str:
    """Return a table; its first row is its header where it says so, or its style sets that row apart."""
    style = styles.get(next(iter(table.xpath("w:tblPr/w:tblStyle/@w:val")), ""))
    apart = style is not None and style.element.xpath("w:tblStylePr[@w:type = 'firstRow']")
    first = bool(apart and table.xpath("w:tblPr/w:tblLook[@w:firstRow = '1']"))
    rows = ""
    for row in table.xpath(ROWS):
        tag = "th" if first or row.xpath("w:trPr/w:tblHeader") else "td"
        first = False
        for cell in row.xpath(CELLS):
            span = next(iter(cell.xpath("w:tcPr/w:gridSpan/@w:val")), "1")
            rows += f'<{tag} colspan="{escape(span)}">{" ".join(map(inline, cell.xpath(".//w:p")))}</{tag}>'
        rows += "</tr><tr>"
    return f"<table><tr>{rows}</tr></table>"
