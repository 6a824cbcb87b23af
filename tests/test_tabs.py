"""The tabs that check a draft and hold the archive, in a real browser; what they show of hostile texts."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import browsing, running

from index.encoder import Encoder
from qa import Desk
from qa.page.archive import view
from qa.rerank import Reranker
from qa.service import User, open_service
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
        with running(desk) as address:
            yield address


@pytest.fixture
def page(filled: str) -> Iterator["Page"]:
    """A page of that service; no script of an article ran in it, and axe-core finds nothing in our tabs."""
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import expect

    expect.set_options(timeout=20_000)
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
    expect(rows.first).to_contain_text("Zoltan Brug")  # the worst first
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


@needs_chromium
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1200, "dark")])
def test_the_archive_is_looked_through_and_read(page: "Page", filled: str, width: int, scheme: str) -> None:
    from playwright.sync_api import expect

    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{filled}/?tab=archive&__theme={scheme}")
    rows, pages = page.locator("#archive tbody tr"), page.get_by_role("navigation", name="Pages")
    expect(rows).to_have_count(50)
    expect(pages).to_contain_text("1–50 of 61 articles")
    page.get_by_role("link", name="Next").click()
    expect(pages).to_contain_text("51–61 of 61 articles")
    page.get_by_role("link", name="Headline").click()
    expect(rows.first).to_contain_text("Flats")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("searchbox", name="Headline").fill("News 1")
    page.keyboard.press("Enter")
    expect(pages).to_contain_text("1–15 of 15 articles")
    page.locator("#archive").get_by_label("From").fill("2025-02-15")
    expect(pages).to_contain_text("1–8 of 8 articles")
    page.go_back()
    expect(pages).to_contain_text("1–15 of 15 articles")
    page.goto(f"{filled}/?tab=archive&q=flats&__theme={scheme}")
    page.get_by_role("link", name="Flats").click()
    title = page.get_by_role("heading", level=1, name=TITLE)
    expect(title).to_be_focused()
    assert page.url == f"{filled}/?tab=archive&article=mill%2Flane%3F%3Cb%3E%231"
    expect(page.locator(".change")).to_have_text("Before: The council approved 40 flats on Mill Lane. "
                                                 "Now: The council approved 44 flats on Mill Lane.")  # fmt: skip
    expect(page.locator("aside ol li").first).to_have_text("Version 1 from 1 March 2025 until 5 March 2025")
    page.get_by_role("link", name="Version 1").click()
    expect(page.locator(".piece .text")).to_contain_text("approved 40 flats")
    page.get_by_role("link", name="The current one").click()
    page.get_by_role("link", name="Find the quotations").click()
    page.locator("aside a.cite").first.click()
    expect(page.frame_locator("#panel iframe").locator("mark").first).to_have_text("Work begins in June")


@needs_chromium
def test_the_address_is_that_of_the_tab(page: "Page", filled: str) -> None:
    from playwright.sync_api import expect

    def show(name: str) -> None:
        if not page.get_by_role("tab", name=name).is_visible():
            page.get_by_role("button", name="More tabs").click()
        page.locator("#tabs :is([role=tab], .overflow-dropdown button):visible", has_text=name).click()

    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(filled)
    page.locator(".welcome").wait_for()
    show("Archive")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("navigation", name="Pages")).to_contain_text("51–61 of 61")
    show("Check")
    assert page.url == f"{filled}/?tab=check"
    page.reload()
    expect(page.get_by_label("Draft")).to_be_visible()
    show("Ask")
    assert page.url == f"{filled}/"
    page.go_back()  # the archive's first page was there before
    expect(page.get_by_role("navigation", name="Pages")).to_contain_text("1–50 of 61")
    expect(page.locator("[aria-busy]")).to_have_count(0)
    assert page.url == f"{filled}/?tab=archive"


@needs_chromium
def test_articles_are_added_removed_and_brought_back(page: "Page", filled: str, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    (tmp_path / "lamp.md").write_text("---\ntitle: A lamp\npublished: 2025-09-09\n---\n\nA lamp was lit in Pell.\n")
    (tmp_path / "bad.json").write_text("{")
    page.goto(f"{filled}/?tab=archive")
    page.get_by_role("button", name="Add articles").click()
    page.locator("[data-files]").set_input_files([tmp_path / "lamp.md", tmp_path / "bad.json"])
    report = page.get_by_role("status").filter(has_text="added")
    expect(report).to_contain_text("1 added")
    expect(report).to_contain_text("Not added: bad.json: ")
    expect(page.locator("#archive tbody tr").first).to_contain_text("A lamp")
    page.get_by_role("button", name="Add articles").click()
    form = page.get_by_role("region", name="Add articles")
    form.get_by_label("Headline").fill("Pasted <b>x</b>")
    form.get_by_label("Day").fill("2025-09-10")
    form.get_by_label("Text").fill("It rained in Pell on Tuesday.")
    form.get_by_role("button", name="Add this text").click()
    expect(page.locator("#archive tbody tr").first).to_contain_text("10 September 2025")
    expect(report).to_contain_text("1 added")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#archive-report")).to_be_empty()
    page.goto(f"{filled}/?tab=archive&article=mill%2Flane%3F%3Cb%3E%231")
    page.get_by_role("button", name="Remove…").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text(f"Remove “{TITLE}” with its 2 versions?")
    asked.get_by_role("button", name="Remove").click()
    expect(page.locator("#archive-report")).to_contain_text(f"Removed “{TITLE}”.")
    assert page.request.get(f"{filled}/api/articles/mill%2Flane%3F%3Cb%3E%231").status == 404
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#archive-report")).to_contain_text("is back")
    back = page.request.get(f"{filled}/api/articles/mill%2Flane%3F%3Cb%3E%231").json()
    assert (back["title"], back["outlet"]) == (TITLE, "<i>Pell</i> Courier")
    assert back["changes"] == [{"before": "The council approved 40 flats on Mill Lane.",
                                "after": "The council approved 44 flats on Mill Lane."}]  # fmt: skip


def test_readers_are_offered_no_change_and_every_address_is_answered(seeded: Desk) -> None:
    service = open_service(seeded)
    for asked in ({}, {"article": seeded.articles()[0]["id"]}):
        assert ("Remove…" in view(service, User(), asked)) == bool(asked)
        assert ("Add articles" in view(service, User(), asked)) != bool(asked)
        told = view(service, User("r", "reader"), asked)
        assert "Remove…" not in told
        assert "Add articles" not in told
    for odd in ({"article": "none"}, {"sort": "'"}, {"since": "then"}, {"since": "2025-02-01", "until": "2025-01-01"}):
        assert 'role="alert"' in view(service, User(), odd)
    assert "No article is like that" in view(service, User(), {"q": "<x>"})
    assert 'value="&#34;&gt;&lt;script&gt;"' in view(service, User(), {"q": '"><script>'})
    for odd in ({"offset": "-1"}, {"offset": "٣"}, {"offset": "9" * 30}, {"q": 3}, {"article": ["x"]}):
        assert "<" in view(service, User(), odd)
