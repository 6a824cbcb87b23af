"""Answers and conversations as files: Markdown with footnotes and, made of the same, a page of HTML and a Word file."""

import re
from collections.abc import Mapping, Sequence
from functools import cache, partial
from io import BytesIO
from typing import Any
from urllib.parse import quote

from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from jinja2 import Environment
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from qa.kept import Turn
from qa.locale import DEFAULT, Words, backward, isolated
from qa.page.render import PAGES, pages, source_path
from qa.types import bold

# What no XML holds, and what turns the order of a line round. One character each: places in a text stay.
SPOILT = re.compile("[^\t\n\r -~\xa0-\u2029\u202f-\u2065\u2068-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SPECIAL = re.compile(r"[\\`*_\[\]<>&~|^$#]|!$")  # in Markdown
STARTS = re.compile(r"^\s?(?:(\d{1,9})(?=[.)])|(?=[-+=]))")  # a list, a rule, a heading's underline


def md(text: object) -> str:
    """Return a text as the line of Markdown that shows it; what is marked as safe stays as it is."""
    if isinstance(text, Markup):
        return str(text)
    return STARTS.sub(r"\1\\", SPECIAL.sub(r"\\\g<0>", re.sub(r"\s+", " ", SPOILT.sub("\ufffd", str(text)))))


PARSER = MarkdownIt("commonmark", {"html": False})


@cache
def _environment(words: Words) -> Environment:
    """Return what makes Markdown, in a language; all is escaped, by `md`."""
    made: Any = Environment(  # noqa: S701  by `md`
        loader=PAGES.loader, finalize=md, trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"]
    )
    made.install_gettext_callables(words._, words.count, newstyle=True)
    made.globals["said"] = words.said
    made.filters |= {"day": words.day, "by": words.by, "language": words.language, "isolated": isolated}
    made.filters["line"] = lambda text: " ".join(text.split())
    environment: Environment = made
    return environment


def markdown(
    title: str, turns: Sequence[Turn], base: str, words: Words = DEFAULT, footnotes: bool = True
) -> bytes:  # fmt: skip
    """Return questions and answers as Markdown; its notes, numbered through, link to their places below `base`."""
    told, notes = list[dict[str, Any]](), list[dict[str, Any]]()
    for turn in turns:
        marks = {c["n"]: len(notes) + i for i, c in enumerate(turn.answer["citations"], 1)}
        notes += turn.answer["citations"]
        mark = {n: Markup(f"[^{m}]" if footnotes else f"[{m}](#note-{m})") for n, m in marks.items()}  # noqa: S704
        told.append({"asked": turn.asked, "answer": turn.answer, "mark": mark, "body": _body(turn.answer, mark, words)})
    given = {"title": title, "turns": told, "notes": notes, "footnotes": footnotes}
    text = _environment(words).get_template("export.md").render(given, link=partial(_link, base))
    return re.sub(r"\n{3,}", "\n\n", f"{text.strip()}\n").encode()


def html(title: str, turns: Sequence[Turn], base: str, words: Words = DEFAULT) -> bytes:
    """Return the same as a page that needs nothing else."""
    body = PARSER.renderer.render(_tokens(title, turns, base, words), PARSER.options, {})
    return pages(words).get_template("export.html").render(title=SPOILT.sub("\ufffd", title), body=body).encode()


def word(title: str, turns: Sequence[Turn], base: str, words: Words = DEFAULT) -> bytes:
    """Return the same as a Word file, its sources in a list at the end."""
    document, file, styles, number = Document(), BytesIO(), ["Normal"], ""
    document.core_properties.author, document.core_properties.comments = "Copydesk", ""
    for token in _tokens(title, turns, base, words):
        if token.type in ("blockquote_open", "list_item_open"):
            styles, number = [*styles, "Quote" if token.tag == "blockquote" else "Normal"], token.info
        elif token.type in ("blockquote_close", "list_item_close"):
            styles.pop()
        elif token.type in ("paragraph_open", "heading_open"):
            style = f"Heading {token.tag[1]}" if token.type == "heading_open" else styles[-1]
            paragraph = document.add_paragraph(f"{number}  " if number else "", style)
            number = ""
        elif token.type == "inline":
            _write(paragraph, token.children or [])
            if backward(paragraph.text):
                paragraph._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
                for run in paragraph.runs:
                    run.font.rtl, run.font.cs_bold, run.font.cs_italic = True, run.bold, run.italic
    document.save(file)
    return file.getvalue()


FORMS = {
    "md": (markdown, "text/markdown"),
    "html": (html, "text/html"),
    "docx": (word, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
}


def _tokens(title: str, turns: Sequence[Turn], base: str, words: Words) -> list[Token]:
    tokens = PARSER.parse(markdown(title, turns, base, words, footnotes=False).decode())
    for token in tokens:
        if token.type == "list_item_open":
            token.attrSet("id", f"note-{token.info}")
        elif token.type in ("heading_open", "paragraph_open") and not token.level:
            token.attrSet("dir", "auto")
    return tokens


def _write(paragraph: Paragraph, tokens: Sequence[Token]) -> None:
    opened = dict[str, Token]()
    for token in tokens:
        if token.nesting:
            opened = {tag: one for tag, one in (opened | {token.tag: token}).items() if one.nesting > 0}
            continue
        run, to = paragraph.add_run(token.content or " "), str(opened["a"].attrs["href"]) if "a" in opened else ""
        run.bold, run.italic, run.font.superscript = "strong" in opened, "em" in opened, to.startswith("#")
        if to.startswith("http"):  # python-docx reads links, and has nothing that makes one
            link = OxmlElement("w:hyperlink")
            link.set(qn("r:id"), paragraph.part.relate_to(to, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
            link.append(run._r)
            paragraph._p.append(link)
            run.font.underline = True


def _link(base: str, name: str, url: str | None = None, place: Sequence[Any] = ()) -> Markup:
    """Return a link to a place in an article, or to an address of the web; nothing for another address."""
    shown = [SPOILT.sub("\ufffd", str(part)) for part in (url or "", *place)]
    address = base + source_path(*shown[1:]) if place else quote(shown[0], safe=":/?#@!$&'*+,;=%~")  # type: ignore[arg-type]
    return Markup(f" [{name}]({address})") if address.startswith(("http://", "https://")) else Markup()  # noqa: S704


def _strong(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where in a span `**` is read as bold: not with a letter before it and a sign behind, as in Chinese."""
    while start < end and text[start - 1 : start].isalnum() and not text[start].isalnum():
        start += 1
    while start < end and text[end : end + 1].isalnum() and not text[end - 1].isalnum():
        end -= 1
    return start, end


def _body(answer: Mapping[str, Any], mark: Mapping[int, Markup], words: Words) -> Markup:
    """Return an answer's text with its marks, bold where it answers, and who it is that "she" says."""
    text, shown = answer["text"], dict[tuple[int, int], str]()
    for said in answer["sentences"]:
        for n, (start, end) in zip(said["citations"] or [0], said["marks"], strict=False):
            shown[start, end] = str(mark[n]) if n else f"*{md(words._('not in the articles'))}*"
        if said["answer"] and said["marks"]:
            start, end = _strong(text, *bold(said["text"], said["marks"], **said["answer"]))
            shown[start, end] = f"**{md(text[start:end])}**" if start < end else ""
        if said["speaker"] and said["marks"]:
            shown[tuple(said["marks"][-1])] += f" ({md(words._('said by %(name)s') % {'name': said['speaker']})})"
    parts, done = list[str](), 0
    for (start, end), inside in [*sorted(shown.items()), ((len(text), len(text)), "")]:
        parts += ["\n\n".join(map(md, text[done:start].split("\n"))), inside]
        done = end
    return Markup("".join(parts))  # noqa: S704  # each part was escaped
