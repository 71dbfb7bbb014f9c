"""Samples of which something may have gone wrong, read by real agents; the world of `disagreement`.

A sample holds two phases that everybody looks for. In some a third hides that only the long lists
of phases name, or a stranger that none does; in some a measurement is of another sample, or is
spoilt: hardly counted and badly aligned. X-rays and neutrons look at it, each with artefacts that
no agent models: texture, an amorphous hump, asymmetric peaks, another height at each mounting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.insight import Insight
from analysis.physics.cell import scale_cell
from analysis.physics.structures import structure
from analysis.xrd.agents.quantify import Quantify, make
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Radiation, Resolution, pattern
from benchmarks.simulated_patterns import as_measurement
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

TWO_THETA = np.arange(20.0, 75.0, 0.04)
NEUTRONS = Radiation(lines=((1.54, 1.0),), probe="neutron")
RADIATIONS: Mapping[str, Radiation] = {"x": CU_K_ALPHA, "n": NEUTRONS}
AXES = ((0, 0, 1), (1, 0, 0), (1, 1, 0), (1, 1, 1))

LEARNT_ON = ("fluorite", "periclase", "eskolaite", "spinel", "cassiterite", "cerianite")
REPORTED_ON = ("anatase", "rutile", "brookite", "corundum", "zincite", "quartz", "calcite")
"""Structures that constants may be learnt on, and those that results are reported on."""

HIDES: Mapping[str, float] = {"nothing": 0.65, "hidden": 0.2, "stranger": 0.15}
"""What a sample holds that some or all agents do not look for, and how often."""

SWAPPED, SPOILT = 0.075, 0.05
"""How often a measurement, first or repeated, is of another sample, or is spoilt."""

AGAIN = 2.0
"""Counting time of a measurement that is taken once more, in that of the first."""


@dataclass(frozen=True, slots=True)
class Case:
    """One sample and what may be measured of it.

    Attributes
    ----------
    phases : the wanted one, its companion, the one that may hide, and a stranger.
    weights, other : mass fractions of the phases in it, and in the sample it may be swapped for.
    hides : key of `HIDES`.
    faults : measurement (``x``, ``n again``) → ``fine``, ``swapped`` or ``spoilt``.
    """

    phases: tuple[str, ...]
    weights: tuple[float, ...]
    other: tuple[float, ...]
    hides: str
    faults: Mapping[str, str]

    @property
    def truth(self) -> float:
        """Mass fraction of the wanted phase."""
        return self.weights[0]


def draw(rng: np.random.Generator, names: Sequence[str]) -> Case:
    """Return a sample of some of the structures, and what will go wrong with its measurements."""
    phases = tuple(str(name) for name in rng.permutation(list(names))[:4])
    hides = str(rng.choice(list(HIDES), p=list(HIDES.values())))
    more = {"hidden": 2, "stranger": 3}.get(hides)
    made, other = (_weights(rng, more) for _ in range(2))
    odds = (1 - SWAPPED - SPOILT, SWAPPED, SPOILT)
    faults = {
        f"{kind}{again}": str(rng.choice(["fine", "swapped", "spoilt"], p=odds))
        for again in ("", " again")
        for kind in RADIATIONS
    }
    return Case(phases, made, other, hides, faults)


def _weights(rng: np.random.Generator, more: int | None) -> tuple[float, ...]:
    share = rng.uniform(0.15, 0.85)
    rest = 0.0 if more is None else rng.uniform(0.12, 0.4)
    found = [share * (1 - rest), (1 - share) * (1 - rest), 0.0, 0.0]
    if more is not None:
        found[more] = rest
    return tuple(map(float, found))


def measured(case: Case, name: str, *, rng: np.random.Generator) -> Measurement:
    """Return a fresh measurement: ``x`` with X-rays, ``n again`` with neutrons once more."""
    kind, again, fault = name[0], name.endswith("again"), case.faults[name]
    weights = case.other if fault == "swapped" else case.weights
    states = [_state(p, w, rng) for p, w in zip(case.phases, weights, strict=True) if w > 0]
    peak = np.exp(rng.uniform(np.log(2e3), np.log(2e4))) * (AGAIN if again else 1.0)
    curve = _counts(
        states,
        RADIATIONS[kind],
        rng,
        peak=peak / 50 if fault == "spoilt" else peak,
        crooked=fault == "spoilt",
    )
    return as_measurement(
        TWO_THETA, curve, name.replace(" ", "-"), wavelength=RADIATIONS[kind].wavelength
    )


def _state(name: str, weight: float, rng: np.random.Generator) -> PhaseState:
    crystal = structure(name)
    return PhaseState(
        crystal,
        weight_fraction=weight,
        cell=scale_cell(crystal, 1 + 0.001 * rng.standard_normal()),
        size=float(np.exp(rng.uniform(np.log(150), np.log(2000)))),
        microstrain=float(np.exp(rng.uniform(np.log(1e-4), np.log(2e-3)))),
        texture_r=float(np.exp(0.1 * rng.standard_normal())),
        texture_axis=AXES[int(rng.integers(len(AXES)))],
        b_extra=float(0.2 * rng.standard_normal()),
    )


def _counts(
    states: list[PhaseState],
    radiation: Radiation,
    rng: np.random.Generator,
    *,
    peak: float,
    crooked: bool,
) -> FloatArray:
    x, tail = TWO_THETA, rng.uniform(0, 0.25)
    height = (0.4 if crooked else 0.06) * rng.standard_normal()
    shift = 0.02 * rng.standard_normal()
    drawn = [
        pattern(
            x,
            states,
            radiation=radiation,
            resolution=Resolution(w=0.006),
            displacement=height,
            zero_shift=zero,
        )
        for zero in (shift, shift - 0.05)
    ]
    bragg = (1 - tail) * drawn[0] + tail * drawn[1]
    bragg *= peak / bragg.max()
    hump = np.exp(-(((x - rng.uniform(20, 40)) / 6) ** 2)) * rng.uniform(0, 1)
    level = peak * np.exp(rng.uniform(np.log(0.01), np.log(0.1)))
    return rng.poisson(bragg + level * (1 + hump + 15 / x)).astype(np.float64)


def readers(case: Case) -> dict[str, tuple[str, Quantify]]:
    """Return name → what it reads, and the agent: two of X-rays, with a long and a short list."""
    long, short = case.phases[:3], case.phases[:2]
    return {
        "x.long": ("x", _agent(long, "x", None)),
        "x.short": ("x", _agent(short, "x", (20.0, 60.0))),
        "n.long": ("n", _agent(long, "n", None)),
    }


@cache
def _agent(phases: tuple[str, ...], kind: str, span: tuple[float, float] | None) -> Quantify:
    radiation = RADIATIONS[kind]
    settings: dict[str, object] = {
        "phases": phases,
        "two_theta": span,
        "radiation": {"lines": radiation.lines, "probe": radiation.probe},
        "resolution": {"w": 0.006},
        "particle_diameter": 0.0,
    }
    return make(settings, Path())


def read(case: Case, rng: np.random.Generator) -> dict[str, Insight]:
    """Return what each agent says of each measurement: ``x.long``, and ``x.long again``."""
    found = {}
    for again in ("", " again"):
        shown = {kind: measured(case, kind + again, rng=rng) for kind in RADIATIONS}
        for name, (kind, agent) in readers(case).items():
            insight = agent.analyze([shown[kind]], rng=rng)
            found[name + again] = replace(insight, agent=name)
    return found
