import numpy as np
import pytest

from analysis.physics.cell import scale_cell
from analysis.physics.structures import structure
from analysis.xrd import drawing
from analysis.xrd.background import background_basis
from analysis.xrd.fit import DISPLACEMENTS, SIZES, best_start, fit_pattern
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Resolution
from analysis.xrd.layout import Layout
from analysis.xrd.misfit import assess
from analysis.xrd.preprocess import prepare
from analysis.xrd.projection import Problem
from analysis.xrd.uncertainty import state
from tests.analysis.xrd.patterns import TWO_THETA, counted

RUTILE, ANATASE = structure("rutile"), structure("anatase")


def test_the_background_basis_holds_a_constant_and_a_slope_exactly() -> None:
    basis = background_basis(TWO_THETA, order=3)
    for wanted in (np.ones_like(TWO_THETA), TWO_THETA, 1 / TWO_THETA):
        solution, *_ = np.linalg.lstsq(basis, wanted, rcond=None)
        np.testing.assert_allclose(basis @ solution, wanted, rtol=1e-9)


def test_the_layout_refines_what_symmetry_leaves_free() -> None:
    layout = Layout((RUTILE, structure("halite")), Resolution(), texture={"halite": (1, 0, 0)})
    assert [(slot.phase, slot.name) for slot in layout.slots] == [
        (None, "displacement"),
        (None, "w"),
        (0, "a"),
        (0, "c"),
        (0, "size"),
        (0, "microstrain"),
        (1, "a"),
        (1, "size"),
        (1, "microstrain"),
        (1, "texture"),
    ]
    fixed = Layout((RUTILE,), Resolution(w=0.01), fix_resolution=True)
    assert fixed.instrument(fixed.start) == Resolution(w=0.01)


def test_projected_derivatives_agree_with_finite_differences_of_the_fit() -> None:
    """The gradient of half the sum of squares is Jᵀr, although Kaufman's J drops a term."""
    rng = np.random.default_rng(1)
    data = prepare(
        counted([PhaseState(RUTILE, 0.6), PhaseState(ANATASE, 0.4)], rng=rng), radiation=CU_K_ALPHA
    )
    layout = Layout((RUTILE, ANATASE), Resolution(w=0.006))
    problem = Problem(
        data.two_theta,
        data.counts,
        data.sigma,
        basis=background_basis(data.two_theta, order=4),
        layout=layout,
        radiation=CU_K_ALPHA,
    )
    vector = layout.start
    vector[0] = 0.02
    gradient = problem.jacobian(vector).T @ problem.residual(vector)
    for k, slot in enumerate(layout.slots):
        sums = []
        for sign in (1, -1):
            moved = vector.copy()
            moved[k] += sign * slot.step
            sums.append(0.5 * float(np.sum(problem.residual(moved) ** 2)))
        numeric = (sums[0] - sums[1]) / (2 * slot.step)
        # Peaks cut at 25 widths leave a few per cent.
        assert gradient[k] == pytest.approx(numeric, rel=0.1, abs=0.02 * np.abs(gradient).max())


def problem_of(layout: Layout, *, rng: np.random.Generator, displacement: float = 0.0) -> Problem:
    """Return a fit of counts of the layout's phases in equal shares."""
    states = [PhaseState(crystal) for crystal in layout.crystals]
    data = prepare(counted(states, rng=rng, displacement=displacement), radiation=CU_K_ALPHA)
    return Problem(
        data.two_theta,
        data.counts,
        data.sigma,
        basis=background_basis(data.two_theta, order=4),
        layout=layout,
        radiation=CU_K_ALPHA,
    )


