"""From a spec to a model: llama.cpp in this process, and clients of Ollama, OpenAI's like, Anthropic and LiteLLM."""

import os
import secrets
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import ollama
import openai
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import LLM
from llama_index.llms.ollama import Ollama
from llama_index.llms.openai_like import OpenAILike

from index.types import BadInput, ModelError
from qa.llm.providers import PROVIDERS, address, http_options
from qa.llm.write import WINDOW, window

SILENT_SECONDS = 120.0
FORMS = "quotes, llamacpp:/path/model.gguf, ollama:MODEL, openai:MODEL, anthropic:MODEL or litellm:MODEL"
_loading = threading.Lock()


def load(spec: str, url: str | None = None, patience: float = SILENT_SECONDS) -> LLM:
    """Return the model that a spec such as `ollama:qwen3:8b` names; the same object for the same arguments.

    `url` is the base URL of an OpenAI-compatible, Ollama, Anthropic or LiteLLM server; without it, the environment
    names one (OPENAI_BASE_URL, OLLAMA_HOST, ANTHROPIC_BASE_URL) or the provider's own is meant. No server is asked
    yet; once it is, it may be silent for `patience` seconds. The two GGUF files used last stay in memory. Raises
    BadInput for a spec or url that is not understood, ModelError for a model that cannot be had.
    """
    kind, _, name = spec.partition(":")
    name = name.strip()
    if kind not in PROVIDERS or not name:
        raise BadInput(f"--llm {spec} is not understood: use {FORMS}")
    with _loading:
        if kind == "llamacpp":
            llm: LLM = _local(str(Path(name).expanduser().absolute()), patience)
        else:
            llm = _remote(kind, name, *address(kind, url), patience)
    return llm


@lru_cache(maxsize=32)
def _remote(kind: str, name: str, base: str, key: str, patience: float) -> Any:
    http = http_options(base, patience)
    if kind == "openai":
        return _openai_like(OpenAILike, name, base, key, http)
    if kind == "ollama":
        # An answer's tokens would all go into thinking, for minutes on a processor; models without it ignore this.
        client = ollama.Client(base, **http)
        return Ollama(name, base, temperature=0.0, context_window=0, thinking=False, client=client)
    if kind == "anthropic":
        from llama_index.llms.anthropic import Anthropic, utils

        utils.CLAUDE_MODELS.setdefault(name, WINDOW)  # LlamaIndex refuses models that its table lacks
        llm = Anthropic(name, temperature=0.0, base_url=base, api_key=key, max_retries=0)
        # The constructor takes no httpx client, and its own follow redirects, x-api-key in hand.
        llm._client = llm._client.with_options(timeout=http["timeout"], http_client=httpx.Client(**http))
        llm._aclient = llm._aclient.with_options(timeout=http["timeout"], http_client=httpx.AsyncClient(**http))
        return llm
    import litellm
    from litellm.llms.custom_httpx.http_handler import HTTPHandler
    from llama_index.llms.litellm import LiteLLM

    litellm.suppress_debug_info = True  # it advertises on stdout
    asks = {"timeout": patience, "num_retries": 0}
    # Its clients follow redirects. Where the key is in Authorization, httpx strips it then; for these it is not.
    if name.startswith(("anthropic/", "azure_ai/", "claude", "gemini/")):
        asks["client"] = HTTPHandler(follow_redirects=False)
    return LiteLLM(name, temperature=0.0, api_base=base or None, max_retries=1, additional_kwargs=asks)


def _openai_like(kind: Any, name: str, base: str, key: str, http: dict[str, Any], **asks: Any) -> Any:
    client = openai.OpenAI(api_key=key, base_url=base, max_retries=0, http_client=httpx.Client(**http))
    asks |= {"openai_client": client, "api_base": base, "api_key": key, "max_retries": 0, "context_window": 0}
    return kind(model=name, temperature=0.0, is_chat_model=True, **asks)


class LlamaCpp(OpenAILike):  # type: ignore[misc]
    """A GGUF file run by llama.cpp in this process, with the chat template that the file carries.

    One question is written at a time, others wait. What a prompt shares with the one before is not read again:
    `raw.timings` of a stream's last response says how many tokens were (`prompt_n`) and were not (`cache_n`).
    """

    _server: Any = PrivateAttr()  # stops when nothing refers to it

    @classmethod
    def class_name(cls) -> str:
        return "LlamaCpp"


@lru_cache(maxsize=2)
def _local(path: str, patience: float) -> Any:
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
        why = "it is no GGUF file, or damaged, too large or too new"
        raise ModelError(f"llama.cpp cannot load {path}: {why}") from error
    base = server.listening_address
    asks = {"extra_body": {"cache_prompt": True, "return_progress": True}}  # reading a long prompt, it is not silent
    llm = _openai_like(LlamaCpp, path, base, key, http_options(base, patience), additional_kwargs=asks)
    llm._server = server
    window(llm)  # asks for it once
    # Answered by the thread that also writes. Dropped before that one runs, a server never ends: it is waited for.
    llm._get_client().get("/lora-adapters", cast_to=httpx.Response)
    return llm
