"""From patterns as they are measured here to the artefacts that networks should learn from.

No label is needed and no network takes part: what an instrument and its samples do to a pattern,
how wide peaks are, how high the background, how many counts, is read from the patterns themselves
and becomes the ranges of the simulations. The unsupervised step from simulated to measured that
Exp2SimGAN learns (Anker et al. 2023, doi:10.1039/D3SC05081E) is taken here on the side of the
simulator, where it can be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadPattern
from analysis.xrd.artefacts import Ranges, Span
from analysis.xrd.network_input import floor_of
from analysis.xrd.peaks import find_peaks, strip_second_line
from analysis.xrd.radiation import Radiation
from analysis.xrd.settings import RadiationSettings
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

MARGIN = 1.5
"""Factor by which ranges go beyond what was seen: the next sample may be a little different."""

FEWEST_PEAKS, MOST_PEAKS = 3, 12
"""Peaks that are needed, and how many of the highest are looked at."""

SHARPEST = 0.35
"""Quantile of the widths of a pattern's peaks that is taken: overlapping peaks look too wide."""

NARROWEST, WIDEST = 0.03, 1.5
"""Full widths at half maximum [deg] that are believed to be peaks'."""

SCHERRER = 0.9


@dataclass(frozen=True, slots=True)
class Look:
    """What one pattern looks like.

    Attributes
    ----------
    width : full width at half maximum of its sharper peaks [deg]; None with hardly a peak.
    at : angle 2θ of those peaks [deg].
    background : mean background over mean Bragg signal.
    rise : background at the low end over its mean, less 1; at least 0.
    counts : at the highest point.
    start, end : of the measured range [deg].
    """

    width: float | None
    at: float
    background: float
    rise: float
    counts: float
    start: float
    end: float


def look_at(measurement: Measurement, *, radiation: Radiation) -> Look:
    """Return what a pattern looks like."""
    step = float(np.median(np.diff(measurement.x)))
    grid = np.arange(measurement.x[0], measurement.x[-1] + step / 2, step)
    counts = np.interp(grid, measurement.x, measurement.y)
    peaks = find_peaks(grid, counts, radiation=radiation)
    floor = floor_of(counts[None], step=step)[0]
    line = strip_second_line(grid, counts - floor, radiation=radiation)
    strong = peaks.two_theta[np.argsort(-peaks.height)[:MOST_PEAKS]]
    widths = np.clip([_width(grid, line, top) for top in strong], NARROWEST, WIDEST)
    enough = len(peaks) >= FEWEST_PEAKS
    bragg = max(float((counts - floor).mean()), 1e-9)
    tenth = max(len(grid) // 20, 1)
    return Look(
        width=float(np.quantile(widths, SHARPEST)) if enough else None,
        at=float(np.median(strong)) if enough else 0.0,
        background=float(floor.mean()) / bragg,
        rise=max(float(floor[:tenth].mean() / max(floor.mean(), 1e-9)) - 1.0, 0.0),
        counts=float(counts.max()),
        start=float(grid[0]),
        end=float(grid[-1]),
    )


def _width(grid: FloatArray, line: FloatArray, top: float) -> float:
    """Return the full width at half maximum of the peak nearest to `top` [deg]."""
    near = int(np.argmin(np.abs(grid - top)))
    around = slice(max(near - 3, 0), near + 4)
    peak = around.start + int(np.argmax(line[around]))
    half = 0.5 * float(line[max(peak - 1, 0) : peak + 2].mean())

    def crossing(step: int) -> float:
        k = peak
        while 0 < k < len(line) - 1 and line[k] > half:
            k += step
        rise = line[k - step] - line[k]
        part = (half - line[k]) / rise if rise > 0 else 0.0
        return float(grid[k] + part * (grid[k - step] - grid[k]))

    return crossing(1) - crossing(-1)


def ranges_like(
    measurements: Sequence[Measurement], *, radiation: Radiation, base: Ranges | None = None
) -> Ranges:
    """Return ranges that hold what the patterns show, with a margin.

    Widths are given to the instrument where they are no more than an instrument's can be, and to
    small crystallites beyond. Strain, texture and displacement stay as in `base`: they cannot be
    told without knowing the phases.

    Parameters
    ----------
    base : ranges from which those that cannot be read are taken.

    Raises
    ------
    BadPattern
        There are no measurements, or all have hardly a peak.
    """
    if not measurements:
        raise BadPattern("no pattern was given; name files of patterns as they are measured here")
    base = base or Ranges()
    looks = [look_at(m, radiation=radiation) for m in measurements]
    widths = [(look.width, look.at) for look in looks if look.width is not None]
    if not widths:
        raise BadPattern(
            f"none of {len(looks)} patterns shows {FEWEST_PEAKS} peaks, which are needed to tell "
            "what the instrument does to them; give others, or count longer"
        )
    return replace(
        base,
        w=_instrument_widths([width for width, _ in widths], base),
        size=_sizes(widths, base, radiation.wavelength),
        background=_around([look.background for look in looks]),
        rise=(0.0, MARGIN * max(look.rise for look in looks) + 0.2),
        counts=_around([look.counts for look in looks]),
        start=_ends([look.start for look in looks], base.start),
        end=_ends([look.end for look in looks], base.end),
    )


def adapt(
    measurements: Sequence[Measurement], settings: Mapping[str, object], folder: Path
) -> dict[str, object]:
    """Return the setting ``ranges`` for `xrd.phases`, three digits a number.

    Raises
    ------
    BadPattern
        As in `ranges_like`.
    """
    del folder  # no path is needed
    asked = RadiationSettings.model_validate(settings.get("radiation", {}))
    base = Ranges()
    found = ranges_like(measurements, radiation=asked.radiation(), base=base)
    changed = {k: v for k, v in asdict(found).items() if v != getattr(base, k)}
    return {"ranges": {k: [float(f"{x:.3g}") for x in v] for k, v in changed.items()}}


def _instrument_widths(widths: Sequence[float], base: Ranges) -> Span:
    low, high = _around([width**2 for width in widths])
    widest = MARGIN**2 * base.w[1]
    # Half of the square of a width may come from the sample even where that is sharp.
    return min(low / 2, widest / 2), min(high, widest)


def _sizes(widths: Sequence[tuple[float, float]], base: Ranges, wavelength: float) -> Span:
    """Return crystallite sizes [Å] down to those that the widest peaks stand for (Scherrer)."""
    broadest = max(width * np.cos(np.radians(at / 2)) for width, at in widths)
    smallest = SCHERRER * wavelength / (np.radians(broadest) * MARGIN)
    return min(float(smallest), base.size[0]), base.size[1]


def _around(values: Sequence[float]) -> Span:
    low = max(min(values) / MARGIN, 1e-6)
    return low, max(max(values) * MARGIN, 2.0 * low)


def _ends(values: Sequence[float], within: Span) -> Span:
    low, high = np.clip([min(values), max(values)], *within)
    return float(low), float(high)
