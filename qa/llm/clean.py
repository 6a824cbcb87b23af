"""Takes out of what a model writes all that is not its answer: thoughts, tokens, markers, tags, addresses."""

import html
import re
from collections.abc import Sequence
from typing import Any

import regex

from index.text import lists
from index.text.speech import QUOTED
from index.types import Article
from qa.check.spans import source

FLAGS = re.S | re.I


def _any(name: str) -> str:
    """Return a regular expression for any entry of a list, the longest that fits."""
    return f"(?:{'|'.join(sorted(map(re.escape, lists.lines(name)), key=len, reverse=True))})"


# Thoughts stand between two marks, or behind one that is not closed. A mark that only closes makes a thought of all
# before it: the chat templates of some models write the opening one themselves.
NAME = rf"(?:\w+:)?{_any('thoughts')}".replace(r"\ ", "[ _-]")
OPEN = (
    rf"(?:<\s*{NAME}\b[^<>]*>|\[(?:think|thinking|reasoning)\]|◁\s*{NAME}\s*▷|<\|(?:begin_of_|start_)?{NAME}\|>"
    rf"|```\s*{NAME}\b|<\|channel\|>\s*(?:analysis|commentary)\b[^|]*<\|message\|>|\A\s*(?-i:analysis(?=[A-Z])))"
)
CLOSE = (
    rf"(?:<\s*/\s*{NAME}\s*>|\[/(?:think|thinking|reasoning)\]|◁\s*/\s*{NAME}\s*▷|<\|(?:end_of_|end_|/){NAME}\|>"
    r"|<\|channel\|>\s*final\b[^|]*<\|message\|>)"
)
THOUGHT = re.compile(
    rf"{OPEN}.*?(?:{CLOSE}|<\|(?:end|call)\|>|assistantfinal|(?<=\s)```)"
    rf"|\A[\W_]{{0,8}}{_any('thoughts')}\W*:.*?\n\W*(?:final )?(?:answer|response)\W{{0,3}}:[*_]*",
    FLAGS,
)
LONE_CLOSE = re.compile(rf"\A.*{CLOSE}", FLAGS)
CLOSING = re.compile(CLOSE, FLAGS)
# Tokens of chat templates. Behind one, someone else's turn may begin, which the model only imagines.
SPECIAL = (
    r"(?:<[|｜][^<>\n]{1,60}[|｜]>|</?(?:s|[be]os|pad|unk|mask|\w+_of_\w+)>|\[/?(?:INST|SYS|[BE]OS|SEP|CLS|PAD|UNK)\]"
    r"|<</?SYS>>)"
)
UNCLOSED = re.compile(rf"(?:{OPEN}|{SPECIAL}\s*(?:user|human|system|tool)\b).*", FLAGS)
TOKENS = re.compile(rf"(?:<\|(?:im_start|start|start_header_id|channel)\|>|<start_of_turn>)\s*\w*|{SPECIAL}", re.I)

ENTITY = re.compile(r"&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]\w{1,24});", re.I)
CITED = re.compile(r"<(cite|citation|ref|source|footnote)\b[^<>]*>\s*\[?([^<>\[\]]{1,40})\]?\s*</\1>", re.I)
RAISED = re.compile(r"<sup>\s*([\d, ]{1,8})\s*</sup>", re.I)
RAISED_DIGITS, DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"
BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr|/h\d)\b[^<>]*>", re.I)
AUTOLINK = re.compile(r"<((?:[a-z][\w+.-]*:|www\.|//)[^\s<>]*)>", re.I)
LOADS = r"(?:script|style|iframe|object|svg)"
TAG = re.compile(
    rf"<!--.*?(?:-->|\Z)|<({LOADS})\b.*?(?:</\1\s*>|\Z)|</?[a-z][\w:-]*(?:[\s/][^<>]*)?>|<[!?][^<>]*>"
    r"|<[a-z][\w-]*\s[^<>]*=[^<>]*\Z|!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?",
    FLAGS,
)
LINK = re.compile(r"(?P<label>\[\[?([^\[\]]+)\]\]?)\((?:[^()]|\([^()]*\))*\)")
ADDRESSED = r"(?:\([^\s()]*\)|[^\s<>\"'”()\[\]【】])"
ADDRESS = re.compile(
    rf"(?:\b{_any('schemes')}:(?=\S)|\bwww\.|(?:://|(?<![\w/:])//)(?=[\w\[])|\\\\(?=\w))(?:\[[^\]\s]*\])?{ADDRESSED}*",
    re.I,
)

