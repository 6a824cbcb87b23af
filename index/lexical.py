"""The lexical index: BM25 over stems, on tantivy. Derived from the archive; may be deleted at any time.

A field of tantivy is analysed in one way: `title` and `text` are as English, whatever the article's language, since
names and figures are found so in all; `words` holds in addition the tokens of an article in another language.
"""

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from mmap import ACCESS_READ, mmap
from pathlib import Path
from struct import error as StructError  # noqa: N812
from struct import unpack
from tempfile import TemporaryDirectory
from zlib import crc32

import tantivy

from index.text import language as languages
from index.text.fold import clean
from index.text.terms import ENGLISH, analyzer, content_terms, tokens
from index.types import REPAIR, ArchiveError, Article, Filters, Passage, disk_error

# An index of texts that were prepared in another way does not open, and is built again.
ANALYSIS = "stems-of-languages"
DAYS = "published", "since", "replaced"
MANY = 1000  # passages
LARGE, COMMON = 100_000, 0.05  # passages; and the share of them that holds a word which tells little
NAMES = "outlet", "language"
MAGIC = 1337  # at the end of a segment's file
SEGMENT = re.compile(r"[0-9a-f]{32}\.[a-z0-9.]+")
WRITER_BYTES = 128_000_000  # One commit of 26,000 passages stays in memory; tantivy's minimum is 15 MB a thread.


@contextmanager
def _translated() -> Iterator[None]:
    """Raise an ArchiveError in place of what tantivy raises; its panics are no Exceptions, and cannot be imported."""
    try:
        yield
    except BaseException as error:  # what a panic is; what is none is raised on
        if not isinstance(error, ValueError | OSError) and type(error).__name__ != "PanicException":
            raise
        raise disk_error("the lexical index", error) or ArchiveError(
            f"the lexical index fails: {error}; {REPAIR}"
        ) from error


