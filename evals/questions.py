"""Reads question files: JSON Lines, one question each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from index.read.dates import parse_date
from index.types import BadInput

FIELDS = {"id", "question", "answer", "articles", "answerable", "choices", "asked"}


@dataclass(frozen=True)
class Question:
    """A question with what is known of it. Empty `answers` or `articles`: no label, not "none"."""

    id: str
    question: str
    answers: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    answerable: bool = True
    choices: tuple[str, ...] = ()
    asked: date | None = None


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a file. Raises BadInput that names the line for anything that is not as specified."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text (byte {error.start})") from error
    questions: dict[str, Question] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = _question(json.loads(line))
        except (json.JSONDecodeError, BadInput) as error:
            raise BadInput(f"{path}, line {number}: {error}") from error
        if question.id in questions:
            raise BadInput(f"{path}, line {number}: the id {question.id} stands there twice")
        questions[question.id] = question
    if not questions:
        raise BadInput(f"{path} holds no questions")
    return list(questions.values())


def _question(row: Any) -> Question:
    if not isinstance(row, dict) or not isinstance(row.get("question"), str) or "id" not in row:
        raise BadInput('expected an object with "id" and "question"')
    if unknown := row.keys() - FIELDS:
        raise BadInput(f"unknown field {', '.join(sorted(unknown))}: use {', '.join(sorted(FIELDS))}")
    return Question(
        str(row["id"]),
        row["question"],
        _strings(row, "answer"),
        _strings(row, "articles"),
        bool(row.get("answerable", True)),
        _strings(row, "choices"),
        parse_date(row["asked"]) if row.get("asked") else None,
    )


def _strings(row: dict[str, Any], name: str) -> tuple[str, ...]:
    value = row.get(name) or []
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        raise BadInput(f"{name} is neither a string nor a list of strings")
    return tuple(values)
