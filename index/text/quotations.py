"""Quotations and reported speech: who says what, by which words. Taggers learnt from marked articles (evals/train).

One looks at all words for those that may name speech, such as "said"; only sentences that hold one are parsed. A second
looks again, at their grammar, and as seen from each such word two more tell who speaks and what is said.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple
from zipfile import ZipFile

import pycrfsuite

from index.text import lists
from index.text.datelines import dateline
from index.text.names import classes
from index.text.speech import QUOTED, last_named, speaker
from index.text.syntax import Grammar, parsed
from index.weights import bundled

PERHAPS, SURE = 0.02, 0.1  # that a word names speech, by words and by grammar; others are in evals/EXPERIMENTS.md
BEGINS = 0.03  # how sure a tagger is that a span begins, or goes on, where it prefers none
QUOTE = "“”"  # a quotation as a token
WHOLE = re.compile(r"(?:\S+\s+){3}|.*[.,!?…]\W?$", re.S)  # of four words or an end: others are part of the sentence
TOKEN = re.compile(
    r"[’']s\b|n[’']t\b|(?:[A-Z]\.){2,}|(?:Mr|Mrs|Ms|Dr|Sen|Rep|Gov|Gen|St|Jr|Sr|Prof|Lt|Col|Sgt|Rev|Hon|No|vs|Jan|Feb|Aug"
    r"|Sept|Oct|Nov|Dec|[A-Z])\.(?=\s)|\d[\d,.]*\d|\w+?(?=[’']s\b|n[’']t\b)|\w+(?:[-‑]\w+)*|<[^<>\n]*>|\S"
)
OPENS = {
    "ccomp",
    "nsubj",
    "dobj",
    "xcomp",
    "prep",
    "pobj",
    "advcl",
}  # relations in which words hang on a verb of speech
SAYING = {*lists.lines("saying"), *lists.lines("speaking")}
STANDS_FOR = {"he", "she", "who", "his", "her", "him"}  # not "they" or "I", whom no single name tells
BREAKS = {*",;—–-:()", QUOTE, "and", "but", "who", "which", "that", "as", "while", "when"}
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
def _taggers() -> tuple[list[pycrfsuite.Tagger], list[bytes]]:
    """Return the taggers, with their bytes, which they read on and do not keep."""
    with ZipFile(f"{bundled('copydesk-quotations')}/quotations.zip") as file:
        models = [file.read(name) for name in ("maybe", "cue", "speaker", "content")]
    taggers = [pycrfsuite.Tagger() for _ in models]
    for tagger, model in zip(taggers, models, strict=True):
        tagger.open_inmemory(model)
    return taggers, models


def quotations(text: str) -> list[Quotation]:
    """Return who says what in a text, in order. Not for several threads at once. 0.1 ms a word."""
    (maybe, cues, *taggers), _ = _taggers()
    text = re.sub(r"[\ud800-\udfff]", "?", text)  # halves of characters, which a tagger does not take
    every, views = list(units(text)), dict[int, Features]()
    for n, unit in enumerate(every):
        maybe.set(view := around(unit))
        if any(maybe.marginal("1", k) > PERHAPS for k in range(len(unit))):
            views[n] = view
    grammars = dict(zip(views, grammar(every[n] for n in views), strict=True))
    asked = list[tuple[int, int, float]]()
    for n, parse in grammars.items():
        views[n] = governed(views[n], parse)
        cues.set(views[n])
        asked += [(n, k, p) for k in range(len(every[n])) if (p := cues.marginal("1", k)) > SURE]
    found: list[tuple[int, Span | None, Span, list[Span]]] = []  # sentence, speaker, cue and pieces, the surest first
    for n, k, _ in sorted(asked, key=lambda one: -one[2]):
        seen = pycrfsuite.ItemSequence(beside(every[n], views[n], grammars[n], k))
        who, said = (_spans(tagger, seen, every[n]) for tagger in taggers)
        if not said and every[n][-1][2] in ":," and n + 1 < len(every) and every[n + 1][0][2] == QUOTE:
            said = [every[n + 1][0][:2]]  # “Lund wrote:” and his letter
        said = [piece for piece in said if re.search(r"\w", text[slice(*piece)]) and piece not in who]
        if said:
            by = min(who, key=lambda span: abs(span[0] - every[n][k][0]), default=None)
            if not any(_same(by, said, other, held) for _, other, _, held in found):
                found.append((n, by, every[n][k][:2], said))
    _go_on(text, every, {n: said for n, _, _, said in reversed(found)}, {span for *_, said in found for span in said})
    return sorted((_told(text, *one[1:]) for one in found), key=lambda one: one.content)


def _same(by: Span | None, said: list[Span], other: Span | None, held: list[Span]) -> bool:
    """Tell whether a saying is another over again, by another word: with the same pieces, or one speaker's own."""
    return said == held or (by is not None and by == other and said[0][0] < held[-1][1] and held[0][0] < said[-1][1])


