"""A person stands between the proposal and the oven: approves, vetoes, and is not asked in vain."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from orchestrator.control import run_campaign
from orchestrator.errors import WaitsForPerson
from orchestrator.people.asking import Nobody, Question
from orchestrator.people.gates import Approval, RiskRule
from orchestrator.run import Run
from orchestrator.store import Store
from planners.baselines import make_random
from planners.bayesian.planner import make as make_bayesian
from planners.proposal import Observation
from planners.protocols import Planner
from tests.orchestrator import bakery
from tests.orchestrator.people import Answers, Decided, agrees

HOT = {"ask": "risky", "risky": [{"parameter": "temperature", "above": 200}]}


def _run(store: Store, answers: Answers, planner: Planner | None = None, **changes: object) -> Run:
    run = bakery.run(store, planner or make_random({}), campaign=bakery.campaign(**changes))
    return replace(run, person=Decided(store, run.id, answers))


async def _questions(run: Run) -> list[Question]:
    await run.laboratory.connect()
    await run_campaign(run)
    return cast(Decided, run.person).asked


@pytest.mark.parametrize(
    ("approval", "numbers"),
    [
        ({}, []),
        ({"ask": "each"}, [0, 1, 2, 3, 4, 5]),
        ({"ask": "first", "first": 2}, [0, 1]),
    ],
)
async def test_person_is_asked_as_often_as_the_campaign_says(
    store: Store, approval: dict, numbers: list[int]
) -> None:
    asked = await _questions(_run(store, agrees, approval=approval))
    assert [q.number for q in asked] == numbers
    assert {q.kind for q in asked} <= {"approve"}


async def test_only_risky_proposals_are_asked_about(store: Store) -> None:
    asked = await _questions(_run(store, agrees, approval=HOT))
    made = [o.values["temperature"] for _, o in store.observations("bread-1")]
    hot = [i for i, t in enumerate(made) if t > 200]
    assert 0 < len(hot) < len(made), "this seed draws no risky proposals, or nothing else"
    assert [q.number for q in asked] == hot
    assert all("temperature is above 200" in q.text for q in asked)


async def test_first_experiments_and_risky_ones_can_be_asked_about_together(store: Store) -> None:
    both = {**HOT, "ask": "first", "first": 1}
    asked = await _questions(_run(store, agrees, approval=both))
    made = [o.values["temperature"] for _, o in store.observations("bread-1")]
    assert [q.number for q in asked] == [i for i, t in enumerate(made) if i < 1 or t > 200]


async def test_vetoed_proposal_moves_nothing_and_says_why_in_the_history(store: Store) -> None:
    def no(question: Question) -> tuple[str, str]:
        return "veto", "the shelf is full"

    run = _run(store, no, approval={"ask": "each"}, budget={"experiments": 1})
    await _questions(run)
    [(_, observation)] = store.observations("bread-1")
    assert observation.failed
    assert observation.failure == "vetoed: the shelf is full"
    assert observation.cost == 0
    assert store.actions("bread-1") == []
    assert store.questions.find("bread-1", "approve/0").question.details["values"] == (
        observation.values
    )


async def test_question_waits_for_the_next_process_and_its_answer_is_not_asked_again(
    store: Store,
) -> None:
    run = _run(store, agrees, approval={"ask": "each"}, budget={"experiments": 1})
    await run.laboratory.connect()
    with pytest.raises(WaitsForPerson, match="sdlab answer bread-1 approve/0"):
        await run_campaign(replace(run, person=Nobody(run.id, store.questions)))
    assert store.actions("bread-1") == []
    proposed = store.experiment("bread-1", 0)
    person = cast(Decided, run.person)
    [open_question] = store.questions.open("bread-1")
    await person.ask(open_question.question)
    person.asked.clear()
    await run_campaign(run)
    assert person.asked == []
    after = store.experiment("bread-1", 0)
    assert proposed is not None
    assert after is not None
    assert after.proposal == proposed.proposal
    assert after.observation is not None
    assert not after.observation.failed


async def test_planner_learns_to_avoid_what_a_person_vetoes(store: Store) -> None:
    """The best bread is at 150 degC; a person allows nothing below 190 degC."""

    def too_cold(question: Question) -> tuple[str, str]:
        cold = question.details["values"]["temperature"] < 190
        return ("veto", "the crust stays pale") if cold else ("approve", "")

    free = bakery.run(
        store,
        make_bayesian({"seed": 3}),
        campaign_id="bread-2",
        campaign=bakery.campaign(budget={"experiments": 16}),
    )
    await free.laboratory.connect()
    await run_campaign(free)
    run = _run(
        store,
        too_cold,
        make_bayesian({"seed": 3}),
        approval={"ask": "each"},
        budget={"experiments": 16},
        stop={"failures_in_a_row": 16},
    )
    await _questions(run)

    def late(campaign_id: str) -> list[Observation]:
        return [o for _, o in store.observations(campaign_id)[8:]]

    def at_the_best(observation: Observation) -> bool:
        return 130 < float(observation.values["temperature"]) < 170

    assert sum(at_the_best(o) for o in late("bread-2")) >= 4, "unasked it goes for 150 degC"
    assert sum(at_the_best(o) for o in late("bread-1")) <= 1
    made = [o for _, o in store.observations("bread-1") if not o.failed]
    found = max(o.outcomes[bakery.QUANTITY] for o in made)
    assert found > 0.9 * bakery.colour(190, 2), "the best that is allowed was not found"


@pytest.mark.parametrize(
    ("rule", "risky", "safe"),
    [
        (RiskRule(parameter="t", above=900.0), {"t": 900.5}, {"t": 900.0}),
        (RiskRule(parameter="t", below=20.0), {"t": 19.0}, {"t": 20.0}),
        (RiskRule(parameter="gas", exactly="H2"), {"gas": "H2"}, {"gas": "N2"}),
        (RiskRule(parameter="t", exactly=0.0), {"t": 0.0}, {"t": 1.0}),
    ],
)
def test_rule_draws_its_line_where_it_says(rule: RiskRule, risky: dict, safe: dict) -> None:
    assert rule.applies(risky)
    assert not rule.applies(safe)
    assert not rule.applies({"other": 1.0})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"ask": "risky"}, "needs a rule"),
        ({**HOT, "ask": "each"}, "change nothing"),
        ({"ask": "risky", "risky": [{"parameter": "t"}]}, "0 conditions"),
        ({"ask": "risky", "risky": [{"parameter": "t", "above": 1, "is": 2}]}, "2 conditions"),
        ({"ask": "risky", "risky": [{"parameter": "t", "above": "__import__('os')"}]}, "number"),
    ],
)
def test_approval_that_means_nothing_is_refused(data: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Approval.model_validate(data)


async def test_tray_is_asked_for_once_and_serves_so_many_experiments(store: Store) -> None:
    tray = {"before": "measure", "instrument": "meter", "every": 4, "text": "load tray {n}"}
    asked = await _questions(_run(store, agrees, prompts=[tray]))
    assert [(q.kind, q.number, q.text) for q in asked] == [
        ("manual", 0, "load tray 1"),
        ("manual", 4, "load tray 2"),
    ]


async def test_tray_is_asked_for_by_the_first_experiment_that_needs_it(store: Store) -> None:
    tray = {"before": "measure", "every": 4, "text": "{n}: {sample} of experiment {number}"}
    run = bakery.run(
        store,
        make_random({}),
        campaign=bakery.campaign(prompts=[tray]),
        laboratory=bakery.laboratory(bad=frozenset({4})),
    )
    run = replace(run, person=Decided(store, run.id, agrees))
    asked = await _questions(run)
    assert [q.text for q in asked] == [
        "1: bread-1/0 of experiment 0",
        "2: bread-1/5 of experiment 5",
    ]


async def test_step_that_cannot_be_done_by_hand_fails_the_experiment(store: Store) -> None:
    def cannot(question: Question) -> tuple[str, str]:
        return "cannot", "no tray left"

    flour = {"before": "synthesize", "instrument": "oven", "text": "fill up the flour"}
    await _questions(_run(store, cannot, prompts=[flour], budget={"experiments": 1}))
    [(_, observation)] = store.observations("bread-1")
    assert observation.failure == "not done by hand: fill up the flour (no tray left)"
    assert store.actions("bread-1") == []


async def test_prompt_for_an_instrument_that_is_not_used_is_not_asked(store: Store) -> None:
    other = {"before": "measure", "instrument": "scale", "text": "tare it"}
    assert await _questions(_run(store, agrees, prompts=[other])) == []


def test_prompt_cannot_reach_into_the_program() -> None:
    text = "{sample.__class__} {0}"
    with pytest.raises(ValueError, match="is not known here"):
        bakery.campaign(prompts=[{"before": "measure", "text": text}])
