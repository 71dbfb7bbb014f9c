"""One planner seeks the optimum of one function; runs in a peer's environment.

PYTHONPATH=.:benchmarks python benchmarks/planning/searching.py '{"function": "branin", …}'
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
import warnings
from dataclasses import asdict, dataclass, field
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"

import numpy as np  # noqa: E402  after the thread counts

from planners import Observation  # noqa: E402
from planners.sampling import draw_uniform  # noqa: E402
from planning.functions import FUNCTIONS  # noqa: E402
from planning.replaying import MAKERS, versions  # noqa: E402

STARTS = 5
"""Random points that every planner of a seed begins with."""

OWN_MAKERS = {
    **MAKERS,
    "botorch": "planning.free_botorch:make",
    "sobol": "planners.baselines:make_sobol",
}


@dataclass(frozen=True, slots=True)
class Search:
    """What is to be sought by whom.

    Attributes
    ----------
    settings : of the planner, beyond what the harness gives it.
    label : name under which the records stand, by default that of the planner.
    """

    function: str
    planner: str
    seed: int
    budget: int
    settings: dict[str, Any] = field(default_factory=dict)
    label: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this search from every other."""
        return (self.function, self.label or self.planner, self.seed, self.budget)


def search(asked: Search) -> dict[str, Any]:
    """Return the record of a search: regret of each point in order, CPU seconds of each choice.

    A point that breaks a bound has the regret None.
    """
    function = FUNCTIONS[asked.function]
    space, objective = function.space, function.objective
    planner = _make(asked)
    rng = np.random.default_rng([asked.seed, 12])
    known = [
        Observation(values=p, outcomes=function.at(p)) for p in draw_uniform(space, STARTS, rng=rng)
    ]
    seconds: list[float] = []
    while len(known) < asked.budget:
        begin = time.process_time()
        proposal = planner.propose(
            space,
            objective,
            observations=known,
            rng=np.random.default_rng([asked.seed, len(known)]),
        )[0]
        seconds.append(round(time.process_time() - begin, 4))
        known.append(
            Observation(
                values=proposal.values,
                outcomes=function.at(proposal.values),
                predicted=proposal.reason.predicted,
            )
        )
    regrets = [function.regret(o.outcomes) for o in known]
    return {
        **asdict(asked),
        "label": asked.label or asked.planner,
        "regrets": [float(f"{r:.6g}") if np.isfinite(r) else None for r in regrets],
        "cpu_seconds": seconds,
        "versions": versions(),
    }


def _make(asked: Search) -> Any:
    module, _, name = OWN_MAKERS.get(asked.planner, asked.planner).partition(":")
    given: dict[str, Any] = {}
    if asked.planner in ("sdlab", "sobol"):
        given = {"seed": asked.seed}
    if asked.planner in ("sdlab", "ax", "baybe"):
        given["n_initial"] = STARTS
    return getattr(importlib.import_module(module), name)({**given, **asked.settings})


def main() -> None:
    """Answer the search named in the first argument with one line of JSON."""
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a package prints is no record
    record = search(Search(**json.loads(sys.argv[1])))
    print(json.dumps(record, separators=(",", ":")), file=answers)


if __name__ == "__main__":
    main()
