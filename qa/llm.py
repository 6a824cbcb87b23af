"""Language models that write: in this process, on a server of one's own, or at a provider. All are LlamaIndex LLMs."""

from __future__ import annotations

import gc
import os
import re
import secrets
import sys
import textwrap
import threading
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import ollama
import openai
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import LLM
from llama_index.llms.ollama import Ollama
from llama_index.llms.openai.utils import openai_modelname_to_contextsize
from llama_index.llms.openai_like import OpenAILike

from index.types import BadInput, ModelError

WINDOW = 8192  # tokens; where a model takes more, memory and a processor's patience rarely do
MAX_TOKENS = 512
CONNECT_SECONDS, SILENT_SECONDS, LIST_SECONDS = 5.0, 120.0, 1.5
FORMS = "quotes, llamacpp:/path/model.gguf, ollama:MODEL, openai:MODEL, anthropic:MODEL or litellm:MODEL"


class Provider(NamedTuple):
    """What LlamaIndex calls a kind of model, its address, and the variables that hold another address and a key."""

    class_name: str
    url: str = ""
    url_variable: str = ""
    key_variable: str = ""


PROVIDERS = {
    "llamacpp": Provider("LlamaCpp"),
    "ollama": Provider("Ollama_llm", "http://127.0.0.1:11434", "OLLAMA_HOST"),
    "openai": Provider("OpenAILike", "https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "anthropic": Provider("Anthropic_LLM", "https://api.anthropic.com", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
    "litellm": Provider("litellm_llm", "", "LITELLM_BASE_URL"),
}
KINDS = {provider.class_name: kind for kind, provider in PROVIDERS.items()}
# Where a server lists its models: path, names in the reply, and what to do when there are none.
LISTS = {
    "ollama": ("/api/tags", "models", "name", "start it with ollama serve, fetch a model with ollama pull MODEL"),
    "openai": ("/models", "data", "id", "start it, or see that OPENAI_BASE_URL and OPENAI_API_KEY are right"),
}
UNREADABLE = (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError)  # no answer, or of another shape
_loading = threading.Lock()


def load(spec: str, url: str | None = None, patience: float = SILENT_SECONDS) -> LLM:
    """Return the model that a spec such as `ollama:qwen3:8b` names; the same object for the same arguments.

    `url` is the base URL of an OpenAI-compatible, Ollama, Anthropic or LiteLLM server; without it, the environment
    names one (OPENAI_BASE_URL, OLLAMA_HOST, ANTHROPIC_BASE_URL) or the provider's own is meant. No server is asked
    yet; once it is, it may be silent for `patience` seconds. Raises BadInput for a spec or url that is not understood,
    ModelError for a model that cannot be had.
    """
    kind, _, name = spec.partition(":")
    if kind not in PROVIDERS or not name.strip():
        raise BadInput(f"--llm {spec} is not understood: use {FORMS}")
    if kind == "llamacpp":
        base, key, name = "", "", str(Path(name).expanduser().absolute())
    else:
        base, key = _server(kind, url)
    with _loading:
        llm: LLM = _loaded(kind, name.strip(), base, key, patience)
    return llm


def _server(kind: str, url: str | None = None) -> tuple[str, str]:
    """Return the address, "" where LiteLLM knows best, and the key that models of this kind are asked with."""
    provider = PROVIDERS[kind]
    if not find_spec(f"llama_index.llms.{kind}"):
        raise ModelError(f"{kind} needs a package that is not installed: pip install 'copydesk[{kind}]'")
    base = (url or os.environ.get(provider.url_variable) or provider.url).rstrip("/")
    if kind == "ollama" and "://" not in base:  # as Ollama itself reads OLLAMA_HOST
        base = f"http://{base}" if re.search(r":\d+$", base) else f"http://{base}:11434"
    try:
        address = httpx.URL(base)
        known = address.scheme in ("http", "https") and address.host and (address.port or 80) < 65536
    except (httpx.InvalidURL, ValueError):
        known = False
    if base and not known:
        raise BadInput(f"--llm-url {base} is not understood: give one such as {PROVIDERS['ollama'].url}")
    key = os.environ.get(provider.key_variable, "").strip()
    if provider.key_variable and not key and base == provider.url:
        own = "or --llm-url to the address of a server of your own"
        raise ModelError(f"{kind} needs a key: set {provider.key_variable}, {own}")
    return base, key or "none"


@cache
def _loaded(kind: str, name: str, base: str, key: str, patience: float) -> Any:
    if kind == "llamacpp":
        return _llamacpp(name, patience)
    if kind == "openai":
        return _openai_like(OpenAILike, name, base, key, patience)
    if kind == "ollama":
        # An answer's tokens would all go into thinking, for minutes on a processor; models without it ignore this.
        client = ollama.Client(base, **_http_options(base, patience))
        return Ollama(name, base, temperature=0.0, context_window=0, thinking=False, client=client)
    if kind == "anthropic":
        from llama_index.llms.anthropic import Anthropic, utils

        utils.CLAUDE_MODELS.setdefault(name, WINDOW)  # LlamaIndex refuses models that its table lacks
        llm = Anthropic(name, temperature=0.0, base_url=base, api_key=key, max_retries=0)
        timeout = _http_options(base, patience)["timeout"]
        llm._client = llm._client.with_options(timeout=timeout)  # the constructor takes one number
        return llm
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # it would fetch a newer one while it is imported
    import litellm
    from llama_index.llms.litellm import LiteLLM

    litellm.suppress_debug_info = True  # it advertises on stdout
    asks = {"timeout": patience, "num_retries": 0}
    return LiteLLM(name, temperature=0.0, api_base=base or None, max_retries=1, additional_kwargs=asks)


def _openai_like(kind: Any, name: str, base: str, key: str, patience: float, **asks: Any) -> Any:
    http = httpx.Client(**_http_options(base, patience))
    asks["openai_client"] = openai.OpenAI(api_key=key, base_url=base, max_retries=0, http_client=http)
    asks |= {"api_base": base, "api_key": key, "context_window": 0, "max_retries": 0}
    return kind(model=name, temperature=0.0, is_chat_model=True, **asks)


def _http_options(base: str, patience: float) -> dict[str, Any]:
    """Return httpx's options: time limits, and no proxy on the way to this machine itself."""
    here = httpx.URL(base).host in ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104  nothing is bound
    return {"timeout": httpx.Timeout(patience, connect=min(patience, CONNECT_SECONDS)), "trust_env": not here}


class LlamaCpp(OpenAILike):  # type: ignore[misc]
    """A GGUF file run by llama.cpp in this process, with the chat template that the file carries.

    One question is written at a time, others wait. What a prompt shares with the one before is not read again:
    `raw.timings` of a stream's last response says how many tokens were (`prompt_n`) and were not (`cache_n`).
    """

    _server: Any = PrivateAttr()  # stops when nothing refers to it

    @classmethod
    def class_name(cls) -> str:
        return "LlamaCpp"


def _llamacpp(path: str, patience: float) -> Any:
    if not Path(path).is_file():
        raise ModelError(f"no file at {path}: name a GGUF file")
    # Measured on two busy cores, a 135M model: 40 tokens a second with threads that sleep while they wait for each
    # other, 0.3 to 16 with OpenMP's default, which has them spin.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import xllamacpp
    except ImportError as error:  # a slim Debian lacks libgomp.so.1
        raise ModelError(f"llamacpp: cannot be loaded ({error}): install what is missing") from error
    params, key = xllamacpp.CommonParams(), secrets.token_urlsafe()
    params.model.path, params.n_ctx, params.n_parallel = path, WINDOW, 1  # n_ctx: at most the trained one
    params.n_batch = params.n_ubatch = 512  # progress is told, and stopping possible, once a batch (not 2,048)
    params.cache_ram_mib = 0  # up to 8 GB of earlier prompts otherwise; the last one's prefix is kept all the same
    params.enable_reasoning = 0  # as for Ollama
    params.verbosity, params.warmup = -1, False
    # It listens on 127.0.0.1: without the key, other programs get nothing there but its health.
    params.api_keys, params.ui, params.endpoint_slots = [key], False, False
    try:
        server = xllamacpp.Server(params)  # on as many threads as the processor has cores: its default
    except RuntimeError as error:
        raise ModelError(
            f"llama.cpp cannot load {path}: it is no GGUF file, or damaged, too large or too new"
        ) from error
    extra = {"cache_prompt": True, "return_progress": True}  # while it reads a long prompt, it is not silent
    asks = {"extra_body": extra}
    llm = _openai_like(LlamaCpp, path, server.listening_address, key, patience, additional_kwargs=asks)
    llm._server = server
    window(llm)  # asks for it once
    return llm


def write(llm: LLM, messages: Sequence[tuple[str, str]], max_tokens: int = MAX_TOKENS) -> Generator[str, None, None]:
    """Yield what the model writes to (role, content) messages, in pieces as they come; closing this stops the model.

    Raises ModelError in one line where the server, the key, the model, the prompt's length or time is what failed;
    nothing is tried again.
    """
    chat = [ChatMessage(role=role, content=content) for role, content in messages]
    options: dict[str, Any] = {"max_tokens": max_tokens}
    if isinstance(llm, Ollama):
        # It cuts what is beyond num_ctx from the prompt's beginning without a word, and takes options from itself only.
        size = window(llm)
        if sum(tokens(llm, content) for _, content in messages) > size:
            raise ModelError(TOO_LONG.format(name=_spec(llm), fits=f"{size:,} tokens"))
        update = {"additional_kwargs": {"num_predict": max_tokens}, "context_window": size}
        llm, options = llm.model_copy(update=update), {}
    ended = llm.class_name() not in KINDS
    try:
        with closing(llm.stream_chat(chat, **options)) as stream:
            for response in stream:
                ended = ended or _ends(response)
                if response.delta:
                    yield response.delta
        if not ended:
            raise ConnectionError("the stream ended before the answer did")
    except _foreign() as error:
        raise _explained(error, llm) from error
    finally:
        if not ended:
            gc.collect()  # the streams of openai and anthropic hold themselves: dropped, they would stay connected


def _ends(response: ChatResponse) -> bool:
    """Say whether a server marks this as the last piece: one that only closes the connection has been cut off."""
    if isinstance(response.raw, dict):
        return bool(response.raw.get("done") or response.message.additional_kwargs.get("stop_reason"))
    return any(choice.finish_reason for choice in getattr(response.raw, "choices", ()))


def window(llm: LLM) -> int:
    """Return how many tokens fit a model, prompt and answer together: what its server says, else what is known of it.

    For Ollama this is at most 8,192, which is then what it is told to reserve memory for; for a model that nobody
    knows, 8,192.
    """
    if isinstance(llm, OpenAILike | Ollama) and not llm.context_window:
        try:
            llm.context_window = _ollama_window(llm) if isinstance(llm, Ollama) else _openai_window(llm)
        except UNREADABLE:  # writing will say so; asked again next time
            return WINDOW
    size = llm.metadata.context_window
    unknown = size <= 2048 and llm.class_name() == "litellm_llm"  # LlamaIndex's guess where LiteLLM has none
    return WINDOW if unknown else size


def _ollama_window(llm: Ollama) -> int:
    about = _ask(f"{llm.base_url}/api/show", json={"model": llm.model})["model_info"]
    return min([WINDOW, *(int(size) for name, size in about.items() if name.endswith(".context_length"))])


def _openai_window(llm: OpenAILike) -> int:
    if llm.api_base != PROVIDERS["openai"].url:  # which does not tell
        listed = _ask(f"{llm.api_base}/models", llm.api_key)["data"]
        mine = [model for model in listed if model["id"] == llm.model] or (listed if len(listed) == 1 else [])
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
        reply = llm._get_client().post("/tokenize", cast_to=httpx.Response, body={"content": text})
        return len(reply.json()["tokens"])
    plain = sum(character.isascii() for character in text)
    return -(-plain // 3) + -(-(len(text.encode(errors="replace")) - plain) // 2)


# Errors

UNREACHED = "no server can be reached at {{at}}: {}, or set --llm-url to where it is"
TOO_LONG = "the prompt is too long for {name}, which takes {fits}: use a model with a longer context"
# What to say of an error by its kind of model, its class and that of its cause, its status, and what the server said:
# the first that fits.
FAILURES = (
    (r"^ollama \S*Connect(Error|Timeout)", UNREACHED.format("start it with ollama serve")),
    (r"^\S+ \S*Connect(Error|Timeout)", UNREACHED.format("start it")),
    (r"^\S+ (\S*Timeout|.*timed out)", "{name} wrote nothing for too long: ask again, or use a smaller model"),
    (r"^\S+ \S+ 40[13] ", "{at} refused the key for {name}: set {key} to a valid one"),
    (r"^\S+ \S+ (400|413|500) .*(context.{0,12}(length|size|window)|too (long|large)|exceed)", TOO_LONG),
    (r"^ollama \S+ 404 ", "{at} has no {name} ({said}): ollama pull {model}"),
    (r"^\S+ \S+ 404 ", "{at} has no {name} ({said}): copydesk models lists what there is"),
    (r"^\S+ \S+ 429 ", "{at} has no room for {name} now ({said}): wait, or raise the account's limit"),
    (r"^\S+ \S+ \d", "{at} refused {name} with status {status} ({said}): mend that, or use another model"),
    (r"", "{name} broke off ({said}): ask again, and see its server's log if that does not help"),
)


def _foreign() -> tuple[type[Exception], ...]:
    """Return the exceptions of other people's code; ValueError is how it says that an answer cannot be read."""
    own = (OSError, ValueError, httpx.HTTPError, openai.OpenAIError, ollama.ResponseError)
    anthropic = sys.modules.get("anthropic")
    return (*own, anthropic.AnthropicError) if anthropic else own


def _explained(error: Exception, llm: LLM) -> ModelError:
    """Return what a foreign exception means, in one line that says how to mend it."""
    name, status, said = _spec(llm), getattr(error, "status_code", None), _said(error)
    kind, _, model = name.partition(":")
    # openai and anthropic wrap what httpx raised
    seen = f"{kind} {type(error).__name__}/{type(error.__cause__).__name__} {status} {said}"
    line = next(line for pattern, line in FAILURES if re.search(pattern, seen))
    at = getattr(llm, "api_base", None) or getattr(llm, "base_url", None) or "the provider"
    key = PROVIDERS.get(kind, PROVIDERS["litellm"]).key_variable or "the provider's key"
    stated = re.search(r"(?:context size|context length|maximum)\D{0,20}?(\d{3,})", said)
    fits = f"{int(stated[1]):,} tokens" if stated else "fewer tokens"
    return ModelError(line.format(name=name, model=model, at=at, key=key, fits=fits, status=status, said=said))


def _spec(llm: LLM) -> str:
    """Return the spec that a model was loaded by."""
    return f"{KINDS.get(llm.class_name(), llm.class_name())}:{getattr(llm, 'model', '')}"


def _said(error: Exception) -> str:
    """Return what the server said, without what its library wrapped around it."""
    body: Any = getattr(error, "body", None)
    while isinstance(body, dict):
        body = body.get("error") or body.get("message")
    return textwrap.shorten(str(body or error) or type(error).__name__, 200, placeholder=" …")


# What there is


def models() -> list[dict[str, Any]]:
    """Return what `--llm` can be here, as {"spec", "ready", "detail"}; a silent server is waited for 1.5 s."""
    rows = [_row("quotes", True, "no model: the answer is sentences of the articles themselves")]
    folder = os.environ.get("COPYDESK_MODELS")
    files = sorted(Path(folder).expanduser().absolute().glob("*.gguf")) if folder else []
    rows += [_row(f"llamacpp:{file}", True, f"{file.stat().st_size / 1e6:,.0f} MB") for file in files]
    if not files:
        rows.append(_row("llamacpp:/path/model.gguf", False, "set COPYDESK_MODELS to a folder of GGUF files"))
    for kind in ("ollama", "openai", "anthropic", "litellm"):
        try:
            base, key = _server(kind)
            rows += _listed(kind, base, key) if kind in LISTS else [_row(f"{kind}:MODEL", True, base or "installed")]
        except (BadInput, ModelError) as error:
            rows.append(_row(f"{kind}:MODEL", False, str(error)))
    return rows


def _listed(kind: str, base: str, key: str) -> list[dict[str, Any]]:
    path, models, name, mend = LISTS[kind]
    try:
        rows = [_row(f"{kind}:{model[name]}", True, base) for model in _ask(base + path, key)[models]]
    except UNREADABLE:
        rows = []
    return rows or [_row(f"{kind}:MODEL", False, f"no model is listed at {base}: {mend}")]


def _row(spec: str, ready: bool, detail: str) -> dict[str, Any]:
    return {"spec": spec, "ready": ready, "detail": detail}


def _ask(url: str, key: str = "none", json: Any = None) -> Any:
    """Return the JSON that a server answers, within seconds; what may go wrong is UNREADABLE."""
    options = _http_options(url, LIST_SECONDS) | {"headers": {"Authorization": f"Bearer {key}"}, "json": json}
    return httpx.request("POST" if json else "GET", url, **options).raise_for_status().json()
