"""History is written once, found again, and never overwritten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from orchestrator.errors import StoreConflict, StoreError, UnknownCampaign
from orchestrator.store import Progress, Store
from tests.orchestrator import histories

CAMPAIGN = "anatase-7"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with histories.open_store(tmp_path) as store:
        store.create_campaign(histories.campaign(CAMPAIGN))
        yield store


def test_the_same_experiment_written_twice_is_written_once(store: Store) -> None:
    histories.record_experiment(store, CAMPAIGN, 0)
    before = repr(store.experiment(CAMPAIGN, 0))
    histories.record_experiment(store, CAMPAIGN, 0)
    assert repr(store.experiment(CAMPAIGN, 0)) == before
    assert len(store.experiments(CAMPAIGN)) == 1


def test_a_campaign_written_twice_keeps_its_status(store: Store) -> None:
    store.set_status(CAMPAIGN, "running")
    store.create_campaign(histories.campaign(CAMPAIGN))
    assert store.campaign(CAMPAIGN).status == "running"
    with pytest.raises(StoreConflict, match="seed"):
        store.create_campaign(histories.campaign(CAMPAIGN, seed=8))


def _other_measurement():
    measured = histories.measurement(CAMPAIGN, 0)
    counts = measured.y.copy()
    counts[17] += 1e-9
    return replace(measured, y=counts)


@pytest.mark.parametrize(
    ("write", "differing"),
    [
        (lambda s: s.record_proposal(CAMPAIGN, 0, histories.proposal(1), seed=[7, 0, 0]), "conten"),
        (lambda s: s.record_proposal(CAMPAIGN, 0, histories.proposal(0), seed=[1]), "seed"),
        (
            lambda s: s.record_sample(
                CAMPAIGN, 0, histories.sample(CAMPAIGN, 0).model_copy(update={"notes": ()})
            ),
            "contents",
        ),
        (lambda s: s.record_sample(CAMPAIGN, 0, histories.sample("other", 0)), "id"),
        (lambda s: s.record_measurement(CAMPAIGN, 0, _other_measurement()), "y differ"),
        (
            lambda s: s.record_insight(
                CAMPAIGN, 0, replace(histories.insight(CAMPAIGN, 0), p_wrong=0.5)
            ),
            "contents",
        ),
        (
            lambda s: s.record_insight(
                CAMPAIGN, 0, replace(histories.insight(CAMPAIGN, 0), covariance=np.eye(2))
            ),
            "covariance",
        ),
        (lambda s: s.record_observation(CAMPAIGN, 0, histories.observation(4)), "contents"),
    ],
)
def test_another_record_in_the_same_place_is_a_conflict(store: Store, write, differing) -> None:
    histories.record_experiment(store, CAMPAIGN, 0)
    before = repr(store.experiment(CAMPAIGN, 0))
    with pytest.raises(StoreConflict, match=differing):
        write(store)
    assert repr(store.experiment(CAMPAIGN, 0)) == before


@pytest.mark.parametrize(
    "write",
    [
        lambda s: s.record_sample(CAMPAIGN, 5, histories.sample(CAMPAIGN, 5)),
        lambda s: s.record_measurement(CAMPAIGN, 0, histories.measurement(CAMPAIGN, 0)),
        lambda s: s.record_insight(CAMPAIGN, 0, histories.insight(CAMPAIGN, 0)),
        lambda s: s.record_observation(CAMPAIGN, 5, histories.observation(5)),
        lambda s: s.record_action(histories.action(CAMPAIGN, 5)),
    ],
    ids=["sample", "measurement", "insight", "observation", "action"],
)
def test_nothing_is_kept_that_came_from_nowhere(store: Store, write) -> None:
    store.record_proposal(CAMPAIGN, 0, histories.proposal(0), seed=[7])
    before = store.experiments(CAMPAIGN)
    with pytest.raises(StoreError, match="never recorded"):
        write(store)
    assert store.experiments(CAMPAIGN) == before


def test_an_observation_is_linked_to_the_insights_before_it(store: Store) -> None:
    from sqlalchemy import select

    from orchestrator.store.engine import reading
    from orchestrator.store.tables import INSIGHT_SOURCE, OBSERVATION_SOURCE

    histories.record_experiment(store, CAMPAIGN, 0)
    read = histories.insight(CAMPAIGN, 0)
    with reading(store._engine) as connection:
        links = connection.execute(select(OBSERVATION_SOURCE)).all()
        sources = connection.execute(select(INSIGHT_SOURCE)).all()
    assert links == [(CAMPAIGN, 0, read.id)]
    assert sources == [(read.id, 0, read.measurement_ids[0])]


def test_an_experiment_shows_how_far_it_has_come(store: Store) -> None:
    assert store.experiment(CAMPAIGN, 0) is None
    store.record_proposal(CAMPAIGN, 0, histories.proposal(0), seed=[7])
    begun = store.experiment(CAMPAIGN, 0)
    assert (
        begun.sample,
        begun.measurements,
        begun.insights,
        begun.observation,
        begun.finished,
    ) == (
        None,
        (),
        (),
        None,
        None,
    )
    store.record_sample(CAMPAIGN, 0, histories.sample(CAMPAIGN, 0))
    assert store.experiment(CAMPAIGN, 0).sample.made_by == "furnace"


def test_observations_are_read_once_and_only_what_is_new(store: Store) -> None:
    for number in (0, 2, 1):
        histories.record_experiment(store, CAMPAIGN, number)
    assert [number for number, _ in store.observations(CAMPAIGN)] == [0, 1, 2]
    cursor, told = store.observations_since(CAMPAIGN)
    assert [number for number, _ in told] == [0, 2, 1]
    assert store.observations_since(CAMPAIGN, cursor) == (cursor, [])
    histories.record_experiment(store, CAMPAIGN, 3)
    _, told = store.observations_since(CAMPAIGN, cursor)
    assert told == [(3, histories.observation(3))]
    assert len(store.observations(CAMPAIGN)) == 4


def test_observations_of_another_process_are_seen(store: Store, tmp_path: Path) -> None:
    histories.record_experiment(store, CAMPAIGN, 0)
    assert len(store.observations(CAMPAIGN)) == 1
    with histories.open_store(tmp_path) as other:
        histories.record_experiment(other, CAMPAIGN, 1)
    assert len(store.observations(CAMPAIGN)) == 2


def test_experiments_are_listed_without_touching_an_array(store: Store, tmp_path: Path) -> None:
    histories.record_experiment(store, CAMPAIGN, 0)
    for file in (tmp_path / "arrays").rglob("*.npy"):
        file.unlink()
    (experiment,) = store.experiments(CAMPAIGN)
    assert experiment.measurements[0].n_points == 200
    assert experiment.insights[0].estimates["xrd.weight_fraction.anatase"].value == 0.72


def test_campaigns_are_listed_newest_first_and_counted(store: Store) -> None:
    later = histories.START + timedelta(days=1)
    store.create_campaign(histories.campaign("rutile-1", created=later, updated=later))
    for number in range(5):
        histories.record_experiment(store, CAMPAIGN, number)
    store.record_proposal(CAMPAIGN, 5, histories.proposal(5), seed=[7])
    assert [record.id for record in store.campaigns()] == ["rutile-1", CAMPAIGN]
    assert store.progress() == {
        "rutile-1": Progress(0, 0, 0),
        CAMPAIGN: Progress(begun=6, ended=5, failed=1),
    }
    assert store.campaign(CAMPAIGN).updated > histories.START


def test_a_campaign_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    store.create_campaign(histories.campaign("anatase-70"))
    store.create_campaign(histories.campaign("rutile-1"))
    assert store.campaign("rut").id == "rutile-1"
    assert store.campaign(CAMPAIGN).id == CAMPAIGN
    with pytest.raises(UnknownCampaign, match="begins 2 campaigns: anatase-7, anatase-70"):
        store.campaign("anat")
    with pytest.raises(UnknownCampaign, match="did you mean rutile-1"):
        store.campaign("rutlie-1")
    with pytest.raises(UnknownCampaign, match="sdlab list"):
        store.campaign("")


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: s.experiments("nobody"),
        lambda s: s.observations("nobody"),
        lambda s: s.events("nobody"),
        lambda s: s.unsettled_actions("nobody"),
        lambda s: s.set_status("nobody", "running"),
        lambda s: s.record_event("nobody", "note", "x"),
        lambda s: s.record_proposal("nobody", 0, histories.proposal(0), seed=[1]),
    ],
)
def test_an_unknown_campaign_is_said_to_be_unknown(store: Store, ask) -> None:
    with pytest.raises(UnknownCampaign, match="nobody"):
        ask(store)


@pytest.mark.parametrize("ask", [Store.measurement, Store.insight])
def test_an_unknown_measurement_or_insight_is_named(store: Store, ask) -> None:
    with pytest.raises(StoreError, match="nothing/like/it"):
        ask(store, "nothing/like/it")


def test_every_change_of_status_is_in_the_log(store: Store) -> None:
    store.set_status(CAMPAIGN, "running")
    store.record_event(CAMPAIGN, "note", "somebody opened the door", number=3)
    store.set_status(CAMPAIGN, "interrupted", "Ctrl-C")
    record = store.campaign(CAMPAIGN)
    assert (record.status, record.message) == ("interrupted", "Ctrl-C")
    log = [(event.kind, event.message, event.number) for event in store.events(CAMPAIGN)]
    assert log == [
        ("status", "running", None),
        ("note", "somebody opened the door", 3),
        ("status", "interrupted: Ctrl-C", None),
    ]
    with pytest.raises(ValueError, match="asleep"):
        store.set_status(CAMPAIGN, "asleep")


def test_an_action_is_open_until_it_is_settled(store: Store) -> None:
    store.record_proposal(CAMPAIGN, 0, histories.proposal(0), seed=[7])
    intended = histories.action(CAMPAIGN, 0)
    store.record_action(intended)
    store.record_action(intended)
    assert store.unsettled_actions(CAMPAIGN) == [intended]
    sent = replace(intended, sent=histories.START + timedelta(seconds=1))
    store.record_action(sent)
    store.record_action(intended)
    assert store.unsettled_actions(CAMPAIGN) == [sent]
    settled = replace(
        sent,
        settled="failed",
        error="the arm jammed",
        fault="jam",
        consumed={"TiOSO4": 0.4},
        started=histories.START,
        finished=histories.START + timedelta(minutes=2),
    )
    store.settle_action(settled)
    store.settle_action(settled)
    store.record_action(sent)
    assert store.unsettled_actions(CAMPAIGN) == []
    assert store.actions(CAMPAIGN, 0) == [settled]
    with pytest.raises(StoreConflict, match="recorded as failed"):
        store.settle_action(replace(settled, settled="succeeded", error="", fault=""))


def test_an_action_keeps_its_arguments_and_needs_a_beginning(store: Store) -> None:
    store.record_proposal(CAMPAIGN, 0, histories.proposal(0), seed=[7])
    intended = histories.action(CAMPAIGN, 0)
    with pytest.raises(StoreError, match="beginning was never recorded"):
        store.settle_action(replace(intended, settled="succeeded"))
    store.record_action(intended)
    with pytest.raises(StoreConflict, match="arguments"):
        store.record_action(replace(intended, arguments="{}"))
    with pytest.raises(StoreError, match="how it ended"):
        store.settle_action(intended)


def test_attempts_are_listed_in_order(store: Store) -> None:
    for number in (0, 1):
        store.record_proposal(CAMPAIGN, number, histories.proposal(number), seed=[7])
    for number, attempt in ((0, 0), (1, 0), (0, 1)):
        name = f"{CAMPAIGN}/{number}/synthesize/{attempt}"
        store.record_action(histories.action(CAMPAIGN, number, command_id=name, attempt=attempt))
    assert [a.attempt for a in store.actions(CAMPAIGN, 0)] == [0, 1]
    assert len(store.actions(CAMPAIGN)) == 3
