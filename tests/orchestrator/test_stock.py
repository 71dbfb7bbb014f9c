"""What is left is known whoever asks, is booked once, and is kept for whom it was promised to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from instruments.capabilities import Consumable
from orchestrator.errors import StoreError
from orchestrator.store import Store
from orchestrator.store.storage_records import Level
from tests.orchestrator import histories

LAB = "furnace line"
GEL = Consumable(name="gel", unit="g", stock=10.0)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = ("furnace", "gel")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with histories.open_store(tmp_path) as store:
        stocked(store)
        yield store


def stocked(store: Store) -> None:
    for name in ("a", "b"):
        store.create_campaign(histories.campaign(name))
    assert store.stock.declare(LAB, "furnace", GEL, NOW) is None


def take(store: Store, campaign: str, number: int, amount: float) -> list[str]:
    command = f"{campaign}/{number}/synthesize/0"
    short = store.stock.set_aside(LAB, campaign, command, "furnace", {"gel": amount}, at=NOW)
    return [str(s) for s in short]


def book(store: Store, campaign: str, number: int, amount: float | None) -> None:
    command = f"{campaign}/{number}/synthesize/0"
    used = None if amount is None else {"gel": amount}
    store.stock.book(LAB, campaign, command, "furnace", used, at=NOW)


def level(store: Store) -> Level:
    (found,) = store.stock.levels(LAB)
    return found


def test_what_is_left_is_the_last_filling_minus_what_was_used_since(store: Store) -> None:
    for number, amount in enumerate((1.5, 2.0, 0.25)):
        assert not take(store, "a", number, 2.0)
        book(store, "a", number, amount)
    assert level(store).left == 10.0 - 3.75
    store.stock.fill(LAB, "furnace", "gel", 8.0, at=NOW)
    assert level(store).left == 8.0
    store.stock.fill(LAB, "furnace", "gel", 1.0, at=NOW, add=True)
    assert take(store, "a", 3, 2.0) == []
    book(store, "a", 3, 2.0)
    assert level(store).left == 7.0


def test_a_command_is_booked_once_however_often_it_settles(store: Store) -> None:
    take(store, "a", 0, 2.0)
    take(store, "a", 0, 2.0)
    assert (level(store).left, level(store).aside) == (10.0, 2.0)
    for amount in (1.5, 1.5, 9.0):
        book(store, "a", 0, amount)
    assert (level(store).left, level(store).aside) == (8.5, 0.0)


def test_use_that_nobody_estimated_is_booked_all_the_same(store: Store) -> None:
    for _ in range(2):
        book(store, "a", 0, 0.5)
    assert (level(store).left, level(store).aside) == (9.5, 0.0)


def test_what_nobody_measured_counts_as_used_as_it_was_set_aside(store: Store) -> None:
    take(store, "a", 0, 2.0)
    book(store, "a", 0, None)
    assert level(store).left == 8.0


def test_what_a_command_set_aside_and_did_not_use_is_given_back(store: Store) -> None:
    assert store.stock.reserve(LAB, "a", {GOOD: 6.0}) == []
    take(store, "a", 0, 2.0)
    assert level(store).reserved == {"a": 4.0}
    book(store, "a", 0, 0.0)
    assert (level(store).left, level(store).reserved) == (10.0, {"a": 6.0})


def test_commands_under_way_leave_the_others_only_the_rest(store: Store) -> None:
    assert take(store, "a", 0, 7.0) == []
    (short,) = take(store, "b", 0, 4.0)
    assert short == "furnace has 3 g of gel to give, about 4 are needed"


def test_nothing_is_taken_from_what_is_kept_back_for_another(store: Store) -> None:
    assert store.stock.reserve(LAB, "a", {GOOD: 6.0}) == []
    (short,) = store.stock.reserve(LAB, "b", {GOOD: 5.0})
    assert str(short) == (
        "furnace has 4 g of gel to give, about 5 are needed (reserved: 6 g for a)"
    )
    assert level(store).reserved == {"a": 6.0}
    assert store.stock.reserve(LAB, "b", {GOOD: 4.0}) == []


def test_whoever_stays_within_its_reservation_is_served_though_another_overdrew(
    store: Store,
) -> None:
    store.stock.reserve(LAB, "a", {GOOD: 5.0})
    store.stock.reserve(LAB, "b", {GOOD: 5.0})
    take(store, "b", 0, 5.0)
    book(store, "b", 0, 5.5)
    assert take(store, "a", 0, 4.5) == []


@pytest.mark.parametrize("status", ["finished", "cancelled", "failed"])
def test_a_campaign_that_is_over_keeps_nothing_back(store: Store, status: str) -> None:
    store.stock.reserve(LAB, "a", {GOOD: 6.0})
    store.set_status("a", "interrupted")
    assert level(store).reserved == {"a": 6.0}
    store.set_status("a", status)
    assert level(store).reserved == {}


def test_a_new_number_in_the_file_is_told_and_not_believed(store: Store) -> None:
    take(store, "a", 0, 2.0)
    book(store, "a", 0, 2.0)
    more = GEL.model_copy(update={"stock": 50.0})
    differs = store.stock.declare(LAB, "furnace", more, NOW)
    assert differs is not None
    assert (differs.declared, differs.left) == (10.0, 8.0)
    assert level(store).left == 8.0
    store.stock.fill(LAB, "furnace", "gel", 50.0, at=NOW)
    assert store.stock.declare(LAB, "furnace", more, NOW) is None


def test_a_refill_of_something_unknown_names_what_is_there(store: Store) -> None:
    with pytest.raises(StoreError, match="it has furnace gel"):
        store.stock.fill(LAB, "furnace", "gell", 1.0, at=NOW)
    with pytest.raises(StoreError, match="0 or more"):
        store.stock.fill(LAB, "furnace", "gel", -1.0, at=NOW)


class TooLittle(Exception):
    """Rolls the transaction back, as a refused command does."""


def draw_together(open_store: Callable[[], Store]) -> None:
    """Let two connections draw 1 g at a time until nothing is given: 10 g, 4 g kept for each."""
    with open_store() as store:
        for campaign in ("a", "b"):
            assert store.stock.reserve(LAB, campaign, {GOOD: 4.0}) == []

    def draw(campaign: str) -> int:
        given = 0
        with open_store() as mine:
            for number in range(12):
                try:
                    with mine.together(campaign):
                        if take(mine, campaign, number, 1.0):
                            raise TooLittle
                except TooLittle:
                    continue
                book(mine, campaign, number, 1.0)
                given += 1
        return given

    with ThreadPoolExecutor(2) as pool:
        given = list(pool.map(draw, ["a", "b"]))
    with open_store() as store:
        assert sum(given) == 10
        assert min(given) >= 4
        assert level(store).left == pytest.approx(0.0)


def test_two_campaigns_at_once_never_draw_what_is_kept_for_the_other(tmp_path: Path) -> None:
    with histories.open_store(tmp_path) as first:
        stocked(first)
    draw_together(lambda: histories.open_store(tmp_path))
