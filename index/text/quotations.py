"""Quotations and reported speech: who says what, by which words. Taggers learnt from marked articles (evals/train).

One looks at the words of a sentence and their grammar for those that name speech, such as "said"; as seen from each of
these two more tell who speaks and what is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple
from zipfile import ZipFile

import pycrfsuite

from index.text import lists
from index.text.names import classes
from index.text.speech import QUOTED, last_named, speaker
from index.text.syntax import parsed
from index.weights import bundled

if TYPE_CHECKING:
    from index.text.syntax import Doc

SURE = 0.1  # that a word names speech; others are in evals/EXPERIMENTS.md
BEGINS = 0.03  # how sure a tagger is that a span begins, or goes on, where it prefers none
QUOTE = "“”"  # a quotation as a token
WHOLE = re.compile(r"(?:\S+\s+){3}|.*[.,!?…]\W?$", re.S)  # of four words or an end: others are part of the sentence
TOKEN = re.compile(
    r"[’']s\b|n[’']t\b|(?:[A-Z]\.){2,}|(?:Mr|Mrs|Ms|Dr|Sen|Rep|Gov|Gen|St|Jr|Sr|Prof|Lt|Col|Sgt|Rev|Hon|No|vs|Jan|Feb|Aug"
    r"|Sept|Oct|Nov|Dec|[A-Z])\.(?=\s)|\d[\d,.]*\d|\w+?(?=[’']s\b|n[’']t\b)|\w+(?:[-‑]\w+)*|<[^<>\n]*>|\S"
)
SAYING = {*lists.lines("saying"), *lists.lines("speaking")}
STANDS_FOR = {"he", "she", "who", "his", "her", "him"}  # not "they" or "I", whom no single name tells
Span = tuple[int, int]
Word = tuple[int, int, str]  # text[start:end], or QUOTE
Features = list[list[str]]


class Quotation(NamedTuple):
    """Who says what, as spans of a text: `content` in pieces (“One,” she said, “and two”), `direct` where in marks.

    `speaker` are the words that name the speaker, a pronoun too, or None; `name` is who that is, as far as can be told.
    """

    speaker: Span | None
    name: str | None
    cue: Span
    content: list[Span]
    direct: bool


@cache
def _taggers() -> dict[str, tuple[pycrfsuite.Tagger, bytes]]:
    """Return the taggers, with their bytes, which they read on and do not keep."""
    with ZipFile(f"{bundled('copydesk-quotations')}/quotations.zip") as file:
        taggers = {name: (pycrfsuite.Tagger(), file.read(name)) for name in file.namelist()}
    for tagger, model in taggers.values():
        tagger.open_inmemory(model)
    return taggers


def quotations(text: str) -> list[Quotation]:
    """Return who says what in a text, in order. Not for several threads at once. 0.1 ms a word."""
    cues, *taggers = (_taggers()[name][0] for name in ("cue", "speaker", "content"))
    text = re.sub(r"[\ud800-\udfff]", "?", text)  # halves of characters, which a tagger does not take
    every = list(units(text))
    docs = list(grammar(every))
    views = list(map(governed, every, docs))
    asked = list[tuple[float, int, int]]()
    for n, view in enumerate(views):
        cues.set(view)
        asked += [(-p, n, k) for k in range(len(view)) if (p := cues.marginal("1", k)) > SURE]
    found: list[tuple[int, Span | None, Span, list[Span]]] = []  # sentence, speaker, cue and pieces, the surest first
    for _, n, k in sorted(asked):
        unit, after = every[n], every[n + 1 : n + 2]
        seen = pycrfsuite.ItemSequence(beside(unit, views[n], docs[n], k))
        who, said = (_spans(tagger, seen, unit) for tagger in taggers)
        if not said and unit[-1][2] in ":," and after and after[0][0][2] == QUOTE:
            said = [after[0][0][:2]]  # “Lund wrote:” and his letter
        said = [piece for piece in said if re.search(r"\w", text[slice(*piece)]) and piece not in who]
        by = min(who, key=lambda span: abs(span[0] - unit[k][0]), default=None)
        if said and not any(_same(by, said, other, held) for _, other, _, held in found):
            found.append((n, by, unit[k][:2], said))
    _go_on(text, every, {n: said for n, _, _, said in reversed(found)})
    return sorted((_told(text, *one[1:]) for one in found), key=lambda one: one.content)


def _same(by: Span | None, said: list[Span], other: Span | None, held: list[Span]) -> bool:
    """Tell whether a saying is another over again, by another word: with the same pieces, or one speaker's own."""
    return said == held or (by is not None and by == other and said[0][0] < held[-1][1] and held[0][0] < said[-1][1])


def _spans(tagger: pycrfsuite.Tagger, seen: pycrfsuite.ItemSequence, unit: list[Word]) -> list[Span]:
    """Return the spans that a tagger marks in a sentence; where it marks none, the likeliest, if that is likely."""
    marks, spans = tagger.tag(seen), list[Span]()
    first = max(range(len(unit)), key=lambda n: tagger.marginal("B", n))
    if "B" not in marks and tagger.marginal("B", first) > BEGINS:
        more = takewhile(lambda n: tagger.marginal("I", n) > BEGINS, range(first + 1, len(unit)))
        marks = ["O"] * first + ["B", *("I" for _ in more)]
    for (start, end, _), mark in zip(unit, marks, strict=False):
        if mark == "B":
            spans.append((start, end))
        elif mark == "I" and spans:
            spans[-1] = spans[-1][0], end
    return spans


