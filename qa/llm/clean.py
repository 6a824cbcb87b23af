"""What a model writes, without what must not be shown: its markers, hidden thoughts, links and images."""

import re
from collections.abc import Sequence

MARKER = re.compile(
    r"[ \t]?(?:\[\^?|[\[【]?[\[【])(?:(?:source|article|passage|evidence)s? ?:?)? ?"
    r"(\d+(?: ?(?:[,;–-]|and) ?\d+)*)(?:†[^\]】]*)?[\]】]{1,2}",
    re.I,
)
HIDDEN = re.compile(r"<think>.*?(?:</think>|$)|!\[[^\]]*\](?:\([^)]*\))?|</?evidence>", re.S | re.I)
LINK = re.compile(r"(?P<label>\[\[?([^\[\]]+)\]\]?)\([^)]*\)")
ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"'”)\[\]【】]+", re.I)
# What may yet become one of these: it is held back until the rest is there.
UNFINISHED = re.compile(
    r"(?:<think>(?:(?!</think>).)*|[ \t]?!?[\[【]{1,2}[^\]】\n]{0,200}(?:[\]】]{1,2}(?:\([^)\n]{0,500})?)?|[ \t]|!"
    r"|<[/a-z]{0,10}|(?:https?://|www\.)[^\s<>\"'”)\[\]【】]*|(?:h|ht|htt|https?|https?:/?|w|ww|www))$",
    re.S | re.I,
)


class Cleaner:
    """Takes out of a text that is being written what must not be shown: markers, hidden thoughts, links and images.

    Markers are the model's claims about its sources: none is believed, and those of evidence that does not exist are
    counted. Addresses stay where they are those of retrieved articles.
    """

    def __init__(self, passages: int, addresses: Sequence[str]) -> None:
        self.invented = 0
        self._passages, self._addresses = passages, set(addresses)
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return what can be shown once this piece is there."""
        text = self._held + piece
        unfinished = UNFINISHED.search(text)
        end = unfinished.start() if unfinished else len(text)
        self._held = text[end:]
        return self._clean(text[:end])

    def rest(self) -> str:
        """Return what was held back at the end."""
        text, self._held = self._held, ""
        return self._clean(text)

    def _clean(self, text: str) -> str:
        linked = LINK.sub(lambda m: m["label"] if MARKER.fullmatch(m["label"]) else m[2], HIDDEN.sub("", text))
        text = MARKER.sub(self._marker, linked)
        # Models write narrow and non-breaking spaces, which are no printable characters, between words.
        text = "".join(" " if c.isspace() and c not in "\n\t" else c for c in text)
        return ADDRESS.sub(self._address, "".join(c for c in text if c.isprintable() or c in "\n\t"))

    def _address(self, match: re.Match[str]) -> str:
        address = match[0].rstrip(".,;:!?")
        return match[0] if address in self._addresses else f"(link removed){match[0][len(address) :]}"

    def _marker(self, match: re.Match[str]) -> str:
        numbers = [int(number) for number in re.findall(r"\d+", match[1])]
        self.invented += sum(not 1 <= number <= self._passages for number in numbers)
        return ""
