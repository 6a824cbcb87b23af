"""Fields and heads of real exports: names of others, envelopes, slug lines, datelines, credits."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.read import Known, read
from index.types import Article

EXPORTS = Path(__file__).parent / "sets" / "exports"


def exports() -> Iterator[tuple[dict[str, Any], Article | None, Article | None]]:
    """Yield what is expected of each article of the set, and the article, read without and with its year."""
    for line in (EXPORTS / "expected.jsonl").read_text().splitlines():
        wanted = json.loads(line)
        found = [
            [f.item for f in read([EXPORTS / wanted["file"]], known=Known(year=year)) if isinstance(f.item, Article)]
            for year in (None, wanted.get("year"))
        ]
        place = wanted.get("index", 0)
        yield wanted, *(articles[place] if len(articles) > place else None for articles in found)  # type: ignore[misc]


def right(wanted: dict[str, Any], name: str, value: Any) -> bool:
    others = wanted.get(f"{name}_alt") or []
    accepted = [wanted[name], *(others if isinstance(others, list) else [others])]
    if name == "authors":
        return (
            value in accepted or (wanted.get("authors_alt") and isinstance(others[0], str) and value == others) or False
        )
    return (name == "title" and wanted[name] is None) or value in accepted


def misses(wanted: dict[str, Any], bare: Article | None, article: Article | None) -> list[str]:
    """Name what is wrong of an article, each with what was found."""
    if article is None or bare is None:
        return ["missing"]
    day = article.published and article.published.isoformat()
    found = {"title": article.title, "outlet": article.outlet, "date": day, "authors": list(article.authors)}
    wrong = [
        f"{name}: {value!r}, not {wanted[name]!r}"
        for name, value in found.items()
        if name in wanted and not right(wanted, name, value)
    ]
    if "year" in wanted and bare.published:
        wrong.append(f"date: {bare.published} without a year")
    text = " ".join(article.text.split())
    starts = [" ".join(start.split()) for start in (wanted.get("starts"), wanted.get("starts_alt")) if start]
    if starts and not any(map(text.startswith, starts)):
        wrong.append(f"starts: {text[:60]!r}, not {starts[0]!r}")
    wrong += [f"text holds {part!r}" for part in wanted.get("not_in_text") or [] if part in article.text]
    return wrong + [f"text lacks {part!r}" for part in wanted.get("must_contain") or [] if part not in article.text]


def test_exports_of_a_set_written_apart() -> None:
    lost: dict[str, list[str]] = {}
    for wanted, bare, article in exports():
        lost.setdefault(wanted["file"], []).extend(misses(wanted, bare, article))
    heads = [
        file
        for file, wrong in lost.items()
        if not any(w.startswith(("title", "outlet", "date", "missing")) for w in wrong)
    ]
    print(len(heads), "of", len(lost), "whole:", sum(not wrong for wrong in lost.values()))
    assert len(heads) >= 27, {file: wrong for file, wrong in lost.items() if wrong}
