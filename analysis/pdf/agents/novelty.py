"""pdf.novelty: is this I(Q), S(Q), F(Q) or G(r) unlike everything that is known?

Importing this file imports torch.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.errors import BadPattern
from analysis.insight import Curve, Estimate, Insight
from analysis.pdf.novelty_settings import NoveltySettings
from analysis.pdf.strangeness import Signs
from analysis.pdf.watching import reading_of, watches
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)


class Novelty:
    """Says how far a curve is from every known structure and every earlier curve.

    `novelty` is α / (p + α): p is the share of simulated samples of what is known that look at
    least as strange, α the setting `false_alarms`; so it passes one half for at most α of the
    samples that are like the simulated ones. Where structures and earlier curves are both given, a
    sample is as novel as the nearer of them says. The simulations are made when the agent is.

    The one estimate, ``pdf.unexplained``, is the R_w that the nearest known thing leaves once
    smooth imperfections are forgiven; it has no std.

    Of several measurements the strangest counts.

    Parameters
    ----------
    settings : what is known and how to read the curve.
    folder : where relative paths start.

    Raises
    ------
    BadPhase
        A folder holds nothing that can be known.
    """

    name = "pdf.novelty"
    technique = "pdf"

    def __init__(self, settings: NoveltySettings, folder: Path) -> None:
        self.settings = settings
        self.watches = watches(settings, folder)

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return {"pdf.unexplained": ""}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return how novel a sample's curve is; `rng` is not used.

        Raises
        ------
        BadPattern
            A measurement is none of the four curves, or too short.
        """
        del rng
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one curve")
        told = [(*self.read(m), m) for m in measurements]
        p, signs, taken = min(told, key=lambda one: (one[0], -one[1].unexplained))
        alpha = self.settings.false_alarms
        logger.info("read measurement=%s agent=%s p=%.3f", taken.id, self.name, p)
        return Insight(
            id=f"{taken.id}/{self.name}",
            agent=self.name,
            measurement_ids=tuple(m.id for m in measurements),
            estimates={"pdf.unexplained": Estimate(signs.unexplained, None, "")},
            novelty=alpha / (p + alpha),
            quality={"p_value": p, "rw": signs.rw, "unexplained": signs.unexplained},
            evidence={"pattern": _curve(signs, taken)},
            remarks=tuple(_remarks(signs, p, alpha)),
        )

    def read(self, measurement: Measurement) -> tuple[float, Signs]:
        """Return the p-value of a measurement, by what it is nearest to, and what shows it.

        Raises
        ------
        BadPattern
            As in `analyze`.
        """
        reading = reading_of(measurement, self.settings)
        told = [watch.read(reading) for watch in self.watches]
        return max(told, key=lambda one: (one[0], -one[1].unexplained))


def make(settings: Mapping[str, object], folder: Path) -> Novelty:
    """Return the agent that a campaign's settings describe, what is known read and simulated.

    Raises
    ------
    pydantic.ValidationError, BadPhase, BadPattern
        The settings are wrong, or a file of what is known cannot be used.
    """
    return Novelty(NoveltySettings.model_validate(dict(settings)), folder)


def _curve(signs: Signs, taken: Measurement) -> Curve:
    columns = {
        "observed": signs.observed,
        "calculated": signs.calculated,
        "difference": signs.observed - signs.calculated,
    }
    if signs.over_r:
        return Curve(signs.x, "r", "Å", columns, "1/Å²")
    return Curve(signs.x, taken.x_name, taken.x_unit, columns, taken.y_unit)


def _remarks(signs: Signs, p: float, alpha: float) -> list[str]:
    """Return sentences for a person where the curve is novel: that it is, and what shows it."""
    if p > alpha:
        return []
    return [
        f"of simulated samples of what is known {p:.1%} look as strange; the nearest, "
        f"{signs.nearest}, leaves R_w = {signs.rw:.2f}, of which {signs.unexplained:.2f} no grain "
        "size, strain or slow error explains"
    ]
