"""RGB (Chen et al. 2024), one of its files: en.json, en_int.json or en_fact.json, a JSON object a line.

Each question has passages of its own, told from the others' by their outlet; the abilities are groups:
noise           passages that answer and as many or more that do not: the answer is wanted
refusal         only passages that do not answer: a refusal is wanted
integration     (en_int) the answer has parts in several passages: all parts are wanted
counterfactual  (en_fact) the passages answer wrongly: the wrong answer is not wanted
"""

from pathlib import Path

from evals.sets import Batches, read_json

PASSAGES = 5  # a question, as published
NOISE = 3  # of them, in the noise group


def load(path: Path) -> Batches:
    for row in read_json(path):
        positive, negative = row["positive"], row["negative"]
        right = "noise", positive[: PASSAGES - NOISE], negative[:NOISE]
        if positive and isinstance(positive[0], list):
            right = "integration", [one for turn in zip(*positive, strict=False) for one in turn][:PASSAGES], []
        wrong = "counterfactual", row.get("positive_wrong", [])[:PASSAGES], negative[: PASSAGES - 1]
        # the passages that answer, and those that do not
        for group, good, bad in (("refusal", [], negative[:PASSAGES]), right, wrong):
            if not (good or (group == "refusal" and bad)):
                continue
            outlet = f"{group}-{row['id']}"
            passages = [{"id": f"{outlet}-{n}", "text": text, "outlet": outlet} for n, text in enumerate(good + bad)]
            labels: dict[str, object] = {"answerable": False} if group == "refusal" else {"answer": row["answer"]}
            if group == "counterfactual":  # what answers wrongly is no evidence
                labels["wrong"] = [row["fakeanswer"]]
            elif good:
                labels["articles"] = [passage["id"] for passage in passages[: len(good)]]
            question = {"id": outlet, "question": row["query"], "outlets": [outlet], "group": group}
            yield passages, [question | labels]
