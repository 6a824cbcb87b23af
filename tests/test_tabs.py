"""The tabs that check a draft and hold the archive, in a real browser; what they show of hostile texts."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import browsing, serving

from index.encoder import Encoder
from qa import Desk
from qa.rerank import Reranker
from qa.types import Checked

if TYPE_CHECKING:
    from playwright.sync_api import Page

needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")
# As it is sent, and as the archive has it: what was markup is gone, what was written as entities is text.
SENT = "Flats &lt;img src=x onerror=alert(1)&gt; {{ 7 * 7 }} <<b>script>alert(2)<</b>/script> on Mill Lane"
TITLE = "Flats <img src=x onerror=alert(1)> {{ 7 * 7 }} <script>alert(2)</script> on Mill Lane"
DRAFT = """The council approved 44 flats on Mill Lane. Work begins in June. Zoltan Brug was elected king of Mars."""
FIRST = {"id": "mill/lane?<b>#1", "title": SENT, "outlet": "&lt;i&gt;Pell&lt;/i&gt; Courier", "published": "2025-03-01",
         "text": "The council approved 40 flats on Mill Lane. Work begins in June, said mayor Ilse Dorn."}  # fmt: skip
SECOND = FIRST | {"published": "2025-03-05", "text": FIRST["text"].replace("40", "44")}


def test_a_check_tells_how_far_it_is(seeded: Desk) -> None:
    *shares, checked = seeded.checking(f"{DRAFT} It rained.")
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert isinstance(checked, Checked)
    assert checked == seeded.check(f"{DRAFT} It rained.")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reranker: Reranker) -> Iterator[str]:
    """The address of a service with two versions of an article of hostile names, and 60 short ones."""
    folder = tmp_path_factory.mktemp("tabs")
    others = [{"id": f"n{n}", "title": f"News {n:02}", "outlet": "Radio Orlo", "published": f"2025-02-{n % 28 + 1:02}",
               "text": f"Item {n} was told in Pell."} for n in range(60)]  # fmt: skip
    with Desk(folder / "archive", encoder, reranker) as desk:
        for given in (FIRST, [SECOND, *others]):
            (folder / "articles.json").write_text(json.dumps(given))
            desk.ingest([folder / "articles.json"])
    with serving(folder / "archive") as address:
        yield address


@pytest.fixture
def page(filled: str) -> Iterator["Page"]:
    """A page of that service; no script of an article ran in it, and axe-core finds nothing in our tabs."""
    from axe_playwright_python.sync_playwright import Axe

    with browsing(filled) as opened:
        failed: list[Any] = []
        opened.on("dialog", lambda said: (failed.append(said.message), said.dismiss()))
        opened.on("pageerror", lambda error: failed.append(error.message))
        yield opened
        found = Axe().run(opened, context="[role=tabpanel]:not([style*=none])").response["violations"]
        assert [(one["id"], node["html"]) for one in found for node in one["nodes"]] == []
        assert failed == []


@needs_chromium
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1200, "light")])
def test_a_draft_is_checked(page: "Page", filled: str, width: int, scheme: str, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{filled}/?tab=check&__theme={scheme}")
    page.get_by_label("Draft").fill(DRAFT)
    page.get_by_role("button", name="Check", exact=True).click()
    rows = page.locator(".verdict")
    expect(rows.first).to_contain_text("Zoltan Brug", timeout=30_000)  # the worst first
    expect(rows.first).to_contain_text("not in the articles")
    expect(rows.nth(1).locator("a.cite")).to_have_text("<i>Pell</i> Courier · 5 March 2025")
    page.get_by_label("Order").select_option("at")
    expect(rows.first).to_contain_text("44 flats")
    page.get_by_label("not in the articles 1").check()
    expect(page.locator(".verdict:visible")).to_have_count(1)
    page.get_by_label("all 3").check()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for kind, begin in (("Markdown", "- **"), ("CSV", '"support","sentence"'), ("JSON", "{")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=kind, exact=True).click()
        text = Path(saved.value.path()).read_text("utf-8")
        assert text.startswith(begin)
        assert "44 flats on Mill Lane" in text
    rows.locator("a.cite").first.click()
    expect(page.frame_locator("#panel iframe").locator("mark").first).to_contain_text("44 flats")


@needs_chromium
def test_what_cannot_be_checked_is_told_in_one_line(page: "Page", filled: str) -> None:
    from playwright.sync_api import expect

    page.goto(f"{filled}/?tab=check")
    page.get_by_label("Draft").fill("# A heading")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("the text is empty: give it some sentences to check")
    page.get_by_label("Draft").fill("He left. " * 30_000)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("the text has 270,000 characters")
