"""`serve`: host instruments until the process is asked to end, then leave them safe."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import uvicorn

from instruments.clock import Clock, RealClock
from instruments.errors import InstrumentError
from instruments.hosting.application import Stations, application
from instruments.hosting.log import CommandLog
from instruments.hosting.security import Access, Address
from instruments.hosting.station import Say, Station
from instruments.identity import identity_fault
from instruments.protocols import Instrument

logger = logging.getLogger(__name__)

LAST_WORDS = 2
"""Seconds that open requests have to hear how their command ended."""


class _Server(uvicorn.Server):
    """Uvicorn that leaves signals to `serve`, which stops the instruments first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    instruments: Sequence[Instrument],
    *,
    address: Address | str,
    log_folder: Path,
    access: Access | None = None,
    clock: Clock | None = None,
    say: Say | None = None,
    ready: Callable[[Address], None] | None = None,
    end: asyncio.Event | None = None,
) -> None:
    """Serve instruments until `end` is set or the process gets SIGINT or SIGTERM.

    Parameters
    ----------
    address : where to listen, as ``127.0.0.1:8765``; port 0 takes a free one.
    log_folder : the instruments' command logs, a folder each.
    access : who may reach it; only this computer by default.
    clock : of the instruments; real time by default.
    say : told in a line when a command begins and ends.
    ready : told where it listens, once it does.

    Raises
    ------
    InstrumentError
        The address may not be used or is taken, or a log is in use or damaged.
    """
    access = access or Access()
    where = Address.parse(address) if isinstance(address, str) else address
    access.verify(where)
    listening = _bound(where)
    try:
        stations = _stations(instruments, log_folder, clock or RealClock(), say or logger.info)
    except BaseException:
        listening.close()
        raise
    try:
        await _connect(stations, say or logger.info)
        await _until(end or asyncio.Event(), stations, access, listening, ready)
    finally:
        for station in stations.by_name.values():
            await station.make_safe()
        listening.close()


async def _until(
    end: asyncio.Event,
    stations: Stations,
    access: Access,
    listening: socket.socket,
    ready: Callable[[Address], None] | None,
) -> None:
    config = uvicorn.Config(
        application(stations, access),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=LAST_WORDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    ending = asyncio.create_task(end.wait())
    with _signals(end):
        if ready:
            host, port = listening.getsockname()[:2]
            ready(Address(host, port))
        await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        for station in stations.by_name.values():
            await station.stop_what_runs()
        server.should_exit = True
        await serving


def _stations(instruments: Sequence[Instrument], folder: Path, clock: Clock, say: Say) -> Stations:
    made: dict[str, Station] = {}
    try:
        for instrument in instruments:
            name = instrument.name
            if (fault := identity_fault(name)) or "/" in name or name in made:
                why = fault or "is used twice or holds a /"
                raise InstrumentError(f"an instrument cannot be hosted as {name!r}: the name {why}")
            made[name] = Station(instrument, CommandLog(folder / name), clock=clock, say=say)
    except BaseException:
        for station in made.values():
            station.log.close()
        raise
    return Stations(made, clock)


async def _connect(stations: Stations, say: Say) -> None:
    """Connect what can be connected; the rest is tried again when a client connects."""
    for name, station in stations.by_name.items():
        try:
            await station.instrument.connect()
        except (InstrumentError, OSError) as error:
            logger.warning("not connected instrument=%s error=%s", name, error)
            say(f"{name}: not connected: {error}")


def _bound(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once instead of after 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address.host, address.port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise InstrumentError(
            f"{address} cannot be listened on ({error.strerror}); end what uses it, or give the "
            "host another address"
        ) from error
    return listening


@contextlib.contextmanager
def _signals(end: asyncio.Event) -> Iterator[None]:
    """Set `end` at SIGINT and SIGTERM, where this thread is told of them."""
    loop = asyncio.get_running_loop()
    caught: list[signal.Signals] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, end.set)
            caught.append(number)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
