"""Everything a study remembers, as one record that a file can hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from planners.objective import Objective
from planners.proposal import Observation, Proposal
from planners.settable import Record
from planners.space import SearchSpace
from planners.vetoes import Veto


class StudyState(Record):
    """A study between two calls.

    Attributes
    ----------
    format : of this record; a later version of sdlab tells by it what it reads.
    planner : name of the planner.
    settings : of the planner, without the seed.
    brought : the planner was given as an object, which no file can hold.
    asks : how often proposals were asked for.
    pending : proposals that were given out and not answered.
    """

    format: Literal[1] = 1
    space: SearchSpace
    objective: Objective
    planner: str
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    brought: bool = False
    seed: int = Field(ge=0)
    asks: int = Field(default=0, ge=0)
    observations: tuple[Observation, ...] = ()
    pending: tuple[Proposal, ...] = ()
    vetoes: tuple[Veto, ...] = ()
