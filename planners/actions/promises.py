"""What a further measurement leaves: as foretold, as earlier ones did, or as counting would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planners.actions.records import Option
from planners.proposal import Observation

COUNTING = float(1.0 / np.sqrt(2.0))
"""Factor of the std after as much counting again as before, where nothing else is known."""

LEAST, MOST = 0.1, 1.0
"""Between which the factor that earlier measurements taught is believed."""

OF_THE_MEASUREMENT = 0.5
"""Share of a learnt variance that is the measurement's, the rest being the samples'; unknown."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a reading's doubt after a further measurement.

    Attributes
    ----------
    variance : of the value's own noise, without the chance that the analysis is wrong.
    p_wrong : probability that the analysis is wrong, if it then says the same.
    """

    variance: float
    p_wrong: float


def left_by(
    option: Option,
    quantity: str,
    *,
    observations: Sequence[Observation],
    quantities: Sequence[str],
    variance: float,
) -> Left:
    """Return what an option leaves of one quantity of its sample.

    An option that foretells some of the wanted quantities leaves the others as they are. One that
    foretells none is taken to do as those before it did (`factor_of`); of a variance that was only
    learnt from the scatter of samples, measuring again removes no more than its own part.

    Parameters
    ----------
    quantities : all that are wanted.
    variance : of the reading's own noise now, in the squared unit of the quantity.
    """
    before = observations[option.row]
    p_wrong = before.p_wrong if option.p_wrong is None else min(option.p_wrong, before.p_wrong)
    if quantity in option.stds:
        return Left(min(option.stds[quantity] ** 2, variance), p_wrong)
    if any(q in option.stds for q in quantities):
        return Left(variance, p_wrong)
    removed = 1.0 - factor_of(observations, quantity) ** 2
    if quantity not in before.stds:
        removed *= OF_THE_MEASUREMENT
    return Left(variance * (1.0 - removed), p_wrong)


def factor_of(observations: Sequence[Observation], quantity: str) -> float:
    """Return the factor by which measuring again lowered stds in this campaign.

    The median std of samples that were measured again over that of the others; counting
    statistics where there are not both.
    """
    stated = [o for o in observations if quantity in o.stds]
    again = [o.stds[quantity] for o in stated if o.supersedes is not None]
    once = [o.stds[quantity] for o in stated if o.supersedes is None]
    if not again or not once or np.median(once) <= 0.0:
        return COUNTING
    return float(np.clip(np.median(again) / np.median(once), LEAST, MOST))
