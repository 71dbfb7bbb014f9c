"""Who may speak to a host: tokens, addresses, web pages, sizes and names that leave folders."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from instruments.errors import CommandRefused, InstrumentError
from instruments.hosting.client import HostedInstrument, hosted
from instruments.hosting.guard import MOST_BYTES
from instruments.hosting.security import Access, Address, token_from
from instruments.hosting.server import serve
from tests.instruments.hosting_process import KettleHost, kettle_host
from tests.instruments.kettle import heat

TOKEN = "correct-horse-battery-staple"
JSON = {"content-type": "application/json"}


def asked(host: KettleHost, path: str, **request: object) -> httpx.Response:
    """Return the reply to a plain request, as anything on the network could make it."""
    method = str(request.pop("method", "POST"))
    return httpx.request(method, host.address.url + path, trust_env=False, **request)  # type: ignore[arg-type]


async def test_without_the_token_nothing_is_told_and_nothing_stopped(tmp_path: Path) -> None:
    with kettle_host(tmp_path, token=TOKEN) as host:
        for name, wrong in (("none", ""), ("another", "x" * 28), ("part of it", TOKEN[:-1])):
            access = Access(token=wrong)
            with pytest.raises(InstrumentError, match="token is missing or wrong"):
                hosted("kettle", host.address, host="kitchen", access=access)
            assert asked(host, "/health", method="GET").status_code == 401, name
        reply = asked(host, "/instruments/kettle/stop", headers=JSON, json={"emergency": True})
        assert reply.status_code == 401
        assert TOKEN not in reply.text
        client = host.client()
        await client.connect()
        assert (await client.status()).state == "idle"
        assert await client.stop(emergency=True) == "nothing_running"
        await client.disconnect()
    kept = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert kept
    assert not [p for p in kept if TOKEN.encode() in p.read_bytes()]


def test_a_web_page_on_the_same_computer_can_order_nothing(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        stop = "/instruments/kettle/stop"
        plain = {"content-type": "text/plain"}
        assert asked(host, stop, headers=plain, content=b"{}").status_code == 415
        rebound = {**JSON, "host": "evil.example"}
        assert asked(host, stop, headers=rebound, content=b"{}").status_code == 403
        assert asked(host, stop, headers=JSON, content=b"{}").status_code == 200


def test_a_body_too_long_is_not_read(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        long = b" " * (MOST_BYTES + 1)
        path = "/instruments/kettle/submit"
        assert asked(host, path, headers=JSON, content=long).status_code == 413
        pieces = (long[i : i + 65536] for i in range(0, len(long), 65536))
        assert asked(host, path, headers=JSON, content=pieces).status_code == 413
        assert asked(host, "/health", method="GET").status_code == 200


async def test_ids_cannot_leave_their_folder_nor_take_others_names(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        client = host.client()
        await client.connect()
        for bad in ("../../etc/passwd", "/etc/passwd", "a\nb", "a//b", "x" * 300):
            with pytest.raises(CommandRefused):
                await client.execute(bad, heat())
            with pytest.raises(CommandRefused):
                await client.execute("c/1/s/0", heat(sample_id=bad))
            with pytest.raises(CommandRefused):
                await client.fence(bad, 1)
        assert host.deeds("began") == []
        await client.disconnect()


def test_a_malformed_request_is_refused_with_its_reasons(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        body = {"command": {"kind": "synthesize", "sample_id": "c/1"}, "command_id": "c/1/s/0"}
        reply = asked(host, "/instruments/kettle/submit", headers=JSON, json=body)
        assert reply.status_code == 422
        assert "recipe" in reply.json()["error"]["message"]
        assert asked(host, "/instruments/pot", method="GET").status_code == 404


@pytest.mark.parametrize(
    ("access", "told"),
    [
        (Access(), r"not allowed; add `\[network\] allow"),
        (Access(("192.0.2.7",)), "needs a shared token"),
        (Access(("furnace-pc",), TOKEN), "not allowed"),
    ],
)
async def test_another_computer_needs_to_be_allowed_and_a_token(
    access: Access, told: str, tmp_path: Path
) -> None:
    address = Address.parse("192.0.2.7:8765")
    with pytest.raises(InstrumentError, match=told):
        hosted("kettle", address, host="kitchen", access=access)
    with pytest.raises(InstrumentError, match=told):
        await serve([], address=address, log_folder=tmp_path, access=access)


def test_an_address_that_is_allowed_with_a_token_may_be_used() -> None:
    Access(("192.0.2.7",), TOKEN).verify(Address.parse("192.0.2.7:8765"))
    Access().verify(Address.parse("[::1]:8765"))


@pytest.mark.parametrize("text", ["", "8765", "lab:", "lab:99999", ":8765", "lab:http"])
def test_an_address_without_computer_or_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write the computer and the port"):
        Address.parse(text)


def test_the_token_comes_from_the_environment_and_shows_nowhere() -> None:
    assert token_from("LAB", {"LAB": f" {TOKEN}\n"}) == TOKEN
    assert TOKEN not in repr(Access(token=TOKEN))
    for bad in ({}, {"LAB": "short"}, {"LAB": "ä" * 20}):
        with pytest.raises(InstrumentError, match="environment variable LAB") as told:
            token_from("LAB", bad)
        assert all(value not in str(told.value) for value in bad.values())


async def test_a_host_that_hangs_delays_no_other_stop(tmp_path: Path) -> None:
    """A port that accepts and never answers is the worst of dead hosts."""
    from instruments.hosting.line import Line
    from instruments.stopping import stop_all

    lines: list[asyncio.StreamWriter] = []
    mute = await asyncio.start_server(lambda reader, writer: lines.append(writer), "127.0.0.1", 0)
    port = mute.sockets[0].getsockname()[1]
    with kettle_host(tmp_path, speed=1.0) as host:
        line = Line("dead", Address("127.0.0.1", port), host="dead_pc", access=Access())
        dead = HostedInstrument("dead", line)
        alive = host.client()
        said = await stop_all({"dead": dead, "alive": alive}, emergency=True, patience=1.0)
        assert said["dead"].result == "not_reached"
        assert said["alive"].result == "nothing_running"
        assert said["alive"].seconds < said["dead"].seconds
        assert host.deeds("halted") == ["True"]
    for line_to_dead in lines:
        line_to_dead.close()
    mute.close()
    await mute.wait_closed()
