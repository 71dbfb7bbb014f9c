"""Campaign: what is sought, with which means, and when it is enough."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from instruments.sample import Setting
from orchestrator.acting.rules import Actions
from orchestrator.errors import BadFile
from orchestrator.people.gates import Approval, Prompt
from orchestrator.space_tables import with_tables
from orchestrator.stopping.rules import StopRule
from orchestrator.toml_source import TomlSource, read_toml
from orchestrator.trust.plan import TrustPlan
from planners.objective import Objective
from planners.space import SearchSpace


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Budget(_Record):
    """What may be spent; the first limit that is met ends the campaign.

    Attributes
    ----------
    experiments : number of experiments, failed ones included.
    hours : laboratory time.
    money : in the currency of the laboratory's prices.
    """

    experiments: int = Field(ge=1)
    hours: float | None = Field(default=None, gt=0)
    money: float | None = Field(default=None, gt=0)


class PlannerChoice(_Record):
    """Which planner chooses, with its settings."""

    use: str = "bayesian"
    settings: dict[str, object] = Field(default_factory=dict)


class StandIn(_Record):
    """An agent that is asked when another crashes; a bare name takes its default settings."""

    use: str
    settings: dict[str, object] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _bare_name_is_an_agent(cls, value: object) -> object:
        return {"use": value} if isinstance(value, str) else value


class AgentChoice(_Record):
    """Which agent reads the measurements, with its settings.

    Attributes
    ----------
    fallback : who is asked instead if it crashes, in order.
    """

    use: str
    settings: dict[str, object] = Field(default_factory=dict)
    fallback: tuple[StandIn, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every agent that may speak for this choice, itself first."""
        return (self.use, *(other.use for other in self.fallback))


def _as_names(value: object) -> object:
    """Return one name as a list of it, and no name as none."""
    if isinstance(value, str):
        return (value,) if value else ()
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_names)]
"""One name or a list of names."""


class SynthesisPlan(_Record):
    """How samples are made.

    Attributes
    ----------
    instrument : name in the laboratory file, or several of which any may make the next sample,
        the preferred one first. Without a name the laboratory's only synthesizer is taken, or,
        if several samples are kept in flight, every one that fits.
    settings : settings that stay fixed.
    """

    instrument: Names = ()
    settings: dict[str, Setting] = Field(default_factory=dict)


class MeasurementPlan(_Record):
    """One measurement made on every sample.

    Attributes
    ----------
    technique : what the curve is to be.
    instrument : as in `SynthesisPlan`, among the instruments for the technique.
    settings : setting → value; what is absent takes the instrument's default.
    """

    technique: str
    instrument: Names = ()
    settings: dict[str, Setting] = Field(default_factory=dict)


class FailurePolicy(_Record):
    """What to do when a step fails.

    A failed step is first repeated as often as said here. When it has failed for good, the policy
    of its cause decides: ``skip`` records a failed experiment and goes on, ``stop`` ends the
    campaign until somebody resumes it, ``ask`` leaves it to a person, ``resynthesize`` makes a
    fresh sample of the same recipe, as an experiment of its own.

    Attributes
    ----------
    synthesize_again, measure_again : how often a failed step is repeated; at most so many fresh
        samples are made of a recipe, too.
    synthesis, measurement : of instruments that failed, or whose data were spoilt.
    analysis : of agents that tell nothing of what is wanted; ``measure_again`` takes one further
        measurement, with the settings that an agent asks for, and they read again.
    """

    synthesize_again: int = Field(default=0, ge=0)
    measure_again: int = Field(default=1, ge=0)
    synthesis: Literal["skip", "ask", "stop"] = "skip"
    measurement: Literal["skip", "ask", "resynthesize", "stop"] = "skip"
    analysis: Literal["skip", "ask", "measure_again", "resynthesize", "stop"] = "skip"

    @model_validator(mode="after")
    def _has_fresh_samples(self) -> FailurePolicy:
        if "resynthesize" in (self.measurement, self.analysis) and not self.synthesize_again:
            raise ValueError(
                '"resynthesize" makes as many fresh samples as `synthesize_again` says, which is '
                "0; give it a number from 1"
            )
        return self


class FurtherMeasurements(_Record):
    """What agents may ask for when they would be surer of a sample after another measurement.

    Attributes
    ----------
    seconds : instrument time for further measurements of one sample; 0 takes none.
    most : how many of one sample, at most.
    """

    seconds: float = Field(default=0.0, ge=0)
    most: int = Field(default=5, ge=1, le=50)


