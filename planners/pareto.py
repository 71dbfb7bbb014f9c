"""Several targets at once: which points no other beats, and how much of the space they dominate.

Every function takes gains, one column a target, higher is better, as `Target.utility` gives them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from planners.errors import PlanningError

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def non_dominated(gains: npt.ArrayLike) -> Mask:
    """Return which points no other beats, shape (n_points,).

    One point beats another if it is at least as good in every target and better in one, so
    equal points stay together.

    Parameters
    ----------
    gains : shape (n_points, n_targets).

    Raises
    ------
    PlanningError
        The gains are no table of finite numbers.
    """
    table = _table(gains)
    free = np.ones(len(table), dtype=bool)
    for i, own in enumerate(table):
        at_least = np.all(table >= own, axis=1)
        free[i] = not np.any(at_least & np.any(table > own, axis=1))
    return free


def hypervolume(gains: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Return the volume that is worse than some point and better than the reference.

    The measure of the union of the boxes between `reference` and each point (Zitzler & Thiele
    1999, doi:10.1109/4235.797969), in the product of the gains' units. Points that are not
    better than the reference in every target add nothing. Exact for any number of targets: a sweep
    for two, otherwise the volume is cut into slices along the last target, whose cross-sections
    are hypervolumes of one target fewer (While et al. 2006, doi:10.1109/TEVC.2005.851275). The time
    grows with the power n_targets - 1 of the number of points on the front.

    Parameters
    ----------
    gains : shape (n_points, n_targets).
    reference : the worst gain that still counts, shape (n_targets,).

    Raises
    ------
    PlanningError
        The gains are no table of finite numbers, or the reference has another length.
    """
    table, worst = _table(gains), _reference(gains, reference)
    height = table - worst
    height = height[np.all(height > 0, axis=1)]
    return _volume(height[non_dominated(height)]) if len(height) else 0.0


def hypervolume_course(gains: npt.ArrayLike, reference: npt.ArrayLike) -> Array:
    """Return the hypervolume after each point, shape (n_points,). Never falls.

    See `hypervolume` for the parameters, the source and the errors.
    """
    table, worst = _table(gains), _reference(gains, reference)
    course = np.zeros(len(table))
    front = np.empty((0, table.shape[1]))
    reached = 0.0
    for i, own in enumerate(table):
        if np.all(own > worst) and not np.any(np.all(front >= own, axis=1)):
            front = np.vstack([front[~np.all(front <= own, axis=1)], own])
            reached = _volume(front - worst)
        course[i] = reached
    return course


def _volume(heights: Array) -> float:
    """Return the volume of the union of boxes from the origin, none inside another."""
    n_targets = heights.shape[1]
    if n_targets == 1:
        return float(heights.max())
    if n_targets == 2:
        return _area(heights)
    order = np.argsort(-heights[:, -1], kind="stable")
    base, depth = heights[order, :-1], heights[order, -1]
    thickness = depth - np.append(depth[1:], 0.0)
    total, section = 0.0, base[:0]
    for own, thick in zip(base, thickness, strict=True):
        if not np.any(np.all(section >= own, axis=1)):
            section = np.vstack([section[~np.all(section <= own, axis=1)], own])
        if thick > 0:
            total += thick * _volume(section)
    return float(total)


def _area(heights: Array) -> float:
    """Return the area under a staircase, shape of its corners (n_points, 2)."""
    order = np.argsort(-heights[:, 0], kind="stable")
    across, up = heights[order].T
    steps = np.maximum.accumulate(up)
    rises = np.diff(steps, prepend=0.0)
    return float(np.sum(across * rises))


def _table(gains: npt.ArrayLike) -> Array:
    table = np.asarray(gains, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] == 0 or not np.all(np.isfinite(table)):
        raise PlanningError(
            f"found gains of shape {table.shape}; expected a table of finite numbers with a row a "
            "point and a column a target. Leave points out that miss a target"
        )
    return table


def _reference(gains: npt.ArrayLike, reference: npt.ArrayLike) -> Array:
    n_targets = np.shape(gains)[1]
    worst = np.asarray(reference, dtype=np.float64)
    if worst.shape != (n_targets,) or not np.all(np.isfinite(worst)):
        raise PlanningError(
            f"found a reference point of shape {worst.shape}; expected {n_targets} finite numbers, "
            "one a target. Give the worst gain of each target that still counts"
        )
    return worst
