"""pdf.demix: phases of an in-situ series without any list of them, and where the series changes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.errors import BadPattern
from analysis.insight import Curve, Estimate, Insight
from analysis.learning.decomposition.corners import unmix
from analysis.pdf.demixing import SeriesCurves, on_axis, series_curves
from analysis.pdf.demixing_courses import Reading, read
from analysis.pdf.demixing_doubt import doubts
from analysis.pdf.transitions import Transition
from instruments.formats import read_measurement
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

MOST_PHASES = 8
"""Phases that can be asked for."""


class DemixSettings(BaseModel):
    """What a campaign file says under the agent ``pdf.demix``.

    Attributes
    ----------
    r_range : of G(r) [Å].
    q_range : of F(Q), S(Q) or I(Q) [1/Å].
    n_phases : where it is known; None finds it.
    most_phases : that are tried.
    known : files with curves of pure phases, relative to the campaign file, held as they are but
        for their stretch.
    along : setting or reading that the series runs along; None takes ``temperature``, else what
        file names say (``…_T450.00C``, ``…_198K``), else the order of the measurements.
    q_max : of a G(r) that does not state it [1/Å].
    largest_unexplained : share of a curve's norm beyond which the agent abstains.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    r_range: tuple[float, float] = (1.5, 50.0)
    q_range: tuple[float, float] = (0.5, 15.0)
    n_phases: int | None = Field(default=None, ge=1, le=MOST_PHASES)
    most_phases: int = Field(default=5, ge=1, le=MOST_PHASES)
    known: tuple[str, ...] = ()
    along: str | None = None
    q_max: float | None = Field(default=None, gt=0, le=100)
    largest_unexplained: float = Field(default=0.5, gt=0, le=1)

    @model_validator(mode="after")
    def _consistent(self) -> DemixSettings:
        for name, (low, high) in (("r_range", self.r_range), ("q_range", self.q_range)):
            if not 0 < low < high / 2:
                raise ValueError(
                    f"{name} runs from {low:g} to {high:g}; it must start above 0 and its end be "
                    "at least twice its start"
                )
        if len(self.known) > (self.n_phases or self.most_phases):
            raise ValueError(
                f"{len(self.known)} phases are known, and at most "
                f"{self.n_phases or self.most_phases} are to be found; raise most_phases"
            )
        return self


