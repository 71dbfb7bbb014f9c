"""Curves of the gold twin: the published ones, Debye's, and noise as it is stated."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF
from analysis.pdf.transform import QRange
from instruments.recorded_data import data_folder
from instruments.simulated.gold import positions
from instruments.simulated.gold_batch import B_ISO
from tests.orchestrator.gold import SOLUTION, experiment


@pytest.mark.parametrize(
    ("scan", "file"),
    [
        ({"curve": "s_q"}, "Target_Sq_benchmark.npy"),
        ({"curve": "g_r"}, "Target_PDF_benchmark.npy"),
        ({"curve": "i_q", "q_min": 0.01, "q_max": 3.0}, "Target_SAXS_benchmark.npy"),
    ],
)
async def test_the_published_target_comes_out_of_the_reactor(scan, file):
    """The author's last target: pH 10, pressure 75, ethanol."""
    path = data_folder() / "pdf" / "scattbo" / file
    if not path.exists():
        pytest.skip(f"{path} is not there")
    x, y = np.load(path).T
    recipe = {"pH": 10.0, "pressure": 75.0, "solvent": "Ethanol"}
    _, measured = await experiment(recipe, scan=scan, settings={"edition": "2024-11"})
    off = np.interp(x, measured.x, measured.y) - y / y.max()
    # the author sums in single precision; found are 4e-6
    assert np.sqrt((off**2).sum() / ((y / y.max()) ** 2).sum()) < 2e-5


RECORDED = [
    ("s_q", {"pH": 10.1535161523, "pressure": 75.8426634713, "solvent": "Ethanol"}, 1.9959),
    ("g_r", {"pH": 2.9017169140, "pressure": 16.0683363995, "solvent": "Methanol"}, 0.8411),
]
"""First experiments of two recorded runs of Dragonfly, from the author's repository."""

TARGET = {"pH": 9.0, "pressure": 50.0 * (3.99 / np.sqrt(2.0) - 2.5), "solvent": "Ethanol"}
"""Whose curves are the target of the published runs."""


@pytest.mark.parametrize(("curve", "recipe", "loss"), RECORDED)
async def test_measurements_have_the_misfits_that_published_runs_recorded(curve, recipe, loss):
    _, wanted = await experiment(TARGET, scan={"curve": curve})
    _, measured = await experiment(recipe, scan={"curve": curve})
    found = np.sqrt(((measured.y - wanted.y) ** 2).sum() / (wanted.y**2).sum())
    assert found == pytest.approx(loss, abs=1e-4)


@pytest.mark.parametrize("curve", ["s_q", "f_q", "g_r", "i_q"])
async def test_absolute_curves_are_those_of_debyes_equation(curve):
    """Against the exact sum over pairs in torch, which shares no line with the twin's table."""
    scan = {"curve": curve, "q_min": 1.0, "q_max": 16.0, "r_step": 0.05}
    _, measured = await experiment(SOLUTION, scan=scan, settings={"scaled": False})
    atoms = positions("icosahedron", 6) * 2.9
    model = ClusterPDF(atoms, "Au", np.arange(0.0, 30.0, 0.05), QRange(1.0, 15.99))
    expected = getattr(model, curve)(ClusterParameters(b_iso=B_ISO, q_damp=0.04)).numpy()
    if curve == "g_r":
        # two ways to end a sum: a half step of Q at either end
        assert np.abs(measured.y - expected).max() < 0.01 * np.abs(expected).max()
        return
    # interpolated between the model's own points, closely spaced
    found = np.interp(model.q, measured.x, measured.y)
    assert np.abs(found - expected).max() < 3e-3 * np.abs(expected).max()


async def test_small_angles_hold_the_number_of_atoms():
    scan = {"curve": "i_q", "q_min": 0.01, "q_max": 3.0}
    _, measured = await experiment(SOLUTION, scan=scan, settings={"scaled": False})
    # forward scattering of 561 atoms of 79 electrons, per atom; gold's tabulated f(0) is 78.96
    assert measured.y[0] == pytest.approx(561 * 79.0**2, rel=0.01)


@pytest.mark.parametrize("curve", ["s_q", "f_q", "g_r", "i_q"])
async def test_the_stated_std_is_that_of_repeated_measurements(curve):
    scan = {"curve": curve, "q_max": 8.0, "r_step": 0.1, "q_step": 0.02}
    settings = {"scaled": False, "noise": 2.0}
    repeats = [
        await experiment(SOLUTION, number=n, scan=scan, settings=settings) for n in range(60)
    ]
    curves = np.array([m.y for _, m in repeats])[:, 5:]
    stated = np.mean([m.sigma for _, m in repeats], axis=0)[5:]
    # 60 repeats know the variance of one point to 18 %; the mean over all points far better,
    # though points of a G(r) are not independent
    assert np.mean(curves.var(axis=0, ddof=1) / stated**2) == pytest.approx(1.0, abs=0.12)


async def test_counting_four_times_as_long_halves_the_std():
    settings = {"scaled": False, "noise": 1.0}
    stds = []
    for seconds in (600.0, 2400.0):
        _, measured = await experiment(SOLUTION, scan={"counting_time": seconds}, settings=settings)
        stds.append(np.median(measured.sigma))
    assert stds[0] / stds[1] == pytest.approx(2.0, rel=0.02)


async def test_without_noise_nothing_is_said_of_a_std_and_with_noise_the_curve_is_near():
    _, exact = await experiment(SOLUTION)
    _, noisy = await experiment(SOLUTION, settings={"noise": 1.0})
    assert exact.sigma is None
    assert noisy.sigma is not None
    assert exact.y.max() == 1.0
    assert 0 < np.sqrt(np.mean((noisy.y - exact.y) ** 2)) < 0.05
