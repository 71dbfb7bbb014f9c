"""Feasible points by mixed-integer linear programming: exact, however tight the constraints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Protocol

import numpy as np
import numpy.typing as npt

from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    MixtureParameter,
    Parameter,
    Value,
    extremes,
)

Row = tuple[dict[int, float], float, float]
"""One linear row: variable → coefficient, lower bound, upper bound."""

CLOSED = 1e-12
"""Relative distance from its total at which a mixture is left as it is."""


class _Constraint(Protocol):
    """What this file needs of `planners.space.LinearConstraint`."""

    @property
    def coefficients(self) -> dict[str, float]: ...
    @property
    def lower(self) -> float | None: ...
    @property
    def upper(self) -> float | None: ...


class LinearProgramme:
    """The numeric names of a space as one mixed-integer linear programme.

    A stepped parameter is one integer variable, a discrete one a choice among binaries, a mixture
    one row more. Categorical parameters do not appear: no linear constraint can speak of them.
    Names in `listed` take their values from a candidate list, so a caller always fixes them.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        constraints: Sequence[_Constraint] = (),
        *,
        listed: Set[str] = frozenset(),
    ) -> None:
        self._parameters = tuple(p for p in parameters if not isinstance(p, CategoricalParameter))
        self._lower: list[float] = []
        self._upper: list[float] = []
        self._integer: list[int] = []
        self._rows: list[Row] = []
        self._terms: dict[str, tuple[float, dict[int, float]]] = {}
        self.ranges: dict[str, float] = {}
        for parameter in self._parameters:
            if parameter.names[0] in listed:
                self._add_listed(parameter)
            else:
                self._add_parameter(parameter)
        for constraint in constraints:
            self._add_constraint(constraint)

    def solve(
        self,
        direction: Mapping[str, float] | None = None,
        *,
        fixed: Mapping[str, float] | None = None,
    ) -> dict[str, float] | None:
        """Return the feasible values lowest along `direction`, or None if nothing is feasible.

        Parameters
        ----------
        direction : name → slope against the value divided by its range; any point if None.
        fixed : name → value at which it stays.
        """
        cost = np.zeros(len(self._lower))
        for name, slope in (direction or {}).items():
            for i, factor in self._terms[name][1].items():
                cost[i] += slope * factor / self.ranges[name]
        rows = self._rows + self._fixing(fixed)
        solution = self._minimise(cost, self._lower, self._upper, self._integer, rows)
        return None if solution is None else self._read(solution)

    def nearest(
        self, target: Mapping[str, Value], *, fixed: Mapping[str, float] | None = None
    ) -> dict[str, float] | None:
        """Return the feasible values nearest to `target`, or None if nothing is feasible.

        Distance is the sum over names of ``|value - target| / range`` (an L1 norm keeps the
        programme linear). Names in `fixed` stay at their values.
        """
        n = len(self._lower)
        names = list(self._terms)
        rows = self._rows + self._fixing(fixed)
        for j, name in enumerate(names):
            offset, parts = self._terms[name]
            gap = float(target[name]) - offset
            rows.append(({**parts, n + j: 1.0}, gap, np.inf))
            rows.append(({**parts, n + j: -1.0}, -np.inf, gap))
        cost = np.concatenate([np.zeros(n), [1.0 / self.ranges[name] for name in names]])
        solution = self._minimise(
            cost,
            self._lower + [0.0] * len(names),
            self._upper + [np.inf] * len(names),
            self._integer + [0] * len(names),
            rows,
        )
        return None if solution is None else self._read(solution)

    def _variable(self, low: float, high: float, *, whole: bool = False) -> int:
        self._lower.append(low)
        self._upper.append(high)
        self._integer.append(int(whole))
        return len(self._lower) - 1

    def _add_parameter(self, p: Parameter) -> None:
        if isinstance(p, ContinuousParameter):
            if p.n_steps is not None and p.step is not None:
                self._terms[p.name] = (
                    p.low,
                    {self._variable(0, p.n_steps - 1, whole=True): p.step},
                )
            else:
                self._terms[p.name] = (0.0, {self._variable(p.low, p.high): 1.0})
            self.ranges[p.name] = p.high - p.low
        elif isinstance(p, DiscreteParameter):
            chosen = {self._variable(0, 1, whole=True): v for v in p.values}
            self._rows.append((dict.fromkeys(chosen, 1.0), 1.0, 1.0))
            self._terms[p.name] = (0.0, chosen)
            self.ranges[p.name] = max(p.values) - min(p.values) or 1.0
        elif isinstance(p, MixtureParameter):
            amounts = {c: self._variable(*p.bounds(c)) for c in p.components}
            self._terms.update({c: (0.0, {i: 1.0}) for c, i in amounts.items()})
            self._rows.append((dict.fromkeys(amounts.values(), 1.0), p.total, p.total))
            self.ranges.update(dict.fromkeys(p.components, p.total))

    def _add_listed(self, p: Parameter) -> None:
        for name in p.names:
            values = [float(v) for v in extremes(p, name)]
            self._terms[name] = (0.0, {self._variable(min(values), max(values)): 1.0})
            self.ranges[name] = max(values) - min(values) or 1.0

    def _fixing(self, fixed: Mapping[str, float] | None) -> list[Row]:
        rows: list[Row] = []
        for name, value in (fixed or {}).items():
            offset, parts = self._terms[name]
            rows.append((parts, value - offset, value - offset))
        return rows

    def _add_constraint(self, constraint: _Constraint) -> None:
        offset, row = 0.0, dict[int, float]()
        for name, coefficient in constraint.coefficients.items():
            base, parts = self._terms[name]
            offset += coefficient * base
            for i, factor in parts.items():
                row[i] = row.get(i, 0.0) + coefficient * factor
        low = -np.inf if constraint.lower is None else constraint.lower - offset
        high = np.inf if constraint.upper is None else constraint.upper - offset
        self._rows.append((row, low, high))

    def _minimise(
        self,
        cost: npt.NDArray[np.float64],
        lower: list[float],
        upper: list[float],
        integer: list[int],
        rows: list[Row],
    ) -> npt.NDArray[np.float64] | None:
        if not lower:
            return np.zeros(0)
        # Here, since its import takes longer than an emergency stop, which needs no programme.
        from scipy.optimize import Bounds, LinearConstraint, milp

        matrix = np.zeros((len(rows), len(lower)))
        for i, (row, _, _) in enumerate(rows):
            matrix[i, list(row)] = list(row.values())
        limits = LinearConstraint(matrix, [r[1] for r in rows], [r[2] for r in rows])
        result = milp(
            cost,
            integrality=integer,
            bounds=Bounds(lower, upper),
            constraints=limits if rows else None,
        )
        return np.asarray(result.x, dtype=np.float64) if result.success else None

    def _read(self, solution: npt.NDArray[np.float64]) -> dict[str, float]:
        values: dict[str, float] = {}
        for p in self._parameters:
            if isinstance(p, MixtureParameter):
                raw = {c: float(solution[next(iter(self._terms[c][1]))]) for c in p.components}
                values.update(close_mixture(p, raw))
            else:
                offset, parts = self._terms[p.names[0]]
                number = offset + sum(f * float(solution[i]) for i, f in parts.items())
                values[p.names[0]] = p.snap(number)
        return values


def close_mixture(mixture: MixtureParameter, amounts: Mapping[str, float]) -> dict[str, float]:
    """Return the amounts inside their bounds that sum to the total, nearest to `amounts`.

    The Euclidean projection on {low <= x <= high, sum x = total} is ``clip(amounts + shift)``
    with one shift for all components. The sum is piecewise linear in the shift and never falls, so
    the shift is read off between the breakpoints. Amounts that already fit come back unchanged.
    """
    limits = [mixture.bounds(c) for c in mixture.components]
    wanted = [float(amounts[c]) for c in mixture.components]
    inside = all(lo <= w <= hi for w, (lo, hi) in zip(wanted, limits, strict=True))
    if inside and abs(sum(wanted) - mixture.total) <= CLOSED * mixture.total:
        return dict(zip(mixture.components, wanted, strict=True))
    low, high = np.array(limits).T
    start = np.array(wanted)
    breaks = np.sort(np.concatenate([low - start, high - start]))
    sums = np.clip(start + breaks[:, None], low, high).sum(axis=1)
    shift = np.interp(mixture.total, sums, breaks)
    closed = np.clip(start + shift, low, high)
    return dict(zip(mixture.components, (float(v) for v in closed), strict=True))
