"""A recorded campaign as its planner and its agents saw it, decision by decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.insight import Insight
from instruments.measurement import Measurement
from orchestrator.acting.again import ids_measured
from orchestrator.acting.current import current
from orchestrator.campaign import Campaign
from orchestrator.deciding.lessons import earlier_campaigns, pinned_lessons
from orchestrator.failing.clearing import AGAIN, MORE, times_in
from orchestrator.launch import recorded_campaign
from orchestrator.measuring import SPOILING_FLAGS
from orchestrator.run import ROLES
from orchestrator.store import Store
from orchestrator.store.records import CampaignRecord, Event, Experiment
from orchestrator.toml_source import TomlSource
from orchestrator.trust.recorded import pinned, scored_again
from orchestrator.trust.trusting import Trust
from orchestrator.trust.wording import RETOLD
from planners.earlier import EarlierCampaign
from planners.proposal import Observation
from planners.space import Point


@dataclass(frozen=True, slots=True)
class Past:
    """A recorded campaign; nothing of it is ever changed.

    Attributes
    ----------
    campaign, source : as it was started, read from the file as it was recorded.
    experiments : by number.
    told : number and observation of each finished experiment, in the order of recording.
    events : the log, in which truths, alarms and the trust that was used stand.
    """

    store: Store
    record: CampaignRecord
    campaign: Campaign
    source: TomlSource
    experiments: Mapping[int, Experiment]
    told: Sequence[tuple[int, Observation]]
    events: Sequence[Event] = ()

    @classmethod
    def of(cls, store: Store, campaign_id: str) -> Past:
        """Return the past of a campaign. Raises UnknownCampaign or BadFile."""
        record = store.campaign(campaign_id)
        campaign, source = recorded_campaign(record)
        experiments = {e.number: e for e in store.experiments(record.id)}
        _, told = store.observations_since(record.id)
        events = store.events(record.id)
        return cls(store, record, campaign, source, experiments, told, events)

    @property
    def earlier(self) -> tuple[EarlierCampaign, ...]:
        """What its planner had learnt from other campaigns, as it was when this one began."""
        return earlier_campaigns(pinned_lessons(self.record.config), self.store)

    def known(self, experiment: Experiment) -> tuple[list[Observation], list[Point]]:
        """Return the observations and the points under way that a planner knew of then.

        A history that does not say how much was told had one experiment at a time, so everything
        earlier was known.
        """
        if experiment.told is None:
            told = [(n, o) for n, o in self.told if n < experiment.number]
        else:
            told = list(self.told[: experiment.told])
        pending = [self.experiments[n].proposal.values for n in experiment.pending]
        ended = sorted(told, key=lambda found: found[0])
        told_again = scored_again(
            self.campaign.objective,
            current(ended),
            pinned(self.events, RETOLD, experiment.number) or Trust(),
            ended=ended,
            events=self.events,
            experiment=self.experiments.get,
        )
        return [o for _, o in told_again], list(pending)

    def shown(self, experiment: Experiment, *, times: int = 0) -> list[Measurement]:
        """Return the measurements that the agents were given, with their arrays.

        Of a sample that was measured again, those of earlier turns come first.

        Parameters
        ----------
        times : after how many further measurements they were asked.
        """
        own = [
            m.id
            for m in experiment.measurements
            if not SPOILING_FLAGS & set(m.flags) and _times_measured(m.id) <= times
        ]
        again = experiment.proposal.measure_again
        before = [] if again is None else self._before(experiment.number, again.experiment)
        return [self.store.measurement(name) for name in (*before, *own)]

    def _before(self, number: int, made: int) -> list[str]:
        earlier = (self.experiments[n] for n in sorted(self.experiments) if n < number)
        return ids_measured(earlier, made)

    def said(self, experiment: Experiment, *, times: int = 0) -> list[Insight]:
        """Return what the agents said after so many further measurements, with its arrays."""
        summaries = [i for i in experiment.insights if times_in(i.id, AGAIN) == times]
        return [self.store.insight(i.id) for i in summaries]

    def rounds(self, experiment: Experiment) -> range:
        """Return after how many further measurements the agents were asked: 0, 1, …"""
        return range(1 + max((times_in(i.id, AGAIN) for i in experiment.insights), default=-1))

    def reading_stream(self, number: int) -> np.random.Generator:
        """Return the random stream with which the agents began."""
        return np.random.default_rng([self.campaign.seed, number, ROLES.index("analyze")])


def _times_measured(measurement_id: str) -> int:
    """Return how many measurements were taken besides those that the campaign plans, with this."""
    return times_in(measurement_id.rpartition("/")[0], MORE)
