"""The grammar of sentences, as spaCy reads it with a pipeline that comes with an installed package."""

import sys
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from index.weights import bundled

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

PARSER = "en_core_web_sm"
LOADED_FOR_GPUS = "torch"  # spaCy imports it where it finds it, 2.5 s, and does not need it


@cache
def _pipeline() -> "Language":
    hidden = LOADED_FOR_GPUS not in sys.modules
    if hidden:
        sys.modules[LOADED_FOR_GPUS] = None  # type: ignore[assignment]
    try:
        import spacy
    finally:
        if hidden:
            del sys.modules[LOADED_FOR_GPUS]
    folder = bundled(PARSER)
    assert folder is not None
    return spacy.load(folder, exclude=["ner", "senter"])


@lru_cache(maxsize=4096)
def parse(text: str) -> "Doc":
    """Return a text's tokens with their parts of speech, lemmas and heads. 5 ms a sentence; 1 s for the first."""
    return _pipeline()(text)
