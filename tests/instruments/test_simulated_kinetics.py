"""The hidden truth of the simulated furnace behaves as titania does."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.simulated.kinetics import (
    ALUMINIUM,
    IRON,
    TITANIA_PHASES,
    Arrhenius,
    Batch,
    Powder,
    Titania,
    calcine,
)
from instruments.simulated.programme import Programme

temperatures = st.floats(350, 1000)
dwells = st.floats(0.1, 24)
ramps = st.floats(0.5, 20)
dopants = st.floats(0, 8)


def fire(
    temperature: float,
    dwell: float = 2.0,
    *,
    ramp: float = 5.0,
    dopant: float = 0.0,
    system: Titania | None = None,
    batch: Batch | None = None,
) -> Powder:
    programme = Programme(temperature, dwell, ramp)
    return calcine(programme, dopant=dopant, system=system or Titania(), batch=batch or Batch())


def flash(temperature: float, hours: float, system: Titania) -> Powder:
    """Fire almost without ramp and cooling."""
    programme = Programme(temperature, hours, 1e5, cooling_time=1e-5)
    return calcine(programme, dopant=0.0, system=system, batch=Batch())


def test_a_rate_constant_integrates_to_rate_times_time_at_its_reference_temperature():
    law = Arrhenius(2e-4, 650.0, 300.0)
    kelvin = np.full(50, 650.0 + 273.15)
    assert law.integral(np.linspace(0, 7200, 50), kelvin) == pytest.approx(2e-4 * 7200)


def test_isothermal_transformation_follows_avrami():
    system = Titania(brookite_share=0.0, shell=0.0)
    theta = system.anatase_to_rutile.rate * 3600.0 * 1.5
    expected = 1.0 - math.exp(-(theta**system.avrami_exponent))
    # The remaining ramp and cooling last seconds and add less than a part in a thousand.
    assert flash(700.0, 1.5, system).crystalline_fraction("rutile") == pytest.approx(
        expected, rel=2e-3
    )


def test_isothermal_coarsening_follows_its_power_law():
    system = Titania()
    expected = (system.nucleus**5 + system.anatase_growth.rate * 3.0 * 3600.0) ** 0.2
    assert flash(600.0, 3.0, system).sizes["anatase"] == pytest.approx(expected, rel=2e-3)


def test_gel_stays_mostly_amorphous_at_350_degrees_for_an_hour():
    assert fire(350.0, 1.0).amorphous > 0.7


def test_no_rutile_below_500_degrees_in_two_hours():
    assert fire(490.0).crystalline_fraction("rutile") < 1e-3


def test_all_rutile_at_1000_degrees():
    powder = fire(1000.0)
    assert powder.crystalline_fraction("rutile") > 0.9999
    assert powder.weight_fractions["rutile"] > 0.97


def test_half_of_an_undoped_gel_is_rutile_after_two_hours_near_700_degrees():
    assert fire(700.0).crystalline_fraction("rutile") == pytest.approx(0.5, abs=0.1)


@given(temperature=temperatures, dwell=dwells, ramp=ramps, dopant=dopants)
def test_weights_are_fractions_that_sum_to_one(temperature, dwell, ramp, dopant):
    batch = Batch.draw(np.random.default_rng(1), offset=3.0, spread=1.0)
    powder = fire(temperature, dwell, ramp=ramp, dopant=dopant, batch=batch)
    weights = [*powder.weight_fractions.values(), powder.amorphous]
    assert min(weights) >= 0
    assert sum(weights) == pytest.approx(1.0)


@given(temperature=st.floats(350, 980), dwell=dwells, ramp=ramps, dopant=dopants)
def test_hotter_means_more_rutile_and_larger_crystallites(temperature, dwell, ramp, dopant):
    cooler = fire(temperature, dwell, ramp=ramp, dopant=dopant)
    hotter = fire(temperature + 20.0, dwell, ramp=ramp, dopant=dopant)
    assert hotter.crystalline_fraction("rutile") >= cooler.crystalline_fraction("rutile") - 1e-9
    assert all(hotter.sizes[name] > cooler.sizes[name] for name in TITANIA_PHASES)


@given(temperature=temperatures, dwell=dwells, ramp=ramps, dopant=dopants)
def test_longer_means_more_rutile_and_larger_crystallites(temperature, dwell, ramp, dopant):
    shorter = fire(temperature, dwell, ramp=ramp, dopant=dopant)
    longer = fire(temperature, 1.2 * dwell, ramp=ramp, dopant=dopant)
    assert longer.crystalline_fraction("rutile") >= shorter.crystalline_fraction("rutile") - 1e-9
    assert all(longer.sizes[name] > shorter.sizes[name] for name in TITANIA_PHASES)


@given(temperature=temperatures, dwell=dwells, ramp=st.floats(0.5, 10))
def test_a_slow_ramp_transforms_more_than_a_fast_one(temperature, dwell, ramp):
    slow = fire(temperature, dwell, ramp=ramp).crystalline_fraction("rutile")
    fast = fire(temperature, dwell, ramp=2 * ramp).crystalline_fraction("rutile")
    assert slow >= fast


@given(temperature=st.floats(550, 750), dopant=st.floats(0.2, 4))
def test_iron_promotes_and_aluminium_retards_rutile(temperature, dopant):
    plain = fire(temperature).crystalline_fraction("rutile")
    iron = fire(temperature, dopant=dopant, system=Titania(dopant=IRON))
    aluminium = fire(temperature, dopant=dopant, system=Titania(dopant=ALUMINIUM))
    assert iron.crystalline_fraction("rutile") > plain > aluminium.crystalline_fraction("rutile")


@pytest.mark.parametrize("dopant", [IRON, ALUMINIUM])
def test_dopants_restrain_coarsening(dopant):
    doped = fire(650.0, dopant=2.0, system=Titania(dopant=dopant))
    assert doped.sizes["anatase"] < 0.95 * fire(650.0).sizes["anatase"]


def test_iron_beyond_its_solubility_becomes_hematite():
    little, much = fire(650.0, dopant=0.5), fire(650.0, dopant=8.0)
    assert fire(650.0).weight_fractions["hematite"] == 0
    assert little.weight_fractions["hematite"] < 1e-3
    assert much.weight_fractions["hematite"] > 0.04
    assert much.dissolved < IRON.solubility


def test_a_batch_without_spread_has_only_the_constant_offset():
    batch = Batch.draw(np.random.default_rng(0), offset=2.5, spread=0.0)
    assert batch == Batch(temperature_offset=2.5)


@given(temperature=st.floats(400, 1000), dwell=dwells, ramp=ramps, share=st.floats(0, 1))
def test_the_programme_at_any_time_agrees_with_its_history(temperature, dwell, ramp, share):
    programme = Programme(temperature, dwell, ramp)
    times, kelvin = programme.history()
    moment = share * programme.seconds
    # Linear interpolation errs where the cooling curve bends, by far less than a kelvin.
    assert programme.at(moment) == pytest.approx(np.interp(moment, times, kelvin - 273.15), abs=0.5)


def test_a_programme_that_does_not_heat_is_refused():
    with pytest.raises(ValueError, match="must rise above 60 °C"):
        Programme(40.0, 1.0, 5.0)
    with pytest.raises(ValueError, match="must be positive"):
        Programme(400.0, 1.0, 0.0)


def test_the_energy_of_a_hold_is_its_losses():
    short, long = Programme(825.0, 1.0, 5.0), Programme(825.0, 3.0, 5.0)
    energy = [p.energy(heat_capacity=12.0, loss=1.5) for p in (short, long)]
    assert energy[1] - energy[0] == pytest.approx(1.5e-3 * 800.0 * 2.0)
