"""Stop rules as a campaign file writes them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

A_SETTING, AT_LEAST = 5, 10
"""Experiments for each setting, and in all, before a model is believed. Half of what is usual for
the first design of a model alone (Loeppky et al. 2009, doi:10.1198/TECH.2009.08040), since a
planner's later points tell more."""


class _Record(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )


class ImprovementBelow(_Record):
    """Stop when an improvement has become improbable.

    Attributes
    ----------
    probability : the model's probability that the proposed experiment is better than the best.
    times : in so many proposals one after the other it must be lower; ``for`` in a file.
    """

    probability: float = Field(gt=0, lt=1)
    times: int = Field(default=1, ge=1, alias="for")


class RegretBelow(_Record):
    """Stop when the best point of the space can hardly be better than the best one found.

    Attributes
    ----------
    amount : expected regret, in units of the objective's utility.
    times : in so many proposals one after the other it must be lower; ``for`` in a file.
    """

    amount: float = Field(gt=0)
    times: int = Field(default=1, ge=1, alias="for")


class NotWorthItsCost(_Record):
    """Stop when the next experiment costs more than what it is expected to gain.

    Attributes
    ----------
    price : what one unit of the objective's utility is worth, in the laboratory's currency.
    times : in so many proposals one after the other it must be so; ``for`` in a file.
    """

    price: float = Field(gt=0)
    times: int = Field(default=1, ge=1, alias="for")


class StopRule(_Record):
    """When to stop before the budget is used up.

    The last three rules follow the word of the planner's model, as it stands in the record of each
    proposal. A proposal without such a word, as while the space is filled first, begins the count
    anew. What has been proposed is still carried out, the proposal that completes a count included.

    Attributes
    ----------
    when_reached : stop at the first experiment that satisfies every target and constraint.
    confidence : how sure the analysis must be that it does, from its std and `p_wrong`;
        0 takes the measured values at their face.
    no_improvement_for : stop after so many experiments without a better one.
    improvement_tolerance : rise of the utility (for a front: of one target's utility) that is too
        small to count as better.
    failures_in_a_row : stop after so many failed experiments one after the other.
    improvement_below : stop when improvements have become improbable.
    regret_below : stop when the best found is almost as good as any.
    not_worth_its_cost : stop when an experiment costs more than it is expected to gain.
    model_needs : experiments that must have ended before the model's word counts; by default five
        for each setting that is searched, at least ten.
    """

    when_reached: bool = True
    confidence: float = Field(default=0.0, ge=0, lt=1)
    no_improvement_for: int | None = Field(default=None, ge=1)
    improvement_tolerance: float = Field(default=0.0, ge=0)
    failures_in_a_row: int = Field(default=5, ge=1)
    improvement_below: ImprovementBelow | None = None
    regret_below: RegretBelow | None = None
    not_worth_its_cost: NotWorthItsCost | None = None
    model_needs: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _has_a_use_for_its_tolerance(self) -> StopRule:
        if self.improvement_tolerance and self.no_improvement_for is None:
            raise ValueError(
                f"found improvement_tolerance = {self.improvement_tolerance:g} without "
                "no_improvement_for, which alone uses it; say after how many experiments to stop"
            )
        return self

    def experiments_needed(self, n_settings: int) -> int:
        """Return how many experiments must have ended before the model's word counts."""
        if self.model_needs is not None:
            return self.model_needs
        return max(A_SETTING * n_settings, AT_LEAST)

    @property
    def asks_the_model(self) -> bool:
        """Whether a rule follows what the planner's model expects."""
        return any((self.improvement_below, self.regret_below, self.not_worth_its_cost))
