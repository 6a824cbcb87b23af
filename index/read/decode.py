"""Turns the bytes of a text file into text."""

from __future__ import annotations

import codecs

BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decode(data: bytes) -> str:
    """Return the text of a file: by its byte order mark, as UTF-8, or in the encoding that it looks like.

    Raises ValueError when the bytes are no text.
    """
    for bom, encoding in BOMS:
        if data.startswith(bom):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise ValueError(f"not {encoding} text (byte {error.start}): convert it to UTF-8") from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        from charset_normalizer import from_bytes

        best = from_bytes(data).best()
        if best is None:
            raise ValueError("not text in any known encoding: convert it to UTF-8") from error
        text = str(best)
    if "\0" in text:
        raise ValueError("not a text file: it holds zero bytes")
    return text
