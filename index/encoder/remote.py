"""Encoders that a server runs: any address that speaks OpenAI's embeddings API."""

import os
import textwrap
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np

from index.encoder import REMOTE, Symmetric, Vectors
from index.health.spans import carry
from index.text.fold import clean
from index.types import BadInput, ModelError, shown

OPENAI = "https://api.openai.com/v1"
TEXTS = 32  # of a request: more is refused by some servers
CHARACTERS = 6000  # of a text: OpenAI takes 8,191 tokens
CONNECT_SECONDS, SILENT_SECONDS = 5.0, 60.0
TRIES = 5  # after the first, within 16 s, or when the server says; two for a question
FAILURES = {  # by status
    401: "{at} refused the key for {name}: set OPENAI_API_KEY to a valid one",
    403: "{at} refused the key for {name}: set OPENAI_API_KEY to a valid one",
    404: "{at} has no {name} ({said}): name a model that makes embeddings, or set OPENAI_BASE_URL to where it is",
    429: "{at} has no room for {name} now ({said}): wait, or raise the account's limit, and run it again",
}


def http_options(base: str, patience: float) -> dict[str, Any]:
    """Return httpx's options: limits in seconds, no proxy on the way to this machine itself, and no redirects.

    Followed to another host, a redirect would take the key along: httpx strips only the header Authorization there.
    """
    here = httpx.URL(base).host in ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104  nothing is bound
    timeout = httpx.Timeout(patience, connect=min(patience, CONNECT_SECONDS))
    hooks = {"request": [carry]}
    return {"timeout": timeout, "trust_env": not here, "follow_redirects": False, "event_hooks": hooks}


class RemoteEncoder(Symmetric):
    """A model that makes embeddings, by the name openai:MODEL, at OPENAI_BASE_URL with OPENAI_API_KEY.

    What is encoded leaves this machine, if the address does. Tokens are guessed: vocabularies differ, and tiktoken
    would fetch one. Texts of more than 6,000 characters are cut. Raises ModelError, in one line, for whatever fails.
    """

    def __init__(self, name: str) -> None:
        import openai  # 1 s

        self.name, self._model, self._size = name, name.removeprefix(REMOTE).strip(), 0
        if not self._model:
            raise BadInput(f"{name} names no model: write openai:text-embedding-3-small, say")
        self._base = (os.environ.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")
        try:
            place = httpx.URL(self._base)
            known = place.scheme in ("http", "https") and place.host and (place.port or 80) < 65536
        except (httpx.InvalidURL, ValueError):
            known = False
        if not known:
            raise BadInput(f"OPENAI_BASE_URL {self._base} is not understood: give one such as http://127.0.0.1:8080/v1")
        key = os.environ.get("OPENAI_API_KEY", "").strip()
        if not key and self._base == OPENAI:
            own = "or OPENAI_BASE_URL to the address of a server of your own"
            raise ModelError(f"{name} needs a key: set OPENAI_API_KEY, {own}")
        http = httpx.Client(**http_options(self._base, SILENT_SECONDS))
        self._client = openai.OpenAI(api_key=key or "none", base_url=self._base, http_client=http)

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self._encoded(texts, 2)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        return self._encoded(texts, TRIES)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Guess: a token of multilingual-e5 has 3.5 to 4.1 bytes of news in seven languages, in two 5.3 and 5.9."""
        return [-(-len(text.encode(errors="replace")) // 4) for text in texts]

    def _encoded(self, texts: Sequence[str], tries: int) -> Vectors:
        import openai

        sent = [clean(text)[:CHARACTERS].encode(errors="replace").decode() or " " for text in texts]
        client, rows = self._client.with_options(max_retries=tries), list[Any]()
        try:
            for start in range(0, len(sent), TEXTS):
                some = sent[start : start + TEXTS]
                told = client.embeddings.create(input=some, model=self._model, encoding_format="float")
                found = sorted(told.data, key=lambda one: one.index)
                if len(found) != len(some):
                    raise ValueError(f"{len(found)} vectors for {len(some)} texts")
                rows += [one.embedding for one in found]
            vectors = np.array(rows, np.float32).reshape(len(rows), len(rows[0]) if rows else self._size)
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            if not (np.isfinite(lengths) & (lengths > 0)).all():
                raise ValueError("a vector without length")
        except openai.OpenAIError as error:
            raise self._explained(error) from error
        except (ValueError, TypeError, AttributeError) as error:  # of another shape
            said = f"{self._base} answers as no server of embeddings does ({error})"
            raise ModelError(f"{said}: set OPENAI_BASE_URL to the address of one, {self.name} to its model") from error
        self._check_size(vectors)
        return np.asarray(vectors / lengths, np.float32)

    def _check_size(self, vectors: Vectors) -> None:
        """Raise ModelError where the vectors are not as long as those before."""
        size = vectors.shape[1]
        if self._size not in (0, size):
            told = f"the vectors of {self.name} had {self._size} numbers, and have {size} now"
            raise ModelError(
                f"{told}: {self._base} has another model under this name; copydesk reencode changes to one"
            )
        self._size = size

    def _explained(self, error: Exception) -> ModelError:
        """Return what the client raised, in one line that says how to mend it."""
        status, body = getattr(error, "status_code", None), getattr(error, "body", None)
        while isinstance(body, dict):  # what the server said, without what is wrapped around it
            body = body.get("error") or body.get("message")
        said = textwrap.shorten(shown(str(body or error)), 200, placeholder=" …")
        if status is None and "timed out" in str(error).lower():
            line = "{at} was silent for too long: see its log, or use a smaller model, and run it again"
        elif status is None:
            line = "no server can be reached at {at}: start it, or set OPENAI_BASE_URL to where it is"
        elif 300 <= status < 400:
            line = "{at} sends {name} on to another address: set OPENAI_BASE_URL to the right one"
        else:
            line = FAILURES.get(
                status, "{at} refused {name} with status {status} ({said}): mend that, and run it again"
            )
        return ModelError(line.format(at=self._base, name=self.name, status=status, said=said))
