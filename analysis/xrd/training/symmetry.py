"""Learning to tell crystal systems: trees on simulated patterns, calibrated out of fold.

Importing this file imports scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold

from analysis.learning.calibration import (
    Logistic,
    expected_calibration_error,
    fit_logistic,
    reliability,
)
from analysis.xrd.indexing.forms import SYSTEMS
from analysis.xrd.indexing.search import IndexedCell
from analysis.xrd.symmetry.features import NAMES
from analysis.xrd.symmetry.forest import Forest
from analysis.xrd.symmetry.groups import PRIOR
from analysis.xrd.symmetry.opinion import Learnt, Linear, calibrated, cell_features
from analysis.xrd.symmetry.recipes import Recipe
from analysis.xrd.symmetry.simulation import Example

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Row = tuple[float, float, int]

SAME_VOLUME = 0.005
"""Relative difference of primitive volumes below which a cell is the crystal's."""

SHRINKAGE = 0.01
"""Variance of the normal prior of the logistic regression's slopes."""

N_BACKGROUND = 32
"""Examples beside which a pattern is explained."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What was said of each example by trees that had not seen it.

    Attributes
    ----------
    truth : (n,) index of the system.
    votes, probability : (n, n_systems) before and after calibration; the latter with the exponent
        of the other folds.
    """

    truth: IntArray
    votes: FloatArray
    probability: FloatArray

    @property
    def stated(self) -> FloatArray:
        """Probability of the most probable system, (n,)."""
        return np.asarray(self.probability.max(axis=1))

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the most probable system is the true one, (n,)."""
        return np.asarray(self.probability.argmax(axis=1) == self.truth)

    def among_first(self, k: int) -> float:
        """Return how often the true system is among the k most probable."""
        order = np.argsort(-self.probability, axis=1, kind="stable")[:, :k]
        return float((order == self.truth[:, None]).any(axis=1).mean())


def grow(x: FloatArray, truth: IntArray, recipe: Recipe, *, seed: int) -> ExtraTreesClassifier:
    """Return extremely randomised trees (Geurts, Ernst & Wehenkel 2006) on features.

    doi:10.1007/s10994-006-6226-1.

    Parameters
    ----------
    x : (n, n_features).
    truth : (n,) index of the system.
    """
    trees = ExtraTreesClassifier(
        recipe.n_trees, min_samples_leaf=recipe.smallest_leaf, max_features=0.3, random_state=seed
    )
    return trees.fit(x, truth, sample_weight=weight_of(truth))


def weight_of(truth: IntArray) -> FloatArray:
    """Return what each example weighs, (n,), for systems to be as frequent as in `PRIOR`."""
    counts = np.bincount(truth, minlength=len(SYSTEMS))
    prior = np.array([PRIOR[system] for system in SYSTEMS])
    weight = (prior / np.maximum(counts, 1))[truth]
    return np.asarray(weight / weight.mean())


def votes_of(trees: ExtraTreesClassifier, x: FloatArray) -> FloatArray:
    """Return the share of votes for every system, (n, n_systems), unseen systems included."""
    votes = np.zeros((len(x), len(SYSTEMS)))
    votes[:, trees.classes_] = trees.predict_proba(x)
    return votes


def fit_linear(x: FloatArray, truth: IntArray) -> Linear:
    """Return a logistic regression, slopes strongly drawn towards 0; it varies less than trees."""
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    fitted = LogisticRegression(C=SHRINKAGE, max_iter=1000)
    fitted.fit((x - mean) / scale, truth, sample_weight=weight_of(truth))
    slopes, offset = np.zeros((len(SYSTEMS), x.shape[1])), np.full(len(SYSTEMS), -np.inf)
    if len(fitted.classes_) == 2:  # one row of slopes tells the second class from the first
        slopes[fitted.classes_[1]], offset[fitted.classes_] = fitted.coef_[0], [0.0, 0.0]
        offset[fitted.classes_[1]] = fitted.intercept_[0]
    else:
        slopes[fitted.classes_], offset[fitted.classes_] = fitted.coef_, fitted.intercept_
    return Linear(mean, scale, slopes, offset)


def hold_out(x: FloatArray, truth: IntArray, recipe: Recipe, *, seed: int) -> HeldOut:
    """Return what trees say of the fold that they have not seen, calibrated on the others."""
    votes, probability = np.zeros((2, len(x), len(SYSTEMS)))
    folds = list(KFold(recipe.folds, shuffle=True, random_state=seed).split(x))
    for kept, left_out in folds:
        trees = grow(x[kept], truth[kept], recipe, seed=seed)
        linear = fit_linear(x[kept], truth[kept])
        votes[left_out] = (votes_of(trees, x[left_out]) + linear.probability(x[left_out])) / 2
    for kept, left_out in folds:
        sharpness = sharpen(votes[kept], truth[kept])
        probability[left_out] = calibrated(votes[left_out], sharpness=sharpness)
    return HeldOut(truth, votes, probability)


def sharpen(votes: FloatArray, truth: IntArray) -> float:
    """Return the exponent with the highest likelihood, between 0.3 and 5."""
    weight = weight_of(truth)

    def loss(exponent: float) -> float:
        p = calibrated(votes, sharpness=exponent)
        return -float((weight * np.log(p[np.arange(len(p)), truth])).mean())

    return float(minimize_scalar(loss, bounds=(0.3, 5.0), method="bounded").x)


def learn(
    examples: Sequence[Example], recipe: Recipe, *, seed: int
) -> tuple[Learnt, dict[str, float], dict[str, list[Row]]]:
    """Return what is learnt from examples; figures, and reliability of held-out ones, for the card.

    Reliability is question → (stated, frequency, number) of each bin.
    """
    x = np.array([e.features for e in examples])
    truth = np.array([SYSTEMS.index(e.system) for e in examples])
    held_out = hold_out(x, truth, recipe, seed=seed)
    trees = grow(x, truth, recipe, seed=seed)
    cell, scale, told, of_cells = _learn_cells(examples, held_out, recipe, seed=seed)
    sharpness = sharpen(held_out.votes, truth)
    learnt = Learnt(
        as_forest(trees),
        fit_linear(x, truth),
        sharpness,
        cell,
        scale,
        background=_background(x, truth, seed=seed),
    )
    importances = {
        f"importance.{name}": float(share)
        for name, share in zip(NAMES, trees.feature_importances_, strict=True)
        if share > 0.01
    }
    tables = {"the system is right": _rows(held_out.stated, held_out.right)} | of_cells
    return learnt, _figures(held_out) | told | importances, tables


def _background(x: FloatArray, truth: IntArray, *, seed: int) -> FloatArray:
    """Return examples with systems as frequent as in `PRIOR`, (`N_BACKGROUND`, n_features)."""
    weight = weight_of(truth)
    rng = np.random.default_rng(seed)
    return x[rng.choice(len(x), size=N_BACKGROUND, p=weight / weight.sum())]


def as_forest(trees: ExtraTreesClassifier) -> Forest:
    """Return trees as plain arrays."""
    grown = [estimator.tree_ for estimator in trees.estimators_]
    sizes = np.array([tree.node_count for tree in grown])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    value = np.zeros((int(sizes.sum()), len(SYSTEMS)))
    shares = np.concatenate([tree.value[:, 0, :] for tree in grown])
    value[:, trees.classes_] = shares / shares.sum(axis=1, keepdims=True)
    return Forest(
        roots,
        np.concatenate([np.maximum(tree.feature, -1) for tree in grown]).astype(np.int64),
        np.concatenate([tree.threshold for tree in grown]),
        np.concatenate([t.children_left + r for t, r in zip(grown, roots, strict=True)]),
        np.concatenate([t.children_right + r for t, r in zip(grown, roots, strict=True)]),
        value,
    )


def is_right(cell: IndexedCell, example: Example) -> bool:
    """Return whether a cell is of the crystal's system and has its primitive volume."""
    return cell.system == example.system and abs(_volume_ratio(cell, example)) < SAME_VOLUME


