"""Reads mails, newsletters and forwarded reports: each is an article, and so is each attachment that has a reader."""

import re
from collections.abc import Callable, Iterator, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from pathlib import PurePath
from typing import Any

from lxml import etree

from index.read import markup, zipped
from index.read.article import UNPRINTABLE
from index.read.formats.pages import SENTENCE, tree_of
from index.read.plain import Source, decode, mailed, of_text
from index.text import lists
from index.types import BadInput

Found = Iterator[tuple[Any, str]]
Readers = Mapping[str, tuple[Callable[[Source], Found], float]]
MESSAGE_BYTES = 40_000_000  # of one in a box; servers take 25 to 35 MB
DEEP = 5  # mails attached within each other
BEGINS = re.compile(rb"From \S.{0,99} [A-Z][a-z]{2} +\d{1,2} .*\d{4}")  # From ann@gazette.example Fri Apr 18 10:30 2025
FIELD = re.compile(rb"[!-9;-~]+:|>?From ")
FORWARDS = re.compile(r"\s*(?:fwd?|wg|tr|rv|enc)\s*:", re.I)  # how the subject of a forwarded mail begins
FORWARDED, ORIGINAL = (lists.pattern(name) for name in ("forwards", "originals"))
LABELS = {ours: "|".join(re.escape(one) for one, meant in lists.meanings("mail").items() if meant == ours)
          for ours in ("authors", "published")}  # fmt: skip
MARK = re.compile(  # above a mail within a mail: a line, or its head
    rf"^[^\w\n]{{0,40}}(?:begin )?(?:(?P<forwarded>{FORWARDED})|{ORIGINAL})[^\w\n]{{0,40}}$"
    rf"|^(?=\W{{0,3}}(?:{LABELS['authors']})\W{{0,3}}:.{{1,300}}\n{{1,3}}(?:.{{1,300}}\n{{1,3}})?"
    rf"\W{{0,3}}(?:{LABELS['published']})\W{{0,3}}:)",
    re.I | re.M,
)
SHORT = 160  # characters of a paragraph
QUOTED = (  # what is answered, and what the programs of the others put below a mail
    "//blockquote[@type='cite'] | //*[contains(@class, 'gmail_quote') or contains(@class, 'yahoo_quoted')"
    " or contains(@class, 'moz-cite-prefix') or contains(@class, 'gmail_attr')]"
)
SIGNED = "//head | //*[contains(@class, 'gmail_signature') or contains(@class, 'moz-signature') or @id = 'Signature']"
LAYOUT = "//table[@role = 'presentation' or .//table or not(.//tr[count(td | th) > 1])]"
LINK = re.compile(r"^[^\w\n]{0,40}https?://\S+$|[(<\[]\s?https?://\S{1,2000}\s?[)>\]]", re.M)
AROUND = re.compile(lists.pattern("around-newsletters"), re.I)
LOCKED = "it is encrypted: open it in a mail program, and save it from there"
SEALED = "it is signed so that its text is packed: open it in a mail program, and save it from there"


def read_mail(file: Source, attached: Readers) -> Found:
    """Yield the article of a mail, and those of what is attached that one of these readers is for."""
    yield from _mail(file.read(), file, attached)


def read_mailbox(file: Source, attached: Readers) -> Found:
    """Yield the articles of each mail of an mbox; a damaged one is rejected alone."""
    for number, data in enumerate(_messages(file), 1):
        at = f"message {number}"
        if len(data) > MESSAGE_BYTES:
            yield BadInput(f"it has over {MESSAGE_BYTES:,} bytes: save what is attached to it"), at
            continue
        try:
            for fields, place in _mail(data, file, attached):
                yield fields, f"{at}, {place}" if place else at
        except ValueError as error:
            yield BadInput(str(error)), at


