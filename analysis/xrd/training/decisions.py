"""What fit and networks together are worth: logistic functions learnt on simulated mixtures.

The mixtures are made as the networks' are not: wider ranges, skewed peaks, a goniometer's zero,
structures that are only roughly right, and in every third sample a phase that is no candidate.
Importing this file imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.learning.calibration import Logistic, fit_logistic
from analysis.physics.crystal import Crystal
from analysis.trainers import Told
from analysis.xrd.artefacts import (
    Ranges,
    counted,
    displaced,
    draw_resolution,
    draw_state,
    shortened,
)
from analysis.xrd.disposing import Disposed
from analysis.xrd.drawing import Peaks, draw
from analysis.xrd.forward import peaks
from analysis.xrd.naming import (
    PRESENT,
    Namer,
    Opinion,
    features,
    probabilities,
    set_features,
)
from analysis.xrd.preprocess import FitRange
from analysis.xrd.radiation import Radiation
from analysis.xrd.training.phases import TWO_THETA, UNSEEN

FloatArray = NDArray[np.float64]

FILE = "decisions.json"

SKEW = 0.12
"""Share of a peak that is smeared towards low angles, at most, at the low end of the range."""

ZERO = 0.03
"""Largest zero shift of the goniometer [deg]."""

ROUGHNESS = 0.12
"""Largest relative standard deviation of reflections' intensities about the structure's own.
R_Bragg, four fifths of it, is 0.02 to 0.10 in routine refinements of good powders."""

B_OFF = (-0.2, 0.6)
"""How far displacement parameters are from the structure's [Å²]: many structures list guesses."""

STRANGE = 1 / 3
"""Share of samples with a phase that is no candidate."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What turns evidence into probabilities.

    Attributes
    ----------
    phase : of a proposed phase being there, from `naming.features`.
    wrong : of the named set being wrong, from `naming.set_features`.
    base : share of sets that were wrong where that was learnt.
    """

    phase: Logistic
    wrong: Logistic
    base: float


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A simulated sample after refinement.

    Attributes
    ----------
    held : indices of the candidates that are there.
    strange : whether something else is there.
    """

    opinion: Opinion
    disposed: Disposed
    held: frozenset[int]
    strange: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What decisions foretold of samples that they were not learnt on, and what was true.

    Attributes
    ----------
    phase, present : probability of each proposed phase, and whether it was there.
    wrong, was_wrong : probability of each set being wrong, and whether it was.
    """

    phase: tuple[float, ...]
    present: tuple[bool, ...]
    wrong: tuple[float, ...]
    was_wrong: tuple[bool, ...]


def see(
    namer: Namer,
    strangers: Sequence[Crystal],
    radiation: Radiation,
    *,
    ranges: Ranges = UNSEEN,
    n: int,
    seed: int,
    told: Told,
) -> list[Seen]:
    """Return `n` simulated mixtures, refined.

    Parameters
    ----------
    strangers : phases that are no candidates; none may be empty.
    ranges : of their artefacts.
    """
    seen = []
    for k in range(n):
        rng = np.random.default_rng([seed, 200, k])
        counts, held, strange = sample(namer.crystals, strangers, radiation, ranges=ranges, rng=rng)
        there = np.isfinite(counts)
        sigma = np.sqrt(np.maximum(counts[there], 1.0))
        data = FitRange(TWO_THETA[there], counts[there], sigma, sigma_known=False)
        opinion = namer.opinion(counts, seed=k)
        seen.append(Seen(opinion, namer.disposed(data, opinion), frozenset(held), strange))
        told("simulated samples, refined", k + 1, n)
    return seen


def learn_decisions(seen: Sequence[Seen]) -> Decisions:
    """Return the decisions that fit what was seen.

    A set is wrong if it is not exactly what the sample holds, strangers included. To what was seen
    of sets one imagined right and one wrong one are added, both average: a few samples may all be
    right.
    """
    phase = fit_logistic(
        [features(s.opinion, i, e) for s in seen for i, e in s.disposed.evidence.items()],
        [i in s.held for s in seen for i in s.disposed.evidence],
    )
    rows: list[tuple[float, ...]] = []
    wrong: list[bool] = []
    for s in seen:
        probability = probabilities(s.opinion, s.disposed, phase)
        rows.append(set_features(probability, s.disposed))
        wrong.append(_is_wrong(probability, s))
    average = tuple(float(v) for v in np.mean(rows, axis=0))
    answers = [*wrong, True, False]
    learnt = fit_logistic([*rows, average, average], answers)
    return Decisions(phase, learnt, float(np.mean(answers)))


