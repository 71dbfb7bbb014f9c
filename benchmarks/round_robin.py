"""How well `xrd.quantify` weighs: fractions against weighed mixtures, with its stated intervals.

Two sets: the round robin's corundum-fluorite-zincite mixtures (Madsen et al. 2001), and twelve
precursor mixtures, each scanned in 2 and 8 minutes (Fei et al. 2026). The error model was
calibrated on the 2-minute scans of the second; nothing was tuned on the round robin. Beside the
agent stand: the same without f′ and f″, without Brindley's correction, with the library's own
structures, and the simplest baseline: a non-negative least-squares fit of unrefined patterns. Last,
each mixture is fitted with one of its phases left out, to see whether `p_wrong` tells; it was
calibrated on simulated patterns only.

Run: ``python benchmarks/round_robin.py [--json OUT]``. The data are found through SDLAB_DATA, or in
``../shared/data`` beside the checkout.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.physics.crystal import Crystal
from analysis.xrd.agents.quantify import Quantify, make
from analysis.xrd.background import background_basis
from analysis.xrd.fit import fit_pattern
from analysis.xrd.forward import CU_K_ALPHA, Radiation, Resolution
from analysis.xrd.layout import Layout
from analysis.xrd.preprocess import FitRange, prepare
from analysis.xrd.projection import Problem
from instruments.formats import read_measurement
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

ROUND_ROBIN = "xrd/cpd_roundrobin_xray"
PRECURSORS = "xrd/dara_mixtures"
HALF_WIDTH_90 = 1.6449
PHASES = {"corundum": "Al2O3.cif", "fluorite": "CaF2.cif", "zincite": "ZnO.cif"}
# V2O5 grows as plates normal to c of this setting; every other phase is fitted without texture.
TEXTURE = {"V2O5_59": (0, 0, 1)}
GRAPHITE = Radiation(CU_K_ALPHA.lines, 26.6)


@dataclass(frozen=True, slots=True)
class Mixture:
    """A measured pattern with its weighed fractions, and the settings of the agent for it."""

    name: str
    measurement: Measurement
    truth: dict[str, float]
    settings: dict[str, object]
    folder: Path


@dataclass(frozen=True, slots=True)
class Result:
    """Fractions found for one mixture [weight per cent]."""

    mixture: str
    phases: tuple[str, ...]
    weighed: tuple[float, ...]
    found: tuple[float, ...]
    std: tuple[float, ...]
    rwp: float
    p_wrong: float
    cpu_seconds: float


def data_folder(name: str) -> Path:
    """Return a data set's folder, or end with a sentence that names it."""
    root = Path(os.environ.get("SDLAB_DATA", Path(__file__).parents[2] / "shared" / "data"))
    folder = root / name
    if not folder.is_dir():
        sys.exit(f"{name} is not here; set SDLAB_DATA to the folder that holds it")
    return folder


def round_robin(*, own_structures: bool = False) -> list[Mixture]:
    """Return the mixtures of the round robin."""
    folder = data_folder(ROUND_ROBIN)
    settings: dict[str, object] = {
        "phases": list(PHASES)
        if own_structures
        else {name: f"cifs/{file}" for name, file in PHASES.items()},
        "radiation": {"monochromator_two_theta": 26.6},
        "two_theta": (22.0, 110.0),
    }
    rows: dict[str, dict[str, float]] = {}
    with (folder / "truth.csv").open() as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["file"], {})[row["phase"]] = float(row["weight_percent"]) / 100
    return [
        Mixture(Path(file).stem, _read(folder / file), truth, settings, folder)
        for file, truth in rows.items()
    ]


def precursors(*, scan: str) -> list[Mixture]:
    """Return the precursor mixtures, weighed fractions normalised to sum to one."""
    folder = data_folder(PRECURSORS)
    rows: dict[str, dict[str, float]] = {}
    with (folder / "truth.csv").open() as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["mixture"], {})[row["structure"]] = float(row["mass_fraction"])
    mixtures = []
    for name, weighed in rows.items():
        total = sum(weighed.values())
        settings: dict[str, object] = {
            "phases": [f"reference_cifs/{phase}.cif" for phase in weighed],
            "radiation": {"lines": ((1.540598, 2.0), (1.544426, 1.0))},
            "two_theta": (12.0, 100.0),
            "texture": {phase: axis for phase, axis in TEXTURE.items() if phase in weighed},
        }
        measurement = _read(folder / "patterns" / f"{name}_{scan}.xrdml")
        truth = {phase: fraction / total for phase, fraction in weighed.items()}
        mixtures.append(Mixture(f"{name}_{scan}", measurement, truth, settings, folder))
    return mixtures


