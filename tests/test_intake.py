"""What lies about in archives: drafts, mails, several stories in a file, addresses with a tail, torn records."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from index.read import LEFT_OUT, Known, read
from index.read.notes import Notes
from index.types import Article, BadInput, Rejected

BODY = "The mill at Aldby burnt down on Monday. Nobody was hurt."
RECORD = {"title": "Mill burns", "content": BODY, "date": "2026-05-03"}


def found(path: Path, content: str | bytes, **known: Any) -> tuple[list[Article], list[str], list[str]]:
    """Return the articles of a file, why others are rejected, and what is told."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    notes = Notes()
    items = [f.item for f in read([path], known=Known(**known), notes=notes)]
    rejected = [item.reason for item in items if isinstance(item, Rejected)]
    return [item for item in items if isinstance(item, Article)], rejected, notes.lines()


def one(path: Path, content: str | bytes, **known: Any) -> Article:
    (article,), rejected, _ = found(path, content, **known)
    assert rejected == []
    return article


def article_page(*stories: str, head: str = "", around: str = "{}") -> str:
    return f"<!doctype html><html><head>{head}</head><body>{around.format(''.join(stories))}</body></html>"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"status": "draft"}, "status: draft"),
        ({"Status": "Private"}, "status: Private"),
        ({"status": "pending"}, "status: pending"),
        ({"status": "future"}, "status: future"),
        ({"wp:status": {"#text": "draft"}}, "wp status: draft"),
        ({"draft": True}, "draft: True"),
        ({"draft": "yes"}, "draft: yes"),
        ({"published": False}, "published: False"),
        ({"is_published": 0}, "is published: 0"),
        ({"post_password": "hush"}, "post password"),
        ({"visibility": "password"}, "visibility: password"),
        ({"content": {"rendered": "", "protected": True}}, "content.protected: True"),
    ],
)
def test_what_is_not_published_is_left_out_and_told(tmp_path: Path, said: dict[str, Any], told: str) -> None:
    line = f"left out: a.json ({told}): {LEFT_OUT}"
    assert found(tmp_path / "a.json", json.dumps(RECORD | said)) == ([], [], [line])
    ((name, value),) = said.items()
    if isinstance(value, str | bool):
        front = f"---\ntitle: Mill burns\n{name}: {str(value).lower()}\n---\n{BODY}"
        articles, rejected, lines = found(tmp_path / "a.md", front)
        assert (articles, rejected, len(lines)) == ([], [], 1)
        assert lines[0].lower().startswith(f"left out: a.md ({told}".lower())


@pytest.mark.parametrize(
    "said",
    [
        {"status": "publish"}, {"draft": False}, {"draft": "no"}, {"published": True}, {"state": "Bavaria"},
        {"post_password": ""}, {"private": None}, {"tags": ["draft"]}, {"content": f"{BODY} Draft rules are private."},
    ],
)  # fmt: skip
def test_what_is_published_is_read(tmp_path: Path, said: dict[str, Any]) -> None:
    assert one(tmp_path / "a.json", json.dumps(RECORD | said)).published == date(2026, 5, 3)


def test_published_may_be_said_without_a_day(tmp_path: Path) -> None:
    assert one(tmp_path / "a.md", f"---\npublished: true\n---\n# Mill burns\n\n{BODY}").published is None


ASKED = "This content is password protected. To view it please enter your password below:"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", article_page(f"<article><h1>Protected: Mill</h1><p>{ASKED}</p><p>Password: </p></article>")),
        ("a.json", json.dumps(RECORD | {"content": f"<p>{ASKED}</p><form>Password: <input></form>"})),
        ("a.json", json.dumps(RECORD | {"content": "There is no excerpt because this is a protected post."})),
        ("a.md", f"# Mill burns\n\n{ASKED}"),
        ("a.txt", f"Mill burns\n\n{ASKED}\n\nPassword:"),
        ("a.txt", f"Status: DRAFT\nMill burns\n\n{BODY}"),
    ],
)
def test_a_page_that_asks_for_a_password_is_no_article(tmp_path: Path, name: str, content: str) -> None:
    articles, rejected, lines = found(tmp_path / name, content)
    assert (articles, rejected, lines[0].split(" (")[0]) == ([], [], f"left out: {name}")
    assert len(found(tmp_path / "b.txt", f"Codes\n\nThe site says: {ASKED}\n\n{BODY * 10}")[0]) == 1


def test_a_name_that_says_nothing_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match=r"^map foo: write it as THEIRS=OURS, such as foo=text$"):
        list(read([], known=Known(names={"": "foo"})))


