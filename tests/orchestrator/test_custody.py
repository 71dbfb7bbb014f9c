"""A thing has one holder, a slot holds one thing, and a hand-over is offered before it is made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.errors import CustodyConflict
from orchestrator.store import Store
from orchestrator.store.custody import Custody
from tests.orchestrator import histories

LAB = "furnace line"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with histories.open_store(tmp_path) as store:
        yield store


@pytest.fixture
def custody(store: Store) -> Custody:
    for thing in ("a/0", "a/1"):
        assert store.custody.enter(LAB, thing, "sample", "shelf", at=NOW)
    return store.custody


def holder(custody: Custody, thing: str) -> str:
    there = custody.where(LAB, thing)
    assert there is not None
    return there.holder


def test_until_it_is_accepted_an_offered_thing_stays_with_its_giver(custody: Custody) -> None:
    custody.offer(LAB, "a/0", "diffractometer", command_id="c", at=NOW)
    there = custody.where(LAB, "a/0")
    assert there is not None
    assert there.holder == "shelf"
    assert there.doubt is not None
    assert there.doubt.taker == "diffractometer"
    custody.accept(LAB, "a/0", "c", at=LATER)
    there = custody.where(LAB, "a/0")
    assert there is not None
    assert (there.holder, there.since, there.doubt) == ("diffractometer", LATER, None)


def test_a_withdrawn_offer_leaves_everything_as_it_was(custody: Custody) -> None:
    before = custody.everything()
    custody.offer(LAB, "a/0", "diffractometer", command_id="c", at=NOW)
    custody.withdraw(LAB, "a/0", "c", at=LATER)
    assert custody.everything() == before
    custody.offer(LAB, "a/1", "diffractometer", command_id="d", at=LATER)


def test_the_same_offer_made_again_is_the_same_offer(custody: Custody) -> None:
    first = custody.offer(LAB, "a/0", "diffractometer", command_id="c", at=NOW)
    assert custody.offer(LAB, "a/0", "diffractometer", command_id="c", at=LATER) == first
    assert len(custody.history("a/0")) == 1


def test_a_thing_is_not_offered_by_who_does_not_hold_it(custody: Custody) -> None:
    with pytest.raises(CustodyConflict, match="furnace offers a/0, which is held by shelf"):
        custody.offer(LAB, "a/0", "diffractometer", command_id="c", at=NOW, giver="furnace")


def test_a_thing_is_not_offered_twice(custody: Custody) -> None:
    custody.offer(LAB, "a/0", "diffractometer", command_id="c", at=NOW)
    with pytest.raises(CustodyConflict, match="a/0 is offered to diffractometer for c already"):
        custody.offer(LAB, "a/0", "press", command_id="d", at=NOW)


def test_a_place_that_is_kept_free_is_not_offered_again(custody: Custody) -> None:
    custody.offer(LAB, "a/0", "diffractometer", command_id="c", at=NOW)
    with pytest.raises(CustodyConflict, match="kept free for a/0"):
        custody.offer(LAB, "a/1", "diffractometer", command_id="d", at=NOW)
    with pytest.raises(CustodyConflict, match="kept free for a/0"):
        custody.enter(LAB, "a/2", "sample", "diffractometer", at=NOW)
    assert custody.where(LAB, "a/2") is None


def test_a_place_that_is_taken_is_not_offered_and_the_occupant_is_named(custody: Custody) -> None:
    custody.hand(LAB, "a/0", "diffractometer", command_id="c", at=NOW)
    with pytest.raises(CustodyConflict, match=r"a/0 is in it.*sdlab move a/0 shelf"):
        custody.offer(LAB, "a/1", "diffractometer", command_id="d", at=NOW)
    custody.offer(LAB, "a/1", "diffractometer", slot="2", command_id="d", at=NOW)
    with pytest.raises(CustodyConflict, match="a/0 is in it"):
        custody.enter(LAB, "a/2", "sample", "diffractometer", at=NOW)


@pytest.mark.parametrize("first", ["accept", "withdraw"])
@pytest.mark.parametrize("second", ["accept", "withdraw"])
def test_an_offer_is_closed_once(custody: Custody, first: str, second: str) -> None:
    custody.offer(LAB, "a/0", "diffractometer", command_id="c", at=NOW)
    getattr(custody, first)(LAB, "a/0", "c", at=NOW)
    with pytest.raises(CustodyConflict, match="no offer of a/0 for c is open"):
        getattr(custody, second)(LAB, "a/0", "c", at=LATER)
    assert holder(custody, "a/0") == ("diffractometer" if first == "accept" else "shelf")


def test_what_was_never_seen_cannot_be_handed_over(custody: Custody) -> None:
    with pytest.raises(CustodyConflict, match="no 'a/7' is known"):
        custody.offer(LAB, "a/7", "diffractometer", command_id="c", at=NOW)


def test_the_shelf_and_what_is_away_have_room_for_everything(custody: Custody) -> None:
    for thing in ("a/0", "a/1"):
        custody.hand(LAB, thing, "away", command_id="person", at=NOW)
        custody.hand(LAB, thing, "shelf", command_id="person", at=NOW)
    assert [h.taker for h in custody.history("a/1")] == ["away", "shelf"]


def test_a_vessel_is_free_when_it_is_empty_on_the_shelf_and_not_on_its_way(
    custody: Custody,
) -> None:
    for n in (1, 2, 10):
        custody.enter(LAB, f"crucible-{n}", "crucible", "shelf", at=NOW)
    assert custody.free(LAB, "crucible") == ["crucible-1", "crucible-2", "crucible-10"]
    custody.hand(LAB, "a/0", "crucible-1", command_id="person", at=NOW)
    custody.offer(LAB, "crucible-2", "furnace", command_id="c", at=NOW)
    assert custody.free(LAB, "crucible") == ["crucible-10"]
    assert custody.contents(LAB) == [("a/0", "crucible-1", "crucible")]
    with pytest.raises(CustodyConflict, match="a/0 is in it"):
        custody.hand(LAB, "a/1", "crucible-1", command_id="person", at=NOW)


def test_laboratories_do_not_know_each_others_things(custody: Custody) -> None:
    custody.enter("other line", "a/0", "sample", "diffractometer", at=NOW)
    custody.hand(LAB, "a/0", "diffractometer", command_id="c", at=NOW)
    assert [t.scope for t in custody.everything() if t.holder == "diffractometer"] == [
        LAB,
        "other line",
    ]
