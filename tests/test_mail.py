"""Mails and boxes of them: newsletters, forwarded reports, answers, attachments, and what is no mail or damaged."""

import io
import tracemalloc
from collections.abc import Callable
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import docx
import pytest

from index.read import read, whole_text
from index.read.formats import READERS
from index.read.notes import Notes
from index.read.plain import Source
from index.types import Article, Rejected

TOLD = "The Fennick bridge closed on Monday after an inspector found cracks in two of its bearings."
MORE = "It opens again in June, the council said. Buses go by way of Aldby until then."
HEAD = (
    "From: Olena Marchuk <o@gazette.example>\r\nTo: desk@post.example\r\nSubject: Bridge closes\r\n"
    "Date: Fri, 18 Apr 2025 23:30:00 +0200\r\nMessage-ID: <1@gazette.example>\r\nMIME-Version: 1.0\r\n"
)


def found(path: Path, content: bytes | str, notes: Notes | None = None) -> tuple[list[Article], list[str]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    items = [one.item for one in read([path], notes=notes)]
    rejected = [item.reason for item in items if isinstance(item, Rejected)]
    assert all(reason.isprintable() for reason in rejected)
    return [item for item in items if isinstance(item, Article)], rejected


def one(path: Path, content: bytes | str) -> Article:
    [article], rejected = found(path, content)
    assert rejected == []
    return article


def mail(text: str = f"{TOLD}\n\n{MORE}", subject: str = "Bridge closes", **more: str) -> EmailMessage:
    message = EmailMessage()
    said = {"From": "Olena Marchuk <o@gazette.example>", "Date": "Fri, 18 Apr 2025 23:30:00 +0200",
            "Message-ID": "<1@gazette.example>", "Subject": subject}  # fmt: skip
    for name, value in (said | {name.replace("_", "-"): value for name, value in more.items()}).items():
        message[name] = value
    message.set_content(text)
    return message


def test_a_mail_is_an_article(tmp_path: Path) -> None:
    article = one(tmp_path / "a.eml", mail(subject="Fwd: Re: Bridge closes").as_bytes())
    assert article == Article(
        "1@gazette.example", "Bridge closes", f"{TOLD}\n\n{MORE}", None, date(2025, 4, 18), None, ("Olena Marchuk",)
    )


SIGNED = "\n-- \nOlena Marchuk\nGazette, 1 Quay Street. Call us."
ABOVE = (
    "From: Anna Berg <a@wire.example>\nDate: Thu, 17 Apr 2025 at 09:12\nSubject: Cracks in a bridge\nTo: x@y.example"
)
IN_GERMAN = "Von: Anna Berg <a@wire.example>\nGesendet: 17. April 2025\nAn: x@y.example\nBetreff: Cracks in a bridge"
REPORT = f"{TOLD}\n\n{MORE}"


@pytest.mark.parametrize(
    ("subject", "text", "title", "authors"),
    [
        ("Bridge", REPORT + SIGNED, "Bridge", ("Olena Marchuk",)),
        ("Bridge", f"{REPORT}\n\nOn Fri, Apr 18, 2025 at 10:30 Ann Ray <a@x.example>\nwrote:\n\n> Is it?\n> Say.\n",
         "Bridge", ("Olena Marchuk",)),
        ("Bridge", f"Am 18.04.2025 um 10:30 schrieb Ann Ray:\n> Is it shut?\n\n{REPORT}", "Bridge", ("Olena Marchuk",)),
        ("RE: Bridge", f"{REPORT}\n\n-----Original Message-----\n{ABOVE}\n\nIs it shut? We go at six.", "Bridge",
         ("Olena Marchuk",)),
        ("RE: Bridge", f"{REPORT}\n\n{ABOVE}\n\nIs it shut? We go at six.", "Bridge", ("Olena Marchuk",)),
        ("Fwd: x", f"See below. It is news.\n\n---------- Forwarded message ---------\n{ABOVE}\n\n\n{REPORT}",
         "Cracks in a bridge", ("Anna Berg",)),
        ("FW: x", f"FYI{SIGNED}\n\n-----Original Message-----\n{ABOVE}\n\n{REPORT}", "Cracks in a bridge",
         ("Anna Berg",)),
        ("WG: x", f"{IN_GERMAN}\n\n{REPORT}", "Cracks in a bridge", ("Anna Berg",)),
        ("Fwd: x", f"Begin forwarded message:\n\n{ABOVE}\n\nSee this.\n\n---- Forwarded message ----\n"
         f"{ABOVE.replace('Cracks', 'Two cracks').replace('Anna Berg', 'Mia Holm')}\n\n{REPORT}",
         "Two cracks in a bridge", ("Mia Holm",)),
        ("Bridge", "\n".join(f"> {line}" for line in REPORT.split("\n")), "Bridge", ("Olena Marchuk",)),
        ("Bridge", f"By Ann Ray\n\n{REPORT}\n\nUnsubscribe: https://gazette.example/out?u=1", "Bridge", ("Ann Ray",)),
        ("Bridge", f"https://gazette.example/{'x' * 90}\n\n{REPORT}\n\nYou are receiving this as a reader.", "Bridge",
         ("Olena Marchuk",)),
    ],
)  # fmt: skip
def test_what_a_mail_itself_says(tmp_path: Path, subject: str, text: str, title: str, authors: tuple[str, ...]) -> None:
    article = one(tmp_path / "a.eml", mail(text, subject).as_bytes())
    assert (article.title, article.authors, article.text) == (title, authors, REPORT)


LETTER = f"""<html><head><style>p {{}}</style></head><body><table role="presentation"><tr><td>
<a href="https://x.example">View in your browser</a></td></tr><tr><td>
<table><tr><td><h1>Bridge closes</h1><p>{TOLD}</p><p>{MORE}</p></td></tr>
</table><table><tr><th>Party</th><th>Seats</th></tr><tr><td>Greens</td><td>12</td></tr></table></td></tr>
<tr><td><p>You received this since you read us. <a href="https://x.example/out">Unsubscribe</a></p></td></tr>
</table></body></html>"""
GMAIL = (
    f'<div dir="ltr">{TOLD}<br><br>{MORE}</div><div class="gmail_signature">Olena, Gazette. Call us.</div>'
    '<div class="gmail_quote"><div class="gmail_attr">On Fri, Apr 18, 2025 Ann Ray wrote:<br></div>'
    '<blockquote class="gmail_quote">Is it shut? We go at six.</blockquote></div>'
)
PASSED_ON = (
    '<div dir="ltr">FYI</div><div class="gmail_quote"><div class="gmail_attr">'
    "---------- Forwarded message ---------<br>"
    "From: <b>Anna Berg</b> &lt;a@wire.example&gt;<br>Date: Thu, 17 Apr 2025 at 09:12<br>Subject: Cracks in a bridge"
    f"<br>To: &lt;x@y.example&gt;<br></div><p>{TOLD}</p><p>{MORE}</p></div>"
)


@pytest.mark.parametrize(
    ("page", "title", "text"),
    [
        (LETTER, "Bridge closes", f"{REPORT}\n\nParty: Greens · Seats: 12"),
        (GMAIL, "Bridge closes", REPORT),
        (PASSED_ON, "Cracks in a bridge", REPORT),
    ],
)
def test_a_page_that_is_mailed(tmp_path: Path, page: str, title: str, text: str) -> None:
    message = mail("See the page.")
    message.add_alternative(page, subtype="html")
    article = one(tmp_path / "a.eml", message.as_bytes())
    assert (article.title, article.text) == (title, text)


def raw(headers: str, body: bytes) -> bytes:
    return f"{HEAD}{headers}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (raw("Content-Type: text/plain; charset=us-ascii", "Café owners met in Lviv. They sat.".encode()),
         "Café owners met in Lviv. They sat."),
        (raw("Content-Type: text/plain; charset=utf-8", "Café owners met in Lyon. They sat.".encode("cp1252")),
         "Café owners met in Lyon. They sat."),
        (raw("Content-Type: text/plain; charset=x-none", b"The council met. It sat."), "The council met. It sat."),
        (raw("Content-Type: text/plain; charset=koi8-r", "Мост закрыт в Москве. Он стар.".encode("koi8-r")),
         "Мост закрыт в Москве. Он стар."),
        (raw("Content-Type: text/plain; format=flowed", b"The council \r\nmet today. \r\nIt sat.\r\n-- \r\nAnn"),
         "The council met today. It sat."),
        (raw("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64", b"VGhlIGNvdW5jaWwgbWV0LiBJdCBzYXQu=="),
         "The council met. It sat."),
        (raw("Content-Type: multipart/mixed; boundary=b", b"--b\r\n\r\nThe council met. It sat."),
         "The council met. It sat."),
        (raw("Content-Type: multipart/signed; protocol=application/pgp-signature; boundary=b",
             b"--b\r\n\r\nThe council met. It sat.\r\n--b\r\n"
             b"Content-Type: application/pgp-signature; name=s.asc\r\n\r\nx\r\n--b--"),
         "The council met. It sat."),
        (raw("Content-Type: text/plain", b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA512\r\n\r\n"
             b"The council met.\r\n- -- It sat.\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\nabc\r\n-----END"),
         "The council met.\n-- It sat."),
    ],
)  # fmt: skip
def test_encodings_and_broken_parts(tmp_path: Path, content: bytes, text: str) -> None:
    assert one(tmp_path / "a.eml", content).text == text


