"""The physics-constrained network on curves whose phases are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from analysis.learning.decomposition.network import (
    STANDARD,
    Constraints,
    constrain,
    decoded,
    demands,
    misfit,
    neighbours,
)
from analysis.learning.decomposition.stretched import Stretched, refine

FloatArray = NDArray[np.float64]

AXIS = 1.5 * np.exp(0.004 * np.arange(200))


def stretched(weights: FloatArray, seed: int = 0) -> Stretched:
    """Five peaks a phase, and stretches of up to two points."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(15, 185, (weights.shape[1], 5))
    peaks = np.exp(-0.5 * ((np.arange(200) - centres[..., None]) / 2) ** 2).sum(axis=1)
    patterns = peaks / peaks.max(axis=1, keepdims=True)
    return Stretched(AXIS, patterns, rng.uniform(-2, 2, weights.shape), weights)


def tensor(values: FloatArray) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float32)


def test_the_decoder_is_the_stretched_model() -> None:
    model = stretched(np.random.default_rng(1).random((6, 3)))
    got = decoded(tensor(model.weights), tensor(model.patterns), tensor(model.shifts))
    # Single precision.
    np.testing.assert_allclose(got.numpy(), model.parts().sum(axis=1), atol=1e-5)


def test_a_perfect_calculation_has_no_misfit() -> None:
    curves = tensor(stretched(np.eye(3) + 0.1).parts().sum(axis=1))
    assert float(misfit(curves, curves)) == pytest.approx(0.0, abs=5e-3)
    assert float(misfit(curves, curves.roll(5, dims=1))) > 0.5


def test_three_phases_obey_the_rule_and_four_do_not() -> None:
    three = torch.tensor([[0.0, 0.0, 0.0, -30.0]])
    assert float(demands(three, torch.zeros_like(three), None, STANDARD)) < 1e-6
    four = torch.zeros(1, 4)
    assert float(demands(four, four, None, STANDARD)) > 0.02


def test_neighbours_that_hold_other_phases_cost() -> None:
    pairs, shifts = torch.tensor([[0, 1]]), torch.zeros(2, 2)
    alike = torch.tensor([[0.0, -9.0], [0.0, -9.0]])
    unlike = torch.tensor([[0.0, -9.0], [-9.0, 0.0]])
    assert float(demands(alike, shifts, pairs, STANDARD)) < 1e-3
    assert float(demands(unlike, shifts, pairs, STANDARD)) > 0.03


def test_each_pair_of_neighbours_is_named_once() -> None:
    line = np.column_stack([np.arange(5.0), np.zeros(5)])
    pairs = neighbours(line, n_nearest=1)
    assert len({tuple(p) for p in pairs.tolist()}) == len(pairs)
    assert np.all(np.abs(pairs[:, 0] - pairs[:, 1]) == 1)


def test_the_network_explains_what_a_crude_start_does_not_and_drops_a_fourth_phase() -> None:
    rng = np.random.default_rng(3)
    weights = np.array([rng.permutation([0.6, 0.4, 0.0, 0.0]) for _ in range(40)])
    truth = stretched(weights)
    curves = truth.parts().sum(axis=1)
    crude = Stretched(AXIS, truth.patterns, np.zeros((40, 4)), 0.7 * weights + 0.1)
    constraints = Constraints(most_phases=2, steps=300)
    found = constrain(curves, crude, seed=0, constraints=constraints)
    again = constrain(curves, crude, seed=0, constraints=constraints)
    np.testing.assert_array_equal(found.weights, again.weights)
    before, after = (
        float(misfit(tensor(curves), tensor(m.parts().sum(axis=1)))) for m in (crude, found)
    )
    assert after < 0.5 * before
    beyond = [1 - np.sort(m.fractions, axis=1)[:, -2:].sum(axis=1).mean() for m in (crude, found)]
    assert beyond[1] < 0.3 * beyond[0]


def test_refinement_alone_keeps_what_the_network_may_take_as_its_start() -> None:
    truth = stretched(np.random.default_rng(4).dirichlet([1, 1, 1], 20))
    found = refine(truth.parts().sum(axis=1), truth, n_iterations=20)
    np.testing.assert_allclose(found.fractions, truth.fractions, atol=0.01)
