"""A study remembers what was asked, told and refused, and goes on exactly as if never put away."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import planners
from planners import (
    CandidateList,
    CategoricalParameter,
    ContextVariable,
    ContinuousParameter,
    MixtureParameter,
    NothingLeftToPropose,
    Objective,
    OutcomeConstraint,
    PlanningError,
    SearchSpace,
    SpaceError,
    Study,
    Target,
)
from planners.baselines import RandomPlanner
from planners.conformance import example_spaces
from planners.encoding import Encoding
from planners.vetoes import SAME_POINT

AIM = Objective(targets=(Target(quantity="yield", goal="maximize"),))
SPACES = example_spaces()
SOON = {"n_initial": 3, "n_candidates": 64, "n_starts": 2}
"""A model after three experiments, and a quick search."""


def measured(space, values):
    return {"yield": float(-((Encoding(space).encode([values])[0] - 0.4) ** 2).sum())}


def run(study, n):
    for _ in range(n):
        (proposal,) = study.ask()
        study.tell(proposal, measured(study.space, proposal.values), stds={"yield": 0.01})
    return study


def again(study):
    return Study.from_json(study.to_json())


@pytest.mark.parametrize("name", sorted(SPACES))
def test_a_study_read_from_json_proposes_the_same_next_point(name):
    study = run(Study(SPACES[name], AIM, seed=3, settings=SOON), 4)
    twin = again(study)
    assert twin.to_json() == study.to_json()
    assert twin.ask() == study.ask()


@pytest.mark.parametrize(
    ("planner", "settings"), [("bayesian", SOON), ("sobol", {}), ("random", {})]
)
def test_between_asking_and_telling_a_study_goes_on_as_if_never_put_away(planner, settings):
    study = run(Study(SPACES["mixed"], AIM, planner=planner, settings=settings, seed=5), 4)
    first, second = study.ask(2)
    twin = again(study)
    assert [p.values for p in twin.pending] == [first.values, second.values]
    for one in (study, twin):
        one.tell(second, measured(one.space, second.values))
    assert twin.ask() == study.ask()
    assert first.values in [p.values for p in twin.pending]


def test_seed_and_number_of_asks_decide_what_is_drawn():
    def drawn(seed):
        return [p.values for p in Study(SPACES["mixed"], AIM, planner="random", seed=seed).ask(3)]

    assert drawn(1) == drawn(1) != drawn(2)
    study = Study(SPACES["mixed"], AIM, planner="random", seed=1)
    assert study.ask(3) != study.ask(3)


def test_what_is_pending_is_not_proposed_again():
    study = Study(SPACES["grid"], AIM)
    points = [study.ask()[0].values for _ in range(9)]
    assert len({tuple(p.items()) for p in points}) == 9
    with pytest.raises(NothingLeftToPropose):
        study.ask()


def test_a_recipe_executed_differently_answers_its_proposal():
    study = Study(SPACES["continuous"], AIM)
    (proposal,) = study.ask()
    made = {**proposal.values, "temperature": proposal.values["temperature"] + 3.2}
    told = study.tell(made, {"yield": 0.4}, asked=proposal)
    assert study.pending == ()
    assert told.values == made
    with pytest.raises(PlanningError, match="not pending"):
        study.tell(made, {"yield": 0.4}, asked=proposal)


def test_an_experiment_that_nobody_asked_for_counts_as_well():
    study = Study(SPACES["continuous"], AIM)
    study.ask()
    study.tell({"temperature": 500, "time": np.float32(2.5)}, {"yield": np.int64(1)})
    assert len(study.pending) == 1
    assert study.observations[0].values == {"temperature": 500.0, "time": 2.5}
    assert study.observations[0].outcomes == {"yield": 1.0}


def test_an_observation_keeps_what_was_predicted_before_it_was_made():
    study = run(Study(SPACES["continuous"], AIM, settings=SOON), 4)
    (proposal,) = study.ask()
    assert proposal.reason.predicted
    told = study.tell(proposal, {"yield": 0.1})
    assert told.predicted == proposal.reason.predicted


def test_a_failed_experiment_is_remembered_with_its_reason():
    study = Study(SPACES["continuous"], AIM)
    (proposal,) = study.ask()
    told = study.tell_failed(proposal, "the crucible broke", cost=12)
    assert told.failed
    assert again(study).observations[0].failure == "the crucible broke"
    assert study.best() is None


def test_a_refused_candidate_never_comes_and_its_reason_stays():
    space = SPACES["candidates"]
    free = run(Study(space, AIM, seed=2), 6)
    (wanted,) = free.ask()
    study = again(free)
    study.veto(wanted, "explosive above 200 degC")
    assert study.pending == ()
    proposed = []
    while len(proposed) < len(space.candidates) - 7:
        (p,) = study.ask()
        proposed.append(p.values)
        study.tell(p, measured(space, p.values))
    assert wanted.values not in proposed
    with pytest.raises(NothingLeftToPropose):
        study.ask()
    assert json.loads(study.to_json())["vetoes"][0]["reason"] == "explosive above 200 degC"
    assert again(study).vetoes == study.vetoes


@pytest.mark.parametrize("name", ["continuous", "mixture", "mixed", "hybrid", "grid"])
def test_a_planner_that_insists_on_a_refused_point_gives_another(name):
    space = SPACES[name]
    study = run(Study(space, AIM, seed=1, settings=SOON), 4)
    for _ in range(3):
        before = again(study)
        (insisted,) = before.ask()
        study.veto(insisted, "not while the fume hood is repaired")
        (other,) = again(study).ask()
        one, two = Encoding(space).encode([insisted.values, other.values])
        assert np.sqrt(((one - two) ** 2).mean()) > SAME_POINT


def test_a_veto_that_nobody_insists_on_changes_nothing():
    space = SPACES["continuous"]
    study = run(Study(space, AIM, seed=1, settings=SOON), 4)
    twin = again(study)
    twin.veto({"temperature": 300.0, "time": 1.0}, "the furnace does not hold so low")
    assert twin.ask() == study.ask()


def test_a_veto_needs_a_reason_and_a_point_of_the_space():
    study = Study(SPACES["continuous"], AIM)
    with pytest.raises(PlanningError, match="reason"):
        study.veto({"temperature": 500, "time": 1}, " ")
    with pytest.raises(PlanningError, match="outside"):
        study.veto({"temperature": 5000, "time": 1}, "too hot")


def test_a_withdrawn_point_may_be_proposed_again():
    study = run(Study(SPACES["candidates"], AIM, seed=2), 8)
    (wanted,) = study.ask()
    study.withdraw(wanted)
    assert study.pending == ()
    assert study.ask()[0].values == wanted.values
    with pytest.raises(PlanningError, match="not pending"):
        study.withdraw({"x": 0.0, "n": 0.0, "kind": "x"})


TWO = Objective(
    targets=(Target(quantity="yield", goal="maximize"), Target(quantity="cost", goal="minimize")),
    combine="front",
    constraints=(OutcomeConstraint(quantity="purity", lower=0.9),),
)


def test_the_front_holds_what_no_other_beats_and_obeys_the_constraint():
    study = Study(SPACES["continuous"], TWO, planner="sobol")
    outcomes = [(1, 1, 1), (2, 3, 1), (1.5, 3, 1), (9, 0, 0.5)]
    for (y, c, p), proposal in zip(outcomes, study.ask(4), strict=True):
        study.tell(proposal, {"yield": y, "cost": c, "purity": p})
    assert [o.outcomes["yield"] for o in study.front()] == [1, 2]
    with pytest.raises(PlanningError, match="front"):
        study.best()


def test_the_best_experiment_obeys_the_constraint():
    bound = Objective(
        targets=AIM.targets, constraints=(OutcomeConstraint(quantity="purity", lower=0.9),)
    )
    study = Study(SPACES["continuous"], bound, planner="sobol")
    for (y, p), proposal in zip([(1, 0.95), (5, 0.2), (3, 0.99)], study.ask(3), strict=True):
        study.tell(proposal, {"yield": y, "purity": p})
    assert study.best().outcomes["yield"] == 3


HUMID = SearchSpace(
    parameters=(
        MixtureParameter(name="salts", components=("a", "b"), total=1.0),
        CategoricalParameter(name="solvent", categories=("water", "dmf")),
    ),
    context=(ContextVariable(name="humidity", low=0, high=100, unit="%"),),
)


def test_a_table_written_and_read_holds_the_same_observations():
    study = Study(HUMID, AIM, planner="sobol")
    for i, proposal in enumerate(study.ask(4)):
        study.tell(
            proposal,
            {"yield": i / 3, "colour": 2.0 * i},
            stds={"yield": 0.1} if i % 2 else None,
            context={"humidity": 40 + i} if i else None,
            p_wrong=0.1 * i,
        )
    study.tell_failed({"a": 0.25, "b": 0.75, "solvent": "dmf"}, "leaked", cost=3)
    frame = study.to_dataframe()
    assert list(frame.columns)[:4] == ["a", "b", "solvent", "humidity"]
    twin = Study(HUMID, AIM, planner="sobol")
    twin.add_dataframe(frame)
    assert twin.observations == study.observations


def test_a_table_of_earlier_experiments_begins_a_study():
    study = Study(HUMID, AIM)
    frame = pd.DataFrame(
        {"a": [0.1, 0.6], "b": [0.9, 0.4], "solvent": ["water", "dmf"], "yield": [1, 2]}
    )
    study.add_dataframe(frame)
    assert study.best().values["solvent"] == "dmf"


def test_a_wrong_table_leaves_the_study_as_it_was():
    study = Study(HUMID, AIM)
    good = pd.DataFrame({"a": [0.1], "b": [0.9], "solvent": ["water"], "yield": [1.0]})
    for wrong, why in (
        (good.drop(columns="b"), "lacks b"),
        (good.drop(columns="yield"), "lacks yield"),
        (good.assign(note="nice"), "note hold no numbers"),
        (good.assign(**{"yield": np.nan}), "row 0 has neither"),
        (pd.concat([good, good.assign(solvent="tea")]), "tea"),
    ):
        with pytest.raises(PlanningError, match=why):
            study.add_dataframe(wrong)
        assert study.observations == ()


def test_what_does_not_belong_to_the_study_is_refused():
    study = Study(HUMID, AIM)
    point = {"a": 0.5, "b": 0.5, "solvent": "water"}
    with pytest.raises(SpaceError, match="lacks"):
        study.tell({"a": 0.5}, {"yield": 1})
    for wrong, why in (
        (lambda: study.tell({**point, "c": 1.0}, {"yield": 1}), "found values of c"),
        (lambda: study.tell({**point, "solvent": "tea"}, {"yield": 1}), "tea"),
        (lambda: study.tell(point, {"yeild": 1}), "yeild"),
        (lambda: study.tell(point, {"yield": "much"}), "no number"),
        (lambda: study.tell(point, {"yield": 1}, context={"rain": 1}), "rain"),
        (lambda: study.ask(0), "at least 1"),
    ):
        with pytest.raises(PlanningError, match=why):
            wrong()
    with pytest.raises(ValidationError):
        study.tell(point)
    assert study.observations == ()


def test_a_planner_object_serves_too_and_must_be_given_again():
    study = Study(SPACES["continuous"], AIM, planner=RandomPlanner(), seed=4)
    text = study.to_json()
    with pytest.raises(PlanningError, match="planner="):
        Study.from_json(text)
    assert Study.from_json(text, planner=RandomPlanner()).ask() == study.ask()
    with pytest.raises(PlanningError, match="settings"):
        Study(SPACES["continuous"], AIM, planner=RandomPlanner(), settings={"seed": 1})


def test_unknown_planner_and_foreign_text_are_refused_in_words():
    with pytest.raises(PlanningError, match="installed are"):
        Study(SPACES["continuous"], AIM, planner="oracle")
    with pytest.raises(PlanningError, match="no study"):
        Study.from_json('{"space": 3}')


def test_a_study_explains_its_next_point():
    study = run(Study(SPACES["mixed"], AIM, settings=SOON), 6)
    (proposal,) = study.ask()
    found = study.explain(proposal)
    assert found == again(study).explain(proposal)
    total = found.here.average + sum(c.amount.value for c in found.here.contributions)
    assert total == pytest.approx(found.here.predicted.mean)


def test_all_candidates_refused_is_said_at_once():
    space = SearchSpace(candidates=CandidateList(columns=("x",), rows=((1.0,), (2.0,))))
    study = Study(space, AIM)
    study.veto({"x": 1}, "toxic")
    with pytest.raises(NothingLeftToPropose, match="refused"):
        study.veto({"x": 2}, "toxic")
    assert [v.values["x"] for v in study.vetoes] == [1.0]


def test_a_study_finds_the_optimum_of_a_smooth_function():
    space = SearchSpace(parameters=(ContinuousParameter(name="x", low=0, high=1),))
    study = run(Study(space, AIM, seed=0), 9)
    # nine experiments of a parabola in one dimension: a quarter of the spacing of a grid of nine
    assert study.best().values["x"] == pytest.approx(0.4, abs=0.03)


def test_the_example_of_the_readme_runs(capsys):
    page = (Path(planners.__file__).parent / "README.md").read_text(encoding="utf-8")
    example = page.split("```python\n")[1].split("```")[0]
    exec(compile(example, "README.md", "exec"), {})
    assert "temperature" in capsys.readouterr().out
