"""Counting time: would a longer count make the fractions surer?"""

from __future__ import annotations

import numpy as np

from analysis.insight import MeasurementRequest
from analysis.xrd.uncertainty import Statement
from instruments.measurement import Measurement


def longer_count(
    measurement: Measurement, statement: Statement, *, n_phases: int
) -> MeasurementRequest | None:
    """Return a request for four times the counting time where counting limits the fractions.

    None where it does not, where there is one phase only or where no counting time is known.
    """
    counting_time = measurement.settings.get("counting_time")
    statistical = statement.statistical_std[:n_phases]
    total = np.sqrt(np.diag(statement.covariance)[:n_phases])
    worst = int(np.argmax(statistical))
    if n_phases < 2 or statistical[worst] ** 2 < 0.8 * total[worst] ** 2:
        return None
    if not isinstance(counting_time, int | float):
        return None
    after = total[worst] ** 2 - 0.75 * statistical[worst] ** 2
    return MeasurementRequest(
        technique="xrd",
        settings={"counting_time": 4 * float(counting_time)},
        reason=(
            f"counting statistics limit the fraction of {statement.names[worst][1]} "
            f"(± {total[worst]:.3f}); four times the counting time would halve that part of it"
        ),
        expected_gain=float(total[worst] ** 2 - after),
    )
