"""Starting models: atoms of which some are sampled and the others follow them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.io import read
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from analysis.errors import BadPhase, BadSettings
from analysis.physics.scattering_factors import Probe, forward_scattering

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FEWEST = 4
"""Sampled atoms below which there is nothing to choose."""

_SAME_ATOM = 0.5
"""Atoms [Å] closer than this cannot both be there."""


@dataclass(frozen=True, slots=True, eq=False)
class StartingModel:
    """Atoms of which a fragment keeps some.

    Attributes
    ----------
    positions : (n_atoms, 3) [Å].
    elements : (n_atoms,) symbols.
    sampled : (n_sampled,) indices of the atoms that a mask keeps or removes.
    followers : (n_atoms − n_sampled, n_sampled) whether an atom that is not sampled follows a
        sampled one: it stays where at least one of those that it follows stays.
    """

    positions: FloatArray
    elements: tuple[str, ...]
    sampled: IntArray
    followers: BoolArray

    @property
    def n_sampled(self) -> int:
        """Number of atoms that a mask speaks of."""
        return len(self.sampled)

    def kept(self, masks: BoolArray) -> BoolArray:
        """Return which of all atoms stay, (n, n_atoms), by masks of the sampled, (n, n_sampled)."""
        all_atoms = np.zeros((len(masks), len(self.elements)), dtype=bool)
        all_atoms[:, self.sampled] = masks
        following = np.setdiff1d(np.arange(len(self.elements)), self.sampled)
        all_atoms[:, following] = masks.astype(np.float32) @ self.followers.T > 0
        return all_atoms

    def xyz(self, mask: BoolArray, *, comment: str = "") -> str:
        """Return one fragment as the text of an XYZ file; the comment must be of one line."""
        stay = np.flatnonzero(self.kept(mask[None])[0])
        lines = [
            f"{self.elements[i]} {' '.join(f'{v:.4f}' for v in self.positions[i])}" for i in stay
        ]
        return "\n".join([str(len(stay)), comment, *lines]) + "\n"


def starting_model(
    positions: FloatArray,
    elements: Sequence[str],
    *,
    sampled: Sequence[str] | None = None,
    bond: float = 2.5,
    probe: Probe = "x-ray",
) -> StartingModel:
    """Return a starting model of atoms.

    Parameters
    ----------
    sampled : elements whose atoms are kept or removed; None takes the strongest scatterer and all
        that scatter at least half as strongly.
    bond : a follower stays if it is this close [Å] to a sampled atom that stays (Anker et al. 2022,
        doi:10.1038/s41524-022-00896-3, with 2.5 Å for oxygen around metals).

    Raises
    ------
    BadSettings
        Fewer than `FEWEST` atoms are sampled, or two atoms stand in one place.
    """
    symbols = np.array(elements)
    chosen = strongest(elements, probe=probe) if sampled is None else set(sampled)
    is_sampled = np.isin(symbols, sorted(chosen))
    if int(is_sampled.sum()) < FEWEST:
        raise BadSettings(
            f"the starting model has {int(is_sampled.sum())} atoms of {', '.join(sorted(chosen))}; "
            f"at least {FEWEST} were expected, of which fragments keep some"
        )
    distance = cdist(positions, positions) + 2 * _SAME_ATOM * np.eye(len(positions))
    if distance.min() < _SAME_ATOM:
        one, other = np.unravel_index(distance.argmin(), distance.shape)
        raise BadSettings(
            f"atoms {one} and {other} of the starting model are {distance.min():.2f} Å apart; give "
            "each place one atom"
        )
    return StartingModel(
        positions=np.asarray(positions, dtype=np.float64),
        elements=tuple(elements),
        sampled=np.flatnonzero(is_sampled),
        followers=distance[np.ix_(~is_sampled, is_sampled)] < bond,
    )


def strongest(elements: Sequence[str], *, probe: Probe) -> set[str]:
    """Return the elements that scatter at least half as strongly as the strongest."""
    strength = {e: abs(forward_scattering(e, probe=probe)) for e in set(elements)}
    return {e for e, s in strength.items() if s >= 0.5 * max(strength.values())}


def read_atoms(path: Path, *, radius: float) -> tuple[FloatArray, tuple[str, ...]]:
    """Return positions [Å] and elements of a file.

    A crystal (CIF) is cut to the atoms within `radius` [Å] of the centre of its cell, every site
    fully occupied; any other format that ASE reads, such as XYZ, is taken whole.

    Raises
    ------
    BadPhase
        The file is missing, or holds no atoms.
    """
    if not path.exists():
        raise BadPhase(f"there is no starting model {path}; give the path of an XYZ file or a CIF")
    try:
        atoms = read(path)
    except (OSError, ValueError, IndexError, KeyError, StopIteration, AssertionError) as error:
        raise BadPhase(
            f"{path} could not be read as atoms ({error}); give an XYZ file or a CIF"
        ) from error
    if path.suffix.lower() == ".cif":
        heights = 1 / np.linalg.norm(np.linalg.inv(np.asarray(atoms.cell)), axis=0)
        repeats = np.ceil(radius / heights).astype(int)
        widest = 2 * (repeats + 1) + 1
        atoms = atoms.repeat(tuple(widest))
        centre = np.asarray(atoms.cell).sum(axis=0) / 2
        atoms = atoms[np.linalg.norm(atoms.positions - centre, axis=1) <= radius]
    if len(atoms) == 0:
        raise BadPhase(f"{path} holds no atoms within {radius:g} Å; give a larger radius")
    return np.asarray(atoms.positions), tuple(atoms.get_chemical_symbols())
