"""Failures warn of their neighbourhood and of nothing else."""

import numpy as np
import pytest

from planners import Observation
from planners.bayesian.feasibility import success_model
from planners.conformance import example_spaces
from planners.encoding import Encoding

ENCODING = Encoding(example_spaces()["continuous"])


def at(x, y, *, failed):
    values = {"temperature": 300 + 600 * x, "time": 1 + 11 * y}
    if failed:
        return Observation(values=values, failed=True, failure="jam")
    return Observation(values=values, outcomes={"q": 1.0})


def test_no_failure_no_model():
    assert success_model(ENCODING, [at(0.5, 0.5, failed=False)]) is None


def test_chance_is_low_on_a_failure_high_on_a_success_and_near_prior_far_away():
    model = success_model(ENCODING, [at(0, 0, failed=True), at(0.5, 0, failed=False)])
    on, good, far = model.probability(np.array([[0.0, 0.0], [0.5, 0.0], [1.0, 1.0]]))
    assert on < 0.1
    assert good > 0.95
    assert far == pytest.approx(0.84, abs=0.03)


@pytest.mark.parametrize("known", [{"cause": "measurement"}, {"repeat": True}])
def test_jammed_detector_and_a_lost_sample_say_nothing_of_the_recipe(known):
    jam = at(0, 0, failed=True).model_copy(update=known)
    assert success_model(ENCODING, [jam, at(0.5, 0, failed=False)]) is None
    broken = at(1, 1, failed=True).model_copy(update={"cause": "synthesis"})
    model = success_model(ENCODING, [jam, broken, at(0.5, 0, failed=False)])
    on_jam, on_broken = model.probability(np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert on_jam > 0.8
    assert on_broken < 0.1


def test_many_failures_on_one_spot_reach_no_further_than_one():
    one = success_model(ENCODING, [at(0, 0, failed=True), at(0.3, 0, failed=False)])
    many = success_model(ENCODING, [at(0, 0, failed=True)] * 9 + [at(0.3, 0, failed=False)])
    spot = np.array([[0.25, 0.0]])
    assert many.probability(spot) == pytest.approx(one.probability(spot), abs=0.1)


def test_torch_weighs_with_the_same_probability():
    import torch
    from botorch.acquisition import AcquisitionFunction

    from planners.bayesian.acquisition import SuccessWeighted

    class Flat(AcquisitionFunction):
        def forward(self, x):
            return torch.zeros(len(x), dtype=torch.float64)

    model = success_model(ENCODING, [at(0.1, 0.2, failed=True), at(0.6, 0.7, failed=False)])
    x = np.random.default_rng(0).random((9, 2))
    weighed = SuccessWeighted(Flat(model=None), model)(torch.as_tensor(x).unsqueeze(1))
    assert weighed.exp().numpy() == pytest.approx(model.probability(x), rel=1e-6)
