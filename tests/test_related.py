"""What is known of articles beside their words: who copied whom, which tell one story, which corrects which."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from index.encoder import Encoder
from index.ingest import ingest
from index.sync import Index
from index.tables.copies import COPIES
from index.types import Article

WIRE = (
    "LUND, May 3 (Northern Wire) - Fire gutted a paper mill on the Sava on Sunday, killing three workers. "
    "The roof came down at 4 a.m., the fire chief, Anna Berg, told reporters at the gate.\n\n"
    "Two men are still missing, and the search will go on through the night with dogs and lamps.\n\n"
    "The mill belongs to Holm Paper, which employs 240 people in the valley and has made newsprint there since 1911. "
    "The company said it would pay their wages while the cause is being looked into.\n\n"
    "It was not known on Sunday what had set the bales alight. Police have sealed the yard."
)


def stored(index: Index, *articles: Article) -> None:
    """Write articles as files of records would bring them."""
    folder = index.folder.parent / "in"
    folder.mkdir(exist_ok=True)
    lines = [json.dumps(asdict(a) | {"published": a.published and a.published.isoformat()}) for a in articles]
    (folder / f"{len(list(folder.iterdir()))}.jsonl").write_text("\n".join(lines))
    assert ingest(index, [folder / f"{len(list(folder.iterdir())) - 1}.jsonl"]).rejected == []


def report(name: str, text: str = WIRE, day: int = 3, title: str = "Fire guts mill") -> Article:
    return Article(name, title, text, name, date(2026, 5, day))


@pytest.mark.parametrize(
    "text",
    [
        WIRE,
        WIRE.partition(" - ")[2],
        f"By Jo Lee\n\nSAVA — {WIRE.partition(' - ')[2]}\n\nReporting by Jo Lee; editing by Ann Ray",
        WIRE[: WIRE.index("The mill belongs")],
        WIRE.replace("told reporters at the gate", "said to journalists outside the works"),
        "\n\n".join(reversed(WIRE.split("\n\n"))),
    ],
)
def test_a_copy_is_found_whichever_comes_first(tmp_path: Path, encoder: Encoder, text: str) -> None:
    for number, order in enumerate((1, -1)):
        with Index(tmp_path / f"archive{number}", encoder) as index:
            for article in (report("wire"), report("post", text, 4, "Three dead"))[::order]:
                stored(index, article)
            assert COPIES.group(index.archive, "post") == COPIES.group(index.archive, "wire") == ["wire", "post"]


@pytest.mark.parametrize(
    ("said", "now"),
    [
        ("killing three", "killing four"),
        ("Anna Berg", "Eva Lind"),
        ("was not known", "was known"),
        ("240 people", "420 people"),
        ("Sunday, killing", "Monday, killing"),
        ("Police have sealed the yard.", "Police have arrested 2 men. The yard is sealed."),
    ],
)
def test_an_update_is_no_copy(index: Index, said: str, now: str) -> None:
    assert said in WIRE
    stored(index, report("wire"), report("post", WIRE.replace(said, now), 4))
    assert COPIES.group(index.archive, "wire") == ["wire"]


def copies(index: Index) -> dict[str, list[str]]:
    """Return the group of each article that is in one with others."""
    groups = {key: COPIES.group(index.archive, key) for key in index.archive.article_ids()}
    return {key: members for key, members in groups.items() if len(members) > 1}


def test_a_copy_of_two_reports_does_not_make_them_one(index: Index) -> None:
    """The first half is the same in both; in the second the update has another figure."""
    later = WIRE.replace("240 people", "420 people")
    half = WIRE[: WIRE.index("The mill belongs")]
    stored(index, report("wire"), report("update", later, 4), report("post", half, 5))
    assert copies(index) == {"wire": ["wire", "post"], "post": ["wire", "post"]}


def test_who_hung_on_a_removed_article_is_grouped_anew(index: Index) -> None:
    stored(index, report("wire"), report("post", day=4), report("radio", day=5))
    assert copies(index) == {key: ["wire", "post", "radio"] for key in ("wire", "post", "radio")}
    index.remove(["wire"])
    assert copies(index) == {key: ["post", "radio"] for key in ("post", "radio")}
    stored(index, report("post", "Something else was printed today in its place.", 4))
    assert copies(index) == {}
    assert index.doctor().ok


def test_the_doctor_finds_and_repairs_a_damaged_table(tmp_path: Path, encoder: Encoder) -> None:
    with Index(tmp_path / "archive", encoder) as index:
        stored(index, report("wire"), report("post", day=4))
    for harm in ("DELETE FROM copies WHERE article_id = 'post'", "DROP TABLE copies"):
        with closing(sqlite3.connect(tmp_path / "archive" / "archive.sqlite3")) as file:
            file.execute(harm)
            file.commit()
        with Index(tmp_path / "archive", encoder) as index:
            [problem] = index.doctor().problems
            assert problem.startswith("copies table: ")
            assert problem.endswith("; copydesk doctor --repair rebuilds it")
            assert index.doctor(repair=True).ok
            assert copies(index).keys() == {"wire", "post"}


def test_other_rules_and_an_archive_without_tables_build_them(tmp_path: Path, encoder: Encoder) -> None:
    """As an archive of format 2 is: its changes name no articles, and it has none of the tables."""
    with Index(tmp_path / "archive", encoder) as index:
        stored(index, report("wire"), report("post", day=4))
    with closing(sqlite3.connect(tmp_path / "archive" / "archive.sqlite3")) as file:
        file.executescript("""ALTER TABLE changes DROP COLUMN article_id;
            UPDATE meta SET value = '2' WHERE key = 'schema';
            DROP TABLE copies; DROP TABLE copies_keys; DELETE FROM meta WHERE key LIKE '%:copies'""")
    with Index(tmp_path / "archive", encoder) as index:
        assert index.doctor().ok
        index.catch_up_tables()
        assert copies(index).keys() == {"wire", "post"}
        index.archive.set_meta("rules:copies", "0")
        index.archive.read("DELETE FROM copies")
        assert index.doctor().ok
        index.catch_up_tables()
        assert copies(index).keys() == {"wire", "post"}
