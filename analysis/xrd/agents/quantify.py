"""xrd.quantify: how much of each known phase, with its cell, crystallite size and microstrain.

A full-profile fit by variable projection (Golub & Pereyra 1973, doi:10.1137/0710036); scale factors
become masses after Hill & Howard (1987, doi:10.1107/S0021889887086199).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from analysis.errors import BadPattern
from analysis.insight import Estimate, Insight
from analysis.physics.cell import free_cell_parameters
from analysis.physics.reflections import reflections
from analysis.xrd.counting import LONGER, longer_count, share_left
from analysis.xrd.curves import fit_curve
from analysis.xrd.doubt import doubt, novelty
from analysis.xrd.fit import Fit
from analysis.xrd.layout import Layout
from analysis.xrd.misfit import Misfit, assess
from analysis.xrd.preprocess import FitRange, prepare
from analysis.xrd.series import Series
from analysis.xrd.settings import QuantifySettings
from analysis.xrd.standard import Absolute, absolute, standard_is_seen
from analysis.xrd.texturing import textured, textures_of
from analysis.xrd.ticks import tick_marks
from analysis.xrd.uncertainty import Statement, state
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

WORST_RWP = 0.6
"""Weighted profile R above which the phases have nothing to do with the pattern."""

DOUBTFUL = 0.5
"""Probability of a wrong list of phases from which a remark warns."""


class Quantify:
    """A full-profile fit of known phases to one powder pattern.

    Of several measurements the one with the best counting statistics is fitted.

    Estimates: ``xrd.weight_fraction.<phase>`` (0 … 1 of the crystalline mass, corrected for
    microabsorption), ``xrd.lattice.<phase>.<a|b|c|alpha|beta|gamma>`` for the parameters that
    symmetry leaves free, ``xrd.crystallite_size.<phase>`` (volume-weighted column length,
    Scherrer constant 0.9), ``xrd.microstrain.<phase>`` (ε = Δd/d) and ``xrd.displacement``. A
    phase too weak to be seen has a weight fraction only.

    Where counting statistics limit the fractions, it asks for four times the counting time and
    foretells the std of every estimate after it: the statistical variance falls to a quarter.

    Their std is statistical and systematic (see `analysis.xrd.uncertainty`, which says what it
    was calibrated on); `p_wrong` is the probability that the list lacks a phase of 3 % of the mass
    or more, calibrated on simulated mixtures (see `analysis.xrd.doubt`).

    It abstains if no phase is found in the pattern or the fit is worse than R_wp = 0.6. It cannot
    see amorphous matter: fractions are of what is crystalline and listed, unless an internal
    standard was weighed in. Then they are of the whole sample without the standard, beside
    ``xrd.amorphous_fraction`` (see `analysis.xrd.standard`).

    Parameters
    ----------
    settings : what to fit and how.
    folder : where relative paths of CIFs start.

    Raises
    ------
    BadPhase, BadSettings
        A phase cannot be read, or the texture names one that is not there.
    """

    name = "xrd.quantify"
    technique = "xrd"

    def __init__(self, settings: QuantifySettings, folder: Path) -> None:
        self.settings = settings
        self._crystals = settings.crystals(folder)
        self._radiation = settings.radiation.radiation()
        self._layout = Layout(
            self._crystals,
            settings.resolution.resolution(),
            fix_resolution=settings.resolution.fixed,
            texture=settings.texture,
            refine_b=settings.refine_b_iso,
        )

    @property
    def _standard(self) -> int | None:
        """Index of the internal standard among the phases."""
        if self.settings.standard is None:
            return None
        names = [crystal.name for crystal in self._crystals]
        return names.index(self.settings.standard.phase)

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        found: dict[str, str] = {}
        standard = self.settings.standard
        if standard is not None:
            found["xrd.amorphous_fraction"] = ""
        for crystal in self._crystals:
            if standard is None or crystal.name != standard.phase:
                found[f"xrd.weight_fraction.{crystal.name}"] = ""
            for parameter in free_cell_parameters(crystal):
                unit = "Å" if parameter in "abc" else "deg"
                found[f"xrd.lattice.{crystal.name}.{parameter}"] = unit
            found[f"xrd.crystallite_size.{crystal.name}"] = "Å"
            found[f"xrd.microstrain.{crystal.name}"] = ""
        found["xrd.displacement"] = "deg"
        return found

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return the fractions and profile parameters of the known phases.

        The result depends on the measurements alone; `rng` is not used.

        Raises
        ------
        BadPattern
            A measurement is no powder pattern of this radiation, or holds no listed reflection.
        """
        del rng
        return self._read(measurements, self._series())

    def analyze_series(
        self, measurements: Sequence[Measurement], *, rng: np.random.Generator
    ) -> Iterator[Insight]:
        """Yield one insight a measurement, each fit started from the last (see `series`).

        The order is the series'. A measurement that is no pattern of this radiation, or holds no
        listed reflection, is abstained from, and the next starts from the one before it. `rng` is
        not used.
        """
        del rng
        series = self._series()
        for measurement in measurements:
            try:
                insight = self._read([measurement], series)
            except BadPattern as error:
                insight = self._abstain(measurement, (measurement.id,), str(error))
            yield insight

    def analyze_together(
        self, measurements: Sequence[Measurement], *, rng: np.random.Generator
    ) -> list[Insight]:
        """Return one insight a measurement, fitted as a series."""
        return list(self.analyze_series(measurements, rng=rng))

    def _series(self) -> Series:
        return Series(
            layout=self._layout,
            radiation=self._radiation,
            background_order=self.settings.background_order,
        )

    def _read(self, measurements: Sequence[Measurement], series: Series) -> Insight:
        chosen, data = self._choose(measurements)
        self._check_reflections(chosen, data)
        fit = series.fit(data)
        if self.settings.find_textures:
            fit = textured(fit, partial(series.refined, data))
        seen = tuple(m.id for m in measurements)
        if not np.any(fit.scales > 0):
            return self._abstain(chosen, seen, "no listed phase was found in the pattern")
        misfit = assess(fit)
        if misfit.rwp > WORST_RWP:
            reason = f"the fit ended at R_wp = {misfit.rwp:.2f}, worse than {WORST_RWP}"
            return self._abstain(chosen, seen, reason, fit=fit)
        statement = state(fit, misfit=misfit, diameter=self.settings.grains)
        standard = self._standard
        if standard is not None and not standard_is_seen(statement, index=standard):
            return self._abstain(chosen, seen, "the internal standard was not found", fit=fit)
        logger.info(
            "fitted measurement=%s agent=%s rwp=%.4f chi2_reduced=%.2f",
            chosen.id,
            self.name,
            misfit.rwp,
            misfit.chi2_reduced,
        )
        return self._insight(chosen, seen, fit, misfit, statement)

    def _choose(self, measurements: Sequence[Measurement]) -> tuple[Measurement, FitRange]:
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one powder pattern")
        prepared = [
            (m, prepare(m, radiation=self._radiation, two_theta_range=self.settings.two_theta))
            for m in measurements
        ]
        return max(prepared, key=lambda pair: float(np.sum((pair[1].counts / pair[1].sigma) ** 2)))

    def _check_reflections(self, measurement: Measurement, data: FitRange) -> None:
        wavelength = self._radiation.wavelength
        low, high = np.sin(np.radians(data.two_theta[[0, -1]] / 2))
        d_min, d_max = wavelength / (2 * high), wavelength / (2 * low)
        for crystal in self._crystals:
            listed = reflections(
                crystal,
                d_min=round(float(d_min), 3),
                wavelength=wavelength,
                probe=self._radiation.probe,
            )
            if not np.any((listed.d >= d_min) & (listed.d <= d_max)):
                raise BadPattern(
                    f"{measurement.id} runs from {data.two_theta[0]:g} to {data.two_theta[-1]:g}° "
                    f"and holds no reflection of {crystal.name}; measure a wider range or leave "
                    "the phase out"
                )

    def _insight(
        self,
        chosen: Measurement,
        seen: tuple[str, ...],
        fit: Fit,
        misfit: Misfit,
        statement: Statement,
    ) -> Insight:
        units, said = self.quantities, self._absolute(statement)
        keys = tuple(_key(*name) for name in said.names)
        deviations = np.sqrt(np.diag(said.covariance))
        p_wrong = doubt(misfit, prior=self.settings.prior_wrong)
        return Insight(
            id=f"{chosen.id}/{self.name}",
            agent=self.name,
            measurement_ids=seen,
            estimates={
                key: Estimate(float(value), float(std), units[key])
                for key, value, std in zip(keys, said.values, deviations, strict=True)
            },
            covariance_keys=keys,
            covariance=said.covariance,
            p_wrong=p_wrong,
            novelty=novelty(misfit),
            quality=_quality(misfit),
            evidence={"pattern": fit_curve(fit), **tick_marks(fit)},
            next_measurement=longer_count(
                chosen,
                statement,
                n_phases=len(self._crystals),
                promised=dict(
                    zip(keys, map(float, deviations * share_left(statement)), strict=True)
                ),
                p_wrong=doubt(_counted_longer(misfit), prior=self.settings.prior_wrong),
            ),
            remarks=_remarks(fit, misfit, p_wrong=p_wrong),
        )

    def _absolute(self, statement: Statement) -> Statement | Absolute:
        standard, index = self.settings.standard, self._standard
        if standard is None or index is None:
            return statement
        return absolute(
            statement,
            index=index,
            weight_fraction=standard.weight_fraction,
            n_phases=len(self._crystals),
        )

    def _abstain(
        self, chosen: Measurement, seen: tuple[str, ...], reason: str, *, fit: Fit | None = None
    ) -> Insight:
        logger.warning("abstained measurement=%s agent=%s: %s", chosen.id, self.name, reason)
        return Insight(
            id=f"{chosen.id}/{self.name}",
            agent=self.name,
            measurement_ids=seen,
            evidence={} if fit is None else {"pattern": fit_curve(fit), **tick_marks(fit)},
            abstained=True,
            remarks=(f"{reason}; check the list of phases and the sample's alignment",),
        )


