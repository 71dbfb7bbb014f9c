"""Why a point was chosen: for the map, for the property, or for both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.bayesian.search import Choice
from planners.bayesian.surrogate import predictions
from planners.columns import Array
from planners.mapping.maps import PhaseMap, doubt_of
from planners.mapping.regions import MOST_REGIONS
from planners.mapping.weighing import Weighing
from planners.proposal import Alternative, Grounds, Observation, Outlook, Prediction, Reason

NAMED = 0.1
"""Probability from which a region is named."""

MOST_BORDERS = 3
"""Borders that are told, the most doubtful first."""


def reason_for(
    weighing: Weighing,
    choices: Sequence[Choice],
    *,
    observations: Sequence[Observation],
) -> Reason:
    """Return the reason for the first choice, with the others as alternatives.

    ``model`` holds the doubt of the map, the shares that the choice promises, and the weight of the
    regions in what foretells each quantity.
    """
    at = np.array([c.x for c in choices])
    for_map, for_property = weighing.of_map(at), weighing.of_property(at)
    predicted = _predicted(weighing, at)
    return Reason(
        planner="phase_map",
        text=_text(weighing, at[:1], float(for_map[0]), float(for_property[0])),
        acquisition="expected gain of map and property" + _per_cost(weighing),
        acquisition_value=choices[0].value,
        predicted=predicted[0],
        alternatives=tuple(
            Alternative(values=c.point, acquisition_value=c.value, predicted=p)
            for c, p in zip(choices[1:], predicted[1:], strict=True)
        ),
        model=_model(weighing, float(for_map[0]), float(for_property[0])),
        outlook=_outlook(weighing, at[:1]),
        grounds=Grounds(
            reduces=tuple(_reduces(weighing, at[0])),
            evidence=tuple(_evidence(weighing, observations)),
            would_change=tuple(_would_change(choices, for_map, for_property)),
        ),
    )


def _per_cost(weighing: Weighing) -> str:
    return "" if weighing.prices is None else " per cost"


def _predicted(weighing: Weighing, at: Array) -> list[dict[str, Prediction]]:
    if weighing.known is None:
        return [{} for _ in at]
    return predictions(weighing.known.surrogates, at)


def _outlook(weighing: Weighing, at: Array) -> Outlook | None:
    if weighing.known is None:
        return None
    return Outlook(
        expected_improvement=float(weighing.known.improvement(at)[0]),
        expected_regret=weighing.known.left,
    )


def _model(weighing: Weighing, for_map: float, for_property: float) -> dict[str, float]:
    found = {"map.doubt": weighing.doubt, "map.promised": for_map}
    if weighing.chart is not None:
        found["map.regions"] = float(len(weighing.chart.names))
    if weighing.known is not None:
        found["property.promised"] = for_property
        for quantity, weight in weighing.known.weight_of_regions().items():
            found[f"{quantity} follows regions"] = weight
    return found


def _text(weighing: Weighing, at: Array, for_map: float, for_property: float) -> str:
    parts = []
    if weighing.chart is not None:
        where = _where(weighing.chart, at)
        parts.append(f"take away {for_map:.1%} of the map's doubt ({where})")
    if weighing.known is not None:
        parts.append(
            f"gain {for_property:.1%} of the property's range (the best point is expected to have "
            f"{weighing.known.left:.3g} more than the best so far)"
        )
    return f"{_lead(weighing, for_map, for_property)}: expected to {' and '.join(parts)}."


def _lead(weighing: Weighing, for_map: float, for_property: float) -> str:
    """Say for what a point was chosen: what makes three quarters of its promise, else both."""
    of_map, of_property = weighing.share * for_map, (1 - weighing.share) * for_property
    if weighing.known is None or of_map > 3 * of_property:
        return "Chosen for the map"
    if weighing.chart is None or of_property > 3 * of_map:
        return "Chosen for the property"
    return "Chosen for both"


def _where(chart: PhaseMap, at: Array) -> str:
    """Say what is at a point: ``region 1 (0.52) or region 3 (0.41)``."""
    told = dict(zip(chart.names, chart.probabilities(at)[0], strict=True))
    likely = sorted(told.items(), key=lambda kv: -kv[1])
    named = [f"{name} ({p:.2f})" for name, p in likely if p >= NAMED]
    joint = " or " if chart.exclusive else ", "
    return joint.join(named[:MOST_REGIONS]) or "no phase that was seen so far"


def _reduces(weighing: Weighing, at: Array) -> list[str]:
    """Name the borders on which most doubt lies, and how much of it this point shares."""
    if weighing.chart is None:
        return []
    p = weighing.chart.probabilities(weighing.over)
    here = weighing.chart.probabilities(at[None])[0]
    names = weighing.chart.names
    if not weighing.chart.exclusive:
        each = (p * (1 - p)).mean(axis=0)
        order = np.argsort(-each * here * (1 - here), kind="stable")[:MOST_BORDERS]
        return [
            f"Whether {names[k]} is there (probability {here[k]:.2f} at this point); on average "
            f"over the space that has a variance of {each[k]:.3f}."
            for k in order
        ]
    pairs = [(a, b) for a in range(len(names)) for b in range(a)]
    pairs.sort(key=lambda ab: -here[ab[0]] * here[ab[1]])
    whole = max(float(doubt_of(p).mean()), 1e-12)
    between = 2 * p.T @ p / len(p) / whole
    return [
        f"The border of {names[b]} and {names[a]}: {between[a, b]:.0%} of the map's doubt lies "
        f"there; at this point they have {here[b]:.2f} and {here[a]:.2f}."
        for a, b in pairs[:MOST_BORDERS]
        if here[a] * here[b] > 0.01
    ]


def _evidence(weighing: Weighing, observations: Sequence[Observation]) -> list[str]:
    told = []
    if weighing.chart is not None:
        kind = "regions" if weighing.chart.exclusive else "phases"
        told.append(
            f"{weighing.chart.n_read} readings of {len(observations)} experiments, in which "
            f"{len(weighing.chart.names)} {kind} were found; {weighing.chart.doubted} of them are "
            "likelier wrong than right."
        )
    if weighing.known is not None:
        for quantity, weight in weighing.known.weight_of_regions().items():
            told.append(f"Regions have weight {weight:.2f} in what foretells {quantity}.")
    return told


def _would_change(choices: Sequence[Choice], for_map: Array, for_property: Array) -> list[str]:
    told = []
    if len(choices) > 1 and choices[0].value > 0:
        told.append(
            f"The runner-up promises {choices[1].value / choices[0].value:.0%} as much "
            f"({for_map[1]:.1%} of the map's doubt, {for_property[1]:.1%} of the property's range)."
        )
    for what, share in (("the map", for_map), ("the property", for_property)):
        best = int(np.argmax(share))
        if best != 0 and share[best] > 0:
            told.append(f"For {what} alone, runner-up {best} would have been chosen before this.")
    return told
