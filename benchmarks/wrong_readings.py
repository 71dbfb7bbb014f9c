"""What do wrong readings of structures cost a planner, if their agent admits to them or not?

The world of the planner's own tests: which cluster grows follows from three settings, and one in
six hundred points hits the wanted one. A share of the readings is wrong altogether; their agent
says so with the probability told, or claims to be sure. Steps to the wanted structure.

    python benchmarks/wrong_readings.py --seeds 20
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts

sys.path.insert(0, str(Path(__file__).parents[1]))

from planners.structural.planner import make  # noqa: E402
from tests.planners.structural.world import Misfit, steps  # noqa: E402

MOST = 40


def main() -> None:
    """Run the campaigns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--wrong", type=float, default=0.2, help="share of wrong readings")
    said = parser.parse_args()
    print("wrong  told   runs   hit   25 %  median   75 %   mean")
    for wrong, told in ((0.0, 0.0), (said.wrong, 0.8), (said.wrong, 0.3), (said.wrong, 0.0)):
        taken = np.array(
            [
                steps(
                    make({"seed": seed}).knowing([Misfit()]),
                    seed=seed,
                    most=MOST,
                    wrong=wrong,
                    told=told,
                )
                for seed in range(said.first, said.first + said.seeds)
            ]
        )
        low, middle, high = np.quantile(taken, (0.25, 0.5, 0.75))
        hit = float((taken <= MOST).mean())
        print(
            f"{wrong:5.2f}{told:6.2f}{len(taken):7}{hit:6.2f}{low:7.1f}{middle:8.1f}{high:7.1f}"
            f"{taken.mean():7.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
