"""Questions that follow on others: when they are rewritten, by whom, and what of a conversation is believed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from scripted import scripted

from qa import BadInput, Desk
from qa.request import AskRequest
from qa.steps.converse import INSTRUCTIONS, Message, follows, leans, rewrite

ASKED: list[Message] = [
    ("user", "Who heads the Office of the President of Ukraine?"),
    ("assistant", "Andriy Yermak, who heads the Office of the President of Ukraine, spoke in Paris. [1]"),
]
TALK = Path(__file__).parent / "sets" / "talk"
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


# Each is whole by itself, whatever was said before.
WHOLE = [
    "How many guests came to the regatta in Sundal this year?",
    "And who succeeded Mira Tande?",
    "Is it true that Kestrel will close its works in Orsund?",
    "Are there bears in the Tolva hills?",
    "How many schools are there in Sundal?",
    "How long does it take to walk from Sundal to Orsund?",
    "Did Mira Tande say why she resigned?",
    "What did Kestrel do after it lost the Orsund contract?",
    "What did the former mayor of Sundal say?",
    "Why did the fishers of Orsund say they blocked the port?",
    "But did Jonas Lind win?",
    "Was it Jonas Lind who named Per Holm?",
    "Is it legal to fish in the Orla?",
    "When will it rain in Vilnar?",
    "What happened to those who fled Sundal?",
    "Is it known why the Kestrel works burned?",
    "Which crews left Sundal at the same time?",
    "What happens in Sundal this weekend?",
    "Can you tell me who runs Kestrel?",
    "What is Åsa Berg's job?",
    "Did Łukasz Wolny say that he would run?",
    "What did Élysée Palace announce this week?",
    "Who is al-Rashid?",
    "What about the ferry between Sundal and Orsund?",
    "Vilnar?",
]
LEANING = [
    "Where did he speak?",
    "And when?",
    "What about Per Holm?",
    "Why?",
    "And in Paris?",
    "And Sundal?",
    "What happened next?",
    "What prize did she win?",
    "How many votes did he get in Orsund?",
    "Who signed that agreement?",
    "How did that happen?",
    "Who owns this company?",
    "What did Lind say about him?",
    "Did the ministry approve it?",
    "Who else?",
    "By whom?",
    "What is its name?",
    "Who lives there?",
    "Did Lind thank her?",
    "What did the former say?",
    "Did the same happen in Orsund?",
    "And the mayor?",
    "Tell me more.",
    "Is it open?",
]


@pytest.mark.parametrize("question", WHOLE)
def test_what_is_whole_is_asked_as_it_stands(question: str) -> None:
    assert rewrite(question, ASKED, None) == question


@pytest.mark.parametrize("question", LEANING)
def test_what_leans_is_made_complete(question: str) -> None:
    assert leans(question)
    assert re.search("Yermak|Office|Ukraine|Paris", rewrite(question, ASKED, None))


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        ("Who is the mayor of Harlow?", "And of Kells?", "Who is the mayor of Kells?"),
        ("Who is the mayor of Harlow?", "What about Kells?", "Who is the mayor of Kells?"),
        ("What did Mira Tande say in Paris?", "And in Łódź?", "What did Mira Tande say in Łódź?"),
        ("What did Mira Tande say in Paris?", "And Haroun al-Rashid?", "What did Haroun al-Rashid say in Paris?"),
        ("Tell me about the Oxton mill.", "Was anyone hurt?", "Was anyone hurt (Oxton, mill)?"),
        ("Can you please tell me about Åsa Berg?", "Where does she live?", "Where does she live (Åsa Berg)?"),
        ("Who met Juan de la Cruz?", "Where was it?", "Where was it (Juan de la Cruz, met)?"),
        ("Did Rhys O’Neill see the Élysée?", "And when?", "When did Rhys O’Neill see the Élysée?"),
        ("What did the price of herring do?", "Why?", "Why did the price of herring do?"),
    ],
)
def test_only_what_is_needed_is_carried(before: str, question: str, expected: str) -> None:
    assert rewrite(question, [("user", before), ("assistant", "The archive does not answer this question.")], None) == (
        expected
    )


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        ("What is the price of coal in Oxton?", "What happened there in June?", "What happened in Oxton in June?"),
        ("Who is mayor of Kells?", "Who lived there before the war?", "Who lived in Kells before the war?"),
        ("Who leads Kells council?", "And what about the rent there?", "And what about the rent in Kells?"),
        ("Who is mayor of Kells?", "Did anything happen there on Monday?", "Did anything happen in Kells on Monday?"),
        ("Who leads the Oxton strike?", "Thank you! And the ministry?", "And the ministry (Oxton, leads, strike)?"),
        ("Who leads the Oxton strike?", "Thanks. What does he want?", "What does he want (Oxton, leads, strike)?"),
        ("Who leads the Oxton strike?", "Good. And the price?", "And the price (Oxton, leads, strike)?"),
        ("Who leads the Oxton strike?", "Hello again! Who heads Kells?", "Hello again! Who heads Kells?"),
        ("What burned in Kells in June?", "Was anyone hurt?", "Was anyone hurt (Kells, burned)?"),
        ("Who is mayor of Kells?", "Who was born in Oxton and went there?", "Who was born in Oxton and went there?"),
    ],
)  # fmt: skip
def test_places_are_put_in_and_thanks_and_months_left_out(before: str, question: str, expected: str) -> None:
    assert rewrite(question, [("user", before), ("assistant", "The archive does not answer this question.")], None) == (
        expected
    )


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        ("Did the council close the pool?", "Why?", "Why did the council close the pool?"),
        ("Did the council close the pool?", "How so?", "Why did the council close the pool?"),
        ("Did the council close the pool?", "And since when?", "Since when did the council close the pool?"),
        ("Is the Oxton mill closed?", "Until when?", "Until when is the Oxton mill closed?"),
        ("Is the Oxton mill closed?", "Why is that?", "Why is the Oxton mill closed?"),
        ("Has Kells sold its mill?", "By whom?", "By whom has Kells sold its mill?"),
        ("When did Kells sell its mill?", "Why?", "Why did Kells sell its mill?"),
        ("How many votes did Per Holm get?", "Where?", "Where votes did Per Holm get?"),
        ("Who runs the buses in Kells?", "Since when?", "Since when Tern runs the buses in Kells?"),
        ("Can you tell me who won in Kells?", "When?", "When Tern won in Kells?"),
        ("What was the rent in Kells in 2024?", "And the year before?", "What was the rent in Kells in 2023?"),
        ("What was the rent in Kells in 2024?", "And a year later?", "What was the rent in Kells in 2025?"),
        ("What was the rent in Kells in 2024?", "And in 2019?", "What was the rent in Kells in 2019?"),
        ("What was the rent in Kells?", "What about 2019?", "What was the rent in Kells in 2019?"),
    ],
)
def test_what_is_asked_of_the_last_question_is_exchanged(before: str, question: str, expected: str) -> None:
    assert (
        rewrite(question, [("user", before), ("assistant", "In Kells it is Tern, since Monday. [1]")], None) == expected
    )


PAPER = {
    "match": "Vessa beat Tornby 3-1 in the cup on Saturday. Milo Franks scored twice. Tickets cost 18 crowns, and "
    "12,400 people watched. The vote of the fans went to Franks.",
    "dam": "The Aldern dam is safe, engineers said on Tuesday. A crack was found in its eastern wall in March.",
    "tax": "Parliament rejected the sugar tax by 88 votes to 71. A minister had proposed it.",
    "ferry": "A new ferry between Morrow and Skarn began service on Monday. It carries 220 passengers.",
    "storm": "A storm passed over Kessin on Monday night. The lighthouse was damaged and nobody died.",
    "poll": "Jonas Lind won the election in Dorn with 54 percent of the vote. Turnout was 68 percent. Many cheered.",
    "mill": "Three people died in a fire at the mill in Ostra on Sunday. A faulty dryer caused the fire.",
}


@pytest.mark.parametrize(
    ("before", "question", "article", "said"),
    [
        ("Who scored for Vessa?", "What about the dam?", "dam", "safe"),
        ("Who scored for Vessa?", "And the dam?", "dam", "safe"),
        ("Who scored for Vessa?", "How about the sugar tax?", "tax", "rejected"),
        ("Who scored for Vessa?", "And what about the ferry?", "ferry", "began"),
        ("Who scored for Vessa?", "And the storm?", "storm", "passed"),
        ("Who scored for Vessa?", "What about the lighthouse?", "storm", "damaged"),
        ("Who scored for Vessa?", "What happened at the dam?", "dam", "dam"),
        ("Who scored for Vessa?", "And the election?", "poll", "won"),
        ("Who scored for Vessa?", "And the crack?", "dam", "crack"),
        ("Who scored for Vessa?", "And the minister?", "tax", "proposed"),
        ("Who scored for Vessa?", "And tickets?", "match", "18"),
        ("Who scored for Vessa?", "How many watched?", "match", "12,400"),
        ("Who scored for Vessa?", "And the vote?", "match", "fans"),
        ("Who won the election in Dorn?", "And turnout?", "poll", "68"),
        ("What caused the fire in Ostra?", "How many died?", "mill", "Three"),
    ],
)
def test_a_noun_of_its_own_is_the_subject_where_the_last_one_has_no_such_thing(
    desk: Desk, before: str, question: str, article: str, said: str
) -> None:
    write(desk, **PAPER)
    history = [{"role": "user", "content": before}, {"role": "assistant", "content": desk.ask(before).text}]
    first = desk.ask(question, history=history).citations[0]
    assert first.article_id == article
    assert said in first.quote


@pytest.mark.parametrize(
    "asked",
    ["Tell me about {}.", "What do you know about {}?", "Anything on {}?", "Summarise what we have on {}",
     "News on {}?",
     "Give me a summary of {}.",
     "Do you have anything about {}?", "What's new on {}?", "Please brief me on {}",
     "Is there any news about {}?", "What has been reported about {}?", "What about {}?"],
)  # fmt: skip
def test_what_asks_for_anything_on_a_topic_gets_what_is_first_said_of_it(desk: Desk, asked: str) -> None:
    write(desk, **PAPER)
    leads = {
        "the Aldern dam": "The Aldern dam is safe",
        "the sugar tax": "Parliament rejected the sugar tax",
        "the Kessin lighthouse": "The lighthouse was damaged",
        "Milo Franks": "Milo Franks scored twice",
    }
    for topic, lead in leads.items():
        answer = desk.ask(asked.format(topic))
        assert answer.answered, topic
        assert answer.text.startswith(lead), topic
    for topic in ("the Zorba volcano", "quantum computers", "Quentin Marsh"):
        assert not desk.ask(asked.format(topic)).answered, topic


def test_a_whole_question_is_shown_as_it_stands_where_it_finds_the_same(desk: Desk) -> None:
    write(desk, fire="A fire burned down the mill of Oxton in June. Tom Rask put the damage at 3 million crowns.")
    before = [{"role": "user", "content": "What burned down in Oxton in June?"},
              {"role": "assistant", "content": "A fire burned down the mill of Oxton in June. [1]"}]  # fmt: skip
    assert desk.ask("Who put the damage at 3 million crowns?", history=before).rewritten is None


def test_nothing_piles_up() -> None:
    history: list[Message] = []
    for question in ("Who is the mayor of Harlow?", "Who met Per Holm?", "What did Mira Tande sell?", "thanks!"):
        history += [("user", question), ("assistant", "Nobody knows.")]
    assert rewrite("And when?", history, None) == "When did Mira Tande sell?"
    history += [
        ("user", "And when?"),
        ("assistant", "On Friday in Sundal. [1]"),
        ("user", "Why?"),
        ("assistant", "So."),
    ]
    assert rewrite("Where was it?", history, None) == "Where was it (Mira Tande, sell)?"


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


def test_a_question_that_names_nothing_is_asked_with_what_was_said_where_that_is_answered(desk: Desk) -> None:
    write(desk, mill="The paper mill in Oxton burned down on Sunday. Nobody was hurt in the mill.",
          eggs="Egg prices rose by a third since autumn, because the birds of the south had the flu.",
          bus="A bus fell over near Brenn on Monday. Two people were hurt.")  # fmt: skip
    before = [{"role": "user", "content": "Tell me about the Oxton mill."},
              {"role": "assistant", "content": "The paper mill in Oxton burned down on Sunday. [1]"}]  # fmt: skip
    leaning = desk.ask("Was anyone hurt?", history=before)
    assert (leaning.rewritten, leaning.citations[0].article_id) == ("Was anyone hurt (Oxton, mill)?", "mill")
    for question, found in (("Why did egg prices rise?", "eggs"), ("And which bus fell over?", "bus")):
        alone = desk.ask(question, history=before)
        assert (alone.rewritten, alone.citations[0].article_id) == (None, found)


@pytest.mark.parametrize(
    "said", ["thanks", "Thank you very much!", "Hello", "ok, thanks a lot", "That was very helpful."]
)
def test_small_talk_is_no_question(desk: Desk, said: str) -> None:
    write(desk, mill="Thanks to the rain the paper mill in Oxton, which is very helpful, said hello again.")
    answer = desk.ask(said, history=HISTORY, llm=scripted("You are welcome, says Oxton."))
    assert answer.refusal is not None
    assert (answer.answered, answer.refusal.reason, answer.citations, answer.rewritten) == (
        False,
        "no_question",
        (),
        None,
    )
    assert answer.text == "That is no question: ask something about the articles in the archive."


def test_conversations(desk: Desk) -> None:
    """Of questions that stand alone at least 95 % are asked as they stand, of others 80 % find what whole ones do."""
    desk.ingest([TALK / "articles.jsonl"])
    alone, found = [], []
    for line in (TALK / "conversations.jsonl").read_text("utf-8").splitlines()[::2]:
        history: list[dict[str, str]] = []
        for turn in json.loads(line)["turns"]:
            answer = desk.ask(turn["question"], history=history)
            if "whole" in turn:
                found.append(bool(answer.citations) and answer.citations[0].article_id == turn["article"])
            elif "article" in turn:
                alone.append(answer.rewritten is None)
            history += [{"role": "user", "content": turn["question"]}, {"role": "assistant", "content": answer.text}]
    assert sum(alone) >= 0.95 * len(alone)
    assert sum(found) >= 0.8 * len(found)


def write(desk: Desk, **texts: str) -> None:
    folder = desk.index.folder / "in"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.json").write_text(json.dumps({"id": name, "title": name.title(), "text": text}))
    desk.ingest([folder])
