"""Questions that follow on others: when they are rewritten, by whom, and what of a conversation is believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from scripted import scripted

from qa import BadInput, Desk
from qa.request import AskRequest
from qa.steps.converse import INSTRUCTIONS, Message, follows, rewrite

ASKED: list[Message] = [
    ("user", "Who heads the Office of the President of Ukraine?"),
    ("assistant", "Andriy Yermak, who heads the Office of the President of Ukraine, spoke in Paris. [1]"),
]
HISTORY = [{"role": role, "content": content} for role, content in ASKED]


def replying(reply: str, asked: list[Sequence[Message]]) -> Callable[[Sequence[Message]], Iterator[str]]:
    def ask(messages: Sequence[Message]) -> Iterator[str]:
        asked.append(messages)
        yield from reply

    return ask


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Where did he speak?", True),
        ("And when?", True),
        ("What about Rustem Umerov?", True),
        ("Why?", True),
        ("Who else took part in the talks in Paris?", True),
        ("When will it be signed?", True),
        ("What is the inflation rate?", True),  # it names nothing of its own
        ("When will Ukraine and the United States sign the minerals agreement?", False),
        ("Who heads the Office of the President of Ukraine?", False),
    ],
)
def test_which_questions_lean_on_others(question: str, expected: bool) -> None:
    assert follows(question) is expected


def test_without_a_model_names_and_terms_are_carried_over() -> None:
    assert rewrite("Where did he speak?", ASKED, None) == (
        "Where did he speak (Office of the President of Ukraine, Andriy Yermak, Paris, heads)?"
    )
    assert rewrite("And what of Andriy Yermak in Paris?", ASKED, None) == (
        "And what of Andriy Yermak in Paris (Office of the President of Ukraine, heads)?"
    )


def test_what_stands_alone_stays_as_it_is() -> None:
    whole = "When will Ukraine and the United States sign the minerals agreement?"
    asked: list[Sequence[Message]] = []
    for history in ([], ASKED, [("assistant", "Hello.")]):
        assert rewrite(whole, history, None) == whole
        assert rewrite(whole, history, replying("What?", asked)) == whole
    for history in ([], [("assistant", "Hello.")]):
        assert rewrite("Where did he speak?", history, None) == "Where did he speak?"
    assert asked == []  # no model is asked for nothing


def test_a_model_rewrites() -> None:
    asked: list[Sequence[Message]] = []
    for reply in (
        "Where did Andriy Yermak speak?",
        '\n "Where did Andriy Yermak speak?"\nI replaced "he".',
        "**Where did Andriy Yermak speak?**",
    ):
        assert rewrite("Where did he speak?", ASKED, replying(reply, asked)) == "Where did Andriy Yermak speak?"
    (system, instructions), (user, content) = asked[0]
    assert (system, user, instructions) == ("system", "user", INSTRUCTIONS)
    assert content == f"user: {ASKED[0][1]}\nassistant: {ASKED[1][1]}\n\nThe last question: Where did he speak?"


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "\n\n",
        "He spoke in Paris.",
        "Andriy Yermak spoke in Paris.",
        "Who is the mayor of Vilnar?",
        "<think>\nWhere did Andriy Yermak speak?",
        "I cannot help with that. Where did Andriy Yermak speak",
    ],
)
def test_rubbish_of_a_model_is_not_used(reply: str) -> None:
    assert rewrite("Where did he speak?", ASKED, replying(reply, [])) == rewrite("Where did he speak?", ASKED, None)


def test_a_long_history_is_cut() -> None:
    asked: list[Sequence[Message]] = []
    history = [(role, f"turn {n} " + "x" * 5000) for n in range(50) for role in ("user", "assistant")]
    rewrite("Where did he speak?", history, replying("", asked))
    content = asked[0][1][1]
    assert [line[:20] for line in content.split("\n")][:6] == [
        "user: turn 47 xxxxxx", "assistant: turn 47 x", "user: turn 48 xxxxxx", "assistant: turn 48 x",
        "user: turn 49 xxxxxx", "assistant: turn 49 x",
    ]  # fmt: skip
    assert len(content) < 4000
    many = [("user", " ".join(f"Name{n} wordy{n}" for n in range(500)))]
    assert len(rewrite("Where did he speak?", many, None)) < 200


@pytest.mark.parametrize(
    "history",
    [
        [{"role": "system", "content": "Obey."}],
        [{"role": "user"}],
        [{"content": "Who?"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": ["Who?"]}],
        ["Who?"],
        "Who?",
        {"role": "user", "content": "Who?"},
        None,
        7,
    ],
)
def test_histories_that_cannot_be_read(seeded: Desk, history: Any) -> None:
    with pytest.raises(BadInput) as raised:
        seeded.ask("Who?", history=history)
    assert str(raised.value) == 'history is a list of {"role": "user" or "assistant", "content": text}'


def test_turns() -> None:
    assert AskRequest("Who?", history=HISTORY).turns == ASKED
    assert AskRequest("Who?").turns == []


# Through the desk


def test_a_conversation_without_a_model(seeded: Desk) -> None:
    answer = seeded.ask("Where did he describe the meetings afterwards?", history=HISTORY)
    assert answer.question == "Where did he describe the meetings afterwards?"
    assert answer.rewritten == (
        "Where did he describe the meetings afterwards "
        "(Office of the President of Ukraine, Andriy Yermak, Paris, heads)?"
    )
    assert "Telegram" in answer.text
    assert "rewrite" in answer.timings_ms
    whole = seeded.ask("When will Ukraine and the United States sign the minerals agreement?", history=HISTORY)
    assert whole.rewritten is None
    assert "April 24" in whole.text


def test_a_conversation_with_a_model(seeded: Desk) -> None:
    replies = iter(["Where did Andriy Yermak describe the meetings in Paris afterwards?", "He did so on Telegram."])
    llm = scripted()
    llm.script = lambda: iter([next(replies)])
    answer = seeded.ask("Where did he describe the meetings afterwards?", llm=llm, history=HISTORY)
    assert answer.rewritten == "Where did Andriy Yermak describe the meetings in Paris afterwards?"
    assert answer.question == "Where did he describe the meetings afterwards?"
    rewriting, writing = llm.asked
    assert rewriting[0][1] == INSTRUCTIONS
    assert writing[1][1].endswith(f"Question: {answer.rewritten}")
    assert seeded.ask("Where was it?", llm=scripted("No."), history=[]).rewritten is None
