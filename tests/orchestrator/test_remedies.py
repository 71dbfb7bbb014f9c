"""Failure is data: each cause has its remedy, and none ends in silence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.control import run_campaign
from orchestrator.errors import CampaignStops, WaitsForPerson
from orchestrator.loop import PLAIN, Verbs, turn
from orchestrator.people.asking import Nobody, Reply
from orchestrator.run import Run
from orchestrator.store import Store
from planners.baselines import make_random
from tests.orchestrator import bakery

SPOILT = frozenset({(1, 0), (1, 1)})
"""Experiment 1 cannot be measured in the two attempts that are allowed."""


async def _run(
    store: Store,
    *,
    bad: frozenset[int] = frozenset(),
    spoilt: frozenset[tuple[int, int]] = frozenset(),
    patient: bool = False,
    **on_failure: object,
) -> Run:
    lab = bakery.laboratory(bad=bad, spoilt=spoilt)
    wanted = bakery.campaign(on_failure=on_failure, budget={"experiments": 4})
    run = bakery.run(store, make_random({}), laboratory=lab, campaign=wanted)
    match = replace(run.match, agents={"taster": bakery.Taster(patient=patient)})
    await lab.connect()
    return replace(run, match=match, person=Nobody("bread-1", store.questions))


def _acts(run: Run, name: str) -> list[str]:
    return run.laboratory.instruments[name].device.acts  # type: ignore[attr-defined,no-any-return]


async def _answer(run: Run, store: Store, answer: str) -> None:
    """Run until the campaign asks, and give the answer."""
    with pytest.raises(WaitsForPerson):
        await run_campaign(run)
    [asked] = store.questions.open("bread-1")
    assert asked.question.kind == "failed"
    store.questions.answer("bread-1", asked.question.key, Reply(answer, "I looked", "anna"))


async def test_every_failed_step_is_an_event_and_a_failed_observation_with_its_cause(
    store: Store,
) -> None:
    run = await _run(store, bad=frozenset({2}), spoilt=SPOILT)
    assert (await run_campaign(run)).experiments == 4
    causes = {n: o.cause for n, o in store.observations("bread-1") if o.failed}
    assert causes == {1: "measurement", 2: "synthesis"}
    told = {e.kind: e.message for e in store.events("bread-1") if e.kind.endswith("_failed")}
    assert "saturated" in told["measurement_failed"]
    assert "jam" in told["synthesis_failed"]


async def test_a_lost_sample_is_made_anew_once(store: Store) -> None:
    spoilt = SPOILT | {(2, 0), (2, 1)}
    run = await _run(store, spoilt=spoilt, measurement="resynthesize", synthesize_again=1)
    assert (await run_campaign(run)).experiments == 4
    first, lost, fresh, other = (e.proposal for e in store.experiments("bread-1"))
    assert fresh.values == lost.values
    assert fresh.reason.repeats == 1
    assert "saturated" in fresh.reason.text
    assert other.reason.repeats is None
    assert other.values not in (first.values, lost.values)
    assert [o.repeat for _, o in store.observations("bread-1")] == [False, True, False, False]


async def test_a_repetition_goes_through_if_the_process_dies_in_between(store: Store) -> None:
    run = await _run(store, spoilt=SPOILT, measurement="resynthesize", synthesize_again=1)
    await turn(run, 0)
    await turn(run, 1)
    again = await _run(store, measurement="resynthesize", synthesize_again=1)
    assert (await run_campaign(again)).experiments == 4
    repeats = [e.proposal.reason.repeats for e in store.experiments("bread-1")]
    assert repeats == [None, None, 1, None]


@pytest.mark.parametrize("cause", ["synthesis", "measurement", "analysis"])
async def test_a_campaign_stops_where_its_file_says_so_and_can_be_resumed(
    store: Store, cause: str
) -> None:
    troubles = {
        "synthesis": {"bad": frozenset({1})},
        "measurement": {"spoilt": SPOILT},
        "analysis": {"patient": True},
    }
    run = await _run(store, **troubles[cause], **{cause: "stop"})  # type: ignore[arg-type]
    with pytest.raises(CampaignStops, match=f"{cause} failed"):
        await run_campaign(run)
    _, last = store.observations("bread-1")[-1]
    assert last.failed
    assert last.cause == cause
    assert (await run_campaign(await _run(store))).experiments == 4


async def test_a_person_has_a_failed_synthesis_tried_again(store: Store) -> None:
    run = await _run(store, bad=frozenset({0}), synthesis="ask")
    await _answer(run, store, "retry")
    device = run.laboratory.instruments["oven"].device  # type: ignore[attr-defined]
    device.bad = frozenset()
    assert (await run_campaign(run)).experiments == 4
    assert not any(o.failed for _, o in store.observations("bread-1"))
    assert len(_acts(run, "oven")) == 5
    [event] = [e for e in store.events("bread-1") if e.kind == "synthesis_failed"]
    assert "anna (I looked) says: retry" in event.message


async def test_a_retry_that_fails_again_is_another_question(store: Store) -> None:
    run = await _run(store, bad=frozenset({0}), synthesis="ask")
    await _answer(run, store, "retry")
    await _answer(run, store, "skip")
    assert (await run_campaign(run)).experiments == 4
    assert len(_acts(run, "oven")) == 5
    assert len(store.questions.of("bread-1")) == 2


@pytest.mark.parametrize(
    ("answer", "made", "measured"), [("retry", 4, 6), ("resynthesize", 4, 5), ("skip", 4, 5)]
)
async def test_a_person_decides_about_a_sample_that_could_not_be_measured(
    store: Store, answer: str, made: int, measured: int
) -> None:
    run = await _run(store, spoilt=SPOILT, measurement="ask", synthesize_again=1)
    await _answer(run, store, answer)
    assert (await run_campaign(run)).experiments == 4
    assert len(_acts(run, "oven")) == made
    assert len(_acts(run, "meter")) == measured
    failed = [n for n, o in store.observations("bread-1") if o.failed]
    assert failed == ([] if answer == "retry" else [1])
    repeats = [e.proposal.reason.repeats for e in store.experiments("bread-1")]
    assert (1 in repeats) == (answer == "resynthesize")


async def test_an_agent_gets_the_measurement_it_asks_for(store: Store) -> None:
    run = await _run(store, patient=True, analysis="measure_again")
    observation = await turn(run, 0)
    assert not observation.failed
    experiment = store.experiment("bread-1", 0)
    assert experiment is not None
    assert [m.settings["repeats"] for m in experiment.measurements] == [1.0, 4.0]
    assert [i.abstained for i in experiment.insights] == [True, False]
    assert len(_acts(run, "oven")) == 1


async def test_a_further_measurement_is_not_taken_twice_after_a_kill(store: Store) -> None:
    run = await _run(store, patient=True, analysis="measure_again")

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    parts = {name: getattr(PLAIN, name) for name in Verbs.__slots__}
    with pytest.raises(KeyboardInterrupt):
        await turn(run, 0, verbs=Verbs(**{**parts, "score": dies}))
    assert not (await turn(run, 0)).failed
    assert len(_acts(run, "meter")) == 2
    assert len(store.experiment("bread-1", 0).insights) == 2  # type: ignore[union-attr]


async def test_a_request_beyond_the_instrument_is_measured_as_planned(store: Store) -> None:
    run = await _run(store, patient=True, analysis="measure_again")
    meter = bakery.METER.model_copy(
        update={"accepts": (bakery.METER.accepts[0].model_copy(update={"high": 3.0}),)}
    )
    lab = bakery.laboratory(meter=meter)
    await lab.connect()
    observation = await turn(replace(run, laboratory=lab), 0)
    assert observation.failed
    assert observation.cause == "analysis"
    assert "too faint" in observation.failure
    repeats = [m.settings["repeats"] for m in store.experiment("bread-1", 0).measurements]  # type: ignore[union-attr]
    assert repeats == [1.0, 1.0]


def test_fresh_samples_need_a_number() -> None:
    with pytest.raises(ValueError, match="give it a number from 1"):
        bakery.campaign(on_failure={"measurement": "resynthesize"})
