"""The encoders that come with the installation, without torch: one text a call of onnxruntime, one thread a core."""

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import get_native_id
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.encoder import DEFAULT_ENCODER, INT8, MULTILINGUAL, UNRELATED, Symmetric, Vectors
from index.encoder.e5 import DOCUMENT, QUERY, weights
from index.text.fold import clean
from index.types import ModelError, translated
from index.weights import bundled

HOME = Path(__file__).parent
GRAPH, INT8_GRAPH = HOME / "minilm.onnx", HOME / "minilm-int8.onnx"  # all made by evals/train/graph.py
MULTILINGUAL_GRAPH = HOME / "e5.onnx"
MAX_TOKENS = 256  # of a text, [CLS] and [SEP] among them: the published limit
DIMENSIONS = 384
LARGEST = 64  # of the weights in int8
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
    held in place of 528 (190 after many texts), and passages are read at least 1.5 times as fast: nothing is padded,
    and no core waits for another. Texts longer than 256 tokens are cut at their end.
    """

    name, graph = DEFAULT_ENCODER, GRAPH

    def __init__(self) -> None:
        from onnxruntime import InferenceSession, OrtValue
        from tokenizers import Tokenizer

        super().__init__()
        folder = bundled(DEFAULT_ENCODER)
        assert folder is not None
        options = _options()
        weights = (folder / "model.safetensors").resolve()  # onnxruntime refuses a link that leaves its folder
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(weights.parent))
        unusable = f"encoder {self.name!r} does not load"
        with translated(ModelError, unusable, Exception):  # tokenizers and onnxruntime raise nothing narrower
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._held = {name: OrtValue.ortvalue_from_numpy(tensor) for name, tensor in self._given(weights)}
            options.add_external_initializers([*self._held], [*self._held.values()])
            graph = (bundled(f"{self.graph.stem}-graph") or HOME) / self.graph.name
            self._session = InferenceSession(graph.read_bytes(), options, ["CPUExecutionProvider"])
        self._tokenizer.no_truncation()  # A tokenizer that is never changed again may be used by several threads.
        self._tokenizer.no_padding()

    def _given(self, weights: Path) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield the tensors that the graph does not read from this file by itself."""
        yield from ()

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = [row.ids for row in self._tokenizer.encode_batch_fast(list(map(clean, texts)))]
        rows = [row if len(row) <= MAX_TOKENS else [*row[: MAX_TOKENS - 1], row[-1]] for row in rows]
        return self._run([{"ids": np.array(row, dtype=np.int64)} for row in rows])

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(row) for row in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


class MiniLmInt8(MiniLm):
    """The same in integers, with a scale for each number that a layer makes and one for what it reads.

    2.2 times as fast, by VNNI; its vectors are those in float32 to a cosine of .993, least .983 (evals/EXPERIMENTS.md,
    §35). Weights end at 64: two of them times what comes in, at most 255, stay below 2**15, where processors without
    VNNI would cut the sum off. So all count the same.
    """

    name, graph = INT8, INT8_GRAPH

    def _given(self, weights: Path) -> Iterator[tuple[str, NDArray[Any]]]:
        from safetensors import safe_open

        with safe_open(weights, "numpy") as file:
            for name in file.keys():  # noqa: SIM118
                tensor = file.get_tensor(name)
                if name.startswith("encoder.") and tensor.ndim == 2:
                    scales = abs(tensor).max(1) / LARGEST
                    yield name, np.ascontiguousarray(np.rint(tensor.T / scales).astype(np.int8))
                    yield name.replace(".weight", ".scales"), scales


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
            self._held = held  # onnxruntime reads what it has not packed from where it stands
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
