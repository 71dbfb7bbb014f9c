"""What `xrd.novelty` learns: where the training world lies, what is strange, how often it seems so.

The networks are those of `xrd.phases`; only simulated samples are read with them. Importing this
file imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import weights
from analysis.learning.calibration import Logistic, fit_logistic
from analysis.learning.embedding import Cloud
from analysis.learning.outlying import Known, known
from analysis.physics.crystal import Crystal
from analysis.trainers import Told
from analysis.xrd.artefacts import Ranges
from analysis.xrd.radiation import Radiation
from analysis.xrd.strangeness import Watcher
from analysis.xrd.training.decisions import sample

FloatArray = NDArray[np.float64]

AGENT = "xrd.novelty"
FORMAT = 1
FILE, CLOUDS = "novelty.json", "clouds.npz"

MOST_DRAWS = 60
"""Samples drawn, at most, until one holds a stranger."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many simulated patterns are used.

    Attributes
    ----------
    cloud : mixtures that say where the training world lies.
    learnt : samples in the world, and as many outside, from which strangeness is learnt.
    known : further samples in the world that give p-values.
    tested : further samples of each kind for the card.
    """

    cloud: int
    learnt: int
    known: int
    tested: int


AMOUNTS = {"tiny": Amounts(200, 40, 60, 20), "standard": Amounts(1500, 300, 400, 100)}


@dataclass(frozen=True, slots=True)
class Calibration:
    """From signs to a p-value.

    Attributes
    ----------
    strange : logistic function of `strangeness.FEATURES`; its probability is the score.
    known : scores of samples in the world that took no part in learning it.
    """

    strange: Logistic
    known: Known


def outside(ranges: Ranges) -> dict[str, Ranges]:
    """Return kinds of worlds without a stranger that are clearly not the training's."""
    widest = ranges.w[1]
    return {
        "broad instrument": replace(ranges, w=(3 * widest, 12 * widest)),
        "strained cells": replace(ranges, strain=5 * ranges.strain),
        "displaced": replace(ranges, displacement=4 * ranges.displacement),
        "tiny crystallites": replace(ranges, size=(0.2 * ranges.size[0], 0.5 * ranges.size[0])),
    }


STRANGER = "a phase that is no candidate"


def samples(
    crystals: Sequence[Crystal],
    strangers: Sequence[Crystal],
    radiation: Radiation,
    *,
    ranges: Ranges,
    n: int,
    seed: Sequence[int],
) -> Iterator[FloatArray]:
    """Yield `n` simulated patterns, skewed and shifted a little, as decisions are learnt from.

    Parameters
    ----------
    strangers : if there are any, every sample holds one.
    """
    for k in range(n):
        rng = np.random.default_rng([*seed, k])
        for _ in range(MOST_DRAWS):
            counts, _, strange = sample(crystals, strangers, radiation, ranges=ranges, rng=rng)
            if strange or not strangers:
                break
        yield counts


def kinds(
    n: int, ranges: Ranges, strangers: Sequence[Crystal]
) -> list[tuple[str, Sequence[Crystal], Ranges, int]]:
    """Return kinds of samples outside the world, half of all with a stranger if there are any."""
    others = outside(ranges)
    half = n // 2 if strangers else n
    share = max(half // len(others), 1)
    found: list[tuple[str, Sequence[Crystal], Ranges, int]] = [
        (name, (), its, share) for name, its in others.items()
    ]
    return [*found, (STRANGER, strangers, ranges, n - half)] if strangers else found


def learn(
    watcher: Watcher,
    crystals: Sequence[Crystal],
    strangers: Sequence[Crystal],
    radiation: Radiation,
    *,
    ranges: Ranges,
    amounts: Amounts,
    seed: int,
    told: Told,
) -> Calibration:
    """Return the calibration learnt on simulated samples in and out of the world."""
    of = 2 * amounts.learnt + amounts.known
    rows: list[tuple[float, ...]] = []

    def seen(who: Sequence[Crystal], its: Ranges, n: int, stream: int) -> list[tuple[float, ...]]:
        found = []
        drawn = samples(crystals, who, radiation, ranges=its, n=n, seed=(seed, 500 + stream))
        for counts in drawn:
            found.append(watcher.signs(counts).features)
            told("simulated samples", len(rows) + len(found), of)
        rows.extend(found)
        return found

    within = seen((), ranges, amounts.learnt, 0)
    without = []
    for k, (_, who, its, n) in enumerate(kinds(amounts.learnt, ranges, strangers)):
        without += seen(who, its, n, 1 + k)
    strange = fit_logistic([*within, *without], [False] * len(within) + [True] * len(without))
    fresh = seen((), ranges, amounts.known, 100)
    return Calibration(strange, known(strange.probability(fresh)))


def digest(networks: str, amounts: Amounts) -> str:
    """Return the hash of what the calibration depends on: networks' digest and amounts."""
    return weights.digest_of({"format": FORMAT, "networks": networks, "amounts": asdict(amounts)})


def write(folder: Path, learnt: Calibration, clouds: Sequence[Cloud]) -> None:
    """Write calibration and clouds into a folder of weights."""
    (folder / FILE).write_text(json.dumps(asdict(learnt), indent=1))
    arrays = {f"mean_{k}": c.mean for k, c in enumerate(clouds)}
    arrays |= {f"root_{k}": c.root.astype(np.float32) for k, c in enumerate(clouds)}
    np.savez_compressed(folder / CLOUDS, **arrays)  # type: ignore[arg-type]


def read(folder: Path) -> tuple[Calibration, tuple[Cloud, ...]]:
    """Return the calibration and the clouds in a folder of weights."""
    told: dict[str, Any] = json.loads((folder / FILE).read_text())
    s = told["strange"]
    strange = Logistic(tuple(s["mean"]), tuple(s["scale"]), tuple(s["slopes"]), s["offset"])
    with np.load(folder / CLOUDS) as arrays:
        clouds = tuple(
            Cloud(arrays[f"mean_{k}"], arrays[f"root_{k}"].astype(np.float64))
            for k in range(len(arrays.files) // 2)
        )
    return Calibration(strange, Known(tuple(told["known"]["scores"]))), clouds
