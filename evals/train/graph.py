"""Makes the graphs of the bundled encoders, without weights: `python -m evals.train.graph`, where onnx is installed.

A graph is some 24 KB. It reads one text, so it needs no padding and no mask; "vector", float32, shape (384,), is the
mean over the tokens at length 1. Fused operators of onnxruntime where they are quicker; SkipLayerNormalization is not:
with it the whole takes 1.16 times as long, 1.3 times in int8.
- minilm.onnx, all-MiniLM-L6-v2, reads "ids", int64, shape (tokens,), at most 512. Its weights are places in the
  published model.safetensors, which holds them as ONNX would.
- minilm-int8.onnx, the same with layers of int8, which it is given; each reads with one scale what comes in.
- e5.onnx, multilingual-e5-small, reads "words", float32, shape (tokens, 384). It is given its weights, of 4 bits.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onnx import ModelProto, StringStringEntryProto, TensorProto, helper

from index.encoder import DEFAULT_ENCODER, INT8, MULTILINGUAL, e5
from index.encoder.bundled import DIMENSIONS, GRAPH, INT8_GRAPH, MULTILINGUAL_GRAPH
from index.weights import bundled

LAYERS, HEADS = 6, 12  # of all-MiniLM-L6-v2
MICROSOFT = "com.microsoft"
EMBEDDINGS = ("word", "position", "token_type")


class Graph:
    """Nodes and weights in the order in which they are asked for."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.held = [helper.make_tensor("zero", TensorProto.INT64, [1], [0])]

    def outside(self, name: str, kind: int, shape: Sequence[int], **place: Any) -> str:
        """Say where a tensor stands, in a file or nowhere yet."""
        entries = [StringStringEntryProto(key=key, value=str(value)) for key, value in place.items()]
        external = {"data_location": TensorProto.EXTERNAL, "external_data": entries}
        self.held.append(TensorProto(name=name, data_type=kind, dims=shape, **external))
        return name

    def node(self, operator: str, *inputs: str, out: str = "", domain: str = "", **settings: Any) -> str:
        out = out or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [out], name=out, domain=domain, **settings))
        return out

    def dense(self, x: str, name: str) -> str:
        raise NotImplementedError

    def norm(self, x: str, name: str) -> str:
        raise NotImplementedError

    def attention(self, *parts: str, heads: int) -> str:
        apart = [self.node("Unsqueeze", part, "zero") for part in parts]
        joined = self.node("MultiHeadAttention", *apart, domain=MICROSOFT, num_heads=heads)
        return self.node("Squeeze", joined, "zero")

    def made(self, name: str, given: Any, last: str) -> ModelProto:
        mean = self.node("ReduceMean", last, "zero", keepdims=0)
        self.node("LpNormalization", mean, out="vector", axis=-1, p=2)
        vector = helper.make_tensor_value_info("vector", TensorProto.FLOAT, [DIMENSIONS])
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)]
        graph = helper.make_graph(self.nodes, name, [given], [vector], self.held)
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)


class MiniLm(Graph):
    def __init__(self, weights: Path) -> None:
        super().__init__()
        with weights.open("rb") as file:  # a length, so many bytes of JSON, then the tensors
            self.begin = int.from_bytes(file.read(8), "little")
            self.tensors = json.loads(file.read(self.begin))
        self.file = weights.name

    def weight(self, name: str) -> str:
        start, end = self.tensors[name]["data_offsets"]
        place = {"location": self.file, "offset": 8 + self.begin + start, "length": end - start}
        return self.outside(name, TensorProto.FLOAT, self.tensors[name]["shape"], **place)

    def dense(self, x: str, name: str) -> str:
        return self.node("Gemm", x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), transB=1)

    def norm(self, x: str, name: str) -> str:
        both = (self.weight(f"{name}.LayerNorm.weight"), self.weight(f"{name}.LayerNorm.bias"))
        return self.node("LayerNormalization", x, *both, epsilon=1e-12)


class MiniLmInt8(MiniLm):
    def dense(self, x: str, name: str) -> str:
        outputs, inputs = self.tensors[f"{name}.weight"]["shape"]
        whole = self.outside(f"{name}.weight", TensorProto.INT8, [inputs, outputs], location="given")
        scales = self.outside(f"{name}.scales", TensorProto.FLOAT, [outputs], location="given")
        given = (whole, scales, "", self.weight(f"{name}.bias"))
        return self.node("DynamicQuantizeMatMul", x, *given, domain=MICROSOFT)


