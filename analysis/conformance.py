"""Conformance: what every analysis agent must hold to, as one function for a plug-in's tests.

def test_my_agent_conforms():
    check_agent(make({...}, folder), [measurement], rng=np.random.default_rng(0))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.errors import BadPattern
from analysis.insight import Insight
from analysis.protocols import Agent, CollectiveAgent
from instruments.measurement import Measurement


def check_agent(
    agent: Agent, measurements: Sequence[Measurement], *, rng: np.random.Generator
) -> Insight:
    """Raise AssertionError with a sentence if an agent breaks the protocol; return its insight.

    Checked: it has a name, a technique and quantities; the same measurements and seed give the
    same insight; estimates are announced quantities in the announced units; the covariance agrees
    with the stds and is positive semi-definite; evidence is finite; inputs stay as they were;
    nothing to read, and another technique, are refused by BadPattern.

    Parameters
    ----------
    agent : made with its settings.
    measurements : of one sample, which the agent must be able to read.
    rng : seeds the agent; only its first draw is used.
    """
    seed = int(rng.integers(2**32))
    check_description(agent)
    before = [_fingerprint(m) for m in measurements]
    insight = agent.analyze(measurements, rng=np.random.default_rng(seed))
    again = agent.analyze(measurements, rng=np.random.default_rng(seed))
    _require(
        [_fingerprint(m) for m in measurements] == before,
        f"{agent.name} changed the arrays of its measurements; work on copies",
    )
    _require(
        _numbers(insight) == _numbers(again),
        f"{agent.name} gave two insights for the same measurements and seed; draw only from `rng`",
    )
    check_insight(agent, insight, measurements)
    check_refusals(agent, measurements)
    return insight


def check_collective_agent(
    agent: CollectiveAgent, measurements: Sequence[Measurement], *, rng: np.random.Generator
) -> list[Insight]:
    """Raise AssertionError if an agent of many samples breaks its protocol; return its insights.

    Checked beyond `check_agent`: one insight a measurement, in order and speaking of it; each
    agrees with what the agent announced; the last is what `analyze` returns.

    Parameters
    ----------
    measurements : of different samples, which the agent must be able to read together.
    """
    seed = int(rng.integers(2**32))
    last = check_agent(agent, measurements, rng=np.random.default_rng(seed))
    insights = agent.analyze_together(
        measurements, rng=np.random.default_rng(int(np.random.default_rng(seed).integers(2**32)))
    )
    _require(
        len(insights) == len(measurements),
        f"{agent.name} gave {len(insights)} insights for {len(measurements)} measurements",
    )
    for insight, measurement in zip(insights, measurements, strict=True):
        check_insight(agent, insight, measurements)
        _require(
            measurement.id in insight.measurement_ids,
            f"{agent.name} gave {insight.id} where one of {measurement.id} was due; keep the order",
        )
    _require(
        _numbers(insights[-1]) == _numbers(last),
        f"{agent.name} says together something else of the last measurement than by `analyze`",
    )
    return insights


def check_description(agent: Agent) -> None:
    """Raise AssertionError if an agent does not describe itself."""
    _require(isinstance(agent, Agent), f"{agent!r} lacks an attribute or method of Agent")
    _require(bool(agent.name), f"{agent!r} has no name")
    quantities = agent.quantities
    _require(bool(quantities), f"{agent.name} announces no quantity it can estimate")
    _require(
        agent.quantities == quantities,
        f"{agent.name} announces other quantities when asked twice",
    )


def check_insight(agent: Agent, insight: Insight, measurements: Sequence[Measurement]) -> None:
    """Raise AssertionError if an insight contradicts its agent's description or itself."""
    _require(
        insight.agent == agent.name,
        f"{agent.name} signs its insight as {insight.agent!r}",
    )
    strangers = set(insight.measurement_ids) - {m.id for m in measurements}
    _require(not strangers, f"{agent.name} names measurements it was not given: {strangers}")
    announced = agent.quantities
    for key, estimate in insight.estimates.items():
        _require(key in announced, f"{agent.name} estimates {key}, which it did not announce")
        _require(
            estimate.unit == announced[key],
            f"{agent.name} estimates {key} in {estimate.unit!r}, announced in {announced[key]!r}",
        )
    _require(
        bool(insight.estimates or insight.class_probabilities) or insight.abstained,
        f"{agent.name} says nothing and does not abstain",
    )
    for name, curve in insight.evidence.items():
        finite = all(np.all(np.isfinite(column)) for column in (curve.x, *curve.columns.values()))
        _require(finite, f"{agent.name} shows evidence {name!r} with values that are not finite")
    _check_covariance(agent, insight)


def check_refusals(agent: Agent, measurements: Sequence[Measurement]) -> None:
    """Raise AssertionError if an agent accepts nothing at all, or another technique."""
    _require_refusal(agent, [], "no measurement")
    if agent.technique:
        other = "sas" if agent.technique != "sas" else "xrd"
        disguised = [replace(m, technique=other) for m in measurements]
        _require_refusal(agent, disguised, f"a measurement of technique {other!r}")


def _check_covariance(agent: Agent, insight: Insight) -> None:
    if insight.covariance is None:
        return
    covariance = insight.covariance
    deviations = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    _require(
        np.allclose(covariance, covariance.T, rtol=1e-6, atol=0),
        f"{agent.name} states a covariance that is not symmetric",
    )
    scale = np.where(deviations > 0, deviations, 1.0)
    lowest = float(np.linalg.eigvalsh(covariance / np.outer(scale, scale)).min())
    # Fractions that sum to one make it singular; rounding may then go slightly below zero.
    _require(lowest > -1e-6, f"{agent.name} states a covariance with eigenvalue {lowest:.2g} < 0")
    for key, deviation in zip(insight.covariance_keys, deviations, strict=True):
        std = insight.estimates[key].std
        _require(
            std is not None and bool(np.isclose(std, deviation, rtol=1e-6)),
            f"{agent.name} gives {key} a std of {std}, but {deviation:g} in the covariance",
        )


def _require_refusal(agent: Agent, measurements: Sequence[Measurement], what: str) -> None:
    try:
        agent.analyze(measurements, rng=np.random.default_rng(0))
    except BadPattern:
        return
    raise AssertionError(f"{agent.name} accepted {what}; it should raise BadPattern")


def _fingerprint(measurement: Measurement) -> tuple[object, ...]:
    sigma = b"" if measurement.sigma is None else measurement.sigma.tobytes()
    settings = tuple(sorted(measurement.settings.items()))
    return measurement.x.tobytes(), measurement.y.tobytes(), sigma, settings


def _numbers(insight: Insight) -> tuple[object, ...]:
    covariance = b"" if insight.covariance is None else insight.covariance.tobytes()
    probabilities = {q: dict(answers) for q, answers in insight.class_probabilities.items()}
    return (
        insight.id,
        dict(insight.estimates),
        covariance,
        probabilities,
        insight.p_wrong,
        insight.novelty,
        dict(insight.quality),
        insight.abstained,
        insight.remarks,
    )


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise AssertionError(sentence)
