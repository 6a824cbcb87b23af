"""Reads a question or claim and a text together, in a hundred languages, each in any of them."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from index.encoder.e5 import END, START, weights
from index.types import ModelError, translated
from index.weights import bundled
from qa.rerank import FIRST_TOKENS, MAX_TOKENS, Reader

MANY_READER = "copydesk-reader-multilingual"


class Pair(NamedTuple):
    """The tokens of a question or claim and a text, the place of each in its own, and which of the two it is of."""

    ids: list[int]
    offsets: list[tuple[int, int]]
    sequence_ids: list[int | None]


class ManyReader(Reader):
    """The reader of a hundred languages: multilingual-e5-small, trained as the reader was, and on its judgements."""

    def __init__(self) -> None:
        from onnxruntime import InferenceSession, SessionOptions

        folder, options = bundled(MANY_READER), SessionOptions()
        assert folder is not None
        options.intra_op_num_threads = 1
        with translated(ModelError, f"{MANY_READER} does not load", Exception):
            self._session = InferenceSession(folder / "multilingual.onnx", options, ["CPUExecutionProvider"])
        self._weights = weights()
        self._threads = ThreadPoolExecutor(os.cpu_count())
        self._known = {}

    def _pairs(self, first: str, texts: Sequence[str]) -> list[Any]:
        asked, *read = self._weights.encoded([first, *texts])
        ids = asked.ids[:FIRST_TOKENS]
        head = [START, *ids, END, END]
        room = MAX_TOKENS - len(head) - 1
        none: tuple[int, int] = (0, 0)
        return [
            Pair([*head, *text.ids[:room], END], [*[none] * len(head), *text.offsets[:room], none],
                 [*[0] * len(head), *[1] * len(text.ids[:room]), None])
            for text in read
        ]  # fmt: skip

    def _inputs(self, pair: Any) -> dict[str, Any]:
        return {"words": self._weights.words(pair.ids)[None], "mask": np.ones((1, len(pair.ids)), np.int64)}

    def phrase(self, question: str, text: str, first: int = 0) -> tuple[int, int] | None:
        same = len(self._weights.normal(text)) == len(text)
        return super().phrase(question, text, first) if same else None
