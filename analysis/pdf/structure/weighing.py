"""From fitted structures to probabilities, and what they say together.

A structure counts as exp(−τ · cost), the cost [nats] being that of its residuals and of its
description. τ and by how much deviations are multiplied were chosen on simulated curves of clusters
that the network had not learnt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.learning.calibration import Logistic
from analysis.pdf.structure.disposing import Found

FloatArray = NDArray[np.float64]

QUANTITIES = {
    "pdf.bond": "Å",
    "pdf.n_atoms": "",
    "pdf.radius_of_gyration": "Å",
}
"""What the structures together estimate → unit."""

FLOORS = {"pdf.bond": 1e-5, "pdf.n_atoms": 0.01, "pdf.radius_of_gyration": 0.004}
"""Least relative std before calibration: what neighbouring shapes leave open."""

_FILE = "calibration.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What makes probabilities and deviations honest.

    Attributes
    ----------
    sharpness : τ.
    factors : quantity → factor of its std.
    doubt : probability of a wrong structure from `doubt_features`.
    """

    sharpness: float
    factors: dict[str, float]
    doubt: Logistic

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        (folder / _FILE).write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, folder: Path) -> Calibration:
        """Return what `save` wrote."""
        told = json.loads((folder / _FILE).read_text())
        doubt = told["doubt"]
        for name in ("mean", "scale", "slopes"):
            doubt[name] = tuple(doubt[name])
        return cls(told["sharpness"], told["factors"], Logistic(**doubt))


def probabilities(found: Sequence[Found], *, sharpness: float) -> FloatArray:
    """Return how likely each structure is, were one of them the sample's, (n,)."""
    log = -sharpness * np.array([f.cost for f in found])
    weight = np.exp(log - log.max())
    return np.asarray(weight / weight.sum())


def by_lattice(
    found: Sequence[Found], *, sharpness: float, known: Sequence[str]
) -> dict[str, float]:
    """Return the probability of each lattice, by its best structure."""
    best = dict.fromkeys(known, 0.0)
    for one, p in zip(found, probabilities(found, sharpness=sharpness), strict=True):
        best[one.lattice] = max(best[one.lattice], float(p))
    total = sum(best.values())
    return {name: p / total for name, p in best.items()}


def values_of(found: Found) -> dict[str, float]:
    """Return bond [Å], atoms and radius of gyration [Å] of one structure."""
    positions = found.positions
    return {
        "pdf.bond": found.fit.bond,
        "pdf.n_atoms": float(len(positions)),
        "pdf.radius_of_gyration": float(np.sqrt((positions**2).sum(axis=1).mean())),
    }


def together(found: Sequence[Found], *, sharpness: float) -> dict[str, tuple[float, float]]:
    """Return mean and uncalibrated std of each quantity over the structures."""
    p = probabilities(found, sharpness=sharpness)
    told = [values_of(f) for f in found]
    result = {}
    for name in QUANTITIES:
        values = np.array([v[name] for v in told])
        mean = float(p @ values)
        own = FLOORS[name] * mean
        if name == "pdf.bond":
            own = float(np.hypot(own, p @ np.array([f.fit.bond_std for f in found])))
        result[name] = (mean, float(np.sqrt(p @ (values - mean) ** 2 + own**2)))
    return result


def doubt_features(found: Sequence[Found], p_lattice: dict[str, float]) -> list[float]:
    """Return what tells a wrong structure: R_w, lead of the lattice, the network, the size."""
    best = found[0]
    others = [f.fit.rw for f in found if f.lattice != best.lattice]
    lead = np.log(min(others, default=3 * best.fit.rw) / best.fit.rw)
    return [
        float(np.log(max(best.fit.rw, 1e-4))),
        float(np.clip(lead, 0.0, 3.0)),
        float(p_lattice[best.lattice]),
        float(np.log(best.mask.sum())),
    ]
