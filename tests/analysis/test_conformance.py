"""The conformance suite must fail for agents that break the protocol, each in its own way."""

from collections.abc import Sequence

import numpy as np
import pytest

from analysis import BadPattern, Estimate, Insight
from analysis.conformance import check_agent
from instruments.measurement import Measurement
from tests.analysis.xrd.patterns import TWO_THETA, measurement


class Mean:
    """Reads the mean of a pattern; conforms."""

    name = "xrd.mean"
    technique = "xrd"

    @property
    def quantities(self) -> dict[str, str]:
        return {"xrd.mean": "counts"}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        if not measurements or measurements[0].technique != "xrd":
            raise BadPattern("a powder pattern was expected")
        return self.answer(measurements[0], rng)

    def answer(self, taken: Measurement, rng: np.random.Generator) -> Insight:
        return self.say(taken, Estimate(float(taken.y.mean()), 1.0, "counts"))

    def say(self, taken: Measurement, estimate: Estimate, key: str = "xrd.mean") -> Insight:
        return Insight(f"{taken.id}/{self.name}", self.name, (taken.id,), {key: estimate})


class WrongUnit(Mean):
    def answer(self, taken: Measurement, rng: np.random.Generator) -> Insight:
        return self.say(taken, Estimate(1.0, 1.0, "cps"))


class Unannounced(Mean):
    def answer(self, taken: Measurement, rng: np.random.Generator) -> Insight:
        return self.say(taken, Estimate(1.0, 1.0, "counts"), key="xrd.median")


class Restless(Mean):
    def answer(self, taken: Measurement, rng: np.random.Generator) -> Insight:
        draw = np.random.default_rng().normal()
        return self.say(taken, Estimate(float(draw), 1.0, "counts"))


class Vandal(Mean):
    def answer(self, taken: Measurement, rng: np.random.Generator) -> Insight:
        taken.y[0] += 1
        return self.say(taken, Estimate(1.0, 1.0, "counts"))


class Omnivore(Mean):
    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        if not measurements:
            raise BadPattern("a pattern was expected")
        return self.answer(measurements[0], rng)


class Contradictory(Mean):
    def answer(self, taken: Measurement, rng: np.random.Generator) -> Insight:
        return Insight(
            f"{taken.id}/{self.name}",
            self.name,
            (taken.id,),
            {"xrd.mean": Estimate(1.0, 1.0, "counts")},
            covariance_keys=("xrd.mean",),
            covariance=np.array([[9.0]]),
        )


class Silent(Mean):
    def answer(self, taken: Measurement, rng: np.random.Generator) -> Insight:
        return Insight(f"{taken.id}/{self.name}", self.name, (taken.id,))


class Impostor(Mean):
    def answer(self, taken: Measurement, rng: np.random.Generator) -> Insight:
        said = {"xrd.mean": Estimate(1.0, 1.0, "counts")}
        return Insight("x", "xrd.other", (taken.id,), said)


class Empty(Mean):
    @property
    def quantities(self) -> dict[str, str]:
        return {}


def pattern() -> Measurement:
    return measurement(TWO_THETA, np.full(len(TWO_THETA), 5.0))


def test_a_good_agent_passes() -> None:
    insight = check_agent(Mean(), [pattern()], rng=np.random.default_rng(0))
    assert insight.estimates["xrd.mean"].value == 5.0


@pytest.mark.parametrize(
    ("agent", "sentence"),
    [
        (WrongUnit(), "announced in 'counts'"),
        (Unannounced(), "did not announce"),
        (Restless(), "two insights"),
        (Vandal(), "changed the arrays"),
        (Omnivore(), "technique 'sas'"),
        (Contradictory(), "in the covariance"),
        (Silent(), "says nothing"),
        (Impostor(), "signs its insight as"),
        (Empty(), "announces no quantity"),
    ],
)
def test_each_breach_is_named(agent: Mean, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_agent(agent, [pattern()], rng=np.random.default_rng(0))
