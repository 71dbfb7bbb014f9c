"""xrd.demix: which phases a set of patterns is made of, without any list of phases.

More non-negative factors than there can be phases; factors that are shifted copies of one another
become one (after Stanev et al. 2018, doi:10.1038/s41524-018-0099-2), in several ways, and the way
that explains most with few phases a sample is refined with a stretch for each phase and sample.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from analysis.insight import Curve, Estimate, Insight
from analysis.learning.decomposition.consensus import MOST_FACTORS, Demixed, demix
from analysis.xrd.demixing import common_curves, compositions
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

MOST_PHASES = MOST_FACTORS
"""Phases that can be found."""


class DemixSettings(BaseModel):
    """What a campaign file says under the agent ``xrd.demix``.

    Attributes
    ----------
    most_phases_in_sample : Gibbs's phase rule, 3 for a ternary system; None for any number.
    detection_limit : fraction from which a phase counts as present.
    subtract_background : take a rolling minimum away; False for patterns without background.
    largest_unexplained : share of a pattern's area beyond which the agent abstains.
    components : names of the measurements' settings that state how much of each element or compound
        is in the sample; with them a little of a phase that no sample near it holds is dropped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    most_phases_in_sample: int | None = Field(default=None, ge=1, le=MOST_PHASES)
    detection_limit: float = Field(default=0.05, gt=0, lt=0.5)
    subtract_background: bool = True
    largest_unexplained: float = Field(default=0.5, gt=0, le=1)
    components: tuple[str, ...] = ()


class Demix:
    """Many patterns as weighted, stretched patterns of few phases, the number found.

    Over-complete non-negative factorisations, shifted copies merged in several ways; the way that
    explains the patterns with few phases in each is chosen, and one pattern a phase, stretched in
    each sample, refined (see `analysis.learning.decomposition`).

    Estimates: ``xrd.demixed_fraction.<n>``, the share of phase n in the sum of the phases' highest
    peaks (a mass fraction only if all scatter alike: reference intensity ratios of 1). Phases are
    numbered by their total share in the set. The std comes from what other, nearly as good readings
    of the set say, from the fraction and from the misfit, scaled so that two stds hold 95 % on
    simulated spreads; `p_wrong` is the probability, calibrated there, of another set of phases.
    Neither knows troubles that those spreads do not have. `novelty` is the unexplained share of the
    area.

    Parameters
    ----------
    settings : limits and the phase rule.
    """

    name = "xrd.demix"
    technique = "xrd"

    def __init__(self, settings: DemixSettings) -> None:
        self.settings = settings

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return {_key(k): "" for k in range(MOST_PHASES)}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return what the last pattern is made of, all patterns taken as one set.

        Raises
        ------
        BadPattern
            The patterns cannot be demixed together.
        """
        return self.analyze_together(measurements, rng=rng)[-1]

    def analyze_together(
        self, measurements: Sequence[Measurement], *, rng: np.random.Generator
    ) -> list[Insight]:
        """Return an insight a pattern, in their order.

        Raises
        ------
        BadPattern
            The patterns cannot be demixed together.
        """
        q, curves = common_curves(
            measurements, subtract_background=self.settings.subtract_background
        )
        found = demix(
            q,
            curves,
            rng=rng,
            detection_limit=self.settings.detection_limit,
            most_phases=self.settings.most_phases_in_sample,
            composition=compositions(measurements, self.settings.components),
        )
        logger.info(
            "demixed patterns=%d agent=%s phases=%d", len(curves), self.name, found.n_phases
        )
        parts = found.contributions()
        return [
            self._insight(m, found, i, observed=curve / curve.max(), parts=parts[i])
            for i, (m, curve) in enumerate(zip(measurements, curves, strict=True))
        ]

    def _insight(
        self,
        measurement: Measurement,
        found: Demixed,
        i: int,
        *,
        observed: np.ndarray,
        parts: np.ndarray,
    ) -> Insight:
        left = float(found.unexplained[i])
        abstained = left > self.settings.largest_unexplained
        remark = f"{left:.0%} of the pattern's area belongs to no phase of the set"
        return Insight(
            id=f"{measurement.id}/{self.name}",
            agent=self.name,
            measurement_ids=(measurement.id,),
            estimates={} if abstained else _estimates(found, i),
            class_probabilities={} if abstained else _presence(found, i),
            p_wrong=float(found.p_wrong[i]),
            novelty=left,
            quality={
                "unexplained_area": left,
                "n_phases": float(found.n_phases),
                "n_phases_std": float(np.std(found.numbers)),
            },
            evidence={"pattern": _curve(found, observed, parts)},
            abstained=abstained,
            remarks=(remark,) if abstained else (),
        )


def make(settings: Mapping[str, object], folder: Path) -> Demix:
    """Return the agent that a campaign's settings describe.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong.
    """
    del folder
    return Demix(DemixSettings.model_validate(dict(settings)))


def _key(k: int) -> str:
    return f"xrd.demixed_fraction.{k + 1}"


def _estimates(found: Demixed, i: int) -> dict[str, Estimate]:
    return {
        _key(k): Estimate(float(found.fractions[i, k]), float(found.std[i, k]), "")
        for k in range(found.n_phases)
    }


def _presence(found: Demixed, i: int) -> dict[str, dict[str, float]]:
    seen = [float(p) for p in found.presence[i]]
    return {f"phase {k + 1}": {"present": p, "absent": 1 - p} for k, p in enumerate(seen)}


def _curve(found: Demixed, observed: np.ndarray, parts: np.ndarray) -> Curve:
    columns = {"observed": observed, "calculated": parts.sum(axis=0)}
    columns["difference"] = columns["observed"] - columns["calculated"]
    columns |= {f"phase.{k + 1}": np.ascontiguousarray(part) for k, part in enumerate(parts)}
    return Curve(found.x, "q", "1/Å", columns, "highest point 1")
