"""A request validates itself, whoever builds it, and the desk's methods show its options."""

import inspect
from datetime import date
from typing import Any

import pytest

from qa import AskRequest, BadInput, Desk, SearchRequest

BACKWARDS = "since 2025-05-02 is after until 2025-05-01: no day is between them"
HISTORY = 'history is a list of {"role": "user" or "assistant", "content": text}'


def test_a_request_is_made_ready() -> None:
    request = AskRequest(" Who\n spoke? ", outlets="UNN", since="18 April 2025", asked=date(2025, 5, 1))
    assert request.question == "Who spoke?"
    assert (request.filters.outlets, request.filters.since) == (("UNN",), date(2025, 4, 18))
    assert request.day == date(2025, 5, 1)
    assert request.turns == []


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"question": ""}, "the question is empty: ask something in words"),
        ({"question": " ?! "}, "the question is empty: ask something in words"),
        ({"question": 7}, "the question is a int, not a string"),
        ({"question": "word " * 301}, "the question has 301 words: ask in at most 300"),
        ({"question": "w" * 3001}, "the question has 3,001 characters: ask in at most 3,000"),
        ({"top": 0}, "top is 0: use 1 to 100"),
        ({"top": "3"}, "top is 3: use 1 to 100"),
        ({"since": "2025-05-02", "until": "2025-05-01"}, BACKWARDS),
        ({"since": "03/04/2026"}, "'03/04/2026' may be 3 April or 4 March: write it as YYYY-MM-DD"),
        ({"asked": "last week"}, "'last week' is not a date: write it as YYYY-MM-DD"),
        ({"outlets": 7}, "outlets is neither a string nor a list of strings"),
        ({"outlets": ["UNN", "\ud800"]}, "outlets is neither a string nor a list of strings"),
        ({"choices": "one"}, "choices are two or more different texts in a list"),
        ({"choices": ["one", " one"]}, "choices are two or more different texts in a list"),
        ({"choices": [str(n) for n in range(21)]}, "there are 21 choices: offer at most 20"),
        ({"history": "Who?"}, HISTORY),
        ({"history": [{"role": "user", "content": "\udfff"}]}, HISTORY),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(options: dict[str, Any], error: str) -> None:
    with pytest.raises(BadInput) as refused:
        AskRequest(**{"question": "Who?"} | options)
    assert str(refused.value) == error


@pytest.mark.parametrize("method", ["ask", "aask", "stream", "events"])
def test_the_desk_shows_the_options_of_a_question(method: str) -> None:
    shown = inspect.signature(getattr(Desk, method)).parameters
    assert [*shown] == ["self", *inspect.signature(AskRequest).parameters]
    assert {"outlets", "since", "until", "asked", "top", "choices", "llm", "history", "strict"} <= shown.keys()
    assert [*inspect.signature(Desk.search).parameters] == ["self", *inspect.signature(SearchRequest).parameters]


@pytest.mark.parametrize("method", ["ask", "stream", "events", "search", "timeline", "quotes", "articles", "check"])
def test_a_field_that_a_request_does_not_have_is_told_with_those_that_it_has(seeded: Desk, method: str) -> None:
    with pytest.raises(
        BadInput,
        match=r"^language is no field: use (?:question, )?(?:outlets, authors, languages, since|text, articles$)",
    ):
        getattr(seeded, method)(language="fr")


def test_of_a_code_of_a_language_the_first_part_counts() -> None:
    assert AskRequest("Who spoke?", languages=["zh-CN", "uk_UA", "EN"]).filters.languages == ("zh", "uk", "en")
    with pytest.raises(BadInput, match=r"^the code of a language is empty: give one such as uk$"):
        AskRequest("Who spoke?", languages="")


def test_a_string_is_taken_as_a_list_of_one(seeded: Desk) -> None:
    assert {hit.article.outlet for hit in seeded.search("ceasefire", outlets="Kyiv Bulletin")} == {"Kyiv Bulletin"}
    assert seeded.check("Kyiv accepted it as it stood.", articles="jeddah-ceasefire")[0].support == "verbatim"


def test_an_unknown_outlet_is_refused_by_every_method(seeded: Desk) -> None:
    error = "no article is of the outlet Kiev Bulletin: did you mean Kyiv Bulletin?"
    for method in (seeded.ask, seeded.search, lambda *words, **options: list(seeded.stream(*words, **options))):
        with pytest.raises(BadInput) as refused:
            method("Who led the delegation?", outlets=["Kiev Bulletin"])
        assert str(refused.value) == error
