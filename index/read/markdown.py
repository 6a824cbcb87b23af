"""Reads Markdown with YAML front matter. What is stored is the text a reader sees, without the marks."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import frontmatter
import yaml

from index.read.decode import decode

FRONT_MATTER_CHARACTERS = 64_000  # Ten times what an article has; PyYAML takes a second for it at worst.
BREAKS = {"softbreak": " ", "hardbreak": "\n"}


class Strings(yaml.BaseLoader):  # type: ignore[misc]
    """Makes strings, in Python: libyaml overflows the stack, and aliases, dates and numbers can blow up."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise ValueError(f"the front matter repeats a part (*{self.peek_event().anchor}): write it out")
        return super().compose_node(parent, index)


class FrontMatter(frontmatter.YAMLHandler):  # type: ignore[misc]
    def load(self, fm: str) -> Any:
        if len(fm) > FRONT_MATTER_CHARACTERS:
            raise ValueError(f"the front matter has over {FRONT_MATTER_CHARACTERS:,} characters: shorten it")
        return super().load(fm, Loader=Strings)


def read(file: BinaryIO) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the one article of a Markdown file; the first heading is its title where the front matter has none."""
    text, handler = decode(file.read()).strip(), FrontMatter()
    try:
        fields, body = frontmatter.parse(text, handler=handler) if handler.detect(text) else ({}, text)
    except RecursionError as error:
        raise ValueError("the front matter is nested too deeply: flatten it") from error
    except yaml.YAMLError as error:
        raise ValueError(f"the front matter is not YAML: {' '.join(str(error).split())}") from error
    blocks = _blocks(body)
    if not fields.get("title") and blocks and blocks[0][0]:
        fields["title"] = blocks.pop(0)[1]
    fields = {name: value for name, value in fields.items() if value not in ("null", "~")}
    fields.setdefault("published", fields.get("date"))
    fields.setdefault("authors", fields.get("author"))
    yield {**fields, "text": "\n\n".join(text for _, text in blocks)}, ""


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
