"""Steps from one shape to its neighbours: layers of faces, shells of equal atoms, single atoms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.structure.sites import Sites

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
Weights = NDArray[np.float32]

FEWEST_ATOMS = 4

_LEVEL = 0.05
"""Heights and radii that agree to this many bonds are one layer, one shell."""

_CONTACTS = (2, 3, 4)
"""Neighbours that an atom of a new layer has at least; one after the other is tried."""

_MOST_CONTACTS = 16


def steps(mask: BoolArray, sites: Sites, shifted: IntArray) -> BoolArray:
    """Return the shapes one step away from one (n_sites,), (n, n_sites) without repetition.

    A step takes the outermost layer, or two, off a face, two opposite faces or a whole family;
    or lays layers on; or moves one from a face to the opposite one; or takes or adds every atom of
    equal distance from the middle and equal number of neighbours; or makes the shape longer or
    shorter by one translation, what it shares with its shifted copy or what both have.

    Parameters
    ----------
    shifted : (n_translations, n_sites) as `Sites.shifted` returns it.
    """
    contacts = mask @ sites.touching_weight
    found = np.concatenate(
        [
            *_layer_steps(mask, sites, contacts),
            *_shell_steps(mask, sites, contacts),
            *_length_steps(mask, shifted),
        ]
    )
    found = found[found.sum(axis=1) >= FEWEST_ATOMS]
    return np.asarray(found[_first_of_each(mask, found)])


def single_steps(mask: BoolArray, sites: Sites, *, least: int) -> BoolArray:
    """Return the shapes with one atom more or less, (n, n_sites).

    Parameters
    ----------
    least : neighbours that a new atom has at least.
    """
    contacts = mask @ sites.touching_weight
    loose = mask & (contacts < sites.touching_weight.sum(axis=1))
    free = ~mask & (contacts >= least)
    index = np.flatnonzero(loose | free)
    shapes = np.repeat(mask[None], len(index), axis=0)
    shapes[np.arange(len(index)), index] ^= True
    return shapes


def _first_of_each(mask: BoolArray, shapes: BoolArray) -> list[int]:
    seen = {np.packbits(mask).tobytes()}
    kept = []
    for row, packed in enumerate(np.packbits(shapes, axis=1)):
        key = packed.tobytes()
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def _layer_steps(mask: BoolArray, sites: Sites, contacts: Weights) -> Iterator[BoolArray]:
    faces = np.concatenate(sites.faces)
    heights = faces @ sites.positions.T
    opposite = (faces @ faces.T).argmin(axis=1)
    start = np.repeat(mask[None], len(faces), axis=0)
    peeled = _peeled(start, heights)
    yield peeled
    yield peeled & peeled[opposite]
    yield from _families(sites, peeled, np.logical_and)
    bare = peeled.sum(axis=1) >= FEWEST_ATOMS
    yield _peeled(peeled[bare], heights[bare])
    for least in _CONTACTS:
        grown = _grown(start, heights, np.broadcast_to(contacts >= least, start.shape))
        yield grown
        yield grown | grown[opposite]
        yield peeled & grown[opposite] | (grown[opposite] & ~mask)
        yield from _families(sites, grown, np.logical_or)
        yield _grown(grown, heights, grown @ sites.touching_weight >= least)


def _families(sites: Sites, shapes: BoolArray, joined: np.ufunc) -> Iterator[BoolArray]:
    first = 0
    for family in sites.faces:
        yield joined.reduce(shapes[first : first + len(family)], axis=0)[None]
        first += len(family)


def _peeled(shapes: BoolArray, heights: FloatArray) -> BoolArray:
    top = np.where(shapes, heights, -np.inf).max(axis=1, keepdims=True)
    return np.asarray(shapes & (heights < top - _LEVEL))


def _grown(shapes: BoolArray, heights: FloatArray, held: BoolArray) -> BoolArray:
    """Return shapes with the next layer above their highest, of the sites that are held."""
    top = np.where(shapes, heights, -np.inf).max(axis=1, keepdims=True)
    free = ~shapes & held & (heights > top + _LEVEL)
    lowest = np.where(free, heights, np.inf).min(axis=1, keepdims=True)
    return np.asarray(shapes | (free & (heights < lowest + _LEVEL)))


def _length_steps(mask: BoolArray, shifted: IntArray) -> Iterator[BoolArray]:
    for onto in shifted:
        copy = np.zeros_like(mask)
        reached = onto[mask]
        copy[reached[reached >= 0]] = True
        yield (mask | copy)[None]
        yield (mask & copy)[None]


def _shell_steps(mask: BoolArray, sites: Sites, contacts: Weights) -> Iterator[BoolArray]:
    radius = np.linalg.norm(sites.positions - sites.positions[mask].mean(axis=0), axis=1)
    kind = np.round(radius / _LEVEL).astype(np.int64) * _MOST_CONTACTS + contacts.astype(np.int64)
    surface = mask & (contacts < sites.touching_weight.sum(axis=1))
    free = ~mask & (contacts > 0)
    for label in np.unique(kind[surface]):
        yield (mask & ~(surface & (kind == label)))[None]
    for label in np.unique(kind[free]):
        yield (mask | (free & (kind == label)))[None]
    for least in range(3, 6):
        yield (mask & (contacts >= least))[None]
        yield (mask | (contacts >= least))[None]
