"""Campaigns of the planners' goals, played on known functions."""

import numpy as np

from planners import ContinuousParameter, Observation, SearchSpace
from planners.bayesian.surrogate import fit_quantity
from planners.encoding import Encoding

SQUARE = SearchSpace(
    parameters=tuple(ContinuousParameter(name=n, low=0, high=1) for n in ("x", "y"))
)
MESH = [
    {"x": float(a), "y": float(b)} for a in np.linspace(0, 1, 31) for b in np.linspace(0, 1, 31)
]
STD = 0.01
"""Stated error of every measurement; the functions vary by about 1."""


def play(planner, space, objective, truth, n, *, seed, start=(), noise=0.0):
    """Run a campaign of `n` experiments; truth gives the outcome `q` of a point."""
    observations = list(start)
    rng = np.random.default_rng([7, seed])
    for i in range(n):
        proposal = planner.propose(
            space, objective, observations=observations, rng=np.random.default_rng([seed, i])
        )[0]
        observations.append(measured(proposal.values, truth, noise * rng.standard_normal()))
    return observations


def measured(point, truth, error=0.0, **fields):
    """Return an observation of `q` at a point."""
    outcome = {"q": truth(point) + error}
    return Observation(values=point, outcomes=outcome, stds={"q": STD}, **fields)


def believed(space, observations, points):
    """Return what a surrogate of the observations predicts for `q` at points."""
    encoding = Encoding(space)
    made = [o for o in observations if not o.failed]
    return fit_quantity(encoding, "q", made).predict(encoding.encode(points))[0]
