"""xrd.demix on simulated spreads whose phases are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.conformance import check_collective_agent
from analysis.errors import BadPattern
from analysis.insight import Insight
from analysis.learning.decomposition.grouping import matched_columns
from analysis.physics.structures import structure
from analysis.xrd.agents.demix import Demix, DemixSettings, make
from analysis.xrd.demixing import common_curves, compositions
from analysis.xrd.demixing_spread import Spread, simulate_spread
from analysis.xrd.demixing_worlds import World, draw_spread
from instruments.measurement import Measurement
from tests.analysis.xrd.patterns import measurement

TWO_THETA = np.arange(20.0, 75.0, 0.1)
NAMES = ("rutile", "corundum", "halite")


@pytest.fixture(scope="module")
def spread() -> Spread:
    return simulate_spread(
        [structure(name) for name in NAMES],
        TWO_THETA,
        rng=np.random.default_rng(1),
        n_solid_solutions=1,
        largest_strain=0.02,
        n_edge=10,
    )


@pytest.fixture(scope="module")
def measurements(spread: Spread) -> list[Measurement]:
    return [
        measurement(TWO_THETA, counts + 100.0, identifier=f"s{i}/xrd/0")
        for i, counts in enumerate(spread.patterns)
    ]


def test_no_sample_of_a_spread_breaks_gibbs_rule() -> None:
    many = simulate_spread(
        [structure(name) for name in (*NAMES, "fluorite", "copper")],
        TWO_THETA,
        rng=np.random.default_rng(0),
        n_edge=8,
    )
    assert (many.fractions > 0).sum(axis=1).max() <= 3
    np.testing.assert_allclose(many.fractions.sum(axis=1), 1.0)


def test_the_phases_of_a_simulated_spread_are_found(
    spread: Spread, measurements: list[Measurement]
) -> None:
    agent = make({}, Path())
    insights = check_collective_agent(agent, measurements, rng=np.random.default_rng(0))
    assert insights[0].quality["n_phases"] == len(NAMES)
    found = np.array([[e.value for e in i.estimates.values()] for i in insights])
    matched = matched_columns(found, spread.fractions)
    # A part in twenty: texture and noise leave a few per cent.
    assert 0.5 * np.abs(matched - spread.fractions).sum(axis=1).mean() < 0.05


def test_compositions_are_read_from_settings(measurements: list[Measurement]) -> None:
    stated = [
        replace(m, settings={**m.settings, "Ti": 2.0 * i, "Al": 2.0})
        for i, m in enumerate(measurements)
    ]
    assert compositions(stated, ()) is None
    found = compositions(stated, ("Ti", "Al"))
    assert found is not None
    np.testing.assert_allclose(found[:2], np.array([[0.0, 1.0], [0.5, 0.5]]))
    with pytest.raises(BadPattern, match="Na = None"):
        compositions(stated, ("Ti", "Na"))
    negative = replace(stated[0], settings={"Ti": -1.0, "Al": 2.0})
    with pytest.raises(BadPattern, match="at least 0"):
        compositions([negative], ("Ti", "Al"))


def test_an_agent_that_knows_compositions_answers(
    spread: Spread, measurements: list[Measurement]
) -> None:
    stated = [
        replace(m, settings={**m.settings, **dict(zip("abc", map(float, row), strict=True))})
        for m, row in zip(measurements, spread.composition, strict=True)
    ]
    agent = Demix(DemixSettings(components=("a", "b", "c")))
    insights = agent.analyze_together(stated, rng=np.random.default_rng(0))
    assert insights[0].quality["n_phases"] == len(NAMES)
    with pytest.raises(BadPattern, match="number was expected"):
        agent.analyze(measurements, rng=np.random.default_rng(0))


class Backwards(Demix):
    def analyze_together(
        self, measurements: Sequence[Measurement], *, rng: np.random.Generator
    ) -> list[Insight]:
        return super().analyze_together(measurements, rng=rng)[::-1]


def test_an_agent_that_answers_out_of_order_does_not_conform(
    measurements: list[Measurement],
) -> None:
    agent = Backwards(DemixSettings())
    with pytest.raises(AssertionError, match="keep the order"):
        check_collective_agent(agent, measurements[:20], rng=np.random.default_rng(0))


def test_a_pattern_that_is_explained_worse_than_asked_is_abstained_from(
    measurements: list[Measurement],
) -> None:
    agent = make({"largest_unexplained": 0.001}, Path())
    insight = agent.analyze(measurements, rng=np.random.default_rng(0))
    assert insight.abstained
    assert "belongs to no phase" in insight.remarks[0]
    assert insight.novelty is not None
    assert insight.novelty > 0.001


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: replace(m, technique="sas"), "'sas'"),
        (lambda m: replace(m, y=m.y - 1e4), "negative counts"),
        (lambda m: replace(m, x_name="energy", x_unit="eV"), "'energy'"),
        (lambda m: replace(m, settings={}), "wavelength None"),
        (lambda m: replace(m, x=m.x + 40), "one range"),
        (lambda m: replace(m, y=np.full_like(m.y, 7.0)), "no peak"),
    ],
)
def test_what_cannot_be_demixed_is_refused(
    measurements: list[Measurement],
    change: Callable[[Measurement], Measurement],
    said: str,
) -> None:
    with pytest.raises(BadPattern, match=said):
        common_curves([*measurements[:8], change(measurements[8])])


def test_one_pattern_is_no_set(measurements: list[Measurement]) -> None:
    with pytest.raises(BadPattern, match="1 patterns cannot be demixed"):
        make({}, Path()).analyze(measurements[:1], rng=np.random.default_rng(0))


def test_patterns_of_two_wavelengths_meet_on_one_axis(measurements: list[Measurement]) -> None:
    one = measurements[0]
    shorter = 1.4
    sine = np.sin(np.radians(one.x / 2)) * shorter / 1.5405929
    other = replace(one, x=np.degrees(2 * np.arcsin(sine)), settings={"wavelength": shorter})
    _, curves = common_curves([one] * 5 + [other])
    np.testing.assert_allclose(curves[-1], curves[0], atol=1e-6 * curves.max())


def test_a_drawn_spread_is_repeated_by_its_seed_and_keeps_gibbs_rule() -> None:
    small = World(n_edge=(6, 6), n_points=(300, 300))
    one, other = (draw_spread(rng=np.random.default_rng(5), world=small) for _ in range(2))
    np.testing.assert_array_equal(one.patterns, other.patterns)
    assert (one.fractions > 0).sum(axis=1).max() <= 3
    held_out = draw_spread(rng=np.random.default_rng(5), world=small, held_out=True)
    assert not np.array_equal(one.patterns.shape, held_out.patterns.shape) or not np.array_equal(
        one.patterns, held_out.patterns
    )


def test_a_cell_that_changes_one_way_moves_its_peaks_to_one_side() -> None:
    crystals = [structure(name) for name in NAMES]
    for seed in range(3):
        one = simulate_spread(
            crystals,
            TWO_THETA,
            rng=np.random.default_rng(seed),
            n_solid_solutions=1,
            one_way=True,
            texture=0.0,
            n_edge=8,
        )
        part = one.contributions[:, 0]
        there = part.max(axis=1) > 0
        mean = (part[there] @ TWO_THETA) / part[there].sum(axis=1)
        pure = mean[one.composition[there, 0].argmax()]
        assert np.all(mean >= pure - 1e-3) or np.all(mean <= pure + 1e-3)
