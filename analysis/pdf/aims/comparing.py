"""One curve of a sample beside the target's: the distance, its std, and what a person looks at.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.insight import Curve, Estimate
from analysis.pdf.aims.distances import Distance, Goal, distance, scaled_to_peak
from analysis.pdf.aims.goals import Target, narrowed, windows
from analysis.pdf.aims.measured import (
    LEAST_SHARE,
    WHOLE,
    Shown,
    is_over_q,
    overlap,
    share,
    show,
    sources_of,
)
from analysis.pdf.aims.settings import CurveName, TargetSettings
from analysis.pdf.aims.windows import Window
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

_PREFERRED = 0.1
"""Share of a range that a curve itself may lack beside another that it can be made from."""

REPEATS = 64
"""Curves with noise once more; a std from them is known to 9 %."""

_HEIGHT_OFF = 0.4
"""ln of a factor between heights that a person should know of."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A measured curve and the target's on one grid.

    Attributes
    ----------
    share : of the range that was measured, at most one.
    source : the measurement.
    """

    window: Window
    goal: Goal
    distance: Distance
    shown: Shown
    share: float
    source: Measurement

    def estimate(self, *, rng: np.random.Generator) -> Estimate:
        """Return the distance without what noise adds to it, and its std; None if unknown.

        Noise adds to the square of a distance, on average as much a second time as the first; what
        repeats with more of it say is taken off. A square below zero is zero.
        """
        square = float(self.distance(self.shown.y)) ** 2
        repeats = self.shown.repeats(REPEATS, rng=rng)
        if repeats is None:
            return Estimate(float(np.sqrt(square)), None, "")
        again = self.distance(repeats) ** 2
        value = float(np.sqrt(max(2 * square - float(again.mean()), 0.0)))
        spread = float(again.std())
        return Estimate(value, float(np.sqrt(value**2 + spread)) - value, "")

    def height(self) -> float:
        """Return the factor by which the target's curve fits the measured one best."""
        target = self.goal.y
        return float(target @ self.shown.y[self.goal.inside] / (target @ target))

    def evidence(self, *, scaled: bool) -> Curve:
        """Return both curves and their difference; scaled to a highest point of one if so."""
        observed, target = self.shown.y, self.goal.y
        if scaled:
            observed = scaled_to_peak(observed)
            target = target if self.goal.keeps_height else target / (self.goal.peak or target.max())
        observed = observed[self.goal.inside]
        columns = {"observed": observed, "target": target, "difference": observed - target}
        over_r = self.window.curve == "g_r"
        name, unit = ("r", "Å") if over_r else ("q", "1/Å")
        return Curve(self.goal.x, name, unit, columns, "1/Å²" if over_r and not scaled else "")


class Comparer:
    """Compares the curves of samples with a target's, on the same grids again and again.

    Attributes
    ----------
    windows, goals, distances : of each curve that is compared.
    """

    def __init__(self, settings: TargetSettings, target: Target) -> None:
        self.settings, self.target = settings, target
        self.windows = windows(settings, target)
        self.goals = {c: target.goal(w) for c, w in self.windows.items()}
        self.distances = {c: distance(settings.distance, g) for c, g in self.goals.items()}

    def compare(
        self, curve: CurveName, measurements: Sequence[Measurement]
    ) -> tuple[Comparison | None, tuple[str, ...]]:
        """Return the comparison, None where too little was measured, and remarks.

        Raises
        ------
        BadPattern
            An I(Q) must be divided by the form factor of an unknown element.
        """
        window, taken = self.windows[curve], sources_of(curve, measurements)
        if not taken:
            return None, (f"no measurement holds {curve} or what it is made from",)
        shares = [share(m, window) for m in taken]
        own = [_PREFERRED if m.y_name == curve else 0.0 for m in taken]
        best = int(np.argmax(np.minimum(shares, WHOLE) + own))
        source, part = taken[best], shares[best]
        if part < LEAST_SHARE:
            return None, (
                f"{source.id} covers {part:.0%} of the range of {curve}; {LEAST_SHARE:.0%} are "
                "needed; measure more of it or shorten the range",
            )
        goal, measure = self.goals[curve], self.distances[curve]
        if part < WHOLE:
            covered, over_q = overlap(source, window), is_over_q(source, window)
            window = narrowed(window, covered, self.settings, over_q=over_q)
            goal = self.target.goal(window)
            measure = distance(self.settings.distance, goal)
        shown = show(source, window, element=self.settings.element, probe=self.settings.probe)
        found = Comparison(window, goal, measure, shown, part, source)
        return found, (*shown.remarks, *self._of_height(found))

    def _of_height(self, found: Comparison) -> tuple[str, ...]:
        height = found.height()
        if self.settings.distance != "rwp" or height <= 0 or abs(np.log(height)) < _HEIGHT_OFF:
            return ()
        return (
            f"{found.window.curve} of {found.source.id} fits best at {height:.2g} times the "
            "target's height, which rwp counts as a distance; see whether it is normalised",
        )