def _read(path: Path) -> Measurement:
    # One file of the round robin lacks the wavelength that heads the others.
    return read_measurement(path, wavelength=None if path.suffix == ".xrdml" else 1.540593)


def by_agent(mixture: Mixture, **changes: object) -> Result:
    """Return what the agent finds in a mixture."""
    agent = make({**mixture.settings, **changes}, mixture.folder)
    assert isinstance(agent, Quantify)
    start = time.process_time()
    insight = agent.analyze([mixture.measurement], rng=np.random.default_rng(0))
    seconds = time.process_time() - start
    estimates = [insight.estimates[f"xrd.weight_fraction.{phase}"] for phase in mixture.truth]
    return Result(
        mixture.name,
        tuple(mixture.truth),
        tuple(100 * w for w in mixture.truth.values()),
        tuple(100 * e.value for e in estimates),
        tuple(100 * (e.std or 0.0) for e in estimates),
        insight.quality["rwp"],
        insight.p_wrong or 0.0,
        seconds,
    )


def without_dispersion(mixture: Mixture) -> Result:
    """Return plain fractions of the same fit with structure factors without f′ and f″."""
    return _plain(
        mixture,
        lambda data, crystals, radiation: (
            fit_pattern(
                data,
                layout=Layout(crystals, Resolution()),
                radiation=radiation,
                background_order=8,
                anomalous=False,
            ).weights
        ),
    )


def baseline(mixture: Mixture) -> Result:
    """Return fractions of unrefined patterns by non-negative least squares."""
    return _plain(mixture, _unrefined)


def _unrefined(data: FitRange, crystals: tuple[Crystal, ...], radiation: Radiation) -> FloatArray:
    layout = Layout(crystals, Resolution(w=0.02))
    problem = Problem(
        data.two_theta,
        data.counts,
        data.sigma,
        basis=background_basis(data.two_theta, order=8),
        layout=layout,
        radiation=radiation,
    )
    scales = problem.solve(layout.start).scales
    return np.asarray(scales / scales.sum(), dtype=np.float64)


def _plain(
    mixture: Mixture,
    fractions: Callable[[FitRange, tuple[Crystal, ...], Radiation], FloatArray],
) -> Result:
    settings = make(mixture.settings, mixture.folder).settings
    radiation = settings.radiation.radiation()
    crystals = {c.name: c for c in settings.crystals(mixture.folder)}
    data = prepare(mixture.measurement, radiation=radiation, two_theta_range=settings.two_theta)
    start = time.process_time()
    found = fractions(data, tuple(crystals[name] for name in mixture.truth), radiation)
    seconds = time.process_time() - start
    none = tuple(0.0 for _ in found)
    weighed = tuple(100 * w for w in mixture.truth.values())
    return Result(
        mixture.name, tuple(mixture.truth), weighed, tuple(100 * found), none, 0.0, 0.0, seconds
    )


def summary(results: Sequence[Result]) -> dict[str, float]:
    """Return RMSE, largest error, coverage and time over some mixtures [weight per cent, s]."""
    error = np.concatenate([np.subtract(r.found, r.weighed) for r in results])
    std = np.concatenate([r.std for r in results])
    found = {
        "fractions": float(len(error)),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "max_error": float(np.abs(error).max()),
        "cpu_seconds": float(np.mean([r.cpu_seconds for r in results])),
        "cpu_seconds_max": float(np.max([r.cpu_seconds for r in results])),
    }
    if np.all(std > 0):
        inside = np.abs(error) <= HALF_WIDTH_90 * std
        found |= {"coverage_90": float(inside.mean()), "mean_std": float(std.mean())}
    return found


