"""The formats that articles come in, one file each, and which reader is for which ending."""

from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from typing import Any

from index.read import plain, zipped
from index.read.formats import epub, feeds, mail, opendocument, pages, pdf, records, rtf, warc, word
from index.types import BadInput


def suffix(name: str) -> str:
    """Return the ending by which a file's reader is found, empty where there is none."""
    return next((ending for ending in READERS if name.lower().endswith(ending)), "")


def read_zip(file: plain.Source) -> Iterator[tuple[Any, str, str]]:
    """Yield fields and place of each article in a ZIP file, and the ending of the file in it that holds the article."""
    for name, kind, source in zipped.members(file, {ending: most for ending, (_, most) in READERS.items()}):
        if isinstance(source, BadInput):
            yield source, name, kind
            continue
        try:
            with zipped.sound("such file in a ZIP file"):
                for fields, place, *_ in READERS[kind][0](source):
                    yield fields, ", ".join(filter(None, (name, place))), kind
        except (BadInput, ValueError) as error:
            yield BadInput(str(error)), name, kind
        file.guessed, file.skipped = source.guessed or file.guessed, file.skipped + source.skipped


# A reader takes an open file and yields, for each article, its fields and its place within the file ("" or "line 3").
# None in place of the fields says that it is still at work, a BadInput rejects that article alone; a ValueError that is
# raised ends the file.
# Of a ZIP file it tells a third thing, the ending of the file within.
# The number is the megabytes it may have: JSON of many small objects takes 25 times as much memory.
READERS: dict[str, tuple[Callable[[plain.Source], Iterator[tuple[Any, ...]]], float]] = {
    ".txt": (plain.read, 5),
    ".md": (pages.read_markdown, 5),
    ".html": (pages.read_html, 20),
    ".htm": (pages.read_html, 20),
    ".xml": (feeds.read_xml, 10),
    ".rss": (feeds.read_xml, 10),
    ".atom": (feeds.read_xml, 10),
    ".rdf": (feeds.read_xml, 10),
    ".warc": (warc.read_warc, inf),
    ".warc.gz": (warc.read_warc, inf),
    ".wacz": (warc.read_wacz, inf),
    ".zip": (read_zip, inf),
    ".docx": (word.read_word, 20),
    ".docm": (word.read_word, 20),
    ".dotx": (word.read_word, 20),
    ".dotm": (word.read_word, 20),
    ".odt": (opendocument.read_opendocument, 20),
    ".ott": (opendocument.read_opendocument, 20),
    ".fodt": (opendocument.read_opendocument, 20),
    ".epub": (epub.read_epub, 50),
    ".rtf": (rtf.read_rtf, 50),  # pictures are in it in hexadecimal
    ".pdf": (pdf.read_pdf, 500),  # read page by page
    ".json": (records.read_json, 50),
    ".jsonl": (records.read_lines, inf),
    ".jsonl.gz": (partial(records.read_lines, packed=True), inf),
    ".csv": (records.read_csv, 50),
    ".tsv": (records.read_csv, 50),
}
RECORDS = (".json", ".jsonl", ".jsonl.gz", ".csv", ".tsv")  # whose fields have names of anyone's choice
MANY = (".xml", ".rss", ".atom", ".rdf", ".warc", ".warc.gz", ".wacz", ".zip")  # that hold many articles
PROSE = {kind: reader for kind, reader in READERS.items() if kind not in (*RECORDS, *MANY)}
PROSE[".eml"] = (partial(mail.read_mail, attached=PROSE), 40)
READERS |= PROSE | {".mbox": (partial(mail.read_mailbox, attached=PROSE), inf)}
