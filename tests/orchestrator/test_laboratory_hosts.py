"""One laboratory file serves the host and its clients, and says what is wrong on which line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from instruments.clock import FasterClock, RealClock, VirtualClock
from instruments.hosting.client import HostedInstrument
from instruments.hosting.security import Address
from instruments.hosting.server import serve
from orchestrator.errors import BadFile, CampaignError
from orchestrator.laboratories.hosting import HostPlan, plan_host
from orchestrator.laboratories.laboratory import Laboratory, build_laboratory, parse_laboratory
from orchestrator.toml_source import parse_toml
from tests.instruments.hosting_process import KettleHost, kettle_host

KITCHEN = """
name = "kitchen"
[hosts.kitchen]
address = "{address}"
[instruments.kettle]
driver = "simulated.furnace"
host = "kitchen"
"""
FURNACES = """
name = "two computers"
[hosts.furnace_pc]
address = "127.0.0.1:8765"
speed = 3600
[hosts.xrd_pc]
address = "127.0.0.1:8766"
[instruments.furnace]
driver = "simulated.furnace"
host = "furnace_pc"
[instruments.furnace.limits.temperature]
high = 700
[instruments.diffractometer]
driver = "simulated.diffractometer"
host = "xrd_pc"
"""


def build(text: str, *, twin: bool = False) -> Laboratory:
    """Return the laboratory of a file's text."""
    return build_laboratory(*parse_laboratory(parse_toml(text, Path("lab.toml"))), twin=twin)


def plan(text: str, name: str | None, home: Path) -> HostPlan:
    """Return what a host serves by a file's text."""
    return plan_host(*parse_laboratory(parse_toml(text, Path("lab.toml"))), name, home=home)


@contextmanager
def laboratory(folder: Path, speed: float) -> Iterator[tuple[Laboratory, KettleHost]]:
    """Give a laboratory whose kettle is served by another process."""
    with kettle_host(folder, speed=speed) as host:
        yield build(KITCHEN.format(address=host.address)), host


def test_a_hosted_instrument_can_be_asked_whatever_its_driver(tmp_path: Path) -> None:
    with laboratory(tmp_path, 100.0) as (kitchen, host):
        assert isinstance(kitchen.instruments["kettle"], HostedInstrument)
        assert kitchen.describe("kettle").recovery == "queryable"
        assert kitchen.simulated
        assert isinstance(kitchen.clock, FasterClock)
        apart = abs((kitchen.clock.now() - host.clock.now()).total_seconds())
        assert apart < 10.0 * 100.0  # read one after the other, at a hundred times real time


def test_a_dry_run_needs_no_host() -> None:
    twin = build(FURNACES, twin=True)
    assert isinstance(twin.clock, VirtualClock)
    assert not any(isinstance(i, HostedInstrument) for i in twin.instruments.values())


