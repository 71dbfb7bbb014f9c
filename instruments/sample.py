"""Sample: what a synthesizer made, with the recipe as it was really executed."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

Setting = float | str
"""One executed setting: a number in the capability's unit, or a category."""


class Sample(BaseModel):
    """A physical sample.

    Attributes
    ----------
    id : unique in the laboratory, ``<campaign>/<number>``.
    number : which experiment of its campaign made it.
    recipe : setting → value as executed, which may differ from what was asked.
    units : setting → unit.
    made_by : name of the instrument.
    parents : ids of the samples it was made from.
    consumed : consumable → amount used, in the unit of the consumable.
    simulated : True if no matter was moved.
    started, finished : laboratory time; virtual on a twin.
    notes : what a person or the instrument remarked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: str = Field(min_length=1)
    number: int = Field(ge=0)
    recipe: dict[str, Setting]
    units: dict[str, str] = Field(default_factory=dict)
    made_by: str
    parents: tuple[str, ...] = ()
    consumed: dict[str, float] = Field(default_factory=dict)
    simulated: bool
    started: datetime
    finished: datetime
    notes: tuple[str, ...] = ()