def _spans(tagger: pycrfsuite.Tagger, seen: pycrfsuite.ItemSequence, unit: list[Word]) -> list[Span]:
    """Return the spans that a tagger marks in a sentence; where it marks none, the likeliest, if that is likely."""
    marks = tagger.tag(seen)
    if (
        "B" not in marks
        and tagger.marginal("B", n := max(range(len(unit)), key=lambda n: tagger.marginal("B", n))) > BEGINS
    ):
        marks[n] = "B"
        while n + 1 < len(unit) and tagger.marginal("I", n := n + 1) > BEGINS:
            marks[n] = "I"
    spans = list[Span]()
    for (start, end, _), mark in zip(unit, marks, strict=True):
        if mark == "B":
            spans.append((start, end))
        elif mark == "I" and spans:
            spans[-1] = spans[-1][0], end
    return spans


def _go_on(text: str, every: list[list[Word]], saying: dict[int, list[Span]], claimed: set[Span]) -> None:
    """Give the quotations that follow one, and are nobody else's, to whoever says that."""
    last, end = list[Span](), 0
    for n, unit in enumerate(every):
        (start, stop, first), own = unit[0], saying.get(n, [])
        free = first == QUOTE and not own and (start, stop) not in claimed
        if last and free and (len(unit) == 1 or "\n" not in text[end:start]):
            last.append((start, stop))
        quoted = any(QUOTED.match(text[slice(*piece)]) for piece in own)
        last = last if free and len(unit) == 1 else own if quoted else []
        end = unit[-1][1]


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
        sent = dateline(line[0])
        tokens, place, first = list[Word](), line.start() + (sent.end if sent else 0), 0
        for start, end in [*marks, (line.end(), 0)]:
            tokens += [(*m.span(), m[0]) for m in TOKEN.finditer(text, place, start)]
            tokens += [(start, end, QUOTE)] if end else []
            place = end
        for n, word in enumerate(tokens, 1):
            if n == len(tokens) or (word[2] in ".!?" and re.match(r"[A-Z\"“‘]", tokens[n][2])):
                yield tokens[first:n]
                first = n


def grammar(every: Iterable[list[Word]]) -> Iterator[Grammar]:
    """Yield the grammar of each sentence; a quotation is one word in it."""
    return parsed(["this" if word == QUOTE else word for _, _, word in unit] for unit in every)


@lru_cache(65536)
def known(word: str) -> tuple[str, ...]:
    """Return what is known of a word by itself: form, lemma, classes with its first character's kind, ending."""
    low, (of, lemma) = word.lower(), classes(word.lower())
    kind = "A" if word[0].isupper() else "a" if word[0].isalpha() else "9" if word[0].isdigit() else "."
    return (f"w={low}", f"l={lemma}", f"p={of}{kind}", kind, f"s={low[-3:]}", *["say"] * (low in SAYING))


@lru_cache(262144)
def seen_from(word: str, away: int) -> list[str]:
    """Return what of a word, or "" beyond the ends, a word sees that stands `-away` words behind it."""
    every = known(word) if word else ("END",)
    return [f"{away}{feature}" for feature in (every if abs(away) < 2 else every[0:3:2])]


