"""Records ⇄ JSON: the text a row keeps, and the record it came from.

JSON knows no NaN and no infinity, and not every database forgives them, so such numbers are
written as ``{"$float": "nan"}``. Everything else keeps its value to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from analysis.insight import Estimate, Insight, MeasurementRequest
from instruments.measurement import Measurement, Reading
from orchestrator.store.records import InsightSummary, MeasurementSummary

Json = dict[str, Any]

_FLOAT = "$float"


def plain(value: Any) -> Any:
    """Return `value` with JSON types only: lists for tuples, tags for numbers that are not finite.

    Raises
    ------
    TypeError
        A value is no JSON value, such as a date.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else {_FLOAT: repr(value)}
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    raise TypeError(f"a history keeps JSON values; found {value!r} of type {type(value).__name__}")


def restored(value: Any) -> Any:
    """Return what `plain` was given, with lists where there were tuples."""
    if isinstance(value, dict):
        if value.keys() == {_FLOAT}:
            return float(value[_FLOAT])
        return {key: restored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [restored(item) for item in value]
    return value


def measurement_to_json(measurement: Measurement) -> Json:
    """Return everything of a measurement but its arrays and what a row has columns for."""
    return {
        "n_points": measurement.n_points,
        "x_name": measurement.x_name,
        "x_unit": measurement.x_unit,
        "y_name": measurement.y_name,
        "y_unit": measurement.y_unit,
        "instrument": measurement.instrument,
        "simulated": measurement.simulated,
        "started": measurement.started.isoformat(),
        "finished": measurement.finished.isoformat(),
        "settings": plain(measurement.settings),
        "readings": {name: _triple(value) for name, value in measurement.readings.items()},
        "flags": list(measurement.flags),
        "source": plain(measurement.source),
    }


def measurement_from_json(
    contents: Json, *, measurement_id: str, sample_id: str, technique: str
) -> MeasurementSummary:
    """Return the measurement without its arrays."""
    return MeasurementSummary(
        id=measurement_id,
        sample_id=sample_id,
        technique=technique,
        n_points=contents["n_points"],
        x_name=contents["x_name"],
        x_unit=contents["x_unit"],
        y_name=contents["y_name"],
        y_unit=contents["y_unit"],
        instrument=contents["instrument"],
        simulated=contents["simulated"],
        started=datetime.fromisoformat(contents["started"]),
        finished=datetime.fromisoformat(contents["finished"]),
        settings=restored(contents["settings"]),
        readings={name: Reading(*triple) for name, triple in contents["readings"].items()},
        flags=tuple(contents["flags"]),
        source=restored(contents["source"]),
    )


def insight_to_json(insight: Insight) -> Json:
    """Return everything of an insight but its arrays, its id and its agent."""
    return {
        "estimates": {key: _triple(value) for key, value in insight.estimates.items()},
        "covariance_keys": list(insight.covariance_keys),
        "class_probabilities": plain(insight.class_probabilities),
        "p_wrong": plain(insight.p_wrong),
        "novelty": plain(insight.novelty),
        "quality": plain(insight.quality),
        "next_measurement": _request_to_json(insight.next_measurement),
        "abstained": bool(insight.abstained),
        "remarks": list(insight.remarks),
        "infeasible": insight.infeasible,
        "asks_person": insight.asks_person,
    }


def insight_from_json(
    contents: Json, *, insight_id: str, agent: str, measurement_ids: tuple[str, ...]
) -> InsightSummary:
    """Return the insight without its arrays."""
    return InsightSummary(
        id=insight_id,
        agent=agent,
        measurement_ids=measurement_ids,
        estimates={key: Estimate(*triple) for key, triple in contents["estimates"].items()},
        covariance_keys=tuple(contents["covariance_keys"]),
        class_probabilities=restored(contents["class_probabilities"]),
        p_wrong=restored(contents["p_wrong"]),
        novelty=restored(contents["novelty"]),
        quality=restored(contents["quality"]),
        evidence=tuple(contents["evidence"]),
        next_measurement=_request_from_json(contents["next_measurement"]),
        abstained=contents["abstained"],
        remarks=tuple(contents["remarks"]),
        infeasible=contents.get("infeasible", ""),
        asks_person=contents.get("asks_person", ""),
    )


def _triple(number: Estimate | Reading) -> list[Any]:
    return [plain(number.value), plain(number.std), number.unit]


def _request_to_json(request: MeasurementRequest | None) -> Json | None:
    if request is None:
        return None
    return {
        "technique": request.technique,
        "settings": plain(request.settings),
        "reason": request.reason,
        "expected_gain": plain(request.expected_gain),
        "promised": plain(request.promised),
        "p_wrong": plain(request.p_wrong),
    }


def _request_from_json(contents: Json | None) -> MeasurementRequest | None:
    return None if contents is None else MeasurementRequest(**restored(contents))