# A marker is brackets that hold nothing but numbers and words for sources, or "(1)" or "¹" where a clause ends.
LABEL = rf"(?:{_any('sources')}s?(?![^\W\d_]))"
NUMBERS = rf"(?:{LABEL}|(?:and|to)\b|[\s,;:.#^@&|_~–—-]|\d{{1,3}}(?!\d))*"
LEFT, RIGHT, HELD = r"[\[【［{〔]{1,3}", r"[\]】］}〕]{1,3}", r"[^\[\]【】［］{}〔〕\n]"
SQUARE = rf"{LEFT}(?:(?={HELD}*\d){NUMBERS}(?:†{HELD}*)?|{LABEL}\s*:{HELD}*|unsupported){RIGHT}"
RAISES = f"[{RAISED_DIGITS}]"
ROUND = (
    rf"(?:\(\s*(?:see|cf\.?)?\s*(?:{LABEL}(?=[^()\n]*\d){NUMBERS}|(?:{SQUARE}[\s,;&]*)+|(?:source|via)s?:[^()\n]*)\)"
    r"|(?:(?<=[^\W\d_]{2})|(?<=[^\W\d_]{2} )|(?<=[.!?”\"] ))\(\d(?:, ?\d)*\)(?=[.,;:!?]|\s*(?:\n|\Z))"
    rf"|(?:(?<=[^\W\d_]{{3}})|(?<=[.,!?”\"])){RAISES}+(?:[, ]+{RAISES}+)*)"
)
CITING = rf"(?<=\b{_any('citing')})"  # behind "according to": a source must follow
BEGINS = r"(?<=(?:\A|[\n.!?…”\"])[ \t]*)"  # a sentence
SAYS = rf"\s+(?:also |both |all )?(?:{lists.pattern('saying')}|(?:say|report|state|confirm|note)s?\b)"
MARKERS = regex.compile(
    rf"(?:(?:(?P<citing>{CITING}(?=\s))|(?P<begins>{BEGINS}))(?P<label>[ \t]*\b(?:the )?{LABEL})?)?[ \t]*"
    rf"(?P<run>(?:{SQUARE}|{ROUND})(?:(?:[\s,;&]|\band\b)*(?:{SQUARE}|{ROUND}))*)(?P<says>(?={SAYS}))?",
    re.I,
)
NUMBERED = regex.compile(rf"{CITING} (?:the )?(?:evidence|passage|source|document|excerpt)s? \d{{1,2}}\b(?! of)", re.I)
# A list of sources behind the answer, and an entry without a heading above it.
FIRST = r"[ \t*_#>•-]*"  # of a line
HEADING = rf"(?:^|\n|(?<=[.!?”\"\])] )){FIRST}{_any('references')}[ \t*_]*"
REFERENCES = re.compile(
    rf"{HEADING}(?::[^\n]*|(?=\n)|\Z)(?:\n\s*(?:[-*•]|\d{{1,2}}[.)]|{SQUARE})[^\n]*|\n[^\n]*[^\s.!?”\"])*"
    r"|(?:^|\n)[ \t]*\[\^?\d{1,3}\]:[^\n]*",
    re.I,
)
# Brackets behind an opened quotation: its end decides whether they are text.
QUOTING = regex.compile(rf"\s*[\[【［{{({RAISED_DIGITS}](?<=[“„«][^“”„«»\n]*|(?<!\w)\"[^\"\n]*)[^”»\"\n]*")
# What cannot be seen, spaces other than " ", and joiners that no letter or sign before them may need.
HIDDEN = regex.compile(r"(?V1)[\p{C}--[\s\u200c\u200d]]")
SPACE = regex.compile(r"[^\S\n\t]")
JOINER = regex.compile(r"(?V1)(?<![[\p{L}\p{M}\p{S}]--\p{ASCII}])[\u200c\u200d]")


def _unfinished(pattern: re.Pattern[str]) -> Any:
    """Return what finds, by a partial search, where the end of a text may yet become a match of a pattern.

    It asks for a character behind the match that no text has: so it never is one, and what may go on is told of also
    where it already matches.
    """
    return regex.compile(rf"(?:{pattern.pattern})\0", pattern.flags & FLAGS)


PATTERNS = (UNCLOSED, THOUGHT, CLOSING, TOKENS, ENTITY, CITED, RAISED, BREAK, AUTOLINK, TAG, LINK, REFERENCES, NUMBERED)
UNFINISHED = [_unfinished(pattern) for pattern in (*PATTERNS, MARKERS, ADDRESS, QUOTING)]
ROUNDS = 8  # three are too few for links behind links


