"""Where two records differ, to the last bit."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.insight import Insight
from orchestrator.store.codec import Json, insight_to_json, plain

ABSENT = "absent"


def insight_facts(insight: Insight) -> Json:
    """Return everything of an insight as JSON values, arrays as a digest of their bytes."""
    covariance = insight.covariance
    return {
        "agent": insight.agent,
        "measurement_ids": list(insight.measurement_ids),
        **insight_to_json(insight),
        "covariance": None if covariance is None else digest(covariance),
        "evidence": {
            name: {
                "x": digest(curve.x),
                **{column: digest(y) for column, y in curve.columns.items()},
            }
            for name, curve in insight.evidence.items()
        },
    }


def digest(array: NDArray[Any]) -> str:
    """Return shape and hash of an array; equal only if every bit is."""
    values = np.ascontiguousarray(array, dtype=np.float64)
    return f"{values.shape} {hashlib.sha256(values.tobytes()).hexdigest()[:16]}"


def differences(then: object, now: object, where: str = "") -> list[str]:
    """Return each place where two JSON values differ, as ``where: then → now``."""
    if isinstance(then, dict) and isinstance(now, dict):
        return [
            found
            for key in dict.fromkeys([*then, *now])
            for found in differences(
                then.get(key, ABSENT), now.get(key, ABSENT), f"{where}.{key}".lstrip(".")
            )
        ]
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        pairs = enumerate(zip(then, now, strict=True))
        return [found for i, (a, b) in pairs for found in differences(a, b, f"{where}[{i}]")]
    return [] if plain(then) == plain(now) else [f"{where}: {_shown(then)} → {_shown(now)}"]


def _shown(value: object) -> str:
    text = repr(value)  # of a float, every digit that tells it from its neighbours
    return text if len(text) <= 100 else text[:99] + "…"
