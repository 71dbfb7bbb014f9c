"""ScattBO's laboratory as a twin: it repeats itself, errs by choice, and refuses in sentences."""

from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from analysis.pdf.agents.match import make as make_match
from instruments import (
    Bench,
    CommandRefused,
    Measure,
    Measurement,
    Sample,
    Synthesize,
    VirtualClock,
)
from instruments.simulated.gold_batch import Accidents
from instruments.simulated.reactor_faults import (
    ROBOT_FAULTS,
    SCATTERING_FAULTS,
    SOLUTION_FAULTS,
)
from orchestrator.gold_twin import (
    GOLD_CARDS,
    hidden_batch,
    robot_reactor,
    solution_reactor,
    total_scattering,
)
from tests.orchestrator.gold import ROBOT, SOLUTION, UNEVEN, experiment


async def test_the_same_seed_gives_the_same_data_in_any_campaign():
    settings = {"noise": 1.0, "residual": 0.02, "calibration": 1e-3, "accidents": UNEVEN}
    one = await experiment(SOLUTION, campaign="mon", number=4, settings=settings, spread=1.0)
    two = await experiment(SOLUTION, campaign="tue", number=4, settings=settings, spread=1.0)
    assert one[0].recipe == two[0].recipe
    assert np.array_equal(one[1].y, two[1].y)
    _, other = await experiment(SOLUTION, seed=4, number=4, settings=settings, spread=1.0)
    assert not np.array_equal(one[1].y, other.y)


async def test_the_truth_of_a_sample_needs_only_its_record():
    sample, _ = await experiment(SOLUTION, spread=1.0)
    stored = Sample.model_validate_json(sample.model_dump_json())
    accidents = Accidents.model_validate(UNEVEN)
    found = [hidden_batch(s, seed=3, accidents=accidents) for s in (sample, stored)]
    assert found[0] == found[1]
    assert found[0] != hidden_batch(sample, seed=4, accidents=accidents)


async def test_what_ran_before_does_not_change_a_measurement():
    settings = {"noise": 1.0, "accidents": UNEVEN}
    sample, curve = await experiment(SOLUTION, settings=settings)
    scanner = total_scattering("beamline", settings, Bench(VirtualClock(), Path(), 3))
    await scanner.connect()
    for attempt in (7, 1):
        command = Measure(measurement_id=f"{sample.id}/pdf/1", sample=sample)
        outcome = await scanner.execute(f"c/0/measure/{attempt}", command)
    assert isinstance(outcome.value, Measurement)
    assert np.array_equal(outcome.value.y, curve.y)


async def test_without_accidents_a_batch_is_the_cluster_of_the_rules():
    sample, _ = await experiment(SOLUTION)
    batch = hidden_batch(sample, seed=3)
    assert list(batch.shares.values()) == [1.0]
    assert (batch.main.kind, batch.main.size, batch.main.length) == ("icosahedron", 6, 2.9)


async def test_accidents_are_where_they_were_asked_for():
    sample, _ = await experiment(SOLUTION)
    batches = [
        hidden_batch(sample, seed=seed, accidents=Accidents(minority=0.1)) for seed in range(200)
    ]
    foreign = [1.0 - b.kinds["icosahedron"] for b in batches]
    # the mean of 200 exponential shares is known to 7 %
    assert np.mean(foreign) == pytest.approx(0.1, abs=0.025)
    assert {k for b in batches for k in b.kinds} > {"icosahedron", "decahedron"}
    uneven = hidden_batch(sample, seed=3, accidents=Accidents(sizes=0.1))
    assert {p.size for p in uneven.shares} == {5, 6, 7}
    assert sum(uneven.shares.values()) == pytest.approx(1.0)


async def test_a_strained_batch_is_longer_or_shorter_on_average_by_what_was_asked_for():
    sample, _ = await experiment(SOLUTION)
    accidents = Accidents(strain=0.005)
    lengths = [hidden_batch(sample, seed=s, accidents=accidents).main.length for s in range(200)]
    assert np.std(lengths) / 2.9 == pytest.approx(0.005, rel=0.2)