class Cleaner:
    """Takes in what a model writes, and gives what can be shown of it: the same, wherever its pieces end.

    Markers are the model's claims about its sources: none is believed, and those of evidence that does not exist are
    counted (`invented`). In a quotation, brackets are text unless an article has it without them. Addresses stay where
    they are those of retrieved articles. `withdrawn` tells that what was given last replaces all that was given before:
    that was a thought, of which only the end is marked.
    """

    def __init__(self, passages: int, articles: Sequence[Article]) -> None:
        self.invented = 0
        self.withdrawn = False
        self._passages, self._articles = passages, articles
        self._addresses = {article.url for article in articles}
        named = "|".join(re.escape(name) for a in articles for name in (a.outlet, a.title) if name and len(name) > 2)
        named = rf"(?:{named or '(?!)'})"  # else what matches nothing
        # A source by its name: "[Harlow Post]", or a line "[1] Harlow Post, 18 April 2025" that ends as no sentence.
        self._named = re.compile(
            rf"[ \t]*{LEFT}{HELD}*{named}{HELD}*{RIGHT}"
            rf"|(?:^|\n){FIRST}{SQUARE}[^\n]*{named}[^\n]*(?<![.!?”\"])(?=\n|\Z)",
            re.I,
        )
        self._unfinished = [*UNFINISHED, _unfinished(self._named)]
        self._written = self._sure = self._shown = ""

    def feed(self, piece: str, finished: bool = False) -> str:
        """Return what can be shown once this piece is there, with what was held back where it is the last."""
        self._written += _visible(piece, self._written[-1:])
        text = ENTITY.sub(lambda entity: _visible(html.unescape(entity[0])), self._written)
        text = UNCLOSED.sub("", LONE_CLOSE.sub("", THOUGHT.sub("", text)))
        text = TOKENS.sub("", text if finished else self._settled(text))
        self.invented, before = 0, ""
        while text != before:  # what is taken out may leave another of its kind: "<im<b>g src=x>", "[[1]1]"
            before, text = text, self._without(text)
        if not finished and self._shown.startswith(text):
            text = self._shown
        self.withdrawn = not text.startswith(self._shown)
        new = text if self.withdrawn else text[len(self._shown) :]
        self._shown = text
        return new

    def _settled(self, text: str) -> str:
        """Return as much of an unfinished text as nothing that follows will change. What is sure is not read again."""
        start = len(self._sure) if text.startswith(self._sure) else 0
        self._sure = text
        for _ in range(ROUNDS):  # without what is unsettled, what stands before it may be unfinished, too
            begun = (pattern.search(self._sure, start, partial=True) for pattern in self._unfinished)
            self._sure = self._sure[: min((found.start() for found in begun if found), default=None)]
        return self._sure

    def _without(self, text: str) -> str:
        """Return a text without tags, images, links, lists of sources, markers and addresses."""
        text = RAISED.sub(
            lambda raised: raised[1].translate(str.maketrans(DIGITS, RAISED_DIGITS)), CITED.sub(r"[\2]", text)
        )
        text = TAG.sub("", AUTOLINK.sub(r"\1", BREAK.sub("\n", text)))
        text = LINK.sub(lambda link: link[1] if re.fullmatch(SQUARE, link[1], re.I) else link[2], text)
        text = NUMBERED.sub(" the article", self._named.sub("", REFERENCES.sub("", text)))
        quoted = [quotation.span() for quotation in QUOTED.finditer(text)]
        return ADDRESS.sub(self._address, MARKERS.sub(lambda marker: self._marker(marker, quoted), text))

    def _address(self, match: re.Match[str]) -> str:
        address = match[0].rstrip(".,;:!?")
        return match[0] if address in self._addresses else f"(link removed){match[0][len(address) :]}"

    def _marker(self, match: re.Match[str], quoted: Sequence[tuple[int, int]]) -> str:
        """Return what stands for markers: nothing, or "the article" where the sentence would lack a word."""
        text, run = match.string, match["run"]
        counted = run.partition("†")[0].translate(str.maketrans(RAISED_DIGITS, DIGITS))
        numbers = [int(number) for number in re.findall(r"(?<!\d:)(?<!\d)\d+", counted)]
        for quotation in (text[start:end] for start, end in quoted if start <= match.start("run") < end):
            without = (quotation.replace(match[0], ""), MARKERS.sub("", quotation))
            if self._said(quotation) or not any(map(self._said, without)):
                return match[0]
        # "Berg (4)", "km²": a number of the text where no passage has it, or an article says it
        if run[0] not in "[【［{〔":
            word = text[: match.start("run")].rsplit(maxsplit=1)[-1:]
            if max(numbers, default=0) > self._passages or self._said("".join(word) + run):
                return match[0]
        self.invented += sum(not 1 <= number <= self._passages for number in numbers)
        article = "the articles" if len(numbers) > 1 else "the article"
        if match["citing"] is not None:
            return f" {article}"
        if match["begins"] is not None and match["says"] is not None:
            space = "" if text[: match.start()][-1:] in "\n" else " "  # none at the beginning of a line
            return space + article.capitalize()
        return match["label"] or ""

    def _said(self, text: str) -> bool:
        return any(source(article).find(text) for article in self._articles)


def _visible(piece: str, before: str = "") -> str:
    """Return a piece without what cannot be seen, save joiners behind a letter or sign that may need them.

    [1] with such a character in it would be no marker when it is looked for, and one when it is shown. Models write
    narrow and non-breaking spaces between words, which are spaces.
    """
    seen = before + SPACE.sub(" ", HIDDEN.sub("", piece))
    shown: str = JOINER.sub("", seen, pos=len(before))
    return shown[len(before) :]