def _volume_ratio(cell: IndexedCell, example: Example) -> float:
    group = gemmi.SpaceGroup(example.crystal.space_group)
    primitive = example.crystal.volume / len(group.operations().cen_ops)
    return cell.primitive_volume / primitive - 1.0


def _learn_cells(
    examples: Sequence[Example], held_out: HeldOut, recipe: Recipe, *, seed: int
) -> tuple[Logistic, float, dict[str, float], dict[str, list[Row]]]:
    """Return when a cell is right, the scale of its std, figures and reliability."""
    rows, right, scores = [], [], []
    for example, p in zip(examples, held_out.probability, strict=True):
        best = SYSTEMS[int(np.argmax(p))]
        if best not in example.cells:
            continue
        cell = example.cells[best]
        rows.append(cell_features(cell, p_system=float(p.max())))
        right.append(is_right(cell, example))
        if right[-1]:
            scores.append(abs(_volume_ratio(cell, example)) / cell.relative_volume_std)
    p = _cross_fitted(np.array(rows), np.array(right), recipe, seed=seed)
    shown = p > 0.5
    told = {
        "held_out.cell_right": float(np.mean(right)),
        "held_out.cell_shown": float(shown.mean()),
        "held_out.cell_right_of_shown": float(np.mean(np.array(right)[shown]))
        if shown.any()
        else 0.0,
        "held_out.cell_calibration_error": expected_calibration_error(p, right),
    }
    tables = {"the cell is right": _rows(p, right)}
    return fit_logistic(rows, right), float(np.quantile(scores, 0.68)), told, tables


def _cross_fitted(
    rows: FloatArray, right: NDArray[np.bool_], recipe: Recipe, *, seed: int
) -> FloatArray:
    """Return what a logistic regression says of the fold that it has not seen, (n,)."""
    told = np.zeros(len(rows))
    folds = StratifiedKFold(recipe.folds, shuffle=True, random_state=seed)
    for kept, left_out in folds.split(rows, right):
        told[left_out] = fit_logistic(rows[kept], right[kept]).probability(rows[left_out])
    return told


def _rows(stated: ArrayLike, yes: ArrayLike) -> list[Row]:
    return [(b.stated, b.frequency, b.n) for b in reliability(stated, yes, n_bins=5)]


def _figures(held_out: HeldOut) -> dict[str, float]:
    top, correct = held_out.stated, held_out.right
    figures = {
        "held_out.top1": held_out.among_first(1),
        "held_out.top2": held_out.among_first(2),
        "held_out.majority": float(np.bincount(held_out.truth).max() / len(held_out.truth)),
        "held_out.stated": float(top.mean()),
        "held_out.calibration_error": expected_calibration_error(top, correct),
    }
    for i, system in enumerate(SYSTEMS):
        mine = held_out.truth == i
        if mine.any():
            figures[f"held_out.recall.{system}"] = float(correct[mine].mean())
    return figures
