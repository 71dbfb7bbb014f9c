"""What each action is worth: one currency for a new experiment, a replicate and another look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from planners.actions.belief import Belief, extra_variance
from planners.actions.promises import Left, left_by
from planners.actions.records import Option
from planners.actions.scene import Entry, Scene, odds
from planners.columns import Array

READS_AT_LAST = 0.5
"""Chance that a sample of which nothing could be read is read by another measurement; unknown."""

ROUNDING = 1e-12
"""Relative gain below which it is the rounding of sums."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """What an option would leave of what is known of its sample.

    Attributes
    ----------
    left : quantity → what is left of its doubt.
    otherwise : probability that the analysis turns out to have been wrong, and says otherwise.
    """

    left: Mapping[str, Left]
    otherwise: float


def of_new(scene: Scene, i: int) -> float:
    """Return what a new sample at point i is worth, in units of utility: its knowledge gradient.

    Recommended is what was made, so that the new sample joins those that can be: the best of them
    and itself afterwards, less the best of them now (the knowledge gradient over the points tried
    and the next one, Scott, Frazier & Powell 2011, doi:10.1137/100801275, counted from what can be
    recommended without it). Its values come with the noise of those measured once, if it succeeds.
    Point i may be a candidate, or that of an observation: then the new sample is a replicate.
    """
    return float(scene.succeeds[i]) * _of_another(scene, i, scene.noise)


def foretold_by(scene: Scene, option: Option) -> Foretold:
    """Return what an option would leave of its sample's doubt."""
    entries = scene.entries[option.row]
    left = {
        q: left_by(
            option,
            q,
            observations=scene.observations,
            quantities=scene.quantities,
            variance=entries[q].own if q in entries else scene.noise[q],
        )
        for q in scene.quantities
    }
    after = min(x.p_wrong for x in left.values())
    now = p_wrong_now(scene, option.row)
    return Foretold(left, max(now - after, 0.0) / (1.0 - after) if after < 1.0 else 0.0)


def of_option(scene: Scene, option: Option) -> float:
    """Return what measuring a sample again is worth, in units of utility.

    The analysis either says the same, and is then surer, or, with the probability `otherwise` of
    `foretold_by`, it turns out to have been wrong: then what it said is forgotten and another
    value comes, as the other samples foretell it. What is best is told in either case, and worth
    is what that gains over the best that can be told before.

    A sample of which nothing is known tells something with the chance `READS_AT_LAST`.
    """
    told = foretold_by(scene, option)
    entries = scene.entries[option.row]
    if not entries:
        variances = {q: left.variance for q, left in told.left.items()}
        return READS_AT_LAST * _of_another(scene, option.row, variances)
    best, each = _if_it_says_the_same(scene, option.row, told)
    if told.otherwise > 0.0:
        other, each_other = _if_it_was_wrong(scene, option.row, told)
        best = (1.0 - told.otherwise) * best + told.otherwise * other
        each = (1.0 - told.otherwise) * each + told.otherwise * each_other
    return _gain(best, each)


def _of_another(scene: Scene, i: int, variances: Mapping[str, float]) -> float:
    """Return what the first outcome at point i is worth, which joins what can be recommended."""
    among = np.union1d(scene.made, [i])
    best, each = scene.aim.after(scene.beliefs, i, variances, among=among)
    return _gain(best, each[np.isin(among, scene.made)])


def _gain(best: float, each: Array) -> float:
    """Return what the best gains by an outcome; nothing below rounding."""
    gain = best - float(each.max())
    return gain if gain > ROUNDING * (1.0 + abs(best)) else 0.0


def p_wrong_now(scene: Scene, row: int) -> float:
    """Return the probability that what is known of a sample is wrong, knowing the other samples.

    The agent's own word, confronted with what the others foretell: Bayes' rule between a value
    that is right, ``N(mean, variance)`` as told without it, and one drawn from the population.
    """
    said = scene.observations[row].p_wrong
    if said <= 0.0 or not scene.entries[row]:
        return said
    right, wrong = np.log1p(-min(said, 1.0 - 1e-12)), np.log(said)
    for quantity, entry in scene.entries[row].items():
        belief = scene.beliefs[quantity].without(row, entry.value, entry.variance)
        std = np.sqrt(belief.variance[row] + entry.own)
        right += norm.logpdf(entry.value, belief.mean[row], max(std, 1e-300))
        wrong += norm.logpdf(entry.value, *scene.population[quantity])
    return float(1.0 / (1.0 + np.exp(np.clip(right - wrong, -50.0, 50.0))))


def _if_it_says_the_same(scene: Scene, row: int, told: Foretold) -> tuple[float, Array]:
    beliefs: dict[str, Belief] = {}
    variances: dict[str, float] = {}
    for quantity, belief in scene.beliefs.items():
        left = told.left[quantity]
        entry = scene.entries[row].get(quantity)
        if entry is None:
            beliefs[quantity], variances[quantity] = belief, left.variance
            continue
        doubt = _doubt_left(scene, entry, quantity, left)
        beliefs[quantity] = belief.at_other_noise(
            row, entry.value, entry.variance, entry.own + doubt
        )
        variances[quantity] = extra_variance(entry.own + doubt, left.variance + doubt)
    return scene.aim.after(beliefs, row, variances, among=scene.made)


def _if_it_was_wrong(scene: Scene, row: int, told: Foretold) -> tuple[float, Array]:
    beliefs: dict[str, Belief] = {}
    variances: dict[str, float] = {}
    for quantity, belief in scene.beliefs.items():
        left = told.left[quantity]
        entry = scene.entries[row].get(quantity)
        if entry is not None:
            belief = belief.without(row, entry.value, entry.variance)
            left = Left(left.variance + _doubt_left(scene, entry, quantity, left), left.p_wrong)
        beliefs[quantity], variances[quantity] = belief, left.variance
    return scene.aim.after(beliefs, row, variances, among=scene.made)


def _doubt_left(scene: Scene, entry: Entry, quantity: str, left: Left) -> float:
    if entry.doubt <= 0.0:
        return 0.0
    return min(odds(left.p_wrong) * scene.population[quantity][1] ** 2, entry.doubt)
