"""Public data sets, read from the files that their authors publish, turned into articles and questions.

A loader is a module with `load(path)`: it yields, all at once or bit by bit, article objects as `copydesk ingest` takes
them (of those with one id the last counts), and question objects as `copydesk eval` takes them or the claims of
`evals.claims`. `METRICS` are those that only this set knows. None of the data comes with Copydesk.
"""

import gzip
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from evals.metrics import Metric
from index.types import BadInput

NAMES = ("realtimeqa", "multihoprag", "rgb", "squad2", "beir", "bipia", "newsroom", "planted")
CLAIMS = ("summedits", "wice", "ragtruth")  # Their rows are claims to check, not questions.
Rows = list[dict[str, Any]]
Batches = Iterator[tuple[Rows, Rows]]


def load(name: str, path: Path) -> tuple[Rows, Rows]:
    """Return the articles and the questions of a set. Raises BadInput that says what is not there or not understood."""
    try:
        batches = list(import_module(f"evals.sets.{name}").load(path))
    except (EOFError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(f"{getattr(error, 'filename', None) or path} cannot be read: {reason}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not the JSON that {name} publishes: {error}") from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
        raise BadInput(f"{path} does not look like {name} ({why}): evals/sets/{name}.py tells its files") from error
    articles = list({article["id"]: article for brought, _ in batches for article in brought}.values())
    questions = [question for _, asked in batches for question in asked]
    if not articles or not questions:
        raise BadInput(f"{path} holds no {'questions' if articles else 'articles'} of {name}")
    return articles, questions


def metrics(name: str) -> dict[str, Metric]:
    """Return the metrics of this set only."""
    return getattr(import_module(f"evals.sets.{name}"), "METRICS", {}) if name else {}


def read_json(path: Path) -> Rows:
    """Return the objects of a .json or .jsonl file, also gzipped: a list's members, or one object a line."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        text = file.read()
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        whole = [json.loads(line) for line in text.split("\n") if line.strip()]
    return whole if isinstance(whole, list) else [whole]


def one_of(folder: Path, *names: str) -> Path:
    """Return the first of these files that a folder holds."""
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise BadInput(f"{folder} holds no {' or '.join(names)}")
