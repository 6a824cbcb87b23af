"""What office programs and publishers make: Word, OpenDocument, RTF and EPUB, read as a reader sees it, or refused."""

import io
import random
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import docx
import odfdo
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from index.read import read, whole_text
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


CONTAINER = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'


def book(pages: dict[str, str], metadata: str, extra: str = "", **parts: str) -> bytes:
    """An EPUB of these pages, whose names are ids too."""
    items = "".join(
        f'<item id="{name}" href="a%20b/{name}.xhtml" properties="{"nav" * (name == "nav")}"/>' for name in pages
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in pages)
    package = (
        f'<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>{metadata}</metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine>{extra}</package>"
    )
    whole = {f"OEBPS/a b/{name}.xhtml": XHTML % text for name, text in pages.items()}
    return zipped({"META-INF/container.xml": CONTAINER, "OEBPS/book.opf": package} | whole | parts)


XHTML = (
    '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml" '
    'xmlns:epub="http://www.idpf.org/2007/ops"><head><title/><script src="x"/></head>%s</html>'
)
PAGES = {
    "cover": f"<body><h1>Cover</h1><p>{TOLD}</p></body>",
    "nav": f"<body><h1>Contents</h1><p>{TOLD}</p></body>",
    "rights": f'<body epub:type="copyright-page"><p>{TOLD}</p></body>',
    "list": '<body><h2>News</h2><ul><li><a href="one.xhtml">Bridge</a><p>It closed. It did.</p></li></ul></body>',
    "one": f'<body><div class="calibre_navbar"><a href="x">Next</a></div><a id="x"/><h2>Bridge closes</h2>'
    f"<p>By Ann Ray</p><p>{TOLD}<sup><a href='#n'>1</a></sup></p><p>Tolls:&nbsp;none.</p>"
    '<p>This article was downloaded by <a href="x">calibre</a> from '
    '<a rel="calibre-downloaded-from" href="https://gazette.example/bridge">x</a></p></body>',
    "two": "<body><p>The council kept the baths on Tuesday. They stay open in May.</p></body>",
}
GUIDE = '<guide><reference type="cover" href="a%20b/cover.xhtml#x"/></guide>'
NEWS = (
    "<dc:title>Gazette [Fri, 18 Apr 2025]</dc:title><dc:publisher>calibre</dc:publisher>"
    "<dc:creator>calibre</dc:creator>"
    '<dc:date opf:event="modification" xmlns:opf="o">2025-05-01</dc:date><dc:date>2025-04-18T05:00:00+00:00</dc:date>'
)


def test_each_article_of_a_newspaper_in_epub_is_one(tmp_path: Path) -> None:
    (bridge, baths), rejected = found(tmp_path / "a.epub", book(PAGES, NEWS, GUIDE))
    assert (bridge.title, bridge.text) == ("Bridge closes", f"{TOLD}\n\nTolls: none.")
    assert (bridge.id, bridge.authors, bridge.outlet) == ("https://gazette.example/bridge", ("Ann Ray",), "Gazette")
    assert (baths.id, baths.published, rejected) == ("a.epub#chapter 2", date(2025, 4, 18), [])
    assert (baths.title, baths.text) == ("The council kept the baths on Tuesday.", PAGES["two"][9:-11])


def word(body: Any) -> bytes:
    document, file = docx.Document(), io.BytesIO()
    document.core_properties.title = document.core_properties.author = ""
    body(document)
    document.save(file)
    return file.getvalue()


def put(parent: Any, xml: str) -> None:
    """Append a piece of WordprocessingML, w: to what w is."""
    spaces = nsdecls("w", "wp", "a") + ' xmlns:mc="x" xmlns:v="y"'
    parent.append(parse_xml(f"<w:x {spaces}>{xml}</w:x>")[0])


BOX = (
    "<w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent>"
    "</mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p>"
    "</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
)
RUN = "<w:r><w:t xml:space='preserve'>{}</w:t></w:r>"


