"""A crashing planner or agent is replaced, says so, and ends no campaign."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from analysis.errors import BadPattern
from analysis.insight import Estimate, Insight
from instruments.measurement import Measurement
from orchestrator.control import run_campaign
from orchestrator.deciding.choosing import choose
from orchestrator.deciding.interpreting import interpret
from orchestrator.loop import PLAIN, turn
from orchestrator.run import Run, Step
from orchestrator.store import Store
from planners.baselines import make_random, make_sobol
from planners.errors import NothingLeftToPropose, PlanningError, UnsupportedSpace
from planners.proposal import Observation, Proposal, Reason
from tests.orchestrator import bakery

CENTRE = Proposal(values={"temperature": 150.0, "time": 2.0}, reason=Reason(planner="p", text="p"))


@dataclasses.dataclass
class Planner:
    """Does whatever a test asks of it."""

    answer: Callable[[Sequence[Observation]], object]
    name: str = "clever"

    def propose(self, space: object, objective: object, *, observations: object, **_: object):  # type: ignore[no-untyped-def]
        return self.answer(observations)  # type: ignore[arg-type]


@dataclasses.dataclass
class Crasher(bakery.Taster):
    """An agent that raises whatever it was given."""

    name: str = "crasher"
    error: Exception = dataclasses.field(default_factory=lambda: ZeroDivisionError("chi2 / 0"))

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        raise self.error


def _raise(error: BaseException) -> None:
    raise error


def _proposal(**values: object) -> list[Proposal]:
    return [Proposal.model_construct(values=values, reason=CENTRE.reason)]


async def _started(run: Run) -> Run:
    await run.laboratory.connect()
    return run


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda _: _raise(ZeroDivisionError("singular")), "ZeroDivisionError: singular"),
        (lambda _: _raise(PlanningError("no model")), "no model"),
        (lambda _: None, "returned None"),
        (lambda _: [], "returned []"),
        (lambda _: [CENTRE, CENTRE], "instead of a list with one"),
        (lambda _: [{"temperature": 150.0, "time": 2.0}], "no Proposal"),
        (lambda _: _proposal(temperature=math.nan, time=2.0), "no finite number"),
        (lambda _: _proposal(temperature=900.0, time=2.0), "outside"),
        (lambda _: _proposal(temperature=150.0), "time has no value"),
    ],
)
async def test_the_space_is_filled_where_a_planner_crashes(
    store: Store, answer: Callable[[object], object], words: str
) -> None:
    run = await _started(bakery.run(store, Planner(answer)))  # type: ignore[arg-type]
    assert not (await turn(run, 0)).failed
    proposal = store.experiment("bread-1", 0).proposal  # type: ignore[union-attr]
    assert run.campaign.space.contains(proposal.values)
    assert proposal.reason.instead_of == "clever"
    assert words in proposal.reason.text
    [event] = [e for e in store.events("bread-1") if e.kind == "planner_crashed"]
    assert event.number == 0
    assert words in event.message


async def test_a_planner_that_only_stumbles_goes_on_choosing(store: Store) -> None:
    sobol = make_sobol({"seed": 3})
    run = bakery.run(store, make_random({}))

    def answer(observations: Sequence[Observation]) -> object:
        if len(observations) == 2:
            raise RuntimeError("the solver diverged")
        return sobol.propose(
            run.campaign.space,
            run.campaign.objective,
            observations=observations,
            rng=np.random.default_rng(0),
        )

    run = await _started(bakery.run(store, Planner(answer)))  # type: ignore[arg-type]
    ending = await run_campaign(run)
    assert ending.experiments == 6
    replaced = [bool(e.proposal.reason.instead_of) for e in store.experiments("bread-1")]
    assert replaced == [False, False, True, False, False, False]


async def test_a_planner_that_keeps_crashing_is_told_loudly_each_third_time(store: Store) -> None:
    told: list[Step] = []
    planner = Planner(lambda _: _raise(ZeroDivisionError("singular")))
    run = bakery.run(store, planner)  # type: ignore[arg-type]
    run = await _started(dataclasses.replace(run, watch=told.append))
    assert (await run_campaign(run)).experiments == 6
    loud = [e.number for e in store.events("bread-1") if e.kind == "planner_keeps_crashing"]
    assert loud == [2, 5]
    assert any("CRASHED 3 TIMES IN A ROW" in s.text for s in told)
    points = [tuple(e.proposal.values.values()) for e in store.experiments("bread-1")]
    assert len(set(points)) == 6


@pytest.mark.parametrize("error", [NothingLeftToPropose("all tried"), UnsupportedSpace("mixture")])
async def test_a_planner_that_declines_is_not_replaced(store: Store, error: Exception) -> None:
    run = await _started(bakery.run(store, Planner(lambda _: _raise(error))))  # type: ignore[arg-type]
    with pytest.raises(type(error)):
        await turn(run, 0)
    assert store.experiment("bread-1", 0) is None


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError()])
async def test_an_interruption_of_the_planner_is_no_crash(
    store: Store, error: BaseException
) -> None:
    run = await _started(bakery.run(store, make_random({})))
    with pytest.raises(type(error)):
        choose(
            Planner(lambda _: _raise(error)),  # type: ignore[arg-type]
            run.campaign,
            observations=[],
            pending=[],
            rng=run.rng(0, "propose"),
        )


async def test_a_point_under_way_is_not_begun_twice(store: Store) -> None:
    run = bakery.run(store, make_random({}))
    proposal = choose(
        Planner(lambda _: [CENTRE]),  # type: ignore[arg-type]
        run.campaign,
        observations=[],
        pending=[{"temperature": 150.0, "time": 2.0}],
        rng=run.rng(0, "propose"),
    )
    assert "under way already" in proposal.reason.text
    assert proposal.values != CENTRE.values


async def test_another_agent_reads_where_one_crashes(store: Store) -> None:
    run = bakery.run(store, make_random({}))
    chosen = {"crasher": Crasher()}
    match = dataclasses.replace(run.match, agents=chosen, fallbacks={"crasher": (bakery.Taster(),)})
    run = await _started(dataclasses.replace(run, match=match))
    observation = await turn(run, 0)
    assert bakery.QUANTITY in observation.outcomes
    [insight] = store.experiment("bread-1", 0).insights  # type: ignore[union-attr]
    assert insight.agent == "taster"
    assert any("crasher crashed: ZeroDivisionError: chi2 / 0" in r for r in insight.remarks)
    [event] = [e for e in store.events("bread-1") if e.kind == "agent_crashed"]
    assert "chi2 / 0" in event.message


async def test_where_all_agents_crash_the_experiment_fails_and_the_campaign_goes_on(
    store: Store,
) -> None:
    run = bakery.run(store, make_random({}), campaign=bakery.campaign(budget={"experiments": 2}))
    match = dataclasses.replace(run.match, agents={"crasher": Crasher()})
    run = await _started(dataclasses.replace(run, match=match))
    assert (await run_campaign(run)).experiments == 2
    for _, observation in store.observations("bread-1"):
        assert observation.failed
        assert "ZeroDivisionError" in observation.failure
    assert store.experiment("bread-1", 0).insights[0].abstained  # type: ignore[union-attr]


async def test_an_agent_that_declines_is_not_replaced(store: Store) -> None:
    run = await _started(bakery.run(store, make_random({})))
    await turn(run, 0)
    measurement = store.measurement(store.experiment("bread-1", 0).measurements[0].id)  # type: ignore[union-attr]
    declining = Crasher(error=BadPattern("too few counts"))
    said = interpret([declining, bakery.Taster()], [measurement], rng=np.random.default_rng(0))
    assert said is not None
    assert said.insight.abstained
    assert said.insight.remarks == ("too few counts",)
    assert not said.crashes


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda _: 0.7, "returned 0.7"),
        (lambda i: dataclasses.replace(i, agent="somebody"), "signed its insight"),
        (lambda i: dataclasses.replace(i, measurement_ids=("x/9",)), "not shown"),
        (
            lambda i: dataclasses.replace(i, estimates={bakery.QUANTITY: Estimate(1, None, "%")}),
            "in % and declares no unit",
        ),
    ],
)
async def test_a_wrong_return_value_is_a_crash_not_a_result(
    store: Store, wrong: Callable[[Insight], Insight], words: str
) -> None:
    run = await _started(bakery.run(store, make_random({})))
    await turn(run, 0)
    measurement = store.measurement(store.experiment("bread-1", 0).measurements[0].id)  # type: ignore[union-attr]

    class Wrong(bakery.Taster):
        def analyze(self, *arguments: object, **more: object) -> Insight:
            return wrong(super().analyze(*arguments, **more))  # type: ignore[arg-type]

    said = interpret([Wrong()], [measurement], rng=np.random.default_rng(0))
    assert said is not None
    assert said.insight.abstained
    assert words in said.crashes["taster"]


async def test_a_reading_by_a_stand_in_is_not_read_again_after_a_kill(store: Store) -> None:
    run = bakery.run(store, make_random({}))
    asked: list[str] = []

    class Counted(bakery.Taster):
        def analyze(self, *arguments: object, **more: object) -> Insight:
            asked.append(self.name)
            return super().analyze(*arguments, **more)  # type: ignore[arg-type]

    match = dataclasses.replace(
        run.match, agents={"crasher": Crasher()}, fallbacks={"crasher": (Counted(),)}
    )
    run = await _started(dataclasses.replace(run, match=match))
    proposal = await PLAIN.propose(run, 0)
    sample = await PLAIN.synthesize(run, 0, proposal)
    measurements = await PLAIN.measure(run, 0, sample)
    first = await PLAIN.analyze(run, 0, measurements)
    again = await PLAIN.analyze(run, 0, measurements)
    assert asked == ["taster"]
    assert [i.id for i in first] == [i.id for i in again]
