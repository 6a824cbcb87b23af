"""Reads web pages and Markdown. What is stored is the text a reader sees, without menus and marks."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from index.read import markup
from index.read.fields import named, other
from index.read.plain import Source, decode, head, mailed
from index.read.published import published

FRONT_MATTER = re.compile(r"^---[ \t]*$", re.MULTILINE)  # the line before it and the line behind it
FRONT_MATTER_CHARACTERS = 64_000  # Ten times what an article has; PyYAML takes a second for it at worst.
KEY = re.compile(r"[\w-]+(?: [\w-]+)?")  # "The mayor said: yes" between two rules is no front matter
DECLARED = re.compile(rb"""<meta[^>]{1,200}charset\s*=\s*["']?([\w-]+)|<\?xml[^>]{1,100}encoding=["']([\w-]+)""", re.I)
NOTE, NOTES = re.compile(r"^\[\^[^\]\s]{1,20}\]:[ \t]*", re.M), re.compile(r"[ \t]?\[\^[^\]\s]{1,20}\](?!`)")  # [^1]
CONSENT = (  # a notice, not a page named by the choice that was made
    "(//div | //section | //dialog)[string-length() < 1500]"
    "[contains(concat(@id, @class), 'cookie') or contains(concat(@id, @class), 'consent')]"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")  # which lxml takes for no text
SENTENCE = re.compile(r"\w[^\w\s]*[.!?…。！？।؟]|.{120}")  # which menus do not have


def read_html(file: Source) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the article of an HTML file. Raises ValueError where no article can be made out."""
    import trafilatura

    data = file.read()
    declared = next((b"".join(names).decode() for names in DECLARED.findall(data[:4096])), "")
    tree = trafilatura.load_html(decode(data, file, declared))
    day = None if tree is None else published(tree)
    if tree is not None:
        markup.plain(tree)
        tree = trafilatura.bare_extraction(
            tree, with_metadata=True, include_comments=False, include_tables=False, prune_xpath=CONSENT
        )
    if tree is None or not SENTENCE.search(tree.text or ""):
        raise ValueError("no article text can be made out in this page")
    fields = tree.as_dict()
    yield fields | {"outlet": fields["sitename"], "published": day, "authors": fields["author"]}, ""


class Strings(yaml.BaseLoader):  # type: ignore[misc]
    """Makes strings, in Python: libyaml overflows the stack, and aliases, dates and numbers can blow up."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise ValueError(f"the front matter repeats a part (*{self.peek_event().anchor}): write it out")
        return super().compose_node(parent, index)


def read_markdown(file: Source) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the one article of a Markdown file; the first heading is its title where the front matter has none."""
    from markdown_it import MarkdownIt

    said, body = _front_matter(decode(file.read(), file).strip())
    if other(said):
        yield said, ""
        return
    known = {ours: value for ours, value in named(said, {})[0].items() if value and ours != "text"}
    known.setdefault("published", said.get("date"))  # and is refused where it is none
    sent, body = mailed(body)
    known = {**sent, **{ours: value for ours, value in known.items() if value}}
    body = NOTES.sub("", NOTE.sub("\n", body))
    html = MarkdownIt("commonmark").enable("table").render(CONTROL.sub("", body))
    heading, texts = markup.blocks(html)
    if not known.get("title"):
        known["title"] = texts.pop(0) if texts and texts[0] == heading and heading[-1:] != "." else ""
    fields, text = head("\n\n".join(texts).split("\n"), known)
    yield fields | {"text": text}, ""


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Return the fields between two lines of hyphens, when these begin the file, and the text below."""
    parts = FRONT_MATTER.split(text, maxsplit=2)
    if len(parts) < 3 or parts[0] or re.match(r"\s*\n\s*\n", parts[1]):
        return {}, text
    front = parts[1]
    if len(front) > FRONT_MATTER_CHARACTERS:
        raise ValueError(f"the front matter has over {FRONT_MATTER_CHARACTERS:,} characters: shorten it")
    try:
        fields = yaml.load(front, Strings)  # noqa: S506
    except RecursionError as error:
        raise ValueError("the front matter is nested too deeply: flatten it") from error
    except yaml.YAMLError as error:
        raise ValueError(f"the front matter is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(fields, dict) or not all(KEY.fullmatch(str(key)) for key in fields):
        return {}, text  # two rules
    return {key: value for key, value in fields.items() if value not in ("null", "~")}, parts[2]
