"""What is measured of the check: claims that are known to be supported or not, each checked the way a draft is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from evals.metrics import percentiles
from index.types import BadInput


@dataclass(frozen=True)
class Claim:
    """A text of one or more sentences, the article that it is checked against, and whether that supports all of it."""

    id: str
    text: str
    article: str
    supported: bool
    group: str = ""


def summarise_claims(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return both error rates, what follows from them, what each rule spoke against, and the time a sentence takes."""
    good, bad = ([row["passed"] for row in rows if row["supported"] is supported] for supported in (True, False))
    if not good or not bad:
        raise BadInput("the claims are all of one kind: both error rates need supported and unsupported ones")
    passed_wrongly, stripped_wrongly = mean(bad), 1 - mean(good)
    quotes = sum(row["quotes"] for row in rows)
    spoke = Counter((rule, row["supported"]) for row in rows for rule in row["rules"])
    groups: dict[str, list[bool]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row["passed"])
    return {
        "claims": len(rows),
        "balanced_accuracy": 1 - (passed_wrongly + stripped_wrongly) / 2,
        "f1_supported": 2 * sum(good) / (sum(good) + sum(bad) + len(good)),
        "passed_wrongly": passed_wrongly,
        "stripped_wrongly": stripped_wrongly,
        "quote_exact": sum(row["exact_quotes"] for row in rows) / quotes if quotes else None,
        **percentiles("ms_per_sentence", [row["ms_per_sentence"] for row in rows]),
        "rules": {
            rule: {"caught": spoke[rule, False], "stripped": spoke[rule, True]}
            for rule in sorted({rule for rule, _ in spoke})
        },
        "groups": {group: {"passed": float(mean(passed))} for group, passed in groups.items() if group},
    }
