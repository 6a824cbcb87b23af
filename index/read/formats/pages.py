"""Reads web pages and Markdown. What is stored is the text a reader sees, without menus and marks."""

import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from typing import Any

import yaml

from index.read import markup
from index.read.fields import named, other
from index.read.plain import Source, decode, head, mailed
from index.read.published import REGEX, linked, published

FRONT_MATTER_CHARACTERS = 64_000  # Ten times what an article has; PyYAML takes a second for it at worst.
KEY = re.compile(r"[\w-]+(?: [\w-]+)?")  # "The mayor said: yes" between two rules is no front matter
DECLARED = re.compile(rb"""<meta[^>]{1,200}charset\s*=\s*["']?([\w-]+)|<\?xml[^>]{1,100}encoding=["']([\w-]+)""", re.I)
NOTE, NOTES = re.compile(r"^\[\^[^\]\s]{1,20}\]:[ \t]*", re.M), re.compile(r"[ \t]?\[\^[^\]\s]{1,20}\](?!`)")  # [^1]
CONSENT = (  # a notice, not a page named by the choice that was made
    "(//div | //section | //dialog)[string-length() < 1500]"
    "[contains(concat(@id, @class), 'cookie') or contains(concat(@id, @class), 'consent')]"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")  # which lxml takes for no text
STORY = (
    "//article[not(ancestor::article or ancestor::aside or ancestor::nav or ancestor::footer)]"
    "[not(re:test(concat(@class, ' ', @id), 'teaser|related|card|promo|recommend|comment|sidebar', 'i'))]"
)
TITLED = "//h1[not(ancestor::article or ancestor::header or ancestor::nav)]"  # the page itself, such as live coverage
LISTED = "a web server's list of files, no article: give the addresses of what it lists"
LISTING = re.compile(r"(?:Index of|Directory(?: listing for)?:?) /|\S+ - /(?:\S*/)?$")  # the last is of IIS
UNDATED = "nothing declares the day: write it in a line of its own below the headline"
NO_TEXT = "no article text can be made out in this page"
HEADLINE = re.compile(r"(?:entry|post|article|page|content)[\w-]*(?:title|headline)|^(?:headline|title)\b", re.I)
DECLARED_TITLES = "//title/text() | //meta[@property='og:title']/@content"
AUTHOR = (
    "//a[@rel='author' or re:test(@href, '/aut(h|eu|o)?ore?s?/[^/]+/?$', 'i')][string-length() < 60]"
    "[not(ancestor::*[re:test(concat(@class, ' ', @id), 'comment|related|teaser|recommend', 'i')])]"
)
SITE = "//meta[@property='og:site_name'][@content]"
MORE = re.compile(r"(?:read|more|continue|full|weiter|lire|leer)\b", re.I)
SENTENCE = re.compile(r"\w[^\w\s]*[.!?…。！？।؟]|.{120}")  # which menus do not have


def read_html(file: Source) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the article of an HTML file, or each of several. Raises ValueError where none can be made out."""
    import trafilatura

    data = file.read()
    tree = trafilatura.load_html(decode(data, file, declared(data)))
    if tree is None:
        raise ValueError(NO_TEXT)
    if LISTING.match(tree.xpath("normalize-space(//title)")):
        raise ValueError(LISTED)
    for number, (title, page) in enumerate(_stories(tree) or [("", tree)], 1):
        fields = _read_page(page)
        yield fields | {"title": title or fields["title"]}, f"story {number}" if number > 1 else ""


def declared(data: bytes) -> str:
    """Return the encoding that a page says it has, "" where it says none."""
    return next((b"".join(names).decode() for names in DECLARED.findall(data[:4096])), "")


def tree_of(page: str) -> Any:
    """Return the tree of a page that is given as text."""
    from lxml import html

    return html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*>", "", CONTROL.sub("", page)) or "<p></p>")


def _stories(page: Any) -> list[tuple[str, Any]]:
    """Return the headline and a page of each article of a page that holds several whole ones, else nothing.

    Each has a headline of the same rank, which is no link, and at least two sentences; a teaser leads elsewhere.
    """
    found = [
        (heading, article)
        for article in page.xpath(STORY, namespaces=REGEX)
        if (heading := next(article.iter("h1", "h2", "h3"), None)) is not None
        and not heading.xpath("ancestor::a | .//a[not(starts-with(@href, '#'))]")
        and not any(MORE.match(link.text_content().strip()) for link in article.iter("a"))
        and len(re.findall(r"\w[^\w\s]*[.!?…]", " ".join(p.text_content() for p in article.iter("p")))) > 1
    ]
    if len({heading.tag for heading, _ in found}) != 1 or len(found) < 2 or page.xpath(TITLED):
        return []
    site, days = page.xpath(SITE), page.xpath("//meta[re:test(@*[1], 'publi[cs](?!her)')]", namespaces=REGEX)
    pages = []
    for heading, article in found:
        alone = deepcopy(page.makeelement("html"))  # a document of its own
        alone.extend([page.makeelement("head"), page.makeelement("body")])
        alone[1].append(deepcopy(article))
        next(alone.iter(heading.tag)).tag = "h1"
        alone[0].extend(deepcopy(site))
        if not published(alone):  # what the page says is said of all
            alone[0].extend(deepcopy(days))
        pages.append((" ".join(heading.text_content().split()), alone))
    return pages


def _read_page(tree: Any) -> dict[str, Any]:
    import trafilatura

    said = next((named(article, {})[0] for article in linked(tree)), {})
    day, site, headline = published(tree), tree.xpath(SITE), _headline(tree)
    by = next(filter(None, (_said(link) for link in tree.xpath(AUTHOR, namespaces=REGEX))), None)
    markup.plain(tree)
    page = trafilatura.bare_extraction(
        tree, with_metadata=True, include_comments=False, include_tables=False, prune_xpath=CONSENT
    )
    if page is None or not SENTENCE.search(page.text or ""):
        raise ValueError(NO_TEXT)
    outlet = (not site and said.get("outlet")) or page.sitename
    told = {name: value for name, value in page.as_dict().items() if isinstance(value, str | None)}
    authors = said.get("authors") or page.author or by
    return {**told, "title": headline or page.title, "outlet": outlet, "published": day, "authors": authors}


def _headline(tree: Any) -> str:
    """Return the headline that stands on a page and has at least half of its words from the declared titles."""
    declared = {*re.findall(r"\w+", " ".join(tree.xpath(DECLARED_TITLES)).casefold())}
    found = []
    for heading in tree.iter("h1", "h2", "h3"):
        marked = bool(HEADLINE.search(heading.get("class") or heading.get("itemprop") or ""))
        words = re.findall(r"\w+", _said(heading).casefold())
        share = sum(word in declared for word in words) / max(len(words), 1)
        if (marked or heading.tag == "h1") and share >= 0.5 and len(words) > 1:
            found.append((marked, share, _said(heading)))
    best = max(found, key=lambda one: one[:2])[2] if found else ""
    shared = " ".join(str(tree.xpath("string(//meta[@property='og:title']/@content)")).split())
    return shared if shared and best.endswith(f" {shared}") else best  # without its kicker


def _said(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


class Strings(yaml.BaseLoader):  # type: ignore[misc]
    """Makes strings, in Python: libyaml overflows the stack, and aliases, dates and numbers can blow up."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise ValueError(f"the front matter repeats a part (*{self.peek_event().anchor}): write it out")
        return super().compose_node(parent, index)


def read_markdown(file: Source) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the article of a Markdown file, or each of several below top headings, where nothing names the whole."""
    from markdown_it import MarkdownIt

    said, body = _front_matter(decode(file.read(), file).strip())
    if other(said):
        yield said, ""
        return
    known = {ours: value for ours, value in named(said, {})[0].items() if value and ours != "text"}
    known.setdefault("published", said.get("date"))  # and is refused where it is none
    sent, body = mailed(body)
    known = {**sent, **{ours: value for ours, value in known.items() if value}}
    body = CONTROL.sub("", NOTES.sub("", NOTE.sub("\n", body)))
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tops = [token.map[0] for token in markdown.parse(body) if token.map and token.tag == "h1"]
    lines = body.split("\n")
    parts = ["\n".join(lines[start:end]) for start, end in pairwise([*tops, len(lines)])]
    stories = [of_blocks(markdown.render(part), {}) for part in parts]
    one = known.get("title") or known.get("url") or known.get("id") or "".join(lines[: (tops or [0])[0]]).strip()
    if one or len(parts) < 2 or not all(" " in story["title"] and story["text"] for story in stories):
        yield of_blocks(markdown.render(body), known), ""
        return
    for number, story in enumerate(stories, 1):
        yield known | {ours: value for ours, value in story.items() if value}, f"story {number}" if number > 1 else ""


def of_blocks(html: str, known: dict[str, Any], *, marked: bool = True) -> dict[str, Any]:
    """Return the fields of an article of Markdown or Word, whose first heading is its title where none is known.

    Where headings may not be marked as such, a first line that reads like one is.
    """
    heading, texts = markup.blocks(html)
    title = known.get("title") or (texts.pop(0) if texts and texts[0] == heading and heading[-1:] != "." else "")
    fields, text = head("\n\n".join(texts).split("\n"), known | ({"title": title} if title or marked else {}))
    return fields | {"text": text}


def of_document(html: str, said: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a document; what its properties say of it counts where its text does not say it."""
    fields = of_blocks(html, {}, marked=False)
    return {"undated": UNDATED} | said | {name: value for name, value in fields.items() if value}


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Return the fields between two lines of hyphens (YAML) or + (TOML) that begin the file, and the text below."""
    kind, mark = ("TOML", r"\+\+\+") if text.startswith("+++") else ("YAML", "---")
    parts = re.split(rf"^{mark}[ \t\r]*$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) < 3 or parts[0] or re.match(r"\s*\n\s*\n", parts[1]) or (kind == "TOML" and "=" not in parts[1]):
        return {}, text
    front = parts[1]
    if len(front) > FRONT_MATTER_CHARACTERS:
        raise ValueError(f"the front matter has over {FRONT_MATTER_CHARACTERS:,} characters: shorten it")
    try:
        fields = tomllib.loads(front) if kind == "TOML" else yaml.load(front, Strings)  # noqa: S506
    except RecursionError as error:
        raise ValueError("the front matter is nested too deeply: flatten it") from error
    except (yaml.YAMLError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"the front matter is not {kind}: {' '.join(str(error).split())}") from error
    if not isinstance(fields, dict) or not all(KEY.fullmatch(str(key)) for key in fields):
        return {}, text  # two rules
    held = {key: value if isinstance(value, str | list | dict) else str(value) for key, value in fields.items()}
    return {key: value for key, value in held.items() if value not in ("null", "~")}, parts[2]
