"""Proposal and Observation: what goes to the laboratory, and what comes back to the planner."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from planners.actions.records import MeasureAgain, Offer
from planners.parameters import Value
from planners.structure import Structure


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Prediction(_Record):
    """A predicted quantity: mean and standard deviation of the latent (noise-free) value.

    Attributes
    ----------
    noise : standard deviation that a measurement adds, as learnt; 0 if every value states its own.
    widened : factor by which `std` and `noise` were widened, since past words were too sure.
    """

    mean: float
    std: float = Field(ge=0)
    noise: float = Field(default=0.0, ge=0)
    widened: float = Field(default=1.0, gt=0)


class Alternative(_Record):
    """A point the planner weighed and did not take."""

    values: dict[str, Value]
    acquisition_value: float | None = None
    predicted: dict[str, Prediction] = Field(default_factory=dict)


class Outlook(_Record):
    """What a model expects of going on, and how good its word has been.

    Attributes
    ----------
    probability_of_improvement : that the proposed experiment is truly better than the best so far.
    expected_improvement : of the proposed experiment over the best so far, in units of the
        objective's utility (for a front: of the scaled hypervolume).
    expected_regret : how much better the best point of the space may still be than the best one
        found, in units of utility; None where it was not estimated.
    coverage : share of past outcomes that fell into the 90 % interval told before they were known.
    covered_of : number of past outcomes that `coverage` rests on.
    widened : factor by which predicted standard deviations were widened (or narrowed, below 1),
        since past ones were too small.
    """

    probability_of_improvement: float | None = Field(default=None, ge=0, le=1)
    expected_improvement: float | None = None
    expected_regret: float | None = None
    coverage: float | None = Field(default=None, ge=0, le=1)
    covered_of: int = Field(default=0, ge=0)
    widened: float = Field(default=1.0, gt=0)


class Grounds(_Record):
    """What a choice rests on, in sentences for a chemist.

    Attributes
    ----------
    reduces : what is uncertain about structure or property that the choice would make surer, the
        most uncertain first, each with its uncertainty now.
    evidence : what was used: readings and samples, and how far each was believed.
    would_change : what would have changed the choice: runners-up with their distance, readings
        that, if wrong, would have led elsewhere, prices at which another action were better.
    """

    reduces: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()


class Reason(_Record):
    """Why a point was proposed.

    Attributes
    ----------
    planner : name of the planner that chose.
    text : one sentence for a person.
    acquisition : name of the acquisition function, None for planners without one.
    acquisition_value : its value at the point; the logarithm where the function is one.
    predicted : quantity → prediction at the point, empty before a model exists.
    alternatives : the runners-up, best first.
    model : what the surrogate learnt (length scales, noise), by name.
    outlook : what the model expects of going on; None from planners without a model.
    instead_of : the planner that was to choose and crashed, as `text` tells; usually empty.
    repeats : number of the experiment whose lost sample this one makes anew; usually None.
    grounds : what the choice rests on; empty from planners that do not say.
    """

    planner: str
    text: str
    acquisition: str | None = None
    acquisition_value: float | None = None
    predicted: dict[str, Prediction] = Field(default_factory=dict)
    alternatives: tuple[Alternative, ...] = ()
    model: dict[str, float] = Field(default_factory=dict)
    outlook: Outlook | None = None
    instead_of: str = ""
    repeats: int | None = None
    grounds: Grounds = Grounds()


class Proposal(_Record):
    """What to try next, with the reason for it.

    Attributes
    ----------
    values : the point to be made; of a sample that is measured again, its own.
    measure_again : the measurement of an earlier sample that is taken instead of making a new one.
    offer : what else could have been measured; None where only new experiments could be made. It
        is added by whoever asked the planner, so that the choice can be made again.
    """

    values: dict[str, Value]
    reason: Reason
    measure_again: MeasureAgain | None = None
    offer: Offer | None = None


class Observation(_Record):
    """What one experiment told, as a planner needs it.

    Attributes
    ----------
    values : the point that was really made (the recipe as executed).
    outcomes : quantity → value; a quantity that is not known is absent.
    stds : quantity → standard deviation of its value; absent where unknown, never 0 for unknown.
    p_wrong : probability that the analysis behind the outcomes is wrong altogether.
    failed : the experiment gave no outcome; `failure` says why.
    cause : the step that failed, in one word; empty if it is not known or none did.
    repeat : the sample was lost, and a fresh one of the same recipe is to be made.
    cost : what it cost, in the campaign's currency.
    context : context variable → what it was during the experiment; one not reported is absent.
    predicted : what the planner had foretold of it; empty if no model chose it. A planner judges
        its own word by it.
    structure : what was read of the sample's structure; empty if no agent reads any.
    supersedes : number of the experiment whose observation this one replaces, since its sample was
        measured again and read anew; usually None.
    """

    values: dict[str, Value]
    outcomes: dict[str, float] = Field(default_factory=dict)
    stds: dict[str, float] = Field(default_factory=dict)
    p_wrong: float = Field(default=0.0, ge=0, le=1)
    failed: bool = False
    failure: str = ""
    cause: str = ""
    repeat: bool = False
    cost: float = Field(default=0.0, ge=0)
    context: dict[str, Value] = Field(default_factory=dict)
    predicted: dict[str, Prediction] = Field(default_factory=dict)
    structure: Structure = Structure()
    supersedes: int | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Observation:
        if self.failed == bool(self.outcomes):
            raise ValueError(
                "an observation either failed or has outcomes; found "
                f"failed = {self.failed} with outcomes {sorted(self.outcomes)}"
            )
        if self.failed and not self.failure:
            raise ValueError("a failed observation says why in `failure`")
        strangers = set(self.stds) - set(self.outcomes)
        if strangers:
            raise ValueError(f"stds without outcomes: {sorted(strangers)}")
        if any(s < 0 for s in self.stds.values()):
            raise ValueError(f"a standard deviation is negative: {self.stds}")
        return self
