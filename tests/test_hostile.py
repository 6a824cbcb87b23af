"""Inputs made to hang, to fill the memory or to end the run: each is rejected in one line, what is beside goes in."""

import gzip
import json
import os
import resource
import socket
import time
from datetime import date
from pathlib import Path

import pytest

from index.encoder import Encoder
from index.ingest import ingest
from index.read import Known, read
from index.sync import Index
from index.text.days import parse_date
from index.types import Article, BadInput, Rejected

LONG = "9" * 5000
ALIASES = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]\n" for n in range(10))
MERGES = "".join(
    f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" if n else "a0: &a0 {k: v}\n" for n in range(9)
)
STRINGS = "it holds NaN, a number of over 4,300 digits or hundreds of nested lists: write strings"
NAME = "its name is not UTF-8 or holds control characters: rename it"


def found(*paths: Path | str) -> tuple[list[Article], list[str]]:
    """Return the articles and the reasons of what is rejected; all within little processor time and 200 MB."""
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    items = [item.item for item in read(paths)]
    assert time.process_time() - started < 20  # one second on an idle machine
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000
    rejected = [item for item in items if isinstance(item, Rejected)]
    assert all(f"{item.source}{item.reason}".isprintable() for item in rejected)
    return [item for item in items if isinstance(item, Article)], [item.reason for item in rejected]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.md", f"---\na: {'[' * 50_000}\n---\nText.", "the front matter is nested too deeply: flatten it"),
        ("a.md", f"---\n{ALIASES}date: *a9\n---\nText.", "the front matter repeats a part (*a0): write it out"),
        ("a.md", f"---\n{MERGES}---\nText.", "the front matter repeats a part (*a0): write it out"),
        ("a.md", f"---\na: {'x' * 64_000}\n---\nText.", "the front matter has over 64,000 characters: shorten it"),
        ("a.md", "---\ndate: !!timestamp x\n---\nText.", "'x' is not a date: write it as YYYY-MM-DD"),
        ("a.md", f"---\ndate: {LONG}\n---\nText.", f"'{LONG[:56]}… is not a date: write it as YYYY-MM-DD"),
        ("a.json", '{"text": "A b.", "n": ' + LONG + "}", STRINGS),
        ("a.json", "[" * 100_000, STRINGS),
        ("a.json", '{"text": "A b.", "n": NaN}', STRINGS),
        (
            "a.json",
            '{"text": "A b.", "published": ' + "[" * 900 + "]" * 900 + "}",
            "a list is not a date: write it as YYYY-MM-DD",
        ),
        ("a.csv", "text,title\nA b.,T\0\n", "not a text file: it holds zero bytes"),
        (
            "a.csv",
            f"text,title\n{'A b. ' * 400_000},T\n",
            "its text has 1,999,999 characters and 1,000,000 are the most: shorten or split it",
        ),
        ("a.csv", f"te\0xt\x1b[31m,{'x' * 500}\n", "not a text file: it holds zero bytes"),
        (
            "a.html",
            f"<html><body>{'<div>' * 100_000}A text of some length.",
            "no article text can be made out in this page",
        ),
        ("a.html", "<html><body><p></p></body></html>", "no article text can be made out in this page"),
        (
            "a.txt",
            "A b. " * 300_000,
            "its text has 1,499,999 characters and 1,000,000 are the most: shorten or split it",
        ),
    ],
)
def test_files_that_blow_up(tmp_path: Path, name: str, content: str, reason: str) -> None:
    write(tmp_path / name, content)
    write(tmp_path / "good.txt", "A good article.")
    articles, reasons = found(tmp_path)
    assert reasons == [reason]
    assert [article.id for article in articles] == ["good.txt"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "A b.", "n": ' + LONG + "}", STRINGS),
        ("[" * 100_000, STRINGS),
        ('{"text": "A b.", "n": NaN}', STRINGS),
        ('{"text": "' + "A b. " * 4_200_000 + '"}', "it has over 10,000,000 bytes: give each article its own line"),
    ],
)
def test_lines_that_blow_up_are_rejected_alone(tmp_path: Path, line: str, reason: str) -> None:
    path = write(tmp_path / "a.jsonl", f'{{"id": "1", "text": "A b."}}\n{line}\n{{"id": "3", "text": "C d."}}\n')
    articles, reasons = found(path)
    assert reasons == [reason]
    assert [article.id for article in articles] == ["1", "3"]


