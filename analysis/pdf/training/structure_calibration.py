"""What makes `pdf.structure` honest: answers to simulated curves of clusters it has not learnt.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.learning.calibration import fit_logistic, reliability
from analysis.pdf.clusters import Cluster, with_defects
from analysis.pdf.curves import Reading, read_curve
from analysis.pdf.structure.comparing import position_error
from analysis.pdf.structure.disposing import Effort, Found
from analysis.pdf.structure.network import StructureNet
from analysis.pdf.structure.sites import LATTICES
from analysis.pdf.structure.solving import Solution, solve
from analysis.pdf.structure.weighing import (
    QUANTITIES,
    Calibration,
    doubt_features,
    together,
)
from analysis.pdf.training.structure_curves import FAULTS, draw_truth, simulated, simulated_with
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]
Row = tuple[float, float, int]

MISPLACED = 0.5
"""Mean position error [Å] above which a structure counts as wrong: every sixth atom misplaced."""

NONE = "none"
"""Lattice of what has not one alone."""

WITHIN = 0.68
"""Share of cases that one stated std shall hold."""

_SIZES = ("pdf.n_atoms", "pdf.radius_of_gyration")
_SHARPNESS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_BROKEN = 0.06
"""Largest share of atoms that a cluster lacks."""
_WHOLE = 5
_DRAWS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One answer beside the truth.

    Attributes
    ----------
    positions : (n_atoms, 3) true ones [Å].
    error : mean position error [Å], the bond fitted.
    """

    lattice: str
    bond: float
    positions: FloatArray
    solution: Solution
    error: float

    @property
    def best(self) -> Found:
        """The structure that is told first."""
        return self.solution.found[0]

    @property
    def lattice_right(self) -> bool:
        """Whether it is of the right lattice."""
        return self.best.lattice == self.lattice

    @property
    def truth(self) -> dict[str, float]:
        """True value of every quantity."""
        around = self.positions - self.positions.mean(axis=0)
        return {
            "pdf.bond": self.bond,
            "pdf.n_atoms": float(len(around)),
            "pdf.radius_of_gyration": float(np.sqrt((around**2).sum(axis=1).mean())),
        }


def reading_of(measurement: Measurement) -> Reading:
    """Return a simulated G(r) as the agent reads it by default."""
    return read_curve(
        measurement,
        r_range=(1.5, 30.0),
        q_range=(None, None),
        q_damp=0.04,
        element=None,
        probe="x-ray",
    )


def answered(
    network: StructureNet,
    cluster: Cluster,
    measurement: Measurement,
    *,
    bond: float,
    rng: np.random.Generator,
) -> Case:
    """Return what is answered to a curve of a cluster, every bond being possible."""
    solution = solve(
        network,
        reading_of(measurement),
        bonds=(1.9, 3.6),
        each=_DRAWS,
        effort=Effort(),
        rng=rng,
    )
    positions = bond * cluster.positions
    error = position_error(solution.found[0].positions, positions)
    return Case(cluster.lattice, bond, positions, solution, error)


def cases(
    network: StructureNet,
    clusters: Sequence[Cluster],
    n: int,
    *,
    rng: np.random.Generator,
    told: Callable[[int, int], None],
) -> list[Case]:
    """Return answers to curves of clusters drawn at random, all but every fifth lacking atoms.

    Kinds of faults take turns.
    """
    found = []
    for number in range(n):
        cluster = clusters[int(rng.integers(len(clusters)))]
        if number % _WHOLE:
            cluster = with_defects(cluster, rng=rng, most=_BROKEN)
        truth, curve = simulated_with(FAULTS[number % len(FAULTS)], cluster.positions, rng=rng)
        found.append(answered(network, cluster, curve, bond=truth.bond, rng=rng))
        told(number + 1, n)
    return found


