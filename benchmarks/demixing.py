"""How well phases are found without labels: simulated spreads, Al-Li-Fe, Bi-Cu-V.

Merging uses no truth. For scoring alone, found phases are given to true ones one to one, by the
highest sum of cosines between their parts of all patterns; a found phase without a partner counts
as a wrong one in every sample, a true phase without a partner as missed. A phase is present from a
fraction of 5 %, found or true; fractions are shares in the sum of the highest peaks, as Al-Li-Fe
states them. The constants of the method were chosen on 24 spreads of the world that
`analysis.xrd.demixing_worlds` describes (seeds 0 … 23, `--development` scores them); those of seeds
100 … 111 are held out and made of other structures. Beside the answer stand the same where
compositions are known, a plain factorisation with the true number of phases, and ten factors given
to true phases by an oracle.

Run: ``python benchmarks/demixing.py [--json OUT] [--map PNG]``. The data are found through
SDLAB_DATA, or in ``../shared/data`` beside the checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from analysis.learning.decomposition.consensus import demix
from analysis.learning.decomposition.grouping import phase_fractions
from analysis.learning.decomposition.nmf import factorise
from analysis.learning.decomposition.smoothness import without_islands
from analysis.physics.units import q_from_two_theta
from analysis.xrd.demixing import without_background
from analysis.xrd.demixing_worlds import draw_spread
from orchestrator.report.figures import phase_map_figure

FloatArray = NDArray[np.float64]

DATA = "xrd/drnets"
PRESENT = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Set:
    """Patterns over q with the true part of each phase, (n_samples, n_phases, n_points).

    `composition` is (n_samples, 3).
    """

    name: str
    q: FloatArray
    patterns: FloatArray
    parts: FloatArray
    composition: FloatArray


@dataclass(frozen=True, slots=True)
class Score:
    """Of one method on one set; errors and stds are half-L1 and fractions."""

    name: str
    method: str
    phases: int
    true_phases: int
    exact: float
    f1: float
    error: float
    p_wrong: float
    p_wrong_where_wrong: float
    inside_2_std: float
    cpu_seconds: float


def simulated(seed: int, *, held_out: bool) -> Set:
    """Return a spread of the simulated world, its background subtracted as the agent does it."""
    spread = draw_spread(rng=np.random.default_rng(seed), held_out=held_out)
    q = np.asarray(q_from_two_theta(two_theta=spread.two_theta, wavelength=1.5406))
    patterns = np.array([without_background(counts) for counts in spread.patterns])
    return Set(f"simulated {seed}", q, patterns, spread.contributions, spread.composition)


def al_li_fe() -> Set:
    """Return the simulated oxide spread of Le Bras et al. (2014)."""
    folder = data_folder() / "Al-Li-Fe"
    q, patterns, parts, composition = (
        np.load(folder / f"{name}.npy").astype(np.float64)
        for name in ("Q", "XRD", "truth_decomposition", "composition")
    )
    return Set("Al-Li-Fe", q / 10, patterns, parts, composition)


def data_folder() -> Path:
    """Return the data set's folder, or end with a sentence that names it."""
    root = Path(os.environ.get("SDLAB_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (root / DATA).is_dir():
        sys.exit(f"{DATA} is not here; set SDLAB_DATA to the folder that holds it")
    return root / DATA


def by_choice(data: Set, *, seed: int = 0) -> list[Score]:
    """Return how the method does without compositions and with, no truth used before scoring."""
    start = time.process_time()
    found = demix(data.q, data.patterns, rng=np.random.default_rng(seed))
    seconds = time.process_time() - start
    rows, targets = linear_sum_assignment(-_cosines(found.contributions(), data.parts))
    fractions, true = _aligned(found.fractions, data, rows, targets)
    std, _ = _aligned(found.std, data, rows, targets)
    live = (fractions > 0.005) | (true > 0.005)
    wrong = ((fractions >= PRESENT) != (true >= PRESENT)).any(axis=1)
    alone = _score(
        data,
        "number found",
        found.n_phases,
        fractions,
        true,
        seconds,
        p_wrong=float(found.p_wrong.mean()),
        p_wrong_where_wrong=float(found.p_wrong[wrong].mean()) if wrong.any() else float("nan"),
        inside=float((np.abs(fractions - true) <= 2 * std)[live].mean()),
    )
    # What `demix` does last if it is told compositions.
    weights = without_islands(found.stretched.weights, data.composition)
    kept = weights / weights.sum(axis=1, keepdims=True)
    fractions, true = _aligned(kept, data, rows, targets)
    told = _score(data, "compositions known", found.n_phases, fractions, true, seconds)
    return [alone, told]


def plain(data: Set) -> Score:
    """Return how a factorisation with the true number of phases does, one factor a phase."""
    start = time.process_time()
    n_phases = data.parts.shape[1]
    scaled = data.patterns / data.patterns.max(axis=1, keepdims=True)
    factors = factorise(scaled, n_phases, rng=np.random.default_rng(0))
    fractions = phase_fractions(factors, np.arange(n_phases))
    seconds = time.process_time() - start
    parts = factors.weights[:, :, None] * factors.patterns[None]
    rows, targets = linear_sum_assignment(-_cosines(parts, data.parts))
    fractions, true = _aligned(fractions, data, rows, targets)
    return _score(data, "plain, number given", n_phases, fractions, true, seconds)


def by_oracle(data: Set) -> Score:
    """Return how ten factors do if each is given to the true phase it resembles most."""
    start = time.process_time()
    scaled = data.patterns / data.patterns.max(axis=1, keepdims=True)
    factors = factorise(scaled, 10, rng=np.random.default_rng(0))
    parts = factors.weights[:, :, None] * factors.patterns[None]
    labels = _cosines(parts, data.parts).argmax(axis=1)
    heights = np.column_stack(
        [parts[:, labels == k].sum(axis=1).max(axis=1) for k in range(data.parts.shape[1])]
    )
    fractions = heights / heights.sum(axis=1, keepdims=True)
    seconds = time.process_time() - start
    return _score(data, "ten factors, oracle", data.parts.shape[1], fractions, _true(data), seconds)


def _true(data: Set) -> FloatArray:
    heights = data.parts.max(axis=2)
    return np.asarray(heights / heights.sum(axis=1, keepdims=True))


def _cosines(found: FloatArray, true: FloatArray) -> FloatArray:
    """Return the cosine between found and true phases' parts of all patterns."""
    left, right = (p.transpose(1, 0, 2).reshape(p.shape[1], -1) for p in (found, true))
    norms = np.outer(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1)) + 1e-12
    return np.asarray(left @ right.T / norms)


def _aligned(
    found: FloatArray, data: Set, rows: NDArray[np.int64], targets: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """Return found columns beside true ones; those without a partner come last, true 0."""
    true = _true(data)
    extra = np.setdiff1d(np.arange(found.shape[1]), rows)
    beside = np.zeros((len(true), true.shape[1] + len(extra)))
    beside[:, targets] = found[:, rows]
    beside[:, true.shape[1] :] = found[:, extra]
    return beside, np.pad(true, ((0, 0), (0, len(extra))))


def _score(
    data: Set,
    method: str,
    phases: int,
    found: FloatArray,
    true: FloatArray,
    seconds: float,
    *,
    p_wrong: float = float("nan"),
    p_wrong_where_wrong: float = float("nan"),
    inside: float = float("nan"),
) -> Score:
    seen, there = found >= PRESENT, true >= PRESENT
    return Score(
        data.name,
        method,
        phases,
        data.parts.shape[1],
        exact=float((seen == there).all(axis=1).mean()),
        f1=float(2 * (seen & there).sum() / (seen.sum() + there.sum())),
        error=float(0.5 * np.abs(found - true).sum(axis=1).mean()),
        p_wrong=p_wrong,
        p_wrong_where_wrong=p_wrong_where_wrong,
        inside_2_std=inside,
        cpu_seconds=seconds,
    )


def bi_cu_v(picture: Path | None) -> dict[str, float]:
    """Return what can be said about the real spread without truth; draw its phase map."""
    folder = data_folder() / "Bi-Cu-V"
    q, patterns, composition = (
        np.load(folder / f"{name}.npy").astype(np.float64) for name in ("Q", "XRD", "composition")
    )
    curves = np.array([without_background(pattern) for pattern in patterns])
    start = time.process_time()
    found = demix(q / 10, curves, rng=np.random.default_rng(0), composition=composition)
    seconds = time.process_time() - start
    counts = (found.fractions >= PRESENT).sum(axis=1)
    if picture is not None:
        picture.write_bytes(
            phase_map_figure(composition, found.fractions, corners=("Bi", "Cu", "V"))
        )
    return {
        "phases": float(found.n_phases),
        "phases_least": float(min(found.numbers)),
        "phases_most": float(max(found.numbers)),
        "unexplained_median": float(np.median(found.unexplained)),
        "unexplained_95": float(np.quantile(found.unexplained, 0.95)),
        "at_most_three": float((counts <= 3).mean()),
        "mean_phases_in_sample": float(counts.mean()),
        "p_wrong_mean": float(found.p_wrong.mean()),
        "cpu_seconds": seconds,
    }


def main() -> None:
    """Print every set and the means; write JSON and the phase map where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file to write the results to")
    parser.add_argument("--development", action="store_true", help="score seeds 0 … 23, too")
    parser.add_argument("--map", type=Path, help="PNG for the phase map of Bi-Cu-V")
    arguments = parser.parse_args()
    sets = {"held out": [simulated(seed, held_out=True) for seed in range(100, 112)]}
    if arguments.development:
        sets["chosen on"] = [simulated(seed, held_out=False) for seed in range(24)]
    scores = []
    for name, spreads in sets.items():
        some = [s for data in spreads for s in (*by_choice(data), plain(data), by_oracle(data))]
        means = [
            _mean([s for s in some if s.method == method], f"simulated, {name}")
            for method in dict.fromkeys(s.method for s in some)
        ]
        scores += some + means
    real = al_li_fe()
    scores += [score for seed in range(3) for score in by_choice(real, seed=seed)]
    scores += [plain(real), by_oracle(real)]
    for score in scores:
        _print(score)
    measured = bi_cu_v(arguments.map)
    print("\nBi-Cu-V:", "  ".join(f"{name} {value:.3g}" for name, value in measured.items()))
    if arguments.json:
        document = {"sets": [asdict(s) for s in scores], "Bi-Cu-V": measured}
        arguments.json.write_text(json.dumps(document, indent=1))


def _mean(scores: list[Score], name: str) -> Score:
    numbers = {
        field: _known_mean([getattr(s, field) for s in scores])
        for field in (
            "exact",
            "f1",
            "error",
            "p_wrong",
            "p_wrong_where_wrong",
            "inside_2_std",
            "cpu_seconds",
        )
    }
    right = sum(s.phases == s.true_phases for s in scores)
    return Score(name, scores[0].method, right, len(scores), **numbers)


def _known_mean(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def _print(s: Score) -> None:
    print(
        f"{s.name:24s} {s.method:22s} {s.phases:2d}/{s.true_phases:<2d} exact {s.exact:.3f}  "
        f"F1 {s.f1:.3f}  error {s.error:.3f}  p_wrong {s.p_wrong:.3f} "
        f"({s.p_wrong_where_wrong:.3f} where wrong)  within 2 std "
        f"{s.inside_2_std:.3f}  {s.cpu_seconds:.1f} CPU s"
    )


if __name__ == "__main__":
    main()
