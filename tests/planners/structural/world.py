"""A laboratory whose structure follows its settings, for tests of planning through structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planners import (
    CategoricalParameter,
    ContinuousParameter,
    Objective,
    Observation,
    SearchSpace,
    Target,
)
from planners.columns import Array
from planners.space import Point
from planners.structure import Answer, Reading, Structure

SPACE = SearchSpace(
    parameters=(
        ContinuousParameter(name="acid", low=2.0, high=12.0),
        ContinuousParameter(name="pressure", low=0.0, high=100.0),
        CategoricalParameter(name="solvent", categories=("ethanol", "water", "toluene")),
    )
)
TYPES = ("icosahedron", "decahedron", "octahedron")
WANTED = ("decahedron", 3.02, 400.0)
OBJECTIVE = Objective(targets=(Target(quantity="misfit", goal="minimize", value=0.1),))


@dataclass(frozen=True)
class Misfit:
    """Distance to the wanted structure, narrow in the bond: a known function."""

    quantity: str = "misfit"
    question: str = "type"
    answers: tuple[str, ...] = TYPES
    numbers: tuple[str, ...] = ("bond", "atoms")
    ranges: tuple[tuple[float, float], ...] = ((2.0, 5.0), (10.0, 2000.0))
    softness: float = 0.1

    def __call__(self, answer: str, values: Array) -> Array:
        off = np.log(values[..., 0] / WANTED[1]) / 0.01
        size = np.log(values[..., 1] / WANTED[2])
        likeness = np.exp(-0.5 * off**2 - 0.5 * size**2) * (1.0 if answer == WANTED[0] else 0.3)
        return np.asarray(1.2 * (1 - likeness))


def structure_at(point: Point) -> tuple[str, float, float]:
    """Return type, bond and number of atoms that settings make."""
    kind = TYPES[("ethanol", "water", "toluene").index(str(point["solvent"]))]
    shells = int(float(point["acid"]) / 12.5 * 8) + 2
    return kind, 2.5 + 0.02 * float(point["pressure"]), 13.0 * (shells / 2) ** 3


def experiment(
    point: Point, rng: np.random.Generator, *, wrong: float = 0.0, told: float = 0.0
) -> Observation:
    """Return what an experiment tells: the misfit, and the structure as an agent reads it.

    Parameters
    ----------
    wrong : share of readings that are wrong altogether.
    told : probability of being wrong that the agent states for those; 0.02 for others.
    """
    kind, bond, atoms = structure_at(point)
    misfit = float(Misfit()(kind, np.array([bond, atoms])))
    p_wrong = 0.02 if told else 0.0
    if rng.random() < wrong:
        kind, bond, atoms = str(rng.choice(TYPES)), rng.uniform(2, 5), np.exp(rng.uniform(3, 7))
        p_wrong = told
    others = {k: 0.02 for k in TYPES if k != kind}
    read = Structure(
        numbers={
            "bond": Reading(
                value=bond * (1 + 0.002 * rng.normal()), std=0.002 * bond, p_wrong=p_wrong
            ),
            "atoms": Reading(value=atoms * np.exp(0.1 * rng.normal()), std=0.1 * atoms),
        },
        answers={"type": Answer(probabilities={kind: 0.96, **others}, p_wrong=p_wrong)},
    )
    return Observation(values=dict(point), outcomes={"misfit": misfit}, structure=read)


def steps(
    planner: object, *, seed: int, most: int = 40, wrong: float = 0.0, told: float = 0.0
) -> int:
    """Return the number of experiments to the wanted structure, `most` + 1 if it was not met."""
    done: list[Observation] = []
    noise = np.random.default_rng([seed, 1])
    for number in range(most):
        rng = np.random.default_rng([seed, 0, number])
        [proposal] = planner.propose(SPACE, OBJECTIVE, observations=done, rng=rng)  # type: ignore[attr-defined]
        done.append(experiment(proposal.values, noise, wrong=wrong, told=told))
        if OBJECTIVE.is_reached(done[-1].outcomes):
            return number + 1
    return most + 1
