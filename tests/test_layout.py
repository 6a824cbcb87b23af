"""Imports go one way, index ← qa ← evals, and each third-party package has one home."""

import ast
from collections.abc import Iterator

import pytest
from conftest import REPOSITORY

ABOVE = {"index": {"qa", "evals", "tests"}, "qa": {"evals", "tests"}, "evals": {"tests"}}
HOMES = {
    "sqlite3": ["index/archive.py"],
    "chromadb": ["index/dense.py"],
    "tantivy": ["index/lexical.py"],
    "sentence_transformers": ["index/encoder.py", "qa/judge.py"],
    "text_to_num": ["qa/facts.py"],
    "lemminflect": ["qa/facts.py"],
    "onnxruntime": ["qa/rerank.py"],
    "tokenizers": ["qa/rerank.py"],
    "trafilatura": ["index/read/html.py"],
    "frontmatter": ["index/read/markdown.py"],
    "dateparser": ["index/read/dates.py"],
    "charset_normalizer": ["index/read/decode.py"],
    "sentencex": ["index/split.py"],
    "filelock": ["index/lock.py"],
    "llama_index": ["qa/desk.py", "qa/judge.py", "qa/llamaindex.py", "qa/llm.py"],
    "xllamacpp": ["qa/llm.py"],
    "openai": ["qa/llm.py"],
    "ollama": ["qa/llm.py"],
    "anthropic": ["qa/llm.py"],
    "litellm": ["qa/llm.py"],
    "gradio": ["qa/ui.py"],
    "fastapi": ["qa/http.py", "qa/ui.py"],
    "httpx": ["qa/client.py", "qa/llm.py"],
    "fastapi_offline": ["qa/http.py"],
    "httpx_sse": ["qa/client.py"],
    "starlette": ["qa/guard.py"],
    "rich": ["qa/show.py"],
    "ir_measures": ["evals/metrics.py"],
}


def imports() -> Iterator[tuple[str, str]]:
    for room in ABOVE:
        for path in (REPOSITORY / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                for name in names:
                    yield path.relative_to(REPOSITORY).as_posix(), name.split(".")[0]


@pytest.mark.parametrize("room", ABOVE)
def test_no_room_imports_one_above_it(room: str) -> None:
    assert [(path, name) for path, name in imports() if path.startswith(f"{room}/") and name in ABOVE[room]] == []


def test_each_package_is_imported_at_home_only() -> None:
    strangers = [(path, name) for path, name in imports() if name in HOMES and path not in HOMES[name]]
    assert strangers == []
