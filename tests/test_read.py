import gzip
import json
import os
from datetime import date
from pathlib import Path

import pytest
from conftest import SHARED

from index.read import read
from index.text.days import parse_date
from index.types import Article, BadInput, Rejected


def articles(*paths: Path, outlet: str | None = None) -> list[Article]:
    found = [f.item for f in read(paths, outlet)]
    assert [item for item in found if isinstance(item, Rejected)] == []
    return [item for item in found if isinstance(item, Article)]


def reason(path: Path) -> str:
    """Return why a file is rejected; it must be rejected as a whole."""
    (found,) = read([path])
    assert isinstance(found.item, Rejected)
    return found.item.reason


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_plain_text_as_newsrooms_paste_it(tmp_path: Path) -> None:
    (article,) = articles(
        write(
            tmp_path / "talks.txt",
            " date 2025-04-18 The talks went on for a day, reports UNN.\r\n\r\n"
            "Delegates arrive. Photo: UNN\r\n\r\nThey ended late.",
        )
    )
    assert article == Article(
        "talks.txt",
        "The talks went on for a day, reports UNN.",
        "The talks went on for a day, reports UNN.\n\nDelegates arrive. Photo: UNN\n\nThey ended late.",
        "UNN",
        date(2025, 4, 18),
    )


def test_a_weekday_and_a_day_tell_the_year(tmp_path: Path) -> None:
    text = "Minister says ceasefire must come first\n\nHe said so on Friday, April 18.\n\nNothing else was said."
    (article,) = articles(write(tmp_path / "a.txt", text))
    assert article.title == "Minister says ceasefire must come first"
    assert article.text == "He said so on Friday, April 18.\n\nNothing else was said."
    assert article.published == date(2025, 4, 18)


@pytest.mark.parametrize(
    "lead",
    [
        "ODESA, 12 May 2025 (Harbour Post) - Ships left.",
        "Ships leave Odesa\n\nBy Jane Doe\n\nMay 12, 2025\n\nShips left.",
    ],
)
def test_datelines(tmp_path: Path, lead: str) -> None:
    (article,) = articles(write(tmp_path / "a.txt", f"{lead}\n\nMore is to come."))
    assert article.published == date(2025, 5, 12)


@pytest.mark.parametrize(
    ("lead", "outlet"),
    [
        ("ODESA, 12 May 2025 (Harbour Post) - Ships left.", "Harbour Post"),
        ("PARIS, April 18 (Reuters) - Talks ended on Thursday without a result.", "Reuters"),
        ("Talks ended on Thursday, The Dnipro Ledger reports.", "The Dnipro Ledger"),
        ("The minister at the table. Photo: Novyny.LIVE\n\nTalks ended on Thursday.", "Novyny.LIVE"),
        ("The minister at the table. Photo: Getty Images\n\nTalks ended, he reports.", None),
    ],
)
def test_the_only_trace_of_an_outlet(tmp_path: Path, lead: str, outlet: str | None) -> None:
    (article,) = articles(write(tmp_path / "a.txt", f"{lead}\n\nMore is to come."))
    assert article.outlet == outlet


def test_hard_wrapped_lines_are_joined(tmp_path: Path) -> None:
    wrapped = "\n".join(["The delegations of both countries met in the morning and"] * 3 + ["parted at night."])
    (article,) = articles(write(tmp_path / "a.txt", f"{wrapped}\n\n{wrapped}"))
    assert article.text.count("\n") == 2
    assert "met in the morning and The delegations" in article.text


def test_markdown_is_stored_as_it_reads(tmp_path: Path) -> None:
    (article,) = articles(
        write(
            tmp_path / "a.md",
            "---\noutlet: Kyiv Bulletin\ndate: 2025-04-18\nauthors: [A. B., C. D.]\n---\n"
            "# Talks *end*\n\nThe [delegations](https://x.example) **agreed**\nto meet.\n\n"
            "![map](m.png)\n\n- one\n- two\n",
        )
    )
    assert article.title == "Talks end"
    assert article.text == "The delegations agreed to meet.\n\none\n\ntwo"
    assert (article.outlet, article.published, article.authors) == (
        "Kyiv Bulletin",
        date(2025, 4, 18),
        ("A. B.", "C. D."),
    )


def test_a_web_page_without_its_menus(tmp_path: Path) -> None:
    (article,) = articles(Path(__file__).parent.parent / "seeds" / "paris-talks-copy.html")
    assert article.title == "Multinational contingent on the table in Paris"
    assert article.outlet == "Harbour Daily"
    assert article.published == date(2025, 4, 19)
    assert article.url == article.id == "https://harbourdaily.example/world/paris-contingent"
    assert article.text.startswith("Talks in Paris turned to a multinational contingent")
    assert "Subscribe" not in article.text
    assert "Sport" not in article.text


def test_records_of_every_kind_agree(tmp_path: Path) -> None:
    row = {"url": "https://www.unn.example/1", "title": "T", "text": "One. Two.", "published": "2022/01/02"}
    line = json.dumps(row) + "\n"
    paths = [
        write(tmp_path / "a.json", json.dumps(row)),
        write(tmp_path / "b.json", json.dumps([row])),
        write(tmp_path / "c.jsonl", line),
        write(tmp_path / "d.jsonl.gz", gzip.compress(line.encode())),
        write(tmp_path / "e.csv", "url,title,text,published\nhttps://www.unn.example/1,T,One. Two.,2022/01/02\n"),
    ]
    expected = Article(row["url"], "T", "One. Two.", "unn.example", date(2022, 1, 2), row["url"])
    assert articles(*paths) == [expected] * 5


