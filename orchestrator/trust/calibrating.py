"""Re-calibration: how much wider an agent's intervals should be, and how much more it errs.

Truths of an agent's statements are explained by a mixture: a statement is right, and its deviations
are normal with a standard deviation that is a factor times the one it told; or it is wrong
altogether, and they are as broad as the quantity itself. So a gross error counts against `p_wrong`
and not against the std (Press 1997, arXiv:astro-ph/9604126; Hogg, Bovy & Lang 2010,
arXiv:1008.4686). The factor λ and the shift δ of the log odds of being wrong are inferred on a grid
with priors centred on the agent's own word, ln λ ~ N(0, 1) and δ ~ N(0, 1.5²). What is applied
widens at once and narrows slowly: the 65 % upper limit of λ where the mean of ln λ is above 0, and
its 98 % upper limit, at most 1, where it is below. What calibrated means: Gneiting, Balabdaoui &
Raftery 2007, doi:10.1111/j.1467-9868.2007.00587.x.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from orchestrator.trust.statements import Statement, Truth

FloatArray = NDArray[np.float64]

WIDTH = 1.0
"""Standard deviation of ln λ before any truth: a factor of three either way is no surprise."""

OWN_WIDTH = 1.0
"""The same of one quantity about its agent's factor."""

SHIFT = 1.5
"""Standard deviation of δ before any truth."""

LEAST_DOUBT = 0.005
"""No statement is taken as less probably wrong than this while it is being judged."""

BROAD = 10.0
"""Width of wrong statements in stated stds, where the spread of the quantity is not known."""

SPREAD_FROM = 4
"""Statements from which on the spread of a quantity is known."""

FACTORS = np.linspace(-math.log(12.0), math.log(12.0), 81)
SHIFTS = np.linspace(-3.0, 6.0, 46)

WIDENING, NARROWING = 0.385, 2.0
"""Standard deviations of ln λ that are added to its mean: limits at 65 % and at 98 %."""


@dataclass(frozen=True, slots=True)
class Case:
    """One statement on one quantity, held against the truth.

    Attributes
    ----------
    deviation : stated minus true, in the unit of the quantity.
    std : stated.
    truth_std : of the truth.
    broad : standard deviation of a wrong statement.
    p_wrong : stated.
    """

    sample: int
    quantity: str
    deviation: float
    std: float
    truth_std: float
    broad: float
    p_wrong: float

    @property
    def z(self) -> float:
        """Deviation in standard deviations as stated, those of the truth included."""
        return self.deviation / math.hypot(self.std, self.truth_std)


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer to a question of structure, held against the truth.

    Attributes
    ----------
    right : probability that was given to the right answer.
    n_answers : answers that were thought of.
    p_wrong : stated.
    """

    sample: int
    right: float
    n_answers: int
    p_wrong: float


@dataclass(frozen=True, slots=True)
class Correction:
    """What is done to the word of one agent.

    Attributes
    ----------
    factor : of every std whose quantity has none of its own.
    factors : quantity → factor of its std.
    shift : added to the log odds that a statement is wrong.
    n : statements that were held against a truth.
    """

    factor: float = 1.0
    factors: Mapping[str, float] = field(default_factory=dict)
    shift: float = 0.0
    n: int = 0

    def std(self, quantity: str, std: float) -> float:
        """Return the standard deviation that is believed."""
        return std * self.factors.get(quantity, self.factor)

    def p_wrong(self, p_wrong: float) -> float:
        """Return the probability of being wrong that is believed; unchanged without a shift."""
        return p_wrong if self.shift == 0 else _shifted(p_wrong, self.shift)


UNCHANGED = Correction()
"""The agent is taken at its word."""


def cases(agent: str, statements: Sequence[Statement], truths: Sequence[Truth]) -> list[Case]:
    """Return an agent's statements of which the truth is known; those without a std are left out.

    Of several truths of one quantity of one sample the last counts.
    """
    known = {(t.sample, t.quantity): t for t in truths if not isinstance(t.value, str)}
    found = []
    for s in statements:
        if s.agent != agent:
            continue
        for quantity, estimate in s.estimates.items():
            truth = known.get((s.sample, quantity))
            if truth is None or not estimate.std or isinstance(truth.value, str):
                continue
            deviation, std = estimate.value - truth.value, estimate.std
            broad = _spread(quantity, statements, std)
            case = Case(s.sample, quantity, deviation, std, truth.std, broad, s.p_wrong or 0.0)
            found.append(case)
    return found


def answers(agent: str, statements: Sequence[Statement], truths: Sequence[Truth]) -> list[Answered]:
    """Return an agent's answers to questions of which the right answer is known."""
    known = {(t.sample, t.quantity): t.value for t in truths if isinstance(t.value, str)}
    return [
        Answered(
            s.sample,
            told.get(str(known[s.sample, question]), 0.0),
            len(told),
            s.p_wrong or 0.0,
        )
        for s in statements
        if s.agent == agent
        for question, told in s.class_probabilities.items()
        if (s.sample, question) in known
    ]


