"""The constants behind `pdf.parameters`' p_wrong: fits of right and wrong crystals to simulations.

Half of the samples hold the crystal that is fitted. Of the others half hold a polymorph or another
crystal of its density, half hold a second crystal besides. Curves have noise, slow errors of the
reduction, displacements that differ between sites of an element, and some are of small grains. On
the even seeds a logistic curve of ln R_w is fitted, on the odd ones it is looked at.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402  after the thread counts
import torch  # noqa: E402
from scipy.optimize import minimize  # noqa: E402

from analysis.pdf.artefacts import draw_faults, measured_f_q  # noqa: E402
from analysis.pdf.doubt import doubt  # noqa: E402
from analysis.pdf.fit import Problem  # noqa: E402
from analysis.pdf.forward import CrystalPDF, parameters_of  # noqa: E402
from analysis.pdf.preprocess import FitRange  # noqa: E402
from analysis.pdf.transform import QRange  # noqa: E402
from analysis.physics.cell import scale_cell  # noqa: E402
from analysis.physics.crystal import Crystal  # noqa: E402
from analysis.physics.structures import STRUCTURES, structure  # noqa: E402

R = np.arange(1.5, 25.0, 0.05)
LARGEST_CELL = 24
PULL = 0.01
"""Weight of slope² in the loss: samples this few are separated, and the slope would run away."""
KINDS = ("right", "another", "mixture")
FloatArray = np.ndarray


@dataclass(frozen=True)
class Outcome:
    """One fit: whether its crystal was all there was, and how it went."""

    seed: int
    fitted: str
    kind: str
    rw: float


def crystals() -> list[Crystal]:
    """Return the library's crystals whose cells are not too large."""
    found = [structure(name) for name in STRUCTURES]
    return [c for c in found if sum(c.composition.values()) <= LARGEST_CELL]


def simulated(crystal: Crystal, q_max: float, settings: dict, rng: np.random.Generator) -> tuple:
    """Return F(Q) and Q of a crystal whose sites move each in their own way."""
    model = CrystalPDF(crystal, R, QRange(0.0, q_max))
    own = parameters_of(crystal)
    u_iso = 0.006 * np.exp(rng.normal(0.0, 0.4, len(own.u_iso)))
    lengths = own.cell * torch.tensor([1 + rng.normal(0, 0.005)] * 3 + [1.0] * 3)
    parameters = replace(own, u_iso=torch.from_numpy(u_iso), cell=lengths, **settings)
    return model.f_q(parameters).numpy(), model.termination.q


def other(crystal: Crystal, rng: np.random.Generator) -> Crystal:
    """Return a polymorph if the library has one, else any other crystal."""
    same = [c for c in crystals() if c.formula == crystal.formula and c is not crystal]
    pool = same or [c for c in crystals() if c is not crystal]
    return pool[rng.integers(len(pool))]


def alike_in_density(wrong: Crystal, right: Crystal) -> Crystal:
    """Return a crystal with its cell scaled to the atoms per volume of another."""
    per_atom = [c.volume / sum(c.composition.values()) for c in (wrong, right)]
    return replace(wrong, cell=scale_cell(wrong, (per_atom[1] / per_atom[0]) ** (1 / 3)))


def outcome(seed: int) -> Outcome:
    """Return what the fit to one simulated sample gave."""
    rng = np.random.default_rng(seed)
    pool = crystals()
    fitted = pool[rng.integers(len(pool))]
    kind = ("right", "right", "another", "mixture")[rng.integers(4)]
    q_max, q_damp = rng.uniform(15, 28), rng.uniform(0.01, 0.06)
    diameter = float(np.exp(rng.uniform(np.log(30), np.log(150)))) if rng.random() < 0.4 else None
    settings = {"q_damp": q_damp, "delta2": rng.uniform(0, 3), "diameter": diameter}
    stranger = alike_in_density(other(fitted, rng), fitted)
    f_q, q = simulated(stranger if kind == "another" else fitted, q_max, settings, rng)
    if kind == "mixture":
        share = rng.uniform(0.2, 0.5)
        f_q = (1 - share) * f_q + share * simulated(stranger, q_max, settings, rng)[0]
    f_q = measured_f_q(f_q, q, draw_faults(rng), rng=rng)
    kernel = (2 / np.pi) * (q[1] - q[0]) * np.sin(np.outer(q, R))
    data = FitRange(R, f_q @ kernel, 0.0, q_max)
    finite = diameter is not None
    fit = Problem(fitted, data, q_damp=q_damp if finite else None, finite=finite).fit()
    return Outcome(seed, fitted.name, kind, fit.rw)


def logistic(outcomes: list[Outcome]) -> tuple[float, float]:
    """Return offset and slope in ln R_w of the log odds of a wrong crystal, at even odds before."""
    x = np.log([o.rw for o in outcomes])
    wrong = np.array([o.kind != "right" for o in outcomes])
    weight = np.where(wrong, 0.5 / wrong.sum(), 0.5 / (~wrong).sum())

    def loss(v: FloatArray) -> float:
        z = (v[0] + v[1] * x) * np.where(wrong, -1, 1)
        return float(np.sum(weight * np.logaddexp(0, z))) + PULL * v[1] ** 2

    offset, slope = minimize(loss, [2.0, 2.0]).x
    return float(offset), float(slope)


def quantiles(outcomes: list[Outcome], kind: str) -> list[float]:
    """Return R_w below which 5, 25, 50, 75 and 95 % of one kind's fits end."""
    values = [o.rw for o in outcomes if o.kind == kind]
    return np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]).round(3).tolist()


def main() -> None:
    """Fit, print the constants and what they are worth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=62)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seeds = range(arguments.first, arguments.first + arguments.samples)
    outcomes = [outcome(seed) for seed in seeds]
    offset, slope = logistic([o for o in outcomes if o.seed % 2 == 0])
    held_out = [o for o in outcomes if o.seed % 2]
    wrong = np.array([o.kind != "right" for o in held_out])
    stated = np.array([doubt(o.rw, prior=0.5) for o in held_out])
    report = {
        "samples": len(outcomes),
        "offset": offset,
        "slope": slope,
        "held_out_brier": float(np.mean((stated - wrong) ** 2)),
        "held_out_stated_mean": float(stated.mean()),
        "held_out_wrong": float(wrong.mean()),
        "held_out_right_answer": float(np.mean((stated > 0.5) == wrong)),
        "rw_quantiles": {kind: quantiles(outcomes, kind) for kind in KINDS},
    }
    for key, value in report.items():
        print(f"{key:24} {value}")
    if arguments.json:
        arguments.json.write_text(
            json.dumps(report | {"rw": [vars(o) for o in outcomes]}, indent=1)
        )


if __name__ == "__main__":
    main()
