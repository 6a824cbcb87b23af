"""Reads OpenDocument texts: zipped (.odt), or as one XML file (.fodt); a small page is made of them, as of Word's."""

from collections.abc import Callable, Iterator
from functools import cache
from html import escape
from typing import Any

from lxml.etree import QName

from index.read import zipped
from index.read.formats.pages import of_document
from index.read.plain import Source
from index.text.days import day_or_none

OASIS = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"
SPACES = {name: OASIS.format(name) for name in ("office", "text", "table", "style", "meta")} | {
    "draw": OASIS.format("drawing"), "dc": "http://purl.org/dc/elements/1.1/",
}  # fmt: skip
PARTS = ("content.xml", "styles.xml", "meta.xml")
AWAY = (  # cells, which their table has; notes, what was deleted, what is hidden, lists of what follows
    "ancestor::table:table or ancestor::text:note or ancestor::office:annotation or ancestor::text:tracked-changes"
    " or ancestor::text:section[@text:display = 'none' or @text:is-hidden = 'true'] or ancestor::text:index-body"
)
BLOCKS = f".//*[self::text:p or self::text:h or self::table:table][not({AWAY})]"  # text boxes below their paragraph
UNSEEN = ("note", "annotation", "hidden-text", "ruby-text", "frame", "custom-shape", "g", "control", "script")
REPEATED = 50  # times at most that a cell stands for, or a space; a row of a spreadsheet may say 16,384
ROWS = ".//table:table-row[count(ancestor::table:table) = 1]"
STYLE, TEXT = f"{{{OASIS.format('style')}}}", f"{{{OASIS.format('style')}}}text-properties"
CHAIN = 20  # styles at most that one is based on


def read_opendocument(file: Source) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the article of an OpenDocument text; what its properties say counts where its text does not say it."""
    data = file.read()
    with zipped.sound("OpenDocument text"):
        if data.startswith(b"PK"):
            packed = zipped.opened(data)
            if b"encryption-data" in packed.read("META-INF/manifest.xml"):
                raise ValueError("it is locked by a password: save it without one")
            trees = [zipped.tree(packed.read(name)) for name in PARTS if name in packed.namelist()]
        else:
            trees = [zipped.tree(data)]
        html = _page(trees)
        said: dict[str, Any] = {"title": _meta(trees, "dc:title"), "authors": _meta(trees, "meta:initial-creator")}
        said["authors"] = said["authors"] or _meta(trees, "dc:creator")
        said["published"] = day_or_none(_meta(trees, "meta:creation-date")[:10])
    yield of_document(html, said), ""


def _meta(trees: list[Any], name: str) -> str:
    found = (one for tree in trees for one in tree.xpath(f".//office:meta/{name}", namespaces=SPACES))
    return next((str(one.text or "") for one in found), "")


def _page(trees: list[Any]) -> str:
    """Return the text of a document as HTML."""
    formed = _styles(trees)

    def inline(element: Any) -> str:
        said = escape(element.text or "")
        for child in element.iterchildren("*"):
            name, form = QName(child).localname, formed(child)
            if name in ("s", "tab", "line-break"):
                said += {"tab": "\t", "line-break": "<br>"}.get(name) or " " * _times(child, "text:c")
            elif name not in UNSEEN and form["seen"]:
                said += f"<sup>{inline(child)}</sup>" if form["raised"] else inline(child)
            said += escape(child.tail or "")
        return said

    def block(element: Any) -> str:
        form, name = formed(element), QName(element).localname
        if name == "table":
            return _table(element, inline, formed)
        if not form["seen"] or element.xpath("text:hidden-paragraph[@text:is-hidden = 'true']", namespaces=SPACES):
            return ""
        level = min(_times(element, "text:outline-level"), 6) if name == "h" else 1
        tag = f"h{level}" if name == "h" or "Title" in form["names"] else "p"
        return f"<{tag}>{said}</{tag}>" if (said := inline(element)).strip() else ""

    bodies = [body for tree in trees for body in tree.xpath(".//office:body/office:text", namespaces=SPACES)]
    return "".join(block(element) for element in bodies[0].xpath(BLOCKS, namespaces=SPACES))


def _styles(trees: list[Any]) -> Callable[[Any], dict[str, Any]]:
    """Return a function that says how an element looks: whether it is seen, raised; the names of its styles."""
    styles = {
        (one.get(STYLE + "family"), one.get(STYLE + "name")): one for t in trees for one in t.iter(STYLE + "style")
    }

    @cache
    def styled(family: str, name: str | None) -> dict[str, Any]:
        form, names = dict[str, str](), list[str]()
        while (style := styles.get((family, name))) is not None and len(names) < CHAIN:
            names.append(name or "")
            form = {QName(key).localname: said for one in style.iter(TEXT) for key, said in one.items()} | form
            name = style.get(STYLE + "parent-style-name")
        unseen = form.get("display") == "none" or form.get("text-line-through-style", "none") != "none"
        return {"names": names, "seen": not unseen, "raised": form.get("text-position", "").startswith("super")}

    return lambda one: styled(
        "text" if one.tag.endswith("}span") else "paragraph", one.get(f"{{{SPACES['text']}}}style-name")
    )


def _table(table: Any, inline: Any, formed: Any) -> str:
    """Return a table; its first row is its header where it says so, or the style of its cells."""
    html = ""
    for row in table.xpath(ROWS, namespaces=SPACES):
        header = row.getparent().tag.endswith("}table-header-rows")
        for cell in row.xpath("table:table-cell | table:covered-table-cell", namespaces=SPACES):
            texts = cell.xpath(".//*[self::text:p or self::text:h]", namespaces=SPACES)
            heading = texts and all("Table_20_Heading" in formed(text)["names"] for text in texts)
            tag, span = "th" if header or heading else "td", _times(cell, "table:number-columns-spanned")
            said = f'<{tag} colspan="{span}">{" ".join(map(inline, texts))}</{tag}>'
            html += said * _times(cell, "table:number-columns-repeated")
        html += "</tr><tr>"
    return f"<table><tr>{html}</tr></table>"


def _times(element: Any, name: str) -> int:
    said = "".join(element.xpath(f"@{name}", namespaces=SPACES))
    return min(int(said), REPEATED) if said.isascii() and said.isdigit() and len(said) < 9 else 1
