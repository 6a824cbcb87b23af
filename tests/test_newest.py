"""What later reports make of earlier ones, who differs, and what else stands beside an answer."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from scripted import scripted

from qa import Answer, Desk

Report = tuple[str, str, str, str]  # its day, outlet, headline and text
FIRE: list[Report] = [
    ("2025-05-02", "Halvik Post", "Fire at Halvik cannery kills three",
     "Three people died in a fire at the Halvik cannery on Friday, police said. The cannery had 120 workers."),
    ("2025-05-03", "Halvik Post", "Halvik cannery fire: toll rises",
     "Seven people died in the fire at the Halvik cannery, police said on Saturday. Two of them were guests."),
    ("2025-05-05", "Coast Gazette", "Another victim of the Halvik fire",
     "Nine people died in the fire at the Halvik cannery, the hospital said on Monday. The roof fell in at night."),
]  # fmt: skip
DIED = "How many people died in the fire at the Halvik cannery?"
SAID = [
    "Three people died in a fire at the Halvik cannery on Friday, police said.",
    "Seven people died in the fire at the Halvik cannery, police said on Saturday.",
    "Nine people died in the fire at the Halvik cannery, the hospital said on Monday.",
]
FAIR: list[Report] = [
    ("2025-06-01", "Sundal Herald", "Sundal boat fair draws 48,000",
     "The Sundal boat fair drew 48,000 people, the organisers said on Sunday. Hotels in the town were full."),
    ("2025-06-05", "Sundal Herald", "Correction: Sundal boat fair",
     "We reported on 1 June that the Sundal boat fair drew 48,000 people. That is wrong: the correct "
     "number is 31,500."),
]  # fmt: skip
STRIKE = (
    "Workers of the Lux works in Morn stopped work on Thursday. The union counted 2,400 strikers at the Lux works. "
    "The company put the number at 1,140. Work goes on on Monday."
)
MARCH = "The march for the Treva hospital drew {} people on Thursday, according to the {}. {}"
MARCHED = "How many people did the march for the Treva hospital draw?"


def ingest(desk: Desk, folder: Path, reports: Sequence[Report]) -> None:
    """Ingest reports; their ids are 0, 1, …"""
    names = ("published", "outlet", "title", "text")
    rows = [{"id": str(n)} | dict(zip(names, report, strict=True)) for n, report in enumerate(reports)]
    (folder / "reports.json").write_text(json.dumps(rows))
    desk.ingest([folder / "reports.json"])


def asked(desk: Desk, question: str, **options: Any) -> Answer:
    """Return an answer after a check of what holds of all: whatever is cited stands where it says, to the character."""
    answer = desk.ask(question, **options)
    assert [c.n for c in answer.citations] == list(range(1, len(answer.citations) + 1))
    places = [(c.article_id, c.field, c.start, c.end) for c in answer.citations]
    assert len({*places}) == len(places)
    for c in answer.citations:
        assert desk.show(c.article_id)[c.field][c.start : c.end] == c.quote
    for before in answer.earlier:
        assert [answer.citations[n - 1].quote for n in before.citations] == [before.text]
    for side in (side for conflict in answer.conflicts for side in conflict.sides):
        assert all(side.value in answer.citations[n - 1].quote for n in side.citations)
    return answer


def differing(answer: Answer) -> list[list[str]]:
    return [[side.value for side in conflict.sides] for conflict in answer.conflicts]


@pytest.mark.parametrize(
    ("day", "said"),
    [("2025-05-02", SAID[:1]), ("2025-05-03", SAID[:2]), ("2025-05-04", SAID[:2]), ("2025-05-05", SAID),
     ("2025-12-31", SAID), (None, SAID)],
)  # fmt: skip
def test_the_last_report_of_a_day_answers_and_says_what_it_replaces(
    desk: Desk, tmp_path: Path, day: str | None, said: list[str]
) -> None:
    ingest(desk, tmp_path, FIRE)
    answer = asked(desk, DIED, as_of=day)
    assert answer.sentences[0].text == said[-1]
    assert [s.text for s in answer.sentences if s.text in said[:-1]] == []
    reports = [FIRE[int(answer.citations[e.citations[0] - 1].article_id)] for e in answer.earlier]
    assert reports == FIRE[: len(said) - 1][::-1]  # the latest first
    assert [e.date and e.date.isoformat() for e in answer.earlier] == [published for published, *_ in reports]
    assert answer.as_of == (day and date.fromisoformat(day))


def test_before_the_first_report_nothing_is_known(desk: Desk, tmp_path: Path) -> None:
    ingest(desk, tmp_path, FIRE)
    answer = asked(desk, DIED, as_of="2025-05-01")
    assert (answer.answered, answer.citations, answer.earlier, answer.retrieved) == (False, (), (), ())


@pytest.mark.parametrize(
    "question",
    [
        "How many people died in the fire at the Halvik cannery at first?",
        "How many people were first reported dead in the fire at the Halvik cannery?",
        "What was the original death toll of the fire at the Halvik cannery?",
    ],
)
def test_what_was_reported_at_first(desk: Desk, tmp_path: Path, question: str) -> None:
    ingest(desk, tmp_path, FIRE)
    answer = asked(desk, question)
    assert answer.sentences[0].text == SAID[0]
    assert answer.earlier == ()


@pytest.mark.parametrize("question", ["How many people came to the Sundal boat fair?",
                                      "How many people did the Sundal boat fair draw?"])  # fmt: skip
def test_a_withdrawn_figure_is_never_first_and_never_without_its_correction(
    desk: Desk, tmp_path: Path, question: str
) -> None:
    ingest(desk, tmp_path, FAIR)
    answer = asked(desk, question)
    assert answer.sentences[0].text == "That is wrong: the correct number is 31,500."
    assert {c.corrected_by for c in answer.citations if c.article_id == "0"} == {"1"}
    assert {c.corrected_by for c in answer.citations if c.article_id == "1"} == {None}
    assert differing(answer) == []  # what was corrected is no other source
    before = asked(desk, question, as_of="2025-06-04")
    assert "48,000" in before.sentences[0].text


@pytest.mark.parametrize(
    "notice",
    [
        "Correction: The Sundal boat fair drew 31,500 people, not 48,000 as we reported on 1 June.",
        "We wrongly reported that the Sundal boat fair drew 48,000 people. It should have been 31,500.",
        "The correct number of people at the Sundal boat fair is 31,500, and not 48,000.",
    ],
)
def test_the_figure_of_a_notice_in_other_words_is_first_too(desk: Desk, tmp_path: Path, notice: str) -> None:
    ingest(desk, tmp_path, [FAIR[0], ("2025-06-05", "Sundal Herald", "Correction: Sundal boat fair", notice)])
    for question in ("How many people came to the Sundal boat fair?", "How many people did the Sundal boat fair draw?"):
        assert "31,500" in asked(desk, question).sentences[0].text, question


def test_the_report_that_takes_a_figure_back_does_not_count_as_one_that_has_it(desk: Desk, tmp_path: Path) -> None:
    ingest(desk, tmp_path, FAIR)
    answer = asked(desk, "How many people did the Sundal boat fair draw?", llm=scripted(
        "The Sundal boat fair drew 48,000 people, the organisers said on Sunday [1]. "
        "The Sundal boat fair drew 48,000 people, the organisers said on Sunday [2]."))  # fmt: skip
    standing = [s.stands_in for s in answer.sentences if "48,000" in s.text and s.stands_in]
    assert standing
    assert {(held.groups, held.outlets) for held in standing} == {(1, ("Sundal Herald",))}


@pytest.mark.parametrize(
    ("reports", "question", "values"),
    [
        ([("2025-07-10", "Morn Times", "Strike at the Lux works", STRIKE)],
         "How many strikers were there at the Lux works?", {"2,400", "1,140"}),  # in neighbouring sentences
        ([("2025-07-10", "Morn Times", "March in Treva",
           "Police counted 9,000 marchers in Treva on Saturday; the organisers spoke of 12,000. It ended at dusk.")],
         "How many marchers were there in Treva?", {"9,000", "12,000"}),  # in one sentence
        ([("2025-07-10", "Morn Times", "March in Treva", MARCH.format("9,000", "police", "It ended at the port.")),
          ("2025-07-10", "Treva Post", "Treva marches", MARCH.format("14,000", "organisers", "The mayor spoke."))],
         MARCHED, {"9,000", "14,000"}),  # in two outlets' reports of one day
    ],
)  # fmt: skip
def test_figures_of_two_sources_are_both_said(
    desk: Desk, tmp_path: Path, reports: list[Report], question: str, values: set[str]
) -> None:
    ingest(desk, tmp_path, reports)
    answer = asked(desk, question)
    [conflict] = answer.conflicts
    assert conflict.about == question
    assert {side.value for side in conflict.sides} == values
    assert all(value in answer.text for value in values)
    assert answer.earlier == ()


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (("2025-07-12", "Treva Post", "More marched", MARCH.format("14,000", "police", "The mayor spoke.")), "updated"),
        (("2025-07-11", "Morn Times", "Correction: March in Treva", "We reported on 10 July that the march for the "
          "Treva hospital drew 9,000 people. That is wrong: the correct number is 12,000."), "corrected"),
        (("2025-07-10", "Treva Post", "Fish market", "The fish market in Treva drew 14,000 people on Thursday, "
          "according to the town. It lasted until dusk."), "of something else"),
        (("2025-07-10", "Treva Post", "Buses", "Police counted 8,000 buses in Treva on Thursday."), "of others"),
        (("2025-07-10", "Treva Post", "March", MARCH.format("9,000", "organisers", "The mayor spoke.")), "the same"),
    ],
)  # fmt: skip
def test_no_conflict_where_a_figure_was_updated_corrected_or_is_of_something_else(
    desk: Desk, tmp_path: Path, other: Report, why: str
) -> None:
    report = ("2025-07-10", "Morn Times", "March in Treva", MARCH.format("9,000", "police", "They made 12 arrests."))
    ingest(desk, tmp_path, [report, other])
    assert differing(asked(desk, MARCHED)) == [], why


WIRE = (
    "A ferry with 90 people ran aground off Morn on Sunday, the coast guard said. All were taken ashore by fishing "
    "boats in the evening, and nobody was hurt. The captain, Tom Rask, was questioned by the police until midnight. "
    "The ferry will be towed to Orsund on Tuesday."
)


def test_an_agencys_report_that_others_carry_counts_once(desk: Desk, tmp_path: Path) -> None:
    carried = [("2025-06-01", "North Wire", "Ferry with 90 aground off Morn", WIRE),
               ("2025-06-01", "Morn Times", "Ferry aground", f"MORN (North Wire) - {WIRE}"),
               ("2025-06-02", "Orsund Post", "All safe", f"ORSUND (North Wire) - {WIRE}")]  # fmt: skip
    question = "How many people were on the ferry that ran aground off Morn?"
    ingest(desk, tmp_path, carried)
    held = asked(desk, question).sentences[0].stands_in
    assert held is not None
    assert (held.groups, str(held.first)) == (1, "2025-06-01")
    own = ("2025-06-02", "Coast Gazette", "A passenger tells", "Elsa Brandt was among the 90 people on the ferry that "
           "ran aground off Morn on Sunday. She waited for two hours.")  # fmt: skip
    ingest(desk, tmp_path, [*carried, own])
    [held] = {s.stands_in for s in asked(desk, question).sentences if "90" in s.text}
    assert held is not None
    assert (held.groups, str(held.first)) == (2, "2025-06-01")
    assert "Coast Gazette" in held.outlets


def test_a_models_answer_gets_them_too(desk: Desk, tmp_path: Path) -> None:
    ingest(desk, tmp_path, [*FIRE, ("2025-07-10", "Morn Times", "Strike at the Lux works", STRIKE)])
    answer = asked(desk, DIED, llm=scripted("Nine people died in the fire at the Halvik cannery [1]."))
    assert answer.text == "Nine people died in the fire at the Halvik cannery. [1]"
    assert [str(e.date) for e in answer.earlier] == ["2025-05-03", "2025-05-02"]
    assert [s.stands_in.outlets for s in answer.sentences if s.stands_in] == [("Coast Gazette",)]
    union = scripted("The union counted 2,400 strikers [1].")
    answer = asked(desk, "How many strikers were there at the Lux works?", llm=union)
    assert differing(answer) == [["2,400", "1,140"]]


def test_a_models_quotation_may_begin_amid_a_sentence(desk: Desk, tmp_path: Path) -> None:
    late = ("2025-05-05", "Coast Gazette", "Another victim", "On Monday the hospital said that nine people died in the "
            "fire at the Halvik cannery.")  # fmt: skip
    ingest(desk, tmp_path, [*FIRE[:2], late])
    answer = asked(desk, DIED, llm=scripted("Nine people died in the fire at the Halvik cannery [1]."))
    assert answer.citations[0].quote == "nine people died in the fire at the Halvik cannery"
    assert [str(e.date) for e in answer.earlier] == ["2025-05-03", "2025-05-02"]


def test_who_she_is_goes_with_what_she_did(desk: Desk, tmp_path: Path) -> None:
    text = "Mira Tande founded Kestrel Works in 2003. She sold the yard in Sundal to a rival in May for 30 million."
    ingest(desk, tmp_path, [("2025-06-01", "Morn Times", "Yard sold", text)])
    quotes = [c.quote for c in asked(desk, "Who sold the yard in Sundal to a rival?").citations]
    assert "Mira Tande founded Kestrel Works in 2003." in quotes


@pytest.mark.parametrize(
    ("text", "question", "quoted"),
    [
        ("The Orla bridge was closed on Monday. Engineers had found cracks in it because of the frost.",
         "Why was the Orla bridge closed?", 2),
        ("The Orla bridge was closed on Monday because of cracks. Ferries sail instead.",
         "Why was the Orla bridge closed?", 1),
        ("Ida Roe lost the first round, but she won the second. Ida Roe won by nine votes, the clerk said.",
         "Why did Ida Roe win?", 2),  # each once, though the one goes with the other
    ],
)  # fmt: skip
def test_the_reason_goes_with_what_happened(desk: Desk, tmp_path: Path, text: str, question: str, quoted: int) -> None:
    ingest(desk, tmp_path, [("2025-06-01", "Morn Times", "Report", text)])
    assert len(asked(desk, question).sentences) == quoted


def test_how_many_died_is_told_by_the_last_report_of_the_story_only(desk: Desk, tmp_path: Path) -> None:
    roof = ("2025-09-04", "Morn Times", "Six dead as roof falls in Ulm Bay",
            "Six people died when a roof fell in Ulm Bay on Thursday.")  # fmt: skip
    later = ("2025-09-06", "Morn Times", "Ulm Bay mourns", "The toll rose to 11 people on Saturday, Ulm Bay said.")
    other = ("2025-09-06", "Morn Times", "Tram crash in Ebba", "Two people died in a tram crash in Ebba on Friday.")
    ingest(desk, tmp_path, [roof, later])
    assert asked(desk, "How many people died?").sentences[0].text == later[3]
    ingest(desk, tmp_path, [roof, other])
    assert [e.text for e in asked(desk, "How many people died?").earlier] == []


def test_two_questions_in_one_are_both_answered(desk: Desk, tmp_path: Path) -> None:
    ingest(desk, tmp_path, [("2025-07-10", "Morn Times", "Strike at the Lux works", STRIKE)])
    question = "How many strikers were there at the Lux works according to the union and according to the company?"
    answer = asked(desk, question)
    assert answer.understood["parts"] == [
        "How many strikers were there at the Lux works according to the union?",
        "How many strikers were there at the Lux works according to the company?",
    ]
    assert {"2,400", "1,140"} <= {*answer.text.replace(".", " ").split()}


def test_a_question_for_a_timeline_is_answered_by_one(desk: Desk, tmp_path: Path) -> None:
    ingest(desk, tmp_path, FIRE)
    answer = asked(desk, "Give me a timeline of the fire at the Halvik cannery")
    assert [str(c.published) for c in answer.citations] == sorted(str(c.published) for c in answer.citations)
    assert len({c.article_id for c in answer.citations}) == 3
    assert {s.support for s in answer.sentences} == {"verbatim"}


def test_beside_the_dead_no_other_fate_is_quoted(desk: Desk, tmp_path: Path) -> None:
    toll = "The death toll in the Halvik cannery fire rose to nine on Saturday. Seven people were still missing."
    last = "The body of the last person missing since the fire was found on Sunday, bringing the number of dead to 14."
    reports = [
        ("2025-05-03", "Halvik Post", "Halvik cannery fire toll climbs to nine", toll),
        ("2025-05-12", "Coast Gazette", "Last missing person of Halvik cannery fire found", last),
    ]
    ingest(desk, tmp_path, reports)
    assert [s.text for s in asked(desk, "How many people died in the Halvik cannery fire in all?").sentences] == [last]


def test_a_side_is_told_once_and_what_says_the_same_is_no_earlier_report(desk: Desk, tmp_path: Path) -> None:
    reports = [
        ("2025-03-16", "Lintel Post", "Merrin strike: trust counts 800 nurses out",
         "The trust said on Sunday that 800 nurses had joined the strike. The union said 1,200 nurses had joined it."),
        ("2025-03-18", "Lintel Post", "Correction: seven hurt in the Merrin bus crash",
         "Seven people, not nine, were hurt in the Merrin bus crash on Monday, police said on Tuesday."),
        ("2025-03-20", "Lintel Post", "Merrin bus driver charged",
         "The driver of the bus whose crash at Merrin hurt seven people was charged on Thursday."),
    ]  # fmt: skip
    ingest(desk, tmp_path, reports)
    [sides] = differing(asked(desk, "How many nurses joined the strike?"))
    assert sorted(sides) == ["1,200", "800"]
    answer = asked(desk, "How many people were hurt in the Merrin bus crash?")
    assert "even" in answer.sentences[0].text
    assert answer.earlier == ()
