"""A quick score of many trial cells: which lines each indexes, beside what chance would."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.indexing.lines import Lines

FloatArray = NDArray[np.float64]

TOLERANCE = 0.06
"""Distance [deg] of a line from a reflection within which it counts as indexed."""

MISSED = 2.5
"""What a line of the phase that is not indexed costs, in units of ln(chance)."""

BINS = 4096
CHUNK = 400


def score(trials: FloatArray, rows: FloatArray, lines: Lines) -> FloatArray:
    """Return −Σ ln(chance) over indexed lines, less `MISSED` for each other one, (n_trials,).

    Chance is the share of the range of Q within `TOLERANCE` of a trial's reflections; lines
    weigh as much as they are probably the phase's. Q is binned, and each bin knows as bits of one
    integer which lines lie near: a trial's lines are the bitwise or over its reflections.

    Parameters
    ----------
    trials : (n_trials, n_free) free numbers of the system [Å⁻²].
    rows : (n_rows, n_free) coefficients of the reflections looked at.
    lines : 32 at most.
    """
    near = _near(lines)
    low, high, half = _weights(lines)
    total = float((1 - lines.foreign).sum())
    width = 2.0 * float(lines.slope.mean()) * TOLERANCE / lines.end
    columns = np.ascontiguousarray(rows.T.astype(np.float32))
    scaled = (trials * (BINS / lines.end)).astype(np.float32)
    found = np.empty(len(trials))
    for start in range(0, len(trials), CHUNK):
        place = np.minimum(scaled[start : start + CHUNK] @ columns, BINS).astype(np.int32)
        np.maximum(place, 0, out=place)
        bits = np.bitwise_or.reduce(near[place], axis=1)
        hits = low[bits & ((1 << half) - 1)] + high[bits >> half]
        chance = np.clip((place < BINS).sum(axis=1) * width, 1e-3, 0.95)
        found[start : start + CHUNK] = -hits * np.log(chance) - (total - hits) * MISSED
    return found


def _near(lines: Lines) -> NDArray[np.uint32]:
    """Return for each bin of Q, and the one beyond the end, which lines lie near, as bits."""
    near = np.zeros(BINS + 1, dtype=np.uint32)
    reach = lines.slope * TOLERANCE
    first = np.maximum((lines.q - reach) / lines.end * BINS, 0).astype(int)
    last = np.minimum((lines.q + reach) / lines.end * BINS, BINS - 1).astype(int)
    for i, (begin, end) in enumerate(zip(first, last, strict=True)):
        near[begin : end + 1] |= np.uint32(1 << i)
    return near


def _weights(lines: Lines) -> tuple[FloatArray, FloatArray, int]:
    """Return the weight of every set of the lower and of the upper half of the lines' bits."""
    half = (len(lines) + 1) // 2
    weight = 1 - lines.foreign
    return _sums(weight[:half]), _sums(weight[half:]), half


def _sums(weight: FloatArray) -> FloatArray:
    bits = np.arange(1 << len(weight))[:, None] >> np.arange(len(weight)) & 1
    return np.asarray(bits @ weight, dtype=np.float64)
