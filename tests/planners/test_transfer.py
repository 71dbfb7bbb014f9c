"""Earlier campaigns help where they rank alike, and are left aside where they mislead."""

from functools import cache

import numpy as np
import pytest
import torch

from planners import (
    CategoricalParameter,
    ContinuousParameter,
    Objective,
    Observation,
    PlanningError,
    SearchSpace,
    Target,
)
from planners.bayesian.blended_model import BlendedModel
from planners.bayesian.gaussian_process import fit
from planners.bayesian.transfer import earlier_processes, learnt_from, ranking_weights
from planners.bayesian.weighing import Mixture
from planners.earlier import EarlierCampaign, best_of, check_earlier, shared_names
from planners.encoding import Encoding

OBJECTIVE = Objective(targets=(Target(quantity="yield", goal="maximize"),))


def number(name, low=0.0, high=1.0, unit=""):
    return ContinuousParameter(name=name, low=low, high=high, unit=unit)


def space_of(*parameters):
    return SearchSpace(parameters=parameters)


HERE = space_of(number("a"), number("b"))


def outcome(values):
    return float(np.sin(3 * values["a"]) + values["b"] ** 2)


def campaign(function=outcome, *, space=HERE, n=40, seed=1, name="earlier"):
    rng = np.random.default_rng(seed)
    points = [
        {p.name: float(p.low + (p.high - p.low) * rng.random()) for p in space.parameters}
        for _ in range(n)
    ]
    told = tuple(Observation(values=p, outcomes={"yield": function(p)}) for p in points)
    return EarlierCampaign(name=name, space=space, observations=told)


def own_process(n=8, seed=2):
    x = np.random.default_rng(seed).random((n, 2))
    y = np.array([outcome({"a": a, "b": b}) for a, b in x])
    y = (y - y.mean()) / y.std()
    return fit(x, y, np.full(n, np.nan), np.zeros(n), groups=np.arange(2))


def blend(own, earlier, seed):
    n = len(own.y)
    return learnt_from(
        own,
        earlier,
        known=np.full(n, np.nan),
        extra=np.zeros(n),
        rng=np.random.default_rng(seed),
    )


@cache
def processes_of(function):
    return earlier_processes(Encoding(HERE), "yield", [campaign(function)])


def weight_of(function, own):
    mixture = blend(own, processes_of(function), 0)
    return dict(zip(mixture.names, mixture.weights, strict=True)).get("earlier", 0.0)


def alike(v):
    return 100 + 40 * outcome(v)


def opposite(v):
    return -outcome(v)


def stranger(v):
    """Smooth as the outcome is, and unlike it: its best is in the midst."""
    return float(np.sin(9 * v["a"] + 2) * np.cos(7 * v["b"]))


def test_names_are_shared_if_unit_and_kind_agree():
    there = space_of(
        number("a", -5, 5), number("b", unit="K"), CategoricalParameter(name="c", categories=("x",))
    )
    here = space_of(number("a"), number("b"), number("c"))
    assert shared_names(here, there) == ("a",)


@pytest.mark.parametrize("n", [3, 5, 8, 12])
def test_an_alike_campaign_keeps_weight_and_an_opposite_one_has_none_from_three_outcomes_on(n):
    own = [own_process(n, seed) for seed in range(10, 16)]
    # Single sets of three points may mislead; what counts is the usual case.
    assert np.median([weight_of(alike, o) for o in own]) > 0.4
    assert np.mean([weight_of(alike, o) for o in own]) > 0.4
    assert max(weight_of(opposite, o) for o in own) < 0.05


def test_a_stranger_that_foretells_itself_loses_its_weight_as_outcomes_come_in():
    for n, most in ((5, 0.3), (12, 0.05)):
        own = [own_process(n, seed) for seed in range(10, 18)]
        assert np.mean([weight_of(stranger, o) for o in own]) < most


def test_ranking_alone_believes_a_stranger_more_than_ranking_and_densities():
    (process,) = (e.process for e in processes_of(stranger))
    own = [own_process(3, seed) for seed in range(10, 22)]
    ranked = [ranking_weights(o, [process], rng=np.random.default_rng(0))[1] for o in own]
    both = [weight_of(stranger, o) for o in own]
    assert np.mean(ranked) > 0.05
    assert np.mean(both) < 0.7 * np.mean(ranked)


def test_noise_which_foretells_nothing_of_itself_is_left_out():
    rng = np.random.default_rng(4)
    noise = campaign(lambda v: rng.standard_normal())
    assert earlier_processes(Encoding(HERE), "yield", [noise]) == ()


def test_with_too_few_outcomes_to_rank_no_earlier_campaign_has_weight():
    assert weight_of(outcome, own_process(n=2)) == 0.0


