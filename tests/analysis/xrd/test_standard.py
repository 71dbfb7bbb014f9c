from pathlib import Path

import numpy as np
import pytest

from analysis import BadSettings
from analysis.conformance import check_agent
from analysis.physics.structures import structure
from analysis.xrd.agents.quantify import Quantify, make
from analysis.xrd.forward import PhaseState
from instruments.measurement import Measurement
from tests.analysis.xrd.patterns import TWO_THETA, counted

STANDARD = 0.2
ANATASE, RUTILE = 0.45, 0.25


def agent(phase: str = "corundum") -> Quantify:
    settings = {
        "phases": ["anatase", "rutile", "corundum"],
        "standard": {"phase": phase, "weight_fraction": STANDARD},
        # The simulation has no grains.
        "particle_diameter": 0.0,
    }
    return make(settings, Path())


def spiked(seed: int, *, corundum: float = STANDARD) -> Measurement:
    """A sample of anatase, rutile and 30 % of glass, into which corundum was weighed."""
    rest = 1 - STANDARD
    mixture = [
        PhaseState(structure("anatase"), ANATASE * rest, size=300.0),
        PhaseState(structure("rutile"), RUTILE * rest, size=400.0),
        PhaseState(structure("corundum"), corundum, size=900.0),
    ]
    hump = 1500 * np.exp(-(((TWO_THETA - 27) / 8) ** 2))
    return counted(mixture, rng=np.random.default_rng(seed), peak=2e4, background=100 + hump)


@pytest.mark.parametrize("seed", [0, 1])
def test_an_internal_standard_tells_how_much_is_glass(seed: int) -> None:
    insight = check_agent(agent(), [spiked(seed)], rng=np.random.default_rng(0))
    truth = {
        "xrd.amorphous_fraction": 1 - ANATASE - RUTILE,
        "xrd.weight_fraction.anatase": ANATASE,
        "xrd.weight_fraction.rutile": RUTILE,
    }
    for key, value in truth.items():
        found = insight.estimates[key]
        assert found.std is not None
        # Three standard deviations, and they must say something.
        assert found.value == pytest.approx(value, abs=3 * found.std)
        assert found.std < 0.03
    assert "xrd.weight_fraction.corundum" not in insight.estimates
    assert sum(insight.estimates[key].value for key in truth) == pytest.approx(1)


def test_fractions_and_glass_vary_against_each_other() -> None:
    insight = agent().analyze([spiked(2)], rng=np.random.default_rng(0))
    assert insight.covariance is not None
    keys = ("xrd.weight_fraction.anatase", "xrd.weight_fraction.rutile", "xrd.amorphous_fraction")
    rows = [insight.covariance_keys.index(key) for key in keys]
    # Their sum is 1 without any uncertainty.
    assert insight.covariance[np.ix_(rows, rows)].sum() == pytest.approx(0, abs=1e-12)


def test_without_the_standard_in_the_pattern_it_abstains() -> None:
    insight = agent().analyze([spiked(3, corundum=0.0)], rng=np.random.default_rng(0))
    assert insight.abstained
    assert "standard" in insight.remarks[0]


def test_a_standard_that_is_no_phase_is_refused() -> None:
    with pytest.raises(BadSettings, match="quartz is no phase"):
        agent("quartz")
