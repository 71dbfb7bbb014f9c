"""Does `pdf.structure` find clusters whose geometry its network never saw?

Three kinds of simulated G(r): `random`, new curves of clusters that were learnt, as a random split
of the literature gives; `unseen`, clusters kept from learning by parent; `faulty`, the same with
surface atoms missing, another Q_max, another Q_damp than is assumed, and noise that grows with Q
and a background, none as in training. The first two are without errors, under the conditions of
DeepStruc's curves. Beside each, the nearest entry of a library of the clusters that were learnt.
`published` reads DeepStruc's own curves, one of them measured; beside each, the least R_w of all
entries of the library of `pdf.match`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from pdf_match import whole_library  # noqa: E402

from analysis.insight import Insight  # noqa: E402
from analysis.pdf.agents.match import make as make_match  # noqa: E402
from analysis.pdf.agents.structure import LATTICE, StructureAgent, make  # noqa: E402
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF  # noqa: E402
from analysis.pdf.clusters import Cluster, with_defects  # noqa: E402
from analysis.pdf.curves import SCAN_Q_MAX  # noqa: E402
from analysis.pdf.library import Entry, shells  # noqa: E402
from analysis.pdf.matching import Scanner, chosen, fit  # noqa: E402
from analysis.pdf.structure.comparing import position_error  # noqa: E402
from analysis.pdf.structure.disposing import Found  # noqa: E402
from analysis.pdf.structure.regularity import length_by_faces  # noqa: E402
from analysis.pdf.structure.settings import recipe_of  # noqa: E402
from analysis.pdf.training.structure_curves import (  # noqa: E402
    Truth,
    as_measurement,
    r_grid,
    simulated_without_faults,
)
from analysis.pdf.training.structure_trainer import parts  # noqa: E402
from analysis.pdf.transform import QRange  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402
from instruments.measurement import Measurement  # noqa: E402
from instruments.recorded_data import data_folder  # noqa: E402

MOST_ATOMS = 200
"""As many as clusters of the literature have."""
MISSING = 0.06
SIMULATOR = {"q_min": 0.7, "q_max": 25.0}
QUANTITIES = ("pdf.bond", "pdf.n_atoms", "pdf.radius_of_gyration")


@dataclass(frozen=True, slots=True)
class Case:
    """A cluster, its curve and the bond [Å] that it has."""

    cluster: Cluster
    bond: float
    curve: Measurement


class Nearest:
    """The baseline: the best entry of a library of learnt clusters, after least squares."""

    def __init__(self, clusters: Sequence[Cluster]) -> None:
        self._clusters = {c.parent: c for c in clusters}
        entries = [
            Entry(c.parent, c.kind, c.lattice, len(c), *shells(c.positions, np.ones(len(c))))
            for c in clusters
        ]
        self._scanner = Scanner(entries, bond_range=(1.9, 3.6), q_max=SCAN_Q_MAX)

    def read(self, agent: StructureAgent, case: Case) -> dict[str, float]:
        """Return how well the nearest entry does."""
        reading = agent.read(case.curve)
        candidates = chosen(self._scanner.scan(reading), best=6, each=1)
        best = min((fit(c, reading) for c in candidates), key=lambda m: m.rw)
        cluster = self._clusters[best.entry.name]
        truth = case.bond * case.cluster.positions
        return {
            "library_lattice_right": float(cluster.lattice == case.cluster.lattice),
            "library_type_right": float(cluster.kind == case.cluster.kind),
            "library_error": position_error(best.bond * cluster.positions, truth),
            "library_atoms_off": abs(len(cluster) / len(case.cluster) - 1),
            "library_rw": best.rw,
        }


def drawn(kind: str, clusters: Sequence[Cluster], count: int, seed: int) -> Iterator[Case]:
    """Yield cases of a kind, clusters without repetition while there are any."""
    rng = np.random.default_rng((seed, 2026, len(kind)))
    order = rng.permutation(len(clusters))
    for number in range(count):
        cluster = clusters[int(order[number % len(order)])]
        bond = float(rng.uniform(2.3, 3.2))
        if kind != "faulty":
            ideal = ClusterParameters(b_iso=0.3, delta2=2.0, q_damp=0.04)
            truth = Truth(bond, ideal, QRange(0.7, 25.0))
            yield Case(cluster, bond, simulated_without_faults(cluster.positions, truth))
        else:
            if len(cluster) > 20:
                cluster = with_defects(cluster, rng=rng, most=MISSING)
            yield Case(cluster, bond, faulty(cluster, bond, rng))


def faulty(cluster: Cluster, bond: float, rng: np.random.Generator) -> Measurement:
    """Return a G(r) with faults that the training did not have."""
    span = QRange(float(rng.uniform(0.5, 1.3)), float(rng.uniform(15.0, 22.0)))
    sample = ClusterParameters(
        b_iso=float(rng.uniform(0.2, 1.2)),
        delta2=float(rng.uniform(0.0, 2.5)),
        q_damp=float(rng.uniform(0.03, 0.055)),
    )
    model = ClusterPDF(bond * cluster.positions, "Au", r_grid(), span)
    q = model.q
    noise = 10 ** rng.uniform(-3.0, -1.8) * np.sqrt(1 + (q / 8) ** 2) * rng.normal(size=q.size)
    background = 0.02 * rng.normal() * np.exp(-q / 4)
    f_q = model.f_q(sample).numpy() + q * (noise + background)
    return as_measurement(f_q, q, q_damp=float(sample.q_damp))


def judged(agent: StructureAgent, case: Case, rng: np.random.Generator) -> dict[str, object]:
    """Return how well the agent does."""
    begin = time.process_time()
    reading = agent.read(case.curve)
    solution = agent.solve(reading, rng=rng)
    insight = agent.told(case.curve, reading, solution)
    seconds = time.process_time() - begin
    best, truth = solution.found[0], case.bond * case.cluster.positions
    row: dict[str, object] = {
        "parent": case.cluster.parent,
        "kind": case.cluster.kind,
        "n_atoms": len(truth),
        "found_atoms": int(best.mask.sum()),
        "lattice_right": best.lattice == case.cluster.lattice,
        "network_right": agent.likeliest_lattice(solution) == case.cluster.lattice,
        "type_right": type_of(best) == case.cluster.kind,
        "error": position_error(best.positions, truth),
        "atoms_off": abs(int(best.mask.sum()) / len(truth) - 1),
        "rw": best.fit.rw,
        "p_wrong": insight.p_wrong,
        "p_lattice": insight.class_probabilities.get(LATTICE, {}).get(best.lattice),
        "cpu_seconds": seconds,
    }
    return row | deviations(insight, case.bond, truth)


def deviations(insight: Insight, bond: float, truth: np.ndarray) -> dict[str, object]:
    """Return how far every estimate is off, in stds."""
    around = truth - truth.mean(axis=0)
    true = (bond, float(len(truth)), float(np.sqrt((around**2).sum(axis=1).mean())))
    found: dict[str, object] = {}
    for name, value in zip(QUANTITIES, true, strict=True):
        estimate = insight.estimates.get(name)
        if estimate is not None and estimate.std:
            found[f"off.{name}"] = abs(estimate.value - value) / estimate.std
            found[f"error.{name}"] = estimate.value - value
    return found


def type_of(found: Found) -> str:
    """Return the type: face-centred shapes are octahedra where {111} and {100} tell them best."""
    if found.lattice != "fcc":
        return found.lattice
    sites = found.draw.sites
    cubes, rhombs, octahedra = sites.faces
    without = [octahedra, np.concatenate([cubes, octahedra])]
    within = [cubes, rhombs, *(np.concatenate([rhombs, f]) for f in (cubes, octahedra))]
    within.append(np.concatenate([cubes, rhombs, octahedra]))
    plain = min(length_by_faces(f, found.mask, sites.positions) for f in without)
    other = min(length_by_faces(f, found.mask, sites.positions) for f in within)
    return "octahedron" if plain <= other else "fcc"


def summary(rows: Sequence[dict[str, object]]) -> dict[str, float]:
    """Return the numbers of a table, and print them."""

    def mean(key: str, some: Sequence[dict[str, object]]) -> float:
        values = [float(np.asarray(r[key], dtype=np.float64)) for r in some if key in r]
        return float(np.mean(values)) if values else float("nan")

    large = [r for r in rows if int(str(r["n_atoms"])) >= 30]
    errors = np.array([float(str(r["error"])) for r in rows])
    found = {
        "curves": float(len(rows)),
        "position_error": float(errors.mean()),
        "position_error_std_of_mean": float(errors.std() / np.sqrt(len(rows))),
        "position_error_median": float(np.median(errors)),
        "share_below_0.05": float(np.mean(errors < 0.05)),
        "library_error": mean("library_error", rows),
        "atoms_off": mean("atoms_off", rows),
        "atoms_off_median": float(np.median([float(str(r["atoms_off"])) for r in rows])),
        "library_atoms_off": mean("library_atoms_off", rows),
        "lattice_right": mean("lattice_right", rows),
        "lattice_right_of_30_atoms": mean("lattice_right", large),
        "of_30_atoms": float(len(large)),
        "network_lattice_right": mean("network_right", rows),
        "library_lattice_right": mean("library_lattice_right", rows),
        "type_right": mean("type_right", rows),
        "library_type_right": mean("library_type_right", rows),
        "median_rw": float(np.median([float(str(r["rw"])) for r in rows])),
        "library_rw_median": float(np.median([float(str(r["library_rw"])) for r in rows])),
        "cpu_seconds": mean("cpu_seconds", rows),
        "most_cpu_seconds": max(float(str(r["cpu_seconds"])) for r in rows),
        "stated_wrong": mean("p_wrong", [r for r in rows if r["p_wrong"] is not None]),
        "wrong": float(np.mean([is_wrong(r) for r in rows])),
    }
    for name in QUANTITIES:
        off = [float(str(r[f"off.{name}"])) for r in rows if f"off.{name}" in r]
        found[f"within_1_std.{name}"] = float(np.mean(np.array(off) < 1))
        found[f"within_2_std.{name}"] = float(np.mean(np.array(off) < 2))
        found[f"mean_error.{name}"] = mean(f"error.{name}", rows)
    for key, value in found.items():
        print(f"  {key:42}{value:9.4f}")
    return found


def is_wrong(row: dict[str, object]) -> bool:
    """Return whether the structure is wrong, as `p_wrong` means it."""
    return not row["lattice_right"] or float(str(row["error"])) > 0.5


def published(settings: dict[str, object]) -> list[dict[str, object]]:
    """Read DeepStruc's curves, print a line each and return them."""
    folder = data_folder() / "pdf" / "deepstruc"
    measured, simulator = make(settings, Path()), make({**settings, **SIMULATOR}, Path())
    libraries = {measured: make_match({}, Path()), simulator: make_match(SIMULATOR, Path())}
    rows = []
    for line in csv.DictReader((folder / "truth.csv").open()):
        agent = simulator if line["file"].startswith("simulated") else measured
        curve = read_measurement(folder / line["file"])
        begin = time.process_time()
        solution = agent.solve(agent.read(curve), rng=np.random.default_rng(0))
        insight = agent.told(curve, agent.read(curve), solution)
        seconds = time.process_time() - begin
        best, true = solution.found[0], line["structure_type"].lower()
        row: dict[str, object] = {
            "file": line["file"],
            "true": true,
            "found": type_of(best),
            "lattice_right": best.lattice == true.replace("octahedron", "fcc"),
            "n_atoms": int(best.mask.sum()),
            "bond": best.fit.bond,
            "rw": best.fit.rw,
            "least_rw": min(f.fit.rw for f in solution.found),
            "library_rw": whole_library(libraries[agent], curve),
            "p_wrong": insight.p_wrong,
            "cpu_seconds": seconds,
        }
        rows.append(row)
        print(
            f"{Path(line['file']).stem:30}{true:13}{row['found']!s:13}{best.mask.sum():5}"
            f"{best.fit.bond:8.3f}{best.fit.rw:8.4f}{row['least_rw']:8.4f}"
            f"{row['library_rw']:8.4f}"
            f"{insight.p_wrong if insight.p_wrong is not None else 1:7.2f}{seconds:7.1f}",
            flush=True,
        )
    print(f"lattice right {sum(bool(r['lattice_right']) for r in rows)} of {len(rows)}")
    return rows


