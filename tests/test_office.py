"""What office programs and publishers make: Word, OpenDocument, RTF and EPUB, read as a reader sees it, or refused."""

import io
import zipfile
from datetime import date
from pathlib import Path

import odfdo

from index.read import read
from index.types import Article, Rejected

TOLD = "The Fennick bridge closed on Monday after an inspector found cracks in two of its bearings."


def found(path: Path, content: bytes | str) -> tuple[list[Article], list[str]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    items = [one.item for one in read([path])]
    rejected = [item.reason for item in items if isinstance(item, Rejected)]
    assert all(reason.isprintable() for reason in rejected)
    return [item for item in items if isinstance(item, Article)], rejected


def zipped(parts: dict[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return file.getvalue()


def unzipped(data: bytes) -> dict[str, bytes | str]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{uri}:1.0"'
    for name, uri in (("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"),
                      ("draw", "drawing"), ("meta", "meta"))
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'  # fmt: skip
FLAT = f"""<?xml version="1.0"?>
<office:document {NAMES}><office:meta><dc:title>Another</dc:title><meta:initial-creator>Olena Marchuk
</meta:initial-creator><dc:creator>A Typist</dc:creator><meta:creation-date>2025-04-18T10:00:00</meta:creation-date>
</office:meta><office:automatic-styles>
<style:style style:name="T1" style:family="text">
<style:text-properties style:text-line-through-style="solid"/></style:style>
<style:style style:name="T2" style:family="text"><style:text-properties style:text-position="super 58%%"/></style:style>
<style:style style:name="T3" style:family="text"><style:text-properties text:display="none"/></style:style>
<style:style style:name="P1" style:family="paragraph" style:parent-style-name="P2"/>
<style:style style:name="P2" style:family="paragraph" style:parent-style-name="Title"/>
<style:style style:name="Title" style:family="paragraph" style:parent-style-name="P1"/>
</office:automatic-styles><office:body><office:text>%s</office:text></office:body></office:document>"""
STANDS = (
    "<text:tracked-changes><text:changed-region><text:deletion><text:p>It stood.</text:p></text:deletion>"
    '</text:changed-region></text:tracked-changes><text:p text:style-name="P1">Baths to stay</text:p>'
    "<text:p>By Anna Berg</text:p>"
    '<text:h text:outline-level="2">What was decided</text:h>'
    '<text:p>The council<text:s text:c="2"/>kept <text:a>the</text:a> baths on <text:span text:style-name="T1">'
    "Monday</text:span>Tuesday<text:note><text:note-citation>1</text:note-citation>"
    "<text:note-body><text:p>By 5 to 4.</text:p>"
    '</text:note-body></text:note>. They have 10<text:span text:style-name="T2">3</text:span> m'
    '<text:span text:style-name="T2">2</text:span><text:change text:change-id="c"/> &amp; a <text:span '
    'text:style-name="T3">secret</text:span><office:annotation><text:p>Why?</text:p></office:annotation>roof.'
    "<draw:frame><draw:text-box><text:p>The roof in May. Photo: Ann Ray</text:p></draw:text-box></draw:frame></text:p>"
    '<text:section text:display="none"><text:p>Hidden.</text:p></text:section>'
    "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Party</text:p></table:table-cell>"
    "<table:table-cell><text:p>Seats</text:p></table:table-cell></table:table-row></table:table-header-rows>"
    "<table:table-row><table:table-cell><text:p>Greens</text:p></table:table-cell><table:table-cell><text:p>12</text:p>"
    "</table:table-cell></table:table-row><table:table-row><table:table-cell table:number-columns-repeated='99999999'>"
    "<text:p>3</text:p></table:table-cell></table:table-row></table:table>"
    "<text:list><text:list-item><text:p>The roof first</text:p></text:list-item></text:list>"
    "<text:table-of-content><text:index-body><text:p>What was decided 1</text:p></text:index-body>"
    "</text:table-of-content>"
)
STOOD = (
    "What was decided\n\nThe council kept the baths on Tuesday. They have 10³ m² & a roof.\n\n"
    "The roof in May. Photo: Ann Ray\n\nParty: Greens · Seats: 12\n\n" + " · ".join("3" * 50) + "\n\nThe roof first"
)


def test_a_flat_opendocument_is_read_as_it_stands(tmp_path: Path) -> None:
    [article], _ = found(tmp_path / "a.fodt", FLAT % STANDS)
    assert (article.title, article.authors, article.published) == ("Baths to stay", ("Anna Berg",), date(2025, 4, 18))
    assert article.text == STOOD


def test_an_opendocument_that_a_program_made(tmp_path: Path) -> None:
    document = odfdo.Document("text")
    document.meta.title, document.meta.initial_creator = "Bridge", "Olena Marchuk"
    document.body.clear()
    document.body.append(odfdo.Paragraph(TOLD))
    document.body.append(odfdo.Header(1, "What comes next"))
    document.body.append(odfdo.Paragraph("It opens again\nin June."))
    table = odfdo.Table("t", width=2, height=1)
    table.set_values([["Toll", 3]])
    document.body.append(table)
    document.save(path := tmp_path / "made.odt")
    [article], rejected = found(path, path.read_bytes())
    assert (article.title, article.authors, rejected) == ("Bridge", ("Olena Marchuk",), [])
    assert article.text == f"{TOLD}\n\nWhat comes next\n\nIt opens again\nin June.\n\nToll · 3"


RTF = (
    r"{\rtf1\ansi\ansicpg1252\deff0\uc1{\fonttbl{\f0\froman\fcharset0 Times;}{\f1\fcharset204{\*\falt x}Arial;}}"
    r"{\stylesheet{\s0 Normal;}{\s7\b Title;}}{\info{\title Another}{\author Olena Marchuk}"
    r"{\creatim\yr2025\mo4\dy18\hr10}}{\header\pard A head\par}\pard\plain\s7 Baths to stay\par"
    "\r\n"
    r"\pard\plain By Anna Berg\par\pard\outlinelevel1 What was decided\par\pard\plain The council{\*\bkmkstart x} kept"
    r" caf\'e9s, \u8220?the \u-10179?\u-8704?baths\u8221? on {\deleted Monday}{\strike May}Tuesday{\super 1}"
    r"{\footnote By 5 to 4.}. \v Hidden.\v0 \{They\} have 10{\super 3} m{\super 2}\~& a\line roof; "
    r"{\f1\'cc\'ee\'f1\'ea\'e2\'e0}.{\pict\pngblip 89504e470d0a}{\*\shppict{\pict\bin4 }{{}}}"
    r"{\field{\*\fldinst HYPERLINK x}{\fldrslt  A link.}}\par"
    r"\trowd\trhdr\cellx1\cellx2\pard\intbl Party\cell Seats\cell\row\trowd\cellx1\pard\intbl Greens\par now\cell 12"
    r"\cell\row\pard {\listtext 1.\tab}The roof first\par}junk"
)


def test_rtf_is_read_as_it_stands(tmp_path: Path) -> None:
    [article], _ = found(tmp_path / "a.rtf", RTF)
    assert (article.title, article.authors, article.published) == ("Baths to stay", ("Anna Berg",), date(2025, 4, 18))
    assert article.text == (
        "What was decided\n\nThe council kept cafés, “the 😀baths” on Tuesday. {They} have 10³ m² & a\nroof; Москва. "
        "A link.\n\nParty: Greens now · Seats: 12\n\nThe roof first"
    )
