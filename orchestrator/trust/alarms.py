"""Alarms: what a person should know of agents, instrument and samples, told as soon as it shows.

Four kinds, each judged from what was said so far, nothing else:

``drift``
    what does not depend on the sample, or hardly, changed since some turn: zero shift,
    displacement, scale, background, figures of merit, and their scatter (`changing`).
``overconfident``
    truths lie outside an agent's intervals more often than it promises (`coverage`).
``unknown_phase``
    samples in a row are probably made of something the agent does not know, or one is extreme:
    the cumulative sum of Page (1954, doi:10.1093/biomet/41.1-2.100) over the agent's own odds.
``property``
    a property does not follow its planner's predictions any more.

Thresholds were chosen on simulated series with heavy tails and on the development laboratories of
`benchmarks/calibration_of_estimates.py`, for at most one false alarm in twenty campaigns of 30.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from orchestrator.trust.calibrating import cases
from orchestrator.trust.changing import Change, change
from orchestrator.trust.coverage import probability_of_promise
from orchestrator.trust.statements import Foretold, Statement, Truth

FloatArray = NDArray[np.float64]
AlarmKind = Literal["drift", "overconfident", "unknown_phase", "property"]

DRIFT = 2.5
"""Log odds, averaged over nuisances and figures of merit, from which a change is told."""

DECADES = 5.0
"""Ratio of the largest to the smallest setting from which it counts by its logarithm."""

NUISANCES = ("displacement", "zero", "zero_shift", "shift", "offset", "scale", "background")
"""Last or last but one part of the keys of estimates that tell of the instrument."""

UNKNOWN = 6.15
"""Cumulative log likelihood ratio from which samples are told to hold something unknown."""

FAITHFUL = 0.7
"""Share of samples that hold an unknown phase once it has appeared."""

STRONGEST = 30.0
"""Likelihood ratio beyond which one statement counts no more."""

USUAL = (0.02, 0.5)
"""Least and greatest doubt that counts as an agent's usual one."""

EXTREME = 0.99
"""Doubt and novelty from which a single sample is told."""

IMPROBABLE = 0.005
"""Probability of so many missed truths from which an agent is over-confident."""

LATEST, SETTLED, DEPARTED = (2, 3, 4), 6, 1e-4
"""Numbers of latest turns that are looked at, predictions needed before them, and the probability
of such deviations from which a property departs."""

LARGEST = 4.0
"""Deviation of one value beyond which it counts no more: one alone is no departure."""

Z_90 = 1.6448536269514722
"""Half width of the 90 % interval in standard deviations."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something a person should know.

    Attributes
    ----------
    agent : whose word or instrument it concerns; the quantity, for a property.
    since : turn at which it most probably began.
    message : one sentence, with what to do.
    """

    kind: AlarmKind
    agent: str
    since: int
    message: str


def alarms(
    statements: Sequence[Statement],
    *,
    truths: Sequence[Truth] = (),
    foretold: Sequence[Foretold] = (),
    resolved: Mapping[tuple[AlarmKind, str], int] | None = None,
) -> list[Alarm]:
    """Return the alarms that what was said up to now supports.

    To be asked after every turn; who asks remembers which alarms were told before. The order of
    statements is that of their turns, and the same arguments give the same alarms.

    Parameters
    ----------
    statements : of all agents, in order.
    truths : what is known of samples from elsewhere.
    foretold : how predictions of the planner fared.
    resolved : (kind, agent) → turn up to which a person has seen to it; only later ones count.
    """
    done = resolved or {}
    found: list[Alarm | None] = []
    for agent in dict.fromkeys(s.agent for s in statements):
        said = [s for s in statements if s.agent == agent]
        found.append(drift(agent, _later(said, done.get(("drift", agent)))))
        found.append(unknown_phase(agent, _later(said, done.get(("unknown_phase", agent)))))
        found.append(overconfident(agent, _later(said, done.get(("overconfident", agent))), truths))
    for quantity in dict.fromkeys(f.quantity for f in foretold):
        since = done.get(("property", quantity), -1)
        fared = [f for f in foretold if f.quantity == quantity and f.turn > since]
        found.append(property_departs(quantity, fared))
    return [alarm for alarm in found if alarm is not None]


def drift(agent: str, said: Sequence[Statement]) -> Alarm | None:
    """Return the alarm that an agent's nuisances or figures of merit changed, None if not."""
    changes: dict[str, tuple[Change, list[int]]] = {}
    for name, values in series_of(said).items():
        turns = sorted(values)
        places = settings_of([s for s in said if s.turn in values])
        found = change(np.array([values[t] for t in turns]), places)
        if found is not None:
            changes[name] = (found, turns)
    if not changes:
        return None
    if _together({name: one.log_odds for name, (one, _) in changes.items()}) < DRIFT:
        return None
    worst = max(changes, key=lambda name: changes[name][0].log_odds)
    one, turns = changes[worst]
    since = turns[one.since]
    return Alarm(
        "drift",
        agent,
        since,
        f"{worst} of {agent} is not what it was before experiment {since}: look at the alignment, "
        "the source and the detector, or say that nothing is wrong",
    )


