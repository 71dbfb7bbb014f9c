"""How well series of total scattering are taken apart, and where they change.

- Synthetic mixtures of two crystals, stretched by up to 2 %, from analysis/pdf's forward model:
  mean absolute error of the fractions, plain non-negative factorisation with the true number of
  phases beside it (curves lifted above 0). Held-out seeds 100 …; constants were chosen on seeds
  0 … 11. Also with expansion that differs between axes and scales that scatter, which nothing in
  the method models.
- Series without a transition, and with a small distortion that ends: false and missed transitions.
- NaCl:CrCl3 while it melts (133 patterns) and SrFe2As2 through its transition near 200 K (nine
  G(r)), as `pdf.demix` reads them by itself; plain factorisation beside it. No truth of these two
  entered any constant. SDLAB_DATA says where the data are; what is missing is said.

Run: ``python benchmarks/pdf_demixing.py [--seeds 12] [--json OUT]``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402  after the thread counts
from numpy.typing import NDArray  # noqa: E402
from scipy.optimize import linear_sum_assignment  # noqa: E402

from analysis.learning.decomposition.corners import unmix  # noqa: E402
from analysis.learning.decomposition.growing import Growing  # noqa: E402
from analysis.learning.decomposition.nmf import factorise  # noqa: E402
from analysis.pdf.agents.demix import make  # noqa: E402
from analysis.pdf.demixing import series_curves  # noqa: E402
from analysis.pdf.demixing_courses import read  # noqa: E402
from analysis.pdf.demixing_worlds import (  # noqa: E402
    RANGE,
    Heating,
    draw_distortion,
    draw_mixture,
    draw_quiet,
)
from analysis.pdf.transitions import Courses, transitions  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402
from instruments.measurement import Measurement  # noqa: E402
from instruments.recorded_data import data_folder  # noqa: E402

FloatArray = NDArray[np.float64]
FIRST_SEED = 100
NEAR = 1.01
"""Steps of the series within which a transition counts as found."""


def measurements_of(world: Heating) -> list[Measurement]:
    """Return a simulated series as measurements."""
    now = datetime.now(UTC)
    return [
        Measurement(
            id=f"s{i}/pdf/0",
            sample_id=f"s{i}",
            technique="pdf",
            x=world.r,
            y=y,
            sigma=None,
            x_name="r",
            x_unit="Å",
            y_name="g_r",
            y_unit="1/Å²",
            instrument="simulation",
            simulated=True,
            started=now,
            finished=now,
            settings={"q_max": RANGE.q_max, "temperature": float(t)},
        )
        for i, (y, t) in enumerate(zip(world.g_r, world.temperature, strict=True))
    ]


def plain(curves: FloatArray, n_phases: int) -> FloatArray:
    """Return fractions by plain factorisation of curves lifted above 0, (n_curves, n_phases)."""
    lifted = curves - min(float(curves.min()), 0.0)
    found = factorise(
        lifted, n_phases, rng=np.random.default_rng(0), kullback_leibler=False, n_iterations=2000
    )
    size = found.weights * np.linalg.norm(found.patterns, axis=1)
    return np.asarray(size / size.sum(axis=1, keepdims=True))


def error(found: FloatArray, true: FloatArray) -> tuple[float, list[int]]:
    """Return the mean absolute error of fractions, phases matched, and the match."""
    wide = np.pad(found, ((0, 0), (0, max(true.shape[1] - found.shape[1], 0))))
    cost = np.abs(wide[:, :, None] - true[:, None, :]).mean(axis=0)
    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].mean()), [int(k) for k in rows[np.argsort(columns)]]


def mixture(world: Heating) -> dict[str, float]:
    """Return errors of one simulated mixture, ours and plain, coverage and time of an update."""
    data = series_curves(measurements_of(world), x_range=(1.5, 50.0))
    begun = time.process_time()
    series = unmix(data.model, data.curves, most_phases=5).series
    spent = time.process_time() - begun
    reading = read(data, series)
    ours, match = error(reading.fractions, world.fractions)
    first = match[0]
    z = np.zeros(1)
    if first < reading.n_phases:
        off = reading.fractions[:, first] - world.fractions[:, 0]
        z = np.abs(off) / reading.fraction_std[:, first]
    earlier = unmix(data.model, data.curves[:-1], most_phases=2, n_phases=2).series
    growing = Growing(earlier, data.curves[:-1])
    begun = time.process_time()
    growing.add(data.curves[-1])
    update = time.process_time() - begun
    return {
        "phases": reading.n_phases,
        "error": ours,
        "plain": error(plain(world.g_r, 2), world.fractions)[0],
        "within_1_std": float((z < 1).mean()),
        "within_2_std": float((z < 2).mean()),
        "cpu_s": spent,
        "update_cpu_s": update,
        **changes(world, [t.place for t in reading.transitions]),
    }


def changes(world: Heating, found: list[float]) -> dict[str, float]:
    """Return how many true changes were found, and how many that are none."""
    step = NEAR * float(world.temperature[1] - world.temperature[0])
    hit = sum(any(abs(f - t) <= step for f in found) for t in world.changes)
    false = sum(all(abs(f - t) > step for t in world.changes) for f in found)
    return {"changes": len(world.changes), "found": hit, "false": false}


def only_changes(world: Heating) -> dict[str, float]:
    """Return what is found of the changes of a series, the number of phases being found too."""
    data = series_curves(measurements_of(world), x_range=(1.5, 50.0))
    reading = read(data, unmix(data.model, data.curves, most_phases=5).series)
    return changes(world, [t.place for t in reading.transitions])


def summary(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return means; of changes, sums."""
    counted = ("changes", "found", "false")
    keys = rows[0].keys()
    return {k: float((np.sum if k in counted else np.mean)([r[k] for r in rows])) for k in keys}


