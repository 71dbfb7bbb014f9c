"""xrd.phases names the phases of simulated samples, and declines rather than guesses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis import weights
from analysis.conformance import check_agent
from analysis.errors import BadPattern, BadSettings, WeightsNotTrained
from analysis.physics.structures import structure
from analysis.xrd.agents.phases import Phases, make
from analysis.xrd.forward import PhaseState, pattern
from analysis.xrd.training.phases_trainer import strangers, train
from instruments.measurement import Measurement
from tests.analysis.xrd.conftest import FEW
from tests.analysis.xrd.patterns import measurement

CANDIDATES = FEW
GRID = np.arange(10.0, 80.001, 0.04)


@pytest.fixture(scope="module")
def cache(few_phases: Path) -> Path:
    """Return a folder of networks that were trained in seconds."""
    return few_phases


def made(cache: Path, **settings: object) -> Phases:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(cache))
        return make({"phases": CANDIDATES, "recipe": "tiny", **settings}, cache)


@pytest.fixture(scope="module")
def agent(cache: Path) -> Phases:
    """Return the agent with all candidates."""
    return made(cache)


def measured(fractions: dict[str, float], *, seed: int = 0, grid: np.ndarray = GRID) -> Measurement:
    """Return a simulated scan whose displacement and width are not those of the library."""
    bragg = pattern(
        grid,
        [PhaseState(structure(n), weight_fraction=f, size=500.0) for n, f in fractions.items()],
        displacement=0.06,
    )
    expected = 60.0 + 8000.0 * bragg / bragg.max()
    counts = np.random.default_rng(seed).poisson(expected).astype(np.float64)
    return measurement(grid, counts)


def named(agent: Phases, fractions: dict[str, float]) -> set[str]:
    insight = agent.analyze([measured(fractions)], rng=np.random.default_rng(0))
    return {
        q.removeprefix("xrd.phase.")
        for q, a in insight.class_probabilities.items()
        if a["present"] > 0.5
    }


@pytest.mark.parametrize(
    "fractions",
    [{"rutile": 1.0}, {"anatase": 0.6, "rutile": 0.4}, {"corundum": 0.5, "halite": 0.5}],
)
def test_the_phases_of_a_mixture_are_named(agent: Phases, fractions: dict[str, float]) -> None:
    assert named(agent, fractions) == set(fractions)


def test_fractions_follow_the_mixture(agent: Phases) -> None:
    truth = {"anatase": 0.6, "rutile": 0.4}
    insight = agent.analyze([measured(truth)], rng=np.random.default_rng(0))
    for name, fraction in truth.items():
        estimate = insight.estimates[f"xrd.weight_fraction.{name}"]
        assert estimate.std is not None
        assert abs(estimate.value - fraction) < max(3 * estimate.std, 0.02)


def test_fractions_of_what_is_named_sum_to_one(agent: Phases) -> None:
    """A phase that is not named keeps no share of the mass."""
    insight = agent.analyze(
        [measured({"anatase": 0.7, "halite": 0.3})], rng=np.random.default_rng(0)
    )
    assert sum(e.value for e in insight.estimates.values()) == pytest.approx(1.0)


def test_a_phase_that_is_no_candidate_is_not_guessed(agent: Phases) -> None:
    insight = agent.analyze([measured({"lab6": 1.0})], rng=np.random.default_rng(0))
    assert insight.abstained
    assert not insight.estimates
    assert insight.novelty is not None
    assert insight.novelty > 0.5


def test_an_unknown_half_raises_doubt(agent: Phases) -> None:
    known = agent.analyze([measured({"rutile": 1.0})], rng=np.random.default_rng(0))
    half = agent.analyze([measured({"rutile": 0.6, "lab6": 0.4})], rng=np.random.default_rng(0))
    assert half.abstained or (half.p_wrong or 0.0) > (known.p_wrong or 0.0)
    assert (half.novelty or 0.0) > (known.novelty or 0.0)


def test_the_same_pattern_gives_the_same_answer(agent: Phases) -> None:
    scan = measured({"anatase": 0.6, "rutile": 0.4})
    first, second = (agent.analyze([scan], rng=np.random.default_rng(3)) for _ in range(2))
    assert first.class_probabilities == second.class_probabilities


def test_the_evidence_shows_where_the_network_looked(agent: Phases) -> None:
    insight = agent.analyze([measured({"rutile": 1.0})], rng=np.random.default_rng(0))
    heat = insight.evidence["activation"].columns["activation.rutile"]
    assert heat.min() >= 0
    assert heat.max() == pytest.approx(1.0)


def test_an_excluded_phase_is_not_spoken_of(cache: Path) -> None:
    without = made(cache, excluded=["anatase", "halite"])
    insight = without.analyze([measured({"rutile": 1.0})], rng=np.random.default_rng(0))
    assert "xrd.phase.anatase" not in insight.class_probabilities
    assert insight.class_probabilities["xrd.phase.rutile"]["present"] > 0.5
    assert "activation.rutile" in insight.evidence["activation"].columns


def test_a_phase_that_was_excluded_wrongly_makes_the_pattern_novel(
    agent: Phases, cache: Path
) -> None:
    without = made(cache, excluded=["corundum"])
    mixture = [measured({"rutile": 0.3, "corundum": 0.7})]
    complete = agent.analyze(mixture, rng=np.random.default_rng(0))
    lacking = without.analyze(mixture, rng=np.random.default_rng(0))
    assert complete.novelty is not None
    assert lacking.novelty is not None
    assert lacking.novelty > complete.novelty + 0.2


def test_what_is_excluded_must_be_a_candidate(cache: Path) -> None:
    with pytest.raises(BadSettings, match="excludes brookite"):
        made(cache, excluded=["brookite"])
    with pytest.raises(BadSettings, match="at least two"):
        made(cache, excluded=CANDIDATES[1:])


def test_a_pattern_of_a_shorter_range_is_read(agent: Phases) -> None:
    mixture = {"anatase": 0.6, "rutile": 0.4}
    short = measured(mixture, grid=np.arange(20.0, 70.0, 0.04))
    insight = agent.analyze([short], rng=np.random.default_rng(0))
    for phase, fraction in mixture.items():
        found = insight.estimates[f"xrd.weight_fraction.{phase}"]
        assert found.value == pytest.approx(fraction, abs=0.08)


def test_of_an_absent_phase_it_is_told_how_much_may_hide(agent: Phases) -> None:
    insight = agent.analyze([measured({"rutile": 1.0})], rng=np.random.default_rng(0))
    halite = insight.estimates["xrd.weight_fraction.halite"]
    assert halite.value == 0
    assert halite.std is not None
    assert 0 < halite.std < 0.05
    assert set(insight.estimates) == set(agent.quantities)


def test_a_short_pattern_is_refused_with_the_range(agent: Phases) -> None:
    short = measured({"rutile": 1.0}, grid=np.arange(20.0, 55.0, 0.04))
    with pytest.raises(BadPattern, match="at least 25 to 60"):
        agent.analyze([short], rng=np.random.default_rng(0))


def test_the_card_tells_what_was_trained(agent: Phases) -> None:
    card = agent.card
    assert card.recipe == "tiny"
    assert 0 < card.figures["networks.unseen_artefacts.recall"] <= 1
    assert any("anatase" in s for s in card.sentences)
    sets = card.reliability["the set is wrong"]
    assert sum(n for _, _, n in sets) == 12  # every sample once, foretold from the other folds


def test_untrained_candidates_name_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    with pytest.raises(WeightsNotTrained, match=r"sdlab train xrd\.phases"):
        make({"phases": CANDIDATES}, tmp_path)


def test_one_candidate_is_no_choice(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="at least two"):
        train({"phases": ["rutile"]}, tmp_path, recipe="tiny", seed=0, told=lambda *_: None)


def test_the_agent_conforms(agent: Phases) -> None:
    check_agent(agent, [measured({"rutile": 1.0})], rng=np.random.default_rng(0))


def test_strangers_are_no_candidates() -> None:
    candidates = [structure(n) for n in CANDIDATES]
    names = {c.name for c in strangers(candidates)}
    assert not names & set(CANDIDATES)
    assert "quartz" in names
