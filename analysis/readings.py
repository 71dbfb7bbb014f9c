"""readings: single numbers that instruments report by themselves, as estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.errors import BadPattern
from analysis.insight import Estimate, Insight
from instruments.measurement import Measurement, Reading


class ReadingsSettings(BaseModel):
    """What a campaign file says under the agent ``readings``.

    Attributes
    ----------
    quantities : quantity → unit it must be read in, e.g. ``{"toughness": "J"}``.
    source : quantity → name of the reading, where the two differ.
    relative_std : assumed std as a share of the value, where an instrument tells none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    quantities: dict[str, str] = Field(min_length=1)
    source: dict[str, str] = Field(default_factory=dict)
    relative_std: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _known(self) -> ReadingsSettings:
        strangers = sorted(set(self.source) - set(self.quantities))
        if strangers:
            raise ValueError(
                f"source names {', '.join(strangers)}, which is not among the quantities "
                f"{', '.join(self.quantities)}"
            )
        return self


class Readings:
    """Passes on what instruments report by themselves, such as a magnetisation.

    Several readings of one quantity are averaged. The std is the instrument's, or `relative_std`
    times the value where the instrument tells none, or else the scatter of repeated readings; with
    one reading and none of these it is None. The agent cannot tell whether a reading is wrong, so
    `p_wrong` and `novelty` are None.
    """

    name = "readings"
    technique = ""

    def __init__(self, settings: ReadingsSettings) -> None:
        self.settings = settings

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return dict(self.settings.quantities)

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return the readings as estimates; `rng` is not used.

        Raises
        ------
        BadPattern
            A quantity was read by no measurement, or in another unit.
        """
        del rng
        if not measurements:
            raise BadPattern("readings was given no measurement; it needs one with readings")
        estimates = {
            quantity: self._estimate(quantity, unit, measurements)
            for quantity, unit in self.settings.quantities.items()
        }
        return Insight(
            id=f"{measurements[-1].id}/{self.name}",
            agent=self.name,
            measurement_ids=tuple(m.id for m in measurements),
            estimates=estimates,
        )

    def _estimate(self, quantity: str, unit: str, measurements: Sequence[Measurement]) -> Estimate:
        name = self.settings.source.get(quantity, quantity)
        found = [m.readings[name] for m in measurements if name in m.readings]
        if not found:
            known = sorted({reading for m in measurements for reading in m.readings})
            raise BadPattern(
                f"{measurements[-1].id} has no reading {name!r}; it has "
                f"{', '.join(known) or 'none'}. Name the right one under the agent's `source`"
            )
        others = sorted({reading.unit for reading in found} - {unit})
        if others:
            raise BadPattern(
                f"the reading {name!r} is in {others[0]!r}, but {quantity} was to be in {unit!r}; "
                "correct the unit under the agent's `quantities`"
            )
        mean = float(np.mean([reading.value for reading in found]))
        return Estimate(mean, self._std(found), unit)

    def _std(self, found: Sequence[Reading]) -> float | None:
        relative = self.settings.relative_std
        known = [
            r.std if r.std is not None else None if relative is None else relative * abs(r.value)
            for r in found
        ]
        stated = [std for std in known if std is not None]
        if len(stated) == len(found):
            return float(np.sqrt(np.sum(np.square(stated))) / len(found))
        if len(found) > 1:
            return float(np.std([r.value for r in found], ddof=1) / np.sqrt(len(found)))
        return None


def make(settings: Mapping[str, object], folder: Path) -> Readings:
    """Return the agent that a campaign's settings describe.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong.
    """
    del folder
    return Readings(ReadingsSettings.model_validate(dict(settings)))
