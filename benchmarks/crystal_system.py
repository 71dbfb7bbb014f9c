"""Which crystal system minerals have: `xrd.symmetry` on measured patterns of the RRUFF project.

Patterns are split by groups of near-duplicates (r > 0.9), of each group one pattern is read: half
of the groups (162) is reported on; the other half (163) was looked at while the method was made,
and trees of its own, a second variant, are grown on it. The shipped agent's trees saw simulated
patterns of random crystals alone. Beside it: the system whose cell has most evidence less 4 for
each free parameter; trees on the list of lines alone, grown on the development half; and the most
frequent system.

Run: ``python benchmarks/crystal_system.py [--recipe standard] [--features FILE] [--json OUT]``. The
trees are grown first if they are not in the cache; what is read from the patterns is kept in FILE.
The data are found through SDLAB_DATA, or in ``../shared/data`` beside the checkout.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from numpy.typing import NDArray  # noqa: E402

from analysis import weights  # noqa: E402
from analysis.errors import WeightsNotTrained  # noqa: E402
from analysis.learning.calibration import expected_calibration_error  # noqa: E402
from analysis.xrd.agents.symmetry import LEAST, Symmetry, make  # noqa: E402
from analysis.xrd.indexing.forms import N_FREE, SYSTEMS  # noqa: E402
from analysis.xrd.indexing.lines import lines_of  # noqa: E402
from analysis.xrd.peaks import find_peaks  # noqa: E402
from analysis.xrd.radiation import CU_K_ALPHA  # noqa: E402
from analysis.xrd.symmetry.features import NAMES, cells_of, features  # noqa: E402
from analysis.xrd.symmetry.opinion import calibrated, load  # noqa: E402
from analysis.xrd.symmetry.recipes import RECIPES, digest  # noqa: E402
from analysis.xrd.training.symmetry import fit_linear, grow, hold_out, sharpen, votes_of  # noqa: E402
from analysis.xrd.training.symmetry_trainer import train  # noqa: E402

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SET = "xrd/rruff"
SPLIT = "dev0"
"""Hashed with a group's number, it decides the order of the groups; the first half is spent."""

N_DEVELOPMENT = 163
PENALTY = 4.0
"""Evidence that each free parameter of a cell costs in the comparison without trees."""


@dataclass(frozen=True, slots=True)
class Half:
    """Half of the minerals: rows of the set, their systems, and what was read from them."""

    rows: IntArray
    truth: IntArray
    features: FloatArray