def make(settings: Mapping[str, object], folder: Path) -> Quantify:
    """Return the agent that a campaign's settings describe, its structures read.

    Raises
    ------
    pydantic.ValidationError, BadPhase, BadSettings
        The settings are wrong.
    """
    return Quantify(QuantifySettings.model_validate(dict(settings)), folder)


def _key(quantity: str, phase: str, parameter: str) -> str:
    return ".".join(part for part in ("xrd", quantity, phase, parameter) if part)


def _counted_longer(misfit: Misfit) -> Misfit:
    """Return the misfit of the same pattern in less noise, where smaller peaks would show."""
    return replace(misfit, detectable=misfit.detectable / LONGER**0.5)


def _quality(misfit: Misfit) -> dict[str, float]:
    return {
        "rwp": misfit.rwp,
        "rp": misfit.rp,
        "rexp": misfit.rexp,
        "chi2_reduced": misfit.chi2_reduced,
        "durbin_watson": misfit.durbin_watson,
        "intensity_misfit": misfit.overall,
        "unexplained_area": misfit.unexplained,
    }


def _remarks(fit: Fit, misfit: Misfit, *, p_wrong: float) -> tuple[str, ...]:
    found = []
    if not fit.converged:
        found.append(
            "the refinement stopped before it converged; look at the fit before trusting it"
        )
    if p_wrong > DOUBTFUL:
        found.append(
            f"peaks worth {misfit.unexplained:.1%} of the Bragg intensity belong to no listed "
            "phase or have wrong heights; a phase may be missing"
        )
    found += [
        f"{name} is textured along {axis}: March's r is {r:.2f}"
        for name, (axis, r) in textures_of(fit).items()
    ]
    slots = fit.problem.layout.slots
    for slot, number in zip(slots, fit.vector, strict=True):
        edge = 1e-3 * (slot.high - slot.low)
        if slot.name in _WATCHED and not slot.low + edge < number < slot.high - edge:
            phase = "" if slot.phase is None else fit.problem.layout.crystals[slot.phase].name
            found.append(f"{slot.name} {phase} stands at the limit of its range".replace("  ", " "))
    return tuple(found)


_WATCHED = ("displacement", "w", "a", "b", "c", "alpha", "beta", "gamma", "size")