class Campaign(_Record):
    """Everything a campaign file says.

    Attributes
    ----------
    laboratory : laboratory file to use unless another is named, relative to the campaign file.
    seed : the campaign's one seed; each experiment and role gets its own child stream.
    in_flight : experiments that are under way at once at most. With 1, each proposal is made
        knowing every result before it, and a resumed campaign repeats itself exactly.
    priority : campaigns of higher priority are served first where they share instruments; a step
        of priority is worth ten minutes of waiting.
    when_disputed : measurements that are taken only of a sample on which agents contradict each
        other, within what `further` allows.
    further : further measurements of a sample that agents may ask for.
    actions : what may be done next besides a new experiment; None allows nothing else.
    trust : whose word is believed how far.
    approval : which proposals wait for a person.
    prompts : what a person does by hand, and before which step.
    """

    name: str = Field(min_length=1, max_length=60)
    description: str = ""
    laboratory: str = ""
    seed: int = Field(default=0, ge=0)
    in_flight: int = Field(default=1, ge=1, le=100)
    priority: int = Field(default=0, ge=-100, le=100)
    space: SearchSpace
    objective: Objective
    budget: Budget
    stop: StopRule = StopRule()
    planner: PlannerChoice = PlannerChoice()
    synthesis: SynthesisPlan = SynthesisPlan()
    measurements: tuple[MeasurementPlan, ...] = Field(min_length=1)
    when_disputed: tuple[MeasurementPlan, ...] = ()
    agents: tuple[AgentChoice, ...] = Field(min_length=1)
    further: FurtherMeasurements = FurtherMeasurements()
    on_failure: FailurePolicy = FailurePolicy()
    actions: Actions | None = None
    trust: TrustPlan = TrustPlan()
    approval: Approval = Approval()
    prompts: tuple[Prompt, ...] = ()

    @property
    def plans(self) -> tuple[MeasurementPlan, ...]:
        """Every measurement that may be taken: those of every sample, then those for disputes."""
        return (*self.measurements, *self.when_disputed)

    def place_of(self, index: int) -> tuple[str, int]:
        """Return where in the campaign file a measurement of `plans` stands."""
        n = len(self.measurements)
        return ("measurements", index) if index < n else ("when_disputed", index - n)

    @model_validator(mode="after")
    def _consistent(self) -> Campaign:
        names = [name for agent in self.agents for name in agent.names]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(
                f"the agent {twice[0]!r} is listed twice; list each agent once, also as a fallback"
            )
        strangers = sorted(set(self.trust.references) - set(names))
        if strangers:
            raise ValueError(
                f"[trust] names the reference {strangers[0]!r}, but the agents are "
                f"{', '.join(names)}; name one of these, or list it under [[agents]]"
            )
        standard = self.trust.standard
        if standard is not None and (wrong := self.space.faults(standard.values)):
            raise ValueError(
                f"the standard under [trust] is no point of the space: {'; '.join(wrong)}"
            )
        both = sorted(set(self.synthesis.settings) & set(self.space.names))
        if both:
            raise ValueError(
                f"{', '.join(both)} is fixed under [synthesis.settings] and searched under "
                "[space]; remove one of the two"
            )
        if self.when_disputed and not self.further.seconds:
            raise ValueError(
                "[[when_disputed]] names measurements for disputes, and [further] allows no time "
                "for them; give `seconds` under [further], or remove them"
            )
        if self.objective.maps and self.stop.no_improvement_for is not None:
            raise ValueError(
                "the objective maps the whole space, where no experiment is better than another, "
                f"and [stop] ends after {self.stop.no_improvement_for} without improvement; remove "
                "`no_improvement_for` and let the budget end the campaign"
            )
        return self


def load_campaign(path: Path) -> tuple[Campaign, TomlSource]:
    """Return a campaign file as a record, with its source for later faults.

    Raises
    ------
    BadFile
        With every fault and its line.
    """
    return parse_campaign(read_toml(path))


def parse_campaign(source: TomlSource) -> tuple[Campaign, TomlSource]:
    """Return the record that a parsed campaign file describes. Raises BadFile."""
    data = dict(source.data)
    if isinstance(data.get("space"), dict):
        data["space"] = with_tables(cast(dict[str, object], data["space"]), source)
    try:
        return Campaign.model_validate(data), source
    except ValidationError as error:
        raise BadFile(source.path, source.faults(error)) from error