def _messages(file: Source) -> Iterator[bytes]:
    """Yield each mail of an mbox, at most MESSAGE_BYTES + 1 of it.

    A line that only begins with "From " is none where no head follows, or no empty line stands before.
    """
    held, blank, begun, line = bytearray(), True, False, file.readline(MESSAGE_BYTES)
    while line:
        after = file.readline(MESSAGE_BYTES)
        if blank and BEGINS.match(line) and FIELD.match(after):
            if begun:
                yield bytes(held)
            held, begun = bytearray(), True
        elif begun and len(held) <= MESSAGE_BYTES:
            held += re.sub(rb"^>(>*From )", rb"\1", line)[: MESSAGE_BYTES + 1]
        blank, line = not line.strip(), after
    if not begun:
        raise ValueError("no mbox, since no line as From ann@gazette.example Fri Apr 18 … begins a mail: give it .eml")
    yield bytes(held)


def _mail(data: bytes, file: Source, attached: Readers) -> Found:
    with zipped.sound("mail"):
        message = message_from_bytes(data, policy=policy.default)
        if not message.keys():
            raise ValueError("no mail, since it has no head: give it the ending of what it is")
        yield from _articles(message, file, attached, DEEP)


def _articles(message: EmailMessage, file: Source, attached: Readers, deep: int) -> Found:
    """Yield the article of a mail, where it has a text of its own, and those of its attachments."""
    leaves = list(_leaves(message))
    key = _said(message, "message-id").strip("<> ")
    within = [found for leaf in leaves for found in _attached(leaf, key, file, attached, deep)]
    try:
        fields = _report(message, leaves, file)
        if not within or SENTENCE.search(fields["text"]):
            yield {"id": key, **fields}, ""
    except ValueError as error:
        yield BadInput(str(error)), ""
    yield from within


def _leaves(part: Any) -> Iterator[EmailMessage]:
    """Yield the parts of a mail that hold something; of an encrypted one itself."""
    if part.get_content_maintype() == "multipart" and part.get_content_subtype() != "encrypted":
        for inner in part.iter_parts():
            yield from _leaves(inner)
    else:
        yield part


def _said(message: EmailMessage, name: str) -> str:
    """Return a line of a mail's head, in whatever encoding it is."""
    raw = next((value for key, value in message.raw_items() if key.lower() == name), "")
    line = " ".join(decode(str(raw).encode("utf-8", "surrogateescape")).split())
    return str(policy.default.header_factory(name, line))


def _report(message: EmailMessage, leaves: list[EmailMessage], file: Source) -> dict[str, Any]:
    """Return the fields of what a mail reports. Raises ValueError for one that is encrypted."""
    texts = {"html": "", "plain": ""}
    for leaf in leaves:
        kind = leaf.get_content_type()
        if kind.endswith("pkcs7-mime") or kind == "multipart/encrypted":
            raise ValueError(SEALED if leaf.get_param("smime-type") == "signed-data" else LOCKED)
        if leaf.get_content_maintype() == "text" and not _name(leaf) and (kind := leaf.get_content_subtype()) in texts:
            text = decode(_bytes(leaf), file, leaf.get_content_charset() or "").replace("\r\n", "\n")
            if leaf.get_param("format") == "flowed":
                text = re.sub(r"(?<!^--) \n(?!>)", " ", text, flags=re.M)
            texts[kind] += f"{_of_html(text) if kind == 'html' else text}\n\n"
    page, plain = (LINK.sub("", text) for text in texts.values())
    text = page if SENTENCE.search(page) and 2 * len(page) > len(plain) else plain
    if "-----BEGIN PGP MESSAGE-----" in text:
        raise ValueError(LOCKED)
    subject = _said(message, "subject")
    known, _ = mailed(f"Subject: {subject}\nDate: {_said(message, 'date')}\nFrom: {_said(message, 'from')}\n\n")
    text, forwarded = _own(_unsigned(text), bool(FORWARDS.match(subject)))
    fields = of_text(text, {name: known[name] for name in ("title", "published", "undated") if name in known})
    first = {} if forwarded else known  # who forwards a report did not write it
    return first | {name: value for name, value in fields.items() if value or name == "text"}


def _unsigned(text: str) -> str:
    """Return a text without the lines by which PGP signs it."""
    signed = text.partition("-----BEGIN PGP SIGNED MESSAGE-----\n")[2]
    body = signed.partition("\n\n")[2].partition("\n-----BEGIN PGP SIGNATURE-----")[0]
    return re.sub(r"^- ", "", body, flags=re.M) if signed else text


