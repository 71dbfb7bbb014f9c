"""What a proposal says of going on is what a model that is right would say."""

import numpy as np
import pytest

from planners import (
    CandidateList,
    ContinuousParameter,
    Objective,
    Observation,
    OutcomeConstraint,
    Prediction,
    SearchSpace,
    Target,
)
from planners.bayesian import make
from planners.bayesian.calibration import NO_RECORD, record_of

LINE = np.linspace(0, 1, 41)
LISTED = SearchSpace(
    candidates=CandidateList(columns=("x",), rows=tuple((float(v),) for v in LINE))
)
BEST = Objective(targets=(Target(quantity="q", goal="maximize"),))


def wave(x):
    return float(np.sin(5 * x))


def outlook(observations, objective=BEST, space=LISTED):
    rng = np.random.default_rng(0)
    return make({}).propose(space, objective, observations=observations, rng=rng)[0].reason.outlook


def made(points, truth=wave, **more):
    return [Observation(values={"x": float(x)}, outcomes={"q": truth(x), **more}) for x in points]


def test_regret_falls_as_the_top_is_found():
    few = outlook(made(LINE[[0, 20, 30, 40]]))
    many = outlook(made(LINE[[0, 4, 8, 10, 11, 12, 13, 14, 16, 20, 30, 40]]))
    assert many.expected_regret < 0.2 * few.expected_regret
    assert many.expected_improvement < few.expected_improvement


def test_expected_regret_is_at_least_the_improvement_expected_of_the_next_experiment():
    told = outlook(made(LINE[[0, 20, 30, 40]]))
    # the next experiment is one of the points that regret looks at; 128 draws leave a few per cent
    assert told.expected_regret > 0.8 * told.expected_improvement > 0


def test_continuous_space_tells_an_outlook_too():
    space = SearchSpace(parameters=(ContinuousParameter(name="x", low=0, high=1),))
    told = outlook(made([0.1, 0.5, 0.8, 0.95]), space=space)
    assert 0 < told.probability_of_improvement <= 1
    assert told.expected_regret > 0


def test_improvement_that_breaks_a_bound_does_not_count():
    bound = Objective(
        targets=BEST.targets, constraints=(OutcomeConstraint(quantity="side", upper=0.5),)
    )
    rows = [
        Observation(values={"x": float(x)}, outcomes={"q": float(x), "side": float(x)})
        for x in LINE[[0, 5, 10, 19, 20, 21, 25, 30, 35, 38]]
    ]
    # q still rises by a half, but side may not: at 0.5 everything allowed is found
    told = outlook(rows, bound)
    assert told.expected_regret < 0.05
    assert told.expected_improvement < 0.05


def predicted(z, n, noise=0.0):
    return [
        Observation(
            values={"x": float(i)},
            outcomes={"q": z},
            predicted={"q": Prediction(mean=0.0, std=1.0, noise=noise)},
        )
        for i in range(n)
    ]


def test_model_that_was_never_asked_has_no_record():
    assert record_of("q", made(LINE[:3])) == NO_RECORD


def test_outcomes_far_outside_widen_and_outcomes_all_at_the_mean_narrow():
    wide, narrow = record_of("q", predicted(4.0, 30)), record_of("q", predicted(0.05, 30))
    assert (wide.coverage, narrow.coverage) == (0.0, 1.0)
    assert wide.widening == pytest.approx(4.0 / 1.645, rel=0.01)
    assert narrow.widening < 0.9


def test_few_surprises_do_not_yet_convict_the_model():
    assert record_of("q", predicted(4.0, 1)).widening < 1.3


def test_widening_reaches_its_place_and_stays_when_predictions_were_widened_already():
    rng = np.random.default_rng(1)
    true, told = 2.0, 1.0
    rows: list[Observation] = []
    for i in range(200):
        factor = record_of("q", rows).widening
        prediction = Prediction(mean=0.0, std=told * factor, widened=factor)
        rows.append(
            Observation(
                values={"x": float(i)},
                outcomes={"q": float(true * rng.standard_normal())},
                predicted={"q": prediction},
            )
        )
    late = record_of("q", rows)
    # 200 outcomes place a 90 % quantile within a tenth
    assert late.widening == pytest.approx(true / told, rel=0.2)
    assert record_of("q", rows[50:]).coverage == pytest.approx(0.9, abs=0.06)


def test_widened_model_says_so_in_its_predictions():
    rows = [
        o.model_copy(update={"predicted": {"q": Prediction(mean=o.outcomes["q"] + 1.0, std=0.1)}})
        for o in made(LINE[[0, 4, 10, 16, 20, 30, 40]])
    ]
    plain = make({}).propose(
        LISTED,
        BEST,
        observations=made(LINE[[0, 4, 10, 16, 20, 30, 40]]),
        rng=np.random.default_rng(0),
    )
    wary = make({}).propose(LISTED, BEST, observations=rows, rng=np.random.default_rng(0))
    assert wary[0].reason.outlook.widened > 1.2
    assert wary[0].reason.predicted["q"].widened == wary[0].reason.outlook.widened
    assert plain[0].reason.outlook.widened == 1.0
