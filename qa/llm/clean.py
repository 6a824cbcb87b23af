"""Takes out of what a model writes all that is not its answer: thoughts, tokens, markers, tags, addresses."""

import html
import re
import unicodedata
from collections.abc import Sequence

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
    rf"|\A[\W_]{{0,8}}{NAME}\W*:.*?\n\W*(?:final )?(?:answer|response)\W{{0,3}}:[*_]*",
    FLAGS,
)
LONE_CLOSE = re.compile(rf"\A.*{CLOSE}", FLAGS)
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
CITING = rf"\b{_any('citing')}"  # "according to": a source must follow
MARKERS = re.compile(
    rf"(?P<citing>{CITING}(?=\s))?(?P<label>\s*\b(?:the )?{LABEL})?[ \t]*"
    rf"(?P<run>(?:{SQUARE}|{ROUND})(?:(?:[\s,;&]|\band\b)*(?:{SQUARE}|{ROUND}))*)",
    re.I,
)
NUMBERED = re.compile(rf"({CITING}) (?:the )?(?:evidence|passage|source|document|excerpt)s? \d{{1,2}}\b(?! of)", re.I)
SAYS = re.compile(rf"\s+(?:also |both |all )?(?:{lists.pattern('saying')}|(?:say|report|state|confirm|note)s?\b)")
# A list of sources behind the answer, and an entry without a heading above it.
FIRST = r"[ \t*_#>•-]*"  # of a line
HEADING = rf"(?:^|\n|(?<=[.!?”\"\])] )){FIRST}{_any('references')}[ \t*_]*"
REFERENCES = re.compile(
    rf"{HEADING}(?::[^\n]*|(?=\n)|\Z)(?:\n\s*(?:[-*•]|\d{{1,2}}[.)]|{SQUARE})[^\n]*|\n[^\n]*[^\s.!?”\"])*"
    r"|(?:^|\n)[ \t]*\[\^?\d{1,3}\]:[^\n]*",
    re.I,
)
CLOSED = rf"(?:{LEFT}{HELD}{{0,200}}{RIGHT}(?:[\s,;&]|and\b)*)"
# What may yet become one of these: it is held back until the rest is there.
UNFINISHED = re.compile(
    "|".join(
        (
            rf"(?:[ \t]+|(?:^|\n){FIRST}|`{{1,3}}\s*\w{{0,20}}|&[#\w]{{0,24}}|◁[^▷]{{0,30}}|[\\!])$",
            rf"<!--(?:(?!-->).)*$|[ \t]*<(?:{LOADS}|cite|citation|ref|source|footnote|sup)\b(?:(?!</\w+\s*>).)*$",
            rf"[ \t]*<(?:\s*/?\s*[a-z]{{0,20}}|[/a-z!?|｜][^<>]{{0,400}}|<[^<>\n]{{0,20}}>?)$|{SPECIAL}\s*\w{{0,10}}$",
            # brackets, with a word for a source before them, and behind them an address or two words
            rf"(?:\b(?:the )?{LABEL})?[ \t]*!?(?:(?>{CLOSED}*){LEFT}{HELD}{{0,200}}"
            rf"|(?>{CLOSED}+)(?:\([^)\n]{{0,500}}\)?\s*|(?:\w{{0,14}}\s?){{0,2}}))$",
            rf"(?:^|\n){FIRST}{LEFT}[^\n]*$|[ \t]*\([^()\n]{{0,80}}\)?\s*$|{RAISES}[⁰¹²³⁴⁵⁶⁷⁸⁹, ]*$",
            rf"{CITING}\s+(?:the )?\w{{0,12}}\s?\d{{0,2}}$|(?:\b{_any('schemes')}[:&]|\bwww\.|:|/|\\\\){ADDRESSED}*$",
            rf"{HEADING}(?:[:\n].*)?$|\A[\W_]{{0,8}}{NAME}\W*(?::.*)?$",
        )
    ),
    FLAGS,
)
QUOTING = re.compile(r"(?:[“„«][^“”„«»\n]*?|(?<!\w)\"[^\"\n]*?)(?P<held>\s*[\[【［{(⁰¹²³⁴⁵⁶⁷⁸⁹][^”»\"\n]*)$")
FIRST_WORDS = re.compile(rf"(?:^|\n|(?<=[.!?”\"\])])\s+){FIRST}(?:the )?([^\W\d_]+(?: [a-z]*){{0,2}})$", re.I)
LAST_WORD = re.compile(r"\b([a-z][a-z-]*)$", re.I)
BEGUN = ((FIRST_WORDS, ("references", "sources", "thoughts")), (LAST_WORD, ("schemes",)))
PLAIN = re.compile(rf"(?:(?!{RAISES})[^\W\d_]|[ ,;'’–-])*")  # words, which may begin a marker or an address, end none
ROUNDS = 3
CONTEXT = 100  # characters that tell what plain words may begin
JOINERS = "\u200c\u200d"


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
        self._written = self._shown = ""
        self._held: str | None = None  # what is not shown yet, where that is plain words
        self._thinks = False

    def feed(self, piece: str) -> str:
        """Return what can be shown once this piece is there."""
        return self._take(piece, False)

    def rest(self) -> str:
        """Return what was held back at the end."""
        return self._take("", True)

    def _take(self, piece: str, finished: bool) -> str:
        piece = _visible(piece, self._written[-1:])
        self._written += piece
        self.withdrawn = False
        plain = not finished and PLAIN.fullmatch(piece)
        if plain and self._held is not None:  # most are, and need no second look at all that came before
            text = self._shown[-CONTEXT:] + self._held + piece
            settled = max(_settled(text), len(self._shown[-CONTEXT:]))
            new, self._held = text[len(self._shown[-CONTEXT:]) : settled], text[settled:]
            self._shown += new
            return new
        if plain and self._thinks:
            return ""
        text = ENTITY.sub(lambda entity: _visible(html.unescape(entity[0])), self._written)
        text = LONE_CLOSE.sub("", THOUGHT.sub("", text))
        self._thinks = UNCLOSED.search(text) is not None
        text = UNCLOSED.sub("", text)
        settled = len(text) if finished else _settled(text)
        self._held = text[settled:] if PLAIN.fullmatch(text, settled) and not self._thinks else None
        text = TOKENS.sub("", text[:settled])
        self.invented, before = 0, ""
        while text != before:  # what is taken out may leave another of its kind: "<im<b>g src=x>", "[[1]1]"
            before, text = text, self._without(text)
        if not finished and self._shown.startswith(text):
            self._held = self._held if self._shown == text else None
            return ""
        self.withdrawn = not text.startswith(self._shown)
        new = text if self.withdrawn else text[len(self._shown) :]
        self._shown = text
        return new

    def _without(self, text: str) -> str:
        """Return a text without tags, images, links, lists of sources, markers and addresses."""
        text = RAISED.sub(
            lambda raised: raised[1].translate(str.maketrans(DIGITS, RAISED_DIGITS)), CITED.sub(r"[\2]", text)
        )
        text = TAG.sub("", AUTOLINK.sub(r"\1", BREAK.sub("\n", text)))
        text = LINK.sub(lambda link: link[1] if re.fullmatch(SQUARE, link[1], re.I) else link[2], text)
        text = NUMBERED.sub(r"\1 the article", self._named.sub("", REFERENCES.sub("", text)))
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
        if (
            run[0] not in "[【［{〔"
        ):  # "Berg (4)", "km²": a number of the text where no passage has it, or an article says it
            word = text[: match.start("run")].rsplit(maxsplit=1)[-1:]
            if max(numbers, default=0) > self._passages or self._said("".join(word) + run):
                return match[0]
        self.invented += sum(not 1 <= number <= self._passages for number in numbers)
        article = "the articles" if len(numbers) > 1 else "the article"
        if match["citing"]:
            return f"{match['citing']} {article}"
        before = text[: match.start()].rstrip(" \t")
        if SAYS.match(text, match.end()) and (not before or before[-1] in '\n.!?…”"'):
            return f"{' ' if before.strip(chr(10)) == before != '' else ''}{article.capitalize()}"
        return match["label"] or ""

    def _said(self, text: str) -> bool:
        return any(source(article).find(text) for article in self._articles)


