"""What is an over-confident agent worth, if truths arrive and if they do not?

A property of two settings is read by an agent whose stds are three times too small, and of whose
readings one in ten is wrong altogether while it says one in a hundred. The truth of every fourth
sample becomes known two turns after it was made. The planner `bayesian` seeks the largest value
and, in the end, recommends one of the samples made; regret is how much less that one truly is than
the best possible, in ranges of the property. Arms, all told the truths of the samples they are of:

``honest``      an agent that knows how good it is
``at its word`` what the over-confident agent says
``trust``       the same, re-calibrated by `orchestrator.trust`, the earlier samples told again
``good agent``  and ``good, trust``: an agent that keeps its word; trust must cost nothing

Coverage is the share of later readings, right ones alone, whose 90 % interval holds.

    python benchmarks/trust.py --seeds 20 --records trust.jsonl
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import numpy.typing as npt  # noqa: E402
from planning.paired import add_record, read_records  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis.insight import Estimate, Insight  # noqa: E402
from orchestrator.scoring import observe  # noqa: E402
from orchestrator.trust.statements import Statement, Truth  # noqa: E402
from orchestrator.trust.trusting import Trust, trust, with_truths  # noqa: E402
from planners.bayesian import make  # noqa: E402
from planners.bayesian.goals.recommending import recommend  # noqa: E402
from planners.bayesian.settings import BayesianSettings  # noqa: E402
from planners.objective import Objective, Target  # noqa: E402
from planners.parameters import ContinuousParameter  # noqa: E402
from planners.proposal import Observation  # noqa: E402
from planners.space import SearchSpace  # noqa: E402

Array = npt.NDArray[np.float64]
ARMS = ("honest", "at its word", "trust", "good agent", "good, trust")
COMPARED = (("trust", "at its word"), ("trust", "honest"), ("good, trust", "good agent"))
Q = "property"
SPACE = SearchSpace(
    parameters=(
        ContinuousParameter(name="x", low=0, high=1),
        ContinuousParameter(name="y", low=0, high=1),
    )
)
OBJECTIVE = Objective(targets=(Target(quantity=Q, goal="maximize"),))

BUDGET, EVERY, LATE = 24, 4, 2
"""Samples, how often one becomes known, and after how many turns."""

NOISE, BOASTS, WRONG, ADMITTED = 0.12, 3.0, 0.10, 0.01
"""Std of right readings in ranges of the property, by how much it is understated, share of wrong
readings, and what is admitted of it."""

Z_90 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class World:
    """A smooth property on the unit square, between 0 and 1.

    Attributes
    ----------
    centres, heights, widths : (n_hills, 2), (n_hills,), (n_hills,).
    low, high : of the sum of hills.
    """

    centres: Array
    heights: Array
    widths: Array
    low: float
    high: float

    @classmethod
    def draw(cls, seed: int) -> World:
        """Return the world of a seed."""
        rng = np.random.default_rng([seed, 31])
        parts = rng.random((5, 2)), rng.uniform(0.3, 1.0, 5), rng.uniform(0.1, 0.3, 5)
        bare = cls(*parts, 0.0, 1.0)
        grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 101)] * 2), axis=-1).reshape(-1, 2)
        values = np.array([bare.value(*point) for point in grid])
        return cls(*parts, float(values.min()), float(values.max()))

    def value(self, x: float, y: float) -> float:
        """Return the property at a point."""
        apart = ((self.centres - np.array([x, y])) ** 2).sum(axis=1)
        hills = float((self.heights * np.exp(-0.5 * apart / self.widths**2)).sum())
        return (hills - self.low) / (self.high - self.low)


def campaign(arm: str, seed: int) -> dict[str, Any]:
    """Return the record of one campaign."""
    world, planner = World.draw(seed), make({"seed": seed})
    insights, true, right = list[Insight](), list[float](), list[bool]()
    points: list[dict[str, Any]] = []
    for turn in range(BUDGET):
        told = [o for o, _ in believed(arm, points, insights, true)]
        [proposal] = planner.propose(
            SPACE,
            OBJECTIVE,
            observations=told,
            pending=(),
            n=1,
            rng=np.random.default_rng([seed, turn]),
        )
        points.append(dict(proposal.values))
        true.append(world.value(**{k: float(v) for k, v in proposal.values.items()}))
        insight, is_right = read(arm, true[-1], np.random.default_rng([seed, turn, 9]))
        insights.append(insight)
        right.append(is_right)
    last = believed(arm, points, insights, true)
    best = recommend(SPACE, OBJECTIVE, [o for o, _ in last], settings=BayesianSettings(seed=seed))
    unknown = [i for i in range(BUDGET) if i % EVERY != EVERY - 1 and right[i]]
    inside = [abs(last[i][0].outcomes[Q] - true[i]) <= Z_90 * last[i][0].stds[Q] for i in unknown]
    return {
        "arm": arm,
        "seed": seed,
        "regret": 1.0 - true[best.experiment],
        "best_made": 1.0 - max(true),
        "coverage": float(np.mean(inside)),
        "factor": last[-1][1].corrections["agent"].std(Q, 1.0) if last[-1][1].corrections else 1.0,
        "p_wrong": float(np.mean([o.p_wrong for o, _ in last])),
    }


def believed(
    arm: str, points: list[dict[str, Any]], insights: list[Insight], true: list[float]
) -> list[tuple[Observation, Trust]]:
    """Return the observations as the planner is told them now, with the trust behind them."""
    now = len(insights)
    truths = [Truth(i, Q, true[i]) for i in range(EVERY - 1, now, EVERY) if i <= now - LATE]
    statements = [Statement.of(i, insight) for i, insight in enumerate(insights)]
    believing = Trust(truths=truths)
    if arm.endswith("trust"):
        believing = trust(statements, truths=truths)
    return [
        (
            observe(OBJECTIVE, with_truths(i, [insight], believing), values=point, cost=1.0),
            believing,
        )
        for i, (insight, point) in enumerate(zip(insights, points, strict=True))
    ]


def read(arm: str, value: float, rng: np.random.Generator) -> tuple[Insight, bool]:
    """Return what the agent says of a sample, and whether it is right."""
    good = arm.startswith("good")
    noise = NOISE / BOASTS if good else NOISE
    is_right = bool(rng.random() >= (ADMITTED if good else WRONG))
    seen = value + noise * float(rng.standard_normal()) if is_right else float(rng.random())
    honest = arm == "honest"
    std, p_wrong = (NOISE, WRONG) if honest else (NOISE / BOASTS, ADMITTED)
    estimates = {Q: Estimate(seen, std, "")}
    return Insight("i", "agent", ("m",), estimates=estimates, p_wrong=p_wrong), is_right


def main() -> None:
    """Run what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--records", type=Path, required=True, help="JSON lines; is continued")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = {(r["arm"], r["seed"]): r for r in read_records(said.records)}
    seeds = range(said.first, said.first + said.seeds)
    for seed in seeds:
        for arm in ARMS:
            if (arm, seed) not in rows:
                rows[arm, seed] = campaign(arm, seed)
                add_record(said.records, rows[arm, seed])
    print(f"{len(seeds)} seeds; mean [90 % bootstrap]")
    print(f"{'arm':14s}{'regret':>26s}{'coverage':>24s}{'std x':>8s}{'p_wrong':>9s}")
    for arm in ARMS:
        mine = [rows[arm, s] for s in seeds]
        regret, coverage = (spread([r[k] for r in mine]) for k in ("regret", "coverage"))
        factor, p_wrong = (np.mean([r[k] for r in mine]) for k in ("factor", "p_wrong"))
        print(f"{arm:14s}{regret:>26s}{coverage:>24s}{factor:8.2f}{p_wrong:9.3f}")
    for one, other in (
        ("trust", "at its word"),
        ("trust", "honest"),
        ("good, trust", "good agent"),
    ):
        differences = [rows[one, s]["regret"] - rows[other, s]["regret"] for s in seeds]
        print(f"regret of {one} minus {other}: {spread(differences)}")


def spread(values: list[float]) -> str:
    """Return a mean with its bootstrap interval over seeds."""
    rng = np.random.default_rng(0)
    means = np.mean(np.asarray(values)[rng.integers(len(values), size=(4000, len(values)))], axis=1)
    low, high = np.quantile(means, (0.05, 0.95))
    return f"{np.mean(values):.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
