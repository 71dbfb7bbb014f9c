"""Thresholds: when to stop asking, from paths that went on as long as there was time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adaptive.strategies import Step

SURE = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0)
LEAST_GAIN = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1)

Path = tuple[list[Step], frozenset[int]]
"""What was known after each scan, and which phases were there."""


def stopped(steps: Sequence[Step], *, sure: float, least_gain: float) -> Step:
    """Return the first step at which these thresholds ask for nothing more, or the last."""
    for step in steps:
        if step.sure >= sure or step.gain is None or step.gain < least_gain:
            return step
    return steps[-1]


def paths_table(paths: Sequence[Path]) -> list[dict[str, float]]:
    """Print and return mean time, exact sets and recall for each pair of thresholds."""
    found = []
    print(f"{'sure':>6}{'gain':>8}{'s':>7}{'exact':>8}{'missed':>8}{'extra':>8}")
    for sure in SURE:
        for gain in LEAST_GAIN:
            ends = [(stopped(p, sure=sure, least_gain=gain), truth) for p, truth in paths]
            row = {
                "sure": sure,
                "least_gain": gain,
                "seconds": float(np.mean([s.seconds for s, _ in ends])),
                "exact": float(np.mean([set(s.named) == t for s, t in ends])),
                "missed": float(np.mean([len(t - set(s.named)) for s, t in ends])),
                "extra": float(np.mean([len(set(s.named) - t) for s, t in ends])),
            }
            found.append(row)
            print(
                f"{sure:6.3f}{gain:8.3f}{row['seconds']:7.0f}{row['exact']:8.3f}"
                f"{row['missed']:8.2f}{row['extra']:8.2f}"
            )
    return found
