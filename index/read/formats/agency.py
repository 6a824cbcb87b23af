"""Reads what agencies deliver as XML: NewsML-G2, NewsML 1, and NITF, alone or within one of these."""

import re
from collections.abc import Iterator
from html import escape, unescape
from typing import Any

from index.read import zipped
from index.read.formats.pages import of_blocks
from index.text.datelines import dateline

ROOTS = ("newsmessage", "newsitem", "packageitem", "newsml", "nitf")
MEAN = {"hl1": "h1", "hl2": "h2", "hedline": "h2", "media-caption": "figcaption", "nitf-table": "div"}
DROPPED = ("media-metadata", "media-producer", "media-object", "nitf-table-metadata", "script", "style", "head")
ITEM = {  # ours: where NewsML-G2 has it; where NewsML 1 has it; the first that holds something is taken
    "id": ("@guid", "Identification/NewsIdentifier/PublicIdentifier"),
    "title": ("contentMeta/headline", "itemMeta/title", "//NewsLines/HeadLine", "//NewsLines/Headline"),
    "published": ("itemMeta/firstCreated", "itemMeta/versionCreated", "NewsManagement/FirstCreated",
                  "NewsManagement/ThisRevisionCreated"),
    "authors": ("contentMeta/by", "contentMeta/creator/name", "//NewsLines/ByLine"),
    "outlet": ("itemMeta/provider/name", "itemMeta/provider/@literal", "itemMeta/provider/@qcode",
               "contentMeta/creditline", "rightsInfo/copyrightHolder/name", "rightsInfo/copyrightHolder/@literal",
               "Identification/NewsIdentifier/ProviderId", "//NewsLines/CreditLine"),
    "pubstatus": ("itemMeta/pubStatus/@qcode", "NewsManagement/Status/@FormalName"),
    "embargo": ("itemMeta/embargoed", "NewsManagement/StatusWillChange/DateAndTime"),
    "dateline": ("contentMeta/dateline", "//NewsLines/DateLine"),
    "version": ("@version", "Identification/NewsIdentifier/RevisionId"),
}  # fmt: skip
NITF = {
    "id": ("head/docdata/doc-id/@id-string",),
    "title": ("body/body.head/hedline/hl1", "head/title"),
    "published": ("head/docdata/date.issue/@norm", "head/docdata/date.release/@norm"),
    "authors": ("body/body.head/byline/person", "body/body.head/byline"),
    "outlet": ("body/body.head/distributor", "head/pubdata/@name", "head/docdata/doc.copyright/@holder"),
    "pubstatus": ("head/docdata/@management-status",),
    "dateline": ("body/body.head/dateline",),
    "version": ("head/docdata/du-key/@version",),
}


def read(data: bytes) -> Iterator[tuple[Any, str]]:
    """Yield each article of a delivery: the last version of each item that holds text. Raises ValueError for none."""
    from lxml import etree

    try:
        root = zipped.tree(data)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"damaged XML ({error}): ask for the file again") from error
    for entity in [*root.iter(etree.Entity)]:
        said = etree.Element("span")
        said.text, said.tail = unescape(entity.text), entity.tail
        if said.text == entity.text:
            raise ValueError(f"it has an entity of its own, {entity.text[:40]}: write out what it stands for")
        entity.getparent().replace(entity, said)
    for element in root.iter():
        element.tag = etree.QName(element).localname
    last, number = dict[str, tuple[int, dict[str, Any]]](), 0
    kinds = ("nitf",) if root.tag == "nitf" else ("newsItem", "NewsItem")
    for number, item in enumerate(root.iter(*kinds), 1):
        fields = _nitf(item) if item.tag == "nitf" else _item(item)
        key, said = str(fields.get("id") or number), str(fields.pop("version", ""))
        version = int(said) if said.isdecimal() and len(said) < 20 else 0
        if key not in last or last[key][0] <= version:
            last[key] = version, fields
    if not last:
        raise ValueError("a package that names items and holds none: ingest the files of the items")
    for place, (_, fields) in enumerate(last.values(), 1):
        yield fields, f"item {place}" if number > 1 else ""


def _said(item: Any, paths: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return what an item says of itself: a string each, of authors a list."""
    found = dict[str, Any]()
    for ours, places in paths.items():
        for path in places:
            told = [text for one in item.xpath(path.replace("//", ".//")) if (text := _line(one))]
            if told:
                found[ours] = told if ours == "authors" and len(told) > 1 else told[0]
                break
    for ours in ("pubstatus", "outlet"):
        found[ours] = found.get(ours, "").rpartition(":")[2]  # stat:usable
    return {ours: value for ours, value in found.items() if value}


def _line(found: Any) -> str:
    return " ".join((found if isinstance(found, str) else "".join(found.itertext())).split())


def _item(item: Any) -> dict[str, Any]:
    """Return the article of an item: what it says of itself comes before what its content does."""
    fields, content = _said(item, ITEM), dict[str, Any]()
    for part in item.iter("inlineXML", "inlineData", "DataContent"):  # the same text in several forms
        if (nitf := next(part.iter("nitf"), None)) is not None:
            content = _nitf(nitf)
        elif len(part):
            content = _text(next(part.iter("body"), part), fields)
        elif said := (part.text or "").strip():
            plain = "html" not in part.get("contenttype", "") and not re.match(r"<\w", said)
            content = _of_html(f"<pre>{escape(said)}</pre>" if plain else said, fields)
        if content.get("text"):
            break
    else:
        kind = _line(next(iter(item.xpath("itemMeta/itemClass/@qcode")), ""))
        content = {"text": "", "item class": kind.rpartition(":")[2]}
    return {**content, **fields}


def _nitf(nitf: Any) -> dict[str, Any]:
    fields = _said(nitf, NITF)
    content = nitf.find("body/body.content")
    return {"text": ""} | fields if content is None else _text(content, fields)


def _text(content: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Return the known fields with the text of NITF or XHTML."""
    from lxml import etree

    etree.strip_elements(content, *DROPPED, with_tail=False)
    for element in content.iter():
        element.tag = MEAN.get(element.tag, element.tag)
    return _of_html(etree.tostring(content, encoding="unicode", method="html", with_tail=False), known)


def _of_html(html: str, known: dict[str, Any]) -> dict[str, Any]:
    """Return the known fields with a text, which begins with the dateline where that stands apart."""
    fields = of_blocks(html, {ours: value for ours, value in known.items() if ours != "dateline"})
    begun = f"{known.get('dateline', '').rstrip(' -–—')} – {fields['text']}"
    return fields | ({"text": begun} if dateline(begun) and not dateline(fields["text"]) else {})
