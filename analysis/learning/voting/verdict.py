"""Which of several statements are right, as a sum over every subset that may be.

A statement is right with the probability that it states, or else says nothing. What tells right
from wrong is agreement: right statements agree, wrong ones are anywhere (Press 1997,
arXiv:astro-ph/9604126; Hogg, Bovy & Lang 2010, arXiv:1008.4686, section 3). Statements with a
common cause of error, such as one spoilt measurement, may be wrong together, and then agree on
something wrong; their agreement tells nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import or_

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from analysis.learning.voting.causes import Blame, Shares, blame

FloatArray = NDArray[np.float64]

MOST = 8
"""Statements that are weighed at most: the subsets are 2 to this power."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """How likely each subset of statements is the right one.

    Subsets are numbered by bits: statement i belongs to subset k where bit i of k is set.

    Attributes
    ----------
    weights : (n_variants, 2 ** n) probabilities, summing to 1. Column 0: none is right.
    camp : (2 ** n,) of truth values: subsets with a statement of the likeliest subset in common.
    log_evidence : of all that was said, over that if every statement were anywhere.
    """

    weights: FloatArray
    camp: NDArray[np.bool_]
    log_evidence: float

    @property
    def likeliest(self) -> tuple[int, ...]:
        """The statements of the likeliest subset that is not empty."""
        return members(_likeliest(self.weights))

    @property
    def p_wrong(self) -> float:
        """Probability that no statement of the likeliest subset is right."""
        return float(min(max(1.0 - self.weights[:, self.camp].sum(), 0.0), 1.0))

    @property
    def right(self) -> FloatArray:
        """(n,) probability that each statement is right."""
        n = int(self.weights.shape[1]).bit_length() - 1
        held = self.weights.sum(axis=0)
        each = [[bool(k >> i & 1) for k in range(len(held))] for i in range(n)]
        return np.array([held[np.array(mask)].sum() for mask in each])

    @property
    def within(self) -> FloatArray:
        """(n_variants, 2 ** n) probabilities of the camp's subsets, given that one is right."""
        held = np.where(self.camp, self.weights, 0.0)
        total = held.sum()
        return np.asarray(held / total) if total > 0 else _only(self.weights)


def members(subset: int) -> tuple[int, ...]:
    """Return the statements of a subset."""
    return tuple(i for i in range(subset.bit_length()) if subset >> i & 1)


def weigh(
    log_evidence: ArrayLike,
    *,
    p_wrong: Sequence[float],
    causes: Sequence[int],
    shares: Shares,
    variants: Sequence[float] = (),
) -> Verdict:
    """Return how likely each subset of statements is the right one.

    Parameters
    ----------
    log_evidence : (n_variants, 2 ** n) or (2 ** n,). How much better than by chance the
        statements of each subset agree: the logarithm of their joint density if all are right,
        over that if all are anywhere. 0 for no or one statement.
    p_wrong : (n,) probability that each statement is wrong, before the others are heard.
    causes : (n,) number of what each statement rests on; equal ones share causes of error.
    shares : how much of being wrong they have in common.
    variants : (n_variants,) probability of each row of evidence before anything is heard; equal
        ones if empty.

    Raises
    ------
    ValueError
        There are no statements, too many, or not as many as the evidence tells of.
    """
    evidence = np.atleast_2d(np.asarray(log_evidence, dtype=np.float64))
    n = len(p_wrong)
    if not 1 <= n <= MOST or evidence.shape[1] != 2**n or len(causes) != n:
        raise ValueError(
            f"{n} statements with {len(causes)} causes and evidence on {evidence.shape[1]} subsets "
            f"cannot be weighed; give 1 to {MOST}, with evidence on each of their subsets"
        )
    found = blame(p_wrong, causes, shares)
    terms: list[FloatArray] = []
    where: list[int] = []
    for subset, struck in product(range(2**n), _choices(range(len(found.common)))):
        prior = _log_prior(subset, found.own) + _log_struck(found, struck)
        if prior == -np.inf:
            continue
        hit = {found.common[k][0] for k in struck}
        largest = [g for g in hit if not any(g != h and g & h == g for h in hit)]
        right = subset & ~reduce(or_, hit, 0)
        where.append(right)
        terms.append(prior + evidence[:, right] + sum(evidence[:, subset & g] for g in largest))
    rows = np.array(variants) if len(variants) else np.full(len(evidence), 1 / len(evidence))
    return _verdict(np.array(terms).T + np.log(rows)[:, None], np.array(where), 2**n)


def _verdict(terms: FloatArray, where: NDArray[np.int_], n_subsets: int) -> Verdict:
    total = float(logsumexp(terms))
    terms = np.exp(terms - total)
    weights = np.zeros((len(terms), n_subsets))
    for k in range(n_subsets):
        weights[:, k] = terms[:, where == k].sum(axis=1)
    best = _likeliest(weights)
    return Verdict(weights, np.array([bool(k & best) for k in range(n_subsets)]), total)


def _likeliest(weights: FloatArray) -> int:
    return 1 + int(np.argmax(weights.sum(axis=0)[1:]))


def _only(weights: FloatArray) -> FloatArray:
    """Return all weight on the likeliest subset, in equal parts over variants."""
    only = np.zeros_like(weights)
    only[:, _likeliest(weights)] = 1 / len(weights)
    return only


def _choices(items: Sequence[int]) -> list[tuple[int, ...]]:
    """Return every choice of some of the items, the empty one first."""
    found: list[tuple[int, ...]] = [()]
    for item in items:
        found += [(*chosen, item) for chosen in found]
    return found


def _log_prior(subset: int, own: Sequence[float]) -> float:
    """Return the logarithm of the probability that just these are right by themselves."""
    with np.errstate(divide="ignore"):
        held = [1 - p if subset >> i & 1 else p for i, p in enumerate(own)]
        return float(np.log(held).sum())


def _log_struck(found: Blame, struck: Sequence[int]) -> float:
    """Return the logarithm of the probability that just these subsets are struck as a whole."""
    with np.errstate(divide="ignore"):
        each = [c if k in struck else 1 - c for k, (_, c) in enumerate(found.common)]
        return float(np.log(each).sum())
