"""What leaves articles incomplete, gathered over a run so that like is told with like."""

from collections import Counter

SHOWN = 3  # files of a line


class Notes:
    """Each is of a kind ("undated") and says what was found, and behind the last colon how to mend it."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], tuple[str, Counter[str]]] = {}

    def add(self, kind: str, file: str, told: str) -> None:
        """Note what a file holds; "June 3 has no year: --year gives it" is told with whatever is mended so."""
        found, _, mend = told.rpartition(": ")
        self._told.setdefault((kind, mend), (found, Counter()))[1][file] += 1

    def lines(self) -> list[str]:
        """Return a line for each kind and way to mend it: "undated: 3 articles of x.csv (June 3 …): --year …"."""
        lines = []
        for (kind, mend), (found, files) in self._told.items():
            more = f" and {len(files) - SHOWN:,} more" if len(files) > SHOWN else ""
            count = f"{files.total():,} articles of " if files.total() > len(files) else ""
            lines.append(f"{kind}: {count}{', '.join([*files][:SHOWN])}{more} ({found}): {mend}")
        return lines
