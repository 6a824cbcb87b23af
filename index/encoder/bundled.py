"""The encoders that come with the installation, without torch: one text a call of onnxruntime, one thread a core."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import get_native_id
from typing import Any

import numpy as np

from index.encoder import DEFAULT_ENCODER, MULTILINGUAL, UNRELATED, Symmetric, Vectors
from index.encoder.e5 import DOCUMENT, QUERY, weights
from index.text.fold import clean
from index.types import ModelError, translated
from index.weights import bundled

HOME = Path(__file__).parent
GRAPH = HOME / "minilm.onnx"  # both made by evals/train/graph.py
MULTILINGUAL_GRAPH = HOME / "e5.onnx"
MAX_TOKENS = 256  # of a text, [CLS] and [SEP] among them: the published limit
DIMENSIONS = 384
FEW = 4  # texts, of a question and its parts
GIVES_WAY = 10  # as `nice` has it: a tenth of what another busy thread gets, and everything where there is none


class _Bundled:
    """Runs a graph that reads one text. May be called from several threads."""

    def __init__(self) -> None:
        threads = os.environ.get("OMP_NUM_THREADS", "")  # as OpenMP has it; a worker of a cluster has not all cores
        self._threads = ThreadPoolExecutor(
            int(threads) if threads.isdecimal() else os.cpu_count(), initializer=_give_way
        )
        self._session: Any

    def _run(self, inputs: Sequence[dict[str, Any]]) -> Vectors:
        # A question does not wait behind the articles that are encoded meanwhile.
        run = map if len(inputs) <= FEW else self._threads.map
        vectors = [vector for (vector,) in run(partial(self._session.run, None), inputs)]
        return np.array(vectors, dtype=np.float32).reshape(-1, DIMENSIONS)


class MiniLm(Symmetric, _Bundled):
    """The bundled all-MiniLM-L6-v2 in float32.

    Its vectors are sentence-transformers' to 3e-7. A first question is encoded after 0.4 s in place of 5.8, 114 MB are
    held in place of 528 (190 after many texts), and passages are read 1.5 times as fast: nothing is padded, and no core
    waits for another. Texts longer than 256 tokens are cut at their end.
    """

    name = DEFAULT_ENCODER

    def __init__(self) -> None:
        from onnxruntime import InferenceSession
        from tokenizers import Tokenizer

        super().__init__()
        folder = bundled(DEFAULT_ENCODER)
        assert folder is not None
        options = _options()
        place = (folder / "model.safetensors").resolve().parent  # onnxruntime refuses a link that leaves its folder
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(place))
        unusable = f"encoder {self.name!r} does not load"
        with translated(ModelError, unusable, Exception):  # tokenizers and onnxruntime raise nothing narrower
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            graph = (bundled("minilm-graph") or HOME) / GRAPH.name
            self._session = InferenceSession(graph.read_bytes(), options, ["CPUExecutionProvider"])
        self._tokenizer.no_truncation()  # A tokenizer that is never changed again may be used by several threads.
        self._tokenizer.no_padding()

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = [row.ids for row in self._tokenizer.encode_batch_fast(list(map(clean, texts)))]
        rows = [row if len(row) <= MAX_TOKENS else [*row[: MAX_TOKENS - 1], row[-1]] for row in rows]
        return self._run([{"ids": np.array(row, dtype=np.int64)} for row in rows])

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(row) for row in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


class MultilingualE5(_Bundled):
    """The bundled multilingual-e5-small in 4 bits, computed in integers: 1.6 times as fast as in float32.

    Its vectors are those of the package's own engine to a cosine of .9999; with 8 bits and one scale for all that a
    layer reads it would be faster by half, but .97 for some texts. Texts longer than 512 tokens are cut.
    """

    name = MULTILINGUAL
    unrelated = UNRELATED[MULTILINGUAL]

    def __init__(self) -> None:
        from onnxruntime import InferenceSession, OrtValue

        super().__init__()
        self._weights, options = weights(), _options()
        with translated(ModelError, f"encoder {self.name!r} does not load", Exception):
            held = {name: OrtValue.ortvalue_from_numpy(tensor) for name, tensor in self._weights.layers().items()}
            options.add_external_initializers([*held], [*held.values()])
            graph = (bundled("e5-graph") or HOME) / MULTILINGUAL_GRAPH.name
            self._session = InferenceSession(graph.read_bytes(), options, ["CPUExecutionProvider"])

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        rows = self._weights.ids([QUERY + text for text in texts])
        return self._run([{"words": self._weights.words(row)} for row in rows])

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        rows = self._weights.ids([DOCUMENT + text for text in texts])
        return self._run([{"words": self._weights.words(row)} for row in rows])

    encode = encode_query  # as its authors would have texts compared

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(row) - 2 for row in self._weights.ids(texts, sys.maxsize)]


def _options() -> Any:
    from onnxruntime import SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1
    return options


def _give_way() -> None:
    """Let a thread that encodes articles have what questions leave of the processor, where threads have a priority."""
    if sys.platform == "linux":
        thread = os.PRIO_PROCESS, get_native_id()
        os.setpriority(*thread, max(GIVES_WAY, os.getpriority(*thread)))  # only root may take more than it has
