"""Language models at work: made of a spec, what they write, how much fits them, and in one line what goes wrong."""

import gc
import os
import re
import secrets
import sys
import textwrap
import threading
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import ollama
import openai
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import LLM
from llama_index.llms.ollama import Ollama
from llama_index.llms.openai.utils import openai_modelname_to_contextsize
from llama_index.llms.openai_like import OpenAILike

from index.encoder.remote import http_options
from index.types import BadInput, ModelError
from qa.llm.providers import PROVIDERS, UNREADABLE, address, ask
from qa.request import SPECS, go_on

SILENT_SECONDS = 120.0
WINDOW = 8192  # tokens; where a model takes more, memory and a processor's patience rarely do
UNREACHED = "no server can be reached at {{at}}: {}, or set --llm-url to where it is"
TOO_LONG = "the prompt is too long for {name}, which takes {fits}: use a model with a longer context"
# What to say of an error by its kind of model, its class and that of its cause, its status, and what the server said:
# the first that fits.
FAILURES = (
    (r"^ollama \S*Connect(Error|Timeout)", UNREACHED.format("start it with ollama serve")),
    (r"^\S+ \S*Connect(Error|Timeout)", UNREACHED.format("start it")),
    (r"^\S+ (\S*Timeout|.*timed out)", "{name} wrote nothing for too long: ask again, or use a smaller model"),
    (r"^\S+ \S+ 3\d\d ", "{at} sends {name} on to another address: set --llm-url to the right one"),
    (r"^\S+ \S+ 40[13] ", "{at} refused the key for {name}: set {key} to a valid one"),
    (r"^\S+ \S+ (400|413|500) .*(context.{0,12}(length|size|window)|too (long|large)|exceed)", TOO_LONG),
    (r"^ollama \S+ 404 ", "{at} has no {name} ({said}): ollama pull {model}"),
    (r"^\S+ \S+ 404 ", "{at} has no {name} ({said}): copydesk models lists what there is"),
    (r"^\S+ \S+ 429 ", "{at} has no room for {name} now ({said}): wait, or raise the account's limit"),
    (r"^\S+ \S+ \d", "{at} refused {name} with status {status} ({said}): mend that, or use another model"),
    (r"", "{name} broke off ({said}): ask again, and see its server's log if that does not help"),
)
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
        raise BadInput(f"--llm {spec} is not understood: use {SPECS}")
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
        llm._aclient = llm._aclient.with_options(
            timeout=http["timeout"], http_client=httpx.AsyncClient(**http | {"event_hooks": {}})
        )
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


def write(llm: LLM, messages: Sequence[tuple[str, str]], max_tokens: int = 512) -> Generator[str, None, bool]:
    """Yield what the model writes to (role, content) messages, in pieces as they come; closing this stops the model.

    Returns whether it was stopped at so many tokens, before it had ended.
    Raises ModelError in one line where the server, the key, the model, the prompt's length or time is what failed;
    nothing is tried again.
    """
    chat = [ChatMessage(role=role, content=content) for role, content in messages]
    options: dict[str, Any] = {"max_tokens": max_tokens}
    ended, reason = kind_of(llm) not in PROVIDERS, ""
    try:
        if isinstance(llm, Ollama):  # it takes options from itself only
            size = window(llm)
            if sum(tokens(llm, content) for _, content in messages) > size:  # it would cut the beginning off
                raise ollama.ResponseError(f"the prompt exceeds the context size of {size}", 400)
            update = {"additional_kwargs": {"num_predict": max_tokens}, "context_window": size}
            llm, options = llm.model_copy(update=update), {}
        with closing(llm.stream_chat(chat, **options)) as stream:
            for response in stream:
                go_on()
                reason = _reason(response) or reason
                ended = ended or bool(reason)
                if response.delta:
                    yield response.delta
        if not ended:
            raise ConnectionError("the stream ended before the answer did")
        return reason in ("length", "max_tokens")
    except _foreign() as error:
        raise _explained(error, llm) from error
    finally:
        if not ended:
            gc.collect()  # the streams of openai and anthropic hold themselves: dropped, they would stay connected


