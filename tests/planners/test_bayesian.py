"""The Bayesian planner finds known answers and survives real tables."""

import logging

import numpy as np
import pytest

from planners import (
    CandidateList,
    CategoricalParameter,
    ContinuousParameter,
    LinearConstraint,
    MixtureParameter,
    Objective,
    Observation,
    OutcomeConstraint,
    SearchSpace,
    Target,
)
from planners.bayesian import BayesianSettings, make

LINE = SearchSpace(parameters=(ContinuousParameter(name="x", low=0, high=10),))
SQUARE = SearchSpace(
    parameters=tuple(ContinuousParameter(name=n, low=0, high=1) for n in ("x", "y"))
)
BEST = Objective(targets=(Target(quantity="q", goal="maximize"),))


def play(space, objective, truth, n, *, settings=None, start=()):
    """Run one campaign of `n` experiments; truth gives an Observation's fields at a point."""
    planner = make(settings or {})
    observations = list(start)
    for i in range(n):
        rng = np.random.default_rng([7, i])
        point = planner.propose(space, objective, observations=observations, rng=rng)[0].values
        observations.append(Observation(values=point, **truth(point)))
    return observations


def ask(space, objective, observations, seed=0, **arguments):
    return make({}).propose(
        space, objective, observations=observations, rng=np.random.default_rng(seed), **arguments
    )


def found(observations, objective):
    good = [o for o in observations if not o.failed and objective.is_feasible(o.outcomes)]
    return max(good, key=lambda o: objective.utility(o.outcomes))


def test_top_of_a_parabola_is_found_in_ten_experiments():
    done = play(LINE, BEST, lambda p: {"outcomes": {"q": -((p["x"] - 6.3) ** 2)}}, 10)
    # even filling would leave a gap of 1 between ten points
    assert found(done, BEST).values["x"] == pytest.approx(6.3, abs=0.05)


def test_match_finds_the_crossing_not_the_extremes():
    aim = Objective(targets=(Target(quantity="q", goal="match", value=2.0, tolerance=0.05),))
    done = play(LINE, aim, lambda p: {"outcomes": {"q": float(np.exp(p["x"] / 4))}}, 9)
    assert found(done, aim).values["x"] == pytest.approx(4 * np.log(2), abs=0.1)
    assert aim.is_reached(found(done, aim).outcomes)


def test_noisy_replicates_do_not_lure_the_planner():
    rng = np.random.default_rng(3)

    def truth(p):
        value = -((p["x"] - 0.3) ** 2) - (p["y"] - 0.7) ** 2
        return {"outcomes": {"q": value + 0.05 * rng.standard_normal()}, "stds": {"q": 0.05}}

    done = play(SQUARE, BEST, truth, 25)
    last = [o.values for o in done[-8:]]
    centre = np.median([[p["x"], p["y"]] for p in last], axis=0)
    # noise of 0.05 hides a plateau of radius sqrt(0.05) = 0.22
    assert centre == pytest.approx([0.3, 0.7], abs=0.22)


def test_bottom_is_found_as_well_as_the_top():
    low = Objective(targets=(Target(quantity="q", goal="minimize"),))
    done = play(LINE, low, lambda p: {"outcomes": {"q": (p["x"] - 3) ** 2}}, 10)
    assert found(done, low).values["x"] == pytest.approx(3, abs=0.1)


@pytest.mark.slow
def test_front_is_spread_between_both_ends():
    both = Objective(
        targets=(Target(quantity="a", goal="maximize"), Target(quantity="b", goal="maximize")),
        combine="front",
    )
    done = play(
        LINE,
        both,
        lambda p: {"outcomes": {"a": -((p["x"] - 2) ** 2), "b": -((p["x"] - 8) ** 2)}},
        14,
    )
    inside = [o.values["x"] for o in done[2:] if 1.9 <= o.values["x"] <= 8.1]
    # every point between the two tops is on the front, none outside is
    assert len(inside) >= 9
    assert max(np.diff(sorted(inside))) < 2


def test_weights_decide_between_two_tops():
    def truth(p):
        return {"outcomes": {"a": -((p["x"] - 2) ** 2), "b": -((p["x"] - 8) ** 2)}}

    for weights, top in (((3.0, 1.0), 3.5), ((1.0, 3.0), 6.5)):
        aim = Objective(
            targets=tuple(
                Target(quantity=q, goal="maximize", scale=1, weight=w)
                for q, w in zip("ab", weights, strict=True)
            )
        )
        assert found(play(LINE, aim, truth, 9), aim).values["x"] == pytest.approx(top, abs=0.3)


