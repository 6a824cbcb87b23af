"""Understands records by the names that others give to fields; the table is text/lists/fields.txt."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from index.read import markup
from index.text import lists
from index.text.days import appeared, parse_date
from index.types import BadInput

OURS = ("id", "url", "title", "text", "outlet", "published", "authors", "language", "year", "embargo")
TAG = re.compile(rf"</?{lists.pattern('elements')}[^<>]*>", re.I)
NONE = re.compile(rf"\W*{lists.pattern('no-value')}\W*", re.I)
FIGURE = re.compile(r"<figure\b.*?</figure>|\[/?(?:gallery|caption|embed|audio|video|playlist)\b[^\]]*\]", re.S)
ARTICLE = re.compile(r"(?:Article|Posting|Report)\b")  # kinds of schema.org
PLACEHOLDER = 500  # characters, at most, of what stands in place of a text
NESTED = 5  # how deep articles may lie in a file, and a value in a field
Path = tuple[str, ...]  # of folded names


@lru_cache(10_000)
def fold(name: str) -> str:
    """Return a name as it is compared: pub_date, pubDate and "Pub Date" are one."""
    return re.sub(r"[\W_]", "", name.casefold())


@cache
def table() -> dict[str, list[list[Path]]]:
    """Return for each of our names theirs, in the order in which they are believed, each as the parts that make it."""
    rows = (line.partition(":") for line in lists.lines("fields"))
    return {ours: [_parts(name) for name in theirs.split(",")] for ours, _, theirs in rows}


def _parts(name: str) -> list[Path]:
    return [tuple(map(fold, part.split("."))) for part in name.split("+")]


def check(given: Mapping[str, str]) -> None:
    """Raise BadInput where what others' names are said to mean is none of our names."""
    for theirs, ours in given.items():
        if not theirs:
            raise BadInput(f"map {ours}: write it as THEIRS=OURS, such as {ours}=text")
        if ours not in OURS:
            raise BadInput(f"map {theirs}={ours}: what stands behind = must be one of {', '.join(OURS)}")


def named(record: Mapping[str, Any], given: Mapping[str, str]) -> tuple[dict[str, Any], set[str]]:
    """Return a record's fields by our names, `given` (theirs: ours) first, and the names that nothing is read of."""
    fields, used, folded = dict[str, Any](), set[str](), _folded(record)
    for ours in OURS:
        own = [_parts(theirs) for theirs, meant in given.items() if meant == ours]
        for parts in (parts for parts in (*own, *table()[ours]) if parts[0][0] in folded):
            values = [_value(ours, _at(folded, part)) for part in parts]
            try:
                value = _fitting(ours, values) if all(values) else None
            except BadInput as error:  # perhaps another name has a day
                value = fields.setdefault("undated", str(error)) and None
                used.add(parts[0][0])
            if value:
                fields[ours], used = value, used | {part[0] for part in parts}
                break
        else:
            fields[ours] = None if NONE.fullmatch(str(record.get(ours))) else record[ours]  # refused, with its reason
    held = {name for name, value in record.items() if name and value not in (None, "", [], {})}
    return fields, {str(name) for name in held if fold(str(name)) not in {*used, *OURS, "feed", "type", "context"}}


def _folded(record: Mapping[Any, Any]) -> dict[str, Any]:
    return {fold(str(name)): value for name, value in record.items()}


def _at(value: Any, path: Path) -> Any:
    """Return what stands under a path of folded names; of a list, what stands there in each."""
    for number, step in enumerate(path):
        if isinstance(value, list):
            return [found for item in value if (found := _at(item, path[number:])) not in (None, "")]
        if not isinstance(value, Mapping):
            return None
        value = _folded(value).get(step) if number else value.get(step)
    return value


def _value(ours: str, value: Any, depth: int = NESTED) -> Any:
    """Return a value as plain text, number or list, out of the object that holds it."""
    if isinstance(value, str) and ours != "text" and re.match(r"\s*[\[{]", value[:2000]):  # a column of Python's lists
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            value = ast.literal_eval(value[:2000].strip())
    if isinstance(value, Mapping | list) and ours == "text":
        value = _prose(value, depth)
    if isinstance(value, Mapping | list) and not depth:
        return None
    if isinstance(value, Mapping):
        folded = _folded(value)
        inner = (_value(ours, _at(folded, path), depth - 1) for (path,) in table()["inside"])
        return next(filter(None, inner), None)
    if isinstance(value, list):
        found = [one for item in value if (one := _value(ours, item, depth - 1))]
        return found if ours == "authors" else next(iter(found), None)
    if not isinstance(value, str) or ours in ("id", "url"):
        return value
    if NONE.fullmatch(value):
        return ""
    if TAG.search(value):
        value = "\n\n".join(markup.blocks(FIGURE.sub("", value))[1])
    value = unescape(value) if re.search(r"&#?\w+;", value) else value
    return value.strip()


