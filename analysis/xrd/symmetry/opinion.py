"""What is learnt of crystal systems and cells, and how it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.learning.calibration import Logistic
from analysis.xrd.indexing.forms import N_FREE, SYSTEMS
from analysis.xrd.indexing.lines import Lines
from analysis.xrd.indexing.search import IndexedCell
from analysis.xrd.symmetry.attribution import Attribution, attribute
from analysis.xrd.symmetry.features import features
from analysis.xrd.symmetry.forest import Forest, load_forest

FloatArray = NDArray[np.float64]

FOREST, LINEAR, NUMBERS = "forest.npz", "linear.npz", "numbers.json"


FARTHEST = 3.0
"""Standard deviations from the mean beyond which a feature is taken to be no farther."""


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A multinomial logistic regression on features scaled to unit spread.

    Attributes
    ----------
    mean, scale : (n_features,).
    slopes : (n_classes, n_features).
    offset : (n_classes,), −inf for a class that was never seen.
    """

    mean: FloatArray
    scale: FloatArray
    slopes: FloatArray
    offset: FloatArray

    def probability(self, features: FloatArray) -> FloatArray:
        """Return the probability of each class, (n, n_classes), from (n, n_features)."""
        z = np.clip((features - self.mean) / self.scale, -FARTHEST, FARTHEST)
        score = z @ self.slopes.T + self.offset
        raised = np.exp(score - score.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What training leaves behind.

    Attributes
    ----------
    forest, linear : vote for the systems, in the order of `SYSTEMS`; the mean of both counts.
    sharpness : exponent that calibrates its votes, see `calibrated`.
    cell : probability that the best cell of a system is the crystal's, from `cell_features`.
    std_scale : by what the formal std of a cell is multiplied to hold 68 % of the true volumes.
    background : (n_background, n_features) of examples beside which a pattern is explained.
    """

    forest: Forest
    linear: Linear
    sharpness: float
    cell: Logistic
    std_scale: float
    background: FloatArray

    def systems(self, lines: Lines, cells: Mapping[str, IndexedCell]) -> dict[str, float]:
        """Return system → calibrated probability, summing to 1."""
        p = self.probability(features(lines, cells)[None])[0]
        return dict(zip(SYSTEMS, map(float, p), strict=True))

    def why(self, lines: Lines, cells: Mapping[str, IndexedCell]) -> Attribution:
        """Return what each part of the features adds to the probabilities of `systems`."""
        row = features(lines, cells)
        return attribute(self.probability, row, background=self.background)

    def probability(self, rows: FloatArray) -> FloatArray:
        """Return calibrated probabilities, (n, n_systems), from (n, n_features)."""
        votes = (self.forest.probability(rows) + self.linear.probability(rows)) / 2
        return calibrated(votes, sharpness=self.sharpness)

    def p_cell(self, cell: IndexedCell, *, p_system: float) -> float:
        """Return the probability that a cell is the crystal's."""
        return float(self.cell.probability(cell_features(cell, p_system=p_system))[0])

    def save(self, folder: Path) -> None:
        """Write everything into a folder."""
        self.forest.save(folder / FOREST)
        line = self.linear
        np.savez(
            folder / LINEAR,
            mean=line.mean,
            scale=line.scale,
            slopes=line.slopes,
            offset=line.offset,
            background=self.background,
        )
        numbers = {
            "sharpness": self.sharpness,
            "std_scale": self.std_scale,
            "cell": asdict(self.cell),
        }
        (folder / NUMBERS).write_text(json.dumps(numbers, indent=1) + "\n")


def load(folder: Path) -> Learnt:
    """Return what training left in a folder."""
    numbers = json.loads((folder / NUMBERS).read_text())
    told = numbers["cell"]
    cell = Logistic(
        tuple(told["mean"]), tuple(told["scale"]), tuple(told["slopes"]), told["offset"]
    )
    with np.load(folder / LINEAR) as stored:
        linear = Linear(stored["mean"], stored["scale"], stored["slopes"], stored["offset"])
        background = stored["background"]
    forest = load_forest(folder / FOREST)
    return Learnt(forest, linear, numbers["sharpness"], cell, numbers["std_scale"], background)


def calibrated(votes: FloatArray, *, sharpness: float) -> FloatArray:
    """Return probabilities ∝ (votes + 0.01)^sharpness, (n, n_classes).

    Temperature scaling of log votes (Guo, Pleiss, Sun & Weinberger 2017, PMLR 70, 1321), with a
    floor: no vote is no impossibility.
    """
    raised = (votes + 0.01) ** sharpness
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def cell_features(cell: IndexedCell, *, p_system: float) -> FloatArray:
    """Return what tells whether a cell is right, (5,).

    Its evidence less 4 for each free number; the evidence of the lines beyond those it was found
    from; the logarithms of its merit and of the odds of its system; reflections possible per line.
    """
    n = len(cell.found.terms)
    odds = min(max(p_system, 1e-3), 1 - 1e-3)
    return np.array(
        [
            cell.found.evidence - 4.0 * N_FREE[cell.system],
            float(cell.checked.terms[n:].sum()),
            np.log(max(cell.found.merit, 1.0)),
            np.log(odds / (1 - odds)),
            cell.found.n_possible / n,
        ]
    )
