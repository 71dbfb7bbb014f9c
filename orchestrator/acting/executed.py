"""What was really made, and what is known of it before its experiment has ended."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.insight import Insight
from instruments.sample import Sample
from orchestrator.run import Run
from orchestrator.scoring import observe
from orchestrator.surroundings import reported
from planners.parameters import ContinuousParameter, Value
from planners.proposal import Observation, Proposal


def executed(run: Run, proposal: Proposal, sample: Sample) -> dict[str, Value]:
    """Return the point that was really made.

    Continuous settings are as executed; choices from a list stay as they were chosen, since the
    planner must recognise them.
    """
    listed = run.campaign.space.listed
    values = dict(proposal.values)
    for parameter in run.campaign.space.parameters:
        if isinstance(parameter, ContinuousParameter) and parameter.name not in listed:
            done = sample.recipe.get(parameter.name, values[parameter.name])
            values[parameter.name] = done
    return values


def so_far(
    run: Run, proposal: Proposal, sample: Sample, insights: Sequence[Insight]
) -> Observation:
    """Return what an experiment tells by what agents have read until now; its cost is left open."""
    return observe(
        run.campaign.objective,
        insights,
        values=executed(run, proposal, sample),
        cost=0.0,
        context=reported(run.campaign.space.context, insights, sample.recipe),
        predicted=proposal.reason.predicted,
    )