def _visible(piece: str, before: str = "") -> str:
    """Return a piece without what cannot be seen, save joiners behind a letter or sign that may need them.

    [1] with such a character in it would be no marker when it is looked for, and one when it is shown. Models write
    narrow and non-breaking spaces between words, which are spaces.
    """
    shown = before
    for character in piece:
        if character in JOINERS:
            shown += character if shown[-1:] > "\x7f" and unicodedata.category(shown[-1])[0] in "LMS" else ""
        elif character in "\n\t" or character.isprintable():
            shown += character
        elif character.isspace():
            shown += " "
    return shown[len(before) :]


def _settled(text: str) -> int:
    """Return the place in an unfinished text up to which nothing that follows will change it."""
    end = len(text)
    for _ in range(ROUNDS):  # without what is unsettled, what stands before it may be unfinished, too
        end = _unsettled(text[:end])
    return end


def _unsettled(text: str) -> int:
    unsettled: list[tuple[re.Match[str] | None, int | str]] = [
        (UNFINISHED.search(text), 0),
        (QUOTING.search(text), "held"),
    ]
    for pattern, names in BEGUN:
        if found := pattern.search(text):
            begun = found[1].lower().rstrip()
            if any(word.lower().startswith(begun) for name in names for word in lists.lines(name)):
                unsettled.append((found, 0))
    return min((found.start(group) for found, group in unsettled if found), default=len(text))
