"""xrd.parameters reads a known system, one pattern or a map, and declines outside its world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis import weights
from analysis.conformance import check_agent, check_collective_agent
from analysis.errors import BadPattern, BadSettings, WeightsNotTrained
from analysis.physics.cell import scale_cell
from analysis.physics.structures import structure
from analysis.xrd.agents.parameters import Parameters, make
from analysis.xrd.forward import PhaseState, Resolution
from analysis.xrd.training.parameters_trainer import train
from instruments.measurement import Measurement
from tests.analysis.xrd.patterns import counted

SETTINGS: dict[str, object] = {
    "phases": ["bunsenite", "cerianite", "corundum"],
    "two_theta": [22.0, 78.0],
    "size": [40.0, 400.0],
    "resolution": {"w": 0.006},
}
GRID = np.arange(20.0, 80.0, 0.02)


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Parameters:
    """Return an agent whose networks were trained in seconds."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(cache))
        train(SETTINGS, cache, recipe="tiny", seed=0, told=lambda what, done, of: None)
        return make({**SETTINGS, "recipe": "tiny"}, cache)


def measured(
    fractions: dict[str, float],
    *,
    strain: float = 0.0,
    size: float = 150.0,
    seed: int = 0,
    x: np.ndarray = GRID,
    displacement: float = 0.0,
) -> Measurement:
    phases = [
        PhaseState(
            structure(name),
            weight_fraction=f,
            cell=scale_cell(structure(name), 1 + strain),
            size=size,
            microstrain=1e-4,
        )
        for name, f in fractions.items()
    ]
    return counted(
        phases,
        rng=np.random.default_rng(seed),
        peak=5e4,
        background=2000.0,
        resolution=Resolution(w=0.006),
        displacement=displacement,
        x=x,
    )


MIXTURE = {"bunsenite": 0.3, "cerianite": 0.3, "corundum": 0.4}


def test_fractions_cells_and_sizes_are_found(agent: Parameters) -> None:
    insight = agent.analyze(
        [measured(MIXTURE, strain=0.003, displacement=0.03)], rng=np.random.default_rng(0)
    )
    said = {key: e.value for key, e in insight.estimates.items()}
    for name, fraction in MIXTURE.items():
        assert said[f"xrd.weight_fraction.{name}"] == pytest.approx(fraction, abs=0.01)
        # Statistics alone leave less than half of this.
        assert said[f"xrd.lattice.{name}.a"] == pytest.approx(
            1.003 * structure(name).cell[0], abs=0.002
        )
        assert said[f"xrd.crystallite_size.{name}"] == pytest.approx(150.0, rel=0.1)
    assert said["xrd.displacement"] == pytest.approx(0.03, abs=0.01)


def test_truths_lie_within_a_few_deviations(agent: Parameters) -> None:
    scores = []
    for seed in range(12):
        insight = agent.analyze(
            [measured(MIXTURE, strain=-0.002, seed=seed)], rng=np.random.default_rng(0)
        )
        for name in MIXTURE:
            estimate = insight.estimates[f"xrd.lattice.{name}.a"]
            assert estimate.std is not None
            scores.append((estimate.value - 0.998 * structure(name).cell[0]) / estimate.std)
    # 36 normal scores have a root mean square of 1 ± 0.12.
    assert 0.5 < float(np.sqrt(np.mean(np.square(scores)))) < 1.6


def test_a_phase_that_is_not_there_has_no_cell(agent: Parameters) -> None:
    insight = agent.analyze(
        [measured({"bunsenite": 0.5, "corundum": 0.5})], rng=np.random.default_rng(0)
    )
    assert insight.estimates["xrd.weight_fraction.cerianite"].value < 0.005
    assert "xrd.lattice.cerianite.a" not in insight.estimates
    assert "xrd.lattice.bunsenite.a" in insight.estimates


