"""A campaign believes its agents as far as they have deserved, and remembers what it believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.insight import Estimate, Insight
from instruments.measurement import Measurement
from orchestrator.errors import CampaignError, UnknownCampaign
from orchestrator.loop import turn
from orchestrator.replay.past import Past
from orchestrator.run import Run
from orchestrator.store import Store
from orchestrator.store.records import Event
from orchestrator.toml_source import TomlSource
from orchestrator.trust.applying import retold, trusted
from orchestrator.trust.recorded import judge
from orchestrator.trust.statements import Truth
from orchestrator.trust.stating import resolve, state_truth
from orchestrator.trust.wording import floors_of, truth_in_words, truths_of
from planners.baselines import make_random
from tests.orchestrator import bakery

Q = bakery.QUANTITY
STD = 0.01


@dataclass
class Boaster(bakery.Taster):
    """Reads the colour with an error ten times its std; doubts itself from some experiment on."""

    doubts_from: int = 100

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        true = measurements[0].readings["colour"].value
        number = int(measurements[0].sample_id.rpartition("/")[2])
        error = 10 * STD * float(rng.choice([-1.0, 1.0]))
        return Insight(
            id=f"{measurements[0].id}/taster",
            agent=self.name,
            measurement_ids=tuple(m.id for m in measurements),
            estimates={Q: Estimate(true + error, STD, "")},
            p_wrong=0.9 if number >= self.doubts_from else 0.01,
            novelty=0.5,
        )


async def bake(
    store: Store, turns: int, *, doubts_from: int = 100, trust: dict[str, object] | None = None
) -> Run:
    lab = bakery.laboratory()
    wanted = bakery.campaign(budget={"experiments": 30}, trust=trust or {})
    run = bakery.run(store, make_random({}), laboratory=lab, campaign=wanted)
    run = replace(
        run, match=replace(run.match, agents={"taster": Boaster(doubts_from=doubts_from)})
    )
    await lab.connect()
    for number in range(turns):
        await turn(run, number)
    return run


def true_colour(store: Store, number: int) -> float:
    known = store.experiment("bread-1", number)
    assert known is not None
    return known.measurements[0].readings["colour"].value


def tell(store: Store, *numbers: int) -> None:
    for n in numbers:
        state_truth(store, "bread-1", Truth(n, Q, true_colour(store, n), 0.001, "colorimeter"))


async def test_truths_widen_what_comes_later_and_the_raw_word_stays(store: Store) -> None:
    run = await bake(store, 4)
    tell(store, 0, 1, 2)
    observation = await turn(run, 4)
    said = store.experiment("bread-1", 4)
    assert said is not None
    assert said.insights[0].estimates[Q].std == STD
    assert observation.stds[Q] > 3 * STD


async def test_the_planner_is_told_the_earlier_ones_as_they_are_believed_today(
    store: Store,
) -> None:
    run = await bake(store, 5)
    ended = store.observations(run.id)
    assert retold(run, 5, ended) == ended
    tell(store, 0, 1, 2)
    now = dict(retold(run, 5, ended))
    assert now[0].outcomes[Q] == pytest.approx(true_colour(store, 0))
    assert now[3].outcomes == ended[3][1].outcomes
    assert now[3].stds[Q] > 3 * STD


async def test_what_was_believed_once_stays_so_whatever_becomes_known(store: Store) -> None:
    run = await bake(store, 4)
    tell(store, 0, 1)
    await turn(run, 4)
    first = retold(run, 5, store.observations(run.id))
    said = [i.without_arrays() for i in store.experiment(run.id, 4).insights]  # type: ignore[union-attr]
    believed = trusted(run, 4, said)
    tell(store, 2, 3)
    assert retold(run, 5, store.observations(run.id)) == first
    assert [i.estimates for i in trusted(run, 4, said)] == [i.estimates for i in believed]


async def test_a_replay_believes_what_was_believed_then(store: Store) -> None:
    run = await bake(store, 4)
    tell(store, 0, 1)
    await turn(run, 4)
    await turn(run, 5)
    tell(store, 2, 3)
    experiments = {e.number: e for e in store.experiments(run.id)}
    _, told = store.observations_since(run.id)
    source = TomlSource(Path("bread.toml"), "", {}, {})
    record, events = store.campaign(run.id), store.events(run.id)
    past = Past(store, record, run.campaign, source, experiments, told, events)
    known, _ = past.known(experiments[5])
    assert known[3].stds[Q] > 3 * STD
    first = [o for n, o in retold(run, 5, store.observations(run.id)) if n < 5]
    assert known == first


async def test_a_run_of_doubtful_samples_is_told_and_believed_less_until_seen_to(
    store: Store,
) -> None:
    run = await bake(store, 13, doubts_from=10)
    lines = [e.message for e in store.events(run.id) if e.kind == "alarm"]
    assert len(lines) == 1
    assert lines[0].startswith("unknown_phase of taster since experiment 10")
    assert store.observations(run.id)[12][1].p_wrong > 0.95
    assert [a.kind for a in resolve(store, run.id, kind="", agent="", reason="new flour")] == [
        "unknown_phase"
    ]
    observation = await turn(run, 13)
    assert observation.p_wrong == pytest.approx(0.9)


async def test_a_standard_takes_its_turn_and_tells_who_errs(store: Store) -> None:
    place = {"temperature": 150.0, "time": 2.0}
    standard = {"values": place, "known": [{"quantity": Q, "value": 1.0}], "every": 2}
    run = await bake(store, 5, trust={"standard": standard})
    reasons = [e.proposal.reason.planner for e in store.experiments(run.id)]
    assert reasons == ["random", "random", "standard", "random", "standard"]
    assert [t.sample for t in truths_of(store.events(run.id))] == [2, 4]
    observations = dict(store.observations(run.id))
    assert observations[2].outcomes[Q] == 1.0
    assert observations[3].stds[Q] > STD


def test_a_standard_outside_the_space_is_refused() -> None:
    known = [{"quantity": Q, "value": 1.0}]
    with pytest.raises(ValueError, match="no point of the space"):
        bakery.campaign(trust={"standard": {"values": {"temperature": 999.0}, "known": known}})


async def test_a_statement_unlike_those_before_is_written_down_with_its_least_doubt(
    store: Store,
) -> None:
    run = await bake(store, 12, doubts_from=11)
    [line] = [e for e in store.events(run.id) if e.kind == "odd"]
    assert line.number == 11
    assert floors_of(store.events(run.id)) == {11: {"taster": 0.5}}
    said = store.experiment(run.id, 11)
    assert said is not None
    sure = replace(said.insights[0].without_arrays(), p_wrong=0.1)
    [believed] = trusted(run, 11, [sure])
    assert believed.p_wrong == 0.5


async def test_judging_a_recorded_campaign_tells_coverage(store: Store) -> None:
    run = await bake(store, 4)
    tell(store, 0, 1, 2, 3)
    judged = judge(store.experiments(run.id), store.events(run.id))
    assert judged.coverage[0].within == (0.0, 0.0)
    assert judged.coverage[0].n == 4


async def test_a_truth_of_nothing_is_refused(store: Store) -> None:
    await bake(store, 1)
    with pytest.raises(UnknownCampaign):
        state_truth(store, "bread-1", Truth(9, Q, 0.5))
    with pytest.raises(CampaignError, match="did you mean"):
        state_truth(store, "bread-1", Truth(0, "crust.color", 0.5))
    with pytest.raises(CampaignError, match="is a number"):
        state_truth(store, "bread-1", Truth(0, Q, "brown"))
    assert truths_of(store.events("bread-1")) == []


@given(
    value=st.one_of(st.floats(-1e6, 1e6), st.sampled_from(["fcc", "anatase or rutile"])),
    std=st.floats(0, 1e3),
    source=st.sampled_from(["ICP-OES (anna@lab)", "eye"]),
)
def test_a_truth_written_into_the_log_is_read_again_as_it_was(
    value: float | str, std: float, source: str
) -> None:
    from datetime import UTC, datetime

    told = Truth(3, "pdf.type", value, std, source)
    event = Event("truth", truth_in_words(told), 3, datetime.now(UTC))
    assert truths_of([event]) == [told]
