"""txtai: vectors from outside, with texts and outlets beside them."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from evals.scale import Peer, Row
from index.encoder import Vectors


def txtai(folder: Path, hybrid: bool = False) -> Peer:
    """Open its index: Faiss and SQLite, as it is by default; `hybrid` adds its index of words."""
    from txtai import Embeddings

    given = deque[Vectors]()  # in the order of the texts for which it asks
    options = {"transform": lambda texts: np.stack([given.popleft() for _ in texts])}
    index = Embeddings(method="external", content=True, hybrid=hybrid, **options)
    if folder.exists():
        index.load(str(folder), config=options)

    def documents(rows: Iterator[Row]) -> Iterator[tuple[str, dict[str, str | None], None]]:
        for of, one, vector in rows:
            given.append(vector)
            yield one.id, {"text": of.text[one.start : one.end], "outlet": of.outlet}, None

    def search(asked: str, vector: Vectors, top: int, outlet: str) -> list[str]:
        given.append(vector)
        query = "select id from txtai where similar(:asked)" + " and outlet = :outlet" * bool(outlet)
        return [hit["id"] for hit in index.search(query, top, parameters={"asked": asked, "outlet": outlet})]

    def kept(_: object) -> None:
        index.save(str(folder))

    return (
        lambda rows: kept(index.upsert(documents(rows))), search,
        lambda rows: kept(index.delete([one.id for _, one, _ in rows])),
    )  # fmt: skip
