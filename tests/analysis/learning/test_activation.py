"""Where a network looked is told at the right place of the curve."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from analysis.learning.activation import activation_map
from analysis.learning.networks import CurveNet

N_POINTS = 400


@pytest.fixture(scope="module")
def network() -> CurveNet:
    """Return a network that has learnt to tell a peak near its place from one elsewhere."""
    rng = np.random.default_rng(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = CurveNet(N_POINTS, 2, width=8, dropout=0.0)
        optimiser = torch.optim.Adam(made.parameters(), lr=3e-3)
        for _ in range(60):
            places = rng.uniform(20, 380, 64)
            answer = np.column_stack([places < 200, places >= 200]).astype(np.float32)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                made(torch.as_tensor(peaks(places))), torch.as_tensor(answer)
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return made


def peaks(places: np.ndarray) -> np.ndarray:
    x = np.arange(N_POINTS)
    return np.exp(-0.5 * ((x - np.asarray(places)[:, None]) / 3.0) ** 2).astype(np.float32)


@pytest.mark.parametrize(("place", "output"), [(90, 0), (150, 0), (260, 1), (330, 1)])
def test_the_map_is_hottest_at_the_peak(network: CurveNet, place: int, output: int) -> None:
    heat = activation_map(network, peaks(np.array([place]))[0], output)
    assert heat.shape == (N_POINTS,)
    assert heat.max() == pytest.approx(1.0)
    assert abs(int(np.argmax(heat)) - place) <= network.stride


def test_the_network_is_left_as_it_was(network: CurveNet) -> None:
    before = [p.detach().clone() for p in network.parameters()]
    activation_map(network, peaks(np.array([100]))[0], 0)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