def around(unit: list[Word]) -> Features:
    """Return the features of each word of a sentence: its own, those of words around it, and where quotations are."""
    forms = ["", "", *(word for _, _, word in unit), "", ""]
    quoted = [n for n, word in enumerate(forms) if word == QUOTE] or [0]
    found = []
    for n in range(2, len(forms) - 2):
        side, (form, lemma, *_) = f"Q{'b' * (0 < quoted[0] < n)}{'a' * (quoted[-1] > n)}", known(forms[n])
        own = [side, f"{side}{lemma}", f"{form}|{forms[n + 1].lower()}", f"{forms[n - 1].lower()}|{lemma}"]
        found.append(sum((seen_from(forms[n + away], away) for away in range(-2, 3)), own))
    return found


def governed(views: Features, parse: Grammar) -> Features:
    """Return the features of each word of a sentence with those of its grammar: what it is, and what hangs on it."""
    tags, relations, heads = parse
    marks = [[f"t={t}", f"d={d}", f"{d}{tags[h]}"] for t, d, h in zip(tags, relations, heads, strict=True)]
    found = []
    for n, view in enumerate(views):
        near = [f"{away}{mark}" for away in (-1, 0, 1) if 0 <= n + away < len(marks) for mark in marks[n + away]]
        has = sorted({relations[below] for below, head in enumerate(heads) if head == n != below})
        found.append(
            [*view, *near, *(f"has {r}" for r in has), f"has {'+'.join(r for r in has if r in OPENS)}{tags[n]}"]
        )
    return found


def beside(unit: list[Word], views: Features, parse: Grammar, cue: int) -> Features:
    """Return the features of each word of a sentence as seen from the word that names speech."""
    tags, forms = parse[0], [known(word) for _, _, word in unit]
    breaks = [0, *accumulate(word in BREAKS for _, _, word in unit)]
    verbs = [0, *accumulate(tag[:2] in ("VB", "MD") for tag in tags)]
    ways, quoted, lemma = _ways(parse, cue), views[cue][0], forms[cue][1]
    found = []
    for n, (top, whole) in enumerate(ways):
        side, (low, high) = "<" if n < cue else ">" if n > cue else "=", sorted((n, cue))
        far, passed = f"{side}{min(high - low, 6)}", f"{side}s{min(breaks[high] - breaks[low], 4)}"
        acts = f"{passed}v{min(verbs[high] - verbs[low], 3)}"
        before, behind = forms[n - 1][0] if n else "BEGIN", forms[n + 1][0] if n + 1 < len(unit) else "END"
        own = [far, passed, acts, far + lemma, far + tags[n], passed + tags[n], passed + forms[n][3], acts + quoted]
        own += [side, side + quoted, side + lemma, side + forms[n][0] + quoted, side + behind, side + before + tags[n]]
        own += [whole, f"{side}{top}", f"{side}{top}{quoted}", f"{side}{top}{lemma}"]
        own += [f"{away}u{ways[n + away][0]}" for away in (-1, 0, 1) if 0 <= n + away < len(unit)]
        found.append(views[n] + own)
    return found


def _ways(parse: Grammar, cue: int) -> list[tuple[str, str]]:
    """Return each word's way up the parse to the word that names speech or to what governs that.

    A way is how many heads above the cue it ends, and by which relation; and that with the two last steps of the way.
    """
    _, relations, heads = parse
    ways, word, up = dict[int, tuple[str, str]](), cue, 0
    while word not in ways:
        ways[word], word, up = (f"{min(up, 3)}", f"{min(up, 3)}"), heads[word], up + 1

    def way(word: int) -> tuple[str, str]:
        if word not in ways:
            top, whole = way(heads[word]) if heads[word] != word else ("9", "9")
            steps = whole.count("/")
            ways[word] = (
                top if steps else f"{top}{relations[word]}",
                f"{whole}/{relations[word]}" if steps < 2 else whole,
            )
        return ways[word]

    return [way(word) for word in range(len(heads))]
