"""Simulated G(r) of one cluster as a measurement, with the faults that the training knows.

Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.artefacts import Faults, draw_faults, measured_f_q
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF
from analysis.pdf.transform import QRange
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

Fault = Literal["usual", "noise", "steep", "damping"]
FAULTS: tuple[Fault, ...] = ("usual", "noise", "steep", "damping")
"""What goes wrong: as in training; much noise alone; noise that grows with Q; another Q_damp."""

_NOISE = (1e-3, 3e-2)
_STEEP_NOISE, _STEEPNESS, _STEEP_Q = (3e-4, 5e-3), (1.0, 3.0), 8.0
"""Noise of S(Q) at 8 1/Å, and the power of Q with which it grows."""
_OTHER_Q_DAMP = (0.02, 0.065)

_R = np.arange(1.0, 30.0, 0.02)
_Q_DAMP = (0.03, 0.05)
"""Of instruments, of which the agent by default assumes the middle [1/Å]."""
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a simulated curve was made from.

    Attributes
    ----------
    bond : shortest distance [Å].
    sample : B, δ₂ and Q_damp.
    q_range : of the measurement.
    """

    bond: float
    sample: ClusterParameters
    q_range: QRange


def r_grid() -> FloatArray:
    """Return the distances [Å] of every simulated G(r)."""
    return _R.copy()


def draw_truth(rng: np.random.Generator) -> Truth:
    """Return conditions as the training draws them."""
    return Truth(
        bond=float(rng.uniform(2.3, 3.2)),
        sample=ClusterParameters(
            b_iso=float(np.exp(rng.uniform(np.log(0.2), np.log(1.4)))),
            delta2=float(rng.uniform(0.0, 2.5)),
            q_damp=float(rng.uniform(*_Q_DAMP)),
        ),
        q_range=QRange(float(rng.uniform(0.5, 1.3)), float(rng.uniform(14.0, 25.0))),
    )


def simulated(positions: FloatArray, truth: Truth, *, rng: np.random.Generator) -> Measurement:
    """Return the G(r) of a cluster, 1–30 Å, with noise and slow errors of F(Q).

    Parameters
    ----------
    positions : (n_atoms, 3) in units of the bond.
    """
    model = ClusterPDF(truth.bond * positions, "Au", _R, truth.q_range)
    clean = model.f_q(truth.sample).numpy()
    return as_measurement(
        measured_f_q(clean, model.q, draw_faults(rng), rng=rng),
        model.q,
        q_damp=float(truth.sample.q_damp),
    )


def simulated_with(
    fault: Fault, positions: FloatArray, *, rng: np.random.Generator
) -> tuple[Truth, Measurement]:
    """Return conditions and G(r) of a cluster (n_atoms, 3) [bonds] with one kind of fault."""
    truth = draw_truth(rng)
    if fault == "damping":
        other = replace(truth.sample, q_damp=float(rng.uniform(*_OTHER_Q_DAMP)))
        truth = replace(truth, sample=other)
    if fault in ("usual", "damping"):
        return truth, simulated(positions, truth, rng=rng)
    model = ClusterPDF(truth.bond * positions, "Au", _R, truth.q_range)
    clean, q = model.f_q(truth.sample).numpy(), model.q
    if fault == "noise":
        noise = Faults(_log_uniform(_NOISE, rng), slow_factor=0.0, slow_offset=0.0)
        f_q = measured_f_q(clean, q, noise, rng=rng)
    else:
        growth = (q / _STEEP_Q) ** rng.uniform(*_STEEPNESS)
        f_q = clean + q * growth * _log_uniform(_STEEP_NOISE, rng) * rng.normal(size=q.size)
    return truth, as_measurement(f_q, q, q_damp=float(truth.sample.q_damp))


def _log_uniform(ends: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(ends))))


def simulated_without_faults(positions: FloatArray, truth: Truth) -> Measurement:
    """Return the G(r) of a cluster (n_atoms, 3) [bonds], 1–30 Å, without any error."""
    model = ClusterPDF(truth.bond * positions, "Au", _R, truth.q_range)
    clean = model.f_q(truth.sample).numpy()
    return as_measurement(clean, model.q, q_damp=float(truth.sample.q_damp))


def as_measurement(f_q: FloatArray, q: FloatArray, *, q_damp: float) -> Measurement:
    """Return the G(r) that an F(Q) on an even grid gives, as a measurement."""
    width = np.full_like(q, q[1] - q[0])
    width[[0, -1]] /= 2
    g_r = (2 / np.pi) * (f_q * width) @ np.sin(np.outer(q, _R))
    return Measurement(
        id="simulated/pdf/0",
        sample_id="simulated",
        technique="pdf",
        x=_R,
        y=g_r * np.exp(-0.5 * (q_damp * _R) ** 2),
        sigma=None,
        x_name="r",
        x_unit="Å",
        y_name="g_r",
        y_unit="1/Å²",
        instrument="simulation",
        simulated=True,
        started=_BEGIN,
        finished=_BEGIN,
        settings={"q_min": float(q[0]), "q_max": float(q[-1])},
    )
