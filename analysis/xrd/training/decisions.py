"""What fit and networks together are worth: a logistic function learnt on simulated mixtures.

The mixtures are made as the networks' are not: wider ranges, skewed peaks, a goniometer's zero,
and in every third sample a phase that is no candidate. Importing this file imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.learning.calibration import Logistic, fit_logistic
from analysis.physics.crystal import Crystal
from analysis.trainers import Told
from analysis.xrd.artefacts import counted, displaced, draw_resolution, draw_state
from analysis.xrd.forward import column
from analysis.xrd.naming import Namer, features
from analysis.xrd.preprocess import FitRange
from analysis.xrd.radiation import Radiation
from analysis.xrd.training.phases import TWO_THETA, UNSEEN

FloatArray = NDArray[np.float64]

SKEW = 0.12
"""Share of a peak that is smeared towards low angles, at most, at the low end of the range."""

ZERO = 0.03
"""Largest zero shift of the goniometer [deg]."""

STRANGE = 1 / 3
"""Share of samples with a phase that is no candidate."""


def learn_decision(
    namer: Namer,
    strangers: Sequence[Crystal],
    radiation: Radiation,
    *,
    n: int,
    seed: int,
    told: Told,
) -> Logistic:
    """Return the decision that fits `n` simulated mixtures.

    Parameters
    ----------
    strangers : phases that are no candidates; none may be empty.
    """
    rows: list[tuple[float, ...]] = []
    answers: list[bool] = []
    for k in range(n):
        rng = np.random.default_rng([seed, 200, k])
        counts, held = sample(namer.crystals, strangers, radiation, rng=rng)
        data = FitRange(TWO_THETA, counts, np.sqrt(np.maximum(counts, 1.0)), sigma_known=False)
        opinion = namer.opinion(counts, seed=k)
        disposed = namer.disposed(data, opinion)
        for index, evidence in disposed.evidence.items():
            rows.append(features(opinion, index, evidence))
            answers.append(index in held)
        told("simulated samples, refined", k + 1, n)
    return fit_logistic(rows, answers)


def sample(
    crystals: Sequence[Crystal],
    strangers: Sequence[Crystal],
    radiation: Radiation,
    *,
    rng: np.random.Generator,
) -> tuple[FloatArray, set[int]]:
    """Return the counts of a simulated sample on `TWO_THETA`, and which candidates it holds."""
    n_held = int(rng.integers(1, 5))
    held = rng.permutation(len(crystals))[:n_held]
    phases = [crystals[int(i)] for i in held]
    if strangers and rng.random() < STRANGE:
        phases.append(strangers[int(rng.integers(len(strangers)))])
    shares = 0.05 + (1 - 0.05 * len(phases)) * rng.dirichlet(np.ones(len(phases)))
    resolution = draw_resolution(UNSEEN, rng)
    zero = float(rng.uniform(-ZERO, ZERO))
    bragg = np.zeros(len(TWO_THETA))
    for share, crystal in zip(shares, phases, strict=True):
        state = draw_state(crystal, UNSEEN, rng)
        bragg += share * column(
            TWO_THETA, state, radiation=radiation, resolution=resolution, zero_shift=zero
        )
    shift = rng.uniform(-UNSEEN.displacement, UNSEEN.displacement, 1)
    moved = displaced(_skewed(bragg, rng)[None], TWO_THETA, shift)
    counts, _, _ = counted(moved, UNSEEN, rng)
    return counts[0], {int(i) for i in held}


def write(folder: Path, decision: Logistic) -> None:
    """Write a decision into a folder of weights."""
    (folder / "decision.json").write_text(json.dumps(asdict(decision), indent=1))


def read(folder: Path) -> Logistic:
    """Return the decision in a folder of weights."""
    told = json.loads((folder / "decision.json").read_text())
    return Logistic(
        mean=tuple(told["mean"]),
        scale=tuple(told["scale"]),
        slopes=tuple(told["slopes"]),
        offset=float(told["offset"]),
    )


def _skewed(pattern: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return a pattern whose peaks lean to low angles, most at the low end: axial divergence."""
    share = rng.uniform(0.0, SKEW) * np.linspace(1.0, 0.0, len(pattern))
    smeared = np.zeros_like(pattern)
    for offset, part in ((1, 0.4), (2, 0.3), (3, 0.2), (4, 0.1)):
        smeared[:-offset] += part * pattern[offset:]
    return np.asarray((1.0 - share) * pattern + share * smeared)
