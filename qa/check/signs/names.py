"""Whether two names that share a beginning are one: Zawadzki and Zawadzkiego are, Zawadzki and Zawada are not."""

from functools import cache, lru_cache

from index.text import fold, lists

STEM = 2  # letters that the endings of a name leave


@lru_cache(maxsize=65536)
def same_name(one: str, other: str, code: str) -> bool:
    """Tell whether two folded names may be forms of one in a language; of one whose endings are not known they may."""
    known = _paradigms(code)
    return one == other or not known or any(_stems(one, ends) & _stems(other, ends) for ends in known)


def _stems(name: str, endings: frozenset[str]) -> set[str]:
    found = {name.removesuffix(ending) for ending in endings if name.endswith(ending)}
    return {stem for stem in found if len(stem) >= STEM}


@cache
def _paradigms(code: str) -> list[frozenset[str]]:
    rows = (line.partition(":") for line in lists.lines("name-endings"))
    return [frozenset("".join(fold.words(word)) for word in said.split()) for key, _, said in rows if key == code]
