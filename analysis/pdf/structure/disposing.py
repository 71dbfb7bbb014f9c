"""A physical refinement that ranks what a network draws, and moves atoms until the curve is met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.curves import Reading
from analysis.pdf.structure.drawing import Draw
from analysis.pdf.structure.fitting import Fit, fit_shape
from analysis.pdf.structure.polyhedra import by_faces
from analysis.pdf.structure.regularity import ATOM, EVIDENCE, cost, description
from analysis.pdf.structure.search import Scored, by_atoms, by_layers
from analysis.pdf.structure.sites import BoolArray, IntArray
from analysis.pdf.structure.sums import Thermal, fitted_sums, scanned_sums

FloatArray = NDArray[np.float64]

_MARGIN, _WIDE_MARGIN = 1.8, 2.5
"""Vacant sites as far from an atom as this [bonds] may be filled, by layers and by faces."""

_TYPICAL_B = 0.5
_FAR_BEHIND = 1.6
"""R_w in units of the best beyond which a start is not followed."""
_HOPELESS = 0.75
"""R_w of the best regular crystal above which nothing is searched on."""
_EXACT = 0.002
"""R_w that leaves nothing to search for."""
_HARDLY_BETTER = 2.0
"""R_w of a draw in units of the best beyond which nothing starts from it."""
_CRYSTALS = 2
"""Crystals of least cost that are fitted after a search of faces, besides the one of least R_w."""
_MOST_ATOMS, _CONTACTS = 20, 3
"""Atoms taken or added one by one, and neighbours that a new one has at least."""
_WORTH = 0.1
"""Fall of the cost [nats] that makes another round worth while."""
_PROGRESS = 0.01
"""Relative fall of R_w that makes another round worth while."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is searched.

    Attributes
    ----------
    starts : draws that are searched a little, besides the best of each lattice.
    followed : of them, searched thoroughly.
    bodies : sets of faces that are followed from each shape.
    rounds : of fitting bond and displacements, and searching shapes.
    width, depth : of the beam.
    told : structures that are told.
    """

    starts: int = 4
    followed: int = 2
    bodies: int = 4
    rounds: int = 3
    width: int = 3
    depth: int = 5
    told: int = 20


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A shape fitted to a curve.

    Attributes
    ----------
    sites, mask : where its atoms are.
    fit : bond, displacements, R_w and curve of the fit.
    cost : of residuals and description [nats], see `analysis.pdf.structure.regularity`.
    """

    draw: Draw
    mask: BoolArray
    fit: Fit
    cost: float

    @property
    def lattice(self) -> str:
        """Its lattice."""
        return self.draw.sites.lattice

    @property
    def positions(self) -> FloatArray:
        """Atoms [Å] around their middle, (n_atoms, 3)."""
        atoms = self.draw.sites.positions[self.mask]
        return np.asarray(self.fit.bond * (atoms - atoms.mean(axis=0)))


@dataclass(frozen=True, slots=True)
class Ranked:
    """A draw at the best bond [Å] of a scan, and R_w there."""

    draw: Draw
    bond: float
    rw: float


def ranked(draws: Sequence[Draw], reading: Reading, bonds: FloatArray) -> list[Ranked]:
    """Return every draw at its best bond (of (n_bonds,) [Å]), the best first."""
    found: list[Ranked] = []
    for lattice in dict.fromkeys(d.sites.lattice for d in draws):
        mine = [d for d in draws if d.sites.lattice == lattice]
        sites = mine[0].sites
        counts = np.stack([sites.pair_counts(d.mask) for d in mine])
        used = counts.sum(axis=0) > 0
        rw = np.stack(
            [
                scanned_sums(sites.distance[used], reading, Thermal(float(b), _TYPICAL_B)).rw(
                    counts[:, used]
                )
                for b in bonds
            ]
        )
        best = rw.argmin(axis=0)
        found += [
            Ranked(d, float(bonds[b]), float(rw[b, i]))
            for i, (d, b) in enumerate(zip(mine, best, strict=True))
        ]
    return sorted(found, key=lambda r: r.rw)


def chosen(found: Sequence[Ranked], *, best: int, each: int) -> list[Ranked]:
    """Return the best draws, and the best of each lattice besides."""
    seen: dict[str, int] = {}
    kept = []
    for rank, one in enumerate(found):
        lattice = one.draw.sites.lattice
        if rank < best or seen.get(lattice, 0) < each:
            kept.append(one)
        seen[lattice] = seen.get(lattice, 0) + 1
    return kept


