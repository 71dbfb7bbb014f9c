"""Bayesian optimisation: the planner `bayesian` and the landscape its surrogate sees.

Importing this package imports no torch; a model does, when it is first needed.
"""

from planners.bayesian.planner import BayesianPlanner, make
from planners.bayesian.settings import BayesianSettings

__all__ = ["BayesianPlanner", "BayesianSettings", "make"]
