"""What speaks against a sentence: a value belongs to what it is said of, and true sentences pass."""

import pytest

from index.encoder import Encoder
from index.types import Article
from qa.check.verify import verify

TEXTS = {
    "rents": "Rents rose across the north last year. In Orsund they were up 4 percent. In Kells they rose 9 percent.",
    "rents2": "Rents in Orsund rose 4 percent and in Kells 9 percent last year, the bank said.",
    "court": "The court of Vilnar sentenced Per Holm to three years in prison. Prosecutors had asked for eight years.",
    "court2": "Prosecutors had asked for eight years, but the court sentenced Per Holm to three.",
    "boats": "Norland sent 12 boats to the coast. Maravia had offered boats too, but its offer was declined.",
    "boats2": "Norland sent boats to the coast; Maravia's offer of boats was declined.",
    "war": "Norland attacked Maravia at dawn, officials said. Maravia asked for help.",
    "bribe": "Ex-minister Anna Roe was charged with taking bribes from the builder Karl Holm.",
    "walk": "Some members of the board left the room before the vote. The chair stayed to the end.",
    "live": "Live: storm on the coast of Orsund. 14 dead, 30 missing. Boats are out.",
    "toll": "A live report. The death toll stands at 14, the governor said at noon.",
    "crane": "Nobody was hurt when the crane in the port of Vilnar fell on Monday.",
    "plea": "The driver pleaded no contest to reckless driving last year. The no-fly list grew by 40 names.",
    "unclear": "It was not clear how many people the strike had killed. The union disputes that talks have ended.",
    "doubt": "The ship was reportedly carrying oil. If the wind drops, the ship will sail.",
    "drug": "The American Pharmacists Association voted on Monday. Staff of the Federal Aviation Administration came.",
}


@pytest.mark.parametrize(
    ("text", "claim", "rule"),
    [
        ("rents", "Rents in Orsund rose 9 percent last year.", "misplaced"),
        ("rents", "In Orsund rents were up 9 percent.", "misplaced"),
        ("rents2", "Rents in Orsund rose 9 percent.", "misplaced"),
        ("rents2", "Rents in Kells rose 4 percent.", "misplaced"),
        ("court", "Per Holm was sentenced to eight years in prison.", "misplaced"),
        ("court", "Prosecutors had asked for three years.", "misplaced"),
        ("court2", "The court sentenced Per Holm to eight years.", "misplaced"),
        ("boats", "Norland and Maravia sent boats to the coast.", "another"),
        ("boats2", "Maravia sent boats to the coast.", "another"),
        ("war", "Norland was attacked by Maravia at dawn.", "another"),
        ("war", "Maravia attacked Norland at dawn.", "another"),
        ("bribe", "Karl Holm was charged with taking bribes from Anna Roe.", "another"),
        ("walk", "All members of the board left the room before the vote.", "widens"),
        ("walk", "Members of the board left the room after the vote.", "reorders"),
        ("crane", "People were hurt when the crane in the port of Vilnar fell.", "denies"),
        ("crane", "Ten people were hurt when the crane fell.", "missing"),
        ("doubt", "The ship was carrying oil.", "doubts"),
        ("doubt", "The ship will sail.", "doubts"),
    ],
)
def test_a_rule_speaks(text: str, claim: str, rule: str, encoder: Encoder) -> None:
    verdict = verify(claim, [Article("a", "", TEXTS[text])], encoder)
    assert verdict.rule == rule, verdict
    assert verdict.support == ("partial" if rule == "doubts" else "unsupported")
    assert rule == "doubts" or verdict.against


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("rents", "Rents in Orsund rose 4 percent last year."),
        ("rents", "Rents in Kells rose 9 percent."),
        ("rents2", "Rents in Kells rose 9 percent."),
        ("court", "Per Holm was sentenced to three years in prison."),
        ("court", "Prosecutors asked for eight years."),
        ("court2", "The court sentenced Per Holm to three years."),
        ("boats", "Norland sent boats to the coast."),
        ("boats", "Maravia offered boats."),
        ("war", "Maravia was attacked by Norland at dawn."),
        ("walk", "Some board members left before the vote."),
        ("live", "Fourteen people died in the storm on the coast of Orsund."),
        ("live", "Thirty people are missing."),
        ("toll", "Fourteen people died."),
        ("crane", "Nobody was hurt when the crane fell."),
        ("crane", "The crane in the port of Vilnar fell on Monday."),
        ("plea", "The driver pleaded no contest to reckless driving."),
        ("plea", "The driver pleaded no contest, and the no-fly list has 40 more names."),
        ("unclear", "It is unclear how many people the strike killed."),
        ("drug", "Despite the rain, the American Pharmacists Association (APhA) voted on Monday."),
        ("drug", "Staff of the FAA came."),
    ],
)
def test_a_true_sentence_is_not_taken_for_false(text: str, claim: str, encoder: Encoder) -> None:
    assert not verify(claim, [Article("a", "", TEXTS[text])], encoder).rule


