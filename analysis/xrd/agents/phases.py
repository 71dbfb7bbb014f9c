"""xrd.phases: which of many candidate phases a powder holds; networks propose, refinement disposes.

After XRD-AutoAnalyzer (Szymanski et al. 2021, doi:10.1021/acs.chemmater.1c01071), whose network
names phases one by one, and CrystalShift (Chang et al. 2023, arXiv:2308.07897), whose refinement
weighs candidates.

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
from analysis.learning.activation import activation_map
from analysis.learning.calibration import with_prior
from analysis.weights import Card
from analysis.xrd.absence import hidden_fractions
from analysis.xrd.candidates import PhasesSettings, considered, namer_of, recipe_of
from analysis.xrd.curves import fit_curve
from analysis.xrd.disposing import Disposed
from analysis.xrd.doubt import novelty
from analysis.xrd.naming import PRESENT, Opinion, probabilities, set_features
from analysis.xrd.preprocess import FitRange, prepare
from analysis.xrd.texturing import textures_of
from analysis.xrd.ticks import tick_marks
from analysis.xrd.training import decisions
from analysis.xrd.training.ensemble import load
from analysis.xrd.training.phases import (
    AGENT,
    HIGH,
    LOW,
    STEP,
    TWO_THETA,
    digest,
)
from analysis.xrd.uncertainty import state
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]

STRANGE = 0.5
"""Novelty from which the agent declines: much of the pattern is no candidate's."""

NEEDED = (25.0, 60.0)
"""Range [deg] that a pattern must cover; the networks learnt on none that covers less."""


