"""120 hostile texts in a real browser, wherever the page shows what came from outside: nothing of them is markup."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import uvicorn
from conftest import browsing
from scripted import scripted

from evals.run import read_rows, run
from index.encoder import Encoder
from index.health.files import TALKS
from index.ingest import Batch, _prepare, _store
from index.sync import silent
from index.types import Article
from qa import Desk
from qa.kept import Kept
from qa.rerank import Reranker
from qa.types import Answer, Citation, Conflict, Earlier, Sentence, Side, Standing, as_json
from qa.web.app import build_app

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")
RUNS = "window.__x=1"
OUT = "http://evil.example/x"
# Whatever of them became an element is found by its data-h, what became a link by where it goes.
ELEMENTS = [
    f"script>{RUNS}</script", f"img src=x onerror={RUNS}", f"svg onload={RUNS}", f"svg><script data-h>{RUNS}</script",
    f"iframe srcdoc='<script>parent.{RUNS}</script>'", f"iframe src=javascript:{RUNS}", f"details open ontoggle={RUNS}",
    f"input autofocus onfocus={RUNS}", f"a href=javascript:{RUNS}>go</a", f"img src={OUT}", f"video src={OUT} autoplay",
    f"link rel=stylesheet href={OUT}", f"style>@import '{OUT}';</style", f"meta http-equiv=refresh content='0; {OUT}'",
    f"base href={OUT}", f"object data={OUT}", f"form action={OUT}><button>Ask</button></form", f"body onload={RUNS}",
    "a class=cite href=/source/forged>[1]</a", "mark id=quote>forged</mark",
]  # fmt: skip
ELEMENTS = [re.sub(r"^\w+", r"<\g<0> data-h", text) + ">" for text in ELEMENTS]
ENDS = "</script>", "</textarea>", "</title>", "</style>", '">', "'>", "-->", "]]>"
TEXTS = [
    f"' data-h onmouseover={RUNS} x='", f"\" data-h autofocus onfocus={RUNS} x=\"", f"[go](javascript:{RUNS})",
    f"![x]({OUT}.png)", f"[x]({OUT})", f"<{OUT}>", "[1]", "[2] [unsupported]", "[1](/source/forged)", f"${{{RUNS}}}",
    f"{{{{{RUNS}}}}} {{% raw %}}", f"\\\";{RUNS};//",
]  # fmt: skip
PAYLOADS = [*ELEMENTS, *(f"{end}{ELEMENTS[1]}" for end in ENDS), *TEXTS]
FRAMES = "{}", "The board of Orlo {} said so", "“{}” [1]"
HOSTILE = [frame.format(text) for text in PAYLOADS for frame in FRAMES]
BAD = """(within) => ({run: within.defaultView.__x, markup: within.querySelectorAll("[data-h]").length,
    links: [...within.links].filter((a) => a.origin !== location.origin || a.pathname === "/source/forged"
    || a.matches(".cite") && a.textContent.trim() === "[1]").map((a) => a.outerHTML)})"""
SOURCES = f"""(addresses) => Promise.all(addresses.map((address) => new Promise((done) => {{
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.onload = () => done([frame.contentDocument.body.innerText, ({BAD})(frame.contentDocument)]);
    frame.src = address; }})))"""
HARMLESS = {"run": None, "markup": 0, "links": []}


def articles() -> Iterator[Article]:
    """Yield an article for each text, which is its headline, outlet, author, id, and in its sentences."""
    for n, text in enumerate(HOSTILE):
        said = f"The lock at Orlo was closed on Monday, {text} and all. Mayor Anna Berg said that {text} was nothing."
        day = date(2025, 1, 6) + timedelta(n)
        yield Article(f"{n}/{text}", f"{text} {n}", f"{said}\n{text}", f"{text} {n}", day, None, (text,))


def talks(kept: Kept) -> str:
    """Keep a conversation of which each question and answer is such a text, and some by such names; return its id."""
    for text in PAYLOADS:
        kept.begin("", text)
    talk = kept.begin("", "All of them").id
    for n, text in enumerate(HOSTILE):
        c = Citation(1, f"{n}/{text}", text, text, date(2025, 4, 1), f"javascript:{RUNS}", text, "text", 0, 5, text)
        said = Sentence(text, (1,), "partial", text, rule=text, stands_in=Standing(2, (text, "b"), None), speaker=text)
        around: Any = {"earlier": (Earlier(text, None, (1,)),), "conflicts": (Conflict(text, (Side(text, (1,)),)),)}
        answer = Answer(text, True, text, (said,), (c,), None, (), text, rewritten=text, broken=text, **around)
        kept.add("", talk, {"question": text, "outlets": [text]}, as_json(answer))
    return talk


def evaluated(desk: Desk) -> None:
    """Keep a run in which each question, its answer and its source are such a text."""
    from evals.questions import Question

    out = desk.index.folder / "evals" / f"<img data-h src=x onerror={RUNS}>"
    run(desk, [Question("a", "Who won the cup?", answers=(("Berg",),))], out, "quotes", silent)
    [row] = read_rows(out)
    lines = []
    for text in HOSTILE:
        found = dict.fromkeys(("article_id", "title", "outlet", "quote"), text)
        cited = [found | {"field": "text", "start": 0, "end": 5, "published": None}]
        held = {"id": text, "question": text, "answer": [[text]], "loss": "refused"}
        lines.append(json.dumps(row | held | {"result": row["result"] | {"text": text, "citations": cited}}))
    (out / "results.jsonl").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def hostile(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reranker: Reranker
) -> Iterator[tuple[str, str]]:
    """The address of a service of nothing but hostile texts, whose model writes them too, and a conversation's id."""
    folder = tmp_path_factory.mktemp("hostile")
    model = scripted(*(f"The lock at Orlo {text} was closed on Monday [1]. {text}\n" for text in HOSTILE))
    with Desk(folder, encoder, reranker, llm=model) as desk:
        batch = Batch([(article, ("", article.id)) for article in articles()], 0.0, 1.0)
        _store(desk.index, _prepare(encoder, batch))
        desk.index.catch_up()
        evaluated(desk)
        kept = Kept(folder / TALKS)
        talk = talks(kept)
        server = uvicorn.Server(
            uvicorn.Config(build_app(desk), port=0, log_level="warning", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            thread.join(0.05)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", talk
        server.should_exit = True
        thread.join()
        kept.close()


def test_nothing_of_120_hostile_texts_is_markup(hostile: tuple[str, str]) -> None:
    from playwright.sync_api import expect

    address, talk = hostile
    assert len(set(HOSTILE)) == 120
    with browsing(address) as page:
        dialogs = list[str]()
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))

        def harmless() -> None:
            assert page.evaluate(f"({BAD})(document)") == HARMLESS, page.url

        for tab, asked, row in (
            ("timeline", {"q": "the lock at Orlo"}, ".chronology li"),
            ("quotes", {"speaker": "Anna Berg"}, ".said li"),
            ("evaluate", {}, ".view .list li"),
        ):
            page.goto(f"{address}/?{urlencode({'tab': tab} | asked)}")
            expect(page.locator(row).first).to_be_attached(timeout=60_000)
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            rows = page.locator(row).count()
            assert rows == page.locator(f"{row} a.cite").count() > 10
            harmless()
        ids = [quote(f"{n}/{text}", safe="") for n, text in enumerate(HOSTILE)]
        shown = page.evaluate(SOURCES, [f"/source/{key}?field=text&start=4&end=8" for key in ids])
        assert [found for _, found in shown] == [HARMLESS] * 120
        assert [text for text, (said, _) in zip(HOSTILE, shown, strict=True) if text not in said] == []
        for text in HOSTILE[:2]:  # what stands in an address, and what is told of it
            page.goto(f"{address}/?{urlencode({'tab': 'timeline', 'q': text, 'outlets': text, 'since': text})}")
            expect(page.locator(".view:visible .notice")).to_contain_text("is not a date", timeout=60_000)
            harmless()
        for asked in ({}, {"article": f"1/{HOSTILE[1]}", "quotes": "1"}):
            page.goto(f"{address}/?{urlencode({'tab': 'archive'} | asked)}")
            expect(page.locator(".piece" if asked else "td").first).to_be_visible(timeout=60_000)
            harmless()
        page.goto(f"{address}/?tab=check")
        page.get_by_label("Draft").fill("\n".join(HOSTILE[::3]))
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.locator(".verdict").first).to_be_visible(timeout=60_000)
        harmless()
        page.goto(f"{address}/?talk={talk}")
        expect(page.locator("article.turn")).to_have_count(120, timeout=60_000)
        expect(page.locator("a[data-do=talk]")).to_have_count(1 + len(PAYLOADS))
        page.locator("article.turn a.cite:visible").first.hover()
        expect(page.locator("#card")).to_be_visible()
        harmless()
        page.goto(f"{address}/?{urlencode({'q': 'Why was the lock at Orlo closed?'})}")
        expect(page.locator("article.turn:not(.working) .line").first).to_be_visible(timeout=60_000)
        harmless()
        assert dialogs == []
