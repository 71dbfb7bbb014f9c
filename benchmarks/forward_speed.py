"""How many powder patterns and how many refinements a CPU second holds.

Patterns of single phases and of three, every structure of the library, each with its own cell,
size, strain and texture, so that only lists of reflections are remembered; the lists themselves
beside pymatgen's XRDCalculator where it can be imported (it gives sticks, no profiles). Then
refinements of simulated counts: three oxides, and low-symmetry phases of the Li-Mn-Ti-O-F
references, with their space groups and as their files write them, in P 1 with all six cell
parameters free.

Run: ``python benchmarks/forward_speed.py [--json OUT]``. The references are found through
SDLAB_DATA, or in ``../shared/data`` beside the checkout; without them that part is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from numpy.typing import NDArray  # noqa: E402

from analysis.physics.crystal import Crystal, read_crystal  # noqa: E402
from analysis.physics.reflections import reflections  # noqa: E402
from analysis.physics.structures import STRUCTURES, structure  # noqa: E402
from analysis.physics.symmetrising import symmetrised  # noqa: E402
from analysis.xrd.artefacts import Ranges, draw_resolution, draw_state  # noqa: E402
from analysis.xrd.fit import fit_pattern  # noqa: E402
from analysis.xrd.forward import CU_K_ALPHA, Resolution, pattern  # noqa: E402
from analysis.xrd.layout import Layout  # noqa: E402
from analysis.xrd.preprocess import FitRange  # noqa: E402

FloatArray = NDArray[np.float64]

REFERENCES = "xrd/szymanski_LiMnTiOF/references"
LOW_SYMMETRY = {
    "six phases": (
        "Li2MnO3_12",
        "Mn2O2F9_15",
        "MnF3_15",
        "LiMnF4_14",
        "Ti2O3_62",
        "TiO2_136",
    ),
    "four phases": ("TiOF5_15", "Li2MnF5_15", "Mn2O3_206", "TiF4_62"),
}
OXIDES = ("corundum", "zincite", "fluorite")
PLAIN = Ranges(strain=0.004, textured=0.0)
D_MIN = 1.2
"""Smallest spacing [Å] of the lists of reflections that are timed: 2θ = 80° at Cu Kα."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Patterns per CPU second: over all, and of the structure or mixture that is slowest."""

    mean: float
    slowest: float


@dataclass(frozen=True, slots=True)
class Refined:
    """Refinements of simulated counts; means over the seeds, largest error [weight per cent]."""

    cpu_seconds: float
    numbers: int
    chi2_reduced: float
    largest_error: float


def drawing_rate(mixtures: Sequence[Sequence[Crystal]], *, n_points: int, repeats: int) -> Rate:
    """Return the rate of noise-free patterns from 10 to 80°."""
    two_theta = np.linspace(10.0, 80.0, n_points)
    rng = np.random.default_rng(0)
    spent = []
    for mixture in mixtures:
        drawn = [
            ([draw_state(c, Ranges(), rng) for c in mixture], draw_resolution(Ranges(), rng))
            for _ in range(repeats + 1)
        ]
        pattern(two_theta, drawn[0][0], resolution=drawn[0][1])  # Lists of reflections are made.

        def draw(drawn: list = drawn[1:]) -> None:  # type: ignore[type-arg]
            for states, resolution in drawn:
                pattern(two_theta, states, resolution=resolution)

        spent.append(cpu_seconds(draw) / repeats)
    return Rate(1 / float(np.mean(spent)), 1 / max(spent))


def listing_rate(crystals: Sequence[Crystal]) -> Rate:
    """Return how many lists of reflections down to 1.2 Å are made."""
    spent = [
        cpu_seconds(
            lambda c=crystal: reflections.__wrapped__(  # type: ignore[misc]
                c, d_min=D_MIN, wavelength=CU_K_ALPHA.wavelength
            )
        )
        for crystal in crystals
    ]
    return Rate(1 / float(np.mean(spent)), 1 / max(spent))


def pymatgen_rate(crystals: Sequence[Crystal]) -> Rate | None:
    """Return how many lists of sticks up to 80° pymatgen makes, None where it is not installed."""
    try:
        diffraction = import_module("pymatgen.analysis.diffraction.xrd")
        core = import_module("pymatgen.core")
    except ImportError as error:
        print(f"pymatgen cannot be imported ({error}); its rate is left out")
        return None
    calculator = diffraction.XRDCalculator("CuKa1")
    spent = []
    for crystal in crystals:
        atoms = crystal.structure.get_all_unit_cell_sites()
        theirs = core.Structure(
            core.Lattice.from_parameters(*crystal.cell),
            [atom.element.name for atom in atoms],
            [atom.fract.tolist() for atom in atoms],
        )
        spent.append(
            cpu_seconds(lambda s=theirs: calculator.get_pattern(s, two_theta_range=(5, 80)))  # type: ignore[misc]
        )
    return Rate(1 / float(np.mean(spent)), 1 / max(spent))