class Phases:
    """Names the phases of one powder pattern.

    An ensemble of convolutional networks with dropout gives every candidate a probability; a fit
    of unrefined patterns adds what the networks missed; a full-profile fit keeps what the pattern
    needs; and a logistic function of both, learnt on simulated samples with other artefacts, is
    the probability that the phase is there.

    Estimates are the weight fractions of all candidates: as of `xrd.quantify` for those that are
    named, 0 for the others with as much as may hide. Class probabilities have a question
    ``xrd.phase.<name>`` for each candidate. `p_wrong` is the probability that the set as a whole
    is wrong, learnt on the same samples and brought to how often sets are wrong by `prior_wrong`.
    It abstains where no phase is found or half of the pattern is unlike every candidate.

    Raises
    ------
    BadPhase, BadSettings
        A candidate cannot be read, an excluded one is none, or there is no such recipe.
    WeightsNotTrained
        The networks for these candidates have not been trained; the message names the command.
    """

    name = AGENT
    technique = "xrd"

    def __init__(self, settings: PhasesSettings, folder: Path) -> None:
        self.settings = settings
        trained = settings.crystals(folder)
        self._home = folder
        self.radiation = settings.radiation.radiation()
        self._folder = weights.find(
            AGENT,
            digest(trained, self.radiation, recipe_of(settings), settings.seed),
            command=_command(settings),
        )
        self._decisions = decisions.read(self._folder)
        networks = load(self._folder, two_theta=TWO_THETA, wavelength=self.radiation.wavelength)
        left = considered(settings, trained)
        self.crystals = tuple(trained[i] for i in left)
        self._namer = namer_of(settings, self.crystals, networks.only(left))

    def without(self, excluded: Sequence[str]) -> Phases:
        """Return the agent with some of its candidates excluded.

        Raises
        ------
        BadSettings
            One is no candidate, or fewer than two are left.
        """
        both = (*self.settings.excluded, *excluded)
        return Phases(self.settings.model_copy(update={"excluded": both}), self._home)

    @property
    def card(self) -> Card:
        """How the networks were trained and how good they are."""
        return weights.read_card(self._folder)

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return {f"xrd.weight_fraction.{c.name}": "" for c in self.crystals}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return which candidates the sample holds.

        Of several measurements the one with the best counting statistics is read.

        Raises
        ------
        BadPattern
            A measurement is no powder pattern of this radiation, or misses much of the range.
        """
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one powder pattern")
        prepared = [(m, *self._prepared(m)) for m in measurements]
        chosen, data, counts = max(prepared, key=lambda t: float((t[1].counts / t[1].sigma).sum()))
        opinion = self._namer.opinion(counts, seed=int(rng.integers(2**31)))
        disposed = self._namer.disposed(data, opinion)
        probability = probabilities(opinion, disposed, self._decisions.phase)
        wrong = with_prior(
            float(self._decisions.wrong.probability(set_features(probability, disposed))[0]),
            base=self._decisions.base,
            prior=self.settings.prior_wrong,
        )
        named = np.flatnonzero(probability > PRESENT)
        if len(named):
            disposed = self._namer.settled(data, disposed, [int(i) for i in named])
        return self._insight(chosen, measurements, counts, opinion, disposed, probability, wrong)

    def opinion(self, measurement: Measurement, *, seed: int) -> Opinion:
        """Return what networks and screen say of a pattern before anything is refined.

        Raises
        ------
        BadPattern
            As in `analyze`.
        """
        return self._namer.opinion(self._prepared(measurement)[1], seed=seed)

    @property
    def patterns(self) -> FloatArray:
        """Pattern of each candidate as its structure alone would give it, (n_phases, n_points)."""
        return self._namer.columns

    def _prepared(self, measurement: Measurement) -> tuple[FitRange, FloatArray]:
        data = prepare(
            measurement, radiation=self.radiation, two_theta_range=self.settings.two_theta
        )
        low, high = float(data.two_theta[0]), float(data.two_theta[-1])
        if low > NEEDED[0] or high < NEEDED[1]:
            raise BadPattern(
                f"{measurement.id} runs from {low:g} to {high:g}°, but the networks need at least "
                f"{NEEDED[0]:g} to {NEEDED[1]:g}° and make use of {LOW:g} to {HIGH:g}°; measure "
                "that range, or use xrd.quantify with the phases that may be there"
            )
        return data, np.interp(TWO_THETA, data.two_theta, data.counts, left=np.nan, right=np.nan)

    def _insight(
        self,
        chosen: Measurement,
        measurements: Sequence[Measurement],
        counts: FloatArray,
        opinion: Opinion,
        disposed: Disposed,
        probability: FloatArray,
        wrong: float,
    ) -> Insight:
        named = np.flatnonzero(probability > PRESENT)
        strange = 1.0 if disposed.misfit is None else novelty(disposed.misfit)
        shared = {
            "id": f"{chosen.id}/{self.name}",
            "agent": self.name,
            "measurement_ids": tuple(m.id for m in measurements),
            "class_probabilities": {
                f"xrd.phase.{c.name}": {"present": float(p), "absent": float(1.0 - p)}
                for c, p in zip(self.crystals, probability, strict=True)
            },
            "novelty": strange,
            "evidence": self._evidence(counts, disposed, named),
        }
        if not len(named) or strange > STRANGE:
            why = "no candidate was found" if not len(named) else f"novelty is {strange:.2f}"
            remark = f"{why}: much of this pattern may belong to a phase that is no candidate"
            return Insight(**shared, abstained=True, remarks=(remark,))  # type: ignore[arg-type]
        return Insight(
            **shared,  # type: ignore[arg-type]
            estimates=self._fractions(disposed, named, probability),
            p_wrong=wrong,
            quality={} if disposed.misfit is None else {"rwp": disposed.misfit.rwp},
            remarks=tuple(self._remarks(opinion, disposed, probability)),
        )

    def _fractions(
        self, disposed: Disposed, named: NDArray[np.intp], probability: FloatArray
    ) -> dict[str, Estimate]:
        """Return the weight fraction of every candidate; of those not named, how much may hide."""
        if disposed.fit is None or disposed.misfit is None:
            return {}
        told = state(disposed.fit, misfit=disposed.misfit, diameter=self.settings.grains)
        spread = np.sqrt(np.diag(told.covariance))
        value, std = np.zeros(len(self.crystals)), np.zeros(len(self.crystals))
        place = {self.crystals[int(i)].name: int(i) for i in named}
        for name, mean, s in zip(told.names, told.values, spread, strict=True):
            if name[0] == "weight_fraction" and name[1] in place:
                value[place[name[1]]], std[place[name[1]]] = mean, s
        hidden = hidden_fractions(disposed, value, self.patterns, probability, step=STEP)
        absent = np.setdiff1d(np.arange(len(self.crystals)), named)
        std[absent] = hidden[absent]
        return {
            f"xrd.weight_fraction.{c.name}": Estimate(float(v), float(s), "")
            for c, v, s in zip(self.crystals, value, std, strict=True)
        }

    def _evidence(
        self, counts: FloatArray, disposed: Disposed, named: NDArray[np.intp]
    ) -> dict[str, Curve]:
        networks = self._namer.networks
        first = networks.members[0]
        curve = first.view(counts[None])[0]
        columns = {"observed": counts} | {
            f"activation.{self.crystals[int(i)].name}": activation_map(first.network, curve, int(i))
            for i in named
        }
        seen = np.isfinite(counts)
        told = {name: column[seen] for name, column in columns.items()}
        found = {"activation": Curve(TWO_THETA[seen], "two_theta", "deg", told, "counts")}
        if disposed.fit is not None:
            found |= {"pattern": fit_curve(disposed.fit), **tick_marks(disposed.fit)}
        return found

    def _remarks(self, opinion: Opinion, disposed: Disposed, probability: FloatArray) -> list[str]:
        """Return a sentence for each texture, and where networks and refinement disagree."""
        found = [
            f"{name} is textured along {axis}: March's r is {r:.2f}"
            for name, (axis, r) in (
                {} if disposed.fit is None else textures_of(disposed.fit)
            ).items()
        ]
        for index in disposed.evidence:
            by_network, p = float(opinion.probability[index]), float(probability[index])
            if (by_network > PRESENT) != (p > PRESENT):
                verb = "sees" if by_network > PRESENT else "does not see"
                found.append(
                    f"the network {verb} {self.crystals[index].name} ({by_network:.2f}); with the "
                    f"refinement its probability is {p:.2f}"
                )
        return found


def make(settings: Mapping[str, object], folder: Path) -> Phases:
    """Return the agent that a campaign's settings describe, its networks loaded.

    Raises
    ------
    pydantic.ValidationError, BadPhase, BadSettings, WeightsNotTrained
        The settings are wrong, or the networks have not been trained.
    """
    return Phases(PhasesSettings.model_validate(dict(settings)), folder)


def _command(settings: PhasesSettings) -> str:
    return (
        f"sdlab train {AGENT} --recipe {settings.recipe} --seed {settings.seed} --settings FILE, "
        "with the same phases and radiation in FILE (a campaign file will do)"
    )