@pytest.mark.parametrize("part", [b"\n", b" ", b'{"text": "A b."%s}\n' % (b" " * 5000)])
def test_a_file_that_unzips_to_gigabytes(tmp_path: Path, part: bytes) -> None:
    megabyte = gzip.compress(part * (1_000_000 // len(part)))
    _, reasons = found(write(tmp_path / "a.jsonl.gz", megabyte * 1000))
    assert reasons == ["it unzips to over 100 times its size, as no articles do: look into it"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "\n" * 500_000 + "A good article."),
        ("a.txt", "Town gets a library\n" + "18 April 2025\n" * 50_000 + "A good article."),
        ("a.html", f"<html><body><article><h1>T</h1><p>A good article{'<sup>1</sup>' * 5_000}.</p></article></body>"),
    ],
)
def test_lines_and_marks_without_end(tmp_path: Path, name: str, content: str) -> None:
    (article,), _ = found(write(tmp_path / name, content))
    assert article.text.endswith("A good article.")


@pytest.mark.parametrize(("name", "most"), [("a.txt", 5), ("a.md", 5), ("a.html", 20), ("a.json", 50), ("a.csv", 50)])
def test_a_file_that_is_too_large_to_be_read_whole(tmp_path: Path, name: str, most: int) -> None:
    with (tmp_path / name).open("wb") as file:
        file.truncate(3_000_000_000)
    reasons = found(tmp_path)[1]
    assert reasons == [f"it has 3,000.0 MB and {most} are the most: split it, or make it a .jsonl file"]


def test_no_field_keeps_control_characters_or_lone_surrogates(tmp_path: Path) -> None:
    odd = "\ud800\x00\x1b\x9b\x7f"
    fields = {"id": "i", "url": "https://x.example/", "outlet": "O", "title": "T", "text": "A b."}
    row = {name: f"{value}{odd}" for name, value in fields.items()} | {"authors": [f"B{odd}ob", odd]}
    (article,), _ = found(write(tmp_path / "a.json", json.dumps(row)))
    assert article == Article("i", "T", "A b.", "O", None, "https://x.example/", ("Bob",))
    assert [f.item for f in read([tmp_path], Known("P\udcff"))] == [article]


@pytest.mark.parametrize("name", ["id", "url", "outlet", "title", "authors"])
def test_a_field_that_is_too_long_is_no_field(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.json", json.dumps({"text": "A b.", name: "x" * 3000}))
    assert found(path) == ([], [f"its {name} has 3,000 characters and 2,000 are the most: shorten or split it"])


def test_names_that_are_not_utf8(tmp_path: Path, encoder: Encoder) -> None:
    write(tmp_path / "good.txt", "A good article.")
    bad = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    bad.mkdir()
    for path in (bad / "a.txt", Path(f"{bad}.txt"), tmp_path / "two\nlines.txt"):
        write(path, "An article.")
    with Index(tmp_path.parent / "archive", encoder) as index:
        report = ingest(index, [tmp_path, f"{bad}.txt", bad / "none.txt"])
        assert report.added == 1
        assert [(Path(item.source).name, item.reason) for item in report.rejected] == [
            ("none.txt", "no such file or folder"),
            ("a.txt", NAME),
            ("caf�.txt", NAME),
            ("two�lines.txt", NAME),
            ("caf�.txt", NAME),
        ]


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "good.txt", "A good article.")
    os.mkfifo(folder / "fifo.txt")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket.txt"))
    articles, reasons = found(folder, folder / "fifo.txt")
    assert reasons == ["a pipe, socket or device: save what it yields in a file"] * 3
    assert [article.id for article in articles] == ["good.txt"]
    (folder / "zero.txt").symlink_to("/dev/zero")
    assert found(folder / "zero.txt")[1] == ["a pipe, socket or device: save what it yields in a file"]
    assert found("/dev/zero")[1][0].startswith("not a known kind of file: use .txt, ")


