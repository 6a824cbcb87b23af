"""Reads question files: JSON Lines, one question each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

from index.read.formats.records import read_jsonl
from index.text.days import parse_date
from index.text.fold import words
from index.types import BadInput, translated
from qa.request import AskRequest, strings

Strings = tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A question with what is known of it. Empty `answers` or `articles`: no label, not "none".

    `answers` has a tuple of accepted strings for each part of the answer; nearly always there is one part.
    `wrong` are answers that must not be given. `articles` has the grade of each article that answers, 1 or more.
    `outlets`, `languages` and `as_of`, the day of which is asked, restrict the search; `group` names a part of the set
    that is counted on its own.
    """

    id: str
    question: str
    answers: tuple[Strings, ...] = ()
    wrong: Strings = ()
    articles: Mapping[str, int] = field(default_factory=dict)
    answerable: bool = True
    choices: Strings = ()
    asked: date | None = None
    as_of: date | None = None
    outlets: Strings = ()
    languages: Strings = ()
    group: str = ""


# "notes" may hold anything: it is not read
IN_FILES = ["answer" if f.name == "answers" else f.name for f in fields(Question)]


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a file. Raises BadInput that names the line for anything that is not as specified."""
    with translated(BadInput, f"{path} cannot be read", OSError):
        lines = path.read_bytes().split(b"\n")
    return questions_of(lines, str(path))


def questions_of(lines: Iterable[bytes], name: str) -> list[Question]:
    """Return the questions of the lines of a file of this name; see `read_questions`."""
    questions: dict[str, Question] = {}
    for row, place in read_jsonl(lines):
        if isinstance(row, BadInput):
            raise BadInput(f"{name}, {place} is {row}") from row
        with translated(BadInput, f"{name}, {place}", BadInput):
            question = parse(row)
            if question.id in questions:
                raise BadInput(f"the id {question.id} stands there twice")
        questions[question.id] = question
    if not questions:
        raise BadInput(f"{name} holds no questions")
    return list(questions.values())


def parse(row: Any) -> Question:
    """Return the question that a line of a question file describes. Raises BadInput for what is not as specified."""
    if not isinstance(row, dict) or not isinstance(row.get("question"), str) or type(row.get("id")) not in (str, int):
        raise BadInput('expected an object with "id" and "question"')
    others: dict[str, Any] = {
        name: _labels(row.get(name), name) for name in ("choices", "wrong", "outlets", "languages")
    }
    AskRequest(row["question"], choices=others["choices"])  # what cannot be asked is told now, not after an hour
    if unknown := row.keys() - {*IN_FILES, "notes"}:
        raise BadInput(f"unknown field {', '.join(sorted(unknown))}: use {', '.join(IN_FILES)}")
    answers: Any = row.get("answer")
    articles, answerable = row.get("articles"), row.get("answerable", True)
    in_parts = isinstance(answers, list | tuple) and any(isinstance(part, list | tuple) for part in answers)
    parts = tuple(_labels(part, "answer") for part in (answers if in_parts else [answers]))
    if in_parts and () in parts:
        raise BadInput("a part of the answer is empty: list what is accepted for it")
    grades = articles if isinstance(articles, dict) else dict.fromkeys(_labels(articles, "articles"), 1)
    if not all(type(grade) is int and grade > 0 for grade in grades.values()):
        raise BadInput("articles: grades are whole numbers of 1 or more")
    if type(answerable) is not bool:
        raise BadInput("answerable is neither true nor false")
    others |= {day: parse_date(row[day]) if row.get(day) else None for day in ("asked", "as_of")}
    others["group"] = str(row.get("group", ""))
    return Question(
        str(row["id"]), row["question"], tuple(filter(None, parts)), articles=grades, answerable=answerable, **others
    )


def _labels(value: Any, name: str) -> Strings:
    """Return one or several labels as text: 42, 42.0 and true as "42" and "true", null as none.

    Raises BadInput for an empty one, and for words that no text holds, such as "–", or nearly every text does.
    """
    values = value if isinstance(value, list | tuple) else [] if value is None else [value]
    labels = strings([_written(one) for one in values], name)
    for label in labels:
        if not label.strip() if name in ("articles", "outlets", "languages") else set(words(label)) <= {"an", "the"}:
            raise BadInput(f"{name} has {label!r}, which nothing can be told by: mend it, or leave {name} out")
    return labels


def _written(value: Any) -> Any:
    """Return a JSON number, true or false as people write it, anything else as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value) if isinstance(value, int) else value


def as_row(question: Question) -> dict[str, Any]:
    """Return the line of a question file that describes a question; `parse` reads it back."""
    row = dict(zip(IN_FILES, vars(question).values(), strict=True))
    return row | {day: row[day] and row[day].isoformat() for day in ("asked", "as_of")}