def _prose(value: Any, depth: int) -> str:
    """Return a text that is given as paragraphs: strings, or objects that hold them; an object with a title is none."""
    if isinstance(value, list) and depth:
        kinds = [_folded(item).get("type") for item in value if isinstance(item, Mapping)]
        inline = kinds and all(kind in ("text", "span", "link") for kind in kinds)  # of one paragraph
        return ("" if inline else "\n\n").join(filter(None, (_prose(item, depth - 1) for item in value)))
    if isinstance(value, Mapping) and depth:
        folded = _folded(value)
        heading = next((folded[path[0]] for (path,) in table()["title"] if isinstance(folded.get(path[0]), str)), "")
        if [(folded.get("type"),)] in table()["not text"] or (heading and depth == NESTED):
            return ""
        held = (_prose(_at(folded, path), depth - 1) for (path,) in table()["in parts"])
        return "\n\n".join(filter(None, (heading, next(filter(None, held), ""))))
    return value.strip("\n") if isinstance(value, str) else ""


def _fitting(ours: str, parts: list[Any]) -> Any:
    """Return the value where it is of the kind that our field holds, else None."""
    value = parts[0] if len(parts) == 1 else "\n\n".join(map(str, parts))
    if ours == "published":
        if not appeared(day := parse_date(value)):
            raise BadInput(f"{day} is no day of publication: write it as YYYY-MM-DD")
        return day
    if ours == "year":
        return str(value) if re.fullmatch(r"(?:19|20)\d\d", str(value)) else None
    names = ours == "authors" and isinstance(value, list) and all(isinstance(name, str) for name in value)
    if not (names or isinstance(value, str) or (ours == "id" and type(value) is int)):
        return None
    address = re.match(r"https?://", str(value))
    if ours == "outlet":
        with suppress(ValueError):
            return host(value) if address else value.removeprefix("www.")
    return value if address or ours != "url" else None


def host(url: str) -> str:
    """Return the host of a web address, "" where it has none. Raises ValueError where it is no address."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def unpacked(content: Any, depth: int = NESTED) -> Iterator[Any]:
    """Yield the records of a file: of a list, of an object that is one, or of what lies in its envelopes."""
    if isinstance(content, list):
        for item in content:
            yield from unpacked(item, depth - 1) if depth else [item]
    elif not isinstance(content, Mapping) or (content.get("text") and type(content["text"]) is str) or other(content):
        yield content
    else:
        folded = _folded(content)
        if isinstance(graph := content.get("@graph"), list):
            folded["graph"] = linked(graph)
        inside = (_at(folded, path) for (path,) in table()["envelope"])
        held = next((value for value in inside if isinstance(value, Mapping) or _are_records(value)), None)
        listed = isinstance(held, list) and held and named(held[0], {})[0]["text"]
        if depth and held is not None and (listed or not named(content, {})[0]["text"]):
            feed = next(filter(None, (_value("outlet", _at(folded, path)) for (path,) in table()["feed"])), None)
            outer = {name: value for name, value in content.items() if isinstance(value, str | int) and "id" in name}
            for item in unpacked(held, depth - 1):
                more = {"feed": re.sub(r" [-–—|] .*", "", str(feed or ""))} if isinstance(held, list) else outer
                yield {**more, **item} if isinstance(item, Mapping) else item
        else:
            yield content


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)


def linked(things: list[Any]) -> list[dict[str, Any]]:
    """Return the articles among the things of JSON-LD, with those that they name by their @id in their places."""
    things = [thing for thing in things if isinstance(thing, dict)]
    nodes = {thing["@id"]: thing for thing in things if len(thing) > 1 and isinstance(thing.get("@id"), str)}

    def meant(value: Any) -> Any:
        if isinstance(value, list):
            return [meant(item) for item in value]
        own = value if isinstance(value, dict) else {}
        key = own.get("@id") if own else value
        return {**nodes[key], **own} if isinstance(key, str) and key in nodes else value

    return [
        {name: value if name == "@id" else meant(value) for name, value in thing.items()}
        for thing in things
        if ARTICLE.search(str(thing.get("@type")))
    ]


@cache
def _others() -> dict[str, list[tuple[str, Path, re.Pattern[str]]]]:
    """Return by folded name what a field may say of a record that is no published article."""
    others: dict[str, list[tuple[str, Path, re.Pattern[str]]]] = {}
    for names, _, values in (line.partition(": ") for line in lists.lines("others")):
        said = "|".join(re.escape(value.strip()).replace(r"\*", ".+") for value in values.split(","))
        for name, (path,) in ((name.strip(), _parts(name)) for name in names.split(",")):
            others.setdefault(path[0], []).append((name, path, re.compile(said, re.I | re.S)))
    return others


def other(record: Mapping[str, Any]) -> str:
    """Return by what a record is no published article, such as an attachment or a draft; empty for an article."""
    for key, value in record.items():
        for name, path, said in _others().get(fold(str(key)), ()) if value not in (None, "") else ():
            found = str(_value("id", _at({path[0]: value}, path))).strip()
            if len(found) < PLACEHOLDER and said.fullmatch(found):
                return name if said.pattern == ".+" else f"{name}: {found[:40]}"  # never a password
    return ""


def met(record: Mapping[str, Any], names: Iterable[str]) -> set[str]:
    """Return those of others' names that a record has."""
    folded = _folded(record)
    return {name for name in names if all(_at(folded, part) is not None for part in _parts(name))}


def textless(record: Mapping[str, Any], not_used: Iterable[str]) -> str:
    """Say where the text of a record without one should stand."""
    for name, value in record.items():
        if [(fold(name),)] in table()["text"]:
            return f"its {name} is {repr(value)[:60] if isinstance(value, str) and value.strip() else 'empty'}"
    names = f" ({', '.join(sorted(not_used))[:99]})" if not_used else ""
    return f"--map NAME=text tells which field holds it{names}"
