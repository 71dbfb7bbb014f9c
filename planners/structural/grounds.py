"""What a choice with structure as evidence rests on, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planners.bayesian import marginal
from planners.bayesian.surrogate import Surrogate, Surrogates
from planners.bayesian.weighing import weighed
from planners.columns import Array
from planners.encoding import Encoding
from planners.finite import untried_rows
from planners.grounds import point_in_words
from planners.objective import Objective
from planners.proposal import Grounds, Observation, Proposal
from planners.space import Point
from planners.structural.whereabouts import Whereabouts

DOUBTED = 0.5
"""Probability of being right below which a reading is named."""

MOST_NAMED = 3


def grounded(
    proposal: Proposal,
    encoding: Encoding,
    objective: Objective,
    surrogates: Surrogates,
    families: Sequence[Whereabouts],
    *,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    kind: str,
    least: float,
) -> Proposal:
    """Return a proposal whose grounds tell what structure had to do with it, too.

    Parameters
    ----------
    surrogates : of each, structure is the last member of its mixture.
    pending : points under way.
    kind : of acquisition, as in `planners.bayesian.marginal.build`.
    least : utility above which alone something counts as improvement.
    """
    made = [o for o in observations if not o.failed]
    reason = proposal.reason
    weighed_points = [proposal.values, *(a.values for a in reason.alternatives)]
    x = encoding.encode([proposal.values])
    acquisition = marginal.build(
        {q: _without_last(s) for q, s in surrogates.items()},
        objective,
        baseline=encoding.encode_observations(made),
        pending=encoding.encode(list(pending)) if pending else x[:0],
        success=None,
        kind=kind,
    )
    acquisition = replace(acquisition, best=max(acquisition.best, least))
    tried = [*[o.values for o in observations], *pending]
    without = _best(encoding, acquisition, weighed_points, tried)
    grounds = Grounds(
        reduces=(*reason.grounds.reduces, *_unread(families, x)),
        evidence=(*reason.grounds.evidence, *_doubted(families, made)),
        would_change=(_alone(proposal.values, without), *reason.grounds.would_change),
    )
    return proposal.model_copy(update={"reason": reason.model_copy(update={"grounds": grounds})})


def _unread(families: Sequence[Whereabouts], x: Array) -> list[str]:
    """Say how far the structure at a point is foretold; 1 is what readings spread over."""
    told = []
    for f in families:
        _, variance = f.at(x)
        spread = f.family.scores.var(axis=0).sum()
        share = float(np.sqrt(variance[0].sum() / spread)) if spread > 0 else 0.0
        told.append((share, f.family.name))
    return [
        f"What {name} would be read there is foretold to ± {share:.2f} of its spread over all "
        "samples."
        for share, name in sorted(told, reverse=True)
    ]


def _doubted(families: Sequence[Whereabouts], made: Sequence[Observation]) -> list[str]:
    found = []
    for f in families:
        read = np.flatnonzero(f.family.read)
        for i in np.argsort(f.right)[:MOST_NAMED]:
            if f.right[i] >= DOUBTED:
                break
            said = f.family.p_wrong[i]
            found.append(
                f"The reading of {f.family.name} at {{{point_in_words(made[read[i]].values)}}} is "
                f"held for wrong with probability {1 - f.right[i]:.2f}, since others foretell "
                f"another one; its agent said {said:.2f}."
            )
        believed = int((f.right >= DOUBTED).sum())
        found.append(f"{believed} of {len(f.right)} readings of {f.family.name} were believed.")
    return found


def _without_last(surrogate: Surrogate) -> Surrogate:
    """Return a surrogate without the last member of its mixture, the others weighed anew."""
    assert surrogate.blend is not None
    members, names = surrogate.blend.members[:-1], surrogate.blend.names[:-1]
    blend = weighed(members, names) if len(members) > 1 else None
    return replace(surrogate, blend=blend)


def _best(
    encoding: Encoding,
    acquisition: marginal.MarginalAcquisition,
    weighed_points: Sequence[Point],
    tried: Sequence[Point],
) -> Point:
    """Return what is best of all untried rows of a finite space, else of what was weighed."""
    table = encoding.table
    if table is None:
        scores = acquisition.score(encoding.encode(weighed_points))
        return weighed_points[int(np.argmax(scores))]
    rows = untried_rows(encoding.space, table, tried)
    return table.point(int(rows[np.argmax(acquisition.score(table.encoded[rows]))]))


def _alone(chosen: Point, other: Point) -> str:
    if dict(other) == dict(chosen):
        return "Without structure the same point would have been chosen."
    return f"Without structure {{{point_in_words(other)}}} would have been chosen."
