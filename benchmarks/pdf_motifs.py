"""Which atoms of a starting model explain a PDF: twelve tungsten of a Keggin cluster in solution.

How it is judged, written down before any fit. Truth: the connected pieces of twelve tungsten
(W–W below 3.9 Å) of each of the four starting models; model a holds one, b, c and d two copies.
Ranking: how many of the tungsten with the lowest contributions are in those pieces (12, or 24).
Motif: right if it is one whole piece and nothing else; the agent is not told how many atoms.
Halves: of 1,000 fits 500 against 500, Spearman's rank correlation of contributions over seeds, with
and without the starting model's symmetry, and for plain differences of means over masks drawn one
by one. Time: CPU seconds of one thread from files to insight.

Seen before these numbers: the first fits of all four models, after which zooms were widened from 1
to 2.5 % (they had ended at the limit) and the rule that names a motif was written. That a motif
grows, and by how much a fit must gain, was decided on simulations 0 to 79 alone.

`--doubt N` fits the constants of p_wrong on the even of N simulations and looks at the odd ones;
`--xyz FOLDER` writes the motifs. Needs SDLAB_DATA but for `--doubt`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402  after the thread counts
from pdf_motif_worlds import world  # noqa: E402
from scipy.optimize import minimize  # noqa: E402
from scipy.sparse.csgraph import connected_components  # noqa: E402
from scipy.spatial.distance import cdist  # noqa: E402
from scipy.stats import spearmanr  # noqa: E402

from analysis.pdf.agents.motifs import Motifs, make  # noqa: E402
from analysis.pdf.motifs.contributions import contributions, draw_masks  # noqa: E402
from analysis.pdf.motifs.doubt import features  # noqa: E402
from analysis.pdf.motifs.fragments import FragmentConditions, FragmentFits  # noqa: E402
from analysis.pdf.motifs.naming import name_motif  # noqa: E402
from analysis.pdf.motifs.symmetry import symmetries  # noqa: E402
from analysis.pdf.preprocess import prepare  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402
from instruments.recorded_data import data_folder  # noqa: E402

MODELS = ("a", "b", "c", "d")
N_FITS = 1000
FEW_FITS = 64
PULL = 0.01
"""Weight of slope² in the loss of the logistic curve."""


def whole_pieces(agent: Motifs) -> list[np.ndarray]:
    """Return the masks of the connected pieces of twelve tungsten."""
    positions = agent.model.positions[agent.model.sampled]
    _, piece = connected_components(cdist(positions, positions) < 3.9)
    return [piece == label for label in np.unique(piece) if np.sum(piece == label) == 12]


def keggin(folder: Path, name: str, *, seed: int, xyz: Path | None) -> dict[str, object]:
    """Return what the agent says of one starting model, beside the truth."""
    start = time.process_time()
    measurement = read_measurement(folder / "DanMAX_AlphaKeggin.gr")
    agent = make({"model": f"starting_models/model_{name}.xyz", "fits": N_FITS}, folder)
    insight = agent.analyze([measurement], rng=np.random.default_rng(seed))
    spent = time.process_time() - start
    pieces = whole_pieces(agent)
    whole = np.any(pieces, axis=0)
    columns = insight.evidence["contributions"].columns
    first = np.argsort(columns["contribution"])[: whole.sum()]
    motif = columns["motif"] > 0
    if xyz is not None:
        text = agent.model.xyz(motif, comment=f"motif of model {name}")
        (xyz / f"motif_{name}.xyz").write_text(text, encoding="utf-8")
    return {
        "model": name,
        "tungsten": agent.model.n_sampled,
        "ranked_right": int(whole[first].sum()),
        "of": int(whole.sum()),
        "motif_is_whole_piece": any(bool((motif == p).all()) for p in pieces),
        "motif_atoms": int(motif.sum()),
        "rw": insight.quality["rw"],
        "p_wrong": insight.p_wrong,
        "cpu_s": spent,
    }


def halves(folder: Path, name: str, *, seeds: range, size: int) -> dict[str, object]:
    """Return rank correlations of two sets of `size` fits each, and the pulls between them."""
    agent = make({"model": f"starting_models/model_{name}.xyz"}, folder)
    data = prepare(read_measurement(folder / "DanMAX_AlphaKeggin.gr"), r_range=(1.6, 10.0))
    fits = FragmentFits(
        agent.model,
        data,
        conditions=agent.settings.conditions,
        composition={"W": 12.0, "O": 40.0},
    )
    group, n = symmetries(agent.model), agent.model.n_sampled
    found: dict[str, list[float]] = {"symmetric": [], "plain process": [], "means": []}
    pulls = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        masks = [draw_masks(size, n, rng=rng) for _ in range(2)]
        rw = [fits.fit(m).rw for m in masks]
        pairs = {
            "symmetric": [contributions(masks[i], rw[i], symmetries=group) for i in (0, 1)],
            "plain process": [contributions(masks[i], rw[i]) for i in (0, 1)],
        }
        for key, (one, other) in pairs.items():
            # what symmetry makes equal is equal but for rounding
            found[key].append(correlation(one.value.round(9), other.value.round(9)))
        one, other = pairs["plain process"]
        pulls.append((one.value - other.value) / np.hypot(one.std, other.std))
        single = [rng.random((size, n)) < 0.5 for _ in range(2)]
        found["means"].append(correlation(*[difference(m, fits.fit(m).rw) for m in single]))
    table = {key: [float(np.median(v)), min(v), max(v)] for key, v in found.items()}
    return {
        "model": name,
        "size": size,
        "symmetries": len(group),
        **table,
        "pull": float(np.std(pulls)),
    }


def few(folder: Path, name: str, *, seeds: range) -> dict[str, object]:
    """Return how often `FEW_FITS` fits name a whole piece and nothing else."""
    measurement = read_measurement(folder / "DanMAX_AlphaKeggin.gr")
    agent = make({"model": f"starting_models/model_{name}.xyz", "fits": FEW_FITS}, folder)
    pieces, right = whole_pieces(agent), 0
    for seed in seeds:
        insight = agent.analyze([measurement], rng=np.random.default_rng(seed))
        motif = insight.evidence["contributions"].columns["motif"] > 0
        right += any(bool((motif == piece).all()) for piece in pieces)
    return {"model": name, "fits": FEW_FITS, "seeds": len(seeds), "motif_is_whole_piece": right}


def difference(masks: np.ndarray, rw: np.ndarray) -> np.ndarray:
    """Return mean R_w where each atom is kept less where it is removed."""
    return np.array([rw[m].mean() - rw[~m].mean() for m in masks.T])


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's rank correlation."""
    return float(spearmanr(one, other)[0])