def doubts(mixtures: Sequence[Mixture]) -> dict[str, float]:
    """Return how `p_wrong` (prior one half) tells right lists of phases from incomplete ones.

    An insight that abstains counts as certain that the list is wrong.
    """
    right, incomplete = [], []
    for mixture in mixtures:
        right.append(_doubt(mixture, mixture.settings["phases"]))
        incomplete += [_doubt(mixture, rest) for rest in _each_left_out(mixture)]
    brier = np.mean(np.concatenate([np.square(right), np.square(np.subtract(1, incomplete))]))
    return {
        "right_lists": float(len(right)),
        "right_mean": float(np.mean(right)),
        "right_above_half": float(np.mean(np.array(right) > 0.5)),
        "incomplete_lists": float(len(incomplete)),
        "incomplete_mean": float(np.mean(incomplete)),
        "incomplete_above_half": float(np.mean(np.array(incomplete) > 0.5)),
        "brier": float(brier),
    }


def _each_left_out(mixture: Mixture) -> list[object]:
    phases = mixture.settings["phases"]
    if isinstance(phases, dict):
        return [{k: v for k, v in phases.items() if k != left_out} for left_out in phases]
    assert isinstance(phases, list)
    return [[phase for phase in phases if phase != left_out] for left_out in phases]


def _doubt(mixture: Mixture, phases: object) -> float:
    # Texture would name a phase that is left out.
    changed = {**mixture.settings, "phases": phases, "prior_wrong": 0.5, "texture": {}}
    agent = make(changed, mixture.folder)
    insight = agent.analyze([mixture.measurement], rng=np.random.default_rng(0))
    return 1.0 if insight.p_wrong is None else insight.p_wrong


def main() -> None:
    """Print every mixture, then the summaries; write them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file to write the results to")
    arguments = parser.parse_args()
    robin, own = round_robin(), round_robin(own_structures=True)
    fast, slow = precursors(scan="2min"), precursors(scan="8min")
    runs: dict[str, list[Result]] = {
        "round robin": [by_agent(m) for m in robin],
        "round robin, refined B": [by_agent(m, refine_b_iso=True) for m in robin],
        "round robin, own structures": [by_agent(m) for m in own],
        "round robin, no Brindley": [by_agent(m, particle_diameter=0) for m in robin],
        "round robin, no f′ f″ nor Brindley": [without_dispersion(m) for m in robin],
        "round robin, NNLS baseline": [baseline(m) for m in robin],
        "precursors 2 min": [by_agent(m) for m in fast],
        "precursors 8 min": [by_agent(m) for m in slow],
        "precursors 2 min, no Brindley": [by_agent(m, particle_diameter=0) for m in fast],
        "precursors 2 min, NNLS baseline": [baseline(m) for m in fast],
    }
    for name in ("round robin", "precursors 2 min", "precursors 8 min"):
        _print_mixtures(name, runs[name])
    summaries = {name: summary(results) for name, results in runs.items()}
    summaries["both sets, 2 min"] = summary(runs["round robin"] + runs["precursors 2 min"])
    _print_summaries(summaries)
    told = doubts(robin + fast)
    print("\np_wrong, calibrated on simulations, on these lists of phases:")
    for name, value in told.items():
        print(f"  {name:24s} {value:.3f}")
    if arguments.json:
        document = {
            "summaries": summaries,
            "p_wrong": told,
            "mixtures": {name: [asdict(r) for r in results] for name, results in runs.items()},
        }
        arguments.json.write_text(json.dumps(document, indent=1, ensure_ascii=False))


def _print_mixtures(name: str, results: Sequence[Result]) -> None:
    print(f"\n{name}: found ± std (weighed) [wt%]")
    for r in results:
        numbers = "  ".join(
            f"{phase} {found:.2f} ± {std:.2f} ({weighed:.2f})"
            for phase, found, std, weighed in zip(r.phases, r.found, r.std, r.weighed, strict=True)
        )
        print(f"  {r.mixture:16s} {numbers}  R_wp {r.rwp:.3f}  p_wrong {r.p_wrong:.3f}")


def _print_summaries(summaries: Mapping[str, Mapping[str, float]]) -> None:
    print(f"\n{'':36s} {'n':>3s} {'RMSE':>6s} {'max':>6s} {'90 %':>6s} {'CPU s':>6s} {'max':>5s}")
    for name, s in summaries.items():
        coverage = f"{100 * s['coverage_90']:.1f}" if "coverage_90" in s else "–"
        print(
            f"{name:36s} {s['fractions']:3.0f} {s['rmse']:6.2f} {s['max_error']:6.2f} "
            f"{coverage:>6s} {s['cpu_seconds']:6.2f} {s['cpu_seconds_max']:5.2f}"
        )


if __name__ == "__main__":
    main()
