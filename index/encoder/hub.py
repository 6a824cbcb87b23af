"""Encoders of the user's own: a sentence-transformers model."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from index.encoder import NAMES, Vectors
from index.types import ModelError
from index.weights import harmless

DOCUMENT_PROMPTS = "document", "passage", "corpus"  # it would take an empty first one


class SentenceTransformerEncoder:
    """A sentence-transformers model by local folder, or hub id that is already downloaded.

    Float32 on the processor: half precision is slower there and changes the vectors. Texts longer than the
    model's own limit are cut by it. Questions and articles get the prompts that the model has for them.
    """

    unrelated = 0.0

    def __init__(self, name: str) -> None:
        from sentence_transformers import SentenceTransformer  # 6.6 s
        from transformers.utils.logging import disable_progress_bar

        path = Path(name).expanduser()
        self.name = str(path)
        disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            source, how = str(harmless(path)) if path.exists() else name, {"dtype": "float32", "use_safetensors": True}
            self._model = SentenceTransformer(
                source, device="cpu", local_files_only=True, trust_remote_code=False, model_kwargs=how
            )
        except (OSError, ValueError) as error:
            named = f"encoder {name!r} is not bundled ({', '.join(NAMES)}), not a local folder and not downloaded"
            raise ModelError(named) from error
        self._tokenizer = self._model.tokenizer
        self._lock = Lock()  # Its tokenizer is changed by each call, and fails with "Already borrowed" in two threads.

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self._encoded(self._model.encode, texts)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return self._encoded(self._model.encode_query, texts)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        named = (name for name in DOCUMENT_PROMPTS if self._model.prompts.get(name))
        return self._encoded(partial(self._model.encode_document, prompt_name=next(named, None)), texts)

    def _encoded(self, encode: Callable[..., Any], texts: Sequence[str]) -> Vectors:
        with self._lock:
            vectors = encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    def count(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        with self._lock:
            rows = self._tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [len(row) for row in rows["input_ids"]]