class Demix:
    """A series of G(r), F(Q), S(Q) or I(Q) as weighted, stretched patterns of few phases.

    Estimates: ``pdf.demixed_fraction.<n>``, the weight of phase n's pattern over the sum of the
    weights; patterns are as high as in the purest curve, so it is a fraction of atoms where curves
    are per atom and pure curves are among them. ``pdf.demixed_stretch.<n>``, the phase's lengths
    over their mean in the series, where it is clearly there. Phases are numbered by total weight,
    known ones first. The std of a fraction comes from the misfit and from how alike the patterns
    are, with a share calibrated on simulated mixtures (`analysis.pdf.demixing_courses.MODEL_STD`);
    it does not know that no curve may be pure.

    Transitions are places where fractions or the mean stretch change their course
    (`analysis.pdf.transitions`); remarks name them, with their std and probability, and the
    evidence ``course`` shows them along the series variable. `p_wrong` is the probability that
    there are not as many phases, or that a fraction is off by more than 0.05; it knows that no
    curve may be pure (`analysis.pdf.demixing_doubt`). `novelty` is the unexplained share of the
    curve's norm.

    Parameters
    ----------
    settings : ranges and what is known.
    folder : where relative paths start.
    """

    name = "pdf.demix"
    technique = "pdf"

    def __init__(self, settings: DemixSettings, folder: Path) -> None:
        self.settings = settings
        self._known = [read_measurement(folder / p, technique="pdf") for p in settings.known]

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return {_key(what, k): "" for what in ("fraction", "stretch") for k in range(MOST_PHASES)}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return what the last curve is made of, all curves taken as one series.

        The result depends on the measurements alone; `rng` is not used.

        Raises
        ------
        BadPattern
            The curves cannot be demixed together.
        """
        return self.analyze_together(measurements, rng=rng)[-1]

    def analyze_together(
        self, measurements: Sequence[Measurement], *, rng: np.random.Generator
    ) -> list[Insight]:
        """Return an insight a curve, in their order.

        Raises
        ------
        BadPattern
            The curves cannot be demixed together.
        """
        del rng
        said = self.settings
        over_r = bool(measurements) and measurements[0].x_name == "r"
        data = series_curves(
            measurements,
            x_range=said.r_range if over_r else said.q_range,
            along=said.along,
            q_max=said.q_max,
        )
        found = unmix(
            replace(data.model, patterns=self._known_patterns(data, measurements[0])),
            data.curves,
            most_phases=said.most_phases,
            n_phases=said.n_phases,
            n_frozen=len(self._known),
        )
        reading = read(data, found.series, n_known=len(self._known))
        logger.info(
            "demixed curves=%d agent=%s phases=%d transitions=%d",
            len(data.curves),
            self.name,
            reading.n_phases,
            len(reading.transitions),
        )
        unsure = doubts(data, reading)
        insights = {
            int(place): self._insight(measurements[place], data, reading, i, float(unsure[i]))
            for i, place in enumerate(data.order)
        }
        return [insights[i] for i in range(len(measurements))]

    def _known_patterns(self, data: SeriesCurves, first: Measurement) -> np.ndarray:
        for known in self._known:
            if (known.x_name, known.x_unit) != (first.x_name, first.x_unit):
                raise BadPattern(
                    f"the known phase {known.id} is over {known.x_name} in {known.x_unit}, the "
                    f"series over {first.x_name} in {first.x_unit}; give curves of one kind"
                )
        return on_axis(self._known, data.model)

    def _insight(
        self,
        measurement: Measurement,
        data: SeriesCurves,
        reading: Reading,
        i: int,
        p_wrong: float,
    ) -> Insight:
        left = float(reading.unexplained[i])
        abstained = left > self.settings.largest_unexplained
        remark = f"{left:.0%} of the curve's norm belongs to no phase of the series"
        return Insight(
            id=f"{measurement.id}/{self.name}",
            agent=self.name,
            measurement_ids=(measurement.id,),
            estimates={} if abstained else _estimates(reading, i),
            p_wrong=None if abstained else p_wrong,
            novelty=min(left, 1.0),
            quality={
                "unexplained": left,
                "n_phases": float(reading.n_phases),
                "n_transitions": float(len(reading.transitions)),
            },
            evidence={"pattern": _pattern(data, reading, i), "course": _course(data, reading)},
            abstained=abstained,
            remarks=((remark,) if abstained else ())
            + tuple(_sentence(one) for one in reading.transitions),
        )


def make(settings: Mapping[str, object], folder: Path) -> Demix:
    """Return the agent that a campaign's settings describe, known patterns read.

    Raises
    ------
    pydantic.ValidationError, UnreadableFile
        The settings or a known pattern are wrong.
    """
    return Demix(DemixSettings.model_validate(dict(settings)), folder)


def _key(what: str, k: int) -> str:
    return f"pdf.demixed_{what}.{k + 1}"


def _estimates(reading: Reading, i: int) -> dict[str, Estimate]:
    told = {
        _key("fraction", k): Estimate(
            float(reading.fractions[i, k]), float(reading.fraction_std[i, k]), ""
        )
        for k in range(reading.n_phases)
    }
    for k in np.flatnonzero(reading.seen[i]):
        # No std: the misfit is not independent noise, and says too little of a stretch.
        told[_key("stretch", int(k))] = Estimate(float(reading.stretches[i, k]), None, "")
    return told


def _sentence(one: Transition) -> str:
    return (
        f"the series changes at {one.place:.5g} ± {one.std:.2g} (probability {one.probability:.2f})"
    )


def _pattern(data: SeriesCurves, reading: Reading, i: int) -> Curve:
    seen = data.model.observed
    observed, parts = data.plain(data.curves[i]), data.plain(reading.parts(i))
    columns = {"observed": observed[seen], "calculated": data.plain(reading.calculated[i])[seen]}
    columns["difference"] = columns["observed"] - columns["calculated"]
    columns |= {f"phase.{k + 1}": np.ascontiguousarray(p[seen]) for k, p in enumerate(parts)}
    return Curve(data.model.axis[seen], data.x_name, data.x_unit, columns, data.y_unit)


def _course(data: SeriesCurves, reading: Reading) -> Curve:
    """Return fractions and stretches along the series; a change is shown before its curve."""
    columns = {"change_before": np.append(0.0, reading.gaps)}
    for k in range(reading.n_phases):
        columns[f"fraction.{k + 1}"] = np.ascontiguousarray(reading.fractions[:, k])
        columns[f"stretch.{k + 1}"] = np.ascontiguousarray(reading.stretches[:, k])
    return Curve(data.variable, data.variable_name, "", columns)
