"""Does `pdf.match` find the lattice of cluster PDFs, as well as fitting the whole library would?

DeepStruc's curves: one measured (platinum) and twelve simulated by another program; measured CdSe
particles among grains of both polymorphs and a cluster, and a fullerene among the clusters. Beside
the agent, least squares of every entry of its library (`--exhaustive`). `--strangers 30` does both
for simulated, noisy curves of irregular clusters that the library lacks. How honest probabilities
and intervals are is measured by `pdf_doubt.py`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from pdf_cluster_worlds import measured  # noqa: E402
from pdf_cluster_worlds import strangers as clusters_outside  # noqa: E402

from analysis.pdf.agents.match import TYPE, MatchAgent, make  # noqa: E402
from analysis.pdf.matching import fit  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402
from instruments.measurement import Measurement  # noqa: E402
from instruments.recorded_data import data_folder  # noqa: E402

SIMULATOR = {"q_min": 0.7, "q_max": 25.0}
"""What DeepStruc's simulated curves were made with; their files do not say."""

CDSE = {"clusters": False, "r_range": (1.5, 20.0), "q_min": 0.7}
"""Particles of CdSe among grains of its polymorphs; one file does not state Q_max."""

FULLERENE = {"r_range": (1.2, 7.3), "q_min": 0.7, "q_max": 20.0, "bond_range": (1.3, 2.0)}
"""Within the molecule; the file says nothing of its range of Q."""


def published(agents: dict[str, MatchAgent], *, exhaustive: bool) -> list[dict[str, object]]:
    """Read DeepStruc's curves, print a line each and return them."""
    folder = data_folder() / "pdf" / "deepstruc"
    rows = []
    print(f"{'file':34}{'true':13}{'found':16}{'atoms':>6}{'p':>6}{'R_w':>8}{'all':>8}{'CPU s':>7}")
    for line in csv.DictReader((folder / "truth.csv").open()):
        agent = agents["simulated" if line["file"].startswith("simulated") else "measured"]
        m = read_measurement(folder / line["file"])
        start = time.process_time()
        insight = agent.analyze([m], rng=np.random.default_rng(0))
        seconds = time.process_time() - start
        best = agent.match(agent.read(m))[0]
        least = whole_library(agent, m) if exhaustive else float("nan")
        types = insight.class_probabilities[TYPE]
        true = line["structure_type"].lower()
        row = {
            "file": line["file"],
            "true": true,
            "found": best.entry.name,
            "lattice_right": best.entry.lattice == true.replace("octahedron", "fcc"),
            "type_right": best.entry.kind == true,
            "p": types[best.entry.kind],
            "n_atoms": best.entry.n_atoms,
            "rw": best.rw,
            "rw_of_all": least,
            "cpu_seconds": seconds,
        }
        rows.append(row)
        print(
            f"{Path(line['file']).stem:34}{true:13}{best.entry.name:16}{best.entry.n_atoms:6}"
            f"{row['p']:6.2f}{best.rw:8.4f}{least:8.4f}{seconds:7.2f}",
            flush=True,
        )
    right = sum(bool(r["lattice_right"]) for r in rows)
    print(f"lattice right {right} of {len(rows)}")
    return rows


def others(*, exhaustive: bool) -> list[dict[str, object]]:
    """Read measured particles of other kinds, print a line each and return them."""
    folder = data_folder() / "pdf"
    with tempfile.TemporaryDirectory() as place:
        cadmium, carbon = Path(place) / "cdse", Path(place) / "c60"
        cadmium.mkdir()
        carbon.mkdir()
        for name in ("CdSe_wurtzite", "CdSe_zincblende"):
            shutil.copy(folder / f"reference_structures/{name}.cif", cadmium)
        shutil.copy(folder / "pdfttp/CdSe_cluster/CdSe.xyz", cadmium)
        (carbon / "C60.xyz").write_text(_fullerene(folder / "srfit_examples/C60.stru"))
        particles = make(CDSE | {"folder": cadmium}, Path())
        cluster = make(CDSE | {"folder": cadmium, "q_max": 20.0}, Path())
        molecule = make(FULLERENE | {"folder": carbon}, Path())
    cases = [
        (particles, "pdfttp/CdSe/CdSe-2.gr", "CdSe_wurtzite"),
        (particles, "pdfttp/CdSe/CdSe-3.gr", "CdSe_wurtzite"),
        (cluster, "pdfttp/CdSe_cluster/CdSe.gr", "CdSe"),
        (molecule, "srfit_examples/C60.gr", "C60"),
    ]
    return [_other(agent, folder / file, true, exhaustive) for agent, file, true in cases]