def test_outcome_constraint_moves_the_optimum_to_its_border():
    aim = Objective(
        targets=(Target(quantity="q", goal="maximize"),),
        constraints=(OutcomeConstraint(quantity="side", upper=5.0),),
    )
    done = play(LINE, aim, lambda p: {"outcomes": {"q": p["x"], "side": p["x"]}}, 9)
    assert 4.7 < found(done, aim).values["x"] <= 5.0


def test_constraint_quantity_that_never_varies_does_not_stop_the_model():
    aim = Objective(
        targets=(Target(quantity="q", goal="maximize"),),
        constraints=(OutcomeConstraint(quantity="side", upper=5.0),),
    )
    done = play(LINE, aim, lambda p: {"outcomes": {"q": -((p["x"] - 4) ** 2), "side": 0.0}}, 9)
    assert found(done, aim).values["x"] == pytest.approx(4, abs=0.2)


def crucible(value):
    def truth(p):
        if p["x"] > 5:
            return {"failed": True, "failure": "the crucible cracked"}
        return {"outcomes": {"q": value(p["x"])}}

    return truth


def test_region_that_breaks_experiments_is_left():
    done = play(LINE, BEST, crucible(lambda x: -((x - 3) ** 2)), 14)
    assert any(o.failed for o in done)
    assert sum(o.failed for o in done[7:]) <= 1
    assert found(done, BEST).values["x"] == pytest.approx(3, abs=0.1)


def test_border_of_failure_is_approached_without_repeating_a_failure():
    done = play(LINE, BEST, crucible(lambda x: x), 14)
    assert found(done, BEST).values["x"] > 4.5
    broken = sorted(o.values["x"] for o in done if o.failed)
    assert min(np.diff(broken)) > 0.001


def test_mixed_space_finds_category_composition_and_step_together():
    space = SearchSpace(
        parameters=(
            CategoricalParameter(name="kind", categories=("u", "v", "w")),
            MixtureParameter(name="m", components=("a", "b", "c"), total=100),
            ContinuousParameter(name="t", low=0, high=10, step=1),
        ),
        constraints=(LinearConstraint(coefficients={"a": 1, "b": -1}, lower=0),),
    )

    def truth(p):
        away = ((p["a"] - 60) / 100) ** 2 + ((p["b"] - 30) / 100) ** 2
        return {"outcomes": {"q": (p["kind"] == "v") - 5 * away - ((p["t"] - 7) / 10) ** 2}}

    best = found(play(space, BEST, truth, 26, settings={"n_candidates": 256}), BEST)
    assert best.values["kind"] == "v"
    assert best.outcomes["q"] > 0.9  # 1 is the top, chance gives about 0.6 in 26


def test_all_rows_of_a_long_list_are_scored():
    rows = np.random.default_rng(0).random((20_000, 2))
    space = SearchSpace(
        candidates=CandidateList(columns=("x", "y"), rows=tuple(map(tuple, rows.tolist())))
    )
    some = [
        Observation(
            values={"x": x, "y": y},
            outcomes={"q": -((x - 0.2) ** 2) - (y - 0.9) ** 2},
            stds={"q": 0.001},
        )
        for x, y in rows[:30].tolist()
    ]
    proposal = ask(space, BEST, some)[0]
    assert [proposal.values["x"], proposal.values["y"]] == pytest.approx([0.2, 0.9], abs=0.05)
    values = [proposal.reason.acquisition_value]
    values += [a.acquisition_value for a in proposal.reason.alternatives]
    assert values == sorted(values, reverse=True)


def test_pending_point_pushes_the_next_one_away():
    done = play(LINE, BEST, lambda p: {"outcomes": {"q": -((p["x"] - 6) ** 2)}}, 4)
    first = ask(LINE, BEST, done)[0].values
    second = ask(LINE, BEST, done, pending=[first])[0].values
    assert abs(second["x"] - first["x"]) > 0.05
    batch = [p.values for p in ask(LINE, BEST, done, n=3)]
    assert batch[0] == first
    assert min(np.diff(sorted(p["x"] for p in batch))) > 0.01


