"""Which actions a campaign allows besides new experiments, as its file writes them.

::

    [actions]
    replicate = true
    ask_person_when = { novelty = 0.9, p_wrong = 0.8 }

    [[actions.measure]]
    technique = "xrd"
    settings = { counting_time = 4.0 }
    most = 2
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from analysis.insight import Insight
from instruments.sample import Setting


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AgainPlan(_Record):
    """A measurement that may be taken of a sample that was measured before.

    Attributes
    ----------
    technique : one of the campaign's measurements.
    settings : setting → value, over those of that measurement.
    most : how often it is taken of one sample, at most.
    """

    technique: str = Field(min_length=1)
    settings: dict[str, Setting] = Field(default_factory=dict)
    most: int = Field(default=1, ge=1, le=50)


class AskPerson(_Record):
    """When a person is to look at what agents read; they may ask for one themselves, too.

    Attributes
    ----------
    novelty, p_wrong : asked from this much of an insight on; None does not ask for it.
    then : ``tell`` tells people and goes on; ``wait`` holds the experiment until somebody has
        looked, who may also discard the sample.
    """

    novelty: float | None = Field(default=None, gt=0, le=1)
    p_wrong: float | None = Field(default=None, gt=0, le=1)
    then: Literal["tell", "wait"] = "tell"

    def why(self, insight: Insight) -> str | None:
        """Return why a person should look at an insight, None if nobody need."""
        if insight.asks_person:
            return f"{insight.agent}: {insight.asks_person}"
        for name, limit in (("novelty", self.novelty), ("p_wrong", self.p_wrong)):
            value = getattr(insight, name)
            if limit is not None and value is not None and value >= limit:
                return f"{insight.agent} says {name} = {value:.2g}, and {limit:g} is where you look"
        return None


class Actions(_Record):
    """What may be done next besides a new experiment.

    A measurement of an earlier sample is a turn of its own: it counts as one experiment of the
    budget, at the cost of the measurement alone.

    Attributes
    ----------
    replicate : a sample may be made anew that was made before.
    measure : measurements that may be taken again; what agents ask for may be, too.
    most : how often one sample is measured again, at most.
    ask_person_when : when a person is to look at a sample.
    """

    replicate: bool = True
    measure: tuple[AgainPlan, ...] = ()
    most: int = Field(default=5, ge=1, le=50)
    ask_person_when: AskPerson = AskPerson()