def unknown_phase(agent: str, said: Sequence[Statement]) -> Alarm | None:
    """Return the alarm that samples hold what an agent does not know, None if not."""
    doubts = [(s.turn, s.p_wrong, s.novelty) for s in said if s.p_wrong is not None]
    if not doubts:
        return None
    usual = float(np.clip(np.median([p for _, p, _ in doubts]), *USUAL))
    total, since = 0.0, doubts[0][0]
    for turn, p_wrong, _ in doubts:
        if total <= 0.0:
            total, since = 0.0, turn
        total += _increment(p_wrong, usual)
    _, last, novelty = doubts[-1]
    extreme = min(last, 1.0 if novelty is None else novelty) >= EXTREME
    if total < UNKNOWN and not extreme:
        return None
    since = since if total >= UNKNOWN else doubts[-1][0]
    return Alarm(
        "unknown_phase",
        agent,
        since,
        f"samples since experiment {since} probably hold something that {agent} does not know: "
        "look at their curves, and add what is missing to its list",
    )


def overconfident(agent: str, said: Sequence[Statement], truths: Sequence[Truth]) -> Alarm | None:
    """Return the alarm that truths are missed more often than an agent's intervals promise."""
    found = cases(agent, said, truths)
    if not found or probability_of_promise(found) > IMPROBABLE:
        return None
    since = min(case.sample for case in found)
    missed = len({case.sample for case in found if abs(case.z) > Z_90})
    known = len({case.sample for case in found})
    return Alarm(
        "overconfident",
        agent,
        since,
        f"the truth lay outside the 90 % interval in {missed} of {known} samples: its intervals "
        "are widened; look at its settings, or train it on such samples",
    )


def property_departs(quantity: str, fared: Sequence[Foretold]) -> Alarm | None:
    """Return the alarm that a property does not follow its predictions any more, None if it does.

    The sum of squared deviations of the latest turns is chi-squared while predictions hold; those
    of the turns before say by how much they were too narrow or too wide all along.
    """
    for n in LATEST:
        before, latest = fared[:-n], fared[-n:]
        if len(before) < SETTLED:
            continue
        usual = max(1.0, float(np.mean([f.deviation**2 for f in before])))
        square = sum(min(f.deviation**2 / usual, LARGEST**2) for f in latest)
        if chi2.sf(square, n) < DEPARTED:
            return Alarm(
                "property",
                quantity,
                latest[0].turn,
                f"the latest {n} values are not where the planner expects them: look whether the "
                "samples, the instrument or the conditions are other ones than before",
            )
    return None


def series_of(said: Sequence[Statement]) -> dict[str, dict[int, float]]:
    """Return name → turn → value of what should not change in an agent's statements."""
    found: dict[str, dict[int, float]] = {}
    for s in said:
        for name, value in s.quality.items():
            if np.isfinite(value):
                shown = np.log(max(value, 1e-6)) if value >= 0 else value
                found.setdefault(name, {})[s.turn] = float(shown)
        for key, estimate in s.estimates.items():
            if is_nuisance(key):
                found.setdefault(key, {})[s.turn] = estimate.value
    return found


def is_nuisance(key: str) -> bool:
    """Return whether an estimate tells of the instrument rather than of the sample."""
    return not set(key.split(".")[-2:]).isdisjoint(NUISANCES)


def settings_of(said: Sequence[Statement]) -> FloatArray | None:
    """Return the numeric settings of samples in the unit cube (n, n_settings), None without.

    Settings that are positive and span a wide range are taken by their logarithm.
    """
    names = [
        name
        for name in (said[0].values if said else {})
        if all(isinstance(s.values.get(name), int | float) for s in said)
    ]
    if not names:
        return None
    table = np.array([[float(s.values[name]) for name in names] for s in said])
    low, high = table.min(axis=0), table.max(axis=0)
    wide = (low > 0) & (high > DECADES * low)
    table[:, wide] = np.log(table[:, wide])
    width = np.ptp(table, axis=0)
    return np.asarray((table - table.min(axis=0)) / np.where(width > 0, width, 1.0))


def _together(log_odds: Mapping[str, float]) -> float:
    """Return the log of the mean odds: nuisances count as much as all figures of merit do."""
    groups: dict[bool, list[float]] = {}
    for name, value in log_odds.items():
        groups.setdefault(is_nuisance(name), []).append(value)
    means = [float(np.logaddexp.reduce(g) - np.log(len(g))) for g in groups.values()]
    return float(np.logaddexp.reduce(means) - np.log(len(means)))


def _increment(p_wrong: float, usual: float) -> float:
    """Return the log likelihood ratio of one doubt: a phase has appeared against the usual."""
    p = min(max(p_wrong, 1e-3), 1 - 1e-3)
    odds = p / (1 - p) * (1 - usual) / usual
    return float(np.log(1 - FAITHFUL + FAITHFUL * min(odds, STRONGEST)))


def _later(said: Sequence[Statement], turn: int | None) -> list[Statement]:
    return [s for s in said if turn is None or s.turn > turn]
