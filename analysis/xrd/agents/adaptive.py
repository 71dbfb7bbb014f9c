"""xrd.adaptive: where a diffractometer should count next to tell which phases are there.

After Adaptive XRD (Szymanski et al. 2023, doi:10.1038/s41524-023-00984-y), which counts again where
the class-activation maps of the two likeliest phases differ by a fixed threshold. Here every
affordable scan is weighed by the information it is expected to bring, per second of machine time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from analysis.errors import BadPattern
from analysis.insight import Curve, Estimate, Insight, MeasurementRequest
from analysis.xrd.adaptive.reading import Reader, Reading
from analysis.xrd.adaptive.segments import MULTIPLES, Segment, best_segment, strip_rates
from analysis.xrd.adaptive.settings import AdaptiveSettings
from analysis.xrd.adaptive.sureness import set_is_wrong, share_left
from analysis.xrd.curves import fit_curve
from analysis.xrd.doubt import doubt, novelty
from analysis.xrd.fit import Fit
from analysis.xrd.misfit import Misfit, assess
from analysis.xrd.splicing import Spliced, splice
from analysis.xrd.ticks import tick_marks
from analysis.xrd.uncertainty import state
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

STRANGE = 0.5
"""Novelty from which the agent declines: much of the pattern is no candidate's."""


