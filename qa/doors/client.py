"""How the command line asks a service that holds the archive."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from index.types import BadInput, CopydeskError

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS, KNOWN_SECONDS = 300, 30


def request(address: str, path: str, body: Any = None) -> dict[str, Any]:
    """Ask a running service for a JSON document. Raises CopydeskError with what the service said."""
    with _asking(address, path, body) as response:
        response.read()
        document: dict[str, Any] = response.json()
    return document


@contextmanager
def stream(address: str, path: str, body: Any) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """Give the (kind, document) events of an answer as a running service writes it. Raises as `request` does."""
    from httpx_sse import EventSource

    with _asking(address, path, body | {"stream": True}) as response:
        yield ((event.event, event.json()) for event in EventSource(response).iter_sse())


@contextmanager
def _asking(address: str, path: str, body: Any) -> Iterator[httpx.Response]:
    """Send a request with the token of COPYDESK_TOKEN, NAME:PASSWORD perhaps; give what is no refusal."""
    import httpx  # 0.2 s

    token = os.environ.get("COPYDESK_TOKEN")
    headers = {b"Authorization": f"Bearer {token}".encode()} if token else {}
    sent = json.dumps(body) if body else None  # in ASCII: what a shell hands over may hold halves of characters
    if sent:
        headers[b"Content-Type"] = b"application/json"
    try:
        with httpx.Client(timeout=ANSWER_SECONDS, trust_env=False) as asking:
            with asking.stream("GET", f"{address}/healthz", timeout=KNOWN_SECONDS) as known:  # before it gets the token
                if known.headers.get("x-service") != "copydesk":
                    raise CopydeskError(f"what answers at {address} is no service of Copydesk: stop who announced it")
            with asking.stream("POST" if body else "GET", address + path, content=sent, headers=headers) as response:
                if response.is_error:
                    response.read()
                    said = response.json().get("error", response.text)
                    needs = "this service needs its token: set COPYDESK_TOKEN to it"
                    raise BadInput(needs if "Bearer" in said else said)
                yield response
    except (httpx.HTTPError, httpx.InvalidURL, json.JSONDecodeError) as error:
        raise CopydeskError(f"the service at {address} did not answer ({error}): stop or restart it") from error