@pytest.mark.parametrize(
    ("declared", "text", "code"),
    [
        ("hr-HR", "Most je otvoren u petak.", "hr"),
        ("en", "У Кельмі в п’ятницю відкрили нову набережну.", "uk"),  # as exports say of everything
        ("en", "Der neue Kai in Kelm ist am Freitag eröffnet worden, teilte die Stadt mit.", "de"),
        ("uk", "У Кельмі.", "uk"),
        ("klingon", "The mill in Aldby burned down on Friday.", "en"),
    ],
)
def test_a_record_may_name_its_language(tmp_path: Path, declared: str, text: str, code: str) -> None:
    record = {"id": "a", "title": "Kelm", "language": declared, "text": text}
    [article], _, lines = found(tmp_path / "a.json", json.dumps(record))
    assert article.language == code
    assert not any("language" in line for line in lines)


MAILED = ("Mill burns down at Aldby", BODY, "2026-05-03")
NAMES = ("SUBJECT", "DATE", "FROM", "TO", "EMBARGO")
VALUES = ("Mill burns down at Aldby", "3 May 2026", "Anna Berg", "Newsdesk", "4 May 2026 00:01")


@pytest.mark.parametrize("suffix", ["txt", "md"])
@pytest.mark.parametrize("change", [str, str.lower, str.title, "**{}".format])
@pytest.mark.parametrize("order", [(2, 3, 1, 0, 4), (0, 4, 1, 2, 3), (4, 1, 2, 3, 0)])
def test_the_lines_of_a_mail_are_no_text(tmp_path: Path, suffix: str, change: Any, order: tuple[int, ...]) -> None:
    head = "\n".join(f"{change(NAMES[n])}: {VALUES[n]}" for n in order)
    articles, _, lines = found(tmp_path / f"a.{suffix}", f"{head}\n\n{BODY}")
    (article,) = articles
    assert (article.title, article.text, str(article.published), article.authors) == (*MAILED, ("Anna Berg",))
    told = "(4 May 2026 00:01): no day of publication, so take it out where it is still to come"
    assert lines == [f"embargoed: a.{suffix} {told}"]


@pytest.mark.parametrize(
    ("head", "authors"),
    [
        (
            "Subject: FW: Re: Mill burns down at Aldby\nFrom: Anna Berg <a@b.example>\n"
            "Date: Sun, 3 May 2026 09:12 +0200",
            ("Anna Berg",),
        ),
        (
            "--- Forwarded message ---\nFrom: a@b.example\nDate: Sun, 3 May 2026 at 09:12\n"
            "Subject: Mill burns\n down at Aldby",
            (),
        ),
        ("NORTHERN WIRE\nFROM: Pell Courier\nSLUG: mill-fire\nDATE: 3 May 2026\nSUBJECT: Mill burns down at Aldby", ()),
        (
            "Subject: Mill burns down at Aldby\nDate: 3 May 2026\n\nMill burns down at Aldby\nBy Anna Berg",
            ("Anna Berg",),
        ),
        ("SUBJECT : Mill burns down at Aldby\r\n\r\nSENT : 2026-05-03", ()),
        ("EMBARGO: 4 May 2026\nDate: 3 May 2026\n\nMill burns down at Aldby", ()),
    ],
)
def test_mails_of_other_shapes(tmp_path: Path, head: str, authors: tuple[str, ...]) -> None:
    article = one(tmp_path / "a.txt", f"{head}\n\n{BODY}")
    assert (article.title, article.text, str(article.published), article.authors) == (*MAILED, authors)


def test_a_day_of_a_mail_that_may_be_two_is_told(tmp_path: Path) -> None:
    _, rejected, lines = found(tmp_path / "a.txt", f"Subject: Mill burns down\nDate: 03/04/2026\n\n{BODY}")
    assert rejected == []
    assert lines == ["undated: a.txt (03/04/2026 may be two days or is none): write it as YYYY-MM-DD"]


def test_what_only_begins_like_a_mail_stays(tmp_path: Path) -> None:
    for text in (f"From: the window, a story.\n\n{BODY}", f"To: all who care.\n\n{BODY}"):
        assert one(tmp_path / "a.txt", text).text == text


def test_an_embargo_is_no_day_of_publication(tmp_path: Path) -> None:
    article = one(tmp_path / "a.txt", f"EMBARGOED UNTIL 0001 MONDAY 4 MAY 2026\n\nMill burns down at Aldby\n\n{BODY}")
    assert (article.title, article.published) == ("Mill burns down at Aldby", None)
    _, _, lines = found(tmp_path / "a.json", json.dumps(RECORD | {"embargoedUntil": "2026-05-04"}))
    assert [line[:30] for line in lines] == ["embargoed: a.json (2026-05-04)"]


