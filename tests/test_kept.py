"""Conversations: kept, found, each only by its owner."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.types import BadInput, CopydeskError
from qa.kept import Kept, Talk

ASKED, ANSWER = {"question": "Who met in Paris?"}, {"text": "Umerov met Witkoff. [1]"}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    opened = Kept(tmp_path / "talks.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def talk(kept: Kept) -> Talk:
    begun = kept.begin("anna", "Who met  in\nParis?")
    kept.add("anna", begun.id, ASKED, ANSWER)
    return begun


def test_a_conversation_survives_a_restart(tmp_path: Path, talk: Talk) -> None:
    again = Kept(tmp_path / "talks.sqlite3")
    assert [found.title for found in again.talks("anna")] == ["Who met in Paris?"]
    [turn] = again.turns("anna", talk.id)
    assert (turn.n, turn.asked, turn.answer, turn.good) == (1, ASKED, ANSWER, None)
    assert stat.S_IMODE((tmp_path / "talks.sqlite3").stat().st_mode) == 0o600
    again.close()


@pytest.mark.parametrize(
    ("search", "found"), [("paris", 1), ("WITKOFF umerov", 1), ("paris berlin", 0), ("%", 0), ("", 1)]
)
def test_all_words_of_a_search_are_there(kept: Kept, talk: Talk, search: str, found: int) -> None:
    assert kept.talk("anna", talk.id).title == "Who met in Paris?"
    assert len(kept.talks("anna", search)) == found


def test_the_last_changed_comes_first_and_pages_follow(kept: Kept, talk: Talk) -> None:
    other = kept.begin("anna", "Another")
    kept.add("anna", talk.id, ASKED, ANSWER)
    assert next(found.id for found in kept.talks("anna")) == talk.id
    assert [found.id for found in kept.talks("anna", limit=1, offset=1)] == [other.id]


def test_letters_of_every_script_are_folded(kept: Kept) -> None:
    kept.begin("anna", "ÜBER ΑΘΗΝΑ")
    assert len(kept.talks("anna", "über αθηνα")) == 1


def test_nobody_else_finds_or_changes_it(kept: Kept, talk: Talk) -> None:
    assert kept.talks("ben") == []
    for attempt in (
        lambda: kept.turns("ben", talk.id),
        lambda: kept.add("ben", talk.id, ASKED, ANSWER),
        lambda: kept.cut("ben", talk.id, 1),
        lambda: kept.rename("ben", talk.id, "Mine"),
        lambda: kept.delete("ben", talk.id),
        lambda: kept.rate("ben", talk.id, 1, True),
    ):
        with pytest.raises(BadInput, match="there is no such conversation: it may have been deleted"):
            attempt()
    assert [turn.good for turn in kept.turns("anna", talk.id)] == [None]


def test_a_question_is_asked_anew(kept: Kept, talk: Talk) -> None:
    kept.add("anna", talk.id, ASKED, ANSWER)
    kept.cut("anna", talk.id, 2)
    assert kept.add("anna", talk.id, {"question": "And when?"}, ANSWER) == 2
    assert [turn.asked["question"] for turn in kept.turns("anna", talk.id)] == ["Who met in Paris?", "And when?"]


def test_it_is_renamed_and_forgotten(kept: Kept, talk: Talk) -> None:
    kept.rename("anna", talk.id, "x" * 500)
    assert kept.talk("anna", talk.id).title == "x" * 119 + "…"
    with pytest.raises(BadInput, match="a conversation needs a name"):
        kept.rename("anna", talk.id, " ")
    kept.delete("anna", talk.id)
    assert kept.talks("anna") == []


def test_answers_are_rated(kept: Kept, talk: Talk) -> None:
    assert kept.rated() == []
    kept.rate("anna", talk.id, 1, False, ["wrong source"])
    assert [(turn.good, turn.faults) for turn in kept.rated()] == [(False, ("wrong source",))]
    with pytest.raises(BadInput, match="bad taste is no fault of an answer: use wrong source, wrong answer, should"):
        kept.rate("anna", talk.id, 1, False, ["bad taste"])
    with pytest.raises(BadInput, match="this conversation has no answer 7"):
        kept.rate("anna", talk.id, 7, True)
    kept.rate("anna", talk.id, 1, None)
    assert kept.rated() == []


def test_halves_of_characters_are_kept(kept: Kept) -> None:
    begun = kept.begin("anna", "a \ud83d b")
    kept.add("anna", begun.id, {"question": "\ud83d"}, ANSWER)
    assert kept.turns("anna", begun.id)[0].asked == {"question": "\ud83d"}


def test_a_file_that_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "talks.sqlite3").write_text("something else, and long enough to be no empty database" * 9)
    with pytest.raises(CopydeskError, match=r"conversations cannot be kept in .*: move that file away"):
        Kept(tmp_path / "talks.sqlite3")
