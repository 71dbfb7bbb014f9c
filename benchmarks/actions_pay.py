"""Is a replicate or another look at a sample worth what it costs? Regret at equal cost.

Two kinds of worlds in which values scatter:

- ``crossed_barrel``: 600 printed structures with three tests each (Gongora et al. 2020,
  doi:10.1126/sciadv.aaz1708). A test of a candidate gives its mean plus a residual drawn from those
  of its own tests; a replicate is a new print at the price of any other.
- ``branin``, ``hartmann6``: 512 Sobol' points of a function, values scaled to unit spread. A new
  sample scatters by `SAMPLES` around the truth and its measurement by 0.5, in ``…_loud`` by 1; a
  sample can be measured again at `AGAIN` of the price of a new one, with fresh noise of the same
  size, and what is told then is the mean of its measurements.

Three policies with the planner `bayesian`, from the same two random candidates of a seed:

- ``new`` a new candidate each time, as the planner proposes
- ``three`` every candidate three times: replicates in the first world, measurements in the others
- ``actions`` what `choose_action` says

Recommended is the candidate of the best posterior mean among those made. Its regret is told at
every cost, averaged over the campaign and at its end, in units of the spread of the pool's values.

    python benchmarks/actions_pay.py --seeds 20 --records actions.jsonl --json out.json
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from planning.functions import FUNCTIONS  # noqa: E402
from planning.paired import add_record, read_records  # noqa: E402
from planning.pools import load  # noqa: E402
from planning.replaying import replicate_std, space_of  # noqa: E402
from scipy.stats import qmc  # noqa: E402

from planners import CandidateList, Objective, Observation, SearchSpace, Target  # noqa: E402
from planners.actions.records import MeasureAgain, Option  # noqa: E402
from planners.bayesian.planner import make  # noqa: E402
from planners.bayesian.surrogate import fit_quantity  # noqa: E402
from planners.encoding import Encoding  # noqa: E402

WORLDS = ("crossed_barrel", "branin", "hartmann6", "branin_loud", "hartmann6_loud")
POLICIES = ("new", "three", "actions")
STARTS = 2
N_POINTS = 512
SAMPLES, AGAIN = 0.1, 0.2
MOST = 6
"""Measurements that one sample may have."""


@dataclass(frozen=True)
class World:
    """A pool with scatter; larger values are better.

    Attributes
    ----------
    truth : of every candidate, in units of the pool's spread, shape (n,).
    sample_stds : of samples of each candidate around its truth, (n,).
    residuals : standardised residuals from which samples draw; normal ones if empty.
    measured : standard deviation of a measurement of a sample; 0 if it is part of the sample's.
    """

    name: str
    space: SearchSpace
    truth: np.ndarray
    sample_stds: np.ndarray
    measured: float
    residuals: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def sample(self, row: int, rng: np.random.Generator) -> float:
        """Return the true value of a fresh sample."""
        z = rng.choice(self.residuals) if len(self.residuals) else rng.standard_normal()
        return float(self.truth[row] + self.sample_stds[row] * z)

    def told_std(self, row: int, n_measured: int) -> float:
        """Return the std that is told of a sample."""
        if self.measured > 0:
            return float(self.measured / np.sqrt(n_measured))
        return float(self.sample_stds[row])


@cache
def world_of(name: str) -> World:
    """Return a world by name."""
    if name == "crossed_barrel":
        return _crossed_barrel()
    function = FUNCTIONS[name.removesuffix("_loud")]
    measured = 1.0 if name.endswith("_loud") else 0.5
    x = qmc.Sobol(function.dimension, rng=np.random.default_rng(0)).random(N_POINTS)
    columns = tuple(f"x{i}" for i in range(function.dimension))
    values = -np.array([function.at(dict(zip(columns, row, strict=True)))["f"] for row in x])
    rows = tuple(tuple(float(v) for v in row) for row in x)
    truth = (values - values.mean()) / values.std()
    space = SearchSpace(candidates=CandidateList(columns=columns, rows=rows))
    return World(name, space, truth, np.full(N_POINTS, SAMPLES), measured)


def _crossed_barrel() -> World:
    pool = load("Crossed_barrel")
    (quantity,) = pool.goals
    sign = 1.0 if pool.goals[quantity] == "maximize" else -1.0
    unit = float(pool.values[quantity].std())
    truth = sign * (pool.values[quantity] - pool.values[quantity].mean()) / unit
    stds = np.array([replicate_std(pool, quantity, i) for i in range(len(pool))]) / unit
    several = [v for v in pool.replicates[quantity] if len(v) > 1]
    # A residual of n values is smaller than the scatter by sqrt((n - 1) / n).
    spread = [(v - v.mean()) / v.std(ddof=1) * np.sqrt(len(v) / (len(v) - 1)) for v in several]
    residuals = np.concatenate([sign * z for z in spread])
    return World(
        pool.name, space_of("Crossed_barrel"), truth, stds, 0.0, residuals / residuals.std()
    )


@dataclass
class Campaign:
    """A campaign under way in a world."""

    world: World
    policy: str
    seed: int
    rows: list[int] = field(default_factory=list)
    truths: list[float] = field(default_factory=list)
    measured: list[list[float]] = field(default_factory=list)
    cost: float = 0.0

    def __post_init__(self) -> None:
        self.planner = make({"seed": self.seed, "n_initial": STARTS})
        self.rng = np.random.default_rng([self.seed, 1])
        listed = self.world.space.candidates
        assert listed is not None
        self.points = list(listed.points())
        self.index = {tuple(p.values()): i for i, p in enumerate(self.points)}
        self.objective = Objective(targets=(Target(quantity="y", goal="maximize"),))

    @property
    def observations(self) -> list[Observation]:
        """What is known of each sample: the mean of its measurements."""
        return [
            Observation(
                values=self.points[row],
                outcomes={"y": float(np.mean(values))},
                stds={"y": self.world.told_std(row, len(values))},
            )
            for row, values in zip(self.rows, self.measured, strict=True)
        ]

    def make(self, row: int) -> None:
        """Make a sample and measure it; three of them, or three times, as the policy says."""
        several = self.policy == "three" and self.world.measured == 0
        for _ in range(3 if several else 1):
            self.rows.append(row)
            self.truths.append(self.world.sample(row, self.rng))
            self.measured.append([])
            self.cost += 1.0
            self._read(len(self.rows) - 1)
        if self.policy == "three" and not several:
            for _ in range(2):
                self.again(len(self.rows) - 1)

    def again(self, sample: int) -> None:
        """Measure a sample once more."""
        self.cost += AGAIN
        self._read(sample)

    def _read(self, sample: int) -> None:
        noise = self.world.measured * float(self.rng.standard_normal())
        self.measured[sample].append(self.truths[sample] + noise)

    def step(self) -> None:
        """Do what the policy says."""
        rng = np.random.default_rng([self.seed, 2, len(self.rows), sum(map(len, self.measured))])
        known = self.observations
        if self.policy != "actions":
            proposal = self.planner.propose(
                self.world.space, self.objective, observations=known, rng=rng
            )[0]
        else:
            proposal = self.planner.choose_action(
                self.world.space,
                self.objective,
                observations=known,
                options=self._options(),
                new_cost=1.0,
                replicates=self.world.measured == 0,
                rng=rng,
            )
        if proposal.measure_again is not None:
            self.again(proposal.measure_again.experiment)
        else:
            self.make(self.index[tuple(proposal.values.values())])

    def _options(self) -> list[Option]:
        if self.world.measured == 0:
            return []
        return [
            Option(
                again=MeasureAgain(experiment=i, technique="measurement"),
                row=i,
                cost=AGAIN,
                stds={"y": self.world.told_std(self.rows[i], len(values) + 1)},
            )
            for i, values in enumerate(self.measured)
            if len(values) < MOST
        ]

    def regret(self) -> float:
        """Return how far the truth of the recommended candidate lies below the best."""
        encoding = Encoding(self.world.space)
        known = self.observations
        mean, _ = fit_quantity(encoding, "y", known).predict(encoding.encode_observations(known))
        truth = self.world.truth
        return float(truth.max() - truth[self.rows[int(np.argmax(mean))]])


def campaign(world: str, policy: str, seed: int, budget: float) -> dict[str, Any]:
    """Run one campaign; return its costs and regrets after every action."""
    began = time.process_time()
    run = Campaign(world_of(world), policy, seed)
    starts = np.random.default_rng(seed).choice(len(run.points), STARTS, replace=False)
    for row in starts:
        run.make(int(row))
    costs, regrets = [run.cost], [run.regret()]
    while run.cost < budget - 1e-9:
        run.step()
        costs.append(run.cost)
        regrets.append(run.regret())
    return {
        "world": world,
        "policy": policy,
        "seed": seed,
        "budget": budget,
        "costs": costs,
        "regrets": [round(r, 5) for r in regrets],
        "made": len(run.rows),
        "different": len(set(run.rows)),
        "measured": sum(map(len, run.measured)),
        "cpu_s": round(time.process_time() - began, 2),
    }


def course(record: dict[str, Any]) -> np.ndarray:
    """Return the regret at every whole cost from 6, the dearest start, to the budget."""
    at = np.arange(3 * STARTS, int(record["budget"]) + 1)
    last = np.searchsorted(record["costs"], at + 1e-9, side="right") - 1
    return np.asarray(record["regrets"])[np.maximum(last, 0)]


@dataclass(frozen=True)
class Row:
    """One policy in one world: regrets, and their difference from ``new`` with 90 % intervals."""

    world: str
    policy: str
    n_seeds: int
    mean_regret: float
    end_regret: float
    mean_less_new: tuple[float, float, float]
    end_less_new: tuple[float, float, float]
    made: float
    measured: float


def compared(records: Sequence[dict[str, Any]]) -> list[Row]:
    """Return every policy in every world."""
    table = {(r["world"], r["policy"], r["seed"]): r for r in records}
    rows = []
    for world in WORLDS:
        for policy in POLICIES:
            seeds = sorted(
                s for w, p, s in table if (w, p) == (world, policy) and (w, "new", s) in table
            )
            if not seeds:
                continue
            mine = np.array([course(table[world, policy, s]) for s in seeds])
            new = np.array([course(table[world, "new", s]) for s in seeds])
            rows.append(
                Row(
                    world,
                    policy,
                    len(seeds),
                    float(mine.mean()),
                    float(mine[:, -1].mean()),
                    _interval((mine - new).mean(axis=1)),
                    _interval(mine[:, -1] - new[:, -1]),
                    float(np.mean([table[world, policy, s]["made"] for s in seeds])),
                    float(np.mean([table[world, policy, s]["measured"] for s in seeds])),
                )
            )
    return rows


def _interval(differences: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of paired differences with its 5 and 95 % bootstrap quantiles."""
    rng = np.random.default_rng(0)
    n = len(differences)
    drawn = differences[rng.integers(0, n, (4000, n))].mean(axis=1)
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(differences.mean()), float(low), float(high)


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    print(
        "world           policy   seeds  mean regret  less that of new            "
        "at the end  less that of new            samples  measurements"
    )
    for r in rows:
        mean, end = r.mean_less_new, r.end_less_new
        print(
            f"{r.world:15s} {r.policy:8s} {r.n_seeds:5d}  {r.mean_regret:11.3f}  {mean[0]:+.3f} "
            f"({mean[1]:+.3f} to {mean[2]:+.3f})  {r.end_regret:10.3f}  {end[0]:+.3f} "
            f"({end[1]:+.3f} to {end[2]:+.3f})  {r.made:7.1f}  {r.measured:12.1f}"
        )


def main() -> None:
    """Run what is missing, then print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--budget", type=float, default=40.0, help="cost of all, a new sample 1")
    parser.add_argument("--worlds", nargs="+", default=WORLDS, choices=WORLDS)
    parser.add_argument("--policies", nargs="+", default=POLICIES, choices=POLICIES)
    parser.add_argument("--records", type=Path, help="file of campaigns, added to and resumed")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = read_records(asked.records)
    done = {(r["world"], r["policy"], r["seed"], r["budget"]) for r in found}
    for seed in range(asked.first, asked.first + asked.seeds):
        for world in asked.worlds:
            for policy in asked.policies:
                if (world, policy, seed, asked.budget) in done:
                    continue
                found.append(campaign(world, policy, seed, asked.budget))
                add_record(asked.records, found[-1])
    rows = compared([r for r in found if r["budget"] == asked.budget])
    show(rows)
    if asked.json is not None:
        asked.json.write_text(json.dumps([asdict(r) for r in rows], indent=1))


if __name__ == "__main__":
    main()
