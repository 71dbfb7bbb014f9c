"""Analysis: agents that turn measurements into structural insight with its uncertainty."""

from analysis.errors import AnalysisError, BadPattern, BadPhase, BadSettings, WeightsNotTrained
from analysis.insight import Curve, Estimate, Insight, MeasurementRequest
from analysis.protocols import Agent, AgentFactory

__all__ = [
    "Agent",
    "AgentFactory",
    "AnalysisError",
    "BadPattern",
    "BadPhase",
    "BadSettings",
    "Curve",
    "Estimate",
    "Insight",
    "MeasurementRequest",
    "WeightsNotTrained",
]
