"""Ways to make one statement of several, and to settle disputes; what `disagreement` compares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.insight import Estimate, Insight
from analysis.learning.voting.causes import Shares
from orchestrator.agreeing.disputes import disputes
from orchestrator.agreeing.expecting import doubt_after
from orchestrator.agreeing.resolving import LEAST_GAIN
from orchestrator.routing import combine, pooled_number
from orchestrator.trust.calibrating import Case, Correction, correction

KEY = "xrd.weight_fraction.wanted"
READERS: Mapping[str, str] = {"x.long": "x", "x.short": "x", "n.long": "n"}
"""Agent → the measurement that it reads."""

SECONDS: Mapping[str, float] = {"x": 455.0, "n": 900.0, "x again": 730.0, "n again": 1500.0}
"""Instrument time of each measurement [s]: mounting and 1,375 points; twice the counting again."""


TRUTH_STD = 1e-3
"""Standard deviation of what is known to be true, as a fraction of the mass."""


@dataclass(frozen=True, slots=True)
class Said:
    """Value, standard deviation and probability of being wrong."""

    value: float
    std: float
    p_wrong: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample with what every agent says of every measurement; None where it abstains."""

    seed: int
    hides: str
    faults: Mapping[str, str]
    truth: float
    said: Mapping[str, Said | None]

    def heard(self, repeated: Sequence[str] = ()) -> list[Insight]:
        """Return what agents say, having read the repeats of some measurements (``x``, ``n``)."""
        found = []
        for agent, kind in READERS.items():
            again = kind in repeated
            said = self.said[f"{agent} again" if again else agent]
            ids = (kind, f"{kind} again") if again else (kind,)
            if said is not None:
                told = {KEY: Estimate(said.value, said.std, "")}
                found.append(Insight(agent, agent, ids, estimates=told, p_wrong=said.p_wrong))
        return found


def voted(insights: Sequence[Insight], *, shares: Shares | None = None) -> Said | None:
    """Return what `orchestrator.routing` makes of insights, or with other shares would."""
    if shares is None or len(insights) < 2:
        found = combine(KEY, insights)
        return None if found is None else Said(found[0].value, found[0].std or 0.0, found[1])
    pooled = pooled_number(KEY, insights, shares=shares)
    return Said(pooled.value, pooled.std or 0.0, pooled.p_wrong)


def corrections(samples: Sequence[Sample]) -> dict[str, Correction]:
    """Return what the truths of samples say of each agent, as `orchestrator.trust` learns it."""
    found = {}
    spread = float(np.std([s.truth for s in samples]))
    for agent in READERS:
        told = [(k, s.said[agent], s.truth) for k, s in enumerate(samples)]
        found[agent] = correction(
            [
                Case(k, KEY, said.value - truth, said.std, TRUTH_STD, spread, said.p_wrong)
                for k, said, truth in told
                if said is not None
            ]
        )
    return found


def corrected(insights: Sequence[Insight], trust: Mapping[str, Correction]) -> list[Insight]:
    """Return insights as they are believed after corrections."""
    found = []
    for i in insights:
        mine, said = trust[i.agent], i.estimates[KEY]
        told = {KEY: Estimate(said.value, mine.std(KEY, said.std or 0.0), said.unit)}
        found.append(replace(i, estimates=told, p_wrong=mine.p_wrong(i.p_wrong or 0.0)))
    return found


def surest(insights: Sequence[Insight]) -> Said | None:
    """Return what the agent says that is least likely to be wrong by its own word."""
    said = _said(insights)
    return min(said, key=lambda s: s.p_wrong) if said else None


def only(agent: str, insights: Sequence[Insight]) -> Said | None:
    """Return what one agent says, or where it abstains, the surest of the others."""
    mine = [i for i in insights if i.agent == agent]
    return surest(mine or insights)


def by_variance(insights: Sequence[Insight]) -> Said | None:
    """Return the mean weighted by inverse variances; wrong if all are, independently."""
    said = _said(insights)
    if not said:
        return None
    value, std = _weighted(said, [1 / s.std**2 for s in said])
    return Said(value, std, math.prod(s.p_wrong for s in said))


def as_before(insights: Sequence[Insight]) -> Said | None:
    """Return what the rule gave that voting replaced.

    Inverse variances times the probability of being right; the least doubt of all, but one half
    and the largest deviation as std where two differ by more than three combined deviations.
    """
    said = _said(insights)
    if len(said) < 2:
        return said[0] if said else None
    value, _ = _weighted(said, [(1 - s.p_wrong) / s.std**2 for s in said])
    std = 1 / math.sqrt(sum(1 / s.std**2 for s in said))
    p_wrong = min(s.p_wrong for s in said)
    if any(
        abs(a.value - b.value) > 3 * math.hypot(a.std, b.std)
        for k, a in enumerate(said)
        for b in said[k + 1 :]
    ):
        p_wrong = max(p_wrong, 0.5)
        std = max(std, *(abs(s.value - value) for s in said))
    return Said(value, std, p_wrong)


def settled(sample: Sample) -> tuple[Said | None, float]:
    """Return what is said once disputes were settled as far as it pays, and the seconds it took.

    As in a campaign: of the measurements not yet repeated, the one of most expected reduction of
    doubt per second, as long as agents contradict each other.
    """
    repeated: list[str] = []
    seconds = SECONDS["x"] + SECONDS["n"]
    while found := disputes(sample.heard(repeated)):
        insights = sample.heard(repeated)
        gains = {
            kind: found[0].p_wrong - doubt_after(KEY, insights, again=[kind])
            for kind in ("x", "n")
            if kind not in repeated
        }
        gains = {kind: gain for kind, gain in gains.items() if gain >= LEAST_GAIN}
        if not gains:
            break
        chosen = max(gains, key=lambda kind: gains[kind] / SECONDS[f"{kind} again"])
        repeated.append(chosen)
        seconds += SECONDS[f"{chosen} again"]
    return voted(sample.heard(repeated)), seconds


def all_repeated(sample: Sample) -> tuple[Said | None, float]:
    """Return what is told if every measurement is taken twice, and the seconds it took.

    Every reading is a vote, and each measurement a cause of error of its own.
    """
    first = [replace(i, measurement_ids=i.measurement_ids[:1]) for i in sample.heard()]
    second = [replace(i, measurement_ids=i.measurement_ids[1:]) for i in sample.heard(("x", "n"))]
    return voted([*first, *second]), sum(SECONDS.values())


def _said(insights: Sequence[Insight]) -> list[Said]:
    told = [(i.estimates[KEY], i.p_wrong or 0.0) for i in insights if KEY in i.estimates]
    return [Said(e.value, max(e.std or 0.0, 1e-6), p) for e, p in told]


def _weighted(said: Sequence[Said], weights: Sequence[float]) -> tuple[float, float]:
    w = np.array(weights)
    return float(w @ [s.value for s in said] / w.sum()), float(1 / np.sqrt(w.sum()))
