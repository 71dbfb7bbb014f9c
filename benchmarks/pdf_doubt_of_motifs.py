"""What the p_wrong of `pdf.motifs` is worth in a world that its constants were not learnt from.

`--learn` prints constants from the world of `pdf_motif_worlds.py`; in every second of its starting
models the largest cluster stands twice, as in a crystal. Half of the starting models hold the
sample. What that world lacks: clusters
sheared as a whole instead of atoms displaced one by one, molybdenum for tungsten, a shell of
solvent at 3.5 to 5 Å, Q from 1.0 to 16 or 24 1/Å. A motif is wrong if atoms in both it and the
sample are less than 0.8 of those in either.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from doubt_table import Case, told  # noqa: E402
from pdf_motif_worlds import METAL, R, World, cluster, crowd, curve, world  # noqa: E402

from analysis.learning.calibration import fit_logistic  # noqa: E402
from analysis.pdf.artefacts import draw_faults, measured_f_q  # noqa: E402
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF  # noqa: E402
from analysis.pdf.motifs.contributions import contributions, draw_masks  # noqa: E402
from analysis.pdf.motifs.doubt import WORST_RW, doubt, features  # noqa: E402
from analysis.pdf.motifs.fragments import FragmentConditions, FragmentFits  # noqa: E402
from analysis.pdf.motifs.naming import name_motif  # noqa: E402
from analysis.pdf.motifs.starting import starting_model  # noqa: E402
from analysis.pdf.preprocess import FitRange  # noqa: E402
from analysis.pdf.transform import QRange, g_r_kernel  # noqa: E402

N_FITS = 1000
SHARED = 0.8
OTHER_METAL = "Mo"


def harsh(seed: int) -> World:
    """Return a sample that the starting model holds, sheared, or one that it does not hold."""
    rng = np.random.default_rng([seed, 5])
    n = int(rng.integers(7, 14))
    parts = [cluster(n, rng), *(cluster(int(rng.integers(2, 7)), rng) for _ in range(3))]
    positions, elements = crowd(parts, rng)
    right = seed % 2 == 0
    sample, symbols = parts[0] if right else cluster(n, rng)
    shear = np.eye(3) + rng.uniform(0.0, 0.02) * rng.normal(size=(3, 3))
    sample = sample @ shear + rng.uniform(0.0, 0.06) * rng.normal(size=sample.shape)
    truth = np.zeros(elements.count(METAL), dtype=bool)
    truth[:n] = right
    model = starting_model(positions, [_renamed(e) for e in elements])
    return World(model, _curve(sample, [_renamed(e) for e in symbols], rng), truth)


def usual(seed: int) -> tuple[World, list[np.ndarray]]:
    """Return a world of `pdf_motif_worlds.py`, or one with two copies, and each copy's mask."""
    right = seed % 2 == 0
    if seed // 2 % 2 == 0:
        drawn = world(seed, right=right)
        return drawn, [drawn.truth]
    rng = np.random.default_rng([seed, 6])
    n = int(rng.integers(7, 14))
    first = cluster(n, rng)
    turned, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    parts = [first, (first[0] @ turned, first[1]), cluster(int(rng.integers(2, 7)), rng)]
    positions, elements = crowd(parts, rng)
    sample, symbols = first if right else cluster(n, rng)
    sample = rng.uniform(0.985, 1.015) * sample
    sample = sample + rng.uniform(0.0, 0.12) * rng.normal(size=sample.shape)
    which = np.arange(elements.count(METAL)) // n
    copies = [(which == k) & right for k in range(2)]
    drawn = World(starting_model(positions, elements), curve(sample, symbols, rng), copies[0])
    return drawn, copies


def _renamed(element: str) -> str:
    return OTHER_METAL if element == METAL else element


def _curve(positions: np.ndarray, elements: list[str], rng: np.random.Generator) -> FitRange:
    span = QRange(1.0, float(rng.choice([16.0, 24.0])))
    model = ClusterPDF(positions, elements, R, span)
    f_q = model.f_q(ClusterParameters(b_iso=float(rng.uniform(0.3, 1.2)), q_damp=0.0)).numpy()
    f_q = measured_f_q(f_q, model.q, draw_faults(rng), rng=rng)
    g_r = f_q @ g_r_kernel(model.q, R).numpy()
    place, width = rng.uniform(3.5, 5.0), rng.uniform(0.4, 0.8)
    solvent = rng.uniform(0.0, 0.3) * np.std(g_r) * np.exp(-0.5 * ((R - place) / width) ** 2)
    return FitRange(R, g_r + solvent, span.q_min, span.q_max)


def case(seed: int, drawn: World, truths: list[np.ndarray]) -> Case | None:
    """Return what came of one sample; None if nothing is named or the fit is refused."""
    fits = FragmentFits(drawn.model, drawn.data, conditions=FragmentConditions())
    masks = draw_masks(N_FITS, drawn.model.n_sampled, rng=np.random.default_rng(seed))
    rw = fits.fit(masks).rw
    motif = name_motif(fits, contributions(masks, rw).value)
    if motif is None or motif.rw > WORST_RW:
        return None
    same = max(np.sum(motif.mask & t) / np.sum(motif.mask | t) for t in truths)
    stated = doubt(motif.rw, rw, prior=0.5)
    table = tuple(features(motif.rw, rw).tolist())
    return Case(f"seed {seed}", bool(same < SHARED), stated, table, {})


def _drawn(seed: int, learn: bool) -> Case | None:
    if learn:
        return case(seed, *usual(seed))
    drawn = harsh(seed)
    return case(seed, drawn, [drawn.truth])


def main() -> None:
    """Print what the constants are worth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--learn", action="store_true", help="in the usual world; prints constants")
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    found = [c for seed in range(said.count) if (c := _drawn(seed, said.learn)) is not None]
    if said.learn:
        learnt = fit_logistic([c.features for c in found], [c.wrong for c in found])
        print(learnt, f"base = {np.mean([c.wrong for c in found]):.3f}")
        stated = learnt.probability([c.features for c in found])
        found = [replace(c, p_wrong=float(p)) for c, p in zip(found, stated, strict=True)]
    print(f"{said.count - len(found)} of {said.count} were refused or named nothing")
    record = {"summary": told(found), "cases": [asdict(c) for c in found]}
    if said.json is not None:
        said.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
