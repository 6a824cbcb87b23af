"""Copies: which articles carry the report of another, as wire reports are carried. An update is no copy.

Candidates share a band of their MinHashes (Broder, 1997) over runs of five words; then the runs themselves are
compared, and each sentence that differs. rensa takes 0.006 ms an article, datasketch 0.35.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from zlib import crc32

import numpy as np
from rensa import RMinHash

from index.archive import Archive
from index.tables.chains import Chain, Kept, Rarity
from index.text import fold, lists
from index.text.cut import sentences
from index.text.datelines import dateline
from index.text.names import names, words
from index.text.numbers import numbers
from index.types import Article

RUN_WORDS = 5
BANDS = 32  # of two hashes: of copies that share a third of their runs .975 have one in common
SAMPLED = 8  # of as many runs one is in the sketch
COPY_SHARE = 0.6  # of its runs that the report holds
SAME_SHARE = 0.5  # of the words of a sentence that is another way to say one of the report
DENIAL = re.compile(rf"{lists.pattern('denials')}|n[’']t\b", re.I)
CREDIT_WORDS = 15  # at most, of a line that says who wrote it
CREDIT = re.compile(rf"^by\b|{lists.pattern('credits')}|[©@]", re.I)


def keep(archive: Archive, article: Article) -> Kept:
    """Keep the runs of an article, under the bands of their hashes."""
    said = fold.words(article.text)
    runs = {" ".join(said[i : i + RUN_WORDS]) for i in range(max(1, len(said) - RUN_WORDS + 1))}
    hashes = RMinHash(2 * BANDS, 1)
    hashes.update(list(runs))
    pairs = zip(hashes.digest()[::2], hashes.digest()[1::2], strict=True)
    bands = (((one << 32) + two - (1 << 63)) ^ number for number, (one, two) in enumerate(pairs))
    return Kept(article, frozenset(bands), runs)


def sketch(kept: Kept) -> bytes:
    """Return the hashes of one in eight of its runs: of 700, 350 bytes."""
    hashes = {crc32(run.encode()) for run in kept.facts}
    return np.array([one for one in hashes if one % SAMPLED == 0], "<u4").tobytes()


def may(one: bytes, other: bytes) -> bool:
    """Tell whether one of two may carry the other: by their sketches, three standard deviations below what does."""
    some, others = np.frombuffer(one, "<u4"), np.frombuffer(other, "<u4")
    least = min(len(some), len(others))
    return len(np.intersect1d(some, others)) >= COPY_SHARE * least - 1.5 * math.sqrt(least)


def carries(later: Kept, earlier: Kept, rarity: Rarity) -> float:
    """Return more than 0 where an article carries an earlier one, and the more the earlier that is."""
    same = len(later.facts & earlier.facts) >= COPY_SHARE * len(later.facts)
    return 1 / earlier.order[0].toordinal() if same and not updates(later.article, earlier.article) else 0.0


def updates(later: Article, earlier: Article) -> bool:
    """Tell whether a sentence of an article has a number or a name, or denies, and its like in another does not."""
    said, held = Counter(_sentences(later)), Counter(_sentences(earlier))
    left = [(other, words(other)) for other in held - said]
    for new in said - held:
        own = words(new)
        if len(own) < CREDIT_WORDS and CREDIT.search(new):
            continue
        like, known = max(left, key=lambda other: len(own & other[1]), default=("", set[str]()))
        if len(own & known) < SAME_SHARE * len(own):
            like, known = "", set()
        denied = bool(DENIAL.search(new)) != bool(DENIAL.search(like))
        if denied or _figures(new) - _figures(like) or {*names(new)} - known.union(names(like)):
            return True
    return False


def _sentences(article: Article) -> Iterator[str]:
    """Yield the sentences of an article without datelines."""
    for span in sentences(article.text):
        said = article.text[span.start : span.end]
        sent = dateline(f"{said} A")
        if not (sent and sent.end > len(said)):
            yield said


def _figures(said: str) -> Counter[object]:
    return Counter([*re.findall(r"\d+", said), *((n.value, n.unit) for n in numbers(said))])


COPIES = Chain("copies", "4", keep, carries, sketch=sketch, may=may, key="INTEGER")
