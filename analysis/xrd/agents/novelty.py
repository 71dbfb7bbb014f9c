"""xrd.novelty: is this pattern inside the world that the networks of `xrd.phases` were trained in?

Out-of-distribution detection by distance in a network's last hidden layer (Lee et al. 2018,
arXiv:1807.03888) and by energy (Wang et al. 2021, arXiv:2111.14785), beside what a quick physical
screen leaves unexplained; conformal p-values say how sure.

Importing this file imports torch.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis import weights
from analysis.errors import BadPattern
from analysis.insight import Curve, Estimate, Insight
from analysis.weights import Card
from analysis.xrd.candidates import considered, recipe_of
from analysis.xrd.preprocess import prepare
from analysis.xrd.strangeness import Signs, Watcher
from analysis.xrd.training import novelty
from analysis.xrd.training.novelty import AGENT
from analysis.xrd.training.novelty_trainer import (
    NoveltySettings,
    command,
    key_of,
    quick_screen,
    watched,
)
from analysis.xrd.training.phases import TWO_THETA
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]

MUCH = 0.05
"""Unexplained share of the Bragg area that is worth a remark."""

FAR = 1.3
"""Distance from the training world, 1 in the mean of it, that is worth a remark."""


class Novelty:
    """Says how far a pattern is from everything that was simulated, without any refinement.

    `novelty` is α / (p + α): p is the share of simulated samples in the world that look at least
    as strange, α the setting `false_alarms`; so it passes one half for at most α of the patterns
    that are like the simulated ones, and 0.99 is out of reach of few samples. The p-value stands in
    `quality`. A campaign's own patterns are like the simulated ones only as far as its instrument
    is; ``sdlab adapt`` brings the simulations closer.

    The one estimate is the share of the Bragg area that no candidate explains, its std that of
    counting alone. Candidates that are `excluded` are strange to the screen and to the energy, not
    to the distance.

    Raises
    ------
    BadPhase, BadSettings
        A candidate cannot be read, an excluded one is none, or there is no such recipe.
    WeightsNotTrained
        `xrd.phases` or `xrd.novelty` has not been trained; the message names the command.
    """

    name = AGENT
    technique = "xrd"

    def __init__(self, settings: NoveltySettings, folder: Path) -> None:
        self.settings = settings
        crystals, networks, networks_key = watched(settings, folder)
        self._folder = weights.find(
            AGENT, key_of(settings, networks_key), command=command(AGENT, settings)
        )
        self.calibration, clouds = novelty.read(self._folder)
        left = considered(settings, crystals)
        self.crystals = tuple(crystals[i] for i in left)
        asked = networks.only(left)
        self.watcher = Watcher(asked, clouds, quick_screen(settings, self.crystals, asked))
        self._radiation = settings.radiation.radiation()
        ranges = recipe_of(settings).ranges
        self._needed = ranges.start[1], ranges.end[0]

    @property
    def card(self) -> Card:
        """How it was calibrated and how good it is."""
        return weights.read_card(self._folder)

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return {"xrd.unexplained_area": ""}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return how novel a sample's pattern is; `rng` is not used.

        Of several measurements the strangest counts.

        Raises
        ------
        BadPattern
            A measurement is no powder pattern of this radiation, or misses much of the range.
        """
        del rng
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one powder pattern")
        read = [(m, self.signs(m)) for m in measurements]
        told = [(self.p_value(signs), k) for k, (_, signs) in enumerate(read)]
        p, at = min(told)
        chosen, signs = read[at]
        alpha = self.settings.false_alarms
        logger.info("read measurement=%s agent=%s p=%.3f", chosen.id, self.name, p)
        return Insight(
            id=f"{chosen.id}/{self.name}",
            agent=self.name,
            measurement_ids=tuple(m.id for m in measurements),
            estimates={
                "xrd.unexplained_area": Estimate(float(signs.rest.area), signs.rest.std, "")
            },
            novelty=alpha / (p + alpha),
            quality={
                "p_value": p,
                "distance": float(np.mean(signs.distances[:-1])),
                "energy": signs.energy,
                "rwp": signs.rest.rwp,
            },
            evidence={"pattern": _curve(signs)},
            remarks=tuple(_remarks(signs, p, alpha)),
        )

    def signs(self, measurement: Measurement) -> Signs:
        """Return what screen and networks see in a measurement.

        Raises
        ------
        BadPattern
            As in `analyze`.
        """
        data = prepare(
            measurement, radiation=self._radiation, two_theta_range=self.settings.two_theta
        )
        low, high = float(data.two_theta[0]), float(data.two_theta[-1])
        if low > self._needed[0] or high < self._needed[1]:
            raise BadPattern(
                f"{measurement.id} runs from {low:g} to {high:g}°, but the simulated patterns hold "
                f"at least {self._needed[0]:g} to {self._needed[1]:g}°; measure that range"
            )
        return self.watcher.signs(
            np.interp(TWO_THETA, data.two_theta, data.counts, left=np.nan, right=np.nan)
        )

    def score(self, signs: Signs) -> float:
        """Return how strange signs are, 0 … 1: the number that p-values are made of."""
        return float(self.calibration.strange.probability(signs.features)[0])

    def p_value(self, signs: Signs) -> float:
        """Return the share of simulated samples in the world that look as strange."""
        return float(self.calibration.known.p_value(self.score(signs))[0])


def make(settings: Mapping[str, object], folder: Path) -> Novelty:
    """Return the agent that a campaign's settings describe, its weights loaded.

    Raises
    ------
    pydantic.ValidationError, BadPhase, BadSettings, WeightsNotTrained
        The settings are wrong, or something has not been trained.
    """
    return Novelty(NoveltySettings.model_validate(dict(settings)), folder)


def _curve(signs: Signs) -> Curve:
    rest = signs.rest
    columns = {
        "observed": rest.observed,
        "calculated": rest.calculated,
        "difference": rest.observed - rest.calculated,
        "unexplained": rest.excess,
    }
    return Curve(rest.two_theta, "two_theta", "deg", columns, "counts")


def _remarks(signs: Signs, p: float, alpha: float) -> list[str]:
    """Return sentences for a person where the pattern is novel: that it is, and what shows it."""
    if p > alpha:
        return []
    found = [
        f"of simulated samples of these candidates {p:.1%} look as strange: a phase that is no "
        "candidate, or an instrument or sample unlike the simulated ones"
    ]
    if signs.rest.area > MUCH:
        worst = float(signs.rest.two_theta[int(np.argmax(signs.rest.excess))])
        found.append(
            f"no candidate explains {signs.rest.area:.0%} of the Bragg area, most of it near "
            f"{worst:.1f}°"
        )
    if max(signs.distances) > FAR:
        found.append(
            f"the networks see it {max(signs.distances):.1f} times as far out as a usual pattern"
        )
    return found
