"""Pictures of the page's main states, for the README: `make screenshots` writes them into docs/pictures/."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING

from conftest import REPOSITORY, browsing, running

from qa import Desk

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES = REPOSITORY / "docs/pictures"
CHANGED = "How many people died in the Brackwater flood in all?"
DIFFER = "How many employees took part in the Stavenport strike on 4 February according to the union and the operator?"
UNKNOWN = "How old was the minister Tomas Reyl when the affair began?"


def ask(page: Page, question: str) -> None:
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")
    page.locator("#live .turn:not(.working) .tools").wait_for(timeout=60_000)
    page.evaluate("scrollTo(0, 0)")


def source(page: Page) -> None:
    ask(page, CHANGED)
    page.locator("#live a.cite").nth(1).click()
    page.frame_locator("iframe[name=source]").locator("mark#quote").wait_for()


def card(page: Page) -> None:
    ask(page, DIFFER)
    page.locator("#live a.cite").first.hover()
    page.locator("#card blockquote").wait_for()


def view(words: str) -> Callable[[Page], None]:
    """Return how a tab is opened at an address of its own."""

    def opened(page: Page) -> None:
        page.goto(f"{page.url.split('?')[0]}?{words}")
        page.locator(".tabitem:visible .cite:visible, .tabitem:visible table").first.wait_for(timeout=60_000)

    return opened


# Name: how it is reached, how wide the page is, and its colours.
STATES: dict[str, tuple[Callable[[Page], None], int, str]] = {
    "empty": (lambda page: None, 1200, "light"),
    "source": (source, 1200, "light"),
    "source-dark": (source, 1200, "dark"),
    "card": (card, 1200, "light"),
    "refusal": (lambda page: ask(page, UNKNOWN), 1200, "dark"),
    "narrow": (lambda page: ask(page, CHANGED), 390, "light"),
    "narrow-source": (source, 390, "dark"),
    "timeline": (view("tab=timeline&q=Brackwater+flood"), 1200, "light"),
    "quotes": (view("tab=quotes&about=flood"), 1200, "light"),
}


def main() -> None:
    """Take every picture of an archive that holds the newsroom's articles."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Desk(folder) as desk:
        desk.ingest([REPOSITORY / "evals/newsroom/articles"])
        desk.warm_up()
        with running(desk) as address, browsing(address) as page:
            for name, (reach, width, scheme) in STATES.items():
                page.set_viewport_size({"width": width, "height": 844 if width < 500 else 800})
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.goto(address)
                page.locator(".welcome").wait_for(timeout=30_000)
                reach(page)
                page.wait_for_timeout(500)  # until nothing moves
                page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