class E5(Graph):
    def __init__(self, held: Mapping[str, Any]) -> None:
        super().__init__()
        self.tensors = held
        self.held.append(helper.make_tensor("one", TensorProto.INT64, [1], [1]))

    def weight(self, name: str) -> str:
        tensor = self.tensors[name]
        return self.outside(name, helper.np_dtype_to_tensor_dtype(tensor.dtype), tensor.shape, location="given")

    def dense(self, x: str, name: str) -> str:
        outputs, blocks, _ = self.tensors[f"{name}.w"].shape
        given = (self.weight(f"{name}.w"), self.weight(f"{name}.w.s"), "", "", self.weight(f"{name}.b"))
        size = {"K": e5.BLOCK * blocks, "N": outputs, "bits": 4, "block_size": e5.BLOCK, "accuracy_level": 4}
        return self.node("MatMulNBits", x, *given, domain=MICROSOFT, **size)

    def norm(self, x: str, name: str) -> str:
        return self.node("LayerNormalization", x, self.weight(f"{name}.w"), self.weight(f"{name}.b"), epsilon=1e-12)


def minilm(weights: Path, kind: type[MiniLm] = MiniLm, name: str = DEFAULT_ENCODER) -> ModelProto:
    """Return the graph for this file of weights, a BERT of 6 layers."""
    graph = kind(weights)
    words, places, kinds = (graph.weight(f"embeddings.{kind}_embeddings.weight") for kind in EMBEDDINGS)
    place = graph.node("Slice", places, "zero", graph.node("Shape", "ids"), "zero")
    place = graph.node("Add", place, graph.node("Gather", kinds, "zero"))
    x = graph.node("Add", graph.node("Gather", words, "ids"), place)
    x = graph.norm(x, "embeddings")
    for layer in (f"encoder.layer.{number}" for number in range(LAYERS)):
        parts = [graph.dense(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value")]
        y = graph.dense(graph.attention(*parts, heads=HEADS), f"{layer}.attention.output.dense")
        x = graph.norm(graph.node("Add", x, y), f"{layer}.attention.output")
        y = graph.node("Gelu", graph.dense(x, f"{layer}.intermediate.dense"), domain=MICROSOFT)
        y = graph.dense(y, f"{layer}.output.dense")
        x = graph.norm(graph.node("Add", x, y), f"{layer}.output")
    return graph.made(name, helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"]), x)


def multilingual(held: Mapping[str, Any]) -> ModelProto:
    """Return the graph for tensors by name, a BERT of 12 layers."""
    graph, given = E5(held), helper.make_tensor_value_info("words", TensorProto.FLOAT, ["tokens", DIMENSIONS])
    length = graph.node("Slice", graph.node("Shape", "words"), "zero", "one", "zero")
    place = graph.node("Slice", graph.weight("emb.pos"), "zero", length, "zero")
    kind = graph.node("Slice", graph.weight("emb.type"), "zero", "one", "zero")
    x = graph.node("Add", "words", graph.node("Add", place, kind))
    x = graph.norm(x, "emb.ln")
    for layer in (f"l{number}" for number in range(e5.LAYERS)):
        parts = [graph.dense(x, f"{layer}.{part}") for part in "qkv"]
        y = graph.dense(graph.attention(*parts, heads=e5.HEADS), f"{layer}.ao")
        x = graph.norm(graph.node("Add", x, y), f"{layer}.aln")
        y = graph.dense(graph.node("Gelu", graph.dense(x, f"{layer}.fi"), domain=MICROSOFT), f"{layer}.fo")
        x = graph.norm(graph.node("Add", x, y), f"{layer}.oln")
    return graph.made(MULTILINGUAL, given, x)


if __name__ == "__main__":
    folder = bundled(DEFAULT_ENCODER)
    assert folder is not None
    GRAPH.write_bytes(minilm(folder / "model.safetensors").SerializeToString())
    INT8_GRAPH.write_bytes(minilm(folder / "model.safetensors", MiniLmInt8, INT8).SerializeToString())
    MULTILINGUAL_GRAPH.write_bytes(multilingual(e5.Weights().layers()).SerializeToString())
