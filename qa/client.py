"""How the command line asks a service that holds the archive."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from index.types import BadInput, CopydeskError

ANSWER_SECONDS = 300


def request(address: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Ask a running service for a JSON document. Raises CopydeskError with what the service said."""
    import httpx  # 0.2 s

    try:
        response = httpx.request(method, address + path, json=body, timeout=ANSWER_SECONDS, trust_env=False)
        document: dict[str, Any] = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise CopydeskError(f"the service at {address} did not answer ({error}): stop or restart it") from error
    if response.is_error:
        raise BadInput(str(document.get("error", document)))
    return document


@contextmanager
def stream(address: str, path: str, body: Any) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """Give the (kind, document) events of an answer as a running service writes it. Raises as `request` does."""
    import httpx

    try:
        asking = httpx.Client(timeout=ANSWER_SECONDS, trust_env=False)
        with asking, asking.stream("POST", address + path, json=body | {"stream": True}) as response:
            if response.is_error:
                response.read()
                raise BadInput(str(response.json().get("error", response.text)))
            yield _events(response.iter_lines())
    except (httpx.HTTPError, ValueError) as error:
        raise CopydeskError(f"the service at {address} did not answer ({error}): stop or restart it") from error


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield server-sent events as the service writes them: a line with the kind, one with the document."""
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data" and kind == "error":
            raise CopydeskError(json.loads(value)["error"])
        elif name == "data":
            yield kind, json.loads(value)
