"""xrd.novelty tells patterns of known phases from others, and keeps its promise of false alarms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis import weights
from analysis.conformance import check_agent
from analysis.errors import BadPattern, WeightsNotTrained
from analysis.physics.structures import structure
from analysis.xrd.agents.novelty import Novelty, make
from analysis.xrd.forward import PhaseState, pattern, phase_columns
from analysis.xrd.profile import Resolution
from analysis.xrd.radiation import CU_K_ALPHA
from analysis.xrd.training import novelty_trainer
from analysis.xrd.training.phases import TWO_THETA
from analysis.xrd.unexplained import QuickScreen
from instruments.measurement import Measurement
from tests.analysis.xrd.conftest import FEW
from tests.analysis.xrd.patterns import measurement

CANDIDATES = FEW
GRID = np.arange(10.0, 80.001, 0.04)


def quiet(what: str, done: int, of: int) -> None:
    """Hear of the progress, and keep it."""


@pytest.fixture(scope="module")
def cache(few_phases: Path) -> Path:
    """Return a folder of tiny networks with a calibration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(few_phases))
        novelty_trainer.train({"phases": FEW}, few_phases, recipe="tiny", seed=0, told=quiet)
    return few_phases


def made(cache: Path, **settings: object) -> Novelty:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(cache))
        return make({"phases": CANDIDATES, "recipe": "tiny", **settings}, cache)


@pytest.fixture(scope="module")
def agent(cache: Path) -> Novelty:
    """Return the agent with all candidates."""
    return made(cache)


def measured(fractions: dict[str, float], *, grid: np.ndarray = GRID) -> Measurement:
    bragg = pattern(
        grid,
        [PhaseState(structure(n), weight_fraction=f, size=500.0) for n, f in fractions.items()],
        displacement=0.06,
    )
    expected = 300.0 + 8000.0 * bragg / bragg.max()
    return measurement(grid, np.random.default_rng(0).poisson(expected).astype(np.float64))


def novelty(agent: Novelty, fractions: dict[str, float]) -> float:
    told = agent.analyze([measured(fractions)], rng=np.random.default_rng(0)).novelty
    assert told is not None
    return told


@pytest.mark.parametrize("fractions", [{"rutile": 1.0}, {"corundum": 0.5, "halite": 0.5}])
def test_mixtures_of_candidates_are_not_novel(agent: Novelty, fractions: dict[str, float]) -> None:
    assert novelty(agent, fractions) < 0.5


def test_a_stranger_is_novel_and_the_remarks_say_where(agent: Novelty) -> None:
    insight = agent.analyze(
        [measured({"quartz": 0.6, "rutile": 0.4})], rng=np.random.default_rng(0)
    )
    assert insight.novelty is not None
    assert insight.novelty > 0.5
    assert insight.quality["p_value"] <= 0.05
    # The strongest line of quartz stands at 26.6° for Cu Kα, where no candidate but rutile has one.
    assert any("no candidate explains" in remark for remark in insight.remarks)


def test_novelty_passes_one_half_where_the_p_value_meets_the_level(cache: Path) -> None:
    for level in (0.02, 0.2):
        insight = made(cache, false_alarms=level).analyze(
            [measured({"rutile": 1.0})], rng=np.random.default_rng(0)
        )
        assert insight.novelty == pytest.approx(level / (insight.quality["p_value"] + level))


def test_an_excluded_phase_that_is_there_is_stranger(agent: Novelty, cache: Path) -> None:
    without = made(cache, excluded=["corundum"])
    scan = measured({"rutile": 0.3, "corundum": 0.7})
    complete, lacking = agent.signs(scan), without.signs(scan)
    assert without.score(lacking) > agent.score(complete)
    assert lacking.rest.area > complete.rest.area + 0.1


def test_of_several_scans_the_strangest_counts(agent: Novelty) -> None:
    known, strange = measured({"rutile": 1.0}), measured({"quartz": 1.0})
    both = agent.analyze([known, strange], rng=np.random.default_rng(0))
    alone = agent.analyze([strange], rng=np.random.default_rng(0))
    assert both.novelty == alone.novelty


def test_the_card_tells_of_alarms(agent: Novelty) -> None:
    figures = agent.card.figures
    # 20 fresh samples, a level of 5 %: more than 20 % would have a chance of 1 in 400.
    assert figures["in the world.alarms"] <= 0.2
    assert 0 <= figures["a phase that is no candidate.auroc"] <= 1


def test_a_short_pattern_is_refused_with_the_range(agent: Novelty) -> None:
    short = measured({"rutile": 1.0}, grid=np.arange(20.0, 55.0, 0.04))
    with pytest.raises(BadPattern, match="at least 25 to 60"):
        agent.analyze([short], rng=np.random.default_rng(0))


def test_untrained_networks_name_their_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    with pytest.raises(WeightsNotTrained, match=r"sdlab train xrd\.phases"):
        make({"phases": CANDIDATES, "recipe": "tiny"}, tmp_path)


def test_the_agent_conforms(agent: Novelty) -> None:
    check_agent(agent, [measured({"rutile": 1.0})], rng=np.random.default_rng(0))


def test_the_screen_forgives_a_strained_cell_and_not_a_missing_phase() -> None:
    crystals = [structure(name) for name in CANDIDATES]
    resolution = Resolution()
    columns = phase_columns(
        TWO_THETA,
        [PhaseState(c, size=600.0) for c in crystals],
        radiation=CU_K_ALPHA,
        resolution=resolution,
    ).T
    screen = QuickScreen(
        crystals,
        TWO_THETA,
        np.ascontiguousarray(columns),
        radiation=CU_K_ALPHA,
        resolution=resolution,
    )

    def area(name: str, strain: float) -> float:
        crystal = structure(name)
        cell = tuple(v * (1 + strain) if i < 3 else v for i, v in enumerate(crystal.cell))
        bragg = pattern(TWO_THETA, [PhaseState(crystal, cell=cell, size=400.0)])
        return screen.rest(200.0 + 5000.0 * bragg / bragg.max()).area

    assert area("rutile", 0.004) < 0.05
    assert area("quartz", 0.0) > 0.3
