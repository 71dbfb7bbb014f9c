"""What a campaign wants: quantities, directions, targets and what must not be broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Target(_Record):
    """One wanted quantity.

    Attributes
    ----------
    quantity : key of the quantity, such as ``xrd.weight_fraction.rutile``.
    goal : maximize, minimize, or match `value`.
    value : for match, what to hit; otherwise the level at which a person is content.
    tolerance : for match, the distance that counts as a hit.
    scale : how much of the quantity is worth one unit of utility (default: `tolerance`, else 1).
    weight : relative importance when several targets are weighted.
    """

    quantity: str = Field(min_length=1)
    goal: Literal["maximize", "minimize", "match"]
    value: float | None = None
    tolerance: float | None = Field(default=None, gt=0)
    scale: float | None = Field(default=None, gt=0)
    weight: float = Field(default=1.0, gt=0)
    unit: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Target:
        if self.goal == "match" and self.value is None:
            raise ValueError(f"{self.quantity!r} has the goal match but no `value` to match")
        if self.goal != "match" and self.tolerance is not None:
            raise ValueError(
                f"{self.quantity!r} has a tolerance, which only the goal match uses; to stop at a "
                "level, give `value` alone"
            )
        return self

    def utility(self, value: float) -> float:
        """Return how good one value is, higher is better, before weighting."""
        scale = self.scale or self.tolerance or 1.0
        if self.goal == "match":
            assert self.value is not None
            return -abs(value - self.value) / scale
        return value / scale if self.goal == "maximize" else -value / scale

    def is_reached(self, value: float) -> bool:
        """Return whether a value satisfies this target; False where no level is given."""
        if self.value is None:
            return False
        if self.goal == "match":
            return abs(value - self.value) <= (self.tolerance or 0.0)
        return value >= self.value if self.goal == "maximize" else value <= self.value


class OutcomeConstraint(_Record):
    """A measured quantity that must stay between bounds for an experiment to count."""

    quantity: str = Field(min_length=1)
    lower: float | None = None
    upper: float | None = None
    unit: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> OutcomeConstraint:
        if self.lower is None and self.upper is None:
            raise ValueError(f"the outcome constraint on {self.quantity!r} needs a bound")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(
                f"the outcome constraint on {self.quantity!r} has lower = {self.lower:g} above "
                f"upper = {self.upper:g}"
            )
        return self

    def is_met(self, value: float) -> bool:
        """Return whether a value lies between the bounds."""
        above = self.lower is None or value >= self.lower
        return above and (self.upper is None or value <= self.upper)


class Objective(_Record):
    """Targets, how they are combined, and the constraints on outcomes.

    Attributes
    ----------
    targets : one or more.
    combine : ``weighted`` adds utilities times weights; ``front`` seeks the Pareto front.
    constraints : what every counting experiment must obey.
    """

    targets: tuple[Target, ...] = Field(min_length=1)
    combine: Literal["weighted", "front"] = "weighted"
    constraints: tuple[OutcomeConstraint, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Objective:
        names = [t.quantity for t in self.targets]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"several targets want {', '.join(twice)}; one target a quantity")
        bare = [t.quantity for t in self.targets if not (t.scale or t.tolerance)]
        if len(self.targets) > 1 and self.combine == "weighted" and bare:
            raise ValueError(
                f"{', '.join(bare)} is weighted against other targets without a scale, so that its "
                "unit alone would decide; say with `scale` how much of it is worth as much as one "
                'scale or tolerance of the others, or seek the front with combine = "front"'
            )
        return self

    @property
    def quantities(self) -> tuple[str, ...]:
        """Every quantity that must be known of an experiment: targets, then constraints."""
        wanted = [t.quantity for t in self.targets]
        return tuple(dict.fromkeys(wanted + [c.quantity for c in self.constraints]))

    def is_complete(self, values: Mapping[str, float]) -> bool:
        """Return whether every wanted quantity is known."""
        return all(q in values for q in self.quantities)

    def utility(self, values: Mapping[str, float]) -> float:
        """Return the weighted utility of one complete experiment, higher is better."""
        return sum(t.weight * t.utility(values[t.quantity]) for t in self.targets)

    def rank(self, values: Mapping[str, float]) -> tuple[bool, bool, float]:
        """Return a sort key of one complete experiment, the better the higher.

        Feasible goes before infeasible, then what satisfies every target, then utility: a
        weighted utility alone may prefer a sample that hits one target exactly and misses another.
        """
        return self.is_feasible(values), self.is_reached(values), self.utility(values)

    def is_feasible(self, values: Mapping[str, float]) -> bool:
        """Return whether every outcome constraint is known to be met."""
        return all(c.quantity in values and c.is_met(values[c.quantity]) for c in self.constraints)

    def is_reached(self, values: Mapping[str, float]) -> bool:
        """Return whether every target is known to be satisfied and every constraint met."""
        return self.is_feasible(values) and all(
            t.quantity in values and t.is_reached(values[t.quantity]) for t in self.targets
        )
