"""Planners: what may be proposed, what is wanted, and who chooses.

Usable without the rest of sdlab: give a planner a `SearchSpace`, an `Objective` and the
`Observation`s so far, and it returns `Proposal`s. A `Study` remembers them between calls.
"""

from planners.costs import CostModel
from planners.errors import NothingLeftToPropose, PlanningError, SpaceError, UnsupportedSpace
from planners.objective import Objective, OutcomeConstraint, PhaseMapWish, Target
from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    MixtureParameter,
    Parameter,
    Value,
)
from planners.proposal import Alternative, Observation, Outlook, Prediction, Proposal, Reason
from planners.protocols import Planner
from planners.space import (
    CandidateList,
    ContextVariable,
    ExpressionConstraint,
    FunctionConstraint,
    LinearConstraint,
    Point,
    SearchSpace,
)
from planners.study import Study
from planners.vetoes import Veto

__all__ = [
    "Alternative",
    "CandidateList",
    "CategoricalParameter",
    "ContextVariable",
    "ContinuousParameter",
    "CostModel",
    "DiscreteParameter",
    "ExpressionConstraint",
    "FunctionConstraint",
    "LinearConstraint",
    "MixtureParameter",
    "NothingLeftToPropose",
    "Objective",
    "Observation",
    "OutcomeConstraint",
    "Outlook",
    "Parameter",
    "PhaseMapWish",
    "Planner",
    "PlanningError",
    "Point",
    "Prediction",
    "Proposal",
    "Reason",
    "SearchSpace",
    "SpaceError",
    "Study",
    "Target",
    "UnsupportedSpace",
    "Value",
    "Veto",
]