SAYINGS = {
    "barrier": "Council leader Mara Dell said it would protect 4,300 homes. Tom Reyes said the cost was “reckless”.",
    "tax": "Owners in Besançon protested against a tax of €3 – “a tax on sunlight”, as Zoë Lefèvre called it. "
    "The mayor, André Collé, said it would raise €250,000.",
    "quake": "President Emil Varga spoke.\n\nEconomy Minister Clara Voss put the damage at $1.2 billion.",
    "jobs": "Unemployment in Port Salis fell in May. Mayor Ingrid Holm denied that the city had stopped hiring.",
    "fire": "Nineteen people were injured off Tarn Island. Prosecutor Karl Weiss said the cause was not yet known.",
    "lake": "Fishing has declined, and about half of the fishermen have given up since 2015.",
    "table": "Rents rose in all cities in 2025.\n\nCity: Port Salis · Rent: €890 · Change: +3.1%\n\n"
    "City: Lorvia · Rent: €1,340 · Change: +7.8%",
    "north": "Øystein Žagar said the price was too high. Élise Årdal attacked Ülo Šimko in parliament on Friday.",
    "lab": "The density was 10⁶ cells per litre in August. The mass is 3 × 10² grams.",
}


@pytest.mark.parametrize(
    ("text", "claim", "stands"),
    [
        ("barrier", "Mara Dell called the cost reckless.", False),
        ("barrier", "Mara Dell described the cost as reckless.", False),
        ("barrier", "Tom Reyes called the cost reckless.", True),
        ("tax", "André Collé called it ‘a tax on sunlight’.", False),
        ("tax", "The tax is ‘a tax on sunlight’ in the words of André Collé.", False),
        ("tax", "The tax is ‘a tax on sunlight’ in the words of Zoë Lefèvre.", True),
        ("tax", "Zoë Lefèvre called it ‘a tax on sunlight’.", True),
        ("quake", "Economy Minister Emil Varga put the damage at $1.2 billion.", False),
        ("quake", "Emil Varga estimated the damage at $1.2 billion.", False),
        ("quake", "Clara Voss estimated the damage at $1.2 billion.", True),
        ("jobs", "Mayor Ingrid Holm said that the city had stopped hiring.", False),
        ("jobs", "The city has stopped hiring.", False),
        ("jobs", "Mayor Ingrid Holm said the city had not stopped hiring.", True),
        ("fire", "Prosecutor Karl Weiss said the cause was arson.", False),
        ("fire", "Karl Weiss knows the cause.", False),
        ("fire", "The cause is not yet known, said Karl Weiss.", True),
        ("lake", "Most fishermen have given up since 2015.", False),
        ("lake", "Around half the fishermen have given up since 2015.", True),
        ("table", "Rents in Lorvia rose by 7.8%.", True),
        ("table", "Rents in Port Salis rose by 7.8%.", False),
        ("table", "The rent in Port Salis is €1,340.", False),
        ("north", "Élise Årdal said the price was too high.", False),
        ("north", "Øystein Žagar said the price was too high.", True),
        ("north", "Ülo Šimko attacked Élise Årdal.", False),
        ("north", "Élise Årdal attacked Ülo Šimko.", True),
        ("lab", "The density was 10^6 cells per litre.", True),
        ("lab", "The density was one million cells per litre.", True),
        ("lab", "The density was 106 cells per litre in August.", False),
        ("lab", "The mass is 300 grams.", True),
    ],
)
def test_who_says_it_and_what_is_denied_or_unknown(text: str, claim: str, stands: bool, encoder: Encoder) -> None:
    verdict = verify(claim, [Article("a", "", SAYINGS[text])], encoder)
    assert (verdict.support in ("supported", "verbatim")) == stands, verdict


