"""What people leave beside the archive: their conversations, and what they said of answers.

In one SQLite file, or in the database of an archive that has one.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from index.types import BadInput, CopydeskError, digest
from qa.request import QUESTION_WORDS

Fault = Literal["wrong source", "wrong answer", "should have refused"]
FAULTS: tuple[Fault, ...] = ("wrong source", "wrong answer", "should have refused")
TITLE = 120  # characters of a conversation's name
SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS talks (id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, changed TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS talks_of ON talks (owner, changed);
CREATE TABLE IF NOT EXISTS turns (
    talk TEXT NOT NULL REFERENCES talks ON DELETE CASCADE, n INTEGER NOT NULL, asked TEXT NOT NULL,
    answer TEXT NOT NULL, good INTEGER, faults TEXT NOT NULL DEFAULT '[]', PRIMARY KEY (talk, n)
) WITHOUT ROWID;
"""


class Keeper(Protocol):
    """A database that runs a statement as a transaction of its own, and makes tables where they are not there."""

    def run(self, query: str, *values: object) -> list[Any]: ...

    def make(self, script: str) -> None: ...


class UnknownTalk(BadInput):
    """No conversation of this owner has this id, or no answer this number."""


@dataclass(frozen=True)
class Talk:
    """A conversation: its name, which begins as its first question, and when it last changed (UTC, ISO)."""

    id: str
    title: str
    changed: str


@dataclass(frozen=True)
class Turn:
    """The `n`-th question of a conversation, from 1: what was asked, the Answer as JSON, its rating."""

    n: int
    asked: dict[str, Any]
    answer: dict[str, Any]
    good: bool | None = None
    faults: tuple[str, ...] = ()


