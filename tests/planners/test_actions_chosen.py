"""Choices among actions that a chemist would make, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from planners import (
    DiscreteParameter,
    Objective,
    Observation,
    OutcomeConstraint,
    SearchSpace,
    Target,
)
from planners.actions.protocols import ActionAware
from planners.actions.records import MeasureAgain, Option
from planners.bayesian.acting.promising import promising
from planners.bayesian.planner import make
from planners.bayesian.surrogate import fit_surrogates
from planners.encoding import Encoding
from planners.errors import NothingLeftToPropose
from planners.proposal import Proposal
from planners.structural.planner import make as make_structural

TEMPERATURES = tuple(float(t) for t in range(300, 901, 25))
SPACE = SearchSpace(parameters=(DiscreteParameter(name="temperature", values=TEMPERATURES),))
HIGHEST = Objective(targets=(Target(quantity="yield", goal="maximize"),))
PLANNER = make({})


def told(temperature: float, value: float, std: float = 0.05, **more: Any) -> Observation:
    return Observation(
        values={"temperature": temperature}, outcomes={"yield": value}, stds={"yield": std}, **more
    )


def option(row: int, *, cost: float = 0.2, std: float | None = 0.01, **more: Any) -> Option:
    return Option(
        again=MeasureAgain(experiment=row, technique="xrd", settings={"counting_time": 4.0}),
        row=row,
        cost=cost,
        stds={} if std is None else {"yield": std},
        **more,
    )


def chosen(
    observations: Sequence[Observation],
    options: Sequence[Option],
    *,
    objective: Objective = HIGHEST,
    planner: ActionAware = PLANNER,
    space: SearchSpace = SPACE,
    new_cost: float = 1.0,
    **more: Any,
) -> Proposal:
    return planner.choose_action(
        space,
        objective,
        observations=observations,
        options=options,
        new_cost=new_cost,
        rng=np.random.default_rng(3),
        **more,
    )


def hill(std: float = 0.05) -> list[Observation]:
    """A yield that is highest near 600, known everywhere but for two rivals at the top."""
    return [
        told(t, float(np.exp(-(((t - 600) / 120) ** 2))), std)
        for t in (300.0, 400.0, 500.0, 575.0, 625.0, 700.0, 800.0, 900.0)
    ]


def worths(proposal: Proposal) -> str:
    return " ".join(proposal.reason.grounds.would_change)


def test_planners_that_weigh_actions_say_so() -> None:
    assert isinstance(make({}), ActionAware)
    assert isinstance(make_structural({}), ActionAware)


def test_rivals_for_the_first_place_are_measured_again_and_a_hopeless_sample_is_not() -> None:
    rows = hill(std=0.3)
    hopeless, rival = option(0), option(3)
    said = chosen(rows, [hopeless, rival], new_cost=50.0)
    assert said.measure_again == rival.again
    assert said.values == rows[3].values
    assert "To measure experiment 0 again (xrd, counting_time = 4.0) is worth" in worths(said)
    only = chosen(rows, [hopeless], new_cost=0.01)
    assert only.measure_again is None


def test_a_sample_that_cannot_change_what_is_recommended_is_worth_nothing() -> None:
    rows = [told(t, v, 1e-3) for t, v in zip(TEMPERATURES[::4], range(7), strict=True)]
    said = chosen(rows, [option(0, std=1e-4)])
    assert said.measure_again is None
    assert "no outcome would change what is recommended" in worths(said)


def test_a_dear_measurement_waits_until_its_price_falls_below_the_one_that_is_told() -> None:
    rows = hill(std=0.3)
    dear = chosen(rows, [option(3, cost=1e3)], replicates=False)
    assert dear.measure_again is None
    (price,) = (
        float(t.split("below ")[1].split()[0])
        for t in dear.reason.grounds.would_change
        if "below" in t
    )
    cheaper = chosen(rows, [option(3, cost=0.9 * price)], replicates=False)
    dearer = chosen(rows, [option(3, cost=1.1 * price)], replicates=False)
    assert cheaper.measure_again is not None
    assert dearer.measure_again is None


def test_a_best_sample_that_is_probably_wrong_is_looked_at_once_more() -> None:
    rows = [told(t, 0.2 + 0.1 * np.sin(t / 60), 0.01) for t in TEMPERATURES[:20:2]]
    wrong = told(800.0, 0.35, 0.01, p_wrong=0.4)  # far enough that it may be right
    rows = [*rows, wrong]
    resolving = option(len(rows) - 1, std=0.01, p_wrong=0.02)
    said = chosen(rows, [resolving, option(2, std=0.009)], new_cost=20.0)
    assert said.measure_again == resolving.again
    assert any("would show with probability" in t for t in said.reason.grounds.reduces)
    blind = chosen(rows, [resolving.model_copy(update={"p_wrong": None})], new_cost=20.0)
    assert blind.reason.acquisition_value != said.reason.acquisition_value


def test_what_is_not_foretold_is_taken_from_earlier_measurements_of_this_campaign() -> None:
    rows = hill(std=0.3)
    useless = [o.model_copy(update={"supersedes": 0}) if i == 0 else o for i, o in enumerate(rows)]
    known = chosen(rows, [option(3, std=None)], new_cost=50.0)
    taught = chosen(useless, [option(3, std=None)], new_cost=50.0)
    assert known.measure_again is not None
    assert taught.measure_again is None  # measuring again left the std as it was


def test_scatter_of_samples_asks_for_a_replicate_where_only_rivals_are_left() -> None:
    few = SearchSpace(
        parameters=(DiscreteParameter(name="temperature", values=(300.0, 400.0, 500.0)),)
    )
    rows = [told(300.0, 0.50, 0.1), told(400.0, 0.0, 0.1), told(500.0, 0.52, 0.1)]
    said = chosen(rows, [], space=few)
    assert said.measure_again is None
    assert said.values["temperature"] in (300.0, 500.0)
    assert "once more" in said.reason.text
    assert said.reason.predicted["yield"].noise == pytest.approx(0.1, rel=0.01)
    with pytest.raises(NothingLeftToPropose):
        chosen(rows, [], space=few, replicates=False)


def test_where_nothing_can_be_weighed_a_new_experiment_is_made_and_the_reason_says_why() -> None:
    said = chosen(hill()[:1], [option(0)])
    assert said.measure_again is None
    assert "not weighed" in said.reason.text
    front = Objective(
        targets=(HIGHEST.targets[0], Target(quantity="purity", goal="maximize")), combine="front"
    )
    rows = [
        o.model_copy(update={"outcomes": {**o.outcomes, "purity": o.values["temperature"]}})
        for o in hill()
    ]
    said = chosen(rows, [option(3)], objective=front)
    assert said.measure_again is None
    assert "a front has no single best recipe" in said.reason.text


def test_one_more_look_pays_where_it_decides_between_keeping_and_breaking_a_bound() -> None:
    bound = HIGHEST.model_copy(
        update={"constraints": (OutcomeConstraint(quantity="impurity", upper=0.05),)}
    )
    impurity = [0.0, 0.0, 0.0, 0.0, 0.048, 0.2, 0.3, 0.4]
    more = [0.0, 0.0, 0.0, 0.0, 0.3, 0.0, 0.0, 0.0]  # what breaks the bound is better otherwise
    rows = [
        o.model_copy(
            update={
                "outcomes": {"yield": o.outcomes["yield"] + extra, "impurity": dirt},
                "stds": {"yield": 0.01, "impurity": 0.01},
            }
        )
        for o, dirt, extra in zip(hill(), impurity, more, strict=True)
    ]
    at_the_bound = Option(
        again=MeasureAgain(experiment=4, technique="xrd"), row=4, cost=0.1, stds={"impurity": 1e-3}
    )
    far_below = at_the_bound.model_copy(
        update={"again": MeasureAgain(experiment=1, technique="xrd"), "row": 1}
    )
    said = chosen(rows, [far_below, at_the_bound], objective=bound, new_cost=100.0)
    assert said.measure_again == at_the_bound.again


@pytest.mark.parametrize("goal", ["explore", "boundary"])
def test_a_map_is_made_surer_where_it_is_least_sure(goal: str) -> None:
    value = 0.5 if goal == "boundary" else None
    wanted = Objective(targets=(Target(quantity="yield", goal=goal, value=value),))
    rows = [
        told(t, 1 / (1 + np.exp(-(t - 600) / 40)), 0.2 if t == 600 else 0.02)
        for t in TEMPERATURES[::2]
    ]
    unsure = next(i for i, o in enumerate(rows) if o.values["temperature"] == 600)
    said = chosen(
        rows,
        [option(0, std=0.019), option(unsure, std=0.02)],
        objective=wanted,
        planner=make({"n_initial": 3}),
        new_cost=100.0,
    )
    assert said.measure_again is not None
    assert said.measure_again.experiment == unsure


def test_a_value_to_be_hit_is_measured_again_where_the_nearest_are_in_doubt() -> None:
    wanted = Objective(targets=(Target(quantity="yield", goal="match", value=0.5, tolerance=0.05),))
    rows = [told(t, (t - 300) / 600, 0.05) for t in TEMPERATURES[::3]]
    near = min(range(len(rows)), key=lambda i: abs(rows[i].outcomes["yield"] - 0.5))
    said = chosen(
        rows, [option(0, std=0.001), option(near, std=0.001)], objective=wanted, new_cost=100.0
    )
    assert said.measure_again is not None
    assert said.measure_again.experiment == near


def test_a_failed_sample_may_be_read_at_last() -> None:
    rows = hill(std=0.1)
    lost = Observation(
        values={"temperature": 600.0}, failed=True, failure="nothing read", cause="measurement"
    )
    said = chosen([*rows, lost], [option(len(rows), std=0.02)], new_cost=50.0)
    assert said.measure_again is not None
    assert said.measure_again.experiment == len(rows)
    assert any("not known" in t for t in said.reason.grounds.reduces)


def test_untried_points_beside_the_top_promise_most_and_none_is_tried() -> None:
    rows = hill()
    encoding = Encoding(SPACE)
    found = promising(
        encoding,
        HIGHEST,
        fit_surrogates(encoding, HIGHEST, rows),
        made=encoding.encode_observations(rows),
        tried=[o.values for o in rows],
        rng=np.random.default_rng(0),
    )
    assert found[0] == {"temperature": 600.0}
    assert not {o.values["temperature"] for o in rows} & {p["temperature"] for p in found}


def test_the_same_question_has_the_same_answer() -> None:
    rows = hill(std=0.3)
    first, second = (chosen(rows, [option(3), option(4)]) for _ in range(2))
    assert first == second


def test_structure_as_evidence_weighs_actions_too() -> None:
    said = chosen(hill(std=0.3), [option(3)], planner=make_structural({}), new_cost=50.0)
    assert said.measure_again is not None
    assert said.reason.planner == "structure"
