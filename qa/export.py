"""Answers and conversations as files: Markdown with footnotes, a page of HTML, a Word document."""

import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any
from urllib.parse import quote

from docx import Document
from docx.document import Document as Word
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from jinja2 import Environment
from markupsafe import Markup

from qa.doors.show import day
from qa.kept import Turn
from qa.page.render import PAGES, source_path
from qa.types import bold

Piece = tuple[str, Any]  # text, bold or unsupported words, or the number of a mark
# What no XML holds, and what turns the order of a line round. One character each: places in a text stay.
SPOILT = re.compile("[^\t\n\r -~\xa0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SPECIAL = re.compile(r"[\\`*_\[\]<>&~|^$#]|!$")  # in Markdown
STARTS = re.compile(r"^\s?(?:(\d{1,9})(?=[.)])|(?=[-+=]))")  # a list, a rule, a heading's underline


def md(text: object) -> str:
    """Return a text so that Markdown shows it as it is; what is marked as safe stays."""
    if isinstance(text, Markup):
        return str(text)
    return STARTS.sub(r"\1\\", SPECIAL.sub(r"\\\g<0>", re.sub(r"\s+", " ", str(text))))


MARKDOWN = Environment(loader=PAGES.loader, finalize=md, trim_blocks=True, lstrip_blocks=True)  # noqa: S701  # by `md`


def markdown(title: str, turns: Sequence[Turn], base: str) -> bytes:
    """Return questions and answers as Markdown with footnotes, each with a link to its place, below `base`."""
    return MARKDOWN.get_template("export.md").render(_told(title, turns, base)).encode()


def html(title: str, turns: Sequence[Turn], base: str) -> bytes:
    """Return the same as a page that needs nothing else."""
    return PAGES.get_template("export.html").render(_told(title, turns, base)).encode()


def word(title: str, turns: Sequence[Turn], base: str) -> bytes:
    """Return the same as a Word file, its sources in a list at the end."""
    told, document, file = _told(title, turns, base), Document(), BytesIO()
    document.core_properties.title, document.core_properties.author = told["title"], "Copydesk"
    document.core_properties.comments = ""
    document.add_heading(told["title"], 1)
    for turn in told["turns"]:
        if turn["question"] != told["title"]:
            document.add_heading(turn["question"], 2)
        for line in filter(None, turn["how"]):
            document.add_paragraph(style="Subtitle").add_run(line)
        for style, lines in (("Normal", turn["lines"]), ("List Bullet", turn["remarks"])):
            for pieces in lines:
                _write(document.add_paragraph(style=style), pieces)
        for note in turn["closest"]:
            _note(document, note, "Closest: ")
    if told["notes"]:
        document.add_heading("Sources", 2)
    for note in told["notes"]:
        _note(document, note, f"{note['n']}  ")
    document.save(file)
    return file.getvalue()


FORMS = {
    "md": (markdown, "text/markdown"),
    "html": (html, "text/html"),
    "docx": (word, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
}


def _write(paragraph: Paragraph, pieces: Sequence[Piece]) -> None:
    for kind, said in pieces:
        run = paragraph.add_run(f" {said}" if kind == "mark" else said)
        run.bold, run.italic, run.font.superscript = kind == "bold", kind == "unsupported", kind == "mark"


def _note(document: Word, note: Mapping[str, Any], mark: str) -> None:
    paragraph = document.add_paragraph(mark)
    paragraph.add_run(note["by"]).bold = True
    paragraph.add_run(f" · {note['title']}\n“{note['quote']}”\n").italic = False
    for name, address in note["links"]:
        link = OxmlElement("w:hyperlink")
        link.set(qn("r:id"), paragraph.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
        run = paragraph.add_run(f"{name}  ")
        run.font.underline = True
        link.append(run._r)  # python-docx reads links, and has nothing that makes one
        paragraph._p.append(link)


def _told(title: str, turns: Sequence[Turn], base: str) -> dict[str, Any]:
    """Return what every form tells, with notes numbered through all turns."""
    told, notes = list[dict[str, Any]](), list[dict[str, Any]]()
    for turn in turns:
        asked, answer = _clean(turn.asked), _clean(turn.answer)
        marks = {c["n"]: len(notes) + i for i, c in enumerate(answer["citations"], 1)}
        notes += [_source(c, base, marks[c["n"]]) for c in answer["citations"]]
        limits = [*(asked.get("outlets") or ()), *(asked.get("authors") or ())]
        limits += [f"{name.replace('_', ' ')} {asked[name]}" for name in ("since", "until", "as_of") if asked.get(name)]
        how = [answer["rewritten"] and f"Understood as: {answer['rewritten']}", " ".join(" · ".join(limits).split())]
        closest = [_source(c, base, 0) for c in (answer["refusal"] or {}).get("closest", ())]
        told.append({"question": " ".join(answer["question"].split()), "how": how, "closest": closest,
                     "lines": _lines(answer, marks), "remarks": list(_remarks(answer, marks))})  # fmt: skip
    return {"title": " ".join(_clean(title).split()), "turns": told, "notes": notes}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return SPOILT.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {key: _clean(one) for key, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list | tuple) else value


def _source(c: Mapping[str, Any], base: str, n: int) -> dict[str, Any]:
    """Return a citation as it is printed: by whom and when, its words in one line, and where it can be read."""
    links = [("Read it in its place", base + source_path(c["article_id"], c["field"], c["start"], c["end"]))]
    if (c["url"] or "").startswith(("http://", "https://")):
        links.append(("as published", quote(c["url"], safe=":/?#@!$&'*+,;=%~")))
    if c["corrected_by"]:
        links.append(("corrected by another report", base + source_path(c["corrected_by"], "text", 0, 0)))
    outlet, title, words = (" ".join((c[name] or "").split()) for name in ("outlet", "title", "quote"))
    by = f"{outlet or 'unknown outlet'}, {day(c['published'])}"
    return {"n": n, "by": by, "title": title, "quote": words, "links": links}


def _lines(answer: Mapping[str, Any], marks: Mapping[int, int]) -> list[list[Piece]]:
    """Return an answer's text as lines of pieces: its marks, the phrases that answer, and what is between."""
    text, shown = answer["text"], dict[tuple[int, int], list[Piece]]()
    for said in answer["sentences"]:
        for n, (start, end) in zip(said["citations"] or [0], said["marks"], strict=False):
            shown[start, end] = [("mark", marks[n])] if n else [("unsupported", "not in the articles")]
        if said["answer"] and said["marks"]:
            start, end = bold(said["text"], said["marks"], **said["answer"])
            shown[start, end] = [("bold", text[start:end])]
        if said["speaker"] and said["marks"]:
            shown[tuple(said["marks"][-1])].append(("text", f" (said by {said['speaker']})"))
    lines, done = [list[Piece]()], 0
    for (start, end), pieces in [*sorted(shown.items()), ((len(text), len(text)), [])]:
        for number, part in enumerate(text[done:start].split("\n")):
            lines += [[]] if number else []
            lines[-1] += [("text", part)] if part else []
        lines[-1] += pieces
        done = end
    return [line for line in lines if line]


def _remarks(answer: Mapping[str, Any], marks: Mapping[int, int]) -> list[list[Piece]]:
    """Return what stands beside an answer: sources that differ, what was earlier, what is not wholly supported."""
    cited = {c["n"]: c for c in answer["citations"]}
    lines = list[list[Piece]]()
    for conflict in answer["conflicts"]:
        lines.append([("text", "Sources differ: ")])
        for value, n in [(side["value"], n) for side in conflict["sides"] for n in side["citations"]]:
            apart = "; " if len(lines[-1]) > 1 else ""
            lines[-1] += [("text", f"{apart}{value}, {cited[n]['outlet'] or 'unknown outlet'}"), ("mark", marks[n])]
    for before in answer["earlier"]:
        said = f"Earlier, {day(before['date'])}: “{' '.join(before['text'].split())}”"
        lines.append([("text", said), *(("mark", marks[n]) for n in before["citations"])])
    if corrected := [("mark", marks[c["n"]]) for c in answer["citations"] if c["corrected_by"]]:
        lines.append([("text", "Was corrected later:"), *corrected])
    why = [
        [("text", f"{s['support']}: “{' '.join(s['text'].split())}”: {s['why']}")]
        for s in answer["sentences"]
        if s["why"]
    ]
    broken = [[("text", f"The answer broke off: {answer['broken']}")]] if answer["broken"] else []
    return [*lines, *why, *broken]
