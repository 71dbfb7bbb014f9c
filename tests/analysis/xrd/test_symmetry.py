"""xrd.symmetry tells crystal systems and cells of simulated powders, and declines to guess."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from analysis import weights
from analysis.conformance import check_agent
from analysis.errors import BadPattern, BadSettings, WeightsNotTrained
from analysis.physics.reflections import Probe
from analysis.physics.structures import structure
from analysis.xrd.agents.symmetry import LEAST, Symmetry, make
from analysis.xrd.forward import CU_K_ALPHA, PhaseState
from analysis.xrd.indexing.forms import SYSTEMS
from analysis.xrd.indexing.lines import Lines, lines_of
from analysis.xrd.indexing.search import IndexedCell, search_system
from analysis.xrd.radiation import Radiation
from analysis.xrd.symmetry.attribution import AVERAGE, PARTS, attribute
from analysis.xrd.symmetry.crystals import draw_cell, draw_crystal
from analysis.xrd.symmetry.extinction import space_groups
from analysis.xrd.symmetry.features import NAMES, cells_of, features
from analysis.xrd.symmetry.forest import load_forest
from analysis.xrd.symmetry.groups import GROUPS, SHARES
from analysis.xrd.symmetry.opinion import calibrated
from analysis.xrd.symmetry.recipes import RECIPES, digest
from analysis.xrd.symmetry.simulation import draw_pattern
from analysis.xrd.symmetry.telling import estimates_of, higher_lattice
from analysis.xrd.training.symmetry import as_forest, grow, sharpen, votes_of
from analysis.xrd.training.symmetry_trainer import train
from instruments.measurement import Measurement
from tests.analysis.xrd.patterns import counted, measurement
from tests.analysis.xrd.test_peaks import ALPHA_1, peaks_of

GRID = np.arange(10.0, 90.0, 0.02)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a forest grown in seconds."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(folder))
        train({}, folder, recipe="tiny", seed=0, told=lambda what, done, of: None)
    return folder


@pytest.fixture(scope="module")
def agent(cache: Path) -> Symmetry:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(cache))
        return make({"recipe": "tiny"}, cache)


def measured(name: str, *, peak: float = 1e4, grid: np.ndarray = GRID) -> Measurement:
    state = PhaseState(structure(name))
    return counted([state], rng=np.random.default_rng(0), peak=peak, x=grid)


def cell_of(name: str, system: str) -> tuple[IndexedCell, Lines]:
    lines = lines_of(peaks_of(name), wavelength=ALPHA_1)
    cell = search_system(lines, system=system)
    assert cell is not None
    return cell, lines


def test_the_agent_conforms(agent: Symmetry) -> None:
    insight = check_agent(agent, [measured("lab6")], rng=np.random.default_rng(0))
    systems = insight.class_probabilities["xrd.crystal_system"]
    assert set(systems) == set(SYSTEMS)
    assert max(systems, key=lambda system: systems[system]) == "cubic"
    assert insight.p_wrong == pytest.approx(1 - systems["cubic"])


def test_predicted_lines_of_the_best_cell_are_shown(agent: Symmetry) -> None:
    insight = agent.analyze([measured("lab6")], rng=np.random.default_rng(0))
    shown = insight.evidence["reflections.cubic"].x
    a = structure("lab6").cell[0]
    first = 2 * np.degrees(np.arcsin(ALPHA_1 * np.sqrt([1, 2, 3]) / (2 * a)))
    np.testing.assert_allclose(shown[:3], first, atol=0.02)  # a step of the grid


def test_a_flat_pattern_is_declined(agent: Symmetry) -> None:
    flat = measurement(GRID, np.random.default_rng(1).poisson(50.0, len(GRID)).astype(float))
    insight = agent.analyze([flat], rng=np.random.default_rng(0))
    systems = insight.class_probabilities.get("xrd.crystal_system")
    assert not insight.estimates
    assert insight.abstained or systems is None or max(systems.values()) >= LEAST


def test_a_few_lines_are_declined(agent: Symmetry) -> None:
    short = measured("lab6", grid=np.arange(20.0, 40.0, 0.02))
    insight = agent.analyze([short], rng=np.random.default_rng(0))
    assert insight.abstained
    assert "too few" in insight.remarks[0]


def test_another_wavelength_is_refused(agent: Symmetry) -> None:
    strange = measurement(GRID, np.ones(len(GRID)), wavelength=0.7)
    with pytest.raises(BadPattern, match=r"0\.7"):
        agent.analyze([strange], rng=np.random.default_rng(0))


def test_an_uneven_grid_is_read(agent: Symmetry) -> None:
    grid = np.concatenate([np.arange(10.0, 50.0, 0.02), np.arange(50.0, 90.0, 0.03)])
    insight = agent.analyze([measured("lab6", grid=grid)], rng=np.random.default_rng(0))
    systems = insight.class_probabilities["xrd.crystal_system"]
    assert max(systems, key=lambda system: systems[system]) == "cubic"


def test_untrained_weights_name_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    with pytest.raises(WeightsNotTrained, match=r"sdlab train xrd\.symmetry"):
        make({}, tmp_path)


def test_an_unknown_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="'grand'"):
        make({"recipe": "grand"}, tmp_path)


def test_the_card_says_how_good_it_is(agent: Symmetry) -> None:
    figures = agent.card.figures
    assert 0 <= figures["held_out.top1"] <= figures["held_out.top2"] <= 1
    assert any(name.startswith("importance.") for name in figures)


def test_the_card_says_what_came_of_its_probabilities(agent: Symmetry) -> None:
    tables = agent.card.reliability
    assert set(tables) == {"the system is right", "the cell is right"}
    rows = tables["the system is right"]
    n = sum(number for _, _, number in rows)
    assert n == RECIPES["tiny"].n_examples
    came_true = sum(frequency * number for _, frequency, number in rows) / n
    assert came_true == pytest.approx(agent.card.figures["held_out.top1"])
    assert all(0 <= stated <= 1 for stated, _, _ in rows)


def test_parts_lead_from_the_average_to_the_probabilities_told(agent: Symmetry) -> None:
    insight = agent.analyze([measured("lab6")], rng=np.random.default_rng(0))
    shown = insight.evidence["attribution"]
    told = insight.class_probabilities["xrd.crystal_system"]
    np.testing.assert_allclose(sum(shown.columns.values()), list(told.values()), atol=1e-9)
    assert set(shown.columns) == {AVERAGE, *PARTS}
    assert insight.remarks[-1].startswith("cubic")


def test_every_feature_is_in_one_part() -> None:
    columns = np.concatenate(list(PARTS.values()))
    assert sorted(columns) == list(range(len(NAMES)))


def test_only_the_part_that_matters_gets_a_share() -> None:
    part, columns = next(iter(PARTS.items()))
    rng = np.random.default_rng(0)
    background, row = rng.normal(size=(8, len(NAMES))), rng.normal(size=len(NAMES))

    def summed(rows: np.ndarray) -> np.ndarray:
        return np.column_stack([rows[:, columns].sum(axis=1), -rows[:, columns].sum(axis=1)])

    found = attribute(summed, row, background=background)
    added = row[columns].sum() - background[:, columns].sum(axis=1).mean()
    np.testing.assert_allclose(found.parts[part], [added, -added])
    assert all(np.allclose(found.parts[other], 0, atol=1e-12) for other in PARTS if other != part)


def test_two_parts_share_what_they_do_together() -> None:
    (one, first), (two, second) = list(PARTS.items())[:2]
    row, background = np.ones(len(NAMES)), np.zeros((4, len(NAMES)))

    def both(rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows[:, [first[0]]] * rows[:, [second[0]]])

    found = attribute(both, row, background=background)
    # Symmetry of the Shapley value; an order and its reverse make it exact.
    assert found.parts[one] == pytest.approx(0.5)
    assert found.parts[two] == pytest.approx(0.5)


def test_arrays_vote_like_the_trees_they_came_from(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(120, 5))
    truth = (x[:, 0] > 0).astype(np.int64) + 3 * (x[:, 1] > 0.5)
    trees = grow(x, truth, RECIPES["tiny"], seed=0)
    as_forest(trees).save(tmp_path / "forest.npz")
    forest = load_forest(tmp_path / "forest.npz")
    asked = rng.normal(size=(20, 5))
    mine = forest.probability(asked)
    # Leaves are kept in single precision.
    np.testing.assert_allclose(mine, votes_of(trees, asked), atol=1e-6)


def test_shy_votes_are_sharpened() -> None:
    rng = np.random.default_rng(4)
    truth = rng.integers(6, size=400)
    votes = np.full((400, 6), 0.1)
    votes[np.arange(400), truth] = 0.5
    assert sharpen(votes, truth) > 2
    assert sharpen(votes, rng.permutation(truth)) < 1
    np.testing.assert_allclose(calibrated(votes, sharpness=2.0).sum(axis=1), 1.0)


@pytest.mark.parametrize("system", SYSTEMS)
def test_random_crystals_are_of_their_system(system: str) -> None:
    crystal = draw_crystal(system, rng=np.random.default_rng(5))
    family = crystal.crystal_system
    assert ("hexagonal" if family == "trigonal" else family) == system
    # Densest and lightest: lead in 10 Å³, lithium oxide in 19 Å³ an atom.
    assert 0.5 < crystal.density < 25.0


@pytest.mark.parametrize("system", SYSTEMS)
def test_random_cells_have_their_volume(system: str) -> None:
    cell = draw_cell(system, volume=300.0, rng=np.random.default_rng(6))
    a, b, c = cell[:3]
    cosines = np.cos(np.radians(cell[3:]))
    flat = np.sqrt(1 - (cosines**2).sum() + 2 * cosines.prod())
    assert a * b * c * flat == pytest.approx(300.0)


def test_systems_are_drawn_from_all_groups() -> None:
    assert set(SHARES) == set(GROUPS) == set(SYSTEMS)
    assert sum(SHARES.values()) == pytest.approx(1.0)


def test_the_same_seed_draws_the_same_pattern() -> None:
    drawn = [
        draw_pattern(structure("rutile"), radiation=CU_K_ALPHA, rng=np.random.default_rng(7))
        for _ in range(2)
    ]
    np.testing.assert_array_equal(drawn[0][1], drawn[1][1])
    assert drawn[0][1].min() >= 0


def test_features_have_a_name_each_even_without_lines() -> None:
    rutile = lines_of(peaks_of("rutile"), wavelength=ALPHA_1)
    full = features(rutile, cells_of(rutile))
    empty = features(rutile.first(3), cells_of(rutile.first(3)))
    assert len(full) == len(empty) == len(NAMES)
    assert np.all(np.isfinite(full))
    assert np.all(np.isfinite(empty))
    named = dict(zip(NAMES, full, strict=True))
    assert named["evidence tetragonal"] > named["evidence cubic"] + 10


def test_absences_of_diamond_glides_are_seen() -> None:
    anatase, lines = cell_of("anatase", "tetragonal")
    groups = space_groups(anatase, lines)
    assert sum(groups.values()) == pytest.approx(1.0)
    # I 41/a m d is the only group with all of its absences.
    assert next(iter(groups)) == "I 41/a m d"


def test_a_lattice_without_absences_keeps_all_its_groups() -> None:
    lab6, lines = cell_of("lab6", "cubic")
    groups = space_groups(lab6, lines)
    assert groups["P m -3 m"] == pytest.approx(groups["P 2 3"])
    assert groups["P m -3 m"] > groups.get("P n -3 m", 0.0)


def test_estimates_hold_the_true_cell() -> None:
    cell, _ = cell_of("rutile", "tetragonal")
    told = estimates_of(cell, scale=1.0)
    a, _, c = structure("rutile").cell[:3]
    assert told["xrd.cell.a"].value == pytest.approx(a, rel=1e-3)
    assert told["xrd.cell.c"].value == pytest.approx(c, rel=1e-3)
    assert set(told) == {f"xrd.cell.{name}" for name in ("a", "b", "c", "volume")}
    assert told["xrd.cell.a"].std == pytest.approx(told["xrd.cell.b"].std)


def test_a_cubic_cell_told_as_tetragonal_is_noticed() -> None:
    rutile, _ = cell_of("rutile", "tetragonal")
    assert higher_lattice(rutile) == ""
    assert higher_lattice(replace(rutile, free=np.array([0.04, 0.04]))) == "cubic"


def test_forests_of_x_rays_and_neutrons_are_kept_apart() -> None:
    lines = ((1.54, 1.0),)
    keys = {digest(Radiation(lines, probe=p), RECIPES["tiny"], 0) for p in get_args(Probe)}
    assert len(keys) == 2
