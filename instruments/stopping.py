"""Stopping many instruments at once: none waits for another, and none is waited for for ever."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from instruments.protocols import Instrument, StopResult

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Real seconds after which an instrument that has not answered counts as not reached."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What an instrument said to a stop.

    Attributes
    ----------
    result : as `Instrument.stop` returns it; ``not_reached`` if it did not answer.
    message : why it was not reached, empty if it was.
    seconds : real time until it had answered.
    """

    result: StopResult | Literal["not_reached"]
    message: str
    seconds: float


async def stop_all(
    instruments: Mapping[str, Instrument], *, emergency: bool, patience: float = PATIENCE
) -> dict[str, Stopped]:
    """Stop every instrument at the same time, and return name → what it said. Never raises."""
    stops = (_stop(each, emergency=emergency, patience=patience) for each in instruments.values())
    return dict(zip(instruments, await asyncio.gather(*stops), strict=True))


async def _stop(instrument: Instrument, *, emergency: bool, patience: float) -> Stopped:
    began = time.monotonic()
    try:
        async with asyncio.timeout(patience):
            result = await instrument.stop(emergency=emergency)
    except TimeoutError:
        message = f"it did not answer within {patience:g} s"
    except Exception as error:
        logger.info("stop failed instrument=%s", instrument.name, exc_info=True)
        message = f"{type(error).__name__}: {error}"
    else:
        return Stopped(result, "", time.monotonic() - began)
    return Stopped("not_reached", message, time.monotonic() - began)