class LexicalIndex:
    """Passages by their words. One process may write it; who opens it `read_only` sees each commit of that one."""

    lost = False

    def __init__(self, folder: Path | None, read_only: bool = False) -> None:
        """Open a folder, or create it; without one the index is held in memory."""
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("title", tokenizer_name=ANALYSIS)
        builder.add_text_field("text", tokenizer_name=ANALYSIS)
        builder.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
        for name in NAMES:
            builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
        for day in DAYS:  # unsigned fields crash on Python integers
            builder.add_integer_field(day, indexed=True, fast=True)
        self._schema = builder.build()
        with _translated():
            if folder and read_only:
                self._index = tantivy.Index.open(str(self._lockable(folder)))
                if self._index.schema != self._schema:
                    raise ValueError("it is of another version")
            else:
                if folder:
                    folder.mkdir(parents=True, exist_ok=True)
                self._index = tantivy.Index(self._schema, path=str(folder) if folder else None, reuse=True)
        self._analyzer = analyzer()
        self._index.register_tokenizer(ANALYSIS, self._analyzer)

    def _lockable(self, folder: Path) -> Path:
        """Return a folder, or links to its files where tantivy could not make its lock, without which it opens none."""
        if os.access(folder, os.W_OK):
            return folder
        self._links = TemporaryDirectory(prefix="copydesk-")
        for path in folder.iterdir():
            if path.suffix != ".lock":
                (Path(self._links.name) / path.name).symlink_to(path.absolute())
        return Path(self._links.name)

    def __len__(self) -> int:
        """Return how many passages of current versions are held."""
        count = {"earlier": {"value_count": {"field": "replaced"}}}
        with _translated():
            self._index.reload()
            searcher = self._index.searcher()
            return int(searcher.num_docs - searcher.aggregate(tantivy.Query.all_query(), count)["earlier"]["value"])

    @property
    def large(self) -> bool:
        """Whether there are so many passages that what is quick for few takes a while."""
        return bool(self._index.searcher().num_docs >= LARGE)

    def apply(self, removed: Sequence[str], added: Sequence[tuple[Article, Passage]]) -> None:
        """Remove passages by id and add or replace others, in one commit: all of it or none."""
        with _translated():
            writer = self._index.writer(WRITER_BYTES, 1)
            for passage_id in (*removed, *(passage.id for _, passage in added)):
                writer.delete_documents_by_term("id", passage_id)
            for article, passage in added:
                if not _held(passage):
                    continue
                title, text = clean(article.title), clean(article.text[passage.start : passage.end])
                names = {"outlet": (article.outlet or "").casefold(), "language": article.language or ""}
                document = tantivy.Document(id=passage.id, title=title, text=text, **names)
                code = article.language or languages.of(article.text)
                if code not in ENGLISH:
                    document.add_text("words", " ".join(tokens(f"{title}\n{text}", code)))
                for name, day in zip(DAYS, (article.published, passage.since, passage.replaced), strict=True):
                    if day:
                        document.add_integer(name, day.toordinal())
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
            self._index.reload()

    def lacks(self, held: Sequence[tuple[Article, Passage]]) -> int:
        """Return how many of these passages it does not hold."""
        with _translated():
            searcher = self._index.searcher()
            return sum(_held(passage) and not searcher.doc_freq("id", passage.id) for _, passage in held)

    def search(
        self, question: str, top: int, filters: Filters, only: list[str] | None = None, language: str | None = None
    ) -> list[tuple[str, float]]:
        """Return up to `top` (passage id, BM25 score at least 0), best first; of all passages, or `only` these.

        `language` is the question's: where it is not English, articles are found by its stems, too.
        """
        # A question is no query in tantivy's language.
        words = " ".join(self._telling(re.findall(r"\w+", clean(question).lower())))
        # Neither field is boosted: .6 and 2 for the title were measured, see evals/EXPERIMENTS.md.
        matches, _ = self._index.parse_query_lenient(words, ["text", "title"])
        if language not in ENGLISH:
            # Of its subject alone: "who" and "when" would lead to any article in this language (§28).
            stems = content_terms(question, language)
            own = [tantivy.Query.term_query(self._schema, "words", stem, index_option="freq") for stem in stems]
            matches = tantivy.Query.boolean_query([(tantivy.Occur.Should, one) for one in (matches, *own)])
        clauses: list[tantivy.Query] = []
        for name, wanted in zip(NAMES, (filters.outlets, filters.languages), strict=True):
            if wanted:
                clauses.append(tantivy.Query.term_set_query(self._schema, name, [one.casefold() for one in wanted]))
        if only is not None:
            clauses.append(tantivy.Query.term_set_query(self._schema, "id", only))
        if filters.since or filters.until:
            clauses.append(self._days("published", filters.since, filters.until))
        # A filter must not add to the score, hence the constant of 0.
        every = [matches, *(tantivy.Query.const_score_query(clause, 0.0) for clause in clauses)]
        query = tantivy.Query.boolean_query(
            [*((tantivy.Occur.Must, clause) for clause in every), *self._standing(filters.as_of)]
        )
        searcher = self._index.searcher()
        with _translated():
            found = searcher.search(query, top)
            return [(searcher.doc(address)["id"][0], score) for score, address in found.hits]

    def _telling(self, words: list[str]) -> list[str]:
        """Return words without the common ones where there are many passages: they take most of the time.

        Of a million 40 ms in place of 14; their weight is a tenth of a rare one's.
        """
        searcher = self._index.searcher()
        if not self.large:
            return words
        stems = (self._analyzer.analyze(word) for word in words)
        often = [max((searcher.doc_freq("text", stem) for stem in own), default=0) for own in stems]
        rare = [word for word, times in zip(words, often, strict=True) if times < COMMON * searcher.num_docs]
        return rare or words

    def _days(self, field: str, first: date | None, last: date | None) -> tantivy.Query:
        low, high = (first or date.min).toordinal(), (last or date.max).toordinal()
        return tantivy.Query.range_query(self._schema, field, tantivy.FieldType.Integer, low, high)

    def _standing(self, day: date | None) -> list[tuple[tantivy.Occur, tantivy.Query]]:
        """Return the clauses by which only versions that stood on a day are found, or without one those that stand."""
        if day is None:
            return [(tantivy.Occur.MustNot, tantivy.Query.exists_query("replaced"))]
        stood = tantivy.Query.const_score_query(self._days("since", None, day), 0.0)
        return [(tantivy.Occur.Must, stood), (tantivy.Occur.MustNot, self._days("replaced", None, day))]

    def rarity(self, terms: Iterable[str], language: str | None = None) -> dict[str, float]:
        """Return how rare each of these terms of a language is among the passages: 1 where none holds it, to 0.

        A few passages on one subject do not make its words common: there are taken to be at least `MANY`.
        """
        fields = ("title", "text") if language in ENGLISH else ("title", "text", "words")
        with _translated():
            searcher = self._index.searcher()
            every = math.log(max(searcher.num_docs, MANY) + 1)
            found = {term: max(searcher.doc_freq(field, term) for field in fields) for term in terms}
        return {term: 1 - math.log(held + 1) / every for term, held in found.items()}


def _held(passage: Passage) -> bool:
    """Tell whether a passage is held: not that of a version undated, or changed on the same day."""
    return not passage.replaced or passage.stood(passage.since)


def torn(folder: Path) -> str:
    """Return which file of an index is not what tantivy wrote, if any: each ends with a CRC-32 of what is before it.

    The format is that of footer.rs in tantivy: a JSON object, its length and a magic number, four bytes each.
    """
    for path in (path for path in folder.glob("*.*") if SEGMENT.fullmatch(path.name)):
        try:
            with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
                length, magic = unpack("<II", data[-8:])
                footer = data[-8 - length : -8]
                with memoryview(data) as view, view[: -8 - length] as body:
                    sound = magic == MAGIC and json.loads(footer)["crc"] == crc32(body)
        except (OSError, ValueError, LookupError, TypeError, StructError):
            sound = False
        if not sound:
            return f"{path.name} is damaged"
    return ""
