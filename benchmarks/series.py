"""A warming ramp fitted as a series: cells against temperature, the transition, the time it takes.

Seventeen synchrotron patterns of CuCr2O4 with a little CuO (11-BM, 0.413263 Å, 6.8 to 288.7 K; Toby
& Von Dreele 2013, doi:10.1107/S0021889813003531) are fitted by `xrd.quantify` in the order of their
temperature, each from the last one's result, and again each on its own. CuCr2O4 is orthorhombic
(Fddd) when cold and tetragonal (I4₁/amd, where b = c of the orthorhombic cell) when warm; Suchomel
et al. (2012, doi:10.1103/PhysRevB.86.054406) find the change at the magnetic order, near 130 K.

Rule for the transition: it lies between the last pattern in which c − b exceeds three times its std
and the next; the midpoint, with the std of a uniform distribution, width / √12. The std of c − b is
from the covariance that the agent states. The rule was written down after first fits had been
seen. It marks where the splitting stops to be resolved, which is a lower bound of the transition.

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
from benchmarks.round_robin import data_folder
from instruments.formats import read_measurement
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

DATA = "xrd/gsas2_tutorials"
WAVELENGTH = 0.413263
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


def transition(
    temperatures: FloatArray, splitting: FloatArray, std: FloatArray
) -> tuple[float, float]:
    """Return the temperature of the transition and its std [K] by the rule above."""
    split = np.flatnonzero(splitting > 3 * std)
    last = int(split[-1])
    low, high = temperatures[last], temperatures[last + 1]
    return float((low + high) / 2), float((high - low) / np.sqrt(12))


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
        axes.axvspan(at[0] - at[1], at[0] + at[1], color="#bbbbbb", alpha=0.5, label="transition")
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
    at = transition(temperatures, splitting, splitting_std)
    print(f"{'T/K':>7} {'a/Å':>18} {'b/Å':>18} {'c/Å':>18} {'c − b':>18} {'R_wp':>6} {'alone':>6}")
    for i, temperature in enumerate(temperatures):
        numbers = " ".join(
            f"{v:9.5f} ± {s:.5f}"
            for v, s in (
                *zip(values[i], stds[i], strict=True),
                (splitting[i], splitting_std[i]),
            )
        )
        rwp, own = warm[i].quality["rwp"], cold[i].quality["rwp"]
        print(f"{temperature:7.1f} {numbers} {rwp:6.4f} {own:6.4f}")
    print(f"transition at {at[0]:.1f} ± {at[1]:.1f} K")
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
            "transition": at,
            "seconds": {"series": warm_seconds, "alone": cold_seconds},
        }
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
