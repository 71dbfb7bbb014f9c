"""Sentences about a choice that every model-based planner can say, for `Reason.grounds`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from planners.proposal import Prediction
from planners.settable import Value

EQUAL = 0.995
"""Ratio of promises from which two points count as equally good."""


def point_in_words(point: Mapping[str, Value]) -> str:
    """Return settings as a person writes them, such as ``temperature = 640, dwell = 2``."""
    return ", ".join(
        f"{name} = {value}" if isinstance(value, str) else f"{name} = {value:.4g}"
        for name, value in point.items()
    )


def surer(predicted: Mapping[str, Prediction], units: Mapping[str, str]) -> list[str]:
    """Return how sure each quantity is at the chosen point, now and after one more sample there.

    The least sure, relative to the noise of a measurement, come first. A quantity whose
    measurements state their own errors is told as it is now.
    """

    def doubt(p: Prediction) -> float:
        return p.std / p.noise if p.noise > 0 else math.inf

    told = []
    for quantity, p in sorted(predicted.items(), key=lambda item: -doubt(item[1])):
        unit = f" {units[quantity]}" if units.get(quantity) else ""
        now = f"{quantity} there is known to ± {p.std:.2g}{unit}"
        if p.noise > 0 and p.std > 0:
            after = p.std * p.noise / math.hypot(p.std, p.noise)
            now += f"; a sample would leave ± {after:.2g}{unit}"
        told.append(f"{now}.")
    return told


def runner_up(
    points: Sequence[Mapping[str, Value]], values: Sequence[float], *, acquisition: str
) -> list[str]:
    """Return how near the second best point came, nothing if there was no other.

    Parameters
    ----------
    points, values : what was weighed and its acquisition values, the chosen one first.
    acquisition : a name that begins with ``Log`` or ``qLog`` tells logarithms of gains, one that
        begins with ``expected gain`` tells gains; differences of others have no such meaning.
    """
    if len(points) < 2 or not all(math.isfinite(v) for v in values[:2]):
        return []
    other = f"{{{point_in_words(points[1])}}}"
    if acquisition.startswith(("Log", "qLog", "expected gain")):
        share = _share(values, is_logarithm=not acquisition.startswith("expected gain"))
        if share >= EQUAL:
            return [f"{other} promised as much; which of the two comes first is chance."]
        return [f"{other} promised {share:.0%} of it, and is next if this one is refused."]
    lead = values[0] - values[1]
    return [f"{other} came next, {lead:.2g} lower in {acquisition}; next if this one is refused."]


def _share(values: Sequence[float], *, is_logarithm: bool) -> float:
    """Return the second gain as a share of the first; two gains of nothing are equal."""
    if is_logarithm:
        return math.exp(values[1] - values[0])
    return values[1] / values[0] if values[0] > 0 else 1.0
