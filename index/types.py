"""The words everything else is said in: articles, passages, hits, filters, the errors, and how secrets are not said."""

import os
import re
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import blake2b

REPAIR = "run copydesk doctor --repair"
Place = tuple[str, str]  # of an article: the ingested path, and the file below it
# Of an address: a name and password, which may hold a slash where no port can be meant, and keys by their names.
USERINFO = re.compile(r"(?<=//)(?:[^\s/?#]{0,500}|[^\s/?#:]{0,500}:(?!\d+[/?#])\S{0,500})@")
KEYED = re.compile(
    r"([?&;#](?:[\w.%-]*[_.-])?(?:(?:api|access|auth|private|secret)?(?:key|token)|secret|sig(?:nature)?|credential"
    r"|pass(?:word|wd)?|pwd|auth|jwt)=)[^&;#\s\"'<>]+",
    re.I,
)
SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIALS", "_HEADERS")  # as names of variables end
MESSAGE_CHARACTERS = 1000
SECRET_CHARACTERS = 8  # A shorter one is no secret, and would be cut out of words.


@dataclass(frozen=True)
class Article:
    """One news article as stored. Every offset in Copydesk counts characters of `text` (or `title`)."""

    id: str
    title: str
    text: str
    outlet: str | None = None
    published: date | None = None
    url: str | None = None
    authors: tuple[str, ...] = ()
    # ISO 639-1, as its text is detected to be, so not compared; None where that is not sure.
    language: str | None = field(default=None, compare=False)
    pages: tuple[int, ...] = ()  # where each page of its file begins in its text, of files that have pages

    def page(self, start: int) -> int | None:
        """Return the page, from 1, of a place in its text; None of a file without pages."""
        return bisect_right(self.pages, start) or None


@dataclass(frozen=True)
class Listed:
    """What a list shows of an article: all but its text, and its numbers of characters and passages."""

    id: str
    title: str
    outlet: str | None
    published: date | None
    url: str | None
    characters: int
    passages: int
    language: str | None = None


@dataclass(frozen=True)
class Passage:
    """A run of whole sentences: `article.text[start:end]`. Its id is a hash of what it was cut from."""

    id: str
    article_id: str
    start: int
    end: int
    since: date | None = None  # when, as the archive knows, its version began to stand, and
    replaced: date | None = None  # when the next took its place

    def stood(self, day: date | None) -> bool:
        """Tell whether its version stood on a day, which an undated one never did; without a day, whether it does."""
        if day is None:
            return self.replaced is None
        return bool(self.since and self.since <= day and not (self.replaced and self.replaced <= day))


@dataclass(frozen=True)
class Hit:
    """A passage found for a question, with its article. Scores order hits of one search, best first."""

    article: Article
    passage: Passage
    score: float

    @property
    def text(self) -> str:
        return self.article.text[self.passage.start : self.passage.end]


@dataclass(frozen=True)
class Filters:
    """Which articles may be searched: outlets in any case; dates inclusive, and none of them holds an undated one.

    With `as_of`, in the version that stood on that day. `authors` are whole names, in any case; `languages` are codes
    as articles have them.
    """

    outlets: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    as_of: date | None = None
    authors: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @property
    def narrow(self) -> bool:
        """Whether some articles are left out, whatever stands now."""
        return replace(self, as_of=None) != Filters()


@dataclass(frozen=True)
class Query:
    """What to search for, and what is known of the articles that answer it.

    `parts` are clauses that may each be answered by an article of its own. With `present`, the day on which the
    question is about current news, recent articles gain; so do those of `outlets`, named in the question, and of
    `days` (year, or None for any; month; day). Its words are searched as those of its `language`, if it is known.
    """

    text: str
    filters: Filters = Filters()
    present: date | None = None
    parts: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()
    days: tuple[tuple[int | None, int, int], ...] = ()
    language: str | None = None


@dataclass(frozen=True)
class Rejected:
    """An input that was not ingested, and why, in words that say how to mend it."""

    source: str
    reason: str


class CopydeskError(Exception):
    """Something the user can mend; the message is one line that says what and how, see `told`."""

    def __str__(self) -> str:
        return told(super().__str__())


class BadInput(CopydeskError):
    """An argument, question, date or limit that cannot be used."""


class ReadOnly(BadInput):
    """What would change an archive that is opened for reading only."""


class UnknownArticle(BadInput):
    """No article has this id or url."""


class ArchiveError(CopydeskError):
    """The archive cannot be opened, read or written as it is."""


class DiskError(ArchiveError):
    """The disk is full, or cannot be written."""


class Unreachable(ArchiveError):
    """A server or cluster that holds or does a part is not there, or refuses it; what was written stays."""


class ArchiveInUse(ArchiveError):
    """Another process, the `holder`, holds the archive; `address` is where it answers, when it serves."""

    def __init__(self, message: str, address: str | None = None, holder: str = "another process") -> None:
        super().__init__(message)
        self.address, self.holder = address, holder


class ModelError(CopydeskError):
    """A model's weights are missing, altered or cannot be loaded."""


@contextmanager
def translated(kind: type[CopydeskError], what: str, *foreign: type[Exception], mend: str = "") -> Iterator[None]:
    """Raise an error of this kind in place of foreign ones: what failed, why, and how to mend it."""
    try:
        yield
    except foreign as error:
        raise kind(f"{what}: {getattr(error, 'strerror', None) or error}{mend and '; '}{mend}") from error


# How SQLite, tantivy and Chroma, each in its own words, report what the operating system refuses to write.
FULL = re.compile(r"no space left|disk is full|os error 28\b", re.IGNORECASE)
DISK = re.compile(
    r"disk I/O|input/output error|quota exceeded|file too large|read-only file system|readonly database"
    r"|os error (?:5|27|30|122)\b|failed to apply logs",  # the last: Chroma does not say why
    re.IGNORECASE,
)


def disk_error(place: object, error: BaseException) -> DiskError | None:
    """Return in our words what a disk did not write below a place; None of an error of another kind."""
    said = str(error)
    reason = (
        "no space left on the disk" if FULL.search(said) else f"cannot be written: {said}" * bool(DISK.search(said))
    )
    mend = "make room there, or mend the disk, and run it again; what was written stays"
    return DiskError(f"{place}: {reason}: {mend}") if reason else None


def digest(text: str, size: int) -> str:
    """Return a hash of a text, which may hold lone surrogates: `size` bytes of BLAKE2b in hexadecimal."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()


def shown(text: str) -> str:
    """Return an address, or any text, without what nobody may read: names and passwords in addresses are dropped.

    `***` stands for keys in addresses, and for the values of this process's variables such as OPENAI_API_KEY.
    """
    held = {value.strip() for name, value in os.environ.items() if name.endswith(SECRET_NAMES)}
    for secret in sorted((value for value in held if len(value) >= SECRET_CHARACTERS), key=len, reverse=True):
        text = text.replace(secret, "***")
    return KEYED.sub(r"\1***", USERINFO.sub("", text))


def told(message: str) -> str:
    """Return a message as it can be sent and shown: one line, not endless, no halves of characters, no secrets."""
    line = " ".join(shown(message[: 10 * MESSAGE_CHARACTERS]).encode("utf-8", "replace").decode().split())
    line = "".join(character if character.isprintable() else "�" for character in line)
    return line if len(line) <= MESSAGE_CHARACTERS else f"{line[: MESSAGE_CHARACTERS - 1]}…"
