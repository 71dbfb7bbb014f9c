"""Speed and truth of the pair distribution functions: batches of clusters, crystals, and fits.

Clusters: how many an F(Q) and G(r) a CPU second, distances included, and with distances cached
under conditions and noise of their own; how far histograms and tables are off the exact sum.
Crystals: G(r) beside PDFfit2's on the same grid, and least squares of both to Ni, Si and CdSe. For
the latter `pip install sdlab[pdf-oracle]` and SDLAB_DATA are needed; what is missing is said.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402  after the thread counts
import torch  # noqa: E402

from analysis.pdf.batches import (  # noqa: E402
    Conditions,
    DebyeTable,
    batch_f_q,
    pair_histograms,
)
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF  # noqa: E402
from analysis.pdf.clusters import Cluster, cut_clusters, ideal_clusters  # noqa: E402
from analysis.pdf.fit import Problem, names  # noqa: E402
from analysis.pdf.preprocess import prepare  # noqa: E402
from analysis.pdf.transform import QRange, g_r_kernel  # noqa: E402
from analysis.physics.crystal import read_crystal  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402
from instruments.recorded_data import data_folder  # noqa: E402

R = np.arange(1.5, 30.0, 0.1)
RANGE = QRange(0.7, 25.0)
BATCH = 256
BOND = 2.77
FITS = (
    ("Ni", "pdfttp/Ni/Ni.gr"),
    ("Ni", "srfit_examples/ni-q27r60-xray.gr"),
    ("Si", "srfit_examples/si-q27r60-xray.gr"),
    ("CdSe_wurtzite", "pdfttp/CdSe/CdSe-bulk.gr"),
)
R_RANGE = (1.5, 30.0)


def clusters_of(n_atoms: int, *, count: int, seed: int) -> list[Cluster]:
    """Return ellipsoidal cuts of about so many atoms."""
    span = (int(0.95 * n_atoms), int(1.05 * n_atoms))
    return cut_clusters(count // 4, rng=np.random.default_rng(seed), atoms=span)


def speed_with_distances(clusters: list[Cluster]) -> dict[str, float]:
    """Return clusters a CPU second from positions to G(r), in blocks."""
    q = np.arange(RANGE.q_min, RANGE.q_max + 1e-9, 0.1)
    kernel, q = g_r_kernel(q, R), torch.from_numpy(q)
    start = time.process_time()
    for first in range(0, len(clusters), BATCH):
        histograms = pair_histograms([c.positions for c in clusters[first : first + BATCH]])
        batch_f_q(histograms, q, bond=BOND, b_iso=0.3, delta2=2.0) @ kernel
    spent = time.process_time() - start
    return {
        "clusters": len(clusters),
        "mean_atoms": float(np.mean([len(c) for c in clusters])),
        "per_cpu_second": len(clusters) / spent,
    }


def conditions(n: int, n_clusters: int, rng: np.random.Generator) -> Conditions:
    """Return bonds, displacements and instruments as training would draw them."""
    bounds = ((2.3, 3.2), (0.15, 1.6), (0.0, 3.0), (0.5, 1.4), (14.0, 28.0), (0.01, 0.08))
    columns = [torch.from_numpy(rng.uniform(low, high, n)) for low, high in bounds]
    return Conditions(torch.from_numpy(rng.integers(0, n_clusters, n)), *columns)


def speed_cached(clusters: list[Cluster], *, count: int, seed: int) -> dict[str, float]:
    """Return noisy G(r) a CPU second, each under conditions of its own, and the table's cost."""
    rng = np.random.default_rng(seed)
    start = time.process_time()
    table = DebyeTable(pair_histograms([c.positions for c in clusters]), x_max=28.0 * 3.2)
    built = time.process_time() - start
    q = np.arange(0.48, 28.0, 0.08)
    kernel, q, r = g_r_kernel(q, R), torch.from_numpy(q), torch.from_numpy(R)
    noise = torch.Generator().manual_seed(seed)
    start = time.process_time()
    for _ in range(0, count, BATCH):
        drawn = conditions(BATCH, len(clusters), rng)
        errors = torch.randn(BATCH, len(q), generator=noise) * (2e-3 * q.float())
        table.g_r(drawn, q, kernel, r, noise=errors)
    spent = time.process_time() - start
    made = BATCH * len(range(0, count, BATCH))
    return {"curves": made, "per_cpu_second": made / spent, "table_cpu_s": built}


