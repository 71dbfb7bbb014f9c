"""Stock and custody say what the actions say, wherever the process dies."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace

import pytest

from instruments.commands import Command, Outcome, Synthesize
from instruments.execution import Executor
from instruments.protocols import Estimated
from orchestrator.control import run_campaign
from orchestrator.errors import LaboratoryRefused
from orchestrator.forecast import look_ahead
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.loop import turn
from orchestrator.run import Run
from orchestrator.storage.moving import find_thing, give_back, move
from orchestrator.storage.storeroom import Storeroom
from orchestrator.storage.supplies import secure, secure_again
from orchestrator.store import Store
from orchestrator.store.records import NOT_CARRIED_OUT
from orchestrator.store.storage_records import Level
from planners.baselines import make_random
from tests.orchestrator import bakery, histories

TINS = {"vessels": {"tin": 2}, "vessel_kinds": {"oven": "tin"}}
FLOUR = ("oven", "flour")


class Killed(BaseException):
    """The process is gone."""


def opened(store: Store, *, campaign_id: str = "bread-1", **parts: object) -> Run:
    lab = parts.pop("laboratory", None) or bakery.laboratory(**parts.pop("faults", {}))  # type: ignore[arg-type]
    assert isinstance(lab, Laboratory)
    lab = replace(lab, **parts.pop("changes", {}))  # type: ignore[arg-type]
    return bakery.run(store, make_random({}), campaign_id=campaign_id, laboratory=lab, **parts)


def flour(store: Store, scope: str = "bread-1") -> Level:
    (level,) = store.stock.levels(scope)
    return level


def places(store: Store, scope: str = "bread-1") -> Mapping[str, str]:
    return {t.thing: t.holder for t in store.custody.everything(scope)}


def kept_back(run: Run) -> None:
    expected = look_ahead(run.campaign, run.laboratory, run.match)
    assert isinstance(run.storeroom, Storeroom)
    secure(run.campaign, run.laboratory, run.match, run.storeroom, expected)


async def one_turn(run: Run, number: int = 0) -> None:
    await run.laboratory.connect()
    await turn(run, number)
    await run.laboratory.disconnect()


async def test_a_sample_goes_from_its_maker_to_the_shelf_and_through_the_meter(
    store: Store,
) -> None:
    await one_turn(opened(store))
    assert places(store) == {"bread-1/0": "shelf"}
    steps = [(h.giver, h.taker, h.accepted is not None) for h in store.custody.history("bread-1/0")]
    assert steps == [("shelf", "meter", True), ("meter", "shelf", True)]
    assert flour(store).left == 10_000 - 100


async def test_while_an_instrument_works_the_sample_is_offered_to_it(store: Store) -> None:
    run = opened(store)
    meter = run.laboratory.instruments["meter"]
    seen: list[object] = []
    act = meter.device.act  # type: ignore[attr-defined]

    async def watched(action: object, command: Command) -> object:
        doubt = find_thing(store, "bread-1/0").doubt
        seen.append((doubt.taker, doubt.command_id) if doubt else None)
        return await act(action, command)

    meter.device.act = watched  # type: ignore[attr-defined]
    await one_turn(run)
    assert seen == [("meter", "bread-1/0/measure-0/0")]


async def test_a_sample_is_made_in_a_vessel_and_moves_with_it(store: Store) -> None:
    await one_turn(opened(store, changes=TINS))
    assert places(store) == {"bread-1/0": "tin-1", "tin-1": "shelf", "tin-2": "shelf"}
    took = [(h.giver, h.taker) for h in store.custody.history("tin-1")]
    assert took == [("shelf", "oven"), ("oven", "shelf"), ("shelf", "meter"), ("meter", "shelf")]


async def test_simulated_vessels_are_free_again_when_their_experiment_has_ended(
    store: Store,
) -> None:
    one = {**TINS, "vessels": {"tin": 1}}
    run = opened(store, changes=one, faults={"bad": frozenset({1})})
    await run.laboratory.connect()
    ending = await run_campaign(run)
    assert ending.experiments == 6
    inside = [t.thing for t in store.custody.everything("bread-1") if t.holder == "tin-1"]
    assert inside == ["bread-1/5"]


async def test_a_real_vessel_is_used_again_only_when_a_person_returns_it(store: Store) -> None:
    run = opened(store, changes={**TINS, "vessels": {"tin": 1}, "simulated": False})
    await one_turn(run)
    with pytest.raises(LaboratoryRefused, match="no tin of bakery is free"):
        await one_turn(run, 1)
    said = give_back(store, find_thing(store, "tin-1", "bakery"))
    assert said == ["bread-1/0 is away", "tin-1 is empty and on the shelf"]
    await one_turn(run, 1)
    assert places(store, "bakery") == {
        "bread-1/0": "away",
        "bread-1/1": "tin-1",
        "tin-1": "shelf",
    }


async def test_the_remains_of_a_failed_synthesis_keep_their_vessel(store: Store) -> None:
    run = opened(store, changes={**TINS, "simulated": False}, faults={"bad": frozenset({0})})
    await one_turn(run)
    assert places(store, "bakery")["bread-1/0/synthesize/0"] == "tin-1"
    assert store.custody.free("bakery", "tin") == ["tin-2"]
    assert flour(store, "bakery").left == 10_000 - 100


async def test_an_empty_store_room_refuses_and_leaves_no_trace_of_the_attempt(
    store: Store,
) -> None:
    run = opened(store, changes={"simulated": False})
    store.stock.fill("bakery", "oven", "flour", 99.0, at=run.laboratory.clock.now())
    with pytest.raises(LaboratoryRefused, match=r"oven has 99 g of flour.*about 100 are needed"):
        await one_turn(run)
    assert store.actions("bread-1", 0) == []
    assert (flour(store, "bakery").left, flour(store, "bakery").aside) == (99.0, 0.0)


async def test_what_is_left_is_known_when_the_laboratory_is_opened_again(store: Store) -> None:
    await one_turn(opened(store, changes={"simulated": False}))
    again = opened(store, campaign_id="bread-2", changes={"simulated": False})
    assert flour(store, "bakery").left == 9_900
    await one_turn(again)
    assert flour(store, "bakery").left == 9_800


async def test_every_dry_run_starts_full(store: Store) -> None:
    await one_turn(opened(store))
    await one_turn(opened(store, campaign_id="bread-2"))
    assert flour(store, "bread-1").left == flour(store, "bread-2").left == 9_900


@pytest.mark.parametrize("step", ["synthesize", "measure-0"])
async def test_a_death_in_mid_action_books_nothing_twice(store: Store, step: str) -> None:
    lab = replace(bakery.laboratory(), **TINS)  # type: ignore[arg-type]
    run = opened(store, laboratory=lab)
    after = run.storeroom.after

    class DiesAt:
        remarks = ()
        before = run.storeroom.before

        def after(self, action, order, outcome, *, presumed=False):  # type: ignore[no-untyped-def]
            after(action, order, outcome, presumed=presumed)
            if action.step == step:
                raise Killed

    with pytest.raises(Killed):
        await one_turn(replace(run, storeroom=DiesAt()))
    doubts = [t.thing for t in store.custody.everything("bread-1") if t.doubt is not None]
    assert doubts == ["tin-1"]
    await one_turn(run)
    assert (flour(store).left, flour(store).aside) == (9_900, 0.0)
    assert places(store) == {"bread-1/0": "tin-1", "tin-1": "shelf", "tin-2": "shelf"}
    assert not [t for t in store.custody.everything("bread-1") if t.doubt is not None]


def test_of_an_unconfirmed_action_the_offer_and_the_goods_stay_open(store: Store) -> None:
    run = opened(store, changes=TINS)
    now = run.laboratory.clock.now()
    action = histories.action("bread-1", 0, instrument="oven")
    order = Synthesize(sample_id="bread-1/0", number=0, recipe={"temperature": 150.0, "time": 1.0})
    doubt = Outcome(action.command_id, "unconfirmed", None, now, now, simulated=True, error="?")
    for _ in range(2):
        run.storeroom.before(action, order, Estimated(3600.0, {"flour": 100.0}))
    run.storeroom.after(action, order, doubt)
    assert find_thing(store, "tin-1").doubt is not None
    assert find_thing(store, "tin-2").doubt is None
    assert (flour(store).left, flour(store).aside) == (10_000, 100.0)
    run.storeroom.after(action, order, replace(doubt, settled="failed"), presumed=True)
    assert (flour(store).left, flour(store).aside) == (9_900, 0.0)
    assert places(store)[action.command_id] == "tin-1"


def test_a_command_that_never_reached_the_device_leaves_no_mark(store: Store) -> None:
    run = opened(store, changes=TINS)
    now = run.laboratory.clock.now()
    action = histories.action("bread-1", 0, instrument="oven")
    order = Synthesize(sample_id="bread-1/0", number=0, recipe={"temperature": 150.0, "time": 1.0})
    run.storeroom.before(action, order, Estimated(3600.0, {"flour": 100.0}))
    never = Outcome(
        action.command_id, "aborted", None, now, now, True, error="no", fault=NOT_CARRIED_OUT
    )
    run.storeroom.after(action, order, never)
    assert (flour(store).left, flour(store).aside) == (10_000, 0.0)
    assert places(store) == {"tin-1": "shelf", "tin-2": "shelf"}
    assert store.custody.free("bread-1", "tin") == ["tin-1", "tin-2"]


async def test_an_occupied_instrument_refuses_and_names_what_is_in_it(store: Store) -> None:
    run = opened(store, changes={"simulated": False})
    store.custody.enter("bakery", "stray", "sample", "meter", at=run.laboratory.clock.now())
    with pytest.raises(LaboratoryRefused, match="stray is in it"):
        await one_turn(run)
    assert places(store, "bakery")["bread-1/0"] == "shelf"
    store.custody.hand(
        "bakery", "stray", "shelf", command_id="person", at=run.laboratory.clock.now()
    )
    await one_turn(run)
    assert len(store.observations("bread-1")) == 1


async def test_a_sample_that_was_taken_out_is_not_measured(store: Store) -> None:
    run = opened(store)
    keep = run.storeroom.before

    class TakenOut:
        remarks = ()
        after = run.storeroom.after

        def before(self, action, order, estimated):  # type: ignore[no-untyped-def]
            if action.step == "measure-0" and action.number == 0:
                store.custody.hand(
                    "bread-1", "bread-1/0", "away", command_id="person", at=action.intended
                )
            keep(action, order, estimated)

    with pytest.raises(LaboratoryRefused, match="was taken out of the laboratory"):
        await one_turn(replace(run, storeroom=TakenOut()))


async def test_the_word_of_a_person_settles_a_doubt(store: Store) -> None:
    run = opened(store)
    store.custody.enter("bread-1", "loaf", "sample", "shelf", at=run.laboratory.clock.now())
    store.custody.offer("bread-1", "loaf", "oven", command_id="c", at=run.laboratory.clock.now())
    there = move(store, find_thing(store, "loaf"), "shelf")
    assert (there.holder, there.doubt) == ("shelf", None)


def test_two_campaigns_cannot_both_count_on_the_same_flour(store: Store) -> None:
    runs = [
        opened(store, campaign_id=name, changes={"simulated": False})
        for name in ("bread-1", "bread-2")
    ]
    store.stock.fill("bakery", "oven", "flour", 1_100.0, at=runs[0].laboratory.clock.now())
    first, second = runs
    kept_back(first)
    with pytest.raises(LaboratoryRefused, match="reserved: 600 g for bread-1"):
        kept_back(second)
    store.set_status("bread-1", "finished")
    kept_back(second)


async def test_a_campaign_with_just_enough_can_be_resumed_anywhere(store: Store) -> None:
    run = opened(store, changes={"simulated": False})
    store.stock.fill("bakery", "oven", "flour", 600.0, at=run.laboratory.clock.now())
    secure_again(run, store)

    class DiesAfterBaking:
        remarks = ()
        after = run.storeroom.after

        def before(self, action, order, estimated):  # type: ignore[no-untyped-def]
            if action.step == "measure-0" and action.number == 2:
                raise Killed
            run.storeroom.before(action, order, estimated)

    await run.laboratory.connect()
    with pytest.raises(Killed):
        await run_campaign(replace(run, storeroom=DiesAfterBaking()))
    assert flour(store, "bakery").left == 300.0
    secure_again(run, store)
    assert flour(store, "bakery").reserved == {"bread-1": 300.0}
    assert (await run_campaign(run)).experiments == 6
    assert flour(store, "bakery").left == 0.0


def test_a_real_campaign_that_would_run_out_of_vessels_is_refused(store: Store) -> None:
    run = opened(store, changes={**TINS, "simulated": False})
    with pytest.raises(LaboratoryRefused, match="the shelf has 2 of tin to give, about 6"):
        kept_back(run)


@pytest.mark.parametrize(("in_flight", "enough"), [(2, True), (3, False)])
def test_a_dry_run_needs_as_many_vessels_as_it_has_experiments_in_flight(
    store: Store, in_flight: int, enough: bool
) -> None:
    run = opened(store, changes=TINS, campaign=bakery.campaign(in_flight=in_flight))
    with nullcontext() if enough else pytest.raises(LaboratoryRefused, match="2 of tin"):
        kept_back(run)


def test_ovens_that_bake_alike_share_what_is_kept_back(store: Store) -> None:
    lab = bakery.laboratory()
    oven = lab.instruments["oven"]
    other = Executor("oven-2", bakery.OVEN, lab.clock, oven.device)  # type: ignore[attr-defined]
    lab = replace(lab, instruments={**lab.instruments, "oven-2": other})
    run = opened(store, laboratory=lab)
    kept_back(replace(run, match=replace(run.match, equals={"synthesize": ("oven-2",)})))
    kept = {n.instrument: n.reserved for n in store.stock.levels("bread-1")}
    assert kept == {"oven": {"bread-1": 300.0}, "oven-2": {"bread-1": 300.0}}
