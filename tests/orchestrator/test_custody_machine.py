"""Whatever is offered, accepted, withdrawn and interrupted in whatever order, nothing is in two
places, and no place holds two things."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from orchestrator.errors import CustodyConflict
from orchestrator.store.storage_records import SHELF, UNLIMITED
from tests.orchestrator import histories

LAB = "furnace line"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
THINGS = [f"crucible-{n}" for n in range(4)]
HOLDERS = ["furnace", "diffractometer", "shelf", "away", *THINGS[:2]]

things, holders = st.sampled_from(THINGS), st.sampled_from(HOLDERS)
slots, commands = st.sampled_from(["1", "2"]), st.sampled_from(["c", "d", "e"])


class Crashed(Exception):
    """The process died in the midst of a transaction."""


class Laboratory(RuleBasedStateMachine):
    """Two processes with a store each hand four crucibles about; `where` is what must be so."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._stores = [histories.open_store(Path(self._folder.name)) for _ in range(2)]
        self.where = {thing: (SHELF, thing) for thing in THINGS}
        self.offers: dict[str, tuple[str, str, str]] = {}
        for thing in THINGS:
            self._stores[0].custody.enter(LAB, thing, "crucible", SHELF, at=NOW)

    def teardown(self) -> None:
        for store in self._stores:
            store.close()
        self._folder.cleanup()

    @rule(process=st.integers(0, 1), thing=things, taker=holders, slot=slots, command=commands)
    def offer(self, process: int, thing: str, taker: str, slot: str, command: str) -> None:
        slot = thing if taker in UNLIMITED else slot
        place = (taker, slot)
        known = self.offers.get(thing)
        same = known is not None and (known[0], known[2]) == (taker, command)
        kept = {(t, s) for t, s, _ in self.offers.values()}
        others = {p for name, p in self.where.items() if name != thing}
        possible = same or (thing not in self.offers and place not in kept | others)
        try:
            self._stores[process].custody.offer(
                LAB, thing, taker, slot=slot, command_id=command, at=NOW
            )
        except CustodyConflict:
            assert not possible
        else:
            assert possible
            self.offers.setdefault(thing, (taker, slot, command))

    @rule(process=st.integers(0, 1), thing=things, command=commands, arrives=st.booleans())
    def close(self, process: int, thing: str, command: str, arrives: bool) -> None:
        custody = self._stores[process].custody
        is_open = thing in self.offers and self.offers[thing][2] == command
        try:
            (custody.accept if arrives else custody.withdraw)(LAB, thing, command, at=NOW)
        except CustodyConflict:
            assert not is_open
        else:
            assert is_open
            taker, slot, _ = self.offers.pop(thing)
            if arrives:
                self.where[thing] = (taker, slot)

    @rule(process=st.integers(0, 1), thing=things, taker=holders, slot=slots)
    def crash_between_the_phases(self, process: int, thing: str, taker: str, slot: str) -> None:
        custody = self._stores[process].custody
        with suppress(Crashed, CustodyConflict), custody.together():
            custody.hand(LAB, thing, taker, slot=slot, command_id="f", at=NOW)
            raise Crashed

    @rule(process=st.integers(0, 1))
    def restart(self, process: int) -> None:
        self._stores[process].close()
        self._stores[process] = histories.open_store(Path(self._folder.name))

    @invariant()
    def everything_is_in_one_place_and_every_place_holds_one_thing(self) -> None:
        found = self._stores[1].custody.everything(LAB)
        assert {t.thing: (t.holder, t.slot) for t in found} == self.where
        assert max(Counter((t.holder, t.slot) for t in found).values()) == 1
        doubts = {
            t.thing: (t.doubt.taker, t.doubt.taker_slot, t.doubt.command_id)
            for t in found
            if t.doubt is not None
        }
        assert doubts == self.offers


Laboratory.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLaboratory = Laboratory.TestCase
