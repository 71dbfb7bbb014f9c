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

    Grad-CAM (Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74) on the last convolution: channels
    weighted by the mean gradient of the output, negative sums left out, stretched to the curve's
    length. All 0 where nothing speaks for the output.

    Parameters
    ----------
    curve : (n_points,).
    """
    network.eval()
    x = torch.as_tensor(curve)[None]
    features = network.features(x.unsqueeze(1)).detach().requires_grad_(True)
    network.head(features)[0, output].backward()
    assert features.grad is not None
    weights = features.grad.mean(dim=2, keepdim=True)
    heat = torch.relu((weights * features).sum(dim=1)).detach()
    stretched = torch.nn.functional.interpolate(heat[None], size=len(curve), mode="linear")
    found = stretched[0, 0].numpy().astype(np.float64)
    highest = found.max()
    return np.asarray(found / highest if highest > 0 else found)