class Adaptive:
    """Names the phases of a sample and says which further scan would make that surer.

    All scans of the sample are spliced into one pattern. A fit of unrefined candidates proposes
    phases, a full-profile fit of all of them gives every set of them a probability (Laplace's
    evidence and a prior of 2.5 phases a sample), and the likeliest set is named.

    `next_measurement` is the affordable scan, a range and a counting time, of most expected
    information about the right set per second of machine time; `expected_gain` is that information
    in nats, and its `p_wrong` what the doubt should be if the same set is named afterwards. There
    is none once the likeliest set is sure enough, no scan promises enough, the budget is spent, or
    the scans do not say how long they counted.

    Estimates are the weight fractions of the named phases, as of `xrd.quantify`; their std has the
    spread from set to set added. Class
    probabilities have a question ``xrd.phase.<name>`` for each proposed candidate, and
    ``xrd.phase_set``. `p_wrong` is the probability that the set is not the right one or lacks a
    phase that is no candidate (see `analysis.xrd.doubt`); the set's own probability is taken down
    to how often such sets were right (see `analysis.xrd.adaptive.sureness`). It abstains
    where no candidate is found or half of the pattern is unlike every one, and may still ask for a
    further scan.

    Raises
    ------
    BadPhase, BadSettings
        A candidate cannot be read.
    """

    name = "xrd.adaptive"
    technique = "xrd"

    def __init__(self, settings: AdaptiveSettings, folder: Path) -> None:
        self.settings = settings
        self._radiation = settings.radiation.radiation()
        self.reader = Reader(
            settings.crystals(folder),
            radiation=self._radiation,
            resolution=settings.resolution.resolution(),
            texture=settings.texture,
        )

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return {f"xrd.weight_fraction.{c.name}": "" for c in self.reader.crystals}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return which phases the sample holds and what to measure next.

        The result depends on the measurements alone; `rng` is not used.

        Raises
        ------
        BadPattern
            A measurement is no powder pattern of this radiation or holds no counts, or they cannot
            be spliced.
        """
        del rng
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one powder pattern")
        spliced = splice(
            measurements, radiation=self._radiation, least_step=self.settings.least_step
        )
        reading = self.reader.read(spliced, reach=self.settings.reach)
        if reading is None:
            return self._abstained(measurements, None, None, "no candidate was found")
        request = self._request(measurements, spliced, reading)
        if not reading.named:
            return self._abstained(measurements, reading, request, "no candidate was found")
        fit = self.reader.fitted(spliced, reading.named)
        misfit = assess(fit)
        if not np.any(fit.scales > 0) or novelty(misfit) > STRANGE:
            why = f"novelty is {novelty(misfit):.2f}"
            return self._abstained(measurements, reading, request, why)
        return self._insight(measurements, reading, fit, misfit, request)

    def next_segment(self, measurements: Sequence[Measurement], reading: Reading) -> Segment | None:
        """Return the further scan that is worth its time, None if there is none.

        Parameters
        ----------
        measurements : that were spliced and read.
        """
        s = self.settings
        if reading.sets.weights[0] >= s.sure or not _all_timed(measurements):
            return None
        found = best_segment(
            reading.model,
            reading.sets,
            timing=s.timing,
            counting_times=[
                t for m in MULTIPLES if (t := m * _counting_time(measurements)) <= s.longest
            ],
            affordable=s.budget - s.timing.spent(measurements),
        )
        return None if found is None or found.gain < s.least_gain else found

    def _request(
        self, measurements: Sequence[Measurement], spliced: Spliced, reading: Reading
    ) -> MeasurementRequest | None:
        segment = self.next_segment(measurements, reading)
        if segment is None:
            return None
        rival = _set_name(self.reader, reading, 1)
        return MeasurementRequest(
            technique="xrd",
            settings={
                "two_theta_min": round(segment.low, 4),
                "two_theta_max": round(segment.high, 4),
                "step": round(spliced.step, 6),
                "counting_time": segment.counting_time,
            },
            reason=(
                f"{segment.low:.1f} to {segment.high:.1f}° for {segment.seconds:.0f} s should tell "
                f"most per second whether the phases are {_set_name(self.reader, reading, 0)} "
                f"({reading.sets.weights[0]:.2f}) or {rival} ({reading.sets.weights[1]:.2f})"
            ),
            expected_gain=segment.gain,
        )

    def _insight(
        self,
        measurements: Sequence[Measurement],
        reading: Reading,
        fit: Fit,
        misfit: Misfit,
        request: MeasurementRequest | None,
    ) -> Insight:
        told = state(fit, misfit=misfit, diameter=self.settings.grains)
        std = np.sqrt(np.diag(told.covariance))
        names = [self.reader.crystals[i].name for i in reading.proposed]
        of_set = dict(zip(names, reading.sets.fraction_std, strict=True))
        sure, doubted = (
            float(reading.sets.weights[0]),
            doubt(misfit, prior=self.settings.prior_wrong),
        )
        if request is not None:
            surer = 1.0 - (1.0 - sure) * share_left(reading.sets.entropy, request.expected_gain)
            request = replace(request, p_wrong=self._wrong(surer, doubted))
        logger.info(
            "read measurement=%s agent=%s sets=%d likeliest=%.2f",
            measurements[-1].id,
            self.name,
            len(reading.sets.weights),
            sure,
        )
        return Insight(
            **self._shared(measurements, reading, request),  # type: ignore[arg-type]
            estimates={
                f"xrd.weight_fraction.{name[1]}": Estimate(
                    float(value), float(np.hypot(s, of_set[name[1]])), ""
                )
                for name, value, s in zip(told.names, told.values, std, strict=True)
                if name[0] == "weight_fraction"
            },
            p_wrong=self._wrong(sure, doubted),
            novelty=novelty(misfit),
            quality={"rwp": misfit.rwp, "entropy": reading.sets.entropy},
            evidence={"pattern": fit_curve(fit), **tick_marks(fit), **self._information(reading)},
            remarks=() if request is None else (request.reason,),
        )

    def _wrong(self, sure: float, doubted: float) -> float:
        """Return the probability that the set is wrong, or lacks a phase that is no candidate."""
        return 1.0 - (1.0 - set_is_wrong(sure, prior=self.settings.prior_wrong)) * (1.0 - doubted)

    def _abstained(
        self,
        measurements: Sequence[Measurement],
        reading: Reading | None,
        request: MeasurementRequest | None,
        why: str,
    ) -> Insight:
        logger.warning("abstained measurement=%s agent=%s: %s", measurements[-1].id, self.name, why)
        remark = f"{why}: much of this pattern may belong to a phase that is no candidate"
        return Insight(
            **self._shared(measurements, reading, request),  # type: ignore[arg-type]
            abstained=True,
            remarks=(remark,),
        )

    def _shared(
        self,
        measurements: Sequence[Measurement],
        reading: Reading | None,
        request: MeasurementRequest | None,
    ) -> dict[str, object]:
        return {
            "id": f"{measurements[-1].id}/{self.name}",
            "agent": self.name,
            "measurement_ids": tuple(m.id for m in measurements),
            "class_probabilities": {} if reading is None else self._probabilities(reading),
            "next_measurement": request,
        }

    def _probabilities(self, reading: Reading) -> dict[str, dict[str, float]]:
        names = [self.reader.crystals[i].name for i in reading.proposed]
        found = {
            f"xrd.phase.{name}": {"present": float(p), "absent": float(1.0 - p)}
            for name, p in zip(names, np.minimum(reading.sets.presence, 1.0), strict=True)
        }
        found["xrd.phase_set"] = {
            _set_name(self.reader, reading, k): float(w) for k, w in enumerate(reading.sets.weights)
        }
        return found

    def _information(self, reading: Reading) -> dict[str, Curve]:
        """Return how much each strip of the pattern would tell per second, counted alone."""
        if len(reading.sets.weights) < 2:
            return {}
        centres, rates = strip_rates(reading.model, reading.sets, timing=self.settings.timing)
        columns = {"expected_information": rates}
        return {"information": Curve(centres, "two_theta", "deg", columns, "nats/s")}


def make(settings: Mapping[str, object], folder: Path) -> Adaptive:
    """Return the agent that a campaign's settings describe, its structures read.

    Raises
    ------
    pydantic.ValidationError, BadPhase, BadSettings
        The settings are wrong.
    """
    return Adaptive(AdaptiveSettings.model_validate(dict(settings)), folder)


def _all_timed(measurements: Sequence[Measurement]) -> bool:
    return all(isinstance(m.settings.get("counting_time"), int | float) for m in measurements)


def _counting_time(measurements: Sequence[Measurement]) -> float:
    """Return the counting time of a point in the scan of the widest range [s]."""
    widest = max(measurements, key=lambda m: float(m.x[-1] - m.x[0]))
    return float(widest.settings["counting_time"])


def _set_name(reader: Reader, reading: Reading, k: int) -> str:
    held = zip(reading.proposed, reading.sets.holds[k], strict=True)
    return " + ".join(reader.crystals[i].name for i, is_held in held if is_held) or "none"
