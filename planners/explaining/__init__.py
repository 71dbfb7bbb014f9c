"""Explanations: which settings matter, why a point is predicted as it is, and slices through it."""

from planners.explaining.explain import explain
from planners.explaining.records import (
    Contribution,
    Estimated,
    Explanation,
    Importance,
    Map,
    PointExplained,
    Slice,
)

__all__ = [
    "Contribution",
    "Estimated",
    "Explanation",
    "Importance",
    "Map",
    "PointExplained",
    "Slice",
    "explain",
]
