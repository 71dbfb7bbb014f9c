"""Reliability tables of doubts, for the benchmarks that measure them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.learning.calibration import expected_calibration_error, reliability
from analysis.learning.outlying import area_under_curve

N_BINS = 5


@dataclass(frozen=True)
class Case:
    """One statement: whether it was wrong, how it was doubted, and by what.

    Attributes
    ----------
    name : of the sample.
    wrong, p_wrong : the truth and what was stated.
    features : the numbers behind it.
    off : quantity → (found − true) / std, of right statements.
    """

    name: str
    wrong: bool
    p_wrong: float
    features: tuple[float, ...]
    off: dict[str, float]


def told(cases: Sequence[Case]) -> dict[str, object]:
    """Return and print bins, ECE, AUROC, Brier score and the coverage of stds."""
    stated = np.array([c.p_wrong for c in cases])
    wrong = np.array([c.wrong for c in cases])
    bins = reliability(stated, wrong, n_bins=N_BINS)
    found: dict[str, object] = {
        "statements": len(cases),
        "wrong": float(wrong.mean()),
        "ece": float(expected_calibration_error(stated, wrong, n_bins=N_BINS)),
        "auroc": area_under_curve(stated[~wrong], stated[wrong]),
        "brier": float(np.mean((stated - wrong) ** 2)),
        "bins": [(round(b.stated, 3), round(b.frequency, 3), b.n) for b in bins],
    }
    for key in sorted({key for c in cases for key in c.off}):
        off = np.abs([c.off[key] for c in cases if key in c.off])
        found[f"{key}_within_1_and_2_std"] = (float(np.mean(off < 1)), float(np.mean(off < 2)))
    for key, value in found.items():
        print(f"{key:28}{value}", flush=True)
    return found
