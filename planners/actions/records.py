"""What may be done next besides a new experiment: a sample that is there is measured once more."""

from __future__ import annotations

from pydantic import Field

from planners.settable import Record, Value


class MeasureAgain(Record):
    """A measurement of a sample that was made before, instead of a new sample.

    Longer counts, other ranges and other techniques are such measurements. What they tell is read
    together with all earlier measurements of the sample, and takes the place of what was known.

    Attributes
    ----------
    experiment : number of the experiment that made the sample.
    technique : one of the campaign's measurements.
    settings : setting → value, over those of the campaign's plan.
    """

    experiment: int = Field(ge=0)
    technique: str = Field(min_length=1)
    settings: dict[str, Value] = Field(default_factory=dict)


class Option(Record):
    """A measurement of an earlier sample that could be taken next, with its price.

    Attributes
    ----------
    again : the measurement.
    row : which of the observations holds what is known of the sample.
    cost : of the measurement alone, in the currency of new experiments.
    stds : quantity → standard deviation expected afterwards; one that is absent is not foretold.
    p_wrong : probability expected afterwards that the analysis is wrong, if it then says the same;
        None where it is not foretold.
    reason : one sentence for a person.
    """

    again: MeasureAgain
    row: int = Field(ge=0)
    cost: float = Field(gt=0)
    stds: dict[str, float] = Field(default_factory=dict)
    p_wrong: float | None = Field(default=None, ge=0, le=1)
    reason: str = ""


class Offer(Record):
    """What could be done next besides a new experiment, when a planner was asked.

    Attributes
    ----------
    options : measurements that could be taken of samples that are there.
    new_cost : what a new experiment is expected to cost, in the currency of the options.
    """

    options: tuple[Option, ...] = ()
    new_cost: float = Field(gt=0)
