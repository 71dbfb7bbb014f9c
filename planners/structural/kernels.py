"""Ways in which a number may follow settings: which matter, how smooth, together or each alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from planners.columns import Array
from planners.structural.axes import Axis, apart, same

LEVEL = 4.0
"""Variance of what is the same everywhere, in units of the spread."""

PER_SETTING = 0.4
"""Prior odds that one more setting matters."""

LENGTHS = (0.1, 0.3, 1.0)
"""Ranges of the smooth part, in shares of a setting's range."""

BENDS = (0.003, 0.1, 1.0)
"""Variance of the smooth part beside the straight line's."""

ROUGH = (0.0, 0.1)
"""Standard deviations of what no smooth course explains, such as sizes that come in shells."""


@dataclass(frozen=True, slots=True)
class Model:
    """One way in which a number may follow settings.

    Attributes
    ----------
    chosen : the axes that matter.
    length, bend : of the smooth part.
    together : the smooth part is a product over the axes, so that they may act on each other.
    rough : standard deviation of what is not smooth.
    """

    chosen: tuple[int, ...]
    length: float
    bend: float
    together: bool
    rough: float

    @property
    def log_prior(self) -> float:
        """Logarithm of its prior weight: that of its choice of axes, shared with its like."""
        n = len(models_of(self.chosen))
        return float(len(self.chosen) * np.log(PER_SETTING) - np.log(n))


def models_of(chosen: tuple[int, ...]) -> list[Model]:
    """Return every model in which just these axes matter."""
    if not chosen:
        return [Model((), 1.0, 1.0, together=False, rough=r) for r in ROUGH]
    ways = (False, True) if len(chosen) > 1 else (False,)
    return [Model(chosen, *said) for said in product(LENGTHS, BENDS, ways, ROUGH)]


@dataclass(frozen=True, slots=True)
class Parts:
    """What kernels between two sets of points are made of, (n_a, n_b) each.

    Attributes
    ----------
    same : label axis → 1 where both have the same label.
    lines : number axis → covariance of a straight line.
    near : (number axis, length) → nearness.
    """

    shape: tuple[int, int]
    same: Mapping[int, Array]
    lines: Mapping[int, Array]
    near: Mapping[tuple[int, float], Array]

    @classmethod
    def between(cls, axes: Sequence[Axis], a: Array, b: Array) -> Parts:
        """Return the parts for two sets of coordinates."""
        labels = {i: same(axis, a, b) for i, axis in enumerate(axes) if axis.is_label}
        lines: dict[int, Array] = {}
        near: dict[tuple[int, float], Array] = {}
        for i, axis in enumerate(axes):
            if not axis.is_label:
                columns = list(axis.columns)
                lines[i] = 4 * (a[:, columns] - 0.5) @ (b[:, columns] - 0.5).T
                square = apart(axis, a, b)
                near |= {(i, k): np.exp(-0.5 * square / k**2) for k in LENGTHS}
        return cls((len(a), len(b)), labels, lines, near)


def kernel(axes: Sequence[Axis], parts: Parts, model: Model) -> Array:
    """Return the covariance between two sets of points, (n_a, n_b)."""
    total = np.full(parts.shape, LEVEL)
    smooth: Array | None = None
    for i in model.chosen:
        is_label = axes[i].is_label
        part = parts.same[i] if is_label else parts.near[i, model.length]
        if not is_label:
            total += parts.lines[i]
        if not model.together:
            total += part if is_label else model.bend * part
        smooth = part if smooth is None else smooth * part
    return total + model.bend * smooth if model.together and smooth is not None else total


def variances(axes: Sequence[Axis], x: Array, model: Model) -> Array:
    """Return the prior variance of each point, (n,)."""
    total = np.full(len(x), LEVEL)
    for i in model.chosen:
        if not axes[i].is_label:
            total += 4 * ((x[:, list(axes[i].columns)] - 0.5) ** 2).sum(axis=1)
        if not model.together:
            total += 1.0 if axes[i].is_label else model.bend
    return total + model.bend if model.together else total
