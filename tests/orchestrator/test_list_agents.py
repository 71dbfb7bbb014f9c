import sys

from analysis.weights import Card
from orchestrator.cli.agents import card_lines, describe, described
from orchestrator.registry import available


def test_every_installed_agent_says_what_it_answers() -> None:
    found = described()
    assert [agent.name for agent in found] == list(available("agents"))
    built_in = {agent.name: agent for agent in found}
    assert "how much of each known phase" in built_in["xrd.quantify"].question
    assert "doi:10.1107/S0021889887086199" in built_in["xrd.quantify"].papers
    assert built_in["readings"].technique == "any"


def test_listing_imports_no_agent() -> None:
    sys.modules.pop("analysis.xrd.agents.phases", None)
    described()
    assert "analysis.xrd.agents.phases" not in sys.modules


def test_a_description_is_cut_into_question_method_and_papers() -> None:
    said = describe(
        "x.y", "x.y: what\nis it.\n\nBy looking (A 2020, doi:10.1/a.b): arXiv:2308.07897."
    )
    assert said.question == "what is it"
    assert said.method.startswith("By looking")
    assert said.papers == ("doi:10.1/a.b", "arXiv:2308.07897")


def test_a_card_is_one_line() -> None:
    card = Card("x.y", "tiny", 3, "0", figures={"held_out.exact_set": 0.91234})
    assert card_lines([card]) == ["trained: tiny, seed 3, held_out.exact_set = 0.912"]
