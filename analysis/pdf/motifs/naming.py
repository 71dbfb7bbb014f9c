"""From contributions to a motif: the connected atoms that explain the data by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from analysis.pdf.motifs.fragments import FragmentFits
from analysis.pdf.motifs.starting import StartingModel

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_TOUCHING = 1.25
"""Atoms without followers that are closer than this many shortest distances are linked."""

_AS_GOOD = 0.02
"""Of two fits whose R_w differ by less than this share neither is better; judged on simulations
of `benchmarks/pdf_motif_worlds.py`, where 1 to 3 % do alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Motif:
    """Atoms that were named.

    Attributes
    ----------
    mask : (n_sampled,) which of the sampled atoms belong to it.
    rw : of its fit.
    candidates : (n, n_sampled) pieces that were fitted by themselves, before one was grown.
    candidate_rw : (n,) their R_w.
    """

    mask: BoolArray
    rw: float
    candidates: BoolArray
    candidate_rw: FloatArray


def links(model: StartingModel) -> BoolArray:
    """Return which sampled atoms share a follower, or touch in a model without any, (n, n)."""
    if len(model.followers):
        bridges = model.followers.astype(np.int64)
        return np.asarray(bridges.T @ bridges > 0)
    positions = model.positions[model.sampled]
    distance = cdist(positions, positions)
    shortest = distance[~np.eye(len(distance), dtype=bool)].min()
    return np.asarray(distance < _TOUCHING * shortest)


def name_motif(fits: FragmentFits, value: FloatArray) -> Motif | None:
    """Return the motif that contributions name, or None if no two linked atoms help a fit.

    Atoms that lower R_w fall apart into connected pieces, because copies of one cluster in a
    crystal each help. Every piece, and all together, is fitted by itself. Of those as good as the
    best, the one of fewest atoms is named; then linked atoms are added one by one as long as that
    makes the fit better by more than `_AS_GOOD`.

    Parameters
    ----------
    value : (n_sampled,) contributions, negative where keeping an atom lowers R_w.
    """
    linked = links(fits.model)
    candidates = _candidates(linked, value < 0)
    if not len(candidates):
        return None
    rw = fits.fit(candidates).rw
    as_good = np.flatnonzero(rw <= (1 + _AS_GOOD) * rw.min())
    size = candidates[as_good].sum(axis=1)
    chosen = as_good[np.lexsort((rw[as_good], size))[0]]
    mask, best = _grown(fits, linked, candidates[chosen], float(rw[chosen]))
    return Motif(mask, best, candidates, rw)


def _grown(
    fits: FragmentFits, linked: BoolArray, mask: BoolArray, rw: float
) -> tuple[BoolArray, float]:
    """Return a motif with the linked atoms that make its fit better, and its R_w."""
    while True:
        near = np.flatnonzero(linked[mask].any(axis=0) & ~mask)
        if not len(near):
            return mask, rw
        larger = mask | np.eye(len(mask), dtype=bool)[near]
        found = fits.fit(larger).rw
        if found.min() > (1 - _AS_GOOD) * rw:
            return mask, rw
        mask, rw = larger[found.argmin()], float(found.min())


def _candidates(linked: BoolArray, helpful: BoolArray) -> BoolArray:
    """Return each connected piece of at least two helpful atoms, and all of those together."""
    among = np.flatnonzero(helpful)
    _, piece = connected_components(linked[np.ix_(among, among)], directed=False)
    pieces = [among[piece == label] for label in np.unique(piece)]
    masks = [np.isin(np.arange(len(helpful)), atoms) for atoms in pieces if len(atoms) > 1]
    if not masks:
        return np.zeros((0, len(helpful)), dtype=bool)
    return np.unique(np.stack([*masks, np.any(masks, axis=0)]), axis=0)
