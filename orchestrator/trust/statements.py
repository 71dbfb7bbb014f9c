"""Statements: what was said of each experiment, as the judges of trust need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from analysis.insight import Estimate, Insight
from orchestrator.store.records import InsightSummary
from planners.parameters import Value


@dataclass(frozen=True, slots=True)
class Statement:
    """What one agent said of one sample; only what trust is judged by.

    Attributes
    ----------
    turn : number of the experiment.
    made : number of the experiment that made the sample, if it is an earlier one.
    estimates, class_probabilities, p_wrong, novelty, quality : as in `Insight`.
    values : the point that was made; empty if it is not known.
    """

    turn: int
    agent: str
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    class_probabilities: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    p_wrong: float | None = None
    novelty: float | None = None
    quality: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    made: int | None = None

    @property
    def sample(self) -> int:
        """Number of the experiment that made the sample."""
        return self.turn if self.made is None else self.made

    @classmethod
    def of(
        cls,
        turn: int,
        insight: Insight | InsightSummary,
        *,
        values: Mapping[str, Value] | None = None,
        made: int | None = None,
    ) -> Self:
        """Return an insight into the sample of one experiment as a statement."""
        return cls(
            turn=turn,
            agent=insight.agent,
            estimates=insight.estimates,
            class_probabilities=insight.class_probabilities,
            p_wrong=insight.p_wrong,
            novelty=insight.novelty,
            quality=insight.quality,
            values=values or {},
            made=made,
        )


@dataclass(frozen=True, slots=True)
class Foretold:
    """How a planner's prediction of one quantity fared.

    Attributes
    ----------
    deviation : (observed - predicted) / their combined standard deviation.
    """

    turn: int
    quantity: str
    deviation: float


@dataclass(frozen=True, slots=True)
class Truth:
    """What one quantity of one sample really is, as far as a reference tells.

    Attributes
    ----------
    sample : number of the experiment that made it.
    value : a number, or the right answer to a question of structure.
    std : standard deviation of a number; 0 if it is taken as exact.
    source : who or what tells, such as ``ICP-OES``.
    """

    sample: int
    quantity: str
    value: float | str
    std: float = 0.0
    source: str = ""
