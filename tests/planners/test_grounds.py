"""What a choice rests on: sentences that say what the numbers say."""

from __future__ import annotations

import numpy as np
import pytest

from planners.bayesian.influence import influences, most_telling
from planners.bayesian.planner import make
from planners.bayesian.surrogate import fit_surrogates
from planners.encoding import Encoding
from planners.grounds import runner_up, surer
from planners.objective import Objective, Target
from planners.parameters import ContinuousParameter
from planners.proposal import Observation, Prediction
from planners.space import SearchSpace

SPACE = SearchSpace(parameters=(ContinuousParameter(name="dwell", low=0.0, high=10.0, unit="h"),))
OBJECTIVE = Objective(targets=(Target(quantity="hardness", goal="maximize", unit="GPa"),))


def made(*points: tuple[float, float]) -> list[Observation]:
    return [Observation(values={"dwell": x}, outcomes={"hardness": y}) for x, y in points]


def test_influence_is_what_leaving_an_outcome_out_does() -> None:
    rng = np.random.default_rng(3)
    root = rng.standard_normal((7, 7))
    covariance = root @ root.T + np.eye(7)
    outcomes, cross = rng.standard_normal(7), rng.standard_normal(7)
    weights = np.linalg.solve(covariance, outcomes)
    moved = influences(cross, np.linalg.cholesky(covariance), weights)
    for j in range(7):
        kept = np.arange(7) != j
        alone = np.linalg.solve(covariance[np.ix_(kept, kept)], outcomes[kept])
        assert moved[j] == pytest.approx(cross[kept] @ alone - cross @ weights)


def test_the_most_telling_experiment_is_the_outlier_beside_the_point() -> None:
    observations = made((0.5, 1.0), (2.0, 1.1), (5.0, 3.0), (8.0, 1.0), (9.5, 1.1))
    encoding = Encoding(SPACE)
    surrogate = fit_surrogates(encoding, OBJECTIVE, observations)["hardness"]
    told = most_telling(encoding, surrogate, encoding.encode([{"dwell": 5.2}])[0], observations)
    assert told is not None
    assert told.observation.values == {"dwell": 5.0}
    assert told.without < 3.0


def test_a_sample_leaves_less_doubt_than_there_was_and_less_than_its_noise() -> None:
    [sentence] = surer({"hardness": Prediction(mean=3.0, std=0.4, noise=0.3)}, {"hardness": "GPa"})
    assert "± 0.4 GPa" in sentence
    assert "± 0.24 GPa" in sentence


@pytest.mark.parametrize(
    ("values", "acquisition", "said"),
    [
        ([0.0, float(np.log(0.5))], "LogEI", "50 %"),
        ([2.0, 1.0], "expected gain of likeness", "50 %"),
        ([0.7, 0.5], "UCB", "0.2 lower in UCB"),
        ([0.0, 0.0], "LogEI", "as much"),
    ],
)
def test_the_runner_up_is_told_in_the_meaning_of_its_acquisition(
    values: list[float], acquisition: str, said: str
) -> None:
    [sentence] = runner_up([{"dwell": 1.0}, {"dwell": 2.0}], values, acquisition=acquisition)
    assert said.replace(" %", "%") in sentence.replace(" %", "%")
    assert "dwell = 2" in sentence


def test_every_choice_of_a_model_says_what_it_rests_on() -> None:
    observations = made((0.5, 1.0), (2.0, 1.4), (5.0, 3.0), (8.0, 1.9), (9.5, 1.1))
    [proposal] = make({}).propose(
        SPACE, OBJECTIVE, observations=observations, rng=np.random.default_rng(0)
    )
    grounds = proposal.reason.grounds
    assert any("hardness" in s and "GPa" in s for s in grounds.reduces)
    assert any("dwell = 5" in s for s in grounds.evidence)
    assert grounds.would_change
