"""A language model that writes what a test tells it to: it comes in by the same door as every other, `llm=`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, LLMMetadata
from llama_index.core.llms import CustomLLM


class Scripted(CustomLLM):
    """Writes the pieces that `script` yields, and remembers the messages of each request as (role, content)."""

    script: Callable[[], Iterable[str]]
    window: int = 8192
    asked: list[list[tuple[str, str]]] = []  # noqa: RUF012  pydantic copies it

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="scripted", context_window=self.window, is_chat_model=True)

    def stream_chat(self, messages: Sequence[ChatMessage], **_: Any) -> Iterator[ChatResponse]:  # type: ignore[override]
        self.asked.append([(str(message.role.value), message.content or "") for message in messages])
        text = ""
        for piece in self.script():
            text += piece
            yield ChatResponse(message=ChatMessage(role="assistant", content=text), delta=piece)

    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
        raise NotImplementedError

    def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Any:
        raise NotImplementedError


def scripted(*pieces: str, window: int = 8192) -> Scripted:
    """Return a model that always writes these pieces."""
    return Scripted(script=lambda: iter(pieces), window=window)
