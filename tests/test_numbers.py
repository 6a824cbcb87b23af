"""Numbers and days: how they are read from a sentence, and which of them an article holds."""

from __future__ import annotations

from datetime import date

import pytest

from index.encoder import Encoder
from index.text.days import dates, parse_date, weekday
from index.text.numbers import numbers, spoken
from index.types import Article
from qa.check.spans import Source
from qa.check.verify import verify


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a profit of £30m", ["30,000,000£"]),
        ("€2.5bn and $3tn", ["2,500,000,000€", "3,000,000,000,000$"]),
        ("40m euros", ["40,000,000€"]),
        ("Rs 40 lakh, 3 crore rupees", ["4,000,000₹", "30,000,000₹"]),
        ("15km away", ["15 km"]),
        ("700kg of salt for 6k guests", ["700 kg", "6,000"]),
        ("the mast is 60m tall", ["60 m"]),
        ("2,310 m above the valley", ["2,310 m"]),
        ("2.4m voters", ["2,400,000"]),
        ("6m tonnes of wheat", ["6,000,000 ton"]),
        ("3 400 000 birds", ["3,400,000"]),
        ("3\u202f400\u00a0000 birds", ["3,400,000"]),
        ("3.400.000 birds and 3.400 birds", ["3,400,000", "3.4"]),
        ("12,34,567 ballots", ["1,234,567"]),
        ("2.5 percentage points, 2.5 per cent", ["2.5 percentage points", "2.5%"]),
        ("25 basis points", ["25 basis points"]),
        ("30 km2, 30 km², 30 square kilometres, 30 sq km", ["30 km²"] * 4),
        ("60mph, 60 miles an hour, 60 miles", ["60 mile/h", "60 mile/h", "60 mile"]),
        ("10 to 15 million euros", ["10 to 15", "10,000,000€", "15,000,000€"]),
        ("$10–15m", ["10,000,000$", "15,000,000$"]),
        ("from 2019 to 3 million", ["2,019", "3,000,000"]),
        ("two thirds, three-quarters, a fifth of", ["66.7%", "75%", "20%"]),
        ("half a million, one and a half million, 1½ miles", ["500,000", "1,500,000", "1.5 mile"]),
        ("two dozen", ["24"]),
        ("at 9pm, 9:30 p.m. or 21:30", ["21:00", "21:30", "21:30"]),
        ("from 7 to 9pm", ["7:00", "21:00"]),
        ("12am and 12pm", ["0:00", "12:00"]),
        ("by nine votes to two", ["9 to 2", "9", "2"]),
        ("lost 3-1", ["3", "1"]),
        ("the 1990s and the B52s", []),
    ],
)
def test_numbers_are_read(text: str, read: list[str]) -> None:
    assert [str(number) for number in numbers(text)] == read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It owes €1.3bn.", "It owes 1.3 billion euros."),
        ("a US$3-million deal, $1,200.50 a month", "a 3 million dollars deal, 1,200.50 dollars a month"),
        ("4k people earned £20m", "4 thousand people earned 20 million pounds"),
        (
            "1 200 000 trees, 12,000,000 leaves, 1,250,000 birds",
            "1.2 million trees, 12 million leaves, 1,250,000 birds",
        ),
        ("from 17:00 to 21:30", "from 5pm to 9:30pm"),
        ("13.45 at 12:30 on a 4K screen, 80m tall", "13.45 at 12:30 on a 4K screen, 80m tall"),
    ],
)
def test_what_is_written_short_is_read_as_it_is_said(text: str, said: str) -> None:
    assert spoken(text) == said


