"""How far agents are believed: alarms, odd samples, truths, and how often intervals held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.report.labels import quantity_name
from orchestrator.report.story import Story
from orchestrator.store.records import Event
from orchestrator.trust.recorded import judge
from orchestrator.trust.wording import ALARM, ODD, RESOLVED, RETOLD, TRUSTED, TRUTH
from orchestrator.trust.words import alarm_line, what_is_done

FOR_MACHINES = frozenset({TRUSTED, RETOLD})
"""Lines of the log that hold numbers for replays and are no reading for a person."""


@dataclass(frozen=True, slots=True)
class Held:
    """How an agent's intervals held for one quantity.

    Attributes
    ----------
    inside : share of the truths in the 90 % interval, with its credible interval.
    done : what is made of the agent's word now.
    """

    agent: str
    quantity: str
    n: int
    inside: str
    done: str


@dataclass(frozen=True, slots=True)
class TrustPart:
    """What the report tells of trust.

    Attributes
    ----------
    on : alarms that nobody has seen to.
    lines : (experiment, what) of alarms, odd samples and truths, as they were told.
    """

    on: tuple[str, ...]
    held: tuple[Held, ...]
    lines: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        return bool(self.on or self.held or self.lines)


def trust_part(story: Story) -> TrustPart:
    """Return what a campaign tells of trust; false if there is nothing to tell."""
    references = () if story.campaign is None else story.campaign.trust.references
    judged = judge(story.experiments, story.events, references=references)
    held = tuple(
        Held(
            agent=c.agent,
            quantity=quantity_name(c.quantity),
            n=c.n,
            inside=f"{c.within[1]:.0%} ({c.low:.0%} to {c.high:.0%})",
            done=what_is_done(c.quantity, judged.believing.corrections[c.agent]),
        )
        for c in judged.coverage
    )
    told = (ALARM, RESOLVED, ODD, TRUTH)
    lines = tuple(_line(event) for event in story.events if event.kind in told)
    return TrustPart(tuple(alarm_line(a) for a in judged.on), held, lines)


def for_people(events: Sequence[Event]) -> list[Event]:
    """Return the lines of a log that are meant for people."""
    return [event for event in events if event.kind not in FOR_MACHINES]


def _line(event: Event) -> tuple[str, str]:
    number = "–" if event.number is None else str(event.number)
    return number, f"{event.kind.replace('_', ' ')}: {event.message}"
