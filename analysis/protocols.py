"""What an analysis agent must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from analysis.insight import Insight
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]


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


@runtime_checkable
class KnownFunction(Protocol):
    """A quantity that an agent can foretell where a sample's class and some numbers are known.

    A planner that believes something of the class and the numbers of a sample not yet made so
    learns what the agent would say of it. See `KnowingAgent`.

    Attributes
    ----------
    quantity : the estimate that is foretold, e.g. ``pdf.distance_to_target.s_q``.
    question : the class probabilities it depends on, e.g. ``pdf.type``.
    answers : answers to the question for which it is known.
    numbers : the estimates it depends on, in the order of the values' last axis; all positive.
    ranges : lowest and highest value of each number that a sample may have.
    softness : difference of the quantity that makes two structures unlike each other.
    """

    quantity: str
    question: str
    answers: tuple[str, ...]
    numbers: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]
    softness: float

    def __call__(self, answer: str, values: FloatArray) -> FloatArray:
        """Return the quantity, (...).

        Parameters
        ----------
        answer : one of `answers`.
        values : (..., n_numbers) in the units of the estimates.

        Raises
        ------
        AnalysisError
            The answer is unknown, or the values have another last axis.
        """
        ...


@runtime_checkable
class KnowingAgent(Agent, Protocol):
    """An agent some of whose estimates are known as soon as the structure is."""

    @property
    def known_functions(self) -> Sequence[KnownFunction]:
        """What it can foretell of a sample whose structure is believed."""
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
