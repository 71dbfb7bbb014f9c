"""A sample of the space over which a map is judged."""

from __future__ import annotations

import numpy as np

from planners.bayesian.goals.fidelity import Fidelity
from planners.columns import Array
from planners.encoding import Encoding
from planners.sampling import draw_uniform

N_REFERENCES = 400
"""Points that stand for the whole space; of a smaller finite space all its points do."""


def reference_points(
    encoding: Encoding, fidelity: Fidelity | None, *, rng: np.random.Generator
) -> Array:
    """Return coordinates spread uniformly over the feasible space, shape (n, n_columns).

    Parameters
    ----------
    fidelity : if given, every point stands at its target: a map is judged there.
    """
    table = encoding.table
    if table is None:
        points = draw_uniform(encoding.space, N_REFERENCES, rng=rng, at_least=1)
        x = encoding.encode(points)
    elif len(table) <= N_REFERENCES:
        x = table.encoded
    else:
        x = table.encoded[np.sort(rng.choice(len(table), N_REFERENCES, replace=False))]
    return x if fidelity is None else np.unique(fidelity.at_target(encoding, x), axis=0)
