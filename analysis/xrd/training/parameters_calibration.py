"""What `xrd.parameters` learns beside its networks: how wide intervals are, and when to doubt.

Importing this file imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.learning.calibration import Logistic, fit_logistic
from analysis.learning.conformal import FEWEST, Factors, coverage, fit_factors
from analysis.physics.crystal import Crystal
from analysis.xrd.parameter_patterns import Conditions, Drawn, draw_patterns
from analysis.xrd.parameter_statement import (
    EDGES,
    KINDS,
    MISFITS,
    FactorsOfKinds,
    Statements,
    kinds_of,
    misfit_of,
    state,
)
from analysis.xrd.reading import Reader, Reading
from analysis.xrd.training.parameters_samples import Sample, Strangeness, draw_sample
from analysis.xrd.world import World

FloatArray = NDArray[np.float64]

FILE = "calibration.json"

BATCH = 512
"""Patterns that are drawn and read at once."""

FAR = 4.0
"""Error of a number, in its stated deviation, from which the statement is called wrong."""

FOREIGN = 1 / 3
"""Share of samples with a foreign phase from which the doubt is learnt."""

SMALLEST_AREA = 1e-3
"""Unexplained area below which differences mean nothing."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learnt.

    Attributes
    ----------
    factors : by how much stated deviations are multiplied.
    wrong : probability that the statement is wrong, from `doubts`.
    base : share of statements that were wrong where that was learnt.
    """

    factors: FactorsOfKinds
    wrong: Logistic
    base: float


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """Statements beside the truth.

    Attributes
    ----------
    statements : what was said of n patterns.
    error : (n, m) said minus true.
    reading : what was read.
    """

    statements: Statements
    error: FloatArray
    reading: Reading


def doubts(reading: Reading) -> FloatArray:
    """Return the features of the doubt, (n, 3): unexplained area, χ²_red, disagreement."""
    return np.stack(
        [
            np.log(reading.unexplained + SMALLEST_AREA),
            np.log(reading.chi2_reduced),
            np.log(reading.disagreement + 1e-3),
        ],
        axis=1,
    )


def try_drawn(
    reader: Reader, factors: FactorsOfKinds, conditions: Conditions, *, n: int, seed: int
) -> Tried:
    """Return what a reader says of `n` patterns like those of the training."""
    tried = []
    for start in range(0, n, BATCH):
        rng = np.random.default_rng([seed, 300, start])
        size = min(BATCH, n - start)
        drawn = draw_patterns(reader.fit.columns, size, conditions=conditions, rng=rng)
        tried.append(_tried(reader, factors, drawn))
    return _joined(tried)


def draw_samples(
    world: World,
    strangers: Sequence[Crystal],
    strangeness: Strangeness,
    *,
    n: int,
    seed: int,
) -> list[Sample]:
    """Return `n` samples unlike those of the training."""
    return [
        draw_sample(world, strangers, strangeness, rng=np.random.default_rng([seed, 400, k]))
        for k in range(n)
    ]


def try_samples(reader: Reader, factors: FactorsOfKinds, samples: Sequence[Sample]) -> Tried:
    """Return what a reader says of samples."""
    tried = []
    for start in range(0, len(samples), BATCH):
        some = samples[start : start + BATCH]
        counts = np.stack([s.counts for s in some])
        reading = reader.read(counts, np.sqrt(np.maximum(counts, 1.0)))
        truth = np.stack([s.fractions for s in some]), np.stack([s.z for s in some])
        tried.append(_beside(reading, reader.fit.world, factors, *truth))
    return _joined(tried)


def learn(
    reader: Reader,
    strangers: Sequence[Crystal],
    conditions: Conditions,
    *,
    n: int,
    n_unlike: int,
    seed: int,
) -> Calibration:
    """Return factors and doubt, learnt on simulated patterns.

    Factors come from `n` patterns like the training's and `n_unlike` unlike them. The doubt comes
    from as many again that are unlike them, some with a foreign phase: a statement is wrong if the
    sample holds one, or if a number that is stated is off by more than `FAR` stated deviations. To
    what was seen one imagined right and one wrong statement are added, both average: a few samples
    may all be right.
    """
    world = reader.fit.world
    like = try_drawn(reader, {}, conditions, n=n, seed=seed)
    samples = draw_samples(world, (), Strangeness(), n=n_unlike, seed=seed)
    factors = _learn_factors([like, try_samples(reader, {}, samples)], world)
    samples = draw_samples(
        world, strangers, Strangeness(foreign=FOREIGN), n=n_unlike, seed=seed + 1
    )
    tried = try_samples(reader, factors, samples)
    rows = doubts(tried.reading)
    wrong = np.array([s.foreign for s in samples]) | far_off(tried)
    average = rows.mean(axis=0, keepdims=True)
    answers = [*wrong.tolist(), True, False]
    logistic = fit_logistic(np.concatenate([rows, average, average]), answers)
    return Calibration(factors, logistic, float(np.mean(answers)))


def far_off(tried: Tried) -> NDArray[np.bool_]:
    """Return whether a stated number of each pattern is off by more than `FAR` deviations."""
    off = np.abs(tried.error) > FAR * tried.statements.std
    return np.asarray((off & tried.statements.told).any(axis=1))


def figures(tried: Tried, world: World) -> dict[str, float]:
    """Return mean absolute errors and coverage of 90 % intervals of what is stated, by kind."""
    found: dict[str, float] = {}
    told, std = tried.statements.told, tried.statements.std
    error, values = tried.error, tried.statements.values
    kinds = np.array(kinds_of(world))
    for kind in KINDS:
        stated = told & (kinds == kind)[None]
        if not stated.any():
            continue
        off = np.abs(error[stated])
        found[f"{kind}.error"] = float(np.mean(off / values[stated] if kind == "size" else off))
        found[f"{kind}.coverage"] = coverage(error[stated], std[stated])
    return found


def write(folder: Path, calibration: Calibration) -> None:
    """Write a calibration into a folder of weights."""
    told = {
        "factors": {kind: [asdict(f) for f in fs] for kind, fs in calibration.factors.items()},
        "wrong": asdict(calibration.wrong),
        "base": calibration.base,
    }
    (folder / FILE).write_text(json.dumps(told, indent=1))


def read(folder: Path) -> Calibration:
    """Return the calibration in a folder of weights."""
    told: dict[str, Any] = json.loads((folder / FILE).read_text())
    factors = {
        kind: tuple(Factors(tuple(f["edges"]), tuple(f["factors"])) for f in of_misfits)
        for kind, of_misfits in told["factors"].items()
    }
    wrong = told["wrong"]
    logistic = Logistic(
        tuple(wrong["mean"]), tuple(wrong["scale"]), tuple(wrong["slopes"]), float(wrong["offset"])
    )
    return Calibration(factors, logistic, float(told["base"]))


def _learn_factors(tried: Sequence[Tried], world: World) -> dict[str, tuple[Factors, ...]]:
    """Return factors by kind and group of misfit; a group of few cases joins those below it."""
    whole = _joined(tried)
    kinds, misfit = np.array(kinds_of(world)), misfit_of(whole.reading)
    found: dict[str, tuple[Factors, ...]] = {}
    for kind in KINDS:
        stated = whole.statements.told & (kinds == kind)[None]
        of_misfits: list[Factors] = []
        for group in range(len(MISFITS) + 1):
            mine = stated & (misfit == group)[:, None]
            if mine.sum() >= FEWEST:
                of_misfits.append(_fitted(whole, mine))
            elif of_misfits:
                of_misfits.append(of_misfits[-1])
        if len(of_misfits) == len(MISFITS) + 1:
            found[kind] = tuple(of_misfits)
    return found


def _fitted(tried: Tried, mine: NDArray[np.bool_]) -> Factors:
    statements = tried.statements
    return fit_factors(
        tried.error[mine], statements.std[mine], statements.signal[mine], edges=EDGES
    )


def _tried(reader: Reader, factors: FactorsOfKinds, drawn: Drawn) -> Tried:
    counts = drawn.counts.double().numpy()
    reading = reader.read(counts, np.sqrt(np.maximum(counts, 1.0)))
    truth = drawn.fractions.double().numpy(), drawn.z.double().numpy()
    return _beside(reading, reader.fit.world, factors, *truth)


def _beside(
    reading: Reading,
    world: World,
    factors: FactorsOfKinds,
    fractions: FloatArray,
    z: FloatArray,
) -> Tried:
    statements = state(reading, world, factors)
    truth = np.concatenate([fractions, world.physical(z)], axis=1)
    return Tried(statements, statements.values - truth, reading)


def _joined(tried: Sequence[Tried]) -> Tried:
    def along(parts: Sequence[Any]) -> Any:
        names = type(parts[0]).__dataclass_fields__
        joined = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
        return type(parts[0])(**joined)

    return Tried(
        along([t.statements for t in tried]),
        np.concatenate([t.error for t in tried]),
        along([t.reading for t in tried]),
    )
