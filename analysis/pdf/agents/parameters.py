"""pdf.parameters: cell, displacements and size of a known crystal, by least squares to its G(r).

As PDFgui fits (Farrow et al. 2007, doi:10.1088/0953-8984/19/33/335219). Importing this file imports
torch.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.errors import BadPattern
from analysis.insight import Curve, Estimate, Insight
from analysis.pdf.doubt import STD_FACTOR, WORST_RW, doubt
from analysis.pdf.fit import Fit, Problem, Slot, free_numbers
from analysis.pdf.preprocess import FitRange, prepare
from analysis.pdf.settings import ParametersSettings
from analysis.physics.cell import CELL_NAMES
from analysis.physics.scattering_factors import Probe
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

DOUBTFUL = 0.5
"""Probability of a wrong phase from which a remark warns."""

_UNITS = {"u_iso": "Å²", "delta2": "Å²", "q_damp": "1/Å", "diameter": "Å", "scale": ""}


class Parameters:
    """A least-squares fit of one known crystal to one G(r).

    Of several measurements the one with most independent points is fitted.

    Estimates: ``pdf.lattice.<phase>.<a|b|c|alpha|beta|gamma>`` for what symmetry leaves free,
    ``pdf.u_iso.<phase>.<element>``, ``pdf.delta2.<phase>``, ``pdf.scale.<phase>``,
    ``pdf.diameter.<phase>`` of spherical grains where asked for, and ``pdf.q_damp`` where no
    standard fixes it. What ends at a bound of its range is not estimated; a remark says so.

    Their std comes from the residuals as they are, correlated (see `analysis.pdf.fit.covariance`),
    times `analysis.pdf.doubt.STD_FACTOR` for what the fit does not model; the calibration of Q,
    often a few parts in ten thousand of every length, is no part of it.
    `p_wrong` is the probability that the sample holds another phase, or a second one beside it
    (see `analysis.pdf.doubt`).

    It abstains if the fit is worse than `analysis.pdf.doubt.WORST_RW`.

    Parameters
    ----------
    settings : what to fit and how.
    folder : where the relative path of a CIF starts.

    Raises
    ------
    BadPhase
        The phase cannot be read.
    """

    name = "pdf.parameters"
    technique = "pdf"

    def __init__(self, settings: ParametersSettings, folder: Path) -> None:
        self.settings = settings
        self._crystal = settings.crystal(folder)
        self._phase = settings.name or self._crystal.name

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        slots = free_numbers(
            self._crystal, q_damp=self.settings.q_damp, finite=self.settings.finite
        )
        return {self._key(slot): _unit(slot) for slot in slots}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return the refined parameters of the phase.

        The result depends on the measurements alone; `rng` is not used.

        Raises
        ------
        BadPattern
            A measurement is no G(r), or too short, or nobody knows its Q_max.
        """
        del rng
        chosen, data = self._choose(measurements)
        seen = tuple(m.id for m in measurements)
        fit = Problem(
            self._crystal,
            data,
            probe=self._probe(chosen),
            q_damp=self.settings.q_damp,
            q_broad=self.settings.q_broad,
            finite=self.settings.finite,
        ).fit()
        if fit.rw > WORST_RW:
            return self._abstain(chosen, seen, fit)
        logger.info("fitted measurement=%s agent=%s rw=%.4f", chosen.id, self.name, fit.rw)
        return self._insight(chosen, seen, fit)

    def _choose(self, measurements: Sequence[Measurement]) -> tuple[Measurement, FitRange]:
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one G(r)")
        said = self.settings
        prepared = [
            (m, prepare(m, r_range=said.r_range, q_min=said.q_min, q_max=said.q_max))
            for m in measurements
        ]
        return max(prepared, key=lambda pair: pair[1].n_independent)

    def _probe(self, measurement: Measurement) -> Probe:
        if self.settings.probe is not None:
            return self.settings.probe
        return "neutron" if measurement.settings.get("probe") == "neutron" else "x-ray"

    def _insight(self, chosen: Measurement, seen: tuple[str, ...], fit: Fit) -> Insight:
        limits = fit.at_limit()
        told = [i for i, slot in enumerate(fit.slots) if slot not in limits]
        keys = tuple(self._key(fit.slots[i]) for i in told)
        covariance = STD_FACTOR**2 * fit.covariance[np.ix_(told, told)]
        p_wrong = doubt(fit, prior=self.settings.prior_wrong)
        return Insight(
            id=f"{chosen.id}/{self.name}",
            agent=self.name,
            measurement_ids=seen,
            estimates={
                key: Estimate(float(fit.values[i]), float(std), _unit(fit.slots[i]))
                for key, i, std in zip(keys, told, np.sqrt(np.diag(covariance)), strict=True)
            },
            covariance_keys=keys,
            covariance=covariance,
            p_wrong=p_wrong,
            quality={"rw": fit.rw, "n_independent": fit.data.n_independent},
            evidence={"pattern": _curve(fit)},
            remarks=self._remarks(fit, limits, p_wrong=p_wrong),
        )

    def _abstain(self, chosen: Measurement, seen: tuple[str, ...], fit: Fit) -> Insight:
        reason = f"the fit of {self._phase} ended at R_w = {fit.rw:.2f}, worse than {WORST_RW}"
        logger.warning("abstained measurement=%s agent=%s: %s", chosen.id, self.name, reason)
        return Insight(
            id=f"{chosen.id}/{self.name}",
            agent=self.name,
            measurement_ids=seen,
            quality={"rw": fit.rw},
            evidence={"pattern": _curve(fit)},
            abstained=True,
            remarks=(f"{reason}; try another structure, or refine the size of its grains",),
        )

    def _remarks(self, fit: Fit, limits: Sequence[Slot], *, p_wrong: float) -> tuple[str, ...]:
        found = [
            f"{self._key(slot)} stands at the limit of its range, so it is not stated"
            for slot in limits
        ]
        if not fit.converged:
            found.append("the fit stopped before it converged; look at it before trusting it")
        if p_wrong > DOUBTFUL:
            found.append(
                f"R_w = {fit.rw:.2f} is high: the structure may be another, or not the only one"
            )
        return tuple(found)

    def _key(self, slot: Slot) -> str:
        if slot.name == "q_damp":
            return "pdf.q_damp"
        if slot.name in CELL_NAMES:
            return f"pdf.lattice.{self._phase}.{slot.name}"
        return ".".join(part for part in ("pdf", slot.name, self._phase, slot.what) if part)


def make(settings: Mapping[str, object], folder: Path) -> Parameters:
    """Return the agent that a campaign's settings describe, its structure read.

    Raises
    ------
    pydantic.ValidationError, BadPhase
        The settings are wrong.
    """
    return Parameters(ParametersSettings.model_validate(dict(settings)), folder)


def _unit(slot: Slot) -> str:
    if slot.name in CELL_NAMES:
        return "Å" if slot.name in "abc" else "deg"
    return _UNITS[slot.name]


def _curve(fit: Fit) -> Curve:
    columns = {
        "observed": fit.data.g_r,
        "calculated": fit.calculated,
        "difference": fit.data.g_r - fit.calculated,
    }
    return Curve(fit.data.r, "r", "Å", columns, "1/Å²")
