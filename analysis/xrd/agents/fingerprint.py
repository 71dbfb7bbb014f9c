"""xrd.fingerprint: coordinates in which patterns are alike, where no phases are known.

Square roots of intensities on a coarse grid of q, brought to unit length: counting noise is then
the same in every channel, and strong peaks do not drown weak ones. What many patterns have in
common, and how few coordinates tell them apart, is the business of whoever sees many patterns.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.ndimage import median_filter

from analysis.errors import BadPattern
from analysis.insight import Curve, Estimate, Insight
from analysis.physics.units import q_from_two_theta
from analysis.xrd.preprocess import FitRange, prepare
from analysis.xrd.settings import RadiationSettings
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]

SPIKE_WIDTH = 3
"""Points of the median that a spike, which is one point wide, does not move."""

SPIKE_SIGMAS = 8.0
"""Standard deviations above both neighbours from which a point is a spike and no peak."""

FLAT_TOP = 4
"""Points in a row that share the highest count exactly: the detector's ceiling, not a peak."""

REMARKABLE = 0.2
"""Unknown share of a pattern that is worth a remark."""


class FingerprintSettings(BaseModel):
    """What a campaign file says under the agent ``xrd.fingerprint``.

    Attributes
    ----------
    q : lowest and highest momentum transfer [Å⁻¹]; every pattern of a campaign must cover it.
    n_channels : channels between them.
    radiation : what the instrument shines.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    q: tuple[float, float] = (1.5, 5.0)
    n_channels: int = Field(default=48, ge=8, le=99)
    radiation: RadiationSettings = RadiationSettings()

    @model_validator(mode="after")
    def _rises(self) -> FingerprintSettings:
        if not 0 < self.q[0] < self.q[1]:
            raise ValueError(f"q runs from {self.q[0]:g} to {self.q[1]:g}; it must rise above 0")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Print:
    """A pattern's fingerprint.

    Attributes
    ----------
    q : (n_channels,) centres [Å⁻¹].
    values, stds : (n_channels,) of unit length, and their errors by counting.
    noise, saturated, spiked : shares of the pattern that are not known to be the sample's.
    """

    q: FloatArray
    values: FloatArray
    stds: FloatArray
    noise: float
    saturated: float
    spiked: float

    @property
    def unknown(self) -> float:
        """Share of the pattern that is not known to be the sample's, 0 … 1."""
        return 1 - (1 - self.noise) * (1 - self.saturated) * (1 - self.spiked)


