"""The page that shows an article with one quotation marked; what a click on [n] opens."""

from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment

from index.types import Article

TEMPLATE = Path(__file__).with_name("source.html")


def source_page(article: Article, field: str, start: int, end: int) -> str:
    """Return an article as a page with one span marked; everything that came from outside is escaped."""
    whole = getattr(article, field)
    template = Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    span = {"before": whole[:start], "quoted": whole[start:end], "after": whole[end:]}
    return template.render(article=article, field=field, **span)


def source_path(article_id: str, field: str, start: int, end: int) -> str:
    """Return the address of a quotation on this service."""
    return f"/source/{quote(article_id, safe='')}?field={field}&start={start}&end={end}#quote"
