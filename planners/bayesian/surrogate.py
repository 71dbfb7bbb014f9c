"""What the observations say about each quantity: one Gaussian process a quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planners.bayesian.calibration import NO_RECORD, Record, record_of
from planners.bayesian.gaussian_process import GaussianProcess, SurrogateFailed, fit
from planners.bayesian.weighing import Mixture
from planners.encoding import Array, Encoding
from planners.objective import Objective
from planners.proposal import Observation, Prediction

MAX_P_WRONG = 0.999
SAME_VALUE = 1e-9
"""Relative spread below which all values of a quantity count as identical."""


@dataclass(frozen=True, slots=True)
class Surrogate:
    """The process of one quantity and the way back to its unit.

    Attributes
    ----------
    process : fitted to ``(value - location) / scale``.
    location, scale : weighted mean and standard deviation of the values, in the quantity's unit.
    record : how past predictions of the quantity fared; it widens what is predicted now.
    blend : several models of the same standardised values that predict instead of the process;
        None where it predicts alone.
    """

    process: GaussianProcess
    location: float
    scale: float
    record: Record = NO_RECORD
    blend: Mixture | None = None

    @property
    def teller(self) -> GaussianProcess | Mixture:
        """What predicts the standardised quantity."""
        return self.process if self.blend is None else self.blend

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of the noise-free quantity at coordinates."""
        mean, std = self.teller.predict(x)
        return self.location + self.scale * mean, self.record.widening * self.scale * std

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Return joint mean and covariance of the noise-free quantity at coordinates."""
        mean, covariance = self.teller.joint(x)
        return (
            self.location + self.scale * mean,
            (self.record.widening * self.scale) ** 2 * covariance,
        )

    def believing(self, x: Array) -> Surrogate:
        """Return the surrogate once points under way have come out as predicted."""
        if not len(x):
            return self
        blend = None if self.blend is None else self.blend.believing(x)
        return replace(self, process=self.process.believing(x), blend=blend)

    @property
    def noise_std(self) -> float:
        """Learnt standard deviation of a measurement that states none, in the quantity's unit."""
        return self.record.widening * self.scale * float(np.sqrt(self.process.parameters.noise))


Surrogates = Mapping[str, Surrogate]
"""Quantity → its surrogate, in the order of `Objective.quantities`."""


def fit_surrogates(
    encoding: Encoding, objective: Objective, observations: Sequence[Observation]
) -> Surrogates:
    """Return one surrogate for each quantity of the objective.

    Failed observations do not enter, nor does an observation that lacks the quantity.

    Raises
    ------
    SurrogateFailed
        A quantity has fewer than two values, every target is constant, or a fit fails.
    """
    known = {
        q: [o for o in observations if not o.failed and q in o.outcomes]
        for q in objective.quantities
    }
    for quantity, rows in known.items():
        if len(rows) < 2:
            raise SurrogateFailed(
                f"{quantity} is known of {len(rows)} experiments; a surrogate needs two"
            )
    if all(_is_constant(t.quantity, known[t.quantity]) for t in objective.targets):
        names = ", ".join(t.quantity for t in objective.targets)
        raise SurrogateFailed(f"every experiment gave the same value of {names}")
    return {q: fit_quantity(encoding, q, rows) for q, rows in known.items()}


def fit_quantity(
    encoding: Encoding, quantity: str, observations: Sequence[Observation]
) -> Surrogate:
    """Return the surrogate of one quantity that every observation knows.

    Each value keeps its own noise: its stated variance, or one inferred variance shared by all
    values that state none.

    Notes
    -----
    An analysis that is wrong with probability p reports, instead of the quantity f with noise
    variance s², a value drawn from the population of values (variance V) and unrelated to f.
    The mixture has cov(value, f) = (1 - p) V and var(value) = V + (1 - p) s²; the Gaussian noise
    with the same best linear estimate of f has variance ``s² + V p / (1 - p)``. It is added here
    with V the variance of the values: nothing at p = 0, no information left as p → 1.
    """
    table = standardised(encoding, quantity, observations)
    process = fit(table.x, table.y, table.known, table.extra, groups=encoding.groups)
    record = record_of(quantity, observations)
    return Surrogate(process=process, location=table.location, scale=table.scale, record=record)


