"""How far a curve is from those a network learnt on, in the network's own last hidden layer.

Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.learning.networks import CurveNet

FloatArray = NDArray[np.float64]

SHRINK = 0.05
"""Share of the covariance that is replaced by a multiple of the unit matrix."""


def embedding(network: CurveNet, curves: NDArray[np.float32]) -> FloatArray:
    """Return the last hidden layer of each curve, (n, n_hidden), without dropout."""
    network.eval()
    with torch.no_grad():
        hidden = network.head[:-2](network.seen(torch.as_tensor(curves)))
    return np.asarray(hidden.cpu().numpy(), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """Where the embeddings of a training world lie.

    Attributes
    ----------
    mean : (n_hidden,).
    root : (n_hidden, n_hidden) matrix R with R Rᵀ the inverse covariance.
    """

    mean: FloatArray
    root: FloatArray

    def distance(self, embedded: FloatArray) -> FloatArray:
        """Return the Mahalanobis distance of each embedding over √n_hidden, (n,).

        After Lee et al. (2018, arXiv:1807.03888), with one cloud for all: mixtures fall into no
        classes.
        """
        moved = (embedded - self.mean) @ self.root
        return np.asarray(np.sqrt((moved**2).mean(axis=1)))


def fit_cloud(embedded: FloatArray) -> Cloud:
    """Return the cloud of embeddings, (n, n_hidden), its covariance shrunk by `SHRINK`.

    Raises
    ------
    ValueError
        There are fewer than ten embeddings.
    """
    if len(embedded) < 10:
        raise ValueError(f"{len(embedded)} embeddings make no cloud; give ten or more")
    mean = embedded.mean(axis=0)
    covariance = np.cov(embedded, rowvar=False)
    unit = max(float(np.trace(covariance)) / len(covariance), 1e-12)
    shrunk = (1 - SHRINK) * covariance + SHRINK * unit * np.eye(len(covariance))
    return Cloud(mean, np.linalg.inv(np.linalg.cholesky(shrunk)).T)
