"""Where on a curve a network looks. Importing this file imports torch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.learning.networks import CurveNet


def activation_map(
    network: CurveNet, curve: NDArray[np.float32], output: int
) -> NDArray[np.float64]:
    """Return the class activation of one output along a curve, (n_points,), between 0 and 1.

    HiResCAM (Draelos & Carin 2020, arXiv:2011.08891) on the last convolution: each channel times
    the gradient of the output at the same place, summed, negative sums left out, stretched to the
    curve's length. Grad-CAM averages the gradient along the curve first, which tells little where
    the next layer gives every place weights of its own. All 0 where nothing speaks for the output.

    Parameters
    ----------
    curve : (n_points,).
    """
    network.eval()
    x = torch.as_tensor(curve)[None]
    features = network.seen(x).detach().requires_grad_(True)
    network.head(features)[0, output].backward()
    assert features.grad is not None
    heat = torch.relu((features.grad * features).sum(dim=1)).detach()
    # Place k of the convolutions looks at the curve around point k · stride.
    at = np.arange(heat.shape[-1]) * network.stride
    found = np.interp(np.arange(len(curve)), at, heat.flatten().cpu().numpy().astype(np.float64))
    highest = found.max()
    return np.asarray(found / highest if highest > 0 else found)
