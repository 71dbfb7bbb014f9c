"""The batched forward model and its steps agree with the peak-by-peak one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from analysis.physics.cell import expand_cell
from analysis.physics.structures import structure
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Radiation, Resolution, column
from analysis.xrd.parameter_patterns import Conditions, draw_patterns
from analysis.xrd.rapid import RapidColumns
from analysis.xrd.rapid_fit import RapidFit
from analysis.xrd.rebin import Rebinning, extra_variance
from analysis.xrd.world import World

PHASES = ("bunsenite", "palladinite", "baddeleyite", "corundum")
"""Cubic, tetragonal, monoclinic and on hexagonal axes."""

SYNCHROTRON = Radiation(((0.1771, 1.0),))


def world(kind: str) -> World:
    crystals = tuple(structure(name) for name in PHASES)
    if kind == "tube":
        return World(
            crystals, CU_K_ALPHA, Resolution(w=0.004), (20.0, 80.0), 0.005, (30.0, 500.0), 1e-4, 0.1
        )
    return World(
        crystals, SYNCHROTRON, Resolution(w=4e-4), (2.0, 9.0), 0.005, (30.0, 500.0), 1e-4, 0.0
    )


@pytest.fixture(params=["tube", "synchrotron"])
def here(request: pytest.FixtureRequest) -> World:
    return world(request.param)


def vectors(here: World, n: int = 6) -> torch.Tensor:
    z = np.random.default_rng(0).uniform(-1, 1, (n, len(here.numbers)))
    return torch.as_tensor(z, dtype=torch.float32)


def test_columns_are_those_of_the_forward_model(here: World) -> None:
    z = vectors(here)
    values = RapidColumns(here).values(z).numpy()
    physical = here.physical(z.double().numpy())
    for n in range(len(z)):
        for i, crystal in enumerate(here.crystals):
            mine = physical[n, here.of_phase(i)]
            state = PhaseState(
                crystal,
                cell=expand_cell(crystal, mine[:-1].tolist()),
                size=float(mine[-1]),
                microstrain=here.microstrain,
            )
            wanted = column(
                here.grid,
                state,
                radiation=here.radiation,
                resolution=here.resolution,
                displacement=float(physical[n, 0]) if here.displacement else 0.0,
            )
            # Tails cut at 25 widths there, blended widths and lines below 0.2 % here.
            assert np.abs(values[n, i] - wanted).max() < 0.015 * wanted.max()


def test_slopes_are_derivatives(here: World) -> None:
    z, columns = vectors(here), RapidColumns(here)
    told = columns(z)
    for k, number in enumerate(here.numbers):
        step = torch.zeros_like(z)
        step[:, k] = 0.02
        by_steps = (columns.values(z + step) - columns.values(z - step)) / 0.04
        if number.phase is None:
            assert told.moved is not None
            slope, wanted = told.moved, by_steps
        else:
            slope, wanted = told.slopes[:, k], by_steps[:, number.phase]
        # Heights change with the cell too, which is left out of the slopes; and the narrowest
        # peaks have but 2.5 points a width.
        assert (slope - wanted).abs().max() < 0.18 * wanted.abs().max()


def test_two_steps_find_cells_and_sizes_from_a_rough_start(here: World) -> None:
    fit = RapidFit(here, background_order=4)
    conditions = Conditions(absent=0.0, evenness=20.0, counts=(1e5, 1e5))
    drawn = draw_patterns(fit.columns, 24, conditions=conditions, rng=np.random.default_rng(1))
    rough = drawn.z + 0.2 * torch.randn(drawn.z.shape, generator=torch.Generator().manual_seed(0))
    found = fit.refine(drawn.counts, drawn.counts.clamp_min(1).sqrt(), rough, steps=3)
    std = found.covariance.diagonal(dim1=1, dim2=2).sqrt()[:, len(here.crystals) :]
    score = (found.z - drawn.z) / std
    # Of normal errors the median square is 0.455.
    assert float((score**2).median()) == pytest.approx(0.455, abs=0.2)
    assert float(found.chi2_reduced.median()) == pytest.approx(1.0, abs=0.1)


def test_no_phase_weighs_less_than_nothing(here: World) -> None:
    fit = RapidFit(here, background_order=4)
    conditions = Conditions(absent=0.6)
    drawn = draw_patterns(fit.columns, 24, conditions=conditions, rng=np.random.default_rng(2))
    found = fit.refine(drawn.counts, drawn.counts.clamp_min(1).sqrt(), drawn.z, steps=1)
    assert bool((found.scales >= 0).all())


def test_gathering_keeps_the_area_and_widens_peaks_as_told() -> None:
    fine, grid = np.arange(0.0, 40.0, 0.01), np.arange(5.0, 35.0, 0.25)
    w = 0.5
    variance = w / (8 * np.log(2))
    peak = np.exp(-((fine - 20.1) ** 2) / (2 * variance))
    found = Rebinning(fine, grid).mean(peak[None])[0]
    assert found.sum() * 0.25 == pytest.approx(peak.sum() * 0.01, rel=1e-3)
    mean = (found * grid).sum() / found.sum()
    assert mean == pytest.approx(20.1, abs=1e-3)
    second = (found * (grid - mean) ** 2).sum() / found.sum()
    assert second * 8 * np.log(2) == pytest.approx(w + extra_variance(fine, grid), rel=2e-3)


def test_gathering_on_the_same_grid_changes_nothing() -> None:
    grid = np.linspace(2.0, 9.0, 201)
    counts = np.random.default_rng(0).uniform(1, 9, (3, 201))
    same = Rebinning(grid, grid)
    assert np.allclose(same.mean(counts), counts)
    assert np.allclose(same.variance(counts), counts)
    assert extra_variance(grid, grid) == pytest.approx(0.0, abs=1e-12)


def test_gathered_counts_scatter_as_their_variance_says() -> None:
    fine, grid = np.arange(2.0, 10.0, 0.013), np.linspace(3.0, 9.0, 101)
    counts = np.random.default_rng(0).poisson(50.0, (4000, len(fine))).astype(np.float64)
    rebinning = Rebinning(fine, grid)
    wanted = rebinning.variance(np.full((1, len(fine)), 50.0))[0]
    # Channels that are cut lend part of their noise to the neighbour: up to a tenth less here.
    assert np.allclose(rebinning.mean(counts).var(axis=0), wanted, rtol=0.2)
    assert rebinning.mean(counts).var(axis=0).mean() == pytest.approx(wanted.mean(), rel=0.1)
