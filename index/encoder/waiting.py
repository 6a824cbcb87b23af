"""Encodes what an ingestion left for later, newest first, while words alone find it.

What waits has an empty vector in the archive's file. So a run may be cut off at any point, and several may run; what is
removed, or gets another encoder's vector, waits no more.
"""

from threading import Event

from index.archive import vector_key
from index.encoder.reencode import texts_of
from index.encoder.stored import WAITING
from index.sync import Index, Progress

TEXTS = 128  # that are encoded and written together: 2 s, that who is cut off loses
LOOKED = 4096  # passages for which the archive is looked through at a time; what is newer by then comes next
NEWEST = f"""SELECT p.vector, p.version, p.id, p.article_id, p.start, p."end"
    FROM {WAITING} JOIN articles a ON a.id = p.article_id
    ORDER BY p.version IS NOT NULL, a.published DESC, p.rowid LIMIT {LOOKED}"""


def encode_waiting(index: Index, progress: Progress | None = None, stop: Event | None = None) -> int:
    """Encode what waits for its vector, until there is nothing more, or `stop`; return how many texts that were."""
    archive, tell, done, before = index.archive, progress or index.progress, 0, -1
    archive.check_writable()
    while done > before:  # or others did it, or it has another encoder now
        before, left = done, archive.waiting()
        with archive.snapshot():
            texts = [*texts_of(archive, archive.read(NEWEST)).items()]
        for start in range(0, len(texts), TEXTS):
            some = dict(texts[start : start + TEXTS])
            if stop and stop.is_set():
                return done
            done += _encode(index, some)
            tell("encode", min(1.0, done / max(1, before + left)))
    return done


def _encode(index: Index, texts: dict[str, str]) -> int:
    """Encode some texts by the keys of their vectors; return how many still waited then."""
    encoder, archive = index.encoder, index.archive
    vectors = dict(zip(texts, encoder.encode_document([*texts.values()]), strict=True))
    with archive.writing():
        with archive.transaction():
            came = {
                key: vectors[key] for key in archive.still_waiting(texts) if vector_key(encoder.name, texts[key]) == key
            }
            archive.check_size(came.values())
            archive.keep(came)
        index.catch_up()
    return len(came)


def left(index: Index) -> str:
    """Say how many passages wait for their vectors; "" where none does."""
    if not (waiting := index.archive.waiting()):
        return ""
    return f"{waiting:,} passages wait for their vectors, and are found by words alone: copydesk encode goes on"
