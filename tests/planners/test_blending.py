"""Which models predict together, and how the planner searches with them."""

import numpy as np
import pytest
import torch

from planners import (
    CandidateList,
    CategoricalParameter,
    ContinuousParameter,
    LinearConstraint,
    Objective,
    Observation,
    OutcomeConstraint,
    PlanningError,
    SearchSpace,
    Target,
)
from planners.bayesian import make
from planners.bayesian.blended_model import BlendedModel
from planners.bayesian.blending import blended
from planners.bayesian.locality import locality
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import fit_surrogates
from planners.bayesian.weighing import Mixture
from planners.earlier import EarlierCampaign
from planners.encoding import Encoding
from planners.sampling import draw_uniform

OBJECTIVE = Objective(targets=(Target(quantity="yield", goal="maximize"),))


def cube(d, **more):
    return SearchSpace(
        parameters=tuple(ContinuousParameter(name=f"x{i}", low=0, high=1) for i in range(d)), **more
    )


def told(space, function, n, seed=0):
    points = draw_uniform(space, n, rng=np.random.default_rng(seed))
    return [Observation(values=p, outcomes={"yield": function(p)}) for p in points]


def bowl(p):
    return -((p["x0"] - 0.3) ** 2) - (p["x1"] - 0.7) ** 2


def surrogates_of(space, observations, **settings):
    encoding = Encoding(space)
    found = fit_surrogates(encoding, OBJECTIVE, observations)
    return blended(
        found,
        encoding,
        OBJECTIVE,
        observations,
        earlier={},
        settings=BayesianSettings(**settings),
    )["yield"]


def next_point(space, observations, seed=1, objective=OBJECTIVE, **settings):
    planner = make(settings)
    rng = np.random.default_rng(seed)
    return planner.propose(space, objective, observations=observations, rng=rng)[0]


def listed(n=60, seed=0):
    rows = np.random.default_rng(seed).random((n, 3)).round(6).tolist()
    return SearchSpace(
        candidates=CandidateList(columns=("x0", "x1", "x2"), rows=tuple(tuple(r) for r in rows))
    )


def test_a_process_that_predicts_well_stays_alone():
    space = listed()
    assert surrogates_of(space, told(space, bowl, 25)).blend is None


def test_trees_join_where_a_process_predicts_badly_and_their_weight_is_told():
    space = listed()
    rng = np.random.default_rng(3)
    observations = told(space, lambda p: float(rng.standard_normal()), 25)
    assert surrogates_of(space, observations).blend.names == ("", "forest")
    proposal = next_point(space, observations)
    assert 0 < proposal.reason.model["yield.weight.forest"] < 1
    assert surrogates_of(space, observations, surrogate="gp").blend is None


def test_few_of_many_names_are_believed_to_matter_in_a_continuous_space():
    space = cube(14)
    observations = told(space, bowl, 20)
    surrogate = surrogates_of(space, observations)
    assert len(surrogate.blend.members) == 8
    lengths = surrogate.process.parameters.lengths
    assert set(np.argsort(lengths)[:2]) == {0, 1}
    assert surrogates_of(cube(3), told(cube(3), bowl, 20)).blend is None


def test_the_model_given_to_botorch_has_the_moments_of_the_mixture_and_their_gradient():
    space = cube(3)
    surrogate = surrogates_of(space, told(space, bowl, 12), surrogate="saas")
    points = np.random.default_rng(2).random((4, 3))
    mean, covariance = surrogate.blend.joint(points)
    model = BlendedModel([surrogate.blend], widenings=[1.5])
    x = torch.tensor(points, requires_grad=True)
    posterior = model.posterior(x)
    assert posterior.mean.squeeze(-1).detach().numpy() == pytest.approx(mean)
    got = posterior.distribution.covariance_matrix.detach().numpy()
    assert got == pytest.approx(1.5**2 * covariance, abs=2e-6)  # the jitter
    posterior.mean[0].sum().backward()
    step = 1e-6
    for k in range(3):
        moved = points[0] + step * np.eye(3)[k]
        back = points[0] - step * np.eye(3)[k]
        slope = (surrogate.predict(moved[None])[0] - surrogate.predict(back[None])[0])[0]
        slope /= 2 * step * surrogate.scale
        assert x.grad[0, k].item() == pytest.approx(slope, rel=1e-4, abs=1e-5)


def test_trees_have_no_gradients_and_are_refused_by_botorch():
    space = listed()
    surrogate = surrogates_of(space, told(space, bowl, 12), surrogate="ensemble")
    assert isinstance(surrogate.blend, Mixture)
    with pytest.raises(TypeError, match="score its points one by one"):
        BlendedModel([surrogate.blend], widenings=[1.0])


@pytest.mark.parametrize("surrogate", ["saas", "auto"])
def test_a_sparse_process_proposes_feasible_points_under_constraints_bit_for_bit(surrogate):
    limit = LinearConstraint(coefficients={"x0": 1.0, "x1": 1.0}, upper=0.8)
    space = cube(13, constraints=(limit,))
    observations = told(space, bowl, 10)
    a, b = (next_point(space, observations, surrogate=surrogate, n_starts=1) for _ in range(2))
    assert space.contains(a.values)
    assert a == b


