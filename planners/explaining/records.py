"""An explanation as plain records that a file can hold."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from planners.proposal import Prediction
from planners.settable import Value

BAND = 1.6448536269514722
"""Half width of the central 90 % of a normal distribution, in standard deviations."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Estimated(_Record):
    """A number with the standard deviation it would have over other sets of experiments.

    Attributes
    ----------
    std : None where it was not worked out.
    """

    value: float
    std: float | None = Field(default=None, ge=0)


class Importance(_Record):
    """How much one name matters to a quantity over the whole space, seen three ways.

    Attributes
    ----------
    relevance : spread of the name's coordinates over its length scale, as a share of the sum over
        all names; None for a model without length scales.
    first_order, total : Sobol' indices, shares of the variance of the predicted mean: by the name
        alone, and with all its interactions.
    shap : mean size of the name's Shapley value, in the quantity's unit.
    """

    name: str
    relevance: Estimated | None = None
    first_order: Estimated
    total: Estimated
    shap: Estimated


class Contribution(_Record):
    """What the setting of one name adds to a prediction, compared with the average over the space.

    Attributes
    ----------
    amount : Shapley value, in the quantity's unit.
    """

    name: str
    setting: Value
    amount: Estimated


class PointExplained(_Record):
    """Why a point is predicted as it is: the average plus the contributions is the prediction.

    Attributes
    ----------
    average : predicted mean over the background sample.
    predicted : at the point, noise-free.
    contributions : largest first.
    exact : every coalition was enumerated; otherwise the values rest on random orders.
    """

    point: dict[str, Value]
    average: float
    predicted: Prediction
    contributions: tuple[Contribution, ...]
    exact: bool


class Slice(_Record):
    """The prediction along one name; None where a mixture or a bound forbids the setting.

    Attributes
    ----------
    at : settings of the name.
    mean, std : noise-free quantity at each, in its unit.
    held : the other names and where they stand.
    """

    name: str
    at: tuple[Value, ...]
    mean: tuple[float | None, ...]
    std: tuple[float | None, ...]
    held: dict[str, Value]

    @model_validator(mode="after")
    def _consistent(self) -> Slice:
        if not len(self.at) == len(self.mean) == len(self.std):
            raise ValueError(
                f"a slice along {self.name!r} has {len(self.at)} settings, {len(self.mean)} means "
                f"and {len(self.std)} stds; give each setting one of each"
            )
        return self

    def band(self) -> tuple[tuple[float | None, float | None], ...]:
        """Return the lower and the upper end of the 90 % band at each setting."""
        return tuple(
            (None, None) if m is None or s is None else (m - BAND * s, m + BAND * s)
            for m, s in zip(self.mean, self.std, strict=True)
        )


class Map(_Record):
    """The prediction over two names.

    Attributes
    ----------
    across, up : settings of the first and of the second name.
    mean, std : one row a setting of the first name, in it one number a setting of the second.
    """

    names: tuple[str, str]
    across: tuple[Value, ...]
    up: tuple[Value, ...]
    mean: tuple[tuple[float | None, ...], ...]
    std: tuple[tuple[float | None, ...], ...]
    held: dict[str, Value]


class Explanation(_Record):
    """What a model learnt about one quantity, and why it predicts what it does.

    Attributes
    ----------
    n_observations : how many values of the quantity it rests on.
    importances : by total Sobol' index, largest first.
    here : one point explained, None if none was asked for.
    slices : along the most important names.
    map : over the two most important names that vary on their own; None if there is one only.
    remarks : what limits the numbers, as sentences.
    """

    quantity: str
    n_observations: int
    importances: tuple[Importance, ...]
    here: PointExplained | None = None
    slices: tuple[Slice, ...] = ()
    map: Map | None = None
    remarks: tuple[str, ...] = ()
