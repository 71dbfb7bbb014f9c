"""How far does each distance of `pdf.target` see, and does it still tell structures apart?

Samples are clusters of the target's shape with defects, another displacement parameter, a
background that was not wholly taken off and noise, at bonds up to 15 % from the target's: nothing
of this is in the target's curve. For each distance: Spearman's rank correlation with
|ln bond − ln target|, over all and within 2 %; how far its least value is from the target; the
share of bonds from which a search downhill, in steps of 2 % and less, ends within 0.3 % of the
target (and that share for the worst target); and how often the same type at a neighbouring size is
nearer than any other lattice at its best bond. `--descriptors` also has `pdf.match` read 13 of the
samples, with the target's own shape in its library, and takes `descriptor_distance` of what it
believes.

    python benchmarks/pdf_target.py --targets 14 --seed 0
    python benchmarks/pdf_target.py --measured      # ScattBO's measured gold as the target
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from numpy.typing import NDArray  # noqa: E402
from scipy.stats import spearmanr  # noqa: E402

from analysis.pdf.agents.match import MatchAgent  # noqa: E402
from analysis.pdf.agents.match import make as make_match  # noqa: E402
from analysis.pdf.agents.target import DISTANCE, make  # noqa: E402
from analysis.pdf.aims.distances import SOFTNESS, Goal, distance  # noqa: E402
from analysis.pdf.aims.structures import DebyeTable, debye_waller  # noqa: E402
from analysis.pdf.aims.windows import Window, g_r_window, s_q_window  # noqa: E402
from analysis.pdf.beliefs import Belief, belief, descriptor_distance  # noqa: E402
from analysis.pdf.clusters import Cluster, ideal_clusters, with_defects  # noqa: E402
from analysis.pdf.library import Entry, cluster_entries, shells  # noqa: E402
from instruments.measurement import Measurement  # noqa: E402
from instruments.recorded_data import data_folder  # noqa: E402

FloatArray = NDArray[np.float64]

BOND = 2.88
REACH = 0.15
STEP = 0.001
Q_RANGE, R_RANGE, Q_DAMP = (1.0, 15.0), (1.5, 30.0), 0.04
TARGET_B = 0.5
NOISE = 0.02
"""Standard deviation of a point of S(Q), 0.01 1/Å apart."""

BACKGROUND = 0.05
"""Height of what is left of a background over Q."""

READ = 12
FAR = 100.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_STEP = 20
ARRIVED = 0.003


@dataclass(frozen=True, slots=True)
class Seen:
    """What one target showed of one distance."""

    far: float
    near: float
    bias: float
    arrived: float
    told: bool | None


def entry(cluster: Cluster) -> Entry:
    """Return a cluster as an entry of the library."""
    distance_, weight = shells(cluster.positions, np.ones(len(cluster)))
    return Entry(cluster.size, cluster.kind, cluster.lattice, len(cluster), distance_, weight)


def sample_curves(
    made: Entry, window: Window, bonds: FloatArray, *, rng: np.random.Generator
) -> FloatArray:
    """Return curves of one sample at many bonds, (n_bonds, n), each with noise of its own."""
    q = window.q
    table = DebyeTable(made, x_max=float(q[-1] * bonds[-1]))
    b_iso = TARGET_B * float(np.exp(rng.normal(0.0, 0.4)))
    s_minus_one = table.sum(np.outer(bonds, q)) * debye_waller(q, b_iso)
    s_minus_one += BACKGROUND * rng.normal() * np.exp(-(((q - 3.0) / 2.0) ** 2))
    sparse = np.sqrt((q[1] - q[0]) / 0.01)
    return window.show(s_minus_one + NOISE / sparse * rng.normal(size=s_minus_one.shape))


def goal_of(aim: Entry, window: Window) -> Goal:
    """Return the target's curve: ideal, no noise."""
    table = DebyeTable(aim, x_max=float(window.q[-1] * BOND))
    y = window.show(table.sum(window.q * BOND) * debye_waller(window.q, TARGET_B))
    return Goal(window.curve, window.x, y)


