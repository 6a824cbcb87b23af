"""Scores how well a text answers a question, reading both together: a cross-encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.text.fold import clean
from index.types import ModelError, translated
from index.weights import bundled

DEFAULT_RERANKER = "ms-marco-MiniLM-L-12-v2"
REMEMBERED = 1000  # Scores: choices have sentences read again, and questions are put again.
MAX_TOKENS = 384  # Of question and text together; the longer of them is cut at its end.

Scores = NDArray[np.float32]


class Reranker(Protocol):
    """What the desk needs of a cross-encoder."""

    def score(self, question: str, texts: Sequence[str]) -> Scores:
        """Return one score a text, shape (len(texts),), as logits: about 0 where the model is in doubt."""
        ...


class OnnxReranker:
    """A BERT cross-encoder as an ONNX file beside its tokenizer; the default one came with the installation.

    onnxruntime and tokenizers load in 0.2 s, and the weights are int8: a quarter of the memory, twice the speed.
    """

    def __init__(self, name: str = DEFAULT_RERANKER) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        folder = bundled(name) or Path(name).expanduser()
        unusable = f"reranker {name!r} is not bundled, and {folder} holds no usable model"
        with translated(ModelError, unusable, Exception):  # tokenizers and onnxruntime raise nothing narrower
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            options = onnxruntime.SessionOptions()  # threads that wait in a loop would slow the encoder
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            self._session = onnxruntime.InferenceSession(folder / "model.onnx", options, ["CPUExecutionProvider"])
        self._tokenizer.enable_truncation(MAX_TOKENS, strategy="longest_first")
        self._tokenizer.no_padding()
        self._known: dict[tuple[str, str], float] = {}  # scores of the last questions

    def score(self, question: str, texts: Sequence[str]) -> Scores:
        if len(self._known) > REMEMBERED:
            self._known = {}
        new = [text for text in dict.fromkeys(texts) if (question, text) not in self._known]
        for text, pair in zip(
            new, self._tokenizer.encode_batch([(clean(question), clean(text)) for text in new]), strict=True
        ):
            # One text a call: int8 scales go by the whole batch, and a score would change with its company.
            rows = {"input_ids": pair.ids, "attention_mask": pair.attention_mask, "token_type_ids": pair.type_ids}
            [[score]] = self._session.run(None, {name: [row] for name, row in rows.items()})[0].tolist()
            self._known[question, text] = score
        return np.array([self._known[question, text] for text in texts], dtype=np.float32)
