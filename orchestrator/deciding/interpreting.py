"""What measurements tell: an agent's word, or that of another if the agent crashes.

What is decided depends on the arguments alone, so a replay of the history decides the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np

from analysis.errors import AnalysisError
from analysis.insight import Insight
from analysis.protocols import Agent
from instruments.measurement import Measurement
from orchestrator.routing import readable
from orchestrator.telling import in_one_line, shortened
from planners.threads import one_thread

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was read from measurements, and who crashed on the way.

    Attributes
    ----------
    crashes : agent → why it gave nothing.
    """

    insight: Insight
    crashes: dict[str, str]


def interpret(
    agents: Sequence[Agent], measurements: Sequence[Measurement], *, rng: np.random.Generator
) -> Reading | None:
    """Return what the first agent that does not crash reads, None if none can read these.

    An agent crashes by raising anything but an AnalysisError, which is its way to decline, or by
    returning anything but an insight into these measurements. If all crash, the insight abstains
    in the name of the first and says so.

    Parameters
    ----------
    agents : the campaign's choice, then those that stand in for it, in order.
    rng : each agent is given a stream of its own that begins where this one stands.
    """
    crashes: dict[str, str] = {}
    asked: tuple[Agent, list[Measurement]] | None = None
    for agent in agents:
        if not (seen := readable(agent, measurements)):
            continue
        asked = asked or (agent, seen)
        try:
            insight = _ask(agent, seen, rng=deepcopy(rng))
        except MemoryError:
            raise
        except Exception as error:  # whatever somebody else's agent raises ends no campaign
            logger.warning("agent crashed agent=%s", agent.name, exc_info=True)
            crashes[agent.name] = in_one_line(error)
            continue
        return Reading(_with_remarks(insight, crashes), crashes)
    if asked is None:
        return None
    return Reading(_declined(asked[0], asked[1], tuple(_told(crashes))), crashes)


def _ask(agent: Agent, measurements: list[Measurement], *, rng: np.random.Generator) -> Insight:
    try:
        with one_thread():
            insight = agent.analyze(measurements, rng=rng)
    except AnalysisError as error:
        logger.warning("agent abstained agent=%s: %s", agent.name, error)
        return _declined(agent, measurements, (str(error) or type(error).__name__,))
    if fault := _misread(agent, insight, measurements):
        raise TypeError(fault)
    return insight


def _misread(agent: Agent, insight: object, measurements: Sequence[Measurement]) -> str | None:
    """Say why a return value is no reading of these measurements, or None if it is."""
    if not isinstance(insight, Insight):
        return f"it returned {shortened(repr(insight))} instead of an insight"
    if insight.agent != agent.name:
        return f"it signed its insight as {insight.agent!r}"
    strangers = set(insight.measurement_ids) - {m.id for m in measurements}
    if strangers:
        return f"it speaks of {', '.join(sorted(strangers))}, which it was not shown"
    for key, unit in agent.quantities.items():
        said = insight.estimates.get(key)
        if said is not None and said.unit != unit:
            return f"it gives {key} in {said.unit or 'no unit'} and declares {unit or 'no unit'}"
    return None


def _declined(agent: Agent, measurements: Sequence[Measurement], why: tuple[str, ...]) -> Insight:
    return Insight(
        id=f"{measurements[0].id}/{agent.name}",
        agent=agent.name,
        measurement_ids=tuple(m.id for m in measurements),
        abstained=True,
        remarks=why,
    )


def _with_remarks(insight: Insight, crashes: dict[str, str]) -> Insight:
    if not crashes:
        return insight
    stands_in = f"{insight.agent} was asked instead"
    return replace(insight, remarks=(*insight.remarks, *_told(crashes), stands_in))


def _told(crashes: dict[str, str]) -> list[str]:
    return [f"{name} crashed: {why}" for name, why in crashes.items()]
