"""Simulated G(r) of clusters that no library holds, for the benchmarks of `pdf.match`.

Two worlds: in the *usual* one constants are learnt, in the *harsh* one they are looked at. The
harsh one has what the usual one lacks: particles of several sizes, atoms off their sites, surfaces
that shrink, slow errors of the reduction, and a Q_damp unlike the one that is stated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from scipy.spatial.distance import pdist

from analysis.pdf.artefacts import draw_faults, measured_f_q
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF
from analysis.pdf.clusters import Cluster, cut_clusters, ideal_clusters, with_defects
from analysis.pdf.transform import QRange
from instruments.measurement import Measurement

FloatArray = np.ndarray
LATTICES = ("sc", "fcc", "bcc", "hcp", "icosahedron", "decahedron")
R = np.arange(1.0, 30.0, 0.02)
STATED_Q_DAMP = 0.04
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_MOST_ATOMS = 350


@dataclass(frozen=True)
class Sample:
    """A simulated sample: what it is, and what was measured.

    `n_atoms` is the mean of its particles. `bond` is the shortest distance [Å] of the whole
    cluster whose distances are as long as those of the particles in the mean.
    """

    cluster: Cluster
    n_atoms: float
    bond: float
    measurement: Measurement


def strangers(count: int, rng: np.random.Generator) -> list[Cluster]:
    """Return irregular cuts and regular shapes with defects, in turn of each lattice."""
    cuts = cut_clusters(count, rng=rng, atoms=(13, _MOST_ATOMS))
    shapes = ideal_clusters(most_atoms=_MOST_ATOMS, fewest_atoms=13)
    found = []
    for number in range(count):
        lattice = LATTICES[number % len(LATTICES)]
        irregular = [c for c in cuts if c.lattice == lattice]
        if irregular and rng.random() < 0.5:
            found.append(irregular[rng.integers(len(irregular))])
            continue
        sizes = np.exp(rng.uniform(np.log(13), np.log(_MOST_ATOMS)))
        regular = [c for c in shapes if c.lattice == lattice]
        near = np.argsort([abs(np.log(len(c) / sizes)) for c in regular])[:5]
        found.append(with_defects(regular[rng.choice(near)], rng=rng))
    return found


def measured(cluster: Cluster, rng: np.random.Generator, *, harsh: bool) -> Sample:
    """Return a noisy G(r) by the exact sum: Q to 14–25 1/Å, B of 0.2–1.2 Å²."""
    bond = float(rng.uniform(2.3, 3.2))
    span = QRange(float(rng.uniform(0.7, 1.2)), float(rng.uniform(14.0, 25.0)))
    said = ClusterParameters(b_iso=float(rng.uniform(0.2, 1.2)), delta2=float(rng.uniform(0, 3.5)))
    parts = _ensemble(cluster, rng) if harsh else [cluster.positions]
    models = [ClusterPDF(bond * p, "Au", R, span) for p in parts]
    q = max((m.q for m in models), key=len)
    total = sum(
        len(p) * np.interp(q, m.q, m.f_q(said).numpy()) for p, m in zip(parts, models, strict=True)
    )
    f_q = total / sum(map(len, parts))
    q_damp = STATED_Q_DAMP
    if harsh:
        f_q = measured_f_q(f_q, q, draw_faults(rng), rng=rng)
        q_damp *= float(rng.uniform(0.7, 1.3))
    else:
        f_q = f_q + 10 ** rng.uniform(-3.0, -1.3) * q * rng.normal(size=f_q.shape)
    width = np.full_like(q, q[1] - q[0])
    width[[0, -1]] /= 2
    kernel = (2 / np.pi) * width[:, None] * np.sin(np.outer(q, R))
    g_r = (f_q @ kernel) * np.exp(-0.5 * (q_damp * R) ** 2)
    n_atoms = float(np.mean([len(p) for p in parts]))
    longer = pdist(parts[0]).sum() / pdist(cluster.positions).sum()
    return Sample(cluster, n_atoms, bond * float(longer), as_measurement(g_r, span))


def as_measurement(g_r: FloatArray, span: QRange) -> Measurement:
    """Return G(r) over `R` as a measurement that states its range of Q."""
    return Measurement(
        id="cluster/pdf/0",
        sample_id="cluster",
        technique="pdf",
        x=R,
        y=g_r,
        sigma=None,
        x_name="r",
        x_unit="Å",
        y_name="g_r",
        y_unit="1/Å²",
        instrument="simulation",
        simulated=True,
        started=NOW,
        finished=NOW,
        settings={"q_min": span.q_min, "q_max": span.q_max},
    )


def _ensemble(cluster: Cluster, rng: np.random.Generator) -> Sequence[FloatArray]:
    """Return three particles, some atoms short of the cluster, strained and disordered."""
    contraction, disorder = rng.uniform(0.0, 0.02), rng.uniform(0.0, 0.03)
    parts = []
    for missing in (0.0, 0.1, 0.25):
        centred = cluster.positions - cluster.positions.mean(axis=0)
        from_middle = np.linalg.norm(centred, axis=1)
        order = np.argsort(from_middle + 0.1 * rng.random(len(centred)))
        kept = centred[order[: max(8, round((1 - missing) * len(centred)))]]
        outward = np.linalg.norm(kept, axis=1, keepdims=True) / from_middle.max()
        shrunk = kept * (1 - contraction * outward**2)
        parts.append(shrunk + disorder * rng.normal(size=kept.shape))
    return parts
