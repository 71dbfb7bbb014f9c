"""Of a sample that was measured again, the report tells what the agent said last."""

from __future__ import annotations

from datetime import UTC, datetime

from analysis.insight import Insight
from orchestrator.report.rereading import further_ones, latest, which_reading
from orchestrator.store.records import Experiment, InsightSummary
from planners.proposal import Proposal, Reason

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def said(agent: str, *scans: str) -> InsightSummary:
    return InsightSummary.of(
        Insight(f"{scans[-1]}/{agent}", agent, scans, abstained=True, remarks=("nothing",))
    )


def experiment(*insights: InsightSummary) -> Experiment:
    proposal = Proposal(values={"temperature": 700.0}, reason=Reason(planner="random", text="so"))
    return Experiment(0, proposal, (0,), None, (), insights, None, NOW, None)


FIRST, SECOND = said("xrd.adaptive", "scan 0"), said("xrd.adaptive", "scan 0", "scan 1")
OTHER = said("xrd.quantify", "scan 0")


def test_a_later_reading_of_more_scans_replaces_the_earlier() -> None:
    assert latest(experiment(FIRST, OTHER, SECOND)) == [OTHER, SECOND]


def test_agents_and_other_measurements_do_not_replace_each_other() -> None:
    elsewhere = said("xrd.adaptive", "scan 9")
    assert latest(experiment(FIRST, elsewhere, OTHER)) == [FIRST, elsewhere, OTHER]


def test_a_reading_says_how_much_it_had_seen() -> None:
    both = experiment(FIRST, SECOND, OTHER)
    assert which_reading(both, FIRST) == ", 1 of 2 scans"
    assert which_reading(both, SECOND) == ", 2 of 2 scans"
    assert which_reading(both, OTHER) == ""


def test_further_measurements_are_counted() -> None:
    assert further_ones(experiment(FIRST)) == ""
    assert further_ones(experiment(FIRST, SECOND)).startswith("measured again once")
