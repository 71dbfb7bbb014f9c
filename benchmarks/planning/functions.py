"""Functions with a known optimum, as spaces, objectives and answers; all are minimised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from planners import (
    ContinuousParameter,
    Objective,
    OutcomeConstraint,
    Point,
    SearchSpace,
    Target,
)

Array = np.ndarray


@dataclass(frozen=True)
class Function:
    """A function over a box.

    Attributes
    ----------
    low, high : bounds of every coordinate.
    outcomes : point → its value ``f`` and what must not rise above 0, by name.
    optimum : least feasible value.
    budget : evaluations after which the regret is told.
    """

    name: str
    dimension: int
    low: float
    high: float
    outcomes: Callable[[Array], Mapping[str, float]]
    optimum: float
    budget: int
    bounds: tuple[str, ...] = ()

    @property
    def space(self) -> SearchSpace:
        """The box."""
        return SearchSpace(
            parameters=tuple(
                ContinuousParameter(name=f"x{i}", low=self.low, high=self.high)
                for i in range(self.dimension)
            )
        )

    @property
    def objective(self) -> Objective:
        """Minimise ``f`` where every bounded outcome is at most 0."""
        return Objective(
            targets=(Target(quantity="f", goal="minimize"),),
            constraints=tuple(OutcomeConstraint(quantity=b, upper=0.0) for b in self.bounds),
        )

    def at(self, point: Point) -> dict[str, float]:
        """Return the outcomes of a point."""
        found = self.outcomes(np.array([float(point[f"x{i}"]) for i in range(self.dimension)]))
        return {name: float(value) for name, value in found.items()}

    def regret(self, outcomes: Mapping[str, float]) -> float:
        """Return how far a point lies above the optimum, infinity if it breaks a bound."""
        if any(outcomes[b] > 0 for b in self.bounds):
            return float("inf")
        return outcomes["f"] - self.optimum


_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)
_ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
HARTMANN_LEAST = -3.322368


def hartmann6(x: Array) -> float:
    """Return Hartmann's function of six coordinates (Dixon & Szegö 1978)."""
    return -float(_ALPHA @ np.exp(-(_A * (x - _P) ** 2).sum(axis=1)))


def branin(x: Array) -> float:
    """Return Branin's function over the unit square, which stands for [-5, 10] × [0, 15]."""
    a, b = 15.0 * x[0] - 5.0, 15.0 * x[1]
    bent = b - 5.1 / (4 * np.pi**2) * a**2 + 5 / np.pi * a - 6
    return float(bent**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(a) + 10)


def levy(x: Array) -> float:
    """Return Levy's function; its optimum 0 lies at (1, …, 1)."""
    w = 1 + (x - 1) / 4
    middle = ((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)).sum()
    end = (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2)
    return float(np.sin(np.pi * w[0]) ** 2 + middle + end)


def gramacy(x: Array) -> dict[str, float]:
    """Return a sum under two bounds (Gramacy et al. 2016, doi:10.1080/00401706.2015.1014065)."""
    a, b = x
    wave = 1.5 - a - 2 * b - 0.5 * np.sin(2 * np.pi * (a**2 - 2 * b))
    return {"f": a + b, "wave": wave, "disc": a**2 + b**2 - 1.5}


def hartmann6_in_ball(x: Array) -> dict[str, float]:
    """Return Hartmann-6 where the norm of x is at most 1 (Letham et al. 2019)."""
    return {"f": hartmann6(x), "ball": float(np.linalg.norm(x)) - 1.0}


RELEVANT = (3, 7, 8, 12, 15, 18)
"""The coordinates of twenty on which the embedded Hartmann function depends."""

FUNCTIONS = {
    f.name: f
    for f in (
        Function("branin", 2, 0, 1, lambda x: {"f": branin(x)}, 0.397887, 30),
        Function("hartmann6", 6, 0, 1, lambda x: {"f": hartmann6(x)}, HARTMANN_LEAST, 60),
        Function("levy20", 20, -10, 10, lambda x: {"f": levy(x)}, 0.0, 80),
        Function(
            "hartmann6_of_20",
            20,
            0,
            1,
            lambda x: {"f": hartmann6(x[list(RELEVANT)])},
            HARTMANN_LEAST,
            80,
        ),
        Function("gramacy", 2, 0, 1, gramacy, 0.599788, 30, ("wave", "disc")),
        Function("hartmann6_in_ball", 6, 0, 1, hartmann6_in_ball, HARTMANN_LEAST, 60, ("ball",)),
    )
}
