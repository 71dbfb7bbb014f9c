"""The aim "be this structure": how far a believed structure is from the target's.

A structure is believed as probabilities of its type and spreads of bond and size. The misfit of
curves, R_wp, is what the literature counts; it is flat as soon as peaks no longer overlap, about
1 % of the bond off. `descriptor_distance` keeps a slope everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.insight import Insight
from analysis.pdf.library import Entry
from analysis.pdf.matching import TYPICAL_B, debye

FloatArray = NDArray[np.float64]

MAP_STEP = 3e-4
"""Step of a map of misfits in ln(bond): a thirtieth of a ripple of 40 Å at 10 Å⁻¹."""

_X_STEP = 0.02
_SAME_SIZE = 0.02


@dataclass(frozen=True, slots=True)
class Belief:
    """What is known of a structure.

    Attributes
    ----------
    types : type → probability.
    bond : natural logarithm of the shortest distance in Å, and its standard deviation.
    atoms : natural logarithm of the number of atoms, and its standard deviation.
    """

    types: Mapping[str, float]
    bond: tuple[float, float]
    atoms: tuple[float, float]

    @property
    def type(self) -> str:
        """The likeliest type."""
        return max(self.types, key=lambda name: self.types[name])


def belief(insight: Insight) -> Belief | None:
    """Return what `pdf.match` believes, None where it abstained."""
    if insight.abstained:
        return None
    bond, atoms = (insight.estimates[f"pdf.{name}"] for name in ("bond", "n_atoms"))
    assert bond.std is not None
    assert atoms.std is not None
    return Belief(
        types=dict(insight.class_probabilities["pdf.type"]),
        bond=(float(np.log(bond.value)), bond.std / bond.value),
        atoms=(float(np.log(atoms.value)), atoms.std / atoms.value),
    )


def rwp(target: FloatArray, curve: FloatArray) -> float:
    """Return √(Σ(target − curve)²/Σ target²), as the literature counts: no free scale."""
    return float(np.sqrt(np.sum((target - curve) ** 2) / np.sum(target**2)))


def shape_misfit(target: FloatArray, curve: FloatArray) -> float:
    """Return R_wp with the best scale ≥ 0, between 0 and 1."""
    product = float(target @ curve) / float(np.linalg.norm(target) * np.linalg.norm(curve))
    return float(np.sqrt(1 - np.clip(product, 0.0, 1.0) ** 2))


def descriptor_distance(
    one: Belief, other: Belief, *, bond_scale: float = 0.01, atoms_scale: float = 0.3
) -> float:
    """Return the root of the expected square of distances in type, ln(bond) and ln(atoms).

    The spreads of both count, so that what is unsure is far; two different types are 1 apart.

    Parameters
    ----------
    bond_scale, atoms_scale : differences of the logarithms that are worth another type.
    """
    same = sum(p * other.types.get(name, 0.0) for name, p in one.types.items())
    total = 1 - same
    for a, b, scale in (
        (one.bond, other.bond, bond_scale),
        (one.atoms, other.atoms, atoms_scale),
    ):
        total += ((a[0] - b[0]) ** 2 + a[1] ** 2 + b[1] ** 2) / scale**2
    return float(np.sqrt(total))


class MisfitMap:
    """Misfit of every structure of a library with a target's, by type, size and bond.

    Misfits are of S(Q) − 1 with weights in Q and the best scale: weights of 1 as S(Q) counts,
    weights of Q as G(r) does but for its damping.

    Parameters
    ----------
    target : the target's structure and its bond [Å].
    entries : the library; of each type one a step in size is kept.
    q : (n_q,) [1/Å].
    powers : of Q in the weights; misfits of several are averaged.
    bond_range : [Å].

    Attributes
    ----------
    target, target_bond : the target's structure and bond [Å].
    sizes : type → ln(atoms) of what is kept of it, rising.
    """

    def __init__(
        self,
        target: tuple[Entry, float],
        entries: Sequence[Entry],
        *,
        q: FloatArray,
        powers: Sequence[float],
        bond_range: tuple[float, float],
    ) -> None:
        self.target, self.target_bond = target
        self._start = float(np.log(bond_range[0]))
        n_bonds = int(np.log(bond_range[1] / bond_range[0]) / MAP_STEP) + 2
        bonds = np.exp(self._start + MAP_STEP * np.arange(n_bonds))
        damping = np.exp(-2 * TYPICAL_B * (q / (4 * np.pi)) ** 2)
        weights = [q**power * damping for power in powers]
        aim = debye(target[0], q * target[1])[0]
        self.sizes: dict[str, FloatArray] = {}
        self._maps: dict[str, FloatArray] = {}
        for kind, members in _by_size(entries, always=target[0]).items():
            self.sizes[kind] = np.log([e.n_atoms for e in members])
            rows = [_misfits(e, aim, q=q, bonds=bonds, weights=weights) for e in members]
            self._maps[kind] = np.stack(rows)

    def at(self, kind: str, atoms: FloatArray, bond: FloatArray) -> FloatArray:
        """Return the misfit at ln(atoms) and ln(bond), in their shape; beyond the ends as there."""
        sizes, table = self.sizes[kind], self._maps[kind]
        middles = (sizes[1:] + sizes[:-1]) / 2
        row = np.searchsorted(middles, atoms)
        place = np.clip((bond - self._start) / MAP_STEP, 0, table.shape[1] - 1.001)
        below = place.astype(np.intp)
        part = place - below
        return np.asarray(table[row, below] * (1 - part) + table[row, below + 1] * part)


def _by_size(entries: Sequence[Entry], *, always: Entry) -> dict[str, list[Entry]]:
    """Return the entries of each type by size, one a step; `always` is kept."""
    found: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda e: (e.n_atoms, e is not always)):
        kept = found.setdefault(entry.kind, [])
        apart = not kept or np.log(entry.n_atoms / kept[-1].n_atoms) > _SAME_SIZE
        if apart or entry is always:
            kept.append(entry)
    return found


def _misfits(
    entry: Entry,
    aim: FloatArray,
    *,
    q: FloatArray,
    bonds: FloatArray,
    weights: Sequence[FloatArray],
) -> FloatArray:
    """Return one entry's misfit at every bond, (n_bonds,)."""
    x = _X_STEP * np.arange(1, int(q[-1] * bonds[-1] / _X_STEP) + 3, dtype=np.float64)
    curves = np.interp(np.outer(bonds, q), x, debye(entry, x)[0])
    total = np.zeros(len(bonds))
    for weight in weights:
        shown, goal = curves * weight, aim * weight
        product = shown @ goal / (np.linalg.norm(shown, axis=1) * np.linalg.norm(goal))
        total += np.sqrt(1 - np.clip(product, 0.0, 1.0) ** 2)
    return total / len(weights)
