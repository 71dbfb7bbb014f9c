"""Errors of the planners.

PlanningError
├── SpaceError            the search space contradicts itself or holds no point
├── NothingLeftToPropose  every feasible point has been tried
└── UnsupportedSpace      this planner cannot search that kind of space
"""

from __future__ import annotations


class PlanningError(Exception):
    """Something about choosing the next experiment went wrong."""


class SpaceError(PlanningError, ValueError):
    """The search space contradicts itself or holds no feasible point."""


class NothingLeftToPropose(PlanningError):
    """Every feasible point of the space has been tried or is pending."""


class UnsupportedSpace(PlanningError):
    """The planner cannot search this kind of space or serve this objective."""
