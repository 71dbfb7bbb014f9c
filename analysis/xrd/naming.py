"""Naming the phases of one pattern: the networks propose, the refinement disposes.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.learning.calibration import Logistic
from analysis.physics.crystal import Crystal
from analysis.xrd.disposing import Disposed, Evidence, dispose, settle
from analysis.xrd.layout import Axis
from analysis.xrd.preprocess import FitRange
from analysis.xrd.profile import Resolution
from analysis.xrd.radiation import Radiation
from analysis.xrd.screen import screen
from analysis.xrd.training.ensemble import Networks
from analysis.xrd.training.phases import TWO_THETA

FloatArray = NDArray[np.float64]

LIKELY = 0.1
"""Probability by the networks from which a phase is proposed."""

SCREENED = 0.004
"""Share of the Bragg area by the screen from which a phase is proposed."""

MOST_PROPOSED = 9
PASSES = 15

PRESENT = 0.5
"""Probability from which a phase is named."""

SMALLEST = 1e-4
LEAST_AREA = 1e-3
"""Unexplained area below which differences mean nothing."""

FEATURES = (
    "network logit",
    "network spread",
    "second logit",
    "ln gain",
    "ln share",
    "misfit",
    "strain",
    "squared texture",
)
"""What the decision is made from, in this order. A look-alike needs more strain and texture."""


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """What networks and screen say of a pattern.

    Attributes
    ----------
    probability, spread : (n_phases,) mean and standard deviation of the networks' draws.
    second : (n_phases,) mean of the draws of the network that sees pair distances.
    shares : (n_phases,) share of the Bragg area by the screen.
    """

    probability: FloatArray
    spread: FloatArray
    second: FloatArray
    shares: FloatArray

    @property
    def proposed(self) -> tuple[int, ...]:
        """Indices of the phases that any proposes, the likeliest `MOST_PROPOSED` of them."""
        likely = np.maximum(self.probability, self.second)
        score = np.maximum(likely, np.minimum(5.0 * self.shares, 1.0))
        wanted = (likely > LIKELY) | (self.shares > SCREENED)
        order = sorted(np.flatnonzero(wanted), key=lambda i: -score[i])
        return tuple(sorted(int(i) for i in order[:MOST_PROPOSED]))


class Namer:
    """Candidates with all that is needed to find them in a pattern.

    Parameters
    ----------
    networks : trained for exactly these crystals.
    columns : (n_phases, n_points) a pattern of each crystal on `TWO_THETA`, for the screen.
    """

    def __init__(
        self,
        crystals: Sequence[Crystal],
        networks: Networks,
        columns: FloatArray,
        *,
        radiation: Radiation,
        resolution: Resolution,
        texture: Mapping[str, Axis],
    ) -> None:
        self.crystals = tuple(crystals)
        self.networks = networks
        self.columns = columns
        self._radiation, self._resolution, self._texture = radiation, resolution, texture

    def opinion(self, counts: FloatArray, *, seed: int) -> Opinion:
        """Return what networks and screen say of counts on `TWO_THETA`, (n_points,)."""
        draws = self.networks.draws(counts[None], passes=PASSES, seed=seed)[:, 0]
        second = self.networks.draws(counts[None], passes=PASSES, seed=seed, pair_distances=True)
        shares = screen(TWO_THETA, counts, self.columns).shares
        return Opinion(draws.mean(axis=0), draws.std(axis=0), second[:, 0].mean(axis=0), shares)

    def disposed(self, data: FitRange, opinion: Opinion) -> Disposed:
        """Return which of the proposed phases the pattern needs."""
        return dispose(
            data,
            self.crystals,
            opinion.proposed,
            radiation=self._radiation,
            resolution=self._resolution,
            texture=self._texture,
        )

    def settled(self, data: FitRange, disposed: Disposed, named: Sequence[int]) -> Disposed:
        """Return the same evidence with a fit of the named phases alone, at least one."""
        return settle(
            data,
            self.crystals,
            disposed,
            named,
            radiation=self._radiation,
            resolution=self._resolution,
            texture=self._texture,
        )


def features(opinion: Opinion, index: int, evidence: Evidence) -> tuple[float, ...]:
    """Return what is known of one proposed phase, in the order of `FEATURES`."""
    return (
        _logit(opinion.probability[index]),
        float(opinion.spread[index]),
        _logit(opinion.second[index]),
        float(np.log1p(evidence.gain)),
        float(np.log(evidence.share + SMALLEST)),
        evidence.misfit,
        evidence.strain,
        evidence.texture**2,
    )


def set_features(probability: FloatArray, disposed: Disposed) -> tuple[float, ...]:
    """Return what is known of the named set as a whole: how unsure, and what it leaves unexplained.

    The logarithm of the chance that some phase is named or left out wrongly, were they independent,
    and that of the unexplained area.

    Parameters
    ----------
    probability : (n_phases,) of each candidate being there.
    """
    sure = np.where(probability > PRESENT, probability, 1.0 - probability)
    unexplained = 1.0 if disposed.misfit is None else disposed.misfit.unexplained
    return (
        float(np.log(1.0 - np.prod(sure) + SMALLEST)),
        float(np.log(unexplained + LEAST_AREA)),
    )


def probabilities(opinion: Opinion, disposed: Disposed, decision: Logistic) -> FloatArray:
    """Return the probability that each candidate is in the sample, (n_phases,).

    By the decision for a phase that was proposed; by the networks for any other, below `LIKELY`
    as it is.
    """
    found = np.minimum(opinion.probability, LIKELY)
    for index, evidence in disposed.evidence.items():
        found[index] = decision.probability(features(opinion, index, evidence))[0]
    return found


def _logit(probability: float) -> float:
    p = float(np.clip(probability, SMALLEST, 1 - SMALLEST))
    return float(np.log(p / (1 - p)))
