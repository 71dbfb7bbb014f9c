"""What a batch of gold clusters really is: the cluster of the rules and accidents around it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from instruments.simulated.gold import KINDS, SIZES, Kind, Particle, n_atoms

B_ISO = 0.3
"""Displacement parameter of every atom of the published laboratory [Å²]."""

_MOST_FOREIGN = 0.45
_LEAST_SHARE = 1e-4
_QUADRATURE = ((-math.sqrt(3.0), 1 / 6), (0.0, 2 / 3), (math.sqrt(3.0), 1 / 6))
"""Nodes and weights of the Gauss–Hermite rule of three points for a normal distribution."""


class Accidents(BaseModel):
    """How far batches stray from the rules; nobody records it. All of it is off by default.

    Attributes
    ----------
    minority : mean share of the atoms that stand in clusters of another kind, exponential.
    sizes : relative standard deviation of the diameter within a batch.
    strain : relative standard deviation of the distances: of a batch, and among its clusters.
    disorder : standard deviation of ln B of a batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    minority: float = Field(default=0.0, ge=0, le=0.3)
    sizes: float = Field(default=0.0, ge=0, le=0.5)
    strain: float = Field(default=0.0, ge=0, le=0.02)
    disorder: float = Field(default=0.0, ge=0, le=1.0)


@dataclass(frozen=True, slots=True)
class Batch:
    """Clusters side by side in one sample.

    Attributes
    ----------
    shares : cluster → its share of the atoms; they sum to one.
    b_iso : displacement parameter B of every atom [Å²].
    main : the cluster that most of the sample was meant to be, strained as the batch is.
    """

    shares: dict[Particle, float]
    b_iso: float
    main: Particle

    @property
    def kinds(self) -> dict[Kind, float]:
        """Kind → its share of the atoms."""
        found: dict[Kind, float] = {}
        for particle, share in self.shares.items():
            found[particle.kind] = found.get(particle.kind, 0.0) + share
        return found


def grow(wanted: Particle, accidents: Accidents, rng: np.random.Generator) -> Batch:
    """Return the batch that a recipe gave.

    The same numbers are drawn whatever the accidents' strengths, so that one does not move another.
    """
    shift, warmth = (float(v) for v in rng.standard_normal(2))
    foreign = min(accidents.minority * float(rng.exponential()), _MOST_FOREIGN)
    others = [kind for kind in KINDS if kind != wanted.kind]
    kind = others[int(rng.integers(len(others)))]
    main = replace(wanted, length=wanted.length * (1.0 + accidents.strain * shift))
    alien = Particle(kind, _size_like(kind, n_atoms(main.kind, main.size)), main.length)
    shares: dict[Particle, float] = {}
    for centre, weight in ((main, 1.0 - foreign), (alien, foreign)):
        for particle, share in _spread(centre, accidents).items():
            if weight * share > _LEAST_SHARE:
                shares[particle] = weight * share
    total = sum(shares.values())
    return Batch(
        shares={particle: share / total for particle, share in shares.items()},
        b_iso=B_ISO * math.exp(accidents.disorder * warmth),
        main=main,
    )


def _size_like(kind: Kind, atoms: int) -> int:
    """Return the size of a kind whose number of atoms is nearest to a given one."""
    sizes = range(SIZES[0], SIZES[1] + 1)
    return min(sizes, key=lambda s: abs(math.log(n_atoms(kind, s) / atoms)))


def _spread(centre: Particle, accidents: Accidents) -> dict[Particle, float]:
    """Return clusters of neighbouring sizes and distances with their shares, which sum to one."""
    sizes = {centre.size: 1.0}
    if accidents.sizes > 0:
        near = range(max(centre.size - 1, SIZES[0]), min(centre.size + 1, SIZES[1]) + 1)
        away = {s: (s - centre.size) / centre.size / accidents.sizes for s in near}
        sizes = {s: math.exp(-0.5 * value**2) for s, value in away.items()}
    total = sum(sizes.values())
    lengths = {
        centre.length * (1.0 + accidents.strain * node): weight for node, weight in _QUADRATURE
    }
    if accidents.strain == 0:
        lengths = {centre.length: 1.0}
    return {
        Particle(centre.kind, s, length): share / total * weight
        for s, share in sizes.items()
        for length, weight in lengths.items()
    }
