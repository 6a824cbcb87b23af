"""Timelines and quotations on the page: their addresses, their sources, what can be taken along."""

import csv
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import browsing

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")


def complaints(page: "Page", within: str = ".view") -> list[str]:
    """Return what axe says against what is ours: within Gradio's own parts it is not asked."""
    found = Axe().run(page, context=within)
    return [f"{one['id']}: {node['html']}" for one in found.response["violations"] for node in one["nodes"]]


def saved(page: "Page", kind: str, folder: Path) -> str:
    with page.expect_download() as download:
        page.locator(".view:visible").get_by_role("link", name=kind).click()
    download.value.save_as(folder / kind)
    return (folder / kind).read_text(encoding="utf-8")


def test_a_timeline_is_linked_read_and_taken_along(service: str, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    with browsing(service) as page:
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 800})
        page.goto(f"{service}/?tab=timeline&q=talks+in+Paris&outlets=Kyiv+Bulletin")
        event = page.locator(".chronology li").first
        expect(event).to_be_visible(timeout=30_000)
        expect(page.locator(".view:visible h2").first).to_have_text("April 2025")
        assert page.locator(".date input[type=date]").count() == 3
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert complaints(page) == []
        said = event.locator("p").first.inner_text()
        event.locator("a.cite").click()
        expect(page.frame_locator("#panel iframe").locator("mark#quote")).to_have_text(said)
        page.get_by_role("button", name="Close the source").click()
        head, first, *_ = csv.reader(saved(page, "CSV", tmp_path).splitlines())
        assert (head[0], first[1], first[2].split(" · ")[0]) == ("what", said, "Kyiv Bulletin")
        assert first[4].startswith(f"{service}/source/")
        assert f"- **{first[0]}** " in saved(page, "Markdown", tmp_path)
        page.get_by_label("What happened").fill("the price of cod in Bergen in 1931")
        page.keyboard.press("Enter")
        expect(page.locator(".view:visible .notice")).to_contain_text("Nothing is told of this")
        assert "q=the+price+of+cod" in page.url
        page.get_by_role("textbox", name="From").fill("2025-04-02")
        page.get_by_role("textbox", name="Until").fill("2025-04-01")
        page.get_by_role("button", name="Show").locator("visible=true").click()
        expect(page.locator(".view:visible .notice")).to_contain_text("no day is between them")


def test_quotations_are_listed_by_who_says_them(service: str, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    with browsing(service) as page:
        page.goto(f"{service}/?tab=quotes")
        page.get_by_label("Speaker").fill("Umerov")
        page.keyboard.press("Enter")
        first = page.locator(".said li").first
        expect(first.locator("b")).to_contain_text("Umerov", timeout=30_000)
        assert page.url == f"{service}/?tab=quotes&speaker=Umerov"
        assert complaints(page) == []
        said = first.locator("q").inner_text()
        assert said in saved(page, "CSV", tmp_path)
        first.locator("a.cite").click()
        expect(page.frame_locator("#panel iframe").locator("mark#quote")).to_have_text(said)
        page.goto(f"{service}/?tab=quotes&speaker=Nobody+Known")
        expect(page.locator(".view:visible .notice")).to_contain_text("Nobody is quoted so", timeout=30_000)
