"""What a campaign says of trust: its section ``[trust]``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from planners.parameters import Value


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Known(_Record):
    """What is known of a standard: a number with its standard deviation, or an answer."""

    quantity: str
    value: float | str
    std: float = Field(default=0.0, ge=0)


class Standard(_Record):
    """A recipe whose sample is known, made and measured now and then to see who errs.

    Attributes
    ----------
    values : the recipe, a point of the space.
    known : what is true of its sample.
    every : after so many experiments it is made in place of what the planner would propose.
    """

    values: dict[str, Value]
    known: tuple[Known, ...] = Field(min_length=1)
    every: int = Field(default=10, ge=2)


class TrustPlan(_Record):
    """Whose word is believed how far.

    Attributes
    ----------
    references : agents whose numbers count as the truth of what they measure, and correct others.
    standard : a recipe whose sample is known.
    batch_spread : quantity → standard deviation between samples of one recipe. With it, and only
        with it, replicates tell whether stds are too small.
    alarms : whether drift, unknown phases, over-confidence and departing properties are told.
    doubt_during_alarms : whether an alarm that is on also makes its agent be believed less.
    """

    references: tuple[str, ...] = ()
    standard: Standard | None = None
    batch_spread: dict[str, float] = Field(default_factory=dict)
    alarms: bool = True
    doubt_during_alarms: bool = True