LOCKED = "it is encrypted: open it in a mail program, and save it from there"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (raw("Content-Type: multipart/encrypted; boundary=b", b"--b\r\n\r\nVersion: 1\r\n--b--"), LOCKED),
        (raw("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", b"x"), LOCKED),
        (raw("Content-Type: text/plain", b"-----BEGIN PGP MESSAGE-----\r\n\r\nabc"), LOCKED),
        (raw("Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", b"x"),
         "it is signed so that its text is packed: open it in a mail program, and save it from there"),
        (b"Just words, and no head.", "no mail, since it has no head: give it the ending of what it is"),
        (b"", "no mail, since it has no head: give it the ending of what it is"),
        (raw("Content-Type: text/plain", b""), "it has no text"),
    ],
)  # fmt: skip
def test_mails_without_a_text(tmp_path: Path, content: bytes, reason: str) -> None:
    assert found(tmp_path / "a.eml", content) == ([], [reason])


def word(text: str) -> bytes:
    document, file = docx.Document(), io.BytesIO()
    document.add_paragraph(text)
    document.save(file)
    return file.getvalue()


def test_what_is_attached_is_read_by_its_own_reader(tmp_path: Path) -> None:
    message, notes = mail("FYI"), Notes()
    message.add_attachment(word(TOLD), "application", "octet-stream", filename="../Report é.DOCX")
    message.add_attachment(b"x", "application", "octet-stream", filename="broken.docx")
    message.add_attachment(b"x", "image", "png", filename="photo.png")
    message.add_attachment(mail("The council met. It sat.", "Council meets", Message_ID="<2@gazette.example>"))
    articles, [reason] = found(tmp_path / "a.eml", message.as_bytes(), notes)
    assert [(article.id, article.text) for article in articles] == [
        ("1@gazette.example#attachment Report é.DOCX", TOLD),
        ("2@gazette.example", "The council met. It sat."),
    ]
    assert reason.startswith("no Word file")
    assert notes.skipped == {".png": 1}


