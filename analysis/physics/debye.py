"""Debye's equation: scattering of atoms in all orientations, from their distances.

Importing this file imports torch. Everything is differentiable and in double precision.
"""

from __future__ import annotations

import torch

_BLOCK = 2_000_000
"""Sines that are held at once: 16 MB each for them and their like."""


def pair_distances(positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the (n_pairs,) distances [Å] of atoms i < j and the (n_pairs, 2) indices.

    Parameters
    ----------
    positions : (n_atoms, 3) [Å].
    """
    pairs = torch.triu_indices(len(positions), len(positions), offset=1).T
    apart = positions[pairs[:, 0]] - positions[pairs[:, 1]]
    distance: torch.Tensor = torch.linalg.vector_norm(apart, dim=1)
    return distance, pairs


def debye_sum(
    distance: torch.Tensor,
    q: torch.Tensor,
    *,
    count: torch.Tensor | None = None,
    variance: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return Σ n sin(Qr)/(Qr) exp(−Q²σ²/2) over pairs, (n_q,).

    Parameters
    ----------
    distance : (n_pairs,) [Å].
    q : (n_q,) momentum transfer [1/Å], above zero.
    count : (n_pairs,) how often each distance occurs; once by default.
    variance : (n_pairs,) mean square change σ² of each distance [Å²]; none by default.

    References
    ----------
    Debye (1915), doi:10.1002/andp.19153510606. The damping holds for displacements that are small
    beside the distance.
    """
    size = max(1, _BLOCK // len(q))
    total = torch.zeros_like(q)
    for start in range(0, len(distance), size):
        part = slice(start, start + size)
        r = distance[part, None]
        terms = torch.sin(r * q) / (r * q)
        if variance is not None:
            terms = terms * torch.exp(-0.5 * variance[part, None] * q**2)
        total = total + (terms.sum(dim=0) if count is None else count[part] @ terms)
    return total


def debye_intensity(
    positions: torch.Tensor,
    species: torch.Tensor,
    form_factors: torch.Tensor,
    q: torch.Tensor,
    *,
    mean_square: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return I(Q) per atom [electrons² or fm²], (n_q,), of one cluster of atoms.

    I = (1/N) [ Σ fᵢ² + 2 Σ_{i<j} fᵢ fⱼ sin(Qr)/(Qr) exp(−Q²(Uᵢ + Uⱼ)/2) ]

    Parameters
    ----------
    positions : (n_atoms, 3) [Å].
    species : (n_atoms,) row of each atom in `form_factors`.
    form_factors : (n_species, n_q).
    q : (n_q,) momentum transfer [1/Å], above zero.
    mean_square : (n_atoms,) mean square displacement U of each atom along one direction [Å²].
    """
    distance, pairs = pair_distances(positions)
    kinds = species[pairs].sort(dim=1).values
    variance = None if mean_square is None else mean_square[pairs].sum(dim=1)
    total = (form_factors[species] ** 2).sum(dim=0)
    for kind in torch.unique(kinds, dim=0):
        chosen = (kinds == kind).all(dim=1)
        sums = debye_sum(
            distance[chosen], q, variance=None if variance is None else variance[chosen]
        )
        total = total + 2 * form_factors[kind[0]] * form_factors[kind[1]] * sums
    return total / len(positions)


def structure_function(
    i_q: torch.Tensor, form_factors: torch.Tensor, share: torch.Tensor
) -> torch.Tensor:
    """Return Faber and Ziman's S(Q) = (I − ⟨f²⟩ + ⟨f⟩²) / ⟨f⟩², (n_q,).

    Parameters
    ----------
    i_q : (n_q,) intensity per atom.
    form_factors : (n_species, n_q).
    share : (n_species,) atomic fractions, adding up to one.

    References
    ----------
    Faber & Ziman (1965), doi:10.1080/14786436508211931.
    """
    mean = share @ form_factors
    return (i_q - share @ form_factors**2 + mean**2) / mean**2