def walks_home(values: FloatArray, off: FloatArray) -> float:
    """Return the share of starts from which a search downhill ends at the target.

    It goes to the lower of two neighbours, first 2 % away; where none is lower it halves its step.
    """
    home, starts = 0, range(0, len(values), 5)
    for start in starts:
        here, step = start, FIRST_STEP
        while step:
            around = [i for i in (here - step, here + step) if 0 <= i < len(values)]
            best = min(around, key=lambda i: values[i])
            if values[best] < values[here]:
                here = best
            else:
                step //= 2
        home += abs(off[here]) <= ARRIVED
    return home / len(starts)


def neighbours(aim: Cluster, shapes: list[Cluster]) -> tuple[Entry, list[Entry]]:
    """Return the same type at the next size, and the other lattices at the size nearest to it."""

    def apart(other: Cluster) -> float:
        return abs(float(np.log(len(other) / len(aim))))

    kin = [c for c in shapes if c.lattice == aim.lattice and apart(c) > 0.08]
    nearest = min(kin, key=apart)
    others = {c.lattice for c in shapes} - {aim.lattice}
    return entry(nearest), [
        entry(min((c for c in shapes if c.lattice == lattice), key=apart)) for lattice in others
    ]


def look(
    aim: Cluster, shapes: list[Cluster], agent: MatchAgent | None, *, rng: np.random.Generator
) -> Iterator[tuple[str, str, Seen]]:
    """Yield what each distance shows of one target, over S(Q) and over G(r)."""
    off = np.arange(-REACH, REACH + STEP / 2, STEP)
    bonds = BOND * np.exp(off)
    hit = with_defects(aim, rng=rng)
    kin, strangers = neighbours(aim, shapes)
    for window in (s_q_window(Q_RANGE), g_r_window(R_RANGE, q_range=Q_RANGE, q_damp=Q_DAMP)):
        goal = goal_of(entry(aim), window)
        seed = int(rng.integers(2**32))
        curves, near, *far = (
            sample_curves(e, window, bonds, rng=np.random.default_rng(seed))
            for e in (entry(hit), kin, *strangers)
        )
        for name in SOFTNESS:
            measure = distance(name, goal)
            told = measure(near).min() < min(measure(f).min() for f in far)
            yield window.curve, name, seen(measure(curves), off, told=bool(told))
        if agent is not None:
            some = np.arange(0, len(off), len(off) // READ)
            values = described(agent, aim, window, curves[some])
            yield window.curve, "descriptors", seen(np.interp(off, off[some], values), off)


def seen(values: FloatArray, off: FloatArray, *, told: bool | None = None) -> Seen:
    """Return what values at ln(bond) − ln(target) show."""
    close = np.abs(off) <= 0.02
    return Seen(
        far=float(spearmanr(np.abs(off), values)[0]),
        near=float(spearmanr(np.abs(off[close]), values[close])[0]),
        bias=float(abs(off[values.argmin()])),
        arrived=walks_home(values, off),
        told=told,
    )


def described(agent: MatchAgent, aim: Cluster, window: Window, curves: FloatArray) -> FloatArray:
    """Return the distance of what `pdf.match` believes of each curve, (n,); none is far."""
    target = Belief({aim.kind: 1.0}, (float(np.log(BOND)), 0.0), (float(np.log(len(aim))), 0.0))
    found = []
    for y in curves:
        insight = agent.analyze([measurement(window, y)], rng=np.random.default_rng(0))
        believed = belief(insight)
        found.append(descriptor_distance(believed, target) if believed is not None else np.inf)
    values = np.array(found)
    return np.where(np.isfinite(values), values, FAR)


def measurement(window: Window, y: FloatArray) -> Measurement:
    """Return a curve as an instrument would give it."""
    axis, unit = ("r", "Å") if window.curve == "g_r" else ("q", "1/Å")
    return Measurement(
        id="cluster/pdf/0",
        sample_id="cluster",
        technique="pdf",
        x=window.x,
        y=y if window.curve == "g_r" else y + 1,
        sigma=None,
        x_name=axis,
        x_unit=unit,
        y_name=window.curve,
        y_unit="",
        instrument="simulation",
        simulated=True,
        started=NOW,
        finished=NOW,
        settings={"q_min": Q_RANGE[0], "q_max": Q_RANGE[1]},
    )


def landscapes(
    n_targets: int, seed: int, *, atoms: tuple[int, int], descriptors: bool
) -> list[dict[str, object]]:
    """Compare the distances, print a table and return its rows."""
    rng = np.random.default_rng(seed)
    shapes = ideal_clusters(fewest_atoms=atoms[0], most_atoms=atoms[1])
    kinds = list(dict.fromkeys(c.kind for c in shapes))
    said = {"most_atoms": atoms[1], "bond_range": (2.4, 3.4), "fitted": 6, "q_damp": Q_DAMP}
    agent = make_match(said, Path()) if descriptors else None
    found: dict[tuple[str, str], list[Seen]] = {}
    for number in range(n_targets):
        kin = [c for c in shapes if c.kind == kinds[number % len(kinds)]]
        for curve, name, one in look(kin[int(rng.integers(len(kin)))], shapes, agent, rng=rng):
            found.setdefault((curve, name), []).append(one)
    print(
        f"{'curve':6}{'distance':20}{'rank, 15 %':>12}{'rank, 2 %':>11}{'least at':>9}{'home':>14}"
        f"{'told':>7}"
    )
    rows = []
    for (curve, which), all_seen in sorted(found.items()):
        far, near, bias, home = (
            np.array([getattr(s, name) for s in all_seen])
            for name in ("far", "near", "bias", "arrived")
        )
        answers = [s.told for s in all_seen if s.told is not None]
        told = float(np.mean(answers)) if answers else float("nan")
        print(
            f"{curve:6}{which:20}{np.median(far):12.2f}{np.median(near):11.2f}{np.median(bias):9.2%}"
            f"{np.median(home):8.2f} ({home.min():.2f}){told:7.2f}"
        )
        rows.append(
            {
                "curve": curve,
                "distance": which,
                "rank_far": far.tolist(),
                "rank_near": near.tolist(),
                "bias": bias.tolist(),
                "home": home.tolist(),
                "told": told,
            }
        )
    return rows


def measured(most_atoms: int) -> list[dict[str, object]]:
    """Print where foretold distances from ScattBO's measured gold are least, for each distance."""
    folder = data_folder() / "pdf" / "scattbo"
    said = {
        "files": ["Experimental_Sq.sq", "Experimental_PDF.gr"],
        "curves": ["s_q", "g_r"],
        "element": "Au",
        "b_iso": 0.3,
        "q_range": (2.0, 9.99),
        "r_range": (0.0, 29.9),
        "bond_range": (2.5, 4.5),
        "most_atoms": most_atoms,
    }
    sizes: dict[str, set[int]] = {}
    for e in cluster_entries(most_atoms):
        sizes.setdefault(e.kind, set()).add(e.n_atoms)
    bonds = np.arange(2.5, 4.5, 0.001)
    rows = []
    for name in SOFTNESS:
        agent = make(said | {"distance": name}, folder)
        start = time.process_time()
        best: dict[str, tuple[float, str, int, float]] = {}
        for known in agent.known_functions:
            for kind, atoms in sizes.items():
                for n in sorted(atoms):
                    values = known(kind, np.stack([bonds, np.full_like(bonds, n)], axis=-1))
                    at = int(values.argmin())
                    here = (float(values[at]), kind, n, float(bonds[at]))
                    best[known.quantity] = min(best.get(known.quantity, here), here)
        for quantity, (value, kind, n, bond) in best.items():
            curve = quantity.removeprefix(DISTANCE).lstrip(".") or "mean"
            print(
                f"{name:20}{curve:6}{value:8.3f} at {kind} of {n} atoms, {bond:.3f} Å", flush=True
            )
            rows.append(
                {
                    "distance": name,
                    "curve": curve,
                    "value": value,
                    "type": kind,
                    "n_atoms": n,
                    "bond": bond,
                }
            )
        print(f"{name:20}{time.process_time() - start:.0f} CPU s")
    return rows


def main() -> None:
    """Print the tables and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=14)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--atoms", type=int, nargs=2, default=(40, 300), help="of the targets")
    parser.add_argument("--descriptors", action="store_true")
    parser.add_argument("--measured", action="store_true")
    parser.add_argument("--most-atoms", type=int, default=400)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    if args.measured:
        rows = measured(args.most_atoms)
    else:
        rows = landscapes(
            args.targets,
            args.seed,
            atoms=(args.atoms[0], args.atoms[1]),
            descriptors=args.descriptors,
        )
    if args.output is not None:
        args.output.write_text(
            json.dumps({"settings": vars(args) | {"output": None}, "rows": rows})
        )


if __name__ == "__main__":
    main()
