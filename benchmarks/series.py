"""A warming ramp fitted as a series: cells against temperature, the transition, the time it takes.

Seventeen synchrotron patterns of CuCr2O4 with a little CuO (11-BM, 0.413263 Å, 6.8 to 288.7 K; Toby
& Von Dreele 2013, doi:10.1107/S0021889813003531) are fitted by `xrd.quantify` in the order of their
temperature, each from the last one's result, and again each on its own. CuCr2O4 is orthorhombic
(Fddd) when cold and tetragonal (I4₁/amd, where b = c of the orthorhombic cell) when warm; Suchomel
et al. (2012, doi:10.1103/PhysRevB.86.054406) find the change at the magnetic order, near 130 K.

Rule for the transition: at each temperature the tetragonal model (c tied to b) and the orthorhombic
one are compared by the logarithm of their evidence ratio, −ΔBIC / 2 (`analysis.xrd.distortion`).
The transition lies between the last pattern that speaks for the orthorhombic and the first above it
that speaks for the tetragonal model, each by 3 or more (odds of twenty to one; Kass & Raftery 1995,
doi:10.1080/01621459.1995.10476572); patterns in between decide nothing and widen the range. Below
the width of the reflections a splitting looks like microstrain, which both models have: the range
says where the splitting is resolved, and a small one may outlive it.

Run: ``python benchmarks/series.py [--json OUT] [--figure OUT.png]``. Data as in `round_robin.py`.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from analysis.insight import Insight
from analysis.xrd.agents.quantify import Quantify, make
from analysis.xrd.distortion import distortion
from analysis.xrd.layout import Layout
from analysis.xrd.preprocess import prepare
from analysis.xrd.series import Series
from analysis.xrd.settings import QuantifySettings
from benchmarks.round_robin import data_folder
from instruments.formats import read_measurement
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

DATA = "xrd/gsas2_tutorials"
WAVELENGTH = 0.413263
DECISIVE = 3.0
"""ln of an evidence ratio from which a pattern decides: odds of twenty to one."""
CELL = tuple(f"xrd.lattice.CuCr2O4.{name}" for name in "abc")
SETTINGS: dict[str, object] = {
    "phases": ["CuCr2O4.cif", "CuO.cif"],
    # A beam polarised in the plane of the ring, scattered at right angles to it: k is near 0.
    "radiation": {"lines": [[WAVELENGTH, 1.0]], "monochromator_two_theta": 89.9},
    "two_theta": [4.0, 22.0],
    # The LaB6 standard's Gaussian terms (OH_00.prm), from variances to squared full widths.
    "resolution": {"u": 6.449e-4, "v": -6.99e-5, "w": 3.49e-5, "fixed": True},
    "particle_diameter": 0.0,
}


def ramp() -> tuple[FloatArray, list[Measurement], Path]:
    """Return temperatures [K], patterns in that order, and the folder of the structures."""
    folder = data_folder(DATA)
    with (folder / "truth.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if "CuCr2O4" in row["file"]]
    rows.sort(key=lambda row: float(row["temperature_kelvin"]))
    patterns = [read_measurement(folder / row["file"], wavelength=WAVELENGTH) for row in rows]
    temperatures = np.array([float(row["temperature_kelvin"]) for row in rows])
    return temperatures, patterns, folder / "insitu_CuCr2O4"


def alone(agent: Quantify, patterns: Sequence[Measurement]) -> list[Insight]:
    """Return every pattern's insight, fitted from the full grid of starts."""
    return [agent.analyze([m], rng=np.random.default_rng(0)) for m in patterns]


def together(agent: Quantify, patterns: Sequence[Measurement]) -> list[Insight]:
    """Return every pattern's insight, fitted as a series."""
    return agent.analyze_together(patterns, rng=np.random.default_rng(0))


def timed(
    way: Callable[[Quantify, Sequence[Measurement]], list[Insight]],
    folder: Path,
    patterns: Sequence[Measurement],
) -> tuple[list[Insight], float]:
    """Return insights and CPU seconds a pattern, with structure factors already cached."""
    agent = make(SETTINGS, folder)
    agent.analyze([patterns[0]], rng=np.random.default_rng(0))
    before = time.process_time()
    found = way(agent, patterns)
    return found, (time.process_time() - before) / len(patterns)


def cells(insights: Sequence[Insight]) -> tuple[FloatArray, FloatArray]:
    """Return a, b, c [Å] and their std, (n, 3) each."""
    values = [[i.estimates[key].value for key in CELL] for i in insights]
    stds = [[i.estimates[key].std for key in CELL] for i in insights]
    return np.array(values), np.array(stds, dtype=np.float64)


