"""From experiments to a map: what was read, and what follows from it for the whole space."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from planners.bayesian.gaussian_process import SurrogateFailed
from planners.columns import Array
from planners.encoding import Encoding
from planners.mapping.amounts import amount_map
from planners.mapping.classifying import region_map
from planners.mapping.maps import PhaseMap
from planners.mapping.readings import Amounts, Labels, Readings, readings_for
from planners.mapping.regions import found_regions, labelled_regions
from planners.proposal import Observation
from planners.sampling import draw_uniform

logger = logging.getLogger(__name__)

MOST_POINTS = 160
"""Points that stand for the whole space where doubt is averaged over it."""


def chart_of(
    encoding: Encoding, observations: Sequence[Observation], *, of: str
) -> PhaseMap | None:
    """Return the map that readings so far tell, None while they tell of one region at most.

    Parameters
    ----------
    of : what the map is made of, see `planners.mapping.readings.readings_for`.
    """
    made = [o for o in observations if not o.failed]
    readings = readings_for(made, of)
    if readings is None:
        return None
    x = encoding.encode_observations(made)[readings.read]
    try:
        chart = _charted(readings, x, encoding.groups)
    except SurrogateFailed as error:
        logger.warning("no map: %s", error)
        return None
    return chart if len(chart.names) > 1 else None


def points_of(encoding: Encoding, *, seed: int) -> Array:
    """Return the coordinates of points that stand for the space, (n_points, n_columns)."""
    rng = np.random.default_rng([seed, 7])
    table = encoding.table
    if table is not None:
        return np.asarray(table.encoded[rng.permutation(len(table))[:MOST_POINTS]])
    return encoding.encode(draw_uniform(encoding.space, MOST_POINTS, rng=rng))


def _charted(readings: Readings, x: Array, groups: npt.NDArray[np.int64]) -> PhaseMap:
    if isinstance(readings, Amounts):
        return amount_map(readings, x, groups=groups)
    if isinstance(readings, Labels):
        return region_map(labelled_regions(readings, x), x, groups=groups)
    return region_map(found_regions(readings, x), x, groups=groups)