def simulations(kind: str, count: int, seed: int, settings: dict[str, object]) -> dict[str, object]:
    """Return rows and summary of one kind of curves, a line printed for each."""
    agent = make(settings, Path())
    split = parts(recipe_of(agent.settings.recipe), agent.settings.seed)
    learnt = [c for c in split.learnt if len(c) <= MOST_ATOMS]
    unseen = [c for c in split.test if len(c) <= MOST_ATOMS]
    library, rows = Nearest(split.learnt), []
    rng = np.random.default_rng(seed)
    for case in drawn(kind, learnt if kind == "random" else unseen, count, seed):
        row = judged(agent, case, rng) | library.read(agent, case)
        rows.append(row)
        print(
            f"{row['parent']!s:20}{row['n_atoms']:5}{row['found_atoms']:5} error {row['error']:.3f}"
            f" ({row['library_error']:.3f}) R_w {row['rw']:.4f} ({row['library_rw']:.4f})"
            f" p_wrong {row['p_wrong']} {row['cpu_seconds']:.1f} s",
            flush=True,
        )
    return {"rows": rows, "summary": summary(rows)}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("random", "unseen", "faulty", "published"))
    parser.add_argument("--count", type=int, default=40, help="simulated curves")
    parser.add_argument("--seed", type=int, default=0, help="of the curves")
    parser.add_argument("--recipe", default="standard")
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    settings: dict[str, object] = {"recipe": said.recipe}
    if said.kind == "published":
        record: object = published(settings)
    else:
        record = simulations(said.kind, said.count, said.seed, settings)
    if said.json is not None:
        said.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
