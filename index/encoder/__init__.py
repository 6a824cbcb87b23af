"""Turns texts into vectors. Three encoders come with the installation, one of many languages; no hub is asked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.types import Article, Passage

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
INT8 = "all-MiniLM-L6-v2-int8"
ENGLISH = DEFAULT_ENCODER, INT8  # which know no other language
MULTILINGUAL = "multilingual-e5-small"
REMOTE = "openai:"  # before the name of a model that a server runs
NAMES = {"multilingual": MULTILINGUAL, "english": DEFAULT_ENCODER, "english-int8": INT8}  # as people may call them

UNRELATED = {MULTILINGUAL: 0.73}  # the cosine of texts that have nothing in common; 0 of others, as far as is known

FOREIGN = 10  # of as many articles one that is not in English makes an archive one of many languages

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """What an archive needs of an embedding model. Vectors of two encoders are never mixed: `name` tells.

    All three ways of encoding return one unit vector a text, shape (len(texts), dimensions), float32.
    """

    @property
    def name(self) -> str: ...

    @property
    def unrelated(self) -> float:
        """The cosine of two texts that have nothing in common: 0 counts as nothing, so does this."""

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Encode what is looked for."""

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Encode what it is looked for in."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts that are compared with one another."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, special tokens not counted."""


class Symmetric:
    """The ways of encoding of a model that knows one, and whose cosines begin at 0."""

    unrelated = 0.0

    def encode_query(self: "Encoder", texts: Sequence[str]) -> Vectors:
        return self.encode(texts)

    def encode_document(self: "Encoder", texts: Sequence[str]) -> Vectors:
        return self.encode(texts)


def encoded_text(article: Article, passage: Passage) -> str:
    """Return what is encoded for a passage: title, outlet and date tell what the passage itself may not."""
    date = f"{article.published:%d %B %Y}" if article.published else None
    head = ", ".join(part for part in (article.title, article.outlet, date) if part)
    return f"{head}\n{article.text[passage.start : passage.end]}"


def full_name(name: str) -> str:
    """Return the name that an archive keeps: of what people call "english" say, or of a folder wherever one stands."""
    name = NAMES.get(name, name)
    if not name or name in NAMES.values() or name.startswith(REMOTE):
        return name
    path = Path(name).expanduser()
    return str(path.absolute() if path.is_dir() else path)


def suited(articles: Sequence[Article]) -> str:
    """Return the name of the encoder that an archive needs whose first articles these are."""
    foreign = sum(article.language not in ("en", None) for article in articles)
    return MULTILINGUAL if foreign and FOREIGN * foreign >= len(articles) else DEFAULT_ENCODER


def load_encoder(name: str = DEFAULT_ENCODER) -> Encoder:
    """Return a bundled encoder by its name, openai:MODEL of a server, or else a sentence-transformers model.

    Raises ModelError where there is none.
    """
    from index.encoder import bundled, hub, remote

    own: dict[str, type[Encoder]] = {
        DEFAULT_ENCODER: bundled.MiniLm, INT8: bundled.MiniLmInt8, MULTILINGUAL: bundled.MultilingualE5,
    }  # fmt: skip
    if (name := full_name(name)) in own:
        return own[name]()
    return remote.RemoteEncoder(name) if name.startswith(REMOTE) else hub.SentenceTransformerEncoder(name)


def likeness(encoder: Encoder, some: Vectors, others: Vectors) -> Vectors:
    """Return how near texts are to others, shape (some, others): 1 where they say the same, 0 where nothing."""
    found: Vectors = (some @ others.T - encoder.unrelated) / (1 - encoder.unrelated)
    return found
