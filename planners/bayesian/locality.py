"""Which experiments a model of many is fitted to, and the box in which it searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import Surrogates
from planners.bayesian.trust_region import Box, Replay, box_around, replay
from planners.columns import Array
from planners.encoding import Encoding
from planners.objective import Objective
from planners.proposal import Observation

MANY = 100
"""Experiments beyond which a space that is not finite is searched in a box, in ``auto``."""

MOST_FITTED = 300
"""Experiments to which a local model is fitted at most: the nearest to the best one."""


@dataclass(frozen=True, slots=True)
class Locality:
    """Where a local search stands.

    Attributes
    ----------
    replayed : side of the box, and since which experiment it counts.
    observations : those that the local model is fitted to.
    centre : coordinates of the best of them, None before any counts, shape (n_columns,).
    n_since : finished experiments since the last restart that gave outcomes.
    """

    replayed: Replay
    observations: tuple[Observation, ...]
    centre: Array | None
    n_since: int

    def box(self, encoding: Encoding, surrogates: Surrogates) -> Box | None:
        """Return the box in which to search, None where there is no centre for it."""
        if self.centre is None:
            return None
        groups = encoding.groups
        logs = [np.log(s.process.parameters.lengths[groups]) for s in surrogates.values()]
        whole = np.array([c.category is not None for c in encoding.columns])
        whole[encoding.n_settings :] = True
        lengths = np.exp(np.mean(logs, axis=0))
        return box_around(self.centre, lengths, self.replayed.side, whole=whole)


def locality(
    encoding: Encoding,
    objective: Objective,
    observations: Sequence[Observation],
    settings: BayesianSettings,
) -> Locality | None:
    """Return where a local search stands, None if the whole space is searched.

    In ``auto`` the box begins with experiment `MANY`, around the best so far. A front, and what
    is to be mapped, have no single best experiment and are searched everywhere.
    """
    front = objective.combine == "front" and len(objective.targets) > 1
    if settings.trust_region is False or front or objective.maps or encoding.table is not None:
        return None
    if settings.trust_region == "auto" and len(observations) <= MANY:
        return None
    anew = settings.initial_for(encoding.space)
    replayed = replay(
        [_utility(objective, o) for o in observations],
        n_columns=encoding.n_settings,
        n_initial=MANY if settings.trust_region == "auto" else anew,
        n_anew=anew,
    )
    since = [o for o in observations[replayed.since :] if not o.failed]
    centre = None
    if replayed.best is not None:
        best = observations[replayed.best]
        centre = encoding.encode([best.values])[0]  # under today's conditions
    return Locality(replayed, _nearest(encoding, since, centre), centre, len(since))


def _utility(objective: Objective, observation: Observation) -> float | None:
    values = observation.outcomes
    if observation.failed or not objective.is_complete(values):
        return None
    return objective.utility(values) if objective.is_feasible(values) else None


def _nearest(
    encoding: Encoding, observations: list[Observation], centre: Array | None
) -> tuple[Observation, ...]:
    """Return the experiments nearest to the centre, in their order."""
    if centre is None or len(observations) <= MOST_FITTED:
        return tuple(observations[-MOST_FITTED:])
    apart = ((encoding.encode_observations(observations) - centre) ** 2).sum(axis=1)
    near = np.sort(np.argsort(apart, kind="stable")[:MOST_FITTED])
    return tuple(observations[i] for i in near)