def test_reason_carries_prediction_alternatives_and_what_was_learnt():
    aim = Objective(targets=(Target(quantity="q", goal="maximize", unit="MPa"),))
    done = play(SQUARE, aim, lambda p: {"outcomes": {"q": p["x"]}, "stds": {"q": 0.01}}, 6)
    reason = ask(SQUARE, aim, done)[0].reason
    assert reason.planner == "bayesian"
    assert reason.acquisition == "qLogNEI"
    assert np.isfinite(reason.acquisition_value)
    assert "MPa" in reason.text
    assert "Best of 6 so far" in reason.text
    assert reason.predicted["q"].std > 0
    assert len(reason.alternatives) == 3
    assert all(a.predicted["q"].std > 0 for a in reason.alternatives)
    assert {"q.length_scale.x", "q.length_scale.y", "q.signal_std"} <= set(reason.model)
    assert "q.noise_std" not in reason.model  # every value stated its own


def test_proposals_repeat_bit_for_bit_and_leave_torch_alone():
    import torch

    done = play(SQUARE, BEST, lambda p: {"outcomes": {"q": p["x"] * p["y"]}}, 6)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one = ask(SQUARE, BEST, done, n=2)
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(6)
    two = ask(SQUARE, BEST, [o.model_copy(deep=True) for o in done], n=2)
    assert [p.model_dump_json() for p in one] == [p.model_dump_json() for p in two]
    other = ask(SQUARE, BEST, done, seed=1)[0]
    assert SQUARE.contains(other.values)


@pytest.mark.parametrize(
    ("outcomes", "why"),
    [
        ([0.0, 0.0, 0.0, 0.0], "every experiment gave the same value of q"),
        ([7e9] * 4, "every experiment gave the same value of q"),
        ([1.0], "initial"),
        ([], "experiment 1 of the initial 3"),
    ],
)
def test_table_without_information_is_answered_by_filling_the_space(outcomes, why):
    points = [{"x": 0.2 * i, "y": 0.5} for i in range(len(outcomes))]
    done = [Observation(values=p, outcomes={"q": q}) for p, q in zip(points, outcomes, strict=True)]
    reason = ask(SQUARE, BEST, done)[0].reason
    assert reason.acquisition is None
    assert why in reason.text


def test_nothing_but_failures_fills_the_space():
    done = [
        Observation(values={"x": 0.1 * i, "y": 0.5}, failed=True, failure="no signal")
        for i in range(6)
    ]
    assert "Fills the space" in ask(SQUARE, BEST, done)[0].reason.text


def test_fit_that_fails_is_logged_and_answered_by_filling_the_space(monkeypatch, caplog):
    from planners.bayesian import planner as module
    from planners.bayesian.gaussian_process import SurrogateFailed

    def refuse(*arguments):
        raise SurrogateFailed("no finite posterior")

    monkeypatch.setattr(module, "fit_surrogates", refuse)
    done = play(SQUARE, BEST, lambda p: {"outcomes": {"q": p["x"]}}, 3)
    with caplog.at_level(logging.WARNING):
        reason = ask(SQUARE, BEST, done)[0].reason
    assert "no finite posterior" in reason.text
    assert "filling the space instead" in caplog.text


@pytest.mark.parametrize(
    "values",
    [
        [0, 0, 0, 0, 0, 1.0, 0, 0],
        [1e15, 2e15, 3e15, 1e15, 5e15, 1e-3, 2e15, 0],
        [1, 1 + 1e-8, 1, 1, 1, 1, 1, 1],
    ],
)
def test_awkward_tables_still_give_a_model_based_point(values):
    rng = np.random.default_rng(0)
    points = [{"x": float(x), "y": float(y)} for x, y in rng.random((4, 2))] * 2  # replicates
    done = [
        Observation(values=p, outcomes={"q": float(v)}) for p, v in zip(points, values, strict=True)
    ]
    proposal = ask(SQUARE, BEST, done)[0]
    assert SQUARE.contains(proposal.values)
    assert proposal.reason.acquisition == "qLogNEI"


def test_quantity_missing_from_some_experiments_uses_those_that_have_it():
    both = Objective(
        targets=(
            Target(quantity="a", goal="maximize", scale=1),
            Target(quantity="b", goal="minimize", scale=1),
        )
    )
    done = [
        Observation(
            values={"x": float(x)},
            outcomes={"a": float(x), **({"b": float(x) ** 2} if x % 2 else {})},
        )
        for x in range(8)
    ]
    proposal = ask(LINE, both, done)[0]
    assert set(proposal.reason.predicted) == {"a", "b"}


def test_settings_forbid_what_they_do_not_know():
    with pytest.raises(ValueError, match="Extra inputs"):
        make({"n_inital": 3})
    assert BayesianSettings().initial_for(SQUARE) == 3
    assert BayesianSettings(n_initial=5).initial_for(SQUARE) == 5
