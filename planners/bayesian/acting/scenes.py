"""The points that matter to a choice of action, with what surrogates believe of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from planners.actions.aim import Aim
from planners.actions.belief import Belief
from planners.actions.scene import Entry, Scene, odds
from planners.bayesian.acting.maps import MapAim
from planners.bayesian.feasibility import SuccessModel
from planners.bayesian.surrogate import Surrogate, Surrogates
from planners.columns import Array
from planners.encoding import Encoding
from planners.objective import Objective
from planners.proposal import Observation
from planners.space import Point


def scene_of(
    encoding: Encoding,
    objective: Objective,
    observations: Sequence[Observation],
    surrogates: Surrogates,
    candidates: Sequence[Point],
    *,
    pending: Sequence[Point] = (),
    success: SuccessModel | None = None,
    references: Array | None = None,
) -> Scene:
    """Return what surrogates that were fitted to the observations believe.

    Parameters
    ----------
    candidates : points that could be made next.
    pending : points under way, believed to come out as predicted.
    success : model of failed experiments, None if none failed.
    references : coordinates by which a map is judged, shape (n, n_columns).
    """
    parts = [encoding.encode_observations(observations)]
    parts += [encoding.encode(list(candidates))] if candidates else []
    parts += [references] if references is not None else []
    x = np.concatenate(parts)
    waiting = encoding.encode(list(pending)) if pending else np.zeros((0, x.shape[1]))
    beliefs = {q: Belief(*s.believing(waiting).joint(x)) for q, s in surrogates.items()}
    entries = _entries(observations, surrogates)
    beyond = len(observations) + len(candidates)
    return Scene(
        aim=MapAim(objective, beliefs, beyond)
        if objective.maps
        else _aim(objective, beliefs, entries),
        observations=tuple(observations),
        beliefs=beliefs,
        entries=entries,
        population={q: (s.location, s.scale) for q, s in surrogates.items()},
        noise={q: _new_noise(observations, entries, q) for q in surrogates},
        succeeds=np.ones(len(x)) if success is None else success.probability(x),
        candidates=tuple(candidates),
    )


def _aim(
    objective: Objective, beliefs: Mapping[str, Belief], entries: Sequence[Mapping[str, Entry]]
) -> Aim:
    """Return the aim with the worst sample so far as what breaks a bound is worth."""
    made = [i for i, entry in enumerate(entries) if entry]
    mean = {q: b.mean[made] for q, b in beliefs.items()}
    sure = {q: np.zeros(len(made)) for q in beliefs}
    unbound = Aim(objective.model_copy(update={"constraints": ()}))
    return Aim(objective, floor=float(unbound.worth(mean, sure).min()))


def _entries(
    observations: Sequence[Observation], surrogates: Surrogates
) -> tuple[Mapping[str, Entry], ...]:
    """Return how every value entered the surrogates, which hold those known in order."""
    found: list[dict[str, Entry]] = [{} for _ in observations]
    for quantity, surrogate in surrogates.items():
        known = [i for i, o in enumerate(observations) if not o.failed and quantity in o.outcomes]
        for i, variance in zip(known, surrogate.process.variances, strict=False):
            o = observations[i]
            found[i][quantity] = Entry(
                value=o.outcomes[quantity],
                variance=float(variance) * surrogate.scale**2,
                doubt=_doubt(o, surrogate),
            )
    return tuple(found)


def _doubt(observation: Observation, surrogate: Surrogate) -> float:
    return odds(observation.p_wrong) * surrogate.scale**2


def _new_noise(
    observations: Sequence[Observation], entries: Sequence[Mapping[str, Entry]], quantity: str
) -> float:
    """Return the median variance of the values of samples that were measured once."""
    known = [(o, e[quantity]) for o, e in zip(observations, entries, strict=True) if quantity in e]
    once = [e.variance for o, e in known if o.supersedes is None]
    return float(np.median(once or [e.variance for _, e in known]))
