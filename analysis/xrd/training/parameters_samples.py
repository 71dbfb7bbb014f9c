"""Samples unlike the training's: what `xrd.parameters` is doubted and tested with.

Drawn by `forward`, peak by peak: other widths, microstrain, a little texture, peaks that lean, a
goniometer's zero, a background of a higher degree with a rise, and in some a foreign phase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.physics.cell import expand_cell
from analysis.physics.crystal import Crystal
from analysis.xrd.artefacts import AXES, log_uniform
from analysis.xrd.forward import PhaseState, column
from analysis.xrd.parameter_patterns import Conditions, draw_shares, measured
from analysis.xrd.world import World

FloatArray = NDArray[np.float64]
Span = tuple[float, float]

EDGE = 0.95
"""Samples stay within this share of the world's ranges."""


@dataclass(frozen=True, slots=True)
class Strangeness:
    """How far samples are from the world that was trained.

    Attributes
    ----------
    width : factor on Caglioti's w, log-uniform.
    microstrain : log-uniform.
    texture : March's r, log-uniform, of every phase along a random axis.
    skew : largest share of a peak that leans to low angles, at the low end of the range.
    zero : largest zero shift, in full widths of the narrowest peak.
    rise : height of an exponential rise at low angles over the mean background.
    foreign : probability of a foreign phase, of 5 to 30 % of the Bragg intensity.
    conditions : of measuring.
    """

    width: Span = (0.85, 1.18)
    microstrain: Span = (3e-5, 6e-4)
    texture: Span = (0.85, 1.18)
    skew: float = 0.08
    zero: float = 0.03
    rise: float = 1.5
    foreign: float = 0.0
    conditions: Conditions = Conditions(order=5, bend=0.15, counts=(1e3, 2e5))  # noqa: RUF009


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A simulated sample and its pattern.

    Attributes
    ----------
    counts : (n_points,).
    fractions : (n_phases,) weight fractions among the system's phases.
    z : (n_numbers,).
    foreign : whether something else is there.
    """

    counts: FloatArray
    fractions: FloatArray
    z: FloatArray
    foreign: bool


def draw_sample(
    world: World,
    strangers: Sequence[Crystal],
    strangeness: Strangeness,
    *,
    rng: np.random.Generator,
    grid: FloatArray | None = None,
) -> Sample:
    """Return one sample.

    Parameters
    ----------
    strangers : foreign phases; none may be empty, and then none is there.
    grid : (n_points,) even angles [deg]; the world's by default.
    """
    x = world.grid if grid is None else grid
    z = EDGE * rng.uniform(-1, 1, len(world.numbers))
    values = world.physical(z)
    resolution = replace(
        world.resolution, w=world.resolution.w * log_uniform(strangeness.width, rng)
    )
    zero = strangeness.zero * world.narrowest * float(rng.uniform(-1, 1))
    shift = float(values[0]) if world.displacement else 0.0

    def drawn(state: PhaseState) -> FloatArray:
        return column(
            x,
            state,
            radiation=world.radiation,
            resolution=resolution,
            displacement=shift,
            zero_shift=zero,
        )

    states = [_state(world, i, values, strangeness, rng) for i in range(len(world.crystals))]
    columns = np.stack([drawn(state) for state in states])
    shares = draw_shares(1, len(states), conditions=strangeness.conditions, rng=rng)[0]
    scales = shares / columns.mean(axis=1)
    bragg = scales @ columns
    foreign = bool(strangers) and rng.random() < strangeness.foreign
    if foreign:
        other = strangers[int(rng.integers(len(strangers)))]
        extra = drawn(PhaseState(other, size=log_uniform(world.size, rng)))
        # Of an extra phase without a line in range nothing is seen, and nothing is added.
        if extra.mean() > 1e-3 * extra.max():
            bragg = bragg + float(rng.uniform(0.05, 0.3)) * extra / extra.mean()
        else:
            foreign = False
    leaning = skewed(bragg, float(rng.uniform(0, strangeness.skew)))
    rise = float(rng.uniform(0, strangeness.rise)) * np.exp(
        -float(rng.uniform(4, 10)) * np.linspace(0, 1, len(x))
    )
    lifted = leaning + 0.2 * leaning.mean() * rise
    counts, _ = measured(lifted[None], conditions=strangeness.conditions, rng=rng)
    return Sample(counts[0], scales / scales.sum(), z, foreign)


def skewed(pattern: FloatArray, share: float) -> FloatArray:
    """Return a pattern whose peaks lean to low angles, most at the low end: axial divergence."""
    part = share * np.linspace(1.0, 0.0, len(pattern))
    smeared = np.zeros_like(pattern)
    for offset, weight in ((1, 0.6), (2, 0.4)):
        smeared[:-offset] += weight * pattern[offset:]
    return np.asarray((1.0 - part) * pattern + part * smeared)


def _state(
    world: World,
    i: int,
    values: FloatArray,
    strangeness: Strangeness,
    rng: np.random.Generator,
) -> PhaseState:
    mine = values[world.of_phase(i)]
    crystal = world.crystals[i]
    return PhaseState(
        crystal,
        cell=expand_cell(crystal, [float(v) for v in mine[:-1]]),
        size=float(mine[-1]),
        microstrain=log_uniform(strangeness.microstrain, rng),
        texture_r=log_uniform(strangeness.texture, rng),
        texture_axis=AXES[int(rng.integers(len(AXES)))],
    )
