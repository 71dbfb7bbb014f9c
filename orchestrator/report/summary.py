"""The head of a report: what was wanted, how it ended, what it took, what is best."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.report import words
from orchestrator.report.labels import quantity_name
from orchestrator.report.recommended import Recommended, recommended
from orchestrator.report.story import DOUBTFUL, Story
from orchestrator.scoring import probability_reached

BANNERS = {
    "simulated": "Simulated data: no sample was made and none was measured.",
    "mixed": "Partly simulated data: some of these samples or curves were never in a laboratory.",
    "recorded": "Recorded data played back: real samples, measured before this campaign ran.",
}
"""Where the data come from → what must be said first."""

_STATES = {
    "created": "Not started",
    "running": "Running when this page was written",
    "paused": "Paused",
    "waiting": "Waiting for a person's answer",
    "interrupted": "Interrupted",
    "finished": "Finished",
    "stopped": "Stopped in an emergency",
    "cancelled": "Cancelled",
    "failed": "Ended by an error",
}


@dataclass(frozen=True, slots=True)
class Best:
    """The best experiment.

    Attributes
    ----------
    outcomes : name, value ± std, and where it is known the predicted value.
    verdict : whether it is what was wanted.
    """

    number: int
    settings: list[tuple[str, str]]
    outcomes: list[tuple[str, str, str]]
    verdict: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The head of the page; every text is ready to be read."""

    name: str
    id: str
    description: str
    ended: str
    banner: str
    targets: list[tuple[str, str]]
    facts: list[tuple[str, str]]
    best: Best | None
    recommended: Recommended | None
    front: str
    no_best: str
    problem: str


def summary(story: Story) -> Summary:
    """Return the head of a campaign's report."""
    record = story.record
    state = _STATES[record.status]
    return Summary(
        name=record.name,
        id=record.id,
        description="" if story.campaign is None else story.campaign.description,
        ended=f"{state}: {record.message.rstrip('.')}." if record.message else f"{state}.",
        banner=BANNERS.get(story.origin, ""),
        targets=_targets(story),
        facts=_facts(story),
        best=_best(story),
        recommended=recommended(story),
        front=_front(story),
        no_best=_no_best(story),
        problem=story.problem,
    )


def _targets(story: Story) -> list[tuple[str, str]]:
    objective = story.objective
    if objective is None:
        return []
    found = [(words.target(t), t.quantity) for t in objective.targets]
    return found + [(words.constraint(c), c.quantity) for c in objective.constraints]


def _facts(story: Story) -> list[tuple[str, str]]:
    record, campaign = story.record, story.campaign
    same_day = record.created.date() == record.updated.date()
    start = f"{record.created:%Y-%m-%d %H:%M}"
    end = f"{record.updated:{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}} UTC"
    return [
        ("Identifier", record.id),
        ("Ran", f"{start} to {end}"),
        ("Laboratory", _laboratory(story)),
        ("Planner", "unknown" if campaign is None else campaign.planner.use),
        ("Agents", _agents(story)),
        ("Seed", str(record.seed)),
        ("Used", _used(story)),
        (
            "Allowed",
            "unknown" if campaign is None else words.budget(campaign.budget, story.currency),
        ),
    ]


def _laboratory(story: Story) -> str:
    name = str(story.laboratory.get("name") or "unnamed")
    makers = [e.sample.made_by for e in story.experiments if e.sample is not None]
    meters = [m.instrument for e in story.experiments for m in e.measurements]
    instruments = list(dict.fromkeys(makers + meters))
    return f"{name}: {', '.join(instruments)}" if instruments else name


def _agents(story: Story) -> str:
    named = [] if story.campaign is None else [a.use for a in story.campaign.agents]
    heard = [i.agent for e in story.experiments for i in e.insights]
    return ", ".join(dict.fromkeys(named + heard)) or "none"


def _used(story: Story) -> str:
    n, failed, under_way = (
        len(story.ended),
        sum(o.failed for _, o in story.ended),
        len(story.experiments) - len(story.ended),
    )
    again = sum(e.proposal.measure_again is not None for e in story.experiments)
    asides = [f"{failed} failed"] if failed else []
    asides += [f"{again} measured an earlier sample again"] if again else []
    asides += [f"{under_way} more under way"] if under_way else []
    count = words.counted(n, "experiment") + (f" ({', '.join(asides)})" if asides else "")
    return (
        f"{count}, {words.duration(story.hours)} of laboratory time, "
        f"{words.money(story.money)} {story.currency}"
    )


def _best(story: Story) -> Best | None:
    if story.best is None or story.objective is None:
        return None
    experiment = story.by_number[story.best]
    observation, units = story.known[story.best], story.units
    predicted = experiment.proposal.reason.predicted
    outcomes = []
    for quantity in story.quantities:
        unit = units.get(quantity, "")
        told = words.measured(observation.outcomes[quantity], observation.stds.get(quantity), unit)
        expected = predicted.get(quantity)
        before = "" if expected is None else words.measured(expected.mean, expected.std, unit)
        outcomes.append((quantity_name(quantity), told, before))
    return Best(
        number=story.best,
        settings=[
            (words.plain(name), words.setting(value, units.get(name, "")))
            for name, value in observation.values.items()
        ],
        outcomes=outcomes,
        verdict=_verdict(story),
    )


def _verdict(story: Story) -> str:
    objective, observation = story.objective, story.known[story.best or 0]
    assert objective is not None
    parts = []
    if all(t.value is not None for t in objective.targets):
        reached = objective.is_reached(observation.outcomes)
        sure = words.percent(probability_reached(objective, observation))
        verb = "meets" if reached else "does not meet"
        parts.append(
            f"It {verb} every target as measured; with the stated uncertainties the probability "
            f"that the sample does is {sure}."
        )
    if observation.supersedes is not None:
        parts.append("Its sample was measured again later, and all of it is read together.")
    if observation.p_wrong > DOUBTFUL:
        parts.append(
            "Its analysis is doubtful: wrong with probability "
            f"{words.percent(observation.p_wrong)}. Look at the pattern before relying on it."
        )
    return " ".join(parts)


def _front(story: Story) -> str:
    if not story.is_front or not story.front:
        return ""
    listed = ", ".join(map(str, story.front))
    n = len(story.front)
    return (
        f"{words.counted(n, 'experiment')} no other beats in every target: {listed}. "
        "They are marked in the table."
    )


def _no_best(story: Story) -> str:
    if story.best is not None or story.front:
        return ""
    if not story.done:
        return "No experiment has ended yet."
    if not story.good:
        return f"Every one of the {words.counted(len(story.ended), 'experiment')} failed."
    if story.objective is None:
        return "Nothing can be called best, because the objective is not known."
    return "No experiment obeys every constraint."