def splittings(insights: Sequence[Insight]) -> tuple[FloatArray, FloatArray]:
    """Return c − b [Å] and its std, (n,) each."""
    values, stds = [], []
    for insight in insights:
        assert insight.covariance is not None
        row = np.array(
            [(key == CELL[2]) * 1.0 - (key == CELL[1]) for key in insight.covariance_keys]
        )
        values.append(insight.estimates[CELL[2]].value - insight.estimates[CELL[1]].value)
        stds.append(float(np.sqrt(row @ insight.covariance @ row)))
    return np.array(values), np.array(stds)


def log_evidence(folder: Path, patterns: Sequence[Measurement]) -> FloatArray:
    """Return ln (evidence of orthorhombic over tetragonal) of each pattern of the series, (n,)."""
    settings = QuantifySettings.model_validate(SETTINGS)
    series = Series(
        layout=Layout(
            settings.crystals(folder),
            settings.resolution.resolution(),
            fix_resolution=settings.resolution.fixed,
        ),
        radiation=settings.radiation.radiation(),
        background_order=settings.background_order,
    )
    ratios = []
    for pattern in patterns:
        data = prepare(
            pattern,
            radiation=series.radiation,
            two_theta_range=settings.two_theta,
        )
        found = distortion(data, series.fit(data), tied=(0, "c", "b"))
        ratios.append(found.log_evidence_ratio)
    return np.array(ratios)


def transition(temperatures: FloatArray, ratios: FloatArray) -> tuple[float, float]:
    """Return the lower and upper end of the range of the transition [K] by the rule above."""
    last = int(np.flatnonzero(ratios >= DECISIVE)[-1])
    above = np.flatnonzero(ratios[last + 1 :] <= -DECISIVE)
    first = last + 1 + int(above[0]) if above.size else len(ratios) - 1
    return float(temperatures[last]), float(temperatures[first])


def draw(
    temperatures: FloatArray, values: FloatArray, stds: FloatArray, at: tuple[float, float]
) -> Figure:
    """Draw the cell against temperature, with the transition as a band."""
    figure = Figure(figsize=(7.0, 6.0), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True)
    upper.errorbar(temperatures, values[:, 0], stds[:, 0], fmt="o-", ms=4, color="#0072b2")
    upper.set_ylabel("a (Å)")
    for k, name, colour in ((1, "b", "#d55e00"), (2, "c", "#009e73")):
        lower.errorbar(
            temperatures, values[:, k], stds[:, k], fmt="o-", ms=4, color=colour, label=name
        )
    lower.set_ylabel("b, c (Å)")
    lower.set_xlabel("temperature (K)")
    for axes in (upper, lower):
        axes.axvspan(*at, color="#bbbbbb", alpha=0.5, label="transition")
    lower.legend(frameon=False)
    return figure


def main() -> None:
    """Print cells against temperature, the transition and the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--figure", type=Path)
    arguments = parser.parse_args()
    temperatures, patterns, folder = ramp()
    cold, cold_seconds = timed(alone, folder, patterns)
    warm, warm_seconds = timed(together, folder, patterns)
    values, stds = cells(warm)
    splitting, splitting_std = splittings(warm)
    ratios = log_evidence(folder, patterns)
    at = transition(temperatures, ratios)
    print(
        f"{'T/K':>7} {'a/Å':>18} {'b/Å':>18} {'c/Å':>18} {'c − b':>18} "
        f"{'R_wp':>6} {'alone':>6} {'ln B':>7}"
    )
    for i, temperature in enumerate(temperatures):
        numbers = " ".join(
            f"{v:9.5f} ± {s:.5f}"
            for v, s in (
                *zip(values[i], stds[i], strict=True),
                (splitting[i], splitting_std[i]),
            )
        )
        rwp, own = warm[i].quality["rwp"], cold[i].quality["rwp"]
        print(f"{temperature:7.1f} {numbers} {rwp:6.4f} {own:6.4f} {ratios[i]:7.1f}")
    print(f"transition between {at[0]:.1f} and {at[1]:.1f} K")
    print(f"CPU seconds a pattern: {warm_seconds:.2f} as a series, {cold_seconds:.2f} alone")
    if arguments.figure:
        draw(temperatures, values, stds, at).savefig(arguments.figure, dpi=130)
    if arguments.json:
        found = {
            "temperature": temperatures.tolist(),
            "cell": values.tolist(),
            "cell_std": stds.tolist(),
            "splitting": splitting.tolist(),
            "splitting_std": splitting_std.tolist(),
            "log_evidence_ratio": ratios.tolist(),
            "transition": at,
            "seconds": {"series": warm_seconds, "alone": cold_seconds},
        }
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