def cross_validate(seen: Sequence[Seen], *, n_folds: int = 5) -> Trial:
    """Return what decisions learnt on the other folds foretell of every sample."""
    phase: list[float] = []
    present: list[bool] = []
    wrong: list[float] = []
    was_wrong: list[bool] = []
    for fold in range(n_folds):
        learnt = learn_decisions([s for k, s in enumerate(seen) if k % n_folds != fold])
        for s in seen[fold::n_folds]:
            probability = probabilities(s.opinion, s.disposed, learnt.phase)
            phase += [float(probability[i]) for i in s.disposed.evidence]
            present += [i in s.held for i in s.disposed.evidence]
            wrong.append(float(learnt.wrong.probability(set_features(probability, s.disposed))[0]))
            was_wrong.append(_is_wrong(probability, s))
    return Trial(tuple(phase), tuple(present), tuple(wrong), tuple(was_wrong))


def sample(
    crystals: Sequence[Crystal],
    strangers: Sequence[Crystal],
    radiation: Radiation,
    *,
    ranges: Ranges = UNSEEN,
    rng: np.random.Generator,
) -> tuple[FloatArray, set[int], bool]:
    """Return the counts of a simulated sample on `TWO_THETA`, and what it holds.

    Parameters
    ----------
    ranges : of its artefacts.

    Returns
    -------
    counts : (n_points,), NaN where it was not measured.
    held : indices of the candidates that are there.
    strange : whether something else is there.
    """
    n_held = int(rng.integers(1, 5))
    held = rng.permutation(len(crystals))[:n_held]
    phases = [crystals[int(i)] for i in held]
    strange = bool(strangers) and rng.random() < STRANGE
    if strange:
        phases.append(strangers[int(rng.integers(len(strangers)))])
    shares = 0.05 + (1 - 0.05 * len(phases)) * rng.dirichlet(np.ones(len(phases)))
    resolution = draw_resolution(ranges, rng)
    zero = float(rng.uniform(-ZERO, ZERO))
    bragg = np.zeros(len(TWO_THETA))
    for share, crystal in zip(shares, phases, strict=True):
        state = replace(draw_state(crystal, ranges, rng), b_extra=float(rng.uniform(*B_OFF)))
        listed = peaks(
            TWO_THETA, state, radiation=radiation, resolution=resolution, zero_shift=zero
        )
        bragg += share * draw(TWO_THETA, _rough(listed, n_lines=len(radiation.lines), rng=rng))
    shift = rng.uniform(-ranges.displacement, ranges.displacement, 1)
    moved = displaced(_skewed(bragg, rng)[None], TWO_THETA, shift)
    counts, _, _ = counted(moved, ranges, rng)
    return shortened(counts, TWO_THETA, ranges, rng)[0], {int(i) for i in held}, strange


def write(folder: Path, learnt: Decisions) -> None:
    """Write decisions into a folder of weights."""
    (folder / FILE).write_text(json.dumps(asdict(learnt), indent=1))


def read(folder: Path) -> Decisions:
    """Return the decisions in a folder of weights."""
    told = json.loads((folder / FILE).read_text())
    return Decisions(_logistic(told["phase"]), _logistic(told["wrong"]), float(told["base"]))


def _logistic(told: Mapping[str, Any]) -> Logistic:
    return Logistic(
        mean=tuple(told["mean"]),
        scale=tuple(told["scale"]),
        slopes=tuple(told["slopes"]),
        offset=float(told["offset"]),
    )


def _rough(listed: Peaks, *, n_lines: int, rng: np.random.Generator) -> Peaks:
    """Return peaks whose intensities are off as those of a roughly known structure are.

    Parameters
    ----------
    listed : line after line, each with the same reflections.
    """
    n = len(listed.position) // n_lines
    spread = rng.uniform(0.0, ROUGHNESS)
    factor = np.tile(np.exp(spread * rng.standard_normal(n)), n_lines)
    return replace(listed, lorentzian=listed.lorentzian * factor, gaussian=listed.gaussian * factor)


def _skewed(pattern: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return a pattern whose peaks lean to low angles, most at the low end: axial divergence."""
    share = rng.uniform(0.0, SKEW) * np.linspace(1.0, 0.0, len(pattern))
    smeared = np.zeros_like(pattern)
    for offset, part in ((1, 0.4), (2, 0.3), (3, 0.2), (4, 0.1)):
        smeared[:-offset] += part * pattern[offset:]
    return np.asarray((1.0 - share) * pattern + share * smeared)


def _is_wrong(probability: FloatArray, seen: Seen) -> bool:
    named = {int(i) for i in np.flatnonzero(probability > PRESENT)}
    return seen.strange or named != seen.held