def _other(agent: MatchAgent, path: Path, true: str, exhaustive: bool) -> dict[str, object]:
    m = read_measurement(path)
    start = time.process_time()
    best = agent.match(agent.read(m))[0]
    spent = time.process_time() - start
    least = whole_library(agent, m) if exhaustive else float("nan")
    print(
        f"{path.stem:34}{true:16}{best.entry.name:20}{best.rw:8.4f}{least:8.4f}{spent:7.2f}",
        flush=True,
    )
    return {
        "file": path.name,
        "true": true,
        "found": best.entry.name,
        "right": best.entry.kind == true,
        "rw": best.rw,
        "rw_of_all": least,
        "cpu_seconds": spent,
    }


def _fullerene(path: Path) -> str:
    """Return the molecule of a PDFfit structure file as .xyz."""
    lines = path.read_text().splitlines()
    side = float(next(line for line in lines if line.startswith("cell")).split()[1].strip(","))
    places = [line.split()[1:4] for line in lines if line.startswith("C ")]
    atoms = ["C " + " ".join(f"{side * float(x):.5f}" for x in place) for place in places]
    return "\n".join([str(len(atoms)), "C60", *atoms])


def whole_library(agent: MatchAgent, m: Measurement) -> float:
    """Return the least R_w of every entry, each fitted from the scan's best bond."""
    reading = agent.read(m)
    return min(fit(c, reading).rw for c in agent.scanner.scan(reading))


def strangers(agent: MatchAgent, count: int, *, seed: int, harsh: bool) -> dict[str, float]:
    """Read clusters outside the library, by the agent and exhaustively; print what it loses."""
    rng = np.random.default_rng([seed, int(harsh)])
    lost, right, spent = [], [], []
    for cluster in clusters_outside(count, rng):
        made = measured(cluster, rng, harsh=harsh)
        start = time.process_time()
        best = agent.match(agent.read(made.measurement))[0]
        spent.append(time.process_time() - start)
        right.append(best.entry.lattice == cluster.lattice)
        lost.append(best.rw - whole_library(agent, made.measurement))
    found = {
        "curves": float(count),
        "lattice_right": float(np.mean(right)),
        "lost_more_than_0.001": float(np.mean(np.array(lost) > 1e-3)),
        "largest_loss": float(max(lost)),
        "largest_cpu_seconds": float(max(spent)),
    }
    for name, value in found.items():
        print(f"{name:24}{value:8.4f}")
    return found


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exhaustive", action="store_true", help="fit every entry as well")
    parser.add_argument("--strangers", type=int, default=0, help="simulated curves; 0 for none")
    parser.add_argument("--harsh", action="store_true", help="the world with more artefacts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    start = time.process_time()
    agent = make({}, Path())
    print(f"library of {len(agent.scanner.entries)}: {time.process_time() - start:.1f} CPU s")
    record: dict[str, object] = {}
    if said.strangers:
        record["strangers"] = strangers(agent, said.strangers, seed=said.seed, harsh=said.harsh)
    else:
        agents = {"measured": agent, "simulated": make(SIMULATOR, Path())}
        record["published"] = published(agents, exhaustive=said.exhaustive)
        record["others"] = others(exhaustive=said.exhaustive)
    if said.json is not None:
        said.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
