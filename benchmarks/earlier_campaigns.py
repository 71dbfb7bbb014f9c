"""Experiments until near the optimum, alone and with an earlier campaign to learn from.

The earlier campaign made random experiments on the same function, shifted a little and on another
scale (alike), on its negative (opposite), or measured noise. Counted are experiments until the
regret is below a goal; one that never gets there counts as one more than the budget.

    python benchmarks/earlier_campaigns.py --seeds 10
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from planning.functions import FUNCTIONS, Function  # noqa: E402

from planners import Objective, Observation, Target  # noqa: E402
from planners.bayesian import make  # noqa: E402
from planners.earlier import EarlierCampaign  # noqa: E402
from planners.sampling import draw_uniform  # noqa: E402

OBJECTIVE = Objective(targets=(Target(quantity="f", goal="minimize"),))
GOALS = {"branin": (0.5, 25, 40), "hartmann6": (0.2 * 3.322368, 40, 60)}
"""Function → regret that counts as found, budget, experiments of the earlier campaign."""

SHIFT = 0.05
"""Standard deviation by which the optimum of an alike campaign lies elsewhere, along each name."""

KINDS = ("alone", "alike", "opposite", "noise")


def main() -> None:
    """Search with every kind of earlier campaign and print the counts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--functions", default=",".join(GOALS))
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    for name in asked.functions.split(","):
        print(f"\n{name}\nearlier    median   mean  quartiles   CPU s an experiment")
        for kind in KINDS:
            begin = time.process_time()
            counts = [_count(FUNCTIONS[name], kind, seed) for seed in range(asked.seeds)]
            each = (time.process_time() - begin) / sum(counts)
            low, median, high = np.quantile(counts, [0.25, 0.5, 0.75])
            print(
                f"{kind:10} {median:6.1f} {np.mean(counts):6.1f}  {low:4.1f} … {high:4.1f}   "
                f"{each:.3f}",
                flush=True,
            )


def _count(function: Function, kind: str, seed: int) -> int:
    """Return the experiments until the goal is met."""
    goal, budget, n_earlier = GOALS[function.name]
    planner = make({"seed": seed, "earlier": _earlier(function, kind, seed, n_earlier)})
    known: list[Observation] = []
    while len(known) < budget:
        proposal = planner.propose(
            function.space,
            OBJECTIVE,
            observations=known,
            rng=np.random.default_rng([seed, len(known)]),
        )[0]
        outcomes = function.at(proposal.values)
        known.append(
            Observation(
                values=proposal.values, outcomes=outcomes, predicted=proposal.reason.predicted
            )
        )
        if function.regret(outcomes) < goal:
            return len(known)
    return budget + 1


def _earlier(function: Function, kind: str, seed: int, n: int) -> tuple[EarlierCampaign, ...]:
    if kind == "alone":
        return ()
    rng = np.random.default_rng([seed, 5])
    shift = SHIFT * rng.standard_normal(function.dimension)

    def moved(x: np.ndarray) -> float:
        return 50.0 + 7.0 * function.outcomes(np.clip(x + shift, 0.0, 1.0))["f"]

    answers: dict[str, Callable[[np.ndarray], float]] = {
        "alike": moved,
        "opposite": lambda x: -function.outcomes(x)["f"],
        "noise": lambda _: float(rng.standard_normal()),
    }
    points = draw_uniform(function.space, n, rng=rng)
    told = tuple(
        Observation(values=p, outcomes={"f": answers[kind](np.array(list(p.values())))})
        for p in points
    )
    return (EarlierCampaign(name=kind, space=function.space, observations=told),)


if __name__ == "__main__":
    main()
