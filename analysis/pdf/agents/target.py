"""pdf.target: how far a sample's curves are from those of the structure that is wanted."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.errors import BadPattern
from analysis.insight import Estimate, Insight
from analysis.pdf.aims.comparing import Comparer, Comparison
from analysis.pdf.aims.distances import SOFTNESS
from analysis.pdf.aims.foretelling import Foreteller, KnownDistance
from analysis.pdf.aims.goals import finite_structure, make_target
from analysis.pdf.aims.measured import check_total_scattering
from analysis.pdf.aims.settings import CurveName, TargetSettings
from analysis.pdf.library import cluster_entries
from analysis.protocols import KnownFunction
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

DISTANCE = "pdf.distance_to_target"

FEWEST_ATOMS = 5
"""Atoms of the smallest cluster of the library."""


class TargetAgent:
    """A comparison of each curve with the target's, and the mean of the distances.

    Estimates: ``pdf.distance_to_target.s_q``, ``.g_r`` and ``.i_q``, those asked for, and
    ``pdf.distance_to_target``, their mean, where all are known. Noise is the measurement's sigma,
    or the scatter of neighbouring points over Q. What it adds to a distance on average is taken
    off, and the std is what it does from one measurement to the next; it is None, and nothing is
    taken off, where the noise of a G(r) is not stated.

    `p_wrong` is the share of the ranges that was not measured: over the rest, the distance is
    what it is defined to be. A measurement that covers less than half of a range says nothing of
    that curve; if none is left the agent abstains.

    Attributes
    ----------
    known_functions : the same distances for clusters of the library, by type, bond and size;
        tables are made when a type is first asked for.

    Parameters
    ----------
    settings : the target and how to compare.
    folder : where relative paths start.

    Raises
    ------
    BadPhase, BadSettings
        The target cannot be read, or lacks a curve that is compared.
    """

    name = "pdf.target"
    technique = "pdf"

    def __init__(self, settings: TargetSettings, folder: Path) -> None:
        self.settings = settings
        target = make_target(settings, folder)
        self.comparer = Comparer(settings, target)
        self.curves: tuple[CurveName, ...] = settings.curves
        finite = finite_structure(target)
        foreteller = Foreteller(
            lambda: cluster_entries(settings.most_atoms),
            {c: (self.comparer.windows[c], self.comparer.distances[c]) for c in self.curves},
            bond_range=settings.bond_range,
            b_iso=settings.b_iso,
            target=None if finite is None else (finite.entry.name, finite.bond),
        )
        asked = {f"{DISTANCE}.{c}": (c,) for c in self.curves} | {DISTANCE: self.curves}
        self.known_functions: tuple[KnownFunction, ...] = tuple(
            KnownDistance(
                key,
                foreteller,
                curves,
                ranges=(settings.bond_range, (FEWEST_ATOMS, settings.most_atoms)),
                softness=SOFTNESS[settings.distance],
            )
            for key, curves in asked.items()
        )

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return dict.fromkeys((*(f"{DISTANCE}.{c}" for c in self.curves), DISTANCE), "")

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return the distance of each curve from the target's.

        Parameters
        ----------
        rng : draws the noise that is added to see what noise does.

        Raises
        ------
        BadPattern
            A measurement is none of the four curves, or an I(Q) of an unknown element.
        """
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one curve")
        for measurement in measurements:
            check_total_scattering(measurement)
        found: dict[CurveName, Comparison] = {}
        remarks: list[str] = []
        for curve in self.curves:
            comparison, said = self.comparer.compare(curve, measurements)
            remarks += said
            if comparison is not None:
                found[curve] = comparison
        if not found:
            return self._abstain(measurements, remarks)
        return self._insight(measurements, found, remarks, rng=rng)

    def _insight(
        self,
        measurements: Sequence[Measurement],
        found: Mapping[CurveName, Comparison],
        remarks: Sequence[str],
        *,
        rng: np.random.Generator,
    ) -> Insight:
        estimates = {f"{DISTANCE}.{c}": one.estimate(rng=rng) for c, one in found.items()}
        if len(found) == len(self.curves):
            estimates[DISTANCE] = _mean(list(estimates.values()))
        scaled = self.settings.distance == "rwp_scaled_to_peak"
        first = measurements[0]
        told = ", ".join(f"{key} = {estimate}" for key, estimate in estimates.items())
        logger.info("compared measurement=%s agent=%s %s", first.id, self.name, told)
        return Insight(
            id=f"{first.id}/{self.name}",
            agent=self.name,
            measurement_ids=tuple(m.id for m in measurements),
            estimates=estimates,
            p_wrong=1 - min(one.share for one in found.values()),
            quality={f"share.{c}": one.share for c, one in found.items()},
            evidence={c: one.evidence(scaled=scaled) for c, one in found.items()},
            remarks=tuple(remarks),
        )

    def _abstain(self, measurements: Sequence[Measurement], remarks: Sequence[str]) -> Insight:
        first = measurements[0]
        logger.warning(
            "abstained measurement=%s agent=%s: %s", first.id, self.name, "; ".join(remarks)
        )
        return Insight(
            id=f"{first.id}/{self.name}",
            agent=self.name,
            measurement_ids=tuple(m.id for m in measurements),
            abstained=True,
            remarks=tuple(remarks),
        )


def make(settings: Mapping[str, object], folder: Path) -> TargetAgent:
    """Return the agent that a campaign's settings describe, its target read.

    Raises
    ------
    pydantic.ValidationError, BadPhase, BadSettings
        The settings are wrong.
    """
    return TargetAgent(TargetSettings.model_validate(dict(settings)), folder)


def _mean(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean; noise of curves of one sample is taken as independent."""
    value = float(np.mean([e.value for e in estimates]))
    stds = [e.std for e in estimates if e.std is not None]
    if len(stds) < len(estimates):
        return Estimate(value, None, "")
    return Estimate(value, float(np.linalg.norm(stds)) / len(estimates), "")
