"""Turns texts into vectors. The default encoder's weights come with the installation; no hub is asked."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock, get_native_id
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.text.fold import clean
from index.types import Article, ModelError, Passage, translated
from index.weights import bundled, harmless

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
GRAPH = Path(__file__).parent / "minilm.onnx"  # made by evals/train/graph.py
MAX_TOKENS = 256  # of a text, [CLS] and [SEP] among them: the published limit
DIMENSIONS = 384
FEW = 4  # texts, of a question and its parts
GIVES_WAY = 10  # as `nice` has it: a tenth of what another busy thread gets, and everything where there is none

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """What an archive needs of an embedding model. Vectors of two encoders are never mixed: `name` tells."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector a text, shape (len(texts), dimensions), float32."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, special tokens not counted."""


def encoded_text(article: Article, passage: Passage) -> str:
    """Return what is encoded for a passage: title, outlet and date tell what the passage itself may not."""
    date = f"{article.published:%d %B %Y}" if article.published else None
    head = ", ".join(part for part in (article.title, article.outlet, date) if part)
    return f"{head}\n{article.text[passage.start : passage.end]}"


def load_encoder(name: str = DEFAULT_ENCODER) -> Encoder:
    """Return the bundled encoder or, for any other name, a sentence-transformers model; raise ModelError if neither."""
    return MiniLm() if name == DEFAULT_ENCODER else SentenceTransformerEncoder(name)


class MiniLm:
    """The bundled all-MiniLM-L6-v2 in float32, without torch: one text a call of onnxruntime, one thread a core.

    Its vectors are sentence-transformers' to 3e-7. A first question is encoded after 0.4 s in place of 5.8, 114 MB are
    held in place of 528 (190 after many texts), and passages are read 1.5 times as fast: nothing is padded, and no core
    waits for another. Texts longer than 256 tokens are cut at their end. May be called from several threads.
    """

    name = DEFAULT_ENCODER

    def __init__(self) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        folder = bundled(DEFAULT_ENCODER)
        assert folder is not None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        place = (folder / "model.safetensors").resolve().parent  # onnxruntime refuses a link that leaves its folder
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(place))
        unusable = f"encoder {self.name!r} does not load"
        with translated(ModelError, unusable, Exception):  # tokenizers and onnxruntime raise nothing narrower
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            graph = (bundled("minilm-graph") or GRAPH.parent) / GRAPH.name
            self._session = onnxruntime.InferenceSession(graph.read_bytes(), options, ["CPUExecutionProvider"])
        self._tokenizer.no_truncation()  # A tokenizer that is never changed again may be used by several threads.
        self._tokenizer.no_padding()
        self._threads = ThreadPoolExecutor(os.cpu_count(), initializer=_give_way)

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = [row.ids for row in self._tokenizer.encode_batch_fast(list(map(clean, texts)))]
        rows = [row if len(row) <= MAX_TOKENS else [*row[: MAX_TOKENS - 1], row[-1]] for row in rows]
        ids = [{"ids": np.array(row, dtype=np.int64)} for row in rows]
        # A question does not wait behind the articles that are encoded meanwhile.
        run = map if len(ids) <= FEW else self._threads.map
        vectors = [vector for (vector,) in run(partial(self._session.run, None), ids)]
        return np.array(vectors, dtype=np.float32).reshape(-1, DIMENSIONS)

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(row) for row in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


def _give_way() -> None:
    """Let a thread that encodes articles have what questions leave of the processor, where threads have a priority."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), GIVES_WAY)


class SentenceTransformerEncoder:
    """A sentence-transformers model by local folder, or hub id that is already downloaded.

    Float32 on the processor: half precision is slower there and changes the vectors. Texts longer than the
    model's own limit are cut by it.
    """

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
            raise ModelError(f"encoder {name!r} is not bundled, not a local folder and not downloaded") from error
        self._tokenizer = self._model.tokenizer
        self._lock = Lock()  # Its tokenizer is changed by each call, and fails with "Already borrowed" in two threads.

    def encode(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    def count(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        with self._lock:
            rows = self._tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [len(row) for row in rows["input_ids"]]
