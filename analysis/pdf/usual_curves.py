"""Simulated readings of things that are known, which strangeness is compared with.

From a structure: S(Q) − 1 of the entry and of kin of about its size together, some atoms of their
surfaces missing, or elements moving unequally in what comes from files, at a bond that is not quite
one, with noise and slow errors of the reduction. From an earlier curve: the curve itself,
stretched, its peaks widened, with the same errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from analysis.pdf.artefacts import draw_faults, measured_f_q
from analysis.pdf.clusters import with_defects
from analysis.pdf.curves import Reading
from analysis.pdf.library import Entry, shells
from analysis.pdf.matching import FILE_RANGE, EntryCurve
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

KIN = 1.4
"""Ratio of atom numbers up to which entries of one kind occur together in a sample."""

WHOLE = 0.5
"""Share of clusters that miss no atom."""

DRAWN_IN, OFF_SITE = 0.03, 0.03
"""Largest relative shift of a surface towards the middle, and largest standard deviation of each
coordinate of atoms about their sites, in bonds."""

MOVED, UNLIKE = 0.03, 0.4
"""Displacement along an axis in bonds, and the spread of its logarithm from axis to axis and from
element to element, in structures of files."""

MANY = 1000
"""Atoms beyond which a grain takes too long to be simulated."""

UNEVEN = 0.004
"""Standard deviation of the relative differences of the bond within a sample."""

_NEAR, _INSIDE = 1.2, 12
"""Bonds within which atoms are neighbours, and how many of them an atom inside has."""
_Q_STEP = 0.05
_R_STEP = 0.04
_Q_MAX = (14.0, 25.0)
_Q_MIN = (0.7, 1.2)
_B_ISO = (0.2, 1.6)
_Q_DAMP_OFF = 0.2
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def of_structure(
    entries: Sequence[Entry],
    bond_range: tuple[float, float],
    *,
    r_range: tuple[float, float],
    q_damp: float,
    rng: np.random.Generator,
) -> Measurement:
    """Return a G(r) of a sample that the library holds, kinds drawn alike.

    Parameters
    ----------
    entries : the library.
    bond_range : of entries that state no bond themselves [Å].
    r_range : that the G(r) reaches over [Å].
    q_damp : that is stated; the simulated one is off by up to a fifth [1/Å].
    """
    kinds = sorted({e.kind for e in entries})
    kind = kinds[rng.integers(len(kinds))]
    own = [e for e in entries if e.kind == kind]
    own = [e for e in own if e.n_atoms <= MANY] or own[:1]
    first = own[rng.integers(len(own))]
    kin = [e for e in own if 1 / KIN < e.n_atoms / first.n_atoms < KIN]
    parts = [first, *(kin[rng.integers(len(kin))] for _ in range(rng.integers(0, 3)))]
    bond = first.bond or float(rng.uniform(bond_range[0] / 0.9, bond_range[1] * 0.9))
    span = float(rng.uniform(*_Q_MIN)), float(rng.uniform(*_Q_MAX))
    q = np.arange(span[0], span[1], _Q_STEP)
    b_iso = float(np.exp(rng.uniform(*np.log(_B_ISO))))
    delta2 = float(rng.uniform(0.0, 0.4)) * bond**2
    s_minus_one = np.zeros_like(q)
    for part in (_damaged(part, rng=rng) for part in parts):
        length = bond * float(1 + np.clip(rng.normal(0, UNEVEN), -0.02, 0.02))
        near = length * (1 - FILE_RANGE), length * (1 + FILE_RANGE)
        s_minus_one += EntryCurve(part, q, bonds=near)(length, b_iso, delta2) / len(parts)
    f_q = measured_f_q(q * s_minus_one, q, draw_faults(rng), rng=rng)
    r = np.arange(max(r_range[0] - 0.5, _R_STEP), r_range[1] + 0.5, _R_STEP)
    fade = np.exp(-0.5 * (q_damp * rng.uniform(1 - _Q_DAMP_OFF, 1 + _Q_DAMP_OFF) * r) ** 2)
    g_r = (2 / np.pi) * _Q_STEP * (f_q @ np.sin(np.outer(q, r))) * fade
    return _measurement(r, g_r, span)


def _damaged(entry: Entry, *, rng: np.random.Generator) -> Entry:
    """Return a cluster as it may be: short of surface atoms, them drawn in, all a little off."""
    if entry.cluster is None:
        return _unequal(entry, rng=rng)
    cluster = entry.cluster if rng.random() < WHOLE else with_defects(entry.cluster, rng=rng)
    middle = cluster.positions.mean(axis=0)
    neighbours = (cdist(cluster.positions, cluster.positions) < _NEAR).sum(axis=1) - 1
    pulled = float(rng.uniform(0.0, DRAWN_IN)) * (neighbours < _INSIDE)
    positions = middle + (cluster.positions - middle) * (1 - pulled)[:, None]
    positions = positions + float(rng.uniform(0.0, OFF_SITE)) * rng.normal(size=positions.shape)
    distance, weight = shells(positions, np.ones(len(positions)))
    return replace(entry, distance=distance, weight=weight)


def _unequal(entry: Entry, *, rng: np.random.Generator) -> Entry:
    """Return a structure of a file whose elements move unequally, and more along some axes."""
    if entry.positions is None or entry.strength is None:
        return entry
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    along = MOVED * np.exp(rng.normal(0.0, UNLIKE, 3))
    moved = (rng.normal(size=entry.positions.shape) * along) @ axes
    for strength in np.unique(entry.strength):
        moved[entry.strength == strength] *= float(np.exp(rng.normal(0.0, UNLIKE)))
    distance, weight = shells(entry.positions + moved, entry.strength)
    return replace(entry, distance=distance, weight=weight)


def of_curve(readings: Sequence[Reading], *, rng: np.random.Generator) -> Reading:
    """Return an earlier curve as it might have been measured again, for comparison in Q only."""
    one = readings[int(rng.integers(len(readings)))]
    q = one.scan_q
    moved = np.interp(q * (1 + rng.normal(0, 0.007)), q, one.scan_y)
    widened = moved * np.exp(-float(rng.uniform(-0.2, 0.6)) * (q / (4 * np.pi)) ** 2 * 2)
    f_q = measured_f_q(q * widened, q, draw_faults(rng), rng=rng)
    return replace(one, scan_y=f_q / q)


def _measurement(r: FloatArray, g_r: FloatArray, span: tuple[float, float]) -> Measurement:
    return Measurement(
        id="simulated/pdf/0",
        sample_id="simulated",
        technique="pdf",
        x=r,
        y=g_r,
        sigma=None,
        x_name="r",
        x_unit="Å",
        y_name="g_r",
        y_unit="1/Å²",
        instrument="simulation",
        simulated=True,
        started=_EPOCH,
        finished=_EPOCH,
        settings={"q_min": span[0], "q_max": span[1]},
    )
