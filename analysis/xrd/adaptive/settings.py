"""Settings of `xrd.adaptive`: candidates, what a scan costs, and when enough is known."""

from __future__ import annotations

from pydantic import Field, model_validator

from analysis.xrd.adaptive.timing import Timing
from analysis.xrd.settings import QuantifySettings


class AdaptiveSettings(QuantifySettings):
    """What a campaign file says under the agent ``xrd.adaptive``.

    Attributes
    ----------
    phases : the candidates: names of the structure library, CIFs, or a folder of CIFs.
    timing : what a scan costs.
    budget : machine time for all scans of a sample together [s].
    reach : lowest and highest angle that may be asked for [deg]; what was measured if None.
    longest : largest counting time of a point that may be asked for [s].
    sure : probability of the likeliest set from which no further scan is asked for.
    least_gain : expected information [nats] below which a scan is not worth asking for. Both were
        fixed on 24 simulated mixtures, see ``benchmarks/adaptive_measurement.py --thresholds``.
    least_step : channels are joined into cells of at most this width [deg].
    """

    timing: Timing = Timing()
    budget: float = Field(default=3600.0, gt=0)
    reach: tuple[float, float] | None = None
    longest: float = Field(default=60.0, gt=0)
    sure: float = Field(default=0.99, gt=0, le=1)
    least_gain: float = Field(default=0.01, ge=0)
    least_step: float = Field(default=0.045, gt=0, le=0.2)

    @model_validator(mode="after")
    def _reaches(self) -> AdaptiveSettings:
        if self.reach is not None and not 0 < self.reach[0] < self.reach[1] < 180:
            raise ValueError(
                f"reach runs from {self.reach[0]:g} to {self.reach[1]:g}°; it must rise between "
                "0 and 180"
            )
        return self