class Kept:
    """An open file of conversations, or the tables of a database.

    Each belongs to an `owner`, a user's name or ""; nobody else's are found.

    Methods may be called from several threads. Raises UnknownTalk for a conversation or turn that is not there.
    """

    def __init__(self, path: Path | Keeper) -> None:
        self._lock = threading.Lock()
        if not isinstance(path, Path):
            path.make(SCHEMA)
            self._db, self._run = None, path.run
            return
        self._run = self._in_file
        try:
            path.touch()
            path.chmod(0o600)  # what SQLite writes beside it is as closed
            self._db = db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            db.executescript(SCHEMA)
            db.create_function("fold", 1, str.casefold, deterministic=True)  # SQLite's lower knows only ASCII
            db.execute("PRAGMA foreign_keys = ON")
        except (OSError, sqlite3.Error) as error:
            raise CopydeskError(f"conversations cannot be kept in {path} ({error}): move that file away") from error

    def close(self) -> None:
        if self._db:  # a database is closed by its archive
            self._db.close()

    def begin(self, owner: str, title: str) -> Talk:
        """Begin a conversation, empty as yet."""
        talk = Talk(secrets.token_urlsafe(9), _title(title), _now())
        self._run("INSERT INTO talks VALUES (?, ?, ?, ?)", talk.id, owner, talk.title, talk.changed)
        return talk

    def talks(self, owner: str, search: str = "", limit: int = 50, offset: int = 0) -> list[Talk]:
        """Return conversations, the last changed first, whose name, questions or answers hold all words of `search`."""
        if len(search.split()) > QUESTION_WORDS:  # SQLite takes no expression of a thousand parts
            raise BadInput(f"q has over {QUESTION_WORDS} words: look for fewer")
        held = """ AND (instr(fold(title), fold(?)) > 0 OR EXISTS (SELECT 1 FROM turns WHERE talk = id AND
            (instr(fold(asked ->> 'question'), fold(?)) > 0 OR instr(fold(answer ->> 'text'), fold(?)) > 0)))"""
        words = [word for word in search.casefold().split() for _ in range(3)]
        where = f"WHERE owner = ?{held * (len(words) // 3)} ORDER BY changed DESC LIMIT ? OFFSET ?"
        query = f"SELECT id, title, changed FROM talks {where}"
        return [Talk(*row) for row in self._run(query, owner, *words, limit, offset)]

    def talk(self, owner: str, talk: str) -> Talk:
        """Return a conversation."""
        found = self._run("SELECT id, title, changed FROM talks WHERE owner = ? AND id = ?", owner, talk)
        if not found:
            raise UnknownTalk("there is no such conversation: it may have been deleted")
        return Talk(*found[0])

    def turns(self, owner: str, talk: str, n: int | None = None) -> list[Turn]:
        """Return the questions and answers of a conversation, oldest first, or the `n`-th alone."""
        self.talk(owner, talk)
        those = "FROM turns WHERE talk = ? AND n = coalesce(?, n) ORDER BY n"
        rows = self._run(f"SELECT n, asked, answer, good, faults {those}", talk, n)
        if n and not rows:
            raise UnknownTalk(f"this conversation has no answer {n}")
        return [_turn(*row) for row in rows]

    def add(self, owner: str, talk: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> int:
        """Keep a question with its answer as the last turn, and return its number."""
        self.talk(owner, talk)
        number = "(SELECT coalesce(max(n), 0) + 1 FROM turns WHERE talk = ?1)"
        [(n,)] = self._run(
            f"INSERT INTO turns (talk, n, asked, answer) VALUES (?1, {number}, ?2, ?3) RETURNING n",
            talk, json.dumps(asked), json.dumps(answer),  # in ASCII: what was typed may hold halves of characters
        )  # fmt: skip
        self._run("UPDATE talks SET changed = ? WHERE id = ?", _now(), talk)
        return int(n)

    def cut(self, owner: str, talk: str, n: int) -> None:
        """Drop the `n`-th turn and all after it: the question is asked anew."""
        self.talk(owner, talk)
        self._run("DELETE FROM turns WHERE talk = ? AND n >= ?", talk, n)

    def rename(self, owner: str, talk: str, title: str) -> None:
        """Give a conversation another name."""
        self.talk(owner, talk)
        self._run("UPDATE talks SET title = ? WHERE id = ?", _title(title), talk)

    def delete(self, owner: str, talk: str) -> None:
        """Forget a conversation for good."""
        self.talk(owner, talk)
        self._run("DELETE FROM talks WHERE id = ?", talk)

    def rate(self, owner: str, talk: str, n: int, good: bool | None, faults: Sequence[str] = ()) -> None:
        """Say whether the `n`-th answer was good, and what was wrong, of `FAULTS`; None takes it back."""
        self.talk(owner, talk)
        if unknown := set(faults) - set(FAULTS):
            raise BadInput(f"{unknown.pop()} is no fault of an answer: use {', '.join(FAULTS)}")
        rated = self._run(
            "UPDATE turns SET good = ?, faults = ? WHERE talk = ? AND n = ? RETURNING n",
            None if good is None else int(good), json.dumps(list(faults)), talk, n,
        )  # fmt: skip
        if not rated:
            raise UnknownTalk(f"this conversation has no answer {n}")

    def rated(self, owner: str | None = None) -> list[Turn]:
        """Return all turns that an owner rated, or anybody, oldest first."""
        where = "WHERE talk = id AND good IS NOT NULL AND owner = coalesce(?, owner) ORDER BY changed, n"
        rows = self._run(f"SELECT n, asked, answer, good, faults FROM turns, talks {where}", owner)
        return [_turn(*row) for row in rows]

    def _in_file(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        assert self._db
        with self._lock, closing(self._db.cursor()) as cursor:
            try:
                return cursor.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise CopydeskError(f"conversations cannot be kept ({error}): see that the disk has room") from error


def questions_of(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Return rated turns as lines of a question file, of the same question the last."""
    return list({row["id"]: row for row in map(question_of, turns)}.values())


def question_of(turn: Turn) -> dict[str, Any]:
    """Return a rated turn as a line of a question file; the same question, asked the same way, has the same id."""
    asked, answer, said = turn.asked, turn.answer, turn.answer["sentences"]
    row: dict[str, Any] = {"question": answer["rewritten"] or answer["question"]}
    row |= {name: asked[name] for name in ("outlets", "languages", "choices", "asked", "as_of") if asked.get(name)}
    row["id"] = digest(json.dumps(row, sort_keys=True), 6)
    phrases = [one["text"][one["answer"]["start"] : one["answer"]["end"]] for one in said if one["answer"]][:1]
    used = {n for one in said for n in one["citations"]}
    articles = list(dict.fromkeys(c["article_id"] for c in answer["citations"] if c["n"] in used))
    if turn.good:
        row |= {"answerable": answer["answered"], "articles": articles, "answer": phrases}
    if "should have refused" in turn.faults:
        row["answerable"] = False
    if "wrong answer" in turn.faults:
        row["wrong"] = phrases or [one["text"] for one in said[:1]]
    return row | ({"notes": {"wrong source": articles}} if "wrong source" in turn.faults else {})


def _turn(n: int, asked: str, answer: str, good: int | None, faults: str) -> Turn:
    rated = None if good is None else bool(good)
    return Turn(n, json.loads(asked), json.loads(answer), rated, tuple(json.loads(faults)))


def _title(title: str) -> str:
    shown = " ".join(title.encode("utf-8", "replace").decode().split())
    if not shown:
        raise BadInput("a conversation needs a name")
    return shown if len(shown) <= TITLE else f"{shown[: TITLE - 1]}…"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
