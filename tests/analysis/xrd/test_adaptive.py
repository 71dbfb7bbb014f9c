"""xrd.adaptive names phases and asks for the scan that separates what it cannot tell apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.conformance import check_agent
from analysis.errors import BadPattern
from analysis.insight import Insight
from analysis.physics.structures import structure
from analysis.xrd.agents.adaptive import Adaptive, make
from analysis.xrd.forward import PhaseState, pattern
from instruments.measurement import Measurement
from tests.analysis.xrd.patterns import measurement

CANDIDATES = ["anatase", "rutile", "corundum", "quartz", "halite", "periclase"]
TIMING = {"overhead": 20.0, "move": 0.0, "channels": 100.0}
STEP = 0.04


def scan(
    fractions: dict[str, float], *, low: float = 15.0, high: float = 80.0, time: float, seed: int
) -> Measurement:
    """Return a scan of a mixture: 40 counts a second at the highest peak over 2 of background."""
    whole = np.arange(15.0, 80.0, STEP)
    bragg = pattern(
        whole,
        [PhaseState(structure(n), weight_fraction=f, size=500.0) for n, f in fractions.items()],
        displacement=0.05,
    )
    inside = (whole >= low) & (whole <= high)
    rate = (2.0 + 40.0 * bragg / bragg.max())[inside]
    counts = np.random.default_rng(seed).poisson(rate * time).astype(float)
    return measurement(
        whole[inside], counts, identifier=f"s/xrd/{seed}", counting_time=time, step=STEP
    )


def adaptive(**settings: object) -> Adaptive:
    return make({"phases": CANDIDATES, "timing": TIMING, "budget": 600.0, **settings}, Path())


@pytest.fixture(scope="module")
def agent() -> Adaptive:
    return adaptive()


def read(agent: Adaptive, *scans: Measurement) -> Insight:
    return agent.analyze(scans, rng=np.random.default_rng(0))


def named(insight: Insight) -> set[str]:
    sets = insight.class_probabilities["xrd.phase_set"]
    return set(max(sets, key=lambda name: sets[name]).split(" + "))


TRACE = {"corundum": 0.96, "quartz": 0.04}


def test_it_keeps_to_the_protocol(agent: Adaptive) -> None:
    insight = check_agent(agent, [scan(TRACE, time=0.5, seed=2)], rng=np.random.default_rng(0))
    assert insight.evidence["information"].columns["expected_information"].max() > 0


def test_the_phases_of_a_well_counted_mixture_are_named(agent: Adaptive) -> None:
    insight = read(agent, scan({"anatase": 0.7, "rutile": 0.3}, time=50.0, seed=2))
    assert named(insight) == {"anatase", "rutile"}
    assert insight.estimates["xrd.weight_fraction.rutile"].value == pytest.approx(0.3, abs=0.03)


def test_it_asks_for_the_line_of_the_phase_in_doubt(agent: Adaptive) -> None:
    insight = read(agent, scan(TRACE, time=0.5, seed=2))
    request = insight.next_measurement
    assert request is not None
    assert request.reason in insight.remarks  # for a person who reads no settings
    # Quartz 101, its strongest line, at 26.64°; corundum has none between 25.6 and 35.1°.
    assert request.settings["two_theta_min"] < 26.6 < request.settings["two_theta_max"]
    assert request.settings["two_theta_max"] - request.settings["two_theta_min"] < 30
    assert request.expected_gain is not None
    assert 0 < request.expected_gain < np.log(2) * 3
    assert "quartz" in request.reason


def test_the_scan_it_asks_for_settles_the_doubt(agent: Adaptive) -> None:
    scans = [scan(TRACE, time=0.5, seed=2)]
    assert named(read(agent, *scans)) == {"corundum"}  # a trace drowned in noise
    for seed in range(5):
        request = read(agent, *scans).next_measurement
        if request is None:
            break
        asked = request.settings
        scans.append(
            scan(
                TRACE,
                low=float(asked["two_theta_min"]),
                high=float(asked["two_theta_max"]),
                time=float(asked["counting_time"]),
                seed=100 + seed,
            )
        )
    final = read(agent, *scans)
    assert named(final) == {"corundum", "quartz"}
    assert len(scans) > 1
    assert final.class_probabilities["xrd.phase.quartz"]["present"] > 0.9
    assert agent.settings.timing.spent(scans) <= agent.settings.budget


def test_it_asks_for_nothing_it_cannot_pay_or_time(agent: Adaptive) -> None:
    weak = scan(TRACE, time=0.5, seed=2)
    spent = adaptive(budget=agent.settings.timing.spent([weak]) + 19.0)
    assert read(spent, weak).next_measurement is None
    untimed = measurement(weak.x, weak.y)
    assert read(agent, untimed).next_measurement is None


def test_it_asks_for_nothing_once_it_is_sure_or_nothing_promises_enough() -> None:
    weak = scan(TRACE, time=0.5, seed=2)
    assert read(adaptive(sure=0.3), weak).next_measurement is None
    assert read(adaptive(least_gain=5.0), weak).next_measurement is None


def test_it_asks_beyond_the_range_only_within_reach() -> None:
    short = scan(TRACE, low=30.0, high=60.0, time=4.0, seed=3)
    outside = read(adaptive(reach=(15.0, 80.0)), short).next_measurement
    assert outside is not None
    # Between 30 and 60° quartz has weak lines only; its strongest is below.
    assert outside.settings["two_theta_min"] < 26.6
    within = read(adaptive(), short).next_measurement
    assert within is None or within.settings["two_theta_min"] > 29.9


def test_a_phase_that_is_no_candidate_is_abstained_from() -> None:
    stranger = scan({"cerianite": 1.0}, time=20.0, seed=4)
    insight = read(adaptive(phases=["corundum", "quartz"]), stranger)
    assert insight.abstained
    assert "no candidate" in insight.remarks[0]


def test_no_scan_and_a_wrong_reach_are_refused(agent: Adaptive) -> None:
    with pytest.raises(BadPattern, match="no measurement"):
        read(agent)
    with pytest.raises(ValueError, match="reach"):
        adaptive(reach=(80.0, 20.0))
