"""Short answers, which are checked as what they say of their question."""

import pytest

from index.encoder import Encoder
from index.types import Article
from qa.check.short import verify_answer
from qa.check.verify import Verdict, verify

MEETING = Article(
    "meeting",
    "Council of Vilnar meets",
    "The mayor was cheered. The council of Vilnar approved the new tram line by 7 votes to 4 on Monday. "
    "It did not approve the second airport. Work begins in spring, 12 km of track will be laid.",
)
PORT = Article(
    "port",
    "Port chief goes",
    "The head of the port, Jonas Lind, resigned on Tuesday over the lost cargo. "
    "Mayor Anna Berg named Petra Olsen as his successor. Nobody was hurt when the crane fell.",
)


@pytest.mark.parametrize(
    ("question", "answer", "support"),
    [
        ("Did the council approve the tram line?", "Yes.", "supported"),
        ("Did the council approve the tram line?", "Yes, it did.", "supported"),
        ("Did the council approve the tram line?", "Sure!", "supported"),
        ("Did the council approve the tram line?", "Approved.", "supported"),
        ("Did the council approve the tram line?", "No.", "unsupported"),
        ("Did the council approve the tram line?", "Never.", "unsupported"),
        ("Did the council approve the tram line?", "Certainly not.", "unsupported"),
        ("Did the council approve the tram line?", "No, it did not.", "unsupported"),
        ("Did the council approve the tram line?", "Rejected.", "unsupported"),
        ("Did the council approve the tram line?", "It refused.", "unsupported"),
        ("Did the council approve the tram line?", "Unanimously.", "unsupported"),
        ("Did the council approve the second airport?", "No.", "supported"),
        ("Did the council approve the second airport?", "Yes.", "unsupported"),
        ("Did the council sell the zoo?", "Yes.", "unsupported"),
        ("Did the council sell the zoo?", "No.", "unsupported"),
        ("Was anyone hurt when the crane fell?", "No.", "supported"),
        ("Who resigned over the lost cargo?", "Jonas Lind.", "supported"),
        ("Who resigned over the lost cargo?", "The head of the port, Jonas Lind.", "supported"),
        ("Who resigned over the lost cargo?", "Anna Berg.", "unsupported"),
        ("Who resigned over the lost cargo?", "Mayor Anna Berg of Vilnar.", "unsupported"),
        ("Who resigned over the lost cargo?", "Petra Olsen.", "unsupported"),
        ("Who resigned over the lost cargo?", "Nobody.", "unsupported"),
        ("Who resigned over the lost cargo?", "The queen.", "unsupported"),
        ("Who resigned over the lost cargo?", "Yes.", "unsupported"),
        ("What was the vote on the tram line?", "7 to 4.", "supported"),
        ("What was the vote on the tram line?", "Seven to four.", "supported"),
        ("What was the vote on the tram line?", "A tie.", "unsupported"),
        ("How many votes did the tram line get?", "Seven.", "supported"),
        ("How many votes did the tram line get?", "Nine.", "unsupported"),
        ("How much track will be laid?", "12 kilometres.", "supported"),
        ("How much track will be laid?", "20 kilometres.", "unsupported"),
        ("When did the council approve the tram line?", "On Monday.", "supported"),
        ("When did the council approve the tram line?", "On Tuesday.", "unsupported"),
    ],
)
def test_an_answer_is_checked_with_its_question(question: str, answer: str, support: str, encoder: Encoder) -> None:
    verdict = verify_answer(question, answer, lambda text: verify(text, [MEETING, PORT], encoder))
    assert (verdict.support == "supported") is (support == "supported"), verdict
    assert bool(verdict.spans) is (verdict.support != "unsupported")


@pytest.mark.parametrize(
    "sentence", ["Jonas Lind resigned.", "Jonas Lind resigned on Tuesday.", "No injuries were reported in the port."]
)
def test_a_whole_sentence_is_checked_by_itself(sentence: str, encoder: Encoder) -> None:
    asked: list[str] = []

    def check(text: str) -> Verdict:
        asked.append(text)
        return verify(text, [PORT], encoder)

    verify_answer("Did anyone resign?", sentence, check)
    assert asked == [sentence]
