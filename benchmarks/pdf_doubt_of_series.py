"""What the p_wrong of `pdf.demix` is worth, on simulated series not learnt from.

Series of one phase, of a constant mixture, of two phases with pure ends or without, and of three in
turn. In the usual world (`--learn` prints constants) phases expand alike in all directions; in the
harsh one they do not, scales scatter by 2 %, and the phases are others. A curve is wrong if the
number of phases is, or if a fraction is off by more than 0.05. A constant mixture counts as one
phase: nothing in it can be told apart.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import torch  # noqa: E402
from doubt_table import Case, told  # noqa: E402
from pdf_demixing import measurements_of  # noqa: E402
from scipy.optimize import linear_sum_assignment  # noqa: E402

from analysis.learning.calibration import fit_logistic  # noqa: E402
from analysis.learning.decomposition.corners import unmix  # noqa: E402
from analysis.pdf.demixing import series_curves  # noqa: E402
from analysis.pdf.demixing_courses import read  # noqa: E402
from analysis.pdf.demixing_doubt import TOLERANCE, doubts, features  # noqa: E402
from analysis.pdf.demixing_worlds import Heating, simulate_heating  # noqa: E402
from analysis.physics.structures import structure  # noqa: E402

FloatArray = np.ndarray
KINDS = ("one", "constant", "pure ends", "pure ends", "impure", "impure", "three")
USUAL = ("rutile", "anatase", "corundum", "halite", "fluorite", "periclase", "zincite", "nickel")
HARSH = ("cerianite", "lime", "cassiterite", "silicon", "copper", "bunsenite", "wurtzite", "gold")
N_CURVES = 24


def world(seed: int, *, harsh: bool) -> tuple[str, Heating, FloatArray]:
    """Return a kind of series, the series, and the fractions that can be told, (n, n_phases)."""
    rng = np.random.default_rng([seed, int(harsh)])
    kind = KINDS[seed % len(KINDS)]
    n_phases = {"one": 1, "three": 3}.get(kind, 2)
    names = rng.choice(HARSH if harsh else USUAL, size=n_phases, replace=False)
    fractions = _fractions(kind, rng)
    place = np.arange(N_CURVES) / (N_CURVES - 1)
    ends = rng.uniform(0.0, 0.015, n_phases)
    series = simulate_heating(
        [structure(name) for name in names],
        fractions,
        1 + np.outer(place - 0.5, ends),
        rng=rng,
        anisotropy=0.5 if harsh else 0.0,
        scatter=0.02 if harsh else 0.0,
        noise=float(np.exp(rng.uniform(*np.log([0.003, 0.03])))),
    )
    one = kind in ("one", "constant")
    return kind, series, np.ones((N_CURVES, 1)) if one else fractions


def _fractions(kind: str, rng: np.random.Generator) -> FloatArray:
    place = np.arange(N_CURVES) / (N_CURVES - 1)
    if kind == "one":
        return np.ones((N_CURVES, 1))
    if kind == "constant":
        return np.tile([share := rng.uniform(0.2, 0.8), 1 - share], (N_CURVES, 1))
    first, last = rng.uniform(0.1, 0.4), rng.uniform(0.6, 0.9)
    share = np.clip((place - first) / (last - first), 0, 1)
    if kind == "impure":
        low, high = rng.uniform(0.05, 0.35), rng.uniform(0.65, 0.95)
        share = low + (high - low) * share
    if kind == "three":
        third = np.clip((place - 0.6) / 0.25, 0, 1)
        second = np.clip((place - 0.15) / 0.25, 0, 1)
        return np.stack([1 - second, second * (1 - third), second * third], axis=1)
    return np.stack([1 - share, share], axis=1)


def cases(seed: int, *, harsh: bool) -> list[Case]:
    """Return what came of each curve of one series."""
    kind, series, true = world(seed, harsh=harsh)
    data = series_curves(measurements_of(series), x_range=(1.5, 50.0))
    reading = read(data, unmix(data.model, data.curves, most_phases=5).series)
    wrong = np.ones(N_CURVES, dtype=bool)
    if reading.n_phases == true.shape[1]:
        cost = np.abs(reading.fractions[:, :, None] - true[:, None, :])
        rows, columns = linear_sum_assignment(cost.mean(axis=0))
        wrong = cost[:, rows, columns].max(axis=1) > TOLERANCE
    return [
        Case(f"{kind} {seed}", bool(w), float(p), tuple(f.tolist()), {})
        for w, p, f in zip(wrong, doubts(data, reading), features(data, reading), strict=True)
    ]


def main() -> None:
    """Learn, or print what the constants are worth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=56, help="series")
    parser.add_argument("--learn", action="store_true", help="in the usual world; prints constants")
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    torch.set_num_threads(1)
    found = [c for seed in range(said.count) for c in cases(seed, harsh=not said.learn)]
    if said.learn:
        table, wrong = [c.features for c in found], [c.wrong for c in found]
        learnt = fit_logistic(table, wrong, ridge=float(N_CURVES))
        print(learnt)
        found = [
            replace(c, p_wrong=float(p))
            for c, p in zip(found, learnt.probability(table), strict=True)
        ]
    kinds = {c.name.rsplit(" ", 1)[0] for c in found}
    for kind in sorted(kinds):
        own = [c for c in found if c.name.startswith(kind)]
        wrong, stated = np.mean([c.wrong for c in own]), np.mean([c.p_wrong for c in own])
        print(f"{kind:12}{len(own):5} curves, wrong {wrong:.2f}, stated {stated:.2f}")
    record = {"summary": told(found), "cases": [asdict(c) for c in found]}
    if said.json is not None:
        said.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