def test_identity_is_id_then_url_then_path(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    write(tmp_path / "below" / "a.jsonl", '{"id": "7", "url": "https://x.example", "text": "A b."}\n{"text": "C d."}\n')
    write(tmp_path / "below" / "b.txt", "E f.")
    assert [a.id for a in articles(tmp_path)] == ["7", "below/a.jsonl#line 2", "below/b.txt"]


def test_an_outlet_is_given_only_to_articles_that_name_none(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", '{"text": "A b.", "outlet": "Own"}\n{"text": "C d."}\n')
    assert [a.outlet for a in articles(tmp_path, outlet="Given")] == ["Own", "Given"]


def test_encodings(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "a.txt", "\ufeffDie Präsidentin sprach.".encode("utf-8")),
        write(tmp_path / "b.txt", "Die Präsidentin sprach.".encode("utf-16")),
        write(tmp_path / "c.txt", ("Die Präsidentin sprach über Österreich. " * 5).encode("latin-1")),
    ]
    assert all(a.text.startswith("Die Präsidentin sprach") for a in articles(*paths))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "", "it has no text"),
        ("a.txt", " \n\t ", "it has no text"),
        ("a.txt", b"\x00\x01\x02\x00", "not a text file: it holds zero bytes"),
        ("a.json", "{", "not JSON: "),
        ("a.json", "7", "not an article: expected an object with at least a text"),
        ("a.json", '{"title": "T"}', "it has no text"),
        ("a.json", '{"text": ["x"]}', "its text is a list, not a string"),
        ("a.json", '{"text": 42}', "its text is a int, not a string"),
        ("a.json", '{"text": "A b.", "published": "2025-13-01"}', "'2025-13-01' is not a date: write it as YYYY-MM-DD"),
        ("a.json", '{"text": "A b.", "published": "yesterday"}', "'yesterday' is not a date: write it as YYYY-MM-DD"),
        ("a.json", '{"text": "A b.", "published": "2025-02-30"}', "'2025-02-30' is not a date: write it as YYYY-MM-DD"),
        ("a.json", '{"text": "A b.", "authors": 7}', "its authors are not a list of names"),
        ("a.jsonl", b'{"text": "\xff"}\n', "not UTF-8 text (byte 10 of the line)"),
        ("a.jsonl.gz", b"no gzip", "the gzip file is damaged after this line: "),
        ("a.csv", "title,body\nx,y\n", "no column named text in the first row (commas part them): title, body"),
        ("a.csv", "text,title\na,b,c\n", "more values than columns"),
        ("a.md", "---\ntitle: [\n---\nText.", "the front matter is not YAML: "),
        ("a.html", "<html><body></body></html>", "no article text can be made out in this page"),
        ("a.docx", "x", "not a known kind of file: use .txt, .md, .html"),
    ],
)
def test_bad_files_are_rejected_with_a_reason(tmp_path: Path, name: str, content: str | bytes, expected: str) -> None:
    found = reason(write(tmp_path / name, content))
    assert found.startswith(expected)
    assert "\n" not in found


def test_bad_paths_are_rejected_with_a_reason(tmp_path: Path) -> None:
    assert reason(tmp_path / "none.txt") == "no such file or folder"
    assert reason(tmp_path).startswith("no article files in it (.txt, ")
    (found,) = read(["https://example.org/a"])
    assert isinstance(found.item, Rejected)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "Text.")
    path.chmod(0)
    assert reason(path) == "cannot be read: Permission denied"


def test_a_bad_line_does_not_stop_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"id": "1", "text": "A b."}\n{\n{"id": "3", "text": "C d."}\n')
    found = [f.item for f in read([path])]
    assert [item.id for item in found if isinstance(item, Article)] == ["1", "3"]
    assert [item.source for item in found if isinstance(item, Rejected)] == [f"{path}, line 2"]


def test_what_lies_beside_articles_is_no_article(tmp_path: Path) -> None:
    for name in ("README.md", "LICENSE.txt", "questions.jsonl", ".hidden.txt"):
        write(tmp_path / name, "Not an article.")
    write(tmp_path / "a.txt", "An article.")
    assert [a.id for a in articles(tmp_path)] == ["a.txt"]


@pytest.mark.parametrize(
    "text",
    [
        "2022-01-02",
        "2022/01/02",
        "2022-01-02T23:30:00+00:00",
        "2 January 2022",
        "Jan 2, 2022",
        "Sun, 02 Jan 2022 10:00:00 GMT",
    ],
)
def test_dates_as_people_and_feeds_write_them(text: str) -> None:
    assert parse_date(text) == date(2022, 1, 2)


@pytest.mark.parametrize("value", ["", "soon", "January 2022", "2022", 20220102, "32 January 2022"])
def test_what_is_no_date(value: object) -> None:
    with pytest.raises(BadInput, match="is not a date: write it as YYYY-MM-DD"):
        parse_date(value)


@pytest.mark.skipif(not SHARED.exists(), reason="needs the development data beside the repository")
def test_real_pages() -> None:
    rows = [json.loads(line) for line in (SHARED / "data/html/expected.jsonl").read_text().splitlines()]
    dates = held = wanted = 0
    for row in rows:
        for article in [f.item for f in read([SHARED / "data/html" / row["file"]])]:
            if isinstance(article, Article):
                dates += str(article.published) == row["date"]
                held += sum(snippet in article.text for snippet in row["with"])
        wanted += len(row["with"])
    assert dates >= 0.7 * len(rows)
    assert held >= 0.8 * wanted
