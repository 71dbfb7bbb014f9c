"""An instrument in another process keeps the whole contract of instruments, over a real wire."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from instruments.conformance import CHECKS, check_instrument
from instruments.hosting.client import HostedInstrument
from instruments.protocols import Instrument
from tests.instruments.hosting_process import KettleHost, kettle_host
from tests.instruments.kettle import heat


async def conforming(host: KettleHost, kind: type[HostedInstrument] | None = None) -> list[str]:
    """Run the suite; every check gets a kettle of its own, since the host forgets nothing."""
    numbers = itertools.count()

    def make() -> HostedInstrument:
        return made(f"kettle-{next(numbers)}")

    def made(name: str) -> HostedInstrument:
        client = host.client(name)
        if kind is not None:
            client.__class__ = kind
        return client

    def beside(instrument: Instrument) -> Instrument:
        return made(instrument.name)

    return await check_instrument(
        make,
        heat(40.0),
        [heat(300.0), heat(40.0, vessel="paper")],
        clock=host.clock,
        beside=beside,
    )


async def test_a_hosted_instrument_conforms(tmp_path: Path) -> None:
    with kettle_host(tmp_path, copies=100, speed=200.0) as host:
        passed = await conforming(host)
    assert len(passed) == len(CHECKS) >= 40


class NeverFenced(HostedInstrument):
    async def fence(self, scope: str, token: int) -> None:
        self._tokens[scope] = 10**9


async def test_a_client_that_ignores_fences_is_caught_by_name(tmp_path: Path) -> None:
    with (
        kettle_host(tmp_path, copies=100, speed=200.0) as host,
        pytest.raises(AssertionError, match=r"^whoever was overtaken is refused: "),
    ):
        await conforming(host, NeverFenced)