STORIES = {
    "vote": "Mira Lund won the vote in Osk with 8,310 votes, ahead of Tom Beck with 6,204. "
    "Beck, 61, lost to Rolf Ahl in 2019.",
    "fire": "Three people died and seven were hurt in the mill fire. The guard Ivo Brandt rescued the cook Ada Moll.",
    "schools": "Schools in Osk stayed open, while those in Tarn were closed. "
    "Turnout was 54 percent, down from 59 percent in 2021.",
    "dam": "Rivo says the wall is sound. Hydro, the owner of the dam, asked for a report. "
    "Greta Olin said the cause was probably a crack.",
    "union": "Hugo Falk of the union denied that strikes were planned. None of the members accepted the offer.",
    "firm": "Captain Lena Roth, 44, praised her deputy, Per Dahl, 39. "
    "The firm sold the yard to Nordal for 12 million euros.",
    "all": "All of the detained have been released. "
    "Mayor Ana Roa called the plan a waste, and the engineer Karl Veit denied it.",
    "sums": "The vote was 31 to 22 in the council. Sales rose to 480 tonnes from 420. It carries 900 cars per day.",
}


@pytest.mark.parametrize(
    ("text", "claim", "stands"),
    [
        ("vote", "Lund won 6,204 votes.", False),
        ("vote", "Beck won 6,204 votes.", True),
        ("vote", "Rolf Ahl beat Beck in 2019.", True),
        ("vote", "Beck beat Rolf Ahl in 2019.", False),
        ("fire", "Seven people died and three were hurt in the mill fire.", False),
        ("fire", "The mill fire killed three people and hurt seven.", True),
        ("fire", "The cook Ada Moll rescued the guard Ivo Brandt.", False),
        ("fire", "Ada Moll, the cook, was rescued by Ivo Brandt.", True),
        ("schools", "Schools in Tarn stayed open.", False),
        ("schools", "Schools in Tarn were closed.", True),
        ("schools", "Turnout was 54 percent in 2021.", False),
        ("schools", "Turnout was 59 percent in 2021.", True),
        ("dam", "Hydro says the wall is sound.", False),
        ("dam", "Rivo says the wall is sound.", True),
        ("dam", "Greta Olin said the cause was a crack.", False),
        ("dam", "Greta Olin said the cause was probably a crack.", True),
        ("union", "Falk did not deny that strikes were planned.", False),
        ("union", "Strikes are planned, Falk said.", False),
        ("union", "All of the members accepted the offer.", False),
        ("union", "No members accepted the offer.", True),
        ("firm", "Lena Roth is 39.", False),
        ("firm", "Lena Roth is 44.", True),
        ("firm", "Nordal bought the yard from the firm for 12 million euros.", True),
        ("all", "Few of the detained have been released.", False),
        ("all", "Everyone who was detained has been released.", True),
        ("all", "Karl Veit called the plan a waste.", False),
        ("all", "The mayor called the plan a waste.", True),
        ("sums", "Sales rose by 60 tonnes to 480.", True),
        ("sums", "Sales rose by 70 tonnes to 480.", False),
        ("sums", "The vote in the council was 31 to 22, a majority of nine.", True),
        ("sums", "In the council it was backed by nine members.", False),
        ("sums", "In the council 53 members voted.", False),
        ("sums", "It carries 900 cars per month.", False),
    ],
)
def test_a_clause_says_it_of_whom_the_article_does(text: str, claim: str, stands: bool, encoder: Encoder) -> None:
    verdict = verify(claim, [Article("a", "", STORIES[text])], encoder)
    assert (verdict.support in ("supported", "verbatim")) == stands, verdict
