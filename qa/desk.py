"""The desk: one open archive, asked from Python, the command line, HTTP and the page alike."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.alongside import open_index
from index.beyond.cluster import Cluster
from index.encoder import MULTILINGUAL, Encoder
from index.encoder.reencode import Reencoded, reencode
from index.encoder.waiting import encode_waiting
from index.health.backup import Report, backup
from index.ingest import IngestReport, ingest
from index.read import real
from index.search import search
from index.shared import local
from index.sources.watched import Sources
from index.sync import Index, Progress, silent
from index.text.names import is_verb
from index.text.syntax import parse
from index.types import Article, BadInput, CopydeskError, Hit
from qa import ask
from qa.check.draft import check, elsewhere
from qa.check.spans import Verdict
from qa.check.verify import Judge, verify
from qa.languages.reader import ManyReader
from qa.llm.judge import load_judge
from qa.llm.prompt import Model, load_model
from qa.llm.providers import url_for
from qa.llm.translate import translate
from qa.request import (
    ArticlesRequest,
    AskRequest,
    CheckRequest,
    QuotesRequest,
    SearchRequest,
    TimelineRequest,
    builds,
    go_on,
    is_text,
    part,
    strings,
)  # fmt: skip
from qa.rerank import Reader, Reranker, load_reranker
from qa.steps.evidence import read
from qa.steps.rank import collapse, rerank
from qa.steps.said import find
from qa.steps.timeline import timeline
from qa.steps.understand import understand
from qa.telemetry import Turns
from qa.types import Answer, Checked, Event, Page, Said, Timeline, Translation, as_json

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from index.sources.watch import Looked


class Desk(AbstractContextManager["Desk"]):
    """Opens or creates an archive folder and answers from it. A context manager; one process an archive.

    Any number of others open it `read_only`, also meanwhile: it is as it was at the last batch, and stays as it is.
    One in PostgreSQL, postgresql://USER@HOST/DB, is read and written by any number; its indexes lie below `cache`.

    `encoder` and `reranker` are names (bundled, a local folder or a hub id) or objects of those protocols; an archive
    remembers its encoder, and is opened with it where none is named. `llm`, `llm_url`, `judge` and `strict` are what
    questions are answered and sentences checked with where they do not say otherwise, see `AskRequest`. `allow_private`
    opens private networks to addresses that are ingested. `vectors`, a Chroma server's address or "folder", is where
    the dense index is from now on. `progress` is told what takes long. Methods may be called from several threads: two
    search at a time, since each uses every core; who lists or reads articles waits for none of them, and nobody waits
    for an ingestion.

    Raises BadInput for arguments that cannot be used, ArchiveInUse and ArchiveError for archives, ModelError
    for weights; all are CopydeskError, and their message says what to do.
    """

    def __init__(
        self,
        data: str | Path = "copydesk-data",
        encoder: Encoder | str | None = None,
        reranker: Reranker | str = "bundled",
        progress: Progress = silent,
        llm: LLM | str = "quotes",
        llm_url: str | None = None,
        judge: Judge | str = "bundled",
        strict: bool = False,
        allow_private: bool = False,
        read_only: bool = False,
        cache: str | Path | None = None,
        vectors: str | None = None,
    ) -> None:
        self.turns = Turns()
        self._ingesting = threading.Lock()
        self._late = ThreadPoolExecutor(1)  # opens what questions need not wait for
        self.ingested = Counter[str]()  # ingestions that ended, articles by what became of them, and passages
        self.llm, self.strict, self.allow_private = llm, strict, allow_private
        self._reranker = reranker
        self._given = llm_url, llm, judge  # the address, and what it may have been given for
        self._data = data
        self.index = open_index(data, encoder, progress, read_only, cache, vectors)
        try:
            self._judge = load_judge(judge, url_for(judge, *self._given)) if isinstance(judge, str) else judge
        except CopydeskError:
            self.index.close()  # or nobody could open the archive until this process ends
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the archive and let other processes in."""
        with self._ingesting, self._alone():
            self._late.shutdown()
            self.index.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until nobody searches, and let nobody."""
        with ExitStack() as everyone:
            for _ in range(self.turns.most):
                everyone.enter_context(self.turns)
            yield

    @contextmanager
    def reading(self) -> Iterator[Index]:
        """Wait for a turn to search, and read one state of the archive. Raises Gone where the asker has left."""
        with self.turns, self.index.reading():
            go_on()
            yield self.index

    @cached_property
    def reranker(self) -> Reranker:
        return load_reranker(self._reranker) if isinstance(self._reranker, str) else self._reranker

    @property
    def many(self) -> ManyReader | None:
        """The reader of many languages, for archives whose encoder knows them."""
        return self._many if self.index.encoder.name == MULTILINGUAL and isinstance(self.reranker, Reader) else None

    _many = cached_property(lambda _: ManyReader())

    # Questions

    @builds(AskRequest)
    def events(self, request: AskRequest) -> Generator[Event, None, None]:
        """Yield the answer's text as it comes, each Citation and checked Sentence with its marks, and last the Answer.

        Only the Answer's own sentences tell where else they stand and who "she" is.
        Raises BadInput for what this archive cannot be asked, ModelError for a model that cannot be reached or used.
        """
        return ask.events(self, request)

    @builds(AskRequest)
    def stream(self, request: AskRequest) -> Generator[str | Answer, None, None]:
        """Yield the answer's text as it comes, marks such as [1] in their places, and last the finished Answer."""
        yield from (event for event in ask.events(self, request) if isinstance(event, str | Answer))

    @builds(AskRequest)
    def ask(self, request: AskRequest) -> Answer:
        """Return the answer to a question."""
        return self.answer(request)

    @builds(AskRequest)
    async def aask(self, request: AskRequest) -> Answer:
        """Return the answer to a question without blocking the event loop."""
        return await asyncio.to_thread(self.answer, request)

    def answer(self, request: AskRequest) -> Answer:
        """Return the answer to a question that is a request already."""
        *_, answer = ask.events(self, request)
        assert isinstance(answer, Answer)
        return answer

    @builds(SearchRequest)
    def search(self, request: SearchRequest) -> Page[Hit]:
        """Return the best passages for a question, best first."""
        return self.hits(request)

    def hits(self, request: SearchRequest, reranked: bool = True) -> Page[Hit]:
        """Return what `search` does; without `reranked` in some milliseconds, and less well ordered."""
        with self.reading():
            query = understand(request.question, request, self.outlets())
            hits = search(self.index, query)
            if reranked:
                hits = rerank(query, hits, read(self.reranker, query, collapse(hits, newest=not query.days)))
        return part(hits, request)

    @builds(TimelineRequest)
    def timeline(self, request: TimelineRequest) -> Timeline:
        """Return what happened to what a question asks about, in its period where it has one; oldest first, cited."""
        with self.reading():
            return timeline(self.index, request, self.outlets())

    def model(self, llm: LLM | str | None = None, url: str | None = None) -> Model | None:
        """Return who writes an answer, None for `quotes`; the desk's own where a question names none."""
        chosen = llm or self.llm
        if chosen == "quotes":
            return None
        return load_model(chosen, url or url_for(chosen, *self._given) if isinstance(chosen, str) else None)

    @builds(QuotesRequest)
    def quotes(self, request: QuotesRequest) -> Page[Said]:
        """Return what articles quote and report, with who says it: nearest to `about` or else newest first.

        Raises UnknownArticle for an article that is not there.
        """
        return find(self, request, [self.article(article_id) for article_id in request.articles])

    def translate(
        self, text: str, language: str, *, llm: LLM | str | None = None, llm_url: str | None = None
    ) -> Translation:
        """Return a text in a language, by its code, as a model writes it: checked by nobody, and no quotation."""
        if not (model := self.model(llm, llm_url)):
            raise BadInput("no language model is set, which a translation needs: name one with --llm")
        return translate(model, text, language)

    # Checking

    def verify(self, claim: str, articles: Sequence[Article]) -> Verdict:
        """Return how far these articles support a sentence."""
        reader = self.reranker if isinstance(self.reranker, Reader) else None
        with nullcontext() if self._judge else self.turns:  # a judge may be a model that is slow to write
            verdict = verify(claim, articles, self.index.encoder, self._judge, reader)
        why = "" if verdict.spans else elsewhere(self, claim, articles)
        return Verdict("unsupported", why=why, rule="elsewhere") if why else verdict

    @builds(CheckRequest)
    def check(self, request: CheckRequest) -> Checked:
        """Check a text, a draft or anyone's answer, sentence by sentence: against the archive, or articles by id.

        Returns its sentences in order, each with its support and the numbers of its `citations`. Raises BadInput for a
        text without words or of more than 200,000 characters, and for an unknown article.
        """
        *_, checked = self.checking(request.text, articles=request.articles)
        assert isinstance(checked, Checked)
        return checked

    @builds(CheckRequest)
    def checking(self, request: CheckRequest) -> Iterator[float | Checked]:
        """Yield the share of a text that is checked, and last what `check` returns."""
        return check(self, request.text, [self.article(key) for key in strings(request.articles, "articles")])

    def ingest(
        self, paths: Iterable[str | Path], outlet: str | None = None, prune: bool = False, year: int | None = None,
        map: Mapping[str, str] | None = None, progress: Progress | None = None, allow_private: bool = False,  # noqa: A002
        follow_links: bool = False, ray: str | Cluster | None = None, quick: bool = False,
    ) -> IngestReport:  # fmt: skip
        """Bring the archive up to date with files, folders and addresses; see `index.ingest.ingest`.

        `ray` is a Ray cluster, or its address, which reads and encodes; with `quick`, `encode_waiting` will encode it.
        """
        if ray and quick:
            raise BadInput("a quick ingestion encodes nothing, which a cluster is for: leave --quick or --ray out")
        paths = [paths] if isinstance(paths, str | Path) else paths
        private = allow_private or self.allow_private
        with Cluster(ray) if isinstance(ray, str) else nullcontext(ray) as cluster:
            return self._ingest(paths, outlet, prune, year, map, progress, private, follow_links, None, cluster, quick)

    def _ingest(self, *given: Any, **options: Any) -> IngestReport:
        with self._ingesting:
            report = ingest(self.index, *given, **options)
            self.ingested.update(report.counts(), ingestions=1)
        return report

    @cached_property
    def sources(self) -> Sources:
        """What is watched, or was; see `watch`."""
        return Sources(self.index.archive)

    def watch(
        self, sources: str | Path | Iterable[str | Path] = (), outlet: str | None = None, allow_private: bool = False,
        every: float | None = None, once: bool = False, stop: threading.Event | None = None,
    ) -> Iterator[Looked]:  # fmt: skip
        """Keep the archive in step with files, folders and addresses, these and those that it knows, until `stop`.

        Yields what each look brought; see `index.sources.watch`. Of folders, new and changed files are read and what is
        gone is removed; of the web nothing is. `every` (minutes) takes the place of intervals that adapt themselves.
        With `once`, these are looked at, and those that are due. Raises BadInput where there is nothing to watch.
        """
        from index.sources.watch import Watch  # watchfiles takes .1 s

        self.sources.take(sources, once, outlet=outlet, private=allow_private or self.allow_private, every=every)
        return Watch(self.sources, self._ingest, real(self.index.folder), stop or threading.Event(), once).looks()

    @builds(ArticlesRequest)
    def articles(self, request: ArticlesRequest) -> Page[dict[str, Any]]:
        """Return articles without their texts, newest first, with their numbers of characters and passages."""
        sort, flipped = request.sort.removeprefix("-"), request.sort.startswith("-")
        where = self.index.archive.where(request.filters, request.q.split())
        listed, total = self.index.archive.page(*where, sort, flipped, request.limit, request.offset)
        return Page(map(as_json, listed), total)

    def outlets(self) -> list[str]:
        """Return the outlets in the archive, the most frequent first."""
        return self.index.archive.outlets()

    def languages(self) -> dict[str, int]:
        """Return the languages of articles by their codes, the most frequent first, with how many are in each."""
        return self.index.archive.languages()

    def article(self, article_id: str) -> Article:
        """Return an article by its id or url, or a version of it by ID@1. Raises UnknownArticle when there is none."""
        return self.index.article(article_id if is_text(article_id) else f"that is a {type(article_id).__name__}")

    def show(self, article_id: str) -> dict[str, Any]:
        """Return an article, or a version of it, as listed, with its authors and text, and what `Related` has of it."""
        with self.index.reading():
            article = self.article(article_id)
            current = self.article(self.index.archive.current(article.id))
            [listed], related = self.index.archive.listed(current.id), self.index.related(current)
        return as_json(listed) | {"characters": len(article.text)} | as_json(article) | as_json(related)

    def remove(self, ids: str | Sequence[str]) -> int:
        """Remove articles for good, earlier versions too; return how many. Raises UnknownArticle for an unknown id."""
        with self.index.archive.writing():
            found = [self.article(article_id).id for article_id in dict.fromkeys(strings(ids, "ids"))]
            if versions := [key for key in found if self.index.archive.current(key) != key]:
                raise BadInput(f"{versions[0]} is one version: remove the article, which removes all of them")
            return self.index.remove(found)

    def reencode(self, encoder: Encoder | str, progress: Progress | None = None) -> Reencoded:
        """Encode the archive with another encoder, while it answers with its own; see `index.encoder.reencode`."""
        with self._ingesting:
            return reencode(self.index, encoder, progress, self._alone)

    def encode_waiting(self, progress: Progress | None = None, stop: threading.Event | None = None) -> int:
        """Encode what `quick` ingestions left, newest first; words alone find it meanwhile. Return how many texts."""
        return encode_waiting(self.index, progress, stop)

    def backup(self, file: str | Path) -> Report:
        """Copy the archive, conversations and users into one file, as `copydesk backup` does, while others use it."""
        return backup(local(self._data), Path(file).expanduser(), self.index.progress)

    def warm_up(self) -> None:
        """Load what the first question would wait for, and in a thread a large dense index, which takes seconds."""
        for reader in filter(None, (self.reranker, self.many)):
            reader.score("warm", ["up"])  # of an empty archive nothing is read
        self.ask("Why is Berlin warm on Mondays?", llm="quotes")
        is_verb(parse("Berg left.")[1].text, "VBD")  # the grammar and the lexicon
        if self.index.opens_late:
            self._late.submit(lambda: len(self.index.dense))
