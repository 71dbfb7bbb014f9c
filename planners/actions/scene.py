"""The points that matter to a choice of action, and what is believed of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planners.actions.aim import Aim
from planners.actions.belief import Belief, Indices
from planners.actions.maps import MapAim
from planners.bayesian.feasibility import SuccessModel
from planners.bayesian.surrogate import MAX_P_WRONG, Surrogate, Surrogates
from planners.columns import Array
from planners.encoding import Encoding
from planners.objective import Objective
from planners.proposal import Observation
from planners.space import Point


@dataclass(frozen=True, slots=True)
class Entry:
    """A value as it entered a belief, in the quantity's unit.

    Attributes
    ----------
    variance : of its noise, the chance that the analysis is wrong included.
    doubt : the part of `variance` that stands for that chance.
    """

    value: float
    variance: float
    doubt: float

    @property
    def own(self) -> float:
        """Variance of the value's own noise."""
        return max(self.variance - self.doubt, 0.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """Observations, then candidates, then what else a belief is judged by: points in this order.

    Attributes
    ----------
    beliefs : quantity → joint belief at all points.
    entries : of each observation, quantity → how its value entered; empty if it failed.
    population : quantity → mean and standard deviation of the values, from which wrong ones come.
    noise : quantity → variance expected of a new sample's value.
    succeeds : probability that a new sample succeeds at each point, (n_points,).
    candidates : the points that follow the observations; the first is what the planner would make.
    """

    aim: Aim | MapAim
    observations: tuple[Observation, ...]
    beliefs: Mapping[str, Belief]
    entries: tuple[Mapping[str, Entry], ...]
    population: Mapping[str, tuple[float, float]]
    noise: Mapping[str, float]
    succeeds: Array
    candidates: tuple[Point, ...]

    @property
    def quantities(self) -> tuple[str, ...]:
        """All that is wanted, in the objective's order."""
        return tuple(self.beliefs)

    @property
    def made(self) -> Indices:
        """The points that can be recommended now: those of samples that told something."""
        return np.array([i for i, entry in enumerate(self.entries) if entry], dtype=np.int64)


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


def odds(p_wrong: float) -> float:
    """Return the variance that a chance of being wrong adds, in that of the population.

    See `planners.bayesian.surrogate.fit_quantity`.
    """
    p = min(p_wrong, MAX_P_WRONG)
    return p / (1.0 - p)


def _new_noise(
    observations: Sequence[Observation], entries: Sequence[Mapping[str, Entry]], quantity: str
) -> float:
    """Return the median variance of the values of samples that were measured once."""
    known = [(o, e[quantity]) for o, e in zip(observations, entries, strict=True) if quantity in e]
    once = [e.variance for o, e in known if o.supersedes is None]
    return float(np.median(once or [e.variance for _, e in known]))
