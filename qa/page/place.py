"""What each tab of the page is given."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from qa.service import Service, User

# An event of the page is no API. One that is slow for somebody does not keep others waiting: the desk has turns.
PRIVATE: Any = {"api_visibility": "private", "concurrency_limit": None}
# What the page's script tells a hub of a tab: that it shall show something, or stop.
LISTEN = """element.addEventListener("tell", (event) => trigger(event.detail.act, event.detail)); ["show", "stop"];"""


@dataclass(frozen=True)
class Place:
    """The page that is being built, and the service that its tabs ask."""

    page: gr.Blocks
    service: Service
    label: Callable[[str], Any] = str  # of a part of Gradio's, which finds its translation when it is shown


def user(request: gr.Request) -> User:
    """Return who sent an event of the page."""
    found: User = request.state.user
    return found
