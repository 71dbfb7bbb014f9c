"""Probabilities that several statements give to the answers of one question, pooled into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.learning.voting.causes import Shares
from analysis.learning.voting.verdict import Verdict, members, weigh

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PooledAnswer:
    """Probabilities of answers from several statements.

    Attributes
    ----------
    probabilities : answer → probability by the likeliest subset's camp, summing to 1.
    p_wrong : probability that no statement of the likeliest subset is right.
    verdict : which subsets are right.
    """

    probabilities: Mapping[str, float]
    p_wrong: float
    verdict: Verdict


def pool_answers(
    told: Sequence[Mapping[str, float]],
    *,
    p_wrong: Sequence[float],
    causes: Sequence[int],
    shares: Shares,
    shared_error: float,
) -> PooledAnswer:
    """Return what several statements say of one question.

    Before anybody speaks, every answer that somebody names is as likely. Probabilities of right
    statements multiply, as a logarithmic opinion pool (Genest & Zidek 1986,
    doi:10.1214/ss/1177013825), in a group of k with a common cause each to the power
    1 / (1 + (k − 1) shared_error). One statement alone comes back as it is.

    Parameters
    ----------
    told : (n,) answer → probability.
    p_wrong, causes, shares : see `weigh`.
    shared_error : 0, statements of a group are independent, … 1, they repeat each other.
    """
    names = list(dict.fromkeys(answer for one in told for answer in one))
    votes = np.array([[one.get(name, 0.0) for name in names] for one in told])
    shape = 2 ** len(told)
    log_evidence, pooled = np.zeros(shape), np.full((shape, len(names)), 1 / len(names))
    for subset in range(1, shape):
        chosen = list(members(subset))
        log_evidence[subset], pooled[subset] = _joined(
            votes[chosen], np.asarray(causes)[chosen], shared_error=shared_error
        )
    verdict = weigh(log_evidence, p_wrong=p_wrong, causes=causes, shares=shares)
    share = verdict.within.sum(axis=0) @ pooled
    return PooledAnswer(
        dict(zip(names, map(float, share / share.sum()), strict=True)), verdict.p_wrong, verdict
    )


def _joined(
    votes: FloatArray, causes: NDArray[np.int_], *, shared_error: float
) -> tuple[float, FloatArray]:
    """Return the log of how much better than by chance votes agree, and their normalised product.

    Parameters
    ----------
    votes : (n, n_answers).
    """
    n_answers = votes.shape[1]
    powers = np.array([1 / (1 + (np.sum(causes == c) - 1) * shared_error) for c in causes])
    product = np.prod((n_answers * votes) ** powers[:, None], axis=0)
    mean = float(product.mean())
    if mean == 0:
        return -np.inf, np.full(n_answers, 1 / n_answers)
    return float(np.log(mean)), product / product.sum()