async def test_the_robot_grows_what_its_lamps_and_speeds_say():
    sample, measured = await experiment(ROBOT)
    assert hidden_batch(sample, seed=3).main.kind == "icosahedron"
    assert hidden_batch(sample, seed=3).main.length == pytest.approx(2.9)
    slow, _ = await experiment({**ROBOT, "mixing_speed": 3000.0})
    assert hidden_batch(slow, seed=3).main.kind == "decahedron"
    _, same = await experiment({**ROBOT, "speed_a": 4000.0})
    assert np.array_equal(measured.y, same.y)


async def test_pumps_that_do_not_fill_the_vessel_are_refused_before_anything_moves():
    bench = Bench(VirtualClock(), Path(), 3)
    reactor = robot_reactor("robot", {}, bench)
    recipe = {**ROBOT, "volume_a": 0.5}
    with pytest.raises(CommandRefused, match=r"sum to 1\.2"):
        reactor.check(Synthesize(sample_id="c/0", number=0, recipe=recipe))
    with pytest.raises(CommandRefused, match=r"uv = 2\.5 is none of"):
        reactor.check(Synthesize(sample_id="c/0", number=0, recipe={**ROBOT, "uv": 2.5}))


async def test_a_sample_that_no_reactor_grew_is_refused():
    sample, _ = await experiment(SOLUTION)
    scanner = total_scattering("beamline", {}, Bench(VirtualClock(), Path(), 3))
    foreign = sample.model_copy(update={"recipe": {"thickness": 2.0}})
    with pytest.raises(CommandRefused, match="gives no number for temperature"):
        scanner.check(Measure(measurement_id="c/0/pdf/1", sample=foreign))
    odd = sample.model_copy(update={"recipe": {**SOLUTION, "solvent": "Mercury"}})
    with pytest.raises(CommandRefused, match="the solvent is Mercury"):
        scanner.check(Measure(measurement_id="c/0/pdf/1", sample=odd))


async def test_a_closed_shutter_is_flagged_and_its_curve_has_no_peak():
    faults = {"shutter_closed": 1.0}
    _, measured = await experiment(SOLUTION, settings={"faults": faults})
    assert measured.flags == ("shutter_closed", "no_peak")
    assert np.all(measured.y <= 0.0)


@pytest.mark.parametrize("factory", [solution_reactor, robot_reactor, total_scattering])
@pytest.mark.parametrize(
    "settings", [{"faults": {"x": 1}}, {"colour": 1}, {"limits": {"x": (0, 1)}}]
)
def test_wrong_settings_are_refused_when_the_laboratory_is_set_up(factory, settings):
    with pytest.raises(ValidationError):
        factory("twin", settings, Bench(VirtualClock(), Path(), 0))


@pytest.mark.parametrize(
    ("name", "factory"),
    [
        ("simulated.solution_reactor", solution_reactor),
        ("simulated.robot_reactor", robot_reactor),
        ("simulated.total_scattering", total_scattering),
    ],
)
def test_the_twins_stand_at_the_front_door_with_a_card(name, factory):
    (point,) = entry_points(group="sdlab.instruments", name=name)
    assert point.load() is factory
    assert "Leaves out" in GOLD_CARDS[name].as_text(name)


def test_the_cards_name_every_fault_a_twin_can_produce():
    known = (SOLUTION_FAULTS, ROBOT_FAULTS, SCATTERING_FAULTS)
    assert [card.faults for card in GOLD_CARDS.values()] == list(known)


async def test_an_analysis_that_knows_nothing_of_accidents_still_finds_the_cluster():
    settings = {"noise": 1.0, "residual": 0.02, "accidents": {"minority": 0.02, "strain": 0.002}}
    _, measured = await experiment({**SOLUTION, "pH": 5.0}, settings=settings)
    agent = make_match({"most_atoms": 200, "bond_range": [2.6, 3.4], "fitted": 5}, Path())
    found = agent.analyze([measured], rng=np.random.default_rng(0))
    types = found.class_probabilities["pdf.type"]
    assert max(types, key=types.__getitem__) == "icosahedron"
    # noise and strain are a tenth of that; the rest is how the agent averages over its fits
    assert found.estimates["pdf.bond"].value == pytest.approx(2.9, rel=0.01)
