"""Simulated composition spreads drawn from ranges: where demixing is developed and judged.

The ranges hold the kinds of trouble of measured spreads: few phases or many, solid solutions whose
peaks move by up to 7 %, crystallites of unlike size, moderate texture, weak and strong scatterers,
counts from a hundred to a million, with or without a background. Spreads for choosing constants and
spreads for judging them are made of different structures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.physics.structures import STRUCTURES, structure
from analysis.xrd.artefacts import log_uniform
from analysis.xrd.demixing_spread import Spread, simulate_spread

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class World:
    """Ranges (lowest, highest) that a spread is drawn from.

    Attributes
    ----------
    n_phases, n_solid_solutions : whole numbers, both ends possible.
    n_edge : samples along an edge; 20 … 23 make 210 … 276 samples.
    largest_strain : of a solid solution's cell over its field, log-uniform.
    texture : standard deviation of ln r of March–Dollase.
    size : of a phase's crystallites [Å], log-uniform.
    strength : standard deviation of ln of the phases' scattering powers.
    background : share of the highest peak; half of the spreads have none.
    peak_counts : at the highest peak of each sample, log-uniform.
    n_points : of a pattern, from 12 … 20° to 70 … 100° (Cu Kα).
    """

    n_phases: tuple[int, int] = (3, 8)
    n_solid_solutions: tuple[int, int] = (0, 3)
    n_edge: tuple[int, int] = (20, 23)
    largest_strain: tuple[float, float] = (0.005, 0.07)
    texture: tuple[float, float] = (0.0, 0.3)
    size: tuple[float, float] = (60.0, 400.0)
    strength: tuple[float, float] = (0.0, 0.5)
    background: tuple[float, float] = (0.01, 0.2)
    peak_counts: tuple[float, float] = (1e2, 1e6)
    n_points: tuple[int, int] = (600, 1000)


STANDARD = World()
"""The world that the constants of `xrd.demix` are chosen in."""


def draw_spread(
    *, rng: np.random.Generator, held_out: bool = False, world: World = STANDARD
) -> Spread:
    """Return a spread of the world.

    Parameters
    ----------
    held_out : True draws from the structures at odd places of the library's sorted names, False
        from those at even places.
    """
    names = sorted(STRUCTURES)[int(held_out) :: 2]
    n_phases = _whole(world.n_phases, rng)
    two_theta = np.linspace(rng.uniform(12, 20), rng.uniform(70, 100), _whole(world.n_points, rng))
    return simulate_spread(
        [structure(str(name)) for name in rng.choice(names, n_phases, replace=False)],
        two_theta,
        rng=rng,
        n_solid_solutions=_whole(world.n_solid_solutions, rng),
        n_edge=_whole(world.n_edge, rng),
        largest_strain=log_uniform(world.largest_strain, rng),
        one_way=True,
        texture=rng.uniform(*world.texture),
        sizes=[log_uniform(world.size, rng) for _ in range(n_phases)],
        strength=rng.uniform(*world.strength),
        background=rng.choice([0.0, 1.0]) * log_uniform(world.background, rng),
        peak_counts=log_uniform(world.peak_counts, rng),
    )


def _whole(span: tuple[int, int], rng: np.random.Generator) -> int:
    return int(rng.integers(span[0], span[1], endpoint=True))
