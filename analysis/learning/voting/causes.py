"""Causes of error that several statements have in common, beside those of each alone.

The beta factor of reliability engineering (Fleming 1975, General Atomic report GA-A13284): a share
of the probability that one fails is that of all failing together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

TINY = 1e-12
"""Probability of being right that a common cause leaves at least."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of the probability of being wrong statements have in common.

    Attributes
    ----------
    by_cause : of the smallest probability among statements with a common cause, such as one
        measurement, the share with which it strikes them together.
    by_all : likewise of all statements, whatever they rest on: a phase that nobody looks for.
    unseen : probability that a cause strikes and nothing in the data shows it, so that no statement
        accounts for it: a swapped sample. It counts where statements rest on several causes, and
        comes on top of what they state.
    spared : causes that are known not to have struck.
    """

    by_cause: float
    by_all: float = 0.0
    unseen: float = 0.0
    spared: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Blame:
    """What may be wrong with statements.

    Attributes
    ----------
    own : (n,) probability that each is wrong by itself.
    common : subset, as bits, and probability that it is struck as a whole.
    by_cause : cause → probability that it strikes, those spared included.
    """

    own: tuple[float, ...]
    common: tuple[tuple[int, float], ...]
    by_cause: Mapping[int, float]


def blame(p_wrong: Sequence[float], causes: Sequence[int], shares: Shares) -> Blame:
    """Return what each statement's probability of being wrong is made of.

    Parameters
    ----------
    p_wrong : (n,) as stated.
    causes : (n,) number of what each statement rests on; equal ones share causes of error.
    """
    groups = {cause: _mine(causes, cause) for cause in dict.fromkeys(causes)}
    stated = {c: shares.by_cause * min(p_wrong[i] for i in g) for c, g in groups.items()}
    everybody = shares.by_all * min(p_wrong) if len(p_wrong) > 1 else 0.0
    own = [
        1 - min((1 - p) / max((1 - stated[c]) * (1 - everybody), TINY), 1.0)
        for p, c in zip(p_wrong, causes, strict=True)
    ]
    common = [] if everybody == 0 else [(as_subset(range(len(p_wrong))), everybody)]
    unseen = shares.unseen if len(groups) > 1 else 0.0
    struck = {cause: 1 - (1 - c) * (1 - unseen) for cause, c in stated.items()}
    for cause, group in groups.items():
        if cause in shares.spared or struck[cause] == 0:
            continue
        if len(group) == 1:
            own[group[0]] = 1 - (1 - own[group[0]]) * (1 - struck[cause])
        else:
            common.append((as_subset(group), struck[cause]))
    return Blame(tuple(own), tuple(common), struck)


def as_subset(statements: Iterable[int]) -> int:
    """Return a subset as bits."""
    return sum(1 << i for i in statements)


def _mine(causes: Sequence[int], cause: int) -> list[int]:
    return [i for i, c in enumerate(causes) if c == cause]
