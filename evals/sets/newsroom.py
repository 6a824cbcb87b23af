"""An invented newsroom's archive with questions (evals/newsroom): a folder with `articles/` and `questions*.jsonl`.

Reports in the forms of life, on stories whose figures change, are corrected or told differently. `right` is what it
asks for: an accepted answer, all parts of it, with nothing stale before it; of refusals `refusal_recall` tells.
"""

import re
from pathlib import Path

from evals.metrics import Metric, Result, fold
from evals.questions import Strings
from evals.sets import Batches, read_json
from index.read import read
from index.text.numbers import in_digits
from index.types import Article, BadInput


def load(path: Path) -> Batches:
    asked = sorted(path.glob("questions*.jsonl")) if path.is_dir() else [path]
    folder = (path if path.is_dir() else path.parent) / "articles"
    found = [vars(one.item) for one in read([folder]) if isinstance(one.item, Article)]
    found = [{**article, "published": (day := article["published"]) and day.isoformat()} for article in found]
    if not found or not asked:
        raise BadInput(f"{folder} holds no articles, or no questions*.jsonl stands beside it")
    yield found, [row for file in asked for row in read_json(file)]


def _at(text: str, accepted: Strings) -> int | None:
    """Return where a text first says one of these; numbers in words and in digits are the same."""
    places = (_plain(text).find(_plain(said)) for said in accepted)
    return min((place for place in places if place >= 0), default=None)


def _plain(text: str) -> str:
    joined = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", re.sub(r"per ?cent\b|%", " pct ", text.lower()))
    return f" {fold(in_digits(joined))} "


def _stale(r: Result) -> bool:
    """Tell whether an answer says what is wrong before it says what is right, or without that."""
    places = [_at(r.text, part) for part in r.question.answers]
    wrong = _at(r.text, r.question.wrong)
    return r.answered and wrong is not None and wrong < min((p for p in places if p is not None), default=len(r.text))


def _right(r: Result) -> float | None:
    if not r.question.answerable:
        return None
    return float(r.answered and all(_at(r.text, part) is not None for part in r.question.answers) and not _stale(r))


METRICS: dict[str, Metric] = {
    "right": _right,
    "stale": lambda r: float(_stale(r)) if r.question.answerable and r.question.wrong else None,
}
