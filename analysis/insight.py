"""Insight: what an agent read from measurements, how sure it is, and what it would like next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard deviation.

    Attributes
    ----------
    std : standard deviation in `unit`; None if unknown, never 0 for unknown.
    """

    value: float
    std: float | None
    unit: str

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"an estimate of {self.value} {self.unit} is no finite number")
        if self.std is not None and not (math.isfinite(self.std) and self.std >= 0):
            raise ValueError(f"an estimate's std of {self.std} is no finite number >= 0")

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.value:.4g} ± {'?' if self.std is None else f'{self.std:.2g}'}{unit}"


@dataclass(frozen=True, slots=True)
class MeasurementRequest:
    """A further measurement that would sharpen the insight.

    Attributes
    ----------
    technique : which technique.
    settings : setting → value for the measuring instrument.
    reason : one sentence for a person.
    expected_gain : expected reduction of the entropy or variance named in `reason`; None unknown.
    promised : quantity → standard deviation that its estimate is expected to have afterwards.
    p_wrong : probability expected afterwards that the statement is wrong; None unknown.
    """

    technique: str
    settings: Mapping[str, float | str]
    reason: str
    expected_gain: float | None = None
    promised: Mapping[str, float] = field(default_factory=dict)
    p_wrong: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A curve kept as evidence, with named columns over one axis.

    Attributes
    ----------
    x : (n_points,) axis.
    columns : name → (n_points,) values, e.g. ``observed``, ``calculated``, ``difference``.
    """

    x: FloatArray
    x_name: str
    x_unit: str
    columns: Mapping[str, FloatArray]
    y_unit: str = ""

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            if column.shape != self.x.shape:
                raise ValueError(f"column {name!r} has shape {column.shape}, x {self.x.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class Insight:
    """What one agent says about one sample.

    Attributes
    ----------
    id : unique in the campaign, ``<measurement>/<agent>``.
    agent : name of the agent, e.g. ``xrd.quantify``.
    measurement_ids : what it looked at.
    estimates : full key (``xrd.weight_fraction.rutile``) → number ± std.
    covariance_keys, covariance : order and (n, n) covariance of some or all estimates.
    class_probabilities : question → {answer: probability}, each summing to 1.
    p_wrong : probability that the statement as a whole is wrong; None if the agent cannot tell.
    novelty : 0 (like what the agent knows) … 1 (unlike anything); None if it cannot tell.
    quality : figures of merit such as ``rwp`` and ``chi2_reduced``.
    evidence : name → curve a person can look at.
    next_measurement : what would help most, or None.
    abstained : the agent declines; `remarks` says why and estimates are empty.
    remarks : sentences for a person.
    infeasible : why the sample counts as one that cannot be had, such as a phase that must not
        form; then the experiment has failed, and planners learn to avoid such settings.
    asks_person : what a person should look at, in one sentence; usually empty.
    """

    id: str
    agent: str
    measurement_ids: tuple[str, ...]
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    covariance_keys: tuple[str, ...] = ()
    covariance: FloatArray | None = None
    class_probabilities: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    p_wrong: float | None = None
    novelty: float | None = None
    quality: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, Curve] = field(default_factory=dict)
    next_measurement: MeasurementRequest | None = None
    abstained: bool = False
    remarks: tuple[str, ...] = ()
    infeasible: str = ""
    asks_person: str = ""

    def __post_init__(self) -> None:
        for name in ("p_wrong", "novelty"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"{name} = {value} is no probability between 0 and 1")
        for question, answers in self.class_probabilities.items():
            if abs(sum(answers.values()) - 1) > 1e-6 or min(answers.values()) < 0:
                raise ValueError(f"the probabilities of {question!r} do not sum to 1: {answers}")
        if self.abstained and (self.estimates or not self.remarks):
            raise ValueError("an insight that abstains has no estimates and says why")
        self._check_covariance()

    def _check_covariance(self) -> None:
        n = len(self.covariance_keys)
        if self.covariance is None:
            if n:
                raise ValueError("covariance_keys without a covariance")
            return
        if self.covariance.shape != (n, n) or not np.all(np.isfinite(self.covariance)):
            raise ValueError(
                f"the covariance of {n} estimates has shape {self.covariance.shape} or holds "
                "values that are no finite numbers"
            )
        strangers = set(self.covariance_keys) - set(self.estimates)
        if strangers:
            raise ValueError(f"the covariance speaks of unknown estimates {sorted(strangers)}")
