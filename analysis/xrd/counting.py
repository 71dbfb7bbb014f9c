"""Counting time: would a longer count make the fractions surer?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from analysis.insight import MeasurementRequest
from analysis.xrd.uncertainty import Statement
from instruments.measurement import Measurement

LONGER = 4.0
"""How many times as long is counted."""


def longer_count(
    measurement: Measurement,
    statement: Statement,
    *,
    n_phases: int,
    promised: Mapping[str, float],
    p_wrong: float,
) -> MeasurementRequest | None:
    """Return a request for four times the counting time where counting limits the fractions.

    None where it does not, where there is one phase only or where no counting time is known.

    Parameters
    ----------
    promised : quantity → standard deviation that it should have afterwards.
    p_wrong : probability expected afterwards that the list of phases is wrong.
    """
    counting_time = measurement.settings.get("counting_time")
    statistical = statement.statistical_std[:n_phases]
    total = np.sqrt(np.diag(statement.covariance)[:n_phases])
    worst = int(np.argmax(statistical))
    if n_phases < 2 or statistical[worst] ** 2 < 0.8 * total[worst] ** 2:
        return None
    if not isinstance(counting_time, int | float):
        return None
    gained = (1.0 - 1.0 / LONGER) * statistical[worst] ** 2
    return MeasurementRequest(
        technique="xrd",
        settings={"counting_time": LONGER * float(counting_time)},
        reason=(
            f"counting statistics limit the fraction of {statement.names[worst][1]} "
            f"(± {total[worst]:.3f}); four times the counting time would halve that part of it"
        ),
        expected_gain=float(gained),
        promised=dict(promised),
        p_wrong=p_wrong,
    )


def share_left(statement: Statement) -> NDArray[np.float64]:
    """Return the factor of each std after a pattern of `LONGER` times the counts, (n,).

    The statistical variance falls in proportion to the counts; what is systematic stays.
    """
    total = np.maximum(np.diag(statement.covariance), np.finfo(np.float64).tiny)
    share = np.minimum(statement.statistical_std**2 / total, 1.0)
    return np.asarray(np.sqrt(1.0 - (1.0 - 1.0 / LONGER) * share))