def disposed(ranks: Sequence[Ranked], reading: Reading, effort: Effort) -> list[Found]:
    """Return shapes fitted around the best draws, the least cost first.

    Every start becomes a regular crystal by its faces; the few that then lead, all lattices among
    them that are not far behind, are searched on layer by layer, and by their faces again. Atoms
    that the best of them lacks, or has more, are sought last.
    """
    limit = _HARDLY_BETTER * ranks[0].rw
    starts = [r for r in chosen(ranks, best=effort.starts, each=1) if r.rw <= limit]
    tried: list[Found] = []
    for start in starts:
        drawn = _fitted(start.draw, start.draw.mask, start.bond, reading)
        tried += [drawn, *by_their_faces(drawn, reading, kept=effort.bodies)]
    best_rw = min(t.fit.rw for t in tried)
    if best_rw > _HOPELESS:
        return distinct(tried)[: effort.told]
    found = list(tried)
    if best_rw > _EXACT:
        for one in _leading(tried, most=effort.followed):
            found += _followed(one, reading, effort)
    found += _polished(distinct(found)[0], reading, effort)
    return distinct(found)[: effort.told]


def distinct(found: Sequence[Found]) -> list[Found]:
    """Return the least cost first, without symmetric copies."""
    seen = set()
    kept = []
    for one in sorted(found, key=lambda f: f.cost):
        key = (one.lattice, int(one.mask.sum()), round(one.fit.rw, 5))
        if key not in seen:
            seen.add(key)
            kept.append(one)
    return kept


def _leading(tried: Sequence[Found], *, most: int) -> list[Found]:
    """Return the best by R_w, the one of least cost, and every lattice not far behind."""
    ordered = sorted(distinct(tried), key=lambda f: f.fit.rw)
    limit = _FAR_BEHIND * ordered[0].fit.rw
    kept = ordered[: most - 1]
    kept.append(next((f for f in distinct(tried) if f not in kept), ordered[0]))
    for one in ordered:
        if one.lattice not in {k.lattice for k in kept}:
            kept.append(one)
    return [one for one in kept if one.fit.rw < limit]


def _followed(start: Found, reading: Reading, effort: Effort) -> list[Found]:
    best = start
    reached = [start]
    for _ in range(effort.rounds):
        found = by_their_layers(best, reading, width=effort.width, depth=effort.depth)
        found += by_their_faces(found[0], reading, kept=effort.bodies)
        reached += found
        leader = min(found, key=lambda f: f.fit.rw)
        if leader.fit.rw > best.fit.rw * (1 - _PROGRESS):
            break
        best = leader
    return reached


def _polished(best: Found, reading: Reading, effort: Effort) -> list[Found]:
    """Return what faces and single atoms still improve on the shape of least cost."""
    reached = []
    gain = ATOM / (EVIDENCE * reading.n_independent)
    for _ in range(effort.rounds):
        found = by_their_faces(best, reading, kept=effort.bodies)
        found.append(_by_its_atoms(distinct([best, *found])[0], reading, gain=gain))
        reached += found
        leader = distinct(found)[0]
        if leader.cost > best.cost - _WORTH:
            break
        best = leader
    return reached


def _by_its_atoms(start: Found, reading: Reading, *, gain: float) -> Found:
    local, kept = start.draw.sites.near(start.mask, margin=_MARGIN)
    sums = fitted_sums(local.distance, reading, start.fit.thermal)
    state = by_atoms(
        start.mask[kept], local, sums, gain=gain, most=_MOST_ATOMS, least_contacts=_CONTACTS
    )
    return _all_fitted(start, [state], kept, reading)[0]


def by_their_layers(start: Found, reading: Reading, *, width: int, depth: int) -> list[Found]:
    """Return shapes that a beam search from one meets, the best first, each fitted.

    Bond, B and δ₂ are those of the start while the search goes on.
    """
    local, kept = start.draw.sites.near(start.mask, margin=_MARGIN)
    sums = fitted_sums(local.distance, reading, start.fit.thermal)
    states = by_layers(start.mask[kept], local, sums, width=width, depth=depth)
    return _all_fitted(start, states, kept, reading)


def by_their_faces(start: Found, reading: Reading, *, kept: int) -> list[Found]:
    """Return regular crystals that a search of faces reaches from a shape, the least cost first."""
    local, here = start.draw.sites.near(start.mask, margin=_WIDE_MARGIN)
    sums = fitted_sums(local.distance, reading, start.fit.thermal)
    states = by_faces(start.mask[here], local, sums, kept=kept, n_independent=reading.n_independent)
    few = states[:_CRYSTALS]
    best = min(states, key=lambda s: s.rw)
    return distinct(_all_fitted(start, few if best in few else [*few, best], here, reading))


def _all_fitted(
    start: Found, states: Sequence[Scored], kept: IntArray, reading: Reading
) -> list[Found]:
    found = []
    for state in states:
        mask = np.zeros(len(start.draw.sites), dtype=bool)
        mask[kept] = state.mask
        found.append(_fitted(start.draw, mask, start.fit.bond, reading))
    return sorted(found, key=lambda f: f.fit.rw)


def _fitted(draw: Draw, mask: BoolArray, bond: float, reading: Reading) -> Found:
    fit = fit_shape(draw.sites, mask, bond, reading)
    length = description(mask, draw.sites)
    return Found(draw, mask, fit, cost(fit.rw, length, n_independent=reading.n_independent))
