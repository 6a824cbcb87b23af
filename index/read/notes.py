"""What leaves articles incomplete, gathered over a run so that like is told with like."""

from collections import Counter
from pathlib import PurePath

SHOWN = 3  # files of a line


class Notes:
    """Each is of a kind ("undated") and says what was found, and behind the last colon how to mend it.

    `skipped` counts files of other kinds by ending, `not_used` are names of fields that nothing is made of.
    """

    def __init__(self) -> None:
        self.skipped, self.not_used = Counter[str](), set[str]()
        self._told: dict[tuple[str, str], dict[str, list[str]]] = {}  # what was found in each file

    def add(self, kind: str, file: str, told: str) -> None:
        """Note what a file holds; "June 3 has no year: --year gives it" is told with whatever is mended so."""
        found, _, mend = told.rpartition(": ")
        self._told.setdefault((kind, mend), {}).setdefault(file, []).append(found)

    def take_back(self, kind: str, file: str) -> None:
        """Forget the last note of this kind on a file."""
        for (noted, _), files in self._told.items():
            if noted == kind and PurePath(file).name in files:
                files[PurePath(file).name].pop()

    def lines(self) -> list[str]:
        """Return a line for each kind and way to mend it: "undated: 3 articles of x.csv (June 3 …): --year …"."""
        lines = []
        for (kind, mend), told in self._told.items():
            if files := {file: found for file, found in told.items() if found}:
                more = f" and {len(files) - SHOWN:,} more" if len(files) > SHOWN else ""
                total, first = sum(map(len, files.values())), next(iter(files.values()))[0]
                count = f"{total:,} articles of " if total > len(files) else ""
                lines.append(f"{kind}: {count}{', '.join([*files][:SHOWN])}{more} ({first}): {mend}")
        return lines
