"""By how much a prediction rests on each experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve

from planners.bayesian.surrogate import Surrogate
from planners.columns import Array
from planners.encoding import Encoding
from planners.proposal import Observation


@dataclass(frozen=True, slots=True)
class Telling:
    """The experiment on which a prediction rests most.

    Attributes
    ----------
    observation : the experiment.
    without : the mean that were predicted had it not been made, in the quantity's unit.
    """

    observation: Observation
    without: float


def most_telling(
    encoding: Encoding, surrogate: Surrogate, x: Array, made: Sequence[Observation]
) -> Telling | None:
    """Return the experiment that moves the mean at one point most, None if that is not known.

    Told by the Gaussian process over the settings alone, whatever models stand beside it.

    Parameters
    ----------
    x : (n_columns,) coordinates of the point.
    made : experiments that gave outcomes.
    """
    process = surrogate.process
    moved = influences(process.covariances(x[None])[0], process.factor, process.weights)
    rows = encoding.encode_observations(made)
    for j in np.argsort(-np.abs(moved)):
        same = np.flatnonzero((rows == process.x[j]).all(axis=1)) if len(rows) else np.zeros(0, int)
        if len(same):
            mean = surrogate.predict(x[None])[0][0]
            return Telling(made[int(same[-1])], float(mean + surrogate.scale * moved[j]))
    return None


def influences(cross: Array, factor: Array, weights: Array) -> Array:
    """Return how the mean at a point would change had each outcome not been there, (n,).

    With the hyperparameters as they are, it is ``-(K⁻¹ k)_j (K⁻¹ y)_j / (K⁻¹)_jj``: the inverse
    without row and column j is that of all, less what j has in common with them (Rasmussen &
    Williams 2006, section 5.4.2).

    Parameters
    ----------
    cross : (n,) covariance k of the point with the outcomes.
    factor : (n, n) lower Cholesky factor of their covariance K.
    weights : (n,) ``K⁻¹ y``.
    """
    inverse = cho_solve((factor, True), np.eye(len(weights)))
    return np.asarray(-(inverse @ cross) * weights / np.diag(inverse))
