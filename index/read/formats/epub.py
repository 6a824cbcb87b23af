"""Reads EPUB: each document of a book or a newspaper that holds real text is an article, under its own heading."""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from lxml import etree

from index.read import zipped
from index.read.formats.pages import SENTENCE, declared, of_blocks, tree_of
from index.read.plain import Source, decode
from index.text.days import day_or_none
from index.types import BadInput

FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")  # whose encryption locks no text
LOCKED = "it is locked (DRM), so that only the program that it was sold for opens it: ingest another copy"
AROUND = re.compile(r"\b(?:cover|title-?page|halftitlepage|toc|landmarks|copyright-page|imprint|index|colophon)\b")
LEFT_OUT = (  # lists of other documents, and what calibre puts around an article
    "//head | //nav | //li[.//a[@href and not(starts-with(@href, '#') or contains(@href, '://'))]]"
    " | //*[contains(@class, 'calibre_navbar')] | //*[self::p or self::div][a[@rel = 'calibre-downloaded-from']]"
)
FROM = "string(//a[@rel = 'calibre-downloaded-from']/@href)"
EMPTY = re.compile(  # an element of XML that HTML would take for an open one
    r"<(?!(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)\b)([\w:-]+)(\s[^<>]*)?/>"
)
ISSUE = re.compile(r"\s*\[[^\]]*\]$")  # the day behind the title of a newspaper that calibre made


def read_epub(file: Source) -> Iterator[tuple[dict[str, Any] | BadInput, str]]:
    """Yield the articles of an EPUB. Raises ValueError where it is locked or holds none."""
    with zipped.sound("EPUB"):
        found = list(_chapters(zipped.opened(file.read()), file))
    if not found:
        raise ValueError("there is no text in it, only pictures or lists of chapters")
    for number, fields in enumerate(found, 1):
        yield fields, f"chapter {number}" if len(found) > 1 else ""


def _chapters(packed: zipfile.ZipFile, file: Source) -> Iterator[dict[str, Any] | BadInput]:
    top = _all(zipped.tree(packed.read("META-INF/container.xml")), "rootfile")[0].get("full-path")
    package, locked, paths = zipped.tree(packed.read(top)), set[str](), dict[str, str]()
    if "META-INF/encryption.xml" in packed.namelist():
        for one in _all(zipped.tree(packed.read("META-INF/encryption.xml")), "EncryptedData"):
            if not {method.get("Algorithm") for method in _all(one, "EncryptionMethod")} & {*FONTS}:
                locked |= {unquote(reference.get("URI", "")) for reference in _all(one, "CipherReference")}

    def path(href: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(top), unquote(href.partition("#")[0])))

    for item in _all(package, "item"):
        if "nav" not in item.get("properties", "").split():
            paths[item.get("id")] = path(item.get("href"))
    around = {path(one.get("href")) for one in _all(package, "reference") if AROUND.search(one.get("type", ""))}
    said = _said(package)
    spine = [paths[one.get("idref")] for one in _all(package, "itemref") if one.get("idref") in paths]
    for name in (name for name in dict.fromkeys(spine) if name not in around):
        if name in locked:
            raise ValueError(LOCKED)
        if name not in packed.namelist():
            yield BadInput(f"{name[:99]} is not in it: get a whole copy")
        elif fields := _chapter(packed.read(name), file):
            yield said | fields


def _all(tree: Any, name: str) -> list[Any]:
    found: list[Any] = tree.xpath(f".//*[local-name() = '{name}']")
    return found


def _said(package: Any) -> dict[str, Any]:
    """Return what a book says of all its chapters."""
    title, publisher = (" ".join(_texts(package, name)[:1]) for name in ("title", "publisher"))
    authors = [name for name in _texts(package, "creator") if name != "calibre"]
    if publisher == "calibre":  # a newspaper, whose name is no title of an article
        title, publisher = "", ISSUE.sub("", title)
    day = next(filter(None, map(day_or_none, (said[:10] for said in _texts(package, "date")))), None)
    return {"title": title, "outlet": publisher, "authors": authors, "published": day}


def _texts(package: Any, name: str) -> list[str]:
    return [
        said for one in _all(package, name) if "modification" not in one.values() and (said := (one.text or "").strip())
    ]


def _chapter(data: bytes, file: Source) -> dict[str, Any]:
    """Return the fields of a document; none where it holds no text of its own."""
    page = tree_of(EMPTY.sub(r"<\1\2></\1>", decode(data, file, declared(data))))
    kinds = page.xpath("//body/@*[name() = 'epub:type'] | //body/*/@*[name() = 'epub:type']")
    if any(map(AROUND.search, kinds)):
        return {}
    url = page.xpath(FROM)
    for element in page.xpath(LEFT_OUT):
        element.drop_tree()
    fields = of_blocks(etree.tostring(page, encoding="unicode", method="html"), {})
    if not SENTENCE.search(fields["text"]):
        return {}
    return {name: value for name, value in {**fields, "url": url}.items() if value}
