"""What analysis read of a sample's structure, beside what an objective wants of it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Reading(_Record):
    """A number read of a structure, such as ``pdf.bond``.

    Attributes
    ----------
    std : standard deviation, None if unknown.
    p_wrong : probability that the reading is wrong altogether, beyond its std.
    """

    value: float
    std: float | None = Field(default=None, ge=0)
    p_wrong: float = Field(default=0.0, ge=0, le=1)


class Answer(_Record):
    """Probabilities of the answers to a question of structure, such as ``pdf.type``.

    Attributes
    ----------
    probabilities : answer → probability, summing to 1.
    p_wrong : probability that they come from an analysis that is wrong altogether.
    """

    probabilities: dict[str, float] = Field(min_length=1)
    p_wrong: float = Field(default=0.0, ge=0, le=1)

    @field_validator("probabilities")
    @classmethod
    def _sum_to_one(cls, value: dict[str, float]) -> dict[str, float]:
        if abs(sum(value.values()) - 1) > 1e-6 or min(value.values()) < 0:
            raise ValueError(f"the probabilities of the answers do not sum to 1: {value}")
        return value

    @property
    def likeliest(self) -> str:
        """The answer of the highest probability, the first of equals."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])


class Structure(_Record):
    """Everything that agents read of one sample.

    Attributes
    ----------
    numbers : quantity → reading.
    answers : question → answer.
    """

    numbers: dict[str, Reading] = Field(default_factory=dict)
    answers: dict[str, Answer] = Field(default_factory=dict)
