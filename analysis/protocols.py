"""What an analysis agent must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from analysis.insight import Insight
from instruments.measurement import Measurement


@runtime_checkable
class Agent(Protocol):
    """Reads measurements of one sample.

    An agent is made once with its settings and then used for every sample; making it does the
    slow part (structure factors, weights). It holds no memory of samples, so the same
    measurements and `rng` give the same insight.

    Attributes
    ----------
    name : registered name, ``<technique>.<question>``.
    technique : technique of the measurements it reads; empty for any.
    """

    name: str
    technique: str

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit, known before the first measurement."""
        ...

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return what the measurements, all of one sample, tell.

        Raises
        ------
        BadPattern
            The measurements cannot be analysed as they are.
        """
        ...


@runtime_checkable
class CollectiveAgent(Agent, Protocol):
    """An agent that learns from the measurements of many samples at once.

    Its `analyze` takes what it is given for one set and speaks of the last measurement.
    """

    def analyze_together(
        self, measurements: Sequence[Measurement], *, rng: np.random.Generator
    ) -> list[Insight]:
        """Return an insight a measurement, in their order.

        Raises
        ------
        BadPattern
            The measurements cannot be analysed together.
        """
        ...


class AgentFactory(Protocol):
    """What an entry point of the group ``sdlab.agents`` names."""

    def __call__(self, settings: Mapping[str, object], folder: Path) -> Agent:
        """Return the agent, ready to analyse.

        Parameters
        ----------
        settings : what the campaign file says under the agent.
        folder : folder of the campaign file; relative paths in settings start there.

        Raises
        ------
        pydantic.ValidationError, AnalysisError
            The settings are wrong.
        """
        ...
