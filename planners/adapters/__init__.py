"""Other people's planners behind our Protocol: Ax and BayBE, installed through extras.

Importing this package imports neither of them; a planner does, when it is first asked.
"""

from planners.adapters.ax import AxPlanner
from planners.adapters.baybe import BaybePlanner
from planners.adapters.frame import BorrowedSettings

__all__ = ["AxPlanner", "BaybePlanner", "BorrowedSettings"]
