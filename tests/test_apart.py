"""Questions that ask two things in one, and questions that only look so."""

import pytest

from qa.steps.apart import apart

TWO = [
    ("How many people marched according to the police and according to the union?",
     "How many people marched according to the police?", "How many people marched according to the union?"),
    ("How many strikers were there according to the company and the union?",
     "How many strikers were there according to the company?", "How many strikers were there according to the union?"),
    ("How many visitors were counted by the town and by the organisers?",
     "How many visitors were counted by the town?", "How many visitors were counted by the organisers?"),
    ("What was the rent in Sundal before and after the vote?",
     "What was the rent in Sundal before the vote?", "What was the rent in Sundal after the vote?"),
    ("How many votes did Ida Roe get in the first and the second round?",
     "How many votes did Ida Roe get in the first round?", "How many votes did Ida Roe get in the second round?"),
    ("What were the first and the corrected figure for the boat fair?",
     "What were the first figure for the boat fair?", "What were the corrected figure for the boat fair?"),
    ("Who were the former and the new coach of Elvby?",
     "Who were the former coach of Elvby?", "Who were the new coach of Elvby?"),
    ("How many beds does the hospital have, and how many did the ministry promise?",
     "How many beds does the hospital have?", "how many did the ministry promise?"),
    ("When did the Orla bridge close and when will it open again?",
     "When did the Orla bridge close?", "when will it open again of Orla?"),
    ("Who leads the port and who owns the shares in it?",
     "Who leads the port?", "who owns the shares in it?"),
    ("How has the death toll changed?", "What was the death toll before?", "What is the death toll now?"),
    ("How did the rent in Sundal change between 2022 and 2024?",
     "What was the rent in Sundal in 2022?", "What was the rent in Sundal in 2024?"),
    ("How has the price of bread developed from March to May?",
     "What was the price of bread in March?", "What was the price of bread in May?"),
    ("What did the police and the union say about the march?",
     "What did the police say about the march?", "What did the union say about the march?"),
    ("When did Orsund and Vilnar sign the treaty?",
     "When did Orsund sign the treaty?", "When did Vilnar sign the treaty?"),
]  # fmt: skip
ONE = [
    "How many people died in the fire in Ulm?",
    "What did the council decide between the first and the second reading?",
    "What lies between the old and the new harbour?",
    "Who owns the bread and butter shop in Orsund?",
    "When was the Department of Trade and Industry closed?",
    "How many men and women work at the Lux works?",
    "Why did the bakers raise the price of bread and milk?",
    "Who is the minister of food and fishing?",
    "What do the rules that police and courts apply say?",
    "How many people were killed and injured in the crash?",
    "Where did the ship load sand and gravel?",
    "When does the ferry to Orsund sail?",
    "What has changed at the port?",
    "Who met Ida Roe and what?",
    "Which of the bridges did engineers who know rivers and dams inspect?",
]


@pytest.mark.parametrize(("question", "one", "other"), TWO)
def test_two_questions_in_one(question: str, one: str, other: str) -> None:
    assert apart(question) == [one, other]


@pytest.mark.parametrize("question", ONE)
def test_one_question(question: str) -> None:
    assert apart(question) == []
