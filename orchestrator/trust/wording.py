"""Truths, alarms and trust as lines of a campaign's log, for people and to be read again.

The log is where they are kept, so what a line says is all there is, and reading a line that was
written gives back what was written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import get_args

from orchestrator.errors import CampaignError
from orchestrator.store.records import Event
from orchestrator.trust.alarms import Alarm, AlarmKind
from orchestrator.trust.calibrating import Correction
from orchestrator.trust.oddity import Oddity
from orchestrator.trust.statements import Truth

TRUTH, ALARM, RESOLVED, ODD = "truth", "alarm", "alarm_resolved", "odd"
"""Kinds of lines: a truth was told; an alarm went on; a person has seen to it; one statement is
unlike those before."""

TRUSTED, RETOLD = "trusted", "retold"
"""The trust with which an experiment was scored, and the planner was told of the earlier ones."""

_TRUTH = re.compile(r"(?P<quantity>\S+) = (?P<value>.+?)( ± (?P<std>\S+))?, says (?P<source>.+)")
_ALARM = re.compile(r"(?P<kind>\w+) of (?P<agent>\S+) since experiment (?P<since>\d+): (?P<why>.+)")
_RESOLVED = re.compile(r"(?P<kind>\w+) of (?P<agent>\S+): (?P<reason>.+)")
_ODD = re.compile(r"(?P<agent>\S+) is odd(, wrong with at least (?P<floor>\S+))?: (?P<why>.+)")


def truth_in_words(truth: Truth) -> str:
    """Return a truth as a line, such as ``a.b = 0.31 ± 0.01, says ICP-OES (anna@lab)``."""
    std = f" ± {truth.std!r}" if truth.std else ""
    value = truth.value if isinstance(truth.value, str) else repr(float(truth.value))
    return f"{truth.quantity} = {value}{std}, says {truth.source or 'somebody'}"


def truths_of(events: Sequence[Event], *, most: int | None = None) -> list[Truth]:
    """Return the truths that a log tells, in the order in which they were told.

    Parameters
    ----------
    most : only the first so many.
    """
    told = [e for e in events if e.kind == TRUTH and e.number is not None][:most]
    return [_truth(event) for event in told]


def alarm_in_words(alarm: Alarm) -> str:
    """Return an alarm as a line."""
    return f"{alarm.kind} of {alarm.agent} since experiment {alarm.since}: {alarm.message}"


def alarms_of(events: Sequence[Event]) -> list[Alarm]:
    """Return the alarms that a log tells and nobody has resolved, oldest first."""
    on: dict[tuple[str, str], Alarm] = {}
    for event in events:
        if event.kind == ALARM and (found := _ALARM.fullmatch(event.message)):
            kind = _kind(found["kind"])
            on[kind, found["agent"]] = Alarm(
                kind, found["agent"], int(found["since"]), found["why"]
            )
        elif event.kind == RESOLVED and (found := _RESOLVED.fullmatch(event.message)):
            on.pop((found["kind"], found["agent"]), None)
    return list(on.values())


def resolved_in_words(alarm: Alarm, reason: str) -> str:
    """Return as a line that a person has seen to an alarm."""
    return f"{alarm.kind} of {alarm.agent}: {reason}"


def resolved_of(events: Sequence[Event]) -> dict[tuple[AlarmKind, str], int]:
    """Return (kind, agent) → latest experiment up to which a person has seen to its alarms."""
    found: dict[tuple[AlarmKind, str], int] = {}
    for event in events:
        seen = _RESOLVED.fullmatch(event.message) if event.kind == RESOLVED else None
        if seen and event.number is not None:
            found[_kind(seen["kind"]), seen["agent"]] = event.number
    return found


def odd_in_words(agent: str, odd: Oddity) -> str:
    """Return as a line that a statement is odd."""
    doubt = f", wrong with at least {odd.floor:g}" if odd.floor else ""
    return f"{agent} is odd{doubt}: {odd.why}"


def floors_of(events: Sequence[Event]) -> dict[int, dict[str, float]]:
    """Return experiment → agent → least probability that what it said of the sample is wrong."""
    found: dict[int, dict[str, float]] = {}
    for event in events:
        odd = _ODD.fullmatch(event.message) if event.kind == ODD else None
        if odd and event.number is not None:
            found.setdefault(event.number, {})[odd["agent"]] = float(odd["floor"] or 0)
    return found


def corrections_in_words(corrections: Mapping[str, Correction], *, truths: int) -> str:
    """Return the trust that was used as a line, to the last digit: JSON."""
    agents = {
        agent: {"std": c.factor, "stds": dict(c.factors), "log_odds": c.shift, "n": c.n}
        for agent, c in corrections.items()
        if c != Correction()
    }
    return json.dumps({"truths": truths, "agents": agents}, sort_keys=True)


def corrections_of(line: str) -> tuple[dict[str, Correction], int]:
    """Return the corrections that a line tells, and how many truths were known."""
    told = json.loads(line)
    return {
        agent: Correction(c["std"], c["stds"], c["log_odds"], c["n"])
        for agent, c in told["agents"].items()
    }, int(told["truths"])


def _truth(event: Event) -> Truth:
    found = _TRUTH.fullmatch(event.message)
    if found is None or event.number is None:
        raise CampaignError(
            f"the log has the truth {event.message!r}, which is none; tell it with `sdlab truth`"
        )
    std = float(found["std"] or 0.0)
    return Truth(event.number, found["quantity"], _value(found["value"]), std, found["source"])


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _kind(word: str) -> AlarmKind:
    for kind in get_args(AlarmKind):
        if kind == word:
            found: AlarmKind = kind
            return found
    raise CampaignError(f"the log tells of an alarm of kind {word!r}, which this sdlab lacks")
