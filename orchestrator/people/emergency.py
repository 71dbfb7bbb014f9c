"""Emergency stop from any process: it needs nothing but the laboratory file."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from pathlib import Path

from instruments.clock import RealClock
from instruments.protocols import Bench, Instrument
from instruments.stopping import PATIENCE, Stopped, stop_all
from orchestrator.laboratories.hosts import make_client
from orchestrator.laboratories.laboratory import InstrumentEntry, LaboratoryFile, parse_laboratory
from orchestrator.registry import instrument_factory
from orchestrator.store.records import CampaignRecord
from orchestrator.toml_source import TomlSource, parse_toml

logger = logging.getLogger(__name__)

Made = Mapping[str, Instrument | Exception]
"""Each instrument, or why there is none."""


def recorded_laboratory(record: CampaignRecord) -> tuple[LaboratoryFile, TomlSource]:
    """Return the laboratory of a campaign, as it was when the campaign began. Raises BadFile."""
    return parse_laboratory(parse_toml(record.laboratory_toml, Path(record.laboratory_source)))


async def stop_directly(
    file: LaboratoryFile, source: TomlSource, *, patience: float = PATIENCE
) -> dict[str, Stopped]:
    """Stop every instrument of a laboratory in an emergency, whoever else is using it.

    What one instrument does wrong keeps no other from being stopped. An instrument that is
    simulated lives inside the process that runs the campaign, which stops it by itself; one that
    has a host is stopped there.

    Returns
    -------
    Name → what it said.
    """
    made = _made(file, source)
    inside = {n: _INSIDE for n, i in made.items() if isinstance(i, Instrument) and _is_simulated(i)}
    absent = {
        n: Stopped("not_reached", str(e), 0.0) for n, e in made.items() if isinstance(e, Exception)
    }
    real = {n: i for n, i in made.items() if isinstance(i, Instrument) and n not in inside}
    said = await stop_all(real, emergency=True, patience=patience)
    doubtful = {n: real[n] for n, s in said.items() if s.result == "unconfirmed"}
    again = await asyncio.gather(
        *(_connected_and_stopped(instrument, patience) for instrument in doubtful.values())
    )
    said |= dict(zip(doubtful, again, strict=True))
    await asyncio.gather(*(_closed(instrument) for instrument in real.values()))
    every = {**inside, **absent, **said}
    return {name: every[name] for name in file.instruments}


_INSIDE = Stopped("nothing_running", "simulated, inside the process that runs the campaign", 0.0)


def _made(file: LaboratoryFile, source: TomlSource) -> Made:
    bench = Bench(clock=RealClock(), folder=source.path.parent, seed=file.seed)

    def make(name: str, entry: InstrumentEntry) -> Instrument | Exception:
        try:
            if entry.host in file.hosts:
                return make_client(file, name, described=False)
            return instrument_factory(entry.driver)(name, entry.settings, bench)
        except Exception as error:  # whatever one driver raises keeps no other from being stopped
            logger.info("not made for the stop instrument=%s", name, exc_info=True)
            return error

    return {name: make(name, entry) for name, entry in file.instruments.items()}


def _is_simulated(instrument: Instrument) -> bool:
    try:
        return instrument.describe().simulated
    except Exception:  # one that cannot tell is stopped like one that moves matter
        logger.info("not described before the stop instrument=%s", instrument.name, exc_info=True)
        return False


async def _connected_and_stopped(instrument: Instrument, patience: float) -> Stopped:
    """Stop an instrument that cannot tell how it stands before it is connected."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(patience):
            await instrument.connect()
    except Exception as error:  # whatever one driver raises keeps no other from being told
        logger.info("not connected for the stop instrument=%s", instrument.name, exc_info=True)
        why = str(error) or f"it did not answer within {patience:g} s"
        return Stopped("not_reached", why, time.monotonic() - began)
    said = (await stop_all({"it": instrument}, emergency=True, patience=patience))["it"]
    return Stopped(said.result, said.message, time.monotonic() - began)


async def _closed(instrument: Instrument) -> None:
    try:
        async with asyncio.timeout(1.0):
            await instrument.disconnect()
    except Exception:
        logger.warning(
            "not disconnected after the stop instrument=%s", instrument.name, exc_info=True
        )


def in_words(said: Mapping[str, Stopped]) -> list[str]:
    """Return a line an instrument: its name, what it said, and how long that took."""
    return [_line(name, stopped) for name, stopped in said.items()]


def _line(name: str, said: Stopped) -> str:
    result = said.result.replace("_", " ")
    return f"{name:<20} {result:<18} {said.seconds * 1000:6.0f} ms  {said.message}".rstrip()


def everything_stopped(said: Mapping[str, Stopped]) -> bool:
    """Return whether every instrument was reached and says that it is at rest."""
    return all(s.result not in ("not_reached", "unconfirmed") for s in said.values())
