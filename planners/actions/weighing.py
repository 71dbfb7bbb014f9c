"""Every action with its worth and its price."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from planners.actions.records import MeasureAgain, Option
from planners.actions.scene import Scene
from planners.actions.worths import of_new, of_option
from planners.grounds import point_in_words
from planners.proposal import Prediction
from planners.settable import Value
from planners.space import Point

Price = Callable[[Point], float]
"""Takes a point; returns what a new sample of it costs."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """An action, what it is worth and what it costs.

    Attributes
    ----------
    what : the action in words, after "to".
    values : the point that is made, or that of the sample.
    worth : in units of the objective's utility (of a map: see `planners.bayesian.acting.maps`).
    option : the measurement, None for a new sample.
    is_new : whether a recipe is made that was not made before.
    predicted : what is foretold of a new sample.
    """

    what: str
    values: Mapping[str, Value]
    worth: float
    cost: float
    option: Option | None = None
    is_new: bool = False
    predicted: Mapping[str, Prediction] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Worth for one unit of cost."""
        return self.worth / self.cost


def weigh(
    scene: Scene,
    options: Sequence[Option],
    *,
    price: Price,
    replicates: bool,
) -> list[Weighed]:
    """Return every action, that of most worth per cost first.

    Of equal ones new experiments come before replicates, and these before options.
    The candidate that is worth most per cost speaks for new experiments; the first is made.
    """
    found: list[Weighed] = []
    if scene.candidates:
        found.append(_new(scene, price))
    if replicates:
        found += _replicate(scene, price)
    found += [
        Weighed(
            f"measure experiment {o.again.experiment} again ({in_words(o.again)})",
            scene.observations[o.row].values,
            of_option(scene, o),
            o.cost,
            option=o,
        )
        for o in options
    ]
    return sorted(found, key=lambda w: -w.rate)


def _new(scene: Scene, price: Price) -> Weighed:
    n, points = len(scene.observations), scene.candidates
    costs = np.array([price(p) for p in points])
    worths = np.array([of_new(scene, n + k) for k in range(len(points))])
    best = int(np.argmax(worths / costs))
    return Weighed(
        "make a new sample", points[0], float(worths[best]), float(costs[best]), is_new=True
    )


def _replicate(scene: Scene, price: Price) -> list[Weighed]:
    """Return the replicate of most worth per cost, nothing before anything was made."""
    rows = [i for i, entry in enumerate(scene.entries) if entry]
    found = [
        Weighed(
            f"make {{{point_in_words(scene.observations[i].values)}}} once more",
            scene.observations[i].values,
            of_new(scene, i),
            price(scene.observations[i].values),
            predicted=_predicted(scene, i),
        )
        for i in rows
    ]
    return [max(found, key=lambda w: w.rate)] if found else []


def _predicted(scene: Scene, i: int) -> dict[str, Prediction]:
    return {
        q: Prediction(
            mean=float(b.mean[i]),
            std=float(np.sqrt(b.variance[i])),
            noise=float(np.sqrt(scene.noise[q])),
        )
        for q, b in scene.beliefs.items()
    }


def in_words(again: MeasureAgain) -> str:
    """Return a measurement as a person says it, such as ``xrd, counting_time = 240``."""
    return ", ".join([again.technique, *(f"{k} = {v}" for k, v in again.settings.items())])