@dataclass(frozen=True, slots=True)
class Standardised:
    """The values of one quantity as a fit takes them.

    Attributes
    ----------
    x : coordinates, shape (n, n_columns).
    y : values minus `location`, over `scale`, shape (n,).
    known : stated noise variances on that scale, NaN where none is stated, shape (n,).
    extra : variance for the chance that an analysis is wrong, shape (n,).
    location, scale : weighted mean and standard deviation of the values, in the quantity's unit.
    """

    x: Array
    y: Array
    known: Array
    extra: Array
    location: float
    scale: float


def standardised(
    encoding: Encoding, quantity: str, observations: Sequence[Observation]
) -> Standardised:
    """Return the values of one quantity that every observation knows, as a fit takes them."""
    values = np.array([o.outcomes[quantity] for o in observations], dtype=np.float64)
    stds = np.array([o.stds.get(quantity, np.nan) for o in observations], dtype=np.float64)
    p_wrong = np.minimum([o.p_wrong for o in observations], MAX_P_WRONG)
    location = float(np.average(values, weights=1.0 - p_wrong))
    spread = float(np.sqrt(np.average((values - location) ** 2, weights=1.0 - p_wrong)))
    scale = spread if spread > SAME_VALUE * abs(location) else (abs(location) or 1.0)
    return Standardised(
        x=encoding.encode_observations(observations),
        y=(values - location) / scale,
        known=(stds / scale) ** 2,
        extra=p_wrong / (1.0 - p_wrong),
        location=location,
        scale=scale,
    )


def predictions(surrogates: Surrogates, x: Array) -> list[dict[str, Prediction]]:
    """Return quantity → prediction for each row of coordinates."""
    tables = {q: s.predict(x) for q, s in surrogates.items()}
    told = {q: (s.noise_std, s.record.widening) for q, s in surrogates.items()}
    return [
        {
            q: Prediction(
                mean=float(mean[i]), std=float(std[i]), noise=told[q][0], widened=told[q][1]
            )
            for q, (mean, std) in tables.items()
        }
        for i in range(len(x))
    ]


def learnt(encoding: Encoding, surrogates: Surrogates) -> dict[str, float]:
    """Return what the surrogates learnt, by name, as a proposal records it.

    ``<quantity>.length_scale.<name>`` is relative: 1 is the whole range of the name (its logarithm
    where `log`). ``<quantity>.noise_std`` is the inferred noise in the quantity's unit, absent
    where every value stated its own; ``<quantity>.signal_std`` the amplitude of the process.
    ``<quantity>.weight.<model>`` is the weight of a model beside the process that has a name.
    """
    found: dict[str, float] = {}
    for quantity, surrogate in surrogates.items():
        parameters = surrogate.process.parameters
        for name, length in zip(encoding.group_names, parameters.lengths, strict=True):
            found[f"{quantity}.length_scale.{name}"] = float(length)
        found[f"{quantity}.signal_std"] = float(np.sqrt(parameters.signal)) * surrogate.scale
        if parameters.noise > 0:
            found[f"{quantity}.noise_std"] = float(np.sqrt(parameters.noise)) * surrogate.scale
        if surrogate.blend is not None:
            for name, weight in zip(surrogate.blend.names, surrogate.blend.weights, strict=True):
                if name:
                    found[f"{quantity}.weight.{name}"] = float(weight)
    return found


def _is_constant(quantity: str, observations: Sequence[Observation]) -> bool:
    values = np.array([o.outcomes[quantity] for o in observations], dtype=np.float64)
    return bool(np.ptp(values) <= SAME_VALUE * np.max(np.abs(values)))
