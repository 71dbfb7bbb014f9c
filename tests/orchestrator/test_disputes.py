"""Agents that contradict each other get the measurement that tells who is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from analysis.insight import Estimate, Insight, MeasurementRequest
from instruments.measurement import Measurement
from orchestrator.agreeing.disputes import disputes
from orchestrator.agreeing.expecting import doubt_after
from orchestrator.agreeing.noting import AROSE, SETTLED, STANDS
from orchestrator.loop import PLAIN, Verbs, turn
from orchestrator.people.notifying import Notice
from orchestrator.run import Run
from orchestrator.store import Store
from planners.baselines import make_random
from tests.orchestrator import bakery
from tests.orchestrator.test_routing import Q, says

ALWAYS = [{"technique": "table"}]
KEPT = [{"technique": "table", "settings": {"repeats": 5}}]


@dataclass
class Judge(bakery.Taster):
    """Reads the colour with an error of its own, of which `repeats` of a measurement cure it."""

    name: str = "judge"
    error: float = 1.0
    cured_by: float = 5.0
    p_wrong: float = 0.1
    asks: MeasurementRequest | None = None
    gives_up: bool = False

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        repeats = max(float(m.settings.get("repeats", 1.0)) for m in measurements)
        wrong = repeats < self.cured_by
        ids = tuple(m.id for m in measurements)
        if self.gives_up and len(ids) > 1:
            return Insight(f"{ids[0]}/{self.name}", self.name, ids, abstained=True, remarks=("no",))
        seen = measurements[-1].readings["colour"].value + (self.error if wrong else 0.0)
        return Insight(
            id=f"{measurements[0].id}/{self.name}",
            agent=self.name,
            measurement_ids=ids,
            estimates={bakery.QUANTITY: Estimate(seen, 0.01, "")},
            p_wrong=self.p_wrong,
            next_measurement=self.asks if wrong else None,
        )


@dataclass
class Letters:
    """Keeps the notices it is given."""

    sent: list[Notice] = field(default_factory=list)

    def send(self, notice: Notice) -> None:
        self.sent.append(notice)


async def _run(store: Store, *agents: Judge, **changes: object) -> Run:
    lab = bakery.laboratory()
    wanted = bakery.campaign(**{"measurements": ALWAYS, **changes})
    run = bakery.run(store, make_random({}), laboratory=lab, campaign=wanted)
    await lab.connect()
    measurers = ("meter",) * len(wanted.plans)
    judges = agents or (Judge(name="right", error=0.0), Judge())
    match = replace(run.match, agents={a.name: a for a in judges}, measurers=measurers)
    return replace(run, match=match)


def _kinds(store: Store) -> list[str]:
    return [e.kind for e in store.events("bread-1")]


def _steps(store: Store) -> list[str]:
    return [a.step for a in store.actions("bread-1", 0)]


def test_agents_that_agree_and_those_outvoted_have_no_dispute() -> None:
    assert disputes([says(1.0, reads="a"), says(1.05, reads="b")]) == ()
    assert disputes([says(1.0, reads=r) for r in "abc"] + [says(3.0, reads="d")]) == ()
    assert disputes([says(1.0, p_wrong=0.6), says(present=0.9, p_wrong=0.6)]) == ()


def test_what_nobody_wants_is_not_disputed() -> None:
    """The height of a sample differs from mounting to mounting; that is no contradiction."""
    said = [says(1.0, reads="a"), says(3.0, reads="b")]
    assert disputes(said, wanted=["xrd.weight_fraction.rutile"]) == ()
    assert len(disputes(said, wanted=[Q])) == 1


def test_a_dispute_says_who_said_what() -> None:
    (found,) = disputes([says(1.0, reads="a"), says(3.0, reads="b", p_wrong=None)])
    assert [v.told for v in found.votes] == ["1 ± 0.1 Å", "3 ± 0.1 Å"]
    assert "wrong with probability" in found.sentence
    (asked,) = disputes([says(present=0.99, reads="a"), says(present=0.001, reads="b")])
    assert asked.votes[1].told == "absent (100%)"


def test_a_repeat_helps_where_a_measurement_may_be_at_fault() -> None:
    apart = [says(1.0, reads="a"), says(3.0, reads="b")]
    doubt = disputes(apart)[0].p_wrong
    assert doubt_after(Q, apart, again=["a"]) < doubt - 0.1
    assert doubt_after(Q, apart, again=["c"]) == pytest.approx(doubt)  # nobody read it


def test_no_repeat_helps_where_two_differ_on_the_same_data() -> None:
    same = [says(1.0, reads="a"), says(3.0, reads="a")]
    doubt = disputes(same)[0].p_wrong
    assert doubt_after(Q, same, again=["a"]) > doubt - 0.05


def test_what_would_be_reported_is_checked_first() -> None:
    """Only a repeat of what is believed can overturn it; the other can but confirm what is done."""
    said = [says(1.0, reads="a", p_wrong=0.05), says(3.0, reads="b", p_wrong=0.2)]
    assert doubt_after(Q, said, again=["a"]) < doubt_after(Q, said, again=["b"])


async def test_without_an_allowance_a_dispute_is_left_to_people(store: Store) -> None:
    letters = Letters()
    run = await _run(store)
    real = replace(run.laboratory, simulated=False)
    observation = await turn(replace(run, laboratory=real, notifier=letters), 0)
    assert _steps(store) == ["synthesize", "measure-0"]
    assert _kinds(store) == [AROSE, STANDS]
    assert observation.p_wrong > 0.5
    assert len(letters.sent) == 1
    assert "judge says" in letters.sent[0].text


async def test_a_dispute_is_settled_by_the_measurement_kept_for_it(store: Store) -> None:
    run = await _run(store, when_disputed=KEPT, further={"seconds": 1000.0})
    observation = await turn(run, 0)
    assert _steps(store) == ["synthesize", "measure-0", "measure-1-more"]
    assert _kinds(store) == [AROSE, SETTLED]
    assert observation.p_wrong < 0.1


async def test_agents_that_agree_do_not_get_it(store: Store) -> None:
    agents = (Judge(name="one", error=0.0), Judge(name="two", error=0.001))
    run = await _run(store, *agents, when_disputed=KEPT, further={"seconds": 1000.0})
    await turn(run, 0)
    assert _steps(store) == ["synthesize", "measure-0"]
    assert _kinds(store) == []


async def test_what_an_agent_promises_counts(store: Store) -> None:
    asks = MeasurementRequest("table", {"repeats": 7.0}, "too noisy", p_wrong=0.001)
    agents = (Judge(name="right", error=0.0, cured_by=7), Judge(cured_by=7, asks=asks))
    run = await _run(store, *agents, further={"seconds": 1000.0})
    await turn(run, 0)
    experiment = store.experiment("bread-1", 0)
    assert experiment is not None
    assert [m.settings.get("repeats") for m in experiment.measurements] == [1.0, 7.0]
    assert _kinds(store) == [AROSE, SETTLED]


async def test_a_dispute_that_outlives_every_measurement_ends(store: Store) -> None:
    run = await _run(
        store,
        Judge(name="right", error=0.0),
        Judge(cured_by=99),
        when_disputed=KEPT,
        further={"seconds": 1e6, "most": 20},
    )
    observation = await turn(run, 0)
    assert _steps(store)[2:] == ["measure-1-more"]  # no repeat cures what a method makes of it
    assert _kinds(store) == [AROSE, STANDS]
    assert observation.p_wrong > 0.5


async def test_silence_settles_nothing(store: Store) -> None:
    """What an agent said stands if it cannot read the further measurement, and so its doubt."""
    agents = (Judge(name="right", error=0.0), Judge(gives_up=True))
    run = await _run(store, *agents, when_disputed=KEPT, further={"seconds": 1000.0})
    observation = await turn(run, 0)
    assert _kinds(store) == [AROSE, STANDS]
    assert observation.p_wrong > 0.3


async def test_a_kill_changes_nothing_about_a_dispute(store: Store) -> None:
    run = await _run(store, when_disputed=KEPT, further={"seconds": 1000.0})

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    parts = {name: getattr(PLAIN, name) for name in Verbs.__slots__}
    with pytest.raises(KeyboardInterrupt):
        await turn(run, 0, verbs=Verbs(**{**parts, "score": dies}))
    await turn(run, 0)
    assert _steps(store) == ["synthesize", "measure-0", "measure-1-more"]
    assert _kinds(store) == [AROSE, SETTLED]


def test_measurements_for_disputes_need_time() -> None:
    with pytest.raises(ValueError, match="allows no time"):
        bakery.campaign(when_disputed=KEPT)
