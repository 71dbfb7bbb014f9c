"""A laboratory that reads what it made and aims at the target's structure.

Each curve is read by `pdf.match`; type, size and bond are learnt as functions of the settings from
these readings alone; the next experiment is the one whose foretold structure promises most likeness
beyond the best so far, exp(−misfit/`SOFT`), with the target's structure, which the same agent read
from the target. Not the least expected misfit itself: it asks for the best experiment again, and it
betters the wrong type for long before it looks for the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from analysis.insight import Insight
from analysis.pdf.agents.match import MatchAgent
from analysis.pdf.targets import Belief, MisfitMap, belief
from instruments.measurement import Measurement
from planners import ContinuousParameter, SearchSpace
from planners.space import Point
from scattbo.beliefs import Forecast, Property, Types, coordinates
from scattbo.cases import Laboratory, simulated_curve
from scattbo.scattering import Q_GRID, Array, rwp

NAMES = {"sq": ("s_q", "q", "1/Å"), "gr": ("g_r", "r", "Å")}
RANGE = {"q_min": float(Q_GRID[0]), "q_max": float(Q_GRID[-1])}
SPREAD = {"bond": 0.2, "atoms": 1.0}
CANDIDATES, NEAR, ROUNDS = 600, 20, (0.03, 0.003)
SAMPLES = 64
LIKELY = 0.003

SOFT = 0.1
"""Misfit that makes a structure e times less like the target."""

STEP_OF_SIZE = 0.15
"""Spread of ln(atoms) for sizes that come in shells: a smooth course says no more than that."""

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def measurement(name: str, curve: tuple[Array, Array]) -> Measurement:
    """Return a curve of the laboratory as a measurement."""
    y_name, x_name, unit = NAMES[name]
    return Measurement(
        id=f"gold/pdf/{name}",
        sample_id="gold",
        technique="pdf",
        x=curve[0],
        y=curve[1],
        sigma=None,
        x_name=x_name,
        x_unit=unit,
        y_name=y_name,
        y_unit="",
        instrument="scattbo",
        simulated=True,
        started=_NOW,
        finished=_NOW,
        settings=RANGE,
    )


def read(agent: MatchAgent, curves: Mapping[str, tuple[Array, Array]]) -> Insight:
    """Return what the agent reads from the curves of one sample."""
    taken = [measurement(name, curve) for name, curve in curves.items()]
    return agent.analyze(taken, rng=np.random.default_rng(0))


def target_map(agent: MatchAgent, lab: Laboratory) -> MisfitMap:
    """Return the misfits to the structure that the agent sees in the target's curves.

    The best match alone stands for the target.
    """
    taken = [measurement(name, curve) for name, curve in lab.targets.items()]
    reading = max((agent.read(m) for m in taken), key=lambda r: r.n_independent)
    best = agent.match(reading)[0]
    return MisfitMap(
        (best.entry, best.bond),
        agent.scanner.entries,
        q=Q_GRID[::8],
        powers=[{"sq": 0.0, "gr": 1.0}[c] for c in lab.case.curves],
        bond_range=agent.settings.bond_range,
    )


@dataclass(slots=True)
class Aim:
    """What has been read so far, and what to do next.

    Attributes
    ----------
    points, beliefs : settings and readings of the experiments that could be read.
    """

    space: SearchSpace
    misfits: MisfitMap
    points: list[Point] = field(default_factory=list)
    beliefs: list[Belief] = field(default_factory=list)

    def learn(self, point: Point, insight: Insight) -> None:
        """Add an experiment; one that the agent abstained from teaches nothing."""
        found = belief(insight)
        if found is not None:
            self.points.append(point)
            self.beliefs.append(found)

    def propose(self, rng: np.random.Generator) -> Point:
        """Return the next experiment, a random one as long as nothing was read."""
        points = [_random(self.space, rng) for _ in range(CANDIDATES)]
        if not self.beliefs:
            return points[0]
        value = self._promise(rng)
        gains = value(points)
        for width in ROUNDS:
            best = [points[i] for i in np.argsort(-gains)[:NEAR]]
            near = [_near(self.space, p, width, rng) for p in best for _ in range(NEAR)]
            points = best + near
            gains = value(points)
        return points[int(np.argmax(gains))]

    def _promise(self, rng: np.random.Generator) -> Callable[[list[Point]], Array]:
        """Return the function from points to the likeness they promise beyond the best, (n,)."""
        labels = [not isinstance(p, ContinuousParameter) for p in self.space.parameters]
        x = coordinates(self.space, self.points)
        models = {}
        for name in ("bond", "atoms"):
            value, noise = np.array([getattr(b, name) for b in self.beliefs]).T
            if name == "atoms":
                noise = np.hypot(noise, STEP_OF_SIZE)
            models[name] = Property(x, value, noise, is_label=labels, spread=SPREAD[name])
        types = Types(
            x, [b.types for b in self.beliefs], names=tuple(self.misfits.sizes), is_label=labels
        )
        draws = qmc.Sobol(4, seed=rng).random(SAMPLES)
        best = np.exp(-min(self.reached()) / SOFT)

        def promise(points: list[Point]) -> Array:
            at = coordinates(self.space, points)
            bond = _drawn(models["bond"].forecast(at), draws[:, 0], draws[:, 1])
            atoms = _drawn(models["atoms"].forecast(at), draws[:, 2], draws[:, 3])
            total = np.zeros(len(points))
            for name, share in zip(types.names, types.forecast(at).T, strict=True):
                if share.max() > LIKELY:
                    likeness = np.exp(-self.misfits.at(name, atoms, bond) / SOFT)
                    total += share * np.maximum(likeness - best, 0.0).mean(axis=0)
            return total

        return promise

    def reached(self) -> list[float]:
        """Return the misfit of each structure read, as the map says."""
        return [
            float(self.misfits.at(b.type, np.array([b.atoms[0]]), np.array([b.bond[0]]))[0])
            for b in self.beliefs
        ]


def campaign(
    lab: Laboratory, agent: MatchAgent, misfits: MisfitMap, *, seed: int, budget: int
) -> dict[str, object]:
    """Return the steps to the target, None where the budget ended first, and what was done."""
    aim = Aim(lab.case.bounds.space(), misfits)
    rng = np.random.default_rng(seed)
    losses: list[float] = []
    points: list[Point] = []
    steps = None
    while steps is None and len(points) < budget:
        point = aim.propose(rng)
        curves = {c: simulated_curve(c, point, lab.edition) for c in lab.case.curves}
        found = {c: rwp(y, np.interp(x, *curves[c])) for c, (x, y) in lab.targets.items()}
        points.append(point)
        losses.append(sum(found.values()))
        if lab.is_met(found):
            steps = len(points)
        else:
            aim.learn(point, read(agent, curves))
    return {
        "case": lab.case.name,
        "seed": seed,
        "budget": budget,
        "steps": steps,
        "losses": losses,
        "points": points,
        "read": [[b.type, np.exp(b.bond[0]), np.exp(b.atoms[0])] for b in aim.beliefs],
    }


def _drawn(forecast: Forecast, which: Array, normal: Array) -> Array:
    """Return draws of a property, (n_samples, n_points): a model each, then its normal."""
    edges = np.cumsum(forecast.weight)
    model = np.minimum(np.searchsorted(edges, which), len(edges) - 1)
    z = ndtri(np.clip(normal, 1e-6, 1 - 1e-6))
    return np.asarray(forecast.mean[model] + z[:, None] * forecast.std[model])


def _random(space: SearchSpace, rng: np.random.Generator) -> dict[str, float | str]:
    return {
        p.name: float(rng.uniform(p.low, p.high))
        if isinstance(p, ContinuousParameter)
        else str(rng.choice(list(p.categories)))
        for p in space.parameters
    }


def _near(
    space: SearchSpace, point: Point, width: float, rng: np.random.Generator
) -> dict[str, float | str]:
    moved = dict(point)
    for p in space.parameters:
        if isinstance(p, ContinuousParameter):
            step = width * (p.high - p.low) * rng.normal()
            moved[p.name] = float(np.clip(float(point[p.name]) + step, p.low, p.high))
    return moved