def test_a_sparse_process_serves_bounds_on_outcomes():
    space = cube(3)
    observations = [
        o.model_copy(update={"outcomes": {**o.outcomes, "cost": o.values["x0"]}})
        for o in told(space, bowl, 14)
    ]
    objective = Objective(
        targets=OBJECTIVE.targets, constraints=(OutcomeConstraint(quantity="cost", upper=0.2),)
    )
    proposal = next_point(space, observations, objective=objective, surrogate="saas")
    assert space.contains(proposal.values)
    assert proposal.reason.predicted["cost"].mean < 0.35


def test_many_experiments_narrow_the_search_to_a_box_around_the_best():
    space = cube(4)
    rng = np.random.default_rng(5)
    observations = told(space, lambda p: bowl(p) + 0.3 * rng.standard_normal(), 160)
    encoding = Encoding(space)
    local = locality(encoding, OBJECTIVE, observations, BayesianSettings())
    surrogates = fit_surrogates(encoding, OBJECTIVE, local.observations)
    box = local.box(encoding, surrogates)
    assert (box.upper - box.lower).min() < 0.3
    proposal = next_point(space, observations)
    inside = encoding.encode([proposal.values])
    assert (inside >= box.lower - 1e-9).all()
    assert (inside <= box.upper + 1e-9).all()
    assert locality(encoding, OBJECTIVE, observations[:100], BayesianSettings()) is None


def test_after_a_restart_the_space_is_filled_again():
    space = cube(2)
    n_halvings = 7
    flat = told(space, lambda p: 0.0, 3 + 4 * n_halvings)
    flat[0] = flat[0].model_copy(update={"outcomes": {"yield": 1.0}})
    assert locality(
        Encoding(space), OBJECTIVE, flat, BayesianSettings(trust_region=True)
    ).replayed.n_restarts
    proposal = next_point(space, flat, trust_region=True)
    assert "Fills the space" in proposal.reason.text


def test_a_box_in_a_mixed_space_under_constraints_gives_feasible_points():
    space = SearchSpace(
        parameters=(
            *cube(2).parameters,
            CategoricalParameter(name="c", categories=("a", "b")),
            ContinuousParameter(name="t", low=1, high=1000, log=True, step=1),
        ),
        constraints=(LinearConstraint(coefficients={"x0": 1.0, "x1": 1.0}, upper=1.2),),
    )
    observations = told(space, bowl, 25)
    proposal = next_point(space, observations, trust_region=True)
    assert space.contains(proposal.values)


def earlier(function=bowl, seed=7):
    return EarlierCampaign(
        name="last year", space=cube(2), observations=told(cube(2), function, 40, seed)
    )


def test_a_campaign_opens_with_the_best_experiment_of_the_earlier_one():
    lesson = earlier()
    best = max(lesson.observations, key=lambda o: o.outcomes["yield"])
    proposal = next_point(cube(2), [], learn_from=("last year",), earlier=(lesson,))
    assert proposal.values == pytest.approx(best.values)
    assert "last year" in proposal.reason.text


@pytest.mark.parametrize("space", [cube(2), listed()])
def test_an_earlier_campaign_that_is_alike_steers_and_its_weight_is_told(space):
    proposal = next_point(space, told(space, bowl, 4), earlier=(earlier(),))
    assert proposal.reason.model["yield.weight.last year"] > 0.2
    values = proposal.values
    assert (values["x0"] - 0.3) ** 2 + (values["x1"] - 0.7) ** 2 < 0.06


def test_the_best_of_an_earlier_campaign_that_looks_like_noise_is_not_repeated():
    rng = np.random.default_rng(8)
    noise = earlier(lambda p: rng.standard_normal())
    assert next_point(cube(2), [], earlier=(noise,)) == next_point(cube(2), [])


def opposite(values):
    return -bowl(values)


def test_filling_goes_on_unless_the_earlier_campaign_foretells_the_first_experiments():
    observations = told(cube(4), bowl, 3)

    def proposed(function):
        lesson = EarlierCampaign(
            name="last year", space=cube(4), observations=told(cube(4), function, 40, 7)
        )
        return next_point(cube(4), observations, earlier=(lesson,))

    assert "Fills the space" not in proposed(bowl).reason.text
    assert "no earlier campaign foretells what came out" in proposed(opposite).reason.text


def test_an_earlier_campaign_without_weight_changes_no_proposal():
    observations = told(cube(2), bowl, 6)
    with_it = next_point(cube(2), observations, earlier=(earlier(opposite),))
    assert with_it == next_point(cube(2), observations)


def test_asking_to_learn_without_being_given_what_to_learn_is_refused():
    with pytest.raises(PlanningError, match="a planner knows no store"):
        next_point(cube(2), [], learn_from=("last year",))


def test_the_settings_with_earlier_campaigns_survive_json():
    settings = BayesianSettings(learn_from=("last year",), earlier=(earlier(),))
    assert BayesianSettings.model_validate_json(settings.model_dump_json()) == settings
