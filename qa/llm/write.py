"""A model at work: what it writes, piece by piece, and how much fits it."""

import gc
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any

import httpx
import ollama
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.llms import LLM
from llama_index.llms.ollama import Ollama
from llama_index.llms.openai.utils import openai_modelname_to_contextsize
from llama_index.llms.openai_like import OpenAILike

from qa.llm.failures import explained, foreign
from qa.llm.providers import PROVIDERS, UNREADABLE, ask, kind_of

WINDOW = 8192  # tokens; where a model takes more, memory and a processor's patience rarely do
MAX_TOKENS = 512


def write(llm: LLM, messages: Sequence[tuple[str, str]], max_tokens: int = MAX_TOKENS) -> Generator[str, None, None]:
    """Yield what the model writes to (role, content) messages, in pieces as they come; closing this stops the model.

    Raises ModelError in one line where the server, the key, the model, the prompt's length or time is what failed;
    nothing is tried again.
    """
    chat = [ChatMessage(role=role, content=content) for role, content in messages]
    options: dict[str, Any] = {"max_tokens": max_tokens}
    ended = kind_of(llm) not in PROVIDERS
    try:
        if isinstance(llm, Ollama):  # it takes options from itself only
            size = window(llm)
            if sum(tokens(llm, content) for _, content in messages) > size:  # it would cut the beginning off
                raise ollama.ResponseError(f"the prompt exceeds the context size of {size}", 400)
            update = {"additional_kwargs": {"num_predict": max_tokens}, "context_window": size}
            llm, options = llm.model_copy(update=update), {}
        with closing(llm.stream_chat(chat, **options)) as stream:
            for response in stream:
                ended = ended or _ends(response)
                if response.delta:
                    yield response.delta
        if not ended:
            raise ConnectionError("the stream ended before the answer did")
    except foreign() as error:
        raise explained(error, llm) from error
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
    unknown = size <= 2048 and kind_of(llm) == "litellm"  # LlamaIndex's guess where LiteLLM has none
    return WINDOW if unknown else size


def _ollama_window(llm: Ollama) -> int:
    about = ask(f"{llm.base_url}/api/show", json={"model": llm.model})["model_info"]
    return min([WINDOW, *(int(size) for name, size in about.items() if name.endswith(".context_length"))])


def _openai_window(llm: OpenAILike) -> int:
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
