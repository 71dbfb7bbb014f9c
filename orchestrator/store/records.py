"""Records of the history: what was run, what came of it, and what the laboratory was told to do.

Plain dataclasses; no table class leaves the store. Times are wall-clock time in UTC unless the
docstring says laboratory time, which is virtual on a twin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self, get_args

from analysis.insight import Estimate, Insight, MeasurementRequest
from instruments.commands import Settled
from instruments.measurement import Measurement, Reading
from instruments.sample import Sample
from planners.proposal import Observation, Proposal

CampaignStatus = Literal[
    "created",
    "running",
    "paused",
    "waiting",
    "interrupted",
    "finished",
    "stopped",
    "cancelled",
    "failed",
]
"""``paused``: a person asked for it; ``waiting``: for a person's answer; ``interrupted``: the
process ended and the campaign can be resumed; ``stopped``: by an emergency stop; ``cancelled``: a
person ended it for good; ``failed``: ended by an error."""

STATUSES: tuple[str, ...] = get_args(CampaignStatus)

LARGEST_SEED = 2**63 - 1
"""Largest seed every supported database can hold."""

_CAMPAIGN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """A campaign as it was started, and how it stands.

    Attributes
    ----------
    id : letters, digits, ``.``, ``_`` and ``-``; usable as a file name.
    status, message : how it stands, and one sentence why.
    created, updated : when it was recorded; when its status changed or an experiment ended.
    campaign_toml, laboratory_toml : the two files word for word.
    campaign_source, laboratory_source : paths they were read from.
    seed : the seed of everything random, 0 … 2⁶³ - 1.
    dry_run : True if nothing physical can move; such a history is not synced to disk.
    versions : software → version, from `software_versions`.
    config : the campaign as understood, defaults filled in; JSON values only.

    Raises
    ------
    ValueError
        The id, seed or status is impossible, or a time has no time zone.
    """

    id: str
    name: str
    status: str
    message: str
    created: datetime
    updated: datetime
    campaign_toml: str
    campaign_source: str
    laboratory_toml: str
    laboratory_source: str
    seed: int
    dry_run: bool
    versions: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _CAMPAIGN_ID.fullmatch(self.id):
            raise ValueError(
                f"a campaign cannot be called {self.id!r}; use letters, digits, '.', '_' and '-', "
                "beginning with a letter or a digit"
            )
        check_status(self.status)
        if not 0 <= self.seed <= LARGEST_SEED:
            raise ValueError(f"the seed is {self.seed}; use a number from 0 to {LARGEST_SEED}")
        for name in ("created", "updated"):
            if getattr(self, name).tzinfo is None:
                raise ValueError(f"`{name}` of campaign {self.id} has no time zone; add one")


def check_status(status: str) -> None:
    """Raise ValueError with a sentence if `status` is none a campaign can have."""
    if status not in STATUSES:
        raise ValueError(f"a campaign cannot be {status!r}; it is one of {', '.join(STATUSES)}")


@dataclass(frozen=True, slots=True)
class MeasurementSummary:
    """A measurement without its arrays; `Store.measurement` loads them.

    Attributes
    ----------
    n_points : points of the curve, 0 if there are only readings.
    x_name, x_unit, y_name, y_unit, settings, readings, flags : as in `Measurement`.
    started, finished : laboratory time.
    """

    id: str
    sample_id: str
    technique: str
    n_points: int
    x_name: str
    x_unit: str
    y_name: str
    y_unit: str
    instrument: str
    simulated: bool
    started: datetime
    finished: datetime
    settings: Mapping[str, float | str]
    readings: Mapping[str, Reading]
    flags: tuple[str, ...]
    source: Mapping[str, str]

    @classmethod
    def of(cls, measurement: Measurement) -> Self:
        """Return what is said of a measurement without its arrays."""
        return cls(*(getattr(measurement, name) for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class InsightSummary:
    """An insight without its evidence and covariance; `Store.insight` loads them.

    Attributes
    ----------
    evidence : names of the curves that can be loaded.
    covariance_keys : the estimates whose covariance can be loaded.
    """

    id: str
    agent: str
    measurement_ids: tuple[str, ...]
    estimates: Mapping[str, Estimate]
    covariance_keys: tuple[str, ...]
    class_probabilities: Mapping[str, Mapping[str, float]]
    p_wrong: float | None
    novelty: float | None
    quality: Mapping[str, float]
    evidence: tuple[str, ...]
    next_measurement: MeasurementRequest | None
    abstained: bool
    remarks: tuple[str, ...]
    infeasible: str = ""
    asks_person: str = ""

    @classmethod
    def of(cls, insight: Insight) -> Self:
        """Return what is said of an insight without its arrays."""
        known = {name: getattr(insight, name) for name in cls.__slots__}
        return cls(**{**known, "evidence": tuple(insight.evidence)})

    def without_arrays(self) -> Insight:
        """Return the insight without its evidence and covariance, which are not read."""
        known = {name: getattr(self, name) for name in self.__slots__}
        return Insight(**{**known, "evidence": {}, "covariance_keys": ()})


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment as far as it has come.

    Attributes
    ----------
    sample, observation : None until they exist; without an observation it is under way.
    measurements, insights : in the order they were recorded.
    seed : the words that seeded the proposal.
    told, pending : what the planner knew: the first `told` observations in the order of recording,
        and the experiments under way; `told` is None in histories that did not record it.
    started, finished : when the proposal and the observation were recorded.
    """

    number: int
    proposal: Proposal
    seed: tuple[int, ...]
    sample: Sample | None
    measurements: tuple[MeasurementSummary, ...]
    insights: tuple[InsightSummary, ...]
    observation: Observation | None
    started: datetime
    finished: datetime | None
    told: int | None = None
    pending: tuple[int, ...] = ()


NOT_CARRIED_OUT = "not_carried_out"
"""Fault of an attempt that never reached the device; it does not count as an attempt."""


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """One attempt at one physical action, written down before it happens.

    Attributes
    ----------
    command_id : unique in the laboratory.
    number : experiment it belongs to.
    step : what it is for, such as ``synthesize``.
    attempt : 0 for the first try, then one more for each repetition.
    arguments, arguments_hash : the command as JSON, and its sha256.
    intended, sent : laboratory time; `sent` is None if nothing went over the wire yet.
    settled : how it ended; None while nobody has heard.
    started, finished : laboratory time reported by the instrument.
    error, fault : one sentence and the name of the fault; empty if it succeeded.
    consumed : consumable → amount used.
    token : of the process that sent it, see `Hold`; None if nothing guards the campaign.
    expected : how long it should take [s], by the driver's own estimate.
    memory : what the instrument remembered its commands in when this one was sent, see
        `instruments.protocols.Queryable`; None if it remembers none.
    """

    command_id: str
    campaign_id: str
    number: int
    step: str
    attempt: int
    instrument: str
    arguments: str
    arguments_hash: str
    intended: datetime
    sent: datetime | None = None
    settled: Settled | None = None
    started: datetime | None = None
    finished: datetime | None = None
    error: str = ""
    fault: str = ""
    consumed: Mapping[str, float] = field(default_factory=dict)
    token: int | None = None
    expected: float | None = None
    memory: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a campaign's log.

    Attributes
    ----------
    number : experiment it concerns, None for the campaign as a whole.
    """

    kind: str
    message: str
    number: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How many experiments a campaign has begun, ended, and lost."""

    begun: int
    ended: int
    failed: int
