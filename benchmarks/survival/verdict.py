"""The instruments' own log against the history: done twice, lost, stuck."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields

from survival.bench import LABORATORY_NAME, Bench

from orchestrator.store import Store


@dataclass
class Verdict:
    """What was found.

    Attributes
    ----------
    deeds : actions that physically began.
    twice : actions that began more than once under one command.
    lost : deeds that came to their end and whose result is not in the history.
    asked : questions put to a person.
    stuck : holds and leases that nobody gave back, actions and experiments without an end.
    changed : campaigns that decided otherwise than their undisturbed twin.
    """

    deeds: int = 0
    twice: int = 0
    lost: int = 0
    asked: int = 0
    stuck: int = 0
    changed: int = 0

    def add(self, other: Verdict) -> None:
        """Count another campaign's findings."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def compare(bench: Bench, name: str, campaign: str, *, asks: bool) -> Verdict:
    """Return the findings for one campaign that has ended."""
    began, ended = Counter[str](), set[str]()
    for deed in bench.logbook.read():
        if deed["id"].startswith(f"{campaign}/"):
            command = deed["id"].rpartition("-")[0] if asks else deed["id"]
            if deed["deed"] == "began":
                began[command] += 1
            else:
                ended.add(command)
    with bench.open_store(name) as store:
        return Verdict(
            deeds=began.total(),
            twice=sum(1 for times in began.values() if times > 1),
            lost=len(ended - _accounted_for(store, campaign)),
            asked=len(store.questions.of(campaign)),
            stuck=_stuck(store, campaign),
        )


def _accounted_for(store: Store, campaign: str) -> set[str]:
    """Return the commands whose result is in the history, or of which a person has told."""
    samples, measurements = set(), set()
    for experiment in store.experiments(campaign):
        if experiment.sample is not None:
            samples.add(experiment.number)
        measurements |= {m.id for m in experiment.measurements}
    found = set()
    for action in store.actions(campaign):
        stem = f"{campaign}/{action.number}/table-0/{action.attempt}"
        has_result = (
            action.number in samples if action.step == "synthesize" else stem in measurements
        )
        if action.fault == "person" or (action.settled == "succeeded" and has_result):
            found.add(action.command_id)
    return found


def _stuck(store: Store, campaign: str) -> int:
    hold = store.holds.current(campaign)
    unreleased = int(hold is None or hold.released is None)
    leases = sum(w.campaign_id == campaign for w in store.leases.queue(LABORATORY_NAME))
    unfinished = sum(1 for e in store.experiments(campaign) if e.observation is None)
    return unreleased + leases + unfinished + len(store.unsettled_actions(campaign))
