"""What `xrd.parameters`, trained on simulations alone, reads from weighed real mixtures.

The round robin's five corundum-fluorite-zincite mixtures (Madsen et al. 2001) on a laboratory
diffractometer, beside `xrd.quantify` on the same range. The agent's ranges were set before looking:
0.5 % of cells, sizes from 200 to 3000 Å, microstrain 3·10⁻⁴, displacement up to 0.2°. Its std knows
nothing of grains that absorb and of structure factors that are off; `xrd.quantify` allows for both.

Run: ``python benchmarks/parameters_of_mixtures.py [--recipe tiny]``. Networks are trained first if
they are not in the cache. The data are found through SDLAB_DATA, or in ``../shared/data``.
"""

from __future__ import annotations

import argparse
import os
import sys

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from round_robin import PHASES, ROUND_ROBIN, by_agent, data_folder, round_robin  # noqa: E402

from analysis.errors import WeightsNotTrained  # noqa: E402
from analysis.learning.conformal import NORMAL  # noqa: E402
from analysis.xrd.agents.parameters import Parameters, make  # noqa: E402
from analysis.xrd.training.parameters_trainer import train  # noqa: E402

RANGE = (22.0, 90.0)
SETTINGS: dict[str, object] = {
    "phases": {name: f"cifs/{file}" for name, file in PHASES.items()},
    "radiation": {"monochromator_two_theta": 26.6},
    "two_theta": RANGE,
    "size": (200.0, 3000.0),
    "microstrain": 3e-4,
    "resolution": {"w": 0.006},
    "displacement": 0.2,
    "background_order": 8,
}


def agent_for(recipe: str, seed: int) -> Parameters:
    """Return the agent, trained if it is not."""
    folder = data_folder(ROUND_ROBIN)
    asked = {**SETTINGS, "recipe": recipe, "seed": seed}
    try:
        return make(asked, folder)
    except WeightsNotTrained:
        print("training first", file=sys.stderr)
        train(SETTINGS, folder, recipe=recipe, seed=seed, told=_tell)
        return make(asked, folder)


def _tell(what: str, done: int, of: int) -> None:
    if done == of:
        print(f"{what}: {of}", file=sys.stderr)


def main() -> None:
    """Read the mixtures and print weighed and found fractions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="tiny")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    agent = agent_for(asked.recipe, asked.seed)
    mixtures = round_robin()
    insights = agent.analyze_together(
        [m.measurement for m in mixtures], rng=np.random.default_rng(0)
    )
    off: list[float] = []
    refined: list[float] = []
    held: list[bool] = []
    print(f"{'mixture':10}{'phase':10}{'weighed':>9}{'read':>8}{'std':>7}{'refined':>9}   wt%")
    for mixture, insight in zip(mixtures, insights, strict=True):
        if insight.abstained:
            print(f"{mixture.name:10}abstained: {'; '.join(insight.remarks)}")
            continue
        beside = by_agent(mixture, two_theta=RANGE)
        for phase, weighed, found in zip(beside.phases, beside.weighed, beside.found, strict=True):
            e = insight.estimates[f"xrd.weight_fraction.{phase}"]
            value, std = 100 * e.value, 100 * (e.std or 0.0)
            off.append(value - weighed)
            refined.append(found - weighed)
            held.append(abs(value - weighed) <= NORMAL * std)
            print(f"{mixture.name:10}{phase:10}{weighed:9.2f}{value:8.2f}{std:7.2f}{found:9.2f}")
    for name, errors in (("read", off), ("refined", refined)):
        rmse, worst = np.sqrt(np.mean(np.square(errors))), np.abs(errors).max()
        print(f"{name}: RMSE {rmse:.2f} wt%, largest error {worst:.2f}")
    print(f"{sum(held)} of {len(held)} intervals of 90 % hold the weighed fraction")


if __name__ == "__main__":
    main()