PARTS = BODY.split(". ")[0] + ".", "Nobody was hurt."
DOCUMENT = {
    "type": "doc",
    "content": [
        {
            "type": "paragraph",
            "content": [{"type": "text", "text": "The mill "}, {"type": "text", "text": PARTS[0][9:]}],
        },
        {"type": "image", "text": "Photo: a mill"},
        {"type": "paragraph", "content": [{"type": "text", "text": PARTS[1]}]},
    ],
}


@pytest.mark.parametrize("name", ["body", "text", "content", "paragraphs", "articleBody"])
@pytest.mark.parametrize(
    "body",
    [
        [*PARTS],
        [PARTS[0], None, "", {"text": None}, PARTS[1]],
        [{"text": part} for part in PARTS],
        [{"content": part} for part in PARTS],
        [{"type": "paragraph", "value": part} for part in PARTS],
        [f"<p>{part}</p>" for part in PARTS],
        {"paragraphs": [*PARTS]},
        {"blocks": [{"type": "paragraph", "data": {"text": part}} for part in PARTS]},
        [{"_type": "block", "children": [{"_type": "span", "text": part}]} for part in PARTS],
        [[part] for part in PARTS],
        DOCUMENT,
    ],
)
def test_a_text_may_be_given_in_paragraphs(tmp_path: Path, name: str, body: Any) -> None:
    row = {"title": "Mill burns", "date": "2026-05-03", name: body}
    for content in (row, {"articles": [row, RECORD]}):
        articles, rejected, _ = found(tmp_path / "a.json", json.dumps(content))
        assert (rejected, articles[0].title, articles[0].text) == ([], "Mill burns", "\n\n".join(PARTS))


def test_headings_of_a_text_in_parts_stay(tmp_path: Path) -> None:
    parts = [{"heading": "At dawn", "paragraphs": [PARTS[0]]}, {"title": "After it", "text": PARTS[1]}]
    assert one(tmp_path / "a.json", json.dumps({"title": "Mill burns", "body": parts})).text.split("\n\n") == [
        "At dawn", PARTS[0], "After it", PARTS[1],
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [[{"title": "A mill burns", "content": [*PARTS]}], {"headline": "A", "body": BODY}])
def test_an_envelope_is_no_text(tmp_path: Path, rows: Any) -> None:
    article = one(tmp_path / "a.json", json.dumps({"article": rows}))
    assert (article.title[0], article.text.split()) == ("A", BODY.split())


@pytest.mark.parametrize("body", [[], [{"text": ""}], [{"type": "image", "text": "Photo: a mill"}], {}])
def test_no_paragraph_is_no_text(tmp_path: Path, body: Any) -> None:
    _, (reason,), _ = found(tmp_path / "a.json", json.dumps({"title": "Mill burns", "body": body}))
    assert reason.startswith("it has no text: its body is empty")


MILLS = [{"id": f"m{n}", "headline": f"Mill {n} burns", "body": BODY, "authors": [{"name": "Ann Ray"}]} for n in "123"]
LIST = json.dumps(MILLS)


@pytest.mark.parametrize("shape", ["{}", '{{"status": "ok", "articles": {}}}', '{{"response": {{"docs": {}}}}}'])
@pytest.mark.parametrize(
    ("spoilt", "kept"),
    [
        (LIST[:-30], 2),
        (LIST[: LIST.index("Mill 3") + 4], 2),
        (LIST[: LIST.index("Mill 2") - 1], 1),
        (LIST.replace('"Mill 3 burns"', "Mill 3 burns"), 2),
        (LIST[:-1] + ",]", 3),
        (LIST[:-1] + ", {]", 3),
        (json.dumps(MILLS, indent=1)[:-20], 2),
        (LIST[:9], 0),
    ],
)
def test_a_list_that_breaks_off_is_read_up_to_there(tmp_path: Path, shape: str, spoilt: str, kept: int) -> None:
    whole = shape.format(spoilt)
    broken = whole[: whole.index(spoilt) + len(spoilt)]
    articles, rejected, _ = found(tmp_path / "a.json", broken)
    assert [article.id for article in articles] == ["m1", "m2", "m3"][:kept]
    assert len(rejected) == 1
    assert rejected[0].startswith("not JSON: ")
    assert rejected[0].endswith(": what stands before is read, so export the rest again")


def test_a_record_that_breaks_off_is_none(tmp_path: Path) -> None:
    articles, rejected, _ = found(tmp_path / "a.json", '{"title": "T", "body": [{"text": "One."}, {"text": "Tw')
    assert (articles, [reason[:10] for reason in rejected]) == ([], ["not JSON: "])


