"""Share of the best candidates found: sdlab's planner, random, a plain BoTorch GP, one protocol.

A pool is a finished campaign: candidates and one mean value each. A planner picks the next row, the
table answers. Every planner gets the same two random first rows for a seed. Reported is the area
under "% of the top 5 % found" over the budget (the first two rows included), in per cent.

    python benchmarks/planner_pools.py --pool Crossed_barrel --seeds 20 --budget 60 --json out.json

Data: `$SDLAB_DATA/planner/pvlab` (Liang et al. 2021, doi:10.1038/s41524-021-00656-9).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import pandas as pd  # noqa: E402

NOT_FEATURES = ("y", "y_mean", "y_rep_std", "n_rep")
PLANNERS = ("sdlab", "botorch", "random")


@dataclass(frozen=True)
class Pool:
    """Candidates with one value each, higher is better."""

    name: str
    features: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray

    @property
    def top(self) -> np.ndarray:
        """Rows of the best 5 %."""
        return np.argsort(-self.y, kind="stable")[: int(np.ceil(0.05 * len(self.y)))]


@dataclass(frozen=True)
class Run:
    """One replay: rows in the order of their evaluation and CPU seconds a suggestion."""

    planner: str
    seed: int
    rows: list[int]
    area: float
    first_hit: int | None
    found_at_end: float
    cpu_seconds: list[float]


Ask = Callable[[list[int], int], int]


def load(directory: Path, name: str) -> Pool:
    """Return a pool of `planner/pvlab`."""
    goals = pd.read_csv(directory / "goals.csv").set_index("pool")
    table = pd.read_csv(directory / "pools" / f"{name}.csv")
    features = tuple(c for c in table.columns if c not in NOT_FEATURES)
    sign = 1.0 if goals.loc[name, "goal"] == "max" else -1.0
    x = table[list(features)].to_numpy(dtype=float)
    return Pool(name, features, x, sign * table["y"].to_numpy(dtype=float))


def sdlab(pool: Pool, settings: dict[str, object]) -> Ask:
    """Return sdlab's planner on the bare candidate list."""
    from planners import CandidateList, Objective, Observation, SearchSpace, Target
    from planners.bayesian import make

    rows = [tuple(r) for r in pool.x.tolist()]
    space = SearchSpace(candidates=CandidateList(columns=pool.features, rows=rows))
    objective = Objective(targets=(Target(quantity="y", goal="maximize"),))
    order = [pool.features.index(n) for n in space.names]
    index = {tuple(r[i] for i in order): k for k, r in enumerate(rows)}

    def ask(done: list[int], seed: int) -> int:
        observations = [
            Observation(
                values=dict(zip(pool.features, rows[i], strict=True)),
                outcomes={"y": float(pool.y[i])},
            )
            for i in done
        ]
        rng = np.random.default_rng([seed, len(done)])
        planner = make({"seed": seed, **settings})
        chosen = planner.propose(space, objective, observations=observations, rng=rng)[0]
        return index[tuple(chosen.values[n] for n in space.names)]

    return ask


def botorch(pool: Pool, settings: dict[str, object]) -> Ask:  # noqa: ARG001
    """Return BoTorch's own defaults: SingleTaskGP (ARD, standardised), qLogNEI over the pool."""
    import torch
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.sampling import SobolQMCNormalSampler
    from botorch.utils.transforms import normalize
    from gpytorch.mlls import ExactMarginalLogLikelihood

    torch.set_num_threads(1)
    raw = torch.as_tensor(pool.x, dtype=torch.float64)
    x = normalize(raw, torch.stack([raw.min(0).values, raw.max(0).values]))
    y = torch.as_tensor(pool.y, dtype=torch.float64).unsqueeze(-1)

    def ask(done: list[int], seed: int) -> int:
        torch.manual_seed(1000 * seed + len(done))
        model = SingleTaskGP(x[done], y[done])
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        function = qLogNoisyExpectedImprovement(
            model, x[done], sampler=SobolQMCNormalSampler(torch.Size([128]), seed=seed)
        )
        left = np.setdiff1d(np.arange(len(x)), done)
        with torch.no_grad():
            scores = function(x[left].unsqueeze(1))
        return int(left[int(scores.argmax())])

    return ask


def random(pool: Pool, settings: dict[str, object]) -> Ask:  # noqa: ARG001
    """Return uniform choice among the rows left."""

    def ask(done: list[int], seed: int) -> int:
        left = np.setdiff1d(np.arange(len(pool.y)), done)
        return int(np.random.default_rng([seed, len(done), 7]).choice(left))

    return ask


MAKERS = {"sdlab": sdlab, "botorch": botorch, "random": random}


