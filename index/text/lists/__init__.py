"""Word lists that a reader can look through and edit: one entry a line, `#` begins a remark.

An entry is a word, `word*` for every word that begins so, or `key: words that mean it`.
"""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def lines(name: str) -> tuple[str, ...]:
    """Return the entries of a list, such as `saying` for saying.txt."""
    read = (line.partition("#")[0].strip() for line in (FOLDER / f"{name}.txt").read_text("utf-8").splitlines())
    return tuple(line for line in read if line)


@cache
def meanings(name: str) -> dict[str, str]:
    """Return for each word of a list of `key: words` the key that it means."""
    pairs = (line.partition(":") for line in lines(name))
    return {word: key.strip() for key, _, said in pairs for word in said.split()}


@cache
def pattern(name: str) -> str:
    """Return a regular expression that matches any entry of a list as whole words."""
    entries = "|".join(re.escape(line).replace(r"\*", r"\w*").replace(r"\ ", " ") for line in lines(name))
    return rf"\b(?:{entries})\b"
