"""xrd.parameters: fractions, cells and sizes of a known system, for whole maps of patterns.

After PQ-Net (Dong et al. 2021, doi:10.1038/s41524-021-00542-4): a deep ensemble reads them straight
from the pattern. Here it proposes, and two Gauss–Newton steps on the pattern dispose, both in
batches.

Importing this file imports torch.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis import weights
from analysis.errors import BadPattern
from analysis.insight import Curve, Estimate, Insight
from analysis.learning.calibration import with_prior
from analysis.weights import Card
from analysis.xrd.gathering import Gathered, check_usable, gather
from analysis.xrd.parameter_settings import ParametersSettings
from analysis.xrd.parameter_statement import Statements, state
from analysis.xrd.rapid_fit import RapidFit
from analysis.xrd.reading import Reader, Reading
from analysis.xrd.training import parameters_calibration as calibration
from analysis.xrd.training.parameters import AGENT, load
from analysis.xrd.training.parameters_trainer import key_of
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]

MOST = 1024
"""Patterns that are read at once, so that a map of any size fits into memory."""

NOVEL_AREA = 0.1
"""Unexplained area at which novelty reaches one half."""

STRANGE = 0.5
"""Novelty from which the agent declines: much of the pattern is no phase's of the system."""


class Parameters:
    """Reads weight fractions, cells and crystallite sizes of a known system.

    Estimates: ``xrd.weight_fraction.<phase>`` (of the crystalline mass of the listed phases,
    without any correction for microabsorption), ``xrd.lattice.<phase>.<a|b|c|alpha|beta|gamma>``,
    ``xrd.crystallite_size.<phase>`` (Scherrer, microstrain taken as the settings say) and, where
    the settings allow one, ``xrd.displacement``. A phase below three standard deviations has a
    weight fraction only.

    Their std is that of the least-squares fit, inflated by χ²_red and by correlated residuals, and
    multiplied by factors after which 90 % intervals held 90 % of simulated truths (see the card).
    `p_wrong` is the probability of a foreign phase or of a number off by four std, learnt on
    simulated samples unlike the training's and brought to `prior_wrong`.

    It abstains where no phase is seen, where much of the pattern belongs to none (novelty above
    one half), and where the cell of a phase lies outside the range that was trained.

    Attributes
    ----------
    world : phases, instrument and ranges.
    ensemble : the networks.
    reader : networks and fit.
    calibration : of intervals and doubt.

    Parameters
    ----------
    settings : the system, instrument and ranges.
    folder : where relative paths of CIFs start.

    Raises
    ------
    BadPhase, BadSettings
        A phase cannot be read, the range does not suit, or there is no such recipe.
    WeightsNotTrained
        The networks have not been trained; the message names the command.
    """

    name = AGENT
    technique = "xrd"

    def __init__(self, settings: ParametersSettings, folder: Path) -> None:
        self.settings = settings
        self.world = settings.world(folder)
        self._folder = weights.find(AGENT, key_of(settings, self.world), command=_command(settings))
        self.calibration = calibration.read(self._folder)
        self.ensemble = load(self._folder, self.world)
        self.reader = Reader(
            self.ensemble, RapidFit(self.world, background_order=settings.background_order)
        )
        self._units = self.quantities
        self._keys = list(self._units)

    @property
    def card(self) -> Card:
        """How the networks were trained and how good they are."""
        return weights.read_card(self._folder)

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        names = [crystal.name for crystal in self.world.crystals]
        found = {f"xrd.weight_fraction.{name}": "" for name in names}
        for number in self.world.numbers:
            if number.phase is None:
                found["xrd.displacement"] = "deg"
            elif number.name == "size":
                found[f"xrd.crystallite_size.{names[number.phase]}"] = "Å"
            else:
                unit = "Å" if number.name in "abc" else "deg"
                found[f"xrd.lattice.{names[number.phase]}.{number.name}"] = unit
        return found

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return what the last measurement tells; `rng` is not used.

        The others change no more of it than rounding does.

        Raises
        ------
        BadPattern
            None of them is a powder pattern of this radiation that covers the range.
        """
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one powder pattern")
        return self.analyze_together(measurements, rng=rng)[-1]

    def analyze_together(
        self, measurements: Sequence[Measurement], *, rng: np.random.Generator
    ) -> list[Insight]:
        """Return an insight a measurement, in their order; `rng` is not used.

        One that cannot be read is abstained from; where none can, the first one's trouble is told.

        Raises
        ------
        BadPattern
            None is a powder pattern of this radiation that covers the range.
        """
        del rng
        usable, found = self._sorted_out(measurements)
        for rows in _alike(measurements, usable).values():
            for start in range(0, len(rows), MOST):
                some = rows[start : start + MOST]
                taken = [measurements[i] for i in some]
                found |= dict(zip(some, self._insights(taken), strict=True))
        logger.info("read patterns=%d of=%d agent=%s", len(usable), len(measurements), self.name)
        return [found[i] for i in range(len(measurements))]

    def _sorted_out(
        self, measurements: Sequence[Measurement]
    ) -> tuple[list[int], dict[int, Insight]]:
        """Return places of the measurements that can be read, and insights that decline others."""
        usable: list[int] = []
        declined: dict[int, Insight] = {}
        troubles: list[BadPattern] = []
        for i, measurement in enumerate(measurements):
            try:
                check_usable(measurement, self.world)
            except BadPattern as trouble:
                troubles.append(trouble)
                declined[i] = Insight(
                    id=f"{measurement.id}/{self.name}",
                    agent=self.name,
                    measurement_ids=(measurement.id,),
                    abstained=True,
                    remarks=(str(trouble),),
                )
            else:
                usable.append(i)
        if troubles and not usable:
            raise troubles[0]
        return usable, declined

    def _insights(self, measurements: Sequence[Measurement]) -> list[Insight]:
        """Return insights of measurements on one and the same grid."""
        data = gather(measurements, self.world)
        reading = self.reader.read(data.counts, data.sigma, w=data.extra_w)
        statements = state(reading, self.world, self.calibration.factors)
        strange = reading.unexplained / (reading.unexplained + NOVEL_AREA)
        wrong = self.calibration.wrong.probability(calibration.doubts(reading))
        return [
            self._insight(m, data, reading, statements, i, float(strange[i]), float(wrong[i]))
            for i, m in enumerate(measurements)
        ]

    def _insight(
        self,
        measurement: Measurement,
        data: Gathered,
        reading: Reading,
        statements: Statements,
        i: int,
        strange: float,
        wrong: float,
    ) -> Insight:
        shared = {
            "id": f"{measurement.id}/{self.name}",
            "agent": self.name,
            "measurement_ids": (measurement.id,),
            "novelty": strange,
            "quality": {
                "chi2_reduced": float(reading.chi2_reduced[i]),
                "unexplained_area": float(reading.unexplained[i]),
                "disagreement": float(reading.disagreement[i]),
            },
            "evidence": {"pattern": self._curve(data, reading, i)},
        }
        why = self._declines(reading, statements, i, strange)
        if why:
            return Insight(**shared, abstained=True, remarks=(why,))  # type: ignore[arg-type]
        at_limit = self._sizes_at_limit(reading, i)
        told = statements.told[i].copy()
        told[[len(self.world.crystals) + k for k in at_limit]] = False
        chosen = np.flatnonzero(told)
        covariance = statements.covariance[i][np.ix_(chosen, chosen)]
        keys = tuple(self._keys[k] for k in chosen)
        std = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        return Insight(
            **shared,  # type: ignore[arg-type]
            estimates={
                key: Estimate(float(statements.values[i, k]), float(s), self._units[key])
                for key, k, s in zip(keys, chosen, std, strict=True)
            },
            covariance_keys=keys,
            covariance=covariance,
            p_wrong=with_prior(wrong, base=self.calibration.base, prior=self.settings.prior_wrong),
            remarks=tuple(self._size_remark(k) for k in at_limit),
        )

    def _declines(
        self, reading: Reading, statements: Statements, i: int, strange: float
    ) -> str | None:
        """Return why nothing can be said of pattern i, or None."""
        n = len(self.world.crystals)
        if not (reading.fractions[i].sum() > 0 and statements.told[i, n:].any()):
            return "no listed phase was found in the pattern"
        if strange > STRANGE:
            return (
                f"novelty is {strange:.2f}: much of this pattern may belong to a phase that is not "
                "listed"
            )
        for k, number in enumerate(self.world.numbers):
            if number.name != "size" and reading.limits[i, k] and statements.told[i, n + k]:
                return (
                    f"{self._keys[n + k]} lies outside the {self.settings.strain:.2%} that were "
                    "trained; widen strain, or list the cell that the sample has"
                )
        return None

    def _sizes_at_limit(self, reading: Reading, i: int) -> list[int]:
        return [
            k
            for k, number in enumerate(self.world.numbers)
            if number.name == "size" and reading.limits[i, k]
        ]

    def _size_remark(self, k: int) -> str:
        low, high = self.world.size
        key = self._keys[len(self.world.crystals) + k]
        return f"{key} lies outside {low:g} … {high:g} Å and is not told"

    def _curve(self, data: Gathered, reading: Reading, i: int) -> Curve:
        observed, calculated = data.counts[i], reading.calculated[i]
        return Curve(
            self.world.grid,
            "two_theta",
            "deg",
            {
                "observed": observed,
                "calculated": calculated,
                "background": reading.background[i],
                "difference": observed - calculated,
            },
            "counts",
        )


def make(settings: Mapping[str, object], folder: Path) -> Parameters:
    """Return the agent that a campaign's settings describe, its networks loaded.

    Raises
    ------
    pydantic.ValidationError, BadPhase, BadSettings, WeightsNotTrained
        The settings are wrong, or the networks have not been trained.
    """
    return Parameters(ParametersSettings.model_validate(dict(settings)), folder)


def _alike(measurements: Sequence[Measurement], rows: Sequence[int]) -> dict[bytes, list[int]]:
    """Return places of measurements, those with the same angles together."""
    found: dict[bytes, list[int]] = defaultdict(list)
    for i in rows:
        found[measurements[i].x.tobytes()].append(i)
    return found


def _command(settings: ParametersSettings) -> str:
    return (
        f"sdlab train {AGENT} --recipe {settings.recipe} --seed {settings.seed} --settings FILE, "
        "with the same system in FILE (a campaign file will do)"
    )