def test_every_host_that_is_away_is_named_with_what_starts_it() -> None:
    with pytest.raises(CampaignError) as told:
        build(FURNACES.replace("8765", "9").replace("8766", "19"))
    for name in ("furnace_pc", "xrd_pc"):
        assert f"sdlab host LAB.toml --name {name}" in str(told.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('host = "xrd_pc"', 'host = "xrd"', "there is no host 'xrd'; the file names furnace_pc"),
        ("127.0.0.1:8765", "127.0.0.1", "write the computer and the port"),
        ("127.0.0.1:8765", "127.0.0.1:0", "needs a port"),
        ("127.0.0.1:8765", "furnace-pc:8765", r"add it to `\[network\] allow`"),
        ("speed = 3600", "speed = 0.5", "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_with_a_host_is_told(old: str, new: str, told: str) -> None:
    with pytest.raises(BadFile, match=told):
        build(FURNACES.replace(old, new, 1))


def test_another_computer_is_not_contacted_without_the_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SDLAB_HOST_TOKEN", raising=False)
    text = KITCHEN.format(address="192.0.2.7:8765") + '[network]\nallow = ["192.0.2.7"]\n'
    with pytest.raises(CampaignError, match="needs a shared token"):
        build(text)
    with pytest.raises(CampaignError, match="variable SDLAB_HOST_TOKEN, which is not set"):
        build(text + 'token = { env = "SDLAB_HOST_TOKEN" }\n')
    with pytest.raises(BadFile, match="token"):
        build(text + 'token = "a-secret-in-the-file"\n')


def test_a_host_serves_its_own_instruments_and_keeps_its_time(tmp_path: Path) -> None:
    first = plan(FURNACES, "furnace_pc", tmp_path)
    assert [i.name for i in first.instruments] == ["furnace"]
    assert first.folder == tmp_path / "hosts" / "furnace_pc"
    again = plan(FURNACES, "furnace_pc", tmp_path)
    assert isinstance(first.clock, FasterClock)
    assert isinstance(again.clock, FasterClock)
    assert again.clock.anchor == first.clock.anchor
    assert isinstance(plan(FURNACES, "xrd_pc", tmp_path).clock, RealClock)


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        (FURNACES, None, "Choose one with --name"),
        (FURNACES, "oven_pc", "it has furnace_pc, xrd_pc"),
        (FURNACES.replace('host = "furnace_pc"', ""), "furnace_pc", "no instrument of"),
        ('name = "x"\n[instruments.f]\ndriver = "simulated.furnace"', None, "names no hosts"),
    ],
)
def test_a_host_that_is_not_meant_is_told(
    text: str, name: str | None, told: str, tmp_path: Path
) -> None:
    with pytest.raises(CampaignError, match=told):
        plan(text, name, tmp_path)


def test_nothing_that_moves_matter_is_hurried(tmp_path: Path) -> None:
    accepts = '{ name = "temperature", unit = "degC", low = 20, high = 900 }'
    person = f'driver = "by_hand"\nsettings = {{ folder = "r", accepts = [{accepts}] }}'
    text = FURNACES.replace('driver = "simulated.furnace"', person, 1)
    text = text.replace("[instruments.furnace.limits.temperature]\nhigh = 700\n", "")
    with pytest.raises(CampaignError, match="furnace moves matter; speed is for simulated"):
        plan(text, "furnace_pc", tmp_path)


@asynccontextmanager
async def served(plans: list[HostPlan]) -> AsyncIterator[list[Address]]:
    """Give the addresses of hosts in this process, on free ports."""
    end = asyncio.Event()
    addresses: list[Address] = []
    tasks = [
        asyncio.create_task(
            serve(
                p.instruments,
                address="127.0.0.1:0",
                log_folder=p.folder,
                clock=p.clock,
                ready=addresses.append,
                end=end,
            )
        )
        for p in plans
    ]
    while len(addresses) < len(plans):
        await asyncio.sleep(0.01)
    try:
        yield addresses
    finally:
        end.set()
        await asyncio.gather(*tasks)


async def test_hosts_that_keep_different_times_are_no_laboratory(tmp_path: Path) -> None:
    plans = [plan(FURNACES, name, tmp_path) for name in ("furnace_pc", "xrd_pc")]
    async with served(plans) as (one, other):
        text = FURNACES.replace("127.0.0.1:8765", str(one)).replace("127.0.0.1:8766", str(other))
        with pytest.raises(CampaignError, match="keep different times"):
            await asyncio.to_thread(build, text)


async def test_limits_of_the_house_hold_for_hosted_instruments(tmp_path: Path) -> None:
    text = FURNACES.replace('"127.0.0.1:8766"', '"127.0.0.1:8766"\nspeed = 3600')
    plans = [plan(text, name, tmp_path) for name in ("furnace_pc", "xrd_pc")]
    async with served(plans) as (one, other):
        text = text.replace("127.0.0.1:8765", str(one)).replace("127.0.0.1:8766", str(other))
        built = await asyncio.to_thread(build, text)
        accepted = built.describe("furnace").setting("temperature")
        assert accepted is not None
        assert accepted.high == 700
        assert built.with_role("measure", "xrd") == ["diffractometer"]