def test_links(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for below in (folder, tmp_path / "other"):
        below.mkdir()
        write(below / "a.txt", "An article.")
    write(folder / ".store", "A stored article.")
    for name, target in {
        "again.txt": "a.txt", "broken.txt": "none", "folder": "../other", "loop": ".", "out.txt": "../other/a.txt",
        "round.txt": "round.txt", "stored.txt": ".store", "zero.txt": "/dev/zero",
    }.items():  # fmt: skip
        (folder / name).symlink_to(target)
    articles, reasons = found(folder)
    assert [article.id for article in articles] == ["a.txt", "stored.txt"]
    out = "a link out of the folder: ingest what it leads to, or give --follow-links"
    assert reasons == [
        "cannot be read: No such file or directory",
        out,
        out,
        "cannot be read: Too many levels of symbolic links",
        out,
    ]
    assert [article.id for article in found(folder / "out.txt")[0]] == ["out.txt"]
    followed = [one.item for one in read([folder], Known(links=True)) if isinstance(one.item, Article)]
    assert {article.id for article in followed} == {"a.txt", "folder/a.txt", "stored.txt"}


def test_prune_spares_what_is_in_a_folder_that_is_not_read(tmp_path: Path, encoder: Encoder) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for path in (folder / "good.txt", folder / "gone.txt", folder / "sub" / "a.txt"):
        write(path, f"An article, {path.name}.")
    with Index(tmp_path / "archive", encoder) as index:
        assert ingest(index, [folder]).added == 3
        (folder / "sub").rename(tmp_path / "moved")
        (folder / "sub").symlink_to("../moved")
        (folder / "gone.txt").unlink()
        report = ingest(index, [folder], prune=True)
        assert report.removed == 1
        assert [item.reason for item in report.rejected] == [
            "a link out of the folder: ingest what it leads to, or give --follow-links"
        ]


def test_paths_that_name_nothing(tmp_path: Path) -> None:
    write(tmp_path / "good.txt", "A good article.")
    articles, reasons = found("~nobody-of-that-name/a.txt", tmp_path / ("x" * 300), tmp_path)
    assert reasons == ["cannot be read: Could not determine home directory.", "cannot be read: File name too long"]
    assert len(articles) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    write(tmp_path / "good.txt", "A good article.")
    for name, mode in {"closed": 0, "listed": 0o444}.items():
        (tmp_path / name).mkdir()
        write(tmp_path / name / "a.txt", "An article.")
        (tmp_path / name).chmod(mode)
    articles, reasons = found(tmp_path)
    assert [article.id for article in articles] == ["good.txt"]
    assert reasons == ["a folder that may not be read: allow it, or name it with a dot to leave it out"] * 2 + [
        "cannot be read: Permission denied"
    ]
    assert found(tmp_path / "closed")[1] == ["cannot be read: Permission denied"]


def test_a_date_that_may_be_two_days() -> None:
    for text in ("03/04/2026", "3/4/2026", "03-04-2026", "03/04/26", "Fri 03/04/2026 10:00"):
        with pytest.raises(BadInput, match=f"^'{text}' may be 3 April or 4 March: write it as YYYY-MM-DD$"):
            parse_date(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("13/04/2026", date(2026, 4, 13)),
        ("04/13/2026", date(2026, 4, 13)),
        ("04/04/2026", date(2026, 4, 4)),
        ("3.4.2025", date(2025, 4, 3)),
        ("03.04.2025", date(2025, 4, 3)),
        ("18.04.2025 10:00", date(2025, 4, 18)),
        ("Apr 3, 2025", date(2025, 4, 3)),
        ("Thu, 03 Apr 2025 10:00:00 GMT", date(2025, 4, 3)),
    ],
)
def test_dates_of_numbers(text: str, day: date) -> None:
    assert parse_date(text) == day
