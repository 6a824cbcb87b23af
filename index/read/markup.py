"""Makes plain text of what HTML says by its elements: what is hidden, superscripts, notes, tables, blocks."""

import re
from typing import Any

from index.text import lists
from index.text.cut import is_caption
from index.types import BadInput

INLINE = {*lists.lines("inline-elements")}
NOTE = re.compile(r"\[.*\]|\(?\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\)?|[*†‡§]+")
POWER = re.compile(r"[+−-]?\d+|n")
RAISED = str.maketrans("0123456789+−-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
BASE = re.compile(
    r"(?<![^\W\d_])(?:[kcdmµn]?m|ft|mi|yd|mc|[a-z])$|\d ?in$|\d(?<!\b1[5-9]\d\d)(?<!\b20\d\d)$"
)  # no year
STRUCK = "//s | //strike | //del | //*[contains(translate(@style, ' ', ''), 'line-through')]"
# What stands in a page for machines alone, such as instructions to them. By `style`, written small and without spaces;
# what style sheets hide is not known here.
UNSEEN = re.compile(
    r"(?<![\w-])(?:display:none|visibility:(?:hidden|collapse)|content-visibility:hidden|opacity:0?(?:\.0\d*)?(?![\d.])"
    r"|font(?:-size)?:(?:0?\.[0-4]\d*|0)(?:[a-z%]+|(?![\w.]))|font-size:1(?:px|pt|%)"
    r"|color:(?:transparent|rgba\((?:\d+,){3}0?(?:\.0\d*)?\)|#[\da-f]{3}0(?![\da-f])|#[\da-f]{6}00)"
    r"|(?:left|right|top|bottom|text-indent|margin-left):-(?:\d{4}|999)|transform:scale\(0(?![\d.])"
    r"|clip:rect\((?:[01](?:px)?,?){4}\)"
    r"|clip-path:inset\((?:50|100)%|(?:max-)?(?:height|width):[01](?:px)?(?![\w.%]).*overflow:hidden"
    r"|overflow:hidden.*;(?:max-)?(?:height|width):[01](?:px)?(?![\w.%]))"
)
COLOUR = re.compile(r"(?<![\w-])(color|background(?:-color)?):(#\w+|[a-z]+|rgb\([\d,]+\))")
WHITE = {"white", "#fff", "#ffffff", "rgb(255,255,255)"}
HIDING = (
    "//noscript | //template | //*[@hidden] | //*[@aria-hidden='true']"
    " | //*[contains(@class, 'visually-hidden') or contains(@class, 'screen-reader') or contains(@class, 'sr-only')]"
)
CROWDED = re.compile(r"<[a-zA-Z](?:[^<>\s=]*[\s=]+){2000}")  # lxml takes the square: 100,000 attributes are minutes
CELL_CHARACTERS = 200  # Longer cells are of a page that is laid out by a table.


def plain(tree: Any) -> None:
    """Drop what is hidden, struck, or marks a footnote, write powers in raised digits (10⁶, km²), make rows lines."""
    for element in [*tree.xpath(HIDING), *filter(_unseen, tree.xpath("//*[@style]")), *tree.xpath(STRUCK)]:
        if element.getparent() is not None and element.tag not in ("body", "h1"):  # pages fade in as a whole
            element.drop_tree()
    for element in tree.xpath("//*[@style]"):
        del element.attrib["style"]  # trafilatura leaves out what has "hidden" in it, "overflow: hidden" too
    for element in [*tree.iter("sup"), *tree.xpath("//a[starts-with(@href, '#')]")]:
        said, above, previous = element.text_content().strip(), element.getparent(), element.getprevious()
        if above is None or (element.tag == "a" and said and not NOTE.fullmatch(said)):
            continue
        before = (above.text if previous is None else previous.tail or previous.text_content()) or ""
        linked = element.tag == "a" or element.xpath(".//a[contains(@href, '#')] | ancestor::a[contains(@href, '#')]")
        element[:], element.text = [], "" if linked else raised(said, before[-20:], element.tail or "")
        if not element.text:
            element.drop_tree()
    for table in reversed(list(tree.iter("table"))):
        cells = list(table.iter("td", "th"))
        if table.find(".//table") is None and all(len(_text(cell)) <= CELL_CHARACTERS for cell in cells):
            for line in filter(None, _rows(table)):
                paragraph = table.makeelement("p")
                paragraph.text = line
                table.addprevious(paragraph)
            if table.getparent().tag == "figure":  # trafilatura leaves these out
                table.getparent().tag = "div"
            table.drop_tree()


def _unseen(element: Any) -> bool:
    """Tell whether an element's `style` hides it, or writes white on white."""
    style = re.sub(r"\s|/\*.*?\*/", "", element.get("style").lower())
    colours = {name[:5]: "white" if value in WHITE else value for name, value in COLOUR.findall(style)}
    if UNSEEN.search(style):
        return True
    if colours.get("color") != "white" or "backg" in colours:
        return colours.get("color", "") == colours.get("backg")
    return not any("background" in above.get("style", "").lower() for above in element.iterancestors())


def raised(said: str, before: str, behind: str) -> str:
    """Return what a superscript is in plain text: nothing for the mark of a footnote."""
    number = before[-1:].isdigit()
    if behind in ("/", "⁄"):  # of a fraction
        return f" {said}" if number else said
    isotope = said.isdigit() and not before[-1:].strip(" (") and behind[:1].isupper()
    if isotope or (POWER.fullmatch(said) and BASE.search(before)):
        return said.translate(RAISED)
    if NOTE.fullmatch(said):
        return ""
    return f"^{said}" if number and not said[:1].isalpha() else said


def _rows(table: Any) -> list[str]:
    """Return a line a row, each cell behind its header, "Party: Greens · Seats: 12", bare where there is none."""
    lines, headers = [_text(caption) for caption in table.iter("caption")], list[str]()
    for row in table.iter("tr"):
        cells = [cell for cell in row if cell.tag in ("td", "th")]
        texts = [_text(cell) for cell in cells]
        if len(cells) > 1 and all(cell.tag == "th" for cell in cells):
            headers = texts
        elif len(cells) == 2 and cells[0].tag == "th":
            lines.append(": ".join(filter(None, texts)))
        elif len(texts) == len(headers) and not row.xpath("*[@colspan > 1]"):
            named = zip(headers, texts, strict=True)
            lines.append(" · ".join(f"{name}: {text}" if name else text for name, text in named if text))
        else:
            lines.append(" · ".join(filter(None, texts)))
    return lines or [" · ".join(headers)]


def _text(element: Any) -> str:
    return " ".join(element.text_content().split())


def blocks(html: str) -> tuple[str, list[str]]:
    """Return the first heading of a piece of HTML, and the text of each of its blocks.

    Raises BadInput where an element has thousands of attributes.
    """
    from lxml.html import fragment_fromstring

    if CROWDED.search(html):
        raise BadInput("an element has over 1,000 attributes, as no article's has: look into it")
    tree = fragment_fromstring(f"<!-- -->{html}", create_parent="div")  # a whole page without a body is no piece
    for element in tree.xpath("//script | //style | //comment()"):
        element.drop_tree()
    plain(tree)
    for element in tree.iter("figcaption"):
        if (said := _text(element)) and not is_caption(said):
            element[:], element.text = [], f"Image: {said}"
    heading = next((_text(element) for element in tree.iter("h1", "h2", "h3", "h4", "h5", "h6")), "")
    for part in tree.xpath("//text()[not(ancestor::pre)]"):
        setattr(part.getparent(), "tail" if part.is_tail else "text", re.sub(r"\s+", " ", part))
    for element in tree.iter():
        if element.tag == "br":
            element.tail = "\n" + (element.tail or "").lstrip()
        elif element.tag not in INLINE:
            element.text, element.tail = f"\u2029{element.text or ''}", f"\u2029{element.tail or ''}"
    return heading, [block.strip() for block in tree.text_content().split("\u2029") if block.strip()]