def data_directory() -> Path:
    """Return the folder of the set, or end the script where it is missing."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SDLAB_DATA", beside)) / SET
    if not folder.is_dir():
        raise SystemExit(f"{SET} is not in {folder.parent}; set SDLAB_DATA to the folder of sets")
    return folder


def split(folder: Path) -> tuple[dict[int, str], list[int], list[int]]:
    """Return row → system, and the first row of each group of either half."""
    with (folder / "truth.csv").open() as file:
        table = list(csv.DictReader(file))
    first: dict[str, int] = {}
    for row in table:
        first.setdefault(row["near_duplicate_group"], int(row["row"]))
    order = sorted(first, key=lambda g: hashlib.sha256((SPLIT + g).encode()).hexdigest())
    rows = [first[group] for group in order]
    systems = {int(row["row"]): row["crystal_system"] for row in table}
    return systems, rows[:N_DEVELOPMENT], rows[N_DEVELOPMENT:]


def read(folder: Path, rows: list[int], kept: dict[int, FloatArray]) -> float:
    """Add to `kept` the features of rows that it lacks; return CPU seconds a pattern."""
    with np.load(folder / "patterns.npz") as stored:
        intensity = stored["intensity"]
        start, step = float(stored["two_theta_start"]), float(stored["two_theta_step"])
    two_theta = start + step * np.arange(intensity.shape[1])
    missing = [row for row in rows if row not in kept]
    begin = time.process_time()
    for i, row in enumerate(missing):
        counts = intensity[row].astype(np.float64)
        peaks = find_peaks(two_theta, counts, radiation=CU_K_ALPHA)
        lines = lines_of(peaks, wavelength=CU_K_ALPHA.wavelength)
        kept[row] = features(lines, cells_of(lines))
        if i % 20 == 19:
            print(f"read {i + 1} of {len(missing)}", file=sys.stderr)
    return (time.process_time() - begin) / max(len(missing), 1)


def agent_for(recipe: str, seed: int) -> Symmetry:
    """Return the agent, its trees grown if they are not."""
    asked = {"recipe": recipe, "seed": seed}
    try:
        return make(asked, Path())
    except WeightsNotTrained:
        print("growing trees first", file=sys.stderr)
        train({}, Path(), recipe=recipe, seed=seed, told=_tell)
        return make(asked, Path())


def _tell(what: str, done: int, of: int) -> None:
    if done % max(of // 20, 1) == 0:
        print(f"{what}: {done} of {of}", file=sys.stderr)


def shipped(half: Half, recipe: str, seed: int) -> FloatArray:
    """Return what trees say that saw simulations alone, (n, n_systems)."""
    key = digest(CU_K_ALPHA, RECIPES[recipe], seed)
    return load(weights.folder_of("xrd.symmetry", key)).probability(half.features)


def from_minerals(
    taught: Half, asked: Half, recipe: str, seed: int, columns: list[int]
) -> FloatArray:
    """Return what trees say that grew on minerals, (n, n_systems)."""
    chosen = RECIPES[recipe]
    x = taught.features[:, columns]
    sharpness = sharpen(hold_out(x, taught.truth, chosen, seed=seed).votes, taught.truth)
    trees, new = grow(x, taught.truth, chosen, seed=seed), asked.features[:, columns]
    linear = fit_linear(x, taught.truth)
    return calibrated((votes_of(trees, new) + linear.probability(new)) / 2, sharpness=sharpness)


def by_evidence(half: Half) -> FloatArray:
    """Return evidence less its price, as a rank over systems, (n, n_systems)."""
    columns = [NAMES.index(f"evidence {system}") for system in SYSTEMS]
    price = PENALTY * np.array([N_FREE[system] for system in SYSTEMS])
    return np.asarray(half.features[:, columns] - price)


def figures(truth: IntArray, score: FloatArray, *, probabilities: bool) -> dict[str, float]:
    """Return how often the truth is first, and among the first two, and calibration."""
    order = np.argsort(-score, axis=1, kind="stable")
    right = order[:, 0] == truth
    found = {
        "top1": float(right.mean()),
        "top2": float((order[:, :2] == truth[:, None]).any(axis=1).mean()),
    }
    if probabilities:
        best = score.max(axis=1)
        answered = best >= LEAST
        found |= {
            "stated": float(best.mean()),
            "calibration_error": expected_calibration_error(best, right),
            "answered": float(answered.mean()),
            "top1_of_answered": float(right[answered].mean()) if answered.any() else 0.0,
        }
    return found


def show(truth: IntArray, told: dict[str, tuple[FloatArray, bool]]) -> dict[str, dict[str, float]]:
    """Print and return the figures of each method, and the confusion of the first."""
    print(
        f"{'method':34}{'top-1':>7}{'top-2':>7}{'stated':>8}{'ECE':>7}{'answered':>10}"
        f"{'right of them':>15}"
    )
    found = {}
    for name, (score, probabilities) in told.items():
        f = figures(truth, score, probabilities=probabilities)
        found[name] = f
        rest = "".join(
            f"{f[key]:{width}.3f}" if key in f else " " * width
            for key, width in (
                ("stated", 8),
                ("calibration_error", 7),
                ("answered", 10),
                ("top1_of_answered", 15),
            )
        )
        print(f"{name:34}{f['top1']:7.3f}{f['top2']:7.3f}{rest}")
    score = next(iter(told.values()))[0]
    print(f"\n{'true, told':14}" + "".join(f"{system[:5]:>7}" for system in SYSTEMS))
    for i, system in enumerate(SYSTEMS):
        counts = np.bincount(score[truth == i].argmax(axis=1), minlength=len(SYSTEMS))
        print(f"{system:14}" + "".join(f"{n:7d}" for n in counts))
    return found


def load_kept(path: Path | None) -> dict[int, FloatArray]:
    """Return row → features from an earlier run."""
    if path is None or not path.is_file():
        return {}
    with np.load(path) as stored:
        return dict(zip(map(int, stored["rows"]), stored["features"], strict=True))


def main() -> None:
    """Read both halves and print the table of the reported one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="standard")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--features", type=Path)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    folder = data_directory()
    card = agent_for(asked.recipe, asked.seed).card
    systems, *halves = split(folder)
    kept = load_kept(asked.features)
    seconds = read(folder, [row for half in halves for row in half], kept)
    if asked.features is not None:
        np.savez(asked.features, rows=np.array(list(kept)), features=np.array(list(kept.values())))
    development, reported = (
        Half(
            np.array(rows),
            np.array([SYSTEMS.index(systems[row]) for row in rows]),
            np.array([kept[row] for row in rows]),
        )
        for rows in halves
    )
    print(f"trees grown in {card.cpu_seconds:.0f} CPU s; {seconds:.2f} CPU s a pattern")
    print(f"{len(reported.rows)} minerals reported on, {len(development.rows)} in development\n")
    majority = np.bincount(development.truth, minlength=len(SYSTEMS)).astype(float)
    every = list(range(len(NAMES)))
    of_lines = [i for i, name in enumerate(NAMES) if name.startswith(("lines", "q"))]
    minerals = from_minerals(development, reported, asked.recipe, asked.seed, every)
    lines = from_minerals(development, reported, asked.recipe, asked.seed, of_lines)
    agents = [shipped(half, asked.recipe, asked.seed) for half in (reported, development)]
    both = np.concatenate([reported.truth, development.truth])
    told = show(
        reported.truth,
        {
            "shipped, simulations alone": (agents[0], True),
            "trees of the development half": (minerals, True),
            "the same, list of lines alone": (lines, True),
            "most evidence, no trees": (by_evidence(reported), False),
            "most frequent": (np.tile(majority, (len(reported.rows), 1)), False),
        },
    )
    print("\ndevelopment half, then both")
    told |= show(development.truth, {"shipped, development half": (agents[1], True)})
    told |= show(both, {"shipped, both halves": (np.concatenate(agents), True)})
    if asked.json is not None:
        asked.json.write_text(json.dumps({"figures": told, "card": dict(card.figures)}, indent=1))


if __name__ == "__main__":
    main()