def refined(crystals: Sequence[Crystal], two_theta: FloatArray, *, seeds: int) -> Refined:
    """Return what refining simulated counts of equal shares costs, and how far off it is."""
    spent, chi2, error = [], [], []
    layout = Layout(tuple(crystals), Resolution(w=0.006))
    for seed in range(seeds):
        data = simulated(crystals, two_theta, rng=np.random.default_rng(seed))

        def refine(data: FitRange = data) -> None:
            fit = fit_pattern(data, layout=layout, radiation=CU_K_ALPHA, background_order=8)
            chi2.append(fit.chi2_reduced)
            error.append(float(np.abs(fit.weights - 1 / len(crystals)).max()))

        spent.append(cpu_seconds(refine))
    return Refined(float(np.mean(spent)), len(layout.slots), float(np.mean(chi2)), 100 * max(error))


def simulated(
    crystals: Sequence[Crystal], two_theta: FloatArray, *, rng: np.random.Generator
) -> FitRange:
    """Return counts of equal shares, 10,000 at the highest point, over a rising background."""
    states = [draw_state(crystal, PLAIN, rng) for crystal in crystals]
    bragg = pattern(two_theta, states, resolution=Resolution(w=0.006), displacement=0.05)
    counts = rng.poisson(1e4 * bragg / bragg.max() + 300.0 + 2000.0 / two_theta).astype(np.float64)
    return FitRange(two_theta, counts, np.sqrt(np.maximum(counts, 1.0)), sigma_known=False)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that some work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def refinements(seeds: int) -> dict[str, Refined]:
    """Return what refinements cost."""
    oxides = [structure(name) for name in OXIDES]
    found = {"three oxides, 2,200 points": refined(oxides, np.arange(22, 110, 0.04), seeds=seeds)}
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SDLAB_DATA", beside)) / REFERENCES
    if not folder.is_dir():
        print(f"{REFERENCES} is not in {folder.parents[2]}; its refinements are left out")
        return found
    for name, phases in LOW_SYMMETRY.items():
        written = [read_crystal(folder / f"{phase}.cif") for phase in phases]
        for n_points in (1400, 4501):
            two_theta = np.linspace(10.0, 80.0, n_points)
            case = f"{name}, {n_points:,} points"
            named = [symmetrised(crystal) for crystal in written]
            found[case] = refined(named, two_theta, seeds=seeds)
            found[f"{case}, in P 1"] = refined(written, two_theta, seeds=seeds)
    return found


def main() -> None:
    """Print rates and refinements; write them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20, help="patterns of each structure")
    parser.add_argument("--seeds", type=int, default=3, help="refinements of each mixture")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    crystals = [structure(name) for name in STRUCTURES]
    alone = [[crystal] for crystal in crystals]
    order = np.random.default_rng(0).permutation(len(crystals))
    triples = [[crystals[i] for i in order[k : k + 3]] for k in range(0, len(order) - 2, 3)]
    rates: dict[str, Rate | None] = {
        f"patterns of {name}, {n:,} points": drawing_rate(mixed, n_points=n, repeats=asked.repeats)
        for n in (1400, 4501)
        for name, mixed in (("one phase", alone), ("three phases", triples))
    }
    rates["lists of reflections"] = listing_rate(crystals)
    rates["pymatgen's lists of sticks"] = pymatgen_rate(crystals)
    print(f"{'per CPU second':42}{'mean':>8}{'slowest':>9}")
    for name, rate in rates.items():
        if rate is not None:
            print(f"{name:42}{rate.mean:8.0f}{rate.slowest:9.0f}")
    costs = refinements(asked.seeds)
    print(f"\n{'refinements':42}{'CPU s':>8}{'numbers':>9}{'χ²':>7}{'largest error [wt%]':>21}")
    for name, r in costs.items():
        print(
            f"{name:42}{r.cpu_seconds:8.2f}{r.numbers:9d}{r.chi2_reduced:7.2f}"
            f"{r.largest_error:21.2f}"
        )
    if asked.json is not None:
        told = {
            "per_cpu_second": {n: asdict(r) for n, r in rates.items() if r is not None},
            "refinements": {name: asdict(r) for name, r in costs.items()},
        }
        asked.json.write_text(json.dumps(told, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
