"""Agents get the further measurements they ask for, within the campaign's allowance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from analysis.insight import Estimate, Insight, MeasurementRequest
from instruments.measurement import Measurement
from orchestrator.campaign import Campaign
from orchestrator.loop import PLAIN, Verbs, turn
from orchestrator.run import Run
from orchestrator.store import Store
from planners.baselines import make_random
from tests.orchestrator import bakery

METER_SECONDS = 60.0
"""What one measurement of the bakery's meter takes."""


@dataclass
class Curious(bakery.Taster):
    """Asks for one repeat more until it has `enough` measurements; then cannot read them."""

    enough: int = 3
    gives_up: bool = False

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        n, ids = len(measurements), tuple(m.id for m in measurements)
        if self.gives_up and n > 1:
            return Insight(
                f"{ids[0]}/taster", self.name, ids, abstained=True, remarks=("too many",)
            )
        asked = MeasurementRequest("table", {"repeats": float(n + 1)}, "not sure yet", 0.1)
        return Insight(
            id=f"{ids[0]}/taster",
            agent=self.name,
            measurement_ids=ids,
            estimates={
                bakery.QUANTITY: Estimate(measurements[-1].readings["colour"].value, 1 / n, "")
            },
            p_wrong=0.0,
            next_measurement=asked if n < self.enough else None,
        )


async def _run(store: Store, agent: Curious, **further: float) -> Run:
    lab = bakery.laboratory()
    wanted = bakery.campaign(further=further) if further else bakery.campaign()
    run = bakery.run(store, make_random({}), laboratory=lab, campaign=wanted)
    await lab.connect()
    return replace(run, match=replace(run.match, agents={"taster": agent}))


def _repeats(store: Store) -> list[object]:
    experiment = store.experiment("bread-1", 0)
    assert experiment is not None
    return [m.settings.get("repeats") for m in experiment.measurements]


async def test_nothing_further_is_measured_unless_the_campaign_allows_it(store: Store) -> None:
    run = await _run(store, Curious())
    assert not (await turn(run, 0)).failed
    assert _repeats(store) == [1.0]


async def test_an_agent_gets_what_it_asks_for_until_it_is_sure(store: Store) -> None:
    run = await _run(store, Curious(enough=3), seconds=1000.0)
    observation = await turn(run, 0)
    assert _repeats(store) == [1.0, 2.0, 3.0]
    assert observation.stds[bakery.QUANTITY] == pytest.approx(1 / 3)
    steps = [a.step for a in store.actions("bread-1", 0)]
    assert steps == ["synthesize", "measure-0", "measure-0-more", "measure-0-more2"]
    assert {a.settled for a in store.actions("bread-1", 0)} == {"succeeded"}


async def test_the_allowance_of_a_sample_is_kept(store: Store) -> None:
    run = await _run(store, Curious(enough=9), seconds=2.5 * METER_SECONDS)
    await turn(run, 0)
    assert _repeats(store) == [1.0, 2.0, 3.0]


async def test_so_many_are_taken_at_most(store: Store) -> None:
    run = await _run(store, Curious(enough=9), seconds=1e5, most=4)
    await turn(run, 0)
    assert _repeats(store) == [1.0, 2.0, 3.0, 4.0, 5.0]


async def test_further_measurements_are_not_taken_twice_after_a_kill(store: Store) -> None:
    run = await _run(store, Curious(enough=3), seconds=1000.0)

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    parts = {name: getattr(PLAIN, name) for name in Verbs.__slots__}
    with pytest.raises(KeyboardInterrupt):
        await turn(run, 0, verbs=Verbs(**{**parts, "score": dies}))
    assert not (await turn(run, 0)).failed
    assert _repeats(store) == [1.0, 2.0, 3.0]
    assert len(run.laboratory.instruments["meter"].device.acts) == 3  # type: ignore[attr-defined]
    insights = store.experiment("bread-1", 0).insights  # type: ignore[union-attr]
    assert [i.id.rpartition("taster")[2] for i in insights] == ["", "/again", "/again2"]


async def test_a_further_measurement_that_fails_costs_nothing_but_its_time(store: Store) -> None:
    run = await _run(store, Curious(enough=3), seconds=1000.0)
    meter = run.laboratory.instruments["meter"].device  # type: ignore[attr-defined]

    class Tired(type(meter)):  # type: ignore[misc]
        async def act(self, action, command):  # type: ignore[no-untyped-def]
            if "more" in action.command_id:
                self.spoilt = frozenset({(0, 0), (0, 1)})
            return await super().act(action, command)

    meter.__class__ = Tired
    observation = await turn(run, 0)
    assert not observation.failed
    assert observation.stds[bakery.QUANTITY] == pytest.approx(1.0)
    assert [e.kind for e in store.events("bread-1")].count("measurement_failed") == 2


async def test_what_an_agent_read_stands_if_it_cannot_read_the_further_one(store: Store) -> None:
    run = await _run(store, Curious(enough=3, gives_up=True), seconds=1000.0)
    observation = await turn(run, 0)
    assert not observation.failed
    assert observation.stds[bakery.QUANTITY] == pytest.approx(1.0)


def test_the_allowance_is_no_negative_time() -> None:
    assert isinstance(bakery.campaign(further={"seconds": 0}), Campaign)
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        bakery.campaign(further={"seconds": -1})
