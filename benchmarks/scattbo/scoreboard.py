"""How many experiments a planner needs, and how the misfit lies over the space.

A planner sees the space and one number an experiment. The experiments of its initial design
count, and so does the one that meets the threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.registry import planner_factory
from planners import Objective, Observation, Target
from scattbo.cases import Laboratory
from scattbo.laboratory import kind_and_size

OBJECTIVE = Objective(targets=(Target(quantity="rwp", goal="minimize"),))
PH_STEP = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """One campaign, up to the experiment that met every threshold or to the end of the budget.

    Attributes
    ----------
    steps : number of that experiment, counted from one, None if none did.
    losses : what the planner was told, one an experiment.
    points : settings of each.
    """

    edition: str
    case: str
    planner: str
    settings: dict[str, object]
    seed: int
    budget: int
    steps: int | None
    losses: list[float]
    points: list[dict[str, float | str]]

    @property
    def key(self) -> str:
        """What was run, without what came out."""
        return str((self.edition, self.case, self.planner, self.settings, self.seed, self.budget))


def replay(
    lab: Laboratory, planner: str, *, settings: Mapping[str, object], seed: int, budget: int
) -> Run:
    """Return one campaign of a registered planner.

    The planner's own setting `seed` is the run's, unless `settings` names one.
    """
    space = lab.case.bounds.space()
    chooser = planner_factory(planner)({"seed": seed, **settings})
    done: list[Observation] = []
    losses: list[float] = []
    met = False
    while not met and len(done) < budget:
        rng = np.random.default_rng([seed, len(done)])
        chosen = chooser.propose(space, OBJECTIVE, observations=done, rng=rng)[0]
        misfits = lab.misfits(chosen.values)
        met = lab.is_met(misfits)
        losses.append(sum(misfits.values()))
        done.append(Observation(values=chosen.values, outcomes={"rwp": losses[-1]}))
    return Run(
        edition=lab.edition.name,
        case=lab.case.name,
        planner=planner,
        settings=dict(settings),
        seed=seed,
        budget=budget,
        steps=len(done) if met else None,
        losses=losses,
        points=[dict(o.values) for o in done],
    )


def summary(runs: Sequence[Run]) -> dict[str, float]:
    """Return median, quartiles and extremes of the steps; a run that never hit counts as infinite.

    A quartile is the smallest number of steps that at least this share of the runs kept to; the
    median is infinite as soon as half of the runs missed.
    """
    steps = np.sort([r.steps if r.steps is not None else np.inf for r in runs])

    def quantile(share: float) -> float:
        return float(steps[max(int(np.ceil(share * len(steps))) - 1, 0)])

    return {
        "runs": float(len(steps)),
        "hit": float(np.isfinite(steps).mean()),
        "best": float(steps[0]),
        "lower_quartile": quantile(0.25),
        "median": float(np.median(steps)),
        "upper_quartile": quantile(0.75),
        "worst": float(steps[-1]),
    }


@dataclass(frozen=True, slots=True)
class Plateau:
    """One cluster's part of the space: the loss depends on the pressure alone.

    Attributes
    ----------
    share : of the space's volume.
    lowest, median, highest : loss over the pressures.
    best_pressure : where it is lowest.
    hit : share of the pressures that meet every threshold.
    """

    kind: str
    size: int
    share: float
    lowest: float
    median: float
    highest: float
    best_pressure: float
    hit: float


def landscape(
    lab: Laboratory, *, pressure_step: float, told: Callable[[Plateau], None]
) -> list[Plateau]:
    """Return every plateau of the space, and tell each as soon as it is known."""
    bounds = lab.case.bounds
    acidities = np.arange(bounds.ph[0] + PH_STEP / 2, bounds.ph[1], PH_STEP)
    pressures = np.arange(bounds.pressure[0] + pressure_step / 2, bounds.pressure[1], pressure_step)
    found = []
    for solvent in bounds.solvents:
        points = [{"pH": float(v), "pressure": 0.0, "solvent": solvent} for v in acidities]
        clusters = [kind_and_size(p, lab.edition) for p in points]
        for cluster in dict.fromkeys(clusters):
            point = points[clusters.index(cluster)]
            share = clusters.count(cluster) / len(clusters) / len(bounds.solvents)
            found.append(_plateau(lab, cluster, share, point, pressures))
            told(found[-1])
    return found


def _plateau(
    lab: Laboratory,
    cluster: tuple[str, int],
    share: float,
    point: Mapping[str, float | str],
    pressures: np.ndarray,
) -> Plateau:
    misfits = [lab.misfits({**point, "pressure": float(p)}) for p in pressures]
    losses = np.array([sum(m.values()) for m in misfits])
    return Plateau(
        kind=cluster[0],
        size=cluster[1],
        share=share,
        lowest=float(losses.min()),
        median=float(np.median(losses)),
        highest=float(losses.max()),
        best_pressure=float(pressures[losses.argmin()]),
        hit=float(np.mean([lab.is_met(m) for m in misfits])),
    )


def random_median(hit_share: float) -> float:
    """Return the median number of uniformly random experiments up to the first hit."""
    if hit_share <= 0:
        return float("inf")
    return float(np.ceil(np.log(0.5) / np.log1p(-hit_share)))
