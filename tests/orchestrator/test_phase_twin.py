"""The laboratory with a hidden phase diagram: it repeats itself, drifts and surprises by choice."""

from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from analysis.xrd.agents.quantify import make as make_agent
from instruments import (
    Bench,
    CommandRefused,
    Measure,
    Measurement,
    Sample,
    Synthesize,
    VirtualClock,
)
from orchestrator import load_laboratory, prepare
from orchestrator.examples import find_campaign
from orchestrator.phase_twin import (
    PHASE_CARDS,
    PHASES,
    STRANGER,
    WorldSettings,
    conductivity_meter,
    diffractometer,
    hidden_ceramic,
    hidden_diagram,
)
from orchestrator.twin import furnace

RECIPE = {"dopant": 3.0, "temperature": 700.0, "dwell": 6.0}
SCAN = {"two_theta_min": 20.0, "two_theta_max": 70.0, "step": 0.04}


async def made(number: int = 0, seed: int = 3, **recipe) -> Sample:
    maker = furnace("furnace", {}, Bench(VirtualClock(), Path(), seed))
    await maker.connect()
    command = Synthesize(sample_id=f"c/{number}", number=number, recipe={**RECIPE, **recipe})
    outcome = await maker.execute(f"c/{number}/synthesize/1", command)
    assert isinstance(outcome.value, Sample), outcome
    return outcome.value


async def scanned(sample: Sample, *, seed: int = 3, campaign: str = "c", **settings) -> Measurement:
    scanner = diffractometer("xrd", settings, Bench(VirtualClock(), Path(), seed))
    await scanner.connect()
    command = Measure(measurement_id=f"{sample.id}/xrd/1", sample=sample, settings=SCAN)
    outcome = await scanner.execute(f"{campaign}/{sample.number}/measure/1", command)
    assert isinstance(outcome.value, Measurement), outcome
    return outcome.value


async def bridged(sample: Sample, repeats: int = 1, **settings) -> Measurement:
    bridge = conductivity_meter("bridge", settings, Bench(VirtualClock(), Path(), 3))
    await bridge.connect()
    given = {"repeats": repeats}
    command = Measure(measurement_id=f"{sample.id}/conductivity/1", sample=sample, settings=given)
    outcome = await bridge.execute(f"c/{sample.number}/measure/1", command)
    assert isinstance(outcome.value, Measurement), outcome
    return outcome.value


async def test_the_same_seed_gives_the_same_pattern_in_any_campaign():
    sample = await made(4)
    one, two = await scanned(sample, campaign="mon"), await scanned(sample, campaign="tue")
    assert np.array_equal(one.y, two.y)
    assert not np.array_equal(one.y, (await scanned(sample, seed=4)).y)


async def test_the_truth_of_a_sample_needs_only_its_record():
    sample = await made()
    stored = Sample.model_validate_json(sample.model_dump_json())
    world = WorldSettings()
    found = [hidden_ceramic(s, seed=3, world=world) for s in (sample, stored)]
    assert found[0] == found[1]
    assert found[0] != hidden_ceramic(sample, seed=4, world=world)


async def test_the_agent_reads_the_hidden_amounts_through_texture_strain_and_a_trace_of_quartz():
    sample = await made()
    truth = hidden_ceramic(sample, seed=3, world=WorldSettings())
    agent = make_agent({"phases": list(PHASES), "particle_diameter": 0}, Path())
    insight = agent.analyze([await scanned(sample)], rng=np.random.default_rng(0))
    listed = sum(truth.weight_fractions[p] for p in PHASES)
    for phase in PHASES:
        told = insight.estimates[f"xrd.weight_fraction.{phase}"]
        # what texture and a stranger of one per cent do to a fraction
        assert told.value == pytest.approx(truth.weight_fractions[phase] / listed, abs=0.05)


async def test_a_new_lot_brings_a_phase_from_its_experiment_on():
    world = WorldSettings(new_lot=5)
    before, after = [hidden_ceramic(await made(n), seed=3, world=world) for n in (4, 5)]
    assert before.weight_fractions[STRANGER] == 0.0
    # exp(0.2 z) about 0.15
    assert 0.07 < after.weight_fractions[STRANGER] < 0.3
    assert sum(after.weight_fractions.values()) == pytest.approx(1.0)


async def test_a_drifting_diffractometer_shifts_and_dims_its_pattern_from_its_experiment_on():
    drift = {"since": 5, "zero": 0.2, "fading": 0.2, "blurring": 0.0}
    for number, astray in ((4, 0), (5, 1), (6, 2)):
        sample = await made(number)
        straight, off = await scanned(sample), await scanned(sample, drift=drift)
        if not astray:
            assert np.array_equal(straight.y, off.y)
            continue
        top = straight.x[np.argmax(straight.y)]
        # a step of the scan
        assert off.x[np.argmax(off.y)] == pytest.approx(top + 0.2 * astray, abs=0.05)
        assert off.y.max() < 0.9 * straight.y.max()


async def test_the_bridge_tells_the_hidden_conductivity_and_how_well_it_knows_it():
    sample = await made()
    truth = hidden_ceramic(sample, seed=3, world=WorldSettings()).conductivity
    told = (await bridged(sample)).readings["conductivity"]
    assert told.std == pytest.approx(np.hypot(0.03, 0.01))
    assert abs(told.value - truth) < 4 * told.std
    assert (await bridged(sample, repeats=16)).readings["conductivity"].std == pytest.approx(
        np.hypot(0.03 / 4, 0.01)
    )


async def test_a_sample_of_another_maker_is_refused_in_a_sentence():
    sample = (await made()).model_copy(update={"recipe": {"pH": 7.0}})
    with pytest.raises(CommandRefused, match="gives no number for dopant, temperature, dwell"):
        await scanned(sample)
    with pytest.raises(CommandRefused, match="gives no number for dopant"):
        await bridged(sample)


def test_where_settings_decide_the_diagram_is_the_same_and_the_property_is_not():
    phases, plain = hidden_diagram(3), hidden_diagram(3, "settings")
    assert np.array_equal(phases.centre, plain.centre)
    assert phases.law != plain.law


def test_wrong_settings_are_refused():
    with pytest.raises(ValidationError, match="stranger"):
        diffractometer("xrd", {"world": {"stranger": 2.0}}, Bench(VirtualClock(), Path(), 3))


@pytest.mark.parametrize("name", PHASE_CARDS)
def test_the_instruments_come_in_by_the_front_door(name):
    assert name in {e.name for e in entry_points(group="sdlab.instruments")}


def test_the_example_asks_for_what_the_best_phase_reaches_in_its_laboratory():
    path = find_campaign("phase_boundary")
    prepared = prepare(path, dry_run=True)
    laboratory, _ = load_laboratory(path.parent / prepared.campaign.laboratory)
    (target,) = prepared.campaign.objective.targets
    diagram = hidden_diagram(laboratory.seed)
    shares = np.random.default_rng(0).random((400, 3))
    shares[:, 2] = 0.83  # six hours
    value = diagram.value(shares, diagram.fractions(shares))
    assert target.value is not None
    # 3 to 8 % of the space hold the best phase, judged from a hundred points
    assert 0.005 < (value >= target.value).mean() < 0.15