@pytest.mark.parametrize(
    "line",
    [
        "*3 May 2026, by Anna Berg*",
        "**3rd May 2026, by Anna Berg**",
        "_By Anna Berg, 3 May 2026_",
        "*By Anna Berg, Sunday 3 May 2026*",
        "*By Anna Berg — 3 May 2026*",
        "*May 3, 2026 by Anna Berg*",
        "*3. Mai 2026, by Anna Berg*",
        "*2026-05-03* | **By Anna Berg**",
        "*By Anna Berg | 2026-05-03*",
        "*Published 3 May 2026 by Anna Berg*",
    ],
)
def test_one_line_may_say_the_day_and_who_wrote(tmp_path: Path, line: str) -> None:
    article = one(tmp_path / "a.md", f"# Mill burns down at Aldby\n\n{line}\n\n{BODY}")
    assert (article.title, article.text, str(article.published), article.authors) == (*MAILED, ("Anna Berg",))


@pytest.mark.parametrize("line", ["On 3 May 2026, by a narrow vote, it closed.", "12 Jahre 2024", "3 killed, 2024"])
def test_a_line_that_says_more_than_a_day_stays(tmp_path: Path, line: str) -> None:
    article = one(tmp_path / "a.md", f"# Mill burns down at Aldby\n\n*{line}*\n\n{BODY}")
    assert (article.text, article.published) == (f"{line}\n\n{BODY}", None)


@pytest.mark.parametrize(
    "said",
    [
        "3. Mai 2026", "Sonntag, 3. Mai 2026", "3. Mai 2026, 10:12 Uhr", "3 mai 2026", "3 de mayo de 2026",
        "3 maggio 2026", "3 de maio de 2026", "3 мая 2026", "3 maja 2026", "3. května 2026", "3 mei 2026",
    ],
)  # fmt: skip
def test_months_of_other_languages(tmp_path: Path, said: str) -> None:
    content = {"a.json": json.dumps(RECORD | {"date": said}), "b.md": f"---\npublished: {said}\n---\n# Mill\n\n{BODY}"}
    content["c.txt"] = f"Mill burns down at Aldby\n{said.split(', 10')[0]}\n\n{BODY}"
    for name, text in content.items():
        article = one(tmp_path / name, text)
        assert (str(article.published), article.text) == ("2026-05-03", BODY)


@pytest.mark.parametrize(
    ("said", "day"),
    [("2062-05-03", "2062-05-03"), ("0001-01-01T00:00:00Z", "0001-01-01"), ("3 May 1426", "1426-05-03"),
     (4102444800, "2100-01-01"), (str(date.today() + timedelta(9)), str(date.today() + timedelta(9)))],
)  # fmt: skip
def test_no_article_is_from_then(tmp_path: Path, said: object, day: str) -> None:
    told = f"({day} is no day of publication): write it as YYYY-MM-DD"
    for name in ("date", "published"):
        (article,), _, lines = found(tmp_path / "a.json", json.dumps({"text": BODY, name: said}))
        assert (article.published, lines) == (None, [f"undated: a.json {told}"])
    later = {"text": BODY, "published": said, "issued": "2026-05-03"}
    assert one(tmp_path / "a.json", json.dumps(later)).published == date(2026, 5, 3)
    (article,), _, lines = found(tmp_path / "a.md", f"---\ndate: {said}\n---\n# Mill\n\n{BODY}")
    assert (article.published, lines) == (None, [f"undated: a.md {told}"])


def test_tomorrow_may_be_today_elsewhere(tmp_path: Path) -> None:
    day = date.today() + timedelta(1)
    assert one(tmp_path / "a.json", json.dumps({"text": BODY, "date": str(day)})).published == day


@pytest.mark.parametrize(
    "text",
    [
        "Le café ferme à midi, dit le maire.", "“It’s a test”, he said — twice.", "São Paulo não dorme.",
        "Die Bürgermeisterin öffnete die Tür.", "It cost £3 million at 5 °C.", "Привет из Москвы.", "İstanbul’da yeni.",
    ],
)  # fmt: skip
@pytest.mark.parametrize("twice", [False, True])
def test_utf8_that_was_read_as_something_else_is_mended(tmp_path: Path, text: str, twice: bool) -> None:
    spoilt = text.encode().decode("latin-1")
    spoilt = spoilt.encode().decode("latin-1") if twice else spoilt
    for name, content in {
        "a.json": json.dumps({"title": spoilt, "text": spoilt, "authors": [spoilt[:9]], "date": "2026-05-03"}),
        "a.csv": f'title,text,date\n"{spoilt}","{spoilt}",2026-05-03\n',
        "a.md": f"---\ndate: 2026-05-03\n---\n{spoilt}",
    }.items():
        if twice and name != "a.json":
            continue
        (article,), _, lines = found(tmp_path / name, content)
        assert article.text == text
        assert lines[0].startswith("encoding mended: ")
        assert lines[0].endswith(": export it as UTF-8 if that is wrong")


