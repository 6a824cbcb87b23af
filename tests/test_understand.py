"""What a question says of where and when its answer was published, and where it falls apart."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from index.types import Query
from qa import BadInput
from qa.request import SearchRequest
from qa.steps.understand import understand as understand_request


def understand(question: str, known: Sequence[str] = (), **options: Any) -> Query:
    return understand_request(question, SearchRequest(question, **options), known)


OUTLETS = ["The Verge", "The Week", "FOX News - Health", "The Roar | Sports Writers Blog", "Fortune"]


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("What did The Verge report?", ("The Verge",)),
        ("What did Fox News and 'The Roar' report?", ("FOX News - Health", "The Roar | Sports Writers Blog")),
        ("What happened later in the week?", ()),
        ("Who made a fortune?", ()),
        ("Who leads the Vergennes council?", ()),
    ],
)
def test_outlets_are_named_as_names(question: str, named: tuple[str, ...]) -> None:
    assert understand(question, OUTLETS).outlets == named


@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("What was said on October 1st?", ((None, 10, 1),)),
        ("What was said on 17 April 2025 and on May 3, 2024?", ((2025, 4, 17), (2024, 5, 3))),
        ("Who may sign 12 treaties in 2025?", ()),
        ("What was said on February 31?", ()),
    ],
)
def test_days_with_and_without_a_year(question: str, days: tuple[object, ...]) -> None:
    assert understand(question).days == days


def test_current_news_is_of_the_day_asked_or_of_today() -> None:
    assert understand("Who resigned?").present is None
    assert understand("Who resigned this week?").present == date.today()
    assert understand("Who resigned this week?", asked=date(2022, 6, 3)).present == date(2022, 6, 3)


def test_a_question_that_names_reports_is_searched_for_in_parts_too() -> None:
    question = "Did The Verge report that prices rose, while Fortune reported that prices fell in May?"
    assert understand(question, OUTLETS).parts == (
        "Did The Verge report that prices rose", "Fortune reported that prices fell in May",
    )  # fmt: skip
    assert understand(question).parts == ()
    assert understand("Did The Verge report that prices rose?", OUTLETS).parts == ()


@pytest.mark.parametrize(
    ("outlets", "error"),
    [
        (["The Virge"], "no article is of the outlet The Virge: did you mean The Verge, The Week?"),
        ("fortun", "no article is of the outlet fortun: did you mean Fortune?"),
        (
            ["Fortune", "Kyiv Post"],
            "no article is of the outlet Kyiv Post: did you mean The Verge, The Week, FOX News - Health?",
        ),
    ],
)
def test_an_unknown_outlet_is_refused_with_the_closest(outlets: str | list[str], error: str) -> None:
    with pytest.raises(BadInput) as refused:
        understand("Who resigned?", OUTLETS, outlets=outlets)
    assert str(refused.value) == error


def test_a_filter_by_outlet_does_not_regard_case() -> None:
    assert understand("Who resigned?", OUTLETS, outlets="the verge").filters.outlets == ("the verge",)