def recorded(paths: list[Path], x_range: tuple[float, float]) -> dict[str, object]:
    """Return what `pdf.demix` and plain factorisation say of recorded curves.

    Parameters
    ----------
    x_range : of r [Å] or q [1/Å].
    """
    series = [read_measurement(path, technique="pdf") for path in paths]
    begun = time.process_time()
    name = f"{series[0].x_name}_range"
    insights = make({name: x_range}, Path()).analyze_together(series, rng=np.random.default_rng(0))
    spent = time.process_time() - begun
    course = insights[0].evidence["course"]
    data = series_curves(series, x_range=x_range)
    k = max(int(insights[0].quality["n_phases"]), 2)
    weights = plain(data.curves, k)
    bare = transitions(
        data.variable, Courses(weights[:, 1:], np.ones((len(weights), k - 1)), np.full(k - 1, 0.02))
    )
    return {
        "curves": len(series),
        "phases": insights[0].quality["n_phases"],
        "unexplained": float(np.mean([i.quality["unexplained"] for i in insights])),
        "transitions": list(insights[0].remarks),
        "plain_transitions": [f"{t.place:.5g} ± {t.std:.2g} ({t.probability:.2f})" for t in bare],
        "cpu_s": spent,
        "course": {name: column.round(4).tolist() for name, column in course.columns.items()},
        "plain_fractions": weights.round(3).tolist(),
        "along": course.x.tolist(),
    }


def main() -> int:
    """Print and save what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=("simulated", "recorded"))
    said = parser.parse_args()
    result: dict[str, object] = {}
    kinds: dict[str, tuple[Callable[..., Heating], Callable[[Heating], dict[str, float]]]] = {
        "mixtures": (draw_mixture, mixture),
        "hard mixtures": (lambda rng: draw_mixture(rng, hard=True), mixture),
        "distortions": (draw_distortion, only_changes),
        "no transition": (draw_quiet, only_changes),
    }
    for name, (draw, score) in kinds.items() if said.only != "recorded" else ():
        seeds = range(FIRST_SEED, FIRST_SEED + said.seeds)
        rows = [score(draw(np.random.default_rng(seed))) for seed in seeds]
        result[name] = {"mean": summary(rows), "rows": rows}
        print(name, {k: round(v, 4) for k, v in summary(rows).items()}, flush=True)
    folder = data_folder() / "pdf"
    sets = {
        "NaCl-CrCl3": ("constrained_nmf_insitu/*.chi", (0.5, 7.0)),
        "SrFe2As2": ("pdfttp/SrFe2As2/*.gr", (1.5, 50.0)),
    }
    for name, (pattern, x_range) in sets.items() if said.only != "simulated" else ():
        paths = sorted(folder.glob(pattern))
        if not paths:
            print(f"{name}: nothing at {folder / pattern}; set SDLAB_DATA")
            continue
        found = recorded(paths, x_range)
        result[name] = found
        shown = {k: v for k, v in found.items() if k not in ("course", "along", "plain_fractions")}
        print(name, shown, flush=True)
    if said.json:
        said.json.write_text(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