def kind_of(llm: LLM) -> str:
    """Return the kind that a model was loaded as; for any other LlamaIndex LLM, the name of its class."""
    name = llm.class_name()
    return next((kind for kind, provider in PROVIDERS.items() if provider.class_name == name), name)


def _reason(response: ChatResponse) -> str:
    """Return why a server marks this as the last piece, "" where it does not: then it has been cut off."""
    raw = response.raw if isinstance(response.raw, dict) else vars(response.raw or object)
    done = raw.get("done") and (raw.get("done_reason") or "stop")
    choices = [choice if isinstance(choice, dict) else vars(choice) for choice in raw.get("choices") or ()]
    reasons = (done, response.message.additional_kwargs.get("stop_reason"), *(c.get("finish_reason") for c in choices))
    return next((str(reason) for reason in reasons if reason), "")


def _foreign() -> tuple[type[Exception], ...]:
    """Return the exceptions of other people's code; ValueError is how it says that an answer cannot be read."""
    anthropic: Any = getattr(sys.modules.get("anthropic"), "AnthropicError", OSError)  # where it is in use
    return OSError, ValueError, httpx.HTTPError, openai.OpenAIError, ollama.ResponseError, anthropic


def _explained(error: Exception, llm: LLM) -> ModelError:
    """Return what a foreign exception means, in one line that says how to mend it."""
    kind, model = kind_of(llm), getattr(llm, "model", "")
    status, body = getattr(error, "status_code", None), getattr(error, "body", None)
    while isinstance(body, dict):  # what the server said, without what its library wrapped around it
        body = body.get("error") or body.get("message")
    said = textwrap.shorten(str(body or error) or type(error).__name__, 200, placeholder=" …")
    # openai and anthropic wrap what httpx raised
    seen = f"{kind} {type(error).__name__}/{type(error.__cause__).__name__} {status} {said}"
    line = next(line for pattern, line in FAILURES if re.search(pattern, seen))
    at = getattr(llm, "api_base", None) or getattr(llm, "base_url", None) or "the provider"
    key = PROVIDERS.get(kind, PROVIDERS["litellm"]).key_variable or "the provider's key"
    stated = re.search(r"(?:context size|context length|maximum)\D{0,20}?(\d{3,})", said)
    fits = f"{int(stated[1]):,} tokens" if stated else "fewer tokens"
    known = {"name": f"{kind}:{model}", "model": model, "at": at, "key": key, "fits": fits}
    return ModelError(line.format(**known, status=status, said=said))


def window(llm: LLM) -> int:
    """Return how many tokens fit a model, prompt and answer together: what its server says, else what is known of it.

    For Ollama this is at most 8,192, which is then what it is told to reserve memory for; for a model that nobody
    knows, 8,192.
    """
    if isinstance(llm, OpenAILike | Ollama) and not llm.context_window:
        try:
            llm.context_window = _told_window(llm)
        except UNREADABLE:  # writing will say so; asked again next time
            return WINDOW
    size = llm.metadata.context_window
    unknown = size <= 2048 and kind_of(llm) == "litellm"  # LlamaIndex's guess where LiteLLM has none
    return WINDOW if unknown else size


def _told_window(llm: OpenAILike | Ollama) -> int:
    if isinstance(llm, Ollama):
        about = ask(f"{llm.base_url}/api/show", json={"model": llm.model})["model_info"]
        return min([WINDOW, *(int(size) for name, size in about.items() if name.endswith(".context_length"))])
    if llm.api_base != PROVIDERS["openai"].url:  # which does not tell
        listed = ask(f"{llm.api_base}/models", llm.api_key)["data"]
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
    if isinstance(llm, OpenAILike) and kind_of(llm) == "llamacpp":
        reply = llm._get_client().post("/tokenize", cast_to=httpx.Response, body={"content": text})
        return len(reply.json()["tokens"])
    plain = sum(character.isascii() for character in text)
    return -(-plain // 3) + -(-(len(text.encode(errors="replace")) - plain) // 2)
