"""Doubt: the probability that a list of phases is wrong, and how novel a pattern looks.

A list is wrong when it lacks a phase that makes up 3 % of the mass or more. The probability is a
logistic function of the logarithms of two numbers of `misfit`: the area of peaks that no phase
explains, and the share of integrated intensity that is off. Its constants come from 200 simulated
mixtures of the structure library with texture, another background, asymmetric peaks, a zero shift
and traces of a further phase, half of them fitted with a wrong list
(`benchmarks/quantify_doubt.py`, seed 0). With a prior of one half the Brier score is 0.09 on 200
fresh ones (seed 1) and 0.06 on weighed real mixtures, none of them used here, each fitted with its
list complete and with one phase left out (`benchmarks/round_robin.py`). Structures that are only
roughly right, as textbook positions are, raise the misfit too and with it the doubt.
"""

from __future__ import annotations

import numpy as np

from analysis.xrd.misfit import Misfit

INTERCEPT = 6.623
SLOPE_UNEXPLAINED = 2.399
SLOPE_OVERALL = -0.842

SMALLEST_AREA = 1e-3
"""Unexplained area below which differences mean nothing."""

INVISIBLE_AREA = 0.03
"""Where an area of this size would drown in noise, the pattern says nothing of further phases."""

NOVEL_AREA = 0.1
"""Unexplained area at which novelty reaches one half."""


def features(misfit: Misfit) -> tuple[float, float]:
    """Return the two numbers that the doubt depends on."""
    return (
        float(np.log(misfit.unexplained + SMALLEST_AREA)),
        float(np.log(misfit.overall + 10 * SMALLEST_AREA)),
    )


def doubt(misfit: Misfit, *, prior: float) -> float:
    """Return the probability that the list of phases is wrong, 0 … 1.

    Parameters
    ----------
    prior : how often such lists are wrong before the pattern is looked at, 0 < prior < 1. A
        pattern too noisy to show a further phase leaves it as it is.
    """
    unexplained, overall = features(misfit)
    logit = INTERCEPT + SLOPE_UNEXPLAINED * unexplained + SLOPE_OVERALL * overall
    logit += float(np.log(prior / (1 - prior)))
    silence = min(misfit.detectable / INVISIBLE_AREA, 1.0)
    return max(float(1 / (1 + np.exp(-logit))), prior * silence)


def novelty(misfit: Misfit) -> float:
    """Return how much of the pattern is unlike the phases, 0 … 1: u / (u + 0.1)."""
    return misfit.unexplained / (misfit.unexplained + NOVEL_AREA)