def _go_on(text: str, every: list[list[Word]], saying: dict[int, list[Span]]) -> None:
    """Give the quotations that follow one, and are nobody else's, to whoever says that."""
    last = list[Span]()
    for n, unit in enumerate(every):
        own, free = saying.get(n, []), unit[0][2] == QUOTE and n not in saying
        if free:
            last.append(unit[0][:2])
        if not free or len(unit) > 1:
            last = own if any(QUOTED.match(text[slice(*piece)]) for piece in own) else []


def _told(text: str, who: Span | None, cue: Span, said: list[Span]) -> Quotation:
    pieces = said[:1]
    for start, end in said[1:]:
        joined = not text[pieces[-1][1] : start].strip()
        pieces[-1:] = [(pieces[-1][0], end)] if joined else [pieces[-1], (start, end)]
    name = text[slice(*who)] if who else None
    if who and name and name.lower() in STANDS_FOR:
        name = speaker(last_named(text[: who[0]])) or name
    return Quotation(who, name, cue, pieces, all(QUOTED.match(text[slice(*piece)]) for piece in pieces))


def units(text: str) -> Iterator[list[Word]]:
    """Yield the sentences of a text in tokens; a quotation is one, and ends no sentence."""
    for line in re.finditer(r"[^\n]+", text):
        marks = [m.span() for m in QUOTED.finditer(text, *line.span()) if WHOLE.match(m[0])]
        tokens, place, first = list[Word](), line.start(), 0
        for start, end in [*marks, (line.end(), 0)]:
            tokens += [(*m.span(), m[0]) for m in TOKEN.finditer(text, place, start)]
            tokens += [(start, end, QUOTE)] if end else []
            place = end
        for n, word in enumerate(tokens, 1):
            if n == len(tokens) or (word[2] in ".!?" and re.match(r"[A-Z\"“‘]", tokens[n][2])):
                yield tokens[first:n]
                first = n


def grammar(every: Iterable[list[Word]]) -> Iterator[Doc]:
    """Yield the grammar of each sentence; a quotation is one word in it."""
    return parsed(["this" if word == QUOTE else word for _, _, word in unit] for unit in every)


@lru_cache(65536)
def known(word: str) -> tuple[str, ...]:
    """Return what is known of a word by itself: form, lemma, classes, ending; of "", what is beyond the ends."""
    low, (of, lemma) = word.lower(), classes(word.lower())
    kind = "A" if word[:1].isupper() else "a" if word[:1].isalpha() else "."
    return (f"w={low}", f"l={lemma}", f"p={of}{kind}", f"s={low[-3:]}", *["say"] * (low in SAYING))


def governed(unit: list[Word], doc: Doc) -> Features:
    """Return the features of each word of a sentence: its own, those around it, where quotations are, its grammar."""
    forms = [known(word) for word in ("", "", *(word for _, _, word in unit), "", "")]
    quoted = [n for n, (_, _, word) in enumerate(unit) if word == QUOTE] or [len(unit), -1]
    marks = [(f"t={t.tag_}", f"d={t.dep_}", f"{t.dep_}{t.head.tag_}") for t in doc]
    found = []
    for n, token in enumerate(doc):
        before, (form, lemma, *_), after = forms[n + 1 : n + 4]
        side = f"Q{'b' * (quoted[0] < n)}{'a' * (quoted[-1] > n)}"
        own = [side, f"{side}{lemma}", f"{form}|{after[0]}", f"{before[0]}|{lemma}"]
        own += [f"{away}{mark}" for away in range(-2, 3) for mark in forms[n + 2 + away][: 2 if away in (-2, 2) else 5]]
        own += [f"{away}{mark}" for away in (-1, 0, 1) if 0 <= n + away < len(marks) for mark in marks[n + away]]
        found.append([*own, *(f"has {below.dep_}" for below in token.children)])
    return found


def beside(unit: list[Word], views: Features, doc: Doc, cue: int) -> Features:
    """Return the features of each word of a sentence as seen from the word that names speech."""
    forms = [known(word) for _, _, word in unit]
    ways, quoted, lemma = list(_ways(doc, cue)), views[cue][0], forms[cue][1]
    found = []
    for n, (top, whole) in enumerate(ways):
        side, tag = "<" if n < cue else ">" if n > cue else "=", doc[n].tag_
        own = [f"{side}{min(abs(n - cue), 6)}{more}" for more in ("", lemma, tag, quoted)]
        own += [side + more for more in ("", quoted, lemma, tag, forms[n][0], top, top + quoted, top + lemma)]
        own += [whole, *(f"{away}u{ways[n + away][0]}" for away in (-1, 0, 1) if 0 <= n + away < len(unit))]
        found.append(views[n] + own)
    return found


def _ways(doc: Doc, cue: int) -> Iterator[tuple[str, str]]:
    """Yield each word's way up the parse to the word that names speech or to what governs that.

    A way is how many heads above the cue it ends, and by which relation; and that with the two last steps of the way.
    """
    above = {token: str(min(up, 3)) for up, token in enumerate([doc[cue], *doc[cue].ancestors])}
    for token in doc:
        steps = list(takewhile(lambda token: token not in above, [token, *token.ancestors]))
        end = above.get(steps[-1].head if steps else token, "9")
        relations = [step.dep_ for step in reversed(steps)]
        yield end + "".join(relations[:1]), "/".join([end, *relations[:2]])