def elaborate(document: Any) -> None:
    """What offices write beside plain paragraphs, in their order."""
    styles = document.styles
    hidden = styles.add_style("Unseen", WD_STYLE_TYPE.CHARACTER)
    hidden.font.hidden = True
    below = styles.add_style("Überschrift eins", WD_STYLE_TYPE.PARAGRAPH)
    below.base_style = styles["Heading 1"]
    document.add_paragraph("Baths to stay", style="Title")
    document.add_paragraph("Contents 1", style=styles.add_style("toc 1", WD_STYLE_TYPE.PARAGRAPH))
    document.add_paragraph("What was decided", style=below)
    said = document.add_paragraph("The council ")
    put(said._p, f"<w:hyperlink>{RUN.format('kept ')}</w:hyperlink>")
    put(said._p, f"<w:sdt><w:sdtPr/><w:sdtContent>{RUN.format('the baths ')}</w:sdtContent></w:sdt>")
    prompt = f"<w:sdtContent>{RUN.format('Click here.')}</w:sdtContent>"
    put(said._p, f"<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr>{prompt}</w:sdt>")
    put(said._p, "<w:r><w:instrText>PAGE</w:instrText></w:r>")
    put(said._p, f"<w:fldSimple w:instr='DATE'>{RUN.format('today')}</w:fldSimple>")
    put(said._p, f"<w:moveFrom>{RUN.format(' not here')}</w:moveFrom>")
    put(said._p, "<w:r><w:footnoteReference w:id='2'/></w:r>")
    put(said._p, "<w:r><w:commentReference w:id='2'/></w:r>")
    said.add_run(" in secret", style=hidden)
    said.add_run(".\nFive voted\tfor it.")
    put(said._p, BOX)
    document.add_paragraph("Roof first", style="List Number")
    document.sections[0].header.paragraphs[0].text = "A head on each page"
    table = document.add_table(2, 2, style="Light Grid Accent 1")
    for cell, text in zip(table._cells, ("Party", "Seats", "Greens", "12"), strict=True):
        cell.text = text
    wide = document.add_table(2, 2)
    for cell, text in zip(wide._cells, ("By ward", "", "Aldby", "3"), strict=True):
        cell.text = text
    wide.cell(0, 0).merge(wide.cell(0, 1))
    document.add_paragraph("Votes", style="Heading 9")


ELABORATE = (
    "What was decided\n\nThe council kept the baths today.\nFive voted for it.\n\nIn a box.\n\nRoof first\n\n"
    "Party: Greens · Seats: 12\n\nBy ward\n\nAldby · 3\n\nVotes"
)


def retyped(data: bytes, kind: str) -> bytes:
    """A Word file as a template or with macros is one."""
    parts, plain = unzipped(data), b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    types = parts["[Content_Types].xml"]
    assert isinstance(types, bytes)
    return zipped(parts | {"[Content_Types].xml": types.replace(plain, kind.encode())})


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        (".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"),
        (".docm", "application/vnd.ms-word.document.macroEnabled.main+xml"),
        (".dotx", "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"),
        (".dotm", "application/vnd.ms-word.template.macroEnabledTemplate.main+xml"),
    ],
)
def test_all_that_stands_in_a_word_file(tmp_path: Path, suffix: str, kind: str) -> None:
    [article], rejected = found(tmp_path / f"a{suffix}", retyped(word(elaborate), kind))
    assert (article.title, article.text, rejected) == ("Baths to stay", ELABORATE, [])


def test_a_word_file_whose_headline_is_no_heading(tmp_path: Path) -> None:
    def plain(document: Any) -> None:
        document.core_properties.title = "Newsroom template"
        for line in ("Baths to stay", "By Ann Ray", "18 April 2025", TOLD):
            document.add_paragraph(line)

    [article], _ = found(tmp_path / "a.docx", word(plain))
    assert (article.title, article.authors, article.published) == ("Baths to stay", ("Ann Ray",), date(2025, 4, 18))
    assert article.text == TOLD


def test_a_word_file_that_says_nothing_of_itself(tmp_path: Path) -> None:
    parts = unzipped(word(lambda document: document.add_paragraph(TOLD)))
    parts["_rels/.rels"] = re.sub(rb"<Relationship [^>]*core-properties[^>]*>", b"", bytes(parts["_rels/.rels"]))
    del parts["docProps/core.xml"]
    [article], _ = found(tmp_path / "a.docx", zipped(parts))
    assert (article.title, article.authors, article.published, article.text) == (article.title, (), None, TOLD)
    assert article.title != "Word Document"


def odt(content: str, **parts: bytes | str) -> bytes:
    whole = {"META-INF/manifest.xml": "<manifest/>", "content.xml": content}
    return zipped(whole | {name.replace("_", "."): text for name, text in parts.items()})


DEEP = "<text:span>" * 1000 + TOLD + "</text:span>" * 1000
ENTITY = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "%s">]>'
LAUGHS = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
LAUGHING = (ENTITY % "B").replace("]>", f"{LAUGHS}]>")
FLAT_1 = FLAT.partition("?>")[2]


def nested(document: Any) -> None:
    paragraph = document.add_paragraph(TOLD)._p
    for _ in range(500):
        put(paragraph, "<w:smartTag/>")
        paragraph = paragraph[-1]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.odt", zipped({"content.xml": b" " * 150_000_000}), "it unzips to 150 MB, as no articles do: look into it"),
        ("a.epub", zipped({"mimetype": b" " * 150_000_000}), "it unzips to 150 MB, as no articles do: look into it"),
        ("a.odt", odt("<x/>", META_INF="")[:-30], "no OpenDocument text"),
        ("a.odt", b"", "no OpenDocument text"),
        ("a.odt", zipped({"META-INF/manifest.xml": "<encryption-data/>", "content.xml": b"\0"}),
         "it is locked by a password: save it without one"),
        ("a.fodt", FLAT % f"<text:p>{DEEP}</text:p>", "no OpenDocument text"),
        ("a.fodt", LAUGHING + FLAT_1 % "<text:p>&l11;</text:p>", "no OpenDocument text"),
        ("a.fodt", "Just words.", "no OpenDocument text"),
        ("a.fodt", "<a/>", "no OpenDocument text"),
        ("a.epub", zipped({"a.txt": "x"}), "no EPUB, a damaged or a locked one"),
        ("a.epub", book({"one": "<body/>"}, NEWS), "there is no text in it, only pictures or lists of chapters"),
        ("a.epub", b"PK" * 99, "no EPUB, a damaged or a locked one"),
        ("a.rtf", TOLD, "no RTF, as its first characters say: give it the ending of what it is"),
        ("a.rtf", RTF[:400], "it breaks off: save it again as .rtf"),
        ("a.rtf", "{\\rtf1" + "{" * 5000, "over 1,000 groups lie within each other, as in no text: save it again"),
        ("a.rtf", "{\\rtf1 }", "it has no text"),
        ("a.docx", word(nested), "no Word file"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, name: str, content: bytes | str, reason: str) -> None:
    articles, [told] = found(tmp_path / name, content)
    assert (articles, told[: len(reason)]) == ([], reason)


