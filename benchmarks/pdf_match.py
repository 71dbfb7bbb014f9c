"""Does `pdf.match` find the lattice of cluster PDFs, as well as fitting the whole library would?

DeepStruc's curves: one measured (platinum) and twelve simulated by another program. Beside the
agent, least squares of every entry of its library (`--exhaustive`). `--calibrate 40` reads
simulated, noisy curves of irregular clusters that the library lacks, a third with the true lattice
taken out as well, and says how often probabilities and intervals are right.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts

from analysis.pdf.agents.match import LATTICE, TYPE, MatchAgent, make  # noqa: E402
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF  # noqa: E402
from analysis.pdf.clusters import (  # noqa: E402
    Cluster,
    cut_clusters,
    ideal_clusters,
    with_defects,
)
from analysis.pdf.curves import SCAN_Q_MAX  # noqa: E402
from analysis.pdf.library import Entry  # noqa: E402
from analysis.pdf.matching import Scanner, fit  # noqa: E402
from analysis.pdf.transform import QRange  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402
from instruments.measurement import Measurement  # noqa: E402
from instruments.recorded_data import data_folder  # noqa: E402

SIMULATOR = {"q_min": 0.7, "q_max": 25.0}
"""What DeepStruc's simulated curves were made with; their files do not say."""

NOW = datetime(2026, 1, 1, tzinfo=UTC)


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


def whole_library(agent: MatchAgent, m: Measurement) -> float:
    """Return the least R_w of every entry, each fitted from the scan's best bond."""
    reading = agent.read(m)
    return min(fit(c, reading).rw for c in agent.scanner.scan(reading))


def calibrate(agent: MatchAgent, count: int, seed: int) -> dict[str, float]:
    """Read curves of clusters outside the library and print how honest the answers are."""
    rng = np.random.default_rng([seed, 77])
    library = agent.scanner.entries
    rows = []
    for number, cluster in enumerate(_strangers(count, rng)):
        bond = float(rng.uniform(2.3, 3.2))
        m = _simulated(cluster, bond, rng)
        without = number % 3 == 2
        kept = [e for e in library if not without or e.lattice != cluster.lattice]
        agent.scanner = (
            Scanner(kept, bond_range=agent.settings.bond_range, q_max=SCAN_Q_MAX)
            if without
            else _full(agent, library)
        )
        insight = agent.analyze([m], rng=rng)
        if insight.abstained:
            rows.append({"without": without, "abstained": True, "rw": insight.quality["rw"]})
            continue
        lattices = insight.class_probabilities[LATTICE]
        found = max(lattices, key=lattices.__getitem__)
        deviations = {}
        for name, true in (("bond", bond), ("n_atoms", float(len(cluster)))):
            estimate = insight.estimates[f"pdf.{name}"]
            deviations[name] = (estimate.value - true) / (estimate.std or np.nan)
        rows.append(
            {
                "without": without,
                "abstained": False,
                "rw": insight.quality["rw"],
                "p": lattices[found],
                "right": found == cluster.lattice,
                "doubt": insight.p_wrong,
                "n": len(cluster),
                **deviations,
            }
        )
    agent.scanner = _full(agent, library)
    return _honesty(rows)


def _honesty(rows: list[dict[str, object]]) -> dict[str, float]:
    spoken = [r for r in rows if not r["abstained"]]
    known = [r for r in spoken if not r["without"]]
    found = {
        "known": float(sum(not r["without"] for r in rows)),
        "lattice_right": float(np.mean([r["right"] for r in known])),
        "mean_p": float(np.mean([r["p"] for r in known])),
        "median_rw": float(np.median([r["rw"] for r in known])),
        "largest_rw": float(max(r["rw"] for r in known)),
        "least_rw_without": float(min(r["rw"] for r in rows if r["without"])),
        "median_rw_without": float(np.median([r["rw"] for r in rows if r["without"]])),
    }
    for name in ("bond", "n_atoms"):
        off = np.abs([r[name] for r in known if r["right"]])
        found[f"{name}_within_1_std"] = float(np.mean(off < 1))
        found[f"{name}_within_2_std"] = float(np.mean(off < 2))
    for name, value in found.items():
        print(f"{name:24}{value:8.3f}")
    return found


_SCANNERS: dict[int, Scanner] = {}


def _full(agent: MatchAgent, library: tuple[Entry, ...]) -> Scanner:
    """Return the scanner of the whole library, made once."""
    if id(library) not in _SCANNERS:
        _SCANNERS[id(library)] = Scanner(
            library, bond_range=agent.settings.bond_range, q_max=SCAN_Q_MAX
        )
    return _SCANNERS[id(library)]


def _strangers(count: int, rng: np.random.Generator) -> list[Cluster]:
    """Return irregular cuts and regular shapes with defects, none of the library."""
    cuts = cut_clusters(max(1, count // 8), rng=rng, atoms=(30, 350))
    shapes = ideal_clusters(most_atoms=350, fewest_atoms=30)
    shapes = [c for c in shapes if c.kind in ("icosahedron", "decahedron", "octahedron")]
    chosen = rng.choice(len(shapes), count)
    defects = [with_defects(shapes[i], rng=rng) for i in chosen]
    mixed = cuts + defects[: max(0, count - len(cuts))]
    return [mixed[i] for i in rng.permutation(len(mixed))][:count]


def _simulated(cluster: Cluster, bond: float, rng: np.random.Generator) -> Measurement:
    """Return a noisy G(r), by the exact sum: Q to 14–25 1/Å, B of 0.2–1.2 Å²."""
    r = np.arange(1.0, 30.0, 0.02)
    span = QRange(float(rng.uniform(0.5, 1.2)), float(rng.uniform(14.0, 25.0)))
    model = ClusterPDF(bond * cluster.positions, "Au", r, span)
    said = ClusterParameters(
        b_iso=float(rng.uniform(0.2, 1.2)), delta2=float(rng.uniform(0, 2.5)), q_damp=0.04
    )
    f_q = model.f_q(said).numpy()
    f_q = f_q + 10 ** rng.uniform(-2.5, -1.3) * model.q * rng.normal(size=f_q.shape)
    kernel = (2 / np.pi) * (model.q[1] - model.q[0]) * np.sin(np.outer(model.q, r))
    g_r = (f_q @ kernel) * np.exp(-0.5 * (0.04 * r) ** 2)
    return Measurement(
        id="cluster/pdf/0",
        sample_id="cluster",
        technique="pdf",
        x=r,
        y=g_r,
        sigma=None,
        x_name="r",
        x_unit="Å",
        y_name="g_r",
        y_unit="1/Å²",
        instrument="simulation",
        simulated=True,
        started=NOW,
        finished=NOW,
        settings={"q_min": span.q_min, "q_max": span.q_max},
    )


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exhaustive", action="store_true", help="fit every entry as well")
    parser.add_argument("--calibrate", type=int, default=0, help="simulated curves; 0 for none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    start = time.process_time()
    agent = make({}, Path())
    print(f"library of {len(agent.scanner.entries)}: {time.process_time() - start:.1f} CPU s")
    record: dict[str, object] = {}
    if said.calibrate:
        record["calibration"] = calibrate(agent, said.calibrate, said.seed)
    else:
        agents = {"measured": agent, "simulated": make(SIMULATOR, Path())}
        record["published"] = published(agents, exhaustive=said.exhaustive)
    if said.json is not None:
        said.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
