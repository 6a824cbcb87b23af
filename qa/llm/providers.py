"""Who runs language models: their addresses and keys, how they are asked over HTTP, and what there is here."""

import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from index.encoder.remote import OPENAI, http_options
from index.types import BadInput, ModelError, shown

# Whose key a model is asked with; LiteLLM asks many, as in litellm:groq/MODEL.
OWNER = re.compile(r"(?:ollama|openai|anthropic):|litellm:[^/]*")
LIST_SECONDS = 1.5
UNREADABLE = (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError)  # no answer, or of another shape


class Provider(NamedTuple):
    """What LlamaIndex calls a kind of model, its address, and the variables that hold another address and a key."""

    class_name: str
    url: str = ""
    url_variable: str = ""
    key_variable: str = ""


PROVIDERS = {
    "llamacpp": Provider("LlamaCpp"),
    "ollama": Provider("Ollama_llm", "http://127.0.0.1:11434", "OLLAMA_HOST"),
    "openai": Provider("OpenAILike", OPENAI, "OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "anthropic": Provider("Anthropic_LLM", "https://api.anthropic.com", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
    "litellm": Provider("litellm_llm", "", "LITELLM_BASE_URL"),
}
# Where a server lists its models: path, names in the reply, and what to do when there are none.
LISTS = {
    "ollama": ("/api/tags", "models", "name", "start it with ollama serve, fetch a model with ollama pull MODEL"),
    "openai": ("/models", "data", "id", "start it, or see that OPENAI_BASE_URL and OPENAI_API_KEY are right"),
}


def url_for(spec: str, url: str | None, *given_with: object) -> str | None:
    """Return `url` where it was given for the provider of `spec`, else None: no key goes to another's address.

    Of the specs that it was given with, it belongs to the first that has an address: not to `quotes`, a GGUF file,
    `bundled`, or an object.
    """
    mine, *owners = (OWNER.match(given) if isinstance(given, str) else None for given in (spec, *given_with))
    owner = next(filter(None, owners), None)
    return url if mine and owner and mine[0] == owner[0] else None


def address(kind: str, url: str | None = None) -> tuple[str, str]:
    """Return the base URL, "" where LiteLLM knows best, and the key that models of this kind are asked with.

    Raises BadInput for a url that is not understood, ModelError where a package or a key is missing.
    """
    provider = PROVIDERS[kind]
    if not find_spec(f"llama_index.llms.{kind}"):
        raise ModelError(f"{kind} needs a package that is not installed: pip install 'copydesk[{kind}]'")
    base = (url or os.environ.get(provider.url_variable) or provider.url).rstrip("/")
    if kind == "ollama" and "://" not in base:  # as Ollama itself reads OLLAMA_HOST
        base = f"http://{base}" if re.search(r":\d+$", base) else f"http://{base}:11434"
    try:
        place = httpx.URL(base)
        known = not base or (place.scheme in ("http", "https") and place.host and (place.port or 80) < 65536)
    except (httpx.InvalidURL, ValueError):
        known = False
    if not known:
        raise BadInput(f"--llm-url {base} is not understood: give one such as {PROVIDERS['ollama'].url}")
    key = os.environ.get(provider.key_variable, "").strip()
    if provider.key_variable and not key and base == provider.url:
        own = "or --llm-url to the address of a server of your own"
        raise ModelError(f"{kind} needs a key: set {provider.key_variable}, {own}")
    return base, key or "none"


def ask(url: str, key: str = "none", json: Any = None) -> Any:
    """Return the JSON that a server answers to GET, or to POST of `json`, in 1.5 s. What may go wrong is UNREADABLE."""
    sent: dict[str, Any] = {"headers": {"Authorization": f"Bearer {key}"}, "json": json}
    with httpx.Client(**http_options(url, LIST_SECONDS)) as asking:
        return asking.request("POST" if json else "GET", url, **sent).raise_for_status().json()


def models() -> list[dict[str, Any]]:
    """Return what `--llm` can be here, as {"spec", "ready", "detail"}; a silent server is waited for 1.5 s."""
    folder = os.environ.get("COPYDESK_MODELS")
    files = sorted(Path(folder).expanduser().absolute().glob("*.gguf")) if folder else []
    local = [(f"llamacpp:{file}", True, f"{file.stat().st_size / 1e6:,.0f} MB") for file in files]
    none = ("llamacpp:/path/model.gguf", False, "set COPYDESK_MODELS to a folder of GGUF files")
    rows = [("quotes", True, "no model: the answer is sentences of the articles themselves"), *(local or [none])]
    for kind in [*PROVIDERS][1:]:
        try:
            base, key = address(kind)
            rows += _listed(kind, base, key) if kind in LISTS else [(f"{kind}:MODEL", True, base or "installed")]
        except (BadInput, ModelError) as error:
            rows.append((f"{kind}:MODEL", False, str(error)))
    return [{"spec": spec, "ready": ready, "detail": shown(detail)} for spec, ready, detail in rows]


def _listed(kind: str, base: str, key: str) -> list[tuple[str, bool, str]]:
    path, models, name, mend = LISTS[kind]
    try:
        rows = [(f"{kind}:{model[name]}", True, base) for model in ask(base + path, key)[models]]
    except UNREADABLE:
        rows = []
    return rows or [(f"{kind}:MODEL", False, f"no model is listed at {base}: {mend}")]