class Fingerprint:
    """Reads a pattern as a point on a sphere of few dimensions.

    The std of a coordinate is that of counting alone: a smooth course over the samples, texture and
    film thickness are not its business. `p_wrong` is the share of the pattern that is not known to
    be the sample's: noise beside what varies over the pattern, channels at the detector's ceiling,
    spikes (which are taken out). It is no calibrated frequency, and a clean pattern of the wrong
    sample is clean: who sees the others must notice.

    Parameters
    ----------
    settings : the range, its channels and the radiation.
    """

    name = "xrd.fingerprint"
    technique = "xrd"

    def __init__(self, settings: FingerprintSettings) -> None:
        self.settings = settings
        self._radiation = settings.radiation.radiation()

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return {_key(k): "" for k in range(self.settings.n_channels)}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return the fingerprint of a sample's pattern; `rng` is not used.

        Of several measurements the one with the smallest unknown share counts.

        Raises
        ------
        BadPattern
            A measurement is no powder pattern of this radiation, or misses a part of the range.
        """
        del rng
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one powder pattern")
        read = [(m, self.print_of(m)) for m in measurements]
        chosen, found = min(read, key=lambda pair: pair[1].unknown)
        logger.info(
            "read measurement=%s agent=%s p_wrong=%.3f", chosen.id, self.name, found.unknown
        )
        return Insight(
            id=f"{chosen.id}/{self.name}",
            agent=self.name,
            measurement_ids=tuple(m.id for m in measurements),
            estimates={
                _key(k): Estimate(float(v), float(s), "")
                for k, (v, s) in enumerate(zip(found.values, found.stds, strict=True))
            },
            p_wrong=found.unknown,
            quality={"noise": found.noise, "saturated": found.saturated, "spiked": found.spiked},
            evidence={"fingerprint": Curve(found.q, "q", "1/Angstrom", {"observed": found.values})},
            remarks=tuple(_remarks(found)),
        )

    def print_of(self, measurement: Measurement) -> Print:
        """Return the fingerprint of one measurement.

        Raises
        ------
        BadPattern
            As in `analyze`.
        """
        data = prepare(measurement, radiation=self._radiation)
        q = np.asarray(
            q_from_two_theta(two_theta=data.two_theta, wavelength=self._radiation.wavelength)
        )
        low, high = self.settings.q
        width = (high - low) / self.settings.n_channels
        if q[0] > low + width or q[-1] < high - width:
            raise BadPattern(
                f"{measurement.id} runs from q = {q[0]:.3g} to {q[-1]:.3g} Å⁻¹, but fingerprints "
                f"are told from {low:g} to {high:g} Å⁻¹; measure that range, or set the agent's q"
            )
        counts, spikes = without_spikes(data)
        inside = (q >= low) & (q <= high)
        total = float(counts[inside].sum())
        centres = low + width * (np.arange(self.settings.n_channels, dtype=np.float64) + 0.5)
        mean, variance = coarse(q, counts, data.sigma, centres=centres, width=width)
        values, stds = unit_roots(mean, variance)
        top = at_ceiling(counts, warned="saturated" in measurement.flags)
        return Print(
            centres,
            values,
            stds,
            noise=noise_share(values, stds),
            saturated=float(counts[inside & top].sum() / max(total, 1e-300)),
            spiked=float(spikes[inside].sum() / max(total + spikes[inside].sum(), 1e-300)),
        )


def without_spikes(data: FitRange) -> tuple[FloatArray, FloatArray]:
    """Return counts with single-point spikes taken out, and what was taken, (n_points,) each."""
    smooth = median_filter(data.counts, SPIKE_WIDTH, mode="nearest")
    above = data.counts - smooth
    # The smoothed sigma of the data holds the spike itself; the median's counting error does not.
    error = np.minimum(data.sigma, np.sqrt(np.maximum(smooth, 1.0)))
    spikes = np.where(above > SPIKE_SIGMAS * error + smooth, above, 0.0)
    return data.counts - spikes, spikes


def coarse(
    q: FloatArray, counts: FloatArray, sigma: FloatArray, *, centres: FloatArray, width: float
) -> tuple[FloatArray, FloatArray]:
    """Return mean intensities about channel centres, and their variances, (n_channels,) each.

    Points weigh by a triangle that reaches to the next two centres, so that a peak moves smoothly
    from channel to channel.
    """
    near = np.maximum(1 - np.abs(q[None, :] - centres[:, None]) / width, 0.0)
    near = np.where(near.sum(axis=1, keepdims=True) > 0, near, _nearest(q, centres))
    near = near / near.sum(axis=1, keepdims=True)
    return near @ counts, near**2 @ sigma**2


def unit_roots(mean: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return square roots brought to unit length, and their stds, (n_channels,) each.

    The root of a count of variance v has variance v / 4 of the count's own inverse: 1/4 for Poisson
    counts (Bartlett 1936, doi:10.2307/2983678). Empty channels keep the error of one count.
    """
    roots = np.sqrt(np.maximum(mean, 0.0))
    stds = 0.5 * np.sqrt(variance / np.maximum(mean, np.sqrt(np.maximum(variance, 1e-300))))
    length = max(float(np.linalg.norm(roots)), 1e-300)
    return roots / length, stds / length


def noise_share(values: FloatArray, stds: FloatArray) -> float:
    """Return the share of what varies over the pattern that noise would explain, 0 … 1."""
    varying = float(((values - values.mean()) ** 2).sum())
    return float(min((stds**2).sum() / max(varying, 1e-300), 1.0))


def at_ceiling(counts: FloatArray, *, warned: bool) -> NDArray[np.bool_]:
    """Return which points stand at the detector's ceiling, (n_points,).

    The highest count several times in a row; where the instrument `warned`, once is enough.
    """
    top = counts >= counts.max()
    runs = np.split(np.arange(len(top)), np.flatnonzero(np.diff(top.astype(int))) + 1)
    least = 1 if warned else FLAT_TOP
    found = np.zeros(len(top), dtype=np.bool_)
    for run in runs:
        if top[run[0]] and len(run) >= least:
            found[run] = True
    return found


def make(settings: Mapping[str, object], folder: Path) -> Fingerprint:
    """Return the agent that a campaign's settings describe; it needs no weights.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong.
    """
    del folder
    return Fingerprint(FingerprintSettings.model_validate(dict(settings)))


def _nearest(q: FloatArray, centres: FloatArray) -> FloatArray:
    found = np.zeros((len(centres), len(q)))
    found[np.arange(len(centres)), np.abs(q[None, :] - centres[:, None]).argmin(axis=1)] = 1.0
    return found


def _key(k: int) -> str:
    return f"xrd.fingerprint.{k:02d}"


def _remarks(found: Print) -> list[str]:
    """Return a sentence for a person about each trouble."""
    told = {
        "noise explains {:.0%} of what varies over the pattern; count longer": found.noise,
        "{:.0%} of the intensity stands at the detector's ceiling; count shorter": found.saturated,
        "{:.0%} of the intensity came in spikes, which were taken out": found.spiked,
    }
    return [text.format(share) for text, share in told.items() if share > REMARKABLE]