@pytest.mark.parametrize(
    "text", ["Ñandú à la carte: «Oui» … oui", "NÃO É FIM – diz João", "À É", "Łódź, Žluť, €5", "Ä–Ö"]
)
def test_what_is_as_it_should_be_stays(tmp_path: Path, text: str) -> None:
    (article,), _, lines = found(tmp_path / "a.json", json.dumps({"text": text, "date": "2026-05-03"}))
    assert (article.text, lines) == (text, [])


@pytest.mark.parametrize(
    "text",
    [
        "Le maire a visité l’école à côté du café, déjà fermé.",
        "Die Bürgermeisterin öffnete die Tür. „Schön“, sagte sie.",
        "The café’s owner said it cost £3 million – “too much”.",
        "El alcalde abrió la biblioteca el lunes; costó 3 millones.",
    ],
)
def test_texts_of_old_macs(tmp_path: Path, text: str) -> None:
    (article,), _, lines = found(tmp_path / "a.txt", text.encode("mac_roman"))
    assert article.text == text
    assert "encoding guessed: a.txt (MacRoman): save it as UTF-8" in lines


NEWSAPI = {"source": {"id": None, "name": "Pell Courier"}, "publishedAt": "2026-05-03T10:00:00Z"}


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("Mill burns down - Pell Courier", "Mill burns down"),
        ("Mill burns down | pell courier", "Mill burns down"),
        ("Mill – a history – Pell Courier", "Mill – a history"),
        ("Mill burns down - The Guardian", "Mill burns down - The Guardian"),
        ("Pell Courier", "Pell Courier"),
        ("Mill-Pell Courier", "Mill-Pell Courier"),
    ],
)
def test_an_outlet_behind_a_title_is_none_of_it(tmp_path: Path, title: str, wanted: str) -> None:
    assert one(tmp_path / "a.json", json.dumps(NEWSAPI | {"title": title, "content": BODY})).title == wanted


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (f"{BODY} The mayor did not say that the brid… [+1234 chars]", BODY),
        (f"{BODY}\r\nThe mayor did not say that [+1,234 chars]", BODY),
        (f"{BODY} He said: “We did not… [+12 chars]", BODY),
        (f"{BODY} [+1234 chars]", BODY),
        (f"{BODY[:-1]}… [+1234 chars]", BODY.split(" Nobody")[0]),
        ("The mayor did not say that the brid… [+1234 chars]", "The mayor did not say that the brid…"),
        (f"{BODY} The mayor did not say… Read more", BODY),
    ],
)
def test_a_torn_sentence_is_not_quoted(tmp_path: Path, content: str, text: str) -> None:
    (article,), _, lines = found(tmp_path / "a.json", json.dumps(NEWSAPI | {"title": "Mill", "content": content}))
    assert article.text == text
    assert [line[:16] for line in lines] == ["cut off: a.json "]


@pytest.mark.parametrize("author", ["https://pell.example/ann", "www.facebook.com/pell", ["http://pell.example"]])
def test_an_address_is_no_author(tmp_path: Path, author: Any) -> None:
    row = NEWSAPI | {"title": "Mill", "content": BODY, "author": author}
    assert one(tmp_path / "a.json", json.dumps(row)).authors == ()
    assert one(tmp_path / "a.json", json.dumps(row | {"author": f"Ann Ray, {author[0]}"})).authors[0] == "Ann Ray"


@pytest.mark.parametrize("title", ["Corrections", "CORRECTION", "Clarification", "Corrections and clarifications"])
@pytest.mark.parametrize("form", ["{}\n\n{}", "{}\n3 May 2026\n\n{}", "# {}\n\n{}"])
def test_a_correction_has_a_headline(tmp_path: Path, title: str, form: str) -> None:
    article = one(tmp_path / ("a.md" if "#" in form else "a.txt"), form.format(title, BODY))
    assert (article.title, article.text) == (title, BODY)


def test_a_mark_of_a_correction_is_no_headline(tmp_path: Path) -> None:
    article = one(tmp_path / "a.txt", f"CORRECTION\n\nMill burns down at Aldby\n\n{BODY}")
    assert (article.title, article.text) == ("Mill burns down at Aldby", BODY)
