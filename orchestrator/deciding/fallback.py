"""A planner or an agent that crashes is replaced, and everybody hears of it.

A planner's place is taken by one that fills the space evenly, an agent's by those that its
campaign names as its `fallback`.
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.insight import Insight
from instruments.measurement import Measurement
from orchestrator.beside import beside
from orchestrator.deciding.choosing import choose
from orchestrator.deciding.interpreting import interpret
from orchestrator.people.notifying import notify
from orchestrator.run import Run
from planners.actions.records import Offer
from planners.proposal import Observation, Proposal
from planners.space import Point

LOUD_AFTER = 3
"""Crashes in a row from which a planner is no accident any more."""


async def plan(
    run: Run,
    number: int,
    *,
    observations: Sequence[Observation],
    pending: Sequence[Point] = (),
    offer: Offer | None = None,
) -> Proposal:
    """Return what the planner proposes, or what fills the space if it crashes.

    Parameters
    ----------
    offer : what could be measured of earlier samples instead.

    Raises
    ------
    NothingLeftToPropose, UnsupportedSpace, SpaceError
        The planner says that nobody can choose here, or that it is the wrong one.
    """

    def work() -> Proposal:
        return choose(
            run.match.planner,
            run.campaign,
            observations=observations,
            pending=pending,
            rng=run.rng(number, "propose"),
            offer=offer,
        )

    proposal = await beside(run.laboratory.clock, work)
    if proposal.reason.instead_of:
        _tell_of_the_planner(run, number, proposal.reason.text)
    return proposal


async def read(
    run: Run, number: int, name: str, measurements: Sequence[Measurement]
) -> Insight | None:
    """Return what an agent, or one that stands in for it, reads; None if none can read these.

    If all of them crash, the insight abstains and says so.
    """
    agents = (run.match.agents[name], *run.match.fallbacks.get(name, ()))
    rng = run.rng(number, "analyze")
    reading = await beside(run.laboratory.clock, lambda: interpret(agents, measurements, rng=rng))
    if reading is None:
        return None
    for agent, why in reading.crashes.items():
        run.tell(number, "analyze", "failed", f"{agent} crashed: {why}")
        run.history.record_event(run.id, "agent_crashed", f"{agent} crashed: {why}", number)
    return reading.insight


def _tell_of_the_planner(run: Run, number: int, text: str) -> None:
    run.tell(number, "propose", "failed", text)
    run.history.record_event(run.id, "planner_crashed", text, number)
    in_a_row = 1 + _crashes_before(run, number)
    if in_a_row % LOUD_AFTER == 0:
        planner = run.match.planner.name
        alarm = (
            f"{planner.upper()} HAS CRASHED {in_a_row} TIMES IN A ROW: this campaign fills its "
            f"space blindly. Stop it, mend or change the planner, and resume. Latest: {text}"
        )
        run.tell(number, "propose", "failed", alarm)
        run.history.record_event(run.id, "planner_keeps_crashing", alarm, number)
        notify(run, "question", f"{planner} keeps crashing", alarm)


def _crashes_before(run: Run, number: int) -> int:
    """Return at how many experiments right before this one the planner crashed."""
    count = 0
    while number > count:
        known = run.history.experiment(run.id, number - count - 1)
        if known is None or not known.proposal.reason.instead_of:
            break
        count += 1
    return count