def test_other_bounds_are_encoded_anew():
    wide = space_of(number("a", -1, 3), number("b", 0, 2))
    (found,) = earlier_processes(Encoding(HERE), "yield", [campaign(space=wide, n=120)])
    points = np.random.default_rng(5).random((30, 2))
    told, _ = found.process.predict(points)
    truth = [outcome({"a": a, "b": b}) for a, b in points]
    assert np.corrcoef(told, truth)[0, 1] > 0.98


def test_a_name_that_the_earlier_campaign_did_not_know_makes_no_difference_to_its_process():
    here = space_of(number("a"), number("new"), number("b"))
    (found,) = earlier_processes(Encoding(here), "yield", [campaign()])
    points = np.random.default_rng(6).random((5, 3))
    moved = points.copy()
    moved[:, 1] = 1 - moved[:, 1]
    assert found.process.predict(points)[0] == pytest.approx(found.process.predict(moved)[0])


def test_a_name_that_only_the_earlier_campaign_varied_counts_as_noise():
    more = space_of(number("a"), number("b"), number("gone"))
    (found,) = earlier_processes(
        Encoding(HERE), "yield", [campaign(lambda v: outcome(v) + v["gone"], space=more, n=80)]
    )
    assert found.process.parameters.noise > 0.05
    points = np.random.default_rng(7).random((30, 2))
    truth = [outcome({"a": a, "b": b}) for a, b in points]
    assert np.corrcoef(found.process.predict(points)[0], truth)[0, 1] > 0.9


def test_the_mixture_predicts_better_than_the_own_process_where_the_earlier_campaign_is_alike():
    own = own_process()
    earlier = earlier_processes(
        Encoding(HERE), "yield", [campaign(lambda v: 100 + 40 * outcome(v))]
    )
    mixture = blend(own, earlier, 8)
    points = np.random.default_rng(9).random((200, 2))
    truth = np.array([outcome({"a": a, "b": b}) for a, b in points])
    seen = np.array([outcome({"a": a, "b": b}) for a, b in own.x])
    truth = (truth - seen.mean()) / seen.std()
    alone, _ = own.predict(points)
    together, std = mixture.predict(points)
    assert np.mean((together - truth) ** 2) < 0.5 * np.mean((alone - truth) ** 2)
    assert np.mean(np.abs(together - truth) < 1.645 * std) > 0.8
    assert mixture.names == ("", "earlier")


def test_the_corrected_process_reproduces_the_own_outcomes_and_its_joint_its_marginals():
    own = own_process()
    earlier = earlier_processes(Encoding(HERE), "yield", [campaign(lambda v: outcome(v) + v["a"])])
    corrected = blend(own, earlier, 1).members[1]
    assert corrected.y == pytest.approx(own.y)
    assert corrected.predict(own.x)[0] == pytest.approx(own.y, abs=0.1)
    points = np.random.default_rng(2).random((6, 2))
    mean, std = corrected.predict(points)
    joint_mean, covariance = corrected.joint(points)
    assert joint_mean == pytest.approx(mean)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(std)
    model = BlendedModel([Mixture((corrected,), np.ones(1), ("",))], widenings=[1.0])
    told = model.posterior(torch.as_tensor(points))
    assert told.mean.squeeze(-1).numpy() == pytest.approx(mean)
    assert told.variance.squeeze(-1).numpy() == pytest.approx(std**2, abs=2e-6)  # the jitter


def test_the_same_generator_gives_the_same_mixture():
    earlier = earlier_processes(Encoding(HERE), "yield", [campaign()])
    a, b = (blend(own_process(), earlier, 3) for _ in range(2))
    assert np.array_equal(a.weights, b.weights)


def test_a_campaign_with_equal_or_too_few_outcomes_is_left_out():
    same = campaign(lambda v: 1.0)
    assert earlier_processes(Encoding(HERE), "yield", [same, campaign(n=2)]) == ()


def test_what_shares_no_setting_or_no_quantity_is_refused_in_words():
    stranger = campaign(lambda v: v["z"], space=space_of(number("z")))
    with pytest.raises(PlanningError, match="share no setting"):
        check_earlier(HERE, OBJECTIVE, [stranger])
    other = Objective(targets=(Target(quantity="purity", goal="maximize"),))
    with pytest.raises(PlanningError, match="knows yield, and this one wants purity"):
        check_earlier(HERE, other, [campaign()])
    check_earlier(HERE, OBJECTIVE, [campaign()])


def test_the_best_earlier_experiment_is_the_one_of_highest_rank():
    earlier = campaign()
    best = best_of(OBJECTIVE, earlier)
    assert best.outcomes["yield"] == max(o.outcomes["yield"] for o in earlier.observations)
    assert best_of(OBJECTIVE, EarlierCampaign(name="empty", space=HERE)) is None


def test_an_earlier_campaign_survives_json():
    earlier = campaign(n=3)
    assert EarlierCampaign.model_validate_json(earlier.model_dump_json()) == earlier