def test_a_foreign_phase_is_doubted_or_declined(agent: Parameters) -> None:
    right = agent.analyze([measured(MIXTURE)], rng=np.random.default_rng(0))
    strange = agent.analyze([measured({**MIXTURE, "rutile": 0.4})], rng=np.random.default_rng(0))
    assert right.p_wrong is not None
    assert right.novelty is not None
    assert strange.novelty is not None
    assert strange.novelty > right.novelty + 0.1
    assert strange.abstained or (strange.p_wrong or 0.0) > right.p_wrong


def test_nothing_listed_is_declined(agent: Parameters) -> None:
    insight = agent.analyze([measured({"halite": 1.0})], rng=np.random.default_rng(0))
    assert insight.abstained


def test_a_cell_beyond_the_range_is_declined(agent: Parameters) -> None:
    insight = agent.analyze(
        [measured({"bunsenite": 0.6, "corundum": 0.4}, strain=0.0075)],
        rng=np.random.default_rng(0),
    )
    assert insight.abstained
    assert any("outside" in remark for remark in insight.remarks)


def test_a_map_is_read_as_its_patterns_one_by_one(agent: Parameters) -> None:
    """Also where patterns of two kinds of grid are mixed; batches differ in rounding only."""
    coarse = np.arange(20.0, 80.0, 0.05)
    patterns = [
        measured(MIXTURE, strain=0.001 * k, seed=k, x=coarse if k == 2 else GRID) for k in range(4)
    ]
    together = agent.analyze_together(patterns, rng=np.random.default_rng(0))
    for pattern, insight in zip(patterns, together, strict=True):
        alone = agent.analyze([pattern], rng=np.random.default_rng(0))
        assert insight.estimates.keys() == alone.estimates.keys()
        for key, estimate in alone.estimates.items():
            assert estimate.std is not None
            assert abs(insight.estimates[key].value - estimate.value) < 0.05 * estimate.std + 1e-9


def test_one_bad_pattern_spoils_no_map(agent: Parameters) -> None:
    short = measured(MIXTURE, x=np.arange(30.0, 80.0, 0.02))
    told = agent.analyze_together(
        [measured(MIXTURE), short, measured(MIXTURE, seed=1)], rng=np.random.default_rng(0)
    )
    assert [insight.abstained for insight in told] == [False, True, False]
    assert "look from 22 to 78" in told[1].remarks[0]


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.arange(30.0, 80.0, 0.02), "look from 22 to 78"),
        (np.arange(20.0, 80.0, 0.25), "too coarse"),
    ],
)
def test_another_range_is_refused_with_a_sentence(
    agent: Parameters, x: np.ndarray, sentence: str
) -> None:
    with pytest.raises(BadPattern, match=sentence):
        agent.analyze([measured(MIXTURE, x=x)], rng=np.random.default_rng(0))


def test_settings_that_cannot_work_are_refused(tmp_path: Path) -> None:
    def told(what: str, done: int, of: int) -> None: ...

    with pytest.raises(BadSettings, match="too few for a"):
        train(
            {**SETTINGS, "phases": ["bunsenite"], "two_theta": [45.0, 61.0]},
            tmp_path,
            recipe="tiny",
            seed=0,
            told=told,
        )
    with pytest.raises(BadSettings, match="no recipe"):
        train(SETTINGS, tmp_path, recipe="huge", seed=0, told=told)


def test_an_untrained_system_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    with pytest.raises(WeightsNotTrained, match=r"sdlab train xrd\.parameters"):
        make(SETTINGS, tmp_path)


def test_the_card_tells_errors_on_both_kinds_of_patterns(agent: Parameters) -> None:
    card = agent.card
    assert 0 < card.figures["as_trained.length.error"] < 0.005
    assert 0.8 < card.figures["as_trained.length.coverage"] <= 1
    assert 0 < card.figures["unseen_artefacts.size.error"] < 0.5


def test_the_agent_conforms(agent: Parameters) -> None:
    patterns = [measured(MIXTURE, seed=k) for k in range(3)]
    check_agent(agent, patterns[:1], rng=np.random.default_rng(0))
    check_collective_agent(agent, patterns, rng=np.random.default_rng(0))