@pytest.mark.parametrize(
    ("claim", "evidence", "held"),
    [
        ("2.4 million voters", "2.4m voters", True),
        ("2.4 voters", "2.4m voters", False),
        ("it rose 5 metres", "it rose 5m in March", True),
        ("5 million came", "5m came", True),
        ("the wall is 5m high", "5 million came", False),
        ("sold for 5m", "a 5-metre wall", True),
        ("2.5 percent", "2.5 percentage points", False),
        ("2.5 points", "2.5 percentage points", True),
        ("2 votes to 9", "9 votes to 2", False),
        ("9 votes to 2", "nine votes to two", True),
        ("9-2", "by 9 to 2", True),
        ("1-3", "won 3–1", False),
        ("lost 1-3", "won 3-1", True),
        ("10 to 15 people", "between 10 and 15 people", True),
        ("9pm", "21:00", True),
        ("9:30 p.m.", "9:30", True),
        ("9pm", "9am", False),
        ("9pm", "a staff of 9", False),
        ("9 people", "9pm", False),
        ("60 mph", "60 miles an hour", True),
        ("60 mph", "60 miles", False),
        ("30 km²", "30 km", False),
        ("two thirds of them", "67 percent of them", True),
        ("two thirds of them", "three quarters of them", False),
        ("hundreds of people", "640 people", True),
        ("hundreds of people", "12 people", False),
        ("thousands of people", "hundreds of people", False),
        ("dozens of boats", "40 boats", True),
    ],
)
def test_what_evidence_holds(claim: str, evidence: str, held: bool) -> None:
    said = list(numbers(evidence))
    assert all(number.held(said) for number in numbers(claim)) == held


MINE = Article(
    "mine",
    "Mine of Karsk floods",
    "The mine of Karsk lost £40m in 2023, the owner said. It lies 25km from the town and 1,870 metres above the sea. "
    "The pumps were switched off at 6pm. Some 3 500 000 litres of water were pumped out. "
    "The council closed the mine by 11 votes to 4.",
    published=date(2025, 2, 28),
)


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ("The mine of Karsk lost £40 million in 2023.", ""),
        ("The mine lies 25 kilometres from the town and 1,870 metres above the sea.", ""),
        ("The mine of Karsk lies 1,870 m above the sea.", ""),
        ("The pumps of the mine were switched off at 18:00.", ""),
        ("3,500,000 litres of water were pumped out of the mine.", ""),
        ("The council closed the mine by eleven votes to four.", ""),
        ("The mine of Karsk lost £400m in 2023.", "not in the evidence: 400,000,000£"),
        ("The mine lies 85km from the town.", "not in the evidence: 85 km"),
        ("The pumps of the mine were switched off at 8pm.", "not in the evidence: 20:00"),
        ("The council closed the mine by 4 votes to 11.", "not in the evidence: 4 to 11"),
        ("The mine was closed on February 29.", "not in the evidence: 29 February"),
    ],
)
def test_a_sentence_with_numbers(claim: str, why: str, encoder: Encoder) -> None:
    verdict = verify(claim, (MINE,), encoder)
    assert (verdict.support in ("supported", "verbatim"), verdict.why) == (not why, why)


def test_a_part_of_a_spaced_number_is_another_number() -> None:
    trees = Source(Article("a", "", "The park has 1 200 000 trees and 3 ponds."))
    assert trees.find("200 000 trees and") is None
    assert trees.find("The park has 1 200") is None
    assert trees.find("1 200 000 trees") is not None


def test_a_leap_day_without_its_year_stops_nothing(encoder: Encoder) -> None:
    article = Article("a", "", "The bridge of Karsk opened on February 29.", published=date(2025, 3, 4))
    assert weekday((None, 2, 29), article.published) == weekday((None, 2, 29), None) == ""
    assert weekday((None, 2, 28), article.published) == weekday((2025, 2, 28), None) == "friday"
    assert verify("The Karsk bridge was opened on 29 February.", (article,), encoder).support == "supported"
    assert dates("It opened on February 29, 2023.") == []


def test_dots_are_written_day_first() -> None:
    assert parse_date("3.4.2025") == parse_date("03.04.2025") == date(2025, 4, 3)
    assert dates("It opened on 3.4.2025 and closed on 18.04.2025.") == [(2025, 4, 3), (2025, 4, 18)]
