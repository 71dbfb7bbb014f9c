"""What p_wrong and the stds of total-scattering agents are worth, on simulations not learnt from.

`parameters`: fits of right and wrong crystals and of mixtures (`pdf_crystal_worlds.py`). `match`:
clusters, every second time with their lattice taken out (`pdf_cluster_worlds.py`). Constants are
learnt in the usual world (`--learn` prints them) and looked at in the harsh one, which has other
structures and artefacts. `motifs` and `demix` are in `pdf_doubt_of_motifs.py` and
`pdf_doubt_of_series.py`.

Printed: a reliability table, the expected calibration error (ECE), the chance that a wrong
statement is doubted more than a right one (AUROC), and how many right ones lie within one std.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import pdf_cluster_worlds as clusters  # noqa: E402
import pdf_crystal_worlds as crystals  # noqa: E402
import torch  # noqa: E402
from doubt_table import Case, told  # noqa: E402

from analysis.learning.calibration import fit_logistic  # noqa: E402
from analysis.pdf import doubt as of_crystals  # noqa: E402
from analysis.pdf import weighing as of_clusters  # noqa: E402
from analysis.pdf.agents.match import MatchAgent, make  # noqa: E402
from analysis.pdf.curves import SCAN_Q_MAX  # noqa: E402
from analysis.pdf.fit import Problem  # noqa: E402
from analysis.pdf.matching import Scanner  # noqa: E402


def parameters(count: int, *, harsh: bool) -> list[Case]:
    """Return what came of fits of crystals; those that abstain are left out."""
    found = []
    for seed in range(count):
        sample = crystals.sample(seed, harsh=harsh)
        finite = sample.q_damp is not None
        fit = Problem(sample.fitted, sample.data, q_damp=sample.q_damp, finite=finite).fit()
        if fit.rw > of_crystals.WORST_RW:
            continue
        std = of_crystals.STD_FACTOR * np.sqrt(np.diag(fit.covariance))
        off = {
            slot.name: float((value / (sample.stretch * slot.start) - 1) * slot.start / deviation)
            for slot, value, deviation in zip(fit.slots, fit.values, std, strict=True)
            if slot.name in ("a", "b", "c") and not sample.wrong
        }
        stated = of_crystals.doubt(fit, prior=0.5)
        features = tuple(of_crystals.features(fit).tolist())
        found.append(
            Case(f"{sample.fitted.name} {sample.kind}", sample.wrong, stated, features, off)
        )
    return found


def match(count: int, *, harsh: bool) -> list[Case]:
    """Return what came of clusters, with their lattice in the library and without."""
    agent = make({}, Path())
    rng = np.random.default_rng([7, int(harsh)])
    every, span = agent.scanner.entries, agent.settings.bond_range
    scanners = {
        lattice: Scanner(
            [e for e in every if e.lattice != lattice], bond_range=span, q_max=SCAN_Q_MAX
        )
        for lattice in clusters.LATTICES
    } | {"": agent.scanner}
    found = []
    for number, cluster in enumerate(clusters.strangers(count, rng)):
        sample = clusters.measured(cluster, rng, harsh=harsh)
        without = cluster.lattice if number // len(clusters.LATTICES) % 2 else ""
        agent.scanner = scanners[without]
        case = _matched(
            agent, sample, name=f"{cluster.kind} {len(cluster)} {'out' * bool(without)}"
        )
        found += [case] if case is not None else []
    return found


def _matched(agent: MatchAgent, sample: clusters.Sample, *, name: str) -> Case | None:
    reading = agent.read(sample.measurement)
    matches = agent.match(reading)
    if matches[0].rw > of_clusters.WORST_RW:
        return None
    wrong = matches[0].entry.lattice != sample.cluster.lattice
    off = {}
    if not wrong:
        for key, spread, true in (
            ("bond", of_clusters.bond(matches), sample.bond),
            ("n_atoms", of_clusters.n_atoms(matches), float(sample.n_atoms)),
        ):
            off[key] = (spread.mean - true) / spread.std
    stated = of_clusters.doubt(matches, reading)
    return Case(name, wrong, stated, tuple(of_clusters.features(matches, reading).tolist()), off)


AGENTS: dict[str, Callable[..., list[Case]]] = {"parameters": parameters, "match": match}


def main() -> None:
    """Learn, or print what the constants are worth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("agent", choices=AGENTS)
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--learn", action="store_true", help="in the usual world; prints constants")
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    torch.set_num_threads(1)
    cases = AGENTS[said.agent](said.count, harsh=not said.learn)
    if said.learn:
        wrong = np.array([c.wrong for c in cases])
        learnt = fit_logistic([c.features for c in cases], wrong)
        print(learnt, f"base = {wrong.mean():.3f}, n = {len(wrong)}")
        stated = learnt.probability([c.features for c in cases])
        cases = [replace(c, p_wrong=float(p)) for c, p in zip(cases, stated, strict=True)]
    record = {"summary": told(cases), "cases": [asdict(c) for c in cases]}
    if said.json is not None:
        said.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
