"""Everything a report tells of one campaign, read from the store once."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from orchestrator.acting.current import current
from orchestrator.campaign import Campaign, parse_campaign
from orchestrator.control import best
from orchestrator.errors import BadFile
from orchestrator.fronts import front, is_front
from orchestrator.report.labels import quantity_name
from orchestrator.standing import hours_used
from orchestrator.store import Store
from orchestrator.store.records import ActionRecord, CampaignRecord, Event, Experiment
from orchestrator.toml_source import parse_toml
from planners.objective import Objective
from planners.proposal import Observation
from planners.space import CandidateList

DOUBTFUL = 0.2
"""Probability that the analysis is wrong from which a point is drawn hollow."""


@dataclass(frozen=True)
class Story:
    """One campaign as a report tells it.

    Attributes
    ----------
    campaign : as it was understood when it started; None if this version cannot understand it.
    problem : why `campaign` is None, else empty.
    laboratory : what the laboratory file says, empty if it is no TOML.
    candidates : the fixed list that was searched, None without one or if its table is gone.
    """

    record: CampaignRecord
    campaign: Campaign | None
    problem: str
    laboratory: dict[str, object]
    candidates: CandidateList | None
    experiments: Sequence[Experiment]
    actions: Sequence[ActionRecord]
    events: Sequence[Event]

    @property
    def objective(self) -> Objective | None:
        """What was wanted, if it is known."""
        return None if self.campaign is None else self.campaign.objective

    @cached_property
    def ended(self) -> list[tuple[int, Observation]]:
        """Number and observation of every experiment that ended."""
        return [(e.number, e.observation) for e in self.experiments if e.observation is not None]

    @cached_property
    def done(self) -> list[tuple[int, Observation]]:
        """What is known of each sample, under the number of the experiment that made it."""
        return current(self.ended)

    @cached_property
    def good(self) -> list[tuple[int, Observation]]:
        """Those of `done` that gave an outcome."""
        return [(n, o) for n, o in self.done if not o.failed]

    @cached_property
    def failed(self) -> list[tuple[int, Observation]]:
        """Those of `done` that failed."""
        return [(n, o) for n, o in self.done if o.failed]

    @cached_property
    def known(self) -> dict[int, Observation]:
        """Number of the experiment that made a sample → what is known of it."""
        return dict(self.done)

    @cached_property
    def by_number(self) -> dict[int, Experiment]:
        """Number → experiment."""
        return {e.number: e for e in self.experiments}

    @cached_property
    def quantities(self) -> list[str]:
        """The quantities of the objective, else every quantity that was observed."""
        if self.objective is not None:
            return list(self.objective.quantities)
        return list(dict.fromkeys(q for _, o in self.good for q in o.outcomes))

    @cached_property
    def settings(self) -> list[str]:
        """The names that were searched."""
        if self.campaign is not None:
            return list(self.campaign.space.names)
        return list(dict.fromkeys(n for e in self.experiments for n in e.proposal.values))

    @cached_property
    def units(self) -> dict[str, str]:
        """Setting or quantity → unit, as far as somebody said it."""
        found: dict[str, str] = {}
        for e in self.experiments:
            for insight in e.insights:
                found |= {key: estimate.unit for key, estimate in insight.estimates.items()}
            if e.sample is not None:
                found |= e.sample.units
        if self.campaign is None:
            return found
        for parameter in self.campaign.space.parameters:
            found |= {name: parameter.unit for name in parameter.names if parameter.unit}
        objective = self.campaign.objective
        found |= {bound.quantity: bound.unit for bound in objective.constraints if bound.unit}
        return found | {target.quantity: target.unit for target in objective.targets if target.unit}

    @cached_property
    def best(self) -> int | None:
        """The number of the best experiment; None without one, and for a front of several."""
        if self.campaign is None or self.is_front:
            return None
        index = best(self.campaign, [o for _, o in self.done])
        return None if index is None else self.done[index][0]

    @property
    def is_front(self) -> bool:
        """Whether several targets were to be traded against each other."""
        objective = self.objective
        return objective is not None and is_front(objective)

    @cached_property
    def front(self) -> list[int]:
        """The numbers of the experiments that no other beats in every target."""
        if self.campaign is None:
            return []
        return [self.done[i][0] for i in front(self.campaign, [o for _, o in self.done])]

    def merit(self, number: int, observation: Observation) -> float | None:
        """Return the utility, or for a front 1 on it and 0 behind it; None if it cannot be said."""
        if self.is_front and not observation.failed:
            return float(number in self._on_front)
        return self.utility(observation)

    @cached_property
    def _on_front(self) -> frozenset[int]:
        return frozenset(self.front)

    def in_words(self, text: str) -> str:
        """Return text with the keys of quantities as a person says them."""
        for key in sorted(self.quantities, key=len, reverse=True):
            text = text.replace(key, quantity_name(key))
        return text

    def utility(self, observation: Observation) -> float | None:
        """Return how good an experiment was, higher is better; None if it cannot be said."""
        if self.objective is None or not self.objective.is_complete(observation.outcomes):
            return None
        return self.objective.utility(observation.outcomes)

    @cached_property
    def hours(self) -> float:
        """Laboratory time used [h], summed over instruments."""
        return hours_used(self.actions)

    @property
    def money(self) -> float:
        """What the experiments cost, in the laboratory's currency."""
        return math.fsum(o.cost for _, o in self.ended)

    @property
    def currency(self) -> str:
        """What money is counted in."""
        return str(self.laboratory.get("currency", "EUR"))

    @cached_property
    def origin(self) -> str:
        """Where the data come from: simulated, mixed, recorded, real, or none yet."""
        measurements = [m for e in self.experiments for m in e.measurements]
        touched = [m.simulated and not m.source for m in measurements]
        touched += [e.sample.simulated for e in self.experiments if e.sample and not measurements]
        if not touched:
            return "simulated" if self.record.dry_run else "none"
        if all(touched):
            return "simulated"
        if any(touched):
            return "mixed"
        return "recorded" if self.record.dry_run else "real"


def read_story(store: Store, campaign_id: str) -> Story:
    """Return everything the store knows of a campaign, arrays aside.

    Raises
    ------
    UnknownCampaign
        The store has no such campaign.
    """
    record = store.campaign(campaign_id)
    campaign, problem = _campaign(record)
    return Story(
        record=record,
        campaign=campaign,
        problem=problem,
        laboratory=_toml(record.laboratory_toml),
        candidates=_candidates(record),
        experiments=store.experiments(record.id),
        actions=store.actions(record.id),
        events=store.events(record.id),
    )


def _campaign(record: CampaignRecord) -> tuple[Campaign | None, str]:
    """Return the campaign as it was understood; its table of candidates may be gone by now."""
    known = {key: value for key, value in record.config.items() if key in Campaign.model_fields}
    try:
        return Campaign.model_validate(known), ""
    except ValidationError:
        pass
    try:
        source = parse_toml(record.campaign_toml, Path(record.campaign_source))
        return parse_campaign(source)[0], ""
    except BadFile as error:
        return None, "; ".join(fault.message for fault in error.faults)


def _candidates(record: CampaignRecord) -> CandidateList | None:
    space = _toml(record.campaign_toml).get("space")
    if not isinstance(space, dict) or "candidates" not in space:
        return None
    try:
        source = parse_toml(record.campaign_toml, Path(record.campaign_source))
        return parse_campaign(source)[0].space.candidates
    except BadFile:
        return None


def _toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
