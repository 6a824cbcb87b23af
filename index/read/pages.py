"""Reads web pages and Markdown. What is stored is the text a reader sees, without menus and marks."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import yaml

from index.read.plain import decode

FRONT_MATTER = re.compile(r"^-{3,}\s*$", re.MULTILINE)  # the line before it and the line behind it
FRONT_MATTER_CHARACTERS = 64_000  # Ten times what an article has; PyYAML takes a second for it at worst.
BREAKS = {"softbreak": " ", "hardbreak": "\n"}


def read_html(file: BinaryIO) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the article of an HTML file. Raises ValueError where no article can be made out."""
    import trafilatura

    page = trafilatura.bare_extraction(file.read(), with_metadata=True, include_comments=False, include_tables=False)
    if page is None:
        raise ValueError("no article text can be made out in this page")
    fields = page.as_dict()
    fields["text"] = (fields["text"] or "").removeprefix(fields["title"] or "")  # the headline is no sentence of it
    yield fields | {"outlet": fields["sitename"], "published": fields["date"], "authors": fields["author"]}, ""


class Strings(yaml.BaseLoader):  # type: ignore[misc]
    """Makes strings, in Python: libyaml overflows the stack, and aliases, dates and numbers can blow up."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise ValueError(f"the front matter repeats a part (*{self.peek_event().anchor}): write it out")
        return super().compose_node(parent, index)


def read_markdown(file: BinaryIO) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the one article of a Markdown file; the first heading is its title where the front matter has none."""
    body, fields = decode(file.read()).strip(), None
    parts = FRONT_MATTER.split(body, maxsplit=2)
    if len(parts) == 3 and not parts[0]:
        _, front, body = parts
        if len(front) > FRONT_MATTER_CHARACTERS:
            raise ValueError(f"the front matter has over {FRONT_MATTER_CHARACTERS:,} characters: shorten it")
        try:
            fields = yaml.load(front, Strings)  # noqa: S506
        except RecursionError as error:
            raise ValueError("the front matter is nested too deeply: flatten it") from error
        except yaml.YAMLError as error:
            raise ValueError(f"the front matter is not YAML: {' '.join(str(error).split())}") from error
    said = {k: v for k, v in fields.items() if v not in ("null", "~")} if isinstance(fields, dict) else {}
    blocks = _blocks(body)
    if not said.get("title") and blocks and blocks[0][0]:
        said["title"] = blocks.pop(0)[1]
    text = "\n\n".join(text for _, text in blocks)
    yield {"published": said.get("date"), "authors": said.get("author"), **said, "text": text}, ""


def _blocks(body: str) -> list[tuple[bool, str]]:
    """Return (is a heading, text) for each block of text, images and HTML left out."""
    from markdown_it import MarkdownIt

    blocks, heading = [], False
    for token in MarkdownIt("commonmark").enable("table").parse(body):
        if token.type in ("heading_open", "paragraph_open"):
            heading = token.type == "heading_open"
        if token.type in ("fence", "code_block"):
            blocks.append((False, token.content.strip()))
        elif token.type == "inline":
            shown = [child for child in token.children or [] if child.type in ("text", "code_inline", *BREAKS)]
            if text := "".join(BREAKS.get(child.type, child.content) for child in shown).strip():
                blocks.append((heading, text))
    return blocks
