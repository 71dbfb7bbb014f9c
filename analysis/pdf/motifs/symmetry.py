"""Symmetries of a starting model: what the distances between atoms cannot tell apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from analysis.pdf.motifs.starting import StartingModel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TOLERANCE = 0.03
"""Distance [Å] by which an atom may miss its image."""


def symmetries(model: StartingModel, *, tolerance: float = TOLERANCE) -> IntArray:
    """Return the rotations and reflections that map a starting model onto itself.

    Fragments that they map onto each other have the same distances, so every fit of them is the
    same. A symmetry keeps the centre; two atoms not in line with it fix it but for a reflection.
    Where all sampled atoms lie in a line with the centre, only the identity is returned.

    Returns
    -------
    (n_symmetries, n_sampled) permutations of the sampled atoms, a group.
    """
    centred = model.positions - model.positions.mean(axis=0)
    identity = np.arange(model.n_sampled)
    found = {tuple(identity)}
    for rotation in _candidates(centred[model.sampled], tolerance=tolerance):
        image = _images(model, centred, rotation, tolerance=tolerance)
        if image is not None:
            found.add(tuple(image))
    return np.array(sorted(found))


def _candidates(points: FloatArray, *, tolerance: float) -> Iterator[FloatArray]:
    """Yield the orthogonal matrices that map two points onto two others of the same distances."""
    length = np.linalg.norm(points, axis=1)
    first = int(length.argmax())
    off_line = np.linalg.norm(np.cross(points, points[first]), axis=1)
    second = int(off_line.argmax())
    if off_line[second] < tolerance * length[first]:
        return
    frame = _frame(points[first], points[second])
    apart = cdist(points, points)
    for one in np.flatnonzero(np.abs(length - length[first]) < tolerance):
        same_length = np.abs(length - length[second]) < tolerance
        same_apart = np.abs(apart[one] - apart[first, second]) < tolerance
        for other in np.flatnonzero(same_length & same_apart):
            image = _frame(points[one], points[other])
            for hand in (1.0, -1.0):
                yield frame.T @ (image * np.array([1.0, 1.0, hand])[:, None])


def _frame(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return three orthonormal rows: along a point, in the plane of both, and across it."""
    along = one / np.linalg.norm(one)
    across = np.cross(one, other)
    across = across / np.linalg.norm(across)
    return np.stack([along, np.cross(across, along), across])


def _images(
    model: StartingModel, centred: FloatArray, rotation: FloatArray, *, tolerance: float
) -> IntArray | None:
    """Return where a rotation takes the sampled atoms, or None if it is no symmetry."""
    distance = cdist(centred @ rotation, centred)
    image = distance.argmin(axis=1)
    elements = np.array(model.elements)
    near = np.all(distance[np.arange(len(image)), image] < tolerance)
    if not near or len(set(image)) < len(image) or np.any(elements != elements[image]):
        return None
    place = np.full(len(elements), -1)
    place[model.sampled] = np.arange(model.n_sampled)
    return np.asarray(place[image[model.sampled]])
