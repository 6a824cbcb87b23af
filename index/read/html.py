"""Reads web pages: the article without its menus, by trafilatura."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def read(path: Path) -> Iterator[tuple[dict[str, object] | str, str, int]]:
    """Yield the article of an HTML file, or what is wrong where no article can be made out."""
    import trafilatura

    data = path.read_bytes()
    page = trafilatura.bare_extraction(data, with_metadata=True, include_comments=False, include_tables=False)
    if page is None:
        yield "no article text can be made out in this page", "", len(data)
        return
    fields = page.as_dict()
    text = (
        (fields["text"] or "").removeprefix(fields["title"] or "").lstrip()
    )  # the headline is no sentence of the text
    yield (
        {
            "title": fields["title"],
            "text": text,
            "outlet": fields["sitename"],
            "url": fields["url"],
            "published": fields["date"],
            "authors": fields["author"],
        },
        "",
        len(data),
    )