def _of_html(text: str) -> str:
    """Return the text of a page that is sent, without what is answered and tables that only lay it out."""
    page = tree_of(text)
    quoted = [] if re.search(FORWARDED, page.text_content(), re.I) else page.xpath(QUOTED)
    for element in [*page.xpath(SIGNED), *quoted]:
        if element.getparent() is not None:
            element.drop_tree()
    for table in page.xpath(LAYOUT):
        cells = table.iter("tr", "td", "th", "tbody")
        for part in [table, *(cell for cell in cells if next(cell.iterancestors("table")) is table)]:
            part.tag = "div"
    return "\n\n".join(markup.blocks(etree.tostring(page, encoding="unicode", method="html"))[1])


def _own(text: str, forwards: bool) -> tuple[str, bool]:
    """Return what a mail itself says or, where it only forwards, what it forwards, and whether it does."""
    forwarded, at = False, 0
    while mark := MARK.search(text, at):
        above = text[: mark.start()]
        if mark["forwarded"] or (forwards and not forwarded) or not SENTENCE.search(mailed(above)[1]):
            text, forwarded, at = text[mark.end() :], True, int(not mark[0])
        else:
            text = above
    if not re.search(r"^[^>\s]", text, re.M):  # forwarded as it would be answered
        text = re.sub(r"^(?:> ?)+", "", text, flags=re.M)
    kept = list[str]()
    for line in text.split("\n"):
        if line.startswith(">"):
            _introduced(kept)
        elif line in ("--", "-- ") and SENTENCE.search("\n".join(kept)):  # a signature
            break
        else:
            kept.append(line)
    parts = "\n".join(kept).split("\n\n")
    own = "\n\n".join(part for part in parts if len(part) > SHORT or not AROUND.search(part))
    return own.strip(), forwarded


def _introduced(lines: list[str]) -> None:
    """Take off the lines that introduce what is quoted, "On Friday, 18 April 2025, Ann Ray wrote:"."""
    while lines and not lines[-1].strip():
        lines.pop()
    if lines and lines[-1].rstrip().endswith(":"):
        wrapped = 1 if re.search(r"[\d@]", lines[-1]) else 2
        if re.search(r"[\d@]", "".join(lines[-wrapped:])):
            del lines[-wrapped:]


def _name(leaf: EmailMessage) -> str:
    return UNPRINTABLE.sub("", re.split(r"[/\\]", leaf.get_filename() or "")[-1])[:99]


def _bytes(leaf: EmailMessage) -> bytes:
    data = leaf.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _attached(leaf: EmailMessage, key: str, file: Source, attached: Readers, deep: int) -> Found:
    """Yield the articles of an attachment; one that has no reader is counted."""
    name, kind = _name(leaf), leaf.get_content_type()
    within = kind in ("message/rfc822", "message/global") and leaf.is_multipart()
    suffix = ".eml" if within else PurePath(name).suffix.lower()
    if suffix != ".eml" and suffix not in attached:
        if suffix and not kind.endswith(("-signature", "pkcs7-mime")) and (leaf.is_attachment() or "image" not in kind):
            file.skipped[suffix] += 1
        return
    place = f"attachment {name or 'mail'}"
    try:
        if suffix == ".eml":
            if not deep:
                raise BadInput(f"over {DEEP} mails lie within each other: save this one alone")
            inner: Any = leaf.get_payload(0) if within else message_from_bytes(_bytes(leaf), policy=policy.default)
            found = _articles(inner, file, attached, deep - 1)
        else:
            (reader, most), data = attached[suffix], _bytes(leaf)
            if len(data) > most * 1e6:
                raise BadInput(f"it has {len(data) / 1e6:,.1f} MB and {most} are the most: save it alone, and split it")
            found = reader(Source(BytesIO(data)))
        for fields, at in found:
            at = ", ".join(filter(None, (place, at)))
            if isinstance(fields, dict) and key and not (fields.get("id") or fields.get("url")):
                fields["id"] = f"{key}#{at}"
            yield fields, at
    except (BadInput, ValueError) as error:
        yield BadInput(str(error)), place