def replay(pool: Pool, planner: str, seed: int, budget: int, settings: dict[str, object]) -> Run:
    """Return one replay of `budget` evaluations."""
    import warnings

    warnings.simplefilter("ignore")
    ask = MAKERS[planner](pool, settings)
    done = [int(i) for i in np.random.default_rng(seed).choice(len(pool.y), 2, replace=False)]
    seconds: list[float] = []
    while len(done) < budget:
        start = time.process_time()
        row = ask(done, seed)
        seconds.append(time.process_time() - start)
        if row in done:
            raise SystemExit(f"{planner} proposed row {row} of {pool.name} twice")
        done.append(row)
    hits = np.isin(done, pool.top)
    share = np.cumsum(hits) / len(pool.top)
    return Run(
        planner=planner,
        seed=seed,
        rows=done,
        area=float(100 * share.mean()),
        first_hit=int(np.argmax(hits)) + 1 if hits.any() else None,
        found_at_end=float(share[-1]),
        cpu_seconds=seconds,
    )


def expected_random_area(pool: Pool, budget: int) -> float:
    """Return the exact expected area of random choice: mean over t of 100 t / N."""
    return float(100 * np.mean(np.arange(1, budget + 1)) / len(pool.y))


def summary(runs: list[Run], random_area: float) -> dict[str, float]:
    """Return mean, bootstrap 90 % interval and companions of the areas of one planner."""
    areas = np.array([r.area for r in runs])
    rng = np.random.default_rng(0)
    means = rng.choice(areas, size=(4000, len(areas))).mean(axis=1)
    # the first suggestion imports libraries, which a campaign pays once
    seconds = np.concatenate([r.cpu_seconds[1:] for r in runs])
    hits = [r.first_hit if r.first_hit is not None else np.inf for r in runs]
    return {
        "area_mean": float(areas.mean()),
        "area_median": float(np.median(areas)),
        "area_mean_low": float(np.quantile(means, 0.05)),
        "area_mean_high": float(np.quantile(means, 0.95)),
        "area_over_random": float(areas.mean() / random_area),
        "seeds_above_random": float((areas > random_area).mean()),
        "first_hit_median": float(np.median(hits)),
        "found_at_end": float(np.mean([r.found_at_end for r in runs])),
        "cpu_seconds_median": float(np.median(seconds)),
        "cpu_seconds_mean": float(seconds.mean()),
    }


def show(pool: Pool, summaries: dict[str, dict[str, float]], random_area: float) -> None:
    """Print one line a planner."""
    print(f"{pool.name}: {len(pool.y)} candidates, {len(pool.top)} in the top 5 %")
    print(f"exact expected area of random choice {random_area:.2f} %")
    head = ("planner", "mean", "90 % of mean", "median", "/random", "first hit", "found", "CPU s")
    print("{:10}{:>7}{:>16}{:>8}{:>9}{:>11}{:>7}{:>8}".format(*head))
    for name, s in summaries.items():
        print(
            f"{name:10}{s['area_mean']:7.2f}{s['area_mean_low']:8.2f}–{s['area_mean_high']:<7.2f}"
            f"{s['area_median']:8.2f}{s['area_over_random']:9.2f}{s['first_hit_median']:11.1f}"
            f"{s['found_at_end']:7.2f}{s['cpu_seconds_median']:8.3f}"
        )


def data_directory() -> Path:
    """Return the folder of the pools: `$SDLAB_DATA`, else `shared/data` beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    root = Path(os.environ.get("SDLAB_DATA", beside))
    directory = root / "planner" / "pvlab"
    if not directory.is_dir():
        raise SystemExit(f"no pools in {directory}; set SDLAB_DATA to the folder of the data sets")
    return directory


def main() -> None:
    """Replay, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pool", default="Crossed_barrel")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--planners", default=",".join(PLANNERS))
    parser.add_argument("--settings", default="{}", help="JSON settings of sdlab's planner")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    pool = load(data_directory(), arguments.pool)
    settings = json.loads(arguments.settings)
    names = arguments.planners.split(",")
    tasks = [(name, seed) for name in names for seed in range(arguments.seeds)]
    with ProcessPoolExecutor(arguments.jobs) as workers:
        futures = [workers.submit(replay, pool, n, s, arguments.budget, settings) for n, s in tasks]
        runs = [f.result() for f in futures]
    random_area = expected_random_area(pool, arguments.budget)
    summaries = {n: summary([r for r in runs if r.planner == n], random_area) for n in names}
    show(pool, summaries, random_area)
    if arguments.json is not None:
        record = {
            "pool": pool.name,
            "budget": arguments.budget,
            "seeds": arguments.seeds,
            "settings": settings,
            "random_area_exact": random_area,
            "summaries": summaries,
            "runs": [asdict(r) for r in runs],
        }
        arguments.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