def strangers(
    network: StructureNet,
    clusters: Sequence[Cluster],
    n: int,
    *,
    rng: np.random.Generator,
    told: Callable[[int, int], None],
) -> list[Case]:
    """Return answers to curves of two clusters of different lattices at once.

    No single structure is right, whatever is told; the lattice of the truth is `NONE`.
    """
    found = []
    for number in range(n):
        one = clusters[int(rng.integers(len(clusters)))]
        others = [c for c in clusters if c.lattice != one.lattice]
        other = others[int(rng.integers(len(others)))]
        truth, share = draw_truth(rng), float(rng.uniform(0.3, 0.7))
        first, second = (simulated(c.positions, truth, rng=rng) for c in (one, other))
        both = replace(first, y=share * first.y + (1 - share) * second.y)
        case = answered(network, one, both, bond=truth.bond, rng=rng)
        found.append(replace(case, lattice=NONE))
        told(number + 1, n)
    return found


def calibrated(answers: Sequence[Case]) -> Calibration:
    """Return what makes these answers, strangers among them, honest."""
    right = [c for c in answers if c.lattice_right]
    sharpness = min(_SHARPNESS, key=lambda s: _surprise(right, s))
    factors = {name: _factor(right, name, sharpness) for name in QUANTITIES}
    features, wrong = [_features(c) for c in answers], [is_wrong(c) for c in answers]
    return Calibration(sharpness, factors, fit_logistic(features, wrong))


def is_wrong(case: Case) -> bool:
    """Return whether the first structure has another lattice, or too many atoms misplaced."""
    return not case.lattice_right or case.error > MISPLACED


def figures(answers: Sequence[Case], calibration: Calibration) -> dict[str, float]:
    """Return numbers for the card."""
    error = np.array([c.error for c in answers])
    atoms = [abs(c.best.mask.sum() / len(c.positions) - 1) for c in answers]
    right = [c for c in answers if c.lattice_right]
    told = {
        "lattice_right": len(right) / len(answers),
        "position_error": float(error.mean()),
        "position_error_median": float(np.median(error)),
        "n_atoms_median_error": float(np.median(atoms)),
        "wrong": float(np.mean([is_wrong(c) for c in answers])),
        "median_rw": float(np.median([c.best.fit.rw for c in answers])),
    }
    for name in QUANTITIES:
        off = _deviations(right, name, calibration.sharpness) / calibration.factors[name]
        told[f"within_1_std.{name}"] = float(np.mean(off < 1))
    return told


def doubts(answers: Sequence[Case], calibration: Calibration) -> list[Row]:
    """Return stated doubt and frequency of wrong structures, in bins."""
    stated = calibration.doubt.probability([_features(c) for c in answers])
    bins = reliability(stated, [is_wrong(c) for c in answers], n_bins=5)
    return [(b.stated, b.frequency, b.n) for b in bins]


def _features(case: Case) -> list[float]:
    said = dict(zip(LATTICES, case.solution.read.p_lattice.tolist(), strict=True))
    return doubt_features(case.solution.found, said)


def _factor(answers: Sequence[Case], name: str, sharpness: float) -> float:
    """Return the factor of stds with which one holds `WITHIN` of the answers."""
    return float(np.quantile(_deviations(answers, name, sharpness), WITHIN))


def _deviations(answers: Sequence[Case], name: str, sharpness: float) -> FloatArray:
    """Return |mean − true| / std of a quantity before factors, (n,)."""
    mean, std, true = _told(answers, name, sharpness)
    return np.asarray(np.abs(mean - true) / std)


def _told(
    answers: Sequence[Case], name: str, sharpness: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean, std before factors and truth of a quantity, (n,) each."""
    told = [together(c.solution.found, sharpness=sharpness)[name] for c in answers]
    mean, std = np.array(told).T
    return mean, std, np.array([c.truth[name] for c in answers])


def _surprise(answers: Sequence[Case], sharpness: float) -> float:
    """Return how badly means and stds of `_SIZES`, calibrated, foretell the truth [nats].

    The mean of ln std + 2 ln(1 + (deviation/std)²/3), Student's t with three degrees of freedom:
    means far off count, but no single one decides.
    """
    total = 0.0
    for name in _SIZES:
        mean, std, true = _told(answers, name, sharpness)
        std = std * _factor(answers, name, sharpness)
        total += float(np.mean(np.log(std) + 2 * np.log1p(((mean - true) / std) ** 2 / 3)))
    return total