def error_of_batches(clusters: list[Cluster]) -> dict[str, float]:
    """Return ‖batch − exact‖/‖exact‖ of G(r), median and largest, by histogram and by table."""
    histograms = pair_histograms([c.positions for c in clusters])
    q = np.arange(0.7, 25.001, 0.05)
    kernel, grid = g_r_kernel(q, R), torch.from_numpy(q)
    by_histogram = batch_f_q(histograms, grid, bond=BOND, b_iso=0.3, delta2=2.0) @ kernel
    fixed = [torch.full((len(clusters),), v) for v in (BOND, 0.3, 2.0, 0.6, 26.0, 0.0)]
    drawn = Conditions(torch.arange(len(clusters)), *fixed)
    by_table = DebyeTable(histograms, x_max=80.0).g_r(drawn, grid, kernel, torch.from_numpy(R))
    found: dict[str, list[float]] = {"histogram": [], "table": []}
    for i, cluster in enumerate(clusters):
        model = ClusterPDF(BOND * cluster.positions, "Pt", R, RANGE)
        exact = model.g_r(ClusterParameters(b_iso=0.3, delta2=2.0))
        for name, curve in (("histogram", by_histogram[i]), ("table", by_table[i])):
            found[name].append(float((curve - exact).norm() / exact.norm()))
    return {
        f"{name}_{what}": float(function(values))
        for name, values in found.items()
        for what, function in (("median", np.median), ("largest", np.max))
    }


def own_fit(phase: str, file: str) -> tuple[dict, Problem]:
    """Return our fit to a published G(r): values, errors, R_w, CPU seconds."""
    crystal = read_crystal(data_folder() / "pdf/reference_structures" / f"{phase}.cif")
    data = prepare(read_measurement(data_folder() / "pdf" / file), r_range=R_RANGE)
    start = time.process_time()
    problem = Problem(crystal, data)
    fit = problem.fit()
    spent = time.process_time() - start
    values = dict(zip(names(fit.slots), fit.values.tolist(), strict=True))
    std = dict(zip(names(fit.slots), np.sqrt(np.diag(fit.covariance)).tolist(), strict=True))
    return {"values": values, "std": std, "rw": fit.rw, "cpu_s": spent}, problem


def compared(phase: str, file: str) -> dict:
    """Return our fit and PDFfit2's, and how far the two engines' curves are apart."""
    from pdf_oracle import calculated, refined  # needs the extra `pdf-oracle`

    ours, problem = own_fit(phase, file)
    path = data_folder() / "pdf/reference_structures" / f"{phase}.cif"
    theirs = refined(path, problem.data, ours["values"])
    r, g_r = calculated(path, problem.data, ours["values"])
    vector = torch.tensor(list(ours["values"].values()), dtype=torch.float64)
    own = Problem(problem.crystal, replace(problem.data, r=r, g_r=g_r)).curve(vector).numpy()
    beyond = r > 2.0
    apart = np.linalg.norm((own - g_r)[beyond]) / np.linalg.norm(g_r[beyond])
    pulls = {
        name: (ours["values"][name] - theirs["values"][name])
        / float(np.hypot(ours["std"][name], theirs["std"][name]))
        for name in ours["values"]
    }
    return {"file": file, "ours": ours, "pdffit2": theirs, "curves_apart": apart, "pulls": pulls}


def report_fits() -> list[dict]:
    """Return the comparisons, or why there are none."""
    if not (data_folder() / "pdf").is_dir():
        print("SDLAB_DATA names no folder with pdf/; no fits")
        return []
    if importlib.util.find_spec("diffpy.pdffit2") is None:
        print("diffpy.pdffit2 is not installed (extra pdf-oracle); our fits alone")
        return [{"file": file, "ours": own_fit(phase, file)[0]} for phase, file in FITS]
    return [compared(phase, file) for phase, file in FITS]


def print_fits(fits: list[dict]) -> None:
    """Print one line a parameter."""
    for fit in fits:
        theirs = fit.get("pdffit2", {"values": {}, "std": {}, "rw": np.nan, "cpu_s": np.nan})
        print(f"\n{fit['file']}: curves apart {fit.get('curves_apart', np.nan):.4f}")
        print(f"  R_w {fit['ours']['rw']:.4f} | {theirs['rw']:.4f}", end="   ")
        print(f"CPU s {fit['ours']['cpu_s']:.2f} | {theirs['cpu_s']:.2f}")
        for name, value in fit["ours"]["values"].items():
            other, error = theirs["values"].get(name, np.nan), theirs["std"].get(name, np.nan)
            pull = fit.get("pulls", {}).get(name, np.nan)
            print(
                f"  {name:10} {value:10.5f} ± {fit['ours']['std'][name]:.5f} | "
                f"{other:10.5f} ± {error:.5f}   pull {pull:+.2f}"
            )


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    clusters = clusters_of(150, count=1000, seed=arguments.seed)
    library = ideal_clusters()
    report = {
        "with_distances": speed_with_distances(clusters),
        "cached": speed_cached(library, count=20_000, seed=arguments.seed),
        "error": error_of_batches(library[:: max(1, len(library) // 60)]),
        "fits": report_fits(),
    }
    for name in ("with_distances", "cached", "error"):
        print(name, {key: round(value, 4) for key, value in report[name].items()})
    print_fits(report["fits"])
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    sys.exit(main())
