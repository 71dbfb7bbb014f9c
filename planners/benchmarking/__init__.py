"""How good is a planner on finished work: recorded pools, replays on them, and what is counted."""

from planners.benchmarking.measures import (
    Summary,
    area,
    bootstrap,
    first_hit,
    found,
    front_course,
    random_area,
    random_first_hit,
    summary,
    top_rows,
)
from planners.benchmarking.replaying import Replay, replay, starts
from planners.benchmarking.tables import RecordedPool, pool_from_csv

__all__ = [
    "RecordedPool",
    "Replay",
    "Summary",
    "area",
    "bootstrap",
    "first_hit",
    "found",
    "front_course",
    "pool_from_csv",
    "random_area",
    "random_first_hit",
    "replay",
    "starts",
    "summary",
    "top_rows",
]