def test_slopes_agree_with_finite_differences_of_drawn_patterns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For every kind of number and a low-symmetry cell; of whole peaks, since cut tails jump."""
    monkeypatch.setattr(drawing, "REACH", 2000.0)
    monkeypatch.setattr(drawing, "GAUSSIAN_REACH", 5.0)
    crystals = (structure("baddeleyite"), RUTILE)
    layout = Layout(
        crystals, Resolution(u=0.01, w=0.006), texture={"rutile": (0, 0, 1)}, refine_b=True
    )
    problem = problem_of(layout, rng=np.random.default_rng(2))
    vector = layout.start
    vector[0], vector[layout.index("texture", phase=1)] = 0.03, 0.2
    slopes = problem.slopes(vector)
    scales = problem.solve(vector).scales
    assert np.all(scales > 0)
    for k, slot in enumerate(layout.slots):
        step = 0.1 * slot.step
        above, below = vector.copy(), vector.copy()
        above[k] += step
        below[k] -= step
        numeric = (problem.columns(above) - problem.columns(below)) @ scales / (2 * step)
        numeric /= problem.sigma
        # The peak list's own differences are one-sided, with a step of 1 % for the microstrain.
        assert np.linalg.norm(slopes[:, k] - numeric) < 0.006 * np.linalg.norm(numeric), slot


def test_a_phase_without_a_scale_has_no_slopes() -> None:
    layout = Layout((RUTILE, ANATASE), Resolution())
    alone = problem_of(Layout((RUTILE,), Resolution()), rng=np.random.default_rng(0))
    problem = Problem(
        alone.two_theta,
        alone.column(0, alone.layout.start) + 100.0,
        np.ones_like(alone.sigma),
        basis=alone.basis,
        layout=layout,
        radiation=CU_K_ALPHA,
    )
    assert problem.solve(layout.start).scales[1] < 1e-9 * problem.solve(layout.start).scales[0]
    slopes = np.abs(problem.slopes(layout.start)).max(axis=0)
    mine = [slot.phase for slot in layout.slots]
    assert slopes[mine.index(1)] < 1e-6 * slopes[mine.index(0)]


@pytest.mark.parametrize(("size", "displacement"), [(1000.0, 0.1), (250.0, -0.05), (90.0, 0.0)])
def test_moved_columns_find_the_start_that_drawn_ones_find(
    size: float, displacement: float
) -> None:
    rng = np.random.default_rng(4)
    states = [PhaseState(crystal, 0.5, size=size) for crystal in (RUTILE, structure("baddeleyite"))]
    data = prepare(counted(states, rng=rng, displacement=displacement), radiation=CU_K_ALPHA)
    layout = Layout(tuple(s.crystal for s in states), Resolution())
    problem = Problem(
        data.two_theta,
        data.counts,
        data.sigma,
        basis=background_basis(data.two_theta, order=4),
        layout=layout,
        radiation=CU_K_ALPHA,
    )
    sizes = [layout.index("size", phase=i) for i in (0, 1)]
    starts = []
    for tried in SIZES:
        for shift in DISPLACEMENTS:
            vector = layout.start
            vector[0], vector[sizes] = shift, np.log(tried)
            starts.append((float(np.sum(problem.residual(vector) ** 2)), vector))
    best = min(starts, key=lambda start: start[0])[1]
    np.testing.assert_array_equal(best_start(problem), best)


def test_a_simulated_mixture_is_recovered_within_its_stated_std() -> None:
    rng = np.random.default_rng(7)
    truth = [
        PhaseState(RUTILE, 0.3, cell=scale_cell(RUTILE, 1.002), size=300.0, microstrain=5e-4),
        PhaseState(ANATASE, 0.7, cell=scale_cell(ANATASE, 0.999), size=150.0, microstrain=1e-3),
    ]
    data = prepare(counted(truth, rng=rng, displacement=0.06), radiation=CU_K_ALPHA)
    fit = fit_pattern(
        data,
        layout=Layout((RUTILE, ANATASE), Resolution()),
        radiation=CU_K_ALPHA,
        background_order=4,
    )
    misfit = assess(fit)
    assert misfit.chi2_reduced == pytest.approx(1.0, abs=0.12)
    assert misfit.durbin_watson == pytest.approx(2.0, abs=0.2)
    assert misfit.correlation == pytest.approx(1.0, abs=0.5)
    said = state(fit, misfit=misfit, diameter=0.0)
    known = {
        ("weight_fraction", "rutile", ""): 0.3,
        ("weight_fraction", "anatase", ""): 0.7,
        ("displacement", "", ""): 0.06,
        ("lattice", "rutile", "a"): 4.5937 * 1.002,
        ("lattice", "rutile", "c"): 2.9587 * 1.002,
        ("lattice", "anatase", "a"): 3.7842 * 0.999,
        ("lattice", "anatase", "c"): 9.5146 * 0.999,
        ("crystallite_size", "rutile", ""): 300.0,
        ("crystallite_size", "anatase", ""): 150.0,
        ("microstrain", "rutile", ""): 5e-4,
        ("microstrain", "anatase", ""): 1e-3,
    }
    assert set(said.names) == set(known)
    std = np.sqrt(np.diag(said.covariance))
    for name, value, spread in zip(said.names, said.values, std, strict=True):
        assert abs(value - known[name]) < 3.5 * spread, name
        assert spread < 0.4 * abs(value), name


def test_stated_statistics_agree_with_the_scatter_of_repeated_counts() -> None:
    """Twelve recounts of one sample scatter as the statistical std says, within their own error."""
    rng = np.random.default_rng(3)
    truth = [PhaseState(RUTILE, 0.5, size=400.0), PhaseState(ANATASE, 0.5, size=200.0)]
    layout = Layout((RUTILE, ANATASE), Resolution(w=0.006), fix_resolution=True)
    found, stated = [], []
    for _ in range(12):
        data = prepare(counted(truth, rng=rng, peak=2000), radiation=CU_K_ALPHA)
        fit = fit_pattern(data, layout=layout, radiation=CU_K_ALPHA, background_order=2)
        said = state(fit, misfit=assess(fit), diameter=0.0)
        found.append(said.values[0])
        stated.append(said.statistical_std[0])
    # The std of twelve draws is itself known to 21 %.
    assert np.std(found, ddof=1) == pytest.approx(np.mean(stated), rel=0.6)


def test_an_absent_phase_gets_a_fraction_of_zero_with_an_uncertainty() -> None:
    rng = np.random.default_rng(5)
    data = prepare(counted([PhaseState(RUTILE)], rng=rng), radiation=CU_K_ALPHA)
    layout = Layout((RUTILE, ANATASE, structure("brookite")), Resolution())
    fit = fit_pattern(data, layout=layout, radiation=CU_K_ALPHA, background_order=4)
    said = state(fit, misfit=assess(fit), diameter=3.0)
    std = np.sqrt(np.diag(said.covariance))
    assert said.values[0] > 0.98
    for i in (1, 2):
        assert said.values[i] < 0.02
        assert said.values[i] < 4 * std[i]
    assert std[1] > 0
    assert not any(phase == "anatase" for quantity, phase, _ in said.names if quantity == "lattice")


def test_texture_is_found_along_its_axis() -> None:
    rng = np.random.default_rng(9)
    plates = PhaseState(structure("zincite"), texture_r=0.7, texture_axis=(0, 0, 1))
    data = prepare(counted([plates], rng=rng), radiation=CU_K_ALPHA)
    layout = Layout((structure("zincite"),), Resolution(), texture={"zincite": (0, 0, 1)})
    fit = fit_pattern(data, layout=layout, radiation=CU_K_ALPHA, background_order=4)
    assert np.exp(fit.vector[layout.index("texture", phase=0)]) == pytest.approx(0.7, abs=0.02)


def test_a_missing_phase_shows_as_unexplained_area() -> None:
    rng = np.random.default_rng(11)
    both = [PhaseState(RUTILE, 0.7), PhaseState(structure("halite"), 0.3)]
    data = prepare(counted(both, rng=rng), radiation=CU_K_ALPHA)
    fits = [
        fit_pattern(
            data, layout=Layout(listed, Resolution()), radiation=CU_K_ALPHA, background_order=4
        )
        for listed in ((RUTILE,), (RUTILE, structure("halite")))
    ]
    missing, complete = (assess(fit).unexplained for fit in fits)
    assert missing > 0.2
    assert complete < 0.01