def simulated(seed: int) -> tuple[np.ndarray, float]:
    """Return the features of the doubt and how much the motif and the sample share."""
    drawn = world(seed, right=seed // 2 % 2 == 0)
    fits = FragmentFits(drawn.model, drawn.data, conditions=FragmentConditions())
    masks = draw_masks(N_FITS, drawn.model.n_sampled, rng=np.random.default_rng(seed))
    rw = fits.fit(masks).rw
    motif = name_motif(fits, contributions(masks, rw).value)
    if motif is None:
        return features(1.0, rw), 0.0
    shared = np.sum(motif.mask & drawn.truth) / np.sum(motif.mask | drawn.truth)
    return features(motif.rw, rw), float(shared)


def fit_doubt(n: int) -> dict[str, object]:
    """Return offset and slopes from the even seeds, and how the odd ones come out."""
    rows = [simulated(seed) for seed in range(n)]
    x = np.array([np.append(1.0, f) for f, _ in rows])
    shared = np.array([s for _, s in rows])
    wrong, even = shared < 0.8, np.arange(n) % 2 == 0

    def log_loss(b: np.ndarray, chosen: np.ndarray) -> float:
        sign = np.where(wrong[chosen], -1.0, 1.0)
        return float(np.mean(np.logaddexp(0.0, sign * (x[chosen] @ b))))

    def loss(b: np.ndarray) -> float:
        return log_loss(b, even) + PULL * float(b[1:] @ b[1:])

    b = minimize(loss, np.zeros(3)).x
    said = 1 / (1 + np.exp(-x[~even] @ b))
    rate = float(wrong[even].mean())
    right = np.arange(n) // 2 % 2 == 0
    bins = [(said >= low) & (said < low + 1 / 3) for low in (0, 1 / 3, 2 / 3)]
    return {
        "constants": (b - np.array([np.log(rate / (1 - rate)), 0, 0])).tolist(),
        "wrong_share": rate,
        "loss_odd": log_loss(b, ~even),
        "loss_of_rate": float(-np.mean(np.log(np.where(wrong[~even], rate, 1 - rate)))),
        "accuracy_odd": float(np.mean((said > 0.5) == wrong[~even])),
        "said_and_wrong_odd": [
            (int(k.sum()), float(said[k].mean()), float(wrong[~even][k].mean()))
            for k in bins
            if k.any()
        ],
        "sample_in_model_exact": float(np.mean(shared[right] == 1)),
        "sample_in_model_shared": float(np.mean(shared[right])),
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="of the halves")
    parser.add_argument("--models", default="".join(MODELS))
    parser.add_argument("--doubt", type=int, metavar="N")
    parser.add_argument("--xyz", type=Path, metavar="FOLDER")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    if options.doubt:
        rows.append(fit_doubt(options.doubt))
    else:
        folder = data_folder() / "pdf/ml_motex"
        for name in options.models:
            rows.append(keggin(folder, name, seed=0, xyz=options.xyz))
            seeds = range(options.seeds)
            rows += [halves(folder, name, seeds=seeds, size=n) for n in (N_FITS // 2, N_FITS)]
            rows.append(few(folder, name, seeds=seeds))
    for row in rows:
        print(json.dumps(row))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
