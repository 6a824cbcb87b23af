"""What is known of articles beside their words: who copied whom, which tell one story, which corrects which."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest
from conftest import BEFORE_4, REPOSITORY

from index.encoder import Encoder
from index.ingest import ingest
from index.sync import Index
from index.tables.copies import COPIES
from index.tables.stories import STORIES
from index.types import Article
from qa import Desk
from qa.doors.show import day, remarks
from qa.page.render import source_page

BOTH = True  # databases
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
    groups = {
        key: COPIES.group(index.archive, key)
        for key in [row[0] for row in index.archive.read("SELECT id FROM articles")]
    }
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
            problem, altered = index.doctor().problems
            assert problem.startswith("copies table: ")
            assert problem.endswith("; copydesk doctor --repair rebuilds it")
            assert altered.startswith("archive file: ")
            assert altered.endswith(" after it was closed; copydesk doctor --repair checks and keeps it")
            assert index.doctor(repair=True).ok
            assert copies(index).keys() == {"wire", "post"}


def test_other_rules_and_an_archive_without_tables_build_them(tmp_path: Path, encoder: Encoder) -> None:
    """As an archive of format 2 is: its changes name no articles, and it has none of the tables."""
    with Index(tmp_path / "archive", encoder) as index:
        stored(index, report("wire"), report("post", day=4))
        with index.archive.transaction():
            index.archive.read("UPDATE articles SET language = NULL")  # which it did not know
        assert index.doctor(repair=True).ok
    with closing(sqlite3.connect(tmp_path / "archive" / "archive.sqlite3")) as file:
        file.executescript(f"""{BEFORE_4} ALTER TABLE changes DROP COLUMN article_id;
            UPDATE meta SET value = '2' WHERE key = 'schema';
            DROP TABLE copies; DROP TABLE copies_keys; DELETE FROM meta WHERE key LIKE '%:copies'""")
    with Index(tmp_path / "archive", encoder) as index:
        assert index.doctor().ok
        index.catch_up_tables()
        assert copies(index).keys() == {"wire", "post"}
        index.archive.set_meta("rules:copies", "0")
        with index.archive.transaction():
            index.archive.read("DELETE FROM copies")
        assert index.doctor().ok
        index.catch_up_tables()
        assert copies(index).keys() == {"wire", "post"}


FLOOD = (
    "Four thousand people left their homes in Brackwater on Friday after the Sallow burst its banks at Cotley.\n\n"
    "Mayor Oona Reske said the dyke had been inspected in March. The army sent 200 soldiers to Brackwater."
)


def flood(name: str, text: str, day: int, title: str, outlet: str = "") -> Article:
    return Article(name, title, text, outlet or name, date(2026, 5, day), f"https://{name}.example/1")


@pytest.mark.parametrize(
    ("title", "text", "kind", "wrong"),
    [
        ("Correction: Brackwater flood", "On Friday we reported that 4,000 people had left their homes in Brackwater "
         "when the Sallow burst its banks at Cotley. That is wrong. The number is 400.", "correction", "4,000"),
        ("Post withdraws report on Brackwater", "The Post has withdrawn its report that 4,000 people left their homes "
         "in Brackwater, where the Sallow burst its banks at Cotley. Mayor Reske says 400.", "withdrawal", "4,000"),
        ("Evacuation figure corrected: 400, not 4,000", "The army has corrected the figure given for Brackwater, where "
         "the Sallow burst its banks at Cotley. Some soldiers had counted twice.", "correction", "4,000"),
        ("Correction", "In our report (https://post.example/1) a name was wrong: Una Reske.", "correction", None),
        ("Clarification", "Our report “Thousands flee flood” gave the mayor’s name wrongly.", "correction", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", [1, -1])
def test_a_notice_is_tied_to_what_it_corrects(
    index: Index, title: str, text: str, kind: str, wrong: str | None, order: int
) -> None:
    wronged = flood("post", FLOOD, 1, "Thousands flee flood", "The Post")
    other = flood("radio", "The strike at the Orlo docks goes on. Some 4,000 dockers met on Friday.", 1, "Dockers meet")
    notice = flood("notice", text, 3, title, "The Post" if "w" in text[:16] or "our" in text.lower() else "The Echo")
    for article in (wronged, other, notice)[::order]:
        stored(index, article)
    [by] = index.related(wronged).corrected_by
    assert (by.article.id, by.kind, by.wrong) == ("notice", kind, wrong)
    assert by.quote in (title, *text.split(". "), *(f"{part}." for part in text.split(". ")))
    assert [(c.article.id, c.kind) for c in index.related(notice).corrects] == [("post", kind)]
    assert index.related(other).corrected_by == ()
    index.remove(["post"])
    assert index.related(notice).corrects == ()
    assert index.doctor().ok


def test_what_is_not_certain_is_not_tied(index: Index) -> None:
    one, two = (flood(name, FLOOD, 1, "Thousands flee flood", "The Post") for name in ("a", "b"))
    notice = flood(
        "notice", "On Friday we reported wrongly on Brackwater, Cotley and the Sallow.", 3, "Correction", "The Post"
    )
    stored(
        index,
        one,
        two,
        notice,
        flood("radio", "The ministry withdraws 4,000 soldiers from Brackwater.", 4, "Troops go"),
    )
    assert index.related(one).corrected_by == index.related(two).corrected_by == ()


@pytest.mark.parametrize(
    ("note", "wrong"),
    [
        ("This article has been corrected: an earlier version said 4,000 soldiers had come.", "4,000"),
        ("An earlier version of this article misstated the number of soldiers as twelve.", "twelve"),
        ("Correction: The army sent 200 soldiers, not 2,000.", "2,000"),
        ("An earlier version of this story gave the wrong name of the mayor.", None),
        ("Correction (4 May): this report said 40 soldiers instead of 200.", "40"),
    ],
)
def test_a_note_in_an_article_is_of_itself(index: Index, note: str, wrong: str | None) -> None:
    article = flood("post", f"{FLOOD}\n\n{note}", 2, "Thousands flee flood")
    stored(index, article)
    [by] = index.related(article).corrected_by
    assert (by.article.id, by.kind, by.quote, by.wrong) == ("post", "correction", note, wrong)


def test_what_is_corrected_in_the_world_is_no_notice(index: Index) -> None:
    text = (
        "Markets corrected on Friday. Holm withdraws from the race, and the army withdrew 400 men. He stood corrected."
    )
    article = flood("post", text, 2, "Holm quits race")
    stored(index, article)
    assert index.related(article).corrected_by == index.related(article).corrects == ()
    assert index.archive.read("SELECT * FROM notices") == []


def test_a_story_is_what_tells_of_one_event(index: Index) -> None:
    first = flood("post", FLOOD, 1, "Thousands flee flood")
    goes_on = (
        "The search for two men at Cotley goes on, two days after the Sallow burst its banks and drove the people of "
        "Brackwater from their homes. Mayor Oona Reske thanked the army."
    )
    later, moved = flood("radio", goes_on, 3, "Two missing"), FLOOD
    for here, there in {"Brackwater": "Lund", "Sallow": "Ister", "Cotley": "Ulm", "Oona Reske": "Jan Brandt"}.items():
        moved = moved.replace(here, there)
    elsewhere = flood("echo", moved, 2, "Thousands flee flood")
    next_year = Article("old", "Flood", FLOOD, "old", date(2027, 5, 1))
    stored(index, later, elsewhere, first, next_year)
    assert index.related(first).story == index.related(later).story == ("post", "radio")
    assert index.related(elsewhere).story == ("echo",)
    assert index.related(next_year).story == ("old",)


def test_what_the_doors_tell_of_an_article(desk: Desk) -> None:
    stored(desk.index, flood("post", FLOOD, 1, "Thousands flee flood", "The Post"))
    stored(
        desk.index,
        flood("post", FLOOD.replace("200 soldiers", "<b>150</b> soldiers"), 1, "Thousands flee flood", "The Post"),
    )
    stored(desk.index, flood("radio", FLOOD.replace("200 soldiers", "<b>150</b> soldiers"), 2, "Flood", ""))
    quote = "On Friday we reported that 4,000 people had left Brackwater when the Sallow burst its banks at Cotley."
    stored(desk.index, flood("notice", f"{quote} That is wrong: 400.", 3, "Correction", "The Post"))
    shown, copy, notice = (desk.show(name) for name in ("post", "radio", "notice"))
    assert shown["copy_of"] is None
    assert [other["id"] for other in shown["carried_by"]] == ["radio"]
    assert (copy["copy_of"]["id"], copy["carried_by"], copy["changes"]) == ("post", [], [])
    assert shown["story"] == copy["story"] == notice["story"] == ["post", "radio", "notice"]
    was, now = (f"The army sent {number} soldiers to Brackwater." for number in ("200", "150"))
    [(_, since, _)] = desk.index.archive.stood("post")[-1:]
    assert since
    assert shown["changes"] == [{"before": was, "after": now, "since": since}]
    [corrected] = shown["corrected_by"]
    assert (corrected["article"]["id"], corrected["kind"], corrected["wrong"]) == ("notice", "correction", "4,000")
    assert corrected["quote"] == quote
    assert notice["corrects"] == [corrected | {"article": copy["copy_of"]}]
    assert remarks(shown) == [
        "carried by: Flood · radio · 2 May 2026 · radio",
        "correction by: Correction · The Post · 3 May 2026 · notice",
        f"changed on {day(since)}: {was} → {now}",
    ]
    assert remarks(copy) == ["copy of: Thousands flee flood · The Post · 1 May 2026 · post"]
    assert remarks(notice) == ["correction of: Thousands flee flood · The Post · 1 May 2026 · post"]
    page = source_page(desk.article("post"), "text", 0, 4, ["changed: <b>"])
    assert '<div class="remark">changed: &lt;b&gt;</div>' in page


def test_the_newsroom_s_stories_are_kept_apart(index: Index) -> None:
    """Pairs of articles that the questions' notes give one story, and those that they give two."""
    newsroom, gold = REPOSITORY / "evals/newsroom", dict[str, set[str]]()
    for line in (newsroom / "questions-dev.jsonl").read_text("utf-8").splitlines():
        for article_id in (question := json.loads(line)).get("articles", ()):
            gold.setdefault(article_id, set()).add(question["notes"]["story"])
    assert ingest(index, [newsroom / "articles"]).rejected == []
    ids = {a.id for a in index.archive.listed()}
    pairs = [(one, two) for one, two in combinations(sorted(ids & gold.keys()), 2) if len(gold[one] | gold[two]) < 3]
    joined = [(one, two) for one, two in pairs if two in STORIES.group(index.archive, one)]
    same = [(one, two) for one, two in pairs if gold[one] == gold[two]]
    right = len({*joined} & {*same})
    print(f"precision {right / len(joined):.3f}, recall {right / len(same):.3f} of {len(same)} pairs")
    assert right == len(joined)
    assert right > 0.7 * len(same)
    wronged = index.archive.article("https://www.pellcourier.example/2025/03/more-than-4000-wait-over-a-year-for")
    assert wronged is not None
    assert {(c.article.outlet, c.kind, c.wrong) for c in index.related(wronged).corrected_by} == {
        ("The Pell Courier", "correction", "4,210"),
        ("Radio Orlo", "withdrawal", "4,200"),
    }
