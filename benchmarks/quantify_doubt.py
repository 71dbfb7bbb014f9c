"""Calibrate how `xrd.quantify` doubts its list of phases, and check it on mixtures never used.

Simulated mixtures of the structure library carry artefacts that the fit does not know: texture,
another background with an amorphous hump, a zero shift, asymmetric peaks, wrong displacement
parameters, traces of a further phase. In half of them the list of phases given to the fit lacks
one that makes up 3 % of the mass or more, or names another in its place. A logistic regression of
that on the logarithms of the unexplained area and the overall misfit gives the constants of
`analysis.xrd.doubt`.

Run: ``python benchmarks/quantify_doubt.py [--patterns 400] [--seed 0] [--json OUT]``
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from analysis.physics.cell import scale_cell
from analysis.physics.crystal import Crystal
from analysis.physics.structures import STRUCTURES, structure
from analysis.xrd.doubt import doubt, features
from analysis.xrd.fit import fit_pattern
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Resolution, pattern
from analysis.xrd.layout import Layout
from analysis.xrd.misfit import Misfit, assess
from analysis.xrd.preprocess import FitRange

FloatArray = NDArray[np.float64]

TWO_THETA = np.arange(15.0, 90.0, 0.03)
TRACE = 0.01
MISSING = 0.03
AXES = ((0, 0, 1), (1, 0, 0), (1, 1, 0), (1, 1, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A simulated pattern, the phases a chemist would name, and whether that list is wrong."""

    counts: FloatArray
    named: tuple[Crystal, ...]
    wrong: bool


def draw(rng: np.random.Generator) -> Case:
    """Return a simulated mixture with artefacts and a right or wrong list of phases."""
    order = [structure(str(name)) for name in rng.permutation(list(STRUCTURES))]
    n_phases = int(rng.integers(1, 4))
    wrong = bool(rng.random() < 0.5)
    present = order[: n_phases + wrong]
    weights = rng.dirichlet(np.ones(len(present)))
    while weights.min() < MISSING:
        weights = rng.dirichlet(np.ones(len(present)))
    named = list(present)
    if wrong:
        lost = int(rng.integers(len(present)))
        named.pop(lost)
        if not named or rng.random() < 0.5:
            named.append(order[n_phases + 2])
    weights = weights * (1 - TRACE)
    trace = rng.uniform(0, TRACE) if rng.random() < 0.5 else 0.0
    states = [_state(c, w, rng) for c, w in zip(present, weights, strict=True)]
    states.append(_state(order[-1], trace, rng))
    return Case(_counts(states, rng), tuple(named), wrong)


def _state(crystal: Crystal, weight: float, rng: np.random.Generator) -> PhaseState:
    return PhaseState(
        crystal,
        weight_fraction=float(weight),
        cell=scale_cell(crystal, 1 + 0.001 * rng.standard_normal()),
        size=float(np.exp(rng.uniform(np.log(80), np.log(3000)))),
        microstrain=float(np.exp(rng.uniform(np.log(1e-4), np.log(3e-3)))),
        texture_r=float(np.exp(0.15 * rng.standard_normal())),
        texture_axis=AXES[int(rng.integers(len(AXES)))],
        b_extra=float(0.2 * rng.standard_normal()),
    )


def _counts(states: list[PhaseState], rng: np.random.Generator) -> FloatArray:
    x = TWO_THETA
    shift, height = 0.02 * rng.standard_normal(), 0.08 * rng.standard_normal()
    resolution = Resolution(w=float(np.exp(rng.uniform(np.log(0.003), np.log(0.02)))))
    tail = rng.uniform(0, 0.25)
    drawn = [
        pattern(x, states, resolution=resolution, displacement=height, zero_shift=zero)
        for zero in (shift, shift - 0.05)
    ]
    bragg = (1 - tail) * drawn[0] + tail * drawn[1]
    bragg = bragg / bragg.max() * np.exp(rng.uniform(np.log(1e3), np.log(3e4)))
    hump = np.exp(-(((x - rng.uniform(20, 40)) / 6) ** 2)) * rng.uniform(0, 1)
    level = bragg.max() * np.exp(rng.uniform(np.log(0.01), np.log(0.1)))
    return rng.poisson(bragg + level * (1 + hump + 15 / x)).astype(np.float64)


def assess_case(case: Case) -> Misfit:
    """Return the misfit of fitting a case's pattern by the phases named."""
    sigma = np.sqrt(np.maximum(case.counts, 1.0))
    data = FitRange(TWO_THETA, case.counts, sigma, sigma_known=False)
    layout = Layout(case.named, Resolution(w=0.006))
    return assess(fit_pattern(data, layout=layout, radiation=CU_K_ALPHA, background_order=8))


def logistic(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return (intercept, slopes) of a logistic regression with a weak ridge."""

    def loss(beta: FloatArray) -> float:
        z = beta[0] + x @ beta[1:]
        return float(np.mean(np.logaddexp(0, z) - y * z) + 1e-3 * beta[1:] @ beta[1:])

    return np.asarray(minimize(loss, np.zeros(1 + x.shape[1])).x, dtype=np.float64)


def main() -> None:
    """Print the constants and what they reach on the second half of the patterns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patterns", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    start = time.process_time()
    cases = [draw(rng) for _ in range(arguments.patterns)]
    misfits = [assess_case(case) for case in cases]
    x = np.array([features(m) for m in misfits])
    y = np.array([float(case.wrong) for case in cases])
    half = len(cases) // 2
    beta = logistic(x[:half], y[:half])
    held_out = 1 / (1 + np.exp(-(beta[0] + x[half:] @ beta[1:])))
    shipped = np.array([doubt(m, prior=0.5) for m in misfits])
    result = {
        "patterns": len(cases),
        "constants": beta.round(3).tolist(),
        "held_out_accuracy": float(np.mean((held_out > 0.5) == (y[half:] > 0.5))),
        "held_out_brier": float(np.mean((held_out - y[half:]) ** 2)),
        "shipped_brier": float(np.mean((shipped - y) ** 2)),
        "shipped_mean_if_right": float(shipped[y == 0].mean()),
        "shipped_mean_if_wrong": float(shipped[y == 1].mean()),
        "reliability": _reliability(shipped, y),
        "cpu_seconds": time.process_time() - start,
    }
    for name, value in result.items():
        print(f"{name:24s} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


def _reliability(said: FloatArray, wrong: FloatArray) -> list[tuple[float, float, int]]:
    """Return (mean probability said, share wrong, number) in five bins."""
    bins = np.minimum((said * 5).astype(int), 4)
    return [
        (float(said[bins == b].mean()), float(wrong[bins == b].mean()), int(np.sum(bins == b)))
        for b in range(5)
        if np.any(bins == b)
    ]


if __name__ == "__main__":
    main()
