"""A history that remembers the experiment under way, so that a turn reads it once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from analysis.insight import Insight
from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.run import History
from orchestrator.store.records import (
    ActionRecord,
    Event,
    Experiment,
    InsightSummary,
    MeasurementSummary,
)
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
        self._experiment: Experiment | None = None
        self._actions: list[ActionRecord] = []
        self._read()

    @contextmanager
    def together(self, campaign_id: str, *, on_disk: bool = True) -> Iterator[None]:
        """Keep what is recorded in the block all together or not at all."""
        try:
            with self._history.together(campaign_id, on_disk=on_disk):
                yield
        except BaseException:
            self._read()
            raise

    def record_proposal(
        self,
        campaign_id: str,
        number: int,
        proposal: Proposal,
        *,
        seed: Sequence[int],
        told: int | None = None,
        pending: Sequence[int] = (),
    ) -> None:
        """Begin the experiment."""
        self._history.record_proposal(
            campaign_id, number, proposal, seed=seed, told=told, pending=pending
        )
        if self._experiment is None:
            now = datetime.now(UTC)
            self._experiment = Experiment(
                number, proposal, tuple(seed), None, (), (), None, now, None, told, tuple(pending)
            )

    def record_sample(self, campaign_id: str, number: int, sample: Sample) -> None:
        """Add the sample."""
        self._history.record_sample(campaign_id, number, sample)
        self._learn(sample=sample)

    def record_measurement(self, campaign_id: str, number: int, measurement: Measurement) -> None:
        """Add a measurement."""
        self._history.record_measurement(campaign_id, number, measurement)
        if self._experiment is not None:
            others = [m for m in self._experiment.measurements if m.id != measurement.id]
            self._learn(measurements=(*others, MeasurementSummary.of(measurement)))

    def record_insight(self, campaign_id: str, number: int, insight: Insight) -> None:
        """Add an insight."""
        self._history.record_insight(campaign_id, number, insight)
        if self._experiment is not None:
            others = [i for i in self._experiment.insights if i.id != insight.id]
            self._learn(insights=(*others, InsightSummary.of(insight)))

    def record_observation(self, campaign_id: str, number: int, observation: Observation) -> None:
        """End the experiment."""
        self._history.record_observation(campaign_id, number, observation)
        self._learn(observation=observation, finished=datetime.now(UTC))

    def record_action(self, action: ActionRecord) -> None:
        """Write down a physical action before it happens."""
        self._history.record_action(action)
        self._actions = [*self._others(action), action]

    def settle_action(self, action: ActionRecord) -> None:
        """Write down how a physical action ended."""
        self._history.settle_action(action)
        self._actions = [*self._others(action), action]

    def record_event(
        self, campaign_id: str, kind: str, message: str, number: int | None = None
    ) -> None:
        """Add a line to the campaign's log."""
        self._history.record_event(campaign_id, kind, message, number)

    def events(self, campaign_id: str) -> list[Event]:
        """Return the campaign's log, oldest first."""
        return self._history.events(campaign_id)

    def experiment(self, campaign_id: str, number: int) -> Experiment | None:
        """Return the experiment as far as it has come."""
        if not self._is_mine(campaign_id, number):
            return self._history.experiment(campaign_id, number)
        return self._experiment

    def experiments(self, campaign_id: str) -> list[Experiment]:
        """Return every experiment as far as it has come, by number."""
        return self._history.experiments(campaign_id)

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

    def observations_since(
        self, campaign_id: str, cursor: int = 0
    ) -> tuple[int, list[tuple[int, Observation]]]:
        """Return a new cursor, and what ended after the old one in the order of recording."""
        return self._history.observations_since(campaign_id, cursor)

    def unfinished(self, campaign_id: str) -> list[int]:
        """Return the experiments that were begun and have not ended, by number."""
        return self._history.unfinished(campaign_id)

    def measurement(self, measurement_id: str) -> Measurement:
        """Return a measurement with its arrays."""
        return self._history.measurement(measurement_id)

    def insight(self, insight_id: str) -> Insight:
        """Return an insight with its arrays."""
        return self._history.insight(insight_id)

    def _read(self) -> None:
        """Read the experiment as far as it has come."""
        self._experiment = self._history.experiment(self._campaign_id, self._number)
        begun = self._experiment is not None
        self._actions = self._history.actions(self._campaign_id, self._number) if begun else []

    def _learn(self, **parts: Any) -> None:
        if self._experiment is not None:
            self._experiment = replace(self._experiment, **parts)

    def _others(self, action: ActionRecord) -> list[ActionRecord]:
        return [a for a in self._actions if a.command_id != action.command_id]

    def _is_mine(self, campaign_id: str, number: int) -> bool:
        return (campaign_id, number) == (self._campaign_id, self._number)
