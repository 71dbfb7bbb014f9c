"""Simulated samples for `pdf_motifs.py`: oxide clusters, broken pieces beside them, and a G(r)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from analysis.pdf.artefacts import draw_faults, measured_f_q
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF
from analysis.pdf.motifs.starting import StartingModel, starting_model
from analysis.pdf.preprocess import FitRange
from analysis.pdf.transform import QRange, g_r_kernel

FloatArray = NDArray[np.float64]

R = np.arange(1.6, 10.0, 0.06)
RANGE = QRange(0.7, 20.0)
METAL, OXYGEN = "W", "O"
N_TRIES = 30


@dataclass(frozen=True)
class World:
    """A starting model, a G(r), and which of the model's metals the sample holds (or nothing)."""

    model: StartingModel
    data: FitRange
    truth: NDArray[np.bool_]


def metals(n: int, rng: np.random.Generator) -> FloatArray:
    """Return n metals, each 3.3 to 3.8 Å from one before it and no closer than 3.2 to any."""
    points = [np.zeros(3)]
    while len(points) < n:
        step = rng.normal(size=3)
        step *= rng.uniform(3.3, 3.8) / np.linalg.norm(step)
        new = points[rng.integers(len(points))] + step
        if np.linalg.norm(np.array(points) - new, axis=1).min() > 3.2:
            points.append(new)
    return np.array(points) - np.mean(points, axis=0)


def cluster(n: int, rng: np.random.Generator) -> tuple[FloatArray, list[str]]:
    """Return n metals, an oxygen 1.95 Å from both of each close pair, and one more on each."""
    heavy = metals(n, rng)
    placed = heavy
    one, other = np.nonzero(np.triu(cdist(heavy, heavy) < 3.85, k=1))
    for i, j in zip(one, other, strict=True):
        along = heavy[j] - heavy[i]
        aside = np.cross(along, rng.normal(size=(N_TRIES, 3)))
        aside *= np.sqrt(1.95**2 - along @ along / 4) / np.linalg.norm(aside, axis=1)[:, None]
        placed = roomiest(placed, (heavy[i] + heavy[j]) / 2 + aside)
    for position in heavy:
        out = rng.normal(size=(N_TRIES, 3))
        placed = roomiest(placed, position + 1.7 * out / np.linalg.norm(out, axis=1)[:, None])
    return placed, [METAL] * n + [OXYGEN] * (len(placed) - n)


def roomiest(placed: FloatArray, places: FloatArray) -> FloatArray:
    """Return the atoms with one more, at the place that is farthest from all of them."""
    return np.vstack([placed, places[cdist(places, placed).min(axis=1).argmax()]])


def crowd(
    parts: list[tuple[FloatArray, list[str]]], rng: np.random.Generator
) -> tuple[FloatArray, list[str]]:
    """Return clusters beside each other, no atom closer than 2.8 Å to another cluster's."""
    positions, elements = parts[0]
    for other, symbols in parts[1:]:
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        distance = 4.0
        while cdist(other + distance * direction, positions).min() < 2.8:
            distance += 0.5
        positions = np.concatenate([positions, other + distance * direction])
        elements = elements + symbols
    return positions, elements


def curve(positions: FloatArray, elements: list[str], rng: np.random.Generator) -> FitRange:
    """Return G(r) as it might have been measured of a cluster."""
    model = ClusterPDF(positions, elements, R, RANGE)
    parameters = ClusterParameters(b_iso=float(np.exp(rng.uniform(*np.log([0.2, 1.5])))))
    f_q = model.f_q(parameters).numpy()
    f_q = measured_f_q(f_q, model.q, draw_faults(rng), rng=rng)
    damp = np.exp(-0.5 * (rng.uniform(0.01, 0.07) * R) ** 2)
    g_r = f_q @ g_r_kernel(model.q, R).numpy() * damp
    return FitRange(R, g_r, RANGE.q_min, RANGE.q_max)


def world(seed: int, *, right: bool) -> World:
    """Return a sample that the starting model holds, distorted, or one that it does not hold.

    Every atom of the sample is displaced by up to 0.12 Å (std of each coordinate), because a
    cluster in solution is not what it was in a crystal.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(7, 14))
    parts = [cluster(n, rng), *(cluster(int(rng.integers(2, 7)), rng) for _ in range(3))]
    positions, elements = crowd(parts, rng)
    sample, symbols = parts[0] if right else cluster(n, rng)
    sample = rng.uniform(0.985, 1.015) * sample
    sample = sample + rng.uniform(0.0, 0.12) * rng.normal(size=sample.shape)
    truth = np.zeros(elements.count(METAL), dtype=bool)
    truth[:n] = right
    model = starting_model(positions, elements)
    return World(model, curve(sample, symbols, rng), truth)
