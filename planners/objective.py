"""What a campaign wants: quantities, directions, targets and what must not be broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Target(_Record):
    """One wanted quantity.

    Attributes
    ----------
    quantity : key of the quantity, such as ``xrd.weight_fraction.rutile``.
    goal : maximize, minimize, or match `value`; or map the whole space: ``boundary`` asks where
        the quantity crosses `value`, ``explore`` how it runs everywhere.
    value : for match, what to hit; for boundary, the level that is crossed; otherwise the level at
        which a person is content.
    tolerance : for match, the distance that counts as a hit.
    scale : how much of the quantity is worth one unit of utility (default: `tolerance`, else 1).
    weight : relative importance when several targets are weighted.
    """

    quantity: str = Field(min_length=1)
    goal: Literal["maximize", "minimize", "match", "boundary", "explore"]
    value: float | None = None
    tolerance: float | None = Field(default=None, gt=0)
    scale: float | None = Field(default=None, gt=0)
    weight: float = Field(default=1.0, gt=0)
    unit: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Target:
        if self.goal == "match" and self.value is None:
            raise ValueError(f"{self.quantity!r} has the goal match but no `value` to match")
        if self.goal == "boundary" and self.value is None:
            raise ValueError(
                f"{self.quantity!r} has the goal boundary but no `value`; give the level that is "
                "crossed"
            )
        if self.goal == "explore" and self.value is not None:
            raise ValueError(
                f"{self.quantity!r} is explored everywhere, so its `value` = {self.value:g} means "
                'nothing; remove it, or ask with the goal "boundary" where that level is crossed'
            )
        if self.goal != "match" and self.tolerance is not None:
            raise ValueError(
                f"{self.quantity!r} has a tolerance, which only the goal match uses; to stop at a "
                "level, give `value` alone"
            )
        return self

    @property
    def maps(self) -> bool:
        """Whether the whole space is asked about, not its best point."""
        return self.goal in ("boundary", "explore")

    def utility(self, value: float) -> float:
        """Return how good one value is, higher is better, before weighting.

        For a boundary the nearness to its level; where everything is explored all are equal.
        """
        scale = self.scale or self.tolerance or 1.0
        if self.goal == "explore":
            return 0.0
        if self.goal in ("match", "boundary"):
            assert self.value is not None
            return -abs(value - self.value) / scale
        return value / scale if self.goal == "maximize" else -value / scale

    def utilities(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return how good each of many values is, in their shape; see `utility`."""
        scale = self.scale or self.tolerance or 1.0
        if self.goal == "explore":
            return np.zeros_like(values)
        if self.goal in ("match", "boundary"):
            assert self.value is not None
            return np.asarray(-np.abs(values - self.value) / scale)
        return values / scale if self.goal == "maximize" else -values / scale

    def is_reached(self, value: float) -> bool:
        """Return whether a value satisfies this target; False where no level is given.

        A map is never reached by one value; its campaign ends with its budget.
        """
        if self.value is None or self.maps:
            return False
        if self.goal == "match":
            return abs(value - self.value) <= (self.tolerance or 0.0)
        return value >= self.value if self.goal == "maximize" else value <= self.value


class PhaseMapWish(_Record):
    """A map of phases wanted beside the targets, from what agents read of structure.

    Attributes
    ----------
    of : a question such as ``xrd.class``, or what numbers share but for their last part, such as
        ``xrd.fingerprint``; if empty, the planner takes what tells most.
    share : of the interest that the map has; the rest is the targets'. With 1 the map alone
        decides, and the targets are only recorded.
    """

    of: str = ""
    share: float = Field(default=0.5, gt=0, le=1)


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
    phase_map : the map of phases that is wanted as well; the planner ``phase_map`` makes it.
    input_errors : name → standard deviation of what is really set, in the unit of the name: a
        furnace that holds its temperature within 3 K has 3. A recipe is then judged by what comes
        out under these errors.
    risk : ``expected`` judges by the mean utility under the input errors, ``worst_tenth`` by the
        mean of the worst tenth.
    """

    targets: tuple[Target, ...] = Field(min_length=1)
    combine: Literal["weighted", "front"] = "weighted"
    constraints: tuple[OutcomeConstraint, ...] = ()
    phase_map: PhaseMapWish | None = None
    input_errors: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    risk: Literal["expected", "worst_tenth"] = "expected"

    @model_validator(mode="after")
    def _consistent(self) -> Objective:
        self._check_maps()
        if self.risk != "expected" and not self.input_errors:
            raise ValueError(
                f'risk = "{self.risk}" without `input_errors`; say how far each setting strays, '
                "such as input_errors = { temperature = 3.0 }, or remove `risk`"
            )
        names = [t.quantity for t in self.targets]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"several targets want {', '.join(twice)}; one target a quantity")
        bare = [t.quantity for t in self.targets if not (t.scale or t.tolerance or t.maps)]
        if len(self.targets) > 1 and self.combine == "weighted" and bare:
            raise ValueError(
                f"{', '.join(bare)} is weighted against other targets without a scale, so that its "
                "unit alone would decide; say with `scale` how much of it is worth as much as one "
                'scale or tolerance of the others, or seek the front with combine = "front"'
            )
        return self

    def _check_maps(self) -> None:
        maps = [t.quantity for t in self.targets if t.maps]
        if self.phase_map is not None and (maps or self.combine == "front" or self.input_errors):
            raise ValueError(
                "a map of phases is wanted beside a front, another map or robustness against input "
                "errors, which no planner weighs against it; keep targets that are maximised or "
                "minimised, or remove `phase_map`"
            )
        if maps and len(maps) < len(self.targets):
            raise ValueError(
                f"{', '.join(maps)} is to be mapped over the whole space while other targets seek "
                "a best point; make these two campaigns, the second with the first one's results"
            )
        if maps and (self.combine == "front" or self.input_errors):
            what = 'combine = "front"' if self.combine == "front" else "input_errors"
            raise ValueError(
                f"{', '.join(maps)} is to be mapped over the whole space, where {what} has no "
                f"meaning; remove {what}"
            )

    @property
    def maps(self) -> bool:
        """Whether the whole space is asked about: boundaries or exploration."""
        return self.targets[0].maps

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