def test_mails_within_mails_end(tmp_path: Path) -> None:
    message = mail("The council met. It sat.", Message_ID="<0@x.example>")
    for number in range(1, 9):
        outer = mail("FYI", Message_ID=f"<{number}@x.example>")
        outer.add_attachment(message)
        message = outer
    assert found(tmp_path / "a.eml", message.as_bytes()) == (
        [],
        ["over 5 mails lie within each other: save this one alone"],
    )


def box(*messages: bytes) -> bytes:
    return b"".join(b"From o@gazette.example Fri Apr 18 10:30:00 2025\n" + one + b"\n\n" for one in messages)


def test_each_mail_of_a_box_is_an_article(tmp_path: Path) -> None:
    first = mail("The council met.\n\nFrom now on it sits on Mondays.\n\nFrom Aldby it is far.").as_bytes()
    locked = mail("-----BEGIN PGP MESSAGE-----", Message_ID="<2@x.example>").as_bytes()
    last = mail(Message_ID="<3@x.example>").as_bytes()
    content = box(first.replace(b"From Aldby", b">From Aldby"), locked, last)
    items = list(read([write(tmp_path / "a.mbox", content)]))
    articles = [one.item for one in items if isinstance(one.item, Article)]
    assert [article.id for article in articles] == ["1@gazette.example", "3@x.example"]
    assert articles[0].text.endswith("From now on it sits on Mondays.\n\nFrom Aldby it is far.")
    assert [(one.source, one.item.reason) for one in items if isinstance(one.item, Rejected)] == [
        (f"{tmp_path}/a.mbox, message 2", LOCKED)
    ]


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_huge_box_is_streamed() -> None:
    parts = b"--b\r\n\r\n%s\r\n--b\r\nContent-Type: image/png; name=a.png\r\n\r\n%s\r\n--b--"
    message = raw("Content-Type: multipart/mixed; boundary=b", parts % (TOLD.encode(), b"x" * 500_000))
    assert list(READERS[".mbox"][0](Source(io.BytesIO(box(message)))))  # loads what is loaded once
    with Source(io.BytesIO(whole := box(message) * 40)) as file:
        tracemalloc.start()
        count = sum(1 for _ in READERS[".mbox"][0](file))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (count, peak < len(whole) / 2) == (40, True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: raw("Content-Type: multipart/mixed; boundary=b0", b"".join(
            b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(400))),
        lambda: raw("Content-Type: text/html", b"<div>" * 50_000 + TOLD.encode()),
        lambda: raw("Content-Type: text/html", b"<!-- -->"),
        lambda: raw("Content-Type: text/plain", b"> " * 100_000 + b"\n" * 100_000 + b"x 1:\n>\n" * 20_000),
        lambda: raw("Content-Type: text/plain", b"From: a.b\n" * 60_000),
        lambda:
            b"Subject: =?utf-8?b?" + b"A" * 99_999 + b"?=\nFrom: " + b"<" * 5000 + b"\nDate: " + b"9" * 5000 + b"\n\nx",
        lambda: raw('Content-Disposition: attachment; filename*=x\'\'%%%; filename="\xff', b"x"),
    ],
)  # fmt: skip
def test_hostile_mails(tmp_path: Path, make: Callable[[], Any]) -> None:
    articles, rejected = found(tmp_path / "a.eml", make())
    assert len(articles) + len(rejected) == 1


def test_a_mail_is_a_draft() -> None:
    assert whole_text("a.eml", mail().as_bytes()) == f"# Bridge closes\n\n{TOLD}\n\n{MORE}"
