"""What a campaign says of trust: its section ``[trust]``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TrustPlan(BaseModel):
    """Whose word is believed how far.

    Attributes
    ----------
    references : agents whose numbers count as the truth of what they measure, and correct others.
    alarms : whether drift, unknown phases, over-confidence and departing properties are told.
    doubt_during_alarms : whether an alarm that is on also makes its agent be believed less.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    references: tuple[str, ...] = Field(default=())
    alarms: bool = True
    doubt_during_alarms: bool = True
