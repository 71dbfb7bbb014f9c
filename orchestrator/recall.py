"""A history that remembers the experiment under way, so that a turn reads it once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from analysis.insight import Insight
from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.run import History
from orchestrator.store.records import ActionRecord, Experiment
from planners.proposal import Observation, Proposal


class Recall:
    """Passes every write on to the history, and answers what it knows without asking.

    It knows one experiment of one campaign, from the beginning of a turn to its end, which is
    sound because one process at a time runs a campaign.
    """

    def __init__(self, history: History, campaign_id: str, number: int) -> None:
        self._history = history
        self._campaign_id = campaign_id
        self._number = number
        self._experiment = history.experiment(campaign_id, number)
        begun = self._experiment is not None
        self._actions = history.actions(campaign_id, number) if begun else []
        self._stale = False

    def record_proposal(
        self, campaign_id: str, number: int, proposal: Proposal, *, seed: Sequence[int]
    ) -> None:
        """Begin the experiment."""
        self._history.record_proposal(campaign_id, number, proposal, seed=seed)
        self._experiment = Experiment(
            number, proposal, tuple(seed), None, (), (), None, datetime.now(UTC), None
        )

    def record_sample(self, campaign_id: str, number: int, sample: Sample) -> None:
        """Add the sample."""
        self._history.record_sample(campaign_id, number, sample)
        if self._experiment is not None:
            self._experiment = replace(self._experiment, sample=sample)

    def record_measurement(self, campaign_id: str, number: int, measurement: Measurement) -> None:
        """Add a measurement."""
        self._history.record_measurement(campaign_id, number, measurement)
        self._stale = True

    def record_insight(self, campaign_id: str, number: int, insight: Insight) -> None:
        """Add an insight."""
        self._history.record_insight(campaign_id, number, insight)
        self._stale = True

    def record_observation(self, campaign_id: str, number: int, observation: Observation) -> None:
        """End the experiment."""
        self._history.record_observation(campaign_id, number, observation)
        self._stale = True

    def record_action(self, action: ActionRecord) -> None:
        """Write down a physical action before it happens."""
        self._history.record_action(action)
        self._actions = [*self._actions, action]

    def settle_action(self, action: ActionRecord) -> None:
        """Write down how a physical action ended."""
        self._history.settle_action(action)
        others = [a for a in self._actions if a.command_id != action.command_id]
        self._actions = [*others, action]

    def record_event(
        self, campaign_id: str, kind: str, message: str, number: int | None = None
    ) -> None:
        """Add a line to the campaign's log."""
        self._history.record_event(campaign_id, kind, message, number)

    def experiment(self, campaign_id: str, number: int) -> Experiment | None:
        """Return the experiment as far as it has come."""
        if not self._is_mine(campaign_id, number):
            return self._history.experiment(campaign_id, number)
        if self._stale:
            self._experiment = self._history.experiment(campaign_id, number)
            self._stale = False
        return self._experiment

    def actions(self, campaign_id: str, number: int | None = None) -> list[ActionRecord]:
        """Return every action of the experiment, in order."""
        if number is None or not self._is_mine(campaign_id, number):
            return self._history.actions(campaign_id, number)
        return list(self._actions)

    def unsettled_actions(self, campaign_id: str) -> list[ActionRecord]:
        """Return actions that were sent and never settled."""
        return self._history.unsettled_actions(campaign_id)

    def observations(self, campaign_id: str) -> list[tuple[int, Observation]]:
        """Return finished experiments by number."""
        return self._history.observations(campaign_id)

    def measurement(self, measurement_id: str) -> Measurement:
        """Return a measurement with its arrays."""
        return self._history.measurement(measurement_id)

    def insight(self, insight_id: str) -> Insight:
        """Return an insight with its arrays."""
        return self._history.insight(insight_id)

    def _is_mine(self, campaign_id: str, number: int) -> bool:
        return (campaign_id, number) == (self._campaign_id, self._number)