def correction(found: Sequence[Case], answered: Sequence[Answered] = ()) -> Correction:
    """Return what the truths say of an agent; `UNCHANGED` without any.

    An answer says how often the agent is wrong altogether: if it is not, its probabilities hold;
    if it is, every answer is as good as the others.

    The quantities of one sample are judged together, since they are right or wrong together, and
    count as one, since they err together. Then each quantity has a factor of its own, centred on
    the agent's.
    """
    if not found and not answered:
        return UNCHANGED
    by_sample: dict[int, list[Case]] = {}
    for case in found:
        by_sample.setdefault(case.sample, []).append(case)
    prior = -0.5 * (FACTORS[:, None] / WIDTH) ** 2 - 0.5 * (SHIFTS[None, :] / SHIFT) ** 2
    prior = prior + sum(_log_of_answer(one) for one in answered)
    posterior = _normalised(prior + sum(_log_likelihood(group) for group in by_sample.values()))
    centre, factor = _factor(posterior.sum(axis=1), width=WIDTH)
    shift = float(posterior.sum(axis=0) @ SHIFTS)
    factors = {}
    for quantity in dict.fromkeys(case.quantity for case in found):
        own = [case for case in found if case.quantity == quantity]
        prior = -0.5 * ((FACTORS[:, None] - centre) / OWN_WIDTH) ** 2 + np.log(
            posterior.sum(axis=0)[None, :]
        )
        likelihood = sum(_log_likelihood([case]) for case in own)
        factors[quantity] = _factor(_normalised(prior + likelihood).sum(axis=1), width=OWN_WIDTH)[1]
    samples = set(by_sample) | {one.sample for one in answered}
    return Correction(factor if found else 1.0, factors, shift, len(samples))


def widest(one: Correction, other: Correction) -> Correction:
    """Return the wider of two corrections, quantity by quantity; the first's number of truths.

    Where neither is wider than what was said, the first stands.
    """

    def wider(first: float, second: float) -> float:
        return max(first, second) if second > 1 else first

    names = dict.fromkeys([*one.factors, *other.factors])
    return Correction(
        wider(one.factor, other.factor),
        {q: wider(one.std(q, 1.0), other.std(q, 1.0)) for q in names},
        max(one.shift, other.shift) if other.shift > 0 else one.shift,
        one.n,
    )


def _log_likelihood(group: Sequence[Case]) -> FloatArray:
    """Return the log likelihood (n_factors, n_shifts) of what was said of one sample."""
    right, wrong = np.zeros(len(FACTORS)), np.zeros(len(FACTORS))
    for case in group:
        variance = (np.exp(FACTORS) * case.std) ** 2 + case.truth_std**2
        right += _log_normal(case.deviation, variance) / len(group)
        broad = np.maximum(case.broad**2, variance)
        wrong += _log_normal(case.deviation, broad) / len(group)
    p = np.array([_shifted(group[0].p_wrong, float(shift)) for shift in SHIFTS])
    of_right = np.log1p(-p)[None, :] + right[:, None]
    return np.asarray(np.logaddexp(of_right, np.log(p)[None, :] + wrong[:, None]))


def _log_of_answer(one: Answered) -> FloatArray:
    """Return the log likelihood (1, n_shifts) of one answer."""
    p = np.array([_shifted(one.p_wrong, float(shift)) for shift in SHIFTS])
    return np.asarray(np.log((1 - p) * one.right + p / max(one.n_answers, 2)))[None, :]


def _log_normal(deviation: float, variance: FloatArray) -> FloatArray:
    return np.asarray(-0.5 * (np.log(2 * np.pi * variance) + deviation**2 / variance))


def _normalised(log_density: FloatArray) -> FloatArray:
    density = np.exp(log_density - log_density.max())
    return np.asarray(density / density.sum())


def _factor(density: FloatArray, *, width: float) -> tuple[float, float]:
    """Return the mean of ln λ, and the factor that is applied.

    Parameters
    ----------
    width : standard deviation of ln λ beforehand; what is as wide still has taught nothing.
    """
    mean = float(density @ FACTORS)
    std = math.sqrt(float(density @ (FACTORS - mean) ** 2))
    if mean < 0:
        return mean, math.exp(min(mean + NARROWING * std, 0.0))
    learnt = max(1 - (std / width) ** 2, 0.0)
    return mean, math.exp(mean + WIDENING * learnt * std)


def _shifted(p_wrong: float, shift: float) -> float:
    p = min(max(p_wrong, LEAST_DOUBT), 1 - LEAST_DOUBT)
    return float(1 / (1 + math.exp(-math.log(p / (1 - p)) - shift)))


def _spread(quantity: str, statements: Sequence[Statement], std: float) -> float:
    """Return how much a quantity varies in the campaign, or what stands for it."""
    said = [s.estimates[quantity].value for s in statements if quantity in s.estimates]
    spread = float(np.std(said)) if len(said) >= SPREAD_FROM else 0.0
    return max(spread, BROAD * std)
