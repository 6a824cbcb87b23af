"""Addresses of the web, as they are compared."""

from functools import lru_cache
from urllib.parse import urlsplit


def on_web(key: str) -> bool:
    """Tell whether an id, or a file of a place, is an address of the web."""
    return key.startswith(("http://", "https://"))


@lru_cache(100_000)
def address(url: str) -> str:
    """Return a web address as it is compared: no scheme, www., marks of campaigns, place on the page or last slash."""
    from courlan import normalize_url  # 0.3 s

    try:
        parts = urlsplit(normalize_url(url))
    except ValueError:  # it is none
        return url
    route = parts.fragment if parts.fragment[:1] in ("!", "/") else ""  # a page of its own
    return " ".join((parts.netloc.removeprefix("www."), parts.path.rstrip("/"), parts.query, route))
