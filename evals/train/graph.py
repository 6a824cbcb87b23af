"""Makes index/minilm.onnx, all-MiniLM-L6-v2 without weights: `python -m evals.train.graph`, where onnx is installed.

The graph is 24 KB; its weights are places in the published model.safetensors, which holds them as ONNX would. It reads
one text, so it needs no padding and no mask: "ids", int64, shape (tokens,), at most 512; "vector", float32, shape
(384,), the mean over the tokens at length 1. Fused operators of onnxruntime, as it would put them in by itself.
"""

import json
from pathlib import Path
from typing import Any

from onnx import ModelProto, StringStringEntryProto, TensorProto, helper

from index.encoder import DEFAULT_ENCODER, DIMENSIONS, GRAPH
from index.weights import bundled

LAYERS, HEADS = 6, 12
MICROSOFT = "com.microsoft"
EMBEDDINGS = ("word", "position", "token_type")


class Graph:
    """Nodes and weights in the order in which they are asked for."""

    def __init__(self, weights: Path) -> None:
        with weights.open("rb") as file:  # a length, so many bytes of JSON, then the tensors
            self.begin = int.from_bytes(file.read(8), "little")
            self.tensors = json.loads(file.read(self.begin))
        self.file = weights.name
        self.nodes: list[Any] = []
        self.held = [helper.make_tensor("zero", TensorProto.INT64, [1], [0])]

    def weight(self, name: str) -> str:
        """Say where a tensor stands in the file of weights."""
        start, end = self.tensors[name]["data_offsets"]
        place = {"location": self.file, "offset": 8 + self.begin + start, "length": end - start}
        entries = [StringStringEntryProto(key=key, value=str(value)) for key, value in place.items()]
        external = {"data_location": TensorProto.EXTERNAL, "external_data": entries}
        shape = self.tensors[name]["shape"]
        self.held.append(TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, **external))
        return name

    def node(self, operator: str, *inputs: str, out: str = "", domain: str = "", **settings: Any) -> str:
        out = out or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [out], name=out, domain=domain, **settings))
        return out

    def dense(self, x: str, name: str) -> str:
        return self.node("Gemm", x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), transB=1)

    def norm(self, operator: str, *inputs: str, name: str, **settings: Any) -> str:
        both = (self.weight(f"{name}.LayerNorm.weight"), self.weight(f"{name}.LayerNorm.bias"))
        return self.node(operator, *inputs, *both, epsilon=1e-12, **settings)

    def attention(self, x: str, name: str) -> str:
        parts = [self.dense(x, f"{name}.self.{part}") for part in ("query", "key", "value")]
        parts = [self.node("Unsqueeze", part, "zero") for part in parts]
        joined = self.node("MultiHeadAttention", *parts, domain=MICROSOFT, num_heads=HEADS)
        return self.dense(self.node("Squeeze", joined, "zero"), f"{name}.output.dense")


def make(weights: Path) -> ModelProto:
    """Return the graph for this file of weights, a BERT of 6 layers."""
    graph = Graph(weights)
    words, places, kinds = (graph.weight(f"embeddings.{kind}_embeddings.weight") for kind in EMBEDDINGS)
    place = graph.node("Slice", places, "zero", graph.node("Shape", "ids"), "zero")
    place = graph.node("Add", place, graph.node("Gather", kinds, "zero"))
    x = graph.node("Add", graph.node("Gather", words, "ids"), place)
    x = graph.norm("LayerNormalization", x, name="embeddings")
    for layer in (f"encoder.layer.{number}" for number in range(LAYERS)):
        y = graph.attention(x, f"{layer}.attention")
        x = graph.norm("SkipLayerNormalization", x, y, name=f"{layer}.attention.output", domain=MICROSOFT)
        y = graph.node("Gelu", graph.dense(x, f"{layer}.intermediate.dense"), domain=MICROSOFT)
        y = graph.dense(y, f"{layer}.output.dense")
        x = graph.norm("SkipLayerNormalization", x, y, name=f"{layer}.output", domain=MICROSOFT)
    mean = graph.node("ReduceMean", x, "zero", keepdims=0)
    graph.node("LpNormalization", mean, out="vector", axis=-1, p=2)
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"])
    vector = helper.make_tensor_value_info("vector", TensorProto.FLOAT, [DIMENSIONS])
    made = helper.make_graph(graph.nodes, DEFAULT_ENCODER, [ids], [vector], graph.held)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=9)


if __name__ == "__main__":
    folder = bundled(DEFAULT_ENCODER)
    assert folder is not None
    GRAPH.write_bytes(make(folder / "model.safetensors").SerializeToString())