@pytest.mark.parametrize("entity", ["&a;", "&b;"])
def test_no_entity_is_replaced(tmp_path: Path, entity: str) -> None:
    document = ENTITY % "B" + FLAT_1 % f"<text:p>{TOLD}{entity}</text:p>"
    [article], _ = found(tmp_path / "a.fodt", document)
    assert article.text == TOLD


def test_a_locked_epub_is_named(tmp_path: Path) -> None:
    locked = (
        '<encryption><EncryptedData><EncryptionMethod Algorithm="{}"/><CipherData><CipherReference '
        'URI="OEBPS/a%20b/{}.xhtml"/></CipherData></EncryptedData></encryption>'
    )
    for algorithm, name, reasons in (
        ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "one", ["it is locked (DRM), so that only the program"]),
        ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "cover", []),
        ("http://www.idpf.org/2008/embedding", "one", []),
    ):
        parts = {"META-INF/encryption.xml": locked.format(algorithm, name)}
        articles, rejected = found(tmp_path / "a.epub", book(PAGES, NEWS, GUIDE, **parts))
        assert ([one[:44] for one in rejected], len(articles)) == (reasons, 0 if reasons else 2)


def test_a_chapter_that_is_missing_is_rejected_alone(tmp_path: Path) -> None:
    parts = unzipped(book(PAGES, NEWS, GUIDE))
    del parts["OEBPS/a b/one.xhtml"]
    articles, rejected = found(tmp_path / "a.epub", zipped(parts))
    assert ([article.id for article in articles], rejected) == (
        ["a.epub#chapter 2"], ["OEBPS/a b/one.xhtml is not in it: get a whole copy"],
    )  # fmt: skip


def test_damaged_files_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    dice, told = random.Random(8), 0
    whole = {"a.odt": odt(FLAT % STANDS), "a.epub": book(PAGES, NEWS, GUIDE), "a.rtf": RTF.encode()}
    for name, data in whole.items():
        for _ in range(30):
            bad = bytearray(data)
            for _ in range(dice.randrange(1, 20)):
                bad[dice.randrange(len(bad))] = dice.randrange(256)
            articles, rejected = found(tmp_path / name, bytes(bad[: dice.choice([len(bad), len(bad) // 2])]))
            assert articles or rejected, "seed 8"
            told += len(rejected)
    assert told > 20, "seed 8"


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.odt", odt(FLAT % STANDS), f"# Baths to stay\n\n{STOOD}"),
        ("a.RTF", RTF.encode(), "# Baths to stay\n\nWhat was decided\n\nThe council kept cafés"),
        ("a.docm", word(elaborate), f"# Baths to stay\n\n{ELABORATE}"),
    ],
)
def test_a_draft_may_be_any_of_them(name: str, data: bytes, text: str) -> None:
    assert whole_text(name, data).startswith(text)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (r"\ansicpg1251\'cc\'ee", "Мо"),
        (r"{\fonttbl{\f0\fcharset128 X;}}\f0\'93\'fa\'96\'7b", "日本"),
        (r"\uc0\u26085\u26412", "日本"),
        (r"\uc2\u26085\'93\'fa\u26412 ??", "日本"),
        (r"{\uc0 {\uc3\u26085 abc}\u26412 }b", "日本b"),
        (r"\mac\'8e", "é"),
        (r"\ansicpg65001 \'c3\'a9", "é"),
        (r"\ansicpg99999\'e9", "é"),
        (r"{\*\unknown No.}{\*\generator No;}{\xe No}{\object{\result No}}\lquote x\rquote\emdash", "‘x’—"),
        (r"\v No\plain Yes{\v No}\v0 .\deleted No\deleted0 !", "Yes.!"),
        (r"\u0?\u7?\'00x", "x"),
    ],
)
def test_codes_of_rtf(tmp_path: Path, code: str, text: str) -> None:
    [article], _ = found(tmp_path / "a.rtf", rf"{{\rtf1\ansi {code}{{}} Aldby.}}")
    assert article.text == f"{text} Aldby."
