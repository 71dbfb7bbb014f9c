"""One process at a time runs a campaign; whoever lost it can no longer write."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from orchestrator.errors import CampaignHeld, Superseded
from orchestrator.sharing.holding import Pulse, hold, is_dead, is_running, this_process
from orchestrator.store import Store
from orchestrator.store.holds import Hold, Holder
from tests.orchestrator import histories
from tests.orchestrator.conftest import record

CAMPAIGN = "bread-1"


@pytest.fixture
def other(store: Store, tmp_path: Path) -> Iterator[Store]:
    """The same history, opened by another process."""
    with Store.open(f"sqlite:///{tmp_path / 'sdlab.sqlite'}", tmp_path / "arrays") as opened:
        yield opened


def elsewhere(age: timedelta) -> Hold:
    """Return a hold of a process on another machine, last heard of `age` ago."""
    moment = datetime.now(UTC) - age
    return Hold(CAMPAIGN, 1, Holder("beamline-7", 4711, 0.0), moment, moment, None)


def test_a_living_holder_keeps_every_other_process_out(store: Store, other: Store) -> None:
    with (
        hold(store, CAMPAIGN),
        pytest.raises(CampaignHeld, match="run already by process"),
        hold(other, CAMPAIGN),
    ):
        pass


def test_a_campaign_that_was_given_back_can_be_taken_with_a_higher_token(
    store: Store, other: Store
) -> None:
    with hold(store, CAMPAIGN) as first:
        pass
    with hold(other, CAMPAIGN) as second:
        assert second.token == first.token + 1


def test_campaigns_are_held_one_by_one(store: Store, other: Store) -> None:
    with hold(store, CAMPAIGN), hold(other, "bread-2") as second:
        assert second.token == 1


def test_whoever_was_superseded_can_write_nothing_more(store: Store, other: Store) -> None:
    with hold(store, CAMPAIGN):
        store.record_proposal(CAMPAIGN, 0, histories.proposal(0), seed=[7])
        with hold(other, CAMPAIGN, take_over=True):
            with pytest.raises(Superseded, match="taken over"):
                store.record_proposal(CAMPAIGN, 1, histories.proposal(1), seed=[7])
            with pytest.raises(Superseded, match="must end"):
                store.set_status(CAMPAIGN, "failed", "by the ghost of a process")
            other.record_proposal(CAMPAIGN, 1, histories.proposal(1), seed=[7])
        assert [e.number for e in other.experiments(CAMPAIGN)] == [0, 1]
        assert other.campaign(CAMPAIGN).status == "created"


def test_a_transaction_of_a_superseded_process_leaves_nothing_half_done(
    store: Store, other: Store
) -> None:
    with hold(store, CAMPAIGN), hold(other, CAMPAIGN, take_over=True):
        with pytest.raises(Superseded), store.together(CAMPAIGN):
            store.record_event(CAMPAIGN, "note", "never seen")
        assert all(e.kind != "note" for e in other.events(CAMPAIGN))


def test_people_and_reports_may_write_and_read_beside_the_holder(
    store: Store, other: Store
) -> None:
    with hold(store, CAMPAIGN):
        other.record_event(CAMPAIGN, "note", "a person came by")
    assert [e.message for e in store.events(CAMPAIGN) if e.kind == "note"] == ["a person came by"]


def test_a_process_that_was_killed_loses_the_campaign_at_once(store: Store, tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from orchestrator.store import Store;"
        "from orchestrator.sharing.holding import hold; home = Path(sys.argv[1]);"
        "store = Store.open(f'sqlite:///{home}/sdlab.sqlite', home / 'arrays');"
        f"held = hold(store, '{CAMPAIGN}'); held.__enter__(); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == -9
    left = store.holds.current(CAMPAIGN)
    assert left is not None
    assert left.released is None
    with hold(store, CAMPAIGN) as held:
        assert held.token == left.token + 1


def test_a_process_number_that_is_used_again_is_not_its_former_owner() -> None:
    me = this_process()
    assert is_running(me)
    assert not is_running(replace(me, born=me.born - 3600))
    nobody = max(psutil.pids()) + 100_000
    assert not is_running(replace(me, pid=nobody))


def test_another_machine_is_believed_dead_only_after_a_long_silence() -> None:
    expiry = Pulse().expiry
    assert not is_dead(elsewhere(expiry / 2), expiry)
    assert is_dead(elsewhere(expiry * 2), expiry)


def test_a_heartbeat_says_that_the_holder_lives_and_hears_that_it_was_superseded(
    store: Store, other: Store
) -> None:
    lost = threading.Event()
    pulse = Pulse(every=timedelta(milliseconds=20))
    with hold(store, CAMPAIGN, pulse=pulse, on_loss=lost.set) as held:
        first = held.hold.heartbeat
        while (now := other.holds.current(CAMPAIGN)) is None or now.heartbeat == first:
            pass
        with hold(other, CAMPAIGN, take_over=True):
            assert lost.wait(30)
            assert held.lost.is_set()


def test_the_history_of_a_campaign_nobody_ever_ran_has_no_holder(store: Store) -> None:
    store.create_campaign(record("bread-3"))
    assert store.holds.current("bread-3") is None
