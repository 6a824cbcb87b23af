"""What other people's code raises, in one line that says how to mend it."""

import re
import sys
import textwrap
from typing import Any

import httpx
import ollama
import openai
from llama_index.core.llms import LLM

from index.types import ModelError
from qa.llm.providers import PROVIDERS, kind_of

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


def foreign() -> tuple[type[Exception], ...]:
    """Return the exceptions of other people's code; ValueError is how it says that an answer cannot be read."""
    anthropic: Any = getattr(sys.modules.get("anthropic"), "AnthropicError", OSError)  # where it is in use
    return OSError, ValueError, httpx.HTTPError, openai.OpenAIError, ollama.ResponseError, anthropic


def explained(error: Exception, llm: LLM) -> ModelError:
    """Return what a foreign exception means, in one line that says how to mend it."""
    kind, model = kind_of(llm), getattr(llm, "model", "")
    status, said = getattr(error, "status_code", None), _said(error)
    # openai and anthropic wrap what httpx raised
    seen = f"{kind} {type(error).__name__}/{type(error.__cause__).__name__} {status} {said}"
    line = next(line for pattern, line in FAILURES if re.search(pattern, seen))
    at = getattr(llm, "api_base", None) or getattr(llm, "base_url", None) or "the provider"
    key = PROVIDERS.get(kind, PROVIDERS["litellm"]).key_variable or "the provider's key"
    stated = re.search(r"(?:context size|context length|maximum)\D{0,20}?(\d{3,})", said)
    fits = f"{int(stated[1]):,} tokens" if stated else "fewer tokens"
    known = {"name": f"{kind}:{model}", "model": model, "at": at, "key": key}
    return ModelError(line.format(**known, fits=fits, status=status, said=said))


def _said(error: Exception) -> str:
    """Return what the server said, without what its library wrapped around it."""
    body: Any = getattr(error, "body", None)
    while isinstance(body, dict):
        body = body.get("error") or body.get("message")
    return textwrap.shorten(str(body or error) or type(error).__name__, 200, placeholder=" …")
